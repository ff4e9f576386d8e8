/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/calendar.h"
#include "base/clock.h"
#include "scheduler/date.h"
#include "scheduler/lunar.h"
#include "tests/unit/tts_table.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CHAIN_MAX 16

static int64_t at(const char *text)
{
	struct error error = { "" };
	int64_t real_us = 0;

	if (time_parse(text, &real_us, &error) < 0)
		fail_msg("%s: %s", text, error.text);
	return real_us;
}

static struct calendar parse(const char *rule, enum calendar_kind kind)
{
	struct calendar calendar;
	struct error error = { "" };

	if (calendar_parse(rule, kind, &calendar, &error) < 0)
		fail_msg("\"%s\": %s", rule, error.text);
	return calendar;
}

static struct zones *zones_of_test;

static const struct zone *get_zone(const char *name)
{
	struct error error;
	const struct zone *zone = zones_get(zones_of_test, name, &error);

	assert_non_null(zone);
	return zone;
}

/* The table. */

static void expect_occurrences(
	unsigned line, const struct calendar *calendar, const char *occurrences)
{
	_cleanup_(freep) char *copy = xstrdup(occurrences);
	int64_t last_us = at("2026-11-25T12:00:00+07:00");
	char *rest = copy, *text, expected[TIME_TEXT_SIZE];

	while ((text = strsep(&rest, ","))) {
		int64_t next_us = calendar_next(calendar, get_zone("Asia/Ho_Chi_Minh"), last_us);
		text += strspn(text, " ");
		snprintf(expected, sizeof expected, "%.10sT%s:00+07:00", text, text + 11);
		if (next_us != at(expected))
			fail_msg("cron.tsv:%u: %s is not next, but %" PRId64 " s later", line, text,
				(next_us - at(expected)) / US_PER_SEC);
		last_us = next_us;
	}
}

static void check_row(const struct table_row *row)
{
	const char *rule = row->fields[1].text;
	bool refused = strcmp(row->fields[2].text, "-") == 0;
	bool lunar = strcmp(row->fields[0].text, calendar_kind_names[CALENDAR_LUNAR]) == 0;
	struct calendar calendar;
	struct error error = { "" };
	int result = calendar_parse(
		rule, lunar ? CALENDAR_LUNAR : CALENDAR_SOLAR, &calendar, &error);

	assert_true(row->count == (refused ? 4 : 3));
	if (refused && (result != -EINVAL || strcmp(error.text, row->fields[3].text) != 0))
		fail_msg("cron.tsv:%u: \"%s\": %d, %s", row->line, rule, result, error.text);
	if (!refused && result < 0)
		fail_msg("cron.tsv:%u: \"%s\": %s", row->line, rule, error.text);
	if (!refused)
		expect_occurrences(row->line, &calendar, row->fields[2].text);
}

static void the_table_of_rules(void **state)
{
	(void)state;
	assert_true(table_each(TEST_DATA_DIR "/cron.tsv", check_row) > 100);
}

static void a_rule_has_two_hundred_bytes(void **state)
{
	char rule[CALENDAR_TEXT_MAX + 2];
	struct calendar calendar = { .hours = 77 };
	struct error error = { "" };

	(void)state;
	memset(rule, ' ', sizeof rule);
	memcpy(rule, "0 5 * * *", 9);
	rule[CALENDAR_TEXT_MAX + 1] = '\0';
	assert_int_equal(calendar_parse(rule, CALENDAR_SOLAR, &calendar, &error), -EINVAL);
	assert_string_equal(
		error.text, "dài 201 byte, nhiều nhất là 200 (too long, at most 200 bytes)");
	assert_int_equal(calendar.hours, 77);
	rule[CALENDAR_TEXT_MAX] = '\0';
	assert_int_equal(calendar_parse(rule, CALENDAR_SOLAR, &calendar, &error), 0);
	assert_int_equal(calendar.hours, 1 << 5);
	assert_int_equal(calendar_parse("x", CALENDAR_SOLAR, &calendar, NULL), -EINVAL);
}

static void what_is_quoted_is_cut_between_characters(void **state)
{
	struct calendar calendar;
	struct error error = { "" };

	(void)state;
	assert_int_equal(calendar_parse("0 0 * * ưxưxưxưxưxưxưxưxưxưxưxưxưxưxưxưx", CALENDAR_SOLAR,
				 &calendar, &error),
		-EINVAL);
	assert_non_null(strstr(error.text, "\"ưxưxưxưxưxưxưxưxưxưxưxưxưx…\""));
}

