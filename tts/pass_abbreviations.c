/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Abbreviations of tables/abbreviations.tsv, with their cues. One in brackets that only repeats
 * what was just written ("Dịch tả lợn châu Phi (DTLCP)") is not said, nor brackets that write out
 * what was just abbreviated.
 */
#include "tts/pass.h"
#include "base/utf8.h"
#include "tts/letter.h"
#include "tts/syllable.h"

#include <string.h>

#define LETTERS_MAX 12 /* of an abbreviation whose words are looked for */

/* --- Finding ------------------------------------------------------------------------------------ */

/* An entry that is a word too ("CA XÃ") is none in a line of capitals, unless its cues say so. */
static bool is_just_a_word(
	const struct pass *pass, size_t at, size_t count, const struct lexicon_entry *entry)
{
	const struct token *token = &pass->in[at];

	return token->shouted && count == 1 && !entry->left && !entry->right &&
	       syllable_valid(token->key, strlen(token->key));
}

/* "BC15" is the name of a seed, though BC stands in the table; "Km14", "QL1" ask for a number. */
static bool is_tight_to_number(const struct pass *pass, size_t at, size_t count)
{
	const struct token *next = pass_at(pass, at + count), *before = pass_at(pass, at - 1);

	return ((next->kind == TOKEN_NUMBER || next->kind == TOKEN_SAID) && !next->blank) ||
	       (before->kind == TOKEN_NUMBER && !pass->in[at].blank);
}

/* "bhyt": in lower case, but the table has it in capitals. */
static const struct lexicon_entry *find_lower_case(const struct pass *pass, size_t at)
{
	const struct token *token = &pass->in[at];
	char upper[LEXICON_WRITTEN_MAX];
	size_t length = 0;
	uint32_t c;

	if (token->capital || strlen(token->key) < 3 || strlen(token->key) > LETTERS_MAX * 2 ||
		syllable_valid(token->key, strlen(token->key)))
		return NULL;
	for (const char *at_key = token->key; *at_key;) {
		at_key += utf8_decode(at_key, strlen(at_key), &c);
		length += utf8_encode(letter_upper(c), upper + length);
	}
	const struct lexicon_entry *entry = table_find(&table_abbreviations, upper, length);
	return entry && !entry->left && !entry->right ? entry : NULL;
}

static const struct lexicon_entry *find(const struct pass *pass, size_t at, size_t *ret_count)
{
	const struct lexicon_entry *entry = pass_look_up(
		pass, &table_abbreviations, at, false, ret_count);

	if (!entry) {
		*ret_count = 1;
		entry = find_lower_case(pass, at);
	}
	if (!entry || is_just_a_word(pass, at, *ret_count, entry))
		return NULL;
	if (is_tight_to_number(pass, at, *ret_count) &&
		!(entry->right && strchr(entry->right, '#')))
		return NULL;
	const struct token *next = pass_at(pass, at + *ret_count);
	if (next->kind == TOKEN_WORD && !next->blank &&
		pass_at(pass, at + *ret_count - 1)->kind == TOKEN_WORD)
		return NULL;
	return entry;
}

/* --- Said twice --------------------------------------------------------------------------------- */

static uint32_t first_letter(const char *key)
{
	uint32_t c = 0;
	enum tone tone;

	utf8_decode(key, strlen(key), &c);
	return letter_without_tone(c, &tone);
}

/* Whether the letters of in[at], an abbreviation, begin the words just before `end`. */
static bool initials_match(const struct pass *pass, size_t at, size_t end)
{
	const char *key = pass->in[at].key;
	size_t letters = utf8_count(key, strlen(key));
	uint32_t c;
	enum tone tone;

	if (letters < 2 || letters > LETTERS_MAX || letters > end)
		return false;
	for (size_t i = end - letters; i < end; i++) {
		key += utf8_decode(key, strlen(key), &c);
		if (pass->in[i].kind != TOKEN_WORD ||
			first_letter(pass->in[i].key) != letter_without_tone(c, &tone))
			return false;
	}
	return true;
}

/* Whether the bytes lower[from..to) are the words `spoken`. */
static bool is_same_text(const struct pass *pass, size_t from, size_t to, const char *spoken)
{
	return to - from == strlen(spoken) &&
	       memcmp(pass->passage->lower + from, spoken, to - from) == 0;
}

/* "(DTLCP)" after the words it stands for. */
static size_t bracketed(struct pass *pass, size_t at, size_t count)
{
	size_t taken = 1, before = pass_at(pass, at - 1)->to;

	if (!pass->in[at + 1].caps || at == 0)
		return 0;
	const struct lexicon_entry *entry = find(pass, at + 1, &taken);
	if (!pass_is_sign(pass, at + 1 + taken, ')'))
		return 0;
	bool same = taken == 1 && initials_match(pass, at + 1, at);
	if (!same && entry && before >= strlen(entry->spoken))
		same = is_same_text(pass, before - strlen(entry->spoken), before, entry->spoken);
	return same ? pass_said(pass, at, count + taken, SAID_WORDS) : 0;
}

/* The tokens of " (dịch tả lợn châu Phi)" at `at` if it writes out `spoken`; 0 if not. */
static size_t written_out(const struct pass *pass, size_t at, const char *spoken)
{
	size_t end = at + 1, from = pass_at(pass, at)->to;

	if (!pass_is_sign(pass, at, '('))
		return 0;
	while (pass_at(pass, end)->kind == TOKEN_WORD && end - at < 2 * LETTERS_MAX)
		end++;
	if (end == at + 1 || !pass_is_sign(pass, end, ')') ||
		!is_same_text(pass, from, pass->in[end - 1].to, spoken))
		return 0;
	return end + 1 - at;
}

/* --- The pass ----------------------------------------------------------------------------------- */

static size_t abbreviation(struct pass *pass, size_t at, size_t count)
{
	const struct lexicon_entry *entry = find(pass, at, &count);

	if (!entry)
		return 0;
	pass_say(pass, entry->spoken);
	count += written_out(pass, at + count, entry->spoken);
	pass_said(pass, at, count, SAID_WORDS);
	/* what follows may be read beside the words that are said: "BĐ III" */
	return count;
}

void pass_abbreviations(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "(W", bracketed },
		{ "( W", bracketed },
		{ "W", abbreviation },
		{ 0 },
	};

	pass_run(pass, rules);
}
