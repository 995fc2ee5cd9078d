#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Another database under its own benchmark: PostgreSQL and pgbench. After it the sums must agree, as TPC-B has it.
. ./programs/lib.sh

set -- /usr/lib/postgresql/*/bin
bin=${!#}

# the server refuses to be root's; what it writes needs not survive
server_up() {
	programs_up
	install -d -o postgres "$work/data"
	runuser -u postgres -- "$bin/initdb" --no-sync -A trust -E UTF8 --locale=C "$work/data" >/dev/null
	printf 'host all all %s trust\n' "$near4/32" "$near6/128" >>"$work/data/pg_hba.conf"
	far_serves runuser -u postgres -- "$bin/postgres" -D "$work/data" -h "$far4,$far6" -k '' -p 5432 \
		-c fsync=off -c max_wal_senders=0 -c wal_level=minimal -c autovacuum=off
	listens "$far" 5432
}

ask() { near_runs psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$far4" -U postgres postgres "$@"; }

values() {
	server_up
	answers() { [ "$(ask -c 'select 6 * 7')" = 42 ]; }
	wait_for answers
	[ "$(near_runs psql -X -A -t -h "$far6" -U postgres postgres -c 'select host(inet_server_addr())')" = "$far6" ]
	# there by COPY, and back
	seq 1 200000 >"$work/numbers"
	ask -c 'create table t (n int)' -c '\copy t from '"$work/numbers" -c '\copy t to '"$work/back"
	same "$work/numbers" "$work/back"
	# one value of a megabyte; an error does not end the session
	[ "$(ask -c "select length(repeat('x', 1000000))")" = 1000000 ]
	[ "$(ask -c "select repeat('x', 1000000)" | wc -c)" = 1000001 ]
	ask -v ON_ERROR_STOP=0 -c 'select 1/0' -c 'select 5' 2>"$work/error" | grep -qx 5
	grep -q 'division by zero' "$work/error"
	carried 6
}

# who is asked to stop is asked by a second connection
cancelled() {
	server_up
	local said

	said=$(near_runs timeout -s INT 8 psql -X -h "$far4" -U postgres postgres -c 'select pg_sleep(600)' 2>&1) || true
	grep -q 'canceling statement due to user request' <<<"$said"
	[ "$(ask -c "select count(*) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'")" = 0 ]
	carried 3
}

benchmark() {
	server_up
	near_runs "$bin/pgbench" -q -i -s 1 -h "$far4" -U postgres postgres 2>/dev/null
	near_runs "$bin/pgbench" -n -c 8 -j 2 -t 25 -h "$far4" -U postgres postgres >"$work/said" 2>&1
	grep -q 'number of transactions actually processed: 200/200' "$work/said"
	# a connection for each transaction, prepared statements, and a pipeline of none
	near_runs "$bin/pgbench" -n -S -C -c 4 -t 10 -h "$far6" -U postgres postgres >"$work/said" 2>&1
	grep -q 'number of transactions actually processed: 40/40' "$work/said"
	near_runs "$bin/pgbench" -n -S -M prepared -c 4 -t 100 -h "$far4" -U postgres postgres >"$work/said" 2>&1
	grep -q 'number of transactions actually processed: 400/400' "$work/said"
	[ "$(ask -c 'select count(*) from pgbench_history')" = 200 ]
	[ "$(ask -c 'select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history),
		(select sum(bbalance) from pgbench_branches) = (select sum(tbalance) from pgbench_tellers)')" = 't|t' ]
	carried 50
}

run_cases values cancelled benchmark
