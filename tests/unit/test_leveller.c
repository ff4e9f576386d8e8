/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/leveller.h"
#include "audio/loudness.h"
#include "base/cleanup.h"
#include "tests/unit/sound_signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { RATE_HZ = 48000, BLOCK = 480 };

static struct leveller *leveller_of(enum chain_preset preset)
{
	struct leveller *leveller = leveller_new(RATE_HZ, chain_preset_config(preset));

	assert_non_null(leveller);
	return leveller;
}

/* Loudness of what the leveller gave, behind a chain; in place. */
static double behind_chain(enum chain_preset preset, float *frames, size_t count)
{
	_cleanup_(chain_freep) struct chain *chain = chain_new(
		RATE_HZ, chain_preset_config(preset));

	assert_non_null(chain);
	size_t given = chain_run(chain, frames, count, frames);
	given += chain_flush(chain, frames + given);
	assert_int_equal(given, count);
	return loudness_of(frames, count, RATE_HZ);
}

static void chime(float *frames, size_t count, double amplitude)
{
	for (size_t i = 0; i < count; i++) {
		double s = (double)i / RATE_HZ;
		frames[i] = (float)(amplitude * exp(-2.0 * s) * 0.5 *
				    (sin(2.0 * M_PI * 660.0 * s) + sin(2.0 * M_PI * 880.0 * s)));
	}
}

/* Chords that go on, with bass. */
static void music(float *frames, size_t count, double amplitude)
{
	for (size_t i = 0; i < count; i++) {
		double s = (double)i / RATE_HZ, root = 110.0 * pow(2.0, fmod(floor(s), 4.0) / 4.0);
		double sum = 0.0;
		for (int k = 1; k <= 12; k++)
			sum += sin(2.0 * M_PI * root * k * s) / k;
		frames[i] = (float)(amplitude * sum * (0.6 + 0.4 * exp(-3.0 * fmod(s, 0.5))));
	}
}

static void speech(float *frames, size_t count, double amplitude)
{
	signal_speech(frames, count, RATE_HZ, amplitude, 11);
}

/* Speech, chimes, music, short and long, loud and soft, known whole: all within the tolerance of
 * the target, behind the chain of each preset. */
static void test_whole_pieces_are_equally_loud(void **state)
{
	static const struct {
		void (*make)(float *frames, size_t count, double amplitude);
		double amplitude;
		size_t count;
	} pieces[] = {
		{ speech, 0.5, 8 * RATE_HZ },
		{ speech, 0.03, 4 * RATE_HZ },
		{ chime, 0.9, 3 * RATE_HZ },
		{ chime, 0.03, RATE_HZ },
		{ music, 0.3, 6 * RATE_HZ },
		{ speech, 1.0, RATE_HZ / 5 },
	};

	(void)state;
	for (unsigned preset = 0; preset < CHAIN_PRESETS; preset++) {
		_cleanup_(leveller_freep) struct leveller *leveller = leveller_of(preset);
		double target_lufs = chain_preset_config(preset)->target_lufs;
		for (size_t i = 0; i < countof(pieces); i++) {
			size_t count = pieces[i].count;
			_cleanup_(freep) float *frames = signal_new(count);
			pieces[i].make(frames, count, pieces[i].amplitude);
			assert_int_equal(leveller_begin(leveller, frames, count, true), 0);
			leveller_run(leveller, frames, count);
			double lufs = behind_chain(preset, frames, count);
			/* The last one is short: there its loudness is not as well defined. */
			double within = count < RATE_HZ / 2 ? 1.0 : CHAIN_TOLERANCE_LU;
			if (fabs(lufs - target_lufs) > within)
				fail_msg("%s, piece %zu: %.2f LUFS", chain_preset_name(preset), i,
					lufs);
		}
	}
}

/* Silence teaches nothing; a click is not driven into the limiter for ever. */
static void test_silence_and_clicks(void **state)
{
	_cleanup_(leveller_freep) struct leveller *leveller = leveller_of(CHAIN_HORN);
	_cleanup_(freep) float *frames = signal_new(2 * RATE_HZ);

	(void)state;
	leveller_set_gain_db(leveller, 7.0);
	assert_int_equal(leveller_begin(leveller, frames, 2 * RATE_HZ, true), 0);
	assert_near(leveller_gain_db(leveller), 7.0, 1e-9);
	assert_int_equal(leveller_begin(leveller, frames, 0, true), 0);
	assert_near(leveller_gain_db(leveller), 7.0, 1e-9);
	for (size_t i = 0; i < (size_t)2 * RATE_HZ; i += RATE_HZ / 10)
		frames[i] = 0.5F;
	assert_int_equal(leveller_begin(leveller, frames, (size_t)2 * RATE_HZ, true), 0);
	assert_true(leveller_gain_db(leveller) < LEVELLER_GAIN_MAX_DB - 5.0);
	leveller_set_gain_db(leveller, 99.0);
	assert_near(leveller_gain_db(leveller), LEVELLER_GAIN_MAX_DB, 1e-9);
}

