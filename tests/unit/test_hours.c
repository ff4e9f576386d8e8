/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/hours.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MINUTE_US        (60 * US_PER_SEC)
#define MINUTES_PER_YEAR (366 * MINUTES_PER_DAY)

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static int64_t instant(const char *text)
{
	int64_t real_us = 0;

	assert_int_equal(time_parse(text, &real_us, NULL), 0);
	return real_us;
}

static struct hours window(const char *text)
{
	struct hours hours = { -1, -1 };
	struct error error = { "" };

	if (hours_parse(text, &hours, &error) < 0)
		fail_msg("%s: %s", text, error.text);
	return hours;
}

/* Of a NULL-terminated array of texts. */
static struct hours_list windows(const char *const *texts)
{
	struct hours_list hours = { 0 };

	while (texts[hours.count]) {
		hours.list[hours.count] = window(texts[hours.count]);
		hours.count++;
	}
	return hours;
}

static void assert_instant(int64_t real_us, int64_t expected_us, const char *what)
{
	char is[TIME_TEXT_SIZE], expected[TIME_TEXT_SIZE];

	if (real_us == expected_us)
		return;
	time_format(real_us, is);
	time_format(expected_us, expected);
	fail_msg("%s: %s (%lld) instead of %s (%lld)", what, is, (long long)real_us, expected,
		(long long)expected_us);
}

/* --- parse ------------------------------------------------------------------------------------ */

static void windows_are_read(void **state)
{
	static const struct {
		const char *text;
		int from, to;
	} table[] = {
		{ "21:00-05:00", 1260, 300 },
		{ "05:00-06:30", 300, 390 },
		{ "00:00-24:00", 0, 1440 },
		{ "22:00-24:00", 1320, 1440 },
		{ "22:00-00:00", 1320, 1440 },
		{ "00:00-00:01", 0, 1 },
		{ "23:59-24:00", 1439, 1440 },
		{ "23:59-23:58", 1439, 1438 },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		struct hours hours = window(table[i].text);
		assert_int_equal(hours.from_minute, table[i].from);
		assert_int_equal(hours.to_minute, table[i].to);
	}
}

static void what_is_no_window_is_refused_and_named(void **state)
{
	static const char *const table[] = { "", "21:00", "21:00-", "-05:00", "21-05", "9:00-10:00",
		"09:00-9:30", "21:00–05:00", "21:00 - 05:00", "21:00-05:00 ", " 21:00-05:00",
		"24:00-05:00", "21:00-24:01", "25:00-26:00", "21:60-22:00", "21:00-22:60",
		"21h00-05h00", "+1:00-02:00", "21:00-05:00,22:00-23:00", "05:00-05:00",
		"00:00-00:00" };

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		struct hours hours = { 7, 8 };
		struct error error = { "" };
		assert_int_equal(hours_parse(table[i], &hours, &error), -EINVAL);
		assert_int_equal(hours.from_minute, 7);
		assert_int_equal(hours.to_minute, 8);
		assert_non_null(strstr(error.text, table[i]));
	}
}

static void windows_overlap_when_a_minute_is_in_both(void **state)
{
	static const struct {
		const char *one, *other;
		bool overlap;
	} table[] = {
		{ "05:00-06:30", "06:30-07:00", false },
		{ "05:00-06:30", "06:29-07:00", true },
		{ "05:00-06:30", "05:30-06:00", true },
		{ "05:00-06:30", "05:00-06:30", true },
		{ "22:00-05:00", "05:00-22:00", false },
		{ "22:00-05:00", "04:59-06:00", true },
		{ "22:00-05:00", "12:00-22:01", true },
		{ "22:00-05:00", "00:00-00:01", true },
		{ "22:00-05:00", "23:00-01:00", true },
		{ "22:00-24:00", "00:00-05:00", false },
		{ "00:00-24:00", "12:00-12:01", true },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		struct hours one = window(table[i].one), other = window(table[i].other);
		assert_int_equal(hours_overlap(&one, &other), table[i].overlap);
		assert_int_equal(hours_overlap(&other, &one), table[i].overlap);
	}
}

/* --- edges ------------------------------------------------------------------------------------ */

struct edge_case {
	const char *zone;
	const char *texts[4];
	const char *at;
	bool inside;
	const char *end, *begin; /* NULL: never */
};

