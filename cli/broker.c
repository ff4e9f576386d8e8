/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/broker.h"

#include "base/clock.h"
#include "base/strbuf.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define PASSWORD_BYTES_MAX 256
/* A slower line than this is taken for a dead one, while something large is sent. */
#define LINE_BYTES_PER_SECOND_MIN (16 * 1024)

struct broker {
	const struct broker_config *config;
	struct mosquitto *client;
	broker_on_message on_message;
	void *context;
	int64_t heard_mono_us; /* when the last message came */
	int connected;         /* -1: no answer yet; else the reason code */
	int subscribed_mid, subscribed_code;
	int published_mid, published_code;
};

static void on_connect(struct mosquitto *client, void *context, int code, int flags,
	const mosquitto_property *properties)
{
	struct broker *broker = context;

	(void)client;
	(void)flags;
	(void)properties;
	broker->connected = code;
}

static void on_subscribe(struct mosquitto *client, void *context, int mid, int count,
	const int *granted, const mosquitto_property *properties)
{
	struct broker *broker = context;

	(void)client;
	(void)properties;
	broker->subscribed_mid = mid;
	broker->subscribed_code = count > 0 ? granted[0] : 0;
}

static void on_publish(struct mosquitto *client, void *context, int mid, int code,
	const mosquitto_property *properties)
{
	struct broker *broker = context;

	(void)client;
	(void)properties;
	broker->published_mid = mid;
	broker->published_code = code;
}

/* As text: ours is. The caller frees; NULL: none. */
static char *correlation_of(const mosquitto_property *properties)
{
	void *data = NULL;
	uint16_t length = 0;

	if (!mosquitto_property_read_binary(
		    properties, MQTT_PROP_CORRELATION_DATA, &data, &length, false))
		return NULL;
	char *text = data ? xstrndup(data, length) : NULL;
	free(data);
	return text;
}

static void on_message(struct mosquitto *client, void *context,
	const struct mosquitto_message *message, const mosquitto_property *properties)
{
	struct broker *broker = context;
	size_t length = message->payloadlen > 0 ? (size_t)message->payloadlen : 0;
	_cleanup_(freep) char *payload = xcalloc(length + 1, 1);
	_cleanup_(freep) char *correlation = correlation_of(properties);

	(void)client;
	if (length > 0)
		memcpy(payload, message->payload, length);
	broker->heard_mono_us = clock_mono_us();
	broker->on_message(&(struct broker_message){ .topic = message->topic,
				   .payload = payload,
				   .length = length,
				   .retained = message->retain,
				   .correlation = correlation },
		broker->context);
}

/* --- Connecting ----------------------------------------------------------------------------- */

static int left_ms(int64_t until_mono_us)
{
	int64_t left = (until_mono_us - clock_mono_us() + US_PER_MS - 1) / US_PER_MS;

	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static int try_address(const struct addrinfo *address, int64_t until_mono_us)
{
	int result = 0;
	socklen_t size = sizeof(result);
	_cleanup_(closep) int fd = socket(address->ai_family,
		address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);

	if (fd < 0)
		return -errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	struct pollfd poller = { .fd = fd, .events = POLLOUT };
	if (poll(&poller, 1, left_ms(until_mono_us)) <= 0)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &size) < 0)
		return -errno;
	return -result;
}

/* libmosquitto's connect waits as long as TCP does (two minutes for a machine that is off), so the
 * port is tried first. */
static int try_port(const struct broker_config *config, struct error *error)
{
	struct addrinfo *list = NULL;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	int64_t until_mono_us = clock_mono_us() + BROKER_TIMEOUT_MS * US_PER_MS;
	char port[16];

	snprintf(port, sizeof(port), "%d", config->port);
	/* The resolver's own patience is longer than ours. */
	setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
	int unknown = getaddrinfo(config->host, port, &hints, &list);
	if (unknown != 0)
		return error_set(error, -EHOSTUNREACH,
			"không nối được broker: không biết máy “%s” (%s)", config->host,
			gai_strerror(unknown));
	int result = -EHOSTUNREACH;
	for (const struct addrinfo *one = list; one && result < 0; one = one->ai_next)
		result = try_address(one, until_mono_us);
	freeaddrinfo(list);
	if (result < 0)
		return error_set(error, result, "không nối được broker %s:%d: %s", config->host,
			config->port, strerror(-result));
	return 0;
}

static int set_password(struct broker *broker, struct error *error)
{
	const struct broker_config *config = broker->config;
	char password[PASSWORD_BYTES_MAX] = "";

	if (config->username[0] == '\0')
		return 0;
	if (config->password_file[0] != '\0') {
		_cleanup_(fclosep) FILE *file = fopen(config->password_file, "re");
		if (!file || !fgets(password, sizeof(password), file))
			return error_set(error, -EACCES, "không đọc được mật khẩu trong %s: %s",
				config->password_file, file ? "tệp trống" : strerror(errno));
		password[strcspn(password, "\r\n")] = '\0';
	}
	int code = mosquitto_username_pw_set(
		broker->client, config->username, password[0] ? password : NULL);
	explicit_bzero(password, sizeof(password));
	return code == MOSQ_ERR_SUCCESS
		       ? 0
		       : error_set(error, -EINVAL, "tên hay mật khẩu không dùng được");
}

