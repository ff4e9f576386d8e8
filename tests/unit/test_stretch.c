/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/stretch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RATE_HZ 48000
#define CHUNK   480
#define CHUNKS  100
#define COUNT   ((size_t)CHUNK * CHUNKS)

static struct stretch_table table;

static int set_up(void **state)
{
	(void)state;
	stretch_table_init(&table);
	return 0;
}

static double sine(double frame, double hz)
{
	return 0.5 * sin(2 * M_PI * hz * frame / RATE_HZ);
}

/* The sine as it was; `step` of the n-th chunk decides how it is played. Returns the frames taken. */
static size_t play(double hz, double (*step)(size_t chunk), float *ret_frames, double *ret_places)
{
	float first[STRETCH_AHEAD];
	float frames[STRETCH_TAPS + CHUNK + 2];
	struct stretch stretch;
	size_t taken = 0;
	double place = 0;

	for (size_t i = 0; i < STRETCH_AHEAD; i++)
		first[i] = (float)sine((double)taken++, hz);
	stretch_init(&stretch, first);
	for (size_t chunk = 0; chunk < CHUNKS; chunk++) {
		size_t needs = stretch_needs(&stretch, CHUNK, step(chunk));
		assert_true(needs <= CHUNK + 2);
		for (size_t i = 0; i < needs; i++)
			frames[STRETCH_TAPS + i] = (float)sine((double)taken++, hz);
		stretch_run(&stretch, &table, frames, CHUNK, step(chunk), ret_frames);
		ret_frames += CHUNK;
		for (size_t i = 0; i < CHUNK; i++)
			*ret_places++ = place + (double)i * step(chunk);
		place += CHUNK * step(chunk);
	}
	return taken;
}

/* What is not the sine where it should be, below it, in dB; the beginning has silence before it. */
static double distortion_db(double hz, double (*step)(size_t chunk))
{
	static float frames[COUNT];
	static double places[COUNT];
	double wrong = 0;
	double right = 0;

	(void)play(hz, step, frames, places);
	for (size_t i = 32; i < COUNT; i++) {
		double ideal = sine(places[i], hz);
		wrong += ((double)frames[i] - ideal) * ((double)frames[i] - ideal);
		right += ideal * ideal;
	}
	return 10 * log10(wrong / right);
}

static double faster(size_t chunk)
{
	(void)chunk;
	return 1 + 300e-6;
}

static double slower(size_t chunk)
{
	(void)chunk;
	return 1 - 300e-6;
}

static double as_it_is(size_t chunk)
{
	(void)chunk;
	return 1;
}

static double restless(size_t chunk)
{
	return 1 + 600e-6 * sin((double)chunk);
}

static void test_a_sine_stays_a_sine(void **state)
{
	static const double hz[] = { 100, 1000, 4000, 10000, 16000 };

	(void)state;
	for (size_t i = 0; i < sizeof hz / sizeof *hz; i++) {
		print_message("%5.0f Hz: %6.1f dB, %6.1f dB, %6.1f dB\n", hz[i],
			distortion_db(hz[i], faster), distortion_db(hz[i], slower),
			distortion_db(hz[i], restless));
		assert_true(distortion_db(hz[i], faster) < -80);
		assert_true(distortion_db(hz[i], slower) < -80);
		assert_true(distortion_db(hz[i], restless) < -80);
	}
}

/* Between two frames, too, all frequencies up to 18 kHz are as loud as they were. */
static void test_passband_is_flat(void **state)
{
	(void)state;
	for (double hz = 200; hz <= 18000; hz += 200) {
		for (size_t phase = 0; phase <= STRETCH_PHASES; phase += 16) {
			double real = 0;
			double imaginary = 0;
			for (size_t i = 0; i < STRETCH_TAPS; i++) {
				double angle = 2 * M_PI * hz * (double)i / RATE_HZ;
				real += (double)table.taps[phase][i] * cos(angle);
				imaginary += (double)table.taps[phase][i] * sin(angle);
			}
			double db = 20 * log10(hypot(real, imaginary));
			if (fabs(db) > 0.01)
				fail_msg("%.0f Hz, phase %zu: %+.4f dB", hz, phase, db);
		}
	}
}

static void test_a_step_of_one_changes_nothing(void **state)
{
	static float frames[COUNT];
	static double places[COUNT];

	(void)state;
	assert_int_equal(play(1000, as_it_is, frames, places), COUNT + STRETCH_AHEAD);
	for (size_t i = 0; i < COUNT; i++)
		assert_true(frames[i] == (float)sine((double)i, 1000));
}

/* What it takes is what the step says: nothing is lost in the long run. */
static void test_takes_as_much_as_the_step_says(void **state)
{
	static float frames[COUNT];
	static double places[COUNT];

	(void)state;
	assert_in_range(play(1000, faster, frames, places) - STRETCH_AHEAD, COUNT + 14,
		COUNT + 15); /* 48,000 × 300e-6 = 14.4 */
	assert_in_range(play(1000, slower, frames, places) - STRETCH_AHEAD, COUNT - 15, COUNT - 14);
}

static void test_gives_is_the_inverse_of_needs(void **state)
{
	(void)state;
	for (double fraction = 0; fraction < 1; fraction += 0.0999) {
		const struct stretch stretch = { .fraction = fraction };
		for (size_t added = 1; added < 3000; added += 7) {
			for (int sign = -1; sign <= 1; sign++) {
				double step = 1 + sign * 600e-6;
				size_t count = stretch_gives(&stretch, added, step);
				assert_true(stretch_needs(&stretch, count, step) <= added);
				assert_true(stretch_needs(&stretch, count + 1, step) > added);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_sine_stays_a_sine),
		cmocka_unit_test(test_passband_is_flat),
		cmocka_unit_test(test_a_step_of_one_changes_nothing),
		cmocka_unit_test(test_takes_as_much_as_the_step_says),
		cmocka_unit_test(test_gives_is_the_inverse_of_needs),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
