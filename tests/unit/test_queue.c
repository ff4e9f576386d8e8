/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/queue.h"
#include "base/strbuf.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define T     (INT64_C(1795255200) * US_PER_SEC)
#define S(n)  (T + (n)*US_PER_SEC) /* n seconds after T */
#define ONCE  TIME_UNSET
#define NEVER TIME_NEVER

static struct announcement *make(
	const char *id, enum priority priority, int64_t start_us, int64_t expires_us)
{
	struct announcement *announcement = xcalloc(1, sizeof *announcement);

	announcement->references = 1;
	snprintf(announcement->id, sizeof announcement->id, "%s", id);
	announcement->text = xstrdup("a");
	announcement->priority = priority;
	announcement->start_us = start_us;
	announcement->expires_us = expires_us;
	return announcement;
}

static int add(struct queue *queue, const char *id, enum priority priority, int64_t start_us,
	int64_t expires_us, int64_t arrival_us, uint64_t sequence, bool durable)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = make(
		id, priority, start_us, expires_us);

	return queue_add(queue, announcement, arrival_us, sequence, durable);
}

static void drop(struct queue *queue, const char *id)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = queue_remove(queue, id);

	assert_non_null(announcement);
}

/* What plays at an instant at which everything that is asked of the world is given. */
static const struct queue_now fine = {
	.real_us = T,
	.trusted = true,
	.output_ready = true,
	.free_us = TIME_UNSET,
};

/* --- Order ---------------------------------------------------------------------------------- */

static void the_order_is_priority_then_start_then_arrival(void **state)
{
	static const struct {
		const char *id;
		enum priority priority;
		int64_t start_us, arrival_us;
		uint64_t sequence;
	} entries[] = {
		/* in the order in which they should play */
		{ "e1", PRIORITY_EMERGENCY, ONCE, S(-1), 11 },
		{ "e2", PRIORITY_EMERGENCY, S(2), S(-9), 1 },
		{ "p1", PRIORITY_PRIORITY, S(1), S(-9), 3 },
		{ "p2", PRIORITY_PRIORITY, S(2), S(-10), 4 },
		{ "n1", PRIORITY_NORMAL, S(-3), S(-1), 12 },
		{ "n2", PRIORITY_NORMAL, ONCE, S(-2), 5 },
		{ "n3", PRIORITY_NORMAL, S(-2), S(-8), 6 }, /* equal starts: by arrival */
		{ "n4", PRIORITY_NORMAL, ONCE, S(-2), 7 },
		{ "b1", PRIORITY_BACKGROUND, ONCE, S(-99), 2 },
	};
	static const size_t shuffles[][countof(entries)] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8 },
		{ 8, 7, 6, 5, 4, 3, 2, 1, 0 },
		{ 4, 8, 0, 6, 2, 7, 1, 5, 3 },
	};

	(void)state;
	for (size_t s = 0; s < countof(shuffles); s++) {
		_cleanup_(queue_freep) struct queue *queue = queue_new();
		for (size_t i = 0; i < countof(entries); i++) {
			size_t k = shuffles[s][i];
			assert_int_equal(
				add(queue, entries[k].id, entries[k].priority, entries[k].start_us,
					S(3600), entries[k].arrival_us, entries[k].sequence, true),
				0);
		}
		for (size_t i = 0; i < countof(entries); i++) {
			struct queue_decision decision = queue_decide(queue, &fine);
			assert_int_equal(decision.what, QUEUE_DO_PLAY);
			assert_string_equal(decision.entry->announcement->id, entries[i].id);
			drop(queue, entries[i].id);
		}
		assert_int_equal(queue_length(queue), 0);
	}
}

/* --- One entry, every condition ------------------------------------------------------------- */

