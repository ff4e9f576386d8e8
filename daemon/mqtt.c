/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/mqtt.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "base/thread.h"
#include "daemon/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#define ANSWER_TIMEOUT_US     (10 * US_PER_SEC) /* of CONNECT and the first SUBSCRIBEs */
#define MORE_THAN_PINGS_BYTES 512
#define INFLIGHT_TOKENS       64
#define PASSWORD_MAX          256
#define BACK_PRESSURE_POLL_MS 20
#define MARK_SIZE             64 /* bytes, of a mark on the client topic, with its NUL */
#define MARK_RUN              "{\"run\":\"%016" PRIx64 "\"" /* how all marks of a run begin */
#define GOODBYE_US            (400 * US_PER_MS)
#define LARGE_BYTES           (64 * 1024) /* a packet above this may take longer than a keepalive */

enum link_state { LINK_DOWN, LINK_GREETING /* CONNECT sent */, LINK_SUBSCRIBING, LINK_UP };

struct outgoing {
	struct inbox_link link;
	enum { OUTGOING_PUBLISH, OUTGOING_SUBSCRIBE, OUTGOING_UNSUBSCRIBE } what;
	char *topic, *payload;
	char *correlation;
	size_t correlation_length;
	bool retain;
	uint64_t token;
};

struct mqtt_budget { /* shared by the link and its events, which may outlive it */
	_Atomic size_t bytes;
	_Atomic unsigned holders;
};

enum filters_set {
	FILTERS_COMMANDS, /* the client topic is the last, if there is one */
	FILTERS_STANDING, /* asked for when those are granted */
	FILTERS_COUNT,
};

struct mqtt {
	/* set at the start, read by both */
	const struct broker_config *broker;
	char *client_id, *will_topic, *will_payload, *client_topic;
	struct filters {
		char **list;
		int count;
	} filters[FILTERS_COUNT];
	uint64_t run;           /* by which we know our own marks */
	struct inbox *events;   /* to main */
	struct inbox *outgoing; /* from main */
	struct thread thread;
	struct mqtt_budget *budget;
	atomic_bool stopping, connecting, steady;
	_Atomic uint64_t turns;

	/* the thread's own */
	struct mosquitto *client;
	struct wire wire;
	enum link_state state;
	unsigned attempts;        /* failed ones since the last good link */
	int64_t retry_mono_us;    /* LINK_DOWN: when to try again */
	int64_t keepalive_us;     /* of this connection */
	int64_t up_mono_us;       /* LINK_UP: since when */
	int64_t nudged_mono_us;   /* see keep_open() */
	unsigned unanswered;      /* messages of ours that the broker has not acknowledged */
	int64_t answered_mono_us; /* when it last did, or had none to acknowledge */
	uint64_t delivered_bytes; /* of wire.received, at the last packet that was complete */
	bool mark_due;            /* on the client topic: not from within a callback */
	bool taken_over;          /* this link was, by a client with our client id */
	bool namesake;            /* somebody has our client id, until a link has held */
	unsigned links;           /* how many have left a mark */
	char mark[MARK_SIZE];     /* the last one of another on the client topic; "": none */
	bool refused;             /* a message was, on this link, and it was logged */
	int subscribe_mid;
	int64_t asked_mono_us;        /* not LINK_UP: when the broker was asked last, */
	uint64_t asked_bytes;         /* and how much had come by then */
	enum filters_set subscribing; /* LINK_SUBSCRIBING: the set that is being asked for */
	struct mqtt_event *unpushed;  /* main's inbox was full: reading pauses until it fits */
	struct error cause;           /* of the last failure */
	uint64_t random;
	struct {
		int mid;
		uint64_t token;
	} tokens[INFLIGHT_TOKENS]; /* QoS 1 messages under way whose PUBACK main waits for */
};

/* --- What main may hold --------------------------------------------------------------------- */

static struct mqtt_budget *budget_ref(struct mqtt_budget *budget)
{
	atomic_fetch_add(&budget->holders, 1);
	return budget;
}

static void budget_unref(struct mqtt_budget *budget)
{
	if (budget && atomic_fetch_sub(&budget->holders, 1) == 1)
		free(budget);
}

