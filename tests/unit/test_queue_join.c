/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Late joiners: what a queue does that comes back while its neighbours are speaking. */
#include "queue_rig.h"

#define LATE_US (120 * US_PER_SEC + 1) /* as struct spec has it */

static void init(struct rig *rig, enum queue_join join)
{
	rig_init(rig);
	rig->config.join = join;
	queue_free(rig->queue);
	rig->queue = queue_new(&rig->config);
}

static void at(struct rig *rig, int64_t real_us, const char *expected)
{
	assert_string_equal(rig_at(rig, real_us), expected);
}

/* A minute, from S(100) on. */
static struct spec minute(const char *id)
{
	return (struct spec){
		.id = id, .priority = PRIORITY_NORMAL, .start_us = S(100), .seconds = 60
	};
}

/* On air in time, as everywhere. */
static void begin(struct rig *rig, struct spec spec)
{
	_cleanup_(freep) char *prepared = xasprintf("prepare %s@100", spec.id);

	rig_add(rig, spec);
	at(rig, S(97), prepared);
	rig_primed(rig, spec.id);
	rig->now.real_us = S(100);
	rig_started(rig, spec.id);
	at(rig, S(100), "");
}

/* Comes in late, and is heard a second later. */
static void join(struct rig *rig, const char *id)
{
	rig_primed(rig, id);
	rig->now.real_us += US_PER_SEC;
	rig_started(rig, id);
	assert_string_equal(rig_next(rig), "");
}

static void the_table_of_those_that_come_back(void **state)
{
	static const struct {
		enum queue_join join;
		double asked_s;
		const char *expected;
	} table[] = {
		{ QUEUE_JOIN_WHOLE, 101, "prepare x" },
		{ QUEUE_JOIN_WHOLE, 130, "prepare x" },
		{ QUEUE_JOIN_WHOLE, 158, "prepare x" },
		{ QUEUE_JOIN_WHOLE, 161, "prepare x" },
		{ QUEUE_JOIN_PLACE, 97, "prepare x@100" },
		{ QUEUE_JOIN_PLACE, 100, "prepare x" },
		{ QUEUE_JOIN_PLACE, 100.001, "prepare x joins 0@100" },
		{ QUEUE_JOIN_PLACE, 130, "prepare x joins 0@100" },
		{ QUEUE_JOIN_PLACE, 155, "prepare x joins 0@100" },
		{ QUEUE_JOIN_PLACE, 155.1, "" },              /* hardly anything is left: */
		{ QUEUE_JOIN_PLACE, 159.9, "prepare x@162" }, /* whole, behind it */
		{ QUEUE_JOIN_PLACE, 160, "prepare x" },
		{ QUEUE_JOIN_PLACE, 1000, "prepare x" },
		{ QUEUE_JOIN_NEXT, 97, "prepare x@100" },
		{ QUEUE_JOIN_NEXT, 102, "prepare x" }, /* a busy machine */
		{ QUEUE_JOIN_NEXT, 102.1, "drop x:expired/late" },
		{ QUEUE_JOIN_NEXT, 159.9, "drop x:expired/late" },
		{ QUEUE_JOIN_NEXT, 160, "prepare x" },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++)
		for (int occurrence = 0; occurrence < 2; occurrence++) {
			_cleanup_(rig_done) struct rig rig;
			struct spec spec = minute("x");
			bool missed = occurrence && table[i].asked_s > 220; /* by too much */
			spec.late_us = occurrence ? LATE_US : 0;
			init(&rig, table[i].join);
			rig.now.real_us = S(table[i].asked_s);
			rig_add(&rig, spec);
			const char *expected = missed ? "drop x:expired/late" : table[i].expected;
			if (strcmp(rig_next(&rig), expected) != 0)
				fail_msg("row %zu: %s", i, rig.text.text);
		}
}

static void no_late_joiner(void **state)
{
	(void)state;
	for (int join = QUEUE_JOIN_PLACE; join <= QUEUE_JOIN_NEXT; join++)
		for (int which = 0; which < 4; which++) {
			_cleanup_(rig_done) struct rig rig;
			struct spec spec = minute("x");
			init(&rig, (enum queue_join)join);
			rig.now.real_us = S(130);
			if (which == 0)
				spec.priority = PRIORITY_EMERGENCY; /* always heard whole */
			else if (which == 1)
				spec.waited = true; /* it came so late to everybody */
			else if (which == 2)
				spec.start_us = 0; /* nobody knows when others have begun */
			else
				spec.seconds = 0; /* nor how long they take */
			rig_add(&rig, spec);
			at(&rig, S(130), "prepare x");
		}
}

