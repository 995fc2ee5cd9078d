#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loading and unloading the module: busy while a socket is open, gone afterwards, back again, with nothing left of
# the first life; while connections are closing; with namespaces that know it. Skipped where no module was loaded.
. ./lib.sh

name=haul
module=${HAUL_MODULE:-}

loaded() { [ -d "/sys/module/$name" ]; }
unused() { [ "$(cat "/sys/module/$name/refcnt")" = 0 ]; }

# what a case changes is put back, whatever it ends with. Orphans of earlier tests may still be at it: 102 s, and then until
# the next timeout, which is at most 120 s away (net.haul.orphan_retries); that one waited is said
needs_module() {
	local since=$SECONDS
	[ -n "$module" ] && loaded || return 4
	slowwait 222 unused
	[ $((SECONDS - since)) -lt 2 ] || echo "# what earlier tests left took $((SECONDS - since)) s"
	trap 'loaded || insmod "$module"; cleanup_all_ns' EXIT
}

# transfer: a connection each way between the two hosts
transfer() {
	local log server
	log=$(mktemp)
	in_far ./helper_many server 7000 4 50000 >"$log" &
	server=$!
	wait_for grep -q listening "$log"
	in_near timeout 60 ./helper_many client "$1" 7000 4 50000
	wait "$server"
	rm -f "$log"
}

# a listener is enough
busy_while_a_socket_is_open() {
	needs_module
	hosts_up
	local log pid
	log=$(mktemp)
	ip netns exec "$far" ./helper_many server 7000 1 10 >"$log" &
	pid=$!
	wait_for grep -q listening "$log"
	! rmmod "$name" 2>/dev/null
	loaded
	kill "$pid"
	wait "$pid" || true
	wait_for unused
	rmmod "$name"
	! loaded
	insmod "$module"
	transfer "$far4"
	rm -f "$log"
}

# TIME-WAIT remnants go with the module
right_after_traffic() {
	needs_module
	hosts_up
	transfer "$far4"
	transfer "$far6"
	[ $(($(counter "$near" TimeWaits) + $(counter "$far" TimeWaits))) -gt 0 ]
	wait_for unused
	rmmod "$name"
	! loaded
	# without it there are no such sockets, and its files are gone
	! in_near timeout 5 ./helper_many client "$far4" 7000 1 1 2>/dev/null
	[ ! -e /proc/net/haul ]
	[ ! -e /proc/sys/net/haul ]
	# packets for it find nobody, and that hurts nobody
	insmod "$module"
	[ "$(counter "$near" ActiveOpens)" = 0 ]
	transfer "$far6"
}

again_and_again() {
	needs_module
	local i
	for i in 1 2 3 4 5; do
		wait_for unused
		rmmod "$name"
		insmod "$module"
	done
	hosts_up
	transfer "$far4"
}

# namespaces that were there before get their settings and counters, those made later too
namespaces_before_and_after() {
	needs_module
	hosts_up
	wait_for unused
	rmmod "$name"
	insmod "$module"
	in_near test -e /proc/sys/net/haul/msl_ms
	in_near test -e /proc/net/haul/snmp
	setup_ns late
	ip netns exec "$late" test -e /proc/sys/net/haul/msl_ms
	# a setting made in the first life is not there in the second
	echo 7 >/proc/sys/net/haul/syn_retries
	wait_for unused
	rmmod "$name"
	insmod "$module"
	[ "$(cat /proc/sys/net/haul/syn_retries)" = 6 ]
}

# packets of a connection that nobody knows any more are on the way while the module goes
packets_under_way() {
	needs_module
	hosts_up delay 100ms
	in_near timeout 1 ./helper_many client "$far4" 7000 20 1000 2>/dev/null || true
	wait_for unused
	rmmod "$name"
	insmod "$module"
	link_set delay 0ms
	transfer "$far4"
}

run_cases busy_while_a_socket_is_open right_after_traffic again_and_again namespaces_before_and_after packets_under_way
