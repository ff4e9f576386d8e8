/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operator's lexicon: it overrides everything else. */
#include "tts/pass.h"

void pass_lexicon(struct pass *pass)
{
	const struct lexicon *lexicon = pass->passage->config->lexicon;
	struct table table = { 0 };

	if (lexicon)
		table = (struct table){ lexicon_entries(lexicon), lexicon_count(lexicon), false };
	for (size_t at = 0; at < pass->count;) {
		size_t count = 1;
		const struct lexicon_entry *entry = table.count > 0 ? pass_look_up(pass, &table, at,
									      false, &count)
								    : NULL;
		if (entry) {
			pass_say(pass, entry->spoken);
			at += pass_said(pass, at, count, SAID_WORDS);
		} else {
			at += pass_keep(pass, at, 1);
		}
	}
}
