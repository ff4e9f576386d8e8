/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/strbuf.h"
#include "cli/tally.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as it asks */
#include <cmocka.h>

#define ONLINE                                                                    \
	"{\"state\":\"online\",\"outputs\":[{\"name\":\"l1\",\"zones\":[\"a\"]}," \
	"{\"name\":\"l2\",\"zones\":[\"b\",\"c\"]}]}"
#define OFFLINE "{\"state\":\"offline\"}"

static const char *const zone_a[] = { "a" };
static const char *const zones_ab[] = { "a", "b" };
static const char *const zone_all[] = { "all" };

static struct tally *make(const char *const *zones, size_t count, enum tally_wait wait)
{
	const struct tally_config config = {
		.id = "tin", .revision = 2, .zones = zones, .zones_count = count, .wait = wait
	};

	return tally_new(&config);
}

static void add_status(struct tally *tally, const char *node, const char *text, bool before)
{
	struct error error;
	_cleanup_(json_freep) struct json *status = json_parse(text, strlen(text), &error);

	assert_non_null(status);
	tally_add_status(tally, node, status, before);
}

static bool add_full(struct tally *tally, const char *node, const char *output, const char *event,
	const char *reason, const char *id, int revision)
{
	struct error error;
	_cleanup_(strbuf_done) struct strbuf text = { 0 };

	json_write_begin_object(&text, NULL);
	json_write_string(&text, "id", id);
	json_write_integer(&text, "revision", revision);
	json_write_string(&text, "output", output);
	json_write_string(&text, "event", event);
	json_write_string(&text, "at", "2026-11-21T16:40:00.000+07:00");
	json_write_string(&text, "reason", reason);
	json_write_end_object(&text);
	_cleanup_(json_freep) struct json *receipt = json_parse(text.text, text.length, &error);
	assert_non_null(receipt);
	return tally_add_receipt(tally, node, receipt);
}

static void add(struct tally *tally, const char *node, const char *output, const char *event)
{
	assert_true(add_full(tally, node, output, event, NULL, "tin", 2));
}

static void check(
	const struct tally *tally, bool done, size_t reached, size_t failed, size_t waiting)
{
	struct tally_counts counts = tally_counts(tally);

	assert_int_equal(tally_done(tally), done);
	assert_int_equal(counts.reached, reached);
	assert_int_equal(counts.failed, failed);
	assert_int_equal(counts.waiting, waiting);
}

static void test_zones(void **state)
{
	(void)state;
	_cleanup_(tally_freep) struct tally *a = make(zone_a, 1, TALLY_ACCEPTED);
	_cleanup_(tally_freep) struct tally *ab = make(zones_ab, 2, TALLY_ACCEPTED);
	_cleanup_(tally_freep) struct tally *all = make(zone_all, 1, TALLY_ACCEPTED);

	add_status(a, "n1", ONLINE, true);
	add_status(ab, "n1", ONLINE, true);
	add_status(all, "n1", ONLINE, true);
	check(a, false, 0, 0, 1);
	check(ab, false, 0, 0, 2);
	check(all, false, 0, 0, 2);
	assert_string_equal(tally_row(ab, 1)->output, "l2");
	assert_null(tally_row(ab, 2));
	/* the same status again counts nothing twice */
	add_status(all, "n1", ONLINE, true);
	check(all, false, 0, 0, 2);
}

static void test_accepted(void **state)
{
	(void)state;
	_cleanup_(tally_freep) struct tally *tally = make(zone_all, 1, TALLY_ACCEPTED);

	assert_false(tally_known(tally));
	assert_false(tally_done(tally));
	add_status(tally, "n2", ONLINE, true);
	add_status(tally, "n1", ONLINE, true);
	assert_string_equal(tally_row(tally, 0)->node, "n1");
	assert_true(tally_known(tally));
	add(tally, "n1", NULL, "accepted");
	check(tally, false, 2, 0, 2);
	add(tally, "n2", NULL, "rejected");
	check(tally, true, 2, 2, 0);
}

