/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Letters and digits in one: BC15, F1, A12, 15A, 4G, TBR225, 31B. Letters by their names; up to
 * two digits as a number, more one by one.
 */
#include "tts/pass.h"
#include "tts/syllable.h"

#include <string.h>

#define PARTS_MAX 8

static void say_digits(struct pass *pass, const struct token *number)
{
	size_t length = strlen(number->key);

	bool round = length == 3 && number->key[2] == '0' && number->key[0] != '0';

	if (length <= 2 || round || number->fraction || number->grouped)
		pass_say_number(pass, number);
	else
		numbers_digits(number->key, length, &pass->say);
}

/* A word of two letters or more that can be read is read: "thôn5", "Zone9". */
static void say_letters(struct pass *pass, const struct token *word)
{
	if (!word->caps && strlen(word->key) > 2 && syllable_valid(word->key, strlen(word->key)))
		pass_say(pass, word->key);
	else
		pass_say_letters(pass, word->key, strlen(word->key));
}

/* "T5 ngày 14/3", "T5 14/3", "T2: nghỉ", "T2, T4 và T6" */
static bool is_day_by_right(const struct pass *pass, size_t after)
{
	const struct token *next = pass_at(pass, after);

	if (next->kind == TOKEN_SIGN && next->sign == '(')
		next = pass_at(pass, after + 1);
	if (pass_cue_left(pass, after - 2, CUE_LETTER)) /* "tòa T5, T6" */
		return false;
	if (pass_is_word(pass, after, "ngày") || pass_is_sign(pass, after, ':') ||
		(next->kind == TOKEN_SAID && next->said == SAID_DATE))
		return true;
	return pass_shape(pass, after, ", tN") > 0 || pass_shape(pass, after, " - tN") > 0 ||
	       ((pass_is_word(pass, after, "và") || pass_is_word(pass, after, "đến")) &&
		       pass_shape(pass, after + 1, "tN") > 0);
}

/* "vào T8", "tháng T9": no day has such a number. */
static size_t month(struct pass *pass, size_t at, size_t count)
{
	static const char *const words[] = { "vào", "từ", "đến", "cuối", "đầu", "giữa", "trong",
		"hết" };
	long value = pass_value(pass, at + 1, 12);
	bool named = pass_is_word(pass, at - 1, "tháng"), told = named;

	for (size_t i = 0; i < countof(words) && !told; i++)
		told = value > 7 && pass_is_word(pass, at - 1, words[i]);
	if (!told || value < 1 || !pass->in[at].capital)
		return 0;
	if (!named)
		pass_say(pass, "tháng");
	if (value == 4)
		pass_say(pass, "tư");
	else
		pass_say_value(pass, value);
	return pass_said(pass, at, count, SAID_DATE);
}

/* T2…T7 are days beside "sáng", "tối", and before a date. */
static size_t weekday(struct pass *pass, size_t at, size_t count)
{
	static const char *const names[] = { "hai", "ba", "tư", "năm", "sáu", "bảy" };
	long day = pass_value(pass, at + 1, 7);
	const struct tokens *out = pass->out;
	bool after_one = (pass_is_sign(pass, at - 1, '-') || pass_is_sign(pass, at - 1, ',')) &&
			 out->count >= 2 && out->list[out->count - 2].kind == TOKEN_SAID &&
			 strncmp(out->list[out->count - 2].spoken, "thứ ", strlen("thứ ")) == 0;

	if (pass_at(pass, at - 1)->kind == TOKEN_SAID)
		after_one = strcmp(pass_at(pass, at - 1)->spoken, "đến") == 0;
	if (!after_one && pass_is_word(pass, at - 1, "và"))
		after_one = pass_digits(pass, at - 2) == 0 && out->count >= 2 &&
			    out->list[out->count - 2].said == SAID_DATE;
	if (!pass->in[at].capital || day < 2 ||
		(!pass_cue_left(pass, at, CUE_WEEK) && !after_one &&
			!is_day_by_right(pass, at + count)))
		return 0;
	pass_say(pass, "thứ");
	pass_say(pass, names[day - 2]);
	return pass_said(pass, at, count, SAID_DATE);
}

static size_t code(struct pass *pass, size_t at, size_t count)
{
	count = 0;
	do {
		const struct token *token = &pass->in[at + count];
		if (token->kind == TOKEN_NUMBER)
			say_digits(pass, token);
		else
			say_letters(pass, token);
		count++;
	} while (count < PARTS_MAX && !pass_at(pass, at + count)->blank &&
		 (pass_at(pass, at + count)->kind == TOKEN_WORD ||
			 pass_at(pass, at + count)->kind == TOKEN_NUMBER));
	return pass_said(pass, at, count, SAID_WORDS);
}

/* "15 A": a letter after a number that is a name (lớp 5 A). */
static size_t number_letter(struct pass *pass, size_t at, size_t count)
{
	const struct token *word = &pass->in[at + 1];

	if (word->to - word->from > 4)
		return 0;
	return code(pass, at, count);
}

void pass_codes(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "tN", month },
		{ "tN", weekday },
		{ "WN", code },
		{ "NW", number_letter },
		{ 0 },
	};

	pass_run(pass, rules);
}
