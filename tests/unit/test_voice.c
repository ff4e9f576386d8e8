/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What depends on a device thread that gets to run too late: here lateness is an argument. How
 * voices sound is in test_device.c.
 */
#include "audio/voice.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RATE_HZ 48000
#define COUNT   4800 /* frames of a programme */
#define CHUNK   960

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

/* Woken 90 ms late, it is still in time, behind all of its preroll. */
static void test_waking_up_late_costs_nothing(void **state)
{
	_cleanup_(rig_done) struct rig rig = { 0 };

	(void)state;
	take(&rig, 2 * US_PER_SEC, 10 * US_PER_SEC);
	int64_t now_us = voice_begin_us(&rig.voice) + 90 * US_PER_MS;
	assert_int_equal(place(&rig, 0, now_us), 2010 * RATE_HZ / 1000);
	assert_false(rig.voice.corrected);
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
	static struct voice_workshop workshop;
	const struct voice_gain gain = { .linear = 1.0F };
	float mono[COUNT];
	size_t count, last = 0;

	take(&rig, 0, TIME_UNSET);
	assert_int_equal(place(&rig, 0, 0), 0);
	assert_int_equal(voice_ready(&rig.voice, 0, 0), COUNT);
	assert_true(voice_mix(&rig.voice, &workshop, mono, COUNT - left, 0, gain));
	voice_abort(&rig.voice, COUNT - left);
	count = voice_ready(&rig.voice, COUNT - left, 0);
	assert_int_equal(count, left < 1920 && left > 0 ? left : 1920);
	assert_true(voice_mix(&rig.voice, &workshop, mono, count, COUNT - left, gain));
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
	static float mono[CHUNK];
	static struct voice_workshop workshop;
	const struct voice_gain gain = { .linear = 1.0F };
	struct voice *voice = &rig->voice;
	struct device_event event = { 0 };

	(void)place(rig, 0, now_us + delay_us);
	voice_hold(voice, now_us + delay_us, now_us);
	assert_int_equal(voice_ready(voice, 0, now_us), COUNT);
	for (size_t at = 0; at < COUNT; at += CHUNK)
		assert_true(voice_mix(voice, &workshop, mono, CHUNK, at, gain));
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

/* --- kept in step --------------------------------------------------------------------------------
 */

#define LOUD_FRAMES  24000
#define PAUSE_FRAMES 14400
#define STEP_COUNT   (2 * LOUD_FRAMES + PAUSE_FRAMES)
#define PAUSE_LEVEL  0.0005F

/* Speech of a kind: a tone, a pause that is not quite silent, a tone. */
static float spoken_at(size_t frame)
{
	bool pause = frame >= LOUD_FRAMES && frame < LOUD_FRAMES + PAUSE_FRAMES;

	return (pause ? PAUSE_LEVEL : 0.5F) * sinf(2 * (float)M_PI * (float)(frame % 480) / 480.0F);
}

struct played {
	float frames[2 * STEP_COUNT];
	size_t count;
	uint64_t told; /* frames, at the end */
};

/* Plays it on a device that is `late_us` behind at the start of the programme, with a clock that is
 * too fast by `card_ppm`; its frames come `portion` at a time. */
static void play_late(double late_us, double card_ppm, size_t portion, struct played *ret_played)
{
	static struct voice_workshop workshop;
	const struct device_output_config config = { .channel_mask = 1 };
	const struct voice_gain gain = { .linear = 1.0F };
	const struct pace pace = { .rate_hz = RATE_HZ,
		.card_ppm = card_ppm,
		.knows = true,
		.base_us = 10.0 * US_PER_SEC + late_us };
	_cleanup_(programme_freep) struct programme *programme = programme_new(
		RATE_HZ, 0, 10 * US_PER_SEC);
	struct device_event event = { 0 };
	struct voice voice;
	size_t pushed = 0;

	assert_non_null(programme);
	stretch_table_init(&workshop.table);
	voice_init(&voice, 0, &config);
	voice_take(&voice, programme, gain, 0);
	voice_place(&voice, 0, 10 * US_PER_SEC, true);
	ret_played->count = 0;
	for (int turn = 0; turn < 100000 && voice.state != VOICE_DRAINING; turn++) {
		for (size_t i = 0; i < portion && pushed < STEP_COUNT; i++) {
			float value = spoken_at(pushed++);
			assert_int_equal(programme_push(programme, &value, 1), 1);
		}
		if (pushed == STEP_COUNT)
			programme_complete(programme);
		voice_keep_step(&voice, &pace, ret_played->count);
		size_t ready = voice_ready(&voice, ret_played->count, 10 * US_PER_SEC);
		if (ready == 0 || ready == VOICE_NOT_ASKING)
			continue;
		size_t count = ready < CHUNK ? ready : CHUNK;
		assert_true(ret_played->count + count <= countof(ret_played->frames));
		assert_true(voice_mix(&voice, &workshop, ret_played->frames + ret_played->count,
			count, ret_played->count, gain));
		ret_played->count += count;
	}
	assert_true(voice_heard(&voice, ret_played->count, 20 * US_PER_SEC, &event));
	assert_int_equal(event.what, DEVICE_STARTED);
	assert_true(voice_heard(&voice, ret_played->count, 20 * US_PER_SEC, &event));
	assert_int_equal(event.what, DEVICE_ENDED);
	assert_int_equal(event.outcome, DEVICE_FINISHED);
	ret_played->told = event.frames;
}

/* No step is steeper than the tone itself, and the little that an interpolator rings at its end. */
static void assert_no_click(const struct played *played)
{
	const float steepest = 0.5F * 2 * (float)M_PI / 480.0F * 1.2F;

	for (size_t i = 1; i < played->count; i++) {
		float step = fabsf(played->frames[i] - played->frames[i - 1]);
		assert_true(step <= steepest);
		bool pause = i >= 32 && i + 32 < played->count;
		for (size_t j = i - 32; pause && j < i + 32; j++)
			pause = fabsf(played->frames[j]) < PAUSE_LEVEL * 1.1F;
		if (pause && step > steepest * PAUSE_LEVEL / 0.5F * 2)
			fail_msg("a click in the pause, frame %zu: %.7f", i, (double)step);
	}
}

static size_t loud_frames(const struct played *played)
{
	size_t count = 0;

	for (size_t i = 0; i < played->count; i++)
		count += fabsf(played->frames[i]) > 0.002F;
	return count;
}

static void test_a_pause_becomes_shorter_or_longer(void **state)
{
	static const struct {
		double late_ms;
		double most_ms; /* of it are taken out here */
	} rows[] = { { 0, 0 }, { 2, 0 }, { 40, 40 }, { -40, -40 }, { 900, 160 }, { -900, -900 },
		{ 3000, 0 }, { -3000, 0 } };
	static struct played played, whole;

	(void)state;
	play_late(0, 0, STEP_COUNT, &whole);
	assert_int_equal(whole.count, STEP_COUNT);
	for (size_t i = 0; i < countof(rows); i++) {
		play_late(rows[i].late_ms * 1000, 0, STEP_COUNT, &played);
		double shorter_ms = ((double)STEP_COUNT - (double)played.count) * 1000 / RATE_HZ;
		double worked_off_ms = fabs(rows[i].late_ms) < 2000 ? 1.2 : 0.01;
		if (rows[i].late_ms == -900)
			assert_in_range(-(int)shorter_ms, 200, 900);
		else
			assert_true(fabs(shorter_ms - rows[i].most_ms) <=
				    fabs(rows[i].most_ms) * 0.15 + worked_off_ms);
		assert_int_equal(played.told, STEP_COUNT);
		assert_no_click(&played);
		assert_true(fabs((double)loud_frames(&played) - (double)loud_frames(&whole)) < 150);
	}
}

/* A card's clock is followed to the frame, and all frames of the programme are accounted for. */
static void test_a_wrong_clock_is_followed(void **state)
{
	static struct played played;

	(void)state;
	for (int ppm = -500; ppm <= 500; ppm += 250) {
		play_late(0, ppm, STEP_COUNT, &played);
		assert_in_range(played.count, STEP_COUNT + STEP_COUNT * ppm / 1000000 - 2,
			STEP_COUNT + STEP_COUNT * ppm / 1000000 + 2);
		assert_int_equal(played.told, STEP_COUNT);
		assert_no_click(&played);
	}
}

/* Frames that come in small portions are the same sound. (What is not there cannot be waited for
 * here, so it is not late.) */
static void test_portions_make_no_difference(void **state)
{
	static const size_t portions[] = { 1, 7, 16, 17, 18, 959, 961 };
	static struct played whole, played;

	(void)state;
	play_late(0, 0, STEP_COUNT, &whole);
	for (size_t i = 0; i < countof(portions); i++) {
		play_late(0, 0, portions[i], &played);
		assert_int_equal(played.count, whole.count);
		assert_int_equal(played.told, STEP_COUNT);
		assert_memory_equal(
			played.frames, whole.frames, whole.count * sizeof *whole.frames);
	}
}

/* No start, no steps: bit by bit what the renderer made, whatever the clock. */
static void test_no_start_is_not_touched(void **state)
{
	_cleanup_(rig_done) struct rig rig = { 0 };
	const struct pace pace = { .rate_hz = RATE_HZ, .card_ppm = 400, .knows = true };

	(void)state;
	take(&rig, 0, TIME_UNSET);
	assert_int_equal(place(&rig, 0, 0), 0);
	assert_int_equal(voice_ready(&rig.voice, 0, 0), COUNT);
	voice_keep_step(&rig.voice, &pace, 0);
	assert_int_equal(voice_ready(&rig.voice, 0, 0), COUNT);
	assert_true(rig.voice.step == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late_voice_has_the_rest_of_its_preroll),
		cmocka_unit_test(test_displaced_voice_is_still_punctual),
		cmocka_unit_test(test_waking_up_late_costs_nothing),
		cmocka_unit_test(test_next_programme_has_its_own_preroll),
		cmocka_unit_test(test_what_is_nearly_over_fades_out_too),
		cmocka_unit_test(test_nothing_is_heard_before_it_was_given),
		cmocka_unit_test(test_an_estimate_is_not_what_was_heard),
		cmocka_unit_test(test_a_pause_becomes_shorter_or_longer),
		cmocka_unit_test(test_a_wrong_clock_is_followed),
		cmocka_unit_test(test_portions_make_no_difference),
		cmocka_unit_test(test_no_start_is_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
