/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of the protocol (docs/PROTOCOL.md): scripts of operators compare them. */
#include "scheduler/announcement.h"
#include "scheduler/queue.h"
#include "scheduler/receipt.h"
#include "scheduler/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void reasons_have_the_words_of_the_protocol(void **state)
{
	static const struct {
		enum reason reason;
		const char *name;
	} table[] = {
		{ REASON_BAD_JSON, "bad-json" },
		{ REASON_UNKNOWN_KEY, "unknown-key" },
		{ REASON_BAD_VALUE, "bad-value" },
		{ REASON_TOO_LONG, "too-long" },
		{ REASON_TOO_LARGE, "too-large" },
		{ REASON_EMPTY, "empty" },
		{ REASON_DUPLICATE, "duplicate" },
		{ REASON_EXPIRED, "expired" },
		{ REASON_LATE, "late" },
		{ REASON_QUIET_HOURS, "quiet-hours" },
		{ REASON_LIMIT, "limit" },
		{ REASON_MUTED, "muted" },
		{ REASON_QUEUE_FULL, "queue-full" },
		{ REASON_CLOCK, "clock" },
		{ REASON_ENGINE, "engine" },
		{ REASON_OUTPUT_LOST, "output-lost" },
		{ REASON_MEDIA_MISSING, "media-missing" },
		{ REASON_WITHDRAWN, "withdrawn" },
		{ REASON_STOPPED, "stopped" },
		{ REASON_RETAINED_CONTROL, "retained-control" },
	};

	(void)state;
	assert_null(reason_name(REASON_NONE));
	assert_int_equal(countof(table), REASON_RETAINED_CONTROL);
	for (size_t i = 0; i < countof(table); i++)
		assert_string_equal(reason_name(table[i].reason), table[i].name);
}

static void priorities_are_read_as_they_are_written(void **state)
{
	enum priority priority = PRIORITY_NORMAL;

	(void)state;
	for (unsigned i = 0; i < PRIORITIES_COUNT; i++) {
		assert_int_equal(priority_parse(priority_name(i), &priority), 0);
		assert_int_equal(priority, i);
	}
	priority = PRIORITY_NORMAL;
	assert_int_equal(priority_parse("urgent", &priority), -EINVAL);
	assert_int_equal(priority, PRIORITY_NORMAL);
	assert_null(priority_names[PRIORITIES_COUNT]);
}

static void play_states_are_read_as_they_are_written(void **state)
{
	(void)state;
	for (unsigned i = PLAY_QUEUED; i <= PLAY_SUPERSEDED; i++) {
		enum play_state read = PLAY_QUEUED;
		assert_int_equal(play_state_parse(play_state_name(i), &read), 0);
		assert_int_equal(read, i);
		assert_int_equal(play_state_final(i), i >= PLAY_FINISHED);
	}
	enum play_state read = PLAY_FAILED;
	assert_int_equal(play_state_parse("lost", &read), -EINVAL);
	assert_int_equal(read, PLAY_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_have_the_words_of_the_protocol),
		cmocka_unit_test(priorities_are_read_as_they_are_written),
		cmocka_unit_test(play_states_are_read_as_they_are_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
