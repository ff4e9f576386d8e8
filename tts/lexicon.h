/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lexicon: what is said in place of what is written. The operator's file (speech.lexicon) and the
 * tables of tts/tables/ have the same form, UTF-8, one entry a line, fields separated by tabs:
 *
 *   WRITTEN <tab> spoken [<tab> left cues | right cues]
 *
 * WRITTEN is compared letter by letter, capitals included; where several entries fit, the longest
 * one whose cues fit is taken, and one with cues before one without. A cue is a word (or words
 * joined by "_") that must stand just before (left) or just after (right) it, in any case; "*" is
 * any name (a word with a capital), "#" any number, "@" a date or a time of the day, "+" a plate or
 * an account; several are separated by commas, one of them is enough. A line that begins with "# " is a comment.
 * `spoken` is Vietnamese syllables (tts/syllable.h), and " , " for a pause. Immutable after it was
 * made; any thread.
 */
#pragma once

#include "base/error.h"
#include <stddef.h>

#define LEXICON_BYTES_MAX   (256 * 1024) /* of the operator's file */
#define LEXICON_WRITTEN_MAX 96           /* bytes of one WRITTEN */
#define LEXICON_SPOKEN_MAX  400          /* bytes of one `spoken` */

struct lexicon_entry { /* cues: words separated by ",", or NULL: none needed */
	const char *written, *spoken, *left, *right;
};

struct lexicon;

/* The entries of a file that was read into text[0..length). 0, or -EINVAL with *error, which names
 * `file` and the line: bad UTF-8, a missing field, the same entry twice, a spoken word that is no
 * Vietnamese syllable, too long. */
int lexicon_parse(const char *text, size_t length, const char *file, struct lexicon **ret_lexicon,
	struct error *error) _must_check_;
/* Reads the file and parses it; 0 or -errno with *error. */
int lexicon_load(const char *path, struct lexicon **ret_lexicon, struct error *error) _must_check_;
struct lexicon *lexicon_free(struct lexicon *lexicon);
DEFINE_CLEANUP(struct lexicon *, lexicon_free)

size_t lexicon_count(const struct lexicon *lexicon);
/* Entry 0…count−1, ordered by the bytes of WRITTEN. */
const struct lexicon_entry *lexicon_entries(const struct lexicon *lexicon);
