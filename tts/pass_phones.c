/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Telephone numbers, and other numbers that are said digit by digit: accounts, cards, codes.
 * What is a telephone number is told by its first digits and its length; a short one (113, 1022)
 * only by the words before it.
 */
#include "tts/pass.h"

#include <string.h>

#define GROUPS_MAX 8
#define DIGITS_MAX 16

struct groups {                    /* runs of digits that might be one number */
	size_t tokens[GROUPS_MAX]; /* of each run */
	size_t ends[GROUPS_MAX];   /* the digits up to its end */
	size_t count;
	char digits[DIGITS_MAX + 1];
};

/* Whether the next run of digits goes on with the number; *ret_next: its token. */
static bool goes_on(const struct pass *pass, size_t at, size_t *ret_next)
{
	const struct token *token = pass_at(pass, at), *next = pass_at(pass, at + 1);

	if (token->kind == TOKEN_NUMBER) {
		*ret_next = at;
		return token->blank;
	}
	if (token->kind != TOKEN_SIGN)
		return false;
	*ret_next = at + 1;
	if (token->sign == ')')
		return next->kind == TOKEN_NUMBER ||
		       (next->sign == '.' && pass_at(pass, at + 2)->kind == TOKEN_NUMBER &&
			       (*ret_next = at + 2));
	if (next->kind != TOKEN_NUMBER)
		return false;
	if (token->sign == '-')
		return token->blank == next->blank;
	return token->sign == '.' && !token->blank;
}

static void gather(const struct pass *pass, size_t at, struct groups *groups)
{
	size_t length = 0;

	for (groups->count = 0; groups->count < GROUPS_MAX;) {
		size_t digits = pass_digits(pass, at), next;
		if (digits == 0 || length + digits > DIGITS_MAX || pass->in[at].roman)
			break;
		memcpy(groups->digits + length, pass->in[at].key, digits);
		length += digits;
		groups->tokens[groups->count] = at;
		groups->ends[groups->count++] = length;
		if (!goes_on(pass, at + 1, &next))
			break;
		at = next;
	}
	groups->digits[length] = '\0';
}

/* The groups that make exactly `digits` digits; 0: none do. */
static size_t groups_of(const struct groups *groups, size_t digits)
{
	for (size_t i = 0; i < groups->count; i++)
		if (groups->ends[i] == digits)
			return i + 1;
	return 0;
}

/* --- Saying ------------------------------------------------------------------------------------- */

/* One run of digits; what is longer than five is said in threes, the first group the longest. */
static void say_run(struct pass *pass, const char *digits, size_t length)
{
	while (length > 5) {
		size_t first = length == 8 || length % 3 == 1 ? 4 : 3;
		numbers_digits(digits, first, &pass->say);
		pass_say(pass, ",");
		digits += first;
		length -= first;
	}
	numbers_digits(digits, length, &pass->say);
}

static void say_groups(struct pass *pass, const struct groups *groups, size_t count, size_t skip)
{
	for (size_t i = 0, from = skip; i < count; i++) {
		if (groups->ends[i] <= skip)
			continue;
		if (from > skip)
			pass_say(pass, ",");
		say_run(pass, groups->digits + from, groups->ends[i] - from);
		from = groups->ends[i];
	}
}

static size_t said_groups(
	struct pass *pass, size_t at, const struct groups *groups, size_t count, enum said said)
{
	size_t end = groups->tokens[count - 1] + 1;

	say_groups(pass, groups, count, 0);
	return pass_said_slowly(pass, at, end - at, said);
}

/* --- Whole numbers ------------------------------------------------------------------------------ */

static const struct form { /* the first digits, and the lengths in order of trust */
	const char *prefix;
	unsigned char lengths[3];
} forms[] = {
	{ "02", { 11, 10, 0 } },
	{ "01", { 11, 10, 0 } },
	{ "03", { 10, 0, 0 } },
	{ "05", { 10, 0, 0 } },
	{ "07", { 10, 11, 0 } },
	{ "08", { 10, 11, 0 } },
	{ "09", { 10, 0, 0 } },
	{ "04", { 10, 0, 0 } },
	{ "06", { 10, 11, 0 } },
	{ "84", { 11, 12, 0 } },
	{ "1800", { 8, 10, 9 } },
	{ "1900", { 8, 10, 9 } },
};

/* 1900 - 1950 may be years; 1 800 000 is none. */
static bool is_hotline(const struct pass *pass, size_t at, const struct groups *groups)
{
	if (groups->ends[0] != 4 && groups->ends[0] < 8)
		return false;
	if (pass_is_sign(pass, at + 1, '-') && !pass_cue_near(pass, at, CUE_CALL, 4))
		return false;
	return !pass_is_word(pass, at - 1, "năm") && !pass_is_word(pass, at - 1, "từ");
}

static size_t whole(struct pass *pass, size_t at, size_t count)
{
	struct groups groups;

	(void)count;
	gather(pass, at, &groups);
	for (size_t i = 0; i < countof(forms) && groups.count > 0; i++) {
		const struct form *form = &forms[i];
		if (strncmp(groups.digits, form->prefix, strlen(form->prefix)) != 0)
			continue;
		if (form->prefix[0] == '8' && !pass_cue_near(pass, at, CUE_PHONE, 3))
			return 0;
		if (form->prefix[0] == '8'       ? false
			: form->prefix[0] == '1' ? !is_hotline(pass, at, &groups)
						 : groups.ends[0] < 3)
			return 0; /* 07-12-2021 is a date */
		for (size_t k = 0; k < countof(form->lengths) && form->lengths[k]; k++) {
			size_t used = groups_of(&groups, form->lengths[k]);
			if (used > 0)
				return said_groups(pass, at, &groups, used, SAID_PHONE);
		}
	}
	return 0;
}

