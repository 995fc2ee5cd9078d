# SPDX-License-Identifier: GPL-2.0
#
# The kernels that are built here, debug and kcsan: Debian's 6.1 source on tinyconfig plus
# debug-kernel.config, and for kcsan that of its name over it.
# Built once per source version and configuration, through ccache.
# Sourced by scripts/kernel.

DEBUG_SRC=$HAUL_CACHE/debug/src

# debug_configs NAME: the files that its configuration is merged of
debug_configs() {
	echo "$HAUL_TREE/scripts/debug-kernel.config"
	[ "$1" = debug ] || echo "$HAUL_TREE/scripts/$1-kernel.config"
}

# debug_hash NAME: a new source or configuration is another kernel
debug_hash() {
	cat $(debug_configs "$1") "$DEBUG_SRC/.complete" 2>/dev/null | sha256sum | cut -c1-12
}

# debug_source [UPDATE]: the whole source tree
debug_source() {
	if [ -e "$DEBUG_SRC/.complete" ] && [ -z "${1:-}" ]; then
		return
	fi
	(
		haul_lock source-debug
		[ ! -e "$DEBUG_SRC/.complete" ] || [ -n "${1:-}" ] || exit 0
		apt_set linux-6.1 ${1:+--update} $(fetch_suites 6.1)
		apt_unpack linux-6.1 "$DEBUG_SRC.pkg" linux-source-6.1
		haul_say "unpacking the source of the debug kernel (1.5 GB)"
		source_unpack "$DEBUG_SRC"
		apt_field linux-6.1 linux-source-6.1 Version >"$DEBUG_SRC/.complete"
	)
}

# debug_configure NAME BUILD
debug_configure() {
	make -s -C "$DEBUG_SRC" O="$2" tinyconfig >/dev/null
	(cd "$DEBUG_SRC" && scripts/kconfig/merge_config.sh -m -O "$2" "$2/.config" $(debug_configs "$1") >/dev/null)
	make -s -C "$DEBUG_SRC" O="$2" olddefconfig 2>/dev/null
	if grep '=[ym]$' "$HAUL_TREE/scripts/$1-kernel.config" | grep -vxFf "$2/.config" >&2; then
		haul_die "Kconfig dropped the lines above of $1-kernel.config"
	fi
}

# debug_make NAME BUILD
debug_make() {
	local cc=gcc args=()

	if command -v ccache >/dev/null; then
		cc="ccache gcc"
		export CCACHE_DIR=$HAUL_CACHE/ccache
	fi
	# only modules that are built for it later are looked at
	[ "$1" != kcsan ] || args=(KCSAN_SANITIZE=n)
	nice -n 5 make -C "$DEBUG_SRC" O="$2" "${args[@]}" KBUILD_BUILD_TIMESTAMP=0 KBUILD_BUILD_USER=haul \
		KBUILD_BUILD_HOST=haul CC="$cc" -j"$(nproc)" bzImage modules
}

# debug_progress NAME LOG: one line every 30 s, until killed
debug_progress() {
	local fd

	# waits without a process that could outlive this one
	exec {fd}<> <(:)
	while ! read -rt 30 -u "$fd"; do
		haul_say "$1 kernel: $(grep -cE '^  (CC|AS|LD|AR)' "$2" || true) steps of about 2400"
	done
}

# debug_build NAME DIR
debug_build() {
	local name=$1 dir=$2 build=$2/build log=$2/build.log krel watch

	rm -rf "$dir"
	mkdir -p "$build"
	haul_say "building the $name kernel: once, about 8 minutes on two processors; log in $log"
	debug_configure "$name" "$build"
	debug_progress "$name" "$log" &
	watch=$!
	if ! debug_make "$name" "$build" >"$log" 2>&1; then
		kill "$watch"
		tail -20 "$log" >&2
		haul_die "the $name kernel does not build: see $log"
	fi
	kill "$watch"
	krel=$(cat "$build/include/config/kernel.release")
	make -s -C "$build" INSTALL_MOD_PATH="$dir/root" modules_install >>"$log" 2>&1
	haul_assign KNAME="$name" KREL="$krel" KIMAGE="$build/arch/x86/boot/bzImage" KDIR="$build" \
		KMODDIR="$dir/root" KCHROOT= >"$dir/env.new"
	mv "$dir/env.new" "$dir/env"
	haul_say "$name kernel $krel is ready"
}
