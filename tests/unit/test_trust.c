/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/trust.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static int64_t instant(const char *text)
{
	int64_t real_us = 0;

	assert_int_equal(time_parse(text, &real_us, NULL), 0);
	return real_us;
}

static void a_clock_behind_what_was_seen_is_not_trusted(void **state)
{
	static const struct {
		const char *now, *last_seen; /* NULL: never */
		bool trusted;
	} table[] = {
		{ "2026-11-21T17:00:00Z", NULL, true },
		{ "1970-01-01T00:00:10Z", NULL, false },
		{ "2025-12-31T23:59:59Z", NULL, false },
		{ "2026-01-01T00:00:00Z", NULL, true },
		{ "2026-11-21T17:00:00Z", "2026-11-21T17:00:00Z", true },
		{ "2026-11-21T17:00:00Z", "2026-11-21T17:01:00Z", true }, /* NTP stepped back */
		{ "2026-11-21T17:00:00Z", "2026-11-21T17:01:01Z", false },
		{ "2026-11-21T15:00:00Z", "2026-11-21T17:00:00Z", false }, /* two hours back */
		{ "2026-11-24T17:00:00Z", "2026-11-21T17:00:00Z", true },
		{ "1970-01-01T00:00:10Z", "1970-01-01T00:00:00Z", false },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++)
		assert_int_equal(
			trust_clock(instant(table[i].now),
				table[i].last_seen ? instant(table[i].last_seen) : TIME_UNSET),
			table[i].trusted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_behind_what_was_seen_is_not_trusted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
