/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/lunar.h"
#include "scheduler/date.h"
#include "scheduler/ephemeris.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#define DAY_SECONDS      86400.0
#define UNIX_EPOCH_JD    2440587.5    /* 1970-01-01 00:00 */
#define VIETNAM_DAYS     (7.0 / 24.0) /* ahead of UTC */
#define SECTOR_DEGREES   30           /* between two principal terms */
#define WINTER_SOLSTICE  9            /* the sector that begins with it, at 270° */
#define COMMON_LUNATIONS 12

#define CAN_COUNT 10
#define CHI_COUNT 12

/* Days since 1970-01-01 00:00 in Vietnam, of an instant, and back. */
static double local_days(double jde)
{
	double year = 2000 + (jde - 2451544.5) / 365.2425;

	return jde - ephemeris_delta_t_s(year) / DAY_SECONDS - UNIX_EPOCH_JD + VIETNAM_DAYS;
}

static double jde_of_midnight(int32_t day)
{
	double year = 1970 + day / 365.2425;

	return day - VIETNAM_DAYS + UNIX_EPOCH_JD + ephemeris_delta_t_s(year) / DAY_SECONDS;
}

/* The day in which the new moon lies: the first one of the month. */
static int32_t new_moon_day(int lunation)
{
	double days = local_days(ephemeris_new_moon_about(lunation));

	if (fabs(days - round(days)) < EPHEMERIS_NEW_MOON_ABOUT_DAYS)
		days = local_days(ephemeris_new_moon(lunation));
	return (int32_t)floor(days);
}

/* Where the Sun is as the day begins: 0 is from the spring equinox to the next principal term. */
static int sun_sector(int32_t day)
{
	double jde = jde_of_midnight(day);
	double longitude = ephemeris_sun_about(jde);

	if (fabs(remainder(longitude, SECTOR_DEGREES)) < EPHEMERIS_SUN_ABOUT_DEGREES)
		longitude = ephemeris_sun(jde);
	return (int)(longitude / SECTOR_DEGREES);
}

/* The lunation of the month in which that solar year's winter solstice lies: month 11. */
static int solstice_lunation(int year)
{
	/* The solstice is on 23 December at the latest, and the mean new moon a day off at most. */
	int32_t after = date_number((struct date){ year, 12, 25 });
	int lunation = ephemeris_lunation(jde_of_midnight(after));

	while (sun_sector(new_moon_day(lunation)) >= WINTER_SOLSTICE)
		lunation--;
	return lunation;
}

/* Between two months 11: the lunation of the leap month; `until` if there is none. */
static int leap_lunation(int from, int until)
{
	if (until - from == COMMON_LUNATIONS)
		return until;
	int lunation = from + 1;
	int sector = sun_sector(new_moon_day(lunation));
	while (lunation < until - 1) {
		int next = sun_sector(new_moon_day(lunation + 1));
		if (next == sector)
			break;
		sector = next;
		lunation++;
	}
	return lunation;
}

/* Of the month 1 that follows the month 11 `eleventh`. */
static int first_lunation(int eleventh, int leap)
{
	return eleventh + 2 + (leap <= eleventh + 2);
}

int lunar_year_make(int year, struct lunar_year *ret_year)
{
	if (year < LUNAR_YEAR_MIN || year > LUNAR_YEAR_MAX)
		return -ERANGE;
	int before = solstice_lunation(year - 1), eleventh = solstice_lunation(year);
	int after = solstice_lunation(year + 1);
	int leap = leap_lunation(before, eleventh), last_leap = leap_lunation(eleventh, after);
	int first = first_lunation(before, leap);
	int next = first_lunation(eleventh, last_leap);
	struct lunar_year made = { .year = year, .months = next - first };

	/* The leap month bears the number of the one before it: counted from 0, its own place. */
	if (leap > first && leap < eleventh)
		made.leap_month = leap - first;
	else if (last_leap < next)
		made.leap_month = last_leap - first;
	for (int i = 0; i <= made.months; i++)
		made.first_day[i] = new_moon_day(first + i);
	*ret_year = made;
	return 0;
}

/* The place of the month in its year; -1: it has none such. */
static int month_index(const struct lunar_year *year, int month, bool leap)
{
	if (month < 1 || month > 12 || (leap && month != year->leap_month))
		return -1;
	return month - 1 + (leap || (year->leap_month > 0 && month > year->leap_month));
}

