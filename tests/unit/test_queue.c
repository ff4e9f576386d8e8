/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue, case by case. test_queue_walk.c walks through it at random. */
#include "queue_rig.h"

#include <errno.h>

#define ON_AIR_S 5.0 /* what is on air has been for so long when something happens */

static const struct spec normal = { .id = "n", .priority = PRIORITY_NORMAL };

/* --- What plays, what arrives (FAULTS C4) ------------------------------------------------------- */

/* What happens when something arrives while something else plays. */
enum meeting {
	WAITS,    /* until the other is over */
	PREEMPTS, /* is prepared, and when it is ready the other is faded, and goes on after it */
	JOINS,    /* both are heard */
	RECALLS,  /* the other was only being prepared, and goes back to wait */
};

static const struct spec other_of[PRIORITIES_COUNT] = {
	[PRIORITY_BACKGROUND] = { .id = "x", .priority = PRIORITY_BACKGROUND },
	[PRIORITY_NORMAL] = { .id = "x", .priority = PRIORITY_NORMAL },
	[PRIORITY_PRIORITY] = { .id = "x", .priority = PRIORITY_PRIORITY },
	[PRIORITY_EMERGENCY] = { .id = "x", .priority = PRIORITY_EMERGENCY },
};

/* The one that waited is prepared when the other is over: behind the gap, unless it is an emergency
 * or the other was in another lane. */
static void expect_after(struct rig *rig, const char *id, double start_s, const char *what)
{
	_cleanup_(freep) char *at = start_s > 0 ? xasprintf("prepare %s@%g", id, start_s)
						: xasprintf("prepare %s", id);

	if (strcmp(rig_next(rig), at) != 0)
		fail_msg("%s: %s, not %s", what, rig->text.text, at);
}

static void check_meeting_on_air(struct rig *rig, enum priority plays, enum priority arrives,
	bool timed, enum meeting meeting, const char *what)
{
	double begin_s = timed ? ON_AIR_S + 2 : 0; /* of the newcomer */
	const char *prepare = timed ? "prepare x@7" : "prepare x";

	rig_play(rig, (struct spec){ .id = "a", .priority = plays });
	rig->now.real_us = S(ON_AIR_S);
	struct spec other = other_of[arrives];
	other.start_us = timed ? S(begin_s) : 0;
	rig_add(rig, other);
	if (meeting == WAITS) {
		if (strcmp(rig_next(rig), "") != 0)
			fail_msg("%s: %s", what, rig->text.text);
		assert_string_equal(rig_over(rig, "a", QUEUE_FINISHED, UINT32_MAX, 5), "finished");
		bool same_lane = (plays == PRIORITY_BACKGROUND) == (arrives == PRIORITY_BACKGROUND);
		bool gap = same_lane && arrives != PRIORITY_EMERGENCY;
		expect_after(rig, "x", timed ? begin_s : gap ? ON_AIR_S + 2 : 0, what);
		return;
	}
	if (strcmp(rig_next(rig), prepare) != 0)
		fail_msg("%s: %s", what, rig->text.text);
	assert_true(rig->wake_us == TIME_NEVER); /* now the world has to do something */
	rig_primed(rig, "x");
	if (timed) {
		assert_string_equal(rig_next(rig), "");
		assert_true(rig->wake_us ==
			    (meeting == JOINS ? TIME_NEVER : S(begin_s) - QUEUE_FADE_US));
		assert_string_equal(rig_at(rig, S(begin_s) - QUEUE_FADE_US - 1), "");
		rig->now.real_us = S(begin_s) - QUEUE_FADE_US;
	}
	if (strcmp(rig_next(rig), meeting == JOINS ? "" : "fade a:preempted") != 0)
		fail_msg("%s: %s", what, rig->text.text);
	rig_started(rig, "x");
	assert_string_equal(rig_next(rig), "");
	assert_int_equal(queue_ducks(rig->queue), arrives != PRIORITY_BACKGROUND);
	assert_string_equal(queue_on_air(rig->queue)->announcement->id, "x");
	if (meeting == JOINS)
		return;
	assert_string_equal(rig_over(rig, "a", QUEUE_CAUSE_NONE, 3, 5), "interrupted again");
	assert_string_equal(rig_next(rig), "");
	rig->now.real_us = S(20);
	assert_string_equal(rig_over(rig, "x", QUEUE_FINISHED, UINT32_MAX, 5), "finished");
	expect_after(rig, "a", plays == PRIORITY_BACKGROUND ? 0 : 22, what);
	assert_int_equal(rig_entry(rig, "a")->from.item, 3);
}

static void check_meeting_preparing(struct rig *rig, enum priority plays, enum priority arrives,
	bool timed, enum meeting meeting, const char *what)
{
	struct spec other = other_of[arrives];

	rig_add(rig, (struct spec){ .id = "a", .priority = plays, .start_us = S(2) });
	assert_string_equal(rig_next(rig), "prepare a@2");
	other.start_us = timed ? S(1) : 0;
	rig_add(rig, other);
	const char *expected = meeting == WAITS ? ""
			       : timed          ? "fade a:recalled, prepare x@1"
						: "fade a:recalled, prepare x";
	if (strcmp(rig_next(rig), expected) != 0)
		fail_msg("%s: %s", what, rig->text.text);
	if (meeting == WAITS)
		return;
	assert_string_equal(rig_over(rig, "a", QUEUE_CAUSE_NONE, 0, 0), "again");
	rig_primed(rig, "x");
	rig_started(rig, "x");
	assert_string_equal(rig_next(rig), "");
	rig->now.real_us = S(20);
	assert_string_equal(rig_over(rig, "x", QUEUE_FINISHED, UINT32_MAX, 5), "finished");
	expect_after(rig, "a", plays == PRIORITY_BACKGROUND ? 0 : 22, what);
	assert_false(rig_entry(rig, "a")->was_on_air);
}

static void every_pair_of_priorities(void **state)
{
	static const enum meeting on_air[PRIORITIES_COUNT][PRIORITIES_COUNT] = {
		/* plays:               background, normal, priority, emergency arrives */
		[PRIORITY_BACKGROUND] = { WAITS, JOINS, JOINS, PREEMPTS },
		[PRIORITY_NORMAL] = { WAITS, WAITS, PREEMPTS, PREEMPTS },
		[PRIORITY_PRIORITY] = { WAITS, WAITS, WAITS, PREEMPTS },
		[PRIORITY_EMERGENCY] = { WAITS, WAITS, WAITS, WAITS },
	};
	static const enum meeting preparing[PRIORITIES_COUNT][PRIORITIES_COUNT] = {
		[PRIORITY_BACKGROUND] = { WAITS, RECALLS, RECALLS, RECALLS },
		[PRIORITY_NORMAL] = { WAITS, WAITS, RECALLS, RECALLS },
		[PRIORITY_PRIORITY] = { WAITS, WAITS, WAITS, RECALLS },
		[PRIORITY_EMERGENCY] = { WAITS, WAITS, WAITS, WAITS },
	};

	(void)state;
	for (unsigned i = 0; i < 4 * 4 * 2 * 2; i++) {
		enum priority plays = i / 16, arrives = i / 4 % 4;
		bool timed = i & 1, is_on_air = i & 2;
		_cleanup_(rig_done) struct rig rig;
		_cleanup_(freep) char *what = xasprintf("%s %s, %s arrives%s", priority_name(plays),
			is_on_air ? "on air" : "being prepared", priority_name(arrives),
			timed ? " for later" : "");
		rig_init(&rig);
		if (is_on_air)
			check_meeting_on_air(
				&rig, plays, arrives, timed, on_air[plays][arrives], what);
		else
			check_meeting_preparing(
				&rig, plays, arrives, timed, preparing[plays][arrives], what);
	}
}

static void three_at_once(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_play(&rig, (struct spec){ .id = "b", .priority = PRIORITY_BACKGROUND });
	rig_play(&rig, normal);
	rig_add(&rig, (struct spec){ .id = "p", .priority = PRIORITY_PRIORITY });
	assert_string_equal(rig_next(&rig), "prepare p");
	rig_add(&rig, (struct spec){ .id = "e", .priority = PRIORITY_EMERGENCY });
	assert_string_equal(rig_next(&rig), "fade p:recalled, prepare e");
	rig_primed(&rig, "e");
	assert_string_equal(rig_next(&rig), "fade b:preempted, fade n:preempted");
	/* No more than four at a time: the next emergency waits, though the first is withdrawn. */
	assert_int_equal(queue_withdraw(rig.queue, "e", 1), 1);
	rig_add(&rig, (struct spec){ .id = "f", .priority = PRIORITY_EMERGENCY });
	assert_string_equal(rig_next(&rig), "fade e:withdrawn");
	assert_string_equal(rig_over(&rig, "p", QUEUE_CAUSE_NONE, 0, 0), "again");
	assert_string_equal(rig_next(&rig), "prepare f"); /* it does not wait for a fade */
	assert_string_equal(rig_over(&rig, "b", QUEUE_CAUSE_NONE, 1, 1), "interrupted again");
	assert_string_equal(rig_over(&rig, "n", QUEUE_CAUSE_NONE, 1, 1), "interrupted again");
	assert_string_equal(rig_over(&rig, "e", QUEUE_CAUSE_NONE, 0, 0), "cancelled/withdrawn");
	rig_primed(&rig, "f");
	rig_started(&rig, "f");
	assert_string_equal(rig_next(&rig), "");
	rig.now.real_us = S(10);
	assert_string_equal(rig_over(&rig, "f", QUEUE_FINISHED, UINT32_MAX, 9), "finished");
	/* Back in the order of their priorities, the background when nothing else is to be said. */
	assert_string_equal(rig_next(&rig), "prepare p@12");
	assert_string_equal(rig_over(&rig, "p", QUEUE_FAILED, 0, 0), "failed/engine");
	assert_string_equal(rig_next(&rig), "prepare n@12");
	assert_false(queue_ducks(rig.queue)); /* it was heard before, not now */
	queue_skip(rig.queue);
	assert_string_equal(rig_next(&rig), "fade n:skipped");
	assert_string_equal(rig_over(&rig, "n", QUEUE_CAUSE_NONE, 0, 0), "cancelled/stopped");
	assert_string_equal(rig_next(&rig), "prepare b");
	rig_primed(&rig, "b");
	rig_started(&rig, "b");
	assert_false(queue_ducks(rig.queue)); /* it does not duck itself */
}

