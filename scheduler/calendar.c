/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/calendar.h"

#include "base/clock.h"
#include "scheduler/date.h"
#include "scheduler/lunar.h"
#include <sys/param.h>

#define MINUTE_US       (60 * US_PER_SEC)
#define MINUTES_PER_DAY 1440

#define DAY_FIRST (-25567) /* 1900-01-01 */
#define DAY_END   84006    /* 2200-01-01 */
#define END_US    (DAY_END * MINUTES_PER_DAY * MINUTE_US)

/* Where more than this is skipped, nothing is caught up: cron(8). */
#define JUMP_MAX_US (180 * MINUTE_US)

#define NO_MINUTE INT64_MAX
#define NO_DAY    INT32_MAX

const char *const calendar_kind_names[] = {
	[CALENDAR_SOLAR] = "solar", [CALENDAR_LUNAR] = "lunar", [CALENDAR_LUNAR + 1] = NULL
};

/* A month of either calendar. */
struct month {
	int32_t first; /* its first day */
	int length;
	int year, number;
	bool leap;
	/* Of the lunar calendar, whose years are costly to make: */
	struct lunar_year lunar;
	int index; /* in that year */
};

static void set_solar_month(struct month *month, int year, int number, int32_t first)
{
	month->year = year;
	month->number = number;
	month->first = first;
	month->length = date_month_days(year, number);
	month->leap = false;
}

static void set_lunar_month(struct month *month, int index)
{
	const struct lunar_year *year = &month->lunar;

	month->index = index;
	month->first = year->first_day[index];
	month->length = year->first_day[index + 1] - month->first;
	month->leap = year->leap_month > 0 && index == year->leap_month;
	month->number = index + 1 - (year->leap_month > 0 && index >= year->leap_month);
}

static bool month_of_day(enum calendar_kind kind, int32_t day, struct month *ret_month)
{
	if (day < DAY_FIRST || day >= DAY_END)
		return false;
	struct date date = date_of_number(day);
	if (kind == CALENDAR_SOLAR) {
		set_solar_month(ret_month, date.year, date.month, day - date.day + 1);
		return true;
	}
	/* The lunar year begins later than the solar one. */
	struct lunar_year *year = &ret_month->lunar;
	bool begun = lunar_year_make(date.year, year) == 0 && day >= year->first_day[0];
	if (!begun && lunar_year_make(date.year - 1, year) < 0)
		return false;
	int index = 0;
	while (day >= year->first_day[index + 1])
		index++;
	set_lunar_month(ret_month, index);
	return true;
}

/* False: there is none any more. */
static bool next_month(enum calendar_kind kind, struct month *month)
{
	if (kind == CALENDAR_SOLAR) {
		bool over = month->number == 12;
		set_solar_month(month, month->year + over, over ? 1 : month->number + 1,
			month->first + month->length);
		return month->year <= DATE_YEAR_MAX;
	}
	if (month->index + 1 < month->lunar.months) {
		set_lunar_month(month, month->index + 1);
		return true;
	}
	if (lunar_year_make(month->lunar.year + 1, &month->lunar) < 0)
		return false;
	set_lunar_month(month, 0);
	return true;
}

static bool month_matches(const struct calendar *calendar, const struct month *month)
{
	if (month->leap && !calendar->leap_months)
		return false;
	return calendar->months >> month->number & 1;
}

/* The days of the month that match: bit 1…31. */
static uint32_t matching_days(const struct calendar *calendar, const struct month *month)
{
	uint32_t all = ((UINT32_C(1) << month->length) - 1) << 1;
	uint32_t by_number = calendar->month_days |
			     (calendar->last_day ? UINT32_C(1) << month->length : 0);
	/* Six weeks, one after the other, from the weekday on which the month begins. */
	uint64_t weeks = calendar->week_days * UINT64_C(0x810204081);
	uint32_t by_weekday = (uint32_t)(weeks >> date_weekday(month->first) << 1);

	if (!month_matches(calendar, month))
		return 0;
	return all & (calendar->either_day ? by_number | by_weekday : by_number & by_weekday);
}

bool calendar_day_matches(const struct calendar *calendar, int32_t day)
{
	struct month month;

	return month_of_day(calendar->kind, day, &month) &&
	       matching_days(calendar, &month) >> (day - month.first + 1) & 1;
}

/* The first matching day in [from, end). */
static int32_t next_day(const struct calendar *calendar, int32_t from, int32_t end)
{
	struct month month;

	if (from >= end || !month_of_day(calendar->kind, from, &month))
		return NO_DAY;
	uint32_t days = matching_days(calendar, &month) >> (from - month.first + 1)
								   << (from - month.first + 1);
	while (days == 0 && next_month(calendar->kind, &month) && month.first < end)
		days = matching_days(calendar, &month);
	if (days == 0)
		return NO_DAY;
	int32_t day = month.first + __builtin_ctz(days) - 1;
	return day < end ? day : NO_DAY;
}

