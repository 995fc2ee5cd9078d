#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# haulss beside ss: the same program opens the same sockets over TCP and over Haul, in one namespace; what both list, option
# by option and filter by filter, is the same but for what is said of a transport only.
. ./lib.sh

PATH=$PWD:$PATH

# situation TRANSPORT: sockets in every state that a list can catch, on ports of $host, by the number of the protocol
situation() {
	ip netns exec "$host" python3 -c 'if True:
		import os, socket, sys, time
		proto = int(sys.argv[1])
		held = []
		def sock(family=socket.AF_INET):
			s = socket.socket(family, socket.SOCK_STREAM, proto)
			s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
			held.append(s)
			return s
		def listener(address, port, family=socket.AF_INET, **how):
			s = sock(family)
			if how.get("v6only"):
				s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
			if how.get("mark"):
				s.setsockopt(socket.SOL_SOCKET, 36, how["mark"])
			if how.get("device"):
				s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, how["device"].encode())
			s.bind((address, port))
			s.listen(how.get("backlog", 5))
			return s
		def client(port, address, to, family=socket.AF_INET, blocking=True):
			s = sock(family)
			s.bind(("127.0.0.1" if family == socket.AF_INET else "::ffff:127.0.0.1" if "." in address else "::1", port))
			s.setblocking(blocking)
			s.connect_ex((address, to))
			return s
		def pair(listener, *where):
			c = client(*where)
			s = listener.accept()[0]
			held.append(s)
			return c, s
		any4 = listener("0.0.0.0", 7000)
		dual = listener("::", 7001, socket.AF_INET6)
		listener("::", 7002, socket.AF_INET6, v6only=True)
		listener("127.0.0.1", 80, mark=7)
		listener("127.0.0.1", 7003, device="lo")
		os.seteuid(65534)
		listener("127.0.0.1", 7004)
		os.seteuid(0)
		alive = pair(any4, 5001, "127.0.0.2", 7000)[0]
		alive.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
		alive.setsockopt(proto, 4, 600)
		pair(any4, 5002, "127.0.0.2", 7000)[0].send(bytes(1000))
		pair(any4, 5003, "127.0.0.3", 7000)[0].shutdown(socket.SHUT_WR)
		both = pair(any4, 5004, "127.0.0.4", 7000)
		for s in both:
			s.close()
			held.remove(s)
		pair(dual, 5005, "::1", 7001, socket.AF_INET6)
		pair(dual, 5006, "::ffff:127.0.0.5", 7001, socket.AF_INET6)
		pair(dual, 5007, "127.0.0.6", 7001)
		cut = pair(any4, 5008, "127.0.0.8", 7000)[0]
		os.system(f"nft add rule inet cut in meta l4proto {proto} ip daddr 127.0.0.8 drop")
		cut.send(bytes(100))
		cut.close()
		held.remove(cut)
		client(5009, "127.0.0.9", 7000, blocking=False)
		client(5010, "127.0.0.2", 7000)
		print("ready", flush=True)
		time.sleep(1000)' "$1" >"$scratch/ready.$1" 2>"$scratch/errors.$1" &
	programs+=($!)
	if ! wait_for grep -q ready "$scratch/ready.$1"; then
		cat "$scratch/errors.$1"
		return 1
	fi
}

up() {
	command -v ss >/dev/null && command -v nft >/dev/null || return 4
	setup_ns host
	grep -q ' cgroup2 ' /proc/mounts || mount -t cgroup2 cgroup2 /sys/fs/cgroup
	scratch=$(mktemp -d)
	trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$scratch"; cleanup_all_ns' EXIT
	# what comes from .9 is dropped: a half-open connection; the program has to .8 dropped when it wants to
	ip netns exec "$host" nft 'table inet cut { chain in { type filter hook input priority 0; ip saddr 127.0.0.9 drop; }; }'
	# what waits for an answer that never comes is to be there until the end
	ip netns exec "$host" sysctl -q net.ipv4.tcp_syn_retries=12 net.haul.syn_retries=12 \
		net.ipv4.tcp_synack_retries=12 net.haul.synack_retries=12 \
		net.ipv4.tcp_orphan_retries=15 net.haul.orphan_retries=15
	situation 6
	situation 253
	# TCP has no name for that timer
	wait_for quiet
}

quiet() { ! ip netns exec "$host" haulss -Hno | grep -q delack; }

# listens PROTOCOL: somebody has joined a group of this netlink protocol's
listens() {
	ip netns exec "$host" awk -v proto="$1" '$2 == proto && $4 != "00000000" { found = 1 } END { exit !found }' /proc/net/netlink
}

