/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clocks and instants. An instant is microseconds since 1970-01-01T00:00:00Z (CLOCK_REALTIME),
 * a monotonic instant is microseconds of CLOCK_MONOTONIC; the names say which (_real_us,
 * _mono_us). Only the calendar uses the real clock. Rules of time take `now` as an argument and
 * never call these; the edges do.
 */
#pragma once

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

#define US_PER_MS  INT64_C(1000)
#define US_PER_SEC INT64_C(1000000)

#define TIME_NEVER INT64_MAX /* an instant that never comes */
#define TIME_UNSET INT64_MIN /* no instant given */

int64_t clock_real_us(void);
int64_t clock_mono_us(void);
/* How far the real clock is ahead of the monotonic one. They cannot be read at once: a thread that had
 * to wait between two readings reads again. Of two nodes that begin together it is half of what they
 * may differ by. */
int64_t clock_real_ahead_us(void);

/* The kernel says that something (NTP, a GPS) keeps its real clock right: adjtimex(2). */
bool clock_synchronised(void);

#define TIME_TEXT_SIZE 40 /* bytes, enough for any time_format() with its NUL */

/* RFC 3339 in the process's time zone (TZ), with offset and milliseconds:
 * "2026-11-21T16:40:00.125+07:00". */
void time_format(int64_t real_us, char ret_text[TIME_TEXT_SIZE]);

/* Reads RFC 3339; the offset (or Z) is required, the fraction optional; years 1970…2199.
 * -EINVAL with a Vietnamese explanation in *error. */
int time_parse(const char *text, int64_t *ret_real_us, struct error *error) _must_check_;
