/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/lunar.h"
#include "base/cleanup.h"
#include "scheduler/date.h"
#include "tests/unit/tts_table.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define YEARS (LUNAR_YEAR_MAX - LUNAR_YEAR_MIN + 1)

static int32_t solar(int year, int month, int day)
{
	return date_number((struct date){ year, month, day });
}

static struct lunar_year made(int year)
{
	struct lunar_year result;

	assert_int_equal(lunar_year_make(year, &result), 0);
	return result;
}

static void assert_day(int32_t day, int32_t expected, int year)
{
	char is[DATE_TEXT_SIZE], wanted[DATE_TEXT_SIZE];

	if (day == expected)
		return;
	date_format(day, is);
	date_format(expected, wanted);
	fail_msg("%d: %s instead of %s", year, is, wanted);
}

/* year, Tết, leap month, days of the months. */
static void check_year(const struct table_row *row)
{
	int year = atoi(row->fields[0].text), leap = atoi(row->fields[2].text);
	char *lengths = row->fields[3].text, *length;
	int32_t tet, day, months = 0;

	assert_int_equal(date_parse(row->fields[1].text, &tet, NULL), 0);
	assert_int_equal(lunar_to_day((struct lunar_date){ year, 1, 1, false }, &day), 0);
	assert_day(day, tet, year);
	if (lunar_leap_month(year) != leap)
		fail_msg("%d: leap month %d instead of %d", year, lunar_leap_month(year), leap);
	for (; (length = strsep(&lengths, " ")); months++) {
		bool after = leap > 0 && months >= leap;
		bool is_leap = leap > 0 && months == leap;
		int month = months + 1 - after;
		int days = lunar_month_days(year, month, is_leap);
		if (days != atoi(length))
			fail_msg("%d month %d%s: %d days instead of %s", year, month,
				is_leap ? " leap" : "", days, length);
	}
	assert_int_equal(months, leap > 0 ? 13 : 12);
}

static void test_table(void **state)
{
	(void)state;
	assert_int_equal(table_each(TEST_DATA_DIR "/lunar.tsv", check_year), YEARS);
}

