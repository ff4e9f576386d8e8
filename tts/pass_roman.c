/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Roman numerals become numbers: two letters or more of I V X that are a number and no
 * abbreviation; a single I, V or X, and any with L C D M, only after a word that is numbered so
 * (khóa, thế kỷ); and headings at the beginning of a line.
 */
#include "tts/pass.h"
#include "tts/syllable.h"

#include <string.h>

#define ROMAN_LETTERS_MAX 8

static long letter_value(char letter)
{
	switch (letter) {
	case 'I':
		return 1;
	case 'V':
		return 5;
	case 'X':
		return 10;
	case 'L':
		return 50;
	case 'C':
		return 100;
	case 'D':
		return 500;
	case 'M':
		return 1000;
	default:
		return 0;
	}
}

/* The one way to write it: so that IIX, VX are none. */
static bool is_canonical(long value, const char *roman, size_t length)
{
	static const struct {
		long value;
		const char *letters;
	} steps[] = { { 1000, "M" }, { 900, "CM" }, { 500, "D" }, { 400, "CD" }, { 100, "C" },
		{ 90, "XC" }, { 50, "L" }, { 40, "XL" }, { 10, "X" }, { 9, "IX" }, { 5, "V" },
		{ 4, "IV" }, { 1, "I" } };
	size_t at = 0;

	for (size_t i = 0; i < countof(steps); i++)
		for (; value >= steps[i].value; value -= steps[i].value) {
			size_t step = strlen(steps[i].letters);
			if (at + step > length || memcmp(roman + at, steps[i].letters, step) != 0)
				return false;
			at += step;
		}
	return at == length;
}

/* 0: it is none. */
static long roman_value(const char *roman, size_t length)
{
	long value = 0;

	if (length == 0 || length > ROMAN_LETTERS_MAX)
		return 0;
	for (size_t i = 0; i < length; i++) {
		long this = letter_value(roman[i]);
		long next = i + 1 < length ? letter_value(roman[i + 1]) : 0;
		if (this == 0)
			return 0;
		value += this < next ? -this : this;
	}
	return value > 0 && value < 4000 && is_canonical(value, roman, length) ? value : 0;
}

/* "I. MỤC ĐÍCH", "II- Nội dung", "IV/ …" */
static bool is_heading(const struct pass *pass, size_t at)
{
	const struct token *sign = pass_at(pass, at + 1), *next = pass_at(pass, at + 2);

	if (!pass->in[at].first || sign->kind != TOKEN_SIGN || sign->blank)
		return false;
	return strchr(".-/)", (int)(sign->sign & 0x7f)) && next->kind == TOKEN_WORD &&
	       next->capital;
}

/* "khóa XII, XIII", "quý I và quý II", "khu vực I-II": what is numbered stands further left. */
static bool goes_on(const struct pass *pass, size_t at)
{
	const struct token *joint = pass_at(pass, at - 1);
	bool joins = joint->kind == TOKEN_SIGN ? strchr(",-/;", (int)(joint->sign & 0x7f)) != NULL
					       : pass_is_word(pass, at - 1, "và") ||
							 pass_is_word(pass, at - 1, "đến") ||
							 pass_is_word(pass, at - 1, "hoặc");
	const struct tokens *out = pass->out;

	return joins && out->count >= 2 && out->list[out->count - 2].kind == TOKEN_NUMBER &&
	       out->list[out->count - 2].roman;
}

static bool reads_as_number(const struct pass *pass, size_t at, const char *roman, size_t length)
{
	if (pass_cue_left(pass, at, CUE_ROMAN) || goes_on(pass, at))
		return length > 1 || strchr("IVX", *roman) != NULL;
	if (is_heading(pass, at))
		return strspn(roman, "IVX") >= length;
	if (length < 2 || strspn(roman, "IVX") < length)
		return false;
	/* "VI PHẠM", "XI MĂNG" */
	return !pass->in[at].shouted || !syllable_valid(roman, length);
}

static size_t roman(struct pass *pass, size_t at, size_t count)
{
	const struct token *token = &pass->in[at], *before = pass_at(pass, at - 1);
	const char *text = pass->passage->text + token->from;
	size_t length = token->to - token->from;
	long value = roman_value(text, length);

	if (value == 0 || !reads_as_number(pass, at, text, length))
		return 0;
	/* "CKII", "N-VI", "VI5" are codes */
	if ((!token->blank && (before->kind == TOKEN_NUMBER || before->kind == TOKEN_WORD)) ||
		(!pass_at(pass, at + 1)->blank && pass_at(pass, at + 1)->kind == TOKEN_NUMBER))
		return 0;
	char digits[8];
	int written = snprintf(digits, sizeof digits, "%ld", value);
	struct token number = { .roman = true,
		.key = passage_keep(pass->passage, digits, (size_t)written) };
	return pass_number(pass, at, count, &number);
}

void pass_roman(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "W", roman },
		{ 0 },
	};

	pass_run(pass, rules);
}
