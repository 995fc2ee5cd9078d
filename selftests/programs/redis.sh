#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A database under its own benchmark: Redis. What was asked is counted there, too, and what was stored comes back.
. ./programs/lib.sh

server_up() {
	programs_up
	far_serves redis-server --bind "$far4" "$far6" --port 6379 --save '' --appendonly no --protected-mode no --dir "$work"
	listens "$far" 6379
}

ask() { near_runs redis-cli -h "$far4" "$@"; }

# calls COMMAND: how often it was served
calls() { ask info commandstats | tr -d '\r' | sed -n "s/^cmdstat_$1:calls=\([0-9]*\),.*/\1/p"; }

values() {
	server_up
	[ "$(ask set name value)" = OK ]
	[ "$(ask get name)" = value ]
	[ "$(near_runs redis-cli -h "$far6" get name)" = value ]
	random 2000000 "$work/large"
	[ "$(ask -x set large <"$work/large")" = OK ]
	ask --no-raw strlen large | grep -x '(integer) 2000000' >/dev/null
	ask get large >"$work/back"
	# it adds a line's end
	head -c 2000000 "$work/back" | same - "$work/large"
	carried 6
}

# a thousand commands without waiting for an answer
pipelined() {
	server_up
	local i
	for i in {1..1000}; do
		printf 'SET key:%d %d\r\n' "$i" $((i * i))
	done >"$work/commands"
	ask --pipe <"$work/commands" | grep -x 'errors: 0, replies: 1000' >/dev/null
	[ "$(ask get key:77)" = 5929 ]
	carried 2
}

benchmark() {
	server_up
	near_runs redis-benchmark -h "$far4" -n 3000 -c 50 -q -t set,get,incr,lpush,rpop >"$work/said"
	[ "$(tr '\r' '\n' <"$work/said" | grep -c 'requests per second')" -ge 5 ]
	near_runs redis-benchmark -h "$far4" -n 4000 -c 20 -P 16 -d 1000 -q -t set,get >/dev/null
	[ "$(calls set)" = 7000 ]
	[ "$(calls get)" = 7000 ]
	[ "$(calls incr)" = 3000 ]
	[ "$(calls lpush)" = 3000 ]
	[ "$(calls rpop)" = 3000 ]
	[ "$(ask get counter:__rand_int__)" = 3000 ]
	carried 200
}

# what one publishes the others hear
subscribers() {
	server_up
	near_serves redis-cli -h "$far4" subscribe news
	heard() { [ "$(ask publish news "$1")" = 1 ]; }
	wait_for heard first
	ask publish news second >/dev/null
	told() { grep -qx second "$work/near-redis-cli.log"; }
	wait_for told
	carried 3
}

run_cases values pipelined benchmark subscribers
