/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cards made of arithmetic: a clock that is wrong by so much, a delay that is told so badly; and a
 * listener who knows when each frame should have been heard.
 */
#include "audio/pace.h"
#include "base/clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RATE_HZ   48000
#define PERIOD    960
#define BUFFERED  3840
#define TURN_US   19000
#define PAUSE_MS  300
#define SPEECH_MS 3000

struct world {
	double card_ppm;
	double stale_frames;  /* the delay is told so many frames too long at most, at random */
	double period_frames; /* it is told once in so many frames; 0: whenever asked */
	bool with_pauses;

	struct pace pace;
	int64_t now_us;
	double stopped_us; /* the card stood still for so long, all in all */
	uint64_t mixed;
	double place;        /* of the programme, at the tape's end */
	double late_us;      /* what was mixed last */
	double most_late_us; /* since it was set to 0 */
	double least_step, most_step;
	uint32_t dice;
};

static void begin(struct world *world)
{
	pace_init(&world->pace, RATE_HZ);
	world->now_us = 100 * US_PER_SEC; /* the programme's start */
	world->least_step = 2;
	world->dice = 1;
}

static double random_share(struct world *world)
{
	world->dice = world->dice * 1664525 + 1013904223;
	return (double)(world->dice >> 8) / (1 << 24);
}

/* When a frame of the tape really is heard. */
static double heard_us(const struct world *world, double frame)
{
	return 100.0 * US_PER_SEC + world->stopped_us +
	       frame * US_PER_SEC / (RATE_HZ * (1 + world->card_ppm * 1e-6));
}

/* The card as the thread sees it: at the instant now, the tape's end is due at… */
static int64_t told_due_us(struct world *world)
{
	double played = ((double)world->now_us - heard_us(world, 0)) * RATE_HZ / US_PER_SEC *
			(1 + world->card_ppm * 1e-6);
	if (world->period_frames > 0)
		played = floor(played / world->period_frames) * world->period_frames;
	played -= world->stale_frames * random_share(world);
	return world->now_us + (int64_t)(((double)world->mixed - played) * US_PER_SEC / RATE_HZ);
}

static bool is_pause(const struct world *world)
{
	return world->with_pauses &&
	       fmod(world->place * 1000 / RATE_HZ, SPEECH_MS + PAUSE_MS) > SPEECH_MS;
}

static void mix(struct world *world)
{
	double late_us = pace_knows(&world->pace)
				 ? pace_due_us(&world->pace, world->mixed) -
					   (100.0 * US_PER_SEC +
						   world->place * US_PER_SEC / RATE_HZ)
				 : 0;
	double step = pace_step(&world->pace, late_us);
	int64_t shift = is_pause(world) ? pace_pause_frames(&world->pace, late_us) : 0;

	if (shift > PERIOD)
		shift = PERIOD;
	if (shift < -PERIOD / 2)
		shift = -PERIOD / 2;
	world->least_step = fmin(world->least_step, step);
	world->most_step = fmax(world->most_step, step);
	world->place += PERIOD * step + (double)shift;
	world->mixed += PERIOD;
	world->late_us = heard_us(world, (double)world->mixed) - 100.0 * US_PER_SEC -
			 world->place * US_PER_SEC / RATE_HZ;
	world->most_late_us = fmax(world->most_late_us, fabs(world->late_us));
}

static void run(struct world *world, double seconds)
{
	int64_t end_us = world->now_us + (int64_t)(seconds * US_PER_SEC);

	for (; world->now_us < end_us; world->now_us += TURN_US) {
		while (heard_us(world, (double)world->mixed - BUFFERED + PERIOD) <
			(double)world->now_us) {
			pace_observe(&world->pace, world->mixed, told_due_us(world), world->now_us);
			mix(world);
		}
	}
}

static void test_a_wrong_card_keeps_step_for_half_an_hour(void **state)
{
	static const double ppm[] = { 100, -100, 20, 0, 400, -400 };

	(void)state;
	for (size_t i = 0; i < sizeof ppm / sizeof *ppm; i++) {
		struct world world = { .card_ppm = ppm[i] };
		begin(&world);
		run(&world, 60);
		double at_first_us = world.most_late_us;
		world.most_late_us = 0;
		run(&world, 1740);
		print_message("%+4.0f ppm: at first %.2f ms, then %.2f ms, learned %+.1f ppm\n",
			ppm[i], at_first_us / 1000, world.most_late_us / 1000, world.pace.card_ppm);
		assert_true(at_first_us < (fabs(ppm[i]) > 100 ? 4000 : 1000));
		assert_true(world.most_late_us < 200);
		assert_true(fabs(world.pace.card_ppm - ppm[i]) < 5);
	}
}

