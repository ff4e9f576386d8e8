/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/resample.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PIECE 333

static float sine(size_t frame, double hz, unsigned rate_hz)
{
	return 0.5F * (float)sin(2.0 * M_PI * hz * (double)frame / rate_hz);
}

/* Converts one second of a tone in odd pieces; returns the number of frames. */
static size_t convert(
	struct resampler *resampler, unsigned from_hz, double hz, float *out, size_t space)
{
	size_t taken = 0, given = 0;

	for (;;) {
		float piece[PIECE];
		size_t count = from_hz - taken < PIECE ? from_hz - taken : PIECE;
		for (size_t i = 0; i < count; i++)
			piece[i] = sine(taken + i, hz, from_hz);
		size_t used = 0;
		size_t room = space - given < PIECE ? space - given : PIECE;
		long got = resampler_run(
			resampler, piece, count, count == 0, &used, out + given, room);
		assert_true(got >= 0);
		taken += used;
		given += (size_t)got;
		if (count == 0 && got == 0)
			return given;
	}
}

/* Level of the tone `hz` in the middle of the sound, as an amplitude. */
static double level_of(const float *frames, size_t count, double hz, unsigned rate_hz)
{
	double re = 0.0, im = 0.0;
	size_t from = count / 4, to = count * 3 / 4;

	for (size_t i = from; i < to; i++) {
		double phase = 2.0 * M_PI * hz * (double)i / rate_hz;
		re += frames[i] * cos(phase);
		im += frames[i] * sin(phase);
	}
	return 2.0 * hypot(re, im) / (double)(to - from);
}

static void check_rates(unsigned from_hz, unsigned to_hz)
{
	static float out[200000];
	_cleanup_(resampler_freep) struct resampler *resampler = resampler_new(from_hz, to_hz);

	assert_non_null(resampler);
	for (int pass = 0; pass < 2; pass++) {
		size_t count = convert(resampler, from_hz, 1000.0, out, countof(out));
		if (count + 20 < to_hz || count > to_hz + 20)
			fail_msg("%u → %u Hz: %zu frames for a second", from_hz, to_hz, count);
		double level = level_of(out, count, 1000.0, to_hz);
		if (fabs(level - 0.5) > 0.005)
			fail_msg("%u → %u Hz: level %.4f", from_hz, to_hz, level);
		/* The second pass is the next sentence. */
		resampler_reset(resampler);
	}
}

static void test_length_and_level(void **state)
{
	(void)state;
	check_rates(22050, 48000);
	check_rates(16000, 48000);
	check_rates(48000, 44100);
	check_rates(44100, 48000);
	check_rates(8000, 192000);
	check_rates(48000, 48000);
}

/* An input of no frames may lie anywhere, even where the output is. */
static void test_flush_with_input_beside_output(void **state)
{
	_cleanup_(resampler_freep) struct resampler *resampler = resampler_new(22050, 48000);
	float frames[2 * PIECE] = { 0.5F };
	size_t used = 77;

	(void)state;
	assert_true(
		resampler_run(resampler, frames, PIECE, false, &used, frames + PIECE, PIECE) >= 0);
	assert_true(resampler_run(resampler, frames, 0, true, &used, frames, PIECE) > 0);
	assert_int_equal(used, 0);
	assert_true(resampler_run(resampler, NULL, 0, true, &used, frames, PIECE) >= 0);
}

static void test_rates_out_of_range_are_refused(void **state)
{
	(void)state;
	assert_null(resampler_new(3999, 48000));
	assert_int_equal(errno, EINVAL);
	assert_null(resampler_new(48000, 192001));
	assert_null(resampler_new(0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_length_and_level),
		cmocka_unit_test(test_flush_with_input_beside_output),
		cmocka_unit_test(test_rates_out_of_range_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
