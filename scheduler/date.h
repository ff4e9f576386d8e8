/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A day of the proleptic Gregorian calendar, as a number: days since 1970-01-01. No time zone, no
 * clock. Pure.
 */
#pragma once

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

#define DATE_YEAR_MIN 1900 /* what dates from outside may name */
#define DATE_YEAR_MAX 2199

#define DATE_TEXT_SIZE 40 /* of any three ints: the compiler cannot know better */

struct date {
	int year;
	int month; /* 1…12 */
	int day;   /* 1…31 */
};

/* `date` need not exist: the 31st of June is the 1st of July. */
int32_t date_number(struct date date);
struct date date_of_number(int32_t number);
int date_month_days(int year, int month); /* 28…31 */
int date_weekday(int32_t number);         /* 0 is Sunday … 6 */

/* "2026-11-22", years DATE_YEAR_MIN…DATE_YEAR_MAX, a day that exists. -EINVAL with *error. */
int date_parse(const char *text, int32_t *ret_number, struct error *error) _must_check_;
void date_format(int32_t number, char ret_text[DATE_TEXT_SIZE]);
