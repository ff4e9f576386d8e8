/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/limiter.h"
#include "audio/loudness.h"
#include "base/cleanup.h"
#include "tests/unit/sound_signals.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 24000 };

/* ITU-R BS.1770-4, annex 2: the filter for the true peak, first two phases; the others mirror
 * them. */
static const double annex2[2][12] = {
	{ 0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875,
		0.1373291015625, 0.9721679687500, -0.1022949218750, 0.0476074218750,
		-0.0266113281250, 0.0148925781250, -0.0083007812500 },
	{ -0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500,
		0.4650878906250, 0.7797851562500, -0.2003173828125, 0.1015625000000,
		-0.0582275390625, 0.0330810546875, -0.0189208984375 },
};

static double annex2_peak(const float *frames, size_t count)
{
	double peak = 0.0;

	for (size_t i = 0; i + 12 <= count; i++) {
		double sums[4] = { 0 };
		for (size_t k = 0; k < 12; k++) {
			sums[0] += annex2[0][k] * frames[i + k];
			sums[1] += annex2[1][k] * frames[i + k];
			sums[2] += annex2[1][11 - k] * frames[i + k];
			sums[3] += annex2[0][11 - k] * frames[i + k];
		}
		for (size_t p = 0; p < 4; p++)
			peak = fmax(peak, fabs(sums[p]));
		peak = fmax(peak, fabsf(frames[i]));
	}
	return peak;
}

/* A finer meter than any: 16 points a frame, 128 frames of sinc under a Hann window. */
static double fine_peak(const float *frames, size_t count)
{
	enum { HALF = 64, PHASES = 16 };
	static double taps[PHASES][2 * HALF];
	double peak = 0.0;

	for (int p = 0; p < PHASES; p++)
		for (int k = 0; k < 2 * HALF; k++) {
			double x = k - (HALF - 1) - (double)p / PHASES;
			taps[p][k] = (x == 0.0 ? 1.0 : sin(M_PI * x) / (M_PI * x)) *
				     (0.5 + 0.5 * cos(M_PI * x / HALF));
		}
	for (size_t i = 0; i + 2 * HALF <= count; i++)
		for (int p = 0; p < PHASES; p++) {
			double sum = 0.0;
			for (int k = 0; k < 2 * HALF; k++)
				sum += taps[p][k] * frames[i + (size_t)k];
			peak = fmax(peak, fabs(sum));
		}
	return peak;
}

static double library_peak_db(const float *frames, size_t count, unsigned rate_hz)
{
	_cleanup_(loudness_freep) struct loudness *meter = loudness_new(rate_hz, true);

	assert_non_null(meter);
	loudness_add(meter, frames, count);
	return loudness_true_peak(meter);
}

static size_t limit(struct limiter *limiter, const float *frames, size_t count, float *out)
{
	size_t given = limiter_run(limiter, frames, count, out);

	return given + limiter_flush(limiter, out + given);
}

/* --- what may come in --------------------------------------------------------------------------- */

static void impulses(float *frames, unsigned rate_hz)
{
	uint64_t seed = 1;

	(void)rate_hz;
	for (size_t i = 100; i < COUNT; i += 37 + (size_t)(300.0 * fabs(signal_random(&seed))))
		frames[i] = (float)(20.0 * signal_random(&seed));
}

static void square(float *frames, unsigned rate_hz)
{
	signal_sine(frames, COUNT, rate_hz, 997.0, 1.0, 0.0);
	for (size_t i = 0; i < COUNT; i++)
		frames[i] = frames[i] < 0.0F ? -4.0F : 4.0F;
}

static void quarter_rate(float *frames, unsigned rate_hz)
{
	signal_sine(frames, COUNT, rate_hz, rate_hz / 4.0, 1.4, M_PI / 4.0);
}

