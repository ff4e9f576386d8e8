/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tts/syllable.h"
#include "tts/transcribe.h"

#include <string.h>

static void expect(const char *word, const char *expected)
{
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	assert_true(transcribe(word, strlen(word), &out));
	assert_string_equal(out.text, expected);
}

static void test_words(void **state)
{
	(void)state;
	expect("betaco", "bê ta cô");
	expect("komatsu", "cô mát xu");
	expect("brunel", "bờ ru nen");
	expect("yamaha", "i a ma ha");
	expect("smith", "xờ mít");
	expect("krông", "cờ rông");
	expect("kạn", "cạn");
	expect("niê", "ni ê");
	expect("xuât", "xuất");
	expect("café", "ca phế");
	expect("müller", "mun lê");
}

static void test_added_after_what_is_there(void **state)
{
	(void)state;
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	strbuf_puts(&out, "xe");
	assert_true(transcribe("kia", 3, &out));
	assert_int_equal(strncmp(out.text, "xe ", 3), 0);
}

static void test_not_read(void **state)
{
	(void)state;
	static const char *const words[] = { "", "bcd", "中文", "москва",
		"abcdefghijklmnopqrstuvwxyz" };
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	strbuf_puts(&out, "xe");
	for (size_t i = 0; i < countof(words); i++)
		if (transcribe(words[i], strlen(words[i]), &out))
			fail_msg("%s: %s", words[i], out.text);
	assert_string_equal(out.text, "xe");
}

static void check_syllables(const char *word, const char *spoken)
{
	for (size_t length; *spoken; spoken += length + (spoken[length] == ' ')) {
		length = strcspn(spoken, " ");
		if (!syllable_valid(spoken, length))
			fail_msg("%s: %.*s", word, (int)length, spoken);
	}
}

/* Whatever letters come, syllables come out. */
static void test_always_syllables(void **state)
{
	(void)state;
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	char word[8];
	uint32_t seed = 1;

	for (unsigned round = 0; round < 200000; round++) {
		_cleanup_(strbuf_done) struct strbuf out = { 0 };
		size_t length = 1 + round % 7;
		for (size_t i = 0; i < length; i++) {
			seed = seed * 1664525 + 1013904223;
			word[i] = letters[(seed >> 16) % 26];
		}
		word[length] = '\0';
		if (transcribe(word, length, &out))
			check_syllables(word, out.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_added_after_what_is_there),
		cmocka_unit_test(test_not_read),
		cmocka_unit_test(test_always_syllables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
