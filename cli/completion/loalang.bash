# SPDX-License-Identifier: GPL-3.0-or-later
# Bash completion of loalang.
_loalang_command() {
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c | --config | --site | --host | --port) ((i++)) ;;
		-*) ;;
		*)
			echo "${COMP_WORDS[i]}"
			return
			;;
		esac
	done
}

_loalang() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local global='--config --site --host --port --json --help' options

	case $previous in
	-c | --config | -o | --out | --schedule | put)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	-p | --priority)
		mapfile -t COMPREPLY < <(compgen -W 'background normal priority emergency' -- "$current")
		return
		;;
	--wait)
		mapfile -t COMPREPLY < <(compgen -W 'accepted started finished' -- "$current")
		return
		;;
	esac
	case $(_loalang_command) in
	say) options="--zone --priority --start --expires --repeat --chime --id --revision --wait --timeout --yes" ;;
	stop | skip | mute | unmute) options="--zone" ;;
	history) options="--since --until --zone --output --id --all --csv --timeout" ;;
	plan) options="--from --days --month --schedule --zone --output --ics --timeout" ;;
	schedule) options="put list delete --zone --yes --timeout" ;;
	read) options="--lines" ;;
	render) options="--out --priority --chime --output" ;;
	media) options="put" ;;
	withdraw | status | queue) options="" ;;
	*) options="--version say withdraw stop skip mute unmute status queue history plan schedule read render media" ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$options $global" -- "$current")
}

complete -o filenames -o bashdefault -F _loalang loalang
