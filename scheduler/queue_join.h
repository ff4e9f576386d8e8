/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Late joiners: what the neighbours are saying already while this output comes back (enum queue_join).
 * Facts of an entry in, facts out; of scheduler/queue only.
 */
#pragma once

#include "scheduler/queue_rules.h"

/* There must be more left of it than this: a few words without their beginning only puzzle people. */
#define QUEUE_JOIN_LEAST_US (5 * US_PER_SEC)

struct queue_under_way {
	bool here;   /* the neighbours are saying it now, and this output came too late for it */
	bool missed; /* they have said it, and it was not heard here */
	struct queue_run run;
	int64_t ends_us; /* when they will have said it; of `here` */
};

/* Of what waits. With QUEUE_JOIN_WHOLE, and of emergencies, it is never under way. */
struct queue_under_way queue_join_look(
	const struct queue_circumstances *circumstances, const struct queue_entry *entry);

/* Notes of what waits, and has been judged, whether it was here when it was due and waits for something
 * of this output's own: then it is no late joiner. *wake_us becomes earlier: its start must not be
 * missed. */
void queue_join_note(const struct queue_circumstances *circumstances, struct queue_entry *entry,
	const struct queue_verdict *verdict, int64_t *wake_us);

/* It is taken to be prepared, as the verdict says. */
void queue_join_prepare(struct queue_entry *entry, const struct queue_verdict *verdict);
/* It is heard: what the others would have to do to be in step with it. `in_step`: what was heard before
 * it was in step with the others. Returns whether this is. */
bool queue_join_started(struct queue_entry *entry, bool in_step);
