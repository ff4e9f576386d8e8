/* SPDX-License-Identifier: GPL-3.0-or-later */
/* docs/CONFIGURATION.md and the manual page hold what conf/schema.c makes. After a change of the
 * schema: LOALANG_UPDATE_DOCS=1 ctest -R config_document writes them anew. */
#include "base/strbuf.h"
#include "conf/schema.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as it asks */
#include <cmocka.h>

static void read_file(const char *path, struct strbuf *out)
{
	char buffer[4096];
	_cleanup_(fclosep) FILE *file = fopen(path, "re");

	assert_non_null(file);
	for (size_t got; (got = fread(buffer, 1, sizeof(buffer), file)) > 0;)
		strbuf_add(out, buffer, got);
}

/* Between the lines `begin` and `end` of the file stands `generated`. */
static void check_file(const char *path, const char *begin, const char *end, const char *generated)
{
	_cleanup_(strbuf_done) struct strbuf document = { 0 };

	read_file(path, &document);
	const char *from = document.text ? strstr(document.text, begin) : NULL;
	const char *to = from ? strstr(from, end) : NULL;
	if (!to) {
		fail_msg("no place for the keys in %s", path);
		return;
	}
	from += strlen(begin);
	if (getenv("LOALANG_UPDATE_DOCS")) {
		_cleanup_(fclosep) FILE *file = fopen(path, "we");
		assert_non_null(file);
		fwrite(document.text, 1, (size_t)(from - document.text), file);
		fputs(generated, file);
		fputs(to, file);
		return;
	}
	_cleanup_(freep) char *written = xstrndup(from, (size_t)(to - from));
	assert_string_equal(written, generated);
}

static void test_markdown(void **state)
{
	(void)state;
	_cleanup_(strbuf_done) struct strbuf table = { 0 };

	schema_document(&table);
	check_file(SOURCE_DIR "/docs/CONFIGURATION.md", "<!-- begin: conf/schema.c -->\n",
		"<!-- end: conf/schema.c -->\n", table.text);
}

static void test_manual(void **state)
{
	(void)state;
	_cleanup_(strbuf_done) struct strbuf keys = { 0 };

	schema_document_man(&keys);
	check_file(SOURCE_DIR "/docs/man/loalang.conf.5.scd", "; begin: conf/schema.c\n",
		"; end: conf/schema.c\n", keys.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_markdown),
		cmocka_unit_test(test_manual),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
