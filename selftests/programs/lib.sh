# SPDX-License-Identifier: GPL-2.0
#
# What the tests with real programs share: other people's programs, unmodified, over Haul by haulrun, on two hosts with
# a link between them that loses one packet in a hundred. Sourced from the directory of an installed test.
#
#	. ./programs/lib.sh
#	some_case() { programs_up; far_serves server; listens "$far" 80; near_runs client; carried 1; }

. ./lib.sh

# options of haulrun for the whole case: --dgram
over=()

# work_up: a directory $work, and an end of it all; what servers write is shown when a case fails
work_up() {
	near= far=
	work=$(mktemp -d)
	chmod 755 "$work"
	# where every user can read it
	cp haulrun haulrun.so "$work"
	haulrun=$work/haulrun
	trap programs_end EXIT
}

# programs_up: two hosts
programs_up() {
	work_up
	hosts_up loss 1%
}

# program_alone: one host, which talks to itself
program_alone() {
	work_up
	setup_ns near
}

programs_end() {
	local rc=$? host

	trap - ERR
	if [ $rc != 0 ] && [ $rc != 4 ]; then
		tail -n 15 "$work"/*.log 2>/dev/null | sed 's/^/# /'
	fi
	for host in $near $far; do
		ip netns pids "$host" 2>/dev/null | xargs -r kill -9 2>/dev/null
	done
	cleanup_all_ns
	rm -rf "$work"
	exit $rc
}

# near_runs, far_runs COMMAND...: over Haul, and waits for it
near_runs() { in_near "$haulrun" "${over[@]}" "$@"; }
far_runs() { in_far "$haulrun" "${over[@]}" "$@"; }

# near_serves, far_serves COMMAND...: over Haul, in the background, its output in $work
near_serves() { near_runs "$@" </dev/null >"$work/near-${1##*/}.log" 2>&1 & }
far_serves() { far_runs "$@" </dev/null >"$work/far-${1##*/}.log" 2>&1 & }

is_listening() {
	ip netns exec "$1" awk -v port=":$2" '
		$2 == "LISTEN" && substr($5, length($5) - length(port) + 1) == port { found = 1 }
		END { exit !found }' /proc/net/haul/sockets
}

# listens NS PORT: waits until there is a listener of Haul's
listens() { wait_for is_listening "$1" "$2"; }

# kernel_counter NS PROTOCOL NAME: of /proc/net/snmp
kernel_counter() {
	ip netns exec "$1" awk -v protocol="$2:" -v name="$3" '
		$1 == protocol && !named { named = 1; for (i = 2; i <= NF; i++) at[i] = $i; next }
		$1 == protocol { for (i = 2; i <= NF; i++) if (at[i] == name) { print $i; found = 1 } }
		END { exit !found }' /proc/net/snmp
}

# carried CONNECTIONS: so many connections at least went over Haul, into the far host, and no packet over TCP
carried() {
	local host name opens

	opens=$(counter "$far" PassiveOpens)
	[ "$opens" -ge "$1" ] || { echo "# $opens connections over Haul, not $1"; return 1; }
	for host in "$near" "$far"; do
		for name in InSegs OutSegs ActiveOpens PassiveOpens; do
			[ "$(kernel_counter "$host" Tcp $name)" = 0 ] || { echo "# Tcp $name is not 0"; return 1; }
		done
	done
}

# needs_datagrams: the case is skipped where the module has none
needs_datagrams() {
	/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 253)' 2>/dev/null || return 4
	over=(--dgram)
}

# carried_datagrams: and none went over UDP
carried_datagrams() {
	local host

	for host in "$near" "$far"; do
		[ "$(kernel_counter "$host" Udp InDatagrams)" = 0 ]
		[ "$(kernel_counter "$host" Udp OutDatagrams)" = 0 ]
	done
}

# same FILE FILE: byte by byte
same() { cmp "$1" "$2"; }

# random BYTES FILE
random() { head -c "$1" /dev/urandom >"$2"; }
