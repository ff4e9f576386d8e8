/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/normalise.h"
#include "base/utf8.h"
#include "tts/letter.h"
#include "tts/pass.h"
#include "tts/syllable.h"
#include "tts/tables.h"

#include <string.h>

/* In this order: what looks most like nothing else comes first, so that the rest can be guessed
 * from less. Roman numerals before dates (quý I/2021); numerals are joined (1.200.000) only after
 * telephone numbers and dates are out of the way; the words are looked at last. */
static void (*const passes[])(struct pass *pass) = {
	pass_lexicon,
	pass_addresses,
	pass_documents,
	pass_phones,
	pass_plates,
	pass_roman,
	pass_dates,
	pass_times,
	pass_numerals,
	pass_repeats,
	pass_units,
	pass_ranges,
	pass_abbreviations,
	pass_foreign,
	pass_codes,
	pass_numbers,
	pass_symbols,
	pass_words,
};

static void run_passes(struct passage *passage, struct tokens *tokens)
{
	struct tokens next = { 0 };
	struct strbuf say = { 0 };

	for (size_t i = 0; i < countof(passes); i++) {
		struct pass pass = { .passage = passage,
			.in = tokens->list,
			.count = tokens->count,
			.out = &next,
			.say = say };
		passes[i](&pass);
		say = pass.say;
		struct tokens last = *tokens;
		*tokens = next;
		next = last;
		next.count = 0;
	}
	strbuf_done(&say);
	tokens_done(&next);
}

/* --- The words ---------------------------------------------------------------------------------- */

struct collector {
	struct normalised *result;
	struct strbuf pool; /* the words, each with its NUL */
	size_t *starts;     /* of each word in the pool */
	size_t capacity;
	bool sentence; /* the next word begins one */
};

/* How the word is to be written so that espeak-ng does not misread it, in lower case; or NULL. */
static const char *respelled(const char *word, size_t length)
{
	char lower[SYLLABLE_BYTES_MAX + 1];
	char first[4];
	uint32_t c = 0;

	if (length > SYLLABLE_BYTES_MAX)
		return NULL;
	size_t used = utf8_decode(word, length, &c);
	/* A letter's capital has as many bytes. Only the first can be one. */
	(void)utf8_encode(letter_lower(c), first);
	memcpy(lower, word, length);
	memcpy(lower, first, used);
	const struct lexicon_entry *entry = table_find(&table_respell, lower, length);
	return entry ? entry->spoken : NULL;
}

/* The first letter of a sentence is a capital; but a letter alone is none (I: one). */
static void add_text(struct collector *collector, const char *word, size_t length)
{
	char bytes[4];
	uint32_t c;
	size_t used = utf8_decode(word, length, &c);
	bool capital = letter_lower(c) != c || (collector->sentence && length > used);
	const char *other = respelled(word, length);

	if (other) {
		word = other;
		length = strlen(other);
		used = utf8_decode(word, length, &c);
	}
	if (capital) {
		strbuf_add(&collector->pool, bytes, utf8_encode(letter_upper(c), bytes));
		word += used;
		length -= used;
	}
	strbuf_add(&collector->pool, word, length);
	strbuf_add(&collector->pool, "", 1);
	collector->sentence = false;
}

static void add_word(
	struct collector *collector, const struct token *token, const char *word, size_t length)
{
	struct normalised *result = collector->result;

	if (!collector->starts || result->words_count == collector->capacity) {
		collector->capacity = collector->capacity ? collector->capacity * 2 : 64;
		result->words = xreallocarray(
			result->words, collector->capacity, sizeof *result->words);
		collector->starts = xreallocarray(
			collector->starts, collector->capacity, sizeof *collector->starts);
	}
	collector->starts[result->words_count] = collector->pool.length;
	result->words[result->words_count++] = (struct spoken_word){
		.from = token->from,
		.to = token->to,
		.slow = token->slow,
	};
	add_text(collector, word, length);
}

static enum spoken_pause pause_of(char mark)
{
	switch (mark) {
	case ',':
		return SPOKEN_PAUSE_COMMA;
	case ';':
	case ':':
		return SPOKEN_PAUSE_CLAUSE;
	default:
		return SPOKEN_PAUSE_STOP;
	}
}

/* Of several marks after a word the greatest pause counts, and of those the first. */
static void add_pause(struct collector *collector, enum spoken_pause pause, char mark)
{
	struct normalised *result = collector->result;

	if (result->words_count == 0)
		return;
	struct spoken_word *word = &result->words[result->words_count - 1];
	if (pause > word->pause) {
		if (mark && (word->pause < SPOKEN_PAUSE_STOP || !word->mark))
			word->mark = mark;
		word->pause = pause;
	}
	if (pause >= SPOKEN_PAUSE_STOP)
		collector->sentence = true;
}

/* Words and marks, as passes say them: "a, b" is "a , b" there. */
static void collect_spoken(struct collector *collector, const struct token *token)
{
	const char *at = token->spoken;

	while (*at) {
		size_t length = strcspn(at, " ");
		if (length == 1 && strchr(",;:.?!", *at))
			add_pause(collector, pause_of(*at), *at);
		else if (length > 0)
			add_word(collector, token, at, length);
		at += length + (at[length] == ' ');
	}
}

static void collect(struct collector *collector, const struct tokens *tokens)
{
	for (size_t i = 0; i < tokens->count; i++) {
		const struct token *token = &tokens->list[i];
		if (token->kind == TOKEN_SAID)
			collect_spoken(collector, token);
		else if (token->kind == TOKEN_LINE)
			add_pause(collector,
				token->paragraph ? SPOKEN_PAUSE_PARAGRAPH : SPOKEN_PAUSE_LINE, '.');
	}
	struct normalised *result = collector->result;
	/* what closes the text is no pause for more */
	if (result->words_count > 0 &&
		result->words[result->words_count - 1].pause <= SPOKEN_PAUSE_COMMA)
		result->words[result->words_count - 1].mark = '\0';
	result->pool = strbuf_take(&collector->pool);
	for (size_t i = 0; i < result->words_count; i++)
		result->words[i].text = result->pool + collector->starts[i];
	free(collector->starts);
}

/* --- The whole ---------------------------------------------------------------------------------- */

struct normalised *normalise_new(
	const char *clean, size_t length, const struct normalise_config *config)
{
	struct normalised *result = xcalloc(1, sizeof *result);
	struct passage passage = {
		.text = clean, .length = length, .config = config, .result = result
	};
	struct collector collector = { .result = result, .sentence = true };
	struct tokens tokens = { 0 };

	token_cut(&passage, &tokens);
	run_passes(&passage, &tokens);
	collect(&collector, &tokens);
	tokens_done(&tokens);
	passage_done(&passage);
	return result;
}

struct normalised *normalised_free(struct normalised *normalised)
{
	if (!normalised)
		return NULL;
	free(normalised->words);
	free(normalised->warnings);
	free(normalised->dates);
	free(normalised->amounts);
	free(normalised->pool);
	free(normalised);
	return NULL;
}

void normalised_write(
	const struct normalised *normalised, size_t first, size_t end, struct strbuf *out)
{
	for (size_t i = first; i < end; i++) {
		const struct spoken_word *word = &normalised->words[i];
		if (i > first)
			strbuf_putc(out, ' ');
		strbuf_puts(out, word->text);
		if (word->mark)
			strbuf_putc(out, word->mark);
	}
}
