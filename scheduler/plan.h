/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plan: what the schedules will make sound, when, for how long, on which output; and what would
 * hold or veto it. Nothing is predicted by rules of its own: occurrences are offered to real queues
 * (scheduler/queue.h), one for each output, on a simulated clock, and what these decide is the plan.
 * Pure but for libc's time zone (hours of the day). It is computed piece by piece, so that a loop can
 * do other things in between; each piece wants the same time zone.
 *
 * It knows the schedules only: not what waits or plays already, also not of occurrences before the
 * plan begins. What its last rows wait for is followed beyond its end, until each has begun or
 * expired; but new occurrences from there on are not looked at.
 */
#pragma once

#include "scheduler/queue.h"
#include "scheduler/schedule.h"

#define PLAN_DAYS_MAX    400 /* callers ask for no more */
#define PLAN_ROWS_MAX    200000
#define PLAN_OUTPUTS_MAX 64
/* What begins no later than this after its start plays, as the office meant it: another one's last
 * words, and the usual gap behind them, are not worth a word. Later: it is held. */
#define PLAN_PROMPT_US (5 * US_PER_SEC)

struct plan_output {
	/* NULL: no output is known; then none holds or vetoes anything, only what overlaps is
	 * told. (It is an output like others: a schedule needs its bit to have rows.) */
	const char *name;
	const struct hours_list *quiet;    /* copied, as the others; NULL: none */
	const struct usage_limits *limits; /* NULL: none */
	const struct usage *usage;         /* up to now; NULL: none */
	bool muted;                        /* as if for ever */
};

struct plan_schedule {
	struct schedule
		*schedule; /* the plan takes a reference; of a withdrawal there are no rows */
	double seconds;    /* predicted length of one occurrence */
	uint64_t outputs;  /* bit n: output n listens to its zone */
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
	/* Of HOLD, what held it for the longest time: "quiet-hours", "limit", "muted", "overlap"
	 * (others are on air). Of VETO also "expired" (it waited behind others for too long),
	 * "queue-full", "superseded" (by a schedule of the same id in another zone). Of SKIP:
	 * "except". NULL of PLAY. */
	const char *reason;
	bool interrupted; /* it is cut off at least once, and goes on later, or not, by its policy */
};

struct plan;

/* Occurrences of [from_us, until_us). `gap_us`: as configured. At most PLAN_OUTPUTS_MAX outputs. It
 * looks nothing up yet, and so is cheap. */
struct plan *plan_new(const struct plan_schedule *schedules, size_t schedules_count,
	const struct plan_output *outputs, size_t outputs_count, int64_t gap_us, int64_t from_us,
	int64_t until_us) _must_check_;
struct plan *plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free)

/* Goes on for at most `steps` events: an occurrence, or a decision of a queue. True: it is complete. */
bool plan_step(struct plan *plan, size_t steps) _must_check_;
/* When complete: all rows, in order of start, then schedule id, then output. (Schedules of one id,
 * which are of different zones: one after the other. What would be said twice under one id on an
 * output is said once, and has one row.) Borrowed until plan_free(). */
const struct plan_row *plan_rows(const struct plan *plan, size_t *ret_count);
/* There were more than PLAN_ROWS_MAX: occurrences from that instant on are left out. TIME_NEVER: it
 * is whole. */
int64_t plan_cut_us(const struct plan *plan);