static void the_table_of_decisions(void **state)
{
	static const struct {
		const char *what_is_tested;
		enum priority priority;
		int durable;
		int64_t start_us, expires_us;
		struct queue_now now;
		int what;
		enum reason reason;
		int64_t start_or_wake_us;
	} table[] = {
		{ "at once", PRIORITY_NORMAL, true, ONCE, S(60), { T, true, true, false, ONCE },
			QUEUE_DO_PLAY, REASON_NONE, ONCE },
		{ "at once, but the output is free later", PRIORITY_NORMAL, true, ONCE, S(60),
			{ T, true, true, false, S(2) }, QUEUE_DO_PLAY, REASON_NONE, S(2) },
		{ "the output is free much later", PRIORITY_NORMAL, true, ONCE, S(60),
			{ T, true, true, false, S(10) }, QUEUE_DO_NOTHING, REASON_NONE, S(7) },
		{ "the output was free before", PRIORITY_NORMAL, true, ONCE, S(60),
			{ T, true, true, false, S(-5) }, QUEUE_DO_PLAY, REASON_NONE, ONCE },
		{ "start in time to prepare", PRIORITY_NORMAL, true, S(3), S(60),
			{ T, true, true, false, ONCE }, QUEUE_DO_PLAY, REASON_NONE, S(3) },
		{ "start a moment too early", PRIORITY_NORMAL, true, S(3) + 1, S(60),
			{ T, true, true, false, ONCE }, QUEUE_DO_NOTHING, REASON_NONE, T + 1 },
		{ "start has passed", PRIORITY_NORMAL, true, S(-5), S(60),
			{ T, true, true, false, ONCE }, QUEUE_DO_PLAY, REASON_NONE, ONCE },
		{ "start, and the output is free after it", PRIORITY_NORMAL, true, S(1), S(60),
			{ T, true, true, false, S(2) }, QUEUE_DO_PLAY, REASON_NONE, S(2) },
		{ "start, and the output is free before it", PRIORITY_NORMAL, true, S(2), S(60),
			{ T, true, true, false, S(1) }, QUEUE_DO_PLAY, REASON_NONE, S(2) },
		{ "busy", PRIORITY_NORMAL, true, ONCE, S(60), { T, true, true, true, ONCE },
			QUEUE_DO_NOTHING, REASON_NONE, S(60) },
		{ "busy with what goes on behind the start", PRIORITY_NORMAL, true, S(10), S(60),
			{ T, true, true, true, ONCE }, QUEUE_DO_NOTHING, REASON_NONE, S(60) },
		{ "not on disk yet", PRIORITY_PRIORITY, false, ONCE, S(60),
			{ T, true, true, false, ONCE }, QUEUE_DO_NOTHING, REASON_NONE, S(60) },
		{ "an emergency does not wait for the disk", PRIORITY_EMERGENCY, false, ONCE, S(60),
			{ T, true, true, false, ONCE }, QUEUE_DO_PLAY, REASON_NONE, ONCE },
		{ "an emergency waits for its start", PRIORITY_EMERGENCY, false, S(30), S(60),
			{ T, true, true, false, ONCE }, QUEUE_DO_NOTHING, REASON_NONE, S(27) },
		{ "an emergency waits for what plays", PRIORITY_EMERGENCY, false, ONCE, S(60),
			{ T, true, true, true, ONCE }, QUEUE_DO_NOTHING, REASON_NONE, S(60) },
		{ "the output is lost", PRIORITY_NORMAL, true, ONCE, S(60),
			{ T, true, false, false, ONCE }, QUEUE_DO_NOTHING, REASON_NONE, S(60) },
		{ "expires", PRIORITY_NORMAL, true, ONCE, T, { T, true, true, false, ONCE },
			QUEUE_DO_EXPIRE, REASON_EXPIRED, 0 },
		{ "does not expire yet", PRIORITY_NORMAL, true, ONCE, T + 1,
			{ T, true, true, false, ONCE }, QUEUE_DO_PLAY, REASON_NONE, ONCE },
		{ "expires while something plays", PRIORITY_NORMAL, true, ONCE, S(-1),
			{ T, true, true, true, ONCE }, QUEUE_DO_EXPIRE, REASON_EXPIRED, 0 },
		{ "expires though not on disk", PRIORITY_NORMAL, false, ONCE, S(-1),
			{ T, true, true, false, ONCE }, QUEUE_DO_EXPIRE, REASON_EXPIRED, 0 },
		{ "expires because the output is lost", PRIORITY_NORMAL, true, ONCE, S(-1),
			{ T, true, false, false, ONCE }, QUEUE_DO_EXPIRE, REASON_OUTPUT_LOST, 0 },
		{ "could only begin when it has expired", PRIORITY_NORMAL, true, ONCE, S(2),
			{ T, true, true, false, S(2) }, QUEUE_DO_NOTHING, REASON_NONE, S(2) },
		{ "no trust: a start waits", PRIORITY_NORMAL, true, S(-5), S(60),
			{ T, false, true, false, ONCE }, QUEUE_DO_NOTHING, REASON_NONE, NEVER },
		{ "no trust: the start of an emergency waits", PRIORITY_EMERGENCY, true, S(1),
			S(60), { T, false, true, false, ONCE }, QUEUE_DO_NOTHING, REASON_NONE,
			NEVER },
		{ "no trust: nothing expires", PRIORITY_NORMAL, true, S(-50), S(-1),
			{ T, false, true, false, ONCE }, QUEUE_DO_NOTHING, REASON_NONE, NEVER },
		{ "no trust: what has no start plays, whatever the clock says", PRIORITY_NORMAL,
			true, ONCE, S(-1), { T, false, true, false, ONCE }, QUEUE_DO_PLAY,
			REASON_NONE, ONCE },
		{ "no trust: the output is free later", PRIORITY_NORMAL, true, ONCE, S(-1),
			{ T, false, true, false, S(5) }, QUEUE_DO_NOTHING, REASON_NONE, S(2) },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		_cleanup_(queue_freep) struct queue *queue = queue_new();
		assert_int_equal(add(queue, "a", table[i].priority, table[i].start_us,
					 table[i].expires_us, S(-100), 1, table[i].durable),
			0);
		struct queue_decision found = queue_decide(queue, &table[i].now);
		int64_t time_us = found.what == QUEUE_DO_PLAY      ? found.start_us
				  : found.what == QUEUE_DO_NOTHING ? found.wake_us
								   : 0;
		if ((int)found.what != table[i].what || time_us != table[i].start_or_wake_us ||
			found.reason != table[i].reason)
			fail_msg("%s: what %d, time T%+.6f s, reason %d", table[i].what_is_tested,
				found.what, (double)(time_us - T) / US_PER_SEC, found.reason);
		assert_int_equal(found.entry != NULL, found.what != QUEUE_DO_NOTHING);
	}
}

