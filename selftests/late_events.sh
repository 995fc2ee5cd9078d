#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# scripts/trace: who reads a recording more slowly than events come is not told that nothing happened meanwhile; who is told
# that nothing happened still knows what was.
. ./lib.sh

slow_reader() {
	PYTHONDONTWRITEBYTECODE=1 python3 - "$tree/scripts/trace" <<-'END'
		import fcntl, os, sys, time
		sys.path.insert(0, sys.argv[1])
		import events

		class Recorded(events.Recording):
		    """A recording whose events are all there when it begins"""
		    def write(self, name, text):
		        pass

		recording = Recorded(())
		recording.pipe, writer = os.pipe()
		os.set_blocking(recording.pipe, False)
		# more than is read at once
		fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 18)
		event = "x" * 30000
		os.write(writer, (event + "\n").encode() * 5)
		told = []
		for line in recording.lines(time.monotonic() + 0.2):
		    told.append(line)
		    if line:
		        time.sleep(0.1)
		assert told == [event] * 5, [line and len(line) for line in told]
		os.write(writer, (event + "\n").encode())
		told = list(recording.lines(time.monotonic() + 0.5))
		assert told[:2] == [event, None], [line and len(line) for line in told]
	END
}

# second EVENT...: what why-slow says of a second with these events, and of the next, in which nothing happens
seconds() {
	PYTHONDONTWRITEBYTECODE=1 python3 - "$tree/scripts/trace/why-slow" "$@" <<-'END'
		import importlib.machinery, importlib.util, sys
		loader = importlib.machinery.SourceFileLoader("why_slow", sys.argv[1])
		why_slow = importlib.util.module_from_spec(importlib.util.spec_from_loader("why_slow", loader))
		loader.exec_module(why_slow)
		connection = why_slow.Connection(10.0)
		for event in sys.argv[2:]:
		    connection.take(why_slow.parse(" " + event))
		for at in 11.0, 12.0:
		    print(connection.line(at))
	END
}

quiet_second() {
	local ends="sock=7 netns=1 local=[::ffff:192.0.2.1]:40000 remote=[::ffff:192.0.2.2]:7000"
	local sent="10.1: haul_send: $ends len_bytes=1000 rcv_wnd_bytes=65536 cwnd_bytes=14440 srtt_us=50000 limit=BUSY"
	local shut="10.2: haul_receive: $ends len_bytes=0 ack=1001 wnd_bytes=0 limit=BUSY"
	local waits="10.3: haul_limit: $ends from=BUSY to=RWND"
	local rwnd="rwnd 100%; cwnd 14440, srtt 50000 us: the peer: its window is shut"

	seconds "$sent" "$shut" "$waits" >"$out"
	sed -n 2p "$out" | grep "$rwnd"
	# nothing was sent since it looks: it does not know, and says so
	seconds "$shut" "$waits" >"$out"
	sed -n 2p "$out" | grep "cwnd ?, srtt ? us: the peer: its window is shut"
	# what was offered last is offered still
	seconds "$sent" "10.4: haul_receive: $ends len_bytes=700 ack=1001 wnd_bytes=65536 limit=IDLE" >"$out"
	[ "$(sed -n 2p "$out")" = None ]
	seconds "10.1: haul_send: $ends len_bytes=0 rcv_wnd_bytes=0 cwnd_bytes=14440 srtt_us=50000 limit=IDLE" \
		"11.5: haul_receive: $ends len_bytes=700 ack=1 wnd_bytes=65536 limit=IDLE" >"$out"
	grep "least window offered 0: its own program does not read" "$out"
}

out=$(mktemp)
trap 'rm -f "$out"' EXIT
run_cases slow_reader quiet_second
