/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Number plates: 29A-123.45, 29-C1 234.56, 30E 123.45, 29MĐ1-012.34. Two digits of the province,
 * the letters of the series, perhaps a digit, then three digits and two, or four or five.
 */
#include "tts/pass.h"

#include <string.h>

#define SERIES_BYTES_MAX 4

struct plate {
	size_t series, series_digit; /* tokens; series_digit 0: none */
	size_t first, second;        /* tokens of the number; second 0: none */
	size_t count;
};

static bool is_series(const struct token *token)
{
	return token->kind == TOKEN_WORD && token->capital &&
	       token->to - token->from <= SERIES_BYTES_MAX &&
	       (token->caps || token->to - token->from <= 2);
}

/* "-", "." or a blank between the series and the number. */
static size_t skip_joint(const struct pass *pass, size_t at)
{
	const struct token *token = pass_at(pass, at);

	return token->kind == TOKEN_SIGN && (token->sign == '-' || token->sign == '.') ? at + 1
										       : at;
}

static bool parse_number(const struct pass *pass, size_t at, struct plate *plate)
{
	size_t digits = pass_digits(pass, at);

	plate->first = at;
	if (digits == 3 && pass_is_tight(pass, at + 1, '.') && pass_digits(pass, at + 2) == 2) {
		plate->second = at + 2;
		return true;
	}
	return digits == 4 || digits == 5;
}

static bool parse_plate(const struct pass *pass, size_t at, struct plate *ret_plate)
{
	struct plate plate = { 0 };
	size_t next = at + 1;

	if (pass_digits(pass, at) != 2)
		return false;
	if (pass_is_tight(pass, next, '-'))
		next++;
	if (!is_series(pass_at(pass, next)) || pass_at(pass, next)->blank)
		return false;
	plate.series = next++;
	if (pass_digits(pass, next) == 1 && !pass_at(pass, next)->blank)
		plate.series_digit = next++;
	size_t joint = skip_joint(pass, next);
	if (!parse_number(pass, joint, &plate))
		return false;
	/* 12A 2021: only a joint, a dot in the number or a word before makes it sure */
	if (joint == next && !plate.second && !pass_cue_near(pass, at, CUE_PLATE, 3))
		return false;
	plate.count = (plate.second ? plate.second : plate.first) + 1 - at;
	*ret_plate = plate;
	return true;
}

static void say_digits(struct pass *pass, size_t at)
{
	numbers_digits(pass->in[at].key, strlen(pass->in[at].key), &pass->say);
}

static size_t plate_at(struct pass *pass, size_t at, size_t count)
{
	struct plate plate;

	(void)count;
	if (!parse_plate(pass, at, &plate))
		return 0;
	const struct token *series = &pass->in[plate.series];
	say_digits(pass, at);
	pass_say_letters(pass, pass->passage->text + series->from, series->to - series->from);
	if (plate.series_digit)
		say_digits(pass, plate.series_digit);
	pass_say(pass, ",");
	say_digits(pass, plate.first);
	if (plate.second) {
		pass_say(pass, "chấm");
		say_digits(pass, plate.second);
	}
	return pass_said_slowly(pass, at, plate.count, SAID_CODE);
}

void pass_plates(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "N", plate_at },
		{ 0 },
	};

	pass_run(pass, rules);
}
