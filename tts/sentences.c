/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/sentences.h"
#include "base/utf8.h"
#include "tts/letter.h"

#include <string.h>

/* A piece shorter than this is not worth a pause: rather cut at the comma before the limit. */
#define PIECE_CHARACTERS_MIN 40

/* --- Where it is cut ------------------------------------------------------------------------ */

static enum sentence_end end_after(const struct spoken_word *word)
{
	static const enum sentence_end ends[] = {
		[SPOKEN_PAUSE_NONE] = SENTENCE_BLANK,
		[SPOKEN_PAUSE_COMMA] = SENTENCE_COMMA,
		[SPOKEN_PAUSE_CLAUSE] = SENTENCE_CLAUSE,
		[SPOKEN_PAUSE_STOP] = SENTENCE_STOP,
		[SPOKEN_PAUSE_LINE] = SENTENCE_STOP,
		[SPOKEN_PAUSE_PARAGRAPH] = SENTENCE_PARAGRAPH,
	};

	return ends[word->pause];
}

static bool begins_repeat(const struct normalised *normalised, size_t first)
{
	static const char *const marker[] = { "xin", "nhắc", "lại" };

	if (first + countof(marker) > normalised->words_count)
		return false;
	for (size_t i = 0; i < countof(marker); i++) {
		const char *word = normalised->words[first + i].text;
		/* Only its first letter can be a capital that matters. */
		if (strcmp(word + 1, marker[i] + 1) != 0 || (word[0] | 0x20) != marker[i][0])
			return false;
	}
	return true;
}

static bool ends_sentence(const struct sentence *sentence)
{
	return sentence->end == SENTENCE_STOP || sentence->end == SENTENCE_PARAGRAPH;
}

static void add(struct sentences *sentences, const struct normalised *normalised, size_t first,
	size_t to, enum sentence_end end)
{
	if (sentences->count == sentences->capacity) {
		sentences->capacity = sentences->capacity ? sentences->capacity * 2 : 16;
		sentences->list = xreallocarray(
			sentences->list, sentences->capacity, sizeof *sentences->list);
	}
	struct sentence *sentence = &sentences->list[sentences->count++];
	*sentence = (struct sentence){
		.first = first,
		.to = to,
		.end = end,
		.continues = sentences->under_way,
		.repeats = begins_repeat(normalised, first),
	};
	sentences->under_way = !ends_sentence(sentence);
}

