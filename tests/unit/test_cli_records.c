/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang history, as far as it is pure: instants as people write them, records in order, CSV. */
#include "base/clock.h"
#include "cli/event.h"
#include "cli/records.h"
#include "cli/when.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* after the above, as it asks */
#include <cmocka.h>

static int64_t instant(const char *text)
{
	int64_t us = 0;

	assert_int_equal(time_parse(text, &us, NULL), 0);
	return us;
}

static void test_when(void **state)
{
	(void)state;
	static const struct {
		const char *text, *expected; /* NULL: refused */
	} rows[] = {
		{ "2026-11-20T05:30:00+07:00", "2026-11-20T05:30:00+07:00" },
		{ "90s", "2026-11-22T01:28:30+07:00" },
		{ "6h", "2026-11-21T19:30:00+07:00" },
		{ "2d", "2026-11-20T01:30:00+07:00" },
		{ "hôm nay", "2026-11-22T00:00:00+07:00" },
		{ "hom nay", "2026-11-22T00:00:00+07:00" },
		{ "hôm qua", "2026-11-21T00:00:00+07:00" },
		{ "", NULL },
		{ "hôm", NULL },
		{ "-6h", NULL },
		{ "2026-11-20", NULL },
	};
	int64_t now_us = instant("2026-11-22T01:30:00+07:00");

	for (size_t i = 0; i < countof(rows); i++) {
		struct error error = { 0 };
		int64_t us = 0;
		int result = when_parse(rows[i].text, now_us, &us, &error);
		if (!rows[i].expected && (result == 0 || !strstr(error.text, rows[i].text)))
			fail_msg("“%s” is taken, or not named: %s", rows[i].text, error.text);
		if (rows[i].expected && (result < 0 || us != instant(rows[i].expected)))
			fail_msg("“%s”: %s", rows[i].text, error.text);
	}
}

/* The first of the month, and a day that has 25 hours. */
static void test_when_days(void **state)
{
	(void)state;
	int64_t us = 0;

	assert_int_equal(when_parse("hôm qua", instant("2027-01-01T12:00:00+07:00"), &us, NULL), 0);
	assert_int_equal(us, instant("2026-12-31T00:00:00+07:00"));
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	assert_int_equal(when_parse("hôm qua", instant("2026-10-26T12:00:00+01:00"), &us, NULL), 0);
	assert_int_equal(us, instant("2026-10-25T00:00:00+02:00"));
	setenv("TZ", "Asia/Ho_Chi_Minh", 1);
	tzset();
}

static bool add(struct records *records, const char *text, bool all)
{
	_cleanup_(json_freep) struct json *receipt = json_parse(text, strlen(text), NULL);

	assert_non_null(receipt);
	return records_add(records, receipt, all);
}

#define RECEIPT(at, node, event, detail)                                               \
	"{\"id\":\"tin\",\"revision\":1,\"node\":\"" node "\",\"output\":\"loa\","     \
	"\"event\":\"" event "\",\"at\":\"2026-11-21T" at "\",\"seconds_asked\":21.4," \
	"\"seconds_played\":20,\"reason\":null,\"detail\":" detail "}"

static void test_what_matters(void **state)
{
	(void)state;
	static const char *const matter[] = { "rejected", "interrupted", "finished", "cancelled",
		"expired", "failed", "superseded" };
	static const char *const other[] = { "accepted", "started", "resumed" };
	enum receipt_event event = RECEIPT_ACCEPTED;

	for (size_t i = 0; i < countof(matter); i++) {
		assert_true(event_parse(matter[i], &event));
		assert_true(event_matters(event));
	}
	for (size_t i = 0; i < countof(other); i++) {
		assert_true(event_parse(other[i], &event));
		assert_false(event_matters(event));
	}
	assert_false(event_parse("", &event));
	_cleanup_(records_done) struct records records = { 0 };
	assert_true(add(&records, RECEIPT("05:30:00Z", "a", "started", "null"), false));
	assert_int_equal(records.count, 0);
	assert_true(add(&records, RECEIPT("05:30:00Z", "a", "started", "null"), true));
	assert_int_equal(records.count, 1);
}

/* Nodes are not trusted: what is no receipt is not shown. */
static void test_odd_receipts(void **state)
{
	(void)state;
	static const char *const odd[] = { "3", "[]", "{}", "null", "{\"event\":\"finished\"}",
		"{\"event\":\"finished\",\"at\":\"\"}", "{\"event\":1,\"at\":2}",
		RECEIPT("05:30:00Z", "a", "eaten", "null") };
	_cleanup_(records_done) struct records records = { 0 };

	for (size_t i = 0; i < countof(odd); i++)
		assert_false(add(&records, odd[i], true));
	/* and odd members of one do no harm */
	assert_true(add(&records,
		"{\"event\":\"failed\",\"at\":\"2026-11-21T05:30:00Z\",\"node\":[1],\"id\":{},"
		"\"seconds_played\":\"x\",\"detail\":3}",
		true));
	records_sort(&records);
	_cleanup_(strbuf_done) struct strbuf csv = { 0 };
	struct table table;
	records_csv(&records, &csv);
	records_fill(&records, &table);
	assert_string_equal(
		strchr(csv.text, '\n') + 1, "2026-11-21T05:30:00Z,[1],,{},,failed,,x,,,\r\n");
	assert_string_equal(table.cells[table.columns + 5], "thất bại");
	table_done(&table);
}

