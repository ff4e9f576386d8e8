/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where an answer may go. The requests themselves: tests/e2e/test_requests.py. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_topic),
		cmocka_unit_test(test_longest_topic),
		cmocka_unit_test(test_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
