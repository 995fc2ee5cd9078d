# SPDX-License-Identifier: GPL-2.0
#
# Packages of any Debian suite, without touching the machine's own apt state:
# mirrors, proxies and keys are the machine's, only the suite differs. Each
# set of suites has its lists in a directory of its own under the cache.
# Sourced by scripts/kernel.

APT_DIR=$HAUL_CACHE/apt

# apt_mirrors WANTED-SUITE: the mirrors that may hold it, as the machine's own
# sources name them for its own release, best first
apt_mirrors() {
	local own=$(haul_release VERSION_CODENAME) names

	case $1 in
	*-security) names="$own-security|stable-security|oldstable-security|$own/updates" ;;
	*) names="$own|stable|oldstable" ;;
	esac
	apt-get -o Debug::NoLocking=1 -o Dir::State::lists="$APT_DIR/none" update --print-uris |
		sed -nE "s#^'(.*)/dists/($names)/main/binary-amd64/Packages.*#\1#p" | sort -u
}

# apt_run SET ARGS...: apt-get or apt-cache on a set's own lists
apt_run() {
	local dir=$APT_DIR/$1 tool=$2

	shift 2
	"$tool" -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State="$dir/state" -o Dir::State::lists="$dir/lists" \
		-o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" \
		-o Dir::Cache::archives="$dir/cache/archives" -o APT::Sandbox::User=root \
		-o APT::Update::Post-Invoke= -o APT::Update::Post-Invoke-Success= \
		-o APT::Default-Release= -o APT::Get::AllowUnauthenticated=false \
		-o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

# apt_source SUITE MIRROR: one line of sources.list
apt_source() {
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg opts=arch=amd64

	if [ -e "$keys" ]; then
		opts+=" signed-by=$keys"
	fi
	echo "deb [$opts] $2 $1 main"
}

# apt_set SET [--update] SUITE...: make the set's lists, once a week or on demand
apt_set() {
	local dir=$APT_DIR/$1 set=$1 force= suite mirror ok

	shift
	if [ "$1" = --update ]; then
		force=y
		shift
	fi
	if [ -z "$force" ] && [ -n "$(find "$dir/stamp" -mtime -7 2>/dev/null)" ]; then
		return
	fi
	haul_say "reading the package lists of $*"
	mkdir -p "$APT_DIR/none/partial" "$dir"/{lists/partial,state,cache/archives/partial}
	: >"$dir/status"
	: >"$dir/sources.list.new"
	for suite; do
		ok=
		for mirror in $(apt_mirrors "$suite"); do
			apt_source "$suite" "$mirror" >"$dir/sources.list"
			if apt_run "$set" apt-get update -qq -o APT::Update::Error-Mode=any >"$dir/log" 2>&1; then
				ok=y
				break
			fi
		done
		if [ -n "$ok" ]; then
			cat "$dir/sources.list" >>"$dir/sources.list.new"
		elif [ "$suite" = "$1" ]; then
			cat "$dir/log" >&2
			haul_die "no package list of $suite: check that /etc/apt's sources name a Debian mirror" \
				"for $(haul_release VERSION_CODENAME) and that it can be reached"
		fi
	done
	mv "$dir/sources.list.new" "$dir/sources.list"
	if [ "$(wc -l <"$dir/sources.list")" -gt 1 ]; then
		apt_run "$set" apt-get update -qq >"$dir/log" 2>&1 || haul_die "apt-get update failed: see $dir/log"
	fi
	touch "$dir/stamp"
}

# apt_field SET PACKAGE FIELD: a field of the newest version
apt_field() {
	apt_run "$1" apt-cache --no-all-versions show "$2" 2>/dev/null | sed -n "s/^$3: //p" | head -1
}

# apt_names SET REGEX: names of packages, in version order
apt_names() {
	apt_run "$1" apt-cache pkgnames | grep -E "^($2)\$" | sort -V
}

# apt_unpack SET DIR PACKAGE...: download and unpack, installing nothing
apt_unpack() {
	local set=$1 dir=$2 deb

	shift 2
	mkdir -p "$dir" "$dir.debs"
	haul_say "downloading $*"
	(cd "$dir.debs" && apt_run "$set" apt-get download -q "$@" >"$APT_DIR/$set/log" 2>&1) || {
		cat "$APT_DIR/$set/log" >&2
		haul_die "download failed; if a package has been superseded, run: scripts/kernel get --update NAME"
	}
	haul_say "unpacking $(du -sh "$dir.debs" | cut -f1) into $dir"
	for deb in "$dir.debs"/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	rm -rf "$dir.debs"
}
