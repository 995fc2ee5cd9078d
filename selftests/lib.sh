# SPDX-License-Identifier: GPL-2.0
#
# What the shell tests share: two hosts and a cable between them, cases with namespaces of their own, counters.
# Sourced from the directory of an installed test, on top of the kernel's own net/lib.sh and ktap_helpers.sh.
#
#	#!/bin/bash
#	# SPDX-License-Identifier: GPL-2.0
#	# What is tested, in a sentence.
#	. ./lib.sh
#	some_case() { hosts_up; in_far server & wait_listen "$far" 80; in_near client; }
#	run_cases some_case other_case
#
# A case is a function, run in a subshell under `set -e`: the first failing command fails it, `return 4` skips it.

# seconds to wait for what must come: who waits in vain is found all the same, but a machine may be slow
: "${WAIT_TIMEOUT:=120}"

. ../lib.sh
. ../../kselftest/ktap_helpers.sh

# addresses of the two hosts that hosts_up makes, and the port of what runs between them
near4=192.0.2.1 far4=192.0.2.2
near6=2001:db8::1 far6=2001:db8::2
port=7253
# the source tree: tests run in a directory of it
tree=$(cd ../../../../.. && pwd)

# in_near, in_far COMMAND...: run it on that host
in_near() { ip netns exec "$near" "$@"; }
in_far() { ip netns exec "$far" "$@"; }

# hosts_up [NETEM...]: namespaces $near and $far joined by veth (near0, far0), ready for traffic over IPv4 and IPv6;
# NETEM is put on both ends once they answer each other
hosts_up() {
	local host

	near= far=
	setup_ns near far
	ip link add near0 netns "$near" type veth peer name far0 netns "$far"
	for host in near far; do
		local v4=${host}4 v6=${host}6
		ip -n "${!host}" addr add "${!v4}/24" dev ${host}0
		ip -n "${!host}" addr add "${!v6}/64" dev ${host}0 nodad
		ip -n "${!host}" link set ${host}0 up
	done
	busywait "$BUSYWAIT_TIMEOUT" in_near ping -q -c1 -W0.2 "$far4" >/dev/null
	busywait "$BUSYWAIT_TIMEOUT" in_near ping -q -c1 -W0.2 "$far6" >/dev/null
	if [ $# -gt 0 ]; then
		neighbours_stay near "$far4" "$far6"
		neighbours_stay far "$near4" "$near6"
		link_set "$@"
	fi
}

# neighbours_stay HOST ADDRESS...: what the host has found out about them it does not ask again. ARP has no checksum: over a
# link that spoils bits a wrong answer is believed, and nothing arrives until it is asked for again, which takes long
neighbours_stay() {
	local host=$1 address
	shift
	for address; do
		echo "neigh replace $address dev ${host}0 nud permanent lladdr $(ip -n "${!host}" neigh show "$address" dev ${host}0 |
			sed -n 's/.*lladdr \([0-9a-f:]*\).*/\1/p')"
	done | ip -n "${!host}" -batch -
}

# link_set NETEM...: both ends of the link get these qualities instead of the ones they had
link_set() {
	tc -n "$near" qdisc replace dev near0 root netem "$@"
	tc -n "$far" qdisc replace dev far0 root netem "$@"
}

# counter NS NAME: a counter of /proc/net/haul/snmp in that namespace
counter() {
	ip netns exec "$1" awk -v name="$2" '
		!($1 in seen) { seen[$1] = 1; for (i = 2; i <= NF; i++) at[i] = $i; next }
		{ for (i = 2; i <= NF; i++) if (at[i] == name) { print $i; found = 1 } }
		END { exit !found }' /proc/net/haul/snmp
}

# retransmissions_agree NUMBER: what was told of near's is what was counted
retransmissions_agree() {
	local counted
	counted=$(counter "$near" RetransSegs)
	echo "# told of $1, counted $counted"
	[ "$1" -gt 0 ]
	[ "$1" = "$counted" ]
}

# small packets, so that netem loses one at a time: what is cut above the device comes to the qdisc whole
small_packets() {
	local host
	for host in near far; do
		ip netns exec "${!host}" ethtool -K ${host}0 tso off gso off gro off tx-sctp-segmentation off >/dev/null
		ip -n "${!host}" link set ${host}0 gso_max_segs 1
	done
}

