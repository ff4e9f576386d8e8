/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/data/sentences.tsv. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tts/clean.h"
#include "tts/sentences.h"
#include "tts_table.h"

static void check_row(const struct table_row *row)
{
	static const char ends[] = {
		[SENTENCE_STOP] = 'S',
		[SENTENCE_PARAGRAPH] = 'P',
		[SENTENCE_COMMA] = 'C',
		[SENTENCE_BLANK] = 'B',
	};
	_cleanup_(clean_freep) struct clean *clean = NULL;
	_cleanup_(sentences_done) struct sentences sentences = { 0 };
	struct strbuf texts = { 0 }, kinds = { 0 };

	assert_int_equal(clean_new(row->fields[0].text, row->fields[0].length, &clean, NULL), 0);
	sentences_split(&sentences, clean->text, clean->length);
	strbuf_puts(&texts, "");
	strbuf_puts(&kinds, "");
	for (size_t i = 0; i < sentences.count; i++) {
		if (i > 0)
			strbuf_puts(&texts, " | ");
		sentence_write(clean->text, &sentences.list[i], &texts);
		strbuf_putc(&kinds, ends[sentences.list[i].end]);
	}
	if (strcmp(texts.text, row->fields[1].text) != 0)
		fail_msg(
			"line %u: “%s”, expected “%s”", row->line, texts.text, row->fields[1].text);
	if (strcmp(kinds.text, row->fields[2].text) != 0)
		fail_msg("line %u: %s, expected %s", row->line, kinds.text, row->fields[2].text);
	strbuf_done(&texts);
	strbuf_done(&kinds);
}

static void test_table(void **state)
{
	(void)state;
	assert_true(table_each(TEST_DATA_DIR "/sentences.tsv", check_row) > 30);
}

/* However long a word is, no piece is longer than an engine should get. */
static void test_endless_word(void **state)
{
	(void)state;
	_cleanup_(sentences_done) struct sentences sentences = { 0 };
	char text[1000];
	size_t total = 0;

	memset(text, 'a', sizeof text);
	sentences_split(&sentences, text, sizeof text);
	for (size_t i = 0; i < sentences.count; i++) {
		size_t length = sentences.list[i].to - sentences.list[i].from;
		assert_in_range(length, 1, SENTENCE_CHARACTERS_MAX);
		total += length;
	}
	assert_int_equal(total, sizeof text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_endless_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
