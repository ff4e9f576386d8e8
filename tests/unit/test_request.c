/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where an answer may go, and how many may. The requests themselves: tests/e2e/test_requests.py. */
#include "base/clock.h"
#include "base/strbuf.h"
#include "daemon/request.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as it asks */
#include <cmocka.h>

static void test_topic(void **state)
{
	(void)state;
	static const struct {
		const char *topic;
		bool allowed;
	} rows[] = {
		{ "reply", true },
		{ "loalang/xa/reply/lenh-1", true },
		{ "loalang/xa/node/ubnd/reply/1", true },
		{ "loalang/xa/node/ubnd", true },
		{ "loalang/xa/node/ubnd/statuses", true },
		{ "loalang/xa/zones", true },
		{ "loalang/xa/zo/all", true },
		{ "loalang/xa/", true },
		{ "loalang/xa", true },
		{ "loalang//", true },
		{ "loalang/", true },
		{ "loalang", true },
		{ "x/loalang/xa/zone/all/announce", true },
		/* orders */
		{ "loalang/xa/zone/all/announce", false },
		{ "loalang/khac/zone/all/control", false },
		{ "loalang//zone/all/control", false },
		{ "loalang/xa/zone", false },
		{ "loalang/xa/zone/", false },
		{ "loalang/xa/media/00", false },
		{ "loalang/xa/node/ubnd/request/read", false },
		{ "loalang/xa/node/ubnd/output/loa/gain", false },
		/* what nodes say */
		{ "loalang/xa/node/ubnd/status", false },
		{ "loalang/xa/node//status", false },
		{ "loalang/xa/node/ubnd/receipt", false },
		{ "loalang/xa/node/khac/output/loa/state", false },
		/* no topics */
		{ "", false },
		{ "reply/+", false },
		{ "reply/#", false },
		{ "+", false },
		{ "reply/a\nb", false },
		{ "reply/\x7f", false },
		{ "$SYS/broker/x", false },
		{ "$share/a/b", false },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		if (request_topic_allowed(rows[i].topic) != rows[i].allowed)
			fail_msg(
				"“%s” is %s", rows[i].topic, rows[i].allowed ? "refused" : "taken");
	}
}

static void test_longest_topic(void **state)
{
	(void)state;
	char topic[REQUEST_TOPIC_MAX + 2];

	memset(topic, 'a', sizeof(topic));
	topic[REQUEST_TOPIC_MAX + 1] = '\0';
	assert_false(request_topic_allowed(topic));
	topic[REQUEST_TOPIC_MAX] = '\0';
	assert_true(request_topic_allowed(topic));
}

static void test_done(void **state)
{
	(void)state;
	struct requests requests = { 0 };

	requests_done(&requests);
	requests.under_way[3] = (struct request_question){ .token = 1,
		.topic = xstrdup("a"),
		.correlation = xstrdup("b"),
		.correlation_length = 1 };
	requests_done(&requests);
	assert_null(requests.under_way[3].topic);
	requests_done(&requests);
}

#define NOW_US (1000 * US_PER_SEC)

/* How many answers of `bytes` are given from `now_us` on, when nothing stands still. */
static size_t answers(
	struct requests *requests, int64_t now_us, size_t bytes, enum request_credit credits)
{
	size_t count = 0;

	for (; count < 1000000 && requests_afford(requests, now_us, credits); count++)
		requests_bill_answer(requests, now_us, bytes);
	return count;
}

/* A flood of questions makes so many bytes of answers, and no more, at once and later. */
static void test_bytes_are_bounded(void **state)
{
	(void)state;
	struct requests requests = { 0 };
	const size_t bytes = 4096, most = REQUEST_ANSWERS_MAX / bytes;

	assert_in_range(answers(&requests, NOW_US, bytes, REQUEST_QUEUE), most / 2, most);
	assert_int_equal(answers(&requests, NOW_US, bytes, REQUEST_QUEUE), 0);
	assert_in_range(
		answers(&requests, NOW_US + US_PER_SEC, bytes, REQUEST_QUEUE), most / 2, most);
	/* saying no costs too: the smallest refusals end as well */
	assert_in_range(answers(&requests, NOW_US + US_PER_SEC, 0, REQUEST_REFUSAL), 1,
		REQUEST_ANSWERS_MAX / 100);
	/* and all is forgotten, however long nobody asked */
	assert_in_range(answers(&requests, NOW_US + 1000 * US_PER_SEC, bytes, REQUEST_QUEUE),
		most / 2, most);
}

/* Readings at full flood leave room for a question about the queue: the largest overshoot too. */
static void test_readings_leave_some(void **state)
{
	(void)state;
	struct requests requests = { 0 };
	const int64_t longest_us = 45 * US_PER_MS;
	size_t count = 0;

	for (; count < 1000 && requests_afford(&requests, NOW_US, REQUEST_READ); count++) {
		requests_bill_work(&requests, NOW_US, longest_us);
		requests_bill_answer(&requests, NOW_US, 600000);
	}
	assert_in_range(count, 2, 5);
	assert_true(requests_afford(&requests, NOW_US, REQUEST_QUEUE));
	requests_bill_work(&requests, NOW_US, 10 * longest_us);
	assert_false(requests_afford(&requests, NOW_US, REQUEST_QUEUE));
	assert_true(requests_afford(&requests, NOW_US + 3 * US_PER_SEC, REQUEST_READ));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topic),
		cmocka_unit_test(test_longest_topic),
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_bytes_are_bounded),
		cmocka_unit_test(test_readings_leave_some),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
