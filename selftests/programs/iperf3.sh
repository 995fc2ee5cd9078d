#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# iperf3, which asks for much of what a socket can tell: one way, back, both at once, several at once, datagrams.
. ./programs/lib.sh

server_up() {
	programs_up
	far_serves iperf3 -s -1
	listens "$far" 5201
}

# measure OPTION...: the client's report
measure() { near_runs iperf3 -J "$@" >"$work/report"; }

# arrived BYTES STREAM-COUNT DIRECTION...: the report says so of each direction, and how the sender fared. iperf3 stops
# when it has written as much as it was told to, whatever is still on its way
arrived() {
	/usr/bin/python3 - "$work/report" "$@" <<-'END'
		import json, sys
		report = json.load(open(sys.argv[1]))
		wanted, streams, directions = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
		assert "error" not in report, report["error"]
		end = report["end"]
		assert len(end["streams"]) == streams, len(end["streams"])
		for direction in directions:
		    got = end["sum_received" + direction]["bytes"]
		    assert got >= wanted, (direction, got)
		for stream in end["streams"]:
		    sender = stream["sender"]
		    if sender["sender"]:
		        assert sender["max_snd_cwnd"] > 0 and sender["max_rtt"] > 0, sender
	END
}

one_way() {
	server_up
	measure -c "$far4" -n 8M
	arrived 1000000 1 ""
	# one for the data, one to talk about it
	carried 2
}

one_way_over_ipv6() {
	server_up
	measure -c "$far6" -n 8M
	arrived 1000000 1 ""
	carried 2
}

from_the_server() {
	server_up
	measure -c "$far4" -n 8M -R
	arrived 1000000 1 ""
	carried 2
}

both_at_once() {
	server_up
	measure -c "$far4" -t 1 --bidir
	arrived 100000 2 "" _bidir_reverse
	carried 3
}

several() {
	server_up
	measure -c "$far4" -t 1 -P 8 -M 1000 -N
	arrived 100000 8 ""
	carried 9
}

datagrams() {
	needs_datagrams
	server_up
	# iperf3 does not send its first datagram again
	link_set delay 1ms
	measure -c "$far4" -u -b 4M -l 1200 -n 600000
	/usr/bin/python3 - "$work/report" <<-'END'
		import json, sys
		total = json.load(open(sys.argv[1]))["end"]["sum"]
		# a server that gets no processor for a while loses what its buffer does not hold
		assert total["packets"] >= 450 and total["lost_packets"] < 250, total
	END
	carried 1
	carried_datagrams
	[ "$(counter "$far" DgramIn)" -gt 250 ]
}

run_cases one_way one_way_over_ipv6 from_the_server both_at_once several datagrams
