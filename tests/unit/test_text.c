/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/: utf8, strbuf, error, name, nearest, sha256. */
#include "base/error.h"
#include "base/name.h"
#include "base/nearest.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "base/utf8.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Every scalar value there and back; and nothing else is accepted. */
static void test_utf8_round_trip(void **state)
{
	(void)state;
	for (uint32_t codepoint = 0; codepoint <= 0x10ffff; codepoint++) {
		char bytes[4];
		uint32_t again = 0;
		if (codepoint >= 0xd800 && codepoint <= 0xdfff)
			continue;
		size_t length = utf8_encode(codepoint, bytes);
		assert_int_equal(utf8_decode(bytes, length, &again), length);
		assert_int_equal(again, codepoint);
		assert_int_equal(utf8_decode(bytes, length - 1, &again), 0);
	}
}

static void test_utf8_refuses(void **state)
{
	static const struct {
		const char *bytes;
		size_t valid;
	} table[] = {
		{ "thôn \xff", 6 },        /* no such byte */
		{ "a\xc0\x80", 1 },        /* overlong NUL */
		{ "\xe0\x80\xaf", 0 },     /* overlong slash */
		{ "\xed\xa0\x80", 0 },     /* surrogate */
		{ "\xf4\x90\x80\x80", 0 }, /* above U+10FFFF */
		{ "xã\xc3", 3 },           /* cut off */
		{ "\xe1\xba"
		  "a",
			0 }, /* continuation missing */
		{ "bà con", 7 },
	};
	(void)state;
	for (size_t i = 0; i < countof(table); i++)
		assert_int_equal(
			utf8_valid_prefix(table[i].bytes, strlen(table[i].bytes)), table[i].valid);
}

static void test_utf8_count_and_cut(void **state)
{
	const char *text = "Kính thưa";

	(void)state;
	assert_int_equal(utf8_count(text, strlen(text)), 9);
	assert_int_equal(
		utf8_cut(text, strlen(text), 2), 1); /* "í" begins at 1 and has two bytes */
	assert_int_equal(utf8_cut(text, strlen(text), 3), 3);
	assert_int_equal(utf8_cut(text, strlen(text), 100), strlen(text));
}

static void test_strbuf(void **state)
{
	_cleanup_(strbuf_done) struct strbuf buffer = { 0 };

	(void)state;
	_cleanup_(freep) char *empty = strbuf_take(&buffer);
	assert_string_equal(empty, "");
	for (int i = 0; i < 1000; i++)
		strbuf_printf(&buffer, "%d,", i);
	assert_int_equal(buffer.length, strlen(buffer.text));
	assert_int_equal(buffer.length, 10 * 2 + 90 * 3 + 900 * 4);
	strbuf_truncate(&buffer, 5);
	assert_string_equal(buffer.text, "0,1,2");
	strbuf_putc(&buffer, '!');
	assert_string_equal(buffer.text, "0,1,2!");
}

static void test_error(void **state)
{
	struct error error = { "" };

	(void)state;
	assert_int_equal(error_set(&error, -EINVAL, "khóa %s", "lạ"), -EINVAL);
	error_prefix(&error, "tệp:%d", 7);
	assert_string_equal(error.text, "tệp:7: khóa lạ");
	assert_int_equal(error_set(NULL, -EIO, "x"), -EIO);

	/* A long text is cut, and not in the middle of a character. */
	char text[3 * ERROR_TEXT_MAX];
	for (size_t i = 0; i + 3 < sizeof text; i += 3)
		memcpy(text + i, "ế", 4);
	(void)error_set(&error, 0, "%s", text);
	assert_in_range(strlen(error.text), ERROR_TEXT_MAX - 3, ERROR_TEXT_MAX);
	assert_int_equal(utf8_valid_prefix(error.text, strlen(error.text)), strlen(error.text));
}

static void test_name(void **state)
{
	char long_name[NAME_MAX_BYTES + 2];

	(void)state;
	assert_true(name_valid("cat-dien_2026.11", 16));
	assert_false(name_valid("", 0));
	assert_false(name_valid(".an", 3));
	assert_false(name_valid("a/b", 3));
	assert_false(name_valid("thôn", 5));
	assert_false(name_valid("a+", 2));
	memset(long_name, 'a', sizeof long_name);
	assert_true(name_valid(long_name, NAME_MAX_BYTES));
	assert_false(name_valid(long_name, NAME_MAX_BYTES + 1));
}

static void test_nearest(void **state)
{
	static const char *const keys[] = { "priority", "text", "title", "repeat" };

	(void)state;
	assert_string_equal(nearest("pritority", keys, countof(keys)), "priority");
	assert_string_equal(nearest("prioirty", keys, countof(keys)), "priority"); /* swapped */
	assert_string_equal(nearest("txet", keys, countof(keys)), "text");
	assert_null(nearest("volume", keys, countof(keys)));
	assert_null(nearest("", keys, countof(keys)));
}

/* FIPS 180-4's own examples. */
static void test_sha256(void **state)
{
	char hex[SHA256_TEXT_SIZE];

	(void)state;
	sha256_text("abc", 3, hex);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_text("", 0, hex);
	assert_string_equal(
		hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_round_trip),
		cmocka_unit_test(test_utf8_refuses),
		cmocka_unit_test(test_utf8_count_and_cut),
		cmocka_unit_test(test_strbuf),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_sha256),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