/* The start of one lies ahead, by the clock; but it is heard already. */
static void what_is_heard_preempts_though_it_is_early(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_play(&rig, normal);
	rig_add(&rig, (struct spec){ .id = "p", .priority = PRIORITY_PRIORITY, .start_us = S(2) });
	assert_string_equal(rig_next(&rig), "prepare p@2");
	rig_primed(&rig, "p");
	rig_started(&rig, "p");
	assert_string_equal(rig_next(&rig), "fade n:preempted");
}

static void what_is_prepared_again_must_be_primed_again(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_play(&rig, normal);
	rig_add(&rig, (struct spec){ .id = "p", .priority = PRIORITY_PRIORITY, .start_us = S(2) });
	assert_string_equal(rig_next(&rig), "prepare p@2");
	rig_primed(&rig, "p");
	queue_on_clock_set(rig.queue);
	assert_string_equal(rig_next(&rig), "fade p:recalled");
	assert_string_equal(rig_over(&rig, "p", QUEUE_CAUSE_NONE, 0, 0), "again");
	assert_string_equal(rig_at(&rig, S(2)), "prepare p");
}

static void what_fails_to_interrupt_interrupts_nothing(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_play(&rig, normal);
	rig_add(&rig, (struct spec){ .id = "e", .priority = PRIORITY_EMERGENCY });
	assert_string_equal(rig_next(&rig), "prepare e");
	assert_string_equal(rig_over(&rig, "e", QUEUE_FAILED, 0, 0), "failed/engine");
	assert_string_equal(rig_next(&rig), "");
	assert_ptr_equal(queue_on_air(rig.queue), rig_entry(&rig, "n"));
}

/* --- What ends it, and its policy ---------------------------------------------------------------- */

static void do_withdraw(struct rig *rig)
{
	assert_int_equal(queue_withdraw(rig->queue, "x", 1), 1);
}
static void do_stop(struct rig *rig)
{
	queue_stop(rig->queue, rig->now.real_us);
}
static void do_skip(struct rig *rig)
{
	queue_skip(rig->queue);
}
static void do_supersede(struct rig *rig)
{
	rig_add(rig, (struct spec){ .id = "x", .revision = 2, .start_us = S(1800) });
}
static void do_mute(struct rig *rig)
{
	queue_mute(rig->queue, true);
}
static void do_quiet(struct rig *rig)
{
	rig->now.real_us = S(HOURS(1)) - QUEUE_FADE_US; /* they begin at 09:00 */
}
static void do_shutdown(struct rig *rig)
{
	queue_shutdown(rig->queue);
}
static void do_clock(struct rig *rig)
{
	queue_on_clock_set(rig->queue);
}
static void do_emergency(struct rig *rig)
{
	rig_add(rig, (struct spec){ .id = "e", .priority = PRIORITY_EMERGENCY });
	assert_int_equal(strncmp(rig_next(rig), "fade x:recalled", 15) == 0,
		rig_entry(rig, "x")->started_us == TIME_UNSET);
	rig_primed(rig, "e");
}
static void do_lose_trust(struct rig *rig)
{
	rig->now.trusted = false;
}

enum situation { IS_ON_AIR, IS_PREPARED, IS_PREPARED_AGAIN, SITUATIONS_COUNT };
static const char *const situation_names[] = { "on air", "being prepared", "being prepared again" };

static const struct ending {
	const char *what;
	void (*done)(struct rig *rig); /* by the queue */
	enum queue_cause by_world;     /* by the world */
	uint32_t item;                 /* it came to */
	const char *faded;             /* what the queue wants first; NULL: nothing */
	const char *ends;              /* whatever the policy; NULL: it goes on, … */
	const char *reason;            /* … for this */
	bool only_on_air, only_prepared;
} endings[] = {
	{ "finished", NULL, QUEUE_FINISHED, UINT32_MAX, NULL, "finished", NULL, true, false },
	{ "failed", NULL, QUEUE_FAILED, 7, NULL, "failed/engine", NULL, false, false },
	{ "withdrawn", do_withdraw, 0, 7, "fade x:withdrawn", "cancelled/withdrawn", NULL, false,
		false },
	{ "stopped", do_stop, 0, 7, "fade x:stopped", "cancelled/stopped", NULL, false, false },
	{ "skipped", do_skip, 0, 7, "fade x:skipped", "cancelled/stopped", NULL, false, false },
	{ "superseded", do_supersede, 0, 7, "fade x:superseded", "superseded", NULL, false, false },
	{ "lost", NULL, QUEUE_LOST, 7, NULL, NULL, "/output-lost", false, false },
	{ "ended by nobody", NULL, 0, 7, NULL, NULL, "/output-lost", false, false },
	{ "preempted", do_emergency, 0, 7, "fade x:preempted", NULL, "", true, false },
	{ "recalled", do_emergency, 0, 7, NULL, NULL, "", false, true },
	{ "the clock set", do_clock, 0, 7, "fade x:recalled", NULL, "", false, true },
	{ "no trust", do_lose_trust, 0, 7, "fade x:recalled", NULL, "", false, true },
	{ "muted", do_mute, 0, 7, "fade x:muted", NULL, "/muted", false, false },
	{ "quiet hours", do_quiet, 0, 7, "fade x:quiet-hours", NULL, "/quiet-hours", false, false },
	{ "shutdown", do_shutdown, 0, 7, "fade x:shutdown", NULL, "", false, false },
	/* Two at once: the world yields to what is final, and a cut yields to the world's end. */
	{ "withdrawn when finished", do_withdraw, QUEUE_FINISHED, UINT32_MAX, "fade x:withdrawn",
		"cancelled/withdrawn", NULL, true, false },
	{ "stopped when lost", do_stop, QUEUE_LOST, 7, "fade x:stopped", "cancelled/stopped", NULL,
		false, false },
	{ "muted when finished", do_mute, QUEUE_FINISHED, UINT32_MAX, "fade x:muted", "finished",
		NULL, true, false },
	{ "muted when all was said", do_mute, 0, UINT32_MAX, "fade x:muted", "finished", NULL, true,
		false },
	{ "lost when all was said", NULL, QUEUE_LOST, UINT32_MAX, NULL, "finished", NULL, true,
		false },
	{ "muted when failed", do_mute, QUEUE_FAILED, 7, "fade x:muted", "failed/engine", NULL,
		false, false },
	{ "muted when lost", do_mute, QUEUE_LOST, 7, "fade x:muted", NULL, "/muted", false, false },
};

/* An entry x with that policy in that situation; it has been heard for 4 s, up to item 3, if it is
 * prepared again. */
static void get_there(struct rig *rig, enum interrupted policy, enum situation situation)
{
	struct spec spec = { .id = "x",
		.priority = PRIORITY_NORMAL,
		.interrupted = policy,
		.expires_us = S(HOURS(10)) };
	struct queue_position from = { 3, 0, 4 * US_PER_SEC };

	rig_quiet(rig, "09:00-10:00");
	if (situation == IS_PREPARED_AGAIN)
		assert_non_null(rig_restore(rig, spec, true, from, 0));
	else
		rig_add(rig, spec);
	assert_string_equal(rig_next(rig), "prepare x");
	rig_primed(rig, "x");
	if (situation == IS_ON_AIR)
		rig_started(rig, "x");
	assert_string_equal(rig_next(rig), "");
}

static void check_ending(
	const struct ending *ending, enum interrupted policy, enum situation situation)
{
	_cleanup_(rig_done) struct rig rig;
	_cleanup_(strbuf_done) struct strbuf expected = { 0 };
	_cleanup_(freep) char *what = xasprintf(
		"%s, %s, %s", ending->what, interrupted_names[policy], situation_names[situation]);
	double heard_s = situation == IS_ON_AIR ? 5 : 0;
	bool drops = heard_s > 0 && policy == INTERRUPTED_DROP;

	rig_init(&rig);
	get_there(&rig, policy, situation);
	if (ending->done)
		ending->done(&rig);
	const char *faded = rig_next(&rig);
	if (ending->faded && strcmp(faded, ending->faded) != 0)
		fail_msg("%s: %s", what, faded);
	assert_string_equal(rig_next(&rig), ""); /* it is asked once */
	if (ending->ends)
		strbuf_puts(&expected, ending->ends);
	else if (heard_s > 0)
		strbuf_printf(&expected, "%s%s%s", drops ? "cancelled" : "interrupted",
			ending->reason, drops ? "" : " again");
	else
		strbuf_puts(&expected, "again");
	const struct queue_entry *entry = rig_entry(&rig, "x");
	struct queue_position before = entry->from;
	if (strcmp(rig_over(&rig, "x", ending->by_world, ending->item, heard_s), expected.text) !=
		0)
		fail_msg("%s: %s, not %s", what, rig.text.text, expected.text);
	if (ending->ends || drops)
		return;
	uint32_t item = heard_s == 0                    ? before.item
			: policy == INTERRUPTED_RESTART ? 0
							: ending->item;
	if (entry->from.item != item ||
		entry->from.played_us != (heard_s == 0                           ? before.played_us
						 : policy == INTERRUPTED_RESTART ? 0
										 : 5 * US_PER_SEC))
		fail_msg("%s: goes on at %u", what, entry->from.item);
	assert_int_equal(entry->was_on_air, situation != IS_PREPARED);
}

static void every_ending_by_every_policy(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(endings); i++)
		for (unsigned k = 0; k < 3 * SITUATIONS_COUNT; k++) {
			enum situation situation = k / 3;
			if (endings[i].only_on_air && situation != IS_ON_AIR)
				continue;
			if (endings[i].only_prepared && situation == IS_ON_AIR)
				continue;
			if (k % 3 == INTERRUPTED_DROP && situation == IS_PREPARED_AGAIN)
				continue; /* there is no second time */
			check_ending(&endings[i], k % 3, situation);
		}
}

