/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/queue.h"
#include "base/strbuf.h"

#include <errno.h>
#include <string.h>

struct queue {
	struct queue_entry *entries; /* in the order in which they would play */
	size_t count, capacity;
	size_t emergencies; /* how many of them */
};

static const char *const wait_names[] = {
	[QUEUE_WAIT_NONE] = "next",
	[QUEUE_WAIT_START] = "start",
	[QUEUE_WAIT_BEHIND] = "behind",
	[QUEUE_WAIT_STORE] = "store",
	[QUEUE_WAIT_CLOCK] = "clock",
	[QUEUE_WAIT_OUTPUT] = "output-lost",
};

const char *queue_wait_name(enum queue_wait wait)
{
	return wait_names[wait];
}

struct queue *queue_new(void)
{
	return xcalloc(1, sizeof(struct queue));
}

struct queue *queue_free(struct queue *queue)
{
	if (!queue)
		return NULL;
	for (size_t i = 0; i < queue->count; i++)
		announcement_unref(queue->entries[i].announcement);
	free(queue->entries);
	free(queue);
	return NULL;
}

size_t queue_length(const struct queue *queue)
{
	return queue->count;
}

static bool is_emergency(const struct queue_entry *entry)
{
	return entry->announcement->priority == PRIORITY_EMERGENCY;
}

static bool is_timed(const struct queue_entry *entry)
{
	return entry->announcement->start_us != TIME_UNSET;
}

static int64_t due_us(const struct queue_entry *entry)
{
	return is_timed(entry) ? entry->announcement->start_us : entry->arrival_us;
}

static bool goes_before(const struct queue_entry *a, const struct queue_entry *b)
{
	if (a->announcement->priority != b->announcement->priority)
		return a->announcement->priority > b->announcement->priority;
	if (due_us(a) != due_us(b))
		return due_us(a) < due_us(b);
	return a->sequence < b->sequence;
}

