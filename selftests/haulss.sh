#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# haulss: what it shows, to whom, its filters, JSON, datagram sockets, closing and following sockets.

. ./lib.sh

PATH=$PWD:$PATH

# fails COMMAND...: it must; `!` would say nothing to set -e
fails() {
	if "$@"; then
		echo "# did not fail: $*"
		return 1
	fi
}

# a namespace, $host, and a directory, $scratch, that are gone at the end of the case with all that it started
begin() {
	setup_ns host
	scratch=$(mktemp -d)
	trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$scratch"; cleanup_all_ns' EXIT
}

# A namespace with a program that calls itself by an odd name and holds, on loopback, two listeners, three connections
# over IPv4 and two over IPv6, each with 1000 bytes that the server has not read.
up() {
	begin
	ip netns exec "$host" python3 -c '
import socket, sys, time
held = []
for family, address, num in (socket.AF_INET, "127.0.0.2", 3), (socket.AF_INET6, "::1", 2):
    s = socket.socket(family, socket.SOCK_STREAM, 253)
    s.bind((address, 7000))
    s.listen()
    held.append(s)
    for i in range(num):
        c = socket.socket(family, socket.SOCK_STREAM, 253)
        c.connect((address, 7000))
        c.send(b"x" * 1000)
        held += [c, s.accept()[0]]
open("/proc/self/comm", "w").write("a\"b\\\x1b[1m")
print("ready", flush=True)
time.sleep(1000)' >"$scratch/ready" &
	holder=$!
	wait_for grep -q ready "$scratch/ready"
}

# lines WORDS...: how many sockets haulss lists
lines() {
	haulss -N "$host" -H "$@" | wc -l
}

# has PATTERN: is it in what comes in? All of it is read, so that who writes is not ended by SIGPIPE
has() {
	[ "$(grep -c -- "$1")" != 0 ]
}

# all OPTIONS: haulss in that namespace
all() {
	haulss -N "$host" -H "$@"
}

lists_and_filters() {
	up
	[ "$(lines)" = 10 ]
	[ "$(lines -a)" = 12 ]
	[ "$(lines -l)" = 2 ]
	[ "$(lines state listening)" = 2 ]
	[ "$(lines exclude listening)" = 10 ]
	[ "$(lines state time-wait)" = 0 ]
	[ "$(lines -a -6)" = 5 ]
	[ "$(lines -a -4)" = 7 ]
	[ "$(lines -t)" = 10 ]
	[ "$(lines -x)" = 0 ]
	[ "$(lines dport = :7000)" = 5 ]
	[ "$(lines 'dport != :7000')" = 5 ]
	[ "$(lines 'sport <= 7000')" = 5 ]
	[ "$(lines 'sport < 7000')" = 0 ]
	[ "$(lines dst 127.0.0.0/8)" = 6 ]
	[ "$(lines dst 127.0.0.2)" = 3 ]
	[ "$(lines dst 127.0.0.2:7000)" = 3 ]
	[ "$(lines dst 127.0.0.2:7001)" = 0 ]
	[ "$(lines dst '[::1]:7000')" = 2 ]
	[ "$(lines src ::/64)" = 4 ]
	[ "$(lines 'dst != 127.0.0.2')" = 7 ]
	[ "$(lines 'not dst 127.0.0.2')" = 7 ]
	[ "$(lines '( dst 127.0.0.2 or dst [::1] ) and dport = :7000')" = 5 ]
	[ "$(lines 'dst 127.0.0.2 or dst [::1] and dport = :7000')" = 5 ]
	[ "$(lines 'dst 127.0.0.2 src 127.0.0.1')" = 3 ]
	[ "$(lines 'dst 127.0.0.2 and dst [::1]')" = 0 ]
	[ "$(lines state established dst 127.0.0.2)" = 3 ]
	fails haulss 'dst 192.0.2.2 or' 2>/dev/null
	fails haulss '(dst 192.0.2.2' 2>/dev/null
	fails haulss 'dst 192.0.2.2/33' 2>/dev/null
	fails haulss 'sport = :65536' 2>/dev/null
	fails haulss nonsense 2>/dev/null
	fails haulss state nonsense 2>/dev/null
	fails haulss --nonsense 2>/dev/null
	fails haulss -N no-such-namespace 2>/dev/null
}

shows_what_there_is() {
	up
	haulss -N "$host" -n dst 127.0.0.2 | awk '
		NR == 1 { if ($1 != "Netid" || $2 != "State" || $3 != "Recv-Q") exit 1 }
		NR > 1 { if ($1 != "stream" || $2 != "ESTAB" || $3 != 0 || $6 != "127.0.0.2:7000") exit 1 }
		END { exit NR != 4 }'
	[ "$(all -n src 127.0.0.2 | awk '$3 == 1000' | wc -l)" = 3 ]
	all -nl | has 'LISTEN  *0  *[0-9]*  *127.0.0.2:7000  *0.0.0.0:\*'
	all -ne | has ' ino:[1-9][0-9]* sk:[0-9a-f][0-9a-f]* .*<->'
	all -nm | has 'skmem:(r0,rb[1-9]'
	all -ni dst 127.0.0.2 | has 'cubic .*rtt:[0-9.]*/[0-9.]* .*cwnd:.* bytes_sent:1000 .*bytes_acked:1000 '
	[ "$(all -aniemop -O | wc -l)" = 12 ]
	all -s | has 'estab 10,'
	haulss --version | has '^haulss '
	haulss --help | has '^Usage'
	# a program may call itself anything, and the output stays what it is
	all -np dport = :7000 | has 'users:(("a?b\\?\[1m",pid=[0-9]*,fd=[0-9]*))'
	for options in -aneomip -l -s; do
		all -j $options | python3 -m json.tool >/dev/null
	done
	all -jeip dst 127.0.0.2 | python3 -c '
import json, sys
all = json.load(sys.stdin)
assert len(all) == 3
for s in all:
    assert s["state"] == "ESTAB" and s["peer"] == {"address": "127.0.0.2", "port": 7000}, s
    assert s["info"]["bytes_acked"] == 1000 and s["info"]["congestion"] == "cubic", s
    assert s["users"][0]["name"] == "a\"b\\\x1b[1m", s
    assert int(s["cookie"], 16) > 0'
}

