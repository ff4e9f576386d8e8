/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/programme.h"
#include "base/clock.h"
#include "base/thread.h"

#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#define RATE_HZ    8000
#define RING       ((size_t)RATE_HZ * PROGRAMME_RING_SECONDS)
#define FRAMES     (RING * 20 + 1234)
#define WAIT_MS    20000
#define EXACT_MASK 0xFFFFF /* floats hold these integers exactly */

static float value_at(uint64_t frame)
{
	return (float)(frame & EXACT_MASK);
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, timeout_ms) == 1;
}

static void test_what_goes_in_comes_out(void **state)
{
	_cleanup_(programme_freep) struct programme *programme = programme_new(RATE_HZ, 0, 7);
	float frames[100], got[100];

	(void)state;
	assert_non_null(programme);
	for (size_t i = 0; i < 100; i++)
		frames[i] = value_at(i);
	assert_int_equal(programme_push(programme, frames, 100), 100);
	assert_int_equal(programme_lead_frames(programme), 100);
	assert_int_equal(programme_space_frames(programme), RING - 100);
	assert_int_equal(programme_pull(programme, got, 60), 60);
	assert_false(programme_drained(programme));
	programme_complete(programme);
	assert_false(programme_drained(programme));
	assert_int_equal(programme_pull(programme, got + 60, 60), 40);
	assert_true(programme_drained(programme));
	assert_memory_equal(frames, got, sizeof frames);
	bool complete = false;
	assert_int_equal(programme_frames_pushed(programme, &complete), 100);
	assert_true(complete);
	assert_int_equal(programme_start_mono_us(programme), 7);
}

static void test_full_ring_takes_no_more(void **state)
{
	_cleanup_(programme_freep) struct programme *programme = programme_new(
		RATE_HZ, 0, TIME_UNSET);
	static float many[RING + 10];

	(void)state;
	assert_int_equal(programme_push(programme, many, RING + 10), RING);
	assert_int_equal(programme_push(programme, many, 1), 0);
	assert_int_equal(programme_pull(programme, many, 5), 5);
	assert_int_equal(programme_push(programme, many, 10), 5);
}

static void test_items_are_found_by_frame(void **state)
{
	_cleanup_(programme_freep) struct programme *programme = programme_new(
		RATE_HZ, 5, TIME_UNSET);
	float frames[1000] = { 0 };

	(void)state;
	assert_int_equal(programme_item_at(programme, 10), 0);
	programme_mark(programme, 2, 0); /* resumed: items 0 and 1 are left out */
	programme_push(programme, frames, 500);
	programme_mark(programme, 3, 500);
	programme_push(programme, frames, 500);
	programme_mark(programme, 4, 1000);
	programme_mark(programme, 5, 1000); /* there is none */
	assert_int_equal(programme_item_at(programme, 0), 2);
	assert_int_equal(programme_item_at(programme, 499), 2);
	assert_int_equal(programme_item_at(programme, 500), 3);
	assert_int_equal(programme_item_at(programme, 1000), 4);
	assert_int_equal(programme_item_at(programme, UINT64_MAX - 1), 4);
	assert_int_equal(programme_mark_frame(programme, 2), 0);
	assert_int_equal(programme_mark_frame(programme, 3), 500);
	assert_true(programme_mark_frame(programme, 1) == PROGRAMME_NO_FRAME);
	assert_true(programme_mark_frame(programme, 5) == PROGRAMME_NO_FRAME);
}

static void test_producer_is_woken_when_half_is_free(void **state)
{
	_cleanup_(programme_freep) struct programme *programme = programme_new(
		RATE_HZ, 0, TIME_UNSET);
	static float many[RING];
	int fd = programme_space_fd(programme);

	(void)state;
	programme_push(programme, many, RING);
	programme_want_space(programme);
	assert_false(readable(fd, 0));
	programme_pull(programme, many, RING / 2 - 1);
	assert_false(readable(fd, 0));
	programme_pull(programme, many, 1);
	assert_true(readable(fd, 0));
	programme_push(programme, many, RING);
	programme_want_space(programme); /* clears the earlier one */
	assert_false(readable(fd, 0));
	programme_abort(programme);
	assert_true(readable(fd, 0));
	programme_want_space(programme); /* an abort is never slept through */
	assert_true(readable(fd, 0));
}