/* Where `entry` belongs: behind everything that goes before it. */
static size_t place_of(const struct queue *queue, const struct queue_entry *entry)
{
	size_t low = 0, high = queue->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (goes_before(entry, &queue->entries[middle]))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Emergencies have places of their own, so that no flood of others keeps one out. */
static bool is_full(const struct queue *queue, const struct queue_entry *entry)
{
	if (is_emergency(entry))
		return queue->emergencies >= QUEUE_EMERGENCIES_MAX;
	return queue->count - queue->emergencies >= QUEUE_ENTRIES_MAX;
}

static void insert(struct queue *queue, const struct queue_entry *entry)
{
	size_t place = place_of(queue, entry);

	if (queue->count == queue->capacity) {
		queue->capacity = queue->capacity ? queue->capacity * 2 : 16;
		queue->entries = xreallocarray(
			queue->entries, queue->capacity, sizeof *queue->entries);
	}
	memmove(queue->entries + place + 1, queue->entries + place,
		(queue->count - place) * sizeof *queue->entries);
	queue->entries[place] = *entry;
	queue->count++;
	queue->emergencies += is_emergency(entry);
}

static struct queue_entry *find(const struct queue *queue, const char *id)
{
	for (size_t i = 0; i < queue->count; i++)
		if (strcmp(queue->entries[i].announcement->id, id) == 0)
			return queue->entries + i;
	return NULL;
}

int queue_add(struct queue *queue, struct announcement *announcement, int64_t arrival_us,
	uint64_t sequence, bool durable)
{
	struct queue_entry entry = {
		.announcement = announcement,
		.arrival_us = arrival_us,
		.sequence = sequence,
		.durable = durable,
	};

	if (find(queue, announcement->id))
		return -EEXIST;
	if (is_full(queue, &entry))
		return -ENOSPC;
	announcement_ref(announcement);
	insert(queue, &entry);
	return 0;
}

const struct queue_entry *queue_find(const struct queue *queue, const char *id)
{
	return find(queue, id);
}

void queue_set_durable(struct queue *queue, const char *id)
{
	struct queue_entry *entry = find(queue, id);

	if (entry)
		entry->durable = true;
}

struct announcement *queue_remove(struct queue *queue, const char *id)
{
	struct queue_entry *entry = find(queue, id);

	if (!entry)
		return NULL;
	struct announcement *announcement = entry->announcement;
	size_t behind = queue->count - (size_t)(entry - queue->entries) - 1;
	queue->emergencies -= is_emergency(entry);
	memmove(entry, entry + 1, behind * sizeof *entry);
	queue->count--;
	return announcement;
}

/* --- Deciding ------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a_us, int64_t b_us)
{
	return a_us < b_us ? a_us : b_us;
}

/* When it would begin: its start, but not before the gap behind the last one is over, for which an
 * emergency does not wait; TIME_UNSET: at once. */
static int64_t begin_us(const struct queue_entry *entry, const struct queue_now *now)
{
	int64_t start_us = entry->announcement->start_us;

	if (is_emergency(entry))
		return start_us;
	return start_us > now->free_us ? start_us : now->free_us; /* TIME_UNSET is the least */
}

static bool has_expired(const struct queue_entry *entry, const struct queue_now *now)
{
	return now->trusted && entry->announcement->expires_us <= now->real_us;
}

/* Whether only time, and other entries, stand between it and its playing. */
static bool is_admitted(const struct queue_entry *entry, const struct queue_now *now)
{
	return (entry->durable || is_emergency(entry)) && (now->trusted || !is_timed(entry));
}

/* When its preparation begins; TIME_UNSET: now; TIME_NEVER: it could only begin when it has
 * expired, so that it must not be prepared at all. */
static int64_t ripe_us(const struct queue_entry *entry, const struct queue_now *now)
{
	int64_t begins_us = begin_us(entry, now);

	if (begins_us == TIME_UNSET)
		return TIME_UNSET;
	if (now->trusted && begins_us >= entry->announcement->expires_us)
		return TIME_NEVER;
	return begins_us - QUEUE_PREPARE_US;
}

static struct queue_decision play(const struct queue_entry *entry, const struct queue_now *now)
{
	int64_t begins_us = begin_us(entry, now);

	return (struct queue_decision){
		.what = QUEUE_DO_PLAY,
		.entry = entry,
		.start_us = begins_us > now->real_us ? begins_us : TIME_UNSET,
	};
}

static struct queue_decision expire(const struct queue_entry *entry, const struct queue_now *now)
{
	return (struct queue_decision){
		.what = QUEUE_DO_EXPIRE,
		.entry = entry,
		.reason = now->output_ready ? REASON_EXPIRED : REASON_OUTPUT_LOST,
	};
}

struct queue_decision queue_decide(const struct queue *queue, const struct queue_now *now)
{
	struct queue_decision decision = { .what = QUEUE_DO_NOTHING, .wake_us = TIME_NEVER };
	const struct queue_entry *next = NULL;
	bool may_play = now->output_ready && !now->busy;

	/* All expire before any plays: what is over must not look as if it waited. */
	for (size_t i = 0; i < queue->count; i++) {
		const struct queue_entry *entry = queue->entries + i;
		if (has_expired(entry, now))
			return expire(entry, now);
		if (now->trusted)
			decision.wake_us = earlier(
				decision.wake_us, entry->announcement->expires_us);
		if (!may_play || next || !is_admitted(entry, now))
			continue;
		if (ripe_us(entry, now) <= now->real_us)
			next = entry;
		else
			decision.wake_us = earlier(decision.wake_us, ripe_us(entry, now));
	}
	return next ? play(next, now) : decision;
}

static enum queue_wait why_waits(const struct queue_entry *entry, const struct queue_now *now)
{
	if (!entry->durable && !is_emergency(entry))
		return QUEUE_WAIT_STORE;
	if (is_timed(entry) && !now->trusted)
		return QUEUE_WAIT_CLOCK;
	if (is_timed(entry) && entry->announcement->start_us - QUEUE_PREPARE_US > now->real_us)
		return QUEUE_WAIT_START;
	return now->output_ready ? QUEUE_WAIT_NONE : QUEUE_WAIT_OUTPUT;
}

size_t queue_list(const struct queue *queue, const struct queue_now *now,
	const struct queue_entry **ret_entries, enum queue_wait *ret_waits, size_t max)
{
	bool next_seen = false;
	size_t count = 0;

	for (; count < queue->count && count < max; count++) {
		enum queue_wait wait = why_waits(queue->entries + count, now);
		if (wait == QUEUE_WAIT_NONE && next_seen)
			wait = QUEUE_WAIT_BEHIND;
		next_seen |= wait == QUEUE_WAIT_NONE;
		ret_entries[count] = queue->entries + count;
		ret_waits[count] = wait;
	}
	return count;
}
