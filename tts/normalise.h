/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Written Vietnamese → what a newsreader says: plain Vietnamese words and pauses, nothing else. No
 * digit, sign, abbreviation, foreign word or Roman numeral is left, whatever was written.
 *
 * In: a whole text that was cleaned (tts/clean.h). Out: the words in order, each with the bytes of
 * the clean text it came from and the pause after it. normalised_write() makes a text of them,
 * which normalises to itself. Pure; any thread; time and memory linear in the length.
 *
 * The passes are listed in tts/normalise.c; each is a file tts/pass_*.c with its rules. The tables
 * are in tts/tables/, for people who know Vietnamese and need not know C.
 */
#pragma once

#include "base/strbuf.h"
#include "tts/lexicon.h"
#include "tts/numbers.h"
#include <stdbool.h>
#include <stddef.h>

struct normalise_config {
	enum wording wording;
	const struct lexicon *lexicon; /* the operator's; NULL: none. Borrowed for the call */
};

enum spoken_pause { /* after a word; a greater one includes the smaller */
	SPOKEN_PAUSE_NONE,
	SPOKEN_PAUSE_COMMA, /* , ( ) and a dash between words; between the groups of a phone number */
	SPOKEN_PAUSE_CLAUSE,    /* ; : … */
	SPOKEN_PAUSE_STOP,      /* . ? ! : the sentence ends */
	SPOKEN_PAUSE_LINE,      /* the line ends, and with it the sentence */
	SPOKEN_PAUSE_PARAGRAPH, /* an empty line follows */
};

struct spoken_word {
	const char *text; /* one syllable; a capital only where one was written */
	size_t from, to;  /* bytes of the clean text it was made from; words made from one written
			     thing share them. from ≤ the next word's from */
	enum spoken_pause pause;
	char mark; /* what is written after it: , ; : . ? ! or '\0' */
	bool slow; /* part of a phone number, an account or a plate: better said slowly */
};

enum normalise_warning_kind {
	NORMALISE_UNKNOWN_ABBREVIATION, /* spelled with the names of its letters */
	NORMALISE_UNKNOWN_WORD,         /* neither Vietnamese nor in a table: respelled by rule */
};

struct normalise_warning {
	enum normalise_warning_kind kind;
	size_t from, to; /* bytes of the clean text */
};

struct written_date {              /* a date that was written with figures */
	unsigned day, month, year; /* year 0: not written; day 0: month and year only */
	size_t from, to;           /* bytes of the clean text */
};

struct written_amount { /* an amount of money or a count, in figures, that words in brackets repeat */
	size_t from, to;             /* the figures and the unit */
	size_t words_from, words_to; /* the words between the brackets */
	bool same;                   /* both say the same: only said once */
};

struct normalised {
	struct spoken_word *words;
	size_t words_count;
	struct normalise_warning *warnings;
	size_t warnings_count;
	struct written_date *dates;
	size_t dates_count;
	struct written_amount *amounts;
	size_t amounts_count;
	char *pool; /* owns the words' texts */
};

struct normalised *normalise_new(
	const char *clean, size_t length, const struct normalise_config *config) _must_check_;
struct normalised *normalised_free(struct normalised *normalised);
DEFINE_CLEANUP(struct normalised *, normalised_free)

/* Adds words[first..end) to `out`, with blanks between and their marks after them. */
void normalised_write(
	const struct normalised *normalised, size_t first, size_t end, struct strbuf *out);
