/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Vietnamese lunar calendar (âm lịch): solar ↔ lunar dates for the years 1900–2199, computed from
 * astronomy. A month begins on the day (of UTC+7) in which the Sun and the Moon have the same
 * longitude; the winter solstice lies in month 11; between two months 11 there are twelve or
 * thirteen; of thirteen the first one without a principal term (trung khí) is the leap month. For
 * all years the day is that of UTC+7, also for those in which North Vietnam (before 1968) or all of
 * Vietnam kept another time.
 *
 * Days are numbers of scheduler/date.h. Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Lunar years that can be asked for, named by the solar year in which their first day (Tết) lies. */
#define LUNAR_YEAR_MIN 1900
#define LUNAR_YEAR_MAX 2199

#define LUNAR_YEAR_MONTHS_MAX 13

struct lunar_date {
	int year;
	int month; /* 1…12 */
	int day;   /* 1…30 */
	bool leap; /* it is the leap month that follows the ordinary one of that number */
};

/* The days that have a lunar date here: from the first day of LUNAR_YEAR_MIN to the last one of
 * LUNAR_YEAR_MAX. */
int32_t lunar_first_day(void);
int32_t lunar_last_day(void);

/* -ERANGE: outside [lunar_first_day(), lunar_last_day()]. */
int lunar_of_day(int32_t day, struct lunar_date *ret_date);
/* -ERANGE: the year; -EINVAL: there is no such month in that year, or no such day in that month. */
int lunar_to_day(struct lunar_date date, int32_t *ret_day);

/* Days of the month (29 or 30); 0: there is no such month. */
int lunar_month_days(int year, int month, bool leap);
/* The number of the month that is there twice in that year; 0: none is (or no such year). */
int lunar_leap_month(int year);

/*
 * One lunar year, for who asks of many days: making it is what costs (some microseconds), and each
 * function above does so anew. A value: copy and forget it as you like.
 */
struct lunar_year {
	int year;
	int leap_month;                               /* see lunar_leap_month() */
	int months;                                   /* 12 or 13 */
	int32_t first_day[LUNAR_YEAR_MONTHS_MAX + 1]; /* of each month, and of the next year */
};

/* -ERANGE: the year. */
int lunar_year_make(int year, struct lunar_year *ret_year);
/* -ERANGE: the day is not of that year. */
int lunar_year_of_day(const struct lunar_year *year, int32_t day, struct lunar_date *ret_date);
/* As lunar_to_day(); -EINVAL too for a date of another year. */
int lunar_year_to_day(const struct lunar_year *year, struct lunar_date date, int32_t *ret_day);

/* "Bính Ngọ". The can-chi of a lunar year, and of a day. */
#define LUNAR_NAME_SIZE 24
void lunar_year_name(int year, char ret_name[LUNAR_NAME_SIZE]);
void lunar_day_name(int32_t day, char ret_name[LUNAR_NAME_SIZE]);

/* "15/10", of a leap month "15/6 nhuận". */
#define LUNAR_TEXT_SIZE 40
void lunar_format(struct lunar_date date, char ret_text[LUNAR_TEXT_SIZE]);
