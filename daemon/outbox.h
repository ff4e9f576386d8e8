/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The outbox of receipts: a receipt is written to the store, then read from it and published in
 * order; the store keeps a note of the last one that the broker has taken. So a receipt is never
 * seen before it (and the announcement it speaks of, which is in the same transaction) is on disk,
 * and none is lost while the link is down or the node is off. Memory is flat: what waits is on the
 * disk, a few are under way. Main's.
 *
 *   outbox_add → store_put_receipt … durable → store_read_receipts … publish → PUBACK →
 *   store_receipts_taken
 *
 * A power cut between PUBACK and that note sends a receipt twice: the same, word for word.
 */
#pragma once

#include "daemon/mqtt.h"
#include "scheduler/receipt.h"
#include "scheduler/store.h"

#define OUTBOX_UNDER_WAY_MAX 32

struct outbox {
	struct store *store; /* borrowed */
	struct mqtt *mqtt;   /* borrowed */
	char *topic;
	bool connected;
	bool reading;            /* a store_read_receipts() has not been answered */
	bool more;               /* the store may have some that were not read */
	uint64_t next_sequence;  /* of the next receipt that is made */
	uint64_t sent_sequence;  /* up to here they were published on this connection */
	uint64_t taken_sequence; /* up to here the broker has them */
	/* Of the store: */
	uint64_t newest_ticket;  /* of the receipt that was made last */
	uint64_t durable_ticket; /* up to here all is on disk */
	uint64_t asked_ticket;   /* what was durable at the last store_read_receipts() */
};

/* `next_sequence`, `taken_sequence`: of STORE_LOADED. What was not taken is sent. */
void outbox_init(struct outbox *outbox, struct store *store, const char *topic,
	uint64_t next_sequence, uint64_t taken_sequence);
void outbox_done(struct outbox *outbox);

/* Puts the receipt into the store (to be flushed by the caller with what belongs to it). */
void outbox_add(struct outbox *outbox, const struct receipt *receipt);

void outbox_on_connected(struct outbox *outbox, struct mqtt *mqtt);
void outbox_on_disconnected(struct outbox *outbox);
void outbox_on_durable(struct outbox *outbox, uint64_t ticket);
void outbox_on_receipts(struct outbox *outbox, const struct store_receipt *receipts, size_t count);
void outbox_on_published(struct outbox *outbox, uint64_t token);
