/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two thousand random rules against the oracle, which walks four years minute by minute with libc's
 * localtime_r(); the same on the lunar calendar; and every change of the clock in some zones, minute
 * by minute.
 */
#include "base/clock.h"
#include "scheduler/calendar.h"
#include "scheduler/date.h"
#include "scheduler/lunar.h"
#include "tests/unit/calendar_oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/param.h>
#include <time.h>

#include <cmocka.h>

#define MINUTE_US       (60 * US_PER_SEC)
#define DAYS            1461
#define MINUTES_PER_DAY 1440
#define RULES           2000
#define RULES_LUNAR     150
#define RULES_CHANGES   300

/* Fixed: the same rules every time. */
static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)*seed * below) >> 32);
}

struct kind_of_field {
	int low, high;
	unsigned starred_percent;
	const char *names; /* three letters each */
	bool last_day;
};

static void put_value(char *text, const struct kind_of_field *kind, int value, uint32_t *seed)
{
	size_t length = strlen(text);
	bool named = kind->names && value - kind->low < (int)strlen(kind->names) / 3;

	if (!named || draw(seed, 2)) {
		sprintf(text + length, draw(seed, 8) ? "%d" : "%02d", value);
		return;
	}
	for (int i = 0; i < 3; i++) {
		char c = kind->names[(value - kind->low) * 3 + i];
		text[length + (size_t)i] = draw(seed, 2) ? c : (char)toupper((unsigned char)c);
	}
	text[length + 3] = '\0';
}

static void put_element(char *text, const struct kind_of_field *kind, uint32_t *seed)
{
	int span = kind->high - kind->low + 1;
	int first = kind->low + (int)draw(seed, (uint32_t)span);
	int last = first + (int)draw(seed, (uint32_t)(kind->high - first + 1));
	unsigned form = draw(seed, 12);

	if (kind->last_day && draw(seed, 4) == 0) {
		strcat(text, "L");
		return;
	}
	if (form == 0) {
		sprintf(text + strlen(text), "*/%u", 1 + draw(seed, (uint32_t)span + 2));
		return;
	}
	put_value(text, kind, first, seed);
	if (form > 5)
		return;
	strcat(text, "-");
	put_value(text, kind, last, seed);
	if (form > 3)
		sprintf(text + strlen(text), "/%u", 1 + draw(seed, 9));
}

static void put_field(char *text, const struct kind_of_field *kind, uint32_t *seed)
{
	unsigned count = draw(seed, 3) ? 1 : 2 + draw(seed, 3);

	if (draw(seed, 100) < kind->starred_percent) {
		strcat(text, "*");
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			strcat(text, ",");
		put_element(text, kind, seed);
	}
}

static void make_rule(const struct kind_of_field kinds[5], uint32_t *seed, char ret_text[256])
{
	*ret_text = '\0';
	for (int i = 0; i < 5; i++) {
		if (i > 0)
			strcat(ret_text, " ");
		put_field(ret_text, &kinds[i], seed);
	}
}

static const char month_names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
static const char week_day_names[] = "sunmontuewedthufrisat";

static const struct kind_of_field solar_kinds[5] = {
	{ 0, 59, 10, NULL, false },
	{ 0, 23, 20, NULL, false },
	{ 1, 31, 35, NULL, false },
	{ 1, 12, 40, month_names, false },
	{ 0, 7, 35, week_day_names, false },
};

static const struct kind_of_field lunar_kinds[5] = {
	{ 0, 59, 0, NULL, false },
	{ 0, 23, 0, NULL, false },
	{ 1, 30, 15, NULL, true },
	{ 1, 12, 45, NULL, false },
	{ 0, 7, 60, week_day_names, false },
};

/* The clock is changed in the night. */
static const struct kind_of_field night_kinds[5] = {
	{ 0, 59, 15, NULL, false },
	{ 0, 3, 10, NULL, false },
	{ 1, 31, 80, NULL, false },
	{ 1, 12, 90, month_names, false },
	{ 0, 7, 80, week_day_names, false },
};

