#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# OpenSSH: a command, data through a pipe both ways, files by scp, a forwarded port.
. ./programs/lib.sh

server_up() {
	programs_up
	mkdir -p /run/sshd "$work/keys"
	chmod 700 "$work/keys"
	ssh-keygen -q -t ed25519 -N '' -f "$work/keys/host"
	ssh-keygen -q -t ed25519 -N '' -f "$work/keys/user"
	cat >"$work/sshd_config" <<-END
		HostKey $work/keys/host
		AuthorizedKeysFile $work/keys/user.pub
		StrictModes no
		PermitRootLogin yes
		UsePAM no
		PidFile none
		UseDNS no
		Subsystem sftp internal-sftp
	END
	printf '%s %s\n' "$far4" "$(cat "$work/keys/host.pub")" "$far6" "$(cat "$work/keys/host.pub")" >"$work/known"
	with=(-F none -i "$work/keys/user" -o "UserKnownHostsFile=$work/known" -o BatchMode=yes)
	far_serves /usr/sbin/sshd -D -e -f "$work/sshd_config"
	listens "$far" 22
}

commands() {
	server_up
	local address rc=0
	for address in "$far4" "$far6"; do
		[ "$(near_runs ssh "${with[@]}" "root@$address" 'echo "$((6 * 7))"')" = 42 ]
	done
	near_runs ssh "${with[@]}" "root@$far4" 'exit 9' || rc=$?
	[ $rc = 9 ]
	random 3000000 "$work/file"
	near_runs ssh "${with[@]}" "root@$far4" cat <"$work/file" >"$work/back"
	same "$work/file" "$work/back"
	carried 4
}

copies() {
	server_up
	random 5000000 "$work/file"
	near_runs scp -q "${with[@]}" "$work/file" "root@$far4:$work/there"
	same "$work/file" "$work/there"
	near_runs scp -q "${with[@]}" "root@[$far6]:$work/there" "$work/back"
	same "$work/file" "$work/back"
	carried 2
}

forwarded_port() {
	server_up
	mkdir "$work/root"
	random 100000 "$work/root/file"
	far_serves /usr/bin/python3 -m http.server --bind 127.0.0.1 --directory "$work/root" 8000
	listens "$far" 8000
	near_serves ssh "${with[@]}" -N -L 127.0.0.1:8001:127.0.0.1:8000 "root@$far4"
	listens "$near" 8001
	near_runs curl -sS --max-time 30 -o "$work/got" http://127.0.0.1:8001/file
	same "$work/got" "$work/root/file"
	carried 2
}

run_cases commands copies forwarded_port
