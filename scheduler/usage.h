/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much an output has sounded today, against its limits: minutes of a day, and sessions. A
 * session is a run of sound without a pause of USAGE_SESSION_PAUSE_US. A day is a local one.
 * Values; pure but for the time zone (scheduler/hours.h).
 *
 * One day is counted, that of the latest sound. When somebody sets the clock to another day, back
 * or forth, counting begins anew there.
 */
#pragma once

#include "scheduler/hours.h"

#define USAGE_SESSION_PAUSE_US (INT64_C(300) * 1000000)

struct usage_limits {     /* 0: none */
	int item_minutes; /* of one announcement */
	int day_minutes;  /* of sound in a day */
	int sessions_per_day;
};

struct usage {
	int64_t day_us;     /* the midnight of the day that is counted; TIME_UNSET: nothing yet */
	int64_t day_end_us; /* the next midnight */
	int64_t sounded_us; /* on that day */
	int sessions;       /* begun (or gone on) on that day */
	int64_t until_us;   /* real; when the last sound ended; TIME_UNSET: never */
};

void usage_init(struct usage *usage);
/* There was sound from `from_us` to `to_us` (real; equal: it has just begun). What was counted
 * already (two programmes at once, a report in the middle of one) is not counted again; so reports
 * should come in the order of their ends. Of sound over midnight the new day gets its part. */
void usage_add(struct usage *usage, int64_t from_us, int64_t to_us);

/* The first instant at or after `begin_us` at which `seconds` of sound (0: not known) may begin
 * without passing a limit of the day: `begin_us` itself or a midnight; TIME_NEVER: longer than any
 * day allows. (item_minutes is the queue's business.) Arithmetic only: cheap. */
int64_t usage_allows_us(const struct usage *usage, const struct usage_limits *limits,
	int64_t begin_us, double seconds);

/* One line of text for the store, and back (-EINVAL: not ours). A midnight that is none, because
 * the time zone is another one now, becomes the midnight before it. */
#define USAGE_TEXT_SIZE 96
void usage_format(const struct usage *usage, char ret_text[USAGE_TEXT_SIZE]);
int usage_parse(const char *text, struct usage *ret_usage) _must_check_;