/* Four years in Vietnam, walked once. */

struct minute {
	uint8_t hour, minute;
};

struct years {
	int64_t start_us;
	struct oracle_day days[DAYS];
	struct minute minutes[DAYS][MINUTES_PER_DAY];
	struct zones *zones;
	const struct zone *zone;
};

static void set_lunar(struct oracle_day *day, int32_t number)
{
	struct lunar_date date;

	assert_int_equal(lunar_of_day(number, &date), 0);
	day->lunar_month = date.month;
	day->lunar_day = date.day;
	day->leap = date.leap;
	assert_int_equal(lunar_of_day(number + 1, &date), 0);
	day->last = date.day == 1;
}

static void walk(struct years *years)
{
	time_t at = (time_t)(years->start_us / US_PER_SEC);
	struct tm local;

	for (int32_t day = 0; day < DAYS; day++)
		for (int i = 0; i < MINUTES_PER_DAY; i++, at += 60) {
			localtime_r(&at, &local);
			years->minutes[day][i] = (struct minute){ (uint8_t)local.tm_hour,
				(uint8_t)local.tm_min };
			/* The oracle leaps over hours that do not match. */
			assert_int_equal(i, local.tm_hour * 60 + local.tm_min);
			if (i == 0)
				years->days[day] = (struct oracle_day){
					.week_day = local.tm_wday,
					.month = local.tm_mon + 1,
					.month_day = local.tm_mday,
				};
		}
}

static int set_up(void **state)
{
	struct years *years = calloc(1, sizeof *years);
	struct error error;

	assert_non_null(years);
	setenv("TZ", "Asia/Ho_Chi_Minh", 1);
	tzset();
	assert_int_equal(time_parse("2024-01-01T00:00:00+07:00", &years->start_us, &error), 0);
	walk(years);
	int32_t first = date_number((struct date){ 2024, 1, 1 });
	for (int32_t day = 0; day < DAYS; day++)
		set_lunar(&years->days[day], first + day);
	years->zones = zones_new();
	years->zone = zones_get(years->zones, "Asia/Ho_Chi_Minh", &error);
	assert_non_null(years->zone);
	*state = years;
	return 0;
}

static int tear_down(void **state)
{
	struct years *years = *state;

	zones_free(years->zones);
	free(years);
	return 0;
}

/* All minutes of these are compared; of other days the first one, from the last one before. */
static bool is_special(const struct oracle_day *day, int32_t index, unsigned number)
{
	bool years_end = (day->month == 12 && day->month_day == 31) ||
			 (day->month == 1 && day->month_day == 1);
	bool february = day->month == 2 && day->month_day >= 28;

	return (years_end && number % 8 == 0) || (february && number % 8 == 1) ||
	       (uint32_t)index % 128 == number % 128;
}

struct comparison {
	const struct years *years;
	const char *text;
	struct calendar calendar;
	struct oracle oracle;
	int64_t last_us; /* the oracle's last occurrence, or the start */
	uint32_t seed;
	unsigned occurrences;
};

static void expect_next(struct comparison *of, int64_t after_us, int64_t expected_us)
{
	int64_t next_us = calendar_next(&of->calendar, of->years->zone, after_us);
	char after[TIME_TEXT_SIZE], next[TIME_TEXT_SIZE], expected[TIME_TEXT_SIZE];

	if (next_us == expected_us)
		return;
	time_format(after_us, after);
	time_format(MIN(next_us, INT64_C(8000000000) * US_PER_SEC), next);
	time_format(expected_us, expected);
	fail_msg("\"%s\" after %s: %s instead of %s", of->text, after, next, expected);
}

