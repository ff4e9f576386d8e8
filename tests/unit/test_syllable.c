/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tts/syllable.h"
#include "tts/unicode.h"
#include "tts_table.h"

static void check_row(const struct table_row *row)
{
	const struct strbuf *word = &row->fields[0];

	if (syllable_valid(word->text, word->length) != (strcmp(row->fields[1].text, "yes") == 0))
		fail_msg("line %u: %s should be %s", row->line, word->text, row->fields[1].text);
}

static void the_table(void **state)
{
	(void)state;
	assert_true(table_each(TEST_DATA_DIR "/syllables.tsv", check_row) > 90);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(a, b);
}

typedef char spelled[SYLLABLE_BYTES_MAX + 1];

/* What is enumerated is accepted, composed, and not there twice. */
static void all_of_them(void **state)
{
	(void)state;
	struct syllable_cursor cursor = { 0 };
	_cleanup_(freep) spelled *words = xcalloc(40000, sizeof *words);
	_cleanup_(strbuf_done) struct strbuf composed = { 0 };
	size_t count = 0, distinct = 1;

	while (syllable_next(&cursor, words[count])) {
		size_t length = strlen(words[count]);
		if (!syllable_valid(words[count], length))
			fail_msg("%s is enumerated, but not accepted", words[count]);
		strbuf_clear(&composed);
		unicode_compose(words[count], length, &composed);
		assert_string_equal(composed.text, words[count]);
		count++;
		assert_true(count < 40000);
	}
	/* gi + ên and g + iên, gi and g + i: a few are come by in two ways. */
	qsort(words, count, sizeof *words, by_bytes);
	for (size_t i = 1; i < count; i++)
		distinct += strcmp(words[i - 1], words[i]) != 0;
	assert_true(distinct > 12000);
	assert_true(count - distinct < 100);
}

/* One letter changed to one that Vietnamese does not have makes it no syllable, whatever it was. */
static void foreign_letters(void **state)
{
	(void)state;
	struct syllable_cursor cursor = { 0 };
	spelled word;

	while (syllable_next(&cursor, word)) {
		for (const char *letter = "fjwz"; *letter; letter++) {
			char other[SYLLABLE_BYTES_MAX + 2];
			int length = snprintf(other, sizeof other, "%c%s", *letter, word);
			assert_false(syllable_valid(other, (size_t)length));
			length = snprintf(other, sizeof other, "%s%c", word, *letter);
			assert_false(syllable_valid(other, (size_t)length));
		}
	}
}

/* Neither broken UTF-8 nor what is too long is read past its end. */
static void any_bytes(void **state)
{
	(void)state;
	assert_false(syllable_valid("", 0));
	assert_false(syllable_valid("h\xe1\xba", 3));
	assert_false(syllable_valid("\xff", 1));
	assert_false(syllable_valid("nghiêngnghiêngnghiêng", strlen("nghiêngnghiêngnghiêng")));
	assert_true(syllable_valid("nghiêngxx", strlen("nghiêng")));
	assert_false(syllable_valid("a\0b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table),
		cmocka_unit_test(all_of_them),
		cmocka_unit_test(foreign_letters),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
