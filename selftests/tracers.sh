#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# perf, trace-cmd and bpftrace use the tracepoints haul:*: each sees as many retransmissions as the module counts, and
# scripts/plot reads what the first two print.
. ./lib.sh

tracefs=/sys/kernel/tracing

# need TOOL: skip the case where it is not installed (scripts/setup tracers)
need() {
	command -v "$1" >/dev/null || { echo "# $1 is not installed"; return 4; }
	mountpoint -q $tracefs || mount -t tracefs tracefs $tracefs
	work=$(mktemp -d)
	hosts_up delay 2ms loss 3%
	small_packets
}

# while_traced TRACER...: transfer while it traces the command that it is given: one that says when it was begun and ends
# when it is told to
while_traced() {
	"$@" sh -c 'touch "$0"; while [ ! -e "$1" ]; do sleep 0.1; done' "$work/begun" "$work/over" >"$work/log" 2>&1 &
	local tracer=$!
	wait_for [ -e "$work/begun" ]
	transfer 300000
	touch "$work/over"
	wait "$tracer" || { cat "$work/log"; return 1; }
}

# lines_agree: those of the file $work/trace
lines_agree() {
	retransmissions_agree "$(sed -nE "/haul_retransmit: .*local=\[::ffff:$near4\]/s/.* segs=([0-9]+).*/\1/p" "$work/trace" |
		awk '{ n += $1 } END { print n + 0 }')"
	"$tree/scripts/plot" --list "$work/trace" | grep -E "[0-9]+ bytes  $near4:[0-9]+ > $far4:$port" >/dev/null
}

perf_sees() {
	need perf
	while_traced perf record -q -a -o "$work/data" -e 'haul:haul_send,haul:haul_retransmit'
	perf script -i "$work/data" >"$work/trace" 2>"$work/log" || { cat "$work/log"; return 1; }
	lines_agree
}

perf_counts() {
	need perf
	# an event for a segment of any size; what earlier tests left behind may retransmit as well, elsewhere
	local events inode
	inode=$(in_near stat -L -c %i /proc/self/ns/net)
	while_traced perf stat -x, -a -o "$work/sums" -e haul:haul_retransmit --filter "netns_inum == $inode"
	events=$(awk -F, '$3 == "haul:haul_retransmit" { print $1 }' "$work/sums")
	echo "# perf stat: $events events"
	[ "$events" -gt 0 ]
	[ "$events" -le "$(counter "$near" RetransSegs)" ]
}

trace_cmd_sees() {
	need trace-cmd
	while_traced trace-cmd record -q -e haul -o "$work/data"
	trace-cmd report -i "$work/data" >"$work/trace" 2>"$work/log" || { cat "$work/log"; return 1; }
	lines_agree
}

# bpftrace reads the fields by their names in the tracepoint's format file
bpftrace_sees() {
	need bpftrace
	mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
	local inode
	inode=$(in_near stat -L -c %i /proc/self/ns/net)
	bpftrace -e "BEGIN { printf(\"ready\\n\"); }
		tracepoint:haul:haul_retransmit /args->netns_inum == $inode/ { @segs = sum(args->segs); }" >"$work/log" 2>&1 &
	local tracer=$!
	if ! wait_for grep -q ready "$work/log"; then
		cat "$work/log"
		return 1
	fi
	transfer 300000
	kill -INT "$tracer"
	wait "$tracer"
	retransmissions_agree "$(sed -n 's/^@segs: //p' "$work/log")"
}

run_cases perf_sees perf_counts trace_cmd_sees bpftrace_sees
