/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether a word is a Vietnamese syllable, by the rules of the spelling and not by a list of
 * words: an onset, a rhyme, a tone. A rhyme that ends in c, ch, p or t takes sắc or nặng only; c/k,
 * g/gh and ng/ngh go by the vowel after them; only some onsets come before a glide (oa, uê, uy…);
 * in an open oa, oe or uy the tone stands on either letter (hòa, hoà). What these rules allow
 * exists, or could and would be read without doubt. Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SYLLABLE_BYTES_MAX 15 /* the longest, nghiễng, has 11 */

/* Whether word[0..length), NFC, in any case, is a syllable. */
bool syllable_valid(const char *word, size_t length);

/* Each syllable that is accepted, in lower case; from a cursor that is all zero. False at the
 * end. */
struct syllable_cursor {
	size_t onset, rhyme, tone, place;
};
bool syllable_next(struct syllable_cursor *cursor, char ret_word[SYLLABLE_BYTES_MAX + 1]);