static void a_crash_by_every_policy(void **state)
{
	static const struct queue_position from = { 3, 70, 4 * US_PER_SEC };
	static const struct {
		enum interrupted policy;
		bool was_on_air;
		const char *expected;
		uint32_t item;
	} table[] = {
		{ INTERRUPTED_RESUME, true, "prepare x", 3 },
		{ INTERRUPTED_RESTART, true, "prepare x", 0 },
		{ INTERRUPTED_DROP, true, "drop x:cancelled", 0 },
		{ INTERRUPTED_RESUME, false, "prepare x", 0 },
		{ INTERRUPTED_RESTART, false, "prepare x", 0 },
		{ INTERRUPTED_DROP, false, "prepare x", 0 },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		_cleanup_(rig_done) struct rig rig;
		rig_init(&rig);
		struct spec spec = {
			.id = "x", .priority = PRIORITY_NORMAL, .interrupted = table[i].policy
		};
		struct queue_entry *entry = rig_restore(&rig, spec, table[i].was_on_air, from, 1);
		assert_int_equal(entry->was_on_air, table[i].was_on_air);
		assert_int_equal(entry->tries, 1);
		assert_string_equal(rig_next(&rig), table[i].expected);
		if (table[i].expected[0] == 'p')
			assert_int_equal(rig_entry(&rig, "x")->from.item, table[i].item);
	}
}

static void a_recalled_one_that_was_heard_has_been_preempted(void **state)
{
	static const char *const expected[] = {
		[INTERRUPTED_RESUME] = "interrupted again",
		[INTERRUPTED_RESTART] = "interrupted again",
		[INTERRUPTED_DROP] = "cancelled",
	};

	(void)state;
	for (unsigned policy = 0; policy < 3; policy++) {
		_cleanup_(rig_done) struct rig rig;
		rig_init(&rig);
		get_there(&rig, policy, IS_PREPARED);
		rig_add(&rig, (struct spec){ .id = "e", .priority = PRIORITY_EMERGENCY });
		assert_string_equal(rig_next(&rig), "fade x:recalled, prepare e");
		rig_started(&rig, "x"); /* the fade came a moment too late */
		assert_int_equal(rig_entry(&rig, "x")->phase, QUEUE_ENDING);
		assert_string_equal(
			rig_over(&rig, "x", QUEUE_CAUSE_NONE, 1, 0.1), expected[policy]);
		if (policy != INTERRUPTED_DROP)
			assert_int_equal(queue_find(rig.queue, "x")->cause, QUEUE_PREEMPTED);
	}
}

static void causes_that_meet(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	/* A final cause overrides one that cuts off, also when it is fading already. */
	rig_play(&rig, normal);
	queue_mute(rig.queue, true);
	assert_string_equal(rig_next(&rig), "fade n:muted");
	assert_int_equal(queue_withdraw(rig.queue, "n", 1), 1);
	assert_string_equal(rig_next(&rig), ""); /* it is fading */
	/* The first final one stays; and what is ending for good is not there any more. */
	queue_stop(rig.queue, T);
	assert_int_equal(queue_withdraw(rig.queue, "n", 1), 0);
	assert_null(queue_find(rig.queue, "n"));
	assert_string_equal(rig_over(&rig, "n", QUEUE_CAUSE_NONE, 1, 1), "cancelled/withdrawn");
	/* The same before it was asked to fade. */
	queue_mute(rig.queue, false);
	rig_play(&rig, (struct spec){ .id = "e", .priority = PRIORITY_EMERGENCY });
	queue_mute(rig.queue, true);
	queue_stop(rig.queue, T);
	assert_string_equal(rig_next(&rig), "fade e:stopped");
	assert_string_equal(rig_over(&rig, "e", QUEUE_CAUSE_NONE, 1, 1), "cancelled/stopped");
}

/* --- Order ------------------------------------------------------------------------------------ */

static void the_order_is_priority_then_start_then_arrival(void **state)
{
	static const struct spec specs[] = {
		/* in the order in which they should play */
		{ .id = "e1", .priority = 3, .arrival_us = S(-1), .sequence = 11 },
		{ .id = "e2", .priority = 3, .start_us = S(2), .arrival_us = S(-9), .sequence = 1 },
		{ .id = "p1", .priority = 2, .start_us = S(1), .arrival_us = S(-9), .sequence = 3 },
		{ .id = "p2",
			.priority = 2,
			.start_us = S(2),
			.arrival_us = S(-10),
			.sequence = 4 },
		{ .id = "n1",
			.priority = 1,
			.start_us = S(-3),
			.arrival_us = S(-1),
			.sequence = 12 },
		{ .id = "n2", .priority = 1, .arrival_us = S(-2), .sequence = 5 },
		{ .id = "n3",
			.priority = 1,
			.start_us = S(-2),
			.arrival_us = S(-8),
			.sequence = 6 },
		{ .id = "n4", .priority = 1, .arrival_us = S(-2), .sequence = 7 },
		{ .id = "b1", .priority = 0, .arrival_us = S(-99), .sequence = 2 },
	};
	static const size_t shuffles[][countof(specs)] = {
		{ 0, 1, 2, 3, 4, 5, 6, 7, 8 },
		{ 8, 7, 6, 5, 4, 3, 2, 1, 0 },
		{ 4, 8, 0, 6, 2, 7, 1, 5, 3 },
	};

	(void)state;
	for (size_t s = 0; s < countof(shuffles); s++) {
		_cleanup_(rig_done) struct rig rig;
		rig_init(&rig);
		for (size_t i = 0; i < countof(specs); i++)
			rig_add(&rig, specs[shuffles[s][i]]);
		for (size_t i = 0; i < countof(specs); i++) {
			rig_next(&rig);
			const struct queue_entry *entry = rig_entry(&rig, specs[i].id);
			assert_int_equal(queue_length(rig.queue), countof(specs) - i);
			assert_int_equal(entry->phase, QUEUE_PREPARING);
			(void)rig_over(&rig, specs[i].id, QUEUE_FINISHED, UINT32_MAX, 0);
		}
		assert_int_equal(queue_length(rig.queue), 0);
		assert_true(queue_idle(rig.queue));
	}
}

static void what_is_cut_off_keeps_its_place(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_play(&rig, (struct spec){ .id = "a", .priority = PRIORITY_NORMAL });
	rig_add(&rig, (struct spec){ .id = "b", .priority = PRIORITY_NORMAL });
	queue_mute(rig.queue, true);
	assert_string_equal(rig_next(&rig), "fade a:muted");
	assert_string_equal(rig_over(&rig, "a", QUEUE_CAUSE_NONE, 1, 1), "interrupted/muted again");
	assert_string_equal(rig_next(&rig), "");
	queue_mute(rig.queue, false);
	assert_string_equal(rig_next(&rig), "prepare a@2");
}

/* --- One entry, every condition ------------------------------------------------------------- */