# datagram sockets: with a peer, with a port only, for one address family or both; and one that has no port
datagrams() {
	begin
	ip netns exec "$host" python3 -c '
import socket, time
def dgram(family):
    return socket.socket(family, socket.SOCK_DGRAM, 253)
waits, both, sends, none = dgram(socket.AF_INET), dgram(socket.AF_INET6), dgram(socket.AF_INET), dgram(socket.AF_INET6)
waits.bind(("127.0.0.2", 53))
both.bind(("::", 54))
sends.connect(("127.0.0.2", 53))
for i in range(2):
    sends.send(b"x" * 1000)
print("ready", flush=True)
time.sleep(1000)' >"$scratch/ready" &
	wait_for grep -q ready "$scratch/ready"
	[ "$(lines)" = 1 ]
	[ "$(lines -u)" = 1 ]
	[ "$(lines -t)" = 0 ]
	[ "$(lines -tu)" = 1 ]
	[ "$(lines -l)" = 2 ]
	[ "$(lines -ul)" = 2 ]
	[ "$(lines -xl)" = 0 ]
	[ "$(lines -ua)" = 3 ]
	[ "$(lines -ua -6)" = 1 ]
	[ "$(lines -ua state closed sport = :54)" = 1 ]
	[ "$(lines -u dst 127.0.0.2:53)" = 1 ]
	all -un | has '^dgram  *ESTAB  *0  *0  *127.0.0.1:[0-9]*  *127.0.0.2:53'
	all -uln | awk '$5 == "127.0.0.2:53" && $2 == "UNCONN" && $3 > 2000 && $6 == "0.0.0.0:*" { ok = 1 } END { exit !ok }'
	all -uln | has ' \*:54  *\*:\*'
	all -ul | has '127.0.0.2:domain'
	all -ulne sport = :54 | has 'ino:[1-9][0-9]* .* v6only:0'
	all -ulm sport = :53 | has 'skmem:(r[1-9]'
	all -ulp sport = :53 | has 'users:(("python3"'
	all -s -u | has 'Total: 3'
	all -s | has '^dgram  *3  *2  *1 '
	all -juani | python3 -c '
import json, sys
all = json.load(sys.stdin)
assert len(all) == 3 and {s["netid"] for s in all} == {"dgram"}, all
assert sorted(s["local"]["port"] for s in all)[:2] == [53, 54], all
assert not any("info" in s for s in all), all'
	[ "$(lines -uK)" = 1 ]
	[ "$(lines -ua)" = 2 ]
}

# who is nobody sees sockets, not whose programs they are, and closes none; root closes, and sees them go
closes_and_follows() {
	up
	cp haulss "$scratch"
	chmod -R a+rx "$scratch"
	as_nobody() {
		ip netns exec "$host" setpriv --reuid 65534 --regid 65534 --clear-groups "$scratch/haulss" "$@"
	}
	[ "$(as_nobody -Hni | grep -c bytes_sent:1000)" = 5 ]
	as_nobody -Hnp >"$scratch/theirs"
	grep -q 127.0.0.2:7000 "$scratch/theirs"
	fails grep users: "$scratch/theirs"
	fails as_nobody -HnK 2>"$scratch/errors"
	grep -q 'not permitted' "$scratch/errors"
	[ "$(lines)" = 10 ]

	ip netns exec "$host" haulss -En >"$scratch/events" &
	wait_for sh -c "ip netns exec $host awk '\$2 == 16 && \$4 != \"00000000\"' /proc/net/netlink | grep -q ."
	[ "$(lines -nK dst 127.0.0.2)" = 3 ]
	# each took its peer with it
	wait_for sh -c "[ \$(haulss -N $host -H -4 | wc -l) = 0 ]"
	[ "$(lines -6)" = 4 ]
	# they are there as long as their program holds them
	kill "$holder"
	wait_for grep -q '127.0.0.2:7000' "$scratch/events"
}

# says STATE PATTERN: the one socket in that state, with -e
says() {
	all -ne state "$1" | has "$2" || { echo "# $1: $(all -ne state "$1")"; return 1; }
}

# which directions are open, in ss's signs, and the timer, where -e is given
extended_as_ss() {
	begin
	ip netns exec "$host" python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
s.bind(("127.0.0.2", 7000))
s.listen()
def pair():
    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
    c.connect(("127.0.0.2", 7000))
    return c, s.accept()[0]
both = pair()
for end in both:
    end.close()
c, held = pair()
c.close()
established = pair()
established[0].setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
print("ready", flush=True)
time.sleep(1000)' >"$scratch/ready" &
	wait_for grep -q ready "$scratch/ready"
	says listening ' <->$'
	says time-wait ' sk:[0-9a-f]*$'
	says fin-wait-2 'timer:(.* ---$'
	says close-wait ' -->$'
	says established 'timer:(keepalive,.* <->$'
}

run_cases lists_and_filters extended_as_ss shows_what_there_is datagrams closes_and_follows
