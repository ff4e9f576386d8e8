/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When something recurs: the five fields of crontab(5), on the solar or the lunar calendar. A value;
 * pure.
 *
 * Each field: `*`, numbers, ranges `a-b` (a at most b), lists of these by commas; behind a `*` or a range
 * a slash and a step (at least 1). Months (not lunar ones) and days of the week also by their first
 * three letters, in any case; 7 is Sunday, too. Fields are separated by blanks. Or one of @hourly @daily
 * @midnight @weekly @monthly @yearly @annually. When neither the day of the month nor the day of the
 * week contains a `*`, a day matches if either does; else both must.
 *
 * On the lunar calendar day and month are those of âm lịch (scheduler/lunar.h), the day of the week
 * is what it is. A numbered month is the ordinary one, `*` includes leap months. `L`, alone or in a
 * list of days of the month, is the last day of the lunar month.
 *
 * Where clocks are put forward or back, as cron(8) of Debian: rules with a `*` in minute or hour
 * go by what the clock on the wall shows, minute by minute (also @hourly); all others happen once: what
 * lies in an hour that is skipped, at the instant of the change; what lies in one that comes twice,
 * the first time. Where more than three hours are skipped (a zone that crosses the date line), what lies in
 * them does not happen.
 */
#pragma once

#include "base/error.h"
#include "scheduler/zone.h"
#include <stdbool.h>
#include <stdint.h>

#define CALENDAR_TEXT_MAX 200 /* bytes of a rule */

enum calendar_kind { CALENDAR_SOLAR, CALENDAR_LUNAR };
extern const char *const calendar_kind_names[]; /* by enum calendar_kind, then NULL */

struct calendar {
	enum calendar_kind kind;
	uint64_t minutes; /* bit n: minute n */
	uint32_t hours;
	uint32_t month_days; /* bit 1…31 */
	uint16_t months;     /* bit 1…12 */
	uint8_t week_days;   /* bit 0 (Sunday)…6 */
	bool last_day;       /* lunar: L */
	bool leap_months;    /* lunar: the field is `*`, without a step */
	bool either_day;     /* neither day field contains `*` */
	bool by_the_wall;    /* minute or hour contains `*` */
};

/* -EINVAL with *error, which names the field and the reason, in Vietnamese and English, also for a rule
 * that can never happen (`0 0 31 6 *`). */
int calendar_parse(const char *text, enum calendar_kind kind, struct calendar *ret_calendar,
	struct error *error) _must_check_;

/* Whether the rule's day fields match that day (scheduler/date.h). None does that is outside the years
 * DATE_YEAR_MIN…DATE_YEAR_MAX or has no lunar date. */
bool calendar_day_matches(const struct calendar *calendar, int32_t day);

/* The first occurrence after `after_us` (real, exclusive; the result is a whole minute, or the instant
 * of a change of the clock), from 1970 on; TIME_NEVER: none before 2200. */
int64_t calendar_next(const struct calendar *calendar, const struct zone *zone, int64_t after_us);
