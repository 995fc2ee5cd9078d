#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Whole transfers between two hosts: every byte arrives once and in order (TEXTBOOK 1, 2, 12, 13, 19), over clean and
# over bad networks, one connection and many, both ways at once, over both IP versions.
. ./lib.sh

# transfer ADDRESS CONNECTIONS BYTES
transfer() {
	local log
	log=$(mktemp)
	in_far ./helper_many server 7000 "$2" "$3" >"$log" &
	local server=$!
	wait_for grep -q listening "$log"
	in_near timeout 100 ./helper_many client "$1" 7000 "$2" "$3"
	wait "$server"
	rm -f "$log"
}

# both IP versions at once would share the link; one after the other shows which one fails
both() {
	transfer "$far4" "$@"
	transfer "$far6" "$@"
}

one_connection() { hosts_up; both 1 4000000; }
empty_connection() { hosts_up; both 3 0; }
one_byte() { hosts_up; both 1 1; }
many_connections() { hosts_up; both 100 100000; }
with_loss() { hosts_up delay 2ms loss 3%; both 4 1000000; }
with_heavy_loss() { hosts_up delay 2ms loss 20%; both 4 30000; }
with_reordering() { hosts_up delay 4ms reorder 20% 50%; both 4 1000000; }
with_duplication() { hosts_up duplicate 10%; both 4 1000000; }
with_corruption() {
	hosts_up delay 1ms corrupt 2%
	both 4 500000
	[ "$(counter "$near" DropChecksum)" -gt 0 ]
}

# devices FEATURES...
devices() {
	local host
	for host in near far; do
		ip netns exec "${!host}" ethtool -K ${host}0 "$@" >/dev/null
	done
}

# small segments on the wire: segmentation in the sender, not in the device
without_offloads() {
	hosts_up delay 1ms loss 1%
	devices tso off gso off gro off tx-sctp-segmentation off
	both 4 1000000
}

# checksums, too: whether a packet is cut from a large segment or was a single one
without_checksums() {
	hosts_up delay 1ms loss 1%
	devices tx off gso off gro off
	both 4 1000000
	devices gro on
	both 4 1000000
	[ "$(counter "$near" DropChecksum)" = 0 ]
	[ "$(counter "$far" DropChecksum)" = 0 ]
}

two_hundred_through_a_bad_network() {
	hosts_up delay 5ms 2ms loss 5% reorder 10% corrupt 1%
	both 200 20000
}

run_cases one_connection empty_connection one_byte many_connections with_loss with_heavy_loss with_reordering \
	with_duplication with_corruption without_offloads without_checksums two_hundred_through_a_bad_network