static void what_the_output_was_not_there_for(void **state)
{
	(void)state;
	for (int what = 0; what < 3; what++)
		for (int join = QUEUE_JOIN_PLACE; join <= QUEUE_JOIN_NEXT; join++) {
			_cleanup_(rig_done) struct rig rig;
			init(&rig, (enum queue_join)join);
			rig_add(&rig, minute("x"));
			if (what == 0)
				rig.now.output_ready = false;
			else if (what == 1)
				rig.now.trusted = false;
			else
				queue_mute(rig.queue, true);
			at(&rig, S(100), "");
			at(&rig, S(130), ""); /* not given up before it is known when it can be */
			rig.now.output_ready = rig.now.trusted = true;
			queue_mute(rig.queue, false);
			at(&rig, S(130),
				join == QUEUE_JOIN_PLACE ? "prepare x joins 0@100"
							 : "drop x:expired/late");
		}
}

static void what_waited_here_is_said_whole(void **state)
{
	(void)state;
	for (int join = QUEUE_JOIN_PLACE; join <= QUEUE_JOIN_NEXT; join++) {
		_cleanup_(rig_done) struct rig rig;
		init(&rig, (enum queue_join)join);
		struct spec spec = minute("x");
		spec.media = true;
		rig.media_coming = QUEUE_MEDIA_COMING;
		rig_add(&rig, spec);
		at(&rig, S(97), "");
		assert_int_equal(rig.wake_us, S(100)); /* its start is not slept through */
		at(&rig, S(100), "");
		rig.media_coming = QUEUE_MEDIA_SETTLED;
		at(&rig, S(108), "prepare x");
	}
	for (int join = QUEUE_JOIN_PLACE; join <= QUEUE_JOIN_NEXT; join++) {
		_cleanup_(rig_done) struct rig rig;
		init(&rig, (enum queue_join)join);
		rig_quiet(&rig, "08:01-08:03"); /* S(60) to S(180) */
		struct spec spec = minute("x");
		spec.seconds = 100;
		rig_add(&rig, spec);
		at(&rig, S(50), "");
		assert_int_equal(rig.wake_us, S(100));
		at(&rig, S(100), "");
		at(&rig, S(177), "prepare x@180");
	}
	for (int join = QUEUE_JOIN_PLACE; join <= QUEUE_JOIN_NEXT; join++) {
		_cleanup_(rig_done) struct rig rig;
		init(&rig, (enum queue_join)join);
		rig_play(&rig, (struct spec){ .id = "before", .priority = PRIORITY_NORMAL });
		rig_add(&rig, minute("x"));
		at(&rig, S(100), "");
		rig.now.real_us = S(110);
		assert_string_equal(
			rig_over(&rig, "before", QUEUE_FINISHED, UINT32_MAX, 110), "finished");
		at(&rig, S(110), "prepare x@112");
		/* Behind what had no start: nobody knows where the others are. */
		rig.now.real_us = S(112);
		rig_started(&rig, "x");
		rig.now.real_us = S(130);
		assert_string_equal(
			rig_over(&rig, "x", QUEUE_LOST, 3, 18), "interrupted/output-lost again");
		at(&rig, S(140), "prepare x");
	}
}

/* Cut off in the minute that began at S(100), after 20 s; able to go on at S(140). */
static void what_was_cut_off(void **state)
{
	static const struct {
		enum queue_cause cause;
		const char *place, *next;
	} table[] = {
		{ QUEUE_LOST, "prepare x joins 0@100", "drop x:expired/late" },
		{ QUEUE_MUTED, "prepare x joins 0@100", "drop x:expired/late" },
		{ QUEUE_PREEMPTED, "prepare x", "prepare x" },
		{ QUEUE_QUIET, "prepare x", "prepare x" },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++)
		for (int join = QUEUE_JOIN_WHOLE; join <= QUEUE_JOIN_NEXT; join++)
			for (int policy = INTERRUPTED_RESUME; policy <= INTERRUPTED_RESTART;
				policy++) {
				_cleanup_(rig_done) struct rig rig;
				struct spec spec = minute("x");
				init(&rig, (enum queue_join)join);
				spec.interrupted = (enum interrupted)policy;
				begin(&rig, spec);
				rig.now.real_us = S(120);
				rig_entry(&rig, "x")->cause = table[i].cause;
				rig.text.length = 0;
				assert_non_null(strstr(
					rig_over(&rig, "x", QUEUE_CAUSE_NONE, 3, 20), " again"));
				rig.now.output_ready = false;
				at(&rig, S(125), "");
				rig.now.output_ready = true;
				at(&rig, S(140),
					join == QUEUE_JOIN_WHOLE   ? "prepare x"
					: join == QUEUE_JOIN_PLACE ? table[i].place
								   : table[i].next);
			}
}

