/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any payload is a schedule or a refusal that says why. What a schedule says happens: after the instant
 * that was asked for, within its days, not on an excepted one, with an id that says when; what it makes
 * can be kept and read back; and the schedule as it is kept says the same. */
#include "base/utf8.h"
#include "scheduler/schedule.h"

#include <string.h>

#define DAY_US      (INT64_C(86400) * US_PER_SEC)
#define MINUTE_US   (INT64_C(60) * US_PER_SEC)
#define OCCURRENCES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static struct schedule *parse(const char *json, size_t length, const char *topic_id)
{
	static struct zones *zones;
	char id[ID_MAX_BYTES + 1];
	enum reason reason = REASON_NONE;
	struct error error = { "" };

	if (!zones)
		zones = zones_new();
	const struct schedule_defaults defaults = {
		.zones = zones, .timezone = "Asia/Ho_Chi_Minh", .late_us = 120 * US_PER_SEC
	};
	struct schedule *schedule = schedule_parse(
		json, length, topic_id, &defaults, id, &reason, &error);
	size_t said = strlen(error.text);
	check(schedule || (reason != REASON_NONE && said > 0));
	check(utf8_valid_prefix(error.text, said) == said);
	check(!*id || name_valid(id, strlen(id)));
	check(!schedule || strcmp(schedule->id, id) == 0);
	return schedule;
}

static bool is_excepted(const struct schedule *schedule, int32_t day)
{
	for (size_t i = 0; i < schedule->excepts_count; i++)
		if (day >= schedule->excepts[i].first && day <= schedule->excepts[i].last)
			return true;
	return false;
}

static void check_announcement(const struct schedule *schedule, int64_t start_us)
{
	_cleanup_(announcement_unrefp) struct announcement *made = schedule_occurrence(
		schedule, start_us);
	_cleanup_(freep) char *json = announcement_format(made);
	char name[NAME_MAX_BYTES + 1];
	struct error error = { "" };
	int64_t told_us;

	check(schedule_of_id(made->id, name, &told_us) == 0);
	check(strcmp(name, schedule->id) == 0 && told_us == start_us - start_us % MINUTE_US);
	check(made->start_us == start_us && made->expires_us > start_us);
	check(made->revision == schedule->revision && made->late_us == schedule->late_us);
	_cleanup_(announcement_unrefp) struct announcement *again = announcement_load(
		json, strlen(json), made->id, &error);
	check(again && announcement_same(made, again) && again->late_us == made->late_us);
}

static void check_occurrences(const struct schedule *schedule, int64_t after_us)
{
	for (int i = 0; i < OCCURRENCES; i++) {
		bool excepted;
		int64_t any_us = schedule_next(schedule, after_us, &excepted);
		int64_t next_us = schedule_next(schedule, after_us, NULL);
		check(any_us <= next_us && (any_us == next_us || any_us == TIME_NEVER || excepted));
		if (next_us == TIME_NEVER)
			return;
		/* Two days later: a division that rounds towards zero is right before 1970, too. */
		int64_t wall_us = zone_local_us(schedule->zone, next_us) + 2 * DAY_US;
		int32_t day = (int32_t)(wall_us / DAY_US) - 2;
		check(next_us > after_us && next_us < ANNOUNCEMENT_TIME_MAX_US);
		check(day >= schedule->from && day <= schedule->until);
		check(!is_excepted(schedule, day));
		check(schedule_occurs(schedule, next_us));
		check_announcement(schedule, next_us);
		after_us = next_us;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *topic_id = size % 2 ? "lich-sang" : NULL;
	int64_t after_us = (int64_t)(size % 80) * 1000 * DAY_US;
	_cleanup_(schedule_unrefp) struct schedule *schedule = parse(
		(const char *)data, size, topic_id);

	if (!schedule || schedule->withdrawal)
		return 0;
	_cleanup_(schedule_unrefp) struct schedule *again = parse(
		schedule->json, strlen(schedule->json), topic_id);
	check(again && again->revision == schedule->revision);
	check(schedule_next(again, after_us, NULL) == schedule_next(schedule, after_us, NULL));
	check_occurrences(schedule, after_us);
	check_occurrences(schedule, INT64_C(1798736400) * US_PER_SEC); /* 2027 */
	return 0;
}
