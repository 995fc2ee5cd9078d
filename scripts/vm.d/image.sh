# SPDX-License-Identifier: GPL-2.0
#
# What a machine boots from: an initial file system made of a cached part (the
# kernel's modules, the tools) and a part of this run. The kernel accepts several
# cpio archives one after the other. Sourced by scripts/vm, whose variables it uses.

VM_D=$HAUL_TREE/scripts/vm.d

# image_modules NAME...: files of kernel modules with what they need, in loading order
image_modules() {
	modprobe -d "$KMODDIR" -S "$KREL" --show-depends -a "$@" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# image_cpio DIR: DIR as a reproducible archive on stdout
image_cpio() {
	find "$1" -exec touch -hd @1700000000 {} +
	(cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet --reproducible -R 0:0 -H newc -o)
}

# image_key: a name for what the cached part depends on
image_key() {
	{
		stat -c %Y /var/lib/dpkg/status
		cat "$VM_D"/{init,pack,image.sh} "$KIMAGE"
	} | sha256sum | cut -c1-16
}

# image_probe FILE: just enough to say that the guest came up
image_probe() {
	mkdir -p "$1.d"
	cp "$(command -v busybox)" "$1.d/busybox"
	install -m 755 "$VM_D/init" "$1.d/init"
	image_cpio "$1.d" >"$1"
}

# image_boot FILE: what mounts the host's file system as root
image_boot() {
	local dir=$1.d file

	mkdir -p "$dir"/{dev,proc,vm/ko}
	cp "$(command -v busybox)" "$dir/busybox"
	install -m 755 "$VM_D/init" "$dir/init"
	: >"$dir/vm/modules"
	for file in $(image_modules virtio_pci virtiofs overlay); do
		name=$(basename "$file")
		case $name in
		*.xz) xz -dc "$file" >"$dir/vm/ko/${name%.xz}" ;;
		*.zst) zstd -qdc "$file" >"$dir/vm/ko/${name%.zst}" ;;
		*) cp "$file" "$dir/vm/ko/" ;;
		esac
		name=${name%.xz}
		echo "${name%.zst}" >>"$dir/vm/modules"
	done
	image_cpio "$dir" >"$1"
}

# image_tools FILE: a whole root, for --exact
image_tools() {
	image_probe "$1.init"
	"$VM_D/pack" tools "$1.tools" "$KMODDIR" "$KREL"
	cat "$1.tools" "$1.init" >"$1"
}

# image_cached KIND: the path of the cached part, made if need be
image_cached() {
	local file tmp

	file=$HAUL_CACHE/vm/$1-$KREL-$(image_key)
	if [ ! -e "$file" ]; then
		mkdir -p "$HAUL_CACHE/vm"
		# another tree's may be in use
		find "$HAUL_CACHE/vm" -name "$1-$KREL-*" -mtime +2 -delete
		tmp=$(mktemp -d "$run/image.XXXXXX")
		"image_$1" "$tmp/image"
		mv "$tmp/image" "$file"
		rm -rf "$tmp"
	fi
	echo "$file"
}

# image_quote WORD...: as the guest's shell must read them
image_quote() {
	local word

	for word; do
		printf " '%s'" "${word//\'/\'\\\'\'}"
	done
}

# image_command: a shell script that becomes COMMAND
image_command() {
	local path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin term=dumb

	[ "$exact" = 1 ] || path=$PATH:$path
	[ "$tty" = 0 ] || term=${TERM:-linux}
	echo "cd$(image_quote "$PWD") || exit 125"
	echo "exec /usr/bin/env -i$(image_quote PATH="$path" HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 \
		TERM="$term" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HAUL_VM=1 HAUL_KERNEL="$KNAME" \
		HAUL_EXACT="$exact" HAUL_SEED="$seed" ${module:+HAUL_MODULE=/run/vm/module.ko} \
		"${envs[@]}" "${command[@]}")"
}

# image_run DIR: this run's part: parameters, command, module
image_run() {
	local dir=$1 rows=24 cols=80 name

	mkdir -p "$dir/vm"
	[ "$tty" = 0 ] || read -r rows cols < <(stty size)
	name=$(basename "${module%.ko}")
	{
		echo "VM_EXACT=$exact VM_KEEP=$keep VM_TTY=$tty VM_ROWS=$rows VM_COLS=$cols"
		echo "VM_OUT=$(image_quote "$out")"
		echo "VM_KMODDIR=$(image_quote "$KMODDIR")"
		echo "VM_MODULE=$(image_quote "${name//-/_}")"
		echo "VM_PARAMS=$(image_quote "${params[*]}")"
	} | sed 's/= /=/' >"$dir/vm/params"
	image_command >"$dir/vm/command"
	cp "$VM_D"/{session,unclean} "$dir/vm/"
	# without what a debugger reads it is a twentieth of the size
	[ -z "$module" ] || strip --strip-debug -o "$dir/vm/module.ko" "$module"
}

# image_make DIR: DIR/initrd
image_make() {
	local cached

	image_run "$1/image"
	image_cpio "$1/image" >"$1/image.cpio"
	if [ "$exact" = 1 ]; then
		cached=$(image_cached tools)
		"$VM_D/pack" command "$1/command.cpio" "$PWD" "${packs[@]}" -- "${command[@]}"
		cat "$1/command.cpio" >>"$1/image.cpio"
	else
		cached=$(image_cached boot)
	fi
	cat "$cached" "$1/image.cpio" >"$1/initrd"
	rm -rf "$1/image" "$1/image.cpio"
}
