/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What depends on a device thread that gets to run too late: here lateness is an argument. How
 * voices sound is in test_device.c.
 */
#include "audio/voice.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RATE_HZ 48000
#define COUNT   4800 /* frames of a programme */

struct rig {
	struct voice voice;
	struct programme *programme;
};

/* A voice with a preroll that has taken a programme at the instant 0. */
static void take(struct rig *rig, int64_t preroll_us, int64_t start_us)
{
	const struct device_output_config config = { .channel_mask = 1, .preroll_us = preroll_us };
	const struct voice_gain gain = { .linear = 1.0F };

	rig->programme = programme_new(RATE_HZ, 0, start_us);
	assert_non_null(rig->programme);
	for (int i = 0; i < COUNT; i++) {
		const float value = 0.5F;
		assert_int_equal(programme_push(rig->programme, &value, 1), 1);
	}
	programme_complete(rig->programme);
	voice_init(&rig->voice, 0, &config);
	voice_take(&rig->voice, rig->programme, gain, 0);
}

static void rig_done(struct rig *rig)
{
	programme_free(rig->programme);
}

/* Frames of silence before the first frame, when the tape ends at `mixed`. */
static int64_t place(struct rig *rig, uint64_t mixed, int64_t due_us)
{
	voice_place(&rig->voice, mixed, due_us, false);
	return (int64_t)(rig->voice.first_at - mixed);
}

/* --- a device that loses time in the preroll ---------------------------------------------------- */

static void test_late_voice_has_the_rest_of_its_preroll(void **state)
{
	_cleanup_(rig_done) struct rig rig = { 0 };

	(void)state;
	take(&rig, 500 * US_PER_MS, 10 * US_PER_MS);
	assert_int_equal(place(&rig, 0, 100 * US_PER_MS), 24000);
	voice_displace(&rig.voice);
	/* 50 ms have gone by, 40 of them heard: the amplifier has been awake for them all. */
	assert_int_equal(place(&rig, 1920, 150 * US_PER_MS), 450 * RATE_HZ / 1000);
	voice_displace(&rig.voice);
	assert_int_equal(place(&rig, 1920, 590 * US_PER_MS), 10 * RATE_HZ / 1000);
	voice_displace(&rig.voice);
	assert_int_equal(place(&rig, 1920, US_PER_SEC), 0);
}

static void test_displaced_voice_is_still_punctual(void **state)
{
	_cleanup_(rig_done) struct rig rig = { 0 };

	(void)state;
	take(&rig, 500 * US_PER_MS, 600 * US_PER_MS);
	assert_int_equal(place(&rig, 0, 100 * US_PER_MS), 24000);
	voice_displace(&rig.voice);
	assert_int_equal(place(&rig, 4800, 300 * US_PER_MS), 300 * RATE_HZ / 1000);
}

/* What one programme has had is not the next one's. */
static void test_next_programme_has_its_own_preroll(void **state)
{
	_cleanup_(rig_done) struct rig rig = { 0 };
	const struct voice_gain gain = { .linear = 1.0F };

	(void)state;
	take(&rig, 500 * US_PER_MS, 0);
	assert_int_equal(place(&rig, 0, 0), 24000);
	voice_take(&rig.voice, rig.programme, gain, 10 * US_PER_SEC);
	assert_int_equal(place(&rig, 0, 10 * US_PER_SEC), 24000);
}

/* --- an abort with little left to fade ---------------------------------------------------------- */

/* Plays all but `left` frames and aborts; the last frame that is not silent is next to nothing. */
static void aborted_with_left(size_t left)
{
	_cleanup_(rig_done) struct rig rig = { 0 };
	const struct voice_gain gain = { .linear = 1.0F };
	float mono[COUNT];
	size_t count, last = 0;

	take(&rig, 0, TIME_UNSET);
	assert_int_equal(place(&rig, 0, 0), 0);
	assert_int_equal(voice_ready(&rig.voice, 0, 0), COUNT);
	assert_true(voice_mix(&rig.voice, mono, COUNT - left, 0, gain));
	voice_abort(&rig.voice, COUNT - left);
	count = voice_ready(&rig.voice, COUNT - left, 0);
	assert_int_equal(count, left < 1920 && left > 0 ? left : 1920);
	assert_true(voice_mix(&rig.voice, mono, count, COUNT - left, gain));
	assert_int_equal(rig.voice.state, VOICE_DRAINING);
	for (size_t i = 0; i < count; i++)
		last = mono[i] != 0.0F ? i : last;
	assert_true(left == 0 || mono[last] < 0.5F / 100);
}

static void test_what_is_nearly_over_fades_out_too(void **state)
{
	(void)state;
	aborted_with_left(4000);
	aborted_with_left(1920);
	aborted_with_left(500);
	aborted_with_left(40);
	aborted_with_left(0);
}

/* --- what is told of a device that takes everything at once ------------------------------------- */

/* Plays the whole programme at once, when the device says so much of delay; when it has started. */
static int64_t started_us(struct rig *rig, int64_t now_us, int64_t delay_us)
{
	static float mono[COUNT];
	const struct voice_gain gain = { .linear = 1.0F };
	struct voice *voice = &rig->voice;
	struct device_event event = { 0 };

	(void)place(rig, 0, now_us + delay_us);
	voice_hold(voice, now_us + delay_us, now_us);
	assert_int_equal(voice_ready(voice, 0, now_us), COUNT);
	assert_true(voice_mix(voice, mono, COUNT, 0, gain));
	assert_true(voice_heard(voice, COUNT, now_us + US_PER_MS, &event));
	assert_int_equal(event.what, DEVICE_STARTED);
	return event.mono_us;
}

static void test_nothing_is_heard_before_it_was_given(void **state)
{
	_cleanup_(rig_done) struct rig rig = { 0 };

	(void)state;
	/* Late, and its 100 ms are gone within one: they have not begun 99 ms ago. */
	take(&rig, 0, 500 * US_PER_MS);
	assert_int_equal(started_us(&rig, 550 * US_PER_MS, 0), 550 * US_PER_MS);
}

/* A card that holds something knows better when it was heard than an estimate from before. */
static void test_an_estimate_is_not_what_was_heard(void **state)
{
	_cleanup_(rig_done) struct rig rig = { 0 };

	(void)state;
	take(&rig, 0, 500 * US_PER_MS);
	assert_int_equal(started_us(&rig, 550 * US_PER_MS, 20 * US_PER_MS), 451 * US_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late_voice_has_the_rest_of_its_preroll),
		cmocka_unit_test(test_displaced_voice_is_still_punctual),
		cmocka_unit_test(test_next_programme_has_its_own_preroll),
		cmocka_unit_test(test_what_is_nearly_over_fades_out_too),
		cmocka_unit_test(test_nothing_is_heard_before_it_was_given),
		cmocka_unit_test(test_an_estimate_is_not_what_was_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