static const struct edge_case edge_cases[] = {
	/* to the microsecond, on both edges of a window that wraps */
	{ "Asia/Ho_Chi_Minh", { "21:00-05:00" }, "2026-11-22T20:59:59.999999+07:00", false,
		"2026-11-22T20:59:59.999999+07:00", "2026-11-22T21:00:00+07:00" },
	{ "Asia/Ho_Chi_Minh", { "21:00-05:00" }, "2026-11-22T21:00:00+07:00", true,
		"2026-11-23T05:00:00+07:00", "2026-11-22T21:00:00+07:00" },
	{ "Asia/Ho_Chi_Minh", { "21:00-05:00" }, "2026-11-23T03:15:00.000001+07:00", true,
		"2026-11-23T05:00:00+07:00", "2026-11-23T03:15:00.000001+07:00" },
	{ "Asia/Ho_Chi_Minh", { "21:00-05:00" }, "2026-11-23T04:59:59.999999+07:00", true,
		"2026-11-23T05:00:00+07:00", "2026-11-23T04:59:59.999999+07:00" },
	{ "Asia/Ho_Chi_Minh", { "21:00-05:00" }, "2026-11-23T05:00:00+07:00", false,
		"2026-11-23T05:00:00+07:00", "2026-11-23T21:00:00+07:00" },
	/* no wrap; 24:00 */
	{ "Asia/Ho_Chi_Minh", { "11:30-13:30" }, "2026-11-22T12:00:00+07:00", true,
		"2026-11-22T13:30:00+07:00", "2026-11-22T12:00:00+07:00" },
	{ "Asia/Ho_Chi_Minh", { "22:00-24:00" }, "2026-11-22T23:59:59.999999+07:00", true,
		"2026-11-23T00:00:00+07:00", "2026-11-22T23:59:59.999999+07:00" },
	{ "Asia/Ho_Chi_Minh", { "22:00-24:00" }, "2026-11-23T00:00:00+07:00", false,
		"2026-11-23T00:00:00+07:00", "2026-11-23T22:00:00+07:00" },
	/* several, one after the other, one over the other */
	{ "Asia/Ho_Chi_Minh", { "21:00-24:00", "00:00-05:00", "04:00-05:15" },
		"2026-11-22T21:30:00+07:00", true, "2026-11-23T05:15:00+07:00",
		"2026-11-22T21:30:00+07:00" },
	{ "Asia/Ho_Chi_Minh", { "21:00-05:00", "11:30-13:30" }, "2026-11-22T05:30:00+07:00", false,
		"2026-11-22T05:30:00+07:00", "2026-11-22T11:30:00+07:00" },
	/* always and never */
	{ "Asia/Ho_Chi_Minh", { "00:00-24:00" }, "2026-11-22T05:30:00+07:00", true, NULL,
		"2026-11-22T05:30:00+07:00" },
	{ "Asia/Ho_Chi_Minh", { "05:00-21:00", "21:00-05:00" }, "2026-11-22T05:30:00+07:00", true,
		NULL, "2026-11-22T05:30:00+07:00" },
	{ "Asia/Ho_Chi_Minh", { NULL }, "2026-11-22T05:30:00+07:00", false,
		"2026-11-22T05:30:00+07:00", NULL },
	/* New York puts the clock forward, 02:00 → 03:00 on 8 March */
	{ "America/New_York", { "21:00-02:30" }, "2026-03-08T01:59:59.999999-05:00", true,
		"2026-03-08T03:00:00-04:00", "2026-03-08T01:59:59.999999-05:00" },
	{ "America/New_York", { "02:00-03:00" }, "2026-03-08T01:30:00-05:00", false,
		"2026-03-08T01:30:00-05:00", "2026-03-09T02:00:00-04:00" },
	{ "America/New_York", { "02:30-05:00" }, "2026-03-08T01:30:00-05:00", false,
		"2026-03-08T01:30:00-05:00", "2026-03-08T03:00:00-04:00" },
	{ "America/New_York", { "03:00-02:00" }, "2026-03-07T22:00:00-05:00", true,
		"2026-03-09T02:00:00-04:00", "2026-03-07T22:00:00-05:00" },
	/* and back, 02:00 → 01:00 on 1 November: the hour from one to two comes twice */
	{ "America/New_York", { "00:00-01:30" }, "2026-11-01T01:29:59.999999-04:00", true,
		"2026-11-01T01:30:00-04:00", "2026-11-01T01:29:59.999999-04:00" },
	{ "America/New_York", { "00:00-01:30" }, "2026-11-01T01:30:00-04:00", false,
		"2026-11-01T01:30:00-04:00", "2026-11-01T01:00:00-05:00" },
	{ "America/New_York", { "21:00-05:00" }, "2026-11-01T01:30:00-04:00", true,
		"2026-11-01T05:00:00-05:00", "2026-11-01T01:30:00-04:00" },
	/* a day that Samoa left out */
	{ "Pacific/Apia", { "00:00-23:00" }, "2011-12-29T12:00:00-10:00", true,
		"2011-12-29T23:00:00-10:00", "2011-12-29T12:00:00-10:00" },
};

