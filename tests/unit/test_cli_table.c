/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as it asks */
#include <cmocka.h>

static const char *const titles[] = { "MÁY", "GHI CHÚ", "Z" };

static void check_table(const char *const cells[], size_t count, const char *expected)
{
	struct table table;
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	table_init(&table, 3, titles);
	for (size_t i = 0; i < count; i++)
		table_add(&table, cells[i]);
	table_format(&table, &out);
	assert_string_equal(out.text ? out.text : "", expected);
	table_done(&table);
}

/* Columns are as wide as their widest cell in characters: "đường" has five, in eight bytes. */
static void test_widths(void **state)
{
	(void)state;
	static const char *const cells[] = { "đường", "ừ", "1", "x", NULL, NULL };

	check_table(cells, 6,
		"MÁY    GHI CHÚ  Z\n"
		"đường  ừ        1\n"
		"x\n");
	check_table(NULL, 0, "");
}

/* What a node says may not steer the operator's terminal. */
static void test_control_characters(void **state)
{
	(void)state;
	static const char *const cells[] = { "a\x1b[2Jb", "c\nd\x7f", "z" };

	check_table(cells, 3,
		"MÁY     GHI CHÚ  Z\n"
		"a [2Jb  c d      z\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_control_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
