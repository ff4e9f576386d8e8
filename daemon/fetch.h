/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fetching recordings: which ones the waiting announcements name, which of these the broker is
 * asked for (a topic is subscribed to only while its bytes are missing), and whether there is still
 * hope for one. Main's; a part of the node's state.
 */
#pragma once

#include "daemon/media.h"
#include "scheduler/queue.h"
#include <stddef.h>

#define FETCH_WANTED_MAX 2048 /* different recordings at a time */
/* Asked for at once. (How much of the answers is held in memory is bounded by the link.) */
#define FETCH_ASKED_MAX 16
/* The broker has not sent it so long after it was asked: the next one has its turn. */
#define FETCH_TURN_US INT64_C(2000000)

/* After the start, and after each connect. */
#define FETCH_PATIENCE_US INT64_C(10000000)
#define FETCH_LOOK_US     INT64_C(120000000)

struct node;

struct fetch_wanted {
	char sha256[SHA256_TEXT_SIZE];
	unsigned count; /* queue entries that name it */
	bool asked;     /* subscribed on this connection */
	bool refused;   /* what came on this connection was bad: it would be again */
	int64_t asked_mono_us;
	int64_t turn_mono_us; /* when it was asked last on this connection; 0: not yet */
};

struct fetch {
	struct fetch_wanted *list;
	size_t count, capacity;
	bool listed; /* what lies in the folder is known */
	/* Until then nothing is given up: the node, or the link, has only just begun. */
	int64_t patient_until_mono_us;
	int64_t until_mono_us; /* the longest that what lies in the folder may take to be looked at */
};

void fetch_init(struct fetch *fetch);
void fetch_done(struct fetch *fetch);

/* An entry of a queue has come that may name recordings; or it has gone. */
void fetch_want(struct node *node, const struct announcement *announcement);
void fetch_unwant(struct node *node, const struct announcement *announcement);
/* What is to be expected of the recordings of this announcement: of the one that is furthest away. */
enum queue_media fetch_state(const struct node *node, const struct announcement *announcement);

/* Asks for what is missing, as far as there is room; to be called when something has changed, and
 * from the health tick. */
void fetch_pump(struct node *node);
void fetch_on_connected(struct node *node);
/* The bytes have come. */
void fetch_on_bytes(struct node *node, const char *sha256, const char *payload, size_t length);
void fetch_on_event(struct node *node, const struct media_event *event);