/* Sends a stream through; the gain never moves faster than `most_db_s`. */
static void stream(struct leveller *leveller, float *frames, size_t count, double most_db_s)
{
	for (size_t done = 0; done < count; done += BLOCK) {
		double before_db = leveller_gain_db(leveller);
		leveller_run(leveller, frames + done, BLOCK);
		double moved_db = fabs(leveller_gain_db(leveller) - before_db);
		assert_true(moved_db <= most_db_s * BLOCK / RATE_HZ + 1e-9);
	}
}

/* Nothing is known: it finds its level within seconds, then hardly moves. */
static void test_stream_of_which_nothing_is_known(void **state)
{
	enum { SECONDS = 30 };
	static const double amplitudes[] = { 0.1, 0.9 };
	_cleanup_(freep) float *frames = signal_new((size_t)SECONDS * RATE_HZ);

	(void)state;
	for (size_t a = 0; a < countof(amplitudes); a++) {
		_cleanup_(leveller_freep) struct leveller *leveller = leveller_of(CHAIN_COLUMN);
		speech(frames, (size_t)SECONDS * RATE_HZ, amplitudes[a]);
		assert_int_equal(leveller_begin(leveller, NULL, 0, false), 0);
		stream(leveller, frames, (size_t)5 * RATE_HZ, LEVELLER_SEEK_DB_S);
		double found_db = leveller_gain_db(leveller);
		stream(leveller, frames + (size_t)5 * RATE_HZ, (size_t)(SECONDS - 5) * RATE_HZ,
			LEVELLER_RIDE_DB_S);
		assert_near(leveller_gain_db(leveller), found_db, 3.0);
		double lufs = behind_chain(CHAIN_COLUMN, frames + (size_t)10 * RATE_HZ,
			(size_t)(SECONDS - 10) * RATE_HZ);
		assert_near(lufs, chain_preset_config(CHAIN_COLUMN)->target_lufs, 1.0);
	}
}

/* With a known beginning it is right from the first frame; a soft passage in the middle is brought
 * up slowly; a pause, however long, is not. */
static void test_stream_rides_slowly_and_not_in_pauses(void **state)
{
	enum { PART = 20 * RATE_HZ };
	_cleanup_(freep) float *frames = signal_new(PART);
	_cleanup_(leveller_freep) struct leveller *leveller = leveller_of(CHAIN_COLUMN);
	double target_lufs = chain_preset_config(CHAIN_COLUMN)->target_lufs;

	(void)state;
	speech(frames, PART, 0.3);
	assert_int_equal(leveller_begin(leveller, frames, (size_t)5 * RATE_HZ, false), 0);
	double known_db = leveller_gain_db(leveller);
	stream(leveller, frames, PART, LEVELLER_RIDE_DB_S);
	assert_near(leveller_gain_db(leveller), known_db, 3.0);
	assert_near(behind_chain(CHAIN_COLUMN, frames, PART), target_lufs, 1.0);

	double before_db = leveller_gain_db(leveller);
	signal_noise(frames, PART, 0.0003, 3);
	stream(leveller, frames, PART, LEVELLER_RIDE_DB_S);
	assert_near(leveller_gain_db(leveller), before_db, 0.2);

	/* 8 dB softer, for a minute: at the end it is where it belongs. */
	for (int part = 0; part < 3; part++) {
		speech(frames, PART, 0.12);
		stream(leveller, frames, PART, LEVELLER_RIDE_DB_S);
	}
	assert_true(leveller_gain_db(leveller) > before_db + 6.0);
	assert_near(behind_chain(CHAIN_COLUMN, frames, PART), target_lufs, 1.0);

	/* 15 dB softer, which is no pause when it lasts. */
	for (int part = 0; part < 5; part++) {
		speech(frames, PART, 0.055);
		stream(leveller, frames, PART, LEVELLER_RIDE_DB_S);
	}
	assert_near(behind_chain(CHAIN_COLUMN, frames, PART), target_lufs, 1.5);
}

/* Hiss, far below the speech, is a pause for some seconds; then it is the programme. */
static void test_pause_ends(void **state)
{
	enum { PART = 20 * RATE_HZ };
	_cleanup_(freep) float *frames = signal_new(PART);
	_cleanup_(leveller_freep) struct leveller *leveller = leveller_of(CHAIN_FLAT);

	(void)state;
	speech(frames, PART, 0.5);
	assert_int_equal(leveller_begin(leveller, frames, PART, false), 0);
	stream(leveller, frames, PART, LEVELLER_RIDE_DB_S);
	double before_db = leveller_gain_db(leveller);
	signal_noise(frames, PART, 0.015, 3);
	stream(leveller, frames, (size_t)6 * RATE_HZ, LEVELLER_RIDE_DB_S);
	assert_near(leveller_gain_db(leveller), before_db, 0.3);
	for (int part = 0; part < 3; part++) {
		signal_noise(frames, PART, 0.015, 3);
		stream(leveller, frames, PART, LEVELLER_RIDE_DB_S);
	}
	assert_true(leveller_gain_db(leveller) > before_db + 5.0);
}

