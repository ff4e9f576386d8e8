/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/biquad.h"
#include "base/cleanup.h"
#include "tests/unit/sound_signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const double rates_hz[] = { 8000.0, 22050.0, 48000.0, 192000.0 };

/* A tone of whole periods, after the filter has settled, against the formula. */
static void check_response(const struct biquad *filter, double rate_hz, double wanted_hz)
{
	size_t window = (size_t)(rate_hz / 4.0), settle = (size_t)(rate_hz / 4.0);
	double hz = round(wanted_hz / 4.0) * 4.0; /* whole periods in the window */
	_cleanup_(freep) float *frames = signal_new(settle + window);
	struct biquad copy = *filter;

	signal_sine(frames, settle + window, rate_hz, hz, 0.5, 0.3);
	biquad_run(&copy, frames, settle + window);
	double measured_db = db_of(signal_level(frames + settle, window, rate_hz, hz) / 0.5);
	double formula_db = biquad_response_db(filter, rate_hz, hz);
	if (formula_db > -100.0 && fabs(measured_db - formula_db) > 0.02)
		fail_msg("%g Hz at %g Hz: %.3f dB instead of %.3f dB", hz, rate_hz, measured_db,
			formula_db);
}

static void test_sweep_measures_the_formula(void **state)
{
	(void)state;
	for (size_t r = 0; r < countof(rates_hz); r++) {
		double rate_hz = rates_hz[r];
		struct biquad filters[4];
		biquad_high_pass(&filters[0], rate_hz, 350.0, M_SQRT1_2);
		biquad_peaking(&filters[1], rate_hz, 2800.0, 0.7, 6.0);
		biquad_low_shelf(&filters[2], rate_hz, 300.0, -9.0);
		biquad_high_shelf(&filters[3], rate_hz, 2000.0, 4.0);
		for (size_t f = 0; f < countof(filters); f++)
			for (double hz = 60.0; hz < rate_hz * 0.45; hz *= 1.7)
				check_response(&filters[f], rate_hz, hz);
	}
}

/* Butterworth of fourth order through the bilinear transform: |H|² = 1 / (1 + (Ωc/Ω)^8) with
 * Ω = tan(πf/fs), whatever the sections look like. */
static void test_butterworth_is_maximally_flat(void **state)
{
	(void)state;
	for (size_t r = 0; r < countof(rates_hz); r++) {
		struct biquad sections[BIQUAD_BUTTERWORTH_4];
		double rate_hz = rates_hz[r], corner = tan(M_PI * 350.0 / rate_hz);
		biquad_butterworth_high_pass(sections, rate_hz, 350.0);
		for (double hz = 20.0; hz < rate_hz / 2.0; hz *= 1.3) {
			double ratio = corner / tan(M_PI * hz / rate_hz);
			double wanted_db = -10.0 * log10(1.0 + pow(ratio, 8.0));
			double db = biquad_response_db(&sections[0], rate_hz, hz) +
				    biquad_response_db(&sections[1], rate_hz, hz);
			assert_near(db, wanted_db, 1e-6);
		}
		double octave_db = biquad_response_db(&sections[0], rate_hz, 40.0) +
				   biquad_response_db(&sections[1], rate_hz, 40.0) -
				   biquad_response_db(&sections[0], rate_hz, 20.0) -
				   biquad_response_db(&sections[1], rate_hz, 20.0);
		assert_near(octave_db, 24.0, 0.1);
	}
}

static void test_gains_where_they_are_meant(void **state)
{
	struct biquad filter;

	(void)state;
	biquad_peaking(&filter, 48000.0, 2800.0, 0.7, 6.0);
	assert_near(biquad_response_db(&filter, 48000.0, 2800.0), 6.0, 1e-9);
	assert_near(biquad_response_db(&filter, 48000.0, 1e-3), 0.0, 1e-6);
	biquad_low_shelf(&filter, 48000.0, 300.0, -9.0);
	assert_near(biquad_response_db(&filter, 48000.0, 1e-3), -9.0, 1e-6);
	assert_near(biquad_response_db(&filter, 48000.0, 300.0), -4.5, 1e-6);
	assert_near(biquad_response_db(&filter, 48000.0, 23999.0), 0.0, 1e-3);
	biquad_high_shelf(&filter, 48000.0, 3000.0, 4.0);
	assert_near(biquad_response_db(&filter, 48000.0, 23999.0), 4.0, 1e-3);
	assert_near(biquad_response_db(&filter, 48000.0, 3000.0), 2.0, 1e-6);
	assert_near(biquad_response_db(&filter, 48000.0, 1e-3), 0.0, 1e-6);
	/* Above half of the rate there is nothing: held below it. */
	biquad_peaking(&filter, 8000.0, 5000.0, 0.7, 6.0);
	assert_near(biquad_response_db(&filter, 8000.0, 3600.0), 6.0, 1e-9);
}

