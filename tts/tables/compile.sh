#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes C of the tables in this folder, for tts/tables.h. Usage: compile.sh FOLDER > tables.c
# A line "# …" is a comment. The form is that of tts/lexicon.h.
set -eu
export LC_ALL=C
folder=$1

# A mistake in a table stops the build and says where.
fields() { # FILE MIN MAX
	awk -F '\t' -v file="$1" -v min="$2" -v max="$3" '
		/^# / || /^#?$/ { next }
		NF < min || NF > max || /"|\\|\?\?/ || / \t|\t | $|^ |\t\t/ {
			printf "%s:%d: a field too many or too few, a blank at its edge, or a quote\n",
				file, FNR > "/dev/stderr"
			failed = 1
		}
		{ print }
		END { exit failed }' "$folder/$1.tsv"
}

lexicon() { # NAME
	printf '\nstatic const struct lexicon_entry %s_entries[] = {\n' "$1"
	fields "$1" 2 3 | sort -t '	' -k 1,1 | awk -F '\t' '
		function quoted(field) { return field == "" ? "NULL" : "\"" field "\"" }
		{ split($3, cues, "|"); printf "\t{ %s, %s, %s, %s },\n",
			quoted($1), quoted($2), quoted(cues[1]), quoted(cues[2]) }'
	flagged=false
	case $1 in units | documents) flagged=true ;; esac
	printf '};\nconst struct table table_%s = { %s_entries, sizeof %s_entries / sizeof *%s_entries, %s };\n' \
		"$1" "$1" "$1" "$1" $flagged
}

# cue <tab> phrase, phrase, …: turned round, a phrase once with all its cues.
cues() {
	printf '\nconst struct table_cue table_cues[] = {\n'
	fields cues 2 2 | awk -F '\t' '{
		count = split($2, phrases, ", *")
		for (i = 1; i <= count; i++)
			print phrases[i] "\tCUE_BIT(CUE_" toupper($1) ")"
	}' | sort -u | awk -F '\t' '
		$1 == phrase { bits = bits " | " $2; next }
		{ if (phrase != "") printf "\t{ \"%s\", %s },\n", phrase, bits; phrase = $1; bits = $2 }
		END { printf "\t{ \"%s\", %s },\n", phrase, bits }'
	printf '};\nconst size_t table_cues_count = sizeof table_cues / sizeof *table_cues;\n'
}

printf '/* Made by tts/tables/compile.sh. */\n#include "tts/tables.h"\n#include "tts/token.h"\n'
for name in abbreviations foreign units domains documents holidays respell; do
	fields "$name" 2 3 > /dev/null
done
fields cues 2 2 > /dev/null
for name in abbreviations foreign units domains documents holidays respell; do
	lexicon "$name"
done
cues