static void the_table_of_conditions(void **state)
{
	static const struct {
		const char *what;
		struct spec spec;
		struct {
			bool no_trust, not_ready, muted;
			enum queue_media media_coming;
			int64_t last_seen_us; /* 0: never */
			const char *quiet;
		} world;
		const char *expected;
		int64_t wake_us; /* 0: not looked at */
	} table[] = {
		{ "at once", { .priority = 1 }, { 0 }, "prepare x", TIME_NEVER },
		{ "a start in time to prepare", { .priority = 1, .start_us = S(3) }, { 0 },
			"prepare x@3", 0 },
		{ "a start a moment too early", { .priority = 1, .start_us = S(3) + 1 }, { 0 }, "",
			T + 1 },
		{ "a start that has passed", { .priority = 1, .start_us = S(-5) }, { 0 },
			"prepare x", 0 },
		{ "not on disk", { .priority = 2, .not_durable = true, .expires_us = S(60) }, { 0 },
			"", S(60) },
		{ "an emergency does not wait for the disk", { .priority = 3, .not_durable = true },
			{ 0 }, "prepare x", 0 },
		{ "an emergency waits for its start", { .priority = 3, .start_us = S(30) }, { 0 },
			"", S(27) },
		{ "expires", { .priority = 1, .expires_us = T }, { 0 }, "drop x:expired/expired",
			0 },
		{ "does not expire yet", { .priority = 1, .expires_us = T + 1 }, { 0 }, "prepare x",
			0 },
		{ "an emergency expires", { .priority = 3, .expires_us = S(-1) }, { 0 },
			"drop x:expired/expired", 0 },
		{ "expires before its start",
			{ .priority = 1, .start_us = S(900), .expires_us = S(800) }, { 0 },
			"drop x:expired/expired", 0 },
		{ "expires though not on disk",
			{ .priority = 1, .not_durable = true, .expires_us = T }, { 0 },
			"drop x:expired/expired", 0 },
		{ "the output is lost", { .priority = 1, .expires_us = S(60) },
			{ .not_ready = true }, "", S(60) },
		{ "for an emergency too", { .priority = 3, .expires_us = S(60) },
			{ .not_ready = true }, "", S(60) },
		{ "lost till it expires", { .priority = 1, .expires_us = T }, { .not_ready = true },
			"drop x:expired/output-lost", 0 },
		{ "muted", { .priority = 1, .expires_us = S(60) }, { .muted = true }, "", S(60) },
		{ "mute is absolute", { .priority = 3, .expires_us = S(60) }, { .muted = true }, "",
			S(60) },
		{ "muted till it expires", { .priority = 3, .expires_us = T }, { .muted = true },
			"drop x:expired/muted", 0 },
		{ "no trust: a start waits", { .priority = 1, .start_us = S(-5) },
			{ .no_trust = true }, "", TIME_NEVER },
		{ "no trust: an emergency does not", { .priority = 3, .start_us = S(900) },
			{ .no_trust = true }, "prepare x", 0 },
		{ "no trust: a planned one does wait",
			{ .priority = 3, .start_us = S(900), .planned_us = QUEUE_PLANNED_US + 1 },
			{ .no_trust = true }, "", TIME_NEVER },
		{ "no trust: one that is over by what was seen waits",
			{ .priority = 3, .start_us = S(-3700), .expires_us = S(-99) },
			{ .no_trust = true, .last_seen_us = S(-99) }, "", TIME_NEVER },
		{ "no trust: one that is not said to be over is said",
			{ .priority = 3, .expires_us = S(-99) },
			{ .no_trust = true, .last_seen_us = S(-99) }, "prepare x", 0 },
		{ "no trust: nothing expires",
			{ .priority = 1, .start_us = S(-9), .expires_us = T }, { .no_trust = true },
			"", TIME_NEVER },
		{ "no trust: what has no start is said, whatever the clock says",
			{ .priority = 1, .expires_us = S(-99) }, { .no_trust = true }, "prepare x",
			0 },
		{ "no trust and quiet hours", { .priority = 1 },
			{ .no_trust = true, .quiet = "21:00-05:00" }, "", TIME_NEVER },
		{ "no trust and quiet hours: an emergency", { .priority = 3 },
			{ .no_trust = true, .quiet = "07:00-09:00" }, "prepare x", 0 },
		{ "quiet hours at another time", { .priority = 1 }, { .quiet = "21:00-05:00" },
			"prepare x", 0 },
		{ "quiet hours", { .priority = 2, .expires_us = S(HOURS(2)) },
			{ .quiet = "07:00-09:00" }, "", S(HOURS(1) - 3) },
		{ "an emergency passes them", { .priority = 3 }, { .quiet = "07:00-09:00" },
			"prepare x", 0 },
		{ "quiet till it expires: at once", { .priority = 2, .expires_us = S(HOURS(1)) },
			{ .quiet = "07:00-09:00" }, "drop x:expired/quiet-hours", 0 },
		{ "also long before its start",
			{ .priority = 1, .start_us = S(HOURS(13)), .expires_us = S(HOURS(21)) },
			{ .quiet = "21:00-05:00" }, "drop x:expired/quiet-hours", 0 },
		{ "their end is before it expires",
			{ .priority = 1, .start_us = S(HOURS(13)), .expires_us = S(HOURS(21)) + 1 },
			{ .quiet = "21:00-05:00" }, "", S(HOURS(21) - 3) },
		{ "it would run into them",
			{ .priority = 1, .seconds = 3600, .expires_us = S(HOURS(5)) },
			{ .quiet = "09:00-12:00" }, "", S(HOURS(4) - 3) },
		{ "it ends just before",
			{ .priority = 1, .seconds = 3599.5, .expires_us = S(HOURS(5)) },
			{ .quiet = "09:00-12:00" }, "prepare x", 0 },
		{ "it fits nowhere", { .priority = 1, .seconds = 7200, .expires_us = S(HOURS(99)) },
			{ .quiet = "09:00-08:00" }, "drop x:expired/quiet-hours", 0 },
		{ "always quiet", { .priority = 1, .expires_us = S(HOURS(99)) },
			{ .quiet = "00:00-24:00" }, "drop x:expired/quiet-hours", 0 },
		{ "its recording will soon be known, however late it is",
			{ .priority = 1, .media = true, .start_us = S(-600), .expires_us = S(60) },
			{ .media_coming = QUEUE_MEDIA_NEAR }, "", S(60) },
		{ "its recording comes", { .priority = 1, .media = true },
			{ .media_coming = QUEUE_MEDIA_COMING }, "", S(10) },
		{ "for an emergency too", { .priority = 3, .media = true },
			{ .media_coming = QUEUE_MEDIA_COMING }, "", S(10) },
		{ "its recording is here", { .priority = 1, .media = true }, { 0 }, "prepare x",
			0 },
		{ "another's recording comes", { .priority = 1 },
			{ .media_coming = QUEUE_MEDIA_COMING }, "prepare x", 0 },
		{ "a recording for later is not asked for",
			{ .priority = 1, .media = true, .start_us = S(60) },
			{ .media_coming = QUEUE_MEDIA_COMING }, "", 0 },
		{ "it was due long ago", { .priority = 1, .media = true, .start_us = S(-10) },
			{ .media_coming = QUEUE_MEDIA_COMING }, "prepare x", 0 },
		{ "no recording till it expires", { .priority = 1, .media = true, .expires_us = T },
			{ .media_coming = QUEUE_MEDIA_COMING }, "drop x:expired/media-missing", 0 },
		{ "the clock was set back", { .priority = 1, .media = true, .arrival_us = S(60) },
			{ .media_coming = QUEUE_MEDIA_COMING }, "prepare x", 0 },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		_cleanup_(rig_done) struct rig rig;
		struct spec spec = table[i].spec;
		rig_init(&rig);
		spec.id = "x";
		rig.now.trusted = !table[i].world.no_trust;
		rig.now.output_ready = !table[i].world.not_ready;
		rig.media_coming = table[i].world.media_coming;
		if (table[i].world.last_seen_us)
			rig.now.last_seen_us = table[i].world.last_seen_us;
		if (table[i].world.quiet)
			rig_quiet(&rig, table[i].world.quiet);
		queue_mute(rig.queue, table[i].world.muted);
		rig_add(&rig, spec);
		if (strcmp(rig_next(&rig), table[i].expected) != 0)
			fail_msg("%s: %s", table[i].what, rig.text.text);
		int64_t wake_us = table[i].wake_us;
		if (table[i].expected[0] == 'p' || wake_us == 0)
			continue;
		if (rig.wake_us != wake_us)
			fail_msg("%s: wakes at %g", table[i].what,
				(double)(rig.wake_us - T) / US_PER_SEC);
		if (wake_us == TIME_NEVER)
			continue;
		assert_string_equal(rig_at(&rig, wake_us - 1), "");
		if (rig_at(&rig, wake_us)[0] == '\0')
			fail_msg("%s: woke in vain", table[i].what);
	}
}

static void an_empty_queue_sleeps(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	assert_string_equal(rig_next(&rig), "");
	assert_true(rig.wake_us == TIME_NEVER);
	assert_null(queue_free(NULL));
	assert_null(queue_entry_free(NULL));
	assert_null(queue_on_air(rig.queue));
}

static void the_gap_is_of_a_lane_and_not_for_emergencies(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.config.gap_us = 0; /* the queue has its own */
	rig_play(&rig, normal);
	rig_add(&rig, (struct spec){ .id = "e", .priority = PRIORITY_EMERGENCY, .start_us = S(4) });
	rig_add(&rig, (struct spec){ .id = "p", .priority = PRIORITY_PRIORITY, .start_us = S(6) });
	rig.now.real_us = S(0.5);
	assert_string_equal(rig_over(&rig, "n", QUEUE_FINISHED, UINT32_MAX, 0.5), "finished");
	assert_string_equal(rig_next(&rig), "");
	assert_int_equal(rig.wake_us, S(1));
	assert_string_equal(rig_at(&rig, S(1)), "prepare e@4");
	assert_string_equal(rig_over(&rig, "e", QUEUE_FAILED, 0, 0), "failed/engine");
	rig.now.real_us = S(3);
	assert_string_equal(rig_next(&rig), "prepare p@6"); /* later than the gap */
	assert_string_equal(rig_over(&rig, "p", QUEUE_FAILED, 0, 0), "failed/engine");
	rig_add(&rig, normal); /* the gap was over at 2.5 s; and p was not heard */
	assert_string_equal(rig_next(&rig), "prepare n");
}

/* What follows begins at the start and the length of the one before and the gap, not when this output's
 * device has said that it was silent. */
static void what_follows_keeps_step(void **state)
{
	static const double ended_s[] = { 4.997, 5, 5.004, 5.3 };

	(void)state;
	for (size_t i = 0; i < countof(ended_s); i++) {
		_cleanup_(rig_done) struct rig rig;
		rig_init(&rig);
		rig_play(&rig, normal);
		rig_add(&rig, (struct spec){ .id = "m", .priority = PRIORITY_NORMAL });
		rig.now.real_us = S(ended_s[i]);
		rig.in_step_us = S(5);
		assert_string_equal(rig_over(&rig, "n", QUEUE_FINISHED, UINT32_MAX, 5), "finished");
		assert_string_equal(rig_next(&rig), "prepare m@7");
	}
}

static void a_long_gap_wakes_in_time_to_prepare(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.config.gap_us = 10 * US_PER_SEC;
	queue_free(rig.queue);
	rig.queue = queue_new(&rig.config);
	rig_play(&rig, normal);
	rig_add(&rig, (struct spec){ .id = "m", .priority = PRIORITY_NORMAL });
	rig.now.real_us = S(5);
	assert_string_equal(rig_over(&rig, "n", QUEUE_FINISHED, UINT32_MAX, 5), "finished");
	assert_string_equal(rig_next(&rig), "");
	assert_int_equal(rig.wake_us, S(12));
	assert_string_equal(rig_at(&rig, S(12)), "prepare m@15");
	/* One that could only begin when it has expired is not waited for. */
	rig_primed(&rig, "m");
	rig_started(&rig, "m");
	rig_add(&rig, (struct spec){ .id = "o", .priority = PRIORITY_NORMAL, .expires_us = S(30) });
	rig.now.real_us = S(20);
	assert_string_equal(rig_next(&rig), "");
	assert_string_equal(rig_over(&rig, "m", QUEUE_FINISHED, UINT32_MAX, 5), "finished");
	assert_string_equal(rig_next(&rig), "drop o:expired/expired");
}

static void the_earliest_of_many_wakes(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_add(&rig, (struct spec){ .id = "e", .priority = 3, .start_us = S(100) });
	rig_add(&rig, (struct spec){ .id = "n", .priority = 1, .start_us = S(50) });
	rig_add(&rig,
		(struct spec){
			.id = "b", .start_us = S(45), .expires_us = S(46), .not_durable = true });
	assert_string_equal(rig_next(&rig), "");
	assert_int_equal(rig.wake_us, S(42)); /* nothing would change, but it costs nothing */
	queue_set_durable(rig.queue, "b");
	queue_set_durable(rig.queue, "not-there");
	assert_string_equal(rig_next(&rig), "");
	assert_int_equal(rig.wake_us, S(42));
	assert_string_equal(rig_at(&rig, S(42)), "prepare b@45");
}

static void everything_that_has_expired_goes_before_anything_plays(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_add(&rig, (struct spec){ .id = "e", .priority = 3 });
	rig_add(&rig, (struct spec){ .id = "n", .priority = 1, .expires_us = S(-1) });
	rig_add(&rig, (struct spec){ .id = "b", .expires_us = S(-2) });
	assert_string_equal(
		rig_next(&rig), "drop n:expired/expired, drop b:expired/expired, prepare e");
}

/* --- Quiet hours (FAULTS D2) ------------------------------------------------------------------- */

