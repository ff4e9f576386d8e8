/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Time zones as values: where the offsets of a zone change, from 1970 to 2200, read once from libc's
 * database (which has only one zone at a time, the process's TZ: asking for a new zone switches it
 * for a moment and back; so only the main thread may, and no other thread may use local time
 * meanwhile). What has been read is immutable and pure. Before 1970 the first offset holds, from 2200 on
 * the last one.
 */
#pragma once

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

struct zone;

/* All zones that were asked for, by name: read once each. */
struct zones;
struct zones *zones_new(void) _must_check_;
struct zones *zones_free(struct zones *zones);
DEFINE_CLEANUP(struct zones *, zones_free)
/* Borrowed, until zones_free(). NULL with *error (Vietnamese): there is no such zone. An IANA name
 * ("Asia/Ho_Chi_Minh", "UTC"), at most ZONE_NAME_MAX bytes; no POSIX rule, no path. A new one costs
 * up to some 15 ms. */
#define ZONE_NAME_MAX 64
#define ZONES_MAX     600 /* there are not more */
const struct zone *zones_get(
	struct zones *zones, const char *name, struct error *error) _must_check_;

/* Instants, real and local, are at least two days away from the ends of an int64_t. */

/* What the clocks on the wall show, as µs since 1970-01-01T00:00 of the wall. */
int64_t zone_local_us(const struct zone *zone, int64_t real_us);

/* The instants at which the clocks on the wall show `local_us`: one; two, where the clock was put
 * back; none, where it was put forward: then 0 is returned, and *ret_first_us is the instant of the
 * change. */
int zone_instants(
	const struct zone *zone, int64_t local_us, int64_t *ret_first_us, int64_t *ret_second_us);
/* The first change of the offset after `real_us`; TIME_NEVER. */
int64_t zone_change_after(const struct zone *zone, int64_t real_us);
