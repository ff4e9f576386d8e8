/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers → words, in the forms of Northern broadcasting: linh, mốt, tư and lăm after mươi, each
 * later group of three in full (1.005.000: một triệu không trăm linh năm nghìn). And words →
 * numbers, for amounts that are written twice. Pure; any thread. "Digits" are ASCII.
 */
#pragma once

#include "base/strbuf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wording {         /* of the region whose voice speaks */
	WORDING_NORTH, /* nghìn, linh */
	WORDING_SOUTH, /* ngàn, lẻ */
};

/* The most digits a number has; what is longer is said digit by digit. */
#define NUMBERS_DIGITS_MAX 18

/* Each adds words to `out`, with blanks between them and, if `out` is not empty, before them. */
void numbers_cardinal(const char *digits, size_t length, enum wording wording, struct strbuf *out);
void numbers_digits(const char *digits, size_t length, struct strbuf *out);
/* What follows the comma of a decimal: up to three digits as a number, others one by one. */
void numbers_fraction(const char *digits, size_t length, enum wording wording, struct strbuf *out);
void numbers_value(uint64_t value, enum wording wording, struct strbuf *out);

/* Adds a word in the same way. */
void numbers_word(const char *word, struct strbuf *out);

/* The value of number words in lower case, NFC, separated by single blanks ("một triệu năm trăm
 * nghìn"), in any of the regional forms. False if they are anything else or do not fit. */
bool numbers_parse(const char *words, size_t length, uint64_t *ret_value);
