/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/trust.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static int64_t instant(const char *text)
{
	int64_t real_us = 0;

	assert_int_equal(time_parse(text, &real_us, NULL), 0);
	return real_us;
}

enum { KERNEL = 1, NEED = 2, HAND = 4 };

struct row {
	const char *now, *last_seen; /* NULL: never */
	int flags;
	const char *doubt; /* a part of it; NULL: trusted */
};

#define NOW  "2026-11-21T17:00:00Z"
#define BACK "lần chạy trước"
#define SYNC "NTP"
#define OLD  "2026,"

static const struct row table[] = {
	/* alone */
	{ NOW, NULL, 0, NULL },
	{ "1970-01-01T00:00:10Z", NULL, 0, OLD },
	{ "2025-12-31T23:59:59.999999Z", NULL, 0, OLD },
	{ "2026-01-01T00:00:00Z", NULL, 0, NULL },
	{ NOW, NOW, 0, NULL },
	{ NOW, "2026-11-21T17:01:00Z", 0, NULL }, /* NTP stepped back */
	{ NOW, "2026-11-21T17:01:00.000001Z", 0, BACK },
	{ "2026-11-21T15:00:00Z", NOW, 0, BACK }, /* two hours back */
	{ "2026-11-24T17:00:00Z", NOW, 0, NULL },
	{ "1970-01-01T00:00:10Z", "1970-01-01T00:00:00Z", 0, OLD },
	/* the kernel, or a person, knows better than what was seen: 2038 had been a mistake */
	{ NOW, "2038-01-19T03:14:08Z", 0, BACK },
	{ NOW, "2038-01-19T03:14:08Z", KERNEL, NULL },
	{ NOW, "2038-01-19T03:14:08Z", HAND, NULL },
	{ NOW, "2038-01-19T03:14:08Z", KERNEL | HAND, NULL },
	/* but nobody makes it 1970 */
	{ "1970-01-01T00:00:10Z", NULL, KERNEL, OLD },
	{ "1970-01-01T00:00:10Z", NULL, HAND, OLD },
	{ "1970-01-01T00:00:10Z", NULL, KERNEL | NEED | HAND, OLD },
	/* configured so: only the kernel */
	{ NOW, NULL, NEED, SYNC },
	{ NOW, NOW, NEED, SYNC },
	{ NOW, NOW, NEED | HAND, SYNC },
	{ NOW, "2038-01-19T03:14:08Z", NEED, SYNC },
	{ NOW, NULL, NEED | KERNEL, NULL },
	{ NOW, NOW, NEED | KERNEL, NULL },
	{ NOW, "2038-01-19T03:14:08Z", NEED | KERNEL, NULL },
};

static void a_clock_is_trusted_when_nothing_speaks_against_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		const struct row *row = &table[i];
		struct trust_facts facts = {
			.real_us = instant(row->now),
			.last_seen_us = row->last_seen ? instant(row->last_seen) : TIME_UNSET,
			.kernel_synchronised = row->flags & KERNEL,
			.need_synchronised = row->flags & NEED,
			.set_by_hand = row->flags & HAND,
		};
		const char *doubt = trust_doubt(&facts);
		if ((doubt == NULL) != (row->doubt == NULL) ||
			(doubt && !strstr(doubt, row->doubt)))
			fail_msg("row %zu: %s", i, doubt ? doubt : "trusted");
		assert_int_equal(trust_clock(&facts), row->doubt == NULL);
	}
}

/* What was seen at the end of time, or long before it, is no reason to leave the range of a type. */
static void extremes_are_compared(void **state)
{
	struct trust_facts facts = { .real_us = instant(NOW), .last_seen_us = INT64_MAX };

	(void)state;
	assert_false(trust_clock(&facts));
	facts.last_seen_us = INT64_MIN + 1;
	assert_true(trust_clock(&facts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_is_trusted_when_nothing_speaks_against_it),
		cmocka_unit_test(extremes_are_compared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