static void test_finished(void **state)
{
	(void)state;
	_cleanup_(tally_freep) struct tally *tally = make(zone_all, 1, TALLY_FINISHED);

	add_status(tally, "n1", ONLINE, true);
	add(tally, "n1", NULL, "accepted");
	add(tally, "n1", "l1", "started");
	add(tally, "n1", "l1", "interrupted");
	check(tally, false, 0, 0, 2);
	add(tally, "n1", "l1", "resumed");
	add(tally, "n1", "l1", "finished");
	check(tally, false, 1, 0, 1);
	add(tally, "n1", "l2", "expired");
	check(tally, true, 1, 1, 0);
}

/* What each event is worth for each thing that is waited for. */
static void test_events(void **state)
{
	(void)state;
	static const struct {
		const char *event;
		enum tally_state states[3]; /* by enum tally_wait */
	} rows[] = {
		{ "accepted", { TALLY_REACHED, TALLY_WAITING, TALLY_WAITING } },
		{ "rejected", { TALLY_FAILED, TALLY_FAILED, TALLY_FAILED } },
		{ "started", { TALLY_REACHED, TALLY_REACHED, TALLY_WAITING } },
		{ "interrupted", { TALLY_REACHED, TALLY_REACHED, TALLY_WAITING } },
		{ "resumed", { TALLY_REACHED, TALLY_REACHED, TALLY_WAITING } },
		{ "finished", { TALLY_REACHED, TALLY_REACHED, TALLY_REACHED } },
		{ "cancelled", { TALLY_FAILED, TALLY_FAILED, TALLY_FAILED } },
		{ "expired", { TALLY_FAILED, TALLY_FAILED, TALLY_FAILED } },
		{ "failed", { TALLY_FAILED, TALLY_FAILED, TALLY_FAILED } },
		{ "superseded", { TALLY_FAILED, TALLY_FAILED, TALLY_FAILED } },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		for (int wait = TALLY_ACCEPTED; wait <= TALLY_FINISHED; wait++) {
			_cleanup_(tally_freep) struct tally *tally = make(zone_a, 1, wait);
			add_status(tally, "n1", ONLINE, true);
			add(tally, "n1", "l1", rows[i].event);
			assert_int_equal(tally_row(tally, 0)->state, rows[i].states[wait]);
		}
	}
}

/* Accepted is accepted, whatever becomes of it before the other nodes have answered. */
static void test_reached_stays(void **state)
{
	(void)state;
	_cleanup_(tally_freep) struct tally *tally = make(zone_a, 1, TALLY_ACCEPTED);

	add_status(tally, "n1", ONLINE, true);
	add(tally, "n1", NULL, "accepted");
	add(tally, "n1", "l1", "cancelled");
	check(tally, true, 1, 0, 0);
	assert_int_equal(tally_row(tally, 0)->event, RECEIPT_CANCELLED);
}

static void test_not_ours(void **state)
{
	(void)state;
	_cleanup_(tally_freep) struct tally *tally = make(zone_a, 1, TALLY_ACCEPTED);

	add_status(tally, "n1", ONLINE, true);
	assert_false(add_full(tally, "n1", NULL, "accepted", NULL, "khac", 2));
	/* the end of what was said under this id before */
	assert_false(add_full(tally, "n1", "l1", "superseded", "withdrawn", "tin", 1));
	assert_false(add_full(tally, "n1", "l1", "exploded", NULL, "tin", 2));
	check(tally, false, 0, 0, 1);
	/* refused before its revision was read */
	assert_true(add_full(tally, "n1", NULL, "rejected", "bad-value", "tin", 0));
	check(tally, true, 0, 1, 0);
	assert_string_equal(tally_row(tally, 0)->reason, "bad-value");
}

