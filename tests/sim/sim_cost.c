/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a node's schedules cost its main thread, for bench/schedules: one line for each number of
 * schedules that is given.
 *
 *     sim_cost N…
 */
#include "base/clock.h"
#include "scheduler/timetable.h"
#include "tests/sim/village.h"

#include <string.h>
#include <time.h>

#define NOW_US     (INT64_C(1798768800) * US_PER_SEC) /* 2027-01-01 09:00 in Vietnam */
#define IDLE_TAKES 1000000

struct cost {
	double read_us;      /* the JSON of all of them, */
	double put_us;       /* and into the timetable, with the next occurrence of each */
	double first_ms;     /* the first occurrences judged: as after a start */
	size_t taken;        /* how many were due in the hour after that, */
	double take_us;      /* for each; the heap finds the next one */
	double idle_take_ns; /* asked when nothing is due */
};

/* Of processor: what else the machine does is not measured. */
static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * US_PER_SEC + (double)now.tv_nsec / 1000;
}

static void put_all(struct cost *cost, const struct village *village,
	const struct schedule_defaults *defaults, struct timetable *timetable)
{
	for (size_t i = 0; i < village->schedules; i++) {
		_cleanup_(freep) char *json = village_json(village, i, 1);
		char id[VILLAGE_ID_SIZE], ret_id[ID_MAX_BYTES + 1];
		enum reason reason;
		struct error error = { 0 };
		village_id(i, id);
		double begun_us = now_us();
		_cleanup_(schedule_unrefp) struct schedule *schedule = schedule_parse(
			json, strlen(json), id, defaults, ret_id, &reason, &error);
		double read_us = now_us();
		if (!schedule || timetable_put(timetable, village_zone(village, i), schedule,
					 NOW_US, TIME_NEVER) < 0)
			abort();
		cost->put_us += now_us() - read_us;
		cost->read_us += read_us - begun_us;
	}
}

static void take_all(struct cost *cost, struct timetable *timetable)
{
	struct timetable_due due;
	double begun_us = now_us();

	while (timetable_take(timetable, NOW_US, &due))
		;
	cost->first_ms = (now_us() - begun_us) / 1000;
	begun_us = now_us();
	for (int64_t at_us; (at_us = timetable_wake_us(timetable)) < NOW_US + 3600 * US_PER_SEC;)
		while (timetable_take(timetable, at_us, &due))
			cost->taken++;
	cost->take_us = cost->taken > 0 ? (now_us() - begun_us) / (double)cost->taken : 0;
}

static void take_nothing(struct cost *cost, struct timetable *timetable)
{
	int64_t at_us = timetable_wake_us(timetable) - 60 * US_PER_SEC;
	struct timetable_due due;
	double begun_us = now_us();
	size_t taken = 0;

	for (int i = 0; i < IDLE_TAKES; i++)
		taken += timetable_take(timetable, at_us + i % 1000, &due);
	cost->idle_take_ns = (now_us() - begun_us) * 1000 / IDLE_TAKES;
	if (taken > 0)
		abort();
}

static void measure(size_t schedules)
{
	_cleanup_(zones_freep) struct zones *zones = zones_new();
	_cleanup_(timetable_freep) struct timetable *timetable = timetable_new();
	const struct schedule_defaults defaults = {
		.zones = zones, .timezone = VILLAGE_TIMEZONE, .late_us = VILLAGE_LATE_US
	};
	struct village village;
	struct cost cost = { 0 };

	village_init(&village, 1, schedules);
	put_all(&cost, &village, &defaults, timetable);
	take_all(&cost, timetable);
	take_nothing(&cost, timetable);
	printf("{\"schedules\": %zu, \"read_ms\": %.3f, \"put_ms\": %.3f, \"first_ms\": %.3f, "
	       "\"taken\": %zu, \"take_us\": %.3f, \"idle_take_ns\": %.1f}\n",
		schedules, cost.read_us / 1000, cost.put_us / 1000, cost.first_ms, cost.taken,
		cost.take_us, cost.idle_take_ns);
}

int main(int count, char **arguments)
{
	setenv("TZ", VILLAGE_TIMEZONE, 1);
	tzset();
	for (int i = 1; i < count; i++)
		measure(strtoul(arguments[i], NULL, 10));
	return 0;
}
