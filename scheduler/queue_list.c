/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/queue_state.h"

static size_t list_prepared(const struct queue *queue, const struct queue_entry **ret_entries,
	enum queue_wait *ret_waits, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < queue->active_count && count < max; i++) {
		if (queue->active[i]->phase != QUEUE_PREPARING)
			continue;
		ret_entries[count] = queue->active[i];
		ret_waits[count++] = QUEUE_WAIT_NONE;
	}
	return count;
}

size_t queue_length(const struct queue *queue)
{
	size_t count = queue->waiting.count;

	for (size_t i = 0; i < queue->active_count; i++)
		count += queue->active[i]->phase == QUEUE_PREPARING;
	return count;
}

size_t queue_list(const struct queue *queue, const struct queue_now *now,
	const struct queue_entry **ret_entries, enum queue_wait *ret_waits, size_t max)
{
	const struct queue_circumstances circumstances = queue_state_circumstances(queue, now);
	size_t count = list_prepared(queue, ret_entries, ret_waits, max);
	bool next_seen = false;

	for (size_t place = 0; place < queue->waiting.count && count < max; place++, count++) {
		struct queue_entry *entry = queue->waiting.places[place].entry;
		ret_entries[count] = entry;
		ret_waits[count] = queue_state_judge(queue, &circumstances, entry, next_seen).wait;
		next_seen |= ret_waits[count] == QUEUE_WAIT_NONE;
	}
	return count;
}

const struct queue_entry *queue_on_air(const struct queue *queue)
{
	const struct queue_entry *foreground = queue_state_active(queue, false, QUEUE_ON_AIR);

	return foreground ? foreground : queue_state_active(queue, true, QUEUE_ON_AIR);
}

bool queue_idle(const struct queue *queue)
{
	return queue->active_count == 0;
}

const struct usage *queue_usage(const struct queue *queue)
{
	return &queue->usage;
}

void queue_set_usage(struct queue *queue, const struct usage *usage)
{
	queue->usage = *usage;
}

bool queue_ducks(const struct queue *queue)
{
	for (size_t i = 0; i < queue->active_count; i++)
		if (!queue_entry_is_background(queue->active[i]) &&
			queue->active[i]->started_us != TIME_UNSET)
			return true;
	return false;
}
