#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# scripts/plot draws what a trace tells, whoever printed it.
. ./lib.sh

# trace_of PREFIX: two connections, in lines that begin as PREFIX has them (TIME is replaced); the first sends 3 segments,
# of which the second is lost
trace_of() {
	local ends="sock=7 netns=4026531840 local=[::ffff:192.0.2.1]:40000 remote=[::ffff:192.0.2.2]:7000"
	local numbers="cwnd_bytes=14440 ssthresh_bytes=2147483647 in_flight_bytes=1444 srtt_us=20000 state=ESTABLISHED"
	local line time
	while read -r time line; do
		printf "%s%s\n" "${1/TIME/$time}" "$([[ $1 == *haul: ]] && echo haul_ || echo " haul_")$line"
	done <<-END
		10.000000 state: $ends from=CLOSED to=SYN_SENT
		10.020000 send: $ends seq=1 len_bytes=1444 flags=ACK ack=1 segs=1 rcv_wnd_bytes=65535 snd_wnd_bytes=60000 $numbers limit=BUSY
		10.020100 send: $ends seq=1445 len_bytes=1444 flags=ACK ack=1 segs=1 rcv_wnd_bytes=65535 snd_wnd_bytes=60000 $numbers limit=BUSY
		10.020200 send: $ends seq=2889 len_bytes=1444 flags=ACK ack=1 segs=1 rcv_wnd_bytes=65535 snd_wnd_bytes=60000 $numbers limit=BUSY
		10.030000 send: ${ends//40000/40001} seq=1 len_bytes=100 flags=ACK ack=1 segs=1 rcv_wnd_bytes=65535 snd_wnd_bytes=60000 $numbers limit=BUSY
		10.040000 receive: $ends seq=1 len_bytes=0 flags=ACK ack=1445 wnd_bytes=58556 ce=0 state=ESTABLISHED limit=BUSY
		10.040010 rtt: $ends rtt_us=20000 srtt_us=20000 rttvar_us=10000 min_rtt_us=20000 rto_us=220000
		10.040020 cwnd: $ends cwnd_bytes=15884 ssthresh_bytes=2147483647 old_cwnd_bytes=0 old_ssthresh_bytes=0 in_flight_bytes=2888 mss_bytes=1444 recovery=OPEN controller=cubic
		10.040100 receive: $ends seq=1 len_bytes=0 flags=ACK ack=1445 wnd_bytes=58556 ce=0 state=ESTABLISHED limit=BUSY
		10.040110 sack: $ends start=2889 end=4333 dsack=0
		10.045000 lost: $ends seq=1445 len_bytes=1444 flags=ACK segs=1 $numbers recovery=FAST timeouts=0
		10.045010 retransmit: $ends seq=1445 len_bytes=1444 flags=ACK segs=1 $numbers recovery=FAST timeouts=0
		10.065000 receive: $ends seq=1 len_bytes=0 flags=ACK ack=4333 wnd_bytes=58556 ce=0 state=ESTABLISHED limit=BUSY
	END
}

# drawn PREFIX: the pictures of that trace, in $out, are whole and show the loss
drawn() {
	local name=192.0.2.1_40000_192.0.2.2_7000 kind

	trace_of "$1" >"$out/trace"
	"$tree/scripts/plot" --out "$out" "$out/trace" >"$out/list"
	[ "$(wc -l <"$out/list")" = 4 ]
	for kind in "$name" "$name-loss"; do
		[ "$(head -c 4 "$out/$kind.png" | tail -c 3)" = PNG ]
		grep -q '</svg>' "$out/$kind.svg"
		# at 45 ms, from byte 1445 on, 1444 bytes
		grep -qx '0.04501[0-9]* 1.445 1.444' "$out/$kind.gp"
		grep -q 'sent again' "$out/$kind.svg"
		grep -q 'SACK block' "$out/$kind.svg"
	done
	grep -q 'Haul, cubic: 192.0.2.1:40000' "$out/$name.svg"
}

need_gnuplot() {
	command -v gnuplot >/dev/null || return 4
	out=$(mktemp -d)
	trap 'rm -rf "$out"' EXIT
}

what_tracefs_prints() { need_gnuplot; drawn '  python3-77 [001] ..s1.    TIME:'; }
what_trace_cmd_prints() { need_gnuplot; drawn '         python3-77    [001]    TIME:'; }
what_perf_prints() { need_gnuplot; drawn 'python3    77 [001]    TIME: haul:'; }

a_connection_is_chosen() {
	need_gnuplot
	trace_of '  python3-77 [001] ..s1.    TIME:' >"$out/trace"
	"$tree/scripts/plot" --list "$out/trace" | grep '100 bytes  192.0.2.1:40001 > 192.0.2.2:7000' >/dev/null
	"$tree/scripts/plot" --out "$out" --connection 40001 "$out/trace" >"$out/list"
	[ -s "$out/192.0.2.1_40001_192.0.2.2_7000.png" ]
	if "$tree/scripts/plot" --out "$out" --connection 40009 "$out/trace" 2>"$out/error"; then return 1; fi
	grep -q 'no such connection' "$out/error"
}

# a program that does not read: the window is drawn to where it is shut and on to the trace's end, with each probe; what was
# not measured says so
a_shut_window_is_drawn() {
	need_gnuplot
	local ends="sock=7 netns=4026531840 local=[::ffff:192.0.2.1]:40000 remote=[::ffff:192.0.2.2]:7000" at
	{
		echo "x-1 [000] ..s1. 10.000000: haul_send: $ends seq=1 len_bytes=1444 flags=ACK ack=1 rcv_wnd_bytes=9 cwnd_bytes=14440" \
			"ssthresh_bytes=2147483647 in_flight_bytes=1444 srtt_us=0 state=ESTABLISHED limit=BUSY"
		echo "x-1 [000] ..s1. 10.100000: haul_receive: $ends seq=1 len_bytes=0 flags=ACK ack=1445 wnd_bytes=0 ce=0" \
			"state=ESTABLISHED limit=RWND"
		for at in 10.3 10.7 11.5; do
			echo "x-1 [000] ..s1. ${at}00000: haul_timer: ${ends} timer=PERSIST late_us=5 state=ESTABLISHED"
		done
	} >"$out/trace"
	"$tree/scripts/plot" --out "$out" "$out/trace" >"$out/list"
	local gp=$out/192.0.2.1_40000_192.0.2.2_7000.gp
	for at in 0.3 0.7 1.5; do
		grep -qE "^${at}[0-9]* 1.445$" "$gp"
	done
	grep -q 'probe of a shut window' "${gp%gp}svg"
	# the peer's window, shut until the end
	grep -qE '^1.5[0-9]* 0$' "$gp"
	# no round trip
	grep -q '>none<' "${gp%gp}svg"
	! grep -q ssthresh "${gp%gp}svg" || return 1
}

run_cases what_tracefs_prints what_trace_cmd_prints what_perf_prints a_connection_is_chosen a_shut_window_is_drawn
