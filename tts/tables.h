/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The tables of the folder tts/tables, as its compile.sh makes C of them at build time: each
 * ordered by the bytes of its first field. Inside tts/ only.
 */
#pragma once

#include "tts/lexicon.h"
#include <stdbool.h>
#include <stdint.h>

struct table_cue {
	const char *phrase; /* words in lower case, tone on the first vowel */
	uint64_t cues;      /* CUE_BIT(enum cue) */
};
extern const struct table_cue table_cues[];
extern const size_t table_cues_count;

struct table {
	const struct lexicon_entry *entries;
	size_t count;
	bool flagged; /* `left` is not a cue but a flag */
};
extern const struct table table_abbreviations; /* case as written */
extern const struct table table_foreign;       /* written in lower case */
extern const struct table table_units;         /* `left`: flags, see enum unit_flag */
extern const struct table table_domains;       /* letters without marks, of web addresses */
extern const struct table table_documents;     /* codes; `left`: "type" or "issuer" */
extern const struct table table_holidays;      /* day/month */
extern const struct table table_respell;       /* syllables espeak-ng misreads */