static void clipped_noise(float *frames, unsigned rate_hz)
{
	(void)rate_hz;
	signal_noise(frames, COUNT, 10.0, 7);
	for (size_t i = 0; i < COUNT; i++)
		frames[i] = fmaxf(-1.0F, fminf(1.0F, frames[i]));
}

static void loud_noise(float *frames, unsigned rate_hz)
{
	(void)rate_hz;
	signal_noise(frames, COUNT, 10.0, 8);
}

/* Bursts of sign patterns that sum up between two frames, 40 dB over. */
static void worst_between(float *frames, unsigned rate_hz)
{
	uint64_t seed = 3;

	(void)rate_hz;
	for (size_t i = 200; i + 40 < COUNT; i += 200) {
		double size = pow(10.0, signal_random(&seed)) * 10.0;
		for (int k = 0; k < 12; k++) {
			frames[i - (size_t)k] = (float)((k % 2 ? -1.0 : 1.0) * size);
			frames[i + 1 + (size_t)k] = (float)((k % 2 ? -1.0 : 1.0) * size);
		}
	}
}

/* No frame is above the ceiling, and what is between them is twice as high. */
static void only_between(float *frames, unsigned rate_hz)
{
	(void)rate_hz;
	for (size_t i = 100; i + 12 < COUNT; i += 500)
		for (size_t k = 0; k < 12; k++)
			frames[i + k] = annex2[1][k] < 0.0 ? -0.5F : 0.5F;
}

static void alternating_bursts(float *frames, unsigned rate_hz)
{
	(void)rate_hz;
	for (size_t i = 0; i < COUNT; i++)
		frames[i] = (float)((i % 2 ? -1.0 : 1.0) * (i / 331 % 2 ? 30.0 : 0.01));
}

static void speech(float *frames, unsigned rate_hz)
{
	signal_speech(frames, COUNT, rate_hz, 8.0, 5);
}

/* Of many tones, up to 0.4 of the rate. */
static void dense(float *frames, unsigned rate_hz)
{
	uint64_t seed = 9;

	for (int k = 0; k < 60; k++) {
		double phase = M_PI * signal_random(&seed), step = 0.8 * M_PI * (k + 1) / 60.0;
		for (size_t i = 0; i < COUNT; i++)
			frames[i] += (float)(i / 3000 % 2 ? 0.5 * sin(phase + step * (double)i)
							  : 0.0);
	}
	(void)rate_hz;
}

static void rising_sweep(float *frames, unsigned rate_hz)
{
	double phase = 0.0;

	for (size_t i = 0; i < COUNT; i++) {
		phase += M_PI * 0.96 * (double)i / COUNT;
		frames[i] = (float)(3.0 * sin(phase));
	}
	(void)rate_hz;
}

static const struct {
	const char *name;
	void (*make)(float *frames, unsigned rate_hz);
	bool fine; /* nothing near half the rate, where meters differ: measured more finely too */
} inputs[] = {
	{ "impulses", impulses, false },
	{ "square", square, false },
	{ "quarter of the rate", quarter_rate, true },
	{ "clipped noise", clipped_noise, false },
	{ "loud noise", loud_noise, false },
	{ "worst between frames", worst_between, false },
	{ "only between frames", only_between, false },
	{ "alternating bursts", alternating_bursts, false },
	{ "speech", speech, false },
	{ "many tones", dense, true },
	{ "rising sweep", rising_sweep, false },
};

