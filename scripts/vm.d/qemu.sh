# SPDX-License-Identifier: GPL-2.0
#
# The machine: acceleration, QEMU's command line, the host's side of a run and
# what its end means. Sourced by scripts/vm, whose variables it uses.

# Where Debian 12 and 13 keep it.
vm_virtiofsd() {
	local file

	for file in /usr/libexec/virtiofsd /usr/lib/qemu/virtiofsd; do
		if [ -x "$file" ]; then
			echo "$file"
			break
		fi
	done
}

# start COMMAND...: in the background; it dies with this script
start() {
	# an explicit redirection, or bash would make it /dev/null
	setpriv --pdeathsig KILL "$@" <&0 &
	pids+=($!)
}

# A guest that runs under KVM says so within seconds. /dev/kvm being there does
# not mean that: some hosts run only guests they know. Tried once per host kernel.
qemu_accel() {
	local verdict dir=$HAUL_CACHE/vm

	verdict=$dir/accel-$(uname -r)-$(qemu-system-x86_64 --version | sed -nE '1s/.*version ([0-9.]+).*/\1/p')
	if [ ! -e "$verdict" ]; then
		mkdir -p "$dir"
		if [ -w /dev/kvm ] && qemu_try_kvm; then
			echo kvm >"$verdict"
		else
			echo tcg >"$verdict"
		fi
		haul_say "virtual machines run under $(cat "$verdict") (remembered in $verdict)"
	fi
	cat "$verdict"
}

qemu_try_kvm() {
	local try=$run/kvm

	haul_say "trying whether a guest boots under KVM (at most 8 s)"
	mkdir "$try"
	image_probe "$try/initrd"
	timeout -k 1 8 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -machine q35 -accel kvm \
		-cpu host -smp 2 -m 256M -kernel "$KIMAGE" -initrd "$try/initrd" \
		-append "console=ttyS0 quiet panic=-1 rdinit=/init vm_probe" -serial "file:$try/console" \
		</dev/null >/dev/null 2>&1 || return 1
	grep -q HAUL-VM-PROBE "$try/console"
}