static void quiet_hours_cut_off_and_it_goes_on_in_the_morning(void **state)
{
	_cleanup_(rig_done) struct rig rig;
	static const struct spec long_one = {
		.id = "x", .priority = PRIORITY_PRIORITY, .seconds = 60, .expires_us = S(HOURS(30))
	};

	(void)state;
	rig_init(&rig);
	rig_quiet(&rig, "21:00-05:00");
	rig.now.real_us = S(HOURS(13) - 61);
	rig_play(&rig, long_one);
	assert_int_equal(rig.wake_us, S(HOURS(13)) - QUEUE_QUIET_LEAD_US);
	assert_string_equal(rig_at(&rig, S(HOURS(13)) - QUEUE_QUIET_LEAD_US - 1), "");
	assert_string_equal(rig_at(&rig, S(HOURS(13)) - QUEUE_QUIET_LEAD_US), "fade x:quiet-hours");
	rig.now.real_us = S(HOURS(13));
	assert_string_equal(
		rig_over(&rig, "x", QUEUE_CAUSE_NONE, 5, 50), "interrupted/quiet-hours again");
	assert_string_equal(rig_next(&rig), "");
	assert_int_equal(rig.wake_us, S(HOURS(21) - 3));
	/* It is prepared while they last, for the moment at which they end. */
	assert_string_equal(rig_at(&rig, S(HOURS(21) - 3)), "prepare x@75600");
	rig_primed(&rig, "x");
	assert_string_equal(rig_next(&rig), "");
	assert_string_equal(rig_at(&rig, S(HOURS(21)) - 1), "");
	assert_int_equal(rig_entry(&rig, "x")->from.item, 5);
}

static void quiet_hours_are_to_blame_up_to_their_last_moment(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_quiet(&rig, "07:00-09:00");
	rig.now.real_us = S(HOURS(1) - 1);
	rig_add(&rig, (struct spec){ .id = "x", .priority = 1, .expires_us = S(HOURS(1)) });
	assert_string_equal(rig_next(&rig), "drop x:expired/quiet-hours");
}

static void what_is_left_to_say_must_fit_not_the_whole(void **state)
{
	_cleanup_(rig_done) struct rig rig;
	struct spec spec = {
		.id = "x", .priority = PRIORITY_NORMAL, .seconds = 3700, .expires_us = S(HOURS(5))
	};

	(void)state;
	rig_init(&rig);
	rig_quiet(&rig, "09:00-12:00");
	struct queue_entry *entry = rig_restore(
		&rig, spec, true, (struct queue_position){ 9, 0, 200 * US_PER_SEC }, 0);
	assert_string_equal(rig_next(&rig), "prepare x");
	queue_on_clock_set(rig.queue);
	assert_string_equal(rig_next(&rig), "fade x:recalled");
	assert_string_equal(rig_over(&rig, "x", QUEUE_CAUSE_NONE, 0, 0), "again");
	entry->seconds = 3900; /* its length is known better now */
	assert_string_equal(rig_next(&rig), "");
	assert_int_equal(rig.wake_us, S(HOURS(4) - 3));
}

static void one_that_waits_behind_another_until_it_fits_no_more(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_quiet(&rig, "09:00-12:00");
	rig_play(&rig, normal);
	rig_add(&rig, (struct spec){ .id = "m", .priority = 1, .seconds = 600 });
	assert_string_equal(rig_next(&rig), "");
	int64_t last_us = S(HOURS(1) - 600) - QUEUE_QUIET_LEAD_US;
	assert_int_equal(rig.wake_us, last_us);
	assert_string_equal(rig_at(&rig, last_us - 1), "");
	assert_string_equal(rig_at(&rig, last_us), "drop m:expired/quiet-hours");
}

static void the_clock_is_set_into_quiet_hours(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_quiet(&rig, "21:00-05:00");
	rig_play(&rig, (struct spec){ .id = "b", .expires_us = S(HOURS(30)) });
	rig_play(&rig, (struct spec){ .id = "e", .priority = 3 - 1, .expires_us = S(HOURS(30)) });
	queue_on_clock_set(rig.queue);
	assert_string_equal(rig_at(&rig, S(HOURS(15))), "fade b:quiet-hours, fade e:quiet-hours");
	/* What is on air goes on when time is not trusted any more, and nothing else begins. */
	rig.now.trusted = false;
	assert_string_equal(rig_next(&rig), "");
}

static void an_emergency_says_that_it_passes(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_quiet(&rig, "08:01-09:00");
	rig_play(&rig, (struct spec){ .id = "e", .priority = 3 });
	assert_false(rig_entry(&rig, "e")->passes_quiet);
	queue_on_position(rig.queue, rig_entry(&rig, "e"), &(struct queue_position){ 0 }, S(61));
	assert_true(rig_entry(&rig, "e")->passes_quiet); /* it has run into them */
	assert_string_equal(rig_at(&rig, S(62)), "");
	assert_string_equal(rig_over(&rig, "e", QUEUE_FINISHED, UINT32_MAX, 62), "finished");
	rig_play(&rig, (struct spec){ .id = "f", .priority = 3 });
	assert_true(rig_entry(&rig, "f")->passes_quiet);
	assert_false(rig_entry(&rig, "f")->passes_limit);
}

/* --- Limits ----------------------------------------------------------------------------------- */

static void the_minutes_of_a_day(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.limits.day_minutes = 2;
	rig_play(&rig, (struct spec){ .id = "a", .priority = 1, .seconds = 60 });
	queue_on_position(rig.queue, rig_entry(&rig, "a"), &(struct queue_position){ 0 }, S(50));
	assert_int_equal(queue_usage(rig.queue)->sounded_us, 50 * US_PER_SEC);
	rig.now.real_us = S(70); /* longer than was predicted */
	assert_string_equal(rig_over(&rig, "a", QUEUE_FINISHED, UINT32_MAX, 70), "finished");
	assert_int_equal(queue_usage(rig.queue)->sounded_us, 70 * US_PER_SEC);
	rig_add(&rig, (struct spec){ .id = "b", .priority = 2, .seconds = 51 });
	rig_add(&rig,
		(struct spec){
			.id = "c", .priority = 2, .seconds = 51, .expires_us = S(HOURS(17)) });
	rig_add(&rig,
		(struct spec){
			.id = "d", .priority = 1, .seconds = 121, .expires_us = S(HOURS(99)) });
	rig_add(&rig, (struct spec){ .id = "e", .priority = 1, .seconds = 50 });
	rig_add(&rig, (struct spec){ .id = "f", .priority = 1, .seconds = 51 });
	assert_string_equal(
		rig_next(&rig), "drop b:expired/limit, drop d:expired/limit, prepare e@72");
	rig_primed(&rig, "e");
	rig_started(&rig, "e");
	/* f is not asked before its turn has come. */
	assert_string_equal(rig_next(&rig), "");
	rig.now.real_us = S(100);
	assert_string_equal(rig_over(&rig, "e", QUEUE_FINISHED, UINT32_MAX, 30), "finished");
	assert_string_equal(rig_next(&rig), "drop f:expired/limit");
	assert_int_equal(rig.wake_us, S(HOURS(16) - 3)); /* c, at midnight */
	/* An emergency passes, and says so. */
	rig_play(&rig, (struct spec){ .id = "g", .priority = 3, .seconds = 60 });
	assert_true(rig_entry(&rig, "g")->passes_limit);
	rig.now.real_us = S(130);
	assert_string_equal(rig_over(&rig, "g", QUEUE_FINISHED, UINT32_MAX, 30), "finished");
	assert_int_equal(queue_usage(rig.queue)->sounded_us, 130 * US_PER_SEC);
	assert_string_equal(rig_at(&rig, S(HOURS(16) - 3)), "prepare c@57600");
}

static void midnight_may_be_quiet(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.limits.day_minutes = 1;
	rig_quiet(&rig, "21:00-05:00");
	queue_set_usage(
		rig.queue, &(struct usage){ S(HOURS(-8)), S(HOURS(16)), 60 * US_PER_SEC, 1, T });
	rig_add(&rig, (struct spec){ .id = "a", .priority = 1, .expires_us = S(HOURS(21)) });
	rig_add(&rig, (struct spec){ .id = "b", .priority = 1, .expires_us = S(HOURS(22)) });
	assert_string_equal(rig_next(&rig), "drop a:expired/limit");
	assert_int_equal(rig.wake_us,
		S(HOURS(13)) - QUEUE_QUIET_LEAD_US); /* from then on quiet hours hold it */
	assert_string_equal(rig_at(&rig, S(HOURS(21) - 3)), "prepare b@75600");
}

static void the_sessions_of_a_day(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.limits.sessions_per_day = 1;
	rig_play(&rig, (struct spec){ .id = "a", .priority = 1, .seconds = 60 });
	rig.now.real_us = S(60);
	assert_string_equal(rig_over(&rig, "a", QUEUE_FINISHED, UINT32_MAX, 60), "finished");
	rig_add(&rig, (struct spec){ .id = "b", .priority = 1, .start_us = S(359) });
	rig_add(&rig, (struct spec){ .id = "c", .priority = 1, .start_us = S(700) });
	assert_string_equal(rig_next(&rig), "");
	assert_string_equal(rig_at(&rig, S(356)), "prepare b@359"); /* the same session */
	assert_string_equal(rig_over(&rig, "b", QUEUE_FAILED, 0, 0), "failed/engine");
	assert_string_equal(rig_at(&rig, S(697)), "drop c:expired/limit");
}

static void too_long_an_item(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.limits.item_minutes = 1;
	rig.now.trusted = false; /* it needs no clock */
	rig_add(&rig,
		(struct spec){ .id = "a", .priority = 2, .seconds = 60.1, .start_us = S(99) });
	assert_string_equal(rig_next(&rig), "drop a:expired/limit");
	rig_add(&rig, (struct spec){ .id = "b", .priority = 2, .seconds = 60 });
	assert_string_equal(rig_next(&rig), "prepare b");
	rig_add(&rig, (struct spec){ .id = "e", .priority = 3, .seconds = 61 });
	assert_string_equal(rig_next(&rig), "fade b:recalled, prepare e");
	rig.now.trusted = true;
	assert_string_equal(rig_next(&rig), "");
	rig_started(&rig, "e");
	assert_true(rig_entry(&rig, "e")->passes_limit);
}

