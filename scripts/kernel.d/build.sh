# SPDX-License-Identifier: GPL-2.0
#
# haul.ko, out of tree, for one kernel: sources are copied to build/KEY/src and
# compiled there, so that kernels never share an object file; then the modules of
# examples/, against it. Sourced by scripts/kernel.

# build_stamp: what the result depends on
build_stamp() {
	local var

	cd "$HAUL_TREE"
	for var in W C CF V KCFLAGS; do
		echo "$var=${!var:-}"
	done
	cat "$1"
	find Kbuild module uapi examples -type f -printf '%p %s %T@\n' | sort
}

# build_compiler KDIR: the one that built the kernel, if this host has it
build_compiler() {
	local cc

	cc=$(sed -nE 's/^CC[^=]*=.*(gcc-[0-9]+).*/\1/p' "$1/.kernelvariables" 2>/dev/null | head -1)
	command -v "${cc:-gcc}" >/dev/null || cc=gcc
	if command -v ccache >/dev/null; then
		echo "ccache ${cc:-gcc}"
	else
		echo "${cc:-gcc}"
	fi
}

# build_make SRC [DIR ARG...]: run the kernel's make for SRC, or for DIR under it
build_make() {
	local src=$1 dir=${2:-$1} args=(--no-print-directory "${@:3}") var

	[ -n "${V:-}" ] || args+=(-s)
	for var in W C CF V KCFLAGS; do
		[ -z "${!var:-}" ] || args+=("$var=${!var}")
	done
	if [ -n "$KCHROOT" ]; then
		chroot_run "$KCHROOT" "$src" make -C "$KDIR" M="$dir" -j"$(nproc)" "${args[@]}" modules
		return
	fi
	export CCACHE_DIR=$HAUL_CACHE/ccache
	args+=("CC=$(build_compiler "$KDIR")")
	# without pahole a module has no BTF; it loads all the same
	command -v pahole >/dev/null || args+=(CONFIG_DEBUG_INFO_BTF_MODULES=)
	make -C "$KDIR" M="$dir" -j"$(nproc)" "${args[@]}" modules
}

# build_module NAME ENV [--clean]: print the path of haul.ko
build_module() {
	local name=$1 env=$2 dir stamp example

	dir=$HAUL_TREE/build/$(kernel_key "$name")
	if [ "${3:-}" = --clean ]; then
		rm -rf "$dir/src" "$dir/stamp"
	fi
	[ -e "$HAUL_TREE/Kbuild" ] || haul_die "there is no Kbuild in $HAUL_TREE"
	. "$env"
	[ -e "$KDIR/Makefile" ] || haul_die "$KDIR is no kernel build directory: install the headers of $KREL"
	mkdir -p "$dir/src"
	exec {build_fd}>"$dir/lock"
	flock "$build_fd"
	stamp=$(build_stamp "$env")
	# an older module stays until the new one is there: a machine may be about to load it
	if [ ! -e "$dir/haul.ko" ] || [ "$stamp" != "$(cat "$dir/stamp" 2>/dev/null)" ] || [ -n "${C:-}" ]; then
		haul_say "building haul.ko for $KREL"
		# by content and with new times: a file changed while its old self was compiled must count as newer
		rsync -rlpc --delete --exclude='*.o' --exclude='*.ko' --exclude='*.mod' --exclude='*.mod.c' --exclude='.*.cmd' \
			--exclude='*.symvers' --exclude=modules.order --exclude='*.gc??' \
			"$HAUL_TREE"/{Kbuild,module,uapi,examples} "$dir/src/"
		build_make "$dir/src" {build_fd}>&- >&2 || haul_die "haul.ko does not build for $KREL"
		for example in cc_scalable in_kernel; do
			build_make "$dir/src" "$dir/src/examples/$example" HAUL="$dir/src" \
				KBUILD_EXTRA_SYMBOLS="$dir/src/Module.symvers" {build_fd}>&- >&2 ||
				haul_die "examples/$example does not build for $KREL"
			cp "$dir/src/examples/$example/haul_$example.ko" "$dir/haul_$example.ko"
		done
		cp "$dir/src/haul.ko" "$dir/haul.ko.new"
		mv "$dir/haul.ko.new" "$dir/haul.ko"
		printf '%s\n' "$stamp" >"$dir/stamp"
	fi
	echo "$dir/haul.ko"
}
