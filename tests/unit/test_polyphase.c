/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/polyphase.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND_MAX 192000

static float tone(size_t frame, double hz, unsigned rate_hz)
{
	return (float)sin(2.0 * M_PI * hz * (double)frame / rate_hz);
}

/* A second of `in` in blocks of `block` frames, `room` at most coming out at once. */
static size_t convert(struct polyphase *polyphase, const float *in, size_t count, size_t block,
	size_t room, float *out)
{
	size_t taken = 0, given = 0;

	for (;;) {
		size_t size = count - taken < block ? count - taken : block, used = 0;
		size_t got = polyphase_run(
			polyphase, in + taken, size, size == 0, &used, out + given, room);
		taken += used;
		given += got;
		if (size == 0 && got == 0)
			return given;
	}
}

/* In dB below a tone of 1: what is left of `frames` without the best fit of the tone at `hz`, in
 * the middle of the second; *ret_gain_db is that tone's. */
static double rest_db(
	const float *frames, size_t count, double hz, unsigned rate_hz, double *ret_gain_db)
{
	size_t from = rate_hz / 4, size = rate_hz / 2; /* whole periods of whole even frequencies */
	double re = 0.0, im = 0.0, power = 0.0;

	assert_true(from + size <= count);
	for (size_t i = from; i < from + size; i++) {
		re += frames[i] * sin(2.0 * M_PI * hz * (double)i / rate_hz);
		im += frames[i] * cos(2.0 * M_PI * hz * (double)i / rate_hz);
	}
	re *= 2.0 / (double)size;
	im *= 2.0 / (double)size;
	for (size_t i = from; i < from + size; i++) {
		double rest = frames[i] - re * sin(2.0 * M_PI * hz * (double)i / rate_hz) -
			      im * cos(2.0 * M_PI * hz * (double)i / rate_hz);
		power += rest * rest;
	}
	*ret_gain_db = 20.0 * log10(hypot(re, im) + 1e-12);
	return 10.0 * log10(2.0 * power / (double)size + 1e-20);
}

static const struct {
	unsigned from_hz, to_hz;
	double hz;
	bool passes;
} tones[] = {
	{ 22050, 48000, 300, true },
	{ 22050, 48000, 4000, true },
	{ 22050, 48000, 8800, true },
	{ 22050, 44100, 8800, true },
	{ 16000, 48000, 6400, true },
	{ 24000, 48000, 9600, true },
	{ 44100, 48000, 17600, true },
	{ 48000, 44100, 17600, true },
	{ 96000, 48000, 19000, true },
	{ 8000, 192000, 3200, true },
	{ 192000, 8000, 3200, true },
	{ 48000, 44100, 22060, false },
	{ 96000, 48000, 24010, false },
	{ 96000, 48000, 40000, false },
	{ 192000, 8000, 4100, false },
};

static void test_tones_pass_clean_or_not_at_all(void **state)
{
	static float in[SECOND_MAX], out[SECOND_MAX + 8];

	(void)state;
	for (size_t i = 0; i < countof(tones); i++) {
		unsigned from_hz = tones[i].from_hz, to_hz = tones[i].to_hz;
		double hz = tones[i].hz, gain_db;
		_cleanup_(polyphase_freep) struct polyphase *p = polyphase_new(from_hz, to_hz);
		assert_non_null(p);
		for (size_t k = 0; k < from_hz; k++)
			in[k] = tone(k, hz, from_hz);
		assert_int_equal(convert(p, in, from_hz, from_hz, countof(out) / 4, out), to_hz);
		double rest = rest_db(out, to_hz, hz, to_hz, &gain_db);
		if (getenv("SHOW"))
			print_message("%u → %u Hz, %.0f Hz: %.2f dB, rest %.1f dB\n", from_hz,
				to_hz, hz, gain_db, rest);
		if (rest > -100.0 || (tones[i].passes ? fabs(gain_db) > 0.1 : gain_db > -100.0))
			fail_msg("%u → %u Hz, %.0f Hz: %.2f dB, rest %.1f dB", from_hz, to_hz, hz,
				gain_db, rest);
	}
}

