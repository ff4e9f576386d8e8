/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text is a rule or a refusal that says why; what a rule says happens after the instant that was
 * asked for, before 2200, at a day and a minute that match or where the clock is changed. The first byte
 * chooses calendar, zone and instant. */
#include "base/clock.h"
#include "base/utf8.h"
#include "scheduler/calendar.h"

#include <string.h>

#define MINUTE_US   (60 * US_PER_SEC)
#define DAY_US      (1440 * MINUTE_US)
#define END_US      (84006 * DAY_US) /* 2200 */
#define ZONES       4
#define TEXT_MAX    300
#define OCCURRENCES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static const struct zone *zone_of(uint8_t choice)
{
	static const char *const names[ZONES] = { "Asia/Ho_Chi_Minh", "Europe/Berlin",
		"Australia/Lord_Howe", "America/St_Johns" };
	static struct zones *zones;
	struct error error;

	if (!zones)
		zones = zones_new();
	return zones_get(zones, names[choice % ZONES], &error);
}

static bool matches(const struct calendar *calendar, int64_t wall_us)
{
	/* West of Greenwich 1970 begins in 1969. */
	int64_t minute = (wall_us + DAY_US) / MINUTE_US;

	return wall_us % MINUTE_US == 0 &&
	       calendar_day_matches(calendar, (int32_t)(minute / 1440) - 1) &&
	       calendar->hours >> minute % 1440 / 60 & 1 && calendar->minutes >> minute % 60 & 1;
}

static void check_occurrences(
	const struct calendar *calendar, const struct zone *zone, int64_t after_us)
{
	for (int i = 0; i < OCCURRENCES; i++) {
		int64_t next_us = calendar_next(calendar, zone, after_us);
		if (next_us == TIME_NEVER)
			return;
		check(next_us > after_us && next_us >= 0 && next_us < END_US);
		check(matches(calendar, zone_local_us(zone, next_us)) ||
			(!calendar->by_the_wall &&
				zone_change_after(zone, next_us - 1) == next_us));
		/* There is none between. */
		check(calendar_next(calendar, zone, after_us + (next_us - after_us) / 2) ==
			next_us);
		after_us = next_us;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[TEXT_MAX];
	struct calendar calendar;
	struct error error = { "" };

	if (size < 1 || size > sizeof text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	enum calendar_kind kind = data[0] & 1 ? CALENDAR_LUNAR : CALENDAR_SOLAR;
	if (calendar_parse(text, kind, &calendar, &error) < 0) {
		size_t length = strlen(error.text);
		check(length > 0 && utf8_valid_prefix(error.text, length) == length);
		return 0;
	}
	check(calendar.minutes && calendar.hours && calendar.months && calendar.week_days);
	check(calendar.month_days || calendar.last_day);
	check_occurrences(
		&calendar, zone_of(data[0] >> 1), (int64_t)(data[0] >> 3) * 2637 * DAY_US);
	return 0;
}
