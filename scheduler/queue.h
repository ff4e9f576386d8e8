/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queue of one output: what waits, in what order, and what to do now. A pure state machine:
 * values in, decisions out; `now` is an argument; no thread, no clock, no I/O.
 *
 * Order: priority (highest first), then start (none given counts as arrival), then arrival. Not
 * interrupting what plays: that comes with the rules of interruption. An entry is "ripe" when it is
 * durable (or an emergency, which does not wait for the disk) and its start is at most
 * QUEUE_PREPARE_US away; among the ripe ones the first in order plays. An entry whose `expires` has
 * come, and that has not begun, expires. While time is not trusted nothing timed ripens and nothing
 * expires.
 */
#pragma once

#include "scheduler/announcement.h"

#define QUEUE_ENTRIES_MAX     1000 /* besides emergencies, which have their own: */
#define QUEUE_EMERGENCIES_MAX 50
#define QUEUE_PREPARE_US      (3 * US_PER_SEC) /* rendering begins this long before the start */

struct queue_entry {
	struct announcement *announcement; /* a reference of the queue's own */
	int64_t arrival_us;                /* real */
	uint64_t sequence;                 /* order of arrival, also over restarts */
	bool durable;
};

struct queue;

struct queue *queue_new(void) _must_check_;
struct queue *queue_free(struct queue *queue);
DEFINE_CLEANUP(struct queue *, queue_free)

/* Adds (taking a reference). -ENOSPC: full. */
int queue_add(struct queue *queue, struct announcement *announcement, int64_t arrival_us,
	uint64_t sequence, bool durable) _must_check_;
/* The entry of `id`, or NULL. Borrowed until the next change. */
const struct queue_entry *queue_find(const struct queue *queue, const char *id);
void queue_set_durable(struct queue *queue, const char *id);
/* Takes the entry of `id` out; the caller gets the queue's reference, NULL if there is none. */
struct announcement *queue_remove(struct queue *queue, const char *id) _must_check_;

enum queue_wait {          /* why an entry waits, for the queue topic; queue_wait_name() */
	QUEUE_WAIT_NONE,   /* it is next */
	QUEUE_WAIT_START,  /* its start has not come */
	QUEUE_WAIT_BEHIND, /* others go first */
	QUEUE_WAIT_STORE,  /* not on disk yet */
	QUEUE_WAIT_CLOCK,  /* time is not trusted */
	QUEUE_WAIT_OUTPUT, /* the output is lost */
};
const char *queue_wait_name(enum queue_wait wait);

struct queue_now {
	int64_t real_us;
	bool trusted;      /* scheduler/trust */
	bool output_ready; /* the device can play */
	bool busy;         /* something plays or is being prepared */
	int64_t free_us;   /* nothing may start before this (end of the last + gap); TIME_UNSET: any
			      time */
};

struct queue_decision {
	enum { QUEUE_DO_NOTHING, QUEUE_DO_PLAY, QUEUE_DO_EXPIRE } what;
	const struct queue_entry *entry; /* to play or to expire; still in the queue */
	int64_t start_us;                /* QUEUE_DO_PLAY: real; TIME_UNSET: at once */
	enum reason reason; /* QUEUE_DO_EXPIRE: REASON_EXPIRED, or REASON_OUTPUT_LOST */
	int64_t wake_us;    /* QUEUE_DO_NOTHING: decide again then (real); TIME_NEVER */
};

/* What to do now. The caller does it (removing the entry) and asks again until NOTHING. */
struct queue_decision queue_decide(const struct queue *queue, const struct queue_now *now);

size_t queue_length(const struct queue *queue);
/* The entries in order with why each waits; fills at most `max`, returns how many. */
size_t queue_list(const struct queue *queue, const struct queue_now *now,
	const struct queue_entry **ret_entries, enum queue_wait *ret_waits, size_t max);
