/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/data/clean.tsv; FAULTS A4 and A5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tts/clean.h"
#include "tts_table.h"

static void check_refusal(const struct table_row *row)
{
	struct clean *clean = NULL;
	struct error error = { "" };
	const struct strbuf *written = &row->fields[0];
	_cleanup_(freep) char *byte = xasprintf("byte thứ %s ", row->fields[1].text + 1);

	if (clean_new(written->text, written->length, &clean, &error) == 0)
		fail_msg("line %u: accepted", row->line);
	assert_null(clean);
	if (strncmp(error.text, byte, strlen(byte)) != 0)
		fail_msg("line %u: %s", row->line, error.text);
}

static void check_row(const struct table_row *row)
{
	_cleanup_(clean_freep) struct clean *clean = NULL;
	struct error error = { "" };
	const struct strbuf *written = &row->fields[0];
	struct strbuf dropped = { 0 };

	if (row->fields[1].text[0] == '!') {
		check_refusal(row);
		return;
	}
	if (clean_new(written->text, written->length, &clean, &error) < 0)
		fail_msg("line %u: %s", row->line, error.text);
	if (strcmp(clean->text, row->fields[1].text) != 0)
		fail_msg("line %u: “%s”, expected “%s”", row->line, clean->text,
			row->fields[1].text);
	strbuf_puts(&dropped, "");
	for (size_t i = 0; i < clean->dropped_count; i++) {
		if (i > 0)
			strbuf_putc(&dropped, '|');
		strbuf_add(&dropped, written->text + clean->dropped[i].from,
			clean->dropped[i].to - clean->dropped[i].from);
	}
	const char *expected = row->count > 2 ? row->fields[2].text : "";
	if (strcmp(dropped.text, expected) != 0)
		fail_msg("line %u: dropped “%s”, expected “%s”", row->line, dropped.text, expected);
	strbuf_done(&dropped);
}

static void test_A4_A5_table(void **state)
{
	(void)state;
	assert_true(table_each(TEST_DATA_DIR "/clean.tsv", check_row) > 40);
}

static void test_map_leads_back(void **state)
{
	(void)state;
	static const char written[] = "\xef\xbb\xbf"
				      "ti\x65\xcc\x82\xcc\x81ng 😀 b\xc2\xad"
				      "áo";
	_cleanup_(clean_freep) struct clean *clean = NULL;
	struct error error;

	assert_int_equal(clean_new(written, strlen(written), &clean, &error), 0);
	assert_string_equal(clean->text, "tiếng báo");
	struct clean_span span = clean_source(clean, 0, strlen("tiếng"));
	assert_int_equal(span.from, 3);
	assert_memory_equal(written + span.to, " 😀", 5);
	span = clean_source(clean, strlen("tiếng "), clean->length);
	assert_memory_equal(written + span.from, "b\xc2\xad", 3);
	assert_int_equal(span.to, strlen(written));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_A4_A5_table),
		cmocka_unit_test(test_map_leads_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
