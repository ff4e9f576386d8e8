/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/queue_state.h"

#define STEP_US US_PER_SEC /* less is the clocks' fine adjustment */

/* Until when the gap behind the last one lasts. One that lies further ahead than a gap was reckoned by a
 * clock that has been put back since, of which we may not have been told yet. */
static int64_t free_us(const struct queue *queue, const struct queue_now *now, int64_t after_gap_us)
{
	return after_gap_us > now->real_us + queue->config.gap_us + STEP_US ? TIME_UNSET
									    : after_gap_us;
}

struct queue_circumstances queue_state_circumstances(
	const struct queue *queue, const struct queue_now *now)
{
	return (struct queue_circumstances){
		.now = now,
		.config = &queue->config,
		.usage = &queue->usage,
		.foreground_free_us = free_us(queue, now, queue->foreground_free_us),
		.background_free_us = free_us(queue, now, queue->background_free_us),
		.elsewhere = queue->elsewhere,
		.muted = queue->muted,
	};
}

void queue_state_drop(
	struct queue *queue, struct queue_entry *entry, enum queue_cause cause, enum reason reason)
{
	entry->cause = cause;
	entry->drop_reason = reason != REASON_NONE ? reason : queue_cause_rule(cause)->reason;
	*queue->dropped_end = entry;
	queue->dropped_end = &entry->next;
}

struct queue_entry *queue_state_take_dropped(struct queue *queue)
{
	struct queue_entry *entry = queue->dropped;

	if (!entry)
		return NULL;
	queue->dropped = entry->next;
	if (!queue->dropped)
		queue->dropped_end = &queue->dropped;
	entry->next = NULL;
	return entry;
}

struct queue_entry *queue_state_active(
	const struct queue *queue, bool background, enum queue_phase phase)
{
	for (size_t i = 0; i < queue->active_count; i++) {
		struct queue_entry *entry = queue->active[i];
		if (queue_entry_is_background(entry) == background && entry->phase == phase &&
			!queue_cause_final(entry->cause))
			return entry;
	}
	return NULL;
}

bool queue_state_blocked(const struct queue *queue, const struct queue_entry *entry)
{
	for (size_t i = 0; i < queue->active_count; i++)
		if (queue_rules_blocks(queue->active[i], entry))
			return true;
	return false;
}

struct queue_verdict queue_state_judge(const struct queue *queue,
	const struct queue_circumstances *circumstances, struct queue_entry *entry, bool others)
{
	struct queue_verdict verdict = queue_rules_judge(circumstances, entry);

	if (verdict.never || verdict.wait != QUEUE_WAIT_NONE)
		return verdict;
	if (others || queue_state_blocked(queue, entry))
		verdict.wait = QUEUE_WAIT_BEHIND;
	else
		queue_rules_apply_limits(circumstances, entry, &verdict);
	return verdict;
}
