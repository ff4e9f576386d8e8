/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions to nodes (docs/PROTOCOL.md, "Requests"): all nodes are asked at the same time, each of
 * them page after page.
 */
#pragma once

#include "base/json.h"
#include "cli/broker.h"
#include "cli/command.h"

#define INQUIRY_TIMEOUT_US (5 * US_PER_SEC) /* of one page, unless told otherwise */

enum inquiry_state {
	INQUIRY_TO_ASK, /* its next page is wanted */
	INQUIRY_ASKED,
	INQUIRY_DONE,
	INQUIRY_SILENT, /* off, or no answer in time */
	INQUIRY_FAILED, /* it has answered with an error */
};

struct inquiry { /* one node */
	char *node;
	struct json *status;
	enum inquiry_state state;
	unsigned page;
	int64_t cursor; /* where its next page begins */
	int64_t until_mono_us;
};

struct inquiries {
	const struct session *session;
	const char *what; /* the request: "history" */
	int64_t timeout_us;
	/* The next question as JSON; the caller frees. */
	char *(*question)(const struct inquiry *inquiry, void *context);
	/* Takes an answer that is no error, and says where the next page begins (always further on than
	 * this one), if there is one. -1: it cannot be understood. */
	int64_t (*take)(const struct inquiry *inquiry, const struct json *answer, bool *ret_more,
		void *context);
	void *context;
	/* Filled by the functions below: */
	char *reply_topic;
	struct inquiry *list;
	size_t count;
};

void inquiries_done(struct inquiries *inquiries);

/* A node and its status, both of which are taken. It is asked unless it is off, from `cursor` on. The
 * result is borrowed until the next call. */
struct inquiry *inquiries_add(
	struct inquiries *inquiries, char *node, struct json *status, int64_t cursor);

/* Whether that output of the node (NULL: any) listens to one of the zones (none: any zone). What is not
 * known of a node that is off counts as no. */
bool inquiry_serves(
	const struct inquiry *inquiry, const char *output, const struct option_names *zones);

/* Asks until all have said all, or are silent. `broker` gives its messages to inquiries_on_message().
 * -errno with *error: the broker is lost, or refuses (-EACCES). */
int inquiries_ask(
	struct inquiries *inquiries, struct broker *broker, struct error *error) _must_check_;
void inquiries_on_message(const struct broker_message *message, void *inquiries);

/* Names those that have not answered. CLI_REFUSED: one could not; CLI_UNANSWERED: one did not. */
enum cli_status inquiries_conclude(const struct inquiries *inquiries);
