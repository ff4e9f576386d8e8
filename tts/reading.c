/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/reading.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "tts/clean.h"
#include "tts/length.h"
#include "tts/sentences.h"
#include "tts/unicode.h"

#include <errno.h>
#include <string.h>

#define PAUSE_RATE 130 /* at which the configured pauses are meant */
#define COMMA_PAUSE_US \
	(240 * US_PER_MS) /* with the sentences' edges it sounds as espeak-ng's own */
#define BLANK_PAUSE_US (20 * US_PER_MS)

static const char *const refusal_names[] = {
	[READING_FINE] = NULL,
	[READING_EMPTY] = "empty",
	[READING_TOO_LONG] = "too-long",
	[READING_BAD_VALUE] = "bad-value",
};

const char *reading_refusal_name(enum reading_refusal refusal)
{
	return refusal_names[refusal];
}

static const char *const warning_kind_names[] = {
	[READING_WARNING_DROPPED] = "dropped",
};

const char *reading_warning_kind_name(enum reading_warning_kind kind)
{
	return warning_kind_names[kind];
}

struct reading *reading_free(struct reading *reading)
{
	if (!reading)
		return NULL;
	for (size_t i = 0; i < reading->sentences_count; i++)
		free(reading->sentences[i].text);
	for (size_t i = 0; i < reading->words_count; i++)
		free(reading->words[i].text);
	for (size_t i = 0; i < reading->warnings_count; i++)
		free(reading->warnings[i].detail);
	free(reading->sentences);
	free(reading->words);
	free(reading->warnings);
	free(reading->spoken);
	free(reading);
	return NULL;
}

/* --- Sentences -----------------------------------------------------------------------------------
 */

static int64_t pause_us(enum sentence_end end, const struct reading_config *config)
{
	const int64_t pauses[] = {
		[SENTENCE_STOP] = config->sentence_pause_us,
		[SENTENCE_PARAGRAPH] = 2 * config->sentence_pause_us,
		[SENTENCE_COMMA] = COMMA_PAUSE_US,
		[SENTENCE_BLANK] = BLANK_PAUSE_US,
	};

	return pauses[end] * PAUSE_RATE / config->rate;
}

static void add_sentences(struct reading *reading, const struct clean *clean,
	const struct sentences *sentences, const struct reading_config *config)
{
	struct strbuf spoken = { 0 };

	reading->sentences = xcalloc(sentences->count, sizeof *reading->sentences);
	reading->sentences_count = sentences->count;
	for (size_t i = 0; i < sentences->count; i++) {
		const struct sentence *sentence = &sentences->list[i];
		struct clean_span source = clean_source(clean, sentence->from, sentence->to);
		struct strbuf text = { 0 };
		sentence_write(clean->text, sentence, &text);
		if (i > 0) {
			reading->seconds += (double)reading->sentences[i - 1].pause_us /
					    (double)US_PER_SEC;
			strbuf_putc(&spoken, ' ');
		}
		reading->seconds += length_of_sentence(text.text, text.length, config->rate);
		strbuf_add(&spoken, text.text, text.length);
		reading->sentences[i] = (struct reading_sentence){
			.text = strbuf_take(&text),
			.from = source.from,
			.to = source.to,
			.pause_us = pause_us(sentence->end, config),
		};
	}
	reading->spoken = strbuf_take(&spoken);
}

/* --- Words
 * ----------------------------------------------------------------------------------------- */

/* The word text[*from..*to) without the punctuation around it; false when nothing is left. */
static bool strip(const char *text, size_t *from, size_t *to)
{
	size_t first = *to, last = *from;

	for (size_t at = *from; at < *to;) {
		uint32_t c;
		size_t here = at;
		at += utf8_decode(text + at, *to - at, &c);
		enum unicode_kind kind = unicode_kind(c);
		if (kind == UNICODE_PUNCTUATION && c != '%')
			continue;
		if (first == *to)
			first = here;
		last = at;
	}
	*from = first;
	*to = last;
	return first < last;
}

