/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cuts spoken words (tts/normalise.h) into what an engine is given at a time. A sentence ends where
 * its words say so; above SENTENCE_CHARACTERS_MAX it is cut at a comma, or else between words; a
 * telephone number is a piece of its own, to be said slowly. Pure; any thread; time linear.
 */
#pragma once

#include "base/strbuf.h"
#include "tts/normalise.h"
#include <stdbool.h>
#include <stddef.h>

#define SENTENCE_CHARACTERS_MAX 200
#define SENTENCE_SLOW_WORDS_MIN 5 /* fewer digits than these (115) are understood at once */

enum sentence_end {         /* what comes after it */
	SENTENCE_STOP,      /* the next sentence */
	SENTENCE_PARAGRAPH, /* the next paragraph */
	SENTENCE_CLAUSE,    /* the rest of it, after ; or : */
	SENTENCE_COMMA,     /* the rest of it, after a comma, or around a slow piece */
	SENTENCE_BLANK,     /* the rest of it: cut between words */
};

struct sentence {
	size_t first, to; /* words first…to − 1 */
	enum sentence_end end;
	bool slow;
	bool continues; /* what the piece before it began */
	bool repeats;   /* begins with "Xin nhắc lại": the message is said once more */
};

struct sentences {
	struct sentence *list;
	size_t count;
	size_t capacity;
	bool under_way; /* the last one is a piece that goes on */
};

/* Adds the sentences of `normalised` to `sentences`. */
void sentences_cut(struct sentences *sentences, const struct normalised *normalised);
void sentences_done(struct sentences *sentences);

/* Adds the sentence to `out` as an engine gets it: with a stop at its end (a
 * piece: a comma) and a capital at its beginning (not a later piece), without which espeak-ng makes neither pause nor cadence. */
void sentence_write(
	const struct normalised *normalised, const struct sentence *sentence, struct strbuf *out);
