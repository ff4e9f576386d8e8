/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The broker link: a thread that is libmosquitto's only caller, with a poll loop and a reconnect
 * (exponential with jitter) of its own. It carries bytes and parses none of them.
 *
 *   main ── mqtt_publish() (inbox) ──▶ thread ── broker
 *   main ◀── struct mqtt_event (inbox) ── thread
 *
 * Sessions are clean: what must survive is retained on the broker and sequenced in the store, so
 * a session of the broker's would only add a second truth (docs/decisions/). After a reconnect
 * everything is subscribed anew and main publishes its state again (MQTT_CONNECTED).
 *
 * While connected and idle the thread sleeps until the socket, a kick, or until nothing has come
 * for a keepalive, when the library pings. When half a keepalive later still nothing came, the link
 * is dead (daemon/wire.h knows when the last byte came). What main has not freed yet is bounded by
 * count (its inbox) and by bytes; above that, reading pauses and the broker holds back the rest.
 */
#pragma once

#include "base/error.h"
#include "base/inbox.h"
#include "conf/broker.h"
#include <stdbool.h>
#include <stdint.h>

#define MQTT_RECONNECT_MIN_MS 1000
#define MQTT_RECONNECT_MAX_MS 60000
/* A link counts as good, and the back-off begins anew, when it has been up for so long: else a
 * broker that closes each time would be hammered. */
#define MQTT_GOOD_US INT64_C(5000000)
/* The same after another client came with our client id: longer than the other's longest delay, or
 * the two would take the link from each other for ever at the shortest (FAULTS E5). */
#define MQTT_NAMESAKE_US (INT64_C(2) * MQTT_RECONNECT_MAX_MS * 1000)

/* A recording of 16 MiB, its topic and properties. A broker drops what is larger before it is sent;
 * one that does not is left, and no memory is spent on what it announces (FAULTS E6). */
#define MQTT_PACKET_MAX (16 * 1024 * 1024 + 64 * 1024)
/* On every topic but loalang/<site>/media/…; what is larger than an announcement may be and below
 * this comes as it is, to be refused with a receipt that shows what it was. */
#define MQTT_PAYLOAD_MAX      (2 * 64 * 1024)
#define MQTT_EVENTS_BYTES_MAX (8 * 1024 * 1024) /* that main may hold before reading pauses */
#define MQTT_OUTGOING_MAX     4096              /* messages that may wait for the thread */

struct mqtt_budget; /* how many bytes main holds */

struct mqtt_event {
	struct inbox_link link;
	struct mqtt_budget *budget; /* the link's own, like `charged_bytes` */
	size_t charged_bytes;
	enum mqtt_event_what {
		MQTT_CONNECTED,    /* connected and subscribed */
		MQTT_DISCONNECTED, /* error says why; a reconnect is under way */
		MQTT_MESSAGE,
		MQTT_PUBLISHED, /* the broker has taken the QoS 1 message of this token */
	} what;
	char *topic;
	char *payload; /* NUL-terminated behind its `length` bytes; may be taken out (NULL) */
	size_t length;
	bool retained;
	bool oversize; /* larger than its topic may be: `length` is right, `payload` is empty */
	char *response_topic; /* of a request (MQTT 5), fit to publish to; NULL: none */
	char *correlation;    /* its Correlation Data, `correlation_length` bytes; NULL: none */
	size_t correlation_length;
	bool taken_over; /* MQTT_CONNECTED, MQTT_DISCONNECTED: another has our client id */
	uint64_t token;
	struct error error;
};
void mqtt_event_free(struct inbox_link *event);

struct mqtt_config { /* copied where needed; `broker` is borrowed */
	const struct broker_config *broker;
	const char *client_id;
	const char *will_topic, *will_payload; /* retained, QoS 1 */
	const char *const *subscriptions;      /* NULL-terminated topic filters, QoS 1 */
	/* More of them, NULL: none. Of what comes by these, `retained` says that it was there before we
	 * subscribed; of all other messages, that they were sent so. */
	const char *const *standing;
	/* Named by the client id, so that all who use it share it; NULL: none. Each link leaves its mark
	 * there, retained: who finds the mark of another, and then another one, has a namesake. (MQTT 5
	 * tells the one who has to go, but Mosquitto before 2.0.15 just closes.) */
	const char *client_topic;
};

struct mqtt;

/* NULL with errno. `events` is borrowed. */
struct mqtt *mqtt_start(const struct mqtt_config *config, struct inbox *events) _must_check_;
/* Publishes what waits, disconnects properly (the will is not sent) and joins: 0 and freed, or
 * -ETIMEDOUT (a connect or a name server hangs; the process must _exit). */
int mqtt_stop(struct mqtt *mqtt, int timeout_ms) _must_check_;

/* Main only. QoS 1. `token` 0: no MQTT_PUBLISHED wanted. Copies. While not connected the message
 * is dropped by the thread: main publishes state again on MQTT_CONNECTED, and receipts have their
 * outbox. -ENOBUFS: too many wait. */
int mqtt_publish(struct mqtt *mqtt, const char *topic, const char *payload, bool retain,
	uint64_t token) _must_check_;

/* The answer to a request: QoS 1, not retained, with its correlation data (NULL: none). */
int mqtt_reply(struct mqtt *mqtt, const char *topic, const char *payload, const char *correlation,
	size_t correlation_length) _must_check_;
/* Subscribes to (or unsubscribes from) one more topic, on this connection only: after a
 * MQTT_CONNECTED main asks again for what it still wants. A refusal is logged, and nothing comes. */
int mqtt_subscribe(struct mqtt *mqtt, const char *topic) _must_check_;
int mqtt_unsubscribe(struct mqtt *mqtt, const char *topic) _must_check_;

/* The link has been up for so long that what was wrong with the last one is over: MQTT_GOOD_US, or
 * MQTT_NAMESAKE_US after a loss with `taken_over`. Any thread. */
bool mqtt_steady(const struct mqtt *mqtt);

void mqtt_kick(struct mqtt *mqtt); /* health */
/* Counts the thread's turns. It does not move while a connect is under way, which is bounded by
 * the system; mqtt_connecting() tells. */
uint64_t mqtt_turns(const struct mqtt *mqtt);
bool mqtt_connecting(const struct mqtt *mqtt);

/* The delay before attempt number `attempt` (0, 1, …): doubles from MIN to MAX; `random` in
 * [0, 1) spreads it over half to all of that, so that a village does not return in one instant. */
int mqtt_backoff_ms(unsigned attempt, double random);
