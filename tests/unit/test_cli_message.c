/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/name.h"
#include "cli/message.h"
#include "announcement_helpers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as it asks */
#include <cmocka.h>

#define NOW_US (INT64_C(1795254000) * US_PER_SEC) /* 2026-11-21T16:40:00+07:00 */

static struct announcement *check(const struct message *message, struct error *error)
{
	_cleanup_(freep) char *json = message_format(message);

	return message_check(json, message, 1500 * US_PER_MS, error);
}

static void test_least(void **state)
{
	(void)state;
	const struct message message = { .text = "Kính thưa bà con",
		.priority = PRIORITY_NORMAL,
		.start_us = TIME_UNSET,
		.issued_at_us = NOW_US };
	struct error error = { "" };
	_cleanup_(announcement_unrefp) struct announcement *made = check(&message, &error);

	assert_string_equal(error.text, "");
	assert_non_null(made);
	assert_string_equal(first_text(made), message.text);
	assert_true(made->start_us == NOW_US + 1500 * US_PER_MS);
	assert_true(made->expires_us == NOW_US + 3600 * US_PER_SEC);
	assert_int_equal(made->repeat_times, 1);
	assert_string_equal(made->chime_open, "");
	assert_null(made->issued_by);
}

static void test_everything(void **state)
{
	(void)state;
	const struct message message = { .id = "tin-1",
		.revision = 7,
		.text = "Cháy!\n\t\"Sơ tán\" \\ ngay",
		.priority = PRIORITY_EMERGENCY,
		.start_us = NOW_US + 60 * US_PER_SEC,
		.expires_us = 900 * US_PER_SEC,
		.repeat = 5,
		.chime = "khan-cap",
		.issued_by = "ủy ban@máy",
		.issued_at_us = NOW_US };
	struct error error = { "" };
	_cleanup_(announcement_unrefp) struct announcement *made = check(&message, &error);

	assert_string_equal(error.text, "");
	assert_non_null(made);
	assert_string_equal(made->id, "tin-1");
	assert_int_equal(made->revision, 7);
	assert_string_equal(first_text(made), message.text);
	assert_int_equal(made->priority, PRIORITY_EMERGENCY);
	assert_true(made->start_us == message.start_us);
	/* counted from the start, not from now */
	assert_true(made->expires_us == message.start_us + 900 * US_PER_SEC);
	assert_int_equal(made->repeat_times, 5);
	assert_string_equal(made->chime_open, "khan-cap");
	assert_string_equal(made->chime_close, "");
	assert_string_equal(made->issued_by, "ủy ban@máy");
	assert_true(made->issued_at_us == NOW_US);
}

static void test_no_chime(void **state)
{
	(void)state;
	const struct message message = {
		.text = "a", .chime = "none", .start_us = TIME_UNSET, .issued_at_us = NOW_US
	};
	struct error error;
	_cleanup_(announcement_unrefp) struct announcement *made = check(&message, &error);

	assert_non_null(made);
	assert_string_equal(made->chime_open, "none");
	assert_string_equal(made->chime_close, "none");
}

/* An emergency is said as often as nodes do, unless told otherwise. */
static void test_emergency_repeats(void **state)
{
	(void)state;
	const struct message message = { .text = "a",
		.priority = PRIORITY_EMERGENCY,
		.start_us = TIME_UNSET,
		.issued_at_us = NOW_US };
	struct error error;
	_cleanup_(announcement_unrefp) struct announcement *made = check(&message, &error);

	assert_non_null(made);
	assert_int_equal(made->repeat_times, ANNOUNCEMENT_EMERGENCY_TIMES);
}

static void test_expired_already(void **state)
{
	(void)state;
	struct message message = {
		.text = "a", .start_us = NOW_US - 3600 * US_PER_SEC, .issued_at_us = NOW_US
	};
	struct error error = { "" };

	assert_null(check(&message, &error));
	assert_non_null(strstr(error.text, "hết hạn"));
	message.expires_us = 3601 * US_PER_SEC;
	_cleanup_(announcement_unrefp) struct announcement *made = check(&message, &error);
	assert_non_null(made);
}

static void test_id(void **state)
{
	(void)state;
	char one[MESSAGE_ID_SIZE], other[MESSAGE_ID_SIZE];
	int different = 0;

	message_id(NOW_US, one);
	assert_true(strncmp(one, "noi-20261121T094000-", 20) == 0);
	assert_true(name_valid(one, strlen(one)));
	for (int i = 0; i < 8; i++) {
		message_id(NOW_US, other);
		different += strcmp(one, other) != 0;
	}
	assert_true(different > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_no_chime),
		cmocka_unit_test(test_emergency_repeats),
		cmocka_unit_test(test_expired_already),
		cmocka_unit_test(test_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