/* The first matching minute of a day at or after `from`; -1: none. */
static int next_time(const struct calendar *calendar, int from)
{
	int hour = from / 60;
	uint64_t minutes = calendar->minutes >> from % 60 << from % 60;

	if (calendar->hours >> hour & 1 && minutes)
		return hour * 60 + __builtin_ctzll(minutes);
	uint32_t hours = calendar->hours >> (hour + 1) << (hour + 1);
	if (hours == 0)
		return -1;
	return __builtin_ctz(hours) * 60 + __builtin_ctzll(calendar->minutes);
}

/* The first matching minute of the wall (since 1970) in [from, end). */
static int64_t next_minute(const struct calendar *calendar, int64_t from, int64_t end)
{
	int32_t end_day = (int32_t)MIN((end + MINUTES_PER_DAY - 1) / MINUTES_PER_DAY, DAY_END);
	int32_t day = (int32_t)(from / MINUTES_PER_DAY);
	int time = (int)(from % MINUTES_PER_DAY);

	if (time < 0) {
		time += MINUTES_PER_DAY;
		day--;
	}
	for (int32_t on = next_day(calendar, day, end_day); on != NO_DAY;
		on = next_day(calendar, on + 1, end_day)) {
		int at = next_time(calendar, on == day ? time : 0);
		if (at < 0)
			continue;
		int64_t minute = (int64_t)on * MINUTES_PER_DAY + at;
		return minute < end ? minute : NO_MINUTE;
	}
	return NO_MINUTE;
}

static int64_t floor_minute(int64_t us)
{
	return us / MINUTE_US - (us % MINUTE_US < 0);
}

static int64_t ceil_minute(int64_t us)
{
	return floor_minute(us + MINUTE_US - 1);
}

/* What happens once has happened when the wall shows it for the second time: until what the wall shows
 * then. TIME_UNSET: it is the first time, or the rule goes by the wall. */
static int64_t over_until_us(
	const struct calendar *calendar, const struct zone *zone, int64_t real_us)
{
	int64_t first_us, second_us;

	if (calendar->by_the_wall ||
		zone_instants(zone, zone_local_us(zone, real_us), &first_us, &second_us) < 2 ||
		real_us != second_us)
		return TIME_UNSET;
	return zone_local_us(zone, zone_change_after(zone, first_us) - 1) + 1;
}

/* The first occurrence after `after_us` and before `end_us`, between which the clock is not changed. */
static int64_t next_between(
	const struct calendar *calendar, const struct zone *zone, int64_t after_us, int64_t end_us)
{
	int64_t offset_us = zone_local_us(zone, after_us) - after_us;
	int64_t end = ceil_minute(end_us + offset_us);

	for (int64_t from = floor_minute(after_us + offset_us) + 1;;) {
		int64_t minute = next_minute(calendar, from, end);
		if (minute == NO_MINUTE)
			return TIME_NEVER;
		int64_t next_us = minute * MINUTE_US - offset_us;
		int64_t until_us = over_until_us(calendar, zone, next_us);
		if (until_us == TIME_UNSET)
			return next_us;
		from = ceil_minute(until_us);
	}
}

/* Whether there is an occurrence at the instant of a change of the clock: its own minute's, or what the
 * change has skipped. */
static bool occurs_at_change(
	const struct calendar *calendar, const struct zone *zone, int64_t change_us)
{
	int64_t wall_us = zone_local_us(zone, change_us);
	int64_t from_us = zone_local_us(zone, change_us - 1) + 1;

	if (calendar->by_the_wall || from_us > wall_us || wall_us - from_us > JUMP_MAX_US)
		from_us = wall_us;
	int64_t end = floor_minute(wall_us) + 1;
	return next_minute(calendar, ceil_minute(from_us), end) != NO_MINUTE &&
	       over_until_us(calendar, zone, change_us) == TIME_UNSET;
}

int64_t calendar_next(const struct calendar *calendar, const struct zone *zone, int64_t after_us)
{
	after_us = MAX(after_us, -1);
	while (after_us < END_US) {
		int64_t change_us = zone_change_after(zone, after_us);
		int64_t next_us = next_between(calendar, zone, after_us, MIN(change_us, END_US));
		if (next_us != TIME_NEVER || change_us >= END_US)
			return next_us;
		if (occurs_at_change(calendar, zone, change_us))
			return change_us;
		after_us = change_us;
	}
	return TIME_NEVER;
}
