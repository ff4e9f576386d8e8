/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/receipt.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

static int in_vietnam(void **state)
{
	(void)state;
	setenv("TZ", "ICT-7", 1);
	tzset();
	return 0;
}

static void expect(const struct receipt *receipt, const char *json)
{
	_cleanup_(freep) char *text = receipt_format(receipt);

	assert_string_equal(text, json);
}

static void a_receipt_has_the_keys_of_the_protocol_in_their_order(void **state)
{
	(void)state;
	expect(&(struct receipt){ .event = RECEIPT_FINISHED,
		       .id = "cat-dien",
		       .revision = 2,
		       .node = "ubnd",
		       .output = "san-uy-ban",
		       .at_us = INT64_C(1795255200250000),
		       .seconds_asked = 21.4,
		       .seconds_played = 21.3996,
		       .spoken_sha256 = "ab" },
		"{\"id\":\"cat-dien\",\"revision\":2,\"node\":\"ubnd\",\"output\":\"san-uy-ban\","
		"\"event\":\"finished\",\"at\":\"2026-11-21T17:00:00.250+07:00\","
		"\"seconds_asked\":21.4,\"seconds_played\":21.4,\"reason\":null,\"schedule\":null,"
		"\"spoken_sha256\":\"ab\",\"detail\":null}");
}

static void what_is_not_known_is_null(void **state)
{
	(void)state;
	expect(&(struct receipt){ .event = RECEIPT_REJECTED,
		       .id = "x",
		       .revision = 1,
		       .node = "ubnd",
		       .at_us = INT64_C(1795255200000000),
		       .seconds_asked = NAN,
		       .seconds_played = NAN,
		       .reason = REASON_UNKNOWN_KEY,
		       .detail = "khóa lạ \"txt\"" },
		"{\"id\":\"x\",\"revision\":1,\"node\":\"ubnd\",\"output\":null,"
		"\"event\":\"rejected\",\"at\":\"2026-11-21T17:00:00.000+07:00\","
		"\"seconds_asked\":null,\"seconds_played\":null,\"reason\":\"unknown-key\","
		"\"schedule\":null,\"spoken_sha256\":null,\"detail\":\"khóa lạ \\\"txt\\\"\"}");
}

static void five_events_are_final(void **state)
{
	static const struct {
		const char *name;
		enum receipt_event event;
		bool final;
	} table[] = {
		{ "accepted", RECEIPT_ACCEPTED, false },
		{ "rejected", RECEIPT_REJECTED, false },
		{ "started", RECEIPT_STARTED, false },
		{ "interrupted", RECEIPT_INTERRUPTED, false },
		{ "resumed", RECEIPT_RESUMED, false },
		{ "finished", RECEIPT_FINISHED, true },
		{ "cancelled", RECEIPT_CANCELLED, true },
		{ "expired", RECEIPT_EXPIRED, true },
		{ "failed", RECEIPT_FAILED, true },
		{ "superseded", RECEIPT_SUPERSEDED, true },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		assert_string_equal(receipt_event_name(table[i].event), table[i].name);
		assert_int_equal(receipt_event_final(table[i].event), table[i].final);
	}
}

static void its_instant_is_read_back(void **state)
{
	static const struct {
		const char *json;
		bool good;
	} table[] = {
		{ "{\"at\":\"2026-11-21T17:00:00.125+07:00\"}", true },
		{ "{\"at\":\"2026-11-21\"}", false },
		{ "{\"at\":5}", false },
		{ "{}", false },
		{ "[]", false },
		{ "{\"at\":", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		int64_t at_us = 5;
		int result = receipt_parse_at(table[i].json, strlen(table[i].json), &at_us);
		assert_int_equal(result, table[i].good ? 0 : -EINVAL);
		assert_int_equal(at_us, table[i].good ? INT64_C(1795255200125000) : 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_receipt_has_the_keys_of_the_protocol_in_their_order),
		cmocka_unit_test(what_is_not_known_is_null),
		cmocka_unit_test(five_events_are_final),
		cmocka_unit_test(its_instant_is_read_back),
	};
	return cmocka_run_group_tests(tests, in_vietnam, NULL);
}
