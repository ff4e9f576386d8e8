/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Units and money: a number with what it counts (tables/units.tsv) becomes one quantity; a slash
 * after it is "một": 20 km/h, 804.600 đồng/người/năm, 2,99 con/hộ. A unit's flag in the table:
 *   tight   only right after the number (5s, not "5 s")
 *   alone   is this unit without a number too (giá mỗi kg)
 *   per     only after a slash (km/h)
 *   ampere, weight: only beside a word that says so
 */
#include "tts/pass.h"

#include <string.h>

static bool has_flag(const struct lexicon_entry *entry, const char *flag)
{
	return entry->left && strcmp(entry->left, flag) == 0;
}

/* The unit at `at` after the number that ends before it, or NULL. */
static const struct lexicon_entry *unit_after(const struct pass *pass, size_t at, size_t *ret_count)
{
	const struct token *token = pass_at(pass, at);

	if (token->kind != TOKEN_WORD && token->kind != TOKEN_SIGN)
		return NULL;
	const struct lexicon_entry *unit = pass_look_up(pass, &table_units, at, false, ret_count);
	if (!unit || (has_flag(unit, "tight") && token->blank) || has_flag(unit, "per"))
		return NULL;
	if (has_flag(unit, "ampere") &&
		(token->blank || !pass_cue_near(pass, at - 1, CUE_AMPERE, 4)))
		return NULL;
	if (has_flag(unit, "weight") && !pass_cue_near(pass, at - 1, CUE_WEIGHT, 5))
		return NULL;
	/* "5 mét", "30 An": the unit goes on as a word */
	const struct token *next = pass_at(pass, at + *ret_count);
	if (token->kind == TOKEN_WORD && !next->blank && next->kind == TOKEN_WORD)
		return NULL;
	return unit;
}

static size_t quantity(struct pass *pass, size_t at, size_t count)
{
	size_t taken;
	const struct lexicon_entry *unit = unit_after(pass, at + count, &taken);

	if (!unit)
		return 0;
	/* 1m2 may be read as a square metre only if it is one */
	pass_say_number(pass, &pass->in[at]);
	pass_say(pass, unit->spoken);
	return pass_said(pass, at, count + taken, SAID_QUANTITY);
}

/* "sâu 1m2": what is deep or long has no area. What is wide may have one (rộng 80m2). */
static bool is_measured(const struct pass *pass, size_t at)
{
	long value = pass_value(pass, at, 9);

	return value > 0 && (pass_cue_near(pass, at, CUE_LENGTH, 2) ||
				    (value < 4 && pass_is_word(pass, at - 1, "rộng")));
}

/* 1m6, 4m25: one metre sixty. */
static size_t metres(struct pass *pass, size_t at, size_t count)
{
	if (pass_digits(pass, at + 2) > 2 || pass->in[at].fraction || pass->in[at + 2].fraction ||
		pass_value(pass, at, 999) < 0)
		return 0;
	if (pass_digits(pass, at + 2) == 1 && strchr("23", pass->in[at + 2].key[0]) &&
		!is_measured(pass, at))
		return 0;
	pass_say_number(pass, &pass->in[at]);
	pass_say(pass, "mét");
	pass_say_number(pass, &pass->in[at + 2]);
	return pass_said(pass, at, count, SAID_QUANTITY);
}

/* "dài 1km2" */
static size_t kilometres(struct pass *pass, size_t at, size_t count)
{
	if (!pass_is_word(pass, at + 1, "km") || pass_digits(pass, at + 2) != 1 ||
		!is_measured(pass, at))
		return 0;
	pass_say_number(pass, &pass->in[at]);
	pass_say(pass, "ki lô mét");
	pass_say_number(pass, &pass->in[at + 2]);
	return pass_said(pass, at, count, SAID_QUANTITY);
}

/* "trẻ 6-11t", "NCT từ 80t"; elsewhere it is a tonne or a letter */
static size_t years(struct pass *pass, size_t at, size_t count)
{
	if (pass_value(pass, at, 120) <= 0 || pass->in[at + 1].capital ||
		!pass_cue_near(pass, at, CUE_AGE, 4) || pass_cue_near(pass, at, CUE_WEIGHT, 5))
		return 0;
	pass_say_number(pass, &pass->in[at]);
	pass_say(pass, "tuổi");
	return pass_said(pass, at, count, SAID_QUANTITY);
}

