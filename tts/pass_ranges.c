/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two numbers with a sign between: ranges (5-7 ngày: đến), scores (thắng 2-1: hai một), fractions
 * (1/3 diện tích: phần), counts (8/12 thôn: trên), addresses (45/12/8: trên), sizes (3x4: nhân).
 */
#include "tts/pass.h"

#include <string.h>

static bool is_number(const struct token *token)
{
	return token->kind == TOKEN_NUMBER ||
	       (token->kind == TOKEN_SAID && token->said != SAID_WORDS &&
		       token->said != SAID_PHONE && token->said != SAID_CODE);
}

static size_t say_sign(struct pass *pass, size_t at, const char *word)
{
	if (*word)
		pass_say(pass, word);
	return pass_said(pass, at, 1, SAID_WORDS);
}

/* --- Ranges ------------------------------------------------------------------------------------- */

/* "tháng 5 - tháng 6", "thứ hai - thứ sáu", "ngày 1/12 - ngày 2/12": the same word again. */
static bool names_again(const struct pass *pass, size_t at)
{
	static const char *const words[] = { "tháng", "ngày", "thứ", "quý", "năm", "cấp", "lớp",
		"mùng", "km", "bậc", "khối", "tuần", "hết", "trước", "số", "mồng" };
	const struct token *left = pass_at(pass, at - 1);

	if (!is_number(left) && !(left->ends & CUE_BIT(CUE_DAY)))
		return false;
	if (pass_shape(pass, at - 2, "tN - tN") > 0)
		return pass_is_word(pass, at - 3, "từ"); /* "từ T2 - T6" */
	/* "8h sáng - 5h chiều" */
	if (pass_shape(pass, at - 2, "T W - T") > 0)
		return true;
	for (size_t i = 0; i < countof(words); i++)
		if (pass_is_word(pass, at + 1, words[i]))
			return true;
	return pass_cue_right(pass, at + 1, CUE_DAY) && (left->ends & CUE_BIT(CUE_DAY));
}

/* "từ Hà Nội - Lào Cai": names on both sides, and no "đến" yet */
static bool is_from_to(const struct pass *pass, size_t at)
{
	const struct token *left = pass_at(pass, at - 1), *right = pass_at(pass, at + 1);

	if (!pass->in[at].blank || !right->blank || right->kind != TOKEN_WORD || !right->capital ||
		left->kind != TOKEN_WORD || !left->capital)
		return false;
	for (size_t i = at - 2; i + 6 > at && i < at; i--)
		if (pass_at(pass, i)->ends & CUE_BIT(CUE_FROM))
			return true;
		else if (pass_at(pass, i)->kind != TOKEN_WORD || pass_is_word(pass, i, "đến"))
			return false;
	return false;
}

/* 16-16-8: the parts of a fertiliser, of a code. */
static bool is_chain(const struct pass *pass, size_t at)
{
	return pass_at(pass, at - 1)->kind == TOKEN_NUMBER &&
	       pass_at(pass, at + 1)->kind == TOKEN_NUMBER &&
	       ((pass_is_tight(pass, at + 2, '-') && pass_digits(pass, at + 3) > 0) ||
		       (pass_is_tight(pass, at - 2, '-') && pass_digits(pass, at - 3) > 0));
}

/* "lô B2-05": the number is part of a code */
static bool is_code(const struct pass *pass, size_t at)
{
	const struct token *word = pass_at(pass, at - 2);

	return pass_is_tight(pass, at, '-') && word->kind == TOKEN_WORD && word->capital &&
	       pass_at(pass, at - 1)->kind == TOKEN_NUMBER && !pass_at(pass, at - 1)->blank;
}

static size_t dash(struct pass *pass, size_t at, size_t count)
{
	const struct token *left = pass_at(pass, at - 1), *right = pass_at(pass, at + 1);

	(void)count;
	if (pass->in[at].first)
		return 0;
	if (is_code(pass, at) && right->kind == TOKEN_NUMBER)
		return say_sign(pass, at, "");
	if (is_number(left) && is_number(right)) {
		/* a bullet: "đợt 1 -2 người" has a blank on one side */
		if (is_chain(pass, at) ||
			(left->kind == TOKEN_NUMBER && right->kind == TOKEN_NUMBER &&
				pass_cue_near(pass, at - 1, CUE_SCORE, 9)))
			return say_sign(pass, at, "");
		return say_sign(pass, at, "đến");
	}
	if (names_again(pass, at) || is_from_to(pass, at))
		return say_sign(pass, at, "đến");
	return 0;
}

/* "tỷ số 3:1", "tỷ lệ 1:10" */
static size_t colon(struct pass *pass, size_t at, size_t count)
{
	bool score = pass_cue_near(pass, at, CUE_SCORE, 9);

	if (!score && !pass_cue_near(pass, at, CUE_RATIO, 4))
		return 0;
	pass_say_number(pass, &pass->in[at]);
	if (!score)
		pass_say(pass, "trên");
	pass_say_number(pass, &pass->in[at + 2]);
	return pass_said(pass, at, count, SAID_QUANTITY);
}

