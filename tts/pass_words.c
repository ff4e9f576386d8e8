/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words that are left. A syllable goes as it is (in lower case if it was in capitals). What is no
 * syllable is spelled if it looks like an abbreviation, else read by rule; either is a warning.
 */
#include "tts/pass.h"
#include "base/utf8.h"
#include "tts/syllable.h"
#include "tts/transcribe.h"
#include "tts/unicode.h"

#include <string.h>

#define SPELLED_LETTERS_MAX 6

static const char *written(const struct pass *pass, const struct token *token)
{
	return pass->passage->text + token->from;
}

static const char *lower(const struct pass *pass, const struct token *token)
{
	return pass->passage->lower + token->from;
}

/* Whether there is a capital after the first letter. */
static bool has_inner_capital(const struct pass *pass, const struct token *token)
{
	size_t length = token->to - token->from;
	uint32_t c;
	size_t at = utf8_decode(written(pass, token), length, &c);

	while (at < length) {
		at += utf8_decode(written(pass, token) + at, length - at, &c);
		if (unicode_is_upper(c))
			return true;
	}
	return false;
}

static void say_syllable(struct pass *pass, const struct token *token)
{
	size_t length = token->to - token->from;
	/* Read again, "I" could be a number. */
	bool small = (length == 1 && *written(pass, token) == 'I') || token->shouted ||
		     has_inner_capital(pass, token);
	const char *text = small ? lower(pass, token) : written(pass, token);

	strbuf_add(&pass->say, text, length);
}

/* An abbreviation: in capitals, short, and not a word that somebody shouts. */
static bool is_spelled(const struct pass *pass, const struct token *token)
{
	size_t letters = utf8_count(token->key, strlen(token->key));

	if (letters > SPELLED_LETTERS_MAX)
		return false;
	return (token->caps && !token->shouted) ||
	       (token->capital && letters <= 4 && has_inner_capital(pass, token));
}

static void say_unknown(struct pass *pass, const struct token *token)
{
	const char *key = lower(pass, token);
	size_t length = token->to - token->from;
	bool spelled = is_spelled(pass, token) || !transcribe(key, length, &pass->say);

	if (spelled && length <= 4 * SPELLED_LETTERS_MAX)
		pass_say_letters(pass, key, length);
	passage_warn(pass->passage,
		spelled ? NORMALISE_UNKNOWN_ABBREVIATION : NORMALISE_UNKNOWN_WORD, token->from,
		token->to);
}

static size_t word(struct pass *pass, size_t at, size_t count)
{
	const struct token *token = &pass->in[at];
	size_t letters = utf8_count(token->key, strlen(token->key));

	if (syllable_valid(token->key, strlen(token->key)))
		say_syllable(pass, token);
	else if (letters == 1)
		pass_say_letters(pass, token->key, strlen(token->key));
	else
		say_unknown(pass, token);
	return pass_said(pass, at, count, SAID_WORDS);
}

void pass_words(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "W", word },
		{ 0 },
	};

	pass_run(pass, rules);
}