static void no_day_is_counted_while_nobody_knows_which(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.limits.day_minutes = 1;
	rig.now.trusted = false;
	rig_play(&rig, normal);
	rig.now.real_us = S(70);
	assert_string_equal(rig_over(&rig, "n", QUEUE_FINISHED, UINT32_MAX, 70), "finished");
	assert_int_equal(queue_usage(rig.queue)->sounded_us, 0);
	queue_set_usage(
		rig.queue, &(struct usage){ S(HOURS(-8)), S(HOURS(16)), 60 * US_PER_SEC, 1, T });
	rig_add(&rig, (struct spec){ .id = "o", .priority = 1 });
	assert_string_equal(rig_next(&rig), "prepare o@72");
}

/* --- Media, poison, clock ---------------------------------------------------------------------- */

static void a_recording_that_does_not_come_is_left_out(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.media_coming = QUEUE_MEDIA_COMING;
	rig_add(&rig, (struct spec){ .id = "m", .priority = 2, .media = true });
	rig_add(&rig, (struct spec){ .id = "n", .priority = 1 });
	assert_string_equal(rig_next(&rig), "prepare n"); /* others do not wait for it */
	assert_string_equal(rig_at(&rig, S(10) - 1), "");
	assert_string_equal(rig_at(&rig, S(10)), "fade n:recalled, prepare m");
	assert_true(rig_entry(&rig, "m")->media_missing);
	assert_string_equal(rig_over(&rig, "m", QUEUE_LOST, 0, 0), "again");
	rig.media_coming = QUEUE_MEDIA_SETTLED; /* it has come after all */
	assert_string_equal(rig_next(&rig), "prepare m");
	assert_false(rig_entry(&rig, "m")->media_missing);
}

static void what_kills_the_daemon_is_not_tried_a_third_time(void **state)
{
	_cleanup_(rig_done) struct rig rig;
	static const struct queue_position beginning = { 0, 0, 0 };

	(void)state;
	rig_init(&rig);
	assert_non_null(rig_restore(
		&rig, (struct spec){ .id = "a", .priority = 2 }, true, beginning, QUEUE_TRIES_MAX));
	assert_non_null(
		rig_restore(&rig, (struct spec){ .id = "l", .priority = 2, .start_us = S(60) },
			false, beginning, QUEUE_TRIES_MAX));
	assert_non_null(rig_restore(&rig, (struct spec){ .id = "b", .priority = 1 }, true,
		beginning, QUEUE_TRIES_MAX - 1));
	assert_null(
		rig_restore(&rig, (struct spec){ .id = "b", .priority = 1 }, true, beginning, 0));
	assert_string_equal(rig_next(&rig), "drop a:failed/engine, prepare b");
	assert_string_equal(rig_at(&rig, S(57)), "drop l:failed/engine"); /* when its turn comes */
}

static void somebody_sets_the_clock(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_play(&rig, normal);
	rig.now.real_us = S(60);
	assert_string_equal(rig_over(&rig, "n", QUEUE_FINISHED, UINT32_MAX, 60), "finished");
	rig_add(&rig, (struct spec){ .id = "m", .priority = 1 });
	assert_string_equal(rig_next(&rig), "prepare m@62");
	rig.now.real_us = S(-HOURS(2)); /* two hours back */
	queue_on_clock_set(rig.queue);
	assert_string_equal(rig_next(&rig), "fade m:recalled");
	assert_string_equal(rig_over(&rig, "m", QUEUE_CAUSE_NONE, 0, 0), "again");
	assert_string_equal(rig_next(&rig), "prepare m"); /* not in two hours */
	rig_primed(&rig, "m");
	rig_started(&rig, "m");
	queue_on_clock_set(rig.queue);
	assert_string_equal(rig_next(&rig), ""); /* what is on air stays there */
	/* An emergency that is to begin at once is not made to wait, one with a start is. */
	rig_add(&rig, (struct spec){ .id = "e", .priority = 3 });
	assert_string_equal(rig_next(&rig), "prepare e");
	queue_on_clock_set(rig.queue);
	assert_string_equal(rig_next(&rig), "");
	assert_string_equal(rig_over(&rig, "e", QUEUE_FAILED, 0, 0), "failed/engine");
	rig_add(&rig, (struct spec){ .id = "f", .priority = 3, .start_us = S(1 - HOURS(2)) });
	assert_string_equal(rig_next(&rig), "prepare f@-7199");
	queue_on_clock_set(rig.queue);
	assert_string_equal(rig_next(&rig), "fade f:recalled");
}

static void a_clock_that_is_set_does_not_count_as_sound(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_play(&rig, normal);
	rig.now.real_us = S(HOURS(5));
	queue_on_clock_set(rig.queue);
	queue_on_position(
		rig.queue, rig_entry(&rig, "n"), &(struct queue_position){ 0 }, rig.now.real_us);
	rig.now.real_us = S(HOURS(5) + 7);
	assert_string_equal(rig_over(&rig, "n", QUEUE_FINISHED, UINT32_MAX, 9), "finished");
	assert_int_equal(queue_usage(rig.queue)->sounded_us, 7 * US_PER_SEC);
}

/* --- Revisions, withdrawal, stop, skip, mute, shutdown ------------------------------------------- */

static void a_newer_revision_takes_the_place(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	/* Of one that waits. */
	rig_add(&rig, (struct spec){ .id = "x", .priority = 1, .revision = 2, .start_us = S(60) });
	assert_int_equal(rig_try(&rig, (struct spec){ .id = "x", .revision = 2 }), -EEXIST);
	assert_int_equal(rig_try(&rig, (struct spec){ .id = "x", .revision = 1 }), -EEXIST);
	rig_add(&rig, (struct spec){ .id = "x", .priority = 1, .revision = 3 });
	assert_int_equal(queue_length(rig.queue), 1);
	assert_string_equal(rig_next(&rig), "drop x:superseded, prepare x");
	/* Of one that is on air: the new one comes when the old one has faded. */
	rig_primed(&rig, "x");
	rig_started(&rig, "x");
	struct queue_entry *old = queue_find(rig.queue, "x");
	rig_add(&rig, (struct spec){ .id = "x", .priority = 1, .revision = 4 });
	assert_int_equal(queue_find(rig.queue, "x")->announcement->revision, 4);
	assert_string_equal(rig_next(&rig), "fade x:superseded");
	assert_int_equal(old->phase, QUEUE_ENDING);
	/* Of one that waits, while the one before it is still ending. */
	rig_add(&rig, (struct spec){ .id = "x", .priority = 1, .revision = 5 });
	assert_string_equal(rig_next(&rig), "drop x:superseded");
	rig.now.real_us = S(5);
	assert_string_equal(rig_over(&rig, "x", QUEUE_CAUSE_NONE, 1, 5), "superseded");
	assert_string_equal(rig_next(&rig), "prepare x@7");
	assert_int_equal(rig_entry(&rig, "x")->announcement->revision, 5);
	/* What is ending for good makes room for the same revision. */
	assert_int_equal(queue_withdraw(rig.queue, "x", 5), 1);
	rig_add(&rig, (struct spec){ .id = "x", .priority = 1, .revision = 5 });
	assert_string_equal(rig_next(&rig), "fade x:withdrawn");
}

static void a_withdrawal_names_a_revision(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_add(&rig, (struct spec){ .id = "x", .priority = 1, .revision = 3, .start_us = S(60) });
	assert_int_equal(queue_withdraw(rig.queue, "x", 2), 0);
	assert_int_equal(queue_withdraw(rig.queue, "y", 9), 0);
	assert_int_equal(queue_withdraw(rig.queue, "x", 3), 1);
	assert_int_equal(queue_length(rig.queue), 0);
	assert_string_equal(rig_next(&rig), "drop x:cancelled/withdrawn");
	rig_play(&rig, (struct spec){ .id = "x", .priority = 1, .revision = 4 });
	assert_int_equal(queue_withdraw(rig.queue, "x", 3), 0);
	assert_string_equal(rig_next(&rig), "");
	/* It goes, and its successor that waits with it. */
	rig_add(&rig, (struct spec){ .id = "x", .priority = 1, .revision = 5 });
	assert_int_equal(queue_withdraw(rig.queue, "x", 5), 1);
	assert_string_equal(rig_next(&rig), "fade x:superseded, drop x:cancelled/withdrawn");
}

static void stop_spares_what_is_for_later(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_play(&rig, (struct spec){ .id = "b" });
	rig_play(&rig, (struct spec){ .id = "a", .priority = 1 });
	rig_add(&rig, (struct spec){ .id = "p", .priority = 2, .start_us = S(2) });
	assert_string_equal(rig_next(&rig), "prepare p@2");
	rig_add(&rig, (struct spec){ .id = "w", .priority = 1 });
	rig_add(&rig, (struct spec){ .id = "past", .priority = 1, .start_us = S(-1) });
	rig_add(&rig, (struct spec){ .id = "now", .priority = 1, .start_us = T });
	rig_add(&rig, (struct spec){ .id = "later", .priority = 1, .start_us = T + 1 });
	/* The clock was set back while it was on air: it is not for later. */
	assert_non_null(
		rig_restore(&rig, (struct spec){ .id = "cut", .priority = 1, .start_us = S(99) },
			true, (struct queue_position){ 1, 0, 1 }, 0));
	queue_stop(rig.queue, T);
	assert_string_equal(rig_next(&rig),
		"fade b:stopped, fade a:stopped, drop past:cancelled/stopped, "
		"drop w:cancelled/stopped, drop now:cancelled/stopped, drop cut:cancelled/stopped");
	assert_int_equal(queue_length(rig.queue), 2); /* p and later */
}

static void skip_ends_one(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	queue_skip(rig.queue); /* nothing there */
	rig_play(&rig, (struct spec){ .id = "b" });
	rig_play(&rig, (struct spec){ .id = "a", .priority = 1 });
	rig_add(&rig, (struct spec){ .id = "p", .priority = 2, .start_us = S(2) });
	rig_add(&rig, (struct spec){ .id = "w", .priority = 2, .start_us = S(60) });
	assert_string_equal(rig_next(&rig), "prepare p@2");
	static const char *const expected[] = { "fade a:skipped", "fade p:skipped",
		"fade b:skipped", "" };
	for (size_t i = 0; i < countof(expected); i++) {
		queue_skip(rig.queue);
		assert_string_equal(rig_next(&rig), expected[i]);
	}
	assert_int_equal(queue_length(rig.queue), 1);
}