# qemu_share TAG DIR CACHE: a virtiofs server for DIR, and QEMU's options for it
qemu_share() {
	local tag=$1 dir=$2 cache=$3 server sandbox=chroot as_root=() socket=$run/$1.socket

	server=$(vm_virtiofsd)
	rm -f "$socket"
	case $server in
	/usr/lib/qemu/*)
		# it insists on being root, on giving groups up and on a file in /run: have a namespace where it may
		if [ "$(id -u)" != 0 ]; then
			gcc -O2 -shared -fPIC -o "$run/noatime.so" "$HAUL_TREE/scripts/vm.d/noatime.c"
			as_root=(unshare --map-root-user --map-auto --mount
				bash -c 'mount -t tmpfs run /run && exec env LD_PRELOAD="$@"' virtiofsd "$run/noatime.so")
		fi
		start "${as_root[@]}" "$server" -f --socket-path="$socket" -o source="$dir" -o cache="$cache" \
			-o sandbox=chroot >"$run/$tag.log" 2>&1 </dev/null ;;
	*)
		[ "$(id -u)" = 0 ] || sandbox=none
		# overlayfs refuses a lower layer that has mount points
		start "$server" --socket-path="$socket" --shared-dir="$dir" --cache="$cache" --sandbox="$sandbox" \
			--no-announce-submounts >"$run/$tag.log" 2>&1 </dev/null ;;
	esac
	until [ -S "$socket" ]; do
		kill -0 "${pids[-1]}" 2>/dev/null || haul_die "virtiofsd for $dir did not start: $(tail -3 "$run/$tag.log")"
		sleep 0.02
	done
	qemu+=(-chardev "socket,id=$tag,path=$socket" -device "vhost-user-fs-pci,chardev=$tag,tag=$tag,queue-size=512")
}

# qemu_options: fill qemu and append
qemu_options() {
	local accel=tcg program=qemu-system-x86_64

	[ "$exact" = 1 ] || accel=$(qemu_accel)
	case $exact-$accel-$KNAME in
	# under QEMU 10.0 programs die in these two, by wild jumps; why was not found
	*-debug | *-kcsan) ;;
	0-tcg-*) program=$("$HAUL_TREE/scripts/kernel" emulator) ;;
	esac
	qemu=("$program" -nodefaults -no-user-config -display none -no-reboot -smp "$smp")
	append="console=ttyS0 loglevel=5 panic=-1 oops=panic nokaslr log_buf_len=4M rdinit=/init"
	append+=" watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120 random.trust_cpu=on"
	if [ "$exact" = 1 ]; then
		qemu+=(-machine q35 -accel tcg,thread=single -cpu max,-erms,-fsrm,-la57,-cx16 -icount shift=0,sleep=off
			-rtc base=2024-01-01,clock=vm -seed "$seed" -m "${mem}M")
		append+=" norandmaps"
		[ -z "$plugin" ] || qemu+=(-plugin "$plugin")
	else
		qemu+=(-object "memory-backend-memfd,id=ram,size=${mem}M,share=on" -machine q35,memory-backend=ram -m "${mem}M")
		if [ "$accel" = kvm ]; then
			qemu+=(-accel kvm -cpu host)
		else
			# rep movsb is emulated byte by byte; five-level paging trips KASAN
			qemu+=(-accel tcg,thread=multi -cpu max,-erms,-fsrm,-la57,-cx16)
		fi
	fi
	[ "$accel" = kvm ] || append+=" mitigations=off tsc=reliable no_timer_check"
	[ "$exact" = 1 ] || append+=" sysrq_always_enabled"
	# What a namespace costs there: TCP walks its tables, lock by lock, when it goes, and each would have a sit0, which is
	# built in. Together a third of what a short test takes.
	[ "$KNAME" != debug ] || append+=" tcpmhash_entries=16 thash_entries=1024 uhash_entries=256 fb_tunnels=initns"
	qemu+=(-kernel "$KIMAGE" -initrd "$run/initrd" -append "$append")
}

# qemu_run: run the machine, leave with its status
qemu_run() {
	smp=${smp:-2}
	if ! qemu_attempt; then
		# seen once in hundreds of starts under emulation, before COMMAND has run
		haul_say "the machine did not come up in $boot_limit s: once more"
		qemu_tail
		qemu_attempt || { qemu_tail; haul_say "the machine did not come up"; exit 125; }
	fi
	if [ -n "$log" ]; then
		tr -d '\r' <"$run/console" | sed '/^HAUL-VM-/d' >"$log"
	fi
	qemu_status
}

# The serial lines: the kernel's console, COMMAND's output, and at last the folder.
qemu_lines() {
	if [ "$exact" = 1 ]; then
		qemu+=(-chardev "file,id=console,path=$run/console" -serial chardev:console)
	else
		# for qemu_ask: a "pipe" goes out by a file and comes in by a pipe, which this end holds open, too
		rm -f "$run"/{monitor,keys}.{in,out}
		mkfifo "$run/keys.in" "$run/monitor.in" "$run/monitor.out"
		ln -s console "$run/keys.out"
		exec {keyboard}<>"$run/keys.in" {orders}<>"$run/monitor.in" {answers}<>"$run/monitor.out"
		qemu+=(-chardev "pipe,id=console,path=$run/keys" -serial chardev:console
			-chardev "pipe,id=monitor,path=$run/monitor" -mon chardev=monitor,mode=control)
	fi
	if [ "$tty" = 1 ]; then
		terminal=$(stty -g)
		qemu+=(-chardev stdio,id=stream,signal=off -serial chardev:stream)
	else
		# a pipe of our own: QEMU truncates files, and makes terminals non-blocking
		exec {stream}> >(exec cat)
		pump=$!
		qemu+=(-chardev "file,id=stream,path=/dev/fd/$stream" -serial chardev:stream)
	fi
}

qemu_folders() {
	if [ "$exact" = 0 ]; then
		qemu_share host / always
		[ -z "$out" ] || qemu_share out "$out" auto
	elif [ -n "$out" ]; then
		qemu+=(-chardev "file,id=out,path=$run/out" -device isa-serial,chardev=out,index=3)
	fi
}

# monitor COMMAND [ARGUMENTS]: in QEMU's machine protocol, which answers each command by a line
monitor() {
	local line=

	printf '{ "execute": "%s", "arguments": {%s} }\n' "$1" "${2:-}" >&"$orders"
	until [[ $line == *'"return"'* || $line == *'"error"'* ]]; do
		read -r -t 5 line <&"$answers" || return 0
	done
}

# qemu_ask: a machine that has fallen silent is asked what its processors and tasks are at. The kernel answers a break
# on its console and a letter (SysRq): 7: all of its log, please; l: processors; w: who waits, and can't be ended; t: all.
qemu_ask() {
	local letter asked size from

	[ "$exact" = 0 ] && [ -n "${vm:-}" ] && kill -0 "$vm" 2>/dev/null || return 0
	haul_say "asking the kernel what it is at"
	from=$(stat -c %s "$run/console")
	monitor qmp_capabilities
	for letter in 7 l w t; do
		monitor chardev-send-break '"id": "console"'
		printf %s "$letter" >&"$keyboard"
		# until nothing has come for a second, or it is clear that it never ends
		size=-1 asked=$SECONDS
		while [ "$size" != "$(stat -c %s "$run/console")" ] && [ $((SECONDS - asked)) -lt 20 ]; do
			size=$(stat -c %s "$run/console")
			sleep 1
		done
	done
	mkdir -p "$HAUL_TREE/build/vm"
	tail -c "+$((from + 1))" "$run/console" | tr -d '\r' >"$HAUL_TREE/build/vm/silent.log"
	sed '/sysrq: Show State/,$d' "$HAUL_TREE/build/vm/silent.log" >&2
	haul_say "all tasks are in build/vm/silent.log"
}

# One start of the machine, to its end or its time limit; fails if it did not come up.
qemu_attempt() {
	local stream pump='' clock boot first

	boot_limit=120
	case $KNAME in debug | kcsan) boot_limit=300 ;; esac
	: >"$run/console"
	timed_out=0
	qemu_options
	qemu_folders
	qemu_lines
	if [ "$tty" = 1 ]; then
		start "${qemu[@]}" <&0
	else
		start "${qemu[@]}" </dev/null >"$run/qemu.log" 2>&1
		exec {stream}>&-
	fi
	vm=${pids[-1]}
	start sleep "$limit" </dev/null
	clock=${pids[-1]}
	start sleep "$boot_limit" </dev/null
	boot=${pids[-1]}
	wait -n -p first "$vm" "$clock" "$boot" || true
	if [ "$first" = "$boot" ] && grep -q HAUL-VM-START "$run/console"; then
		wait -n -p first "$vm" "$clock" || true
	fi
	[ "$first" != "$clock" ] || qemu_ask
	kill "$clock" "$boot" "$vm" 2>/dev/null || true
	wait "$vm" 2>/dev/null || true
	[ -z "$pump" ] || wait "$pump" || true
	[ "$first" != "$clock" ] || timed_out=1
	[ "$first" != "$boot" ]
}

# What the kernel said last: from its first complaint on, if it made one.
qemu_tail() {
	haul_say "the last lines of the kernel's log:"
	# but for what qemu_ask made it say
	tr -d '\r' <"$run/console" | sed '/sysrq: Changing Loglevel/,$d' >"$run/console.text"
	if grep -qE -f "$HAUL_TREE/scripts/vm.d/unclean" -e 'Kernel panic' "$run/console.text"; then
		grep -m1 -A80 -E -f "$HAUL_TREE/scripts/vm.d/unclean" -e 'Kernel panic' "$run/console.text" >&2
	else
		tail -40 "$run/console.text" >&2
	fi
}

# The guest's last words are in the console file; without them it did not get to say any.
qemu_status() {
	local status

	if [ "$timed_out" = 1 ]; then
		qemu_tail
		haul_say "timeout: killed after $limit s"
		exit 124
	fi
	if [ ! -s "$run/console" ]; then
		cat "$run/qemu.log" >&2 || true
		haul_say "the machine did not start"
		exit 125
	fi
	status=$(tr -d '\r' <"$run/console" | sed -n 's/^HAUL-VM-EXIT=\([0-9]*\)$/\1/p' | tail -1)
	if [ -z "$status" ]; then
		qemu_tail
		haul_say "the kernel panicked"
		exit 98
	fi
	if [ "$exact" = 1 ] && [ -n "$out" ]; then
		tar -C "$out" --no-same-owner -mxzf "$run/out" || haul_die "what COMMAND wrote to $out did not come back whole"
	fi
	if grep -q '^HAUL-VM-LOG: ' "$run/console"; then
		haul_say "the kernel complained (COMMAND's own status was $status):"
		tr -d '\r' <"$run/console" | sed -n 's/^HAUL-VM-LOG: //p' >&2
		exit 97
	fi
	exit "$status"
}
