/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/token.h"
#include "base/utf8.h"
#include "tts/letter.h"
#include "tts/tables.h"
#include "tts/unicode.h"

#include <string.h>

/* --- The arena ---------------------------------------------------------------------------------- */

#define BLOCK_BYTES 16384

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	char bytes[];
};

static char *arena_take(struct passage *passage, size_t bytes)
{
	struct arena_block *block = passage->arena;

	if (!block || block->size - block->used < bytes) {
		size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
		block = xcalloc(1, sizeof *block + size);
		block->size = size;
		block->next = passage->arena;
		passage->arena = block;
	}
	block->used += bytes;
	return block->bytes + block->used - bytes;
}

char *passage_keep(struct passage *passage, const char *text, size_t length)
{
	char *copy = arena_take(passage, length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

void passage_done(struct passage *passage)
{
	while (passage->arena) {
		struct arena_block *next = passage->arena->next;
		free(passage->arena);
		passage->arena = next;
	}
	free(passage->lower);
}

void passage_warn(struct passage *passage, enum normalise_warning_kind kind, size_t from, size_t to)
{
	struct normalised *result = passage->result;

	if (result->warnings_count == passage->warnings_capacity) {
		passage->warnings_capacity = passage->warnings_capacity
						     ? passage->warnings_capacity * 2
						     : 8;
		result->warnings = xreallocarray(
			result->warnings, passage->warnings_capacity, sizeof *result->warnings);
	}
	result->warnings[result->warnings_count++] = (struct normalise_warning){ kind, from, to };
}

/* --- The list ----------------------------------------------------------------------------------- */

void tokens_done(struct tokens *tokens)
{
	free(tokens->list);
	*tokens = (struct tokens){ 0 };
}

void tokens_add(struct tokens *tokens, const struct token *token)
{
	if (tokens->count == tokens->capacity) {
		tokens->capacity = tokens->capacity ? tokens->capacity * 2 : 64;
		tokens->list = xreallocarray(tokens->list, tokens->capacity, sizeof *tokens->list);
	}
	tokens->list[tokens->count++] = *token;
}

/* --- Cutting ------------------------------------------------------------------------------------ */

/* One character for all that mean the same. */
static uint32_t fold_sign(uint32_t c)
{
	static const struct {
		uint32_t from, to, folded;
	} folds[] = {
		{ 0x60, 0x60, '\'' },     /* ` */
		{ 0xab, 0xab, '"' },      /* « */
		{ 0xb4, 0xb4, '\'' },     /* ´ */
		{ 0xb7, 0xb7, '*' },      /* · */
		{ 0xbb, 0xbb, '"' },      /* » */
		{ 0xd7, 0xd7, 'x' },      /* × */
		{ 0xf7, 0xf7, '-' },      /* ÷: a range */
		{ 0x2010, 0x2015, '-' },  /* hyphens and dashes */
		{ 0x2018, 0x201b, '\'' }, /* ‘ ’ */
		{ 0x201c, 0x201f, '"' },  /* “ ” */
		{ 0x2020, 0x2023, '*' },  /* † • */
		{ 0x2032, 0x2032, '\'' }, /* ′ */
		{ 0x2033, 0x2033, '"' },  /* ″ */
		{ 0x2043, 0x2043, '*' },  /* ⁃ */
		{ 0x2044, 0x2044, '/' },  /* ⁄ */
		{ 0x2190, 0x21ff, '-' },  /* arrows */
		{ 0x2212, 0x2212, '-' },  /* − */
		{ 0x2215, 0x2215, '/' },  /* ∕ */
		{ 0x2219, 0x2219, '*' },  /* ∙ */
		{ 0x223c, 0x223c, '~' },  /* ∼ */
		{ 0x2248, 0x2248, '~' },  /* ≈ */
		{ 0x22c5, 0x22c5, '*' },  /* ⋅ */
		{ 0x25a0, 0x25ff, '*' },  /* ■ ● */
		{ 0x2600, 0x27bf, '*' },  /* ☎ ✓ ➢ */
		{ 0x3001, 0x3001, ',' },  /* 、 */
		{ 0x3002, 0x3002, '.' },  /* 。 */
	};

	if (c < 0x60 || (c > 0x60 && c < 0xab))
		return c;
	for (size_t i = 0; i < countof(folds); i++)
		if (c >= folds[i].from && c <= folds[i].to)
			return folds[i].folded;
	return c;
}

struct cutter {
	struct passage *passage;
	struct tokens *tokens;
	size_t at;
	bool blank, first;
};

static uint32_t character_at(const struct passage *passage, size_t at, size_t *ret_next)
{
	uint32_t c = 0;

	*ret_next = at + utf8_decode(passage->text + at, passage->length - at, &c);
	return c;
}

static bool is_letter(uint32_t c)
{
	if (c < 0x80)
		return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
	enum unicode_kind kind = unicode_kind(c);
	return kind == UNICODE_LETTER || kind == UNICODE_MARK;
}

static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

/* hoá → hóa, thuỷ → thủy: the tone goes to the first of oa, oe, uy that end a word. */
static size_t place_tone(char *key, size_t length)
{
	uint32_t first = 0, last = 0, before = 0;
	enum tone tone, none;
	size_t cut = length, start;

	do
		cut--;
	while (cut > 0 && ((unsigned char)key[cut] & 0xc0) == 0x80);
	if (cut == 0 || (unsigned char)key[cut] < 0x80)
		return length;
	utf8_decode(key + cut, length - cut, &last);
	start = cut - 1;
	first = (unsigned char)key[start];
	before = start > 0 ? (unsigned char)key[start - 1] : 0;
	last = letter_without_tone(last, &tone);
	if (tone == TONE_LEVEL || (first == 'u' && before == 'q'))
		return length;
	if (!(first == 'o' && (last == 'a' || last == 'e')) && !(first == 'u' && last == 'y'))
		return length;
	first = letter_with_tone(letter_without_tone(first, &none), tone);
	length = start + utf8_encode(first, key + start);
	key[length++] = (char)last;
	key[length] = '\0';
	return length;
}

static void add_token(struct cutter *cutter, struct token *token, size_t to)
{
	token->from = (uint32_t)cutter->at;
	token->to = (uint32_t)to;
	token->blank = cutter->blank;
	token->first = cutter->first;
	tokens_add(cutter->tokens, token);
	cutter->blank = false;
	cutter->first = false;
	cutter->at = to;
}

static void cut_word(struct cutter *cutter)
{
	struct passage *passage = cutter->passage;
	struct token token = { .kind = TOKEN_WORD };
	size_t at = cutter->at, next, letters = 0, capitals = 0;
	uint32_t c;

	while (at < passage->length && is_letter(c = character_at(passage, at, &next))) {
		bool upper = c < 0x80 ? c <= 'Z' : unicode_is_upper(c);
		token.capital = letters == 0 ? upper : token.capital;
		letters++;
		capitals += upper;
		at = next;
	}
	token.caps = letters > 1 && capitals == letters;
	char *key = passage_keep(passage, passage->lower + cutter->at, at - cutter->at);
	(void)place_tone(key, at - cutter->at);
	token.key = key;
	add_token(cutter, &token, at);
}

static void cut_number(struct cutter *cutter)
{
	struct passage *passage = cutter->passage;
	struct token token = { .kind = TOKEN_NUMBER };
	size_t at = cutter->at;

	while (at < passage->length && is_digit((unsigned char)passage->text[at]))
		at++;
	token.key = passage_keep(passage, passage->text + cutter->at, at - cutter->at);
	add_token(cutter, &token, at);
}

static void cut_lines(struct cutter *cutter)
{
	struct passage *passage = cutter->passage;
	struct token token = { .kind = TOKEN_LINE, .key = "" };
	size_t at = cutter->at, lines = 0;

	for (; at < passage->length && (passage->text[at] == '\n' || passage->text[at] == ' ');
		at++)
		lines += passage->text[at] == '\n';
	token.paragraph = lines > 1;
	add_token(cutter, &token, at);
	cutter->first = true;
}

static void cut_sign(struct cutter *cutter, uint32_t c, size_t to)
{
	struct token token = { .kind = TOKEN_SIGN, .sign = fold_sign(c), .key = "" };

	add_token(cutter, &token, to);
}

static void cut_all(struct cutter *cutter)
{
	const struct passage *passage = cutter->passage;
	size_t next;

	while (cutter->at < passage->length) {
		uint32_t c = character_at(passage, cutter->at, &next);
		if (c == ' ') {
			cutter->blank = true;
			cutter->at = next;
		} else if (c == '\n') {
			cut_lines(cutter);
		} else if (is_digit(c)) {
			cut_number(cutter);
		} else if (is_letter(c)) {
			cut_word(cutter);
		} else {
			cut_sign(cutter, c, next);
		}
	}
}

/* --- Lower case, capital lines, cues ------------------------------------------------------------ */

/* Letters whose lower case takes as many bytes; the others are no Vietnamese ones. */
static void make_lower(struct passage *passage)
{
	char bytes[4];
	size_t next;

	passage->lower = xstrndup(passage->text, passage->length);
	for (size_t at = 0; at < passage->length; at = next) {
		uint32_t c = character_at(passage, at, &next);
		uint32_t lower = letter_lower(c);
		if (lower != c && utf8_encode(lower, bytes) == next - at)
			memcpy(passage->lower + at, bytes, next - at);
	}
}

/* A line is shouted when most of its letters-only words of two letters or more are in capitals. */
static void mark_shouted(struct tokens *tokens)
{
	for (size_t from = 0, to; from < tokens->count; from = to + 1) {
		size_t words = 0, capitals = 0;
		for (to = from; to < tokens->count && tokens->list[to].kind != TOKEN_LINE; to++) {
			const struct token *token = &tokens->list[to];
			if (token->kind != TOKEN_WORD || token->to - token->from < 2)
				continue;
			words++;
			capitals += token->caps;
		}
		for (size_t i = from; i < to; i++)
			tokens->list[i].shouted = capitals * 10 >= words * 6 && words > 1;
	}
}

/* The number of tokens that the phrase takes from `at` on; 0: it is not there. */
static size_t phrase_length(const struct tokens *tokens, size_t at, const char *phrase)
{
	size_t count = 0;

	for (;;) {
		size_t length = strcspn(phrase, " ");
		if (at + count >= tokens->count)
			return 0;
		const struct token *token = &tokens->list[at + count];
		if (count > 0 && !token->blank)
			return 0;
		if (strlen(token->key) != length || memcmp(token->key, phrase, length) != 0)
			return 0;
		count++;
		if (phrase[length] == '\0')
			return count;
		phrase += length + 1;
	}
}

/* The first entry whose phrase is not before `word`. */
static size_t first_cue(const char *word)
{
	size_t low = 0, high = table_cues_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(table_cues[middle].phrase, word) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void mark_cues(struct tokens *tokens)
{
	for (size_t at = 0; at < tokens->count; at++) {
		const char *key = tokens->list[at].key;
		size_t length = strlen(key);
		if (length == 0)
			continue;
		for (size_t i = first_cue(key); i < table_cues_count; i++) {
			const struct table_cue *entry = &table_cues[i];
			if (strncmp(entry->phrase, key, length) != 0)
				break;
			size_t count = phrase_length(tokens, at, entry->phrase);
			if (count == 0)
				continue;
			tokens->list[at].begins |= entry->cues;
			tokens->list[at + count - 1].ends |= entry->cues;
		}
	}
}

void token_cut(struct passage *passage, struct tokens *tokens)
{
	struct cutter cutter = { .passage = passage, .tokens = tokens, .first = true };

	make_lower(passage);
	cut_all(&cutter);
	mark_shouted(tokens);
	mark_cues(tokens);
}
