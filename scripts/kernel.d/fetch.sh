# SPDX-License-Identifier: GPL-2.0
#
# Kernels from Debian's packages and from a path; and the pieces of a kernel's
# source that the checks and tests borrow. Sourced by scripts/kernel.

# fetch_suites NAME: where a kernel comes from, on this release
fetch_suites() {
	local own=$(haul_release VERSION_CODENAME)

	case $1 in
	6.1) echo bookworm bookworm-security bookworm-updates ;;
	6.12)
		if [ "$own" = bookworm ]; then
			echo bookworm-backports
		else
			echo trixie trixie-security trixie-updates
		fi ;;
	7) echo trixie-backports ;;
	esac
}

# fetch_packages SET KREL: the packages that hold its image, modules and headers.
# From 6.19 on the image is split in linux-binary and linux-modules.
fetch_packages() {
	local have dep

	have=$(apt_names "$1" "linux-(image|binary|binary-unsigned|modules|base)-${2//+/\\+}(-unsigned)?")
	for dep in "linux-image-$2" "linux-binary-$2" "linux-binary-unsigned-$2" "linux-image-$2-unsigned"; do
		if grep -qxF "$dep" <<<"$have"; then
			# since the split, linux-image only depends on the others
			if [[ $dep != linux-image-* ]] || ! grep -qxF "linux-modules-$2" <<<"$have"; then
				echo "$dep"
				break
			fi
		fi
	done
	grep -xFe "linux-modules-$2" -e "linux-base-$2" <<<"$have" || true
	fetch_headers "$1" "linux-headers-$2" | sort -u
}

# fetch_headers SET PACKAGE: it, and what of its kind it needs
fetch_headers() {
	local dep

	echo "$2"
	for dep in $(apt_field "$1" "$2" Depends | tr ',' '\n' | awk '{ print $1 }'); do
		case $dep in
		linux-headers-* | linux-kbuild-*) fetch_headers "$1" "$dep" ;;
		esac
	done
}

