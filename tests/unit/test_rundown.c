/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "tts/rundown.h"

#include <string.h>

static struct reading_sentence sentences[] = {
	{ .text = (char[]){ "Một." }, .pause_us = 450000 },
	{ .text = (char[]){ "Hai." }, .pause_us = 900000, .rate = 104 },
};
static struct reading_sentence one_sentence = { .text = (char[]){ "Ba." }, .pause_us = 700000 };
static const struct reading reading = { .sentences = sentences, .sentences_count = 2 };
static const struct reading brief = { .sentences = &one_sentence, .sentences_count = 1 };
static const struct reading nothing = { 0 };

/* "~open.wav Một. 450 Hai. 900 @recording.mp3" */
static char *told(const struct rundown *rundown)
{
	static const char *const marks[] = {
		[RUNDOWN_CHIME] = "~", [RUNDOWN_SENTENCE] = "", [RUNDOWN_RECORDING] = "@"
	};
	struct strbuf text = { 0 };

	for (size_t i = 0; i < rundown->count; i++) {
		const struct rundown_item *item = &rundown->items[i];
		if (i > 0)
			strbuf_putc(&text, ' ');
		if (item->what == RUNDOWN_SILENCE)
			strbuf_printf(&text, "%d", (int)(item->duration_us / 1000));
		else
			strbuf_printf(&text, "%s%s", marks[item->what], item->text);
	}
	return strbuf_take(&text);
}

#define TEXT                                                      \
	{                                                         \
		.what = RUNDOWN_PART_READING, .reading = &reading \
	}
#define SHORT                                                   \
	{                                                       \
		.what = RUNDOWN_PART_READING, .reading = &brief \
	}
#define NONE                                                      \
	{                                                         \
		.what = RUNDOWN_PART_READING, .reading = &nothing \
	}
#define RECORDING(seconds)                                             \
	{                                                              \
		.what = RUNDOWN_PART_RECORDING, .recording_path = "r", \
		.recording_seconds = (seconds)                         \
	}
#define R RECORDING(61.5)
#define GONE                                   \
	{                                      \
		.what = RUNDOWN_PART_RECORDING \
	}
#define PAUSE                                                   \
	{                                                       \
		.what = RUNDOWN_PART_PAUSE, .pause_us = 2000000 \
	}

#define PARTS(...)                                    \
	(const struct rundown_part[]){ __VA_ARGS__ }, \
		countof(((const struct rundown_part[]){ __VA_ARGS__ }))

static void expect_of(const struct rundown_part *parts, size_t count,
	const struct rundown_config *config, const char *expected)
{
	_cleanup_(rundown_freep) struct rundown *rundown = rundown_new(parts, count, config);
	_cleanup_(freep) char *text = told(rundown);

	assert_string_equal(text, expected);
}

static void expect(const struct rundown_config *config, const char *expected)
{
	expect_of(PARTS(TEXT), config, expected);
}

/* A sentence that is to be said slowly is so in the rundown. */
static void test_rate(void **state)
{
	(void)state;
	const struct rundown_config config = { .repeat_times = 1 };
	_cleanup_(rundown_freep) struct rundown *rundown = rundown_new(PARTS(TEXT), &config);

	assert_int_equal(rundown->count, 3);
	assert_int_equal(rundown->items[0].rate, 0);
	assert_int_equal(rundown->items[2].rate, 104);
}

static void test_items(void **state)
{
	(void)state;
	expect(&(struct rundown_config){ .repeat_times = 1 }, "Một. 450 Hai.");
	expect(&(struct rundown_config){ .open_path = "a", .close_path = "b", .repeat_times = 1 },
		"~a Một. 450 Hai. 900 ~b");
	expect(
		&(struct rundown_config){
			.open_path = "a", .repeat_times = 3, .repeat_gap_us = 3000000 },
		"~a Một. 450 Hai. 3000 Một. 450 Hai. 3000 Một. 450 Hai.");
	expect(&(struct rundown_config){ .repeat_times = 2 }, "Một. 450 Hai. Một. 450 Hai.");
}