static void fields_are_kept_as_bits(void **state)
{
	struct calendar calendar = parse("0,59 0-23/23 1,31 1,12 1-7/6", CALENDAR_SOLAR);

	(void)state;
	assert_true(calendar.minutes == ((UINT64_C(1) << 59) | 1));
	assert_int_equal(calendar.hours, (1 << 23) | 1);
	assert_true(calendar.month_days == ((UINT32_C(1) << 31) | 2));
	assert_int_equal(calendar.months, (1 << 12) | 2);
	assert_int_equal(calendar.week_days, 3);
	assert_true(calendar.either_day);
	assert_false(calendar.by_the_wall || calendar.last_day || calendar.leap_months);
	assert_true(parse("0 1,*/2 1 * *", CALENDAR_SOLAR).by_the_wall);
	assert_true(parse("*/59 1 1 * *", CALENDAR_SOLAR).by_the_wall);
	assert_false(parse("0 1 1,*/9 * 1", CALENDAR_SOLAR).either_day);
	assert_true(parse("0 1 L * *", CALENDAR_LUNAR).last_day);
	assert_true(parse("0 1 L * *", CALENDAR_LUNAR).leap_months);
	assert_false(parse("0 1 L */1 *", CALENDAR_LUNAR).leap_months);
	assert_false(parse("0 1 L 1-12 *", CALENDAR_LUNAR).leap_months);
}

/* Instants. */

static void the_next_one_is_after(void **state)
{
	const struct zone *zone = get_zone("Asia/Ho_Chi_Minh");
	struct calendar calendar = parse("30 5 * * *", CALENDAR_SOLAR);
	int64_t half_past_us = at("2026-11-25T05:30:00+07:00");

	(void)state;
	assert_int_equal(calendar_next(&calendar, zone, half_past_us - 1), half_past_us);
	assert_int_equal(calendar_next(&calendar, zone, half_past_us - US_PER_SEC), half_past_us);
	assert_int_equal(
		calendar_next(&calendar, zone, half_past_us), at("2026-11-26T05:30:00+07:00"));
	assert_int_equal(
		calendar_next(&calendar, zone, half_past_us + 1), at("2026-11-26T05:30:00+07:00"));
}

static void time_begins_in_1970_and_ends_with_2199(void **state)
{
	const struct zone *vietnam = get_zone("Asia/Ho_Chi_Minh"), *utc = get_zone("UTC");
	struct calendar each = parse("* * * * *", CALENDAR_SOLAR);
	struct calendar last = parse("59 23 31 12 *", CALENDAR_SOLAR);
	struct calendar lunar = parse("* * * * *", CALENDAR_LUNAR);
	struct calendar yearly = parse("0 0 1 1 *", CALENDAR_SOLAR);
	int64_t last_us = at("2199-12-31T23:59:00Z");

	(void)state;
	assert_int_equal(calendar_next(&each, utc, TIME_UNSET), 0);
	assert_int_equal(calendar_next(&each, utc, -1), 0);
	assert_int_equal(calendar_next(&each, utc, 0), 60 * US_PER_SEC);
	assert_int_equal(calendar_next(&lunar, utc, TIME_UNSET), 0);
	assert_int_equal(calendar_next(&last, utc, last_us - 1), last_us);
	assert_int_equal(calendar_next(&last, utc, last_us), TIME_NEVER);
	assert_int_equal(calendar_next(&each, utc, last_us), TIME_NEVER);
	assert_int_equal(calendar_next(&lunar, utc, last_us - 1), last_us);
	assert_int_equal(calendar_next(&lunar, utc, last_us), TIME_NEVER);
	assert_int_equal(calendar_next(&each, utc, TIME_NEVER), TIME_NEVER);
	assert_int_equal(calendar_next(&yearly, utc, at("2199-01-01T00:00:00Z")), TIME_NEVER);
	assert_int_equal(calendar_next(&last, vietnam, at("2199-01-01T00:00:00Z")),
		at("2199-12-31T23:59:00+07:00"));
	/* 2200 has begun by UTC, not yet in St. John's; and the year is UTC's. */
	assert_int_equal(
		calendar_next(&last, get_zone("America/St_Johns"), at("2199-01-01T12:00:00Z")),
		TIME_NEVER);
}

