/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/queue_join.h"
#include "scheduler/queue_state.h"

#include <string.h>

/* --- What is being played -------------------------------------------------------------------- */

void queue_on_primed(struct queue *queue, struct queue_entry *entry)
{
	(void)queue;
	entry->primed = true;
}

static void note_quiet(const struct queue *queue, struct queue_entry *entry, int64_t real_us)
{
	if (queue->trusted && queue_entry_is_emergency(entry))
		entry->passes_quiet |= queue_rules_quiet(&queue->config, real_us);
}

void queue_on_started(struct queue *queue, struct queue_entry *entry, int64_t real_us)
{
	entry->was_on_air = true;
	entry->started_us = real_us;
	entry->counted_us = real_us;
	bool in_step = queue_join_started(entry, queue->in_step);
	if (!queue_entry_is_background(entry))
		queue->in_step = in_step;
	if (entry->phase == QUEUE_PREPARING)
		entry->phase = QUEUE_ON_AIR;
	note_quiet(queue, entry, real_us);
	if (!queue->trusted)
		return;
	if (queue_entry_is_emergency(entry))
		entry->passes_limit |= queue_rules_above_limit(
			&queue->config, &queue->usage, entry, real_us);
	usage_add(&queue->usage, real_us, real_us);
}

/* Its sound up to here goes into the usage; of a day, so not while nobody knows the day. */
static void count_sound(struct queue *queue, struct queue_entry *entry, int64_t real_us)
{
	if (queue->trusted && entry->counted_us != TIME_UNSET && real_us > entry->counted_us)
		usage_add(&queue->usage, entry->counted_us, real_us);
	entry->counted_us = real_us;
	note_quiet(queue, entry, real_us);
}

void queue_on_position(struct queue *queue, struct queue_entry *entry,
	const struct queue_position *position, int64_t real_us)
{
	(void)position;
	count_sound(queue, entry, real_us);
}

/* --- What was played ------------------------------------------------------------------------- */

/* What ended it, of all that the world and the queue say. */
static enum queue_cause cause_of(const struct queue_entry *entry, const struct queue_over *over)
{
	if (queue_cause_final(entry->cause))
		return entry->cause;
	if (over->cause == QUEUE_FAILED)
		return QUEUE_FAILED;
	if (over->cause == QUEUE_FINISHED || over->position.item == UINT32_MAX)
		return QUEUE_FINISHED;
	if (entry->cause == QUEUE_CAUSE_NONE)
		return QUEUE_LOST;
	if (entry->cause == QUEUE_RECALLED && over->ended_us != TIME_UNSET)
		return QUEUE_PREEMPTED;
	return entry->cause;
}

static struct queue_outcome end_for_good(
	struct queue_entry *entry, enum queue_cause cause, enum reason reason)
{
	const struct queue_cause_rule *rule = queue_cause_rule(cause);

	entry->cause = cause;
	return (struct queue_outcome){
		.tell = true,
		.event = rule->final ? rule->event : RECEIPT_CANCELLED,
		.reason = cause == QUEUE_FAILED ? reason : rule->reason,
		.cause = cause,
		.gone = entry,
	};
}

/* It goes on later: where it was heard to, by its policy. */
static struct queue_outcome wait_again(struct queue *queue, struct queue_entry *entry,
	enum queue_cause cause, const struct queue_over *over)
{
	bool heard = over->ended_us != TIME_UNSET;

	if (heard && entry->announcement->interrupted == INTERRUPTED_DROP)
		return end_for_good(entry, cause, REASON_NONE);
	if (heard && entry->announcement->interrupted == INTERRUPTED_RESTART)
		entry->missed_us = 0;
	if (heard)
		entry->from = entry->announcement->interrupted == INTERRUPTED_RESUME
				      ? over->position
				      : (struct queue_position){ 0 };
	entry->was_on_air |= heard;
	entry->waited |= over->passed;
	entry->phase = QUEUE_WAITING;
	entry->cause = cause;
	queue_order_insert(&queue->waiting, entry);
	return (struct queue_outcome){
		.tell = heard,
		.event = queue_cause_rule(cause)->event,
		.reason = queue_cause_rule(cause)->reason,
		.cause = cause,
	};
}

/* The gap behind it begins. */
static void set_free(struct queue *queue, const struct queue_entry *entry, int64_t ended_us)
{
	int64_t *free_us = queue_entry_is_background(entry) ? &queue->background_free_us
							    : &queue->foreground_free_us;

	if (*free_us < ended_us + queue->config.gap_us)
		*free_us = ended_us + queue->config.gap_us;
}

struct queue_outcome queue_on_over(
	struct queue *queue, struct queue_entry *entry, const struct queue_over *over)
{
	enum queue_cause cause = cause_of(entry, over);
	size_t place = 0;

	while (queue->active[place] != entry)
		place++;
	queue->active_count--;
	memmove(queue->active + place, queue->active + place + 1,
		(queue->active_count - place) * sizeof(struct queue_entry *));
	if (over->ended_us != TIME_UNSET) {
		count_sound(queue, entry, over->ended_us);
		set_free(queue, entry, over->in_step_us ? over->in_step_us : over->ended_us);
	}
	if (queue_cause_final(cause))
		return end_for_good(entry, cause, over->reason);
	return wait_again(queue, entry, cause, over);
}
