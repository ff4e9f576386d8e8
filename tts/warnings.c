/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/warnings.h"
#include "base/utf8.h"
#include "tts/syllable.h"
#include "tts/unicode.h"

#include <string.h>

#define QUOTED_WORDS_MAX 12 /* of what is said instead */

static const char *const kind_names[] = {
	[WARNING_UNKNOWN_WORD] = "unknown-word",
	[WARNING_UNKNOWN_ABBREVIATION] = "unknown-abbreviation",
	[WARNING_DOUBLED_WORD] = "doubled-word",
	[WARNING_AMOUNT_MISMATCH] = "amount-mismatch",
	[WARNING_NO_SUCH_DATE] = "no-such-date",
	[WARNING_WRONG_WEEKDAY] = "wrong-weekday",
	[WARNING_DROPPED] = "dropped",
};

const char *warning_kind_name(enum warning_kind kind)
{
	return kind_names[kind];
}

void warnings_add(
	struct warnings *warnings, enum warning_kind kind, size_t from, size_t to, char *detail)
{
	if (warnings->count == warnings->capacity) {
		warnings->capacity = warnings->capacity ? warnings->capacity * 2 : 8;
		warnings->list = xreallocarray(
			warnings->list, warnings->capacity, sizeof *warnings->list);
	}
	warnings->list[warnings->count++] = (struct warning){ kind, from, to, detail };
}

void warnings_done(struct warnings *warnings)
{
	for (size_t i = 0; i < warnings->count; i++)
		free(warnings->list[i].detail);
	free(warnings->list);
	*warnings = (struct warnings){ 0 };
}

/* --- What could not be read ----------------------------------------------------------------- */

/* The first word that was made from what is written at `from` or after: the words are in the order
 * of their sources. */
static size_t first_word(const struct normalised *normalised, size_t from)
{
	size_t low = 0, high = normalised->words_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (normalised->words[middle].from < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What is said for the written bytes from…to, for the detail; false: nothing. */
static bool put_said(
	struct strbuf *out, const struct normalised *normalised, size_t from, size_t to)
{
	size_t first = first_word(normalised, from), i = first;

	for (; i < normalised->words_count && normalised->words[i].from < to; i++) {
		if (i - first == QUOTED_WORDS_MAX) {
			strbuf_puts(out, "…");
			break;
		}
		if (i > first)
			strbuf_putc(out, ' ');
		strbuf_puts(out, normalised->words[i].text);
	}
	return i > first;
}

static void add_unread(struct warnings *warnings, const struct normalised *normalised,
	const struct normalise_warning *unread)
{
	static const struct {
		enum warning_kind kind;
		const char *why;
	} kinds[] = {
		[NORMALISE_UNKNOWN_WORD] = { WARNING_UNKNOWN_WORD,
			"không phải tiếng Việt và chưa có trong từ điển" },
		[NORMALISE_UNKNOWN_ABBREVIATION] = { WARNING_UNKNOWN_ABBREVIATION,
			"chữ viết tắt chưa biết" },
	};
	_cleanup_(strbuf_done) struct strbuf said = { 0 };
	const char *why = kinds[unread->kind].why;

	bool some = put_said(&said, normalised, unread->from, unread->to);
	char *detail = some ? xasprintf("%s, sẽ đọc là “%s”; nên viết đầy đủ hoặc thêm vào từ điển",
				      why, said.text)
			    : xasprintf("%s, không đọc được, sẽ bỏ qua", why);
	warnings_add(warnings, kinds[unread->kind].kind, unread->from, unread->to, detail);
}

/* What an engine is given consists of syllables; if a table or a rule made something else, the
 * operator hears of it before the listeners do. */
static void find_unsayable(struct warnings *warnings, const struct normalised *normalised)
{
	for (size_t i = 0; i < normalised->words_count; i++) {
		const struct spoken_word *word = &normalised->words[i];
		if (syllable_valid(word->text, strlen(word->text)))
			continue;
		warnings_add(warnings, WARNING_UNKNOWN_WORD, word->from, word->to,
			xasprintf("không phải âm tiết tiếng Việt, giọng máy có thể đọc sai: “%s”",
				word->text));
	}
}

/* The letter, if a letter alone, and no word, is what is written at `word`; 0. */
static uint32_t lone_letter(const char *clean, const struct spoken_word *word)
{
	uint32_t c = 0;

	if (utf8_decode(clean + word->from, word->to - word->from, &c) != word->to - word->from ||
		unicode_kind(c) != UNICODE_LETTER ||
		syllable_valid(clean + word->from, word->to - word->from))
		return 0;
	return c;
}

/* "Thứ S Sáu": a letter that the next word begins with, where a hand slipped. */
static void find_slips(
	struct warnings *warnings, const char *clean, const struct normalised *normalised)
{
	for (size_t i = 0; i + 1 < normalised->words_count; i++) {
		const struct spoken_word *word = &normalised->words[i], *next = word + 1;
		uint32_t letter = lone_letter(clean, word), first = 0;
		if (letter == 0 || word->pause != SPOKEN_PAUSE_NONE || next->from < word->to ||
			next->to - next->from <= word->to - word->from)
			continue;
		(void)utf8_decode(clean + next->from, next->to - next->from, &first);
		if (first == letter)
			warnings_add(warnings, WARNING_UNKNOWN_WORD, word->from, word->to,
				xasprintf("chữ cái đứng lẻ trước “%.*s”, có thể gõ thừa",
					(int)(next->to - next->from), clean + next->from));
	}
}

static void find_amounts(struct warnings *warnings, const struct normalised *normalised)
{
	for (size_t i = 0; i < normalised->amounts_count; i++) {
		const struct written_amount *amount = &normalised->amounts[i];
		if (!amount->same)
			warnings_add(warnings, WARNING_AMOUNT_MISMATCH, amount->from,
				amount->words_to,
				xasprintf("số viết bằng chữ trong ngoặc không khớp với số viết "
					  "bằng chữ số"));
	}
}

/* --- All of it ------------------------------------------------------------------------------ */

static int by_place(const void *a, const void *b)
{
	const struct warning *left = a, *right = b;

	if (left->from != right->from)
		return left->from < right->from ? -1 : 1;
	return (int)left->kind - (int)right->kind;
}

/* One warning for one thing: an unknown word is not said to be unsayable as well. */
static void drop_repeated(struct warnings *warnings)
{
	size_t kept = 0;

	for (size_t i = 0; i < warnings->count; i++) {
		const struct warning *before = kept ? &warnings->list[kept - 1] : NULL;
		if (before && before->kind <= WARNING_UNKNOWN_ABBREVIATION &&
			warnings->list[i].kind <= WARNING_UNKNOWN_ABBREVIATION &&
			before->to > warnings->list[i].from)
			free(warnings->list[i].detail);
		else
			warnings->list[kept++] = warnings->list[i];
	}
	warnings->count = kept;
}

void warnings_find(
	struct warnings *warnings, const char *clean, const struct normalised *normalised)
{
	for (size_t i = 0; i < normalised->warnings_count; i++)
		add_unread(warnings, normalised, &normalised->warnings[i]);
	find_unsayable(warnings, normalised);
	find_slips(warnings, clean, normalised);
	find_amounts(warnings, normalised);
	warnings_find_dates(warnings, normalised);
	warnings_find_doubled(warnings, clean, normalised);
	if (warnings->count > 0)
		qsort(warnings->list, warnings->count, sizeof *warnings->list, by_place);
	drop_repeated(warnings);
}
