/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row of a plan as JSON: instants in the schedule's zone, lunar dates, reasons in words. */
#include "scheduler/plan_format.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as it asks */
#include <cmocka.h>

static int64_t instant(const char *text)
{
	int64_t us = 0;

	assert_int_equal(time_parse(text, &us, NULL), 0);
	return us;
}

static void test_time(void **state)
{
	static const struct {
		const char *zone, *at, *expected;
	} rows[] = {
		{ "Asia/Ho_Chi_Minh", "2026-11-23T22:30:00Z", "2026-11-24T05:30:00+07:00" },
		{ "Asia/Ho_Chi_Minh", "2026-11-23T22:30:00.125Z", "2026-11-24T05:30:00.125+07:00" },
		{ "Asia/Ho_Chi_Minh", "2026-11-23T22:30:00.001Z", "2026-11-24T05:30:00.001+07:00" },
		{ "UTC", "2026-11-23T22:30:00Z", "2026-11-23T22:30:00+00:00" },
		{ "America/New_York", "2026-07-01T00:00:00Z", "2026-06-30T20:00:00-04:00" },
		{ "America/New_York", "2026-12-01T00:00:00Z", "2026-11-30T19:00:00-05:00" },
		{ "Asia/Kathmandu", "2026-12-01T00:00:00Z", "2026-12-01T05:45:00+05:45" },
		{ "America/St_Johns", "2026-12-01T00:00:00Z", "2026-11-30T20:30:00-03:30" },
		/* its offset was −0:44:30: there is no such offset in RFC 3339 */
		{ "Africa/Monrovia", "1971-01-01T00:44:30Z", "1970-12-31T23:59:30-00:45" },
	};
	_cleanup_(zones_freep) struct zones *zones = zones_new();

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		char text[TIME_TEXT_SIZE];
		struct error error;
		const struct zone *zone = zones_get(zones, rows[i].zone, &error);
		assert_non_null(zone);
		plan_format_time(zone, instant(rows[i].at), text);
		assert_string_equal(text, rows[i].expected);
		assert_int_equal(instant(text), instant(rows[i].at));
	}
}

/* The day is that of the zone. */
static void test_lunar(void **state)
{
	static const struct {
		const char *zone, *at, *expected;
	} rows[] = {
		{ "Asia/Ho_Chi_Minh", "2027-02-05T17:00:00Z", "1/1/2027" },
		{ "Asia/Ho_Chi_Minh", "2027-02-05T16:59:59Z", "29/12/2026" },
		{ "UTC", "2027-02-05T17:00:00Z", "29/12/2026" },
		{ "Asia/Ho_Chi_Minh", "2025-07-25T05:00:00+07:00", "1/6 nhuận/2025" },
	};
	_cleanup_(zones_freep) struct zones *zones = zones_new();

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		char text[PLAN_LUNAR_SIZE] = "";
		struct error error;
		const struct zone *zone = zones_get(zones, rows[i].zone, &error);
		assert_non_null(zone);
		assert_true(plan_format_lunar(zone, instant(rows[i].at), text));
		assert_string_equal(text, rows[i].expected);
	}
	char text[PLAN_LUNAR_SIZE];
	const struct zone *zone = zones_get(zones, "UTC", NULL);
	int64_t last_us = lunar_last_day() * INT64_C(86400) * US_PER_SEC;
	assert_true(plan_format_lunar(zone, last_us, text));
	assert_false(plan_format_lunar(zone, last_us + INT64_C(86400) * US_PER_SEC, text));
}

static struct schedule *parse(struct zones *zones, const char *json)
{
	const struct schedule_defaults defaults = {
		.zones = zones, .timezone = "Asia/Ho_Chi_Minh", .late_us = 120 * US_PER_SEC
	};
	char id[ID_MAX_BYTES + 1];
	enum reason reason;
	struct error error;
	struct schedule *schedule = schedule_parse(
		json, strlen(json), NULL, &defaults, id, &reason, &error);

	if (!schedule)
		fail_msg("%s", error.text);
	return schedule;
}

static void check(const struct plan_row *row, const char *output, const char *expected)
{
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	plan_format(&out, NULL, row, output);
	assert_string_equal(out.text, expected);
}

static void test_row(void **state)
{
	_cleanup_(zones_freep) struct zones *zones = zones_new();
	_cleanup_(schedule_unrefp) struct schedule *ram = parse(zones,
		"{\"id\":\"ram\",\"cron\":\"30 5 1,15 * "
		"*\",\"calendar\":\"lunar\",\"announcement\":"
		"{\"title\":\"Rằm\",\"text\":\"a\",\"priority\":\"priority\"}}");
	struct plan_row row = { .schedule = ram,
		.start_us = instant("2027-02-06T05:30:00+07:00"),
		.begins_us = instant("2027-02-06T05:30:00+07:00"),
		.seconds = 12.34567,
		.would = PLAN_PLAY };

	(void)state;
	check(&row, NULL,
		"{\"schedule\":\"ram\",\"id\":\"ram@20270205T2230Z\",\"start\":"
		"\"2027-02-06T05:30:00+07:00\",\"lunar\":\"1/1/2027\",\"output\":null,\"seconds\":"
		"12.346,\"would\":\"play\",\"reason\":null,\"title\":\"Rằm\",\"priority\":"
		"\"priority\",\"begins\":\"2027-02-06T05:30:00+07:00\",\"detail\":null}");
	row.would = PLAN_VETO;
	row.reason = "quiet-hours";
	row.begins_us = TIME_UNSET;
	row.interrupted = true;
	row.seconds = 0;
	check(&row, "san",
		"{\"schedule\":\"ram\",\"id\":\"ram@20270205T2230Z\",\"start\":"
		"\"2027-02-06T05:30:00+07:00\",\"lunar\":\"1/1/2027\",\"output\":\"san\","
		"\"seconds\":0.0,\"would\":\"veto\",\"reason\":\"quiet-hours\",\"title\":\"Rằm\","
		"\"priority\":\"priority\",\"begins\":null,\"detail\":\"giờ yên lặng; bị cắt "
		"ngang\"}");
}

static void test_reasons(void **state)
{
	static const char *const reasons[] = { "quiet-hours", "limit", "muted", "overlap",
		"expired", "queue-full", "superseded", "except" };

	(void)state;
	for (size_t i = 0; i < countof(reasons); i++)
		assert_string_not_equal(plan_reason_detail(reasons[i]), reasons[i]);
	assert_string_equal(plan_reason_detail("sét đánh"), "sét đánh");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_lunar),
		cmocka_unit_test(test_row),
		cmocka_unit_test(test_reasons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