static void mute_lasts_until_unmute(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_play(&rig, (struct spec){ .id = "b" });
	rig_play(&rig, (struct spec){ .id = "a", .priority = 1 });
	rig_add(&rig, (struct spec){ .id = "e", .priority = 3 });
	assert_string_equal(rig_next(&rig), "prepare e");
	assert_false(queue_muted(rig.queue));
	queue_mute(rig.queue, true);
	assert_true(queue_muted(rig.queue));
	assert_string_equal(rig_next(&rig), "fade b:muted, fade a:muted, fade e:muted");
	assert_string_equal(rig_over(&rig, "e", QUEUE_CAUSE_NONE, 0, 0), "again");
	assert_string_equal(rig_over(&rig, "a", QUEUE_CAUSE_NONE, 1, 1), "interrupted/muted again");
	assert_string_equal(rig_over(&rig, "b", QUEUE_CAUSE_NONE, 1, 1), "interrupted/muted again");
	assert_string_equal(rig_at(&rig, S(60)), "");
	queue_mute(rig.queue, false);
	assert_string_equal(rig_next(&rig), "prepare e");
	queue_mute(rig.queue, false); /* twice is once */
	assert_string_equal(rig_next(&rig), "");
}

static void a_node_that_stops_keeps_everything(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_play(&rig, (struct spec){ .id = "a", .priority = 1 });
	rig_add(&rig, (struct spec){ .id = "w", .priority = 1, .expires_us = S(60) });
	queue_shutdown(rig.queue);
	assert_string_equal(rig_next(&rig), "fade a:shutdown");
	assert_false(queue_idle(rig.queue));
	assert_string_equal(rig_over(&rig, "a", QUEUE_CAUSE_NONE, 1, 1), "interrupted again");
	assert_true(queue_idle(rig.queue));
	assert_string_equal(rig_at(&rig, S(61)), ""); /* and nothing new begins, or ends */
	assert_true(rig.wake_us == TIME_NEVER);
	assert_int_equal(queue_length(rig.queue), 2);
	assert_int_equal(queue_withdraw(rig.queue, "w", 1), 1);
	assert_string_equal(rig_next(&rig), "drop w:cancelled/withdrawn");
}

/* --- A flood (FAULTS C5) ----------------------------------------------------------------------- */

static int try_numbered(struct rig *rig, enum priority priority, int number)
{
	char id[32];

	snprintf(id, sizeof id, "%d-%d", (int)priority, number);
	return rig_try(rig, (struct spec){ .id = id, .priority = priority, .start_us = S(600) });
}

static void the_lowest_and_oldest_makes_room(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	for (int i = 0; i < QUEUE_ENTRIES_MAX; i++)
		assert_int_equal(
			try_numbered(&rig, i % 2 ? PRIORITY_NORMAL : PRIORITY_PRIORITY, i), 0);
	assert_int_equal(try_numbered(&rig, PRIORITY_BACKGROUND, 1), -ENOSPC);
	assert_string_equal(rig_next(&rig), "");
	assert_int_equal(try_numbered(&rig, PRIORITY_NORMAL, 5000), 0);
	assert_string_equal(rig_next(&rig), "drop 1-1:expired/queue-full");
	assert_int_equal(try_numbered(&rig, PRIORITY_PRIORITY, 5000), 0);
	assert_string_equal(rig_next(&rig), "drop 1-3:expired/queue-full");
	assert_int_equal(queue_length(rig.queue), QUEUE_ENTRIES_MAX);
	/* A newer revision takes its own place, not another's. */
	rig_add(&rig, (struct spec){ .id = "1-5",
			      .priority = PRIORITY_NORMAL,
			      .revision = 2,
			      .start_us = S(600) });
	assert_string_equal(rig_next(&rig), "drop 1-5:superseded");
	/* But not one of the other kind. */
	for (int i = 0; i < QUEUE_EMERGENCIES_MAX; i++)
		assert_int_equal(try_numbered(&rig, PRIORITY_EMERGENCY, i), 0);
	assert_string_equal(rig_next(&rig), "");
	assert_int_equal(try_numbered(&rig, PRIORITY_EMERGENCY, 5000), 0);
	assert_string_equal(rig_next(&rig), "drop 3-0:expired/queue-full");
	rig_add(&rig, (struct spec){ .id = "1-7",
			      .priority = PRIORITY_EMERGENCY,
			      .revision = 2,
			      .start_us = S(600) });
	assert_string_equal(rig_next(&rig), "drop 3-1:expired/queue-full, drop 1-7:superseded");
	assert_int_equal(queue_length(rig.queue), QUEUE_ENTRIES_MAX - 1 + QUEUE_EMERGENCIES_MAX);
}