static void days_outside_do_not_match(void **state)
{
	struct calendar each = parse("* * * * *", CALENDAR_SOLAR);
	struct calendar lunar = parse("* * * * *", CALENDAR_LUNAR);
	int32_t first = date_number((struct date){ 1900, 1, 1 });
	int32_t end = date_number((struct date){ 2200, 1, 1 });

	(void)state;
	assert_true(calendar_day_matches(&each, first));
	assert_false(calendar_day_matches(&each, first - 1));
	assert_true(calendar_day_matches(&each, end - 1));
	assert_false(calendar_day_matches(&each, end));
	assert_false(calendar_day_matches(&each, INT32_MIN));
	assert_false(calendar_day_matches(&each, INT32_MAX));
	assert_true(calendar_day_matches(&lunar, lunar_first_day()));
	assert_false(calendar_day_matches(&lunar, lunar_first_day() - 1));
	assert_true(calendar_day_matches(&lunar, end - 1));
}

/* The day is that of the wall, wherever it is. */
static void the_zone_says_which_day_it_is(void **state)
{
	struct calendar new_year = parse("0 0 1 1 *", CALENDAR_LUNAR);
	int64_t after_us = at("2026-12-01T00:00:00Z");

	(void)state;
	assert_int_equal(calendar_next(&new_year, get_zone("Asia/Ho_Chi_Minh"), after_us),
		at("2027-02-06T00:00:00+07:00"));
	assert_int_equal(calendar_next(&new_year, get_zone("Europe/Berlin"), after_us),
		at("2027-02-06T00:00:00+01:00"));
}

static void a_numbered_month_is_no_leap_month(void **state)
{
	const struct zone *zone = get_zone("Asia/Ho_Chi_Minh");
	struct calendar numbered = parse("0 0 1 6 *", CALENDAR_LUNAR);
	struct calendar all = parse("0 0 1 * *", CALENDAR_LUNAR);
	struct calendar stepped = parse("0 0 1 1-12 *", CALENDAR_LUNAR);
	struct lunar_date date = { 2025, 6, 1, true };
	int64_t june_us = at("2025-06-25T00:00:00+07:00"),
		leap_us = at("2025-07-25T00:00:00+07:00");
	int32_t leap_day;

	(void)state;
	assert_int_equal(lunar_to_day(date, &leap_day), 0);
	assert_int_equal(calendar_next(&all, zone, june_us), leap_us);
	assert_true(calendar_day_matches(&all, leap_day));
	assert_false(calendar_day_matches(&numbered, leap_day));
	assert_int_equal(calendar_next(&numbered, zone, june_us - 1), june_us);
	assert_int_equal(calendar_next(&numbered, zone, june_us), at("2026-07-14T00:00:00+07:00"));
	assert_int_equal(calendar_next(&stepped, zone, june_us), at("2025-08-23T00:00:00+07:00"));
}

/* Changes of the clock. All occurrences between two instants; NULL ends them. */
static void expect_chain(const char *zone, const char *rule, const char *after, const char *until,
	const char *const occurrences[CHAIN_MAX])
{
	struct calendar calendar = parse(rule, CALENDAR_SOLAR);
	int64_t last_us = at(after);
	char got[TIME_TEXT_SIZE];

	for (int i = 0; i < CHAIN_MAX && occurrences[i]; i++) {
		int64_t next_us = calendar_next(&calendar, get_zone(zone), last_us);
		time_format(next_us, got);
		if (next_us != at(occurrences[i]))
			fail_msg("%s, \"%s\": %s instead of %s", zone, rule, got, occurrences[i]);
		last_us = next_us;
	}
	int64_t next_us = calendar_next(&calendar, get_zone(zone), last_us);
	if (next_us < at(until)) {
		time_format(next_us, got);
		fail_msg("%s, \"%s\": %s is one too many", zone, rule, got);
	}
}
#define CHAIN(...) ((const char *const[CHAIN_MAX]){ __VA_ARGS__ })

