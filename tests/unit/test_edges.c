/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/edges.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RATE_HZ 48000
#define FADE    240 /* frames: EDGES_MS */

/* Feeds `count` frames of full scale in pieces of `piece` and ends; returns what came out. */
static size_t plateau(struct edges *edges, size_t count, size_t piece, float *ret_frames)
{
	size_t given = 0;

	while (count > 0) {
		size_t now = count < piece ? count : piece;
		for (size_t i = 0; i < now; i++)
			ret_frames[given + i] = 1.0F;
		given += edges_run(edges, ret_frames + given, now);
		count -= now;
	}
	return given + edges_end(edges, ret_frames + given);
}

/* From silence and back to it, and nowhere a corner of more than `most`. */
static void assert_soft(const float *frames, size_t count, float most)
{
	float before = 0.0F, slope = 0.0F;

	for (size_t i = 0; i < count + 2; i++) {
		float now = i < count ? frames[i] : 0.0F;
		if (fabsf(now - before - slope) > most)
			fail_msg("a corner of %.5f at frame %zu of %zu",
				(double)(now - before - slope), i, count);
		slope = now - before;
		before = now;
	}
}

/* Whatever the pieces: not a frame too few or too many, untouched but for the edges. */
static void test_an_abrupt_stream_begins_and_ends_softly(void **state)
{
	static float frames[4000 + EDGES_FRAMES_MAX];
	static const size_t pieces[] = { 1, 7, 239, 240, 241, 512, 4000 };
	struct edges edges;

	(void)state;
	edges_init(&edges, RATE_HZ);
	for (size_t i = 0; i < countof(pieces); i++) {
		assert_int_equal(plateau(&edges, 4000, pieces[i], frames), 4000);
		assert_soft(frames, 4000, 1.0F / FADE / 20);
		for (size_t at = FADE; at < 4000 - FADE; at++)
			assert_true(frames[at] == 1.0F);
	}
}

static void test_what_is_shorter_than_its_edges(void **state)
{
	float frames[2 * EDGES_FRAMES_MAX];
	struct edges edges;

	(void)state;
	edges_init(&edges, RATE_HZ);
	assert_int_equal(edges_end(&edges, frames), 0);
	assert_int_equal(plateau(&edges, 1, 1, frames), 1);
	assert_int_equal(plateau(&edges, 100, 30, frames), 100);
	assert_soft(frames, 100, 0.01F);
	assert_int_equal(plateau(&edges, FADE + 1, 512, frames), FADE + 1);
	assert_soft(frames, FADE + 1, 1.0F / FADE / 10);
}

static void test_frames_stay_in_order(void **state)
{
	float frames[1000 + EDGES_FRAMES_MAX];
	struct edges edges;

	(void)state;
	edges_init(&edges, RATE_HZ);
	for (size_t i = 0; i < 1000; i++)
		frames[i] = (float)i;
	size_t given = edges_run(&edges, frames, 1000);
	assert_int_equal(given, 1000 - FADE);
	for (size_t i = FADE; i < given; i++)
		assert_true(frames[i] == (float)i);
	assert_int_equal(edges_end(&edges, frames + given), FADE);
	assert_true(frames[given] > 759.9F && frames[given] <= 760.0F);
}

static void test_a_rate_beyond_all_others(void **state)
{
	float frames[EDGES_FRAMES_MAX + 1] = { 0 };
	struct edges edges;

	(void)state;
	edges_init(&edges, 384000);
	assert_int_equal(edges_run(&edges, frames, countof(frames)), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_abrupt_stream_begins_and_ends_softly),
		cmocka_unit_test(test_what_is_shorter_than_its_edges),
		cmocka_unit_test(test_frames_stay_in_order),
		cmocka_unit_test(test_a_rate_beyond_all_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