/* "(024) 3825 1234" */
static size_t bracketed(struct pass *pass, size_t at, size_t count)
{
	struct groups groups;
	size_t used = 0;

	if (!pass_is_sign(pass, at + count, ')') || pass->in[at + 1].key[0] != '0')
		return 0;
	gather(pass, at + 1, &groups);
	for (size_t digits = 11; digits >= 9 && used == 0; digits--)
		used = groups_of(&groups, digits);
	return used > 1 ? said_groups(pass, at, &groups, used, SAID_PHONE) : 0;
}

/* "+84 912 345 678", also "(+84)": as it is dialled here, with a nought. */
static size_t abroad(struct pass *pass, size_t at, size_t count)
{
	struct groups groups;
	size_t used = 0;

	if (strncmp(pass->in[at + count - 1].key, "84", 2) != 0)
		return 0;
	gather(pass, at + count - 1, &groups);
	for (size_t digits = 12; digits >= 11 && used == 0; digits--)
		used = groups_of(&groups, digits);
	if (used == 0)
		return 0;
	bool nought = groups.digits[2] == '0';
	if (!nought)
		pass_say(pass, "không");
	say_groups(pass, &groups, used, 2);
	return pass_said_slowly(pass, at, groups.tokens[used - 1] + 1 - at, SAID_PHONE);
}

/* --- By the words before ------------------------------------------------------------------------ */

static bool is_emergency(const char *digits)
{
	static const char *const numbers[] = { "111", "112", "113", "114", "115", "116", "117",
		"119", "1022", "1080", "1039", "1088", "1090", "1091", "1098", "1111", "198", "911",
		"9090", "18001", "1408", "1407", "1400", "1406", "1409", "156", "5656" };

	for (size_t i = 0; i < countof(numbers); i++)
		if (strcmp(digits, numbers[i]) == 0)
			return true;
	return false;
}

/* What was said just before, over "," "hoặc" "và" "/": a telephone number? */
static bool follows_phone(const struct pass *pass)
{
	const struct tokens *out = pass->out;

	for (size_t i = out->count; i > 0 && out->count - i < 3; i--) {
		const struct token *token = &out->list[i - 1];
		if (token->kind == TOKEN_SAID)
			return token->said == SAID_PHONE;
		bool joins = token->kind == TOKEN_SIGN
				     ? strchr(",-/;", (int)(token->sign & 0x7f)) != NULL
				     : strcmp(token->key, "hoặc") == 0 ||
					       strcmp(token->key, "và") == 0 ||
					       strcmp(token->key, "hay") == 0;
		if (!joins)
			return false;
	}
	return false;
}

static bool names_a_unit(const struct pass *pass, size_t at)
{
	const struct token *next = pass_at(pass, at);

	return (next->begins & (CUE_BIT(CUE_THOUSANDS) | CUE_BIT(CUE_COUNT))) ||
	       (!next->blank && next->kind == TOKEN_WORD) || pass_is_sign(pass, at, '%');
}

static size_t short_phone(struct pass *pass, size_t at, size_t count)
{
	const struct token *token = &pass->in[at];
	size_t digits = pass_digits(pass, at);
	struct groups groups;

	if (digits < 3 || names_a_unit(pass, at + count) || token->roman)
		return 0;
	if (is_emergency(token->key) &&
		(pass_cue_near(pass, at, CUE_CALL, 5) || follows_phone(pass))) {
		numbers_digits(token->key, digits, &pass->say);
		return pass_said_slowly(pass, at, 1, SAID_PHONE);
	}
	if (!pass_cue_near(pass, at, CUE_PHONE, 3) || pass_is_tight(pass, at + 1, '/'))
		return 0;
	gather(pass, at, &groups);
	if (groups.count == 0 || groups.ends[groups.count - 1] < 4 ||
		names_a_unit(pass, groups.tokens[groups.count - 1] + 1))
		return 0;
	return said_groups(pass, at, &groups, groups.count, SAID_PHONE);
}

/* Accounts, cards: five digits or more after such a word; nine or more anywhere. */
static size_t account(struct pass *pass, size_t at, size_t count)
{
	size_t digits = pass_digits(pass, at);
	bool named = pass_cue_near(pass, at, CUE_ACCOUNT, 5);
	struct groups groups;

	if (pass->in[at].roman || pass->in[at].grouped)
		return 0;
	if (digits >= (named ? 5 : 9) && !names_a_unit(pass, at + count)) {
		if (digits <= DIGITS_MAX)
			say_run(pass, pass->in[at].key, digits);
		else
			numbers_digits(pass->in[at].key, digits, &pass->say);
		return pass_said_slowly(pass, at, 1, SAID_CODE);
	}
	if (!named || digits < 2)
		return 0;
	gather(pass, at, &groups);
	if (groups.count == 0 || groups.ends[groups.count - 1] < 9)
		return 0;
	return said_groups(pass, at, &groups, groups.count, SAID_CODE);
}

void pass_phones(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "(+N", abroad },
		{ "+N", abroad },
		{ "+ N", abroad },
		{ "(N", bracketed },
		{ "( N", bracketed },
		{ "N", whole },
		{ "N", short_phone },
		{ "N", account },
		{ 0 },
	};

	pass_run(pass, rules);
}
