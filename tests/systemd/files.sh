#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# files.sh SYSUSERS TMPFILES: in an empty root, they make the user of the unit, in group audio, and
# its configuration's folder.
set -eu -o pipefail
command -v systemd-sysusers >/dev/null && command -v systemd-tmpfiles >/dev/null || exit 77

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/etc"
printf 'root:x:0:0::/root:/bin/sh\n' >"$work/etc/passwd"
printf 'root:x:0:\naudio:x:29:\n' >"$work/etc/group"

if ((EUID != 0)); then # others may not give files away
	systemd-sysusers --dry-run --root="$work" "$(realpath "$1")"
	exit 0
fi
# Both read the file below the root that they are given.
install -D -m 644 "$1" "$work/usr/lib/sysusers.d/loalang.conf"
install -D -m 644 "$2" "$work/usr/lib/tmpfiles.d/loalang.conf"
systemd-sysusers --root="$work" loalang.conf
systemd-tmpfiles --root="$work" --create loalang.conf
grep -q '^loalang:' "$work/etc/passwd"
grep -q '^audio:x:29:loalang$' "$work/etc/group"
folder=$(sed -n 's/^d \([^ ]*\) .*/\1/p' "$2")
group=$(sed -n 's/^loalang:[^:]*:\([0-9]*\):.*/\1/p' "$work/etc/group")
[[ $(stat -c '%a %u %g' "$work$folder") == "750 0 $group" ]]