static void an_empty_queue_sleeps(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new();
	struct queue_decision decision = queue_decide(queue, &fine);

	(void)state;
	assert_int_equal(decision.what, QUEUE_DO_NOTHING);
	assert_true(decision.wake_us == TIME_NEVER);
	assert_null(queue_free(NULL));
}

/* --- Several entries ------------------------------------------------------------------------ */

static void the_first_ripe_one_plays_though_others_come_before_it(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new();

	(void)state;
	assert_int_equal(add(queue, "e", PRIORITY_EMERGENCY, S(60), S(600), T, 1, true), 0);
	assert_int_equal(add(queue, "p", PRIORITY_PRIORITY, ONCE, S(600), T, 2, false), 0);
	assert_int_equal(add(queue, "n", PRIORITY_NORMAL, ONCE, S(600), T, 3, true), 0);
	struct queue_decision decision = queue_decide(queue, &fine);
	assert_int_equal(decision.what, QUEUE_DO_PLAY);
	assert_string_equal(decision.entry->announcement->id, "n");
	queue_set_durable(queue, "p");
	queue_set_durable(queue, "not-there");
	decision = queue_decide(queue, &fine);
	assert_string_equal(decision.entry->announcement->id, "p");
	drop(queue, "p");
	drop(queue, "n");
	decision = queue_decide(queue, &fine);
	assert_int_equal(decision.what, QUEUE_DO_NOTHING);
	assert_int_equal(decision.wake_us, S(57));
}