/* --- Fractions ---------------------------------------------------------------------------------- */

/* Whether N/M is a part of something and not so many of so many. */
static bool is_fraction(const struct pass *pass, size_t at, size_t after)
{
	long part = pass_value(pass, at, 999999), whole = pass_value(pass, at + 2, 999999);

	if (pass_cue_left(pass, at, CUE_PLACE) || pass_cue_near(pass, at, CUE_PRESSURE, 3) ||
		pass->in[at].grouped || pass->in[at].fraction || pass->in[at + 2].fraction)
		return false;
	if (pass_cue_near(pass, at, CUE_RATIO, 3))
		return part == 1 || part < whole;
	if (pass_cue_right(pass, after, CUE_COUNT) && !pass_cue_right(pass, after, CUE_SHARE))
		return false;
	if (part >= whole)
		return false;
	return pass_cue_right(pass, after, CUE_SHARE) || pass_cue_near(pass, at, CUE_PART, 2) ||
	       (whole <= 10 && !pass_cue_left(pass, at, CUE_REACHED));
}

static size_t over(struct pass *pass, size_t at, size_t count)
{
	bool fraction = is_fraction(pass, at, at + count) &&
			!pass_is_tight(pass, at + count, '/') && !pass_is_tight(pass, at - 1, '/');

	pass_say_number(pass, &pass->in[at]);
	pass_say(pass, fraction ? "phần" : "trên");
	if (fraction && pass_value(pass, at + 2, 4) == 4)
		pass_say(pass, "tư");
	else
		pass_say_number(pass, &pass->in[at + 2]);
	while (pass_is_tight(pass, at + count, '/') && pass_digits(pass, at + count + 1) > 0 &&
		count < 12) {
		pass_say(pass, "trên");
		pass_say_number(pass, &pass->in[at + count + 1]);
		count += 2;
	}
	return pass_said(pass, at, count, SAID_QUANTITY);
}

/* 1/2kg, 120/80mmHg: the unit was read already. */
static size_t over_quantity(struct pass *pass, size_t at, size_t count)
{
	const struct token *quantity = &pass->in[at + 2];

	if (quantity->blank && !pass_cue_near(pass, at, CUE_PRESSURE, 3))
		return 0;
	pass_say_number(pass, &pass->in[at]);
	pass_say(pass, pass_cue_near(pass, at, CUE_PRESSURE, 3) ? "trên" : "phần");
	pass_say(pass, quantity->spoken);
	return pass_said(pass, at, count, SAID_QUANTITY);
}

/* "20ml/16 lít nước"; not "380V/50Hz" */
static size_t quantities(struct pass *pass, size_t at, size_t count)
{
	if (!is_number(pass_at(pass, at - 1)) || pass_at(pass, at - 1)->kind != TOKEN_SAID ||
		!pass_cue_right(pass, at + count, CUE_PER))
		return 0;
	return say_sign(pass, at, "trên");
}

/* "12A/5", "31B/82": the letter between was read as a word. */
static size_t slash(struct pass *pass, size_t at, size_t count)
{
	const struct token *left = pass_at(pass, at - 1);

	(void)count;
	if (left->kind != TOKEN_WORD || left->blank || pass->in[at].blank || !left->capital ||
		pass_at(pass, at - 2)->kind != TOKEN_NUMBER)
		return 0;
	return say_sign(pass, at, "trên");
}

/* --- Others ------------------------------------------------------------------------------------- */

/* 3 x 4, 3m×4m */
static size_t times(struct pass *pass, size_t at, size_t count)
{
	(void)count;
	const struct token *left = pass_at(pass, at - 1);
	bool counted = left->kind == TOKEN_WORD &&
		       (is_number(pass_at(pass, at - 2)) ||
			       (pass_at(pass, at - 2)->kind == TOKEN_WORD &&
				       is_number(pass_at(pass, at - 3))));

	/* "2 viên x 3 lần", "3 tổ máy x 1.000" */
	if ((!is_number(left) && !counted) || !is_number(pass_at(pass, at + 1)))
		return 0;
	return say_sign(pass, at, "nhân");
}

static size_t plus(struct pass *pass, size_t at, size_t count)
{
	(void)count;
	if (!is_number(pass_at(pass, at - 1)) || !is_number(pass_at(pass, at + 1)) ||
		pass->in[at].blank != pass_at(pass, at + 1)->blank)
		return 0;
	return say_sign(pass, at, "cộng");
}

static size_t equals(struct pass *pass, size_t at, size_t count)
{
	(void)count;
	return is_number(pass_at(pass, at - 1)) ? say_sign(pass, at, "bằng") : 0;
}

void pass_ranges(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "N:N", colon },
		{ "N/N", over },
		{ "N/Q", over_quantity },
		{ "N/ Q", over_quantity },
		{ "/N", slash },
		{ "/N", quantities },
		{ "-", dash },
		{ "~", dash },
		{ "x", times },
		{ "+", plus },
		{ "=", equals },
		{ 0 },
	};

	pass_run(pass, rules);
}
