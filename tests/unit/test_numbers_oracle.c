/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers against a second speller, slow and simple, that shares nothing with tts/numbers.c: all
 * up to a million, a million at random up to 10¹⁵, through the function and through a whole text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "tts/numbers.h"
#include "tts/reading.h"

#include <string.h>

#define MILLION    1000000ULL
#define BILLION    1000000000ULL
#define RANDOM     1000000
#define RANDOM_MAX 1000000000000000ULL

/* --- The oracle: grows a text at its end ----------------------------------------------------- */

static const char *const names[] = { "không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám",
	"chín" };

static void word(struct strbuf *text, const char *more)
{
	strbuf_printf(text, text->length ? " %s" : "%s", more);
}

/* 1…99 after "trăm" or at the beginning. */
static void tens(struct strbuf *text, unsigned value, bool after_hundreds)
{
	unsigned ten = value / 10, one = value % 10;

	if (ten == 0 && after_hundreds)
		word(text, "linh");
	if (ten == 1)
		word(text, "mười");
	if (ten > 1) {
		word(text, names[ten]);
		word(text, "mươi");
	}
	if (one == 0)
		return;
	if (ten > 1 && one == 1)
		word(text, "mốt");
	else if (ten > 1 && one == 4)
		word(text, "tư");
	else if (ten > 0 && one == 5)
		word(text, "lăm");
	else
		word(text, names[one]);
}

/* 1…999; in full where something greater was said. */
static void hundreds(struct strbuf *text, unsigned value, bool full)
{
	bool hundred = full || value >= 100;

	if (hundred) {
		word(text, names[value / 100]);
		word(text, "trăm");
	}
	if (value % 100 > 0)
		tens(text, value % 100, hundred);
}

static void spell(struct strbuf *text, uint64_t value)
{
	if (value == 0) {
		word(text, "không");
		return;
	}
	if (value >= BILLION) {
		spell(text, value / BILLION);
		word(text, "tỷ");
		value %= BILLION;
	}
	unsigned millions = (unsigned)(value / MILLION), thousands = value / 1000 % 1000,
		 ones = value % 1000;
	if (millions > 0) {
		hundreds(text, millions, text->length);
		word(text, "triệu");
	}
	if (thousands > 0) {
		hundreds(text, thousands, text->length);
		word(text, "nghìn");
	}
	/* "một triệu năm trăm" would be heard as 1,500,000. */
	if (thousands == 0 && ones >= 100 && text->length)
		word(text, "không nghìn");
	if (ones > 0)
		hundreds(text, ones, text->length);
}

/* --- The checks ------------------------------------------------------------------------------ */

static void check(uint64_t value)
{
	static struct strbuf said, expected; /* for two million numbers */
	char digits[24];
	uint64_t back = 0;
	int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);

	strbuf_clear(&expected);
	spell(&expected, value);
	strbuf_clear(&said);
	numbers_cardinal(digits, (size_t)length, WORDING_NORTH, &said);
	if (strcmp(said.text, expected.text) != 0)
		fail_msg("%s: “%s”, expected “%s”", digits, said.text, expected.text);
	if (!numbers_parse(said.text, said.length, &back) || back != value)
		fail_msg("“%s” is taken for %llu", said.text, (unsigned long long)back);
}

static void test_to_a_million(void **state)
{
	(void)state;
	for (uint64_t value = 0; value < MILLION; value++)
		check(value);
}

/* xorshift64: the same numbers in each run. Half of them have groups of zeros. */
static uint64_t random_value(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	uint64_t value = *seed % RANDOM_MAX;
	if (*seed & UINT64_C(1) << 60) {
		value -= value / 1000 % 1000 * 1000;
		if (*seed & UINT64_C(1) << 61)
			value -= value / MILLION % 1000 * MILLION;
		if (*seed & UINT64_C(1) << 62)
			value -= value % 1000;
	}
	return value;
}

static void test_random(void **state)
{
	(void)state;
	uint64_t seed = UINT64_C(0x10a1a46);

	for (unsigned i = 0; i < RANDOM; i++)
		check(random_value(&seed));
	check(RANDOM_MAX);
}

static void group(uint64_t value, char *out)
{
	char digits[24];
	int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);

	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*out++ = '.';
		*out++ = digits[i];
	}
	*out = '\0';
}

static void check_spoken(const char *text, const char *expected)
{
	static const struct reading_config config = { .rate = 130,
		.sentence_pause_us = 450 * US_PER_MS };
	_cleanup_(reading_freep) struct reading *reading = NULL;
	_cleanup_(strbuf_done) struct strbuf words = { 0 };
	enum reading_refusal refusal;
	struct error error;

	if (reading_new(text, strlen(text), &config, &reading, &refusal, &error) < 0) {
		fail_msg("%s: %s", text, error.text);
		return;
	}
	strbuf_puts(&words, "");
	for (size_t i = 0; i < reading->words_count; i++)
		word(&words, reading->words[i].text);
	if (strcmp(words.text, expected) != 0)
		fail_msg("%s: “%s”, expected “%s”", text, words.text, expected);
	assert_int_equal(reading->warnings_count, 0);
}

/* As it stands in a text, in groups of three. */
static void test_in_a_text(void **state)
{
	(void)state;
	uint64_t seed = UINT64_C(0x5eed);

	for (unsigned i = 0; i < 20000; i++) {
		_cleanup_(strbuf_done) struct strbuf number = { 0 };
		uint64_t value = i < 2000 ? i : random_value(&seed) >> (i % 40);
		char figures[40];
		group(value, figures);
		spell(&number, value);
		_cleanup_(freep) char *text = xasprintf("Huyện có %s con gà.", figures);
		_cleanup_(freep) char *expected = xasprintf("Huyện có %s con gà", number.text);
		check_spoken(text, expected);
	}
}

/* A decimal comma: up to two digits are a number, three or more (and those that begin with a
 * zero) are said one by one. */
static void test_decimals_and_negatives(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		_cleanup_(strbuf_done) struct strbuf whole = { 0 }, part = { 0 };
		spell(&whole, i * 7 % 1300);
		if (i % 100 < 10) {
			word(&part, "không");
			word(&part, names[i % 100]);
		} else {
			spell(&part, i % 100);
		}
		_cleanup_(freep) char *text = xasprintf(
			"Lượng mưa tăng %u,%02u phần trăm.", i * 7 % 1300, i % 100);
		_cleanup_(freep) char *expected = xasprintf(
			"Lượng mưa tăng %s phẩy %s phần trăm", whole.text, part.text);
		check_spoken(text, expected);
	}
	check_spoken("Nhiệt độ xuống −5°C.", "Nhiệt độ xuống âm năm độ xê");
	check_spoken("Nhiệt độ ở mức -12,5 độ C.", "Nhiệt độ ở mức âm mười hai phẩy năm độ xê");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_a_million),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_in_a_text),
		cmocka_unit_test(test_decimals_and_negatives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
