/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/data/warnings.tsv */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tts/reading.h"
#include "tts_table.h"

#include <time.h>

static struct reading *read_text(const char *text, size_t length)
{
	static const struct reading_config config = { .rate = 130,
		.sentence_pause_us = 450 * US_PER_MS };
	struct reading *reading = NULL;
	enum reading_refusal refusal;
	struct error error = { "" };

	if (reading_new(text, length, &config, &reading, &refusal, &error) < 0)
		fail_msg("%s: %s", text, error.text);
	return reading;
}

static void check_row(const struct table_row *row)
{
	const struct strbuf *text = &row->fields[0];
	_cleanup_(reading_freep) struct reading *reading = read_text(text->text, text->length);
	_cleanup_(strbuf_done) struct strbuf found = { 0 };

	strbuf_puts(&found, "");
	for (size_t i = 0; i < reading->warnings_count; i++) {
		const struct reading_warning *warning = &reading->warnings[i];
		strbuf_printf(&found, "%s%s=%s", i ? " | " : "", warning_kind_name(warning->kind),
			warning->text);
		assert_true(strlen(warning->detail) > 10);
		assert_int_equal(strlen(warning->text), warning->to - warning->from);
		assert_memory_equal(
			text->text + warning->from, warning->text, warning->to - warning->from);
	}
	const char *expected = row->count > 1 ? row->fields[1].text : "";
	if (strcmp(found.text, expected) != 0)
		fail_msg("line %u: “%s”: “%s”, expected “%s”", row->line, text->text, found.text,
			expected);
}

static void test_table(void **state)
{
	(void)state;
	assert_true(table_each(TEST_DATA_DIR "/warnings.tsv", check_row) > 45);
}

static void expect_detail(const char *text, const char *part)
{
	_cleanup_(reading_freep) struct reading *reading = read_text(text, strlen(text));

	assert_int_equal(reading->warnings_count, 1);
	if (!strstr(reading->warnings[0].detail, part))
		fail_msg("“%s” does not say “%s”", reading->warnings[0].detail, part);
}

/* They say what is so, for somebody who has only the text before him. */
static void test_details(void **state)
{
	(void)state;
	expect_detail("Thứ Sáu ngày 21/11/2026.",
		"ngày 21 tháng 11 năm 2026 là thứ Bảy, không phải thứ Sáu");
	expect_detail("Họp ngày 31/4.", "không có ngày 31 tháng 4");
	expect_detail("Xã XQZ họp.", "“ích quy dét”");
}

/* Weekdays for four hundred years, against the calendar of the C library. */
static void test_weekdays(void **state)
{
	(void)state;
	static const char *const names[] = { "chủ nhật", "thứ hai", "thứ ba", "thứ tư", "thứ năm",
		"thứ sáu", "thứ bảy" };

	for (int day = 0; day < 400 * 365; day += 367) {
		struct tm date = { .tm_year = 20, .tm_mon = 0, .tm_mday = 1 + day, .tm_hour = 12 };
		time_t when = timegm(&date);
		gmtime_r(&when, &date);
		for (int shift = 0; shift < 7; shift += 3) {
			char text[100];
			snprintf(text, sizeof text, "Họp %s ngày %d/%d/%d.",
				names[(date.tm_wday + shift) % 7], date.tm_mday, date.tm_mon + 1,
				date.tm_year + 1900);
			_cleanup_(reading_freep) struct reading *reading = read_text(
				text, strlen(text));
			if (reading->warnings_count != (shift > 0))
				fail_msg("%s: %zu warnings", text, reading->warnings_count);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_weekdays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
