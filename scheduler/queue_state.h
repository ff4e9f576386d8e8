/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A queue from the inside, for the files that share it: queue.c (what comes in), queue_over.c (what
 * is being played), queue_next.c (what is to be done), queue_list.c (who looks). Of scheduler/queue
 * only.
 */
#pragma once

#include "scheduler/queue_cause.h"
#include "scheduler/queue_entry.h"
#include "scheduler/queue_rules.h"

struct queue {
	struct queue_config config;
	struct queue_order waiting;
	struct queue_entry *active[QUEUE_BROADCASTS_MAX]; /* prepared, on air, ending */
	size_t active_count;
	struct queue_entry *dropped, **dropped_end; /* to be told, in this order */
	int64_t foreground_free_us, background_free_us;
	struct queue_elsewhere elsewhere[2]; /* of the foreground, of the background */
	bool in_step;                        /* what was heard last in the foreground */
	struct usage usage;
	bool muted, stopping;
	bool noted;   /* queue_take_in_time() */
	bool trusted; /* time, when it was last asked what is to be done */
};

struct queue_circumstances queue_state_circumstances(
	const struct queue *queue, const struct queue_now *now);

/* Puts an entry that is nowhere now among those to be dropped; REASON_NONE: its cause's own. */
void queue_state_drop(
	struct queue *queue, struct queue_entry *entry, enum queue_cause cause, enum reason reason);
/* The first of these: the caller owns it; or NULL. */
struct queue_entry *queue_state_take_dropped(struct queue *queue);

/* What of a lane is in a phase, and is not ending for good; NULL. */
struct queue_entry *queue_state_active(
	const struct queue *queue, bool background, enum queue_phase phase);
/* Something active keeps `entry` from being prepared. */
bool queue_state_blocked(const struct queue *queue, const struct queue_entry *entry);

/* The verdict on what waits, with the limits if nothing else is in its way. `others`: something that
 * goes before it does the same. */
struct queue_verdict queue_state_judge(const struct queue *queue,
	const struct queue_circumstances *circumstances, struct queue_entry *entry, bool others);
