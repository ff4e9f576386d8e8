/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests (docs/PROTOCOL.md, "Requests"): JSON in on node/<node>/request/<what>, one JSON object
 * out to the MQTT 5 Response Topic, with the Correlation Data. Whatever cannot be answered as asked
 * is answered with {"error": {"reason", "detail"}}; without a Response Topic there is only a log
 * line. Nothing here changes any state of the node's.
 *
 * `read` and `queue` are answered at once; `history` asks the store and is answered when the store
 * has answered (request_on_history()). Main's.
 */
#pragma once

#include "base/cleanup.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_PAYLOAD_MAX     65536 /* bytes */
#define REQUEST_TOPIC_MAX       512   /* bytes of a Response Topic */
#define REQUEST_CORRELATION_MAX 1024  /* bytes */
#define REQUEST_UNDER_WAY_MAX   16    /* questions to the store; more are refused: "queue-full" */
#define REQUEST_RECEIPTS_MAX    500   /* of an answer to `history` */
#define REQUEST_HISTORY_SINCE   "1d"  /* back from now, where `since` is not given */

struct mqtt_event;
struct node;
struct store_event;

struct request_question { /* to the store; `topic` NULL: the place is free */
	uint64_t token;
	uint64_t after; /* the sequence it was asked to go on after */
	char *topic;
	char *correlation; /* NULL: none */
	size_t correlation_length;
};

struct requests { /* a member of struct node; zeroed is empty */
	struct request_question under_way[REQUEST_UNDER_WAY_MAX];
	uint64_t last_token;
	int64_t busy_until_mono_us; /* the share of main's time that readings may take */
};
void requests_done(struct requests *requests);

/* A message on node/<this node>/request/<what>. */
void request_on_message(struct node *node, const char *what, const struct mqtt_event *event);
/* STORE_HISTORY. A token that is not known any more is passed over. */
void request_on_history(struct node *node, const struct store_event *event);

/* Whether an answer may be published on `topic`: valid, without wildcards, not of the broker's own
 * ($…), and not one that a node of any site obeys or reports on: whoever may only ask must not
 * speak with a node's voice. Pure. */
bool request_topic_allowed(const char *topic) _must_check_;