/* A frame comes out where it went in: neither the first nor the last is late. */
static void test_nothing_is_shifted(void **state)
{
	static float in[22050], out[48008];
	_cleanup_(polyphase_freep) struct polyphase *p = polyphase_new(22050, 48000);

	(void)state;
	for (size_t i = 0; i < countof(in); i++)
		in[i] = tone(i, 1000.0, 22050);
	assert_int_equal(convert(p, in, countof(in), 100, 100, out), 48000);
	for (size_t i = 200; i < 47800; i++)
		if (fabsf(out[i] - tone(i, 1000.0, 48000)) > 3e-5F)
			fail_msg("frame %zu: %f", i, (double)out[i]);
}

static void test_a_constant_stays_the_same(void **state)
{
	static float in[22050], out[48008];
	_cleanup_(polyphase_freep) struct polyphase *p = polyphase_new(22050, 48000);

	(void)state;
	for (size_t i = 0; i < countof(in); i++)
		in[i] = 0.5F;
	assert_int_equal(convert(p, in, countof(in), 1000, 1000, out), 48000);
	for (size_t i = 200; i < 47800; i++)
		if (fabsf(out[i] - 0.5F) > 2e-7F)
			fail_msg("frame %zu: %.9f", i, (double)out[i]);
}

/* Nor on what was converted before. */
static void test_the_result_does_not_depend_on_the_cut(void **state)
{
	static const size_t cuts[][2] = { { 1, 8 }, { 7, 3 }, { 512, 1 }, { 1000, 512 },
		{ 3, 999 } };
	static float in[4800], whole[96000], cut[96000];
	static const unsigned rates[][2] = { { 22050, 48000 }, { 96000, 44100 }, { 192000, 8000 } };

	(void)state;
	for (size_t i = 0; i < countof(in); i++)
		in[i] = (float)((i * 7919) % 1000) / 500.0F - 1.0F;
	for (size_t r = 0; r < countof(rates); r++) {
		_cleanup_(polyphase_freep) struct polyphase *p = polyphase_new(
			rates[r][0], rates[r][1]);
		size_t count = convert(p, in, countof(in), countof(in), 90000, whole);
		for (size_t i = 0; i < countof(cuts); i++) {
			assert_int_equal(
				convert(p, in, countof(in), cuts[i][0], cuts[i][1], cut), count);
			assert_memory_equal(cut, whole, count * sizeof *cut);
		}
		size_t used;
		(void)polyphase_run(p, in, 100, false, &used, cut, 50);
		polyphase_reset(p);
		assert_int_equal(convert(p, in, countof(in), 400, 400, cut), count);
		assert_memory_equal(cut, whole, count * sizeof *cut);
	}
}

static void test_nothing_in_nothing_out(void **state)
{
	_cleanup_(polyphase_freep) struct polyphase *p = polyphase_new(16000, 48000);
	float out[8];
	size_t used = 9;

	(void)state;
	assert_int_equal(polyphase_run(p, NULL, 0, false, &used, out, 8), 0);
	assert_int_equal(polyphase_run(p, NULL, 0, true, &used, out, 8), 0);
	assert_int_equal(used, 0);
}

static void test_a_ratio_of_large_numbers_is_refused(void **state)
{
	(void)state;
	errno = 0;
	assert_null(polyphase_new(22051, 48000));
	assert_int_equal(errno, EDOM);
	assert_null(polyphase_new(0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tones_pass_clean_or_not_at_all),
		cmocka_unit_test(test_nothing_is_shifted),
		cmocka_unit_test(test_a_constant_stays_the_same),
		cmocka_unit_test(test_the_result_does_not_depend_on_the_cut),
		cmocka_unit_test(test_nothing_in_nothing_out),
		cmocka_unit_test(test_a_ratio_of_large_numbers_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
