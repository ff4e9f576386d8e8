/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * UTF-8 as bytes: decode, encode, validate. Pure. Strict (RFC 3629): no overlong forms, no
 * surrogates, nothing above U+10FFFF. Unicode properties live in tts/ (utf8proc), not here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the character at the start of text[0..length). Returns its length in bytes (1…4) and
 * sets *ret_codepoint; or returns 0 for an invalid or cut-off sequence, or length 0. */
size_t utf8_decode(const char *text, size_t length, uint32_t *ret_codepoint);

/* Writes `codepoint` (valid scalar value) into buffer[0..4), returns the bytes written (1…4). */
size_t utf8_encode(uint32_t codepoint, char buffer[4]);

/* Byte offset of the first invalid sequence, or `length` if all of it is valid. */
size_t utf8_valid_prefix(const char *text, size_t length);

/* Number of characters in valid UTF-8. */
size_t utf8_count(const char *text, size_t length);

/* The largest n <= limit at which text[0..length) can be cut without cutting a character. */
size_t utf8_cut(const char *text, size_t length, size_t limit);
