/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Foreign words and names of tables/foreign.tsv, in any case: Facebook, COVID-19, Đắk Lắk. */
#include "tts/pass.h"

static size_t foreign(struct pass *pass, size_t at, size_t count)
{
	const struct lexicon_entry *entry = pass_look_up(pass, &table_foreign, at, true, &count);
	const struct token *next = pass_at(pass, at + count), *before = pass_at(pass, at - 1);

	if (!entry)
		return 0;
	/* "app" of "app2" is fine, of "5app" too; but not of a longer word that a sign cuts */
	if (before->kind == TOKEN_WORD && !pass->in[at].blank && next->kind == TOKEN_WORD)
		return 0;
	pass_say(pass, entry->spoken);
	return pass_said(pass, at, count, SAID_WORDS);
}

void pass_foreign(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "W", foreign },
		{ 0 },
	};

	pass_run(pass, rules);
}
