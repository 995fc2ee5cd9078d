# SPDX-License-Identifier: GPL-2.0
#
# What the scripts share: where things are kept and how a script speaks.
# Sourced, never run.

HAUL_CACHE=${HAUL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/haul}
# modprobe and its like, for users whose PATH lacks them
PATH=$PATH:/usr/sbin:/sbin
# names in it are used from other directories
[[ $HAUL_CACHE == /* ]] || HAUL_CACHE=$PWD/$HAUL_CACHE
# the repository that the calling script belongs to
HAUL_TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

haul_say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

haul_die() {
	haul_say "$*"
	exit 1
}

# haul_help SCRIPT: print the script's opening comment, which is its manual
haul_help() {
	sed -n '/^# SPDX/d; /^#!/d; /^#/!q; s/^# \{0,1\}//p' "$1" | sed '1{/^$/d}'
}

# haul_lock NAME: hold the cache's lock of that name until this shell ends
haul_lock() {
	local fd

	mkdir -p "$HAUL_CACHE/lock"
	exec {fd}>"$HAUL_CACHE/lock/$1"
	if ! flock -n "$fd"; then
		haul_say "waiting for another $1 to finish"
		flock "$fd"
	fi
}

# haul_assign NAME=VALUE...: print shell assignments, quoted
haul_assign() {
	local pair

	for pair; do
		printf '%s=%q\n' "${pair%%=*}" "${pair#*=}"
	done
}

# haul_release KEY: a field of os-release (VERSION_CODENAME, VERSION_ID...)
haul_release() {
	(. /etc/os-release && eval "printf '%s\n' \"\${$1:-}\"")
}