static void test_never_above_the_ceiling(void **state)
{
	static const unsigned rates_hz[] = { 8000, 22050, 48000, 192000 };
	_cleanup_(freep) float *in = signal_new(COUNT), *out = signal_new(COUNT);
	bool bad = false;

	(void)state;
	for (size_t r = 0; r < countof(rates_hz); r++) {
		_cleanup_(limiter_freep) struct limiter *limiter = limiter_new(
			rates_hz[r], LIMITER_CEILING_DBTP);
		assert_non_null(limiter);
		for (size_t i = 0; i < countof(inputs); i++) {
			memset(in, 0, COUNT * sizeof *in);
			inputs[i].make(in, rates_hz[r]);
			assert_int_equal(limit(limiter, in, COUNT, out), COUNT);
			double db[] = { db_of(annex2_peak(out, COUNT)),
				library_peak_db(out, COUNT, rates_hz[r]),
				inputs[i].fine ? db_of(fine_peak(out, COUNT)) : -99.0 };
			if (getenv("SHOW"))
				print_message("%s at %u Hz: %.3f dBTP, libebur128 %.3f, finer "
					      "%.3f\n",
					inputs[i].name, rates_hz[r], db[0], db[1], db[2]);
			/* By its own measure it reaches what it aims at, and no more. */
			for (size_t m = 0; m < countof(db); m++)
				if (db[m] > LIMITER_CEILING_DBTP -
						    (m == 0 ? LIMITER_MARGIN_DB - 0.002 : 0.0)) {
					print_error("%s at %u Hz: meter %zu shows %.3f dBTP\n",
						inputs[i].name, rates_hz[r], m, db[m]);
					bad = true;
				}
		}
	}
	assert_false(bad);
}

/* What is below the ceiling comes out as it went in, to the bit, in its place. */
static void test_transparent_below(void **state)
{
	_cleanup_(freep) float *in = signal_new(COUNT), *out = signal_new(COUNT);
	_cleanup_(limiter_freep) struct limiter *limiter = limiter_new(48000, LIMITER_CEILING_DBTP);

	(void)state;
	assert_non_null(limiter);
	signal_speech(in, COUNT, 48000.0, 0.4, 2);
	assert_int_equal(limit(limiter, in, COUNT, out), COUNT);
	assert_memory_equal(in, out, COUNT * sizeof *in);
}

/* Around one loud tone burst the gain falls without ever rising, reaches what is needed no later
 * than the burst, stays, and rises without ever falling; a tone far below shows it. */
static void test_gain_is_monotone(void **state)
{
	_cleanup_(freep) float *frames = signal_new(COUNT);
	_cleanup_(limiter_freep) struct limiter *limiter = limiter_new(48000, LIMITER_CEILING_DBTP);

	(void)state;
	assert_non_null(limiter);
	for (size_t i = 0; i < COUNT; i++)
		frames[i] = i == 6000 ? 4.0F : 0.01F;
	assert_int_equal(limit(limiter, frames, COUNT, frames), COUNT);
	double ceiling = pow(10.0, LIMITER_CEILING_DBTP / 20.0), last = 1.0;
	assert_true(frames[6000] <= ceiling && frames[6000] > ceiling * 0.95);
	for (size_t i = 0; i < COUNT; i++) {
		double gain = frames[i] / (i == 6000 ? 4.0 : 0.01);
		assert_true(i <= 6000 ? gain <= last + 1e-6 : gain >= last - 1e-6);
		/* 4 ms of attack, without a corner: never more than twice the mean step. */
		assert_true(fabs(gain - last) < 2.1 * 0.78 / (0.004 * 48000.0));
		last = gain;
	}
	assert_true(frames[6000 - 48 * 5] == 0.01F);
	/* After 60 ms 1/e is left to go; before, the gain is held for the look-ahead. */
	double left = (1.0 - frames[6000 + 2880] / 0.01) / (1.0 - ceiling / 4.0);
	assert_true(left > 0.367 && left < 0.42);
	/* After six times that. */
	assert_near(frames[COUNT - 1], 0.01, 4e-5);
}

