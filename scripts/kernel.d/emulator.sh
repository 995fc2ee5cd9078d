# SPDX-License-Identifier: GPL-2.0
#
# The QEMU that emulates machines of several processors. Before 8.1 it may go
# on running code that the other processor has rewritten: the kernel does that
# where a first user of something comes and where the last one goes (static
# keys), and dies of it, or does not see the change. A host's QEMU that old, as
# Debian 12's, is left to what has one processor; the release's backports have
# a newer one, which is unpacked, not installed, and needs no library that the
# host's does not. It is faster, too. Sourced by scripts/kernel.

EMULATOR_SINCE=8.1
EMULATOR_DIR=$HAUL_CACHE/emulator

# emulator_version PROGRAM
emulator_version() {
	"$1" --version 2>/dev/null | sed -nE '1s/.*version ([0-9.]+).*/\1/p'
}

# emulator_good PROGRAM: it runs, and is new enough
emulator_good() {
	local version

	version=$(emulator_version "$1")
	[ -n "$version" ] && printf '%s\n' "$EMULATOR_SINCE" "$version" | sort -CV
}

# emulator_fetch: into the cache, with a script that knows where its files are
emulator_fetch() {
	local suite dir=$EMULATOR_DIR/new

	suite=$(haul_release VERSION_CODENAME)-backports
	rm -rf "$dir"
	mkdir -p "$dir"
	apt_set emulator --update "$suite"
	apt_unpack emulator "$dir" qemu-system-{x86,data} seabios
	cat >"$dir/qemu-system-x86_64" <<-'EOF'
		#!/bin/sh
		usr=${0%/*}/usr
		exec "$usr/bin/qemu-system-x86_64" -L "$usr/share/qemu" -L "$usr/share/seabios" "$@"
	EOF
	chmod 755 "$dir/qemu-system-x86_64"
	emulator_good "$dir/qemu-system-x86_64" || haul_die "the QEMU of $suite does not run here, or is no newer"
	rm -rf "$EMULATOR_DIR/root"
	mv "$dir" "$EMULATOR_DIR/root"
}

# emulator: print the program. Where no better one can be had, that is said once a day, and the host's does
emulator() {
	local program=$EMULATOR_DIR/root/qemu-system-x86_64 host

	host=$(command -v qemu-system-x86_64) || haul_die "qemu-system-x86_64 is not installed; run scripts/setup"
	if emulator_good "$host"; then
		echo "$host"
		return
	fi
	if [ ! -e "$program" ] && [ -z "$(find "$EMULATOR_DIR/none" -mtime -1 2>/dev/null)" ]; then
		haul_say "QEMU $(emulator_version "$host") runs code that is not there any more, on several processors: fetching a newer one"
		(
			haul_lock emulator
			[ -e "$program" ] || emulator_fetch
		) >&2 || {
			touch "$EMULATOR_DIR/none"
			haul_say "it could not be had, and is not asked for again today: a machine's kernel may die of an int3 now and then"
		}
	fi
	[ -e "$program" ] || program=$host
	echo "$program"
}
