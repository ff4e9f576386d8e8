/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/data/numbers.tsv, and what a table cannot say. Every number against a second speller:
 * test_numbers_oracle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tts/numbers.h"
#include "tts_table.h"

static const char *cardinal(struct strbuf *out, const char *digits, enum wording wording)
{
	strbuf_clear(out);
	numbers_cardinal(digits, strlen(digits), wording, out);
	return out->text;
}

/* kind, digits, words: cardinal, south, fraction, digits. */
static void check_row(const struct table_row *row)
{
	_cleanup_(strbuf_done) struct strbuf out = { 0 };
	const char *kind = row->fields[0].text, *digits = row->fields[1].text;
	size_t length = row->fields[1].length;

	if (strcmp(kind, "cardinal") == 0)
		numbers_cardinal(digits, length, WORDING_NORTH, &out);
	else if (strcmp(kind, "south") == 0)
		numbers_cardinal(digits, length, WORDING_SOUTH, &out);
	else if (strcmp(kind, "fraction") == 0)
		numbers_fraction(digits, length, WORDING_NORTH, &out);
	else if (strcmp(kind, "digits") == 0)
		numbers_digits(digits, length, &out);
	else
		fail_msg("line %u: kind “%s”", row->line, kind);
	assert_non_null(out.text);
	if (!out.text || strcmp(out.text, row->fields[2].text) != 0)
		fail_msg("line %u: %s: “%s”, expected “%s”", row->line, digits, out.text,
			row->fields[2].text);
}

static void test_table(void **state)
{
	(void)state;
	assert_true(table_each(TEST_DATA_DIR "/numbers.tsv", check_row) > 60);
}

static void test_words_are_added(void **state)
{
	(void)state;
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	numbers_word("thôn", &out);
	numbers_value(15, WORDING_NORTH, &out);
	assert_string_equal(out.text, "thôn mười lăm");
}

static void test_more_digits_than_a_number_has(void **state)
{
	(void)state;
	_cleanup_(strbuf_done) struct strbuf out = { 0 };
	char digits[NUMBERS_DIGITS_MAX + 3];

	memset(digits, '1', sizeof digits - 1);
	digits[sizeof digits - 1] = '\0';
	assert_non_null(strstr(cardinal(&out, digits, WORDING_NORTH), "một một một"));
	digits[NUMBERS_DIGITS_MAX] = '\0';
	assert_null(strstr(cardinal(&out, digits, WORDING_NORTH), "một một một"));
}

static void expect_number(const char *words, uint64_t expected)
{
	uint64_t value = 0;

	if (!numbers_parse(words, strlen(words), &value) || value != expected)
		fail_msg("“%s”: %llu", words, (unsigned long long)value);
}

static void test_words_to_numbers(void **state)
{
	(void)state;
	static const char *const none[] = { "", "một hai", "trăm", "mươi", "đồng", "một triệu đồng",
		"nghìn", "năm nghìn triệu nghìn", "một triệu hai triệu" };
	uint64_t value = 77;

	expect_number("không", 0);
	expect_number("mười lăm", 15);
	expect_number("một trăm lẻ năm", 105);
	expect_number("hai mươi bốn", 24);
	expect_number("một triệu năm trăm ngàn", 1500000);
	expect_number("một triệu không nghìn năm trăm", 1000500);
	expect_number("ba mươi lăm tỷ", 35000000000);
	expect_number("một nghìn hai trăm tỉ", 1200000000000);
	for (size_t i = 0; i < countof(none); i++)
		if (numbers_parse(none[i], strlen(none[i]), &value))
			fail_msg("“%s” is taken for %llu", none[i], (unsigned long long)value);
	assert_int_equal(value, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_words_are_added),
		cmocka_unit_test(test_more_digits_than_a_number_has),
		cmocka_unit_test(test_words_to_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
