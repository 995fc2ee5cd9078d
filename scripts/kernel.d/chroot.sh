# SPDX-License-Identifier: GPL-2.0
#
# A small Debian 13 root with a compiler, for kernels whose build tools do not
# run on this host. It is unpacked, not installed: apt works out and downloads
# what gcc, make and pahole need, and dpkg-deb unpacks it. Sourced by
# scripts/kernel.

CHROOT=$HAUL_CACHE/chroot/trixie
CHROOT_TOOLS="gcc gcc-14 binutils make libc6-dev libelf1t64 dwarves kmod bash coreutils dash sed grep mawk findutils diffutils perl-base"

chroot_get() {
	local deb dir=$CHROOT.new

	if [ -e "$CHROOT/.complete" ]; then
		return
	fi
	haul_lock chroot
	if [ -e "$CHROOT/.complete" ]; then
		return
	fi
	rm -rf "$dir" "$CHROOT"
	mkdir -p "$dir"
	apt_set chroot trixie
	haul_say "downloading a compiler of Debian 13 for a small chroot (about 100 MB)"
	apt_run chroot apt-get install -y -qq --download-only --no-install-recommends -o Debug::NoLocking=1 \
		$CHROOT_TOOLS >"$APT_DIR/chroot/log" 2>&1 || {
		tail -5 "$APT_DIR/chroot/log" >&2
		haul_die "cannot download the chroot's packages: see $APT_DIR/chroot/log"
	}
	haul_say "unpacking it into $CHROOT"
	# base-files first: it lays the links of /bin, /lib and /sbin into /usr
	for deb in "$APT_DIR"/chroot/cache/archives/{base-files_*,*}.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	rm -f "$APT_DIR"/chroot/cache/archives/*.deb
	[ -e "$dir/usr/bin/awk" ] || ln -s mawk "$dir/usr/bin/awk"
	mkdir -p "$dir/dev" "$dir/proc" "$dir/tmp"
	touch "$dir/.complete"
	mv "$dir" "$CHROOT"
}

# chroot_run ROOT DIR COMMAND...: in the chroot, where the cache and DIR are seen
# under their own names
chroot_run() {
	local root=$1 dir=$2 flags=--mount

	shift 2
	[ "$(id -u)" = 0 ] || flags+=" --map-root-user"
	unshare $flags bash -euc '
		root=$1 cache=$2 dir=$3
		shift 3
		mkdir -p "$root$cache" "$root$dir"
		mount --rbind /dev "$root/dev"
		mount --rbind /proc "$root/proc"
		mount --bind "$cache" "$root$cache"
		mount --bind "$dir" "$root$dir"
		exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"
	' haul-chroot "$root" "$HAUL_CACHE" "$dir" "$@"
}