/* A screen of 32" */
static size_t inches(struct pass *pass, size_t at, size_t count)
{
	if (!pass_cue_near(pass, at, CUE_SCREEN, 3))
		return 0;
	pass_say_number(pass, &pass->in[at]);
	pass_say(pass, "in");
	return pass_said(pass, at, count, SAID_QUANTITY);
}

/* --- Money -------------------------------------------------------------------------------------- */

static void say_dong(struct pass *pass, size_t at)
{
	static const char *const said[] = { "đồng", "đ", "vnđ", "vnd", "usd", "đô", "người", "hộ" };

	for (size_t i = 0; i < countof(said); i++)
		if (pass_is_word(pass, at, said[i]))
			return;
	pass_say(pass, "đồng");
}

/* 50k, 50K; but 5K is five things that begin with k. */
static size_t thousands(struct pass *pass, size_t at, size_t count)
{
	long value = pass_value(pass, at, 99999);

	if (pass->in[at + 1].capital &&
		(value < 10 || pass_cue_near(pass, at, CUE_HEALTH, 4) || value % 5 != 0))
		return 0;
	pass_say_number(pass, &pass->in[at]);
	pass_say(pass, pass->passage->config->wording == WORDING_SOUTH ? "ngàn" : "nghìn");
	say_dong(pass, at + count);
	return pass_said(pass, at, count, SAID_QUANTITY);
}

/* 1tr2, 2tr5, 1tỷ2: the digits after are tenths, hundredths or thousandths. */
static size_t millions_and(struct pass *pass, size_t at, size_t count)
{
	static const long scale[] = { 0, 100, 10, 1 };
	size_t digits = pass_digits(pass, at + 2);
	bool billions = pass_is_word(pass, at + 1, "tỷ") || pass_is_word(pass, at + 1, "tỉ");

	if ((!billions && !pass_is_word(pass, at + 1, "tr") &&
		    !pass_is_word(pass, at + 1, "triệu")) ||
		digits == 0 || digits > 3 || pass->in[at].fraction)
		return 0;
	pass_say_number(pass, &pass->in[at]);
	pass_say(pass, billions ? "tỷ" : "triệu");
	long rest = pass_value(pass, at + 2, 999) * scale[digits];
	if (rest > 0) {
		pass_say_value(pass, rest);
		pass_say(pass, billions                                          ? "triệu"
			       : pass->passage->config->wording == WORDING_SOUTH ? "ngàn"
										 : "nghìn");
	}
	say_dong(pass, at + count);
	return pass_said(pass, at, count, SAID_QUANTITY);
}

/* 5tr; "300 ngđ", though "m3/ngđ" is of a day and night. */
static size_t millions(struct pass *pass, size_t at, size_t count)
{
	bool thousand = pass_is_word(pass, at + 1, "ngđ");

	if (!pass_is_word(pass, at + 1, "tr") && !thousand)
		return 0;
	pass_say_number(pass, &pass->in[at]);
	pass_say(pass, !thousand                                         ? "triệu"
		       : pass->passage->config->wording == WORDING_SOUTH ? "ngàn"
									 : "nghìn");
	say_dong(pass, at + count);
	return pass_said(pass, at, count, SAID_QUANTITY);
}

/* $100, €5 */
static size_t currency_first(struct pass *pass, size_t at, size_t count)
{
	size_t taken;
	const struct lexicon_entry *unit = pass_look_up(pass, &table_units, at, false, &taken);

	if (!unit || taken != 1)
		return 0;
	pass_say_number(pass, &pass->in[at + 1]);
	if (pass_is_word(pass, at + count, "triệu") || pass_is_word(pass, at + count, "tỷ") ||
		pass_is_word(pass, at + count, "nghìn"))
		pass_say(pass, pass->in[at + count++].key);
	pass_say(pass, unit->spoken);
	return pass_said(pass, at, count, SAID_QUANTITY);
}

