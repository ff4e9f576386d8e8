/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What nodes say to something that was published for them: listened to, waited for, shown. */
#pragma once

#include "cli/broker.h"
#include "cli/command.h"
#include "cli/tally.h"

#define REPLIES_ACCEPTED_US (INT64_C(10) * 1000000) /* how long `accepted` is waited for */

struct replies {
	const struct session *session;
	struct tally *tally;
	enum tally_wait wait; /* as the tally's */
	const char *title;    /* above the table: "Bản tin hop-thon" */
	bool published;       /* what nodes say from now on is about it */
};

/* For broker_connect(), or for what is live on a link that has gathered. */
void replies_on_message(const struct broker_message *message, void *replies);
/* Status and receipts of all nodes. -errno with *error. */
int replies_listen(
	struct replies *replies, struct broker *broker, struct error *error) _must_check_;
/* Waits for the answers (not for long when no node is known), then shows them, and names those that
 * are missing. */
enum cli_status replies_await(struct replies *replies, struct broker *broker, int64_t timeout_us);