# fetch_debian DIR NAME [UPDATE]: fill the kernel's directory and its env file
fetch_debian() {
	local dir=$1 name=$2 krel image chroot= file

	apt_set "linux-$name" ${3:+--update} $(fetch_suites "$name")
	krel=$(apt_names "linux-$name" "linux-headers-${name//./\\.}\..*-cloud-amd64" | tail -1)
	krel=${krel#linux-headers-}
	[ -n "$krel" ] || haul_die "no kernel $name in $(fetch_suites "$name")"
	if grep -qxF "KREL=$krel" "$dir/env" 2>/dev/null && [ -e "$dir/version" ] &&
	   [ "$(cat "$dir/version")" = "$(apt_field "linux-$name" "linux-headers-$krel" Version)" ]; then
		return
	fi
	haul_say "kernel $name is $krel"
	rm -rf "$dir"
	mkdir -p "$dir"
	apt_unpack "linux-$name" "$dir/root" $(fetch_packages "linux-$name" "$krel")
	apt_field "linux-$name" "linux-headers-$krel" Version >"$dir/version"

	# the packages expect to be installed in /
	for file in "$dir"/root/usr/src/linux-headers-*/Makefile; do
		sed -i -E "s#^(include |KBUILD_OUTPUT *= *)/usr/src/#\1$dir/root/usr/src/#" "$file"
	done
	if [ ! -d "$dir/root/lib" ]; then
		ln -s usr/lib "$dir/root/lib"
	fi
	for image in "$dir/root/boot/vmlinuz-$krel" "$dir/root/lib/modules/$krel/vmlinuz"*; do
		[ ! -e "$image" ] || break
	done
	[ -e "$image" ] || haul_die "the packages of $krel hold no kernel image"
	depmod -b "$dir/root" "$krel"
	if ! fetch_builds_here "$dir" "$krel"; then
		chroot_get
		chroot=$CHROOT
	fi
	haul_assign KNAME="$name" KREL="$krel" KIMAGE="$image" KDIR="$dir/root/usr/src/linux-headers-$krel" \
		KMODDIR="$dir/root" KCHROOT="$chroot" >"$dir/env.new"
	mv "$dir/env.new" "$dir/env"
}

# fetch_builds_here DIR KREL: do the kernel's own build tools run on this host, and
# does this host's compiler know what the kernel's one does?
fetch_builds_here() {
	local kdir=$1/root/usr/src/linux-headers-$2 tool own needed

	for tool in "$kdir"/{scripts/mod/modpost,scripts/basic/fixdep,tools/objtool/objtool}; do
		if [ -e "$tool" ] && ldd "$tool" 2>&1 | grep -q 'not found'; then
			haul_say "$2 is built with tools newer than this host's"
			return 1
		fi
	done
	needed=$(sed -nE 's/^CC[^=]*=.*gcc-([0-9]+).*/\1/p' "$kdir/.kernelvariables" | head -1)
	own=$(gcc -dumpversion 2>/dev/null | cut -d. -f1)
	if ! command -v "gcc-$needed" >/dev/null && [ "${own:-0}" -lt "${needed:-0}" ]; then
		haul_say "$2 is built with gcc $needed, newer than this host's"
		return 1
	fi
}

# fetch_release FILE: the release that a bzImage's header names
fetch_release() {
	python3 - "$1" <<-'EOF'
	import struct, sys
	image = open(sys.argv[1], "rb").read(1 << 16)
	if image[0x202:0x206] != b"HdrS":
	    sys.exit("scripts/kernel: %s is not a bzImage" % sys.argv[1])
	at = struct.unpack_from("<H", image, 0x20e)[0] + 0x200
	print(image[at:at + 200].split(b" ")[0].decode())
	EOF
}

# fetch_path DIR PATH: a kernel of the user's own
fetch_path() {
	local dir=$1 path=$2 image krel kdir moddir

	mkdir -p "$dir"
	if [ -d "$path" ]; then
		image=$path/arch/x86/boot/bzImage
		[ -e "$image" ] || haul_die "$path holds no arch/x86/boot/bzImage: build that kernel first"
		krel=$(cat "$path/include/config/kernel.release")
		kdir=$path
		moddir=$dir/root
		rm -rf "$moddir"
		haul_say "collecting the modules of $path"
		make -s -C "$path" INSTALL_MOD_PATH="$moddir" modules_install >&2
	else
		image=$path
		krel=$(fetch_release "$image")
		kdir=/lib/modules/$krel/build
		moddir=/
		if [ -d "$(dirname "$path")/../lib/modules/$krel" ]; then
			moddir=$(realpath "$(dirname "$path")/..")
			kdir=$moddir/usr/src/linux-headers-$krel
		fi
		[ -d "${moddir%/}/lib/modules/$krel" ] ||
			haul_die "the modules of $krel are not in /lib/modules: install them, or give the kernel's build tree"
	fi
	haul_assign KNAME="$path" KREL="$krel" KIMAGE="$image" KDIR="$kdir" KMODDIR="$moddir" KCHROOT= >"$dir/env"
}

# source_unpack DIR PACKAGE [PATTERN...]: (parts of) the tree that a downloaded
# linux-source package, unpacked in DIR.pkg, carries
source_unpack() {
	local dir=$1 tarball

	tarball=$(echo "$dir.pkg"/usr/src/linux-source-*.tar.xz)
	shift
	rm -rf "$dir.new"
	mkdir -p "$dir.new"
	tar -C "$dir.new" --strip-components=1 --wildcards --no-wildcards-match-slash -xf "$tarball" "$@"
	rm -rf "$dir" "$dir.pkg"
	mv "$dir.new" "$dir"
}

# source_get VERSION [UPDATE]: the kernel's scripts/ and its kselftest framework
source_get() {
	local version=$1 package dir=$HAUL_CACHE/source/$1 st='linux-source-*/tools/testing/selftests'

	if [ ! -e "$dir/.complete" ] || [ -n "${2:-}" ]; then
		(
			haul_lock "source-$version"
			[ ! -e "$dir/.complete" ] || [ -n "${2:-}" ] || exit 0
			apt_set "linux-$version" ${2:+--update} $(fetch_suites "$version")
			package=$(apt_names "linux-$version" "linux-source-${version//./\\.}(\..*)?" | tail -1)
			[ -n "$package" ] || haul_die "no linux-source of $version in $(fetch_suites "$version")"
			apt_unpack "linux-$version" "$dir.pkg" "$package"
			haul_say "taking scripts/ and the kselftest framework out of $package"
			source_unpack "$dir" 'linux-source-*/scripts' "$st/Makefile" "$st/lib.mk" "$st/kselftest*" \
				"$st/run_kselftest.sh" "$st/net/lib.sh" "$st/net/lib" || exit 1
			echo "$package" >"$dir/.complete"
		) >&2
	fi
	echo "$dir"
}
