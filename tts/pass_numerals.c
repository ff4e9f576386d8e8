/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Joins the digits that are one number: 1.200.000, 1 200 000, 1,200,000, 9,5, 8.5, 1.245,5, −3.
 * A dot before three digits makes thousands, before one or two a decimal; a comma the other way
 * round, unless there are several.
 */
#include "tts/pass.h"

#include <string.h>

#define GROUPS_MAX 6

/* Groups of three after `at`, each after `sign`; how many. */
static size_t groups_after(const struct pass *pass, size_t at, uint32_t sign)
{
	size_t count = 0;

	if (pass_digits(pass, at) > 3 || pass_at(pass, at)->key[0] == '0')
		return 0;
	for (; count < GROUPS_MAX; count++) {
		size_t next = at + 1 + 2 * count;
		if (!pass_is_tight(pass, next, sign) || pass_digits(pass, next + 1) != 3)
			break;
	}
	return count;
}

/* The same with blanks between. */
static size_t blank_groups_after(const struct pass *pass, size_t at)
{
	size_t count = 0;

	if (pass_digits(pass, at) > 3 || pass_at(pass, at)->key[0] == '0')
		return 0;
	while (count < GROUPS_MAX && pass_digits(pass, at + 1 + count) == 3 &&
		pass_at(pass, at + 1 + count)->blank)
		count++;
	/* "tổ 3 120 hộ" is two numbers */
	if (count == 1 && pass_cue_left(pass, at, CUE_LABEL) && !pass_is_word(pass, at - 1, "từ"))
		return 0;
	return count;
}

/* The digits of the tokens at, at + step, …, as one. */
static const char *join(const struct pass *pass, size_t at, size_t groups, size_t step)
{
	_cleanup_(strbuf_done) struct strbuf digits = { 0 };

	for (size_t i = 0; i <= groups; i++)
		strbuf_puts(&digits, pass->in[at + i * step].key);
	return passage_keep(pass->passage, digits.text, digits.length);
}

/* A fraction after `at`: ",5" or, with one or two digits, ".5". Its token, or 0. */
static size_t fraction_after(const struct pass *pass, size_t at, uint32_t sign)
{
	size_t digits = pass_digits(pass, at + 2);

	if (!pass_is_tight(pass, at + 1, sign) || digits == 0 || (sign == '.' && digits > 2))
		return 0;
	/* 1.2.3 is no decimal; 1,2,3 is a list */
	if ((pass_is_tight(pass, at + 3, sign) && pass_digits(pass, at + 4) > 0) ||
		(pass_is_tight(pass, at - 1, sign) && pass_digits(pass, at - 2) > 0))
		return 0;
	/* "thôn 1,2" is a list */
	if (sign == ',' && digits <= 2 && pass_cue_left(pass, at, CUE_LABEL) &&
		!pass_cue_left(pass, at, CUE_DECIMAL))
		return 0;
	return at + 2;
}

/* Whether 1,250 means a thousand: what is counted comes whole. */
static bool comma_is_thousands(const struct pass *pass, size_t at, size_t groups)
{
	return groups > 1 || pass_cue_right(pass, at + 1 + 2 * groups, CUE_THOUSANDS);
}

struct numeral {
	struct token number;
	size_t count;
};

static struct numeral numeral_at(const struct pass *pass, size_t at)
{
	struct numeral numeral = { .number = pass->in[at], .count = 1 };
	size_t groups = groups_after(pass, at, '.'), step = 2;
	uint32_t decimal = ',';

	if (groups == 0) {
		groups = groups_after(pass, at, ',');
		decimal = '.';
		if (groups > 0 && !comma_is_thousands(pass, at, groups))
			groups = 0;
	}
	if (groups == 0) {
		groups = blank_groups_after(pass, at);
		step = 1;
		decimal = ',';
	}
	if (groups > 0) {
		numeral.number.key = join(pass, at, groups, step);
		numeral.number.grouped = true;
		numeral.count = 1 + groups * step;
	}
	size_t last = at + numeral.count - 1, fraction = fraction_after(pass, last, decimal);
	if (fraction == 0 && groups == 0)
		fraction = fraction_after(pass, last, '.' == decimal ? ',' : '.');
	if (fraction > 0 && !pass->in[at].roman) {
		numeral.number.fraction = pass->in[fraction].key;
		numeral.count = fraction + 1 - at;
	}
	return numeral;
}

/* "3.2. Kinh phí", "phiên bản 1.0": parts of a number that are named one by one. */
static bool is_section(const struct pass *pass, size_t at)
{
	if (!pass_is_tight(pass, at + 1, '.') || pass_digits(pass, at + 2) == 0 ||
		pass_digits(pass, at) > 2 || pass_digits(pass, at + 2) > 2)
		return false;
	const struct token *next = pass_at(pass, at + 3), *after = pass_at(pass, at + 4);
	if (pass_cue_left(pass, at, CUE_VERSION))
		return true;
	if (next->kind == TOKEN_SIGN && next->sign == '.' && !next->blank)
		return pass->in[at].first || after->kind == TOKEN_NUMBER;
	return pass->in[at].first && next->kind == TOKEN_WORD && next->capital;
}

static size_t say_section(struct pass *pass, size_t at)
{
	size_t count = 1;

	pass_say_number(pass, &pass->in[at]);
	while (count < 12 && pass_is_tight(pass, at + count, '.') &&
		pass_digits(pass, at + count + 1) > 0) {
		pass_say(pass, "chấm");
		pass_say_number(pass, &pass->in[at + count + 1]);
		count += 2;
	}
	return pass_said(pass, at, count, SAID_WORDS);
}

static size_t numeral(struct pass *pass, size_t at, size_t count)
{
	(void)count;
	if (is_section(pass, at))
		return say_section(pass, at);
	struct numeral numeral = numeral_at(pass, at);
	return numeral.count > 1 ? pass_number(pass, at, numeral.count, &numeral.number) : 0;
}

/* A minus: after a blank or bracket, tight before the number, and where it can be cold; an "âm"
 * that is written already is not said twice. */
static bool is_minus(const struct pass *pass, size_t at)
{
	const struct token *before = pass_at(pass, at - 1);
	bool free = pass->in[at].blank || before->kind == TOKEN_END ||
		    (before->kind == TOKEN_SIGN && before->sign == '(');

	/* at the beginning of a line it is a bullet, unless degrees follow */
	if (pass->in[at].first)
		return pass_is_sign(pass, at + 2, 0xb0) || pass_is_word(pass, at + 2, "độ");
	if (!free || before->kind == TOKEN_NUMBER || pass_is_word(pass, at - 1, "âm"))
		return false;
	for (size_t i = at + 2; i < at + 8; i++)
		if (pass_at(pass, i)->begins & CUE_BIT(CUE_COLD) || pass_is_sign(pass, i, 0xb0))
			return true;
	return pass_cue_near(pass, at, CUE_COLD, 8);
}

static size_t minus(struct pass *pass, size_t at, size_t count)
{
	if (!is_minus(pass, at))
		return 0;
	struct numeral numeral = numeral_at(pass, at + count - 1);
	numeral.number.negative = true;
	return pass_number(pass, at, numeral.count + 1, &numeral.number);
}

void pass_numerals(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "-N", minus },
		{ "N", numeral },
		{ 0 },
	};

	pass_run(pass, rules);
}
