#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Wireshark's dissector (tools/wireshark/haul.lua) over the test vectors of protocol.rst, each of which it takes or refuses
# for the right reason, and over the captures of Documentation/captures: every checksum is right, HTTP shows as HTTP.
. ./lib.sh

# vectors: each block of vectors.txt as a packet of a capture; prints a line "NAME REASON" for each
vectors() {
	python3 - "$tree/selftests/core/vectors.txt" "$file" <<'END'
import struct, sys
packets, block = [], None
for line in open(sys.argv[1]):
    words = line.split()
    if line.startswith(("packet ", "malformed ")):
        block = [words[1], b"", "right" if words[0] == "packet" else ""]
    elif block and words and words[0] == "hex":
        block[1] += bytes.fromhex("".join(words[1:]))
    elif block and words and words[0] == "error":
        block[2] = words[1]
    elif block and line.startswith("end"):
        packets.append(block)
with open(sys.argv[2], "wb") as out:
    out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
    for at, (name, data, why) in enumerate(packets):
        print(name, why)
        # addresses of its own for each: no block is part of another's connection
        ip = struct.pack("!BBHHHBBHIHH", 0x45, 0, 20 + len(data), 0, 0, 64, 253, 0, 0xc0000201, 0xc633, at + 1)
        out.write(struct.pack("<IIII", at, 0, 20 + len(data), 20 + len(data)) + ip + data)
END
}

vectors_dissect() {
	need_tshark
	file=$(mktemp)
	local want got
	want=$(vectors | grep -v '^empty ')
	got=$(dissect "$file" -Y 'ip and not ip.len == 20' -T fields -E separator=/s -e haul.malformed -e haul.checksum.status)
	# a right one: checksum 1 and no word; a wrong one: its word, but a wrong checksum has only that
	paste -d' ' <(cut -d' ' -f2 <<<"$want") <(echo "$got") | while read -r why said sum; do
		case $why in
		right) [ "$said $sum" = "1 " ] ;;
		checksum) [ "$said $sum" = "0 " ] ;;
		*) [ "$said" = "$why" ] ;;
		esac || { echo "# $why: said \"$said $sum\""; exit 1; }
	done
}

# the captures of Documentation/captures, one behind the other, show what they are there for
shown_captures() {
	need_tshark
	command -v mergecap >/dev/null || return 4
	local captures=$tree/Documentation/captures
	[ -d "$captures" ] || return 4
	file=$(mktemp)
	mergecap -a -F pcap -w "$file" "$captures"/*.pcap
	read_all "$file"
	[ "$(how_many haul.checksum.status 0)" = 0 ]
	[ "$(how_many haul.flags.stateless 1)" = 1 ]
	[ "$(how_many haul.connection.simultaneous)" -ge 1 ]
	[ "$(how_many haul.connection.fin)" -ge 10 ]
	[ "$(how_many haul.analysis.retransmission)" -ge 2 ]
	[ "$(how_many haul.sack.count)" -ge 2 ]
	[ "$(how_many haul.analysis.zero_window)" -ge 1 ]
	[ "$(how_many haul.connection.rst)" -ge 2 ]
	[ "$(how_many haul.init.mss)" -ge 20 ]
	[ "$(how_many haul.analysis.ce)" -ge 1 ]
	[ "$(how_many icmp.type 3)" -ge 1 ]
	[ "$(how_many http.request)" = 2 ]
	[ "$(how_many http.response.code 200)" = 2 ]
}

run_cases vectors_dissect shown_captures
