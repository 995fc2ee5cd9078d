#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# haulrun itself: which sockets it takes and which it leaves, what goes along when the choice is put off, whom it refuses.
. ./programs/lib.sh

# probe NS [OPTION...]: runs what comes on standard input as a Python program; kind(s) tells what a socket really is
probe() {
	{
		cat <<-'END'
			import ctypes, select, socket, sys
			libc = ctypes.CDLL(None, use_errno=True)
			def kind(s):
			    # past the library, as the kernel sees it
			    value, size = ctypes.c_int(), ctypes.c_uint(4)
			    libc.syscall(55, s.fileno(), socket.SOL_SOCKET, socket.SO_PROTOCOL, ctypes.byref(value), ctypes.byref(size))
			    return {253: "haul", 6: "tcp", 17: "udp"}.get(value.value, value.value)
			def listener(port, host="127.0.0.1", family=socket.AF_INET):
			    s = socket.socket(family)
			    s.bind((host, port))
			    s.listen()
			    return s
			def is_now(s, wanted):
			    assert kind(s) == wanted, "%s, not %s" % (kind(s), wanted)
		END
		cat
	} >"$work/probe.py"
	ip netns exec "$1" "$haulrun" "${@:2}" /usr/bin/python3 "$work/probe.py"
}

takes_streams() {
	program_alone
	probe "$near" <<-'END'
		for family in socket.AF_INET, socket.AF_INET6:
		    for protocol in 0, socket.IPPROTO_TCP:
		        s = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, protocol)
		        is_now(s, "haul")
		        assert not s.getblocking() and not s.get_inheritable()
		        # who asks is told what it asked for
		        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == socket.IPPROTO_TCP
		        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) == family
		        assert s.family == family
	END
}

leaves_the_rest() {
	program_alone
	probe "$near" <<-'END'
		is_now(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "udp")
		assert kind(socket.socket(socket.AF_UNIX)) == 0
		assert kind(socket.socket(socket.AF_INET, socket.SOCK_RAW, 99)) == 99
		a, b = socket.socketpair()
		assert kind(a) == 0
		try:
		    socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_UDP)
		    assert False
		except OSError:
		    pass
	END
}

takes_datagrams() {
	needs_datagrams
	program_alone
	probe "$near" --dgram <<-'END'
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		is_now(s, "haul")
		assert s.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == socket.IPPROTO_UDP
		is_now(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM), "haul")
	END
}

only_listen() {
	program_alone
	probe "$near" --only-listen <<-'END'
		s = listener(7001)
		is_now(s, "haul")
		is_now(listener(0), "haul")
		six = listener(7001, "::1", socket.AF_INET6)
		is_now(six, "haul")
		c = socket.socket()
		c.bind(("127.0.0.1", 7002))
		is_now(c, "haul")
		try:
		    c.connect(("127.0.0.1", 7001))
		    assert False
		except ConnectionRefusedError:
		    pass
		is_now(c, "tcp")
		assert c.getsockname() == ("127.0.0.1", 7002)
	END
}

only_connect() {
	programs_up
	far_serves /usr/bin/python3 -m http.server 8000
	listens "$far" 8000
	probe "$near" --only-connect <<-'END'
		is_now(listener(7001), "tcp")
		c = socket.socket()
		c.bind(("192.0.2.1", 7002))
		is_now(c, "tcp")
		c.connect(("192.0.2.2", 8000))
		is_now(c, "haul")
		assert c.getsockname() == ("192.0.2.1", 7002)
		assert c.getpeername() == ("192.0.2.2", 8000)
		c.sendall(b"GET / HTTP/1.0\r\n\r\n")
		assert c.recv(100).startswith(b"HTTP/1.0 200")
	END
	[ "$(counter "$near" ActiveOpens)" = 1 ]
}

