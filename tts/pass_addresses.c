/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Web and mail addresses. A label ("dichvucong") is cut into the words of tables/domains.tsv,
 * syllables, numbers and letters, so that the cost is least: the table knows the marks that the
 * address leaves out. https:// and www. are not said: nobody types them.
 */
#include "tts/pass.h"
#include "tts/syllable.h"

#include <string.h>

#define ADDRESS_BYTES_MAX 256
#define LABEL_BYTES_MAX   63
#define WORD_BYTES_MAX    24
#define SYLLABLE_BYTES    6 /* nghieng has 7, and is written so by nobody */

/* --- A label ------------------------------------------------------------------------------------ */

/* Costs of the pieces: one table word is better than two, two than letters. */
enum { COST_TABLE = 10, COST_SYLLABLE = 16, COST_NUMBER = 5, COST_LETTER = 12 };

struct piece {
	unsigned cost;      /* of all up to here */
	size_t from;        /* where the piece that ends here begins */
	const char *spoken; /* of the table, or NULL */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t digits_at(const char *label, size_t at, size_t length)
{
	size_t count = 0;

	while (at + count < length && is_digit(label[at + count]))
		count++;
	return count;
}

static void offer(struct piece *piece, unsigned cost, size_t from, const char *spoken)
{
	if (cost < piece->cost)
		*piece = (struct piece){ cost, from, spoken };
}

/* The least costs of the pieces that begin at `at`. */
static void offer_from(struct piece *pieces, const char *label, size_t at, size_t length)
{
	unsigned cost = pieces[at].cost;

	if (is_digit(label[at])) {
		offer(&pieces[at + digits_at(label, at, length)], cost + COST_NUMBER, at, NULL);
		return;
	}
	offer(&pieces[at + 1], cost + COST_LETTER, at, NULL);
	for (size_t count = 2; count <= WORD_BYTES_MAX && at + count <= length; count++) {
		const struct lexicon_entry *entry = table_find(&table_domains, label + at, count);
		if (entry)
			offer(&pieces[at + count], cost + COST_TABLE, at, entry->spoken);
		else if (count <= SYLLABLE_BYTES && syllable_valid(label + at, count))
			offer(&pieces[at + count], cost + COST_SYLLABLE, at, NULL);
	}
}

static void say_piece(struct pass *pass, const char *label, size_t from, size_t to)
{
	if (is_digit(label[from])) {
		if (to - from <= 2)
			numbers_cardinal(label + from, to - from, pass->passage->config->wording,
				&pass->say);
		else
			numbers_digits(label + from, to - from, &pass->say);
	} else if (to - from == 1) {
		pass_say_letters(pass, label + from, 1);
	} else {
		strbuf_putc(&pass->say, ' ');
		strbuf_add(&pass->say, label + from, to - from);
	}
}

static void say_label(struct pass *pass, const char *label, size_t length)
{
	struct piece pieces[LABEL_BYTES_MAX + 1];
	size_t starts[LABEL_BYTES_MAX], count = 0;

	for (size_t i = 0; i <= length; i++)
		pieces[i] = (struct piece){ i == 0 ? 0 : 1000000, 0, NULL };
	for (size_t at = 0; at < length; at++)
		if (pieces[at].cost < 1000000)
			offer_from(pieces, label, at, length);
	for (size_t to = length; to > 0; to = pieces[to].from)
		starts[count++] = to;
	while (count-- > 0) {
		const struct piece *piece = &pieces[starts[count]];
		if (piece->spoken)
			pass_say(pass, piece->spoken);
		else
			say_piece(pass, label, piece->from, starts[count]);
	}
}

/* --- An address --------------------------------------------------------------------------------- */

static bool is_label_byte(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c);
}

/* NULL: it is not said. */
static const char *sign_name(char c)
{
	switch (c) {
	case '.':
		return "chấm";
	case '@':
		return "a còng";
	case '/':
		return "gạch chéo";
	case '-':
		return "gạch ngang";
	case '_':
		return "gạch dưới";
	default:
		return NULL;
	}
}

static void say_address(struct pass *pass, const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		size_t count = 0;
		while (at + count < length && count < LABEL_BYTES_MAX &&
			is_label_byte(text[at + count]))
			count++;
		if (count > 0) {
			say_label(pass, text + at, count);
			at += count;
		} else {
			const char *name = sign_name(text[at++]);
			if (name)
				pass_say(pass, name);
		}
	}
}

