/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The numbers that are left: as ordinals, months, digits or cardinals. */
#include "tts/pass.h"

#include <string.h>

/* The first number of a list like "thứ 2, 4 và 6", "2-4-6". */
static size_t list_start(const struct pass *pass, size_t at)
{
	for (size_t steps = 0; steps < 6 && pass_at(pass, at - 2)->kind == TOKEN_NUMBER; steps++) {
		const struct token *joint = pass_at(pass, at - 1);
		if (!pass_is_sign(pass, at - 1, ',') && !pass_is_word(pass, at - 1, "và") &&
			!(joint->kind == TOKEN_SAID && *joint->spoken == '\0'))
			break;
		at -= 2;
	}
	return at;
}

static bool is_ordinal(const struct pass *pass, size_t at)
{
	return pass_cue_left(pass, at, CUE_ORDINAL);
}

/* "tháng 4", "tháng 3, 4", but not "3 tháng 4 ngày". */
static bool is_month(const struct pass *pass, size_t at)
{
	if (!pass_is_word(pass, list_start(pass, at) - 1, "tháng"))
		return false;
	return pass_at(pass, at - 2)->kind != TOKEN_NUMBER ||
	       !(pass_is_word(pass, at + 1, "ngày") || pass_is_word(pass, at + 1, "tuần"));
}

static size_t number(struct pass *pass, size_t at, size_t count)
{
	const struct token *token = &pass->in[at];
	size_t digits = strlen(token->key);
	long value = pass_value(pass, at, 99);

	if (is_ordinal(pass, at) && value == 1 && !token->fraction)
		pass_say(pass, "nhất");
	else if (value == 4 && !token->fraction &&
		 (is_ordinal(pass, list_start(pass, at)) || is_month(pass, at)))
		pass_say(pass, "tư");
	else if (digits > 2 && token->key[0] == '0' && !token->fraction) /* 007 */
		numbers_digits(token->key, digits, &pass->say);
	else
		pass_say_number(pass, token);
	return pass_said(pass, at, count, SAID_WORDS);
}

void pass_numbers(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "N", number },
		{ 0 },
	};

	pass_run(pass, rules);
}
