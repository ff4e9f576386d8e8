/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What Unicode says about a character, and canonical composition (NFC). By utf8proc; this is its
 * only user. Pure; any thread.
 */
#pragma once

#include "base/strbuf.h"
#include <stdbool.h>
#include <stdint.h>

enum unicode_kind {
	UNICODE_LETTER,      /* L* */
	UNICODE_MARK,        /* M*: belongs to the letter before it */
	UNICODE_NUMBER,      /* N* */
	UNICODE_PUNCTUATION, /* P* */
	UNICODE_SYMBOL,      /* Sm, Sc, Sk */
	UNICODE_PICTURE,     /* So: signs, emoji, boxes */
	UNICODE_BLANK,       /* Zs */
	UNICODE_LINE,        /* Zl, Zp */
	UNICODE_FORMAT,      /* Cf: invisible */
	UNICODE_CONTROL,     /* Cc */
	UNICODE_NOTHING,     /* unassigned, private, not a character */
};
enum unicode_kind unicode_kind(uint32_t codepoint);
bool unicode_is_upper(uint32_t codepoint);
bool unicode_is_lower(uint32_t codepoint);

/* Whether composition never joins `codepoint` to what stands before it, so that a text may be
 * composed in segments that begin with such characters. Errs on the side of no. */
bool unicode_starts_segment(uint32_t codepoint);
/* Whether `codepoint` alone is its own canonical composition. Errs on the side of no. */
bool unicode_is_composed(uint32_t codepoint);
/* Adds the canonical composition of valid UTF-8 to `out`. */
void unicode_compose(const char *text, size_t length, struct strbuf *out);