/* After the text, in each repetition; or alone. */
static void test_recording(void **state)
{
	(void)state;
	struct rundown_config config = { .repeat_times = 2, .repeat_gap_us = 3000000 };

	expect_of(PARTS(TEXT, R), &config, "Một. 450 Hai. 900 @r 3000 Một. 450 Hai. 900 @r");
	expect_of(PARTS(R), &config, "@r 3000 @r");
	expect_of(PARTS(NONE, R), &config, "@r 3000 @r");
	config.open_path = "a";
	config.close_path = "b";
	config.repeat_times = 1;
	expect_of(PARTS(TEXT, R), &config, "~a Một. 450 Hai. 900 @r 900 ~b");
	expect_of(PARTS(R), &config, "~a @r 500 ~b");
	_cleanup_(rundown_freep) struct rundown *rundown = rundown_new(PARTS(R), &config);
	assert_int_equal(rundown->items[1].duration_us, 61500000);
}

/* Between parts is what belongs behind the one before, or the pause that was written, but not both. */
static void test_parts(void **state)
{
	(void)state;
	struct rundown_config config = { .open_path = "a", .close_path = "b", .repeat_times = 1 };

	expect_of(PARTS(R, SHORT), &config, "~a @r 500 Ba. 700 ~b");
	expect_of(PARTS(R, R), &config, "~a @r 500 @r 500 ~b");
	expect_of(PARTS(SHORT, TEXT, R, SHORT), &config,
		"~a Ba. 700 Một. 450 Hai. 900 @r 900 Ba. 700 ~b");
	expect_of(PARTS(SHORT, NONE, R), &config, "~a Ba. 700 @r 700 ~b");
	expect_of(PARTS(SHORT, PAUSE, R), &config, "~a Ba. 2000 @r 700 ~b");
	expect_of(PARTS(R, PAUSE, SHORT), &config, "~a @r 2000 Ba. 700 ~b");
	expect_of(PARTS(PAUSE, SHORT, PAUSE), &config, "~a 2000 Ba. 2000 ~b");
	expect_of(PARTS(SHORT, PAUSE, PAUSE, SHORT), &config, "~a Ba. 2000 2000 Ba. 700 ~b");
	config.close_path = NULL;
	expect_of(PARTS(SHORT, PAUSE), &config, "~a Ba. 2000");
	config.repeat_times = 2;
	config.repeat_gap_us = 3000000;
	expect_of(PARTS(R, SHORT), &config, "~a @r 500 Ba. 3000 @r 500 Ba.");
	expect_of(PARTS(SHORT, PAUSE), &config, "~a Ba. 2000 3000 Ba. 2000");
}

/* The same items at the same places, of which nothing is heard; the pause around it is heard once. */
static void test_missing_recording(void **state)
{
	(void)state;
	struct rundown_config config = { .open_path = "a", .close_path = "b", .repeat_times = 1 };

	expect_of(PARTS(TEXT, GONE), &config, "~a Một. 450 Hai. 0 0 900 ~b");
	expect_of(PARTS(GONE, SHORT), &config, "~a 0 0 Ba. 700 ~b");
	expect_of(PARTS(SHORT, GONE, TEXT), &config, "~a Ba. 0 0 700 Một. 450 Hai. 900 ~b");
	expect_of(PARTS(SHORT, GONE, GONE, R), &config, "~a Ba. 0 0 0 0 700 @r 700 ~b");
	expect_of(PARTS(SHORT, PAUSE, GONE, SHORT), &config, "~a Ba. 2000 0 0 Ba. 700 ~b");
	config.repeat_times = 2;
	config.repeat_gap_us = 3000000;
	expect_of(PARTS(SHORT, GONE), &config, "~a Ba. 0 0 3000 Ba. 0 0 700 ~b");
}

static void test_bed_and_fallback(void **state)
{
	(void)state;
	const struct rundown_config config = {
		.bed_path = "bed.wav", .fallback_path = "sorry.wav", .repeat_times = 1
	};
	_cleanup_(rundown_freep) struct rundown *rundown = rundown_new(PARTS(TEXT), &config);

	assert_string_equal(rundown->bed, "bed.wav");
	assert_string_equal(rundown->fallback, "sorry.wav");
}