static int index_days(const struct lunar_year *year, int i)
{
	return year->first_day[i + 1] - year->first_day[i];
}

int lunar_year_of_day(const struct lunar_year *year, int32_t day, struct lunar_date *ret_date)
{
	if (day < year->first_day[0] || day >= year->first_day[year->months])
		return -ERANGE;
	int i = 0;
	while (day >= year->first_day[i + 1])
		i++;
	bool after = year->leap_month > 0 && i >= year->leap_month;
	*ret_date = (struct lunar_date){
		.year = year->year,
		.month = i + 1 - after,
		.day = day - year->first_day[i] + 1,
		.leap = year->leap_month > 0 && i == year->leap_month,
	};
	return 0;
}

int lunar_year_to_day(const struct lunar_year *year, struct lunar_date date, int32_t *ret_day)
{
	int i = month_index(year, date.month, date.leap);

	if (date.year != year->year || i < 0 || date.day < 1 || date.day > index_days(year, i))
		return -EINVAL;
	*ret_day = year->first_day[i] + date.day - 1;
	return 0;
}

int32_t lunar_first_day(void)
{
	struct lunar_year year;

	return lunar_year_make(LUNAR_YEAR_MIN, &year) < 0 ? 0 : year.first_day[0];
}

int32_t lunar_last_day(void)
{
	struct lunar_year year;

	return lunar_year_make(LUNAR_YEAR_MAX, &year) < 0 ? 0 : year.first_day[year.months] - 1;
}

int lunar_of_day(int32_t day, struct lunar_date *ret_date)
{
	int solar_year = date_of_number(day).year;
	struct lunar_year year;

	/* Until Tết (21 January at the earliest) a day is of the lunar year before. */
	if (lunar_year_make(solar_year, &year) == 0 && day >= year.first_day[0])
		return lunar_year_of_day(&year, day, ret_date);
	if (lunar_year_make(solar_year - 1, &year) < 0)
		return -ERANGE;
	return lunar_year_of_day(&year, day, ret_date);
}

int lunar_to_day(struct lunar_date date, int32_t *ret_day)
{
	struct lunar_year year;
	int r = lunar_year_make(date.year, &year);

	return r < 0 ? r : lunar_year_to_day(&year, date, ret_day);
}

int lunar_month_days(int year, int month, bool leap)
{
	struct lunar_year made;

	if (lunar_year_make(year, &made) < 0)
		return 0;
	int i = month_index(&made, month, leap);
	return i < 0 ? 0 : index_days(&made, i);
}

int lunar_leap_month(int year)
{
	struct lunar_year made;

	return lunar_year_make(year, &made) < 0 ? 0 : made.leap_month;
}

static int modulo(int number, int divisor)
{
	int rest = number % divisor;

	return rest < 0 ? rest + divisor : rest;
}

/* `number` counts from a Giáp Tý. */
static void can_chi(int number, char ret_name[LUNAR_NAME_SIZE])
{
	static const char *const can[CAN_COUNT] = { "Giáp", "Ất", "Bính", "Đinh", "Mậu", "Kỷ",
		"Canh", "Tân", "Nhâm", "Quý" };
	static const char *const chi[CHI_COUNT] = { "Tý", "Sửu", "Dần", "Mão", "Thìn", "Tỵ", "Ngọ",
		"Mùi", "Thân", "Dậu", "Tuất", "Hợi" };

	snprintf(ret_name, LUNAR_NAME_SIZE, "%s %s", can[modulo(number, CAN_COUNT)],
		chi[modulo(number, CHI_COUNT)]);
}

void lunar_year_name(int year, char ret_name[LUNAR_NAME_SIZE])
{
	can_chi(year - 4, ret_name); /* 1984 was Giáp Tý */
}

void lunar_day_name(int32_t day, char ret_name[LUNAR_NAME_SIZE])
{
	can_chi(day + 17, ret_name); /* 1970-01-01 was Tân Tỵ, the eighteenth */
}

void lunar_format(struct lunar_date date, char ret_text[LUNAR_TEXT_SIZE])
{
	snprintf(ret_text, LUNAR_TEXT_SIZE, "%d/%d%s", date.day, date.month,
		date.leap ? " nhuận" : "");
}
