/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Entries of a queue, one by one and in order. Of scheduler/queue only.
 */
#pragma once

#include "scheduler/queue.h"

struct queue_entry *queue_entry_new(const struct queue_offer *offer) _must_check_;
bool queue_entry_is_emergency(const struct queue_entry *entry);
bool queue_entry_is_background(const struct queue_entry *entry);
/* When it was to begin: its start, else its arrival. */
int64_t queue_entry_due_us(const struct queue_entry *entry);
/* Predicted length of what is still to be said; 0: not known. */
double queue_entry_remaining_s(const struct queue_entry *entry);
/* Sets why it ends. The first cause stays, but a final one takes the place of one that is not. */
void queue_entry_end(struct queue_entry *entry, enum queue_cause cause);

/* Pointers to entries in the order in which they would play; the entries are owned. */
struct queue_order {
	struct queue_place {
		uint32_t hash; /* of the id: what is looked for is found without a look into each */
		struct queue_entry *entry;
	} *places;
	size_t count, capacity;
	size_t emergencies; /* how many of them; they come first */
};

void queue_order_done(struct queue_order *order);
void queue_order_insert(struct queue_order *order, struct queue_entry *entry);
/* Takes the entry out: the caller owns it. */
struct queue_entry *queue_order_take(struct queue_order *order, size_t place) _must_check_;
/* The first place at or after `from` that holds `id`; order->count: none. */
size_t queue_order_find(const struct queue_order *order, const char *id, size_t from);
/* Of the emergencies, or of all others: the oldest one of the lowest priority; order->count: none. */
size_t queue_order_lowest(const struct queue_order *order, bool of_emergencies);