static void at_once_though_the_gap_has_not_passed(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	init(&rig, QUEUE_JOIN_PLACE);
	begin(&rig, minute("x"));
	rig.now.real_us = S(120);
	assert_string_equal(
		rig_over(&rig, "x", QUEUE_LOST, 3, 20), "interrupted/output-lost again");
	at(&rig, S(120.5), "prepare x joins 0@100");
	/* and again, in step with the same */
	join(&rig, "x");
	rig.now.real_us = S(130);
	assert_string_equal(
		rig_over(&rig, "x", QUEUE_LOST, 4, 8.5), "interrupted/output-lost again");
	at(&rig, S(133), "prepare x joins 0@100");
	join(&rig, "x");
	rig.now.real_us = S(150);
	assert_string_equal(
		rig_over(&rig, "x", QUEUE_LOST, 5, 16), "interrupted/output-lost again");
	at(&rig, S(170), "prepare x"); /* at its sentence */
}

static void a_node_that_died(void **state)
{
	static const struct {
		enum queue_join join;
		bool known; /* when it began */
		double asked_s;
		const char *expected;
	} table[] = {
		{ QUEUE_JOIN_PLACE, true, 130, "prepare x joins 0@100" },
		{ QUEUE_JOIN_PLACE, true, 170, "prepare x" },
		{ QUEUE_JOIN_PLACE, false, 130, "prepare x" },
		{ QUEUE_JOIN_NEXT, true, 130, "drop x:expired/late" },
		{ QUEUE_JOIN_NEXT, true, 170, "prepare x" },
		{ QUEUE_JOIN_WHOLE, true, 130, "prepare x" },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		_cleanup_(rig_done) struct rig rig;
		init(&rig, table[i].join);
		struct queue_entry *entry = rig_restore(&rig, minute("x"), true,
			(struct queue_position){ 2, 0, 10 * US_PER_SEC }, 0);
		if (table[i].known)
			entry->run = (struct queue_run){ .begun_us = S(100) };
		at(&rig, S(table[i].asked_s), table[i].expected);
	}
}

static void what_follows_is_in_step(void **state)
{
	(void)state;
	for (int how = QUEUE_JOIN_PLACE; how <= QUEUE_JOIN_NEXT; how++) {
		_cleanup_(rig_done) struct rig rig;
		init(&rig, (enum queue_join)how);
		rig.now.real_us = S(130);
		rig_add(&rig, minute("x"));
		rig_add(&rig, minute("y"));
		if (how == QUEUE_JOIN_PLACE) {
			at(&rig, S(130), "prepare x joins 0@100");
			join(&rig, "x");
			at(&rig, S(140), "");
			rig.now.real_us = S(160);
			assert_string_equal(
				rig_over(&rig, "x", QUEUE_FINISHED, UINT32_MAX, 29), "finished");
			at(&rig, S(160), "prepare y@162");
			continue;
		}
		at(&rig, S(130), "drop x:expired/late");
		assert_int_equal(rig.wake_us, S(159));
		/* What is more important does not wait for what is not heard here. */
		rig_add(&rig, (struct spec){ .id = "p", .priority = PRIORITY_PRIORITY });
		at(&rig, S(131), "prepare p");
		assert_string_equal(rig_over(&rig, "p", QUEUE_FAILED, 0, 0), "failed/engine");
		/* A prediction is not the truth: a start tells better, if it lies near the end. */
		rig_add(&rig, (struct spec){
				      .id = "z", .priority = PRIORITY_NORMAL, .start_us = S(153) });
		rig_add(&rig, (struct spec){ .id = "z2",
				      .priority = PRIORITY_NORMAL,
				      .start_us = S(155),
				      .seconds = 2 });
		at(&rig, S(150), "");
		at(&rig, S(152), "prepare z2@155");
		rig.now.real_us = S(155);
		rig_started(&rig, "z2");
		rig.now.real_us = S(157);
		assert_string_equal(
			rig_over(&rig, "z2", QUEUE_FINISHED, UINT32_MAX, 2), "finished");
		at(&rig, S(159), "prepare y@162");
	}
}

static void what_was_missed_lets_those_go_first_who_are_speaking(void **state)
{
	_cleanup_(rig_done) struct rig rig;
	struct spec missed = minute("missed");

	(void)state;
	init(&rig, QUEUE_JOIN_PLACE);
	missed.start_us = S(10);
	rig.now.real_us = S(130);
	rig_add(&rig, missed);
	rig_add(&rig, minute("x"));
	rig_add(&rig, minute("y"));
	at(&rig, S(130), "prepare x joins 0@100");
	join(&rig, "x");
	rig.now.real_us = S(160);
	assert_string_equal(rig_over(&rig, "x", QUEUE_FINISHED, UINT32_MAX, 29), "finished");
	at(&rig, S(160), "prepare missed@162");
	/* Which it says alone, and goes on with it where it was. */
	rig.now.real_us = S(162);
	rig_started(&rig, "missed");
	rig.now.real_us = S(180);
	assert_string_equal(
		rig_over(&rig, "missed", QUEUE_LOST, 3, 18), "interrupted/output-lost again");
	at(&rig, S(190), "prepare missed");
}

