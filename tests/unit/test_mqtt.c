/* SPDX-License-Identifier: GPL-3.0-or-later */
/* daemon/mqtt: what is arithmetic, and the link with a real mosquitto. What goes wrong on the line
 * is tested end to end (tests/e2e/test_broker.py). */
#include "daemon/mqtt.h"
#include "base/clock.h"
#include "base/strbuf.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#define WAIT_MS 20000

/* Doubles from 1 s to 60 s, spread over half to all of it, never outside. */
static void test_backoff(void **state)
{
	static const int whole_ms[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };

	(void)state;
	for (unsigned attempt = 0; attempt < 8; attempt++) {
		int half_ms = whole_ms[attempt] / 2 < 1000 ? 1000 : whole_ms[attempt] / 2;
		assert_int_equal(mqtt_backoff_ms(attempt, 0.0), half_ms);
		assert_in_range(mqtt_backoff_ms(attempt, 0.999999), half_ms, whole_ms[attempt]);
		assert_in_range(mqtt_backoff_ms(attempt, 0.999999), whole_ms[attempt] - 1,
			whole_ms[attempt]);
	}
	assert_in_range(mqtt_backoff_ms(4000000000u, 0.5), 30000, 60000);
}

/* Two namesakes that both wait the longest delay must not count as good in between. */
static void test_e5_a_namesake_is_waited_out(void **state)
{
	(void)state;
	assert_true(MQTT_NAMESAKE_US > MQTT_RECONNECT_MAX_MS * US_PER_MS);
}

/* --- A broker and two links ------------------------------------------------------------------ */

struct rig {
	char folder[40];
	pid_t mosquitto;
	struct broker_config broker;
	struct link {
		struct inbox *events;
		struct mqtt *mqtt;
		struct mqtt_event *waiting; /* taken from the inbox, not looked at yet */
	} near, far;
};

