/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/pass.h"
#include "base/utf8.h"
#include "tts/letter.h"

#include <string.h>

/* --- Looking ------------------------------------------------------------------------------------ */

const struct token *pass_at(const struct pass *pass, size_t at)
{
	static const struct token end = { .kind = TOKEN_END, .key = "", .spoken = "" };

	return at < pass->count ? &pass->in[at] : &end;
}

bool pass_is_sign(const struct pass *pass, size_t at, uint32_t sign)
{
	const struct token *token = pass_at(pass, at);

	return token->kind == TOKEN_SIGN && token->sign == sign;
}

bool pass_is_tight(const struct pass *pass, size_t at, uint32_t sign)
{
	return pass_is_sign(pass, at, sign) && !pass_at(pass, at)->blank &&
	       !pass_at(pass, at + 1)->blank;
}

bool pass_is_word(const struct pass *pass, size_t at, const char *key)
{
	const struct token *token = pass_at(pass, at);

	return token->kind == TOKEN_WORD && strcmp(token->key, key) == 0;
}

bool pass_cue_left(const struct pass *pass, size_t at, enum cue cue)
{
	return pass_at(pass, at - 1)->ends & CUE_BIT(cue);
}

bool pass_cue_right(const struct pass *pass, size_t at, enum cue cue)
{
	return pass_at(pass, at)->begins & CUE_BIT(cue);
}

bool pass_sentence_ends(const struct pass *pass, size_t at)
{
	const struct token *token = pass_at(pass, at), *next = pass_at(pass, at + 1);

	if (token->kind == TOKEN_LINE || token->kind == TOKEN_END)
		return true;
	if (token->kind != TOKEN_SIGN ||
		!(token->sign == '.' || token->sign == '?' || token->sign == '!'))
		return false;
	return next->blank || next->kind == TOKEN_LINE || next->kind == TOKEN_END;
}

bool pass_cue_near(const struct pass *pass, size_t at, enum cue cue, size_t words)
{
	for (size_t i = at - 1; words > 0; i--, words--) {
		if (pass_sentence_ends(pass, i))
			return false;
		if (pass->in[i].ends & CUE_BIT(cue))
			return true;
	}
	return false;
}

size_t pass_digits(const struct pass *pass, size_t at)
{
	const struct token *token = pass_at(pass, at);

	return token->kind == TOKEN_NUMBER ? strlen(token->key) : 0;
}

long pass_value(const struct pass *pass, size_t at, long max)
{
	const struct token *token = pass_at(pass, at);
	long value = 0;

	if (token->kind != TOKEN_NUMBER || token->fraction)
		return -1;
	for (const char *digit = token->key; *digit; digit++) {
		value = value * 10 + (*digit - '0');
		if (value > max)
			return -1;
	}
	return value;
}

/* --- Shapes ------------------------------------------------------------------------------------- */

static bool fits_said(const struct token *token, char what)
{
	static const struct {
		char what;
		enum said said;
	} letters[] = { { 'Q', SAID_QUANTITY }, { 'T', SAID_TIME }, { 'D', SAID_DATE },
		{ 'P', SAID_PHONE }, { 'P', SAID_CODE } };

	if (token->kind != TOKEN_SAID)
		return false;
	for (size_t i = 0; i < countof(letters); i++)
		if (letters[i].what == what && letters[i].said == token->said)
			return true;
	return what == 'S';
}

static bool is_currency(uint32_t sign)
{
	return sign == '$' || sign == 0xa3 || sign == 0xa5 || (sign >= 0x20a0 && sign <= 0x20c0);
}

static inline bool fits(const struct token *token, char what)
{
	if (what == 'N')
		return token->kind == TOKEN_NUMBER;
	if (what == 'W')
		return token->kind == TOKEN_WORD;
	if (what == 'C')
		return token->kind == TOKEN_SIGN && is_currency(token->sign);
	if (what >= 'A' && what <= 'Z')
		return fits_said(token, what);
	if (what >= 'a' && what <= 'z' && token->kind == TOKEN_WORD)
		return token->key[0] == what && token->key[1] == '\0';
	return token->kind == TOKEN_SIGN && token->sign == (uint32_t)(unsigned char)what;
}

size_t pass_shape(const struct pass *pass, size_t at, const char *shape)
{
	size_t count = 0;

	for (; *shape; shape++, count++) {
		bool loose = *shape == ' ';
		shape += loose;
		const struct token *token = pass_at(pass, at + count);
		if (!fits(token, *shape) || (count > 0 && token->blank && !loose))
			return 0;
	}
	return count;
}

void pass_run(struct pass *pass, const struct rule *rules)
{
	for (size_t at = 0; at < pass->count;) {
		size_t taken = 0;
		for (const struct rule *rule = rules; rule->shape && taken == 0; rule++) {
			if (!fits(&pass->in[at], *rule->shape)) /* most of the time */
				continue;
			size_t count = pass_shape(pass, at, rule->shape);
			if (count > 0)
				taken = rule->apply(pass, at, count);
		}
		at += taken > 0 ? taken : pass_keep(pass, at, 1);
	}
}