static void a_window_begins_and_ends_to_the_microsecond(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(edge_cases); i++) {
		const struct edge_case *row = &edge_cases[i];
		set_zone(row->zone);
		struct hours_list hours = windows(row->texts);
		int64_t at_us = instant(row->at);
		assert_int_equal(hours_contain(&hours, at_us), row->inside);
		assert_instant(hours_end_us(&hours, at_us),
			row->end ? instant(row->end) : TIME_NEVER, row->at);
		assert_instant(hours_begin_us(&hours, at_us),
			row->begin ? instant(row->begin) : TIME_NEVER, row->at);
	}
}

static void what_is_no_instant_ends_too(void **state)
{
	static const char *const night[] = { "21:00-05:00", NULL };
	struct hours_list hours = windows(night);
	struct hours_gains gains = { .list = { { hours.list[0], -9.0 } }, .count = 1 };

	(void)state;
	set_zone("Asia/Ho_Chi_Minh");
	assert_instant(hours_end_us(&hours, TIME_NEVER), TIME_NEVER, "end");
	assert_instant(hours_begin_us(&hours, TIME_NEVER), TIME_NEVER, "begin");
	assert_instant(hours_gain_change_us(&gains, TIME_NEVER), TIME_NEVER, "gain");
	assert_instant(hours_next_day_us(TIME_NEVER), TIME_NEVER, "next day");
	assert_instant(hours_day_begin_us(TIME_NEVER), TIME_NEVER, "day");
	/* A board without a battery: the last half second of 1969 does not begin 1970. */
	set_zone("UTC");
	hours.list[0] = window("00:00-05:00");
	assert_false(hours_contain(&hours, -US_PER_SEC / 2));
	assert_instant(hours_begin_us(&hours, -US_PER_SEC / 2), 0, "1970");
}

/* --- gain ------------------------------------------------------------------------------------- */

static void the_gain_goes_by_the_hour(void **state)
{
	struct hours_gains gains = {
		.list = { { window("05:00-06:30"), -9.0 }, { window("06:30-07:00"), -3.0 },
			{ window("22:00-05:00"), -20.0 } },
		.count = 3,
	};
	struct hours_gains always = { .list = { { window("00:00-24:00"), -6.0 } }, .count = 1 };
	struct hours_gains none = { .count = 0 };
	static const struct {
		const char *at;
		double gain_db;
		const char *change;
	} table[] = {
		{ "2026-11-22T04:59:59.999999+07:00", -20.0, "2026-11-22T05:00:00+07:00" },
		{ "2026-11-22T05:00:00+07:00", -9.0, "2026-11-22T06:30:00+07:00" },
		{ "2026-11-22T06:30:00+07:00", -3.0, "2026-11-22T07:00:00+07:00" },
		{ "2026-11-22T07:00:00+07:00", 1.5, "2026-11-22T22:00:00+07:00" },
		{ "2026-11-22T22:00:00+07:00", -20.0, "2026-11-23T05:00:00+07:00" },
	};

	(void)state;
	set_zone("Asia/Ho_Chi_Minh");
	for (size_t i = 0; i < countof(table); i++) {
		int64_t at_us = instant(table[i].at);
		assert_true(hours_gain_db(&gains, 1.5, at_us) == table[i].gain_db);
		assert_instant(
			hours_gain_change_us(&gains, at_us), instant(table[i].change), table[i].at);
		assert_true(hours_gain_db(&always, 1.5, at_us) == -6.0);
		assert_instant(hours_gain_change_us(&always, at_us), TIME_NEVER, "always");
		assert_true(hours_gain_db(&none, 1.5, at_us) == 1.5);
		assert_instant(hours_gain_change_us(&none, at_us), TIME_NEVER, "none");
	}
}