# normal PROGRAM: ss has no column for the kind where only one was asked for, and names that of programs always. TIME-WAIT
# is over after a minute, over TCP before it is over Haul: where that minute may have passed, it is not shown
normal() {
	awk -v program="$1" -v waits="${time_wait:-0}" '
		program == "haulss" { sub(/^(stream|Netid) +/, "") }
		waits || !/^TIME-WAIT/ { gsub(/[ \t]+/, " "); sub(/ ?(Process)? ?$/, ""); print }' |
	sed -E 's/ino:[1-9][0-9]*/ino:N/; s/sk:[0-9a-f]+/sk:N/; s/pid=[0-9]+/pid=N/; s/fd=[0-9]+/fd=N/
		s/timer:\((on|timewait|keepalive),[0-9a-z.]*,[0-9]+/timer:(\1,T,N/
		s/(skmem:|,)\(?(r|rb|t|tb|f|w|o|bl|d)[0-9]+/\1\2N/g' | sort
}

# alike OPTIONS AND FILTER...: ss and haulss list the same. Numbers that only one socket has (inodes, cookies, processes,
# memory) are hidden, as are times and counts of timers that run (ss has no time for one that is due)
alike() {
	local program
	for program in ss haulss; do
		# ip netns exec would hide the cgroups
		nsenter --net="/run/netns/$host" $program "${view[@]}" "$@" >"$scratch/out" 2>&1 || {
			echo "# $program ${view[*]} $*: exit status $?"
			cat "$scratch/out"
			return 1
		}
		normal $program <"$scratch/out" >"$scratch/$program"
	done
	diff -u "$scratch/ss" "$scratch/haulss" || { echo "# differs: ${view[*]} $*"; return 1; }
	[ "${nothing:-0}" = 1 ] || [ -s "$scratch/ss" ] || { echo "# nothing: ${view[*]} $*"; return 1; }
}

columns() {
	up
	view=(-H -t -n)
	time_wait=1
	alike -a
	alike -a -o
	alike -a -e
	time_wait=0
	alike -l
	alike
	alike -a -4
	alike -a -6
	alike -a -p
	alike -a -m -O
	view=(-H -t)
	alike -a
	view=(-H -t -r)
	alike -a
	view=(-t -n)
	alike -l
}

filters() {
	up
	view=(-H -t -n)
	local filter
	# the first of them while there is one
	while read -r filter; do
		# shellcheck disable=SC2086 # words
		alike $filter
	done <<-'END'
		state time-wait
		state bucket
		state all
		state connected
		state synchronized
		state all exclude established exclude listening
		state all dev = lo
		state all sport = :http
		state fin-wait-2
		state established
		state big
		state listening
		state syn-recv
		state syn-sent
		state fin-wait-1
		state close-wait
		exclude listening
		state established state listening
		sport = :5001
		sport = 5001
		sport eq :5001
		sport != :5001
		sport > :5003
		sport ge :5003
		sport lt :5003
		dport <= :7000
		dst 127.0.0.2
		dst = 127.0.0.2
		dst 127.0.0.0/29
		dst 127.0.0.2:7000
		src 127.0.0.2:*
		src [::1]
		dst [::1]:7001
		src 127.0.0.1 dport = :7001
		( sport = :5001 or sport = :5002 )
		sport = :5001 or ( sport = :5002 and dst 127.0.0.3 )
		not dst 127.0.0.2
		! ( dst 127.0.0.2 || dst 127.0.0.3 ) && sport > :5000
	END
	nothing=1
	alike state last-ack
	alike dst 192.0.2.1
}

# who is nobody sees the same of others, and closes nothing
as_nobody() {
	up
	cp haulss "$scratch"
	chmod -R a+rx "$scratch"
	for program in ss "$scratch/haulss"; do
		ip netns exec "$host" setpriv --reuid 65534 --regid 65534 --clear-groups "$program" -H -t -a -n -p -e | awk '
			/users:/ { users++ } /fwmark:/ { marks++ } / uid:/ { uids++ } END { print NR, users + 0, marks + 0, uids + 0 }'
	done >"$scratch/seen"
	cat "$scratch/seen"
	[ "$(sort -u "$scratch/seen" | wc -l)" = 1 ]
	ip netns exec "$host" haulss -Han | sort >"$scratch/before"
	for program in ss "$scratch/haulss"; do
		ip netns exec "$host" setpriv --reuid 65534 --regid 65534 --clear-groups "$program" -H -t -n -K dst 127.0.0.2 || true
	done
	ip netns exec "$host" haulss -Han | sort | diff "$scratch/before" -
}

# told PROGRAM: of connections that a program held; what TCP says of a listener that died, and of a connection that it did not
# hand out, is chance
told() { grep -v -e ':\*' -e '127.0.0.2:7000 *127.0.0.1:5010' "$scratch/events.$1"; }

all_told() { [ "$(told "$1" | wc -l)" = 14 ]; }

# both close the same, tell of the same, and the programs of both find out in the same way
kills() {
	up
	view=(-H -t -n)
	ip netns exec "$host" haulss -H -E -n >"$scratch/events.haulss" 2>&1 &
	ip netns exec "$host" stdbuf -oL ss -H -E -n -t >"$scratch/events.ss" 2>&1 &
	wait_for listens 16
	wait_for listens 4
	alike -K dst 127.0.0.2 dport = :7000
	alike -a
	alike -K state listening sport = :7004
	alike -a
	# a socket that is closed for a program lives until that lets it go
	kill "${programs[@]}"
	for program in ss haulss; do
		wait_for all_told $program
		told $program | normal $program >"$scratch/$program"
	done
	diff -u "$scratch/ss" "$scratch/haulss"
}

run_cases columns filters as_nobody kills