static void test_consumer_is_woken_once_it_was_short(void **state)
{
	_cleanup_(programme_freep) struct programme *programme = programme_new(
		RATE_HZ, 0, TIME_UNSET);
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	float frames[10] = { 0 };
	uint64_t kicks;

	(void)state;
	assert_int_equal(programme_set_wake_fd(programme, fd), 0);
	programme_push(programme, frames, 4);
	assert_false(readable(fd, 0));
	assert_int_equal(programme_pull(programme, frames, 10), 4);
	programme_push(programme, frames, 4);
	assert_true(readable(fd, 0));
	assert_int_equal(read(fd, &kicks, sizeof kicks), sizeof kicks);
	programme_push(programme, frames, 4);
	assert_false(readable(fd, 0));
	assert_true(programme_want_frames(programme));
	programme_pull(programme, frames, 8);
	assert_false(programme_want_frames(programme));
	programme_complete(programme);
	assert_true(readable(fd, 0));
	assert_int_equal(read(fd, &kicks, sizeof kicks), sizeof kicks);
	programme_abort(programme);
	assert_true(readable(fd, 0));
	/* The programme has a descriptor of its own: whoever gets this number next is left alone. */
	close(fd);
	int other = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	programme_abort(programme);
	assert_false(readable(other, 0));
	close(other);
}

/* Pushes FRAMES frames in odd pieces, waiting only on the descriptor. */
static void *produce(void *context)
{
	struct programme *programme = context;
	float frames[997];

	for (uint64_t done = 0; done < FRAMES;) {
		size_t count = 1 + done % countof(frames);
		if (count > FRAMES - done)
			count = FRAMES - done;
		for (size_t i = 0; i < count; i++)
			frames[i] = value_at(done + i);
		size_t pushed = programme_push(programme, frames, count);
		done += pushed;
		if (pushed == count)
			continue;
		programme_want_space(programme);
		if (!readable(programme_space_fd(programme), WAIT_MS))
			return (void *)"the wake-up for space was lost";
	}
	programme_complete(programme);
	return NULL;
}

static void test_two_threads_lose_no_frame_and_no_wake_up(void **state)
{
	_cleanup_(programme_freep) struct programme *programme = programme_new(
		RATE_HZ, 0, TIME_UNSET);
	_cleanup_(closep) int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct thread producer = { 0 };
	float frames[1024];
	uint64_t position = 0, kicks;

	(void)state;
	assert_int_equal(programme_set_wake_fd(programme, fd), 0);
	assert_int_equal(thread_start(&producer, "producer", 0, produce, programme), 0);
	while (!programme_drained(programme)) {
		size_t wanted = 1 + position % countof(frames);
		size_t got = programme_pull(programme, frames, wanted);
		for (size_t i = 0; i < got; i++, position++) {
			if (frames[i] != value_at(position))
				fail_msg("frame %llu is wrong", (unsigned long long)position);
		}
		if (got == wanted || programme_drained(programme))
			continue;
		assert_true(readable(fd, WAIT_MS));
		assert_int_equal(read(fd, &kicks, sizeof kicks), sizeof kicks);
	}
	assert_int_equal(position, FRAMES);
	assert_int_equal(thread_join(&producer, WAIT_MS), 0);
}

static void test_gain(void **state)
{
	_cleanup_(programme_freep) struct programme *programme = programme_new(
		RATE_HZ, 0, TIME_UNSET);

	(void)state;
	assert_true(programme_gain(programme) == 1.0F);
	programme_set_gain_db(programme, -20.0);
	assert_true(fabsf(programme_gain(programme) - 0.1F) < 1e-6F);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_goes_in_comes_out),
		cmocka_unit_test(test_full_ring_takes_no_more),
		cmocka_unit_test(test_items_are_found_by_frame),
		cmocka_unit_test(test_producer_is_woken_when_half_is_free),
		cmocka_unit_test(test_consumer_is_woken_once_it_was_short),
		cmocka_unit_test(test_two_threads_lose_no_frame_and_no_wake_up),
		cmocka_unit_test(test_gain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
