/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/reading.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "tts/clean.h"
#include "tts/legacy.h"
#include "tts/length.h"
#include "tts/sentences.h"

#include <errno.h>
#include <string.h>

/* Pauses, at this rate; each with the 50 ms of near silence at the edges of what an engine says.
 * Those inside a sentence are as long as espeak-ng's own. A paragraph's is 2½ sentences'; the
 * listeners who missed something must find their way back before it is said again. */
#define PAUSE_RATE      130
#define CLAUSE_PAUSE_US (360 * US_PER_MS)
#define COMMA_PAUSE_US  (240 * US_PER_MS)
#define BLANK_PAUSE_US  (20 * US_PER_MS)
#define REPEAT_PAUSE_US (2000 * US_PER_MS)

/* A telephone number is said at four fifths of the rate. */
#define SLOW_PERCENT 80
#define RATE_MIN     80

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

enum wording reading_wording(const char *voice)
{
	return voice && strstr(voice, "south") ? WORDING_SOUTH : WORDING_NORTH;
}

struct reading *reading_free(struct reading *reading)
{
	if (!reading)
		return NULL;
	for (size_t i = 0; i < reading->sentences_count; i++)
		free(reading->sentences[i].text);
	for (size_t i = 0; i < reading->words_count; i++)
		free(reading->words[i].text);
	for (size_t i = 0; i < reading->warnings_count; i++) {
		free(reading->warnings[i].text);
		free(reading->warnings[i].detail);
	}
	free(reading->sentences);
	free(reading->words);
	free(reading->warnings);
	free(reading->spoken);
	free(reading);
	return NULL;
}

/* What is made of a text on the way; all offsets lead back to the written bytes through it. */
struct passage_source {
	const char *text; /* as written */
	size_t length;
	struct legacy *legacy; /* or NULL */
	struct clean *clean;
	struct normalised *normalised;
	struct sentences sentences;
};

static void source_done(struct passage_source *source)
{
	sentences_done(&source->sentences);
	normalised_free(source->normalised);
	clean_free(source->clean);
	legacy_free(source->legacy);
}

/* The written bytes of a span of what was cleaned. */
static struct clean_span written_span(const struct passage_source *source, struct clean_span span)
{
	return source->legacy ? legacy_source(source->legacy, span) : span;
}

/* The written bytes of clean[from..to). */
static struct clean_span written(const struct passage_source *source, size_t from, size_t to)
{
	if (from >= to)
		to = from + 1;
	return written_span(source, clean_source(source->clean, from, to));
}

/* --- Sentences ------------------------------------------------------------------------------ */

static int64_t pause_us(const struct sentence *sentence, const struct sentence *next,
	const struct reading_config *config)
{
	const int64_t pauses[] = {
		[SENTENCE_STOP] = config->sentence_pause_us,
		[SENTENCE_PARAGRAPH] = config->sentence_pause_us * 5 / 2,
		[SENTENCE_CLAUSE] = CLAUSE_PAUSE_US,
		[SENTENCE_COMMA] = COMMA_PAUSE_US,
		[SENTENCE_BLANK] = BLANK_PAUSE_US,
	};
	int64_t pause = pauses[sentence->end];

	if (next && next->repeats && pause < REPEAT_PAUSE_US)
		pause = REPEAT_PAUSE_US;
	return pause * PAUSE_RATE / config->rate;
}

static int rate_of(const struct sentence *sentence, const struct reading_config *config)
{
	int slow = config->rate * SLOW_PERCENT / 100;

	if (!sentence->slow)
		return config->rate;
	return slow < RATE_MIN ? RATE_MIN : slow;
}

static void add_sentence(struct reading *reading, const struct passage_source *source, size_t i,
	const struct reading_config *config)
{
	const struct sentence *sentence = &source->sentences.list[i];
	const struct sentence *next = i + 1 < source->sentences.count ? sentence + 1 : NULL;
	const struct spoken_word *words = source->normalised->words;
	struct clean_span span = written(
		source, words[sentence->first].from, words[sentence->to - 1].to);
	struct strbuf text = { 0 };
	int rate = rate_of(sentence, config);

	sentence_write(source->normalised, sentence, &text);
	reading->seconds += length_of_sentence(text.text, text.length, rate);
	reading->sentences[i] = (struct reading_sentence){
		.text = strbuf_take(&text),
		.from = span.from,
		.to = span.to,
		.pause_us = pause_us(sentence, next, config),
		.rate = rate,
	};
	if (next)
		reading->seconds += (double)reading->sentences[i].pause_us / (double)US_PER_SEC;
}