static void all_expire_before_any_plays(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new();

	(void)state;
	assert_int_equal(add(queue, "e", PRIORITY_EMERGENCY, ONCE, S(600), T, 1, true), 0);
	assert_int_equal(add(queue, "b", PRIORITY_BACKGROUND, ONCE, S(-1), S(-60), 2, true), 0);
	struct queue_decision decision = queue_decide(queue, &fine);
	assert_int_equal(decision.what, QUEUE_DO_EXPIRE);
	assert_string_equal(decision.entry->announcement->id, "b");
}

static void two_with_the_same_start_follow_one_another(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new();
	struct queue_now now = fine;

	(void)state;
	assert_int_equal(add(queue, "second", PRIORITY_NORMAL, S(3), S(600), S(-5), 2, true), 0);
	assert_int_equal(add(queue, "first", PRIORITY_NORMAL, S(3), S(600), S(-4), 1, true), 0);
	struct queue_decision decision = queue_decide(queue, &now);
	assert_string_equal(decision.entry->announcement->id, "first");
	assert_int_equal(decision.start_us, S(3));
	drop(queue, "first");
	now.real_us = S(13);
	now.free_us = S(15); /* its end and the gap */
	decision = queue_decide(queue, &now);
	assert_string_equal(decision.entry->announcement->id, "second");
	assert_int_equal(decision.start_us, S(15));
	assert_int_equal(
		add(queue, "em", PRIORITY_EMERGENCY, TIME_UNSET, S(600), S(13), 3, false), 0);
	decision = queue_decide(queue, &now);
	assert_string_equal(decision.entry->announcement->id, "em");
	assert_int_equal(decision.start_us, TIME_UNSET); /* it does not wait for a gap */
}

static void the_earliest_of_many_wakes(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new();

	(void)state;
	assert_int_equal(add(queue, "e", PRIORITY_EMERGENCY, S(100), S(200), T, 1, true), 0);
	assert_int_equal(add(queue, "n", PRIORITY_NORMAL, S(50), S(60), T, 2, true), 0);
	assert_int_equal(add(queue, "b", PRIORITY_BACKGROUND, S(45), S(46), T, 3, false), 0);
	assert_int_equal(queue_decide(queue, &fine).wake_us, S(46)); /* its expiry */
	queue_set_durable(queue, "b");
	assert_int_equal(queue_decide(queue, &fine).wake_us, S(42));
}

/* --- Limits --------------------------------------------------------------------------------- */

static int add_numbered(struct queue *queue, enum priority priority, int number)
{
	char id[32];

	snprintf(id, sizeof id, "%d-%d", (int)priority, number);
	return add(queue, id, priority, ONCE, S(3600), T, (uint64_t)number, true);
}

static void emergencies_have_places_of_their_own(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new();

	(void)state;
	for (int i = 0; i < QUEUE_ENTRIES_MAX; i++)
		assert_int_equal(add_numbered(queue, (enum priority)(i % 3), i), 0);
	assert_int_equal(add_numbered(queue, PRIORITY_PRIORITY, 9999), -ENOSPC);
	for (int i = 0; i < QUEUE_EMERGENCIES_MAX; i++)
		assert_int_equal(add_numbered(queue, PRIORITY_EMERGENCY, i), 0);
	assert_int_equal(add_numbered(queue, PRIORITY_EMERGENCY, 9999), -ENOSPC);
	assert_int_equal(queue_length(queue), QUEUE_ENTRIES_MAX + QUEUE_EMERGENCIES_MAX);
	drop(queue, "3-7");
	assert_int_equal(add_numbered(queue, PRIORITY_PRIORITY, 9999), -ENOSPC);
	assert_int_equal(add_numbered(queue, PRIORITY_EMERGENCY, 9999), 0);
	drop(queue, "0-0");
	assert_int_equal(add_numbered(queue, PRIORITY_PRIORITY, 9999), 0);
}

