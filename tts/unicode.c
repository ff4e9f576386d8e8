/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/unicode.h"

#include <utf8proc.h>

static const enum unicode_kind kinds[] = {
	[UTF8PROC_CATEGORY_CN] = UNICODE_NOTHING,
	[UTF8PROC_CATEGORY_LU] = UNICODE_LETTER,
	[UTF8PROC_CATEGORY_LL] = UNICODE_LETTER,
	[UTF8PROC_CATEGORY_LT] = UNICODE_LETTER,
	[UTF8PROC_CATEGORY_LM] = UNICODE_LETTER,
	[UTF8PROC_CATEGORY_LO] = UNICODE_LETTER,
	[UTF8PROC_CATEGORY_MN] = UNICODE_MARK,
	[UTF8PROC_CATEGORY_MC] = UNICODE_MARK,
	[UTF8PROC_CATEGORY_ME] = UNICODE_MARK,
	[UTF8PROC_CATEGORY_ND] = UNICODE_NUMBER,
	[UTF8PROC_CATEGORY_NL] = UNICODE_NUMBER,
	[UTF8PROC_CATEGORY_NO] = UNICODE_NUMBER,
	[UTF8PROC_CATEGORY_PC] = UNICODE_PUNCTUATION,
	[UTF8PROC_CATEGORY_PD] = UNICODE_PUNCTUATION,
	[UTF8PROC_CATEGORY_PS] = UNICODE_PUNCTUATION,
	[UTF8PROC_CATEGORY_PE] = UNICODE_PUNCTUATION,
	[UTF8PROC_CATEGORY_PI] = UNICODE_PUNCTUATION,
	[UTF8PROC_CATEGORY_PF] = UNICODE_PUNCTUATION,
	[UTF8PROC_CATEGORY_PO] = UNICODE_PUNCTUATION,
	[UTF8PROC_CATEGORY_SM] = UNICODE_SYMBOL,
	[UTF8PROC_CATEGORY_SC] = UNICODE_SYMBOL,
	[UTF8PROC_CATEGORY_SK] = UNICODE_SYMBOL,
	[UTF8PROC_CATEGORY_SO] = UNICODE_PICTURE,
	[UTF8PROC_CATEGORY_ZS] = UNICODE_BLANK,
	[UTF8PROC_CATEGORY_ZL] = UNICODE_LINE,
	[UTF8PROC_CATEGORY_ZP] = UNICODE_LINE,
	[UTF8PROC_CATEGORY_CC] = UNICODE_CONTROL,
	[UTF8PROC_CATEGORY_CF] = UNICODE_FORMAT,
	[UTF8PROC_CATEGORY_CS] = UNICODE_NOTHING,
	[UTF8PROC_CATEGORY_CO] = UNICODE_NOTHING,
};

enum unicode_kind unicode_kind(uint32_t codepoint)
{
	/* Nearly all there is, without a look into the tables. */
	if ((codepoint >= 'a' && codepoint <= 'z') || (codepoint >= 'A' && codepoint <= 'Z') ||
		(codepoint >= 0x1ea0 && codepoint <= 0x1ef9))
		return UNICODE_LETTER;
	return kinds[utf8proc_category((utf8proc_int32_t)codepoint)];
}

bool unicode_is_upper(uint32_t codepoint)
{
	return utf8proc_category((utf8proc_int32_t)codepoint) == UTF8PROC_CATEGORY_LU;
}

bool unicode_is_lower(uint32_t codepoint)
{
	return utf8proc_category((utf8proc_int32_t)codepoint) == UTF8PROC_CATEGORY_LL;
}

bool unicode_starts_segment(uint32_t codepoint)
{
	if (codepoint < 0x300)
		return true;
	/* Outside Latin and the signs there are second halves without a combining class (Hangul
	 * vowels, some Indic vowels): there a whole run of characters is one segment. */
	return codepoint >= 0x1e00 && codepoint < 0x3000 &&
	       utf8proc_get_property((utf8proc_int32_t)codepoint)->combining_class == 0;
}

bool unicode_is_composed(uint32_t codepoint)
{
	return codepoint < 0x300 || (codepoint >= 0x1e00 && codepoint < 0x1f00);
}

void unicode_compose(const char *text, size_t length, struct strbuf *out)
{
	utf8proc_uint8_t *composed = NULL;
	utf8proc_ssize_t bytes = utf8proc_map((const utf8proc_uint8_t *)text,
		(utf8proc_ssize_t)length, &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);

	/* The text is valid, so only memory can be missing (base/strbuf.h). */
	if (bytes < 0)
		abort();
	strbuf_add(out, (const char *)composed, (size_t)bytes);
	free(composed);
}