static void add_sentences(struct reading *reading, const struct passage_source *source,
	const struct reading_config *config)
{
	struct strbuf spoken = { 0 };

	reading->sentences_count = source->sentences.count;
	reading->sentences = xcalloc(reading->sentences_count, sizeof *reading->sentences);
	for (size_t i = 0; i < reading->sentences_count; i++) {
		add_sentence(reading, source, i, config);
		if (i > 0)
			strbuf_putc(&spoken, ' ');
		strbuf_puts(&spoken, reading->sentences[i].text);
	}
	reading->spoken = strbuf_take(&spoken);
}

/* --- Words and warnings --------------------------------------------------------------------- */

static void add_words(struct reading *reading, const struct passage_source *source)
{
	const struct normalised *normalised = source->normalised;

	reading->words_count = normalised->words_count;
	reading->words = xcalloc(reading->words_count, sizeof *reading->words);
	for (size_t i = 0; i < reading->words_count; i++) {
		const struct spoken_word *word = &normalised->words[i];
		struct clean_span span = written(source, word->from, word->to);
		reading->words[i] = (struct reading_word){
			.text = xstrdup(word->text), .from = span.from, .to = span.to
		};
	}
}

#define WARNING_QUOTE_MAX 40 /* bytes of the dropped text that are shown */

/* Takes `detail`. */
static void add_warning(struct reading *reading, enum warning_kind kind, struct clean_span span,
	char *text, char *detail)
{
	reading->warnings[reading->warnings_count++] = (struct reading_warning){
		.kind = kind, .from = span.from, .to = span.to, .text = text, .detail = detail
	};
}

/* Of what was decoded, if it was: only that is UTF-8 in every case. */
static void add_dropped(struct reading *reading, const struct passage_source *source)
{
	const char *text = source->legacy ? source->legacy->text : source->text;

	for (size_t i = 0; i < source->clean->dropped_count; i++) {
		struct clean_span span = source->clean->dropped[i];
		size_t quoted = utf8_cut(text + span.from, span.to - span.from, WARNING_QUOTE_MAX);
		add_warning(reading, WARNING_DROPPED, written_span(source, span),
			xstrndup(text + span.from, span.to - span.from),
			xasprintf(
				"“%.*s” không đọc được, đã bỏ qua", (int)quoted, text + span.from));
	}
}

static int by_place(const void *a, const void *b)
{
	const struct reading_warning *left = a, *right = b;

	if (left->from != right->from)
		return left->from < right->from ? -1 : 1;
	return (int)left->kind - (int)right->kind;
}

static void add_warnings(struct reading *reading, const struct passage_source *source)
{
	_cleanup_(warnings_done) struct warnings found = { 0 };
	const struct clean *clean = source->clean;

	warnings_find(&found, clean->text, source->normalised);
	reading->warnings = xcalloc(found.count + clean->dropped_count, sizeof *reading->warnings);
	for (size_t i = 0; i < found.count; i++) {
		struct warning *warning = &found.list[i];
		add_warning(reading, warning->kind, written(source, warning->from, warning->to),
			xstrndup(clean->text + warning->from, warning->to - warning->from),
			hand_over(warning->detail));
	}
	add_dropped(reading, source);
	if (reading->warnings_count > 0)
		qsort(reading->warnings, reading->warnings_count, sizeof *reading->warnings,
			by_place);
}

/* --- The whole ---------------------------------------------------------------------------------- */

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

/* The text decoded and cleaned. 0 or -EINVAL. */
static int prepare(struct passage_source *source, struct error *error)
{
	source->legacy = legacy_new(source->text, source->length);
	if (source->legacy)
		return clean_new(
			source->legacy->text, source->legacy->length, &source->clean, error);
	return clean_new(source->text, source->length, &source->clean, error);
}

int reading_new(const char *text, size_t length, const struct reading_config *config,
	struct reading **ret_reading, enum reading_refusal *ret_refusal, struct error *error)
{
	_cleanup_(source_done) struct passage_source source = { .text = text, .length = length };
	const struct normalise_config how = { .wording = config->wording,
		.lexicon = config->lexicon };

	if (check_length(text, length, error) < 0)
		return refuse(READING_TOO_LONG, ret_refusal);
	if (prepare(&source, error) < 0)
		return refuse(READING_BAD_VALUE, ret_refusal);
	source.normalised = normalise_new(source.clean->text, source.clean->length, &how);
	if (source.normalised->words_count == 0) {
		(void)error_set(error, -EINVAL, "văn bản không có chữ hay số nào để đọc");
		return refuse(READING_EMPTY, ret_refusal);
	}
	sentences_cut(&source.sentences, source.normalised);
	struct reading *reading = xcalloc(1, sizeof *reading);
	add_sentences(reading, &source, config);
	add_words(reading, &source);
	add_warnings(reading, &source);
	*ret_reading = reading;
	*ret_refusal = READING_FINE;
	return 0;
}
