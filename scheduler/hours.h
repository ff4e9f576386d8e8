/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hours of the day, as the configuration writes them ("21:00-05:00"): quiet hours, and hours with a
 * gain of their own. Local time is that of the process's time zone (TZ), by libc; an hour that
 * daylight saving skips or repeats counts as the clock on the wall shows it. Pure but for that.
 */
#pragma once

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOURS_MAX       8 /* windows of one list */
#define MINUTES_PER_DAY 1440

struct hours {           /* a window of the day; it may wrap midnight */
	int from_minute; /* 0…1439; belongs to the window */
	int to_minute;   /* 1…1440; does not belong to it. Never equal to from_minute. */
};

/* "HH:MM-HH:MM", with 24:00 (or 00:00) as an end; the whole day is "00:00-24:00". -EINVAL with *error
 * (Vietnamese), equal ends included. */
int hours_parse(const char *text, struct hours *ret_hours, struct error *error) _must_check_;

/* Whether there is a minute that belongs to both. */
bool hours_overlap(const struct hours *one, const struct hours *other);

struct hours_list {
	struct hours list[HOURS_MAX];
	size_t count;
};

bool hours_contain(const struct hours_list *hours, int64_t real_us);
/* The first instant at or after `real_us` that lies in none of them; TIME_NEVER when they cover the
 * whole day. */
int64_t hours_end_us(const struct hours_list *hours, int64_t real_us);
/* The first instant at or after `real_us` that lies in one of them; TIME_NEVER: there are none. */
int64_t hours_begin_us(const struct hours_list *hours, int64_t real_us);

struct hours_gain {
	struct hours hours;
	double gain_db;
};

struct hours_gains {
	struct hours_gain list[HOURS_MAX];
	size_t count;
};

/* The gain at `real_us`: of the first window that holds it, else `otherwise_db`. */
double hours_gain_db(const struct hours_gains *gains, double otherwise_db, int64_t real_us);
/* The first instant after `real_us` at which one of them begins or ends; TIME_NEVER. */
int64_t hours_gain_change_us(const struct hours_gains *gains, int64_t real_us);

/* The midnight (local) at which the day of `real_us` began, and the next one after it. (Where the
 * clock is put forward at midnight: the first instant of the day that there is.) */
int64_t hours_day_begin_us(int64_t real_us);
int64_t hours_next_day_us(int64_t real_us);
