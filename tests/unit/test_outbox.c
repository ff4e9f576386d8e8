/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The outbox between a real store and a broker that is played by the test. */
#include "daemon/outbox.h"
#include "store_helpers.h"

#include <errno.h>
#include <math.h>
#include <poll.h>

#define PATIENCE_MS 20000

struct mqtt { /* the broker's end: what was published and not yet taken */
	uint64_t tokens[1000];
	size_t count, taken;
	bool jammed;
};

int mqtt_publish(
	struct mqtt *mqtt, const char *topic, const char *payload, bool retain, uint64_t token)
{
	(void)payload;
	assert_string_equal(topic, "bien-nhan");
	assert_false(retain);
	if (mqtt->jammed)
		return -ENOBUFS;
	assert_true(mqtt->count < countof(mqtt->tokens));
	mqtt->tokens[mqtt->count++] = token;
	return 0;
}

struct rig {
	struct inbox *events;
	struct store *store;
	struct outbox outbox;
	struct mqtt mqtt;
	struct inbox_link *taken;
	uint64_t durable;
};

static struct store_event *next_event(struct rig *rig)
{
	while (!rig->taken) {
		struct pollfd ready = { .fd = inbox_fd(rig->events), .events = POLLIN };
		if (poll(&ready, 1, PATIENCE_MS) == 0)
			fail_msg("no event of the store");
		rig->taken = inbox_take(rig->events);
	}
	struct store_event *event = (struct store_event *)rig->taken;
	rig->taken = event->link.next;
	return event;
}

/* Gives the next event of the store to the outbox, as main does. */
static enum store_event_what step(struct rig *rig)
{
	struct store_event *event = next_event(rig);
	enum store_event_what what = event->what;

	if (what == STORE_LOADED)
		outbox_init(&rig->outbox, rig->store, "bien-nhan", event->next_receipt_sequence,
			event->taken_receipt_sequence);
	else if (what == STORE_RECEIPTS)
		outbox_on_receipts(&rig->outbox, event->receipts, event->receipts_count);
	else if (what == STORE_DURABLE) {
		rig->durable = event->ticket;
		outbox_on_durable(&rig->outbox, event->ticket);
	}
	store_event_free(&event->link);
	return what;
}

static void step_until(struct rig *rig, enum store_event_what what)
{
	while (step(rig) != what)
		continue;
}

static void rig_start(struct rig *rig, const char *folder)
{
	*rig = (struct rig){ .events = inbox_new(1000) };
	rig->store = store_start(folder, rig->events);
	assert_non_null(rig->store);
	assert_int_equal(step(rig), STORE_LOADED);
}

static void rig_stop(struct rig *rig)
{
	assert_int_equal(store_stop(rig->store, PATIENCE_MS), 0);
	outbox_done(&rig->outbox);
	for (struct inbox_link *next, *link = rig->taken; link; link = next) {
		next = link->next;
		store_event_free(link);
	}
	inbox_free(rig->events, store_event_free);
}

static void add(struct rig *rig, int count)
{
	const struct receipt receipt = {
		.event = RECEIPT_ACCEPTED,
		.id = "tin",
		.node = "ubnd",
		.at_us = NOW_US,
		.seconds_asked = NAN,
		.seconds_played = NAN,
	};

	for (int i = 0; i < count; i++)
		outbox_add(&rig->outbox, &receipt);
}

/* The broker takes what was published to it. */
static void take_all(struct rig *rig)
{
	while (rig->mqtt.taken < rig->mqtt.count)
		outbox_on_published(&rig->outbox, rig->mqtt.tokens[rig->mqtt.taken++]);
}

static void run_until_published(struct rig *rig, size_t count)
{
	while (rig->mqtt.count < count) {
		take_all(rig);
		if (rig->mqtt.count < count)
			step(rig);
	}
}

/* --- Tests ---------------------------------------------------------------------------------- */

static void receipts_are_sent_in_order_and_once(void **state)
{
	const size_t count = 3 * OUTBOX_UNDER_WAY_MAX + 5;
	_folder_ folder = folder_new();
	struct rig rig;

	(void)state;
	rig_start(&rig, folder);
	outbox_on_connected(&rig.outbox, &rig.mqtt);
	add(&rig, (int)count);
	store_flush(rig.store);
	run_until_published(&rig, count);
	take_all(&rig);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(rig.mqtt.tokens[i], i + 1);
	rig_stop(&rig);

	rig_start(&rig, folder); /* what was taken is not sent again */
	outbox_on_connected(&rig.outbox, &rig.mqtt);
	add(&rig, 1);
	store_flush(rig.store);
	run_until_published(&rig, 1);
	assert_int_equal(rig.mqtt.tokens[0], count + 1);
	rig_stop(&rig);
}

