/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pass of the normaliser: a pure function from one list of tokens to the next, forward, in
 * linear time. Most are a table of rules: a shape of tokens, and what to make of it. At each
 * token the rules are tried in order; the first that takes tokens replaces them; if none does, the
 * token goes over as it is. A rule may look a bounded number of tokens to the left and right.
 * Inside tts/ only.
 *
 * A shape is a string, one character for each token, which must follow each other without blanks:
 *   N number   W word   Q quantity   T time   D date   P phone number or code   S anything said
 *   C sign of a currency
 *   a…z        the word of this one letter, in either case; x is also ×
 *   blank      what follows may have a blank before it
 *   else       the sign itself (- is any dash, ' and " any of their kind)
 */
#pragma once

#include "tts/tables.h"
#include "tts/token.h"

struct pass {
	struct passage *passage;
	const struct token *in;
	size_t count;
	struct tokens *out;
	struct strbuf say; /* what the rule at work says */
	size_t here;       /* where it began */
};

struct rule {
	const char *shape;
	/* Takes tokens from `at` on, of which the first `count` fit the shape; says or adds what
	 * stands for them; returns how many it took, 0: none (then it said nothing). */
	size_t (*apply)(struct pass *pass, size_t at, size_t count);
};

/* The passes, in their order; see tts/normalise.c. */
void pass_lexicon(struct pass *pass);
void pass_addresses(struct pass *pass);
void pass_documents(struct pass *pass);
void pass_phones(struct pass *pass);
void pass_plates(struct pass *pass);
void pass_roman(struct pass *pass);
void pass_dates(struct pass *pass);
void pass_times(struct pass *pass);
void pass_numerals(struct pass *pass);
void pass_repeats(struct pass *pass);
void pass_units(struct pass *pass);
void pass_ranges(struct pass *pass);
void pass_abbreviations(struct pass *pass);
void pass_foreign(struct pass *pass);
void pass_codes(struct pass *pass);
void pass_numbers(struct pass *pass);
void pass_symbols(struct pass *pass);
void pass_words(struct pass *pass);

/* Applies the rules to the whole list. `rules` ends with a NULL shape. */
void pass_run(struct pass *pass, const struct rule *rules);
/* The tokens from `at` on that fit the shape; 0: they do not. */
size_t pass_shape(const struct pass *pass, size_t at, const char *shape);

/* The token at `at`; one of TOKEN_END outside of the list (also "below" 0). */
const struct token *pass_at(const struct pass *pass, size_t at);
bool pass_is_sign(const struct pass *pass, size_t at, uint32_t sign);
bool pass_is_word(const struct pass *pass, size_t at, const char *key);
/* A sign without a blank before it and after it. */
bool pass_is_tight(const struct pass *pass, size_t at, uint32_t sign);
/* Whether a phrase of the cue ends just before `at`; begins at it. */
bool pass_cue_left(const struct pass *pass, size_t at, enum cue cue);
bool pass_cue_right(const struct pass *pass, size_t at, enum cue cue);
/* Whether one ends within `words` tokens before `at`, in the same sentence. */
bool pass_cue_near(const struct pass *pass, size_t at, enum cue cue, size_t words);
/* Whether a sentence or line ends at `at`: a stop with a blank after it, a line, the end. */
bool pass_sentence_ends(const struct pass *pass, size_t at);

/* The value of a TOKEN_NUMBER's digits; more than `max`, or no number: −1. */
long pass_value(const struct pass *pass, size_t at, long max);
size_t pass_digits(const struct pass *pass, size_t at); /* how many; 0: no number */

/* Says a word or words; a number. */
void pass_say(struct pass *pass, const char *words);
void pass_say_value(struct pass *pass, long value);
void pass_say_number(struct pass *pass, const struct token *number);
/* Says a word's letters by their names, its digits as a number or one by one. */
void pass_say_letters(struct pass *pass, const char *word, size_t length);

/* What was said stands for in[at..at + count). Returns count. */
size_t pass_said(struct pass *pass, size_t at, size_t count, enum said said);
/* The same, to be said slowly. */
size_t pass_said_slowly(struct pass *pass, size_t at, size_t count, enum said said);
/* A number stands for them. */
size_t pass_number(struct pass *pass, size_t at, size_t count, const struct token *number);
/* The tokens go over as they are. */
size_t pass_keep(struct pass *pass, size_t at, size_t count);

/* The entry of the table for the longest text that begins at token `at`; *ret_count: the tokens it
 * takes. `lower`: the text is compared in lower case. NULL: none. */
const struct lexicon_entry *pass_look_up(const struct pass *pass, const struct table *table,
	size_t at, bool lower, size_t *ret_count);
/* The entry whose `written` is text[0..length), or NULL. */
const struct lexicon_entry *table_find(const struct table *table, const char *text, size_t length);