/* --- Saying ------------------------------------------------------------------------------------- */

void pass_say(struct pass *pass, const char *words)
{
	numbers_word(words, &pass->say);
}

void pass_say_value(struct pass *pass, long value)
{
	numbers_value((uint64_t)value, pass->passage->config->wording, &pass->say);
}

void pass_say_number(struct pass *pass, const struct token *number)
{
	enum wording wording = pass->passage->config->wording;

	if (number->negative)
		pass_say(pass, "âm");
	numbers_cardinal(number->key, strlen(number->key), wording, &pass->say);
	if (number->fraction) {
		pass_say(pass, "phẩy");
		numbers_fraction(number->fraction, strlen(number->fraction), wording, &pass->say);
	}
}

static const char *letter_name(uint32_t letter)
{
	static const struct {
		uint32_t letter;
		const char *name;
	} names[] = { { 'a', "a" }, { 0x103, "á" }, { 0xe2, "ớ" }, { 'b', "bê" }, { 'c', "xê" },
		{ 'd', "đê" }, { 0x111, "đê" }, { 'e', "e" }, { 0xea, "ê" }, { 'f', "ép" },
		{ 'g', "gờ" }, { 'h', "hát" }, { 'i', "i" }, { 'j', "giê" }, { 'k', "ca" },
		{ 'l', "lờ" }, { 'm', "mờ" }, { 'n', "nờ" }, { 'o', "o" }, { 0xf4, "ô" },
		{ 0x1a1, "ơ" }, { 'p', "pê" }, { 'q', "quy" }, { 'r', "rờ" }, { 's', "ét" },
		{ 't', "tê" }, { 'u', "u" }, { 0x1b0, "ư" }, { 'v', "vê" }, { 'w', "vê kép" },
		{ 'x', "ích" }, { 'y', "y" }, { 'z', "dét" } };

	for (size_t i = 0; i < countof(names); i++)
		if (names[i].letter == letter)
			return names[i].name;
	return NULL;
}

void pass_say_letters(struct pass *pass, const char *word, size_t length)
{
	uint32_t c;
	enum tone tone;

	for (size_t at = 0, bytes; at < length; at += bytes) {
		bytes = utf8_decode(word + at, length - at, &c);
		if (bytes == 0)
			return;
		if (c >= '0' && c <= '9') {
			numbers_digits(word + at, 1, &pass->say);
			continue;
		}
		const char *name = letter_name(letter_without_tone(letter_lower(c), &tone));
		if (name)
			pass_say(pass, name);
	}
}

/* --- Handing on --------------------------------------------------------------------------------- */

static struct token span_of(const struct pass *pass, size_t at, size_t count)
{
	const struct token *first = &pass->in[at], *last = &pass->in[at + count - 1];

	return (struct token){
		.blank = first->blank,
		.first = first->first,
		.shouted = first->shouted,
		.capital = first->capital,
		.from = first->from,
		.to = last->to,
		.begins = first->begins,
		.ends = last->ends,
		.key = "",
	};
}

size_t pass_said(struct pass *pass, size_t at, size_t count, enum said said)
{
	struct token token = span_of(pass, at, count);

	token.kind = TOKEN_SAID;
	token.said = said;
	token.spoken = passage_keep(
		pass->passage, pass->say.text ? pass->say.text : "", pass->say.length);
	strbuf_clear(&pass->say);
	tokens_add(pass->out, &token);
	return count;
}

size_t pass_said_slowly(struct pass *pass, size_t at, size_t count, enum said said)
{
	pass_said(pass, at, count, said);
	pass->out->list[pass->out->count - 1].slow = true;
	return count;
}

size_t pass_number(struct pass *pass, size_t at, size_t count, const struct token *number)
{
	struct token token = span_of(pass, at, count);

	token.kind = TOKEN_NUMBER;
	token.key = number->key;
	token.fraction = number->fraction;
	token.negative = number->negative;
	token.roman = number->roman;
	token.grouped = number->grouped;
	tokens_add(pass->out, &token);
	return count;
}

size_t pass_keep(struct pass *pass, size_t at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		tokens_add(pass->out, &pass->in[at + i]);
	return count;
}

/* --- Tables ------------------------------------------------------------------------------------- */

/* Orders `written` against text[0..length) as the tables are: by bytes. */
static int compare(const char *written, const char *text, size_t length)
{
	int order = strncmp(written, text, length);

	return order != 0 ? order : written[length] != '\0';
}

static size_t first_not_before(const struct table *table, const char *text, size_t length)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(table->entries[middle].written, text, length) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct lexicon_entry *table_find(const struct table *table, const char *text, size_t length)
{
	size_t at = first_not_before(table, text, length);

	if (at < table->count && compare(table->entries[at].written, text, length) == 0)
		return &table->entries[at];
	return NULL;
}

