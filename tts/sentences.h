/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cuts clean text (tts/clean.h) into sentences for an engine: at stops that end a sentence (not
 * those of TP., v.v., 3.6.2020), at every end of line, and, above SENTENCE_CHARACTERS_MAX, at a
 * comma or else a blank. What has no letter and no digit is left out. Pure; any thread.
 */
#pragma once

#include "base/strbuf.h"
#include <stddef.h>

#define SENTENCE_CHARACTERS_MAX 200

enum sentence_end {         /* what comes after it */
	SENTENCE_STOP,      /* the next sentence */
	SENTENCE_PARAGRAPH, /* an empty line */
	SENTENCE_COMMA,     /* the rest of it: cut at a comma, semicolon, colon or dash */
	SENTENCE_BLANK,     /* the rest of it: cut between words, or through a word */
};

struct sentence {
	size_t from, to; /* bytes of the text, without blanks and bullets around it */
	enum sentence_end end;
};

struct sentences {
	struct sentence *list;
	size_t count;
	size_t capacity;
};

/* Adds the sentences of text[0..length) (valid UTF-8) to `sentences`. */
void sentences_split(struct sentences *sentences, const char *text, size_t length);
void sentences_done(struct sentences *sentences);

/* Adds the sentence to `out` as an engine gets it: with a stop at its end (a cut one: a comma). */
void sentence_write(const char *text, const struct sentence *sentence, struct strbuf *out);