static size_t next_word(const char *text, size_t at, size_t end, size_t *ret_from, size_t *ret_to)
{
	while (at < end && text[at] == ' ')
		at++;
	*ret_from = at;
	while (at < end && text[at] != ' ')
		at++;
	*ret_to = at;
	return at;
}

static void add_words(
	struct reading *reading, const struct clean *clean, const struct sentences *sentences)
{
	size_t capacity = 0, from, to;

	for (size_t i = 0; i < sentences->count; i++) {
		const struct sentence *sentence = &sentences->list[i];
		for (size_t at = sentence->from; at < sentence->to;) {
			at = next_word(clean->text, at, sentence->to, &from, &to);
			if (!strip(clean->text, &from, &to))
				continue;
			if (reading->words_count == capacity) {
				capacity = capacity ? capacity * 2 : 64;
				reading->words = xreallocarray(
					reading->words, capacity, sizeof *reading->words);
			}
			struct clean_span source = clean_source(clean, from, to);
			reading->words[reading->words_count++] = (struct reading_word){
				.text = xstrndup(clean->text + from, to - from),
				.from = source.from,
				.to = source.to,
			};
		}
	}
}

/* --- Warnings
 * --------------------------------------------------------------------------------------- */

#define WARNING_QUOTE_MAX 40 /* bytes of the dropped text that are shown */

static void add_warnings(struct reading *reading, const struct clean *clean, const char *text)
{
	reading->warnings = xcalloc(clean->dropped_count, sizeof *reading->warnings);
	reading->warnings_count = clean->dropped_count;
	for (size_t i = 0; i < clean->dropped_count; i++) {
		struct clean_span span = clean->dropped[i];
		size_t quoted = utf8_cut(text + span.from, span.to - span.from, WARNING_QUOTE_MAX);
		reading->warnings[i] = (struct reading_warning){
			.kind = READING_WARNING_DROPPED,
			.from = span.from,
			.to = span.to,
			.detail = xasprintf(
				"“%.*s” không đọc được, đã bỏ qua", (int)quoted, text + span.from),
		};
	}
}

/* --- The whole
 * ---------------------------------------------------------------------------------------- */

static int refuse(enum reading_refusal refusal, enum reading_refusal *ret_refusal)
{
	*ret_refusal = refusal;
	return -EINVAL;
}

static int check_length(const char *text, size_t length, struct error *error)
{
	if (length > READING_TEXT_BYTES_MAX)
		return error_set(error, -EINVAL, "văn bản dài %zu byte, tối đa là %d", length,
			READING_TEXT_BYTES_MAX);
	size_t characters = utf8_count(text, length);
	if (characters > READING_TEXT_CHARACTERS_MAX)
		return error_set(error, -EINVAL, "văn bản dài %zu ký tự, tối đa là %d", characters,
			READING_TEXT_CHARACTERS_MAX);
	return 0;
}

int reading_new(const char *text, size_t length, const struct reading_config *config,
	struct reading **ret_reading, enum reading_refusal *ret_refusal, struct error *error)
{
	_cleanup_(clean_freep) struct clean *clean = NULL;
	_cleanup_(sentences_done) struct sentences sentences = { 0 };

	if (check_length(text, length, error) < 0)
		return refuse(READING_TOO_LONG, ret_refusal);
	if (clean_new(text, length, &clean, error) < 0)
		return refuse(READING_BAD_VALUE, ret_refusal);
	sentences_split(&sentences, clean->text, clean->length);
	if (sentences.count == 0) {
		(void)error_set(error, -EINVAL, "văn bản không có chữ hay số nào để đọc");
		return refuse(READING_EMPTY, ret_refusal);
	}
	struct reading *reading = xcalloc(1, sizeof *reading);
	add_sentences(reading, clean, &sentences, config);
	add_words(reading, clean, &sentences);
	add_warnings(reading, clean, text);
	*ret_reading = reading;
	*ret_refusal = READING_FINE;
	return 0;
}
