# SPDX-License-Identifier: GPL-2.0
#
# The debug kernel: Debian's 6.1 source on tinyconfig plus debug-kernel.config.
# Built once per source version and configuration, through ccache.
# Sourced by scripts/kernel.

DEBUG_CONFIG=$HAUL_TREE/scripts/debug-kernel.config
DEBUG_SRC=$HAUL_CACHE/debug/src

# A new source or configuration is another kernel.
debug_hash() {
	cat "$DEBUG_CONFIG" "$DEBUG_SRC/.complete" 2>/dev/null | sha256sum | cut -c1-12
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

debug_configure() {
	make -s -C "$DEBUG_SRC" O="$1" tinyconfig >/dev/null
	(cd "$DEBUG_SRC" && scripts/kconfig/merge_config.sh -m -O "$1" "$1/.config" "$DEBUG_CONFIG" >/dev/null)
	make -s -C "$DEBUG_SRC" O="$1" olddefconfig 2>/dev/null
	if grep '=[ym]$' "$DEBUG_CONFIG" | grep -vxFf "$1/.config" >&2; then
		haul_die "Kconfig dropped the lines above of debug-kernel.config"
	fi
}

debug_make() {
	local cc=gcc

	if command -v ccache >/dev/null; then
		cc="ccache gcc"
		export CCACHE_DIR=$HAUL_CACHE/ccache
	fi
	nice -n 5 make -C "$DEBUG_SRC" O="$1" KBUILD_BUILD_TIMESTAMP=0 KBUILD_BUILD_USER=haul \
		KBUILD_BUILD_HOST=haul CC="$cc" -j"$(nproc)" bzImage modules
}

# debug_progress LOG: one line every 30 s, until killed
debug_progress() {
	local fd

	# waits without a process that could outlive this one
	exec {fd}<> <(:)
	while ! read -rt 30 -u "$fd"; do
		haul_say "debug kernel: $(grep -cE '^  (CC|AS|LD|AR)' "$1" || true) steps of about 2400"
	done
}

debug_build() {
	local dir=$1 build=$1/build log=$1/build.log krel watch

	rm -rf "$dir"
	mkdir -p "$build"
	haul_say "building the debug kernel: once, about 8 minutes on two processors; log in $log"
	debug_configure "$build"
	debug_progress "$log" &
	watch=$!
	if ! debug_make "$build" >"$log" 2>&1; then
		kill "$watch"
		tail -20 "$log" >&2
		haul_die "the debug kernel does not build: see $log"
	fi
	kill "$watch"
	krel=$(cat "$build/include/config/kernel.release")
	make -s -C "$build" INSTALL_MOD_PATH="$dir/root" modules_install >>"$log" 2>&1
	haul_assign KNAME=debug KREL="$krel" KIMAGE="$build/arch/x86/boot/bzImage" KDIR="$build" \
		KMODDIR="$dir/root" KCHROOT= >"$dir/env.new"
	mv "$dir/env.new" "$dir/env"
	haul_say "debug kernel $krel is ready"
}
