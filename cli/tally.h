/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The count of who has answered: the outputs that are known to serve an announcement's zones
 * (from the nodes' status) against the receipts that come in. A value; pure.
 */
#pragma once

#include "base/cleanup.h"
#include "base/json.h"
#include "scheduler/receipt.h"
#include <stdbool.h>
#include <stddef.h>

enum tally_wait { TALLY_ACCEPTED, TALLY_STARTED, TALLY_FINISHED }; /* what is waited for */
extern const char *const tally_wait_names[];                       /* NULL-terminated */

enum tally_state {
	TALLY_WAITING, /* has not answered (enough) */
	TALLY_REACHED, /* what was waited for has come */
	TALLY_FAILED,  /* it will not come any more: rejected, or ended otherwise */
};

struct tally_row {
	char *node;
	char *output; /* NULL: the node as a whole, its outputs are not known */
	bool absent;  /* the node was off before we asked: it is not waited for */
	bool unclear; /* absent, and not known to serve the zones at all: it is not counted */
	enum tally_state state;
	bool heard; /* the rest is of the last receipt */
	enum receipt_event event;
	char *at;              /* RFC 3339 */
	double seconds_played; /* NAN: not said */
	char *reason, *detail;
};

struct tally_config { /* borrowed */
	const char *id;
	int64_t revision;
	const char *const *zones;
	size_t zones_count;
	enum tally_wait wait;
};

struct tally;

struct tally *tally_new(const struct tally_config *config) _must_check_;
struct tally *tally_free(struct tally *tally);
DEFINE_CLEANUP(struct tally *, tally_free)

/* A status of `node`. `before`: it was there before the announcement was published; only then is a
 * node taken for absent, for one that goes off later may come back and answer. */
void tally_add_status(
	struct tally *tally, const char *node, const struct json *status, bool before);
/* A receipt of `node`. False: it is not about our announcement. */
bool tally_add_receipt(struct tally *tally, const char *node, const struct json *receipt);

/* Some output or node that could answer is known. */
bool tally_known(const struct tally *tally);
/* Nothing is left to wait for. */
bool tally_done(const struct tally *tally);

struct tally_counts {
	size_t reached, failed, waiting; /* absent ones count as waiting, unclear ones nowhere */
};
struct tally_counts tally_counts(const struct tally *tally);

/* Ordered by node and output; NULL after the last. Borrowed until the next change. */
const struct tally_row *tally_row(const struct tally *tally, size_t index);
