/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/mix.h"
#include "base/cleanup.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_near(double value, double wanted)
{
	if (fabs(value - wanted) > 1e-5)
		fail_msg("%.7f is not %.7f", value, wanted);
}

static void test_gain_of_db(void **state)
{
	(void)state;
	assert_near(mix_gain_of_db(0.0), 1.0);
	assert_near(mix_gain_of_db(-6.0), 0.5011872);
	assert_near(mix_gain_of_db(20.0), 10.0);
	assert_near(mix_gain_of_db(-120.0), 0.0);
}

static void test_ramp_is_one_curve_whatever_the_pieces(void **state)
{
	float whole[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	float pieces[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	struct mix_ramp a, b;

	(void)state;
	mix_ramp_set(&a, 1.0F);
	mix_ramp_to(&a, 0.0F, 4);
	b = a;
	mix_ramp_apply(&a, whole, 8);
	mix_ramp_apply(&b, pieces, 3);
	mix_ramp_apply(&b, pieces + 3, 1);
	mix_ramp_apply(&b, pieces + 4, 4);
	const float wanted[8] = { 1.0F, 0.84375F, 0.5F, 0.15625F, 0, 0, 0, 0 };
	for (size_t i = 0; i < countof(wanted); i++) {
		assert_near(whole[i], wanted[i]);
		assert_near(pieces[i], wanted[i]);
	}
	assert_int_equal(a.left, 0);
}

/* A ramp of two seconds, in one go: its last step is no longer than the others. */
static void test_slow_ramp_arrives_without_a_step(void **state)
{
	static float frames[96001];
	struct mix_ramp ramp;

	(void)state;
	for (size_t i = 0; i < countof(frames); i++)
		frames[i] = 1.0F;
	mix_ramp_set(&ramp, 0.9F);
	mix_ramp_to(&ramp, 0.1F, countof(frames) - 1);
	mix_ramp_apply(&ramp, frames, countof(frames));
	assert_near(frames[0], 0.9);
	assert_true(frames[countof(frames) - 1] == 0.1F);
	for (size_t i = 1; i < countof(frames); i++) {
		float step = frames[i - 1] - frames[i];
		if (step < -1e-7F || step > 1.51F * 0.8F / 96000)
			fail_msg("a step of %.8f at frame %zu", (double)step, i);
	}
}

/* Neither its beginning nor its end has a corner, and where it is faster than anywhere it is half as
 * fast again as a straight line. */
static void test_ramp_has_no_corners(void **state)
{
	float frames[964]; /* 20 ms, and what is beside it */
	struct mix_ramp ramp;
	float fastest = 0.0F;

	(void)state;
	for (size_t i = 0; i < countof(frames); i++)
		frames[i] = 1.0F;
	mix_ramp_set(&ramp, 1.0F);
	mix_ramp_apply(&ramp, frames, 2);
	mix_ramp_to(&ramp, 0.0F, 960);
	mix_ramp_apply(&ramp, frames + 2, countof(frames) - 2);
	assert_true(frames[2] == 1.0F);
	assert_true(frames[962] == 0.0F);
	for (size_t i = 1; i + 1 < countof(frames); i++) {
		float before = frames[i] - frames[i - 1], after = frames[i + 1] - frames[i];
		if (fabsf(after - before) > 1.0F / 960 / 100)
			fail_msg("a corner of %.7f at frame %zu", (double)(after - before), i);
		fastest = fmaxf(fastest, -after);
	}
	assert_true(fastest > 1.4F / 960 && fastest < 1.6F / 960);
}

static void test_ramp_without_length_jumps(void **state)
{
	float frames[2] = { 1, 1 };
	struct mix_ramp ramp;

	(void)state;
	mix_ramp_set(&ramp, 1.0F);
	mix_ramp_to(&ramp, 0.5F, 0);
	mix_ramp_apply(&ramp, frames, 2);
	assert_near(frames[0], 0.5);
}

static void test_channels_by_mask(void **state)
{
	float out[2 * 3] = { 0, 0, 0, 0.5F, 0, 0 };
	const float mono[2] = { 0.25F, -0.5F };

	(void)state;
	mix_add_channels(out, 3, 0x5 | 1U << 31, mono, 2);
	const float wanted[6] = { 0.25F, 0, 0.25F, 0, 0, -0.5F };
	for (size_t i = 0; i < countof(wanted); i++)
		assert_near(out[i], wanted[i]);
}

static void test_add_with_gain(void **state)
{
	float into[2] = { 0.5F, 0.5F };
	const float from[2] = { 1.0F, -1.0F };

	(void)state;
	mix_add(into, from, 2, 0.25F);
	assert_near(into[0], 0.75);
	assert_near(into[1], 0.25);
}

static void test_clip_saturates_and_drops_what_is_no_number(void **state)
{
	float samples[5] = { 1.5F, -3.0F, 0.25F, NAN, INFINITY };

	(void)state;
	mix_clip(samples, 5);
	const float wanted[5] = { 1.0F, -1.0F, 0.25F, 0.0F, 1.0F };
	for (size_t i = 0; i < countof(wanted); i++)
		assert_near(samples[i], wanted[i]);
}

static void test_fades(void **state)
{
	float in[6] = { 1, 1, 1, 1, 1, 1 };
	float out[6] = { 1, 1, 1, 1, 1, 1 };

	(void)state;
	mix_fade_in(in, 6, 4);
	mix_fade_out(out, 6, 4);
	assert_true(in[0] < 0.1F && in[3] > 0.9F && in[0] < in[1] && in[1] < in[2]);
	assert_near(in[4], 1.0);
	for (size_t i = 0; i < 6; i++)
		assert_near(in[i], out[5 - i]);
	mix_fade_in(in, 2, 100); /* longer than the sound: not beyond its end */
	assert_near(in[4], 1.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gain_of_db),
		cmocka_unit_test(test_ramp_is_one_curve_whatever_the_pieces),
		cmocka_unit_test(test_slow_ramp_arrives_without_a_step),
		cmocka_unit_test(test_ramp_has_no_corners),
		cmocka_unit_test(test_ramp_without_length_jumps),
		cmocka_unit_test(test_channels_by_mask),
		cmocka_unit_test(test_add_with_gain),
		cmocka_unit_test(test_clip_saturates_and_drops_what_is_no_number),
		cmocka_unit_test(test_fades),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
