#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's drop monitors see the packets that are thrown away, with the kernel's word for the reason.

. ./lib.sh

trace=/sys/kernel/tracing

# dropped COUNTER: far has thrown away one packet for that reason
dropped() { [ "$(counter "$far" "$1")" = 1 ]; }

# reasons COUNTER PROGRAM...: what kfree_skb says until in_near PROGRAM has run and far has dropped its packet, in $said
reasons() {
	local why=$1
	shift
	[ -d $trace/events ] || mount -t tracefs tracefs $trace
	[ -d $trace/events/skb/kfree_skb ] || exit 4
	echo > $trace/trace
	echo 1 > $trace/events/skb/kfree_skb/enable
	in_near "$@"
	wait_for dropped "$why"
	echo 0 > $trace/events/skb/kfree_skb/enable
	said=$(sed -n 's/.*kfree_skb:.* reason: *//p' $trace/trace)
}

# a SYN that nobody listens for
no_socket() {
	hosts_up
	reasons DropNoFlow python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
try:
    s.connect(("'"$far4"'", 7000))
except ConnectionRefusedError:
    pass'
	[[ $said == *NO_SOCKET* ]]
}

# a packet that is shorter than the header
too_small() {
	hosts_up
	reasons DropShort python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
s.sendto(b"short", ("'"$far4"'", 0))'
	[[ $said == *PKT_TOO_SMALL* ]]
}

run_cases no_socket too_small