static void berlin_puts_the_clock_forward(void **state)
{
	static const char zone[] = "Europe/Berlin";
	static const char after[] = "2026-03-29T00:30:00+01:00",
			  until[] = "2026-03-29T04:00:00+02:00";

	(void)state;
	expect_chain(zone, "30 2 * * *", after, until, CHAIN("2026-03-29T03:00:00+02:00"));
	expect_chain(zone, "0 2 * * *", after, until, CHAIN("2026-03-29T03:00:00+02:00"));
	expect_chain(zone, "0 3 * * *", after, until, CHAIN("2026-03-29T03:00:00+02:00"));
	expect_chain(zone, "59 2 * * *", after, until, CHAIN("2026-03-29T03:00:00+02:00"));
	expect_chain(zone, "15,45 1-3 * * *", after, until,
		CHAIN("2026-03-29T01:15:00+01:00", "2026-03-29T01:45:00+01:00",
			"2026-03-29T03:00:00+02:00", "2026-03-29T03:15:00+02:00",
			"2026-03-29T03:45:00+02:00"));
	expect_chain(zone, "30 * * * *", after, until,
		CHAIN("2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"));
	expect_chain(zone, "*/30 2 * * *", after, until, CHAIN(NULL));
	expect_chain(zone, "0 */2 * * *", after, until, CHAIN(NULL));
	expect_chain(zone, "@hourly", after, until,
		CHAIN("2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00"));
	expect_chain(zone, "30 2 28 3 *", after, until, CHAIN(NULL));
	expect_chain(zone, "30 2 29 3 *", after, until, CHAIN("2026-03-29T03:00:00+02:00"));
	/* From the very instant of the change, and just before it. */
	expect_chain(zone, "30 2 * * *", "2026-03-29T03:00:00+02:00", until, CHAIN(NULL));
	expect_chain(zone, "30 2 * * *", "2026-03-29T01:59:59.999+01:00", until,
		CHAIN("2026-03-29T03:00:00+02:00"));
}

static void berlin_puts_the_clock_back(void **state)
{
	static const char zone[] = "Europe/Berlin";
	static const char after[] = "2026-10-25T00:30:00+02:00",
			  until[] = "2026-10-25T04:00:00+01:00";

	(void)state;
	expect_chain(zone, "30 2 * * *", after, until, CHAIN("2026-10-25T02:30:00+02:00"));
	expect_chain(zone, "0 2 * * *", after, until, CHAIN("2026-10-25T02:00:00+02:00"));
	expect_chain(zone, "0 3 * * *", after, until, CHAIN("2026-10-25T03:00:00+01:00"));
	expect_chain(zone, "15 1-3 * * *", after, until,
		CHAIN("2026-10-25T01:15:00+02:00", "2026-10-25T02:15:00+02:00",
			"2026-10-25T03:15:00+01:00"));
	expect_chain(zone, "30 * * * *", after, until,
		CHAIN("2026-10-25T01:30:00+02:00", "2026-10-25T02:30:00+02:00",
			"2026-10-25T02:30:00+01:00", "2026-10-25T03:30:00+01:00"));
	expect_chain(zone, "*/30 2 * * *", after, until,
		CHAIN("2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00",
			"2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00"));
	expect_chain(zone, "@hourly", after, until,
		CHAIN("2026-10-25T01:00:00+02:00", "2026-10-25T02:00:00+02:00",
			"2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"));
	/* From within the hour that comes again. */
	expect_chain(zone, "0-59 2 * * *", "2026-10-25T02:10:00+01:00", until, CHAIN(NULL));
}

/* Until 2011 the clock was changed at 00:01, so that the day before came back for an hour. */
static void st_johns_changes_the_date(void **state)
{
	static const char zone[] = "America/St_Johns";
	static const char after[] = "2010-11-06T22:30:00-02:30",
			  until[] = "2010-11-07T01:00:00-03:30";

	(void)state;
	expect_chain(zone, "0 0 * * *", after, until, CHAIN("2010-11-07T00:00:00-02:30"));
	expect_chain(zone, "0 0 7 11 *", after, until, CHAIN("2010-11-07T00:00:00-02:30"));
	expect_chain(zone, "30 23 * * *", after, until, CHAIN("2010-11-06T23:30:00-02:30"));
	expect_chain(zone, "30 23 6 11 *", after, until, CHAIN("2010-11-06T23:30:00-02:30"));
	expect_chain(zone, "1 23 * * sat", after, until, CHAIN("2010-11-06T23:01:00-02:30"));
	expect_chain(zone, "0 23 * * sat", after, until, CHAIN("2010-11-06T23:00:00-02:30"));
	expect_chain(zone, "*/30 23 * * sat", after, until,
		CHAIN("2010-11-06T23:00:00-02:30", "2010-11-06T23:30:00-02:30",
			"2010-11-06T23:30:00-03:30"));
	expect_chain(zone, "*/1 0 7 11 *", "2010-11-06T23:58:00-02:30", "2010-11-07T00:02:00-03:30",
		CHAIN("2010-11-07T00:00:00-02:30", "2010-11-07T00:00:00-03:30",
			"2010-11-07T00:01:00-03:30"));
	expect_chain(zone, "30 0 14 3 *", "2010-03-13T12:00:00-03:30", "2010-03-15T12:00:00-02:30",
		CHAIN("2010-03-14T01:01:00-02:30"));
	expect_chain(zone, "0,30 0 * * *", "2010-03-13T12:00:00-03:30", "2010-03-14T12:00:00-02:30",
		CHAIN("2010-03-14T00:00:00-03:30", "2010-03-14T01:01:00-02:30"));
}

