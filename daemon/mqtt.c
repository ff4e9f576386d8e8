/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/mqtt.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "base/thread.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#define CONNACK_TIMEOUT_US    (10 * US_PER_SEC)
#define INFLIGHT_TOKENS       64
#define PASSWORD_MAX          256
#define BACK_PRESSURE_POLL_MS 20

enum link_state { LINK_DOWN, LINK_GREETING /* CONNECT sent */, LINK_SUBSCRIBING, LINK_UP };

struct outgoing {
	struct inbox_link link;
	char *topic, *payload;
	bool retain;
	uint64_t token;
};

struct mqtt {
	/* set at the start, read by both */
	const struct broker_config *broker;
	char *client_id, *will_topic, *will_payload;
	char **subscriptions;
	int subscriptions_count;
	struct inbox *events;   /* to main */
	struct inbox *outgoing; /* from main */
	struct thread thread;
	atomic_bool stopping, connecting;
	_Atomic uint64_t turns;

	/* the thread's own */
	struct mosquitto *client;
	enum link_state state;
	unsigned attempts;        /* failed ones since the last success */
	int64_t retry_mono_us;    /* LINK_DOWN: when to try again */
	int64_t deadline_mono_us; /* LINK_GREETING, LINK_SUBSCRIBING */
	int subscribe_mid;
	struct mqtt_event *unpushed; /* main's inbox was full: reading pauses until it fits */
	struct error cause;          /* of the last failure */
	uint64_t random;
	struct {
		int mid;
		uint64_t token;
	} tokens[INFLIGHT_TOKENS]; /* QoS 1 messages under way whose PUBACK main waits for */
};

void mqtt_event_free(struct inbox_link *link)
{
	struct mqtt_event *event = (struct mqtt_event *)link;

	free(event->topic);
	free(event->payload);
	free(event);
}

static void outgoing_free(struct inbox_link *link)
{
	struct outgoing *message = (struct outgoing *)link;

	free(message->topic);
	free(message->payload);
	free(message);
}

int mqtt_backoff_ms(unsigned attempt, double random)
{
	int64_t delay_ms = MQTT_RECONNECT_MIN_MS;

	while (attempt-- > 0 && delay_ms < MQTT_RECONNECT_MAX_MS)
		delay_ms *= 2;
	if (delay_ms > MQTT_RECONNECT_MAX_MS)
		delay_ms = MQTT_RECONNECT_MAX_MS;
	int64_t low_ms = delay_ms / 2 < MQTT_RECONNECT_MIN_MS ? MQTT_RECONNECT_MIN_MS
							      : delay_ms / 2;
	return (int)(low_ms + (int64_t)(random * (double)(delay_ms - low_ms)));
}

/* --- To main -------------------------------------------------------------------------------- */

/* Gives the event to main, or keeps it and pauses reading: the broker then holds back the rest. */
static void push_event(struct mqtt *mqtt, struct mqtt_event *event)
{
	if (!mqtt->unpushed && inbox_push(mqtt->events, &event->link) == 0)
		return;
	struct inbox_link **end = (struct inbox_link **)&mqtt->unpushed;
	while (*end)
		end = &(*end)->next;
	event->link.next = NULL;
	*end = &event->link;
}

static void push_unpushed(struct mqtt *mqtt)
{
	while (mqtt->unpushed) {
		struct mqtt_event *event = mqtt->unpushed;
		struct inbox_link *next = event->link.next;
		if (inbox_push(mqtt->events, &event->link) < 0) {
			event->link.next = next;
			return;
		}
		mqtt->unpushed = (struct mqtt_event *)next;
	}
}

static void push_simple(struct mqtt *mqtt, enum mqtt_event_what what, uint64_t token)
{
	struct mqtt_event *event = xcalloc(1, sizeof *event);

	event->what = what;
	event->token = token;
	if (what == MQTT_DISCONNECTED)
		event->error = mqtt->cause;
	push_event(mqtt, event);
}

/* --- The library's callbacks, all on the thread ----------------------------------------------- */

