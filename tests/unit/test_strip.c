/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/strip.h"
#include "audio/loudness.h"
#include "tests/unit/sound_signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { RATE_HZ = 48000, AHEAD_MS = 2000, EDGE = RATE_HZ * STRIP_EDGE_MS / 1000 };

struct desk {
	struct levels *levels;
	struct strip *strip;
	float *out;
	size_t count, capacity;
};

static void desk_init(struct desk *desk)
{
	desk->levels = levels_new();
	desk->strip = strip_new(RATE_HZ, chain_preset_config(CHAIN_FLAT), AHEAD_MS, desk->levels);
	assert_non_null(desk->strip);
	desk->capacity = 60 * RATE_HZ;
	desk->out = signal_new(desk->capacity);
	desk->count = 0;
}

static void desk_done(struct desk *desk)
{
	strip_free(desk->strip);
	levels_free(desk->levels);
	free(desk->out);
}

static void take(struct desk *desk, const float *frames, size_t count)
{
	assert_true(desk->count + count <= desk->capacity);
	memcpy(desk->out + desk->count, frames, count * sizeof *frames);
	desk->count += count;
}

/* In blocks of changing size. */
static void run(struct desk *desk, const float *frames, size_t count)
{
	static const size_t sizes[] = { 1, 7, 512, 100, STRIP_TAKE_MAX, 239 };

	for (size_t done = 0, turn = 0; done < count; turn++) {
		const float *given;
		size_t size = sizes[turn % 6] < count - done ? sizes[turn % 6] : count - done;
		size_t got = strip_run(desk->strip, frames + done, size, &given);
		take(desk, given, got);
		done += size;
	}
}

static void pause_(struct desk *desk)
{
	const float *given;
	size_t count = strip_pause(desk->strip, &given);

	take(desk, given, count);
}

static void end(struct desk *desk)
{
	const float *given;
	size_t count = strip_end(desk->strip, &given);

	take(desk, given, count);
}

static void piece(struct desk *desk, const char *key, const float *frames, size_t count)
{
	desk->count = 0;
	strip_begin(desk->strip, key);
	run(desk, frames, count);
	end(desk);
	assert_int_equal(desk->count, count);
}

/* What comes out is what went in times one gain, but for the edges. */
static double gain_of(const struct desk *desk, const float *frames, size_t from, size_t to)
{
	double most = 0;

	double dot = 0, square = 0;

	for (size_t i = from; i < to; i++) {
		dot += (double)desk->out[i] * frames[i];
		square += (double)frames[i] * frames[i];
	}
	double gain = dot / square;
	for (size_t i = from; i < to; i++)
		most = fmax(most, fabs((double)desk->out[i] - gain * frames[i]));
	assert_true(most < 0.01); /* a stream's gain rides a little */
	return gain;
}

/* A short one is held back whole and comes out at the target; so does the one after it, at once. */
static void test_pieces_of_one_source(void **state)
{
	(void)state;
	struct desk desk;
	const size_t count = RATE_HZ;
	float *frames = signal_new(count);
	const float *given;

	desk_init(&desk);
	signal_sine(frames, count, RATE_HZ, 600, 0.02, 0);
	strip_begin(desk.strip, "giọng");
	assert_int_equal(strip_run(desk.strip, frames, 4000, &given), 0);
	piece(&desk, "giọng", frames, count);
	double lufs = loudness_of(desk.out, count, RATE_HZ);
	assert_true(fabs(lufs + 16.0) < CHAIN_TOLERANCE_LU);
	double first = gain_of(&desk, frames, EDGE, count - EDGE);

	strip_begin(desk.strip, "giọng");
	assert_int_equal(strip_run(desk.strip, frames, 4000, &given), 4000 - EDGE);
	piece(&desk, "giọng", frames, count);
	double ratio_db = 20 * log10(gain_of(&desk, frames, EDGE, 2000) / first);
	assert_true(fabs(ratio_db) < 0.01); /* the gain goes on where it was */
	free(frames);
	desk_done(&desk);
}

/* Another strip that shares what is known does not hold the source back. */
static void test_a_level_is_remembered(void **state)
{
	(void)state;
	struct desk desk;
	const size_t count = RATE_HZ;
	float *frames = signal_new(count);
	const float *given;

	desk_init(&desk);
	signal_sine(frames, count, RATE_HZ, 600, 0.02, 0);
	piece(&desk, "giọng", frames, count);
	double first = gain_of(&desk, frames, EDGE, count - EDGE);
	strip_free(desk.strip);
	desk.strip = strip_new(RATE_HZ, chain_preset_config(CHAIN_FLAT), AHEAD_MS, desk.levels);
	strip_begin(desk.strip, "giọng khác");
	assert_int_equal(strip_run(desk.strip, frames, 4000, &given), 0);
	piece(&desk, "giọng", frames, count);
	assert_true(fabs(gain_of(&desk, frames, EDGE, 2000) / first - 1) < 1e-3);

	/* A source without a name is measured each time: here it is 20 dB louder. */
	piece(&desk, NULL, frames, count);
	for (size_t i = 0; i < count; i++)
		frames[i] *= 10.0F;
	piece(&desk, NULL, frames, count);
	assert_true(fabs(loudness_of(desk.out, count, RATE_HZ) + 16.0) < CHAIN_TOLERANCE_LU);
	free(frames);
	desk_done(&desk);
}

