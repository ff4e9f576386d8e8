/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commands' link to the broker: MQTT 5 by libmosquitto (its only user in cli/), one thread,
 * one poll loop of its own, every wait with a limit. It does not reconnect: a command that loses
 * its broker says so and ends.
 */
#pragma once

#include "base/error.h"
#include "conf/broker.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BROKER_TIMEOUT_MS 5000 /* to connect; and for each answer of the broker */
#define BROKER_QUIET_MS   300  /* without a message: all that was retained has come */

struct broker_message { /* borrowed, for the length of the call */
	const char *topic;
	const char *payload; /* a NUL follows it */
	size_t length;
	bool retained;           /* it was there before we subscribed */
	const char *correlation; /* of an answer: what came with the question; NULL: none */
};

/* Called from within the functions below. May not call them. */
typedef void (*broker_on_message)(const struct broker_message *message, void *context);

struct broker;

/* NULL with *error. */
struct broker *broker_connect(const struct broker_config *config, broker_on_message on_message,
	void *context, struct error *error) _must_check_;
struct broker *broker_disconnect(struct broker *broker);
DEFINE_CLEANUP(struct broker *, broker_disconnect)

/* Subscribes and waits for the broker's answer. -errno with *error. */
int broker_subscribe(
	struct broker *broker, const char *topic, int qos, struct error *error) _must_check_;

/* Waits until all retained messages of the subscriptions have come. -errno with *error. */
int broker_settle(struct broker *broker, struct error *error) _must_check_;

struct broker_publication {
	const char *topic;
	const char *payload; /* a text, or `length` bytes of anything */
	size_t length;       /* 0: up to its NUL */
	bool retain;
	int64_t expiry_us; /* the broker forgets it after that long; 0: never */
	/* Of a question: where the answer is to go, and what comes back with it; NULL: none. */
	const char *response_topic, *correlation;
};

/* Publishes (QoS 1) and waits for the broker's answer, for something large as long as a slow line
 * takes. -EACCES: refused; -EMSGSIZE: larger than the broker takes. -errno with *error. */
int broker_publish(struct broker *broker, const struct broker_publication *publication,
	struct error *error) _must_check_;

/* Receives until `done(context)` or the monotonic instant. 1: done; 0: time is up; -errno with
 * *error. `done` is asked after each turn of the loop. */
int broker_wait(struct broker *broker, int64_t until_mono_us, bool (*done)(void *context),
	void *context, struct error *error) _must_check_;