/* --- days ------------------------------------------------------------------------------------- */

static void a_day_begins_at_its_first_instant(void **state)
{
	static const struct {
		const char *zone, *at, *begin, *next;
	} table[] = {
		{ "Asia/Ho_Chi_Minh", "2026-11-22T00:00:00+07:00", "2026-11-22T00:00:00+07:00",
			"2026-11-23T00:00:00+07:00" },
		{ "Asia/Ho_Chi_Minh", "2026-11-22T23:59:59.999999+07:00",
			"2026-11-22T00:00:00+07:00", "2026-11-23T00:00:00+07:00" },
		{ "Asia/Ho_Chi_Minh", "2026-12-31T12:00:00+07:00", "2026-12-31T00:00:00+07:00",
			"2027-01-01T00:00:00+07:00" },
		{ "America/New_York", "2026-03-08T12:00:00-04:00", "2026-03-08T00:00:00-05:00",
			"2026-03-09T00:00:00-04:00" }, /* 23 hours */
		{ "America/New_York", "2026-11-01T12:00:00-05:00", "2026-11-01T00:00:00-04:00",
			"2026-11-02T00:00:00-05:00" }, /* 25 hours */
		/* São Paulo put the clock forward at midnight, and back at midnight. */
		{ "America/Sao_Paulo", "2018-11-04T12:00:00-02:00", "2018-11-04T01:00:00-02:00",
			"2018-11-05T00:00:00-02:00" },
		{ "America/Sao_Paulo", "2018-02-17T23:30:00-02:00", "2018-02-17T00:00:00-02:00",
			"2018-02-18T00:00:00-03:00" },
		{ "America/Sao_Paulo", "2018-02-17T23:30:00-03:00", "2018-02-17T00:00:00-02:00",
			"2018-02-18T00:00:00-03:00" },
		{ "Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-29T00:00:00-10:00",
			"2011-12-31T00:00:00+14:00" },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		set_zone(table[i].zone);
		int64_t at_us = instant(table[i].at);
		assert_instant(hours_day_begin_us(at_us), instant(table[i].begin), table[i].at);
		assert_instant(hours_next_day_us(at_us), instant(table[i].next), table[i].at);
	}
}

/* --- the oracle: every minute of a year, looked up ---------------------------------------------
 */

struct oracle {
	bool inside[MINUTES_PER_YEAR];
	int windows[MINUTES_PER_YEAR]; /* which hold it, one bit each */
	int date[MINUTES_PER_YEAR];
};

static void look_up(struct oracle *oracle, const struct hours_list *hours, int64_t from_us)
{
	int bits_of_minute[MINUTES_PER_DAY] = { 0 };

	for (size_t i = 0; i < hours->count; i++) {
		int minute = hours->list[i].from_minute;
		do {
			bits_of_minute[minute] |= 1 << i;
			minute = (minute + 1) % MINUTES_PER_DAY;
		} while (minute != hours->list[i].to_minute % MINUTES_PER_DAY);
	}
	for (size_t i = 0; i < MINUTES_PER_YEAR; i++) {
		struct tm local;
		time_t seconds = (time_t)(from_us / US_PER_SEC) + (time_t)i * 60;
		localtime_r(&seconds, &local);
		oracle->windows[i] = bits_of_minute[local.tm_hour * 60 + local.tm_min];
		oracle->inside[i] = oracle->windows[i] != 0;
		oracle->date[i] = local.tm_yday;
	}
}

/* The first minute from `from` on of the year at which `values` is not `value`. */
static size_t first_other(const int *values, size_t from, int value)
{
	while (from < MINUTES_PER_YEAR && values[from] == value)
		from++;
	return from;
}

