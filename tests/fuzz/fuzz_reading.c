/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any bytes → what would be spoken. Whatever is read is valid UTF-8 without a digit or a sign, not
 * endless, with spans inside the text and in order, in sentences that an engine can take; and said
 * again, it is the same words: nothing of what was said is left to be read.
 */
#include "base/clock.h"
#include "base/utf8.h"
#include "tts/letter.h"
#include "tts/reading.h"
#include "tts/sentences.h"
#include "tts/unicode.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define GROWTH_MAX 40  /* of the spoken text over the written one */
#define SPARE      400 /* a few signs have a name that is longer */

static const struct reading_config config = { .rate = 130, .sentence_pause_us = 450 * US_PER_MS };

#define require(condition) require_that(condition, #condition)
static void require_that(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static void check_text(const char *text)
{
	size_t length = strlen(text);

	require(utf8_valid_prefix(text, length) == length);
	for (size_t at = 0; at < length;) {
		uint32_t c = 0;
		at += utf8_decode(text + at, length - at, &c);
		require(unicode_kind(c) == UNICODE_LETTER || strchr(" ,;:.?!", (int)c));
	}
}

static void check_spans(const struct reading *reading, size_t size)
{
	for (size_t i = 0; i < reading->words_count; i++) {
		require(reading->words[i].from < reading->words[i].to);
		require(reading->words[i].to <= size);
		require(i == 0 || reading->words[i - 1].from <= reading->words[i].from);
	}
	for (size_t i = 0; i < reading->warnings_count; i++) {
		const char *text = reading->warnings[i].text;
		require(reading->warnings[i].from < reading->warnings[i].to);
		require(reading->warnings[i].to <= size);
		require(utf8_valid_prefix(text, strlen(text)) == strlen(text));
	}
	for (size_t i = 0; i < reading->sentences_count; i++) {
		const char *text = reading->sentences[i].text;
		check_text(text);
		require(utf8_count(text, strlen(text)) <= SENTENCE_CHARACTERS_MAX + 2);
		require(reading->sentences[i].from < reading->sentences[i].to);
		require(reading->sentences[i].to <= size);
	}
}

/* The words alike but for capitals: what was cut as too long may be cut elsewhere. */
static bool alike(const char *left, const char *right)
{
	size_t length = strlen(left);

	if (strlen(right) != length)
		return false;
	for (size_t at = 0; at < length;) {
		uint32_t a = 0, b = 0;
		(void)utf8_decode(left + at, length - at, &a);
		at += utf8_decode(right + at, length - at, &b);
		if (letter_lower(a) != letter_lower(b))
			return false;
	}
	return true;
}

static void check_again(const struct reading *reading)
{
	struct reading *again = NULL;
	enum reading_refusal refusal;
	size_t length = strlen(reading->spoken);

	if (length > READING_TEXT_BYTES_MAX ||
		utf8_count(reading->spoken, length) > READING_TEXT_CHARACTERS_MAX)
		return;
	require(reading_new(reading->spoken, length, &config, &again, &refusal, NULL) == 0);
	require(again->words_count == reading->words_count);
	for (size_t i = 0; i < again->words_count; i++)
		require(alike(again->words[i].text, reading->words[i].text));
	reading_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading *reading = NULL;
	enum reading_refusal refusal = READING_FINE;
	struct error error = { "" };

	if (reading_new((const char *)data, size, &config, &reading, &refusal, &error) < 0) {
		require(refusal != READING_FINE && error.text[0]);
		return 0;
	}
	require(strlen(reading->spoken) <= GROWTH_MAX * size + SPARE);
	check_text(reading->spoken);
	check_spans(reading, size);
	check_again(reading);
	reading_free(reading);
	return 0;
}
