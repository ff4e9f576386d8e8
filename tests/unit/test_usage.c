/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/usage.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

/* 2026-11-22, in Vietnam. */
#define MIDNIGHT   (INT64_C(1795280400) * US_PER_SEC)
#define DAY_US     (INT64_C(86400) * US_PER_SEC)
#define AT(h, m)   (MIDNIGHT + ((h)*INT64_C(60) + (m)) * 60 * US_PER_SEC)
#define MINUTES(n) ((n)*INT64_C(60) * US_PER_SEC)

static int set_zone(void **state)
{
	(void)state;
	setenv("TZ", "Asia/Ho_Chi_Minh", 1);
	tzset();
	return 0;
}

static struct usage fresh(void)
{
	struct usage usage;

	usage_init(&usage);
	return usage;
}

static void the_test_knows_when_midnight_is(void **state)
{
	(void)state;
	assert_int_equal(hours_day_begin_us(AT(12, 0)), MIDNIGHT);
}

/* --- Counting ---------------------------------------------------------------------------------
 */

static void sound_is_counted_once_and_pauses_divide_sessions(void **state)
{
	static const struct {
		const char *what;
		int64_t from_us, to_us;
		int64_t sounded_us; /* after it */
		int sessions;
	} table[] = {
		{ "begins", AT(8, 0), AT(8, 0), 0, 1 },
		{ "a first part", AT(8, 0), AT(8, 2), MINUTES(2), 1 },
		{ "the whole, told again", AT(8, 0), AT(8, 3), MINUTES(3), 1 },
		{ "another one at the same time", AT(8, 1), AT(8, 4), MINUTES(4), 1 },
		{ "told late, and known", AT(8, 1), AT(8, 2), MINUTES(4), 1 },
		{ "after a short pause", AT(8, 8), AT(8, 10), MINUTES(6), 1 },
		{ "after not quite five minutes", AT(8, 15) - 1, AT(8, 20), MINUTES(11) + 1, 1 },
		{ "after five minutes", AT(8, 25), AT(8, 26), MINUTES(12) + 1, 2 },
		{ "in the evening", AT(20, 0), AT(20, 1), MINUTES(13) + 1, 3 },
	};
	struct usage usage = fresh();

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		usage_add(&usage, table[i].from_us, table[i].to_us);
		if (usage.sounded_us != table[i].sounded_us || usage.sessions != table[i].sessions)
			fail_msg("%s: %g min, %d sessions", table[i].what,
				(double)usage.sounded_us / MINUTES(1), usage.sessions);
		assert_int_equal(usage.day_us, MIDNIGHT);
		assert_int_equal(usage.day_end_us, MIDNIGHT + DAY_US);
	}
	assert_int_equal(usage.until_us, AT(20, 1));
}

static void each_day_has_its_part(void **state)
{
	struct usage usage = fresh();

	(void)state;
	usage_add(&usage, AT(20, 0), AT(20, 30));
	usage_add(&usage, AT(23, 50), AT(24, 0)); /* to midnight, and not into the new day */
	assert_int_equal(usage.day_us, MIDNIGHT);
	assert_int_equal(usage.sounded_us, MINUTES(40));
	usage_add(&usage, AT(24, 0), AT(24, 5));
	assert_int_equal(usage.day_us, MIDNIGHT + DAY_US);
	assert_int_equal(usage.sounded_us, MINUTES(5));
	assert_int_equal(usage.sessions, 1); /* it goes on on the new day */

	usage = fresh();
	usage_add(&usage, AT(23, 50), AT(24, 5)); /* over midnight, in one */
	assert_int_equal(usage.day_us, MIDNIGHT + DAY_US);
	assert_int_equal(usage.sounded_us, MINUTES(5));
	assert_int_equal(usage.sessions, 1);
}

static void a_clock_that_is_set_neither_counts_for_ever_nor_never(void **state)
{
	struct usage usage = fresh();

	(void)state;
	usage_add(&usage, AT(20, 0), AT(20, 30));
	usage_add(&usage, AT(18, 0), AT(18, 10)); /* set back by two hours: it was not counted */
	assert_int_equal(usage.sounded_us, MINUTES(40));
	assert_int_equal(usage.sessions, 2);
	usage_add(&usage, AT(18, 9), AT(18, 12)); /* and after that as ever */
	assert_int_equal(usage.sounded_us, MINUTES(42));
	usage_add(&usage, AT(8, 0) - 3 * DAY_US, AT(8, 1) - 3 * DAY_US);
	assert_int_equal(usage.day_us, MIDNIGHT - 3 * DAY_US);
	assert_int_equal(usage.sounded_us, MINUTES(1));
	assert_int_equal(usage.sessions, 1);
}

/* --- Limits ----------------------------------------------------------------------------------- */