static void an_id_is_in_a_queue_once(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new();
	_cleanup_(announcement_unrefp) struct announcement *a = make(
		"a", PRIORITY_NORMAL, ONCE, S(9));

	(void)state;
	assert_int_equal(queue_add(queue, a, T, 1, false), 0);
	assert_int_equal(queue_add(queue, a, T, 2, false), -EEXIST);
	assert_int_equal(a->references, 2);
	assert_int_equal(queue_length(queue), 1);
	assert_ptr_equal(queue_find(queue, "a")->announcement, a);
	assert_null(queue_find(queue, "b"));
	assert_null(queue_remove(queue, "b"));
	assert_ptr_equal(queue_remove(queue, "a"), a);
	assert_int_equal(a->references, 2); /* the queue's is the caller's now */
	announcement_unref(a);
	assert_null(queue_find(queue, "a"));
}

/* --- The list ------------------------------------------------------------------------------- */

static void the_list_says_why_each_waits(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new();
	const struct queue_entry *entries[8];
	enum queue_wait waits[8];
	static const struct {
		struct queue_now now;
		const char *expected;
	} table[] = {
		{ { T, true, true, false, ONCE }, "e:start p:store n1:next n2:behind b:start " },
		{ { T, true, true, true, S(9) }, "e:start p:store n1:next n2:behind b:start " },
		{ { T, true, false, false, ONCE },
			"e:start p:store n1:output-lost n2:output-lost b:start " },
		{ { T, false, true, false, ONCE }, "e:clock p:store n1:next n2:clock b:clock " },
		{ { S(57), true, true, false, ONCE },
			"e:next p:store n1:behind n2:behind b:behind " },
	};

	(void)state;
	assert_int_equal(add(queue, "b", PRIORITY_BACKGROUND, S(10), S(999), T, 1, true), 0);
	assert_int_equal(add(queue, "n1", PRIORITY_NORMAL, ONCE, S(999), S(-9), 2, true), 0);
	assert_int_equal(add(queue, "n2", PRIORITY_NORMAL, S(2), S(999), T, 3, true), 0);
	assert_int_equal(add(queue, "p", PRIORITY_PRIORITY, ONCE, S(999), T, 4, false), 0);
	assert_int_equal(add(queue, "e", PRIORITY_EMERGENCY, S(60), S(999), T, 5, false), 0);
	for (size_t i = 0; i < countof(table); i++) {
		_cleanup_(strbuf_done) struct strbuf found = { 0 };
		size_t count = queue_list(queue, &table[i].now, entries, waits, countof(waits));
		for (size_t k = 0; k < count; k++)
			strbuf_printf(&found, "%s:%s ", entries[k]->announcement->id,
				queue_wait_name(waits[k]));
		assert_string_equal(found.text, table[i].expected);
	}
	assert_int_equal(queue_list(queue, &fine, entries, waits, 2), 2);
}

/* --- Random sequences ----------------------------------------------------------------------- */

struct world {
	struct queue *queue;
	struct queue_now now;
	uint64_t random;
	uint64_t sequence;
	size_t waiting; /* how many the queue should hold */
};

static uint64_t next_random(struct world *world, uint64_t below)
{
	/* xorshift64: the same sequence on every machine */
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return world->random % below;
}

static void add_random(struct world *world)
{
	char id[32];
	int64_t start_us = next_random(world, 2)
				   ? world->now.real_us +
					     (int64_t)next_random(world, 60) * US_PER_SEC
				   : TIME_UNSET;
	int64_t base_us = start_us == TIME_UNSET ? world->now.real_us : start_us;

	snprintf(id, sizeof id, "a%llu", (unsigned long long)++world->sequence);
	int result = add(world->queue, id, (enum priority)next_random(world, PRIORITIES_COUNT),
		start_us, base_us + (int64_t)(1 + next_random(world, 90)) * US_PER_SEC,
		world->now.real_us, world->sequence, next_random(world, 2));
	world->waiting += result == 0;
}

