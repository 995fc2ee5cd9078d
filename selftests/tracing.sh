#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tracepoints haul:*: each tells what happened and agrees with the counters; the scripts of scripts/trace read them.
. ./lib.sh

tracefs=/sys/kernel/tracing
scripts=$tree/scripts

# traced COMMAND...: run it with all of haul:* on; what was told is in the file $trace
traced() {
	mountpoint -q $tracefs || mount -t tracefs tracefs $tracefs
	trace=$(mktemp)
	echo >$tracefs/trace
	echo 8192 >$tracefs/buffer_size_kb
	echo 1 >$tracefs/events/haul/enable
	"$@"
	echo 0 >$tracefs/events/haul/enable
	grep -v '^#' $tracefs/trace >"$trace"
	echo >$tracefs/trace
}

# told EVENT [PATTERN]: how many lines of it match
told() { grep -cE " haul_$1: .*${2:-}" "$trace" || true; }

# sum EVENT FIELD PATTERN: of a field, over the lines of an event
sum() {
	sed -nE "/ haul_$1: .*$3/s/.* $2=([0-9]+).*/\1/p" "$trace" | awk '{ n += $1 } END { print n + 0 }'
}

from_near="local=\[::ffff:$near4\]:[0-9]+ remote=\[::ffff:$far4\]:$port "

a_life_is_told() {
	hosts_up
	traced transfer 100000
	[ "$(told state "$from_near.*from=CLOSED to=SYN_SENT")" = 1 ]
	[ "$(told state "$from_near.*from=SYN_SENT to=ESTABLISHED")" = 1 ]
	[ "$(told state "$from_near.*from=[A-Z_12]+ to=CLOSED")" = 1 ]
	[ "$(told reply 'flags=SYN\|ACK')" = 1 ]
	[ "$(told send "$from_near.* flags=SYN ")" = 1 ]
	[ "$(told receive "$from_near.* flags=SYN\|ACK ")" = 1 ]
	[ "$(told rtt "$from_near")" -gt 0 ]
	[ "$(told cwnd "$from_near.*controller=[a-z]+")" -gt 0 ]
	[ "$(sum send len_bytes "$from_near")" -ge 100000 ]
	# numbers are relative: the first byte is 1
	[ "$(told send "$from_near.*seq=1 len_bytes=[1-9]")" -gt 0 ]
}

loss_is_told_as_it_is_counted() {
	hosts_up delay 2ms loss 3%
	small_packets
	traced transfer 300000
	retransmissions_agree "$(sum retransmit segs "$from_near")"
	[ "$(told lost "$from_near")" -gt 0 ]
	[ "$(told sack "$from_near.*dsack=0")" -gt 0 ]
	[ "$(told timer "$from_near.*timer=RETRANSMIT")" -ge "$(counter "$near" Timeouts)" ]
}

drops_are_told_with_their_reason() {
	hosts_up delay 1ms corrupt 3%
	small_packets
	traced transfer 200000
	local sum=$(($(counter "$near" DropChecksum) + $(counter "$far" DropChecksum)))
	[ "$sum" -gt 0 ]
	[ "$(told drop 'reason=DropChecksum')" = "$sum" ]
}

# watched SCRIPT WORD COMMAND...: run COMMAND while the script watches; what it printed is in the file $out
watched() {
	local script=$1 word=$2
	shift 2
	[ -x "$scripts/trace/$script" ] || return 4
	out=$(mktemp)
	"$scripts/trace/$script" 60 >"$out" 2>&1 &
	local watcher=$!
	wait_for grep -q "$word" "$out"
	"$@"
	kill -TERM "$watcher"
	wait "$watcher"
	[ ! -d $tracefs/instances/haul-$watcher ]
}

script_retransmits() {
	hosts_up delay 2ms loss 3%
	small_packets
	watched retransmits WHY transfer 400000
	local sum
	sum=$(sed -nE "s/^$near4:[0-9]+ > $far4:$port: ([0-9]+) segments sent again.*/\1/p" "$out")
	retransmissions_agree "${sum:-0}"
}

script_rtt() {
	hosts_up delay 2ms
	watched rtt measuring transfer 200000
	grep -qE "^$near4:[0-9]+ > $far4:$port: [0-9]+ round trips, least ([4-9]|[1-9][0-9])[0-9]{3} us" "$out"
}

# a peer that does not read, until told to
stalled() {
	in_far python3 -c 'if True:
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
		s.bind(("", '"$port"')); s.listen(); print("listening", flush=True)
		c, _ = s.accept(); sys.stdin.readline()
		while c.recv(1 << 20): pass' <"$gate" >"$log" &
	local server=$!
	exec 9>"$gate"
	wait_for grep -q listening "$log"
	in_near python3 -c 'if True:
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
		s.connect(("'"$far4"'", '"$port"')); s.sendall(bytes(4 << 20)); s.close()' &
	local client=$!
	wait_for grep -q 'rwnd 100%.*its program reads too slowly' "$out"
	echo >&9
	exec 9>&-
	wait "$server" "$client"
}

script_why_slow() {
	hosts_up
	gate=$(mktemp -u) log=$(mktemp)
	mkfifo "$gate"
	watched why-slow watching stalled
}

run_cases a_life_is_told loss_is_told_as_it_is_counted drops_are_told_with_their_reason script_retransmits script_rtt \
	script_why_slow
