/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/hours.h"
#include "base/clock.h"

#include <errno.h>
#include <time.h>

#define MINUTE_US INT64_C(60000000)

/* What a window does, it does within two days; the third and the fourth are for a zone that leaves
 * out a whole day, as Samoa did. */
#define SEARCH_US (4 * MINUTES_PER_DAY * MINUTE_US)

/* Later than this is TIME_NEVER, or nearly. */
#define LATEST_US (TIME_NEVER - 2 * SEARCH_US)

/* What the clock on the wall shows. */
struct wall {
	int64_t minute_us; /* the instant at which this minute began */
	int minute;        /* 0…1439 */
	int date;          /* differs from one day to the next */
	long offset_s;     /* east of UTC */
};

static struct wall wall_at(int64_t real_us)
{
	time_t seconds = (time_t)(real_us / US_PER_SEC);
	struct tm local = { 0 };

	if (real_us % US_PER_SEC < 0)
		seconds--;
	localtime_r(&seconds, &local);
	return (struct wall){
		.minute_us = (seconds - local.tm_sec) * US_PER_SEC,
		.minute = local.tm_hour * 60 + local.tm_min,
		.date = local.tm_year * 400 + local.tm_yday,
		.offset_s = local.tm_gmtoff,
	};
}

/* The instant at which the offset ceases to be that of `from_us`; it is another one at `to_us`. */
static int64_t clock_change_us(int64_t from_us, int64_t to_us)
{
	long offset_s = wall_at(from_us).offset_s;

	/* Clocks are changed on a full second. */
	int64_t before_s = from_us / US_PER_SEC - (from_us % US_PER_SEC < 0);
	int64_t after_s = to_us / US_PER_SEC + (to_us % US_PER_SEC > 0);
	while (after_s - before_s > 1) {
		int64_t middle_s = before_s + (after_s - before_s) / 2;
		if (wall_at(middle_s * US_PER_SEC).offset_s == offset_s)
			before_s = middle_s;
		else
			after_s = middle_s;
	}
	return after_s * US_PER_SEC;
}

static bool holds(const struct hours *hours, int minute)
{
	if (hours->from_minute < hours->to_minute)
		return minute >= hours->from_minute && minute < hours->to_minute;
	return minute >= hours->from_minute || minute < hours->to_minute;
}

bool hours_overlap(const struct hours *one, const struct hours *other)
{
	/* The one that begins within the other, or at the same time. */
	return holds(one, other->from_minute) || holds(other, one->from_minute);
}

/* Which of the windows hold `real_us`, one bit each. */
static unsigned holding(const struct hours_list *hours, int64_t real_us)
{
	int minute = wall_at(real_us).minute;
	unsigned bits = 0;

	for (size_t i = 0; i < hours->count; i++)
		bits |= (unsigned)holds(&hours->list[i], minute) << i;
	return bits;
}

/* 1…1440. */
static int minutes_until(int minute, int edge)
{
	return (edge - minute + MINUTES_PER_DAY - 1) % MINUTES_PER_DAY + 1;
}

/* The next instant after `real_us` at which the wall shows an edge of a window, or is changed.
 * Between two of them nothing begins or ends. */
static int64_t next_edge_us(const struct hours_list *hours, int64_t real_us)
{
	struct wall wall = wall_at(real_us);
	int least = MINUTES_PER_DAY;

	for (size_t i = 0; i < hours->count; i++) {
		int from = minutes_until(wall.minute, hours->list[i].from_minute);
		int to = minutes_until(wall.minute, hours->list[i].to_minute);
		least = from < least ? from : least;
		least = to < least ? to : least;
	}
	int64_t edge_us = wall.minute_us + least * MINUTE_US;
	return wall_at(edge_us).offset_s == wall.offset_s ? edge_us
							  : clock_change_us(real_us, edge_us);
}

/* The first instant at or after `real_us` that is inside, or outside, of the windows. */
static int64_t find_us(const struct hours_list *hours, int64_t real_us, bool inside)
{
	if (real_us > LATEST_US)
		return TIME_NEVER;
	for (int64_t at_us = real_us; at_us <= real_us + SEARCH_US;
		at_us = next_edge_us(hours, at_us)) {
		if (hours_contain(hours, at_us) == inside)
			return at_us;
	}
	return TIME_NEVER;
}

