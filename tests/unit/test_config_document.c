/* SPDX-License-Identifier: GPL-3.0-or-later */
/* docs/CONFIGURATION.md holds the table that conf/schema.c makes. After a change of the schema:
 * LOALANG_UPDATE_DOCS=1 test_config_document writes it anew. */
#include "base/strbuf.h"
#include "conf/schema.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as it asks */
#include <cmocka.h>

#define DOCUMENT SOURCE_DIR "/docs/CONFIGURATION.md"
#define BEGIN    "<!-- begin: conf/schema.c -->\n"
#define END      "<!-- end: conf/schema.c -->\n"

static void read_document(struct strbuf *out)
{
	char buffer[4096];
	_cleanup_(fclosep) FILE *file = fopen(DOCUMENT, "re");

	assert_non_null(file);
	for (size_t got; (got = fread(buffer, 1, sizeof(buffer), file)) > 0;)
		strbuf_add(out, buffer, got);
}

static void write_document(
	const char *before, size_t before_length, const char *table, const char *after)
{
	_cleanup_(fclosep) FILE *file = fopen(DOCUMENT, "we");

	assert_non_null(file);
	fwrite(before, 1, before_length, file);
	fputs(table, file);
	fputs(after, file);
}

static void test_document(void **state)
{
	(void)state;
	_cleanup_(strbuf_done) struct strbuf document = { 0 }, table = { 0 };

	schema_document(&table);
	read_document(&document);
	const char *begin = document.text ? strstr(document.text, BEGIN) : NULL;
	const char *end = begin ? strstr(begin, END) : NULL;
	if (!end) {
		fail_msg("no place for the table in %s", DOCUMENT);
		return;
	}
	begin += strlen(BEGIN);
	if (getenv("LOALANG_UPDATE_DOCS")) {
		write_document(document.text, (size_t)(begin - document.text), table.text, end);
		return;
	}
	_cleanup_(freep) char *written = xstrndup(begin, (size_t)(end - begin));
	assert_string_equal(written, table.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_document) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
