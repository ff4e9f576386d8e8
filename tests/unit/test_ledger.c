/* SPDX-License-Identifier: GPL-3.0-or-later */
/* daemon/: ledger, faults. */
#include "daemon/faults.h"
#include "daemon/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_put_and_find(void **state)
{
	_cleanup_(ledger_freep) struct ledger *ledger = ledger_new();
	char id[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(id, sizeof id, "tin-%d", i);
		ledger_put(ledger, id, (unsigned)i % 3, i, PLAY_FINISHED, i);
	}
	assert_int_equal(ledger_length(ledger), 5000);
	for (int i = 0; i < 5000; i++) {
		snprintf(id, sizeof id, "tin-%d", i);
		const struct ledger_row *row = ledger_find(ledger, id, (unsigned)i % 3);
		assert_non_null(row);
		assert_int_equal(row->revision, i);
		assert_null(ledger_find(ledger, id, (unsigned)(i + 1) % 3)); /* another output */
	}
	ledger_put(ledger, "tin-7", 1, 9000, PLAY_QUEUED, 1);
	assert_int_equal(ledger_length(ledger), 5000);
	assert_int_equal(ledger_find(ledger, "tin-7", 1)->revision, 9000);
}

/* Time makes it forget what is final; never what still waits or plays. */
static void test_forget_by_time(void **state)
{
	_cleanup_(ledger_freep) struct ledger *ledger = ledger_new();

	(void)state;
	ledger_put(ledger, "xong", 0, 1, PLAY_FINISHED, 100);
	ledger_put(ledger, "moi", 0, 1, PLAY_CANCELLED, 200);
	ledger_put(ledger, "cho", 0, 1, PLAY_QUEUED, 100);
	ledger_put(ledger, "phat", 0, 1, PLAY_PLAYING, 100);
	assert_int_equal(ledger_forget(ledger, 99), 0);
	assert_int_equal(ledger_forget(ledger, 100), 1);
	assert_null(ledger_find(ledger, "xong", 0));
	assert_non_null(ledger_find(ledger, "moi", 0));
	assert_int_equal(ledger_forget(ledger, 1000), 1);
	assert_non_null(ledger_find(ledger, "cho", 0));
	assert_non_null(ledger_find(ledger, "phat", 0));
}

/* Size does too, the oldest first. */
static void test_forget_by_size(void **state)
{
	_cleanup_(ledger_freep) struct ledger *ledger = ledger_new();
	char id[32];

	(void)state;
	for (int i = 0; i < LEDGER_ROWS_MAX + 100; i++) {
		snprintf(id, sizeof id, "tin-%d", i);
		ledger_put(ledger, id, 0, 1, PLAY_FINISHED, 1000000 + i);
	}
	assert_int_equal(ledger_forget(ledger, 0), 100);
	assert_int_equal(ledger_length(ledger), LEDGER_ROWS_MAX);
	assert_null(ledger_find(ledger, "tin-99", 0));
	assert_non_null(ledger_find(ledger, "tin-100", 0));
}

#define SAYS(...)                                                                    \
	{                                                                            \
		.parts = (struct announcement_part[]){ __VA_ARGS__ },                \
		.parts_count = sizeof((struct announcement_part[]){ __VA_ARGS__ }) / \
			       sizeof(struct announcement_part)                      \
	}

/* The content goes with the revision. */
static void test_content(void **state)
{
	_cleanup_(ledger_freep) struct ledger *ledger = ledger_new();
	struct announcement contents[] = {
		SAYS({ .text = (char *)"một" }),
		SAYS({ .text = (char *)"hai" }),
		SAYS({ .what = ANNOUNCEMENT_MEDIA, .media = "ab" }),
		SAYS({ .what = ANNOUNCEMENT_MEDIA, .media = "cd" }),
		SAYS({ .text = (char *)"ab" }),
		SAYS({ .text = (char *)"một" }, { .what = ANNOUNCEMENT_MEDIA, .media = "ab" }),
		SAYS({ .what = ANNOUNCEMENT_MEDIA, .media = "ab" }, { .text = (char *)"một" }),
		SAYS({ .text = (char *)"m" }, { .text = (char *)"ột" }),
		SAYS({ .text = (char *)"một" }, { .what = ANNOUNCEMENT_PAUSE, .pause_us = 500000 }),
		SAYS({ .text = (char *)"một" }, { .what = ANNOUNCEMENT_PAUSE, .pause_us = 600000 }),
	};
	uint64_t content = ledger_content(&contents[0]);

	(void)state;
	assert_int_not_equal(content, 0);
	for (size_t i = 0; i < countof(contents); i++)
		for (size_t j = 0; j < i; j++)
			if (ledger_content(&contents[i]) == ledger_content(&contents[j]))
				fail_msg("%zu is as %zu", i, j);
	ledger_set_content(ledger, "tin", 0, content); /* not there: nothing happens */
	ledger_put(ledger, "tin", 0, 1, PLAY_QUEUED, 5);
	assert_int_equal(ledger_find(ledger, "tin", 0)->content, 0);
	ledger_set_content(ledger, "tin", 0, content);
	ledger_put(ledger, "tin", 0, 1, PLAY_FINISHED, 5);
	assert_int_equal(ledger_find(ledger, "tin", 0)->content, content);
	ledger_put(ledger, "tin", 0, 2, PLAY_QUEUED, 5);
	assert_int_equal(ledger_find(ledger, "tin", 0)->content, 0);
}

static void test_faults(void **state)
{
	struct faults faults = { 0 };
	char subject[16];

	(void)state;
	assert_true(faults_set(&faults, "output-lost", "san", 5, "rút dây"));
	assert_false(faults_set(&faults, "output-lost", "san", 9, "vẫn rút dây"));
	assert_true(faults_set(&faults, "output-lost", "na", 6, "rút dây"));
	assert_int_equal(faults.count, 2);
	assert_int_equal(faults.list[0].since_us, 5); /* since the first time */
	assert_string_equal(faults.list[0].detail.text, "vẫn rút dây");
	assert_true(faults_clear(&faults, "output-lost", "san"));
	assert_false(faults_clear(&faults, "output-lost", "san"));
	assert_string_equal(faults.list[0].subject, "na");
	for (int i = 0; i < 2 * FAULTS_MAX; i++) {
		snprintf(subject, sizeof subject, "%d", i);
		(void)faults_set(&faults, "engine", subject, 0, "");
	}
	assert_int_equal(faults.count, FAULTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_and_find),
		cmocka_unit_test(test_forget_by_time),
		cmocka_unit_test(test_forget_by_size),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
