/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/zone.h"

#include "base/clock.h"
#include "base/strbuf.h"
#include "base/zoneinfo.h"
#include <errno.h>
#include <string.h>
#include <time.h>

#define DAY_S ((time_t)86400)
#define END_S (84006 * DAY_S) /* 2200-01-01 */
/* Two changes within a step can be missed. The closest ones of the database since 1970 are almost seven
 * days apart (America/Recife in October of 2000, Asia/Gaza in the Octobers that are predicted). */
#define STEP_S (5 * DAY_S)
/* No clock is further from UTC. */
#define OFFSET_MAX_US (26 * 3600 * US_PER_SEC)

/* From `start_us` until the next span, the wall is ahead of UTC by `offset_us`. */
struct span {
	int64_t start_us;
	int64_t offset_us;
};

struct zone {
	char name[ZONE_NAME_MAX + 1];
	size_t count; /* >= 1; the first one begins with time itself */
	struct span *spans;
};

struct zones {
	size_t count;
	struct zone *zones[ZONES_MAX];
};

_Static_assert(ZONE_NAME_MAX == ZONEINFO_NAME_MAX, "a name that is there can be kept");

static struct zone *zone_free(struct zone *zone)
{
	if (zone)
		free(zone->spans);
	free(zone);
	return NULL;
}

struct zones *zones_new(void)
{
	return xcalloc(1, sizeof(struct zones));
}

struct zones *zones_free(struct zones *zones)
{
	for (size_t i = 0; zones && i < zones->count; i++)
		zone_free(zones->zones[i]);
	free(zones);
	return NULL;
}

/* Of the process's zone. */
static long offset_at(time_t seconds)
{
	struct tm local = { 0 };

	localtime_r(&seconds, &local);
	return local.tm_gmtoff;
}

/* The first second at which the offset is not that of `from`; it is not at `to`. */
static time_t change_between(time_t from, time_t to)
{
	long offset = offset_at(from);

	while (to - from > 1) {
		time_t middle = from + (to - from) / 2;
		if (offset_at(middle) == offset)
			from = middle;
		else
			to = middle;
	}
	return to;
}

static void add_span(struct zone *zone, int64_t start_us, long offset_s)
{
	zone->spans = xreallocarray(zone->spans, zone->count + 1, sizeof *zone->spans);
	zone->spans[zone->count++] = (struct span){ start_us, offset_s * US_PER_SEC };
}

/* The process's zone. */
static void read_spans(struct zone *zone)
{
	long offset = offset_at(0);

	add_span(zone, INT64_MIN, offset);
	for (time_t at = 0; at < END_S; at += STEP_S) {
		time_t next = at + STEP_S < END_S ? at + STEP_S : END_S;
		/* There may be more than one, each with an offset of its own. */
		for (time_t from = at; offset_at(next) != offset;) {
			from = change_between(from, next);
			offset = offset_at(from);
			add_span(zone, from * US_PER_SEC, offset);
		}
	}
}

static void set_process_zone(const char *name)
{
	if (name)
		setenv("TZ", name, 1);
	else
		unsetenv("TZ");
	tzset();
}

static struct zone *zone_read(const char *name)
{
	struct zone *zone = xcalloc(1, sizeof *zone);
	const char *process = getenv("TZ");
	_cleanup_(freep) char *before = process ? xstrdup(process) : NULL;

	snprintf(zone->name, sizeof zone->name, "%s", name);
	set_process_zone(name);
	read_spans(zone);
	set_process_zone(before);
	return zone;
}

const struct zone *zones_get(struct zones *zones, const char *name, struct error *error)
{
	for (size_t i = 0; i < zones->count; i++)
		if (strcmp(zones->zones[i]->name, name) == 0)
			return zones->zones[i];
	if (!zoneinfo_has(name)) {
		error_set(error, -EINVAL,
			"không có múi giờ “%.80s” (ví dụ đúng: “Asia/Ho_Chi_Minh”)", name);
		return NULL;
	}
	if (zones->count == ZONES_MAX) {
		error_set(error, -ENOSPC, "quá nhiều múi giờ khác nhau (hơn %d)", ZONES_MAX);
		return NULL;
	}
	return zones->zones[zones->count++] = zone_read(name);
}

/* The span in which `real_us` lies. */
static size_t span_at(const struct zone *zone, int64_t real_us)
{
	size_t low = 0, high = zone->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (zone->spans[middle].start_us <= real_us)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int64_t zone_local_us(const struct zone *zone, int64_t real_us)
{
	return real_us + zone->spans[span_at(zone, real_us)].offset_us;
}

int64_t zone_change_after(const struct zone *zone, int64_t real_us)
{
	size_t next = span_at(zone, real_us) + 1;

	return next < zone->count ? zone->spans[next].start_us : TIME_NEVER;
}

int zone_instants(
	const struct zone *zone, int64_t local_us, int64_t *ret_first_us, int64_t *ret_second_us)
{
	size_t last = span_at(zone, local_us + OFFSET_MAX_US);
	int64_t skipped_at_us = TIME_NEVER;
	int count = 0;

	for (size_t i = span_at(zone, local_us - OFFSET_MAX_US); i <= last && count < 2; i++) {
		int64_t real_us = local_us - zone->spans[i].offset_us;
		int64_t end_us = i + 1 < zone->count ? zone->spans[i + 1].start_us : TIME_NEVER;
		if (real_us >= end_us)
			skipped_at_us = end_us; /* unless a later span has it */
		else if (real_us >= zone->spans[i].start_us)
			*(count++ == 0 ? ret_first_us : ret_second_us) = real_us;
	}
	if (count == 0)
		*ret_first_us = skipped_at_us;
	return count;
}
