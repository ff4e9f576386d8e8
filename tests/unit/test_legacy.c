/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/data/legacy.tsv */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tts/legacy.h"
#include "tts_table.h"

static void check_row(const struct table_row *row)
{
	const struct strbuf *written = &row->fields[0], *meant = &row->fields[1];
	_cleanup_(legacy_freep) struct legacy *legacy = legacy_new(written->text, written->length);
	bool plain = written->length == meant->length &&
		     memcmp(written->text, meant->text, meant->length) == 0;

	if (plain) {
		if (legacy)
			fail_msg("line %u: became “%s”", row->line, legacy->text);
		return;
	}
	if (!legacy) {
		fail_msg("line %u: left as it is, expected “%s”", row->line, meant->text);
		return;
	}
	if (strcmp(legacy->text, meant->text) != 0)
		fail_msg("line %u: “%s”, expected “%s”", row->line, legacy->text, meant->text);
	assert_int_equal(legacy->length, meant->length);
	for (size_t i = 0; i < legacy->length; i++) {
		assert_true(legacy->source[i].from < legacy->source[i].to);
		assert_true(legacy->source[i].to <= written->length);
		assert_true(i == 0 || legacy->source[i - 1].from <= legacy->source[i].from);
	}
}

static void test_table(void **state)
{
	(void)state;
	assert_true(table_each(TEST_DATA_DIR "/legacy.tsv", check_row) > 25);
}

static void test_map_leads_back(void **state)
{
	(void)state;
	static const char written[] = "Tho\u00e2ng ba\u00f9o ha\u00efnh phu\u00f9c";
	_cleanup_(legacy_freep) struct legacy *legacy = legacy_new(written, strlen(written));

	assert_non_null(legacy);
	const char *word = strstr(legacy->text, "báo");
	size_t at = (size_t)(word - legacy->text);
	struct clean_span span = legacy_source(
		legacy, (struct clean_span){ at, at + strlen("báo") });
	assert_memory_equal(written + span.from, "ba\u00f9o", span.to - span.from);
	span = legacy_source(legacy, (struct clean_span){ legacy->length, legacy->length });
	assert_int_equal(span.from, strlen(written));
	assert_int_equal(span.to, strlen(written));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_map_leads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