/* --- Finding it --------------------------------------------------------------------------------- */

static size_t skip(const char *text, size_t length, const char *prefix)
{
	size_t count = strlen(prefix);

	return length > count && memcmp(text, prefix, count) == 0 ? count : 0;
}

/* Those after `weak` are words too ("nhà ta.Me"): only with a path after them. */
static bool is_ending(const char *label, size_t length, bool path)
{
	static const char *const endings[] = { "vn", "com", "net", "org", "gov", "edu", "info",
		"asia", "io", "app", "tv", "xyz", "online", "shop", "biz", "mobi" };
	static const char *const weak[] = { "me", "ly", "gl", "be", "top", "site", "live", "store",
		"link", "page", "club", "pro" };

	for (size_t i = 0; i < countof(endings); i++)
		if (strlen(endings[i]) == length && memcmp(endings[i], label, length) == 0)
			return true;
	for (size_t i = 0; path && i < countof(weak); i++)
		if (strlen(weak[i]) == length && memcmp(weak[i], label, length) == 0)
			return true;
	return false;
}

/* text[0..length) to the first slash: labels with dots between, the last one an ending. */
static bool is_host(const char *text, size_t length, bool any_ending)
{
	size_t end = 0, start = 0;
	bool dot = false;

	for (; end < length && text[end] != '/' && text[end] != '?'; end++) {
		if (text[end] == '.') {
			if (end == start)
				return false;
			dot = true;
			start = end + 1;
		} else if (!is_label_byte(text[end]) && text[end] != '-') {
			return false;
		}
	}
	return dot && end > start &&
	       (any_ending || is_ending(text + start, end - start, end < length));
}

static bool is_address(const char *text, size_t length, bool marked)
{
	const char *at = memchr(text, '@', length);

	if (!at)
		return is_host(text, length, marked);
	for (const char *byte = text; byte < at; byte++)
		if (!is_label_byte(*byte) && !strchr(".-_+", *byte))
			return false;
	return at > text && is_host(at + 1, length - (size_t)(at + 1 - text), true);
}

/* The bytes without blank from the token on; without the stops and brackets after an address. */
static size_t run_length(const struct pass *pass, size_t at)
{
	const char *text = pass->passage->lower + pass->in[at].from;
	size_t length = 0;

	while (length < ADDRESS_BYTES_MAX && text[length] > ' ' && text[length] < 0x7f &&
		!strchr("()\",;*", text[length]))
		length++;
	while (length > 0 && strchr(".:?!'-", text[length - 1]))
		length--;
	return length;
}

static size_t address(struct pass *pass, size_t at)
{
	const char *text = pass->passage->lower + pass->in[at].from;
	size_t length = run_length(pass, at), said = 0, count = 0;

	while (length - said > 0) {
		size_t more = skip(text + said, length - said, "https://") +
			      skip(text + said, length - said, "http://") +
			      skip(text + said, length - said, "www.");
		if (more == 0)
			break;
		said += more;
	}
	if (!is_address(text + said, length - said, said > 0))
		return 0;
	while (at + count < pass->count && pass->in[at + count].to <= pass->in[at].from + length)
		count++;
	if (length > said && text[length - 1] == '/')
		length--;
	say_address(pass, text + said, length - said);
	return count > 0 ? pass_said(pass, at, count, SAID_CODE) : 0;
}

void pass_addresses(struct pass *pass)
{
	bool begins = true; /* once for a run without blanks, so that the time stays linear */

	for (size_t at = 0; at < pass->count;) {
		const struct token *token = &pass->in[at];
		size_t taken = 0;
		if (token->kind == TOKEN_WORD || token->kind == TOKEN_NUMBER) {
			if (begins || token->blank || token->first)
				taken = address(pass, at);
			begins = false;
		} else if (token->kind == TOKEN_SIGN) {
			begins = strchr("(\",;:*", (int)(token->sign & 0x7f)) != NULL;
		} else {
			begins = true;
		}
		if (taken > 0)
			begins = true;
		at += taken > 0 ? taken : pass_keep(pass, at, 1);
	}
}