static int set_tls(struct broker *broker, struct error *error)
{
	const struct broker_config *config = broker->config;
	const char *certificate = config->cert_file[0] ? config->cert_file : NULL;
	const char *key = config->key_file[0] ? config->key_file : NULL;

	if (config->ca_file[0] == '\0')
		return 0;
	int code = mosquitto_tls_set(broker->client, config->ca_file, NULL, certificate, key, NULL);
	if (code != MOSQ_ERR_SUCCESS)
		return error_set(error, -EINVAL, "chứng chỉ TLS không dùng được (%s): %s",
			config->ca_file, mosquitto_strerror(code));
	return 0;
}

/* An id of our own, so that no node and no other command is pushed off the broker. */
static void make_client_id(char id[32])
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint32_t)clock_mono_us() ^ (uint32_t)getpid();
	snprintf(id, 32, "loalang-lenh-%08" PRIx32, number);
}

static int make_client(struct broker *broker, struct error *error)
{
	char id[32];

	make_client_id(id);
	broker->client = mosquitto_new(id, true, broker);
	if (!broker->client)
		return error_set(error, -errno, "không tạo được kết nối: %s", strerror(errno));
	mosquitto_int_option(broker->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_int_option(broker->client, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_v5_callback_set(broker->client, on_connect);
	mosquitto_subscribe_v5_callback_set(broker->client, on_subscribe);
	mosquitto_publish_v5_callback_set(broker->client, on_publish);
	mosquitto_message_v5_callback_set(broker->client, on_message);
	int result = set_password(broker, error);
	return result < 0 ? result : set_tls(broker, error);
}

/* --- The loop ------------------------------------------------------------------------------- */

static int lost(const struct broker *broker, int code, struct error *error)
{
	const char *why = code == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(code);

	return error_set(error, -ECONNRESET, "mất kết nối với broker %s:%d: %s",
		broker->config->host, broker->config->port, why);
}

/* Waits for the socket, at most until the instant, and lets the library do what is due. */
static int turn(struct broker *broker, int64_t until_mono_us, struct error *error)
{
	struct pollfd poller = { .fd = mosquitto_socket(broker->client), .events = POLLIN };
	/* loop_misc() keeps the connection alive: it must be called now and then. */
	int wait_ms = left_ms(until_mono_us) < 1000 ? left_ms(until_mono_us) : 1000;

	if (mosquitto_want_write(broker->client))
		poller.events |= POLLOUT;
	if (poll(&poller, 1, wait_ms) < 0 && errno != EINTR)
		return error_set(error, -errno, "poll: %s", strerror(errno));
	int code = MOSQ_ERR_SUCCESS;
	if (poller.revents & (POLLIN | POLLERR | POLLHUP))
		code = mosquitto_loop_read(broker->client, 1);
	if (code == MOSQ_ERR_SUCCESS && mosquitto_want_write(broker->client))
		code = mosquitto_loop_write(broker->client, 1);
	if (code == MOSQ_ERR_SUCCESS)
		code = mosquitto_loop_misc(broker->client);
	if (code == MOSQ_ERR_SUCCESS && mosquitto_socket(broker->client) < 0)
		code = MOSQ_ERR_CONN_LOST;
	return code == MOSQ_ERR_SUCCESS ? 0 : lost(broker, code, error);
}

int broker_wait(struct broker *broker, int64_t until_mono_us, bool (*done)(void *context),
	void *context, struct error *error)
{
	while (!done(context)) {
		if (clock_mono_us() >= until_mono_us)
			return 0;
		int result = turn(broker, until_mono_us, error);
		if (result < 0)
			return result;
	}
	return 1;
}

/* Waits for an answer of the broker; silence is a failure. */
static int await(struct broker *broker, bool (*done)(void *), void *context, const char *what,
	size_t sent_bytes, struct error *error)
{
	int64_t until_mono_us = clock_mono_us() + BROKER_TIMEOUT_MS * US_PER_MS +
				(int64_t)sent_bytes * US_PER_SEC / LINE_BYTES_PER_SECOND_MIN;
	int result = broker_wait(broker, until_mono_us, done, context, error);

	if (result == 0)
		return error_set(error, -ETIMEDOUT, "broker %s:%d không trả lời (%s)",
			broker->config->host, broker->config->port, what);
	return result < 0 ? result : 0;
}

static bool is_connected(void *context)
{
	const struct broker *broker = context;

	return broker->connected >= 0;
}

static int greet(struct broker *broker, struct error *error)
{
	int code = mosquitto_connect_bind_v5(broker->client, broker->config->host,
		broker->config->port, (int)(broker->config->keepalive_us / US_PER_SEC), NULL, NULL);

	if (code != MOSQ_ERR_SUCCESS)
		return error_set(error, -ECONNREFUSED, "không nối được broker %s:%d: %s",
			broker->config->host, broker->config->port,
			code == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(code));
	int result = await(broker, is_connected, broker, "CONNECT", 0, error);
	if (result == 0 && broker->connected != 0)
		return error_set(error, -EACCES, "broker %s:%d không cho vào: %s",
			broker->config->host, broker->config->port,
			mosquitto_reason_string(broker->connected));
	return result;
}

struct broker *broker_connect(const struct broker_config *config, broker_on_message on_message_,
	void *context, struct error *error)
{
	mosquitto_lib_init();
	_cleanup_(broker_disconnectp) struct broker *broker = xcalloc(1, sizeof(*broker));
	*broker = (struct broker){
		.config = config, .on_message = on_message_, .context = context, .connected = -1
	};

	if (try_port(config, error) < 0 || make_client(broker, error) < 0 ||
		greet(broker, error) < 0)
		return NULL;
	return hand_over(broker);
}

struct broker *broker_disconnect(struct broker *broker)
{
	if (!broker)
		return NULL;
	if (broker->client && broker->connected == 0)
		mosquitto_disconnect_v5(broker->client, 0, NULL);
	if (broker->client)
		mosquitto_destroy(broker->client);
	free(broker);
	mosquitto_lib_cleanup();
	return NULL;
}

/* --- Subscribing and publishing ------------------------------------------------------------- */

struct answer { /* the one that is waited for */
	const int *mid;
	int wanted;
};

static bool is_answered(void *context)
{
	const struct answer *answer = context;

	return *answer->mid == answer->wanted;
}

int broker_subscribe(struct broker *broker, const char *topic, int qos, struct error *error)
{
	struct answer answer = { .mid = &broker->subscribed_mid };
	int code = mosquitto_subscribe_v5(broker->client, &answer.wanted, topic, qos, 0, NULL);

	if (code != MOSQ_ERR_SUCCESS)
		return lost(broker, code, error);
	int result = await(broker, is_answered, &answer, "SUBSCRIBE", 0, error);
	if (result == 0 && broker->subscribed_code > 2)
		return error_set(error, -EACCES, "broker không cho nghe “%s”: %s", topic,
			mosquitto_reason_string(broker->subscribed_code));
	return result;
}

static bool is_quiet(void *context)
{
	const struct broker *broker = context;

	return clock_mono_us() - broker->heard_mono_us >= BROKER_QUIET_MS * US_PER_MS;
}

int broker_settle(struct broker *broker, struct error *error)
{
	int64_t until_mono_us = clock_mono_us() + BROKER_TIMEOUT_MS * US_PER_MS;

	broker->heard_mono_us = clock_mono_us();
	while (!is_quiet(broker) && clock_mono_us() < until_mono_us) {
		int64_t quiet_mono_us = broker->heard_mono_us + BROKER_QUIET_MS * US_PER_MS;
		int result = turn(broker, quiet_mono_us, error);
		if (result < 0)
			return result;
	}
	return 0;
}

static mosquitto_property *properties_of(const struct broker_publication *publication)
{
	mosquitto_property *properties = NULL;
	const char *correlation = publication->correlation;

	if (publication->expiry_us > 0) {
		int64_t seconds = (publication->expiry_us + US_PER_SEC - 1) / US_PER_SEC;
		mosquitto_property_add_int32(&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
			seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds);
	}
	if (publication->response_topic)
		mosquitto_property_add_string(
			&properties, MQTT_PROP_RESPONSE_TOPIC, publication->response_topic);
	if (correlation)
		mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA, correlation,
			(uint16_t)strlen(correlation));
	return properties;
}

int broker_publish(
	struct broker *broker, const struct broker_publication *publication, struct error *error)
{
	mosquitto_property *properties = properties_of(publication);
	struct answer answer = { .mid = &broker->published_mid };
	size_t length = publication->length ? publication->length : strlen(publication->payload);

	int code = mosquitto_publish_v5(broker->client, &answer.wanted, publication->topic,
		(int)length, publication->payload, 1, publication->retain, properties);
	mosquitto_property_free_all(&properties);
	if (code == MOSQ_ERR_OVERSIZE_PACKET)
		return error_set(error, -EMSGSIZE,
			"broker %s:%d không nhận thông điệp dài %zu byte (max_packet_size)",
			broker->config->host, broker->config->port, length);
	if (code != MOSQ_ERR_SUCCESS)
		return lost(broker, code, error);
	int result = await(broker, is_answered, &answer, "PUBLISH", length, error);
	/* From 0x80 on a reason code is a refusal; 0x10 says that nobody listens. */
	if (result == 0 && broker->published_code >= 0x80)
		return error_set(error, -EACCES, "broker không cho gửi tới “%s”: %s",
			publication->topic, mosquitto_reason_string(broker->published_code));
	return result;
}