static void what_was_not_taken_is_sent_after_a_restart(void **state)
{
	_folder_ folder = folder_new();
	struct rig rig;

	(void)state;
	rig_start(&rig, folder);
	outbox_on_connected(&rig.outbox, &rig.mqtt);
	add(&rig, 2);
	store_flush(rig.store);
	run_until_published(&rig, 2);
	take_all(&rig);
	add(&rig, 3);
	store_flush(rig.store);
	run_until_published(&rig, 5); /* published, never taken */
	rig_stop(&rig);

	rig_start(&rig, folder);
	outbox_on_connected(&rig.outbox, &rig.mqtt);
	run_until_published(&rig, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(rig.mqtt.tokens[i], i + 3);
	rig_stop(&rig);
}

static void what_was_under_way_is_sent_again_after_a_reconnection(void **state)
{
	_folder_ folder = folder_new();
	struct rig rig;

	(void)state;
	rig_start(&rig, folder);
	outbox_on_connected(&rig.outbox, &rig.mqtt);
	add(&rig, 3);
	store_flush(rig.store);
	run_until_published(&rig, 3);
	outbox_on_published(&rig.outbox, 1);
	outbox_on_disconnected(&rig.outbox);
	rig.mqtt.count = 0;
	outbox_on_connected(&rig.outbox, &rig.mqtt);
	step_until(&rig, STORE_RECEIPTS);
	assert_int_equal(rig.mqtt.count, 2);
	assert_int_equal(rig.mqtt.tokens[0], 2);
	rig_stop(&rig);
}

/* Under a flood there is always one that is newer than what is durable. */
static void newer_receipts_do_not_hold_up_those_on_disk(void **state)
{
	_folder_ folder = folder_new();
	struct rig rig;

	(void)state;
	rig_start(&rig, folder);
	outbox_on_connected(&rig.outbox, &rig.mqtt);
	step_until(&rig, STORE_RECEIPTS);
	add(&rig, 1);
	store_flush(rig.store);
	add(&rig, 1); /* of a group that is not ended yet */
	step_until(&rig, STORE_RECEIPTS);
	assert_true(rig.mqtt.count >= 1);
	assert_int_equal(rig.mqtt.tokens[0], 1);
	rig_stop(&rig);
}

/* `accepted` means: on disk. */
static void nothing_is_sent_that_waits_for_a_failing_disk(void **state)
{
	_folder_ parent = folder_new();
	_cleanup_(freep) char *folder = xasprintf("%s/state", parent);
	struct rig rig;

	(void)state;
	fclose(fopen(folder, "w")); /* no folder can be made here */
	rig_start(&rig, folder);
	assert_int_equal(step(&rig), STORE_FAULT);
	add(&rig, 2);
	store_flush(rig.store);
	outbox_on_connected(&rig.outbox, &rig.mqtt);
	step_until(&rig, STORE_RECEIPTS);
	assert_int_equal(rig.mqtt.count, 0);
	assert_int_equal(unlink(folder), 0);
	run_until_published(&rig, 2);
	assert_true(rig.durable >= 2);
	rig_stop(&rig);
}

static void a_jam_loses_nothing(void **state)
{
	_folder_ folder = folder_new();
	struct rig rig;

	(void)state;
	rig_start(&rig, folder);
	rig.mqtt.jammed = true;
	outbox_on_connected(&rig.outbox, &rig.mqtt);
	add(&rig, 2);
	store_flush(rig.store);
	step_until(&rig, STORE_DURABLE);
	step_until(&rig, STORE_RECEIPTS);
	outbox_on_disconnected(&rig.outbox); /* what a jam ends in */
	rig.mqtt.jammed = false;
	outbox_on_connected(&rig.outbox, &rig.mqtt);
	run_until_published(&rig, 2);
	assert_int_equal(rig.mqtt.tokens[0], 1);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receipts_are_sent_in_order_and_once),
		cmocka_unit_test(what_was_not_taken_is_sent_after_a_restart),
		cmocka_unit_test(what_was_under_way_is_sent_again_after_a_reconnection),
		cmocka_unit_test(newer_receipts_do_not_hold_up_those_on_disk),
		cmocka_unit_test(nothing_is_sent_that_waits_for_a_failing_disk),
		cmocka_unit_test(a_jam_loses_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
