#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# scripts/trace/events.py: who reads a recording more slowly than events come is not told that nothing happened meanwhile.
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

run_cases slow_reader