static void what_waited_its_turn_is_in_step_too(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	init(&rig, QUEUE_JOIN_PLACE);
	rig_add(&rig, minute("x"));
	rig_add(&rig, minute("y"));
	at(&rig, S(97), "prepare x@100");
	rig.now.real_us = S(100);
	rig_started(&rig, "x");
	at(&rig, S(100), "");
	rig.now.real_us = S(160);
	assert_string_equal(rig_over(&rig, "x", QUEUE_FINISHED, UINT32_MAX, 60), "finished");
	at(&rig, S(160), "prepare y@162");
	rig.now.real_us = S(162);
	rig_started(&rig, "y");
	rig.now.real_us = S(180);
	assert_string_equal(
		rig_over(&rig, "y", QUEUE_LOST, 3, 18), "interrupted/output-lost again");
	at(&rig, S(190), "prepare y joins 0@162");
}

/* It was shorter than predicted. */
static void it_had_been_said_already(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	init(&rig, QUEUE_JOIN_PLACE);
	rig.now.real_us = S(150);
	rig_add(&rig, minute("x"));
	at(&rig, S(150), "prepare x joins 0@100");
	struct queue_over over = { .ended_us = TIME_UNSET, .passed = true };
	struct queue_outcome outcome = queue_on_over(rig.queue, rig_entry(&rig, "x"), &over);
	assert_false(outcome.tell);
	assert_null(outcome.gone);
	rig.active[0] = NULL;
	at(&rig, S(150), "prepare x");
}

/* What is said alone has nobody to be in step with. */
static void what_was_said_alone_goes_on_where_it_was(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	init(&rig, QUEUE_JOIN_PLACE);
	rig.now.real_us = S(200);
	rig_add(&rig, minute("x"));
	at(&rig, S(200), "prepare x");
	join(&rig, "x");
	rig.now.real_us = S(210);
	assert_string_equal(rig_over(&rig, "x", QUEUE_LOST, 3, 9), "interrupted/output-lost again");
	at(&rig, S(215), "prepare x");
}

static void what_is_left_of_it_must_fit(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	init(&rig, QUEUE_JOIN_PLACE);
	rig_quiet(&rig, "08:03-09:00"); /* from S(180) */
	rig.now.real_us = S(130);
	rig_add(&rig, minute("x"));
	at(&rig, S(130), "prepare x joins 0@100"); /* 60 s would not fit */
}

static void a_clock_that_is_set_forgets_who_spoke(void **state)
{
	_cleanup_(rig_done) struct rig rig;

	(void)state;
	init(&rig, QUEUE_JOIN_PLACE);
	begin(&rig, minute("x"));
	queue_on_clock_set(rig.queue);
	rig.now.real_us = S(120);
	assert_string_equal(
		rig_over(&rig, "x", QUEUE_LOST, 3, 20), "interrupted/output-lost again");
	at(&rig, S(130), "prepare x");
}

static void the_names(void **state)
{
	(void)state;
	assert_int_equal(queue_join_parse("whole"), QUEUE_JOIN_WHOLE);
	assert_int_equal(queue_join_parse("place"), QUEUE_JOIN_PLACE);
	assert_int_equal(queue_join_parse("next"), QUEUE_JOIN_NEXT);
	assert_int_equal(queue_join_parse(""), QUEUE_JOIN_WHOLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_those_that_come_back),
		cmocka_unit_test(no_late_joiner),
		cmocka_unit_test(what_the_output_was_not_there_for),
		cmocka_unit_test(what_waited_here_is_said_whole),
		cmocka_unit_test(what_was_cut_off),
		cmocka_unit_test(at_once_though_the_gap_has_not_passed),
		cmocka_unit_test(a_node_that_died),
		cmocka_unit_test(what_follows_is_in_step),
		cmocka_unit_test(what_was_missed_lets_those_go_first_who_are_speaking),
		cmocka_unit_test(what_waited_its_turn_is_in_step_too),
		cmocka_unit_test(it_had_been_said_already),
		cmocka_unit_test(what_was_said_alone_goes_on_where_it_was),
		cmocka_unit_test(what_is_left_of_it_must_fit),
		cmocka_unit_test(a_clock_that_is_set_forgets_who_spoke),
		cmocka_unit_test(the_names),
	};
	return cmocka_run_group_tests(tests, rig_set_zone, NULL);
}