static void test_blocks_do_not_matter(void **state)
{
	static const size_t sizes[] = { 1, 7, 480 };
	_cleanup_(freep) float *in = signal_new(COUNT), *whole = signal_new(COUNT),
			       *cut = signal_new(COUNT);
	_cleanup_(limiter_freep) struct limiter *limiter = limiter_new(48000, LIMITER_CEILING_DBTP);

	(void)state;
	assert_non_null(limiter);
	loud_noise(in, 48000);
	assert_int_equal(limit(limiter, in, COUNT, whole), COUNT);
	for (size_t s = 0; s < countof(sizes); s++) {
		size_t given = 0;
		memcpy(cut, in, COUNT * sizeof *in);
		/* In place, too. */
		for (size_t done = 0; done < COUNT; done += sizes[s])
			given += limiter_run(limiter, cut + done,
				COUNT - done < sizes[s] ? COUNT - done : sizes[s], cut + given);
		assert_int_equal(given, COUNT - limiter_delay_frames(limiter));
		given += limiter_flush(limiter, cut + given);
		assert_int_equal(given, COUNT);
		assert_memory_equal(whole, cut, COUNT * sizeof *cut);
	}
}

/* A stream shorter than the look-ahead comes out whole; nothing of it comes out of the next. */
static void test_short_streams_and_reset(void **state)
{
	_cleanup_(limiter_freep) struct limiter *limiter = limiter_new(48000, LIMITER_CEILING_DBTP);

	(void)state;
	assert_non_null(limiter);
	size_t delay = limiter_delay_frames(limiter);
	assert_true(delay > 48 * 4 && delay < 48 * 6);
	_cleanup_(freep) float *out = signal_new(delay);
	const float in[3] = { 0.1F, 0.2F, 0.3F };
	assert_int_equal(limiter_run(limiter, in, 3, out), 0);
	assert_int_equal(limiter_flush(limiter, out), 3);
	assert_memory_equal(in, out, sizeof in);
	assert_int_equal(limiter_flush(limiter, out), 0);
	assert_int_equal(limiter_run(limiter, (const float[]){ 9.0F }, 1, out), 0);
	limiter_reset(limiter);
	assert_int_equal(limiter_run(limiter, in, 3, out), 0);
	assert_int_equal(limiter_flush(limiter, out), 3);
	assert_memory_equal(in, out, sizeof in);
}

static void test_nothing_poisons(void **state)
{
	static const float bad[] = { NAN, INFINITY, -INFINITY, 1e-44F };
	_cleanup_(freep) float *clean = signal_new(COUNT), *dirty = signal_new(COUNT);
	_cleanup_(limiter_freep) struct limiter *limiter = limiter_new(48000, LIMITER_CEILING_DBTP);

	(void)state;
	assert_non_null(limiter);
	for (size_t b = 0; b < countof(bad); b++) {
		loud_noise(clean, 48000);
		memcpy(dirty, clean, COUNT * sizeof *dirty);
		clean[100] = 0.0F;
		dirty[100] = bad[b];
		assert_int_equal(limit(limiter, clean, COUNT, clean), COUNT);
		assert_int_equal(limit(limiter, dirty, COUNT, dirty), COUNT);
		assert_memory_equal(clean, dirty, COUNT * sizeof *clean);
	}
	/* The largest number there is is held, not multiplied. */
	memset(dirty, 0, COUNT * sizeof *dirty);
	dirty[100] = 3e38F;
	assert_int_equal(limit(limiter, dirty, COUNT, dirty), COUNT);
	assert_true(dirty[100] > 0.85F && dirty[100] < 0.9F);
}

static void test_bounds(void **state)
{
	(void)state;
	assert_null(limiter_new(3999, -1.0));
	assert_int_equal(errno, EINVAL);
	assert_null(limiter_new(192001, -1.0));
	assert_null(limiter_new(48000, 0.1));
	assert_null(limiter_new(48000, (double)NAN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_above_the_ceiling),
		cmocka_unit_test(test_transparent_below),
		cmocka_unit_test(test_gain_is_monotone),
		cmocka_unit_test(test_blocks_do_not_matter),
		cmocka_unit_test(test_short_streams_and_reset),
		cmocka_unit_test(test_nothing_poisons),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
