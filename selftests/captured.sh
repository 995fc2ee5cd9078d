#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What Wireshark's dissector finds in a capture under loss, late acknowledgments and shut windows is what the module counted.
. ./lib.sh

# captured COMMAND...: what passes near meanwhile, both ways, in the file $file; the device may go down
captured() {
	file=$(mktemp) log=$(mktemp)
	ip netns exec "$near" tcpdump -i any -U -B 16384 -w "$file" 'ip proto 253' 2>"$log" &
	local tcpdump=$!
	wait_for grep -q 'listening on' "$log"
	"$@"
	# what is still in its ring tcpdump would leave there
	wait_for caught
	kill -INT "$tcpdump"
	wait "$tcpdump"
	grep -q '^0 packets dropped by kernel' "$log"
}

# is each packet in the file that near has counted?
caught() {
	[ "$(tcpdump -r "$file" 2>/dev/null | wc -l)" -ge $(($(counter "$near" OutSegs) + $(counter "$near" InSegs))) ]
}

# same NAME NUMBER COUNTED: both are the same, and something has happened
same() {
	echo "# $1: $2 in the capture, $3 counted"
	[ "$2" -gt 0 ]
	[ "$2" = "$3" ]
}

# what near has sent again; of some of it the acknowledgment came before the copy had left
sent_again() {
	echo $(($(how_many haul.analysis.retransmission "" "$near4") + $(how_many haul.analysis.spurious_retransmission "" "$near4")))
}

# rule RULE...: far's nft does it to Haul's packets, behind where near captures them
rule() {
	ip netns exec "$far" nft -f - <<-END
		table ip haul {
			chain filter {
				type filter hook prerouting priority raw;
				ip protocol 253 $*
			}
		}
	END
}

loss_agrees_with_the_counters() {
	need_tshark
	hosts_up delay 5ms
	small_packets
	rule meta length '>' 1000 numgen inc mod 23 == 15 drop
	captured transfer 400000
	read_all "$file"
	same packets "$(how_many ip.src "" "$near4")" "$(counter "$near" OutSegs)"
	same answers "$(how_many ip.src "" "$far4")" "$(counter "$near" InSegs)"
	same retransmissions "$(sent_again)" "$(counter "$near" RetransSegs)"
	# each is for a segment out of order; an ACK with payload or another window is no duplicate (RFC 5681 2)
	local duplicates
	duplicates=$(how_many haul.analysis.duplicate_ack "" "$far4")
	echo "# duplicate ACKs: $duplicates in the capture, $(counter "$far" OooQueued) segments out of order"
	[ "$duplicates" -gt 0 ]
	[ "$duplicates" -le "$(counter "$far" OooQueued)" ]
}

# a round trip that grows beyond the timeout, at once, while most is still to be sent: what was not lost is sent again
spurious_agrees_with_the_counters() {
	need_tshark
	hosts_up delay 5ms rate 2mbit
	small_packets
	captured takes late
	read_all "$file"
	same retransmissions "$(sent_again)" "$(counter "$near" RetransSegs)"
	same D-SACKs "$(how_many haul.analysis.dsack "" "$far4")" "$(counter "$near" DsacksRecv)"
}

# takes COMMAND...: a program at far takes all that COMMAND sends to it, and then goes
takes() {
	in_far python3 -c 'if True:
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
		s.bind(("", '"$port"')); s.listen(); print("listening", flush=True)
		c, _ = s.accept()
		while c.recv(1 << 20): pass' >"$log.far" &
	local server=$!
	wait_for grep -q listening "$log.far"
	"$@"
	wait "$server"
}

# a transfer whose way back becomes slow in its midst
late() {
	in_near python3 -c 'if True:
		import fcntl, socket, struct, subprocess, termios
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
		s.connect(("'"$far4"'", '"$port"')); s.sendall(bytes(200000))
		while struct.unpack("i", fcntl.ioctl(s, termios.TIOCOUTQ, bytes(4)))[0]: pass
		subprocess.run("tc -n '"$far"' qdisc replace dev far0 root netem delay 4s".split(), check=True)
		s.sendall(bytes(200000)); s.shutdown(socket.SHUT_WR); s.recv(1)'
}

# a program that does not read for a while
stalled() {
	in_far python3 -c 'if True:
		import socket, time
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20000)
		s.bind(("", '"$port"')); s.listen(); print("listening", flush=True)
		c, _ = s.accept(); time.sleep(3)
		while c.recv(1 << 20): pass' >"$log.far" &
	local server=$!
	wait_for grep -q listening "$log.far"
	in_near python3 -c 'if True:
		import socket
		s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 253)
		s.connect(("'"$far4"'", '"$port"')); s.sendall(bytes(100000)); s.shutdown(socket.SHUT_WR); s.recv(1)'
	wait "$server"
}

shut_windows_agree_with_the_counters() {
	need_tshark
	hosts_up delay 5ms
	small_packets
	captured stalled
	read_all "$file"
	same probes "$(how_many haul.analysis.zero_window_probe "" "$near4")" "$(counter "$near" PersistProbes)"
	[ "$(how_many haul.analysis.zero_window "" "$far4")" -gt 0 ]
}

run_cases loss_agrees_with_the_counters spurious_agrees_with_the_counters shut_windows_agree_with_the_counters