/* It ends with the test, whatever ends the test. */
static pid_t run(const char *const arguments[])
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	execvp(arguments[0], (char *const *)arguments);
	_exit(127);
}

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int free_port(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof address;
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

static bool listens(int port)
{
	struct sockaddr_in address = loopback(port);
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
}

static void start_mosquitto(struct rig *rig)
{
	_cleanup_(freep) char *path = xasprintf("%s/mosquitto.conf", rig->folder);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fprintf(file, "listener %d 127.0.0.1\nallow_anonymous true\nlog_type none\n%s",
		rig->broker.port, geteuid() == 0 ? "user root\n" : "");
	fclose(file);
	const char *const arguments[] = { "mosquitto", "-c", path, NULL };
	rig->mosquitto = run(arguments);
	for (int64_t until_us = clock_mono_us() + WAIT_MS * US_PER_MS;
		!listens(rig->broker.port);) {
		assert_true(clock_mono_us() < until_us);
		(void)poll(NULL, 0, 10);
	}
}

/* The next event, which the caller frees. */
static struct mqtt_event *next_event(struct link *link)
{
	struct pollfd fd = { .fd = inbox_fd(link->events), .events = POLLIN };

	while (!link->waiting) {
		assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
		link->waiting = (struct mqtt_event *)inbox_take(link->events);
	}
	struct mqtt_event *event = link->waiting;
	link->waiting = (struct mqtt_event *)event->link.next;
	return event;
}

static struct mqtt_event *expect(struct link *link, enum mqtt_event_what what)
{
	struct mqtt_event *event = next_event(link);

	assert_int_equal(event->what, what);
	return event;
}

static void expect_and_free(struct link *link, enum mqtt_event_what what)
{
	mqtt_event_free(&expect(link, what)->link);
}

static void link_start(struct rig *rig, struct link *link, const char *name)
{
	_cleanup_(freep) char *topic = xasprintf("loalang/lang/node/%s/status", name);
	_cleanup_(freep) char *mine = xasprintf("loalang/lang/node/%s/in/#", name);
	const char *const subscriptions[] = { mine, NULL };
	_cleanup_(freep) char *stand = xasprintf("loalang/lang/node/%s/standing/#", name);
	const char *const standing[] = { stand, NULL };
	struct mqtt_config config = { &rig->broker, name, topic, "{}", subscriptions, standing,
		NULL };

	link->events = inbox_new(8192);
	assert_non_null(link->events);
	link->mqtt = mqtt_start(&config, link->events);
	assert_non_null(link->mqtt);
	expect_and_free(link, MQTT_CONNECTED);
}

static void link_stop(struct link *link)
{
	assert_int_equal(mqtt_stop(link->mqtt, 2000), 0);
	while (link->waiting) {
		struct mqtt_event *event = link->waiting;
		link->waiting = (struct mqtt_event *)event->link.next;
		mqtt_event_free(&event->link);
	}
	inbox_free(link->events, mqtt_event_free);
}

static int setup(void **state)
{
	struct rig *rig = xcalloc(1, sizeof *rig);
	const char *path = getenv("PATH");
	_cleanup_(freep) char *with_sbin = xasprintf(
		"%s:/usr/local/sbin:/usr/sbin", path ? path : "");

	setenv("PATH", with_sbin, 1);
	signal(SIGPIPE, SIG_IGN);
	snprintf(rig->folder, sizeof rig->folder, "/tmp/loalang-mqtt-XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	rig->broker = (struct broker_config){ .host = (char *)"127.0.0.1",
		.port = free_port(),
		.username = (char *)"",
		.password_file = (char *)"",
		.client_id = (char *)"",
		.ca_file = (char *)"",
		.cert_file = (char *)"",
		.key_file = (char *)"",
		.keepalive_us = 5 * US_PER_SEC };
	start_mosquitto(rig);
	link_start(rig, &rig->near, "gan");
	link_start(rig, &rig->far, "xa");
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	_cleanup_(freep) char *path = xasprintf("%s/mosquitto.conf", rig->folder);

	link_stop(&rig->near);
	link_stop(&rig->far);
	kill(rig->mosquitto, SIGTERM);
	waitpid(rig->mosquitto, NULL, 0);
	unlink(path);
	rmdir(rig->folder);
	free(rig);
	return 0;
}

/* --- What comes and goes ---------------------------------------------------------------------- */

static char *repeated(char byte, size_t count)
{
	char *text = xcalloc(count + 1, 1);

	memset(text, byte, count);
	return text;
}

static void tell(struct rig *rig, const char *topic, const char *payload)
{
	assert_int_equal(mqtt_publish(rig->far.mqtt, topic, payload, false, 0), 0);
}

/* A topic that comes and goes: only between subscribe and unsubscribe, and what is retained with
 * its mark. */
static void test_one_more_topic(void **state)
{
	struct rig *rig = *state;
	const char *topic = "loalang/lang/media/abc", *marker = "loalang/lang/node/gan/in/moc";

	assert_int_equal(mqtt_publish(rig->far.mqtt, topic, "mot", true, 7), 0);
	struct mqtt_event *event = expect(&rig->far, MQTT_PUBLISHED);
	assert_int_equal(event->token, 7);
	mqtt_event_free(&event->link);

	assert_int_equal(mqtt_subscribe(rig->near.mqtt, topic), 0);
	event = expect(&rig->near, MQTT_MESSAGE);
	assert_string_equal(event->topic, topic);
	assert_string_equal(event->payload, "mot");
	assert_true(event->retained);
	mqtt_event_free(&event->link);

	/* The broker handles what one client sends in order: the marker comes after UNSUBSCRIBE. */
	assert_int_equal(mqtt_unsubscribe(rig->near.mqtt, topic), 0);
	assert_int_equal(mqtt_publish(rig->near.mqtt, marker, "", false, 0), 0);
	expect_and_free(&rig->near, MQTT_MESSAGE);
	tell(rig, topic, "hai");
	tell(rig, marker, "ba");
	event = expect(&rig->near, MQTT_MESSAGE);
	assert_string_equal(event->topic, marker);
	mqtt_event_free(&event->link);
}

static void expect_retained(struct link *link, const char *topic, bool retained)
{
	struct mqtt_event *event = expect(link, MQTT_MESSAGE);

	assert_string_equal(event->topic, topic);
	assert_int_equal(event->retained, retained);
	mqtt_event_free(&event->link);
}

/* What stands tells whether it was there before us; everything else, whether it was sent to stay. */
static void test_what_was_there_before(void **state)
{
	struct rig *rig = *state;
	struct link third = { 0 };
	const char *before = "loalang/lang/node/sau/standing/x";

	assert_int_equal(mqtt_publish(rig->far.mqtt, before, "mot", true, 7), 0);
	expect_and_free(&rig->far, MQTT_PUBLISHED);
	link_start(rig, &third, "sau");
	expect_retained(&third, before, true);
	assert_int_equal(mqtt_publish(rig->far.mqtt, before, "hai", true, 0), 0);
	expect_retained(&third, before, false);
	assert_int_equal(
		mqtt_publish(rig->far.mqtt, "loalang/lang/node/sau/in/x", "ba", true, 0), 0);
	expect_retained(&third, "loalang/lang/node/sau/in/x", true);
	link_stop(&third);
}

static void test_request_and_reply(void **state)
{
	struct rig *rig = *state;
	_cleanup_(freep) char *port = xasprintf("%d", rig->broker.port);
	const char *const arguments[] = { "mosquitto_pub", "-V", "5", "-p", port, "-t",
		"loalang/lang/node/gan/in/read", "-m", "{}", "-D", "publish", "response-topic",
		"loalang/lang/node/xa/in/answer", "-D", "publish", "correlation-data", "số 7",
		NULL };
	int status;

	assert_int_equal(waitpid(run(arguments), &status, 0) > 0 && status == 0, true);
	struct mqtt_event *event = expect(&rig->near, MQTT_MESSAGE);
	assert_string_equal(event->response_topic, "loalang/lang/node/xa/in/answer");
	assert_int_equal(event->correlation_length, strlen("số 7"));
	assert_memory_equal(event->correlation, "số 7", event->correlation_length);
	assert_int_equal(mqtt_reply(rig->near.mqtt, event->response_topic, "{\"spoken\":\"\"}",
				 event->correlation, event->correlation_length),
		0);
	mqtt_event_free(&event->link);

	event = expect(&rig->far, MQTT_MESSAGE);
	assert_string_equal(event->payload, "{\"spoken\":\"\"}");
	assert_int_equal(event->correlation_length, strlen("số 7"));
	assert_memory_equal(event->correlation, "số 7", event->correlation_length);
	assert_null(event->response_topic);
	assert_false(event->retained);
	mqtt_event_free(&event->link);
}

/* A message that cannot be sent is dropped alone; the receipt that it may be counts as sent, or the
 * outbox would offer it for ever. */
static void test_e4_a_message_at_fault_does_not_end_the_link(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(mqtt_publish(rig->near.mqtt, "khong/duoc/#", "x", false, 3), 0);
	struct mqtt_event *event = expect(&rig->near, MQTT_PUBLISHED);
	assert_int_equal(event->token, 3);
	mqtt_event_free(&event->link);
	tell(rig, "loalang/lang/node/gan/in/moc", "con nghe");
	expect_and_free(&rig->near, MQTT_MESSAGE);
}

/* Only recordings may be large; of the rest only the length comes. */
static void test_e6_oversize(void **state)
{
	static const struct {
		const char *topic;
		size_t length;
		bool oversize;
	} cases[] = {
		{ "loalang/lang/node/gan/in/x", MQTT_PAYLOAD_MAX, false },
		{ "loalang/lang/node/gan/in/x", MQTT_PAYLOAD_MAX + 1, true },
		{ "loalang/lang/node/gan/in/media/x", MQTT_PAYLOAD_MAX + 1, true },
		{ "loalang/lang/media/x", MQTT_PAYLOAD_MAX + 1, false },
		{ "loalang/lang/media/x", 16 * 1024 * 1024, false },
	};
	struct rig *rig = *state;

	assert_int_equal(mqtt_subscribe(rig->near.mqtt, "loalang/lang/media/x"), 0);
	tell(rig, "loalang/lang/node/xa/in/y", ""); /* the far link is heard of */
	expect_and_free(&rig->far, MQTT_MESSAGE);
	for (size_t i = 0; i < countof(cases); i++) {
		_cleanup_(freep) char *payload = repeated('a', cases[i].length);
		tell(rig, cases[i].topic, payload);
		struct mqtt_event *event = expect(&rig->near, MQTT_MESSAGE);
		assert_int_equal(event->length, cases[i].length);
		assert_int_equal(event->oversize, cases[i].oversize);
		assert_int_equal(strlen(event->payload), event->oversize ? 0 : event->length);
		mqtt_event_free(&event->link);
	}
}

static void free_list(struct mqtt_event *list)
{
	while (list) {
		struct mqtt_event *next = (struct mqtt_event *)list->link.next;
		mqtt_event_free(&list->link);
		list = next;
	}
}

/* Lets the thread turn so often that it would have given everything that waits on the broker. */
static void let_turn(struct mqtt *mqtt, unsigned turns)
{
	for (uint64_t until = mqtt_turns(mqtt) + turns; mqtt_turns(mqtt) < until;) {
		mqtt_kick(mqtt);
		(void)poll(NULL, 0, 1);
	}
}

/* While main holds what it was given, no more than MQTT_EVENTS_BYTES_MAX come; then the rest. */
static void test_e6_what_main_holds_is_bounded(void **state)
{
	enum { MESSAGES = 100, BYTES = MQTT_PAYLOAD_MAX - 1, TURNS = 200 };
	struct rig *rig = *state;
	_cleanup_(freep) char *payload = repeated('a', BYTES);
	struct mqtt_event *held = NULL;
	size_t count = 0;

	for (int i = 0; i < MESSAGES; i++)
		tell(rig, "loalang/lang/node/gan/in/x", payload);
	for (; (count + 1) * BYTES <= MQTT_EVENTS_BYTES_MAX; count++) {
		struct mqtt_event *event = expect(&rig->near, MQTT_MESSAGE);
		event->link.next = (struct inbox_link *)held;
		held = event;
	}
	let_turn(rig->near.mqtt, TURNS);
	if (!rig->near.waiting)
		rig->near.waiting = (struct mqtt_event *)inbox_take(rig->near.events);
	assert_true(!rig->near.waiting || !rig->near.waiting->link.next); /* one may be above it */
	free_list(held);
	for (; count < MESSAGES; count++)
		expect_and_free(&rig->near, MQTT_MESSAGE);
}

/* What main holds may outlive the link. */
static void test_events_outlive_the_link(void **state)
{
	struct rig *rig = *state;

	tell(rig, "loalang/lang/node/gan/in/x", "mot");
	struct mqtt_event *event = expect(&rig->near, MQTT_MESSAGE);
	link_stop(&rig->near);
	mqtt_event_free(&event->link);
	link_start(rig, &rig->near, "gan");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_e5_a_namesake_is_waited_out),
		cmocka_unit_test_setup_teardown(test_one_more_topic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_was_there_before, setup, teardown),
		cmocka_unit_test_setup_teardown(test_request_and_reply, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_e4_a_message_at_fault_does_not_end_the_link, setup, teardown),
		cmocka_unit_test_setup_teardown(test_e6_oversize, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_e6_what_main_holds_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events_outlive_the_link, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
