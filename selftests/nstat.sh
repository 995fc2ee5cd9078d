#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# iproute2's nstat reads /proc/net/haul/snmp unchanged: told where, it has every counter, with the file's figures.

. ./lib.sh

# nstat_at HOST OPTION...: nstat of Haul's counters there
nstat_at() {
	local host=$1

	shift
	ip netns exec "$host" env PROC_NET_NETSTAT=/proc/net/haul/snmp PROC_NET_SNMP=/dev/null PROC_NET_SNMP6=/dev/null \
		PROC_NET_SCTP_SNMP=/dev/null NSTAT_HISTORY="$NSTAT_HISTORY" nstat "$@"
}

# names HOST: the counters that the file has there, as nstat calls them
names() {
	ip netns exec "$1" awk 'NR == 1 { for (i = 2; i <= NF; i++) print "Haul" $i }' /proc/net/haul/snmp
}

# one connection from near to far
connection() {
	in_far python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", 7000))
s.listen()
print("ready", flush=True)
s.accept()[0].recv(1)' > "$ready" &
	wait_for grep -q ready "$ready"
	in_near python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
s.connect(("'"$far4"'", 7000))
s.send(b"x")'
	wait $!
}

has_every_counter() {
	hosts_up
	NSTAT_HISTORY=$(mktemp -u)
	diff <(names "$near" | sort) <(nstat_at "$near" -asz | awk '/^Haul/ { print $1 }' | sort)
}

figures_of_the_file() {
	hosts_up
	NSTAT_HISTORY=$(mktemp -u)
	ready=$(mktemp)
	connection
	[ "$(nstat_at "$near" -as HaulActiveOpens | awk '/^Haul/ { print $2 }')" = 1 ]
	[ "$(nstat_at "$far" -as HaulPassiveOpens | awk '/^Haul/ { print $2 }')" = 1 ]
	[ "$(nstat_at "$far" -as HaulInSegs | awk '/^Haul/ { print $2 }')" = "$(counter "$far" InSegs)" ]
}

# what nstat is for: what has happened since it was last asked
differences() {
	hosts_up
	NSTAT_HISTORY=$(mktemp -u)
	ready=$(mktemp)
	connection
	nstat_at "$near" >/dev/null
	connection
	connection
	[ "$(nstat_at "$near" HaulActiveOpens | awk '/^Haul/ { print $2 }')" = 2 ]
}

run_cases has_every_counter figures_of_the_file differences