/* As the second one of a card begins: its clock is known already. */
static void test_what_was_learned_is_kept(void **state)
{
	struct world world = { .card_ppm = 400 };

	(void)state;
	begin(&world);
	run(&world, 120);
	pace_restart(&world.pace);
	assert_false(pace_knows(&world.pace));
	world.most_late_us = 0;
	run(&world, 120);
	assert_true(world.most_late_us < 300);
}

/* A delay that may be old by a whole period, told whenever the card is asked; or only once in a
 * period, as seen by a thread that turns nearly as often. */
static void test_a_restless_delay_does_not_shake_it(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct world world = { .card_ppm = -100,
			.stale_frames = i == 0 ? PERIOD : 0,
			.period_frames = i == 1 ? PERIOD : 0 };
		begin(&world);
		run(&world, 60);
		world.most_late_us = 0;
		world.least_step = 2;
		world.most_step = 0;
		run(&world, 1740);
		print_message("late by %.2f ms, step 1%+.0f…%+.0f ppm\n", world.most_late_us / 1000,
			(world.least_step - 1) * 1e6, (world.most_step - 1) * 1e6);
		assert_true(world.most_late_us < 2000);
		assert_true(world.least_step > 1 - 200e-6);
		assert_true(world.most_step < 1 + 400e-6);
	}
}

static void lose_40_ms(struct world *world)
{
	world->stopped_us += 40000;
	pace_restart(&world->pace);
}

static void test_lost_time_is_made_up_for_in_pauses(void **state)
{
	struct world world = { .card_ppm = 100, .with_pauses = true };

	(void)state;
	begin(&world);
	run(&world, 30);
	lose_40_ms(&world);
	run(&world, 2 * (SPEECH_MS + PAUSE_MS) / 1000.0);
	assert_true(fabs(world.late_us) < 4500);
	run(&world, 20);
	assert_true(fabs(world.late_us) < 500);
	world.stopped_us -= 40000; /* and the other way round */
	pace_restart(&world.pace);
	run(&world, 2 * (SPEECH_MS + PAUSE_MS) / 1000.0);
	assert_true(fabs(world.late_us) < 4500);
	run(&world, 20);
	assert_true(fabs(world.late_us) < 500);
}

/* Without a pause it takes longer, and nobody hears it. */
static void test_lost_time_is_worked_off_where_there_are_no_pauses(void **state)
{
	struct world world = { .card_ppm = 100 };

	(void)state;
	begin(&world);
	run(&world, 30);
	lose_40_ms(&world);
	run(&world, 120);
	assert_true(fabs(world.late_us) < 1000);
	assert_true(world.most_step <= 1 + PACE_STEP_MAX_PPM * 1e-6 + 1e-12);
	assert_true(world.most_step > 1 + PACE_STEP_MAX_PPM * 0.9e-6);
	assert_true(world.least_step >= 1 - PACE_STEP_MAX_PPM * 1e-6 - 1e-12);
}

/* The card stood still and said nothing of it (a sound server in between). */
static void test_a_jump_that_nobody_told_of_is_seen(void **state)
{
	struct world world = { .card_ppm = 100, .with_pauses = true };

	(void)state;
	begin(&world);
	run(&world, 30);
	world.stopped_us += 40000;
	run(&world, 25);
	assert_true(fabs(world.late_us) < 1000);
	assert_true(fabs(world.pace.card_ppm - 100) < 20);
}

static void test_whoever_is_lost_goes_on_at_the_right_speed(void **state)
{
	struct world world = { .card_ppm = 100, .with_pauses = true };

	(void)state;
	begin(&world);
	run(&world, 60);
	world.stopped_us += 5e6;
	pace_restart(&world.pace);
	run(&world, 5);
	double late_us = world.late_us;
	run(&world, 60);
	assert_true(fabs(world.late_us - late_us) < 1000);
}

/* A device without a clock: what it says is not believed for long, and nothing follows from it. */
static void test_a_device_without_a_clock_is_left_alone(void **state)
{
	struct pace pace;
	int64_t now_us = 0;

	(void)state;
	pace_init(&pace, RATE_HZ);
	for (uint64_t at = 0; at < (uint64_t)RATE_HZ * 60; at += PERIOD) {
		now_us += 1000;
		pace_observe(&pace, at, now_us, now_us);
	}
	assert_false(pace_knows(&pace));
	assert_true(pace_step(&pace, 20000) == 1);
	assert_int_equal(pace_pause_frames(&pace, 20000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_wrong_card_keeps_step_for_half_an_hour),
		cmocka_unit_test(test_what_was_learned_is_kept),
		cmocka_unit_test(test_a_restless_delay_does_not_shake_it),
		cmocka_unit_test(test_lost_time_is_made_up_for_in_pauses),
		cmocka_unit_test(test_lost_time_is_worked_off_where_there_are_no_pauses),
		cmocka_unit_test(test_a_jump_that_nobody_told_of_is_seen),
		cmocka_unit_test(test_whoever_is_lost_goes_on_at_the_right_speed),
		cmocka_unit_test(test_a_device_without_a_clock_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
