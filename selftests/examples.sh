#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The programs of Documentation/examples and of README.md do what they say. scripts/test has compiled them, without a
# warning, into examples/, where their sources are, too.

. ./lib.sh

examples=$PWD/examples
PATH=$PWD:$PATH

# case_up: the hosts, and a directory $work, which has gone afterwards with everything that runs in the background
case_up() {
	hosts_up "$@"
	work=$(mktemp -d)
	trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$work"; cleanup_all_ns' EXIT
}

has_listener() {
	ip netns exec "$1" awk -v end=":$2" '
		$2 == "LISTEN" && substr($5, length($5) - length(end) + 1) == end { found = 1 }
		END { exit !found }' /proc/net/haul/sockets
}

# serves PORT COMMAND...: on far, in the background, until it listens
serves() {
	local port=$1

	shift
	in_far "$@" </dev/null >"$work/server.log" 2>&1 &
	wait_for has_listener "$far" "$port"
}

# none is longer than a person reads at once
lengths() {
	local file

	for file in "$examples"/*.c "$examples"/*.py; do
		[ "$(wc -l <"$file")" -lt 120 ]
	done
	[ "$(ls "$examples"/*.c "$examples"/*.py | wc -l)" = 6 ]
}

echoes() {
	local host

	case_up
	serves 7000 "$examples/echo" server
	seq 1000 >"$work/lines"
	for host in "$far4" "$far6"; do
		in_near "$examples/echo" client "$host" <"$work/lines" >"$work/back"
		cmp "$work/lines" "$work/back"
	done
	# one that says nothing keeps nobody waiting
	mkfifo "$work/silent"
	in_near "$examples/echo" client "$far4" <"$work/silent" >"$work/other" &
	exec 5>"$work/silent"
	echo hello | in_near "$examples/echo" client "$far4" | grep -x hello >/dev/null
	echo late >&5
	wait_for grep -qx late "$work/other"
	! in_near "$examples/echo" client "$far4" 7001 </dev/null 2>"$work/error" || return 1
	grep -q 'Connection refused' "$work/error"
}

serves_files() {
	local url=http://$far4:7000

	case_up
	mkdir "$work/public"
	head -c 3000000 /dev/urandom >"$work/public/large"
	: >"$work/public/empty"
	echo secret >"$work/secret"
	ln -s ../secret "$work/public/link"
	serves 7000 "$examples/files" "$work/public"
	in_near haulrun curl -sS -o "$work/large" "$url/large"
	cmp "$work/public/large" "$work/large"
	[ "$(in_near haulrun curl -sS -w '%{http_code} %{size_download}' "$url/empty")" = '200 0' ]
	[ "$(in_near haulrun curl -sS -w '%{http_code}' "$url/none")" = 404 ]
	# nothing but what is in the directory
	[ "$(in_near haulrun curl -sS --path-as-is -w '%{http_code}' "$url/../secret")" = 404 ]
	[ "$(in_near haulrun curl -sS -w '%{http_code}' "$url/link")" = 404 ]
}

epoll_serves_many() {
	case_up
	serves 7000 "$examples/epoll"
	in_near python3 - "$far4" <<-'END'
		import socket, sys
		def stream():
		    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
		    s.connect((sys.argv[1], 7000))
		    s.settimeout(60)
		    return s
		# one that sends until nothing more goes, and does not read
		rude = stream()
		rude.setblocking(False)
		sent = 0
		try:
		    while True:
		        sent += rude.send(bytes(65536))
		except BlockingIOError:
		    pass
		many = [stream() for i in range(100)]
		for round in range(3):
		    for i, s in enumerate(many):
		        s.sendall(b"%04d" % i * 1000)
		    for i, s in enumerate(many):
		        assert s.recv(4000, socket.MSG_WAITALL) == b"%04d" % i * 1000, i
		rude.settimeout(60)
		while sent:
		    sent -= len(rude.recv(min(sent, 65536)))
	END
}

messages_keep_their_ends() {
	local long

	case_up
	serves 7000 "$examples/messages" server 7000
	long=$(printf '%04000d' 7)
	in_near "$examples/messages" client "$far4" 7000 'get a' 'set a 1 2 3' 'get a' "set b $long" 'get b' nonsense >"$work/out"
	printf '%s\n' '?' '1 2 3' '1 2 3' "$long" "$long" 'not understood' | cmp - "$work/out"
	# too long a one is refused, and the next is understood
	in_near "$examples/messages" client "$far4" 7000 "set c $long$long" 'get a' >"$work/out"
	printf '%s\n' 'not understood' '1 2 3' | cmp - "$work/out"
}

# chats NS NAME GROUP DEVICE: what is written to $work/NAME.in it says, what it hears is in $work/NAME.out
chats() {
	mkfifo "$work/$2.in"
	ip netns exec "$1" "$examples/chat" "$2" "$3" 7000 "$4" <"$work/$2.in" >"$work/$2.out" &
}

# says NAME TEXT: until everybody has heard it; what is lost is lost
says() {
	echo "$2" >"$work/$1.in"
	wait_for grep -q "^[^ ]* $1: $2\$" "$work/ann.out"
	wait_for grep -q "^[^ ]* $1: $2\$" "$work/bob.out"
	wait_for grep -q "^[^ ]* $1: $2\$" "$work/cid.out"
}

chat() {
	case_up
	chats "$near" ann "$1" near0
	chats "$near" bob "$1" near0
	chats "$far" cid "$1" far0
	exec 5>"$work/ann.in" 6>"$work/bob.in" 7>"$work/cid.in"
	wait_for grep -q 'is in' "$work/ann.out"
	wait_for grep -q 'is in' "$work/bob.out"
	wait_for grep -q 'is in' "$work/cid.out"
	says ann hello
	says cid 'who is there?'
	says bob I
	grep -q "^$2 ann: hello" "$work/cid.out"
	[ "$(wc -l <"$work/cid.out")" = 4 ]
}

chat_over_ipv4() { chat 239.192.7.7 "$near4"; }
chat_over_ipv6() { chat ff15::7 "[0-9a-f:]*%*[a-z0-9]*"; }

measures_in_python() {
	case_up delay 5ms rate 5mbit
	serves 7000 python3 "$examples/speed.py" server
	in_near python3 "$examples/speed.py" client "$far4" 7000 2 >"$work/out"
	grep -q '^2000000 bytes arrived in [0-9.]* s: [0-9.]* Mbit/s$' "$work/out"
	# of a second in the middle: the window, which the controller has opened, and a round trip no shorter than the path's
	awk 'NR == 2 { if ($2 > 0 && $3 >= $2 && $4 > 0 && $5 >= 10 && $6 == "cubic") ok = 1 } END { exit !ok }' "$work/out"
	in_near python3 "$examples/speed.py" client "$far6" 7000 0.1 | grep '^100000 bytes arrived' >/dev/null
}

# both programs of README.md, as they stand there
readme() {
	case_up
	in_near "$examples/readme/server" >"$work/server.log" 2>&1 &
	wait_for has_listener "$near" 7000
	in_near "$examples/readme/client" >"$work/out"
	grep -q '^hello: round trip [1-9][0-9]* us, [1-9][0-9]* segments sent$' "$work/out"
	in_far python3 "$examples/readme/hello.py" >"$work/out"
	grep -qx "b'hello' from ::1" "$work/out"
}

run_cases lengths echoes serves_files epoll_serves_many messages_keep_their_ends chat_over_ipv4 chat_over_ipv6 \
	measures_in_python readme
