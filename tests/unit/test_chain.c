/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/chain.h"
#include "audio/biquad.h"
#include "audio/limiter.h"
#include "audio/loudness.h"
#include "base/cleanup.h"
#include "tests/unit/sound_signals.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { RATE_HZ = 48000, COUNT = 2 * RATE_HZ };

static struct chain *chain_of(enum chain_preset preset, unsigned rate_hz)
{
	struct chain *chain = chain_new(rate_hz, chain_preset_config(preset));

	assert_non_null(chain);
	return chain;
}

static size_t run(struct chain *chain, const float *in, size_t count, float *out)
{
	size_t given = chain_run(chain, in, count, out);

	return given + chain_flush(chain, out + given);
}

static void test_presets(void **state)
{
	(void)state;
	assert_string_equal(chain_preset_name(CHAIN_HORN), "horn");
	assert_string_equal(chain_preset_name(CHAIN_COLUMN), "column");
	assert_string_equal(chain_preset_name(CHAIN_FLAT), "flat");
	assert_null(chain_preset_name(CHAIN_PRESETS));
	assert_null(chain_preset_config(CHAIN_PRESETS));
	for (unsigned i = 0; i < CHAIN_PRESETS; i++) {
		const struct chain_config *config = chain_preset_config(i);
		assert_true(config->target_lufs >= -16.0 && config->target_lufs <= -12.0);
		assert_true(config->compressor.ratio >= 1.0 && config->compressor.ratio <= 4.0);
		assert_true(config->ceiling_dbtp == -1.0);
	}
}

/* Below knee and ceiling the chain is its filters and its make-up gain. */
static void test_soft_tones_see_filters_only(void **state)
{
	_cleanup_(freep) float *frames = signal_new(COUNT);

	(void)state;
	for (unsigned preset = 0; preset < CHAIN_PRESETS; preset++) {
		const struct chain_config *config = chain_preset_config(preset);
		_cleanup_(chain_freep) struct chain *chain = chain_of(preset, RATE_HZ);
		struct biquad filters[BIQUAD_BUTTERWORTH_4 + 1];
		biquad_butterworth_high_pass(filters, RATE_HZ, fmax(config->high_pass_hz, 1e-3));
		biquad_peaking(&filters[BIQUAD_BUTTERWORTH_4], RATE_HZ,
			fmax(config->presence_hz, 1.0), fmax(config->presence_q, 0.1),
			config->presence_db);
		for (double hz = 100.0; hz < 20000.0; hz *= 2.0) {
			double wanted_db = config->compressor.makeup_db;
			for (size_t f = 0; f < countof(filters); f++)
				wanted_db += biquad_response_db(&filters[f], RATE_HZ, hz);
			signal_sine(frames, COUNT, RATE_HZ, hz, 0.004, 0.0);
			assert_int_equal(run(chain, frames, COUNT, frames), COUNT);
			double db = db_of(
				signal_level(frames + RATE_HZ, RATE_HZ, RATE_HZ, hz) / 0.004);
			assert_near(db, wanted_db, 0.05);
		}
	}
}

static void test_bass_is_gone_before_it_costs_peak(void **state)
{
	_cleanup_(freep) float *frames = signal_new(COUNT);
	_cleanup_(chain_freep) struct chain *chain = chain_of(CHAIN_HORN, RATE_HZ);

	(void)state;
	signal_sine(frames, COUNT, RATE_HZ, 50.0, 1.0, 0.0);
	assert_int_equal(run(chain, frames, COUNT, frames), COUNT);
	assert_true(signal_level(frames + RATE_HZ, RATE_HZ, RATE_HZ, 50.0) < 0.02);
}

static void test_never_above_the_ceiling(void **state)
{
	static const unsigned rates_hz[] = { 8000, 16000, 44100, 48000, 192000 };
	_cleanup_(freep) float *frames = signal_new(COUNT);

	(void)state;
	for (size_t r = 0; r < countof(rates_hz); r++)
		for (unsigned preset = 0; preset < CHAIN_PRESETS; preset++) {
			_cleanup_(chain_freep) struct chain *chain = chain_of(preset, rates_hz[r]);
			_cleanup_(loudness_freep) struct loudness *meter = loudness_new(
				rates_hz[r], true);
			assert_non_null(meter);
			signal_speech(frames, COUNT, rates_hz[r], 30.0, 3);
			assert_int_equal(run(chain, frames, COUNT, frames), COUNT);
			loudness_add(meter, frames, COUNT);
			assert_true(loudness_true_peak(meter) < LIMITER_CEILING_DBTP);
			assert_true(loudness_true_peak(meter) > LIMITER_CEILING_DBTP - 0.6);
		}
}