/* A silent sentence is no reason to believe that the voice is known. */
static void test_silence_teaches_nothing(void **state)
{
	(void)state;
	struct desk desk;
	const size_t count = RATE_HZ;
	float *frames = signal_new(count);
	double gain_db;

	desk_init(&desk);
	piece(&desk, "giọng", frames, count);
	assert_false(levels_find(desk.levels, "giọng", &gain_db));
	signal_sine(frames, count, RATE_HZ, 600, 0.02, 0);
	piece(&desk, "giọng", frames, count);
	assert_true(fabs(loudness_of(desk.out, count, RATE_HZ) + 16.0) < CHAIN_TOLERANCE_LU);
	assert_true(levels_find(desk.levels, "giọng", &gain_db));
	free(frames);
	desk_done(&desk);
}

/* A long one comes through when AHEAD_MS of it are there, whole and in order. */
static void test_a_stream(void **state)
{
	(void)state;
	struct desk desk;
	const size_t count = 6 * RATE_HZ, ahead = RATE_HZ * AHEAD_MS / 1000;
	float *frames = signal_new(count);

	desk_init(&desk);
	signal_sine(frames, count, RATE_HZ, 700, 0.5, 0);
	strip_begin(desk.strip, NULL);
	run(&desk, frames, ahead - 1);
	assert_int_equal(desk.count, 0);
	run(&desk, frames + ahead - 1, count - ahead + 1);
	assert_true(desk.count >= count - 2 * EDGE && desk.count <= count - EDGE);
	end(&desk);
	assert_int_equal(desk.count, count);
	(void)gain_of(&desk, frames, EDGE, count - EDGE);
	free(frames);
	desk_done(&desk);
}

/* The largest step between two frames, as a share of what the sine itself has. */
static double roughness(const float *frames, size_t count, double hz, double amplitude)
{
	double most = fmax(fabs((double)frames[0]), fabs((double)frames[count - 1]));

	for (size_t i = 1; i < count; i++)
		most = fmax(most, fabs((double)frames[i] - (double)frames[i - 1]));
	return most / (2.0 * M_PI * hz / RATE_HZ * amplitude);
}

/* A cosine begins and ends at its peak: what comes out does not, nor around a pause. */
static void test_soft_edges(void **state)
{
	(void)state;
	struct desk desk;
	const size_t count = RATE_HZ;
	float *frames = signal_new(count);
	double amplitude = 0.5;

	desk_init(&desk);
	signal_sine(frames, count, RATE_HZ, 500, amplitude, M_PI / 2);
	piece(&desk, "a", frames, count);
	amplitude *= gain_of(&desk, frames, EDGE, count - EDGE);
	assert_true(roughness(desk.out, count, 500, amplitude) < 1.1);

	desk.count = 0;
	strip_begin(desk.strip, "a");
	run(&desk, frames, count / 2 + 24);
	pause_(&desk);
	assert_int_equal(desk.count, count / 2 + 24);
	assert_true(roughness(desk.out, desk.count, 500, amplitude) < 1.1);
	desk.count = 0;
	run(&desk, frames + count / 2 + 24, count / 2 - 24);
	end(&desk);
	assert_int_equal(desk.count, count / 2 - 24);
	assert_true(roughness(desk.out, desk.count, 500, amplitude) < 1.1);

	/* Less than two edges. */
	for (size_t small = 60; small < 2 * EDGE; small += 50) {
		piece(&desk, "a", frames, small);
		assert_true(fabsf(desk.out[0]) < 0.02F && fabsf(desk.out[small - 1]) < 0.02F);
	}

	/* The same of a piece in place. */
	strip_whole(desk.strip, "b", frames, count);
	amplitude = 0.0;
	for (size_t i = EDGE; i < count - EDGE; i++)
		amplitude = fmax(amplitude, fabs((double)frames[i]));
	assert_true(roughness(frames, count, 500, amplitude) < 1.1);
	assert_true(fabs(loudness_of(frames, count, RATE_HZ) + 16.0) < CHAIN_TOLERANCE_LU);
	free(frames);
	desk_done(&desk);
}

/* What has not begun to sound stays held in a pause, and is forgotten if another piece begins. */
static void test_a_pause_before_the_first_sound(void **state)
{
	(void)state;
	struct desk desk;
	float *frames = signal_new(RATE_HZ);

	desk_init(&desk);
	signal_sine(frames, RATE_HZ, RATE_HZ, 600, 0.02, 0);
	strip_begin(desk.strip, "a");
	run(&desk, frames, 10000);
	pause_(&desk);
	assert_int_equal(desk.count, 0);
	run(&desk, frames + 10000, 1000);
	end(&desk);
	assert_int_equal(desk.count, 11000);
	strip_begin(desk.strip, "b");
	run(&desk, frames, 10000);
	piece(&desk, "c", frames, 500); /* checks the count */
	free(frames);
	desk_done(&desk);
}

static void test_no_sound_at_all(void **state)
{
	(void)state;
	struct desk desk;
	float none[1] = { 0 };

	desk_init(&desk);
	piece(&desk, "a", none, 0);
	strip_whole(desk.strip, "b", none, 0);
	strip_whole(desk.strip, "b", none, 1);
	pause_(&desk);
	end(&desk);
	assert_int_equal(desk.count, 0);
	desk_done(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_of_one_source),
		cmocka_unit_test(test_a_level_is_remembered),
		cmocka_unit_test(test_silence_teaches_nothing),
		cmocka_unit_test(test_a_stream),
		cmocka_unit_test(test_soft_edges),
		cmocka_unit_test(test_a_pause_before_the_first_sound),
		cmocka_unit_test(test_no_sound_at_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
