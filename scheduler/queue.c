/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/queue_state.h"
#include "base/strbuf.h"

#include <errno.h>
#include <string.h>

struct queue *queue_new(const struct queue_config *config)
{
	struct queue *queue = xcalloc(1, sizeof *queue);

	queue->config = *config;
	queue->dropped_end = &queue->dropped;
	queue->foreground_free_us = queue->background_free_us = TIME_UNSET;
	usage_init(&queue->usage);
	return queue;
}

struct queue *queue_free(struct queue *queue)
{
	if (!queue)
		return NULL;
	for (struct queue_entry *entry; (entry = queue_state_take_dropped(queue));)
		queue_entry_free(entry);
	for (size_t i = 0; i < queue->active_count; i++)
		queue_entry_free(queue->active[i]);
	queue_order_done(&queue->waiting);
	free(queue);
	return NULL;
}

/* --- What waits ------------------------------------------------------------------------------ */

static void drop_waiting(struct queue *queue, size_t place, enum queue_cause cause)
{
	queue_state_drop(queue, queue_order_take(&queue->waiting, place), cause, REASON_NONE);
}

/* Ends what has this id and at most this revision. Returns how many. */
static size_t end_revisions(
	struct queue *queue, const char *id, int64_t revision, enum queue_cause cause)
{
	size_t ended = 0, place = 0;

	while ((place = queue_order_find(&queue->waiting, id, place)) < queue->waiting.count) {
		if (queue->waiting.places[place].entry->announcement->revision > revision) {
			place++;
			continue;
		}
		drop_waiting(queue, place, cause);
		ended++;
	}
	for (size_t i = 0; i < queue->active_count; i++) {
		struct queue_entry *entry = queue->active[i];
		if (strcmp(entry->announcement->id, id) != 0 ||
			entry->announcement->revision > revision || queue_cause_final(entry->cause))
			continue;
		queue_entry_end(entry, cause);
		ended++;
	}
	return ended;
}

struct queue_entry *queue_find(const struct queue *queue, const char *id)
{
	struct queue_entry *newest = NULL;

	for (size_t place = queue_order_find(&queue->waiting, id, 0); place < queue->waiting.count;
		place = queue_order_find(&queue->waiting, id, place + 1)) {
		struct queue_entry *entry = queue->waiting.places[place].entry;
		if (!newest || entry->announcement->revision > newest->announcement->revision)
			newest = entry;
	}
	for (size_t i = 0; i < queue->active_count; i++) {
		struct queue_entry *entry = queue->active[i];
		if (strcmp(entry->announcement->id, id) != 0 || queue_cause_final(entry->cause))
			continue;
		if (!newest || entry->announcement->revision > newest->announcement->revision)
			newest = entry;
	}
	return newest;
}

/* Makes room for `entry` among its own kind. -ENOSPC: it would have to go itself. */
static int make_room(struct queue *queue, const struct queue_entry *entry)
{
	struct queue_order *waiting = &queue->waiting;
	bool emergency = queue_entry_is_emergency(entry);
	size_t count = emergency ? waiting->emergencies : waiting->count - waiting->emergencies;
	size_t replaced = queue_order_find(waiting, entry->announcement->id, 0);

	if (count < (emergency ? QUEUE_EMERGENCIES_MAX : QUEUE_ENTRIES_MAX))
		return 0;
	if (replaced < waiting->count &&
		queue_entry_is_emergency(waiting->places[replaced].entry) == emergency)
		return 0; /* its older revision goes */
	size_t lowest = queue_order_lowest(waiting, emergency);
	if (waiting->places[lowest].entry->announcement->priority > entry->announcement->priority)
		return -ENOSPC;
	drop_waiting(queue, lowest, QUEUE_EVICTED);
	return 0;
}

int queue_add(struct queue *queue, const struct queue_offer *offer, struct queue_entry **ret_entry)
{
	const struct announcement *announcement = offer->announcement;
	const struct queue_entry *known = queue_find(queue, announcement->id);

	if (known && known->announcement->revision >= announcement->revision)
		return -EEXIST;
	_cleanup_(queue_entry_freep) struct queue_entry *entry = queue_entry_new(offer);
	int result = make_room(queue, entry);
	if (result < 0)
		return result;
	entry->in_time = known && known->in_time;
	entry->waited |= known && known->waited;
	end_revisions(queue, announcement->id, announcement->revision, QUEUE_SUPERSEDED);
	queue_order_insert(&queue->waiting, entry);
	if (ret_entry)
		*ret_entry = entry;
	entry = NULL; /* the queue's now */
	return 0;
}

