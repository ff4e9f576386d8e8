/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utf8.h"

/* The least code point that needs a sequence of that many bytes (RFC 3629 §3). */
static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

static size_t sequence_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if ((first & 0xe0) == 0xc0)
		return 2;
	if ((first & 0xf0) == 0xe0)
		return 3;
	if ((first & 0xf8) == 0xf0)
		return 4;
	return 0;
}

size_t utf8_decode(const char *text, size_t length, uint32_t *ret_codepoint)
{
	if (length == 0)
		return 0;
	const unsigned char *bytes = (const unsigned char *)text;
	size_t needed = sequence_length(bytes[0]);
	if (needed == 0 || needed > length)
		return 0;
	uint32_t codepoint = needed == 1 ? bytes[0] : bytes[0] & (0x7fu >> needed);
	for (size_t i = 1; i < needed; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		codepoint = codepoint << 6 | (bytes[i] & 0x3f);
	}
	if (codepoint < least[needed] || codepoint > 0x10ffff ||
		(codepoint >= 0xd800 && codepoint <= 0xdfff))
		return 0;
	*ret_codepoint = codepoint;
	return needed;
}

size_t utf8_encode(uint32_t codepoint, char buffer[4])
{
	if (codepoint < 0x80) {
		buffer[0] = (char)codepoint;
		return 1;
	}
	size_t length = codepoint < 0x800 ? 2 : codepoint < 0x10000 ? 3 : 4;
	for (size_t i = length - 1; i > 0; i--) {
		buffer[i] = (char)(0x80 | (codepoint & 0x3f));
		codepoint >>= 6;
	}
	buffer[0] = (char)((0xf00u >> length & 0xf0) | codepoint);
	return length;
}

size_t utf8_valid_prefix(const char *text, size_t length)
{
	size_t at = 0;
	uint32_t codepoint;

	while (at < length) {
		size_t bytes = utf8_decode(text + at, length - at, &codepoint);
		if (bytes == 0)
			break;
		at += bytes;
	}
	return at;
}

size_t utf8_count(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

size_t utf8_cut(const char *text, size_t length, size_t limit)
{
	if (length <= limit)
		return length;
	while (limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80)
		limit--;
	return limit;
}