static void test_order(void **state)
{
	(void)state;
	_cleanup_(records_done) struct records records = { 0 };
	_cleanup_(strbuf_done) struct strbuf out = { 0 };
	struct table table;

	/* two nodes; one says its time in another zone; two at the same instant stay in order */
	assert_true(add(&records, RECEIPT("05:30:02+07:00", "a", "finished", "null"), false));
	assert_true(add(&records, RECEIPT("05:30:03+07:00", "a", "cancelled", "\"ngừng\""), false));
	assert_true(add(&records, RECEIPT("05:30:03+07:00", "a", "failed", "null"), false));
	assert_true(add(&records, RECEIPT("05:30:01.5+07:00", "b", "expired", "null"), false));
	assert_true(add(&records, RECEIPT("00:30:03+02:00", "b", "superseded", "null"), false));
	records_add_title(&records, "z", "khác");
	records_add_title(&records, "y", "khác nữa");
	records_add_title(&records, "tin", "Cắt điện");
	records_sort(&records);
	records_fill(&records, &table);
	table_format(&table, &out);
	assert_string_equal(out.text,
		"LÚC                  MÁY  LOA  MÃ   TIÊU ĐỀ   SỰ KIỆN    GIÂY  VÌ SAO\n"
		"2026-11-21 05:30:01  b    loa  tin  Cắt điện  hết hạn    20.0\n"
		"2026-11-21 05:30:02  a    loa  tin  Cắt điện  phát xong  20.0\n"
		"2026-11-21 05:30:03  a    loa  tin  Cắt điện  đã hủy     20.0  ngừng\n"
		"2026-11-21 05:30:03  a    loa  tin  Cắt điện  thất bại   20.0\n"
		"2026-11-21 05:30:03  b    loa  tin  Cắt điện  đã thay    20.0\n");
	table_done(&table);
}

static void test_csv(void **state)
{
	(void)state;
	_cleanup_(records_done) struct records records = { 0 };
	_cleanup_(strbuf_done) struct strbuf csv = { 0 };

	records_csv(&records, &csv);
	assert_string_equal(csv.text, "at,node,output,id,revision,event,seconds_asked,"
				      "seconds_played,reason,title,detail\r\n");
	strbuf_clear(&csv);
	assert_true(add(&records,
		RECEIPT("05:30:02+07:00", "a", "finished", "\"a, \\\"b\\\"\\nc\""), false));
	assert_true(add(&records, RECEIPT("05:30:03+07:00", "a", "finished", "\"=1+1\""), false));
	assert_true(add(&records, RECEIPT("05:30:04+07:00", "a", "finished", "\"a, b\""), false));
	records_add_title(&records, "tin", "@lệnh");
	records_sort(&records);
	records_csv(&records, &csv);
	assert_string_equal(strchr(csv.text, '\n') + 1,
		"2026-11-21T05:30:02+07:00,a,loa,tin,1,finished,21.4,20,,'@lệnh,"
		"\"a, \"\"b\"\"\nc\"\r\n"
		"2026-11-21T05:30:03+07:00,a,loa,tin,1,finished,21.4,20,,'@lệnh,'=1+1\r\n"
		"2026-11-21T05:30:04+07:00,a,loa,tin,1,finished,21.4,20,,'@lệnh,\"a, b\"\r\n");
}

/* As many as a village makes in a year, in no order. */
static void test_many(void **state)
{
	(void)state;
	_cleanup_(records_done) struct records records = { 0 };

	for (int i = 0; i < 20000; i++) {
		_cleanup_(freep) char *text = xasprintf(
			"{\"event\":\"finished\",\"at\":\"2026-11-%02dT05:%02d:%02dZ\"}",
			1 + i * 7 % 28, i * 13 % 60, i * 17 % 60);
		assert_true(add(&records, text, false));
	}
	records_sort(&records);
	assert_int_equal(records.count, 20000);
	for (size_t i = 1; i < records.count; i++)
		assert_true(records.list[i - 1].at_us <= records.list[i].at_us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when),
		cmocka_unit_test(test_when_days),
		cmocka_unit_test(test_what_matters),
		cmocka_unit_test(test_odd_receipts),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_many),
	};
	setenv("TZ", "Asia/Ho_Chi_Minh", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