static void compare_day(struct comparison *of, int32_t day, bool all)
{
	const struct minute *minutes = of->years->minutes[day];
	bool first = true;

	for (int i = 0; i < MINUTES_PER_DAY; i++) {
		if (!of->oracle.hours[minutes[i].hour]) {
			i += 59;
			continue;
		}
		if (!of->oracle.minutes[minutes[i].minute])
			continue;
		int64_t at_us = of->years->start_us +
				((int64_t)day * MINUTES_PER_DAY + i) * MINUTE_US;
		if (first || all)
			expect_next(of, of->last_us + draw(&of->seed, (uint32_t)MINUTE_US), at_us);
		first = false;
		of->last_us = at_us;
		of->occurrences++;
	}
}

/* Returns the occurrences in the four years. */
static unsigned compare(
	const struct years *years, const char *text, enum calendar_kind kind, unsigned number)
{
	bool lunar = kind == CALENDAR_LUNAR;
	struct comparison of = {
		.years = years,
		.text = text,
		.oracle = oracle_read(text, lunar),
		.last_us = years->start_us - MINUTE_US,
		.seed = number,
	};
	struct error error = { "" };
	bool accepted = calendar_parse(text, kind, &of.calendar, &error) == 0;
	int32_t first = date_number((struct date){ 2024, 1, 1 });

	if (!accepted && !strstr(error.text, "can never happen"))
		fail_msg("\"%s\": %s", text, error.text);
	for (int32_t day = 0; day < DAYS; day++) {
		bool matches = oracle_day(&of.oracle, &years->days[day], lunar);
		if (matches && !accepted)
			fail_msg("\"%s\" does happen: %s", text, error.text);
		bool asked = accepted && (!lunar || (uint32_t)day % 8 == number % 8);
		if (asked && calendar_day_matches(&of.calendar, first + day) != matches)
			fail_msg("\"%s\": day %d", text, first + day);
		if (matches)
			compare_day(&of, day, is_special(&years->days[day], day, number));
	}
	int64_t end_us = years->start_us + (int64_t)DAYS * MINUTES_PER_DAY * MINUTE_US;
	if (accepted && calendar_next(&of.calendar, years->zone, of.last_us) < end_us)
		fail_msg("\"%s\": one more", text);
	return of.occurrences;
}

static void random_rules(void **state)
{
	const struct years *years = *state;
	unsigned empty = 0, number = 0;
	uint32_t seed = 20260217;

	for (; number < RULES; number++) {
		char text[256];
		make_rule(solar_kinds, &seed, text);
		empty += compare(years, text, CALENDAR_SOLAR, number) == 0;
	}
	assert_true(empty < RULES / 50);
}

static void random_rules_of_the_lunar_calendar(void **state)
{
	const struct years *years = *state;
	unsigned empty = 0, number = 0;
	uint32_t seed = 20250725; /* the leap month of that year began then */

	for (; number < RULES_LUNAR; number++) {
		char text[256];
		make_rule(lunar_kinds, &seed, text);
		empty += compare(years, text, CALENDAR_LUNAR, number) == 0;
	}
	assert_true(empty < RULES_LUNAR / 10);
}

/* Changes of the clock. */

#define BEFORE 780 /* minutes that are looked at before a change */
#define AFTER  780
#define JUMP   180
#define WINDOW (BEFORE + AFTER)

struct instant {
	int64_t real_us;
	int64_t wall; /* the wall's minutes since 1970 */
	bool again;   /* shown already, less than JUMP before */
	struct tm shown;
};

static void look_at(struct instant window[WINDOW], time_t change)
{
	for (int i = 0; i < WINDOW; i++) {
		struct instant *instant = &window[i];
		time_t at = change + (i - BEFORE) * 60;
		localtime_r(&at, &instant->shown);
		struct tm wall = instant->shown;
		instant->real_us = at * US_PER_SEC;
		instant->wall = timegm(&wall) / 60;
		instant->again = false;
		for (int before = MAX(i - JUMP, 0); before < i; before++)
			instant->again = instant->again || window[before].wall == instant->wall;
	}
}