static void link_failed(struct mqtt *mqtt, const char *what, const char *why)
{
	(void)error_set(
		&mqtt->cause, 0, "%s %s:%d: %s", what, mqtt->broker->host, mqtt->broker->port, why);
}

static void on_connect(struct mosquitto *client, void *context, int code, int flags,
	const mosquitto_property *properties)
{
	struct mqtt *mqtt = context;
	int options = MQTT_SUB_OPT_RETAIN_AS_PUBLISHED;

	(void)flags;
	(void)properties;
	if (code != 0) {
		link_failed(mqtt, "refused by", mosquitto_reason_string(code));
		(void)mosquitto_disconnect(client);
		return;
	}
	int result = mosquitto_subscribe_multiple(client, &mqtt->subscribe_mid,
		mqtt->subscriptions_count, mqtt->subscriptions, 1, options, NULL);
	if (result != MOSQ_ERR_SUCCESS) {
		link_failed(mqtt, "cannot subscribe at", mosquitto_strerror(result));
		(void)mosquitto_disconnect(client);
		return;
	}
	mqtt->state = LINK_SUBSCRIBING;
}

static void on_subscribe(struct mosquitto *client, void *context, int mid, int count,
	const int *granted, const mosquitto_property *properties)
{
	struct mqtt *mqtt = context;

	(void)properties;
	if (mid != mqtt->subscribe_mid || mqtt->state != LINK_SUBSCRIBING)
		return;
	for (int i = 0; i < count; i++) {
		if (granted[i] <= 2)
			continue;
		link_failed(
			mqtt, "a subscription was refused by", mosquitto_reason_string(granted[i]));
		(void)mosquitto_disconnect(client);
		return;
	}
	mqtt->state = LINK_UP;
	mqtt->attempts = 0;
	push_simple(mqtt, MQTT_CONNECTED, 0);
}

static void on_message(struct mosquitto *client, void *context,
	const struct mosquitto_message *message, const mosquitto_property *properties)
{
	struct mqtt *mqtt = context;
	struct mqtt_event *event = xcalloc(1, sizeof *event);

	(void)client;
	(void)properties;
	event->what = MQTT_MESSAGE;
	event->topic = xstrdup(message->topic);
	event->length = (size_t)message->payloadlen;
	event->payload = xcalloc(event->length + 1, 1);
	if (event->length)
		memcpy(event->payload, message->payload, event->length);
	event->retained = message->retain;
	push_event(mqtt, event);
}

static void on_publish(struct mosquitto *client, void *context, int mid, int code,
	const mosquitto_property *properties)
{
	struct mqtt *mqtt = context;

	(void)client;
	(void)code; /* a refusal (no rights) cannot be mended by sending it again */
	(void)properties;
	for (size_t i = 0; i < INFLIGHT_TOKENS; i++) {
		if (mqtt->tokens[i].token != 0 && mqtt->tokens[i].mid == mid) {
			push_simple(mqtt, MQTT_PUBLISHED, mqtt->tokens[i].token);
			mqtt->tokens[i].token = 0;
			return;
		}
	}
}

/* --- Connecting ----------------------------------------------------------------------------- */

