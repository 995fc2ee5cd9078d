#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Documentation/why-slow.rst leads to the answer: each scene of scripts/sick is played, each command of the page is run, and
# shows what the text says.
. ./lib.sh

# haulss, as it was built with the tests
PATH=$PWD:$PATH

# scene NAME: skipped where a tool that the page uses is not installed (scripts/setup trace)
scene() {
	local tool
	for tool in tshark tcpdump trace-cmd gnuplot nstat ping ethtool; do
		command -v "$tool" >/dev/null || { echo "# $tool is not installed"; return 4; }
	done
	PYTHONDONTWRITEBYTECODE=1 "$tree/scripts/sick.d/play" "$1"
}

a_small_window() { scene window; }
loss() { scene loss; }
a_program_that_does_not_read() { scene reader; }
a_black_hole() { scene black-hole; }
a_black_hole_unseen() { scene black-hole-off; }

run_cases a_small_window loss a_program_that_does_not_read a_black_hole a_black_hole_unseen
