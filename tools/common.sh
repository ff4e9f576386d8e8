# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What ./quickstart and ./check share. Sourced, with the repository's root as the working directory.

export LC_ALL=C.UTF-8
# Debian keeps mosquitto in /usr/sbin, which is not in an ordinary user's PATH.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

heading() { printf '\n== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
complain() { printf '!! %s\n' "$*" >&2; }

# packages_of GROUP…: the packages of these groups, one on a line.
packages_of() {
	local group
	for group in "$@"; do
		awk -v group="$group" '$1 == group { print $2 }' tools/packages
	done
}

package_installed() {
	[[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# as_root COMMAND…: directly when root, else through sudo.
as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo "$@"
	fi
}

# Keeps apt from starting Debian's own broker on port 1883: nothing here uses it, and somebody who
# only wants a look has not asked for a service. The policy is Debian's way to say so; one that is
# there already is left alone. It is taken away again after the installation.
readonly policy=/usr/sbin/policy-rc.d
hold_back_broker() {
	[[ ! -e $policy ]] && ! package_installed mosquitto || return 1
	# shellcheck disable=SC2016 # expanded by the policy, not here
	printf '%s\n' '#!/bin/sh' 'test "${1%.service}" != mosquitto || exit 101' |
		as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy"
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y \
		-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# install_packages GROUP…: installs what is missing; silent when nothing is. In a subshell, so
# that its trap is its own: cut off in the middle, the policy must not stay behind.
install_packages() (
	missing=()
	if ! command -v apt-get >/dev/null; then
		note "Không phải Debian: hãy tự cài các gói / not Debian, please install:" \
			"$(packages_of "$@" | tr '\n' ' ')"
		exit 0
	fi
	while read -r package; do
		package_installed "$package" || missing+=("$package")
	done < <(packages_of "$@")
	((${#missing[@]})) || exit 0

	heading "Cài các gói / Installing packages: ${missing[*]}"
	if ((EUID != 0)) && ! command -v sudo >/dev/null; then
		complain "Cần quyền root hoặc sudo / needs root or sudo:" \
			"apt-get install ${missing[*]}"
		exit 1
	fi
	log=$(mktemp) || exit 1
	trap 'rm -f "$log"' EXIT
	if hold_back_broker; then
		trap 'rm -f "$log"; as_root rm -f "$policy"' EXIT
	fi
	{
		apt_get update && apt_get install --no-install-recommends "${missing[@]}"
	} >"$log" 2>&1 && exit 0
	tail -n 30 "$log" >&2
	complain "apt-get: không cài được / failed"
	exit 1
)

# configure PRESET [ARGUMENT…]: from a clean cache when the tree has been moved or copied.
configure() {
	cmake --preset "$@" || cmake --fresh --preset "$@"
}
