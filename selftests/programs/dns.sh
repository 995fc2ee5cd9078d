#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Names from the root down (TEXTBOOK 24): dig asks a caching resolver (Unbound) on the far host, that asks the servers of
# the root, of test and of example.test (NSD) on the near one. The second time the cache answers: the servers are gone by
# then.
. ./programs/lib.sh

root=192.0.2.11 delegation=192.0.2.12 leaf=192.0.2.13
servers=()

is_listening_at() {
	ip netns exec "$1" awk -v at="$2" '$2 == "LISTEN" && $5 == at { found = 1 } END { exit !found }' \
		/proc/net/haul/sockets
}

# server ZONE ADDRESS: what comes on standard input is the zone
server() {
	local name=${1:-root}

	{
		echo "\$TTL 3600"
		echo "@ IN SOA ns.invalid. admin.invalid. 1 3600 600 86400 3600"
		cat
	} >"$work/zone.$name"
	cat >"$work/nsd.$name.conf" <<-END
		server:
			ip-address: $2
			username: ""
			chroot: ""
			database: ""
			zonesdir: "$work"
			pidfile: "$work/nsd.$name.pid"
			xfrdfile: "$work/xfrd.$name"
			zonelistfile: "$work/zones.$name"
			xfrdir: "$work"
		remote-control:
			control-enable: no
		zone:
			name: "$1."
			zonefile: "zone.$name"
	END
	ip -n "$near" address add "$2/32" dev near0
	# no function: $! must be the server itself
	ip netns exec "$near" "$haulrun" "${over[@]}" nsd -d -c "$work/nsd.$name.conf" </dev/null >"$work/nsd.$name.log" 2>&1 &
	servers+=($!)
	wait_for is_listening_at "$near" "$2:53"
}

servers_up() {
	server "" $root <<-END
		@ IN NS a.root.
		a.root. IN A $root
		test. IN NS ns.test.
		ns.test. IN A $delegation
	END
	server test $delegation <<-END
		@ IN NS ns
		ns IN A $delegation
		example IN NS ns.example
		ns.example IN A $leaf
	END
	local text
	text=$(printf 'x%.0s' {1..250})
	# eight times a kilobyte in the last name: more than goes in one datagram
	server example.test $leaf <<-END
		@ IN NS ns
		ns IN A $leaf
		www IN A 203.0.113.7
		www IN AAAA 2001:db8:7::7
		$(printf "long IN TXT \"%d\" \"$text\" \"$text\" \"$text\" \"$text\"\n" {1..8})
	END
}

# resolver_up LINE...: more of the resolver's settings
resolver_up() {
	printf '. 3600000 IN NS a.root.\na.root. 3600000 IN A %s\n' $root >"$work/hints"
	{
		cat <<-END
			server:
				interface: $far4
				access-control: 192.0.2.0/24 allow
				do-daemonize: no
				use-syslog: no
				username: ""
				chroot: ""
				directory: "$work"
				pidfile: "$work/unbound.pid"
				root-hints: "$work/hints"
				module-config: "iterator"
				do-ip6: no
				num-threads: 1
				# it is not asked for by itself (RFC 6761)
				local-zone: "test." nodefault
		END
		printf '\t%s\n' "$@"
		printf 'remote-control:\n\tcontrol-enable: no\n'
	} >"$work/unbound.conf"
	far_serves unbound -d -c "$work/unbound.conf"
	wait_for is_listening_at "$far" "$far4:53"
}

# ask DIG-ARGUMENT...: an answer's data
ask() { near_runs dig "@$far4" +short +tries=5 +timeout=10 "${by[@]}" "$@"; }

# the resolver knows nothing, then asks, then knows
names() {
	[ "$(ask www.example.test A)" = 203.0.113.7 ]
	[ "$(ask www.example.test AAAA)" = 2001:db8:7::7 ]
	near_runs dig "@$far4" +tries=5 +timeout=10 "${by[@]}" none.example.test A >"$work/none"
	grep -q 'status: NXDOMAIN' "$work/none"
	# too large for a datagram: by a stream, whatever dig began with
	[ "$(ask long.example.test TXT | wc -c)" -gt 8000 ]
}

nobody_to_ask() {
	kill "${servers[@]}"
	gone() { ! grep -q ':53$' <(ip netns exec "$near" awk '$2 == "LISTEN" { print $5 }' /proc/net/haul/sockets); }
	wait_for gone
	names
}

by_streams() {
	by=(+tcp)
	programs_up
	servers_up
	resolver_up "tcp-upstream: yes"
	names
	# dig's
	carried 4
	# the resolver's: the root, the delegation, the leaf
	[ "$(counter "$near" PassiveOpens)" -ge 3 ]
	nobody_to_ask
}

by_datagrams() {
	needs_datagrams
	by=()
	programs_up
	servers_up
	resolver_up
	names
	carried 1
	carried_datagrams
	[ "$(counter "$near" DgramIn)" -ge 3 ]
	[ "$(counter "$far" DgramIn)" -ge 4 ]
	nobody_to_ask
}

run_cases by_streams by_datagrams