ports() {
	program_alone
	probe "$near" --ports 80,7001-7003 --not-ports 7002 <<-'END'
		servers = []
		for port, wanted in (80, "haul"), (7000, "tcp"), (7001, "haul"), (7002, "tcp"), (7003, "haul"), (7004, "tcp"):
		    servers.append(listener(port))
		    is_now(servers[-1], wanted)
		    c = socket.create_connection(("127.0.0.1", port))
		    is_now(c, wanted)
		    c.close()
		# one whose first attempt was for another port
		c = socket.socket()
		try:
		    c.connect(("127.0.0.1", 9))
		except ConnectionRefusedError:
		    pass
		is_now(c, "tcp")
		c.connect(("127.0.0.1", 7001))
		is_now(c, "haul")
	END
	probe "$near" --not-ports 7002 <<-'END'
		is_now(listener(7001), "haul")
		is_now(listener(7002), "tcp")
	END
}

# what a program had set before the choice was made
goes_along() {
	program_alone
	probe "$near" --ports 7001 <<-'END'
		server = listener(7001)
		plain = socket.socket()
		plain_haul = socket.socket()
		plain_haul.connect(("127.0.0.1", 7001))
		s = socket.socket()
		s.setblocking(False)
		s.set_inheritable(True)
		options = [(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
		           (socket.SOL_SOCKET, socket.SO_PRIORITY, 3), (socket.SOL_SOCKET, socket.SO_MARK, 9),
		           (socket.IPPROTO_IP, socket.IP_TTL, 33), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
		           (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77), (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 5000),
		           (socket.IPPROTO_TCP, 27, 1)]
		for level, name, value in options:
		    s.setsockopt(level, name, value)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 50000)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
		poll = select.epoll()
		poll.register(s.fileno(), select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
		is_now(s, "tcp")
		assert s.connect_ex(("127.0.0.1", 7001)) == 115
		is_now(s, "haul")
		for level, name, value in options:
		    assert s.getsockopt(level, name) == value, (level, name)
		assert s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 100000
		assert s.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"
		assert not s.getblocking() and s.get_inheritable()
		# a default is the new protocol's own
		assert s.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == plain_haul.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
		# the epoll has not forgotten
		events = poll.poll(10)
		assert events and events[0][0] == s.fileno() and events[0][1] & select.EPOLLOUT, events
	END
}

# a socket that is used is not touched by what looks like a choice
leaves_connected_sockets() {
	program_alone
	probe "$near" --ports 7001 <<-'END'
		server = listener(7000)
		c = socket.create_connection(("127.0.0.1", 7000))
		a, peer = server.accept()
		for s in c, a, server:
		    try:
		        s.connect(("127.0.0.1", 7001))
		        assert False
		    except OSError as error:
		        assert error.errno == 106, error
		    is_now(s, "tcp")
		c.sendall(b"still")
		assert a.recv(10) == b"still"
	END
}

children_inherit() {
	program_alone
	[ "$(in_near "$haulrun" sh -c "exec /usr/bin/python3 -c 'import os, subprocess, sys
subprocess.run([sys.executable, \"-c\", \"import socket; s = socket.socket(); s.bind((\\\"\\\", 7001)); s.listen(); print(open(\\\"/proc/net/haul/sockets\\\").read())\"])'" |
		grep -c LISTEN)" = 1 ]
}

keeps_other_preloads() {
	program_alone
	cat >"$work/other.c" <<-'END'
		#include <stdio.h>
		__attribute__((constructor)) static void hello(void) { puts("other"); fflush(stdout); }
	END
	gcc -shared -fPIC -o "$work/other.so" "$work/other.c"
	LD_PRELOAD=$work/other.so in_near "$haulrun" sh -c 'echo "$LD_PRELOAD"' >"$work/out"
	grep -qx other "$work/out"
	grep -qx "$work/other.so:$haulrun" <(sed 's/haulrun.so$/haulrun/' "$work/out")
	# and one in another is one; the tests' runner may preload something of its own (stdbuf)
	[ "$(LD_PRELOAD='' in_near "$haulrun" "$haulrun" sh -c 'echo "$LD_PRELOAD"')" = "${haulrun%/*}/haulrun.so" ]
}

traces() {
	program_alone
	in_near "$haulrun" --trace /usr/bin/python3 -c 'import socket; socket.socket()' 2>"$work/trace"
	grep -qE '^haulrun\[[0-9]+\]: socket\(AF_INET, SOCK_STREAM\) = [0-9]+: Haul$' "$work/trace"
	in_near "$haulrun" "--trace=$work/file" --ports 80 /usr/bin/python3 -c '
import socket
socket.socket().bind(("", 80))' 2>"$work/trace"
	grep -qE '^haulrun\[[0-9]+\]: fd [0-9]+: at port 80: Haul$' "$work/file"
	[ ! -s "$work/trace" ]
}

# refused COMMAND...: haulrun says why, and what to do instead
refused() {
	local rc=0

	in_near "$haulrun" "$@" 2>"$work/refusal" || rc=$?
	[ $rc = 126 ]
	grep -q '^Instead: ' "$work/refusal"
}

refuses_what_it_cannot_reach() {
	program_alone
	echo 'int main(void) { return 0; }' >"$work/main.c"
	gcc -static -o "$work/static" "$work/main.c"
	refused "$work/static"
	grep -q 'statically linked' "$work/refusal"
	printf '#!%s -x\n' "$work/static" >"$work/script"
	chmod +x "$work/script"
	refused "$work/script"
	grep -q 'statically linked' "$work/refusal"
	# what Go's linker leaves in a program
	cat >"$work/go.s" <<-'END'
		.section .note.go.buildid, "a", @note
		.align 4
		.long 4, 8, 4
		.asciz "Go\0"
		.ascii "abcdefgh"
		.section .note.GNU-stack, "", @progbits
	END
	gcc -o "$work/go" "$work/main.c" "$work/go.s"
	refused "$work/go"
	grep -q 'written in Go' "$work/refusal"
	gcc -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 -o "$work/musl" "$work/main.c"
	refused "$work/musl"
	grep -q 'another dynamic loader' "$work/refusal"
	gcc -o "$work/privileged" "$work/main.c"
	chown 1:1 "$work/privileged"
	chmod 4755 "$work/privileged"
	refused "$work/privileged"
	grep -q 'gains privileges' "$work/refusal"
	# the same program without the bit
	chmod 755 "$work/privileged"
	in_near "$haulrun" "$work/privileged"
}

# exits STATUS COMMAND...
exits() {
	local rc=0

	in_near "$haulrun" "${@:2}" >"$work/out" 2>&1 || rc=$?
	[ $rc = "$1" ] || { echo "# ${*:2}: $rc, not $1"; return 1; }
}

exit_status() {
	program_alone
	exits 0 true
	exits 7 sh -c 'exit 7'
	exits 127 no-such-program
	exits 127 "$work/none"
	exits 126 "$work"
	exits 126 /etc/passwd
	exits 125
	exits 125 --no-such-option true
	exits 125 --only-listen --only-connect true
	local list
	for list in 0 65536 80- -80 81-80 80,,81 '80,' http ''; do
		exits 125 --ports "$list" true
	done
	exits 125 "--trace=$work/none/file" true
	exits 0 --help
	grep -q '^Usage: haulrun' "$work/out"
	# the program's own options are not haulrun's
	exits 0 sh -c true --no-such-option
}

# inside the kernel: what no library can be put into, and nobody else
by_bpf() {
	grep -qa update_socket_protocol /sys/kernel/btf/vmlinux 2>/dev/null || return 4
	program_alone
	local groups=$work/groups
	mkdir "$groups"
	mount -t cgroup2 none "$groups"
	cat >"$work/which.c" <<-'END'
		#include <arpa/inet.h>
		#include <stdio.h>
		#include <sys/socket.h>
		static void say(int family, int type, int protocol)
		{
			int fd = socket(family, type, protocol), value = -1;
			socklen_t len = sizeof(value);
			getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &len);
			printf("%d ", value);
		}
		int main(void)
		{
			say(AF_INET, SOCK_STREAM, 0);
			say(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
			say(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
			say(AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
			say(AF_INET, SOCK_RAW, 99);
			say(AF_INET, SOCK_STREAM, IPPROTO_UDP);
			say(AF_UNIX, SOCK_STREAM, 0);
			puts("");
			return 0;
		}
	END
	gcc -static -o "$work/which" "$work/which.c"
	[ "$(in_near "$haulrun" --bpf "$work/which")" = "253 253 17 17 99 -1 0 " ]
	[ "$(in_near "$haulrun" --bpf --dgram "$work/which")" = "253 253 253 253 99 -1 0 " ]
	# its children, and nobody beside them
	in_near "$haulrun" --bpf sh -c "$work/which; echo \$\$ >$work/pid; exec sleep 1000" >"$work/inside" &
	wait_for test -s "$work/pid"
	grep -q '^253 253 17' "$work/inside"
	[ "$(in_near "$work/which")" = "6 6 17 17 99 -1 0 " ]
	[ "$(find "$groups" -name 'haulrun-*' | wc -l)" = 1 ]
	# nothing is left when the last one has gone
	kill "$(cat "$work/pid")"
	ungrouped() { [ -z "$(find "$groups" -name 'haulrun-*')" ]; }
	wait_for ungrouped
	umount "$groups"
	exits 125 --bpf --ports 80 true
}

# a kernel that can't, says so
by_bpf_refused() {
	! grep -qa update_socket_protocol /sys/kernel/btf/vmlinux 2>/dev/null || return 4
	program_alone
	exits 125 --bpf true
	grep -q 'too old' "$work/out"
}

# where the kernel keeps the option to itself, Haul's own is asked for; a program does not see the difference
zero_copy() {
	program_alone
	probe "$near" --dgram <<-'END'
		SO_ZEROCOPY = 60
		for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
		    s = socket.socket(socket.AF_INET, kind)
		    s.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
		    assert s.getsockopt(socket.SOL_SOCKET, SO_ZEROCOPY) == 1
		    s.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 0)
		    assert s.getsockopt(socket.SOL_SOCKET, SO_ZEROCOPY) == 0
		    try:
		        s.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 2)
		        assert False
		    except OSError as error:
		        assert error.errno == 22, error
	END
}

# Haul has none: it goes as the rest does, as to a peer that has it inline. Of a datagram it is refused, as of UDP's
urgent_data() {
	program_alone
	probe "$near" --dgram <<-'END'
		listener = socket.create_server(("127.0.0.1", 7001))
		c = socket.create_connection(("127.0.0.1", 7001))
		s = listener.accept()[0]
		s.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
		c.sendall(b"one ")
		assert c.send(b"two ", socket.MSG_OOB) == 4
		assert c.sendmsg([b"three ", b"four "], [], socket.MSG_OOB) == 11
		c.sendall(b"five")
		c.close()
		assert s.makefile("rb").read() == b"one two three four five"
		d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		try:
		    d.sendto(b"x", socket.MSG_OOB, ("127.0.0.1", 7001))
		    assert False
		except OSError as error:
		    assert error.errno == 95, error
	END
}

# a kernel without Haul, to this program: a protocol number that the module does not have
without_the_module() {
	program_alone
	local lib=${haulrun%/*}/haulrun.so
	! HAULRUN_PROTOCOL=254 LD_PRELOAD=$lib in_near /usr/bin/python3 -c 'import socket; socket.socket()' 2>/dev/null
	HAULRUN_PROTOCOL=254 HAULRUN_FLAGS=fallback LD_PRELOAD=$lib in_near /usr/bin/python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 7001))
c = socket.create_connection(("127.0.0.1", 7001))'
	[ "$(kernel_counter "$near" Tcp ActiveOpens)" = 1 ]
}

run_cases takes_streams leaves_the_rest takes_datagrams only_listen only_connect ports goes_along \
	leaves_connected_sockets children_inherit keeps_other_preloads traces refuses_what_it_cannot_reach exit_status \
	by_bpf by_bpf_refused zero_copy urgent_data without_the_module
