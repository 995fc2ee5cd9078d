#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A stranger's Haul: selftests/peer, in Python, written from Documentation/protocol.rst alone, a host of its own behind a TUN
# device. It and the module open, transfer, close and refuse as that page says, over IPv4 and IPv6.
. ./lib.sh

peer=$tree/selftests/peer/peer.py

# The scenes of selftests/peer/scenes.py; each is a case.
scenes=(vectors_pack_and_parse malformed_are_refused_by_the_module
	we_connect the_module_connects lost_steps both_connect cookies
	bulk bulk_with_loss segments_fit sack_blocks we_do_not_read the_module_does_not_read ecn
	messages message_cut_short datagrams
	we_close_first the_module_closes_first both_close_at_once we_abort the_module_aborts
	resets_sent resets_received challenges_are_limited)

# host: a namespace with the device, and the kernel's addresses on it
host() {
	setup_ns host
	ip -n "$host" tuntap add peer0 mode tun
	ip -n "$host" addr add 192.0.2.2/24 dev peer0
	ip -n "$host" addr add 2001:db8::2/64 dev peer0 nodad
	ip -n "$host" link set peer0 up
}

for scene in "${scenes[@]}"; do
	eval "$scene() { host; PYTHONDONTWRITEBYTECODE=1 ip netns exec \"\$host\" \"\$peer\" $scene; }"
done

run_cases "${scenes[@]}"