static bool is_shown(const struct oracle *oracle, const struct tm *shown)
{
	struct oracle_day day = {
		.week_day = shown->tm_wday, .month = shown->tm_mon + 1, .month_day = shown->tm_mday
	};

	return oracle->minutes[shown->tm_min] && oracle->hours[shown->tm_hour] &&
	       oracle_day(oracle, &day, false);
}

static bool occurs(const struct oracle *oracle, const struct instant *instant)
{
	int64_t skipped = instant->wall - instant[-1].wall - 1;

	if (!oracle->once || skipped > JUMP)
		return is_shown(oracle, &instant->shown) && !(oracle->once && instant->again);
	for (int64_t wall = instant[-1].wall + 1; wall < instant->wall; wall++) {
		time_t seconds = wall * 60;
		struct tm shown;
		gmtime_r(&seconds, &shown);
		if (is_shown(oracle, &shown))
			return true;
	}
	return is_shown(oracle, &instant->shown) && !instant->again;
}

static void compare_window(const char *zone_name, const struct zone *zone, const char *text,
	const struct instant window[WINDOW])
{
	struct oracle oracle = oracle_read(text, false);
	struct calendar calendar;
	struct error error = { "" };
	int64_t last_us = window[JUMP].real_us, next_us = 0;
	char expected[TIME_TEXT_SIZE], got[TIME_TEXT_SIZE];

	if (calendar_parse(text, CALENDAR_SOLAR, &calendar, &error) < 0)
		return;
	for (int i = JUMP + 1; i < WINDOW; i++) {
		if (!occurs(&oracle, &window[i]))
			continue;
		next_us = calendar_next(&calendar, zone, last_us);
		time_format(window[i].real_us, expected);
		time_format(next_us, got);
		if (next_us != window[i].real_us)
			fail_msg("%s: \"%s\": %s instead of %s", zone_name, text, got, expected);
		last_us = next_us;
	}
	next_us = calendar_next(&calendar, zone, last_us);
	time_format(MIN(next_us, INT64_C(8000000000) * US_PER_SEC), got);
	if (next_us <= window[WINDOW - 1].real_us)
		fail_msg("%s: \"%s\": one more, %s", zone_name, text, got);
}

static void compare_changes(struct zones *zones, const char *name, int year)
{
	static struct instant window[WINDOW];
	time_t end = date_number((struct date){ year + 4, 1, 1 }) * (time_t)86400;
	struct error error;
	const struct zone *zone = zones_get(zones, name, &error);
	unsigned changes = 0;
	uint32_t seed = 1;
	struct tm before, after;

	assert_non_null(zone);
	setenv("TZ", name, 1);
	tzset();
	time_t at = date_number((struct date){ year, 1, 1 }) * (time_t)86400;
	for (localtime_r(&at, &before); at < end; at += 60, before = after) {
		localtime_r(&at, &after);
		if (after.tm_gmtoff == before.tm_gmtoff)
			continue;
		look_at(window, at);
		for (int i = 0; i < RULES_CHANGES; i++) {
			char text[256];
			make_rule(night_kinds, &seed, text);
			compare_window(name, zone, text, window);
		}
		changes++;
	}
	assert_true(changes >= 4);
}

static void random_rules_where_the_clock_is_changed(void **state)
{
	static const struct {
		const char *zone;
		int year; /* the first one of four */
	} places[] = {
		{ "Europe/Berlin", 2024 }, { "America/St_Johns", 2008 }, /* at 00:01 */
		{ "Australia/Lord_Howe", 2024 },                         /* by half an hour */
		{ "Africa/Casablanca", 2024 },
		{ "Pacific/Apia", 2010 },     /* without 30 December 2011 */
		{ "Antarctica/Casey", 2009 }, /* by three hours */
	};
	_cleanup_(zones_freep) struct zones *zones = zones_new();

	(void)state;
	for (size_t i = 0; i < countof(places); i++)
		compare_changes(zones, places[i].zone, places[i].year);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_rules),
		cmocka_unit_test(random_rules_of_the_lunar_calendar),
		cmocka_unit_test(random_rules_where_the_clock_is_changed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