static void test_blocks_do_not_matter(void **state)
{
	static const size_t sizes[] = { 1, 7, 480 };
	enum { COUNT = 4800 };
	_cleanup_(freep) float *whole = signal_new(COUNT), *cut = signal_new(COUNT);
	struct biquad filter;

	(void)state;
	biquad_high_pass(&filter, 48000.0, 350.0, M_SQRT1_2);
	signal_noise(whole, COUNT, 1.0, 1);
	biquad_run(&filter, whole, COUNT);
	for (size_t s = 0; s < countof(sizes); s++) {
		biquad_reset(&filter);
		signal_noise(cut, COUNT, 1.0, 1);
		for (size_t done = 0; done < COUNT; done += sizes[s])
			biquad_run(&filter, cut + done,
				COUNT - done < sizes[s] ? COUNT - done : sizes[s]);
		assert_memory_equal(whole, cut, COUNT * sizeof *cut);
	}
}

static void test_a_series_is_one_after_the_other(void **state)
{
	enum { COUNT = 4800, CUT = 37 };
	_cleanup_(freep) float *single = signal_new(COUNT), *series = signal_new(COUNT);
	struct biquad filters[BIQUAD_SECTIONS_MAX];

	(void)state;
	biquad_butterworth_high_pass(filters, 48000.0, 300.0);
	biquad_peaking(&filters[2], 48000.0, 2500.0, 0.7, 6.0);
	for (size_t count = 0; count <= BIQUAD_SECTIONS_MAX; count++) {
		signal_noise(single, COUNT, 1.0, 1);
		memcpy(series, single, COUNT * sizeof *series);
		for (size_t k = 0; k < count; k++) {
			biquad_reset(&filters[k]);
			biquad_run(&filters[k], single, COUNT);
			biquad_reset(&filters[k]);
		}
		for (size_t done = 0; done < COUNT; done += CUT)
			biquad_run_series(filters, count, series + done,
				COUNT - done < CUT ? COUNT - done : CUT);
		for (size_t i = 0; i < COUNT; i++)
			if (fabsf(single[i] - series[i]) > 2e-6F)
				fail_msg("%zu sections, frame %zu: %f, not %f", count, i,
					(double)series[i], (double)single[i]);
	}
}

/* A poisoned frame is one frame of silence, and a decay ends. */
static void test_nothing_poisons(void **state)
{
	enum { COUNT = 48000 };
	static const float bad[] = { NAN, INFINITY, -INFINITY, 1e-44F };
	_cleanup_(freep) float *clean = signal_new(COUNT), *dirty = signal_new(COUNT);
	struct biquad filter;

	(void)state;
	for (size_t b = 0; b < countof(bad); b++) {
		memset(clean, 0, COUNT * sizeof *clean);
		clean[0] = 1.0F;
		memcpy(dirty, clean, COUNT * sizeof *dirty);
		dirty[5] = bad[b];
		biquad_high_pass(&filter, 48000.0, 350.0, M_SQRT1_2);
		biquad_run(&filter, clean, COUNT);
		biquad_reset(&filter);
		biquad_run(&filter, dirty, COUNT);
		assert_memory_equal(clean, dirty, COUNT * sizeof *clean);
		assert_true(filter.z1 == 0.0 && filter.z2 == 0.0);
		for (size_t i = 0; i < COUNT; i++)
			assert_true(clean[i] == 0.0F || isnormal(clean[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sweep_measures_the_formula),
		cmocka_unit_test(test_butterworth_is_maximally_flat),
		cmocka_unit_test(test_gains_where_they_are_meant),
		cmocka_unit_test(test_blocks_do_not_matter),
		cmocka_unit_test(test_a_series_is_one_after_the_other),
		cmocka_unit_test(test_nothing_poisons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