/* --- Per ---------------------------------------------------------------------------------------- */

static bool number_near(const struct pass *pass, size_t at, size_t words)
{
	for (size_t i = at - 1; words > 0 && !pass_sentence_ends(pass, i); i--, words--)
		if (pass->in[i].kind == TOKEN_NUMBER ||
			(pass->in[i].kind == TOKEN_SAID && pass->in[i].said == SAID_QUANTITY))
			return true;
	return false;
}

/* "/h", "/người": the slash, and the unit if it is one. */
static size_t per(struct pass *pass, size_t at, size_t count)
{
	size_t taken = 0;
	const struct token *left = pass_at(pass, at - 1);
	const struct tokens *out = pass->out;
	bool after_quantity = out->count > 0 && out->list[out->count - 1].kind == TOKEN_SAID;

	if (left->kind != TOKEN_WORD && !after_quantity)
		return 0;
	if (!number_near(pass, at, 9))
		return 0;
	const struct lexicon_entry *unit = pass_look_up(pass, &table_units, at + 1, false, &taken);
	if (!unit && !pass_cue_right(pass, at + 1, CUE_PER))
		return 0;
	pass_say(pass, "một");
	if (!unit)
		return pass_said(pass, at, count - 1, SAID_WORDS);
	pass_say(pass, unit->spoken);
	return pass_said(pass, at, 1 + taken, SAID_WORDS);
}

/* "đồng/1 người": as without the 1; "đồng/100 g" */
static size_t per_number(struct pass *pass, size_t at, size_t count)
{
	size_t unit_tokens;

	if (pass_value(pass, at + 1, 1) == 1 && number_near(pass, at, 9) &&
		(pass_cue_right(pass, at + 2, CUE_PER) || unit_after(pass, at + 2, &unit_tokens)) &&
		(pass_at(pass, at - 1)->kind == TOKEN_WORD)) {
		pass_say(pass, "một");
		return pass_said(pass, at, count, SAID_WORDS);
	}
	if (pass_at(pass, at - 1)->kind != TOKEN_WORD || !number_near(pass, at, 4))
		return 0;
	size_t taken;
	if (pass_at(pass, at - 1)->to - pass_at(pass, at - 1)->from < 2 ||
		!unit_after(pass, at + 2, &taken))
		return 0;
	pass_say(pass, "trên");
	return pass_said(pass, at, count - 1, SAID_WORDS);
}

/* "50mm/24h" */
static size_t per_time(struct pass *pass, size_t at, size_t count)
{
	const struct tokens *out = pass->out;

	if (out->count == 0 || out->list[out->count - 1].kind != TOKEN_SAID ||
		out->list[out->count - 1].said != SAID_QUANTITY)
		return 0;
	pass_say(pass, "trên");
	return pass_said(pass, at, count - 1, SAID_WORDS);
}

/* kg, m2, km without a number. */
static size_t alone(struct pass *pass, size_t at, size_t count)
{
	const struct token *before = pass_at(pass, at - 1);

	if (!pass->in[at].blank && (before->kind == TOKEN_WORD || before->kind == TOKEN_NUMBER))
		return 0;
	const struct lexicon_entry *unit = pass_look_up(pass, &table_units, at, false, &count);
	const struct token *next = pass_at(pass, at + count);
	if (!unit || !has_flag(unit, "alone") || next->kind == TOKEN_NUMBER ||
		(next->kind == TOKEN_WORD && !next->blank))
		return 0;
	pass_say(pass, unit->spoken);
	return pass_said(pass, at, count, SAID_WORDS);
}

void pass_units(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "NmN", metres },
		{ "NWN", millions_and },
		{ "NWN", kilometres },
		{ "Nk", thousands },
		{ "Nt", years },
		{ "N\"", inches },
		{ "N", quantity },
		{ "NW", millions },
		{ "N W", millions },
		{ "C N", currency_first },
		{ "/ W", per },
		{ "/ N", per_number },
		{ "/T", per_time },
		{ "W", alone },
		{ 0 },
	};

	pass_run(pass, rules);
}