struct queue_entry *queue_restore(struct queue *queue, const struct queue_offer *offer,
	bool was_on_air, const struct queue_position *from, uint32_t tries)
{
	enum interrupted policy = offer->announcement->interrupted;

	if (queue_find(queue, offer->announcement->id))
		return NULL;
	struct queue_entry *entry = queue_entry_new(offer);
	entry->tries = tries;
	entry->was_on_air = was_on_air;
	if (was_on_air && policy != INTERRUPTED_RESTART)
		entry->from = *from;
	if (was_on_air)
		entry->cause = QUEUE_CRASHED;
	if (was_on_air && policy == INTERRUPTED_DROP)
		queue_state_drop(queue, entry, QUEUE_CRASHED, REASON_NONE);
	else
		queue_order_insert(&queue->waiting, entry);
	return entry;
}

void queue_set_durable(struct queue *queue, const char *id)
{
	for (size_t place = queue_order_find(&queue->waiting, id, 0); place < queue->waiting.count;
		place = queue_order_find(&queue->waiting, id, place + 1))
		queue->waiting.places[place].entry->durable = true;
	for (size_t i = 0; i < queue->active_count; i++)
		if (strcmp(queue->active[i]->announcement->id, id) == 0)
			queue->active[i]->durable = true;
}

/* --- What operators do ----------------------------------------------------------------------- */

size_t queue_withdraw(struct queue *queue, const char *id, int64_t revision)
{
	return end_revisions(queue, id, revision, QUEUE_WITHDRAWN);
}

static bool is_for_later(const struct queue_entry *entry, int64_t real_us)
{
	return !entry->was_on_air && entry->announcement->start_us > real_us;
}

void queue_stop(struct queue *queue, int64_t real_us)
{
	for (size_t place = 0; place < queue->waiting.count;) {
		if (is_for_later(queue->waiting.places[place].entry, real_us))
			place++;
		else
			drop_waiting(queue, place, QUEUE_STOPPED);
	}
	for (size_t i = 0; i < queue->active_count; i++)
		if (!is_for_later(queue->active[i], real_us))
			queue_entry_end(queue->active[i], QUEUE_STOPPED);
}

void queue_skip(struct queue *queue)
{
	static const struct {
		bool background;
		enum queue_phase phase;
	} order[] = {
		{ false, QUEUE_ON_AIR },
		{ false, QUEUE_PREPARING },
		{ true, QUEUE_ON_AIR },
		{ true, QUEUE_PREPARING },
	};

	for (size_t i = 0; i < countof(order); i++) {
		struct queue_entry *entry = queue_state_active(
			queue, order[i].background, order[i].phase);
		if (!entry)
			continue;
		queue_entry_end(entry, QUEUE_SKIPPED);
		return;
	}
}

bool queue_take_in_time(struct queue *queue)
{
	bool noted = queue->noted;

	queue->noted = false;
	return noted;
}

void queue_mute(struct queue *queue, bool muted)
{
	queue->muted = muted;
	for (size_t i = 0; muted && i < queue->active_count; i++)
		queue_entry_end(queue->active[i], QUEUE_MUTED);
}

bool queue_muted(const struct queue *queue)
{
	return queue->muted;
}

void queue_shutdown(struct queue *queue)
{
	queue->stopping = true;
	for (size_t i = 0; i < queue->active_count; i++)
		queue_entry_end(queue->active[i], QUEUE_SHUTDOWN);
}

void queue_on_clock_set(struct queue *queue)
{
	queue->foreground_free_us = queue->background_free_us = TIME_UNSET;
	memset(queue->elsewhere, 0, sizeof queue->elsewhere);
	queue->in_step = false;
	for (size_t place = 0; place < queue->waiting.count; place++)
		queue->waiting.places[place].entry->run.begun_us = TIME_UNSET;
	for (size_t i = 0; i < queue->active_count; i++) {
		struct queue_entry *entry = queue->active[i];
		entry->counted_us = TIME_UNSET;
		if (entry->phase != QUEUE_PREPARING)
			entry->run.begun_us = TIME_UNSET;
		if (entry->phase == QUEUE_PREPARING &&
			(!queue_entry_is_emergency(entry) || entry->start_us != TIME_UNSET))
			queue_entry_end(entry, QUEUE_RECALLED);
	}
}