# wait_for COMMAND...: poll until it succeeds, for $WAIT_TIMEOUT seconds at most
wait_for() {
	slowwait "$WAIT_TIMEOUT" "$@"
}

# ended NS: no connection lives there any more, but for TIME-WAIT's remnants
ended() { ip netns exec "$1" awk 'NR > 1 && $2 != "TIME-WAIT" { exit 1 }' /proc/net/haul/sockets; }

# transfer BYTES: one connection, near to far, over IPv4. When it is over, nothing is on its way that could still be
# counted: both ends have had their last acknowledgment, and the link is down
transfer() {
	local log host
	log=$(mktemp)
	in_far ./helper_many server "$port" 1 "$1" >"$log" &
	local server=$!
	wait_for grep -q listening "$log"
	in_near timeout "$WAIT_TIMEOUT" ./helper_many client "$far4" "$port" 1 "$1"
	wait "$server"
	rm -f "$log"
	for host in "$near" "$far"; do
		wait_for ended "$host"
	done
	ip -n "$near" link set near0 down
}

# dissect FILE ARGUMENT...: tshark's output
dissect() {
	local file=$1
	shift
	tshark -X "lua_script:$tree/tools/wireshark/haul.lua" -r "$file" "$@" 2>"$errors"
	# its own faults are told there, and do not end it
	! grep -iE 'lua|error' "$errors"
}

# The fields that are counted, in one pass: starting tshark takes seconds in a virtual machine. The last may be absent.
columns=(ip.src haul.analysis.retransmission haul.analysis.spurious_retransmission haul.analysis.out_of_order
	haul.analysis.duplicate_ack haul.checksum.status haul.malformed haul.sack.count haul.stream haul.flags.stateless
	haul.connection.simultaneous haul.connection.fin haul.analysis.zero_window haul.connection.rst haul.init.mss
	haul.analysis.ce icmp.type http.request http.response.code haul.analysis.zero_window_probe haul.analysis.dsack)

# read_all FILE: a line of those for each packet, in $packets
read_all() {
	packets=$(mktemp)
	dissect "$1" -T fields -E separator='|' -E occurrence=f "${columns[@]/#/-e}" >"$packets"
}

# how_many COLUMN [VALUE [SOURCE]]: packets in which it is there, is VALUE ("": anything), and that SOURCE sent
how_many() {
	local at
	for at in "${!columns[@]}"; do
		[ "${columns[$at]}" != "$1" ] || break
	done
	awk -F'|' -v at=$((at + 1)) -v value="${2:-}" -v source="${3:-}" '
		$at != "" && (value == "" || $at == value) && (source == "" || $1 == source) { n++ }
		END { print n + 0 }' "$packets"
}

need_tshark() {
	command -v tshark >/dev/null && [ -e "$tree/tools/wireshark/haul.lua" ] || return 4
	errors=$(mktemp)
}

# failed_command STATUS: which it was, and by way of whom it was called; told where no $() takes it for a value
failed_command() {
	local i by=

	[ "$1" != 4 ] || return 0
	for ((i = 1; i < ${#FUNCNAME[@]} - 3; i++)); do
		by+=" ${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]}"
	done
	echo "#$by: \"$BASH_COMMAND\" gave $1" >&2
}

# run_case FUNCTION: its exit status; the caller must not test it, or set -e would mean nothing in there
run_case() {
	(
		# whom a failed case left behind would keep the file's output open, and its runner waiting
		trap 'kill $(jobs -p) 2>/dev/null || true; cleanup_all_ns' EXIT
		set -eE -o pipefail
		trap 'failed_command $?' ERR
		"$1"
	)
}

# run_cases FUNCTION...: the whole test file
run_cases() {
	local case rc

	ktap_print_header
	ktap_set_plan $#
	set +e
	for case; do
		run_case "$case"
		rc=$?
		case $rc in
		0) ktap_test_pass "$case" ;;
		4) ktap_test_skip "$case" ;;
		*) ktap_test_fail "$case" ;;
		esac
	done
	ktap_finished
}