static void test_blocks_do_not_matter(void **state)
{
	static const size_t sizes[] = { 1, 7, 480 };
	_cleanup_(freep) float *in = signal_new(COUNT), *whole = signal_new(COUNT),
			       *cut = signal_new(COUNT);
	_cleanup_(chain_freep) struct chain *chain = chain_of(CHAIN_HORN, RATE_HZ);

	(void)state;
	signal_speech(in, COUNT, RATE_HZ, 1.0, 4);
	assert_int_equal(run(chain, in, COUNT, whole), COUNT);
	for (size_t s = 0; s < countof(sizes); s++) {
		size_t given = 0;
		memcpy(cut, in, COUNT * sizeof *in);
		for (size_t done = 0; done < COUNT; done += sizes[s])
			given += chain_run(chain, cut + done,
				COUNT - done < sizes[s] ? COUNT - done : sizes[s], cut + given);
		assert_int_equal(given, COUNT - chain_delay_frames(chain));
		given += chain_flush(chain, cut + given);
		assert_int_equal(given, COUNT);
		assert_memory_equal(whole, cut, COUNT * sizeof *cut);
	}
}

static void test_reset_forgets(void **state)
{
	_cleanup_(freep) float *in = signal_new(COUNT), *first = signal_new(COUNT),
			       *again = signal_new(COUNT);
	_cleanup_(chain_freep) struct chain *chain = chain_of(CHAIN_HORN, RATE_HZ);

	(void)state;
	signal_speech(in, COUNT, RATE_HZ, 1.0, 4);
	assert_int_equal(run(chain, in, COUNT, first), COUNT);
	(void)chain_run(chain, in, COUNT, again);
	chain_reset(chain);
	assert_int_equal(run(chain, in, COUNT, again), COUNT);
	assert_memory_equal(first, again, COUNT * sizeof *first);
}

static void test_nothing_poisons(void **state)
{
	static const float bad[] = { NAN, INFINITY, -INFINITY, 1e-44F };
	_cleanup_(freep) float *clean = signal_new(COUNT), *dirty = signal_new(COUNT);

	(void)state;
	for (unsigned preset = 0; preset < CHAIN_PRESETS; preset++) {
		_cleanup_(chain_freep) struct chain *chain = chain_of(preset, RATE_HZ);
		for (size_t b = 0; b < countof(bad); b++) {
			signal_speech(clean, COUNT, RATE_HZ, 1.0, 4);
			memcpy(dirty, clean, COUNT * sizeof *dirty);
			clean[100] = 0.0F;
			dirty[100] = bad[b];
			assert_int_equal(run(chain, clean, COUNT, clean), COUNT);
			assert_int_equal(run(chain, dirty, COUNT, dirty), COUNT);
			assert_memory_equal(clean, dirty, COUNT * sizeof *clean);
		}
	}
}

static void test_bounds(void **state)
{
	struct chain_config config = *chain_preset_config(CHAIN_HORN);

	(void)state;
	assert_null(chain_new(CHAIN_RATE_MIN_HZ - 1, &config));
	assert_int_equal(errno, EINVAL);
	assert_null(chain_new(CHAIN_RATE_MAX_HZ + 1, &config));
	config.ceiling_dbtp = 1.0;
	assert_null(chain_new(48000, &config));
	assert_null(chain_free(NULL));
}

/* A tone that stops, and then silence: after chain_ring_frames() next to nothing is left of it; a
 * quarter as long would not do. */
static void test_rings_out(void **state)
{
	_cleanup_(freep) float *frames = signal_new(COUNT);

	(void)state;
	for (unsigned preset = 0; preset < CHAIN_PRESETS; preset++) {
		_cleanup_(chain_freep) struct chain *chain = chain_of(preset, RATE_HZ);
		size_t ring = chain_ring_frames(chain), stop = COUNT / 2;
		assert_int_equal(ring > 0, chain_preset_config(preset)->high_pass_hz > 0.0);
		signal_sine(frames, stop, RATE_HZ, 310.0, 0.1, 0.0);
		memset(frames + stop, 0, (COUNT - stop) * sizeof *frames);
		assert_int_equal(run(chain, frames, COUNT, frames), COUNT);
		assert_true(fabsf(frames[stop + ring]) < 0.3e-3F);
		double most = 0.0;
		for (size_t i = stop + ring / 4; i < stop + ring; i++)
			most = fmax(most, fabs((double)frames[i]));
		assert_true(ring == 0 || most > 2e-3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_rings_out),
		cmocka_unit_test(test_soft_tones_see_filters_only),
		cmocka_unit_test(test_bass_is_gone_before_it_costs_peak),
		cmocka_unit_test(test_never_above_the_ceiling),
		cmocka_unit_test(test_blocks_do_not_matter),
		cmocka_unit_test(test_reset_forgets),
		cmocka_unit_test(test_nothing_poisons),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
