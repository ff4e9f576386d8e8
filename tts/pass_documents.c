/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers of documents: "số 15/2020/NĐ-CP". The number, the year, and who issued it ("của Chính
 * phủ"), unless the sentence says that itself. What kind of document it is is only said if the
 * sentence does not. tables/documents.tsv has the codes.
 *
 * Also fixed forms that look like dates or fractions: 24/24, 24/7.
 */
#include "tts/pass.h"

#include <string.h>

#define PARTS_MAX 5

struct code { /* NĐ-CP: the parts between dashes */
	const struct lexicon_entry *type, *issuers[PARTS_MAX];
	size_t issuers_count, unknown; /* `unknown`: parts that no table has */
	size_t count;                  /* tokens */
};

static bool is_type(const struct lexicon_entry *entry)
{
	return strcmp(entry->left, "type") == 0;
}

/* One part of a code at `at`: letters, and digits after them (QH15). */
static size_t part_length(const struct pass *pass, size_t at)
{
	size_t count = 0;

	while (count < 6 && (pass_at(pass, at + count)->kind == TOKEN_WORD ||
				    pass_at(pass, at + count)->kind == TOKEN_NUMBER)) {
		if (count > 0 && pass_at(pass, at + count)->blank)
			break;
		count++;
	}
	/* "LĐ, TB&XH", "TN&MT" */
	while (count > 0 && pass_is_sign(pass, at + count, '&') &&
		pass_at(pass, at + count + 1)->kind == TOKEN_WORD)
		count += 2;
	return count;
}

static void add_part(const struct pass *pass, struct code *code, size_t at, size_t count)
{
	size_t from = pass->in[at].from, to = pass->in[at + count - 1].to;
	const struct lexicon_entry *entry = table_find(
		&table_documents, pass->passage->text + from, to - from);

	if (entry && is_type(entry) && !code->type && code->issuers_count == 0)
		code->type = entry;
	else if (entry && !is_type(entry))
		code->issuers[code->issuers_count++] = entry;
	else
		code->unknown++;
	code->count += count;
}

/* The code that begins at `at`; false if nothing there looks like one. */
static bool parse_code(const struct pass *pass, size_t at, struct code *ret_code)
{
	struct code code = { 0 };

	*ret_code = code;
	if (pass_at(pass, at)->kind != TOKEN_WORD || !pass_at(pass, at)->capital)
		return false;
	for (size_t part = 0; part < PARTS_MAX; part++) {
		size_t here = at + code.count, count = part_length(pass, here);
		if (count == 0)
			break;
		add_part(pass, &code, here, count);
		here += count;
		const struct token *sign = pass_at(pass, here), *next = pass_at(pass, here + 1);
		if (sign->kind != TOKEN_SIGN || sign->blank || next->blank ||
			!(sign->sign == '-' || sign->sign == '.' || sign->sign == '/') ||
			next->kind != TOKEN_WORD)
			break;
		code.count++;
	}
	/* "1234/UBND-VX": only the office; what follows is the desk that wrote it */
	if (!code.type && code.issuers_count > 1)
		code.issuers_count = 1;
	if (!code.type && code.issuers_count == 1)
		code.unknown = 0;
	*ret_code = code;
	return code.type || code.issuers_count > 0;
}

/* "của …" follows, perhaps after the date: the issuer is named there. */
static bool issuer_follows(const struct pass *pass, size_t at)
{
	for (size_t i = at; i < at + 14; i++) {
		const struct token *token = pass_at(pass, i);
		if (token->kind == TOKEN_NUMBER)
			continue;
		if (token->kind == TOKEN_SIGN && strchr(",/-.", (int)(token->sign & 0x7f)) &&
			!pass_sentence_ends(pass, i))
			continue;
		if (token->kind != TOKEN_WORD)
			return false;
		if (pass_is_word(pass, i, "của") || pass_is_word(pass, i, "do"))
			return true;
		if (!pass_is_word(pass, i, "ngày") && !pass_is_word(pass, i, "tháng") &&
			!pass_is_word(pass, i, "năm"))
			return false;
	}
	return false;
}

static void say_issuers(struct pass *pass, const struct code *code)
{
	for (size_t i = 0; i < code->issuers_count; i++) {
		if (i > 0)
			pass_say(pass, i + 1 == code->issuers_count ? "và" : ",");
		pass_say(pass, code->issuers[i]->spoken);
	}
}

/* How a sentence names its document: the type word, then "số", or not. */
struct naming {
	bool type, number, form;
};

static struct naming naming_before(const struct pass *pass, size_t at)
{
	size_t before = at;

	while (pass_is_sign(pass, before - 1, ':') || pass_is_word(pass, before - 1, "số"))
		before--;
	return (struct naming){
		.number = before < at,
		.type = pass_cue_near(pass, before, CUE_DOCUMENT, 8),
		.form = pass_cue_near(pass, before, CUE_FORM, 1),
	};
}

static void say_number(struct pass *pass, size_t at)
{
	const struct token *number = &pass->in[at];

	for (const char *digit = number->key; *digit == '0' && digit[1]; digit++)
		pass_say(pass, "không");
	pass_say_number(pass, number);
}

static size_t say_document(
	struct pass *pass, size_t at, size_t year_at, const struct code *code, size_t count)
{
	struct naming naming = naming_before(pass, at);

	if (!naming.type && !naming.number && code->type)
		pass_say(pass, code->type->spoken);
	if (!naming.number)
		pass_say(pass, "số");
	say_number(pass, at);
	if (year_at) {
		pass_say(pass, "năm");
		pass_say_number(pass, &pass->in[year_at]);
	}
	if (!naming.type && naming.number && code->type) {
		pass_say(pass, ",");
		pass_say(pass, code->type->spoken);
		say_issuers(pass, code);
	} else if (code->issuers_count > 0 && code->unknown == 0 &&
		   !issuer_follows(pass, at + count)) {
		pass_say(pass, "của");
		say_issuers(pass, code);
	}
	return pass_said(pass, at, count, SAID_WORDS);
}

/* A form's code is not its office's: "Mẫu số 01/TNCN" goes on to the abbreviations. */
static size_t say_form(struct pass *pass, size_t at, size_t count)
{
	say_number(pass, at);
	for (size_t i = 1; i < count; i += 2) {
		pass_say(pass, "gạch chéo");
		if (pass->in[at + i + 1].kind != TOKEN_NUMBER)
			return pass_said(pass, at, i + 1, SAID_WORDS);
		pass_say_number(pass, &pass->in[at + i + 1]);
	}
	return pass_said(pass, at, count, SAID_WORDS);
}

static size_t numbered(struct pass *pass, size_t at, size_t count)
{
	struct code code;
	size_t year_at = count == 4 ? at + 2 : 0;

	if (year_at && (pass_value(pass, year_at, 2999) < 1945 || pass_digits(pass, year_at) != 4))
		return 0;
	if (pass_digits(pass, at) > 6)
		return 0;
	if (naming_before(pass, at).form && pass_at(pass, at + count)->kind == TOKEN_WORD &&
		pass_at(pass, at + count)->capital)
		return say_form(pass, at, count);
	/* a code that no table has is left out, if the sentence names the document */
	if (!parse_code(pass, at + count, &code) &&
		!(code.count > 0 && year_at && naming_before(pass, at).type))
		return 0;
	/* "05-NQ/TW" is the Party's way; "5-UBND" is none. */
	if (pass_is_sign(pass, at + 1, '-') && !code.type)
		return 0;
	return say_document(pass, at, year_at, &code, count + code.count);
}

/* "Nghị định 100/2019" */
static size_t numbered_of_year(struct pass *pass, size_t at, size_t count)
{
	long year = pass_value(pass, at + 2, 2999);
	bool named = pass_cue_left(pass, at, CUE_DOCUMENT) ||
		     (pass_is_word(pass, at - 1, "số") &&
			     pass_cue_left(pass, at - 1, CUE_DOCUMENT));

	if (pass_digits(pass, at + 2) != 4 || year < 1945 || !named ||
		pass_is_tight(pass, at + count, '/'))
		return 0;
	say_number(pass, at);
	pass_say(pass, "năm");
	pass_say_value(pass, year);
	return pass_said(pass, at, count, SAID_WORDS);
}

/* 24/24, 24/24h, 24/7: always on duty. */
static size_t always(struct pass *pass, size_t at, size_t count)
{
	long right = pass_value(pass, at + 2, 24);

	if (pass_value(pass, at, 24) != 24 || (right != 24 && right != 7) ||
		pass_is_tight(pass, at + count, '/'))
		return 0;
	/* "từ 24/4 đến 24/7" */
	if (right == 7 && (pass_cue_left(pass, at, CUE_DAY) || pass_cue_left(pass, at, CUE_DATE)))
		return 0;
	pass_say_value(pass, 24);
	pass_say(pass, "trên");
	pass_say_value(pass, right);
	if (!pass_at(pass, at + count)->blank && pass_is_word(pass, at + count, "h")) {
		pass_say(pass, "giờ");
		count++;
	}
	return pass_said(pass, at, count, SAID_TIME);
}

void pass_documents(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "N/N/", numbered },
		{ "N/", numbered },
		{ "N-", numbered },
		{ "N/N", numbered_of_year },
		{ "N/N", always },
		{ 0 },
	};

	pass_run(pass, rules);
}
