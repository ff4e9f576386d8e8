/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the broker keeps (retained messages), gathered once for a command. */
#pragma once

#include "cli/broker.h"
#include "cli/command.h"

#define GATHER_MESSAGES_MAX 10000

struct gathered_message {
	char *topic; /* without "loalang/<site>/" */
	char *payload;
	size_t length;
};

struct gathered {     /* ordered by topic */
	char *prefix; /* "loalang/<site>/" */
	struct gathered_message *list;
	size_t count;
	/* For what comes after, on the same link; set it when all was gathered. NULL: nothing. */
	broker_on_message on_live;
	void *context;
};

/* Connects, subscribes to the topics (below the site) and gathers. The link stays open in
 * *ret_broker for what follows. False with *ret_status after complaining. */
bool gather(struct session *session, const char *const topics[], size_t count,
	struct gathered *ret_gathered, struct broker **ret_broker,
	enum cli_status *ret_status) _must_check_;
void gathered_done(struct gathered *gathered);

/* "loalang/<site>/<rest>"; the caller frees. */
char *topic_of(const struct session *session, const char *format, ...) _must_check_ _printf_(2, 3);
/* The level `index` (from 0) of a topic below the site: "node/ubnd/status", 1 → "ubnd"; "" if there
 * is none. The caller frees. */
char *topic_level(const char *topic, size_t index) _must_check_;