/* Sent to two zones, a node that serves both is reached twice and says so of the second. */
static void test_duplicate(void **state)
{
	(void)state;
	_cleanup_(tally_freep) struct tally *two = make(zones_ab, 2, TALLY_ACCEPTED);
	_cleanup_(tally_freep) struct tally *one = make(zone_a, 1, TALLY_ACCEPTED);

	add_status(two, "n1", ONLINE, true);
	assert_true(add_full(two, "n1", NULL, "rejected", "duplicate", "tin", 2));
	check(two, false, 0, 0, 2);
	add(two, "n1", NULL, "accepted");
	check(two, true, 2, 0, 0);
	/* to one zone it is a refusal: the id is taken */
	add_status(one, "n1", ONLINE, true);
	assert_true(add_full(one, "n1", NULL, "rejected", "duplicate", "tin", 2));
	check(one, true, 0, 1, 0);
}

/* A node that was off before is named, not waited for; one that goes off later is waited for. */
static void test_absent(void **state)
{
	(void)state;
	_cleanup_(tally_freep) struct tally *all = make(zone_all, 1, TALLY_ACCEPTED);
	_cleanup_(tally_freep) struct tally *a = make(zone_a, 1, TALLY_ACCEPTED);
	_cleanup_(tally_freep) struct tally *b = make(zone_a, 1, TALLY_ACCEPTED);

	add_status(all, "n0", OFFLINE, true);
	assert_false(tally_known(all));
	add_status(all, "n1", ONLINE, true);
	add_status(all, "n1", OFFLINE, false);
	check(all, false, 0, 0, 3);
	add(all, "n1", NULL, "accepted");
	check(all, true, 2, 0, 1);
	assert_true(tally_row(all, 0)->absent);
	/* it comes back and answers */
	add(all, "n0", NULL, "accepted");
	check(all, true, 3, 0, 0);
	/* whether it serves one zone is not known: it is named, and not counted */
	add_status(a, "n0", OFFLINE, true);
	assert_true(tally_row(a, 0)->unclear);
	assert_false(tally_known(a));
	check(a, false, 0, 0, 0);
	add_status(a, "n1", ONLINE, true);
	add(a, "n1", "l1", "accepted");
	check(a, true, 1, 0, 0);
	/* it serves the zone after all */
	add(a, "n0", NULL, "accepted");
	check(a, true, 2, 0, 0);
	assert_false(tally_row(a, 0)->unclear);
	/* it is back, and does not */
	add_status(b, "n1", OFFLINE, true);
	add_status(b, "n1", "{\"state\":\"online\",\"outputs\":[]}", false);
	assert_null(tally_row(b, 0));
}

/* A node that nobody knew answers: that counts; its outputs take the place of the node. */
static void test_unknown_node(void **state)
{
	(void)state;
	_cleanup_(tally_freep) struct tally *tally = make(zone_a, 1, TALLY_FINISHED);

	add(tally, "n9", NULL, "accepted");
	assert_true(tally_known(tally));
	check(tally, false, 0, 0, 1);
	assert_null(tally_row(tally, 0)->output);
	add(tally, "n9", "l7", "started");
	check(tally, false, 0, 0, 1);
	assert_string_equal(tally_row(tally, 0)->output, "l7");
	add(tally, "n9", "l7", "finished");
	check(tally, true, 1, 0, 0);
}

/* Statuses of all shapes are survived. */
static void test_odd_statuses(void **state)
{
	(void)state;
	static const char *const odd[] = { "[]", "{}", "3", "{\"outputs\":3}",
		"{\"outputs\":[3,{}]}", "{\"state\":3,\"outputs\":[{\"name\":\"l\",\"zones\":3}]}",
		"{\"outputs\":[{\"name\":3,\"zones\":[\"a\"]}]}",
		"{\"outputs\":[{\"name\":\"l\",\"zones\":[3,null]}]}" };
	_cleanup_(tally_freep) struct tally *tally = make(zone_a, 1, TALLY_ACCEPTED);

	for (size_t i = 0; i < countof(odd); i++)
		add_status(tally, "n1", odd[i], true);
	assert_null(tally_row(tally, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_finished),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_reached_stays),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_duplicate),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_unknown_node),
		cmocka_unit_test(test_odd_statuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
