/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A village in simulation: eight outputs with quiet hours and limits, and its schedules, made by chance
 * from a seed: solar and lunar, several of one minute, with from, until and except, in several zones of
 * loudspeakers and of time, of all priorities. Each schedule has as many revisions as are asked for.
 */
#pragma once

#include "scheduler/hours.h"
#include "scheduler/schedule.h"
#include "scheduler/usage.h"

#define VILLAGE_OUTPUTS  8
#define VILLAGE_TIMEZONE "Asia/Ho_Chi_Minh"
#define VILLAGE_LATE_US  (120 * US_PER_SEC)

struct village_output {
	const char *name;
	const char *zones[3]; /* NULL: no more */
	struct hours_list quiet;
	struct usage_limits limits;
};

struct village {
	uint64_t seed;
	struct village_output outputs[VILLAGE_OUTPUTS];
	size_t schedules;
};

void village_init(struct village *village, uint64_t seed, size_t schedules);
bool village_listens(const struct village *village, unsigned output, const char *zone);

#define VILLAGE_ID_SIZE 16
void village_id(size_t schedule, char ret_id[VILLAGE_ID_SIZE]);
/* Which schedule an occurrence is of. */
size_t village_schedule_of(const char *id);
/* The zone it is in; some are in two ("" otherwise). */
const char *village_zone(const struct village *village, size_t schedule);
const char *village_second_zone(const struct village *village, size_t schedule);
/* The JSON of that revision; the caller frees. */
char *village_json(const struct village *village, size_t schedule, int revision);
/* How long an occurrence is predicted to be, and is. */
double village_seconds(const struct village *village, size_t schedule);
int64_t village_length_us(const struct village *village, size_t schedule);