static void test_known_days(void **state)
{
	static const struct {
		struct date date;
		struct lunar_date lunar;
	} known[] = {
		{ { 1968, 1, 29 }, { 1968, 1, 1, false } },
		{ { 1985, 1, 21 }, { 1985, 1, 1, false } },
		{ { 2007, 2, 17 }, { 2007, 1, 1, false } },
		{ { 2026, 2, 16 }, { 2025, 12, 29, false } },
		{ { 2026, 2, 17 }, { 2026, 1, 1, false } },
		{ { 2026, 9, 25 }, { 2026, 8, 15, false } },
		{ { 2025, 7, 24 }, { 2025, 6, 30, false } },
		{ { 2025, 7, 25 }, { 2025, 6, 1, true } },
		{ { 2025, 8, 22 }, { 2025, 6, 29, true } },
		{ { 2025, 8, 23 }, { 2025, 7, 1, false } },
		{ { 2027, 2, 6 }, { 2027, 1, 1, false } },
		{ { 2028, 1, 26 }, { 2028, 1, 1, false } },
		{ { 2030, 2, 2 }, { 2030, 1, 1, false } },
		{ { 2033, 12, 22 }, { 2033, 11, 1, true } },
		{ { 2034, 1, 20 }, { 2033, 12, 1, false } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		struct lunar_date date, wanted = known[i].lunar;
		int32_t day = date_number(known[i].date), back;
		assert_int_equal(lunar_of_day(day, &date), 0);
		if (date.year != wanted.year || date.month != wanted.month ||
			date.day != wanted.day || date.leap != wanted.leap)
			fail_msg("row %zu: %d-%d-%d%s", i, date.year, date.month, date.day,
				date.leap ? " leap" : "");
		assert_int_equal(lunar_to_day(wanted, &back), 0);
		assert_int_equal(back, day);
	}
}

static bool follows(struct lunar_date before, struct lunar_date date)
{
	if (date.day == before.day + 1)
		return date.year == before.year && date.month == before.month &&
		       date.leap == before.leap;
	if (date.day != 1 || before.day < 29 || before.day > 30)
		return false;
	if (date.leap)
		return !before.leap && date.month == before.month && date.year == before.year;
	return date.month == before.month % 12 + 1 && date.year == before.year + (date.month == 1);
}

static void test_every_day_there_and_back(void **state)
{
	struct lunar_date before = { LUNAR_YEAR_MIN - 1, 12, 30, false };
	struct lunar_year year = made(LUNAR_YEAR_MIN);
	int32_t last = lunar_last_day();

	(void)state;
	for (int32_t day = lunar_first_day(); day <= last; day++) {
		struct lunar_date date, same;
		int32_t back = 0;
		assert_int_equal(lunar_of_day(day, &date), 0);
		if (!follows(before, date))
			fail_msg("%d-%d-%d is followed by %d-%d-%d", before.year, before.month,
				before.day, date.year, date.month, date.day);
		if (lunar_year_of_day(&year, day, &same) == -ERANGE) {
			year = made(year.year + 1);
			assert_int_equal(lunar_year_of_day(&year, day, &same), 0);
		}
		assert_memory_equal(&same, &date, offsetof(struct lunar_date, leap));
		assert_int_equal(same.leap, date.leap);
		assert_int_equal(lunar_year_to_day(&year, date, &back), 0);
		assert_int_equal(back, day);
		if (date.day == 1 || date.day == 29)
			assert_int_equal(lunar_to_day(date, &back), 0);
		assert_int_equal(back, day);
		before = date;
	}
	assert_int_equal(before.year, LUNAR_YEAR_MAX);
}

/*
 * A second opinion on the sky, of another source than the code's: the Sun and the Moon by the low
 * precision formulas of the Astronomical Almanac (section D, and C), good to some tenths of a degree.
 * The table is what tells one side of midnight from the other.
 */
#define TOLERANCE_DEGREES 0.5

static double sin_degrees(double degrees)
{
	return sin(degrees * M_PI / 180);
}

/* Days since 2000-01-01 12:00 TT, near enough, of the midnight in Vietnam. */
static double almanac_days(int32_t day)
{
	return day - 10957.5 - 7 / 24.0;
}

static double almanac_sun(int32_t day)
{
	double n = almanac_days(day);
	double anomaly = 357.528 + 0.9856003 * n;

	return 280.460 + 0.9856474 * n + 1.915 * sin_degrees(anomaly) +
	       0.020 * sin_degrees(2 * anomaly);
}

static double almanac_moon(int32_t day)
{
	double t = almanac_days(day) / 36525;

	return 218.32 + 481267.881 * t + 6.29 * sin_degrees(135.0 + 477198.87 * t) -
	       1.27 * sin_degrees(259.3 - 413335.36 * t) +
	       0.66 * sin_degrees(235.7 + 890534.22 * t) +
	       0.21 * sin_degrees(269.9 + 954397.74 * t) -
	       0.19 * sin_degrees(357.5 + 35999.05 * t) - 0.11 * sin_degrees(186.5 + 966404.03 * t);
}

/* Of the Moon from the Sun, -180…180. */
static double elongation(int32_t day)
{
	return remainder(almanac_moon(day) - almanac_sun(day), 360);
}

/* How far the Sun gets past the last principal term before `until`, counted from `from`: < 0 if the
 * month has none. */
static double past_term(int32_t from, int32_t until)
{
	double begin = almanac_sun(from), end = almanac_sun(until);

	return floor(end / 30) * 30 - begin;
}

static void test_months_begin_with_the_new_moon(void **state)
{
	(void)state;
	for (int number = LUNAR_YEAR_MIN; number <= LUNAR_YEAR_MAX; number++) {
		struct lunar_year year = made(number);
		assert_int_equal(year.months, year.leap_month > 0 ? 13 : 12);
		for (int i = 0; i < year.months; i++) {
			int32_t first = year.first_day[i];
			assert_in_range(year.first_day[i + 1] - first, 29, 30);
			if (elongation(first) > TOLERANCE_DEGREES ||
				elongation(first + 1) < -TOLERANCE_DEGREES)
				fail_msg("%d, month at %d: elongation %.2f to %.2f", number, i,
					elongation(first), elongation(first + 1));
		}
	}
}

static void test_solstice_is_in_month_eleven(void **state)
{
	(void)state;
	for (int number = LUNAR_YEAR_MIN; number <= LUNAR_YEAR_MAX; number++) {
		int32_t first = 0;
		int days = lunar_month_days(number, 11, false);
		assert_int_equal(
			lunar_to_day((struct lunar_date){ number, 11, 1, false }, &first), 0);
		/* 270° is in the middle of -180…180 so. */
		double begin = remainder(almanac_sun(first) - 270, 360);
		double end = remainder(almanac_sun(first + days) - 270, 360);
		if (begin > TOLERANCE_DEGREES || end < -TOLERANCE_DEGREES)
			fail_msg("%d: the Sun %.2f to %.2f from the solstice", number, begin, end);
	}
}

static void test_leap_month_has_no_principal_term(void **state)
{
	int leaps = 0;

	(void)state;
	for (int number = LUNAR_YEAR_MIN; number <= LUNAR_YEAR_MAX; number++) {
		struct lunar_year year = made(number);
		if (year.leap_month == 0)
			continue;
		const int32_t *leap = &year.first_day[year.leap_month];
		if (past_term(leap[0], leap[1]) > TOLERANCE_DEGREES)
			fail_msg("%d: a principal term in leap month %d", number, year.leap_month);
		leaps++;
	}
	/* Seven in nineteen years (Meton). */
	assert_in_range(leaps, YEARS * 7 / 19 - 1, YEARS * 7 / 19 + 1);
}

static void test_names(void **state)
{
	static const struct {
		struct date date;
		const char *name;
	} days[] = {
		{ { 2000, 1, 1 }, "Mậu Ngọ" },
		{ { 1970, 1, 1 }, "Tân Tỵ" },
		{ { 1900, 1, 1 }, "Giáp Tuất" },
		{ { 1945, 9, 2 }, "Giáp Tuất" },
		{ { 2026, 2, 17 }, "Nhâm Tuất" },
	};
	static const struct {
		int year;
		const char *name;
	} years[] = {
		{ 1900, "Canh Tý" },
		{ 1945, "Ất Dậu" },
		{ 1968, "Mậu Thân" },
		{ 1984, "Giáp Tý" },
		{ 2023, "Quý Mão" },
		{ 2026, "Bính Ngọ" },
		{ 2027, "Đinh Mùi" },
		{ 2029, "Kỷ Dậu" },
		{ 2031, "Tân Hợi" },
		{ 2033, "Quý Sửu" },
		{ 2034, "Giáp Dần" },
		{ 2199, "Kỷ Hợi" },
		{ 3, "Quý Hợi" },
	};
	char name[LUNAR_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		lunar_day_name(date_number(days[i].date), name);
		assert_string_equal(name, days[i].name);
	}
	for (size_t i = 0; i < sizeof years / sizeof years[0]; i++) {
		lunar_year_name(years[i].year, name);
		assert_string_equal(name, years[i].name);
	}
}

static void test_format(void **state)
{
	char text[LUNAR_TEXT_SIZE];

	(void)state;
	lunar_format((struct lunar_date){ 2026, 10, 15, false }, text);
	assert_string_equal(text, "15/10");
	lunar_format((struct lunar_date){ 2025, 6, 1, true }, text);
	assert_string_equal(text, "1/6 nhuận");
}

static void test_edges(void **state)
{
	struct lunar_date date = { 1, 2, 3, true };

	(void)state;
	assert_int_equal(lunar_first_day(), solar(1900, 1, 31));
	assert_int_equal(lunar_last_day(), solar(2200, 2, 14));
	const int32_t outside[] = { lunar_first_day() - 1, lunar_last_day() + 1, solar(1900, 1, 1),
		solar(2200, 12, 31), solar(1899, 6, 1), solar(2300, 6, 1), INT32_MIN, INT32_MAX };
	for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
		assert_int_equal(lunar_of_day(outside[i], &date), -ERANGE);
	struct lunar_year year = made(2026);
	assert_int_equal(lunar_year_of_day(&year, year.first_day[0] - 1, &date), -ERANGE);
	assert_int_equal(lunar_year_of_day(&year, year.first_day[12], &date), -ERANGE);
	/* Untouched by all of these. */
	assert_true(date.year == 1 && date.month == 2 && date.day == 3 && date.leap);
	assert_int_equal(lunar_of_day(lunar_last_day(), &date), 0);
	assert_true(date.year == LUNAR_YEAR_MAX && date.month == 12 && !date.leap);
}

static void test_no_such_date(void **state)
{
	static const struct {
		struct lunar_date date;
		int error;
	} refused[] = {
		{ { 1899, 12, 1, false }, -ERANGE },
		{ { 2200, 1, 1, false }, -ERANGE },
		{ { INT32_MIN, 1, 1, false }, -ERANGE },
		{ { INT32_MAX, 1, 1, false }, -ERANGE },
		{ { 2026, 0, 1, false }, -EINVAL },
		{ { 2026, 13, 1, false }, -EINVAL },
		{ { 2026, 0, 1, true }, -EINVAL }, /* 0 is how "no leap month" is said */
		{ { 2026, 6, 1, true }, -EINVAL },
		{ { 2025, 5, 1, true }, -EINVAL },
		{ { 2026, 1, 0, false }, -EINVAL },
		{ { 2026, 1, 31, false }, -EINVAL },
		{ { 2025, 12, 30, false }, -EINVAL }, /* it has 29 days */
		{ { 2025, 6, 30, true }, -EINVAL },
		{ { 2026, 1, -1, false }, -EINVAL },
	};
	int32_t day = 12345;

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (lunar_to_day(refused[i].date, &day) != refused[i].error)
			fail_msg("row %zu", i);
	struct lunar_year year = made(2026);
	assert_int_equal(
		lunar_year_to_day(&year, (struct lunar_date){ 2025, 1, 1, false }, &day), -EINVAL);
	assert_int_equal(day, 12345);
	assert_int_equal(lunar_year_make(1899, &year), -ERANGE);
	assert_int_equal(year.year, 2026);
	assert_int_equal(lunar_month_days(1899, 1, false), 0);
	assert_int_equal(lunar_month_days(2026, 6, true), 0);
	assert_int_equal(lunar_month_days(2026, 13, false), 0);
	assert_int_equal(lunar_leap_month(2026), 0);
	assert_int_equal(lunar_leap_month(2200), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_known_days),
		cmocka_unit_test(test_every_day_there_and_back),
		cmocka_unit_test(test_months_begin_with_the_new_moon),
		cmocka_unit_test(test_solstice_is_in_month_eleven),
		cmocka_unit_test(test_leap_month_has_no_principal_term),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_no_such_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