/* Words that begin a part of a sentence, so that a voice may breathe before them. */
static bool begins_part(const char *word)
{
	static const char *const words[] = { "bằng", "cho", "còn", "của", "do", "hoặc", "khi", "là",
		"mà", "nhưng", "nhằm", "như", "nên", "nếu", "theo", "thì", "trong", "trên", "tại",
		"từ", "và", "về", "với", "vì", "đến", "để", "ở" };

	for (size_t i = 0; i < countof(words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* How good a place words[i] is to begin a piece; 0: in the middle of a number or an abbreviation. */
enum { CUT_ANYWHERE, CUT_BETWEEN, CUT_BEFORE_PART, CUT_AT_PAUSE, CUT_KINDS };

static unsigned cut_kind(const struct normalised *normalised, size_t i)
{
	const struct spoken_word *before = &normalised->words[i - 1], *word = before + 1;

	if (before->pause != SPOKEN_PAUSE_NONE)
		return CUT_AT_PAUSE;
	if (before->to > word->from)
		return CUT_ANYWHERE;
	return begins_part(word->text) ? CUT_BEFORE_PART : CUT_BETWEEN;
}

/* The end of the first piece of words[first..to) that is short enough, and how it ends: at the
 * last of the best places, none of which leaves too little before it. */
static size_t piece_end(
	const struct normalised *normalised, size_t first, size_t to, enum sentence_end *end)
{
	size_t characters = 0, last[CUT_KINDS] = { 0 };

	for (size_t i = first; i < to; i++) {
		const struct spoken_word *word = &normalised->words[i];
		if (i > first && characters >= PIECE_CHARACTERS_MIN)
			last[cut_kind(normalised, i)] = i;
		characters += utf8_count(word->text, strlen(word->text)) + 1 + (word->mark != '\0');
		if (characters <= SENTENCE_CHARACTERS_MAX + 1 || i == first)
			continue;
		unsigned kind = CUT_AT_PAUSE;
		while (kind > CUT_ANYWHERE && last[kind] == 0)
			kind--;
		size_t cut = last[kind] ? last[kind] : i;
		*end = end_after(&normalised->words[cut - 1]);
		return cut;
	}
	return to;
}

static void add_pieces(struct sentences *sentences, const struct normalised *normalised,
	size_t first, size_t to, enum sentence_end last_end)
{
	while (first < to) {
		enum sentence_end end = last_end;
		size_t cut = piece_end(normalised, first, to, &end);
		add(sentences, normalised, first, cut, end);
		first = cut;
	}
}

/* The end of the run of slow words from `first` on. */
static size_t slow_end(const struct normalised *normalised, size_t first, size_t to)
{
	while (first < to && normalised->words[first].slow)
		first++;
	return first;
}

/* What is left of a pause where a number begins or ends without one written. */
static enum sentence_end around_slow(const struct normalised *normalised, size_t to)
{
	enum sentence_end end = end_after(&normalised->words[to - 1]);

	return end == SENTENCE_BLANK ? SENTENCE_COMMA : end;
}

static void cut_sentence(struct sentences *sentences, const struct normalised *normalised,
	size_t first, size_t to, enum sentence_end end)
{
	size_t begin = first;

	for (size_t at = first; at < to;) {
		size_t slow = slow_end(normalised, at, to);
		if (slow - at < SENTENCE_SLOW_WORDS_MIN) {
			at = slow > at ? slow : at + 1;
			continue;
		}
		if (begin < at)
			add_pieces(sentences, normalised, begin, at, around_slow(normalised, at));
		size_t count = sentences->count;
		add_pieces(sentences, normalised, at, slow,
			slow == to ? end : around_slow(normalised, slow));
		for (; count < sentences->count; count++)
			sentences->list[count].slow = true;
		begin = at = slow;
	}
	add_pieces(sentences, normalised, begin, to, end);
}

void sentences_cut(struct sentences *sentences, const struct normalised *normalised)
{
	size_t first = 0;

	for (size_t i = 0; i < normalised->words_count; i++) {
		if (normalised->words[i].pause < SPOKEN_PAUSE_STOP)
			continue;
		cut_sentence(sentences, normalised, first, i + 1, end_after(&normalised->words[i]));
		first = i + 1;
	}
	cut_sentence(sentences, normalised, first, normalised->words_count, SENTENCE_STOP);
}

void sentences_done(struct sentences *sentences)
{
	free(sentences->list);
	*sentences = (struct sentences){ 0 };
}

/* --- Its text ------------------------------------------------------------------------------- */

static void capitalise(struct strbuf *text, size_t at)
{
	char bytes[4];
	uint32_t c;
	size_t length = utf8_decode(text->text + at, text->length - at, &c);
	/* All Vietnamese letters have their capital in as many bytes. */
	size_t capital = utf8_encode(letter_upper(c), bytes);

	if (length == capital)
		memcpy(text->text + at, bytes, capital);
}

void sentence_write(
	const struct normalised *normalised, const struct sentence *sentence, struct strbuf *out)
{
	size_t begin = out->length;

	char mark = normalised->words[sentence->to - 1].mark;

	normalised_write(normalised, sentence->first, sentence->to, out);
	/* Read again, "I" could be a number. */
	if (!sentence->continues && strcmp(normalised->words[sentence->first].text, "i") != 0)
		capitalise(out, begin);
	/* A bracket closed at the end of a line left a comma there. */
	if (ends_sentence(sentence) && (mark == ',' || mark == ';')) {
		strbuf_truncate(out, out->length - 1);
		mark = '\0';
	}
	if (mark == '\0')
		strbuf_putc(out, ends_sentence(sentence) ? '.' : ',');
}
