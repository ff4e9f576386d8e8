/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/: clock, duration. */
#include "base/clock.h"
#include "base/duration.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} table[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-21T17:00:00+07:00", INT64_C(1795255200) * US_PER_SEC },
		{ "2026-11-21t10:00:00.25z", INT64_C(1795255200) * US_PER_SEC + 250000 },
		{ "2026-11-21 05:30:00-04:30", INT64_C(1795255200) * US_PER_SEC },
		{ "2000-02-29T12:00:00.1234567Z", INT64_C(951825600) * US_PER_SEC + 123456 },
	};
	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		int64_t us = -1;
		assert_int_equal(time_parse(table[i].text, &us, NULL), 0);
		assert_int_equal(us, table[i].us);
	}
}

static void test_parse_refuses(void **state)
{
	static const char *const table[] = { "", "hôm nay", "2026-11-21", "2026-11-21T17:00:00",
		"2026-11-21T17:00+07:00", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-04-31T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T17:60:00Z",
		"2026-11-21T17:00:00+07", "2026-11-21T17:00:00+7:00", "2026-11-21T17:00:00Zx",
		"2026-11-21T17:00:00.Z", "1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z",
		"1900-02-29T00:00:00Z" };
	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		int64_t us = 42;
		struct error error = { "" };
		assert_int_equal(time_parse(table[i], &us, &error), -EINVAL);
		assert_int_equal(us, 42);
		assert_true(error.text[0] != '\0');
	}
}

static void test_format(void **state)
{
	char text[TIME_TEXT_SIZE];

	(void)state;
	setenv("TZ", "Asia/Ho_Chi_Minh", 1);
	tzset();
	time_format(INT64_C(1795255200) * US_PER_SEC + 125999, text);
	assert_string_equal(text, "2026-11-21T17:00:00.125+07:00");
	setenv("TZ", "America/St_Johns", 1); /* −03:30 in winter */
	tzset();
	time_format(INT64_C(1795255200) * US_PER_SEC, text);
	assert_string_equal(text, "2026-11-21T06:30:00.000-03:30");

	for (int64_t us = 2 * 86400 * US_PER_SEC; us < INT64_C(7000000000000000);
		us += INT64_C(86399999000) * 97) {
		int64_t again;
		time_format(us, text);
		assert_int_equal(time_parse(text, &again, NULL), 0);
		assert_int_equal(again, us - us % 1000);
	}
}

static void test_duration(void **state)
{
	static const struct {
		const char *text, *again;
		int64_t us;
	} table[] = {
		{ "300ms", "300ms", 300000 },
		{ "90s", "90s", 90000000 },
		{ "120s", "2m", 120000000 },
		{ "15m", "15m", INT64_C(900000000) },
		{ "2h", "2h", INT64_C(7200000000) },
		{ "1d", "1d", INT64_C(86400000000) },
		{ "0s", "0s", 0 },
		{ "1500ms", "1500ms", 1500000 },
	};
	char text[DURATION_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		int64_t us = -1;
		assert_int_equal(duration_parse(table[i].text, &us, NULL), 0);
		assert_int_equal(us, table[i].us);
		duration_format(us, text);
		assert_string_equal(text, table[i].again);
	}
	static const char *const bad[] = { "", "5", "s", "-5s", "1.5s", "1h30m", "5 s", "5S",
		"5min", "99999999999s", "5000d" };
	for (size_t i = 0; i < countof(bad); i++) {
		int64_t us = 42;
		assert_int_equal(duration_parse(bad[i], &us, NULL), -EINVAL);
		assert_int_equal(us, 42);
	}
}

static void test_real_clock_is_ahead_by_what_lies_between(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t least_us = clock_real_us();
		int64_t before_us = clock_mono_us();
		int64_t ahead_us = clock_real_ahead_us();
		int64_t after_us = clock_mono_us();
		int64_t most_us = clock_real_us();
		assert_in_range(ahead_us, least_us - after_us, most_us - before_us + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_clock_is_ahead_by_what_lies_between),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_duration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
