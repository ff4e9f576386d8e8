/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A foreign word in Vietnamese syllables, by rule: what is said of a word that no table has.
 * "Betaco" → bê ta cô, "Prudential" → pờ ru đen ti an. Pure; any thread.
 */
#pragma once

#include "base/strbuf.h"
#include <stdbool.h>

/* Longer words are not read. */
#define TRANSCRIBE_LETTERS_MAX 24

/* Adds the syllables of the word (lower case, NFC) to `out` with blanks between them and, if it is
 * not empty, before them. False, and nothing added, if it has a letter that is not Latin, or no
 * vowel, or is too long. */
bool transcribe(const char *word, size_t length, struct strbuf *out);
