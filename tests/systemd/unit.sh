#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# unit.sh FILE: systemd finds nothing wrong with the unit; nothing in it can end in silence
# (FAULTS F5); the device threads may be real-time; it is as closed as it was made to be.
set -eu -o pipefail
command -v systemd-analyze >/dev/null || exit 77

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unit=$work/loalangd.service
# The program need not be installed where the unit will look for it.
sed 's|^ExecStart=.*|ExecStart=/bin/true|' "$1" >"$unit"

# setting SECTION KEY: its value, as systemd takes it: the last one, in that section only.
setting() {
	awk -F = -v section="[$1]" -v key="$2" '
		/^\[/ { here = $0 == section }
		here && $1 == key { value = substr($0, length(key) + 2) }
		END { print value }' "$unit"
}

failed=0
expect() { # SECTION KEY VALUE WHY
	local value
	value=$(setting "$1" "$2")
	[[ $value == "$3" ]] || { echo "[$1] $2 is \"$value\", not \"$3\": $4" && failed=1; }
}
expect Unit StartLimitIntervalSec 0 "a start limit ends in silence"
expect Service StartLimitIntervalSec "" "it would set a limit again"
expect Service Restart always "a daemon that has left must come back"
expect Service WatchdogSec 30 "a wedged thread must be noticed"
expect Service Type notify "the watchdog and readiness are notified"
expect Service NoNewPrivileges yes "no program may gain what the daemon has not"
expect Service ProtectSystem strict "it writes its own state only"
expect Service DevicePolicy closed "no device but those allowed"
expect Service ProtectClock "" "adjtimex, which only asks, would be refused"
expect Service RestrictRealtime "" "the device threads need SCHED_FIFO"
expect Service PrivateDevices "" "/dev/snd must be there"
expect Service DeviceAllow "char-alsa rw" "/dev/snd must be there"
expect Service SupplementaryGroups audio "/dev/snd belongs to it"
(($(setting Service LimitRTPRIO) >= 50)) || { echo "LimitRTPRIO is too low" && failed=1; }

# Unknown keys are warnings to systemd; to us they are mistakes.
complaints=$(systemd-analyze verify --man=no --recursive-errors=no "$unit" 2>&1) ||
	{ echo "systemd-analyze verify failed" && failed=1; }
[[ -z $complaints ]] || { echo "$complaints" && failed=1; }

systemd-analyze security --offline=true --threshold=25 --no-pager "$unit" >"$work/security" 2>&1 ||
	{ grep -E '✗|exposure' "$work/security" && failed=1; }
exit "$failed"
