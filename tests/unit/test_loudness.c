/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/loudness.h"
#include "base/cleanup.h"
#include "tests/unit/sound_signals.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* EBU Tech 3341, of one channel: a sine of 997 Hz and full scale has −3.01 LUFS (BS.1770-4). */
static void test_sines(void **state)
{
	static const unsigned rates_hz[] = { 8000, 16000, 22050, 44100, 48000, 192000 };

	(void)state;
	for (size_t r = 0; r < countof(rates_hz); r++) {
		size_t count = 5 * (size_t)rates_hz[r];
		_cleanup_(freep) float *frames = signal_new(count);
		_cleanup_(loudness_freep) struct loudness *loudness = loudness_new(
			rates_hz[r], true);
		assert_non_null(loudness);
		signal_sine(frames, count, rates_hz[r], 997.0, 0.1, 0.0);
		loudness_add(loudness, frames, count);
		assert_near(loudness_momentary(loudness), -23.01, 0.05);
		assert_near(loudness_integrated(loudness), -23.01, 0.1);
		assert_near(loudness_true_peak(loudness), -20.0, 0.1);
		assert_near(loudness_of(frames, count, rates_hz[r]), -23.01, 0.1);
		/* 100 ms are as loud as a second of the same. */
		assert_near(loudness_of(frames, rates_hz[r] / 10, rates_hz[r]), -23.01, 0.3);
	}
}

/* The gates: silence between does not count. */
static void test_pauses_do_not_count(void **state)
{
	enum { SECOND = 48000 };
	_cleanup_(freep) float *frames = signal_new(10 * SECOND);

	(void)state;
	signal_sine(frames, 5 * SECOND, 48000.0, 997.0, 0.1, 0.0);
	assert_near(loudness_of(frames, 10 * SECOND, 48000), -23.1, 0.2);
}

static void test_silence_reset_and_poison(void **state)
{
	enum { SECOND = 48000 };
	_cleanup_(freep) float *frames = signal_new(SECOND);
	_cleanup_(loudness_freep) struct loudness *loudness = loudness_new(48000, true);

	(void)state;
	assert_non_null(loudness);
	assert_true(loudness_integrated(loudness) == LOUDNESS_NONE);
	loudness_add(loudness, frames, SECOND);
	assert_true(loudness_integrated(loudness) == LOUDNESS_NONE);
	assert_true(loudness_momentary(loudness) == LOUDNESS_NONE);
	assert_true(isinf(loudness_true_peak(loudness)));
	assert_true(loudness_of(frames, SECOND, 48000) == LOUDNESS_NONE);
	assert_true(loudness_of(frames, 0, 48000) == LOUDNESS_NONE);
	frames[7] = NAN;
	frames[8] = INFINITY;
	loudness_add(loudness, frames, SECOND);
	signal_sine(frames, SECOND, 48000.0, 997.0, 0.1, 0.0);
	loudness_add(loudness, frames, SECOND);
	assert_near(loudness_momentary(loudness), -23.01, 0.05);
	assert_int_equal(loudness_reset(loudness), 0);
	assert_true(loudness_integrated(loudness) == LOUDNESS_NONE);
	loudness_add(loudness, frames, SECOND);
	assert_near(loudness_integrated(loudness), -23.01, 0.1);
}

static void test_bounds(void **state)
{
	(void)state;
	assert_null(loudness_new(7999, false));
	assert_int_equal(errno, EINVAL);
	assert_null(loudness_new(192001, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sines),
		cmocka_unit_test(test_pauses_do_not_count),
		cmocka_unit_test(test_silence_reset_and_poison),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
