/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answer to the question `plan` (docs/PROTOCOL.md, "Requests"): what the node's schedules, and
 * those that somebody thinks of, will make sound (scheduler/plan). It is computed in slices of main's
 * time, with pauses between, so that nothing else waits for it. Main's.
 */
#pragma once

#include "scheduler/schedule.h"

#define PLANNING_ROWS_MAX       2000 /* of one answer, but for those of one instant */
#define PLANNING_CANDIDATES_MAX 50
#define PLANNING_DAYS           7 /* unless asked for others */

struct node;
struct planning;

struct planning_candidate {
	char zone[NAME_MAX_BYTES + 1];
	struct schedule *schedule; /* the planning takes a reference */
};

struct planning_question {
	int64_t from_us;
	int days;
	const char *output; /* NULL: all */
	const struct planning_candidate *candidates;
	size_t candidates_count;
};

/* `on_done` is called once, from the loop, with the whole answer as JSON; it may free the planning. */
struct planning *planning_new(struct node *node, const struct planning_question *question,
	void (*on_done)(struct planning *planning, const char *json, void *context),
	void *context) _must_check_;
struct planning *planning_free(struct planning *planning); /* also before it is done */
