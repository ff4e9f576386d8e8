/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever text is sent: what reaches an engine is bounded, valid, composed, without control
 * bytes and without the beginning of a markup; and every piece says where it came from.
 */
#include "base/utf8.h"
#include "tts/clean.h"
#include "tts/engine.h"
#include "tts/reading.h"
#include "tts/sentences.h"
#include "tts/unicode.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_plain(const char *text)
{
	size_t length = strlen(text);
	struct strbuf composed = { 0 };

	require(utf8_valid_prefix(text, length) == length);
	for (const char *c = text; *c; c++)
		require((unsigned char)*c >= 0x20 && *c != 0x7f && !strchr("[]{}<>\\", *c));
	for (const char *c = strchr(text, '&'); c; c = strchr(c + 1, '&'))
		require(!c[1] || strchr(" .,", c[1]));
	unicode_compose(text, length, &composed);
	require(strcmp(composed.text, text) == 0);
	strbuf_done(&composed);
}

static void check_reading(const struct reading *reading, size_t length)
{
	size_t from = 0;

	require(reading->sentences_count > 0 && reading->seconds > 0);
	for (size_t i = 0; i < reading->sentences_count; i++) {
		const struct reading_sentence *sentence = &reading->sentences[i];
		check_plain(sentence->text);
		require(sentence->text[0] && sentence->text[0] != '-');
		require(utf8_count(sentence->text, strlen(sentence->text)) <=
			SENTENCE_CHARACTERS_MAX + 1);
		require(sentence->from < sentence->to && sentence->to <= length);
		require(sentence->from >= from && sentence->pause_us >= 0);
		from = sentence->from;
	}
	for (size_t i = 0; i < reading->words_count; i++)
		require(reading->words[i].from < reading->words[i].to &&
			reading->words[i].to <= length);
	for (size_t i = 0; i < reading->warnings_count; i++)
		require(reading->warnings[i].from < reading->warnings[i].to &&
			reading->warnings[i].to <= length);
}

/* What was cleaned once is clean. */
static void check_clean_is_stable(const char *text, size_t length)
{
	_cleanup_(clean_freep) struct clean *once = NULL;
	_cleanup_(clean_freep) struct clean *twice = NULL;

	if (clean_new(text, length, &once, NULL) < 0)
		return;
	require(clean_new(once->text, once->length, &twice, NULL) == 0);
	require(strcmp(once->text, twice->text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const struct reading_config config = { .rate = 130, .sentence_pause_us = 450000 };
	_cleanup_(reading_freep) struct reading *reading = NULL;
	enum reading_refusal refusal;
	struct error error = { "" };

	if (reading_new((const char *)bytes, length, &config, &reading, &refusal, &error) < 0)
		require(!reading && refusal != READING_FINE && error.text[0]);
	else
		check_reading(reading, length);
	check_clean_is_stable((const char *)bytes, length);
	return 0;
}
