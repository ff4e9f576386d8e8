/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/levels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_what_was_noted_is_known(void **state)
{
	(void)state;
	_cleanup_(levels_freep) struct levels *levels = levels_new();
	double gain_db = 1.0;

	assert_false(levels_find(levels, "giọng", &gain_db));
	levels_note(levels, "giọng", -3.0);
	levels_note(levels, "chuông", 6.0);
	levels_note(levels, "giọng", -4.5);
	assert_true(levels_find(levels, "giọng", &gain_db));
	assert_true(gain_db == -4.5);
	assert_true(levels_find(levels, "chuông", &gain_db));
	assert_true(gain_db == 6.0);
}

/* Twice as many as are kept: the later half is there, and nothing else. */
static void test_the_first_noted_goes_first(void **state)
{
	(void)state;
	_cleanup_(levels_freep) struct levels *levels = levels_new();
	char key[16];
	double gain_db;

	for (int i = 0; i < 2 * LEVELS_MAX; i++) {
		snprintf(key, sizeof key, "%d", i);
		levels_note(levels, key, i);
	}
	for (int i = 0; i < 2 * LEVELS_MAX; i++) {
		snprintf(key, sizeof key, "%d", i);
		assert_int_equal(levels_find(levels, key, &gain_db), i >= LEVELS_MAX);
		if (i >= LEVELS_MAX)
			assert_true(gain_db == i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_noted_is_known),
		cmocka_unit_test(test_the_first_noted_goes_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
