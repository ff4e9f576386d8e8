/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * "1.500.000 đồng (Một triệu năm trăm nghìn đồng)", "05 (năm) ngày": what the brackets repeat in
 * words is said once. If the words say something else, both are said and the fact is kept.
 */
#include "tts/pass.h"

#include <string.h>

#define WORDS_MAX 40 /* between the brackets */

/* The bracket's words without "bằng chữ:" before and "đồng chẵn" after them. */
struct bracket {
	size_t from, to; /* tokens of the number words */
	size_t end;      /* after the closing bracket */
};

static bool is_any(const struct pass *pass, size_t at, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pass_is_word(pass, at, words[i]))
			return true;
	return false;
}

/* "5 khoản (năm khoản)": the words after the figures, again after the number in words. */
static size_t without_noun(const struct pass *pass, size_t from, size_t to, size_t at)
{
	while (to > from + 1 && pass_at(pass, at - 1)->kind == TOKEN_WORD &&
		strcmp(pass->in[to - 1].key, pass->in[at - 1].key) == 0) {
		to--;
		at--;
	}
	return to;
}

static bool find_bracket(const struct pass *pass, size_t at, struct bracket *ret_bracket)
{
	static const char *const before[] = { "bằng", "chữ", "viết", "ghi", "số", "tiền", "là" };
	static const char *const after[] = { "đồng", "chẵn", "việt", "nam" };
	struct bracket bracket = { .from = at + 1 };

	while (is_any(pass, bracket.from, before, countof(before)) ||
		pass_is_sign(pass, bracket.from, ':'))
		bracket.from++;
	bracket.to = bracket.from;
	while (bracket.to - at < WORDS_MAX && (pass_at(pass, bracket.to)->kind == TOKEN_WORD ||
						      pass_is_sign(pass, bracket.to, '.')))
		bracket.to++;
	if (!pass_is_sign(pass, bracket.to, ')'))
		return false;
	bracket.end = bracket.to + 1;
	while (bracket.to > bracket.from && (is_any(pass, bracket.to - 1, after, countof(after)) ||
						    pass_is_sign(pass, bracket.to - 1, '.')))
		bracket.to--;
	bracket.to = without_noun(pass, bracket.from, bracket.to, at);
	*ret_bracket = bracket;
	return bracket.to > bracket.from;
}

static bool value_in_words(const struct pass *pass, const struct bracket *bracket, uint64_t *ret)
{
	_cleanup_(strbuf_done) struct strbuf words = { 0 };

	for (size_t i = bracket->from; i < bracket->to; i++)
		numbers_word(pass->in[i].key, &words);
	return numbers_parse(words.text, words.length, ret);
}

static uint64_t scale_at(const struct pass *pass, size_t at)
{
	if (pass_is_word(pass, at, "nghìn") || pass_is_word(pass, at, "ngàn"))
		return 1000;
	if (pass_is_word(pass, at, "triệu"))
		return 1000000;
	return pass_is_word(pass, at, "tỷ") || pass_is_word(pass, at, "tỉ") ? 1000000000 : 1;
}

/* The value of the figures at `at`, with the scale in words after them. */
static uint64_t value_in_figures(const struct pass *pass, size_t at)
{
	const struct token *number = &pass->in[at];
	uint64_t scale = scale_at(pass, at + 1), value = strtoull(number->key, NULL, 10) * scale;

	for (const char *digit = number->fraction; digit && *digit && scale >= 10; digit++) {
		scale /= 10;
		value += (uint64_t)(*digit - '0') * scale;
	}
	return value;
}

/* The figures just before the bracket: at most three words between. */
static size_t figures_before(const struct pass *pass, size_t at)
{
	for (size_t i = 1; i <= 4 && i <= at; i++) {
		if (pass->in[at - i].kind == TOKEN_NUMBER)
			return at - i;
		if (pass->in[at - i].kind != TOKEN_WORD)
			return at;
	}
	return at;
}

static void remember(struct pass *pass, const struct written_amount *amount)
{
	struct passage *passage = pass->passage;
	struct normalised *result = passage->result;

	if (result->amounts_count == passage->amounts_capacity) {
		passage->amounts_capacity = passage->amounts_capacity
						    ? passage->amounts_capacity * 2
						    : 8;
		result->amounts = xreallocarray(
			result->amounts, passage->amounts_capacity, sizeof *result->amounts);
	}
	result->amounts[result->amounts_count++] = *amount;
}

static size_t repeated(struct pass *pass, size_t at, size_t count)
{
	size_t figures = figures_before(pass, at);
	struct bracket bracket;
	uint64_t value;

	(void)count;
	if (figures == at || strlen(pass->in[figures].key) > NUMBERS_DIGITS_MAX ||
		!find_bracket(pass, at, &bracket) || !value_in_words(pass, &bracket, &value))
		return 0;
	struct written_amount amount = {
		.from = pass->in[figures].from,
		.to = pass->in[at - 1].to,
		.words_from = pass->in[at].to,
		.words_to = pass->in[bracket.end - 1].from,
		.same = value == value_in_figures(pass, figures),
	};
	remember(pass, &amount);
	return amount.same ? pass_said(pass, at, bracket.end - at, SAID_WORDS) : 0;
}

void pass_repeats(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "(", repeated },
		{ 0 },
	};

	pass_run(pass, rules);
}