static void change_the_world(struct world *world)
{
	struct queue_now *now = &world->now;

	now->real_us += (int64_t)next_random(world, 10 * US_PER_SEC);
	now->trusted = next_random(world, 8) > 0;
	now->output_ready = next_random(world, 8) > 0;
	now->busy = next_random(world, 3) == 0;
	now->free_us = next_random(world, 2)
			       ? now->real_us + (int64_t)next_random(world, 8 * US_PER_SEC)
			       : TIME_UNSET;
	char id[32];
	snprintf(id, sizeof id, "a%" PRIu64, 1 + next_random(world, world->sequence + 1));
	queue_set_durable(world->queue, id);
}

/* What the header promises of anything that is played. */
static void check_played(const struct world *world, const struct queue_decision *decision)
{
	const struct announcement *a = decision->entry->announcement;
	const struct queue_now *now = &world->now;

	assert_true(now->output_ready && !now->busy);
	assert_true(decision->entry->durable || a->priority == PRIORITY_EMERGENCY);
	assert_true(now->trusted || a->start_us == TIME_UNSET);
	assert_true(a->start_us == TIME_UNSET || a->start_us <= now->real_us + QUEUE_PREPARE_US);
	int64_t begins_us = decision->start_us == TIME_UNSET ? now->real_us : decision->start_us;
	assert_true(begins_us >= now->real_us && begins_us <= now->real_us + QUEUE_PREPARE_US);
	assert_true(a->start_us == TIME_UNSET || begins_us >= a->start_us);
	assert_true(now->free_us == TIME_UNSET || begins_us >= now->free_us ||
		    a->priority == PRIORITY_EMERGENCY);
	assert_true(!now->trusted || begins_us < a->expires_us);
}

/* Decides until nothing is to be done; then the wake time is in the future. */
static void decide_all(struct world *world)
{
	for (;;) {
		struct queue_decision decision = queue_decide(world->queue, &world->now);
		if (decision.what == QUEUE_DO_NOTHING) {
			assert_true(decision.wake_us > world->now.real_us);
			return;
		}
		if (decision.what == QUEUE_DO_PLAY) {
			check_played(world, &decision);
			world->now.busy = true;
		} else {
			assert_true(world->now.trusted);
			assert_true(decision.entry->announcement->expires_us <= world->now.real_us);
		}
		drop(world->queue, decision.entry->announcement->id);
		world->waiting--;
	}
}

static void random_sequences_lose_nothing_and_play_nothing_unripe(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		_cleanup_(queue_freep) struct queue *queue = queue_new();
		struct world world = { .queue = queue, .now = fine, .random = seed * 7919 };
		for (int step = 0; step < 300; step++) {
			if (next_random(&world, 3) > 0)
				add_random(&world);
			change_the_world(&world);
			decide_all(&world);
			assert_int_equal(queue_length(queue), world.waiting);
		}
		/* After a day, with the clock trusted, nothing is left behind. */
		world.now = fine;
		world.now.real_us = S(86400);
		decide_all(&world);
		assert_int_equal(world.waiting, 0);
		assert_int_equal(queue_length(queue), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_is_priority_then_start_then_arrival),
		cmocka_unit_test(the_table_of_decisions),
		cmocka_unit_test(an_empty_queue_sleeps),
		cmocka_unit_test(the_first_ripe_one_plays_though_others_come_before_it),
		cmocka_unit_test(all_expire_before_any_plays),
		cmocka_unit_test(two_with_the_same_start_follow_one_another),
		cmocka_unit_test(the_earliest_of_many_wakes),
		cmocka_unit_test(emergencies_have_places_of_their_own),
		cmocka_unit_test(an_id_is_in_a_queue_once),
		cmocka_unit_test(the_list_says_why_each_waits),
		cmocka_unit_test(random_sequences_lose_nothing_and_play_nothing_unripe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
