/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/compressor.h"
#include "base/cleanup.h"
#include "tests/unit/sound_signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RATE_HZ 48000.0

static const struct compressor_config speech = {
	.threshold_db = -24.0,
	.ratio = 4.0,
	.knee_db = 8.0,
	.attack_ms = 2.0,
	.release_ms = 80.0,
	.makeup_db = 6.0,
};

static void test_curve(void **state)
{
	static const struct {
		double in_db, out_db;
	} points[] = {
		{ -60.0, -60.0 },
		{ -28.0, -28.0 },  /* up to the knee: untouched */
		{ -24.0, -24.75 }, /* its middle: knee × slope / 8 */
		{ -20.0, -23.0 },  /* its end meets the line */
		{ -12.0, -21.0 },
		{ 0.0, -18.0 },
	};

	(void)state;
	for (size_t i = 0; i < countof(points); i++)
		assert_near(compressor_curve_db(&speech, points[i].in_db), points[i].out_db, 1e-5);
	/* No corner: the slope never jumps, and falls from 1 to 1/ratio. */
	double last = 1.0;
	for (double db = -40.0; db < 0.0; db += 0.1) {
		double slope = (compressor_curve_db(&speech, db + 0.1) -
				       compressor_curve_db(&speech, db)) /
			       0.1;
		assert_true(slope < last + 1e-3 && slope > last - 0.02 && slope > 0.2499);
		last = slope;
	}
	struct compressor_config corner = speech;
	corner.knee_db = 0.0;
	assert_near(compressor_curve_db(&corner, -24.1), -24.1, 1e-5);
	assert_near(compressor_curve_db(&corner, -16.0), -22.0, 1e-5);
}

/* A steady level (alternating sign: its peak is constant) comes out as the curve says. */
static void test_steady_levels_follow_the_curve(void **state)
{
	enum { COUNT = 24000 };
	float frames[COUNT];

	(void)state;
	for (double db = -60.0; db <= 6.0; db += 3.0) {
		struct compressor compressor;
		compressor_init(&compressor, RATE_HZ, &speech);
		for (size_t i = 0; i < COUNT; i++)
			frames[i] = (float)((i % 2 ? -1.0 : 1.0) * pow(10.0, db / 20.0));
		compressor_run(&compressor, frames, COUNT);
		double out_db = db_of(fabsf(frames[COUNT - 1])) - speech.makeup_db;
		assert_near(out_db, compressor_curve_db(&speech, db), 0.01);
	}
}

/* What is left of the change in reduction after a time constant is 1/e. */
static void test_time_constants(void **state)
{
	enum { STEP = 48000 };
	_cleanup_(freep) float *frames = signal_new(2 * STEP);
	struct compressor compressor;

	(void)state;
	compressor_init(&compressor, RATE_HZ, &speech);
	for (size_t i = 0; i < 2 * STEP; i++)
		frames[i] = i < STEP ? 1.0F : 1e-3F;
	compressor_run(&compressor, frames, 2 * STEP);
	size_t attack = (size_t)(RATE_HZ * speech.attack_ms / 1000.0);
	size_t release = (size_t)(RATE_HZ * speech.release_ms / 1000.0);
	double full_db = -18.0, after_db = db_of(frames[attack - 1]) - speech.makeup_db;
	assert_near(after_db, full_db * (1.0 - exp(-1.0)), 0.1);
	after_db = db_of(frames[STEP + release - 1]) + 60.0 - speech.makeup_db;
	/* The attack's smoothing comes behind the release: 2 ms later. */
	assert_near(after_db, full_db * exp(-78.0 / 80.0), 0.15);
}

static void test_blocks_do_not_matter(void **state)
{
	static const size_t sizes[] = { 1, 7, 480 };
	enum { COUNT = 4800 };
	_cleanup_(freep) float *whole = signal_new(COUNT), *cut = signal_new(COUNT);
	struct compressor compressor;

	(void)state;
	compressor_init(&compressor, RATE_HZ, &speech);
	signal_noise(whole, COUNT, 1.0, 1);
	compressor_run(&compressor, whole, COUNT);
	for (size_t s = 0; s < countof(sizes); s++) {
		compressor_reset(&compressor);
		signal_noise(cut, COUNT, 1.0, 1);
		for (size_t done = 0; done < COUNT; done += sizes[s])
			compressor_run(&compressor, cut + done,
				COUNT - done < sizes[s] ? COUNT - done : sizes[s]);
		assert_memory_equal(whole, cut, COUNT * sizeof *cut);
	}
}

static void test_nothing_poisons(void **state)
{
	enum { SECONDS = 20 };
	static const float bad[] = { NAN, INFINITY, -INFINITY, 1e-44F };
	enum { COUNT = 96000 };
	_cleanup_(freep) float *clean = signal_new(COUNT), *dirty = signal_new(COUNT);

	(void)state;
	for (size_t b = 0; b < countof(bad); b++) {
		struct compressor compressor;
		memset(clean, 0, COUNT * sizeof *clean);
		clean[0] = 1.0F;
		memcpy(dirty, clean, COUNT * sizeof *dirty);
		dirty[5] = bad[b];
		compressor_init(&compressor, RATE_HZ, &speech);
		compressor_run(&compressor, clean, COUNT);
		compressor_reset(&compressor);
		compressor_run(&compressor, dirty, COUNT);
		assert_memory_equal(clean, dirty, COUNT * sizeof *clean);
		memset(clean, 0, COUNT * sizeof *clean);
		for (int again = 0; again < SECONDS; again++)
			compressor_run(&compressor, clean, COUNT);
		/* Far from denormal numbers, and nothing as a gain. */
		assert_true(compressor.held_db > 1e-20F && compressor.held_db < 1e-8F);
		assert_true(compressor.reduction_db > 1e-20F && compressor.reduction_db < 1e-8F);
		assert_true(clean[COUNT - 1] == 0.0F);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_curve),
		cmocka_unit_test(test_steady_levels_follow_the_curve),
		cmocka_unit_test(test_time_constants),
		cmocka_unit_test(test_blocks_do_not_matter),
		cmocka_unit_test(test_nothing_poisons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