static void lord_howe_changes_by_half_an_hour(void **state)
{
	static const char zone[] = "Australia/Lord_Howe";
	static const char after[] = "2026-04-05T00:30:00+11:00",
			  until[] = "2026-04-05T03:00:00+10:30";

	(void)state;
	expect_chain(zone, "15,45 1 * * *", after, until,
		CHAIN("2026-04-05T01:15:00+11:00", "2026-04-05T01:45:00+11:00"));
	expect_chain(zone, "*/15 1 * * *", after, until,
		CHAIN("2026-04-05T01:00:00+11:00", "2026-04-05T01:15:00+11:00",
			"2026-04-05T01:30:00+11:00", "2026-04-05T01:45:00+11:00",
			"2026-04-05T01:30:00+10:30", "2026-04-05T01:45:00+10:30"));
	expect_chain(zone, "15,45 2 * * *", "2026-10-04T01:00:00+10:30",
		"2026-10-04T04:00:00+11:00",
		CHAIN("2026-10-04T02:30:00+11:00", "2026-10-04T02:45:00+11:00"));
	expect_chain(zone, "*/15 2 * * *", "2026-10-04T01:00:00+10:30", "2026-10-04T04:00:00+11:00",
		CHAIN("2026-10-04T02:30:00+11:00", "2026-10-04T02:45:00+11:00"));
}

static void casablanca_pauses_for_ramadan(void **state)
{
	static const char zone[] = "Africa/Casablanca";

	(void)state;
	expect_chain(zone, "30 2 * * *", "2026-02-14T12:00:00+01:00", "2026-02-16T12:00:00+00:00",
		CHAIN("2026-02-15T02:30:00+01:00", "2026-02-16T02:30:00+00:00"));
	expect_chain(zone, "30 2 * * *", "2026-03-21T12:00:00+00:00", "2026-03-23T12:00:00+01:00",
		CHAIN("2026-03-22T03:00:00+01:00", "2026-03-23T02:30:00+01:00"));
	expect_chain(zone, "0 12 15 2,3,4 *", "2026-01-01T00:00:00+01:00",
		"2027-01-01T00:00:00+01:00",
		CHAIN("2026-02-15T12:00:00+00:00", "2026-03-15T12:00:00+00:00",
			"2026-04-15T12:00:00+01:00"));
}

/* Not a clock put forward, but a day that nobody had: nothing is caught up. */
static void apia_leaves_out_a_day(void **state)
{
	static const char zone[] = "Pacific/Apia";
	static const char after[] = "2011-12-29T00:30:00-10:00",
			  until[] = "2012-01-01T00:00:00+14:00";

	(void)state;
	expect_chain(zone, "0 8 * * *", after, until,
		CHAIN("2011-12-29T08:00:00-10:00", "2011-12-31T08:00:00+14:00"));
	expect_chain(zone, "0 0 * * *", after, until, CHAIN("2011-12-31T00:00:00+14:00"));
	expect_chain(zone, "0 8 30 12 *", after, "2012-12-30T00:00:00+14:00",
		CHAIN("2012-12-30T08:00:00+14:00"));
	expect_chain(zone, "0 */12 * * *", after, until,
		CHAIN("2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00",
			"2011-12-31T12:00:00+14:00"));
}

static int set_up(void **state)
{
	(void)state;
	zones_of_test = zones_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	zones_of_test = zones_free(zones_of_test);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_rules),
		cmocka_unit_test(a_rule_has_two_hundred_bytes),
		cmocka_unit_test(what_is_quoted_is_cut_between_characters),
		cmocka_unit_test(fields_are_kept_as_bits),
		cmocka_unit_test(the_next_one_is_after),
		cmocka_unit_test(time_begins_in_1970_and_ends_with_2199),
		cmocka_unit_test(days_outside_do_not_match),
		cmocka_unit_test(the_zone_says_which_day_it_is),
		cmocka_unit_test(a_numbered_month_is_no_leap_month),
		cmocka_unit_test(berlin_puts_the_clock_forward),
		cmocka_unit_test(berlin_puts_the_clock_back),
		cmocka_unit_test(st_johns_changes_the_date),
		cmocka_unit_test(lord_howe_changes_by_half_an_hour),
		cmocka_unit_test(casablanca_pauses_for_ramadan),
		cmocka_unit_test(apia_leaves_out_a_day),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