static double next_random(struct mqtt *mqtt)
{
	/* splitmix64 (Steele, Lea, Flood 2014): only spreads reconnects. */
	uint64_t z = (mqtt->random += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

/* Leaves the library disconnected and decides when to try again. Called for every failure, by
 * whatever way it showed itself; doing it twice does no harm. */
static void link_down(struct mqtt *mqtt)
{
	if (mqtt->state == LINK_DOWN)
		return;
	mqtt->state = LINK_DOWN;
	(void)mosquitto_disconnect(mqtt->client); /* closes the socket if it is still open */
	memset(mqtt->tokens, 0, sizeof mqtt->tokens);
	mqtt->retry_mono_us = clock_mono_us() +
			      mqtt_backoff_ms(mqtt->attempts++, next_random(mqtt)) * US_PER_MS;
	push_simple(mqtt, MQTT_DISCONNECTED, 0);
}

static int read_password(const char *path, char password[PASSWORD_MAX])
{
	_cleanup_(fclosep) FILE *file = fopen(path, "re");

	if (!file)
		return -errno;
	if (!fgets(password, PASSWORD_MAX, file))
		return -ENODATA;
	password[strcspn(password, "\r\n")] = '\0';
	return 0;
}

/* User, password and TLS; again at each connect, so that a changed password file is seen. */
static int set_credentials(struct mqtt *mqtt)
{
	const struct broker_config *broker = mqtt->broker;
	char password[PASSWORD_MAX] = "";

	if (broker->password_file[0] && read_password(broker->password_file, password) < 0) {
		link_failed(mqtt, "cannot read the password file for", broker->password_file);
		return -ENOENT;
	}
	int result = MOSQ_ERR_SUCCESS;
	if (broker->username[0])
		result = mosquitto_username_pw_set(
			mqtt->client, broker->username, password[0] ? password : NULL);
	explicit_bzero(password, sizeof password);
	if (result == MOSQ_ERR_SUCCESS && broker->ca_file[0])
		result = mosquitto_tls_set(mqtt->client, broker->ca_file, NULL,
			broker->cert_file[0] ? broker->cert_file : NULL,
			broker->key_file[0] ? broker->key_file : NULL, NULL);
	if (result != MOSQ_ERR_SUCCESS) {
		link_failed(mqtt, "cannot use the credentials for", mosquitto_strerror(result));
		return -EINVAL;
	}
	return 0;
}

/* A client of its own for each connection: nothing queued inside the library outlives a link. */
static int client_new(struct mqtt *mqtt)
{
	if (mqtt->client)
		mosquitto_destroy(mqtt->client);
	mqtt->client = mosquitto_new(mqtt->client_id, true, mqtt);
	if (!mqtt->client) {
		link_failed(mqtt, "cannot prepare a client for", strerror(errno));
		return -errno;
	}
	(void)mosquitto_int_option(mqtt->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	(void)mosquitto_int_option(mqtt->client, MOSQ_OPT_TCP_NODELAY, 1);
	(void)mosquitto_will_set_v5(mqtt->client, mqtt->will_topic, (int)strlen(mqtt->will_payload),
		mqtt->will_payload, 1, true, NULL);
	mosquitto_connect_v5_callback_set(mqtt->client, on_connect);
	mosquitto_subscribe_v5_callback_set(mqtt->client, on_subscribe);
	mosquitto_message_v5_callback_set(mqtt->client, on_message);
	mosquitto_publish_v5_callback_set(mqtt->client, on_publish);
	return set_credentials(mqtt);
}

static void connect_now(struct mqtt *mqtt)
{
	mosquitto_property *properties = NULL;

	mqtt->state = LINK_GREETING;
	mqtt->deadline_mono_us = clock_mono_us() + CONNACK_TIMEOUT_US;
	if (client_new(mqtt) < 0) {
		link_down(mqtt);
		return;
	}
	(void)mosquitto_property_add_int32(
		&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, MQTT_PACKET_MAX);
	atomic_store(&mqtt->connecting, true); /* the next call may wait for DNS and TCP */
	int result = mosquitto_connect_bind_v5(mqtt->client, mqtt->broker->host, mqtt->broker->port,
		(int)(mqtt->broker->keepalive_us / US_PER_SEC), NULL, properties);
	atomic_store(&mqtt->connecting, false);
	mosquitto_property_free_all(&properties);
	if (result != MOSQ_ERR_SUCCESS) {
		link_failed(mqtt, "cannot connect to",
			result == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(result));
		link_down(mqtt);
	}
}

/* --- The loop ------------------------------------------------------------------------------- */

static void publish_one(struct mqtt *mqtt, const struct outgoing *message)
{
	int mid = 0;
	size_t slot = 0;

	if (mqtt->state != LINK_UP)
		return;
	while (message->token && slot < INFLIGHT_TOKENS && mqtt->tokens[slot].token)
		slot++;
	if (slot == INFLIGHT_TOKENS)
		return; /* the outbox sends no more than that at once; it sends again after a
			   reconnect */
	int result = mosquitto_publish_v5(mqtt->client, &mid, message->topic,
		(int)strlen(message->payload), message->payload, 1, message->retain, NULL);
	if (result != MOSQ_ERR_SUCCESS) {
		link_failed(mqtt, "cannot publish at", mosquitto_strerror(result));
		link_down(mqtt);
		return;
	}
	if (message->token) {
		mqtt->tokens[slot].mid = mid;
		mqtt->tokens[slot].token = message->token;
	}
}

static void publish_waiting(struct mqtt *mqtt)
{
	for (struct inbox_link *next, *link = inbox_take(mqtt->outgoing); link; link = next) {
		next = link->next;
		publish_one(mqtt, (struct outgoing *)link);
		outgoing_free(link);
	}
}

static int poll_timeout_ms(const struct mqtt *mqtt)
{
	int64_t until_us = mqtt->state == LINK_DOWN ? mqtt->retry_mono_us : mqtt->deadline_mono_us;

	if (mqtt->unpushed)
		return BACK_PRESSURE_POLL_MS;
	if (mqtt->state == LINK_UP)
		return -1;
	int64_t wait_ms = (until_us - clock_mono_us()) / US_PER_MS + 1;
	return wait_ms < 0 ? 0 : (int)wait_ms;
}

/* The broker sends small packets and waits for our acknowledgement before the next (Nagle); the
 * kernel holds that back for 40 ms unless told, anew after each read: a stop should not wait. */
static int read_socket(struct mqtt *mqtt)
{
	int result = mosquitto_loop_read(mqtt->client, 1);
	int on = 1, fd = mosquitto_socket(mqtt->client);

	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
	return result;
}

/* Waits for the socket, main, or the clock, and lets the library do what is due. */
static void link_turn(struct mqtt *mqtt)
{
	struct pollfd fds[2] = { { .fd = inbox_fd(mqtt->outgoing), .events = POLLIN },
		{ .fd = -1 } };
	int result = MOSQ_ERR_SUCCESS;

	if (mqtt->state != LINK_DOWN) {
		fds[1].fd = mosquitto_socket(mqtt->client);
		fds[1].events = (short)((mqtt->unpushed ? 0 : POLLIN) |
					(mosquitto_want_write(mqtt->client) ? POLLOUT : 0));
	}
	(void)poll(fds, 2, poll_timeout_ms(mqtt));
	atomic_fetch_add(&mqtt->turns, 1);
	push_unpushed(mqtt);
	publish_waiting(mqtt);
	if (mqtt->state == LINK_DOWN)
		return;
	if (fds[1].revents & (POLLIN | POLLERR | POLLHUP))
		result = read_socket(mqtt);
	if (result == MOSQ_ERR_SUCCESS && mosquitto_want_write(mqtt->client))
		result = mosquitto_loop_write(mqtt->client, 1);
	if (result == MOSQ_ERR_SUCCESS)
		result = mosquitto_loop_misc(mqtt->client);
	if (result == MOSQ_ERR_SUCCESS && mosquitto_socket(mqtt->client) < 0)
		result = MOSQ_ERR_CONN_LOST;
	if (result == MOSQ_ERR_SUCCESS && mqtt->state != LINK_UP &&
		clock_mono_us() > mqtt->deadline_mono_us)
		result = MOSQ_ERR_KEEPALIVE;
	if (result == MOSQ_ERR_SUCCESS)
		return;
	if (!mqtt->cause.text[0])
		link_failed(mqtt, "connection lost to",
			result == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(result));
	link_down(mqtt);
}

/* Sends what main has left, then says goodbye so that the broker does not publish the will. */
static void say_goodbye(struct mqtt *mqtt)
{
	int64_t until_us = clock_mono_us() + 500 * US_PER_MS;

	publish_waiting(mqtt);
	while (mqtt->state == LINK_UP && mosquitto_want_write(mqtt->client) &&
		clock_mono_us() < until_us) {
		struct pollfd fd = { .fd = mosquitto_socket(mqtt->client), .events = POLLOUT };
		if (fd.fd < 0 || poll(&fd, 1, 100) < 0 ||
			mosquitto_loop_write(mqtt->client, 1) != MOSQ_ERR_SUCCESS)
			break;
	}
	if (mqtt->client)
		(void)mosquitto_disconnect(mqtt->client);
}

static void *mqtt_thread(void *context)
{
	struct mqtt *mqtt = context;

	while (!atomic_load(&mqtt->stopping)) {
		if (mqtt->state == LINK_DOWN && clock_mono_us() >= mqtt->retry_mono_us) {
			mqtt->cause.text[0] = '\0';
			connect_now(mqtt);
		}
		link_turn(mqtt);
	}
	say_goodbye(mqtt);
	return NULL;
}

/* --- Main's side ---------------------------------------------------------------------------- */

static struct mqtt *mqtt_free(struct mqtt *mqtt)
{
	if (mqtt->client)
		mosquitto_destroy(mqtt->client);
	while (mqtt->unpushed) {
		struct inbox_link *next = mqtt->unpushed->link.next;
		mqtt_event_free(&mqtt->unpushed->link);
		mqtt->unpushed = (struct mqtt_event *)next;
	}
	inbox_free(mqtt->outgoing, outgoing_free);
	for (int i = 0; i < mqtt->subscriptions_count; i++)
		free(mqtt->subscriptions[i]);
	free(mqtt->subscriptions);
	free(mqtt->client_id);
	free(mqtt->will_topic);
	free(mqtt->will_payload);
	free(mqtt);
	(void)mosquitto_lib_cleanup();
	return NULL;
}
DEFINE_CLEANUP(struct mqtt *, mqtt_free)

struct mqtt *mqtt_start(const struct mqtt_config *config, struct inbox *events)
{
	(void)mosquitto_lib_init();
	_cleanup_(mqtt_freep) struct mqtt *mqtt = xcalloc(1, sizeof *mqtt);
	*mqtt = (struct mqtt){
		.broker = config->broker,
		.client_id = xstrdup(config->client_id),
		.will_topic = xstrdup(config->will_topic),
		.will_payload = xstrdup(config->will_payload),
		.events = events,
		.random = (uint64_t)clock_real_us() ^ (uint64_t)getpid(),
	};
	while (config->subscriptions[mqtt->subscriptions_count])
		mqtt->subscriptions_count++;
	mqtt->subscriptions = xcalloc((size_t)mqtt->subscriptions_count, sizeof(char *));
	for (int i = 0; i < mqtt->subscriptions_count; i++)
		mqtt->subscriptions[i] = xstrdup(config->subscriptions[i]);
	mqtt->outgoing = inbox_new(MQTT_OUTGOING_MAX);
	if (!mqtt->outgoing)
		return NULL;
	int result = thread_start(&mqtt->thread, "mqtt", 0, mqtt_thread, mqtt);
	if (result < 0) {
		errno = -result;
		return NULL;
	}
	return hand_over(mqtt);
}

int mqtt_stop(struct mqtt *mqtt, int timeout_ms)
{
	if (!mqtt)
		return 0;
	atomic_store(&mqtt->stopping, true);
	mqtt_kick(mqtt);
	int result = thread_join(&mqtt->thread, timeout_ms);
	if (result == 0)
		mqtt_free(mqtt);
	return result;
}

int mqtt_publish(
	struct mqtt *mqtt, const char *topic, const char *payload, bool retain, uint64_t token)
{
	struct outgoing *message = xcalloc(1, sizeof *message);

	*message = (struct outgoing){ .topic = xstrdup(topic),
		.payload = xstrdup(payload),
		.retain = retain,
		.token = token };
	int result = inbox_push(mqtt->outgoing, &message->link);
	if (result < 0)
		outgoing_free(&message->link);
	return result;
}

void mqtt_kick(struct mqtt *mqtt)
{
	inbox_kick(mqtt->outgoing);
}

uint64_t mqtt_turns(const struct mqtt *mqtt)
{
	return atomic_load(&mqtt->turns);
}

bool mqtt_connecting(const struct mqtt *mqtt)
{
	return atomic_load(&mqtt->connecting);
}
