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
static const struct reading reading = { .sentences = sentences, .sentences_count = 2 };

/* "open.wav Một. 450 Hai." */
static char *told(const struct rundown *rundown)
{
	struct strbuf text = { 0 };

	for (size_t i = 0; i < rundown->count; i++) {
		const struct rundown_item *item = &rundown->items[i];
		if (i > 0)
			strbuf_putc(&text, ' ');
		if (item->what == RUNDOWN_SILENCE)
			strbuf_printf(&text, "%d", (int)(item->duration_us / 1000));
		else
			strbuf_printf(
				&text, "%s%s", item->what == RUNDOWN_CHIME ? "~" : "", item->text);
	}
	return strbuf_take(&text);
}

static void expect(const struct rundown_config *config, const char *expected)
{
	_cleanup_(rundown_freep) struct rundown *rundown = rundown_new(&reading, config);
	_cleanup_(freep) char *text = told(rundown);

	assert_string_equal(text, expected);
}

/* A sentence that is to be said slowly is so in the rundown. */
static void test_rate(void **state)
{
	(void)state;
	const struct rundown_config config = { .repeat_times = 1 };
	_cleanup_(rundown_freep) struct rundown *rundown = rundown_new(&reading, &config);

	assert_int_equal(rundown->count, 3);
	assert_int_equal(rundown->items[0].rate, 0);
	assert_int_equal(rundown->items[2].rate, 104);
}

static void test_items(void **state)
{
	(void)state;
	expect(&(struct rundown_config){ .repeat_times = 1 }, "Một. 450 Hai.");
	expect(&(struct rundown_config){ "a", "b", NULL, 1, 0 }, "~a Một. 450 Hai. 900 ~b");
	expect(&(struct rundown_config){ "a", NULL, NULL, 3, 3000000 },
		"~a Một. 450 Hai. 3000 Một. 450 Hai. 3000 Một. 450 Hai.");
	expect(&(struct rundown_config){ .repeat_times = 2 }, "Một. 450 Hai. Một. 450 Hai.");
}

static void test_bed(void **state)
{
	(void)state;
	_cleanup_(rundown_freep) struct rundown *rundown = rundown_new(
		&reading, &(struct rundown_config){ NULL, NULL, "bed.wav", 1, 0 });

	assert_string_equal(rundown->bed, "bed.wav");
}

static void test_resume(void **state)
{
	(void)state;
	_cleanup_(rundown_freep) struct rundown *rundown = rundown_new(
		&reading, &(struct rundown_config){ "a", "b", NULL, 1, 0 });

	static const size_t expected[] = { 0, 1, 3, 3, 5, 5 };
	assert_int_equal(rundown->count, countof(expected));
	for (size_t i = 0; i < countof(expected); i++)
		assert_int_equal(rundown_resume_item(rundown, i), expected[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_bed),
		cmocka_unit_test(test_resume),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
