/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/queue_entry.h"
#include "base/strbuf.h"

#include <string.h>

struct queue_entry *queue_entry_new(const struct queue_offer *offer)
{
	struct queue_entry *entry = xcalloc(1, sizeof *entry);

	*entry = (struct queue_entry){
		.announcement = announcement_ref(offer->announcement),
		.arrival_us = offer->arrival_us,
		.sequence = offer->sequence,
		.durable = offer->durable,
		.waited = offer->waited,
		.run.begun_us = TIME_UNSET,
		.seconds = offer->seconds,
		.start_us = TIME_UNSET,
		.started_us = TIME_UNSET,
		.counted_us = TIME_UNSET,
	};
	return entry;
}

struct queue_entry *queue_entry_free(struct queue_entry *entry)
{
	if (!entry)
		return NULL;
	announcement_unref(entry->announcement);
	free(entry);
	return NULL;
}

bool queue_entry_is_emergency(const struct queue_entry *entry)
{
	return entry->announcement->priority == PRIORITY_EMERGENCY;
}

bool queue_entry_is_background(const struct queue_entry *entry)
{
	return entry->announcement->priority == PRIORITY_BACKGROUND;
}

int64_t queue_entry_due_us(const struct queue_entry *entry)
{
	int64_t start_us = entry->announcement->start_us;

	return start_us != TIME_UNSET ? start_us : entry->arrival_us;
}

double queue_entry_remaining_s(const struct queue_entry *entry)
{
	double remaining_s = entry->seconds -
			     (double)(entry->from.played_us + entry->skipped_us) / US_PER_SEC;

	return remaining_s > 0 ? remaining_s : 0;
}

void queue_entry_end(struct queue_entry *entry, enum queue_cause cause)
{
	if (entry->cause == QUEUE_CAUSE_NONE ||
		(queue_cause_final(cause) && !queue_cause_final(entry->cause)))
		entry->cause = cause;
}

/* --- In order -------------------------------------------------------------------------------- */

static bool is_occurrence(const struct queue_entry *entry)
{
	return entry->announcement->late_us >= 0;
}

static bool goes_before(const struct queue_entry *a, const struct queue_entry *b)
{
	int64_t a_us = queue_entry_due_us(a), b_us = queue_entry_due_us(b);

	if (a->announcement->priority != b->announcement->priority)
		return a->announcement->priority > b->announcement->priority;
	if (a_us != b_us)
		return a_us < b_us;
	/* Occurrences of one instant are in the same order on every node, however they came. */
	if (is_occurrence(a) != is_occurrence(b))
		return is_occurrence(a);
	int order = is_occurrence(a) ? strcmp(a->announcement->id, b->announcement->id) : 0;
	return order ? order < 0 : a->sequence < b->sequence;
}

/* FNV-1a */
static uint32_t hash_of(const char *id)
{
	uint32_t hash = UINT32_C(2166136261);

	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * UINT32_C(16777619);
	return hash;
}

void queue_order_done(struct queue_order *order)
{
	for (size_t i = 0; i < order->count; i++)
		queue_entry_free(order->places[i].entry);
	free(order->places);
	*order = (struct queue_order){ 0 };
}

/* Behind everything that goes before it. */
static size_t place_of(const struct queue_order *order, const struct queue_entry *entry)
{
	size_t low = 0, high = order->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (goes_before(entry, order->places[middle].entry))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void queue_order_insert(struct queue_order *order, struct queue_entry *entry)
{
	size_t place = place_of(order, entry);

	if (order->count == order->capacity) {
		order->capacity = order->capacity ? order->capacity * 2 : 16;
		order->places = xreallocarray(
			order->places, order->capacity, sizeof *order->places);
	}
	memmove(order->places + place + 1, order->places + place,
		(order->count - place) * sizeof *order->places);
	order->places[place] = (struct queue_place){ hash_of(entry->announcement->id), entry };
	order->count++;
	order->emergencies += queue_entry_is_emergency(entry);
}

struct queue_entry *queue_order_take(struct queue_order *order, size_t place)
{
	struct queue_entry *entry = order->places[place].entry;

	order->count--;
	order->emergencies -= queue_entry_is_emergency(entry);
	memmove(order->places + place, order->places + place + 1,
		(order->count - place) * sizeof *order->places);
	return entry;
}

size_t queue_order_find(const struct queue_order *order, const char *id, size_t from)
{
	uint32_t hash = hash_of(id);

	for (size_t i = from; i < order->count; i++)
		if (order->places[i].hash == hash &&
			strcmp(order->places[i].entry->announcement->id, id) == 0)
			return i;
	return order->count;
}

size_t queue_order_lowest(const struct queue_order *order, bool of_emergencies)
{
	size_t begin = of_emergencies ? 0 : order->emergencies;
	size_t end = of_emergencies ? order->emergencies : order->count;
	size_t lowest = order->count;

	for (size_t i = end; i > begin; i--) {
		const struct queue_entry *entry = order->places[i - 1].entry;
		const struct queue_entry *found = lowest < order->count
							  ? order->places[lowest].entry
							  : NULL;
		if (found && found->announcement->priority != entry->announcement->priority)
			break;
		if (!found || entry->sequence < found->sequence)
			lowest = i - 1;
	}
	return lowest;
}