static void assert_resumes(const struct rundown *rundown, size_t item, int64_t offset_us,
	size_t wanted_item, int64_t wanted_us)
{
	struct rundown_position position = rundown_resume(rundown, item, offset_us);

	if (position.item != wanted_item || position.offset_us != wanted_us)
		fail_msg("item %zd, %lld µs: goes on at item %zd, %lld µs", item,
			(long long)offset_us, position.item, (long long)position.offset_us);
}

static void test_resume(void **state)
{
	(void)state;
	_cleanup_(rundown_freep) struct rundown *rundown = rundown_new(PARTS(TEXT),
		&(struct rundown_config){ .open_path = "a", .close_path = "b", .repeat_times = 1 });

	/* ~a Một. 450 Hai. 900 ~b: once "Hai" has been said nothing is left but a chime. */
	static const size_t expected[] = { 0, 1, 3, 3, RUNDOWN_END, RUNDOWN_END, RUNDOWN_END };
	assert_int_equal(rundown->count, countof(expected) - 1);
	for (size_t i = 0; i < countof(expected); i++)
		assert_resumes(rundown, i, 300000, expected[i], 0);
	assert_resumes(rundown, RUNDOWN_END, 0, RUNDOWN_END, 0);
}

static void test_resume_in_a_recording(void **state)
{
	(void)state;
	const struct rundown_config config = { .close_path = "b", .repeat_times = 1 };
	_cleanup_(rundown_freep) struct rundown *rundown = rundown_new(
		PARTS(TEXT, RECORDING(60)), &config);

	/* Một. 450 Hai. 900 @r 900 ~b */
	assert_resumes(rundown, 3, 500000, 4, 0);
	assert_resumes(rundown, 4, 0, 4, 0);
	assert_resumes(rundown, 4, 1999999, 4, 0);
	assert_resumes(rundown, 4, 30000000, 4, 28000000);
	assert_resumes(rundown, 4, 99000000, 4, 58000000);
	assert_resumes(rundown, 5, 100000, RUNDOWN_END, 0);

	_cleanup_(rundown_freep) struct rundown *ten = rundown_new(PARTS(RECORDING(10)), &config);
	assert_resumes(ten, 0, 9000000, 0, 0);
	_cleanup_(rundown_freep) struct rundown *longer = rundown_new(
		PARTS(RECORDING(10.1)), &config);
	assert_resumes(longer, 0, 9000000, 0, 7000000);
	/* not known: as a long one */
	_cleanup_(rundown_freep) struct rundown *unknown = rundown_new(
		PARTS(RECORDING(0)), &config);
	assert_resumes(unknown, 0, 9000000, 0, 7000000);
}

/* Each part is resumed as what it is; a pause at the end is not waited for again. */
static void test_resume_in_parts(void **state)
{
	(void)state;
	const struct rundown_config config = { .repeat_times = 1 };
	/* 0 r, 1 500, 2 Ba., 3 2000, 4 r, 5 2000 */
	_cleanup_(rundown_freep) struct rundown *rundown = rundown_new(
		PARTS(R, SHORT, PAUSE, R, PAUSE), &config);

	assert_int_equal(rundown->count, 6);
	assert_resumes(rundown, 0, 30000000, 0, 28000000);
	assert_resumes(rundown, 1, 100000, 2, 0);
	assert_resumes(rundown, 2, 100000, 2, 0);
	assert_resumes(rundown, 3, 100000, 4, 0);
	assert_resumes(rundown, 4, 30000000, 4, 28000000);
	assert_resumes(rundown, 5, 100000, RUNDOWN_END, 0);
	_cleanup_(rundown_freep) struct rundown *missing = rundown_new(
		PARTS(GONE, SHORT, PAUSE, GONE, PAUSE), &config);
	assert_int_equal(missing->count, 6); /* it goes on at the same item when they have come */
	assert_resumes(missing, 2, 100000, 2, 0);
	assert_resumes(missing, 3, 100000, RUNDOWN_END, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_recording),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_missing_recording),
		cmocka_unit_test(test_bed_and_fallback),
		cmocka_unit_test(test_resume),
		cmocka_unit_test(test_resume_in_a_recording),
		cmocka_unit_test(test_resume_in_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