static size_t event_bytes(const struct mqtt_event *event)
{
	size_t bytes = sizeof *event + event->correlation_length;

	bytes += event->topic ? strlen(event->topic) : 0;
	bytes += event->response_topic ? strlen(event->response_topic) : 0;
	return event->oversize ? bytes : bytes + event->length;
}

static void event_uncharge(struct mqtt_event *event)
{
	if (event->budget)
		atomic_fetch_sub(&event->budget->bytes, event->charged_bytes);
	budget_unref(event->budget);
	event->budget = NULL;
}

void mqtt_event_free(struct inbox_link *link)
{
	struct mqtt_event *event = (struct mqtt_event *)link;

	event_uncharge(event);
	free(event->topic);
	free(event->payload);
	free(event->response_topic);
	free(event->correlation);
	free(event);
}

static void outgoing_free(struct inbox_link *link)
{
	struct outgoing *message = (struct outgoing *)link;

	free(message->topic);
	free(message->payload);
	free(message->correlation);
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

/* What is larger than all that main may hold still comes, when main holds little. */
static int try_push(struct mqtt *mqtt, struct mqtt_event *event)
{
	if (atomic_load(&mqtt->budget->bytes) > MQTT_EVENTS_BYTES_MAX)
		return -ENOBUFS;
	event->budget = budget_ref(mqtt->budget);
	event->charged_bytes = event_bytes(event);
	atomic_fetch_add(&mqtt->budget->bytes, event->charged_bytes);
	int result = inbox_push(mqtt->events, &event->link); /* from here on it may be main's */
	if (result < 0)
		event_uncharge(event);
	return result;
}

/* Gives the event to main, or keeps it and pauses reading: the broker then holds back the rest. */
static void push_event(struct mqtt *mqtt, struct mqtt_event *event)
{
	if (!mqtt->unpushed && try_push(mqtt, event) == 0)
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
		if (try_push(mqtt, event) < 0) {
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
	if (what == MQTT_DISCONNECTED || what == MQTT_CONNECTED)
		event->taken_over = mqtt->taken_over;
	push_event(mqtt, event);
}

/* --- The library's callbacks, all on the thread ----------------------------------------------- */

static void link_failed(struct mqtt *mqtt, const char *what, const char *why)
{
	(void)error_set(
		&mqtt->cause, 0, "%s %s:%d: %s", what, mqtt->broker->host, mqtt->broker->port, why);
}

/* Before the wire carries more: what has come so far belongs to complete packets. */
static void note_delivery(struct mqtt *mqtt)
{
	mqtt->delivered_bytes = mqtt->wire.received;
}

/* A message that the broker does not take cannot be mended by sending it again. */
static void note_refusal(struct mqtt *mqtt, const char *what, const char *why)
{
	if (!mqtt->refused)
		log_warning("the broker at %s:%d refuses %s (%s), going on without it",
			mqtt->broker->host, mqtt->broker->port, what, why);
	mqtt->refused = true;
}

/* CONNECT or SUBSCRIBE: the broker has to answer. */
static void note_question(struct mqtt *mqtt)
{
	mqtt->asked_mono_us = clock_mono_us();
	mqtt->asked_bytes = mqtt->wire.received;
}

/* Asks for one set of filters. */
static void subscribe(struct mqtt *mqtt, enum filters_set set)
{
	static const int options[FILTERS_COUNT] = {
		[FILTERS_COMMANDS] = MQTT_SUB_OPT_RETAIN_AS_PUBLISHED
	};
	const struct filters *filters = &mqtt->filters[set];
	int result = mosquitto_subscribe_multiple(mqtt->client, &mqtt->subscribe_mid,
		filters->count, filters->list, 1, options[set], NULL);

	mqtt->state = LINK_SUBSCRIBING;
	mqtt->subscribing = set;
	note_question(mqtt);
	if (result == MOSQ_ERR_SUCCESS)
		return;
	link_failed(mqtt, "cannot subscribe at", mosquitto_strerror(result));
	(void)mosquitto_disconnect(mqtt->client);
}

static void on_connect(struct mosquitto *client, void *context, int code, int flags,
	const mosquitto_property *properties)
{
	struct mqtt *mqtt = context;
	uint16_t keepalive_s = 0;

	(void)flags;
	note_delivery(mqtt);
	if (code != 0) {
		link_failed(mqtt, "refused by", mosquitto_reason_string(code));
		(void)mosquitto_disconnect(client);
		return;
	}
	/* The broker may want to hear of us more often than we offered; the library obeys. */
	(void)mosquitto_property_read_int16(
		properties, MQTT_PROP_SERVER_KEEP_ALIVE, &keepalive_s, false);
	if (keepalive_s > 0)
		mqtt->keepalive_us = keepalive_s * US_PER_SEC;
	subscribe(mqtt, FILTERS_COMMANDS);
}

/* NULL: all that are needed were granted. The library does not compare the answer with the
 * question. */
static const char *subscription_refusal(const int *granted, int count, int wanted, int needed)
{
	for (int i = 0; i < count && i < needed; i++)
		if (granted[i] > 2)
			return mosquitto_reason_string(granted[i]);
	return count == wanted ? NULL : "it has not answered to each";
}

static void expect_answer(struct mqtt *mqtt)
{
	if (mqtt->unanswered++ == 0)
		mqtt->answered_mono_us = clock_mono_us();
}

/* --- Namesakes: see client_topic in the header --- */

static void leave_mark(struct mqtt *mqtt)
{
	char mark[MARK_SIZE];

	mqtt->mark_due = false;
	snprintf(mark, sizeof mark, MARK_RUN ",\"link\":%u}", mqtt->run, mqtt->links++);
	(void)mosquitto_publish_v5(
		mqtt->client, NULL, mqtt->client_topic, (int)strlen(mark), mark, 1, true, NULL);
}

/* Ours: left before. Another's, on our first link: of an earlier run, perhaps our own. Twice the
 * same: a broker that was restored from its file. A new one: somebody leaves them. */
static void find_mark(struct mqtt *mqtt, const char *bytes, size_t length)
{
	char found[MARK_SIZE] = "", run[MARK_SIZE];

	if (length >= MARK_SIZE || mqtt->links == 0)
		return;
	if (length > 0)
		memcpy(found, bytes, length);
	snprintf(run, sizeof run, MARK_RUN, mqtt->run);
	if (strncmp(found, run, strlen(run)) == 0)
		return;
	if (mqtt->mark[0] && strcmp(mqtt->mark, found) != 0)
		mqtt->taken_over = mqtt->namesake = true;
	memcpy(mqtt->mark, found, sizeof mqtt->mark);
}

static bool is_mark(const struct mqtt *mqtt, const char *topic)
{
	return mqtt->client_topic && strcmp(topic, mqtt->client_topic) == 0;
}

static void link_up(struct mqtt *mqtt)
{
	mqtt->state = LINK_UP;
	mqtt->up_mono_us = clock_mono_us();
	push_simple(mqtt, MQTT_CONNECTED, 0);
	mqtt->taken_over = false; /* main knows; what this link ends with is another matter */
	mqtt->mark_due = mqtt->client_topic != NULL;
}

static void on_subscribe(struct mosquitto *client, void *context, int mid, int count,
	const int *granted, const mosquitto_property *properties)
{
	struct mqtt *mqtt = context;
	bool first = mid == mqtt->subscribe_mid && mqtt->state == LINK_SUBSCRIBING;
	int wanted = first ? mqtt->filters[mqtt->subscribing].count : 1;
	bool commands = first && mqtt->subscribing == FILTERS_COMMANDS;
	bool extra = commands && mqtt->client_topic; /* without which it goes as well */

	(void)properties;
	note_delivery(mqtt);
	const char *why = subscription_refusal(granted, count, wanted, extra ? wanted - 1 : wanted);
	if (why && first) {
		link_failed(mqtt, "a subscription was refused by", why);
		(void)mosquitto_disconnect(client);
	} else if (why) {
		note_refusal(mqtt, "a subscription", why);
	} else if (commands && mqtt->filters[FILTERS_STANDING].count > 0) {
		subscribe(mqtt, FILTERS_STANDING);
	} else if (first) {
		link_up(mqtt);
	}
}

/* loalang/<site>/media/…: a recording. */
static bool topic_is_media(const char *topic)
{
	const char *site = strchr(topic, '/');
	const char *rest = site ? strchr(site + 1, '/') : NULL;

	return rest && strncmp(rest, "/media/", strlen("/media/")) == 0;
}

/* Of a request: where the answer is to go, and what is to come with it. A topic that cannot be
 * published to is none. */
static void read_request(struct mqtt_event *event, const mosquitto_property *properties)
{
	void *correlation = NULL;
	uint16_t length = 0;

	(void)mosquitto_property_read_string(
		properties, MQTT_PROP_RESPONSE_TOPIC, &event->response_topic, false);
	if (event->response_topic &&
		mosquitto_pub_topic_check(event->response_topic) != MOSQ_ERR_SUCCESS) {
		free(event->response_topic);
		event->response_topic = NULL;
	}
	(void)mosquitto_property_read_binary(
		properties, MQTT_PROP_CORRELATION_DATA, &correlation, &length, false);
	event->correlation = correlation;
	event->correlation_length = length;
}

static void on_message(struct mosquitto *client, void *context,
	const struct mosquitto_message *message, const mosquitto_property *properties)
{
	struct mqtt *mqtt = context;

	(void)client;
	note_delivery(mqtt);
	if (is_mark(mqtt, message->topic)) {
		find_mark(mqtt, message->payload, (size_t)message->payloadlen);
		return;
	}
	struct mqtt_event *event = xcalloc(1, sizeof *event);
	event->what = MQTT_MESSAGE;
	event->topic = xstrdup(message->topic);
	event->length = (size_t)message->payloadlen;
	event->oversize = event->length > MQTT_PAYLOAD_MAX && !topic_is_media(message->topic);
	event->payload = xcalloc(event->oversize ? 1 : event->length + 1, 1);
	if (event->length && !event->oversize)
		memcpy(event->payload, message->payload, event->length);
	event->retained = message->retain;
	read_request(event, properties);
	if (event->length > LARGE_BYTES) /* the acknowledgements had to wait behind it */
		mqtt->answered_mono_us = clock_mono_us();
	push_event(mqtt, event);
}

static void on_publish(struct mosquitto *client, void *context, int mid, int code,
	const mosquitto_property *properties)
{
	struct mqtt *mqtt = context;

	(void)client;
	(void)properties;
	note_delivery(mqtt);
	mqtt->answered_mono_us = clock_mono_us();
	if (mqtt->unanswered > 0)
		mqtt->unanswered--;
	if (code >= MQTT_RC_UNSPECIFIED)
		note_refusal(mqtt, "a message", mosquitto_reason_string(code));
	for (size_t i = 0; i < INFLIGHT_TOKENS; i++) {
		if (mqtt->tokens[i].token != 0 && mqtt->tokens[i].mid == mid) {
			push_simple(mqtt, MQTT_PUBLISHED, mqtt->tokens[i].token);
			mqtt->tokens[i].token = 0;
			return;
		}
	}
}

static void on_unsubscribe(
	struct mosquitto *client, void *context, int mid, const mosquitto_property *properties)
{
	(void)client;
	(void)mid;
	(void)properties;
	note_delivery(context);
}

/* `code` is the library's, or the broker's own (MQTT 5, 3.14.2.1: errors from 0x80). */
static void on_disconnect(
	struct mosquitto *client, void *context, int code, const mosquitto_property *properties)
{
	struct mqtt *mqtt = context;

	(void)client;
	(void)properties;
	if (code == MQTT_RC_SESSION_TAKEN_OVER)
		mqtt->taken_over = true;
	if (mqtt->cause.text[0])
		return;
	if (code == MQTT_RC_NORMAL_DISCONNECTION || code >= MQTT_RC_UNSPECIFIED)
		link_failed(mqtt, "the connection was ended by", mosquitto_reason_string(code));
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

/* A link that has held lets the back-off begin anew. */
static void judge_link(struct mqtt *mqtt)
{
	int64_t good_us = mqtt->namesake ? MQTT_NAMESAKE_US : MQTT_GOOD_US;

	if (mqtt->state != LINK_UP || atomic_load(&mqtt->steady) ||
		clock_mono_us() - mqtt->up_mono_us < good_us)
		return;
	mqtt->attempts = 0;
	mqtt->namesake = false;
	atomic_store(&mqtt->steady, true);
}

/* Leaves the library disconnected and decides when to try again. Called for every failure, by
 * whatever way it showed itself; doing it twice does no harm. */
static void link_down(struct mqtt *mqtt)
{
	if (mqtt->state == LINK_DOWN)
		return;
	judge_link(mqtt);
	mqtt->state = LINK_DOWN;
	atomic_store(&mqtt->steady, false);
	mqtt->namesake |= mqtt->taken_over;
	wire_done(
		&mqtt->wire); /* first: a goodbye would keep the broker from publishing the will */
	(void)mosquitto_disconnect(mqtt->client); /* closes the library's end if it is still open */
	memset(mqtt->tokens, 0, sizeof mqtt->tokens);
	mqtt->unanswered = 0;
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
	mosquitto_unsubscribe_v5_callback_set(mqtt->client, on_unsubscribe);
	mosquitto_disconnect_v5_callback_set(mqtt->client, on_disconnect);
	return set_credentials(mqtt);
}

static void connect_now(struct mqtt *mqtt)
{
	const struct broker_config *broker = mqtt->broker;
	mosquitto_property *properties = NULL;

	mqtt->cause.text[0] = '\0';
	mqtt->state = LINK_GREETING;
	mqtt->keepalive_us = broker->keepalive_us;
	mqtt->nudged_mono_us = 0;
	mqtt->delivered_bytes = 0;
	mqtt->taken_over = mqtt->refused = mqtt->mark_due = false;
	if (client_new(mqtt) < 0) {
		link_down(mqtt);
		return;
	}
	(void)mosquitto_property_add_int32(
		&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, MQTT_PACKET_MAX);
	atomic_store(&mqtt->connecting, true); /* the next call may wait for DNS and TCP */
	int result = mosquitto_connect_bind_v5(mqtt->client, broker->host, broker->port,
		(int)(broker->keepalive_us / US_PER_SEC), NULL, properties);
	atomic_store(&mqtt->connecting, false);
	mosquitto_property_free_all(&properties);
	if (result == MOSQ_ERR_SUCCESS) {
		errno = -wire_insert(&mqtt->wire, mosquitto_socket(mqtt->client),
			!broker->ca_file[0], MQTT_PACKET_MAX);
		result = errno ? MOSQ_ERR_ERRNO : MOSQ_ERR_SUCCESS;
		note_question(mqtt);
	}
	if (result != MOSQ_ERR_SUCCESS) {
		link_failed(mqtt, "cannot connect to",
			result == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(result));
		link_down(mqtt);
	}
}

/* --- What main sends ------------------------------------------------------------------------ */

static int send_publish(struct mqtt *mqtt, const struct outgoing *message, int *ret_mid)
{
	mosquitto_property *properties = NULL;

	if (message->correlation)
		(void)mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA,
			message->correlation, (uint16_t)message->correlation_length);
	int result = mosquitto_publish_v5(mqtt->client, ret_mid, message->topic,
		(int)strlen(message->payload), message->payload, 1, message->retain, properties);
	mosquitto_property_free_all(&properties);
	return result;
}

static int send_subscribe(struct mqtt *mqtt, const struct outgoing *message, int *ret_mid)
{
	return mosquitto_subscribe_v5(
		mqtt->client, ret_mid, message->topic, 1, MQTT_SUB_OPT_RETAIN_AS_PUBLISHED, NULL);
}

static int send_unsubscribe(struct mqtt *mqtt, const struct outgoing *message, int *ret_mid)
{
	return mosquitto_unsubscribe_v5(mqtt->client, ret_mid, message->topic, NULL);
}

/* The message is at fault, not the link: sending it again would bring the link down again. */
static bool fault_of_message(int result)
{
	return result == MOSQ_ERR_OVERSIZE_PACKET || result == MOSQ_ERR_PAYLOAD_SIZE ||
	       result == MOSQ_ERR_INVAL || result == MOSQ_ERR_MALFORMED_UTF8;
}

static void send_one(struct mqtt *mqtt, const struct outgoing *message)
{
	static int (*const senders[])(struct mqtt *, const struct outgoing *, int *) = {
		[OUTGOING_PUBLISH] = send_publish,
		[OUTGOING_SUBSCRIBE] = send_subscribe,
		[OUTGOING_UNSUBSCRIBE] = send_unsubscribe,
	};
	int mid = 0;
	size_t slot = 0;

	if (mqtt->state != LINK_UP)
		return;
	while (message->token && slot < INFLIGHT_TOKENS && mqtt->tokens[slot].token)
		slot++;
	if (slot == INFLIGHT_TOKENS)
		return; /* the outbox sends no more than that at once; it sends again after a
			   reconnect */
	int result = senders[message->what](mqtt, message, &mid);
	if (result == MOSQ_ERR_SUCCESS) {
		if (message->what == OUTGOING_PUBLISH)
			expect_answer(mqtt);
		if (message->token) {
			mqtt->tokens[slot].mid = mid;
			mqtt->tokens[slot].token = message->token;
		}
	} else if (fault_of_message(result)) {
		note_refusal(mqtt, message->topic, mosquitto_strerror(result));
		if (message->token)
			push_simple(mqtt, MQTT_PUBLISHED, message->token);
	} else {
		link_failed(mqtt, "cannot publish at", mosquitto_strerror(result));
		link_down(mqtt);
	}
}

static void send_waiting(struct mqtt *mqtt)
{
	for (struct inbox_link *next, *link = inbox_take(mqtt->outgoing); link; link = next) {
		next = link->next;
		send_one(mqtt, (struct outgoing *)link);
		outgoing_free(link);
	}
}

/* A large packet is under way: what the broker answers has to wait behind it. */
static bool receiving_large(const struct mqtt *mqtt)
{
	return mqtt->wire.received - mqtt->delivered_bytes > LARGE_BYTES;
}

/* When the link is dead unless something comes before. */
static int64_t dead_mono_us(const struct mqtt *mqtt)
{
	int64_t patience_us = mqtt->keepalive_us + mqtt->keepalive_us / 2;

	if (mqtt->state !=
		LINK_UP) /* an answer to a ping is none; what was retained may come first */
		return ANSWER_TIMEOUT_US +
		       (mqtt->wire.received - mqtt->asked_bytes > MORE_THAN_PINGS_BYTES
				       ? mqtt->wire.heard_mono_us
				       : mqtt->asked_mono_us);
	if (mqtt->unanswered > 0 && !receiving_large(mqtt) &&
		mqtt->answered_mono_us < mqtt->wire.heard_mono_us)
		return mqtt->answered_mono_us + patience_us;
	return mqtt->wire.heard_mono_us + patience_us;
}

static int poll_timeout_ms(const struct mqtt *mqtt)
{
	int64_t now_us = clock_mono_us(), until_us = mqtt->retry_mono_us;

	if (mqtt->unpushed)
		return BACK_PRESSURE_POLL_MS;
	if (mqtt->state != LINK_DOWN)
		until_us = dead_mono_us(mqtt);
	int64_t ping_us = mqtt->wire.heard_mono_us + mqtt->keepalive_us; /* the library's */
	if (mqtt->state == LINK_UP && now_us < ping_us && ping_us < until_us)
		until_us = ping_us;
	int64_t wait_ms = (until_us - now_us) / US_PER_MS + 1;
	return wait_ms < 0 ? 0 : (int)wait_ms;
}

/* The library ends a connection whose ping is not answered within a keepalive, though the answer
 * may only wait behind a recording on a slow line: it would be fetched anew for ever. Whatever is
 * sent postpones its ping; leaving what was never subscribed to asks nothing of the broker. */
static void keep_open(struct mqtt *mqtt)
{
	int64_t now_us = clock_mono_us();

	if (mqtt->state != LINK_UP || !receiving_large(mqtt) ||
		now_us - mqtt->nudged_mono_us < mqtt->keepalive_us / 2)
		return;
	mqtt->nudged_mono_us = now_us;
	(void)mosquitto_unsubscribe(mqtt->client, NULL, mqtt->will_topic);
}

/* Lets the bytes move both ways, and the library do what is due. */
static int exchange(struct mqtt *mqtt)
{
	int result = MOSQ_ERR_SUCCESS;
	bool paused = mqtt->unpushed != NULL;

	if (paused) /* what was not read cannot have been heard */
		mqtt->wire.heard_mono_us = mqtt->answered_mono_us = mqtt->asked_mono_us =
			clock_mono_us();
	else if (wire_carry_in(&mqtt->wire) < 0)
		return MOSQ_ERR_PROTOCOL;
	if (!paused)
		result = mosquitto_loop_read(mqtt->client, 1);
	if (result == MOSQ_ERR_SUCCESS && mosquitto_want_write(mqtt->client))
		result = mosquitto_loop_write(mqtt->client, 1);
	keep_open(mqtt);
	if (result == MOSQ_ERR_SUCCESS)
		result = mosquitto_loop_misc(mqtt->client);
	wire_carry_out(&mqtt->wire);
	if (result == MOSQ_ERR_SUCCESS && mosquitto_socket(mqtt->client) < 0)
		result = MOSQ_ERR_CONN_LOST;
	if (result == MOSQ_ERR_SUCCESS && clock_mono_us() >= dead_mono_us(mqtt))
		result = MOSQ_ERR_KEEPALIVE;
	return result;
}

static void note_cause(struct mqtt *mqtt, int result)
{
	char announced[80];

	if (mqtt->wire.oversize > 0) {
		snprintf(announced, sizeof announced, "it announces a packet of %u bytes",
			mqtt->wire.oversize);
		link_failed(mqtt, "leaving", announced);
	} else if (!mqtt->cause.text[0]) {
		bool lost = result == MOSQ_ERR_CONN_LOST && mqtt->wire.cause;
		link_failed(mqtt, "connection lost to",
			lost                           ? strerror(mqtt->wire.cause)
			: result == MOSQ_ERR_ERRNO     ? strerror(errno)
			: result == MOSQ_ERR_KEEPALIVE ? "it does not answer"
						       : mosquitto_strerror(result));
	}
}

/* Waits for the sockets, main, or the clock. */
static void link_turn(struct mqtt *mqtt)
{
	enum { MAIN, LIBRARY, INNER, OUTER, FDS };
	struct pollfd fds[FDS] = { [MAIN] = { inbox_fd(mqtt->outgoing), POLLIN, 0 } };

	for (int i = LIBRARY; i < FDS; i++)
		fds[i].fd = -1;
	if (mqtt->state != LINK_DOWN) {
		bool writes = mosquitto_want_write(mqtt->client);
		fds[LIBRARY].events = (short)((mqtt->unpushed ? 0 : POLLIN) |
					      (writes ? POLLOUT : 0));
		fds[INNER].events = wire_inner_events(&mqtt->wire);
		fds[OUTER].events = wire_outer_events(&mqtt->wire, mqtt->unpushed);
		fds[LIBRARY].fd = fds[LIBRARY].events ? mosquitto_socket(mqtt->client) : -1;
		fds[INNER].fd = fds[INNER].events ? mqtt->wire.inner : -1;
		fds[OUTER].fd = fds[OUTER].events ? mqtt->wire.outer : -1;
	}
	(void)poll(fds, FDS, poll_timeout_ms(mqtt));
	atomic_fetch_add(&mqtt->turns, 1);
	push_unpushed(mqtt);
	send_waiting(mqtt);
	if (mqtt->state == LINK_DOWN)
		return;
	int result = exchange(mqtt);
	if (result == MOSQ_ERR_SUCCESS) {
		if (mqtt->mark_due)
			leave_mark(mqtt);
		judge_link(mqtt);
		return;
	}
	note_cause(mqtt, result);
	link_down(mqtt);
}

/* Sends what main has left, then says goodbye so that the broker does not publish the will. */
static void say_goodbye(struct mqtt *mqtt)
{
	int64_t until_us = clock_mono_us() + GOODBYE_US;

	send_waiting(mqtt);
	while (mqtt->state == LINK_UP && mosquitto_want_write(mqtt->client) && !mqtt->wire.ended &&
		clock_mono_us() < until_us) {
		wire_flush(&mqtt->wire, until_us);
		if (mosquitto_loop_write(mqtt->client, 1) != MOSQ_ERR_SUCCESS)
			break;
	}
	if (mqtt->client && mqtt->state != LINK_DOWN)
		(void)mosquitto_disconnect(mqtt->client);
	wire_flush(&mqtt->wire, until_us);
	wire_done(&mqtt->wire);
}

static void *mqtt_thread(void *context)
{
	struct mqtt *mqtt = context;

	while (!atomic_load(&mqtt->stopping)) {
		if (mqtt->state == LINK_DOWN && clock_mono_us() >= mqtt->retry_mono_us)
			connect_now(mqtt);
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
	wire_done(&mqtt->wire);
	budget_unref(mqtt->budget);
	inbox_free(mqtt->outgoing, outgoing_free);
	for (int set = 0; set < FILTERS_COUNT; set++) {
		for (int i = 0; i < mqtt->filters[set].count; i++)
			free(mqtt->filters[set].list[i]);
		free(mqtt->filters[set].list);
	}
	free(mqtt->client_id);
	free(mqtt->will_topic);
	free(mqtt->will_payload);
	free(mqtt->client_topic);
	free(mqtt);
	(void)mosquitto_lib_cleanup();
	return NULL;
}
DEFINE_CLEANUP(struct mqtt *, mqtt_free)

/* `last` NULL: none. */
static void copy_filters(struct filters *ret_filters, const char *const *filters, const char *last)
{
	int count = 0;

	while (filters && filters[count])
		count++;
	ret_filters->list = xcalloc((size_t)count + 1, sizeof(char *));
	for (int i = 0; i < count; i++)
		ret_filters->list[i] = xstrdup(filters[i]);
	if (last)
		ret_filters->list[count++] = xstrdup(last);
	ret_filters->count = count;
}

struct mqtt *mqtt_start(const struct mqtt_config *config, struct inbox *events)
{
	(void)mosquitto_lib_init();
	_cleanup_(mqtt_freep) struct mqtt *mqtt = xcalloc(1, sizeof *mqtt);
	*mqtt = (struct mqtt){
		.broker = config->broker,
		.client_id = xstrdup(config->client_id),
		.will_topic = xstrdup(config->will_topic),
		.will_payload = xstrdup(config->will_payload),
		.client_topic = config->client_topic ? xstrdup(config->client_topic) : NULL,
		.events = events,
		.budget = budget_ref(xcalloc(1, sizeof *mqtt->budget)),
	};
	wire_init(&mqtt->wire);
	copy_filters(&mqtt->filters[FILTERS_COMMANDS], config->subscriptions, config->client_topic);
	copy_filters(&mqtt->filters[FILTERS_STANDING], config->standing, NULL);
	if (getrandom(&mqtt->random, sizeof mqtt->random, 0) < 0 ||
		getrandom(&mqtt->run, sizeof mqtt->run, 0) < 0)
		return NULL;
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

/* Takes what the message holds, whatever comes of it. */
static int give(struct mqtt *mqtt, struct outgoing message)
{
	struct outgoing *copy = xcalloc(1, sizeof *copy);

	*copy = message;
	int result = inbox_push(mqtt->outgoing, &copy->link);
	if (result < 0)
		outgoing_free(&copy->link);
	return result;
}

int mqtt_publish(
	struct mqtt *mqtt, const char *topic, const char *payload, bool retain, uint64_t token)
{
	return give(mqtt, (struct outgoing){ .what = OUTGOING_PUBLISH,
				  .topic = xstrdup(topic),
				  .payload = xstrdup(payload),
				  .retain = retain,
				  .token = token });
}

int mqtt_reply(struct mqtt *mqtt, const char *topic, const char *payload, const char *correlation,
	size_t correlation_length)
{
	struct outgoing message = {
		.what = OUTGOING_PUBLISH, .topic = xstrdup(topic), .payload = xstrdup(payload)
	};

	if (correlation) {
		message.correlation = xcalloc(correlation_length + 1, 1);
		memcpy(message.correlation, correlation, correlation_length);
		message.correlation_length = correlation_length;
	}
	return give(mqtt, message);
}

int mqtt_subscribe(struct mqtt *mqtt, const char *topic)
{
	return give(mqtt, (struct outgoing){ .what = OUTGOING_SUBSCRIBE, .topic = xstrdup(topic) });
}

int mqtt_unsubscribe(struct mqtt *mqtt, const char *topic)
{
	return give(
		mqtt, (struct outgoing){ .what = OUTGOING_UNSUBSCRIBE, .topic = xstrdup(topic) });
}

bool mqtt_steady(const struct mqtt *mqtt)
{
	return atomic_load(&mqtt->steady);
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