/* The bytes of `text` that `written` takes: a blank in it is one there, and & may have blanks
 * around it. 0: it does not begin so. */
static size_t written_length(const char *written, const char *text, size_t length)
{
	size_t at = 0;

	for (; *written; written++) {
		bool tie = *written == '&' || (written[0] != ' ' && at > 0 && text[at - 1] == '&');
		while (tie && at < length && text[at] == ' ')
			at++;
		if (at >= length || text[at] != *written)
			return 0;
		at++;
	}
	return at;
}

static bool is_word_byte(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? true : (unsigned char)c >= 0x80;
}

/* Whether lower[from..from + length) is the cue, "_" for a blank, as a word of its own. */
static bool is_cue_text(const struct passage *passage, size_t from, const char *cue, size_t length)
{
	const char *lower = passage->lower;

	if (from + length > passage->length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (lower[from + i] != (cue[i] == '_' ? ' ' : cue[i]))
			return false;
	return (from == 0 || !is_word_byte(lower[from - 1])) && !is_word_byte(lower[from + length]);
}

/* "#": a number. "*": a word with a capital, but not in capitals: a name. "@": a date or a time of
 * the day. "+": a plate, an account. */
static bool is_cue_token(const struct token *token, char kind)
{
	bool said = token->kind == TOKEN_SAID;

	switch (kind) {
	case '#':
		return token->kind == TOKEN_NUMBER;
	case '@':
		return said && (token->said == SAID_DATE || token->said == SAID_TIME);
	case '+':
		return said && (token->said == SAID_CODE || token->said == SAID_PHONE);
	default:
		return token->kind == TOKEN_WORD && token->capital && !token->caps &&
		       token->to - token->from > 1;
	}
}

/* Whether one of the cues (separated by ",") ends just before token `at`, or begins at it. */
static bool has_cue(const struct pass *pass, size_t at, const char *cues, bool left)
{
	const struct token *token = left ? pass_at(pass, at - 1) : pass_at(pass, at);

	if (token->kind == TOKEN_LINE || token->kind == TOKEN_END)
		return false;
	for (size_t length; *cues; cues += length + (cues[length] == ',')) {
		length = strcspn(cues, ",");
		if (length == 1 && strchr("#*@+", *cues)) {
			if (is_cue_token(token, *cues))
				return true;
		} else if (!left || token->to >= length) {
			/* "thứ 7, CN": a cue of several words may have a comma after it */
			size_t skip = left && token->sign == ',' && memchr(cues, '_', length) &&
				      token->to > length;
			size_t from = left ? token->to - length - skip : token->from;
			if (is_cue_text(pass->passage, from, cues, length))
				return true;
		}
	}
	return false;
}

/* A word that is named tells more than "any name". */
static size_t weight_of(const char *cues)
{
	return !cues ? 0 : strcmp(cues, "*") == 0 ? 1 : 2;
}

static bool cues_fit(
	const struct pass *pass, const struct lexicon_entry *entry, size_t at, size_t count)
{
	/* "TP." before a name; at the end of a line the stop is one */
	if (entry->written[strlen(entry->written) - 1] == '.') {
		enum token_kind next = pass_at(pass, at + count)->kind;
		if (next == TOKEN_END || next == TOKEN_LINE)
			return false;
	}
	return (!entry->left || has_cue(pass, at, entry->left, true)) &&
	       (!entry->right || has_cue(pass, at + count, entry->right, false));
}

const struct lexicon_entry *pass_look_up(const struct pass *pass, const struct table *table,
	size_t at, bool lower, size_t *ret_count)
{
	const struct token *first = &pass->in[at];
	const char *base = lower ? pass->passage->lower : pass->passage->text;
	const char *text = base + first->from;
	size_t length = pass->passage->length - first->from, first_length = first->to - first->from;
	const struct lexicon_entry *best = NULL;
	size_t best_bytes = 0, best_cues = 0;

	if (length > LEXICON_WRITTEN_MAX)
		length = LEXICON_WRITTEN_MAX;
	for (size_t i = first_not_before(table, text, first_length); i < table->count; i++) {
		const struct lexicon_entry *entry = &table->entries[i];
		if (strncmp(entry->written, text, first_length) != 0)
			break;
		size_t bytes = written_length(entry->written, text, length), count = 1;
		size_t cues = table->flagged ? 0 : weight_of(entry->left) + weight_of(entry->right);
		if (bytes < best_bytes || bytes == 0 || (bytes == best_bytes && cues <= best_cues))
			continue;
		while (at + count < pass->count && pass->in[at + count].from < first->from + bytes)
			count++;
		if (pass->in[at + count - 1].to != first->from + bytes ||
			(!table->flagged && !cues_fit(pass, entry, at, count)))
			continue;
		best = entry;
		best_bytes = bytes;
		best_cues = cues;
		*ret_count = count;
	}
	return best;
}