/* Chime, sentence, sentence, recording, each of another level: no jump of more than 1 LU. */
static void test_no_jump_between_pieces(void **state)
{
	_cleanup_(leveller_freep) struct leveller *voice = leveller_of(CHAIN_HORN);
	_cleanup_(leveller_freep) struct leveller *chimes = leveller_of(CHAIN_HORN);
	_cleanup_(leveller_freep) struct leveller *media = leveller_of(CHAIN_HORN);
	struct {
		struct leveller *leveller;
		void (*make)(float *frames, size_t count, double amplitude);
		double amplitude;
		bool whole;
	} pieces[] = {
		{ chimes, chime, 0.2, true },
		{ voice, speech, 0.6, true },
		{ voice, speech, 0.4, true },
		{ media, music, 0.05, false },
		{ voice, speech, 0.6, true },
		{ chimes, chime, 0.2, true },
	};
	enum { COUNT = 6 * RATE_HZ };
	_cleanup_(freep) float *frames = signal_new(COUNT);
	double last_lufs = chain_preset_config(CHAIN_HORN)->target_lufs;

	(void)state;
	for (size_t i = 0; i < countof(pieces); i++) {
		size_t known = pieces[i].whole ? COUNT : (size_t)3 * RATE_HZ;
		pieces[i].make(frames, COUNT, pieces[i].amplitude);
		assert_int_equal(
			leveller_begin(pieces[i].leveller, frames, known, pieces[i].whole), 0);
		leveller_run(pieces[i].leveller, frames, COUNT);
		double lufs = behind_chain(CHAIN_HORN, frames, COUNT);
		if (fabs(lufs - last_lufs) > 1.0)
			fail_msg("piece %zu: %.2f LUFS after %.2f", i, lufs, last_lufs);
		last_lufs = lufs;
	}
}

static void test_blocks_do_not_matter(void **state)
{
	enum { COUNT = 4 * RATE_HZ };
	static const size_t sizes[] = { 1, 7, 480 };
	_cleanup_(freep) float *whole = signal_new(COUNT), *cut = signal_new(COUNT);
	_cleanup_(leveller_freep) struct leveller *leveller = leveller_of(CHAIN_HORN);

	(void)state;
	speech(whole, COUNT, 0.1);
	assert_int_equal(leveller_begin(leveller, NULL, 0, false), 0);
	leveller_run(leveller, whole, COUNT);
	for (size_t s = 0; s < countof(sizes); s++) {
		_cleanup_(leveller_freep) struct leveller *other = leveller_of(CHAIN_HORN);
		speech(cut, COUNT, 0.1);
		assert_int_equal(leveller_begin(other, NULL, 0, false), 0);
		for (size_t done = 0; done < COUNT; done += sizes[s])
			leveller_run(other, cut + done,
				COUNT - done < sizes[s] ? COUNT - done : sizes[s]);
		assert_memory_equal(whole, cut, COUNT * sizeof *cut);
		assert_near(leveller_gain_db(other), leveller_gain_db(leveller), 0.0);
	}
}

static void test_nothing_poisons(void **state)
{
	enum { COUNT = 3 * RATE_HZ };
	_cleanup_(freep) float *frames = signal_new(COUNT);
	_cleanup_(leveller_freep) struct leveller *leveller = leveller_of(CHAIN_HORN);

	(void)state;
	speech(frames, COUNT, 0.3);
	frames[1000] = NAN;
	frames[50000] = INFINITY;
	assert_int_equal(leveller_begin(leveller, frames, COUNT, false), 0);
	assert_true(isfinite(leveller_gain_db(leveller)));
	leveller_run(leveller, frames, COUNT);
	assert_true(frames[1000] == 0.0F && frames[50000] == 0.0F);
	for (size_t i = 0; i < COUNT; i++)
		assert_true(isfinite(frames[i]));
	assert_true(isfinite(leveller_gain_db(leveller)));
	assert_near(behind_chain(CHAIN_HORN, frames, COUNT),
		chain_preset_config(CHAIN_HORN)->target_lufs, 1.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_pieces_are_equally_loud),
		cmocka_unit_test(test_silence_and_clicks),
		cmocka_unit_test(test_stream_of_which_nothing_is_known),
		cmocka_unit_test(test_stream_rides_slowly_and_not_in_pauses),
		cmocka_unit_test(test_pause_ends),
		cmocka_unit_test(test_no_jump_between_pieces),
		cmocka_unit_test(test_blocks_do_not_matter),
		cmocka_unit_test(test_nothing_poisons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