bool hours_contain(const struct hours_list *hours, int64_t real_us)
{
	return holding(hours, real_us) != 0;
}

int64_t hours_end_us(const struct hours_list *hours, int64_t real_us)
{
	return find_us(hours, real_us, false);
}

int64_t hours_begin_us(const struct hours_list *hours, int64_t real_us)
{
	return hours->count == 0 ? TIME_NEVER : find_us(hours, real_us, true);
}

double hours_gain_db(const struct hours_gains *gains, double otherwise_db, int64_t real_us)
{
	int minute = wall_at(real_us).minute;

	for (size_t i = 0; i < gains->count; i++) {
		if (holds(&gains->list[i].hours, minute))
			return gains->list[i].gain_db;
	}
	return otherwise_db;
}

int64_t hours_gain_change_us(const struct hours_gains *gains, int64_t real_us)
{
	struct hours_list hours = { .count = gains->count };

	if (gains->count == 0 || real_us > LATEST_US)
		return TIME_NEVER;
	for (size_t i = 0; i < gains->count; i++)
		hours.list[i] = gains->list[i].hours;
	unsigned now = holding(&hours, real_us);
	for (int64_t at_us = next_edge_us(&hours, real_us); at_us <= real_us + SEARCH_US;
		at_us = next_edge_us(&hours, at_us)) {
		if (holding(&hours, at_us) != now)
			return at_us;
	}
	return TIME_NEVER;
}

int64_t hours_next_day_us(int64_t real_us)
{
	static const struct hours_list day = { .list = { { 0, MINUTES_PER_DAY } }, .count = 1 };

	if (real_us > LATEST_US)
		return TIME_NEVER;
	int date = wall_at(real_us).date;
	int64_t at_us = next_edge_us(&day, real_us);
	/* In the night in which the clock goes back from midnight, the day goes on. */
	while (wall_at(at_us).date == date)
		at_us = next_edge_us(&day, at_us);
	return at_us;
}

int64_t hours_day_begin_us(int64_t real_us)
{
	if (real_us > LATEST_US)
		return TIME_NEVER;
	/* Forward from two days ago, by the same steps, so that the two always agree. */
	int64_t begin_us = hours_next_day_us(real_us - 2 * MINUTES_PER_DAY * MINUTE_US);

	for (int64_t next_us = begin_us; next_us <= real_us; next_us = hours_next_day_us(next_us))
		begin_us = next_us;
	return begin_us;
}

/* "HH:MM" at *cursor, 00:00…24:00, as a minute of the day; false: something else. */
static bool read_minute(const char **cursor, int *ret_minute)
{
	const char *at = *cursor;

	for (int i = 0; i < 5; i++) {
		if (i == 2 ? at[i] != ':' : at[i] < '0' || at[i] > '9')
			return false;
	}
	int hour = (at[0] - '0') * 10 + at[1] - '0';
	int minute = (at[3] - '0') * 10 + at[4] - '0';
	if (minute > 59 || hour * 60 + minute > MINUTES_PER_DAY)
		return false;
	*ret_minute = hour * 60 + minute;
	*cursor = at + 5;
	return true;
}

int hours_parse(const char *text, struct hours *ret_hours, struct error *error)
{
	const char *cursor = text;
	int from, to;

	if (!read_minute(&cursor, &from) || *cursor++ != '-' || !read_minute(&cursor, &to) ||
		*cursor != '\0' || from == MINUTES_PER_DAY)
		return error_set(error, -EINVAL,
			"khung giờ \"%.40s\" không đúng dạng; ví dụ đúng: \"21:00-05:00\", "
			"\"11:30-13:30\", \"22:00-24:00\"",
			text);
	if (from == to)
		return error_set(error, -EINVAL,
			"khung giờ \"%s\" bắt đầu và kết thúc cùng một lúc; cả ngày là "
			"\"00:00-24:00\"",
			text);
	*ret_hours = (struct hours){ from, to == 0 ? MINUTES_PER_DAY : to };
	return 0;
}