static void a_flood_is_cheap(void **state)
{
	_cleanup_(rig_done) struct rig rig;
	struct timespec begin, end;

	(void)state;
	rig_init(&rig);
	rig_quiet(&rig, "21:00-05:00");
	rig.limits.day_minutes = 100;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(try_numbered(&rig, (enum priority)(i % 3), i) % ENOSPC, 0);
		rig.now.real_us += US_PER_MS;
		rig_next(&rig);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	double seconds = (double)(end.tv_sec - begin.tv_sec) +
			 (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	assert_int_equal(queue_length(rig.queue), QUEUE_ENTRIES_MAX);
	/* 0.6 s on a small machine; a calendar asked for each entry each time takes minutes. */
	if (seconds > 20)
		fail_msg("%.1f s for 10000", seconds);
}

/* --- The list -------------------------------------------------------------------------------- */

static const char *list(struct rig *rig)
{
	const struct queue_entry *entries[16];
	enum queue_wait waits[16];
	size_t count = queue_list(rig->queue, &rig->now, entries, waits, countof(waits));

	strbuf_clear(&rig->text);
	strbuf_puts(&rig->text, "");
	for (size_t i = 0; i < count; i++)
		strbuf_printf(&rig->text, "%s%s:%s", i > 0 ? " " : "", entries[i]->announcement->id,
			queue_wait_name(waits[i]));
	assert_int_equal(count, queue_length(rig->queue));
	return rig->text.text;
}

static void the_list_says_why_each_waits(void **state)
{
	_cleanup_(rig_done) struct rig rig;
	const struct queue_entry *entries[2];
	enum queue_wait waits[2];

	(void)state;
	rig_init(&rig);
	rig_add(&rig, (struct spec){ .id = "b", .start_us = S(10) });
	rig_add(&rig, (struct spec){ .id = "n1", .priority = 1, .arrival_us = S(-9) });
	rig_add(&rig, (struct spec){ .id = "n2", .priority = 1, .start_us = S(2) });
	rig_add(&rig, (struct spec){ .id = "m", .priority = 1, .start_us = S(3), .media = true });
	rig_add(&rig, (struct spec){ .id = "p", .priority = 2, .not_durable = true });
	rig_add(&rig, (struct spec){ .id = "e", .priority = 3, .start_us = S(60) });
	rig.media_coming = QUEUE_MEDIA_COMING;
	assert_string_equal(list(&rig), "e:start p:store n1:next n2:behind m:media b:start");
	assert_int_equal(queue_list(rig.queue, &rig.now, entries, waits, 2), 2);
	rig.now.output_ready = false;
	assert_string_equal(
		list(&rig), "e:start p:store n1:output-lost n2:output-lost m:output-lost b:start");
	queue_mute(rig.queue, true);
	assert_string_equal(list(&rig), "e:start p:store n1:muted n2:muted m:muted b:start");
	queue_mute(rig.queue, false);
	rig.now.output_ready = true;
	rig.now.trusted = false;
	assert_string_equal(list(&rig), "e:next p:store n1:behind n2:clock m:clock b:clock");
	rig.now.trusted = true;
	rig_quiet(&rig, "08:00-08:30");
	assert_string_equal(list(&rig),
		"e:start p:store n1:quiet-hours n2:quiet-hours m:quiet-hours b:quiet-hours");
	rig.quiet.count = 0;
	/* The memory of where an entry fits is dropped with the entries. */
	assert_string_equal(rig_next(&rig), "prepare n1");
	assert_string_equal(list(&rig), "n1:next e:start p:store n2:behind m:media b:start");
	assert_int_equal(queue_list(rig.queue, &rig.now, entries, waits, 0), 0);
	(void)rig_over(&rig, "n1", QUEUE_FAILED, 0, 0);
	rig.limits.sessions_per_day = 1;
	queue_set_usage(rig.queue, &(struct usage){ S(HOURS(-8)), S(HOURS(16)), 1, 1, S(-999) });
	assert_string_equal(list(&rig), "e:start p:store n2:limit m:media b:start");
}

static void what_is_looked_for_by_its_id(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	assert_null(queue_find(rig.queue, "n"));
	rig_add(&rig,
		(struct spec){ .id = "n", .priority = 1, .not_durable = true, .start_us = S(9) });
	assert_false(queue_find(rig.queue, "n")->durable);
	queue_set_durable(rig.queue, "n");
	assert_true(queue_find(rig.queue, "n")->durable);
	rig_add(&rig, (struct spec){ .id = "e", .priority = 3, .not_durable = true });
	assert_string_equal(rig_next(&rig), "prepare e");
	queue_set_durable(rig.queue, "e"); /* it did not wait for that */
	assert_true(queue_find(rig.queue, "e")->durable);
	assert_ptr_equal(queue_find(rig.queue, "e"), rig_entry(&rig, "e"));
}

static void every_cause_and_every_wait_has_a_name(void **state)
{
	(void)state;
	for (enum queue_cause a = 0; a < QUEUE_CAUSES_COUNT; a++)
		for (enum queue_cause b = 0; b < a; b++)
			assert_string_not_equal(queue_cause_name(a), queue_cause_name(b));
	for (enum queue_wait a = 0; a <= QUEUE_WAIT_LIMIT; a++)
		assert_true(queue_wait_name(a)[0] != '\0');
}

/* The clock is put back by two hours behind something that has just ended, and nobody has told the queue
 * yet: what comes now does not wait two hours for the end of the gap, which it would not live to see. */
static void a_gap_of_another_time_holds_nothing(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_play(&rig, (struct spec){ .id = "truoc", .priority = 1 });
	(void)rig_over(&rig, "truoc", QUEUE_FINISHED, UINT32_MAX, 1);
	rig.now.real_us = S(HOURS(-2));
	rig_add(&rig, (struct spec){ .id = "x", .priority = 1 });
	assert_string_equal(rig_next(&rig), "prepare x");
}

/* --- Occurrences of schedules ------------------------------------------------------------------ */

#define LATE_US (120 * US_PER_SEC + 1) /* as struct spec has it */

/* Asked at `real_us`, the queue says that; "" is nothing. */
static void at(struct rig *rig, int64_t real_us, const char *expected)
{
	assert_string_equal(rig_at(rig, real_us), expected);
}

/* FAULTS D3: nobody was there from its start until `late` after it. */
static void d3_a_missed_occurrence_expires(void **state)
{
	static const struct {
		int64_t asked_us;
		const char *expected;
	} table[] = {
		{ S(60), "prepare x" },
		{ S(61), "prepare x" },
		{ S(180), "prepare x" },
		{ S(180.001), "drop x:expired/late" },
		{ S(HOURS(0.9)), "drop x:expired/late" },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		_cleanup_(rig_done) struct rig rig;
		rig_init(&rig);
		rig_add(&rig, (struct spec){ .id = "x",
				      .priority = PRIORITY_NORMAL,
				      .start_us = S(60),
				      .late_us = LATE_US });
		at(&rig, table[i].asked_us, table[i].expected);
	}
}

/* An announcement that is none of a schedule waits until it expires. */
static void only_occurrences_are_late(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_add(&rig, (struct spec){ .id = "x", .priority = 1, .start_us = S(60) });
	at(&rig, S(HOURS(0.9)), "prepare x");
}

/* Asks whenever the queue wants to be asked, until `real_us`; true if it was noted to be in time. */
static bool follow(struct rig *rig, int64_t real_us)
{
	bool noted = false;

	for (;;) {
		assert_string_equal(rig_next(rig), "");
		noted |= queue_take_in_time(rig->queue);
		if (rig->wake_us > real_us)
			break;
		rig->now.real_us = rig->wake_us + 1; /* a timer is a little late */
	}
	rig->now.real_us = real_us;
	return noted;
}

/* It was there in time, and waits: for the sound, for the end of quiet hours, for the gap behind another
 * one. Nobody asks but when the queue wants it. */
static void what_waits_for_something_else_is_not_late(void **state)
{
	(void)state;
	for (int64_t late_us = 1; late_us <= LATE_US; late_us += LATE_US - 1) {
		struct spec spec = {
			.id = "x", .priority = 1, .start_us = S(60), .late_us = late_us
		};
		_cleanup_(rig_done) struct rig lost, quiet;

		rig_init(&lost);
		lost.now.output_ready = false;
		rig_add(&lost, spec);
		assert_true(follow(&lost, S(HOURS(0.5))));
		lost.now.output_ready = true;
		assert_string_equal(rig_next(&lost), "prepare x");

		rig_init(&quiet);
		rig_quiet(&quiet, "08:00-08:30"); /* from S(0) to S(HOURS(0.5)) */
		rig_add(&quiet, spec);
		assert_true(follow(&quiet, S(HOURS(0.5) - 4)));
		at(&quiet, S(HOURS(0.5) - 3), "prepare x@1800");
	}
}

/* A newer revision of what waits was there in time, too. */
static void a_revision_of_what_waits_is_not_late(void **state)
{
	_cleanup_(rig_done) struct rig rig;
	struct spec spec = { .id = "x", .priority = 1, .start_us = S(60), .late_us = LATE_US };

	(void)state;
	rig_init(&rig);
	rig_quiet(&rig, "08:00-08:30");
	rig_add(&rig, spec);
	assert_true(follow(&rig, S(HOURS(0.25))));
	spec.revision = 2;
	rig_add(&rig, spec);
	assert_string_equal(rig_next(&rig), "drop x:superseded");
	(void)follow(&rig, S(HOURS(0.5) - 4));
	at(&rig, S(HOURS(0.5) - 3), "prepare x@1800");
}

/* While nobody knows the time nothing is late; then it is judged by the right one. */
static void time_that_is_not_trusted_makes_nothing_late(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.now.trusted = false;
	rig_add(&rig,
		(struct spec){ .id = "x", .priority = 1, .start_us = S(60), .late_us = LATE_US });
	at(&rig, S(61), "");
	at(&rig, S(HOURS(0.5)), "");
	rig.now.trusted = true;
	at(&rig, S(HOURS(0.5)), "drop x:expired/late");
}

/* FAULTS D1, D4: the clock leaps over its start, or the machine sleeps through it, while it is being
 * prepared; and a clock that is put back makes its start lie ahead again. */
static void d4_a_leap_while_it_is_prepared(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig_add(&rig,
		(struct spec){ .id = "x", .priority = 1, .start_us = S(60), .late_us = LATE_US });
	at(&rig, S(58), "prepare x@60");
	rig.now.real_us = S(HOURS(0.5));
	queue_on_clock_set(rig.queue);
	assert_string_equal(rig_next(&rig), "fade x:recalled");
	assert_string_equal(rig_over(&rig, "x", QUEUE_CAUSE_NONE, 0, 0), "again");
	assert_string_equal(rig_next(&rig), "drop x:expired/late");
}

static void a_start_that_lies_ahead_again_can_be_missed(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	rig_init(&rig);
	rig.now.output_ready = false;
	rig_add(&rig,
		(struct spec){ .id = "x", .priority = 1, .start_us = S(60), .late_us = LATE_US });
	at(&rig, S(61), "");
	at(&rig, S(0), "");
	rig.now.output_ready = true;
	at(&rig, S(HOURS(0.5)), "drop x:expired/late");
}

/* What was on air when the power failed goes on, however long that took. */
static void what_was_begun_is_not_late(void **state)
{
	_cleanup_(rig_done) struct rig rig;
	struct spec spec = { .id = "x", .priority = 1, .start_us = S(60), .late_us = LATE_US };

	(void)state;
	rig_init(&rig);
	_cleanup_(announcement_unrefp) struct announcement *announcement = spec_announcement(
		&rig, &spec);
	struct queue_offer offer = spec_offer(&rig, &spec, announcement);
	struct queue_position from = { 0 };
	assert_non_null(queue_restore(rig.queue, &offer, true, &from, 0));
	at(&rig, S(HOURS(0.5)), "prepare x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_priorities),
		cmocka_unit_test(three_at_once),
		cmocka_unit_test(what_is_heard_preempts_though_it_is_early),
		cmocka_unit_test(what_is_prepared_again_must_be_primed_again),
		cmocka_unit_test(what_fails_to_interrupt_interrupts_nothing),
		cmocka_unit_test(every_ending_by_every_policy),
		cmocka_unit_test(a_crash_by_every_policy),
		cmocka_unit_test(a_recalled_one_that_was_heard_has_been_preempted),
		cmocka_unit_test(causes_that_meet),
		cmocka_unit_test(the_order_is_priority_then_start_then_arrival),
		cmocka_unit_test(what_is_cut_off_keeps_its_place),
		cmocka_unit_test(the_table_of_conditions),
		cmocka_unit_test(an_empty_queue_sleeps),
		cmocka_unit_test(the_gap_is_of_a_lane_and_not_for_emergencies),
		cmocka_unit_test(what_follows_keeps_step),
		cmocka_unit_test(a_long_gap_wakes_in_time_to_prepare),
		cmocka_unit_test(the_earliest_of_many_wakes),
		cmocka_unit_test(everything_that_has_expired_goes_before_anything_plays),
		cmocka_unit_test(quiet_hours_cut_off_and_it_goes_on_in_the_morning),
		cmocka_unit_test(quiet_hours_are_to_blame_up_to_their_last_moment),
		cmocka_unit_test(what_is_left_to_say_must_fit_not_the_whole),
		cmocka_unit_test(one_that_waits_behind_another_until_it_fits_no_more),
		cmocka_unit_test(the_clock_is_set_into_quiet_hours),
		cmocka_unit_test(an_emergency_says_that_it_passes),
		cmocka_unit_test(the_minutes_of_a_day),
		cmocka_unit_test(midnight_may_be_quiet),
		cmocka_unit_test(the_sessions_of_a_day),
		cmocka_unit_test(too_long_an_item),
		cmocka_unit_test(no_day_is_counted_while_nobody_knows_which),
		cmocka_unit_test(a_recording_that_does_not_come_is_left_out),
		cmocka_unit_test(what_kills_the_daemon_is_not_tried_a_third_time),
		cmocka_unit_test(somebody_sets_the_clock),
		cmocka_unit_test(a_clock_that_is_set_does_not_count_as_sound),
		cmocka_unit_test(a_newer_revision_takes_the_place),
		cmocka_unit_test(a_withdrawal_names_a_revision),
		cmocka_unit_test(stop_spares_what_is_for_later),
		cmocka_unit_test(skip_ends_one),
		cmocka_unit_test(mute_lasts_until_unmute),
		cmocka_unit_test(a_node_that_stops_keeps_everything),
		cmocka_unit_test(the_lowest_and_oldest_makes_room),
		cmocka_unit_test(a_flood_is_cheap),
		cmocka_unit_test(the_list_says_why_each_waits),
		cmocka_unit_test(what_is_looked_for_by_its_id),
		cmocka_unit_test(every_cause_and_every_wait_has_a_name),
		cmocka_unit_test(a_gap_of_another_time_holds_nothing),
		cmocka_unit_test(d3_a_missed_occurrence_expires),
		cmocka_unit_test(only_occurrences_are_late),
		cmocka_unit_test(what_waits_for_something_else_is_not_late),
		cmocka_unit_test(a_revision_of_what_waits_is_not_late),
		cmocka_unit_test(time_that_is_not_trusted_makes_nothing_late),
		cmocka_unit_test(d4_a_leap_while_it_is_prepared),
		cmocka_unit_test(a_start_that_lies_ahead_again_can_be_missed),
		cmocka_unit_test(what_was_begun_is_not_late),
	};
	return cmocka_run_group_tests(tests, rig_set_zone, NULL);
}