static void the_table_of_limits(void **state)
{
	static const struct {
		const char *what;
		struct usage_limits limits;
		int sounded_minutes, sessions;
		int64_t until_us, begin_us;
		double seconds;
		int64_t allowed_us;
	} table[] = {
		{ "no limits", { 0, 0, 0 }, 999, 99, AT(8, 0), AT(9, 0), 9999, AT(9, 0) },
		{ "an item's length is not asked here", { 1, 0, 0 }, 0, 0, AT(8, 0), AT(9, 0), 9999,
			AT(9, 0) },
		{ "just enough minutes", { 0, 60, 0 }, 50, 1, AT(8, 0), AT(9, 0), 600, AT(9, 0) },
		{ "one second too much", { 0, 60, 0 }, 50, 1, AT(8, 0), AT(9, 0), 601, AT(24, 0) },
		{ "the minutes are used up", { 0, 60, 0 }, 60, 1, AT(8, 0), AT(9, 0), 0,
			AT(24, 0) },
		{ "length not known, minutes left", { 0, 60, 0 }, 59, 1, AT(8, 0), AT(9, 0), 0,
			AT(9, 0) },
		{ "longer than a day allows", { 0, 60, 0 }, 0, 0, AT(8, 0), AT(9, 0), 3601,
			TIME_NEVER },
		{ "longer than anything", { 0, 60, 0 }, 0, 0, AT(8, 0), AT(9, 0), 1e300,
			TIME_NEVER },
		{ "the end of it belongs to tomorrow", { 0, 60, 0 }, 58, 1, AT(8, 0), AT(23, 58),
			1200, AT(23, 58) },
		{ "on another day", { 0, 60, 0 }, 60, 1, AT(8, 0), AT(24, 0), 600, AT(24, 0) },
		{ "a session is left", { 0, 0, 3 }, 9, 2, AT(8, 0), AT(9, 0), 60, AT(9, 0) },
		{ "no session is left", { 0, 0, 3 }, 9, 3, AT(8, 0), AT(9, 0), 60, AT(24, 0) },
		{ "the last session goes on", { 0, 0, 3 }, 9, 3, AT(8, 0), AT(8, 5) - 1, 60,
			AT(8, 5) - 1 },
		{ "the last session has ended", { 0, 0, 3 }, 9, 3, AT(8, 0), AT(8, 5), 60,
			AT(24, 0) },
		{ "minutes and sessions", { 0, 60, 3 }, 60, 1, AT(8, 0), AT(8, 1), 60, AT(24, 0) },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		struct usage usage = {
			.day_us = MIDNIGHT,
			.day_end_us = MIDNIGHT + DAY_US,
			.sounded_us = MINUTES(table[i].sounded_minutes),
			.sessions = table[i].sessions,
			.until_us = table[i].until_us,
		};
		int64_t allowed_us = usage_allows_us(
			&usage, &table[i].limits, table[i].begin_us, table[i].seconds);
		if (allowed_us != table[i].allowed_us)
			fail_msg("%s: %+g h", table[i].what,
				(double)(allowed_us - MIDNIGHT) / MINUTES(60));
	}
}

static void nothing_was_heard_yet(void **state)
{
	struct usage usage = fresh();
	struct usage_limits limits = { 1, 1, 1 };

	(void)state;
	assert_int_equal(usage_allows_us(&usage, &limits, AT(9, 0), 60), AT(9, 0));
}

/* --- Text ------------------------------------------------------------------------------------- */

static void what_is_written_is_read_back(void **state)
{
	struct usage usage = fresh(), read;
	char text[USAGE_TEXT_SIZE], again[USAGE_TEXT_SIZE];

	(void)state;
	for (int i = 0; i < 2; i++) {
		memset(&read, 0, sizeof read);
		usage_format(&usage, text);
		assert_int_equal(usage_parse(text, &read), 0);
		usage_format(&read, again);
		assert_string_equal(again, text);
		assert_int_equal(read.day_end_us, usage.day_end_us);
		usage_add(&usage, AT(8, 0), AT(8, 1) + 7);
	}
	assert_int_equal(read.sounded_us, MINUTES(1) + 7);
	assert_int_equal(read.until_us, AT(8, 1) + 7);
	struct usage longest = { TIME_UNSET, 0, INT64_MIN, -INT32_MAX, TIME_UNSET };
	usage_format(&longest, text);
	assert_int_equal(strlen(text), 20 + 1 + 20 + 1 + 11 + 1 + 20); /* nothing is cut off */
}

static void what_is_not_ours_is_refused(void **state)
{
	static const char *const table[] = {
		"",
		"1",
		"1 2 3",
		"1 2 3 4 5",
		"1 2 3 4 ",
		" 1 2 3 4",
		"1  2 3 4",
		"a 2 3 4",
		"1 2 3 4x",
		"1 -2 3 4",
		"1 2 -3 4",
		"-1 2 3 4",
		"1 2 3 -4",
		"1 2 99999999999 4",
		"99999999999999999999 2 3 4",
		"9223372036854775807 2 3 4",
		"1 9223372036854775807 3 4",
		"+1 2 3 4",
	};
	struct usage usage = { .sessions = 77 };

	(void)state;
	for (size_t i = 0; i < countof(table); i++)
		if (usage_parse(table[i], &usage) != -EINVAL || usage.sessions != 77)
			fail_msg("\"%s\" was taken", table[i]);
}

static void a_midnight_of_another_zone_becomes_one_of_ours(void **state)
{
	struct usage usage;

	(void)state;
	assert_int_equal(usage_parse("1795269600000000 60000000 2 1795270000000000", &usage), 0);
	assert_int_equal(usage.day_us, MIDNIGHT - DAY_US);
	assert_int_equal(usage.day_end_us, MIDNIGHT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_test_knows_when_midnight_is),
		cmocka_unit_test(sound_is_counted_once_and_pauses_divide_sessions),
		cmocka_unit_test(each_day_has_its_part),
		cmocka_unit_test(a_clock_that_is_set_neither_counts_for_ever_nor_never),
		cmocka_unit_test(the_table_of_limits),
		cmocka_unit_test(nothing_was_heard_yet),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(what_is_not_ours_is_refused),
		cmocka_unit_test(a_midnight_of_another_zone_becomes_one_of_ours),
	};
	return cmocka_run_group_tests(tests, set_zone, NULL);
}
