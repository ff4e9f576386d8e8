/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plan: what the schedules will make sound, when, for how long, on which output; and what would
 * hold or veto it. Nothing is predicted by rules of its own: occurrences are offered to real queues
 * (scheduler/queue.h), one for each output, on a simulated clock, and what these decide is the plan.
 * Pure but for libc's time zone (hours of the day). It is computed piece by piece, so that a loop can
 * do other things in between.
 */
#pragma once

#include "scheduler/queue.h"
#include "scheduler/schedule.h"

#define PLAN_DAYS_MAX 400
#define PLAN_ROWS_MAX 200000

struct plan_output {      /* borrowed */
	const char *name; /* NULL: no output is known; then nothing is held or vetoed by one */
	const struct hours_list *quiet;
	const struct usage_limits *limits;
	const struct usage *usage; /* up to now; NULL: none */
	bool muted;
};

struct plan_schedule {
	struct schedule *schedule; /* the plan takes a reference */
	double seconds;            /* predicted length of one occurrence */
	uint64_t outputs;          /* bit n: output n listens to its zone */
};

enum plan_would { PLAN_PLAY, PLAN_HOLD, PLAN_VETO, PLAN_SKIP };
const char *plan_would_name(enum plan_would would); /* "play", "hold", "veto", "skip" */

struct plan_row {
	const struct schedule *schedule; /* borrowed from the plan */
	size_t output;                   /* index */
	int64_t start_us;                /* of the occurrence */
	int64_t begins_us;               /* when it would be heard; TIME_UNSET: it would not */
	double seconds;
	enum plan_would would;
	/* Of HOLD and VETO: "quiet-hours", "limit", "muted", "overlap" (others are on air), "expired"
	 * (it waited behind others for too long); of SKIP: "except". NULL of PLAY. */
	const char *reason;
};

struct plan;

/* Occurrences of [from_us, until_us). `gap_us`: as configured. At most 64 outputs. */
struct plan *plan_new(const struct plan_schedule *schedules, size_t schedules_count,
	const struct plan_output *outputs, size_t outputs_count, int64_t gap_us, int64_t from_us,
	int64_t until_us) _must_check_;
struct plan *plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free)

/* Goes on for at most `steps` events. True: it is complete. */
bool plan_step(struct plan *plan, size_t steps) _must_check_;
/* When complete: all rows, in order of start, then schedule id, then output. */
const struct plan_row *plan_rows(const struct plan *plan, size_t *ret_count);
/* There were more than PLAN_ROWS_MAX; the plan ends at that instant. TIME_NEVER: it is whole. */
int64_t plan_cut_us(const struct plan *plan);