static void compare_minute(
	const struct oracle *oracle, const struct hours_list *hours, int64_t from_us, size_t minute)
{
	struct hours_gains gains = { .count = hours->count };
	/* Some instant within the minute, its first one every second time. */
	int64_t at_us = from_us + (int64_t)minute * MINUTE_US +
			(minute % 2 ? (int64_t)(minute * 7919 % 60000000) : 0);
	bool inside = oracle->inside[minute];
	size_t change = minute,
	       turn = first_other(oracle->windows, minute, oracle->windows[minute]);

	while (change < MINUTES_PER_YEAR && oracle->inside[change] == inside)
		change++;
	if (change == MINUTES_PER_YEAR)
		return;
	int64_t change_us = from_us + (int64_t)change * MINUTE_US;
	assert_int_equal(hours_contain(hours, at_us), inside);
	assert_instant(hours_end_us(hours, at_us), inside ? change_us : at_us, "end");
	assert_instant(hours_begin_us(hours, at_us), inside ? at_us : change_us, "begin");
	for (size_t i = 0; i < hours->count; i++)
		gains.list[i] = (struct hours_gain){ hours->list[i], -1.0 - (double)i };
	assert_instant(
		hours_gain_change_us(&gains, at_us), from_us + (int64_t)turn * MINUTE_US, "gain");
	int first = oracle->windows[minute] & -oracle->windows[minute];
	double gain_db = 0.0;
	for (int bit = first; bit; bit >>= 1)
		gain_db -= 1.0;
	assert_true(hours_gain_db(&gains, 0.0, at_us) == gain_db);
	size_t tomorrow = first_other(oracle->date, minute, oracle->date[minute]);
	if (tomorrow == MINUTES_PER_YEAR)
		return;
	int64_t next_us = from_us + (int64_t)tomorrow * MINUTE_US;
	assert_instant(hours_next_day_us(at_us), next_us, "next day");
	assert_instant(hours_day_begin_us(next_us), next_us, "first instant");
	if (oracle->date[minute] == oracle->date[0])
		return;
	size_t today = minute;
	while (oracle->date[today - 1] == oracle->date[minute])
		today--;
	assert_instant(
		hours_day_begin_us(at_us), from_us + (int64_t)today * MINUTE_US, "day begin");
}

static void a_year_is_as_it_is_minute_by_minute(void **state)
{
	static const struct {
		const char *zone, *from;
		const char *texts[HOURS_MAX + 1];
	} table[] = {
		{ "Asia/Ho_Chi_Minh", "2026-01-01T00:00:00+07:00",
			{ "21:00-05:00", "11:30-13:30" } },
		{ "America/New_York", "2026-01-01T00:00:00-05:00",
			{ "21:00-01:30", "02:15-02:45", "03:00-04:00", "11:30-13:30", "12:00-14:00",
				"17:00-17:01", "19:59-20:00", "20:00-20:30" } },
		{ "America/New_York", "2026-01-01T00:00:00-05:00", { "03:00-02:00" } },
		{ "Australia/Lord_Howe", "2026-01-01T00:00:00+11:00", { "22:00-01:45" } },
		{ "America/Sao_Paulo", "2018-01-01T00:00:00-02:00",
			{ "23:30-00:30", "22:00-24:00" } },
	};
	_cleanup_(freep) struct oracle *oracle = calloc(1, sizeof *oracle);

	(void)state;
	assert_non_null(oracle);
	for (size_t i = 0; i < countof(table); i++) {
		set_zone(table[i].zone);
		struct hours_list hours = windows(table[i].texts);
		int64_t from_us = instant(table[i].from);
		look_up(oracle, &hours, from_us);
		/* Eleven goes through every minute of an hour and of a day. */
		for (size_t minute = 0; minute < MINUTES_PER_YEAR; minute += 11)
			compare_minute(oracle, &hours, from_us, minute);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_are_read),
		cmocka_unit_test(what_is_no_window_is_refused_and_named),
		cmocka_unit_test(windows_overlap_when_a_minute_is_in_both),
		cmocka_unit_test(a_window_begins_and_ends_to_the_microsecond),
		cmocka_unit_test(what_is_no_instant_ends_too),
		cmocka_unit_test(the_gain_goes_by_the_hour),
		cmocka_unit_test(a_day_begins_at_its_first_instant),
		cmocka_unit_test(a_year_is_as_it_is_minute_by_minute),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
