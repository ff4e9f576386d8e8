/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The signs that are left: pauses, words, or nothing. */
#include "tts/pass.h"
#include "base/utf8.h"

#include <string.h>

/* What each is by itself. "": nothing; a sign that is not here: nothing. */
static const struct symbol {
	uint32_t sign;
	const char *spoken;
} symbols[] = {
	{ ',', "," },
	{ ';', ";" },
	{ ':', ":" },
	{ '?', "?" },
	{ '!', "!" },
	{ '(', "," },
	{ ')', "," },
	{ '|', "," },
	{ '&', "và" },
	{ '%', "phần trăm" },
	{ '@', "a còng" },
	{ 0x203d, "?" },                 /* ‽ */
	{ 0x2030, "phần nghìn" },        /* ‰ */
	{ 0xb0, "độ" },                  /* ° */
	{ 0xb1, "cộng trừ" },            /* ± */
	{ 0xbc, "một phần tư" },         /* ¼ */
	{ 0xbd, "một phần hai" },        /* ½ */
	{ 0xbe, "ba phần tư" },          /* ¾ */
	{ 0x2153, "một phần ba" },       /* ⅓ */
	{ 0x2154, "hai phần ba" },       /* ⅔ */
	{ 0x2116, "số" },                /* № */
	{ 0x2264, "nhỏ hơn hoặc bằng" }, /* ≤ */
	{ 0x2265, "lớn hơn hoặc bằng" }, /* ≥ */
	{ '$', "đô la" },
	{ 0x20ac, "ơ rô" }, /* € */
	{ 0x20ab, "đồng" }, /* ₫ */
	{ '<', "dưới" },
	{ '>', "trên" },
};

static size_t say(struct pass *pass, size_t at, const char *spoken)
{
	if (*spoken)
		pass_say(pass, spoken);
	return pass_said(pass, at, 1, SAID_WORDS);
}

static bool is_speech(const struct token *token)
{
	return token->kind == TOKEN_WORD || token->kind == TOKEN_NUMBER ||
	       (token->kind == TOKEN_SAID && *token->spoken);
}

static bool is_initial(const struct pass *pass, size_t at)
{
	const struct token *token = pass_at(pass, at);

	return token->kind == TOKEN_WORD && token->capital &&
	       utf8_count(token->key, strlen(token->key)) == 1;
}

/* A stop ends a sentence before a blank, or before a capital where the blank was forgotten; the
 * dots of initials (H.N.T.) are nothing; between other words it is a short pause. */
static size_t stop(struct pass *pass, size_t at)
{
	const struct token *next = pass_at(pass, at + 1);

	if (is_initial(pass, at - 1) && ((next->kind == TOKEN_SIGN && next->sign < 0x7f &&
						 strchr("(,;:", (int)next->sign)) ||
						(next->kind == TOKEN_WORD && !next->capital)))
		return say(pass, at, "");
	if (pass_sentence_ends(pass, at) || next->kind == TOKEN_SIGN)
		return say(pass, at, ".");
	if (is_initial(pass, at - 1))
		return say(pass, at, "");
	return say(pass, at, next->kind == TOKEN_WORD && next->capital ? "." : ",");
}

/* "…" and "..." that a sentence follows end one. */
static size_t dots(struct pass *pass, size_t at)
{
	size_t count = 1;

	while (pass_is_sign(pass, at + count, '.') || pass_is_sign(pass, at + count, 0x2026))
		count++;
	const struct token *next = pass_at(pass, at + count);
	bool goes_on = is_speech(next) && !next->capital;
	pass_say(pass, goes_on || (next->kind == TOKEN_SIGN && next->sign != '"') ? "," : ".");
	return pass_said(pass, at, count, SAID_WORDS);
}

/* A dash with a blank on a side is a pause; between words (ho gà-uốn ván) it is nothing. */
static size_t dash(struct pass *pass, size_t at)
{
	bool loose = pass->in[at].blank || pass_at(pass, at + 1)->blank;

	return say(pass, at, loose && !pass->in[at].first ? "," : "");
}

static size_t slash(struct pass *pass, size_t at)
{
	bool between = is_speech(pass_at(pass, at - 1)) && is_speech(pass_at(pass, at + 1));

	if (between && pass_is_word(pass, at - 1, "và") && pass_is_word(pass, at + 1, "hoặc"))
		return say(pass, at, "");
	/* "cúm A/H5N1" */
	if (between && is_initial(pass, at - 1))
		return say(pass, at, "");
	return say(pass, at, between ? "," : "");
}

static size_t about(struct pass *pass, size_t at)
{
	const struct token *next = pass_at(pass, at + 1);

	return say(
		pass, at, next->kind == TOKEN_NUMBER || next->kind == TOKEN_SAID ? "khoảng" : "");
}

static size_t symbol(struct pass *pass, size_t at)
{
	uint32_t sign = pass->in[at].sign;

	for (size_t i = 0; i < countof(symbols); i++)
		if (symbols[i].sign == sign)
			return say(pass, at, symbols[i].spoken);
	return say(pass, at, "");
}

/* "<=", ">=", as typed for ≤ and ≥ */
static size_t compared(struct pass *pass, size_t at)
{
	if (!pass_is_sign(pass, at + 1, '=') || pass->in[at + 1].blank)
		return symbol(pass, at);
	pass_say(pass, pass->in[at].sign == '<' ? "nhỏ hơn hoặc bằng" : "lớn hơn hoặc bằng");
	return pass_said(pass, at, 2, SAID_WORDS);
}

static size_t sign_at(struct pass *pass, size_t at)
{
	static const struct {
		uint32_t sign;
		size_t (*apply)(struct pass *pass, size_t at);
	} special[] = { { 0x2026, dots }, { '-', dash }, { '/', slash }, { '~', about },
		{ '<', compared }, { '>', compared } };
	uint32_t sign = pass->in[at].sign;

	if (sign == '.')
		return pass_is_sign(pass, at + 1, '.') ? dots(pass, at) : stop(pass, at);
	for (size_t i = 0; i < countof(special); i++)
		if (special[i].sign == sign)
			return special[i].apply(pass, at);
	return symbol(pass, at);
}

void pass_symbols(struct pass *pass)
{
	for (size_t at = 0; at < pass->count;)
		at += pass->in[at].kind == TOKEN_SIGN ? sign_at(pass, at) : pass_keep(pass, at, 1);
}
