/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests (docs/PROTOCOL.md, "Requests"): JSON in on node/<node>/request/<what>, one JSON object
 * out to the MQTT 5 Response Topic, with the Correlation Data. Whatever cannot be answered as asked
 * is answered with {"error": {"reason", "detail"}}; without a Response Topic there is only a log
 * line. Nothing here changes any state of the node's.
 *
 * `read` and `queue` are answered at once; `history` asks the store and is answered when the store
 * has answered (request_on_history()); `plan` when it has been computed (daemon/planning). Main's.
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
#define REQUEST_PLANS_MAX       2     /* plans that are computed at a time; more are refused */
#define REQUEST_RECEIPTS_MAX    500   /* of an answer to `history` */
#define REQUEST_HISTORY_SINCE   "1d"  /* back from now, where `since` is not given */
#define REQUEST_ANSWERS_MAX     (2 * 1024 * 1024) /* bytes a second; the store paces `history` */

struct mqtt_event;
struct node;
struct planning;
struct store_event;

struct request_question {          /* that is answered later; `topic` NULL: the place is free */
	uint64_t token;            /* to the store */
	uint64_t after;            /* the sequence it was asked to go on after */
	struct planning *planning; /* of a plan */
	char *topic;
	char *correlation; /* NULL: none */
	size_t correlation_length;
};

struct requests { /* a member of struct node; zeroed is empty */
	struct request_question under_way[REQUEST_UNDER_WAY_MAX]; /* to the store */
	struct request_question plans[REQUEST_PLANS_MAX];
	uint64_t last_token;
	/* Accounts: even at that instant; what is later than now is owed. */
	int64_t busy_until_mono_us;   /* the share of main's time that answers may take */
	int64_t answer_until_mono_us; /* the bytes of answers, at REQUEST_ANSWERS_MAX a second */
};
void requests_done(struct requests *requests);

/* What may be owed, in credits: a flood of readings leaves some for questions about the queue, and
 * a flood of both some for saying no. */
enum request_credit { REQUEST_READ = 1, REQUEST_QUEUE, REQUEST_REFUSAL };
/* Whether neither account owes more than that. Pure, as are those that bill. */
bool requests_afford(const struct requests *requests, int64_t now_mono_us,
	enum request_credit credits) _must_check_;
void requests_bill_work(struct requests *requests, int64_t now_mono_us, int64_t worked_us);
void requests_bill_answer(struct requests *requests, int64_t now_mono_us, size_t bytes);

/* A message on node/<this node>/request/<what>. */
void request_on_message(struct node *node, const char *what, const struct mqtt_event *event);
/* STORE_HISTORY. A token that is not known any more is passed over. */
void request_on_history(struct node *node, const struct store_event *event);

/* Whether an answer may be published on `topic`: valid, without wildcards, not of the broker's own
 * ($…), and not one that a node of any site obeys or reports on: whoever may only ask must not
 * speak with a node's voice. Pure. */
bool request_topic_allowed(const char *topic) _must_check_;
