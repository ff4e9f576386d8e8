/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A reading: what will be spoken for a written text, before anything is spoken. Made once when an
 * announcement is accepted or looked at (`loalang read`), from the text alone. Pure; any thread.
 *
 * Steps: tts/legacy (TCVN3 and VNI → Unicode) → tts/clean (NFC, harmless characters dropped, the
 * rest refused with their place) → tts/normalise (written Vietnamese → words) → tts/sentences (cut
 * for the engine) → tts/warnings, tts/length.
 */
#pragma once

#include "base/error.h"
#include "tts/normalise.h"
#include "tts/warnings.h"
#include <stddef.h>
#include <stdint.h>

#define READING_TEXT_CHARACTERS_MAX 20000
#define READING_TEXT_BYTES_MAX      65536

enum reading_refusal { /* why a text is refused; reading_refusal_name(): the receipt's reason */
	READING_FINE,
	READING_EMPTY,     /* nothing in it can be spoken: "empty" */
	READING_TOO_LONG,  /* above READING_TEXT_CHARACTERS_MAX: "too-long" */
	READING_BAD_VALUE, /* bad UTF-8, NUL or control character; *error names the byte:
			      "bad-value" */
};
const char *reading_refusal_name(enum reading_refusal refusal);

struct reading_sentence {
	char *text; /* plain words, NFC; ends with its stop, a piece of a longer one with a comma */
	size_t from, to;  /* the bytes of the written text it came from */
	int64_t pause_us; /* silence after it, at the reading's rate */
	int rate;         /* to say it at: the reading's, or slower for a telephone number */
};

struct reading_warning {
	enum warning_kind kind;
	size_t from, to; /* bytes of the written text */
	char *text;      /* what is there, valid UTF-8 even if the written text was none */
	char *detail;    /* Vietnamese */
};

struct reading_word {
	char *text;
	size_t from, to;
};

struct reading {
	char *spoken; /* the sentences joined by one blank */
	struct reading_sentence *sentences;
	size_t sentences_count;
	struct reading_word *words; /* syllables in order, each with its source */
	size_t words_count;
	struct reading_warning *warnings; /* in order of place */
	size_t warnings_count;
	double seconds; /* predicted, of one reading of the text without chimes, at `rate` */
};

struct reading_config {
	int rate;                  /* words a minute as espeak-ng counts, 80…300 */
	int64_t sentence_pause_us; /* between sentences at rate 130; scaled with the rate, as are
				      the pauses of other length */
	enum wording wording;      /* of the voice that will speak: reading_wording() */
	const struct lexicon *lexicon; /* the operator's, or NULL; borrowed for the call */
};

/* The wording that goes with a voice: southern voices (vi-vn-x-south) say ngàn and lẻ. */
enum wording reading_wording(const char *voice);

/* 0, or -EINVAL with *ret_refusal and *error (Vietnamese; names the place). */
int reading_new(const char *text, size_t length, const struct reading_config *config,
	struct reading **ret_reading, enum reading_refusal *ret_refusal,
	struct error *error) _must_check_;
struct reading *reading_free(struct reading *reading);
DEFINE_CLEANUP(struct reading *, reading_free)
