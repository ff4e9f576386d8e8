/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan put into one order, in words, and as a month. */
#include "base/clock.h"
#include "cli/month.h"
#include "cli/planned.h"
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

/* `more`: further members, with a comma before. */
static bool add(struct planned *planned, const char *schedule, const char *node, const char *start,
	const char *would, const char *more)
{
	_cleanup_(freep) char *text = xasprintf(
		"{\"schedule\":\"%s\",\"id\":\"%s@x\",\"start\":\"%s\",\"would\":\"%s\"%s}",
		schedule, schedule, start, would, more);
	_cleanup_(json_freep) struct json *row = json_parse(text, strlen(text), NULL);

	assert_non_null(row);
	return planned_add(planned, node, row);
}

static void test_order(void **state)
{
	_cleanup_(planned_done) struct planned planned = { 0 };
	_cleanup_(strbuf_done) struct strbuf order = { 0 };
	struct planned_occurrence occurrence;

	(void)state;
	/* the same instant, told in two zones; "a" before "a-b", though "@" is behind "-" */
	add(&planned, "a-b", "n", "2026-11-22T05:30:00+07:00", "play", "");
	add(&planned, "a", "n", "2026-11-21T22:30:00+00:00", "play", ",\"output\":\"2\"");
	add(&planned, "a", "n", "2026-11-22T05:30:00+07:00", "veto", ",\"output\":\"1\"");
	add(&planned, "a", "m", "2026-11-22T05:30:00+07:00", "hold",
		",\"output\":\"3\",\"seconds\":5,\"begins\":\"2026-11-22T06:00:00+07:00\"");
	add(&planned, "z", NULL, "2026-11-22T05:29:00+07:00", "skip", "");
	planned_sort(&planned);
	for (size_t next = 0; next < planned.count;) {
		next = planned_occurrence(&planned, next, &occurrence);
		strbuf_printf(&order, "%s %zu %s;", occurrence.rows[0].schedule, occurrence.count,
			plan_would_name(occurrence.would));
		for (size_t i = 0; i < occurrence.count; i++)
			strbuf_printf(&order, "%s%s ",
				occurrence.rows[i].node ? occurrence.rows[i].node : "-",
				occurrence.rows[i].output ? occurrence.rows[i].output : "-");
	}
	assert_string_equal(order.text, "z 1 skip;-- a 3 veto;m3 n1 n2 a-b 1 play;n- ");
	(void)planned_occurrence(&planned, 1, &occurrence);
	assert_true(occurrence.heard);
	assert_int_equal(occurrence.begins_us, instant("2026-11-22T06:00:00+07:00"));
	assert_int_equal(occurrence.ends_us, instant("2026-11-22T06:00:05+07:00"));
	assert_string_equal(planned.list[1].json,
		"{\"node\":\"m\",\"schedule\":\"a\",\"id\":\"a@x\",\"start\":"
		"\"2026-11-22T05:30:00+07:00\",\"would\":\"hold\",\"output\":\"3\",\"seconds\":5,"
		"\"begins\":\"2026-11-22T06:00:00+07:00\"}");
}

static void test_what_is_none(void **state)
{
	static const char *const texts[] = { "[]", "{}", "3",
		"{\"schedule\":\"a\",\"id\":\"a\",\"start\":\"hôm nay\",\"would\":\"play\"}",
		"{\"schedule\":\"a\",\"id\":\"a\",\"start\":\"2026-11-22T05:30:00Z\"}",
		"{\"schedule\":\"a\",\"start\":\"2026-11-22T05:30:00Z\",\"would\":\"play\"}",
		("{\"schedule\":\"a\",\"id\":\"a\",\"start\":\"2026-11-22T05:30:00Z\",\"would\":"
		 "\"play\",\"begins\":\"x\"}") };
	_cleanup_(planned_done) struct planned planned = { 0 };

	(void)state;
	for (size_t i = 0; i < countof(texts); i++) {
		_cleanup_(json_freep) struct json *row = json_parse(
			texts[i], strlen(texts[i]), NULL);
		if (planned_add(&planned, "n", row))
			fail_msg("taken: %s", texts[i]);
	}
	assert_false(planned_add(&planned, "n", NULL));
}

static void test_words(void **state)
{
	static const struct {
		const char *start, *would, *more, *when, *words;
		bool meant;
	} rows[] = {
		{ "2026-11-22T05:30:00+07:00", "play", "", "CN 22/11/2026 05:30", "phát", true },
		{ "2026-11-23T05:30:00+07:00", "veto", ",\"reason\":\"limit\"",
			"T2 23/11/2026 05:30", "không phát", false },
		{ "2026-11-28T05:30:00+07:00", "skip", "", "T7 28/11/2026 05:30", "bỏ qua", false },
		{ "2026-11-23T23:30:00-05:00", "hold",
			",\"reason\":\"overlap\",\"begins\":\"2026-11-24T11:31:07+07:00\"",
			"T2 23/11/2026 23:30 -05:00", "phát lúc 11:31:07", true },
		{ "2026-11-23T22:30:00+07:00", "hold",
			",\"reason\":\"quiet-hours\",\"begins\":\"2026-11-24T05:00:00+07:00\"",
			"T2 23/11/2026 22:30", "phát lúc 05:00", false },
		{ "2026-11-23T22:30:00+07:00", "hold",
			",\"reason\":\"limit\",\"begins\":\"2026-11-25T00:00:00+07:00\"",
			"T2 23/11/2026 22:30", "phát lúc 00:00 25/11", true },
	};

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		_cleanup_(planned_done) struct planned planned = { 0 };
		char when[PLANNED_WHEN_SIZE], would[PLANNED_WOULD_SIZE];
		assert_true(add(&planned, "a", NULL, rows[i].start, rows[i].would, rows[i].more));
		planned_when(&planned.list[0], when);
		planned_would(&planned.list[0], would);
		assert_string_equal(when, rows[i].when);
		assert_string_equal(would, rows[i].words);
		assert_int_equal(planned_meant(&planned.list[0]), rows[i].meant);
	}
}

static void test_table(void **state)
{
	_cleanup_(planned_done) struct planned planned = { 0 };
	_cleanup_(strbuf_done) struct strbuf out = { 0 };
	struct table table;

	(void)state;
	add(&planned, "a", "m", "2026-11-22T05:30:00+07:00", "play",
		",\"lunar\":\"15/6 "
		"nhuận/2025\",\"output\":\"1\",\"seconds\":3725.6,\"title\":\"Tin\"");
	add(&planned, "b", NULL, "2026-11-22T05:30:00+07:00", "veto",
		",\"lunar\":null,\"output\":null,\"seconds\":59.6,\"detail\":\"vì thế\"");
	planned_fill(&planned, &table);
	table_format(&table, &out);
	table_done(&table);
	assert_string_equal(out.text,
		"LÚC                  ÂM LỊCH     LỊCH  TIÊU ĐỀ  MÁY  LOA  DÀI      SẼ          VÌ "
		"SAO\n"
		"CN 22/11/2026 05:30  15/6 nhuận  a     Tin      m    1    1:02:06  phát\n"
		"CN 22/11/2026 05:30              b                        1:00     không phát  vì "
		"thế\n");
}

/* --- A month --------------------------------------------------------------------------------- */

/* The year of a leap month; more broadcasts than a cell has lines. */
static void test_month(void **state)
{
	static const struct month_entry entries[] = {
		{ 1, 330, PLAN_PLAY },
		{ 1, 330, PLAN_PLAY },
		{ 1, 1020, PLAN_HOLD },
		{ 25, 60, PLAN_PLAY },
		{ 25, 61, PLAN_VETO },
		{ 25, 62, PLAN_PLAY },
		{ 25, 63, PLAN_SKIP },
		{ 25, 64, PLAN_PLAY },
		{ 25, 65, PLAN_PLAY },
		{ 31, 1439, PLAN_PLAY },
	};
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	(void)state;
	month_format(2025, 7, entries, countof(entries), &out);
	assert_string_equal(out.text,
		"Tháng 7 năm 2025 · âm lịch từ 7/6 đến 7/6 nhuận năm Ất Tỵ\n"
		"\n"
		"Thứ 2      Thứ 3      Thứ 4      Thứ 5      Thứ 6      Thứ 7      CN\n"
		"            1  7/6     2  8       3  9       4  10      5  11      6  12\n"
		"           05:30 ×2\n"
		"           17:00 ~\n"
		"\n"
		" 7  13      8  14      9  15     10  16     11  17     12  18     13  19\n"
		"\n"
		"14  20     15  21     16  22     17  23     18  24     19  25     20  26\n"
		"\n"
		"21  27     22  28     23  29     24  30     25  1/6n   26  2      27  3\n"
		"                                            01:00\n"
		"                                            01:01 !\n"
		"                                            01:02\n"
		"                                            01:03 -\n"
		"                                            +2 lượt\n"
		"\n"
		"28  4      29  5      30  6      31  7\n"
		"                                 23:59\n"
		"\n"
		"~ có loa phát muộn   ! có loa không phát   - ngày trừ\n");
}

/* Six weeks, four weeks, nothing in them, and no lunar date. */
static void test_months(void **state)
{
	static const struct {
		int year, month, lines;
	} rows[] = { { 2027, 2, 4 }, { 2026, 8, 6 }, { 2026, 11, 6 }, { 2026, 12, 5 } };

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		_cleanup_(strbuf_done) struct strbuf out = { 0 };
		int lines = 0;
		month_format(rows[i].year, rows[i].month, NULL, 0, &out);
		for (const char *at = out.text; (at = strchr(at, '\n')); at++)
			lines++;
		assert_int_equal(lines, rows[i].lines + 3);
	}
	_cleanup_(strbuf_done) struct strbuf out = { 0 };
	month_format(2027, 2, NULL, 0, &out);
	assert_non_null(strstr(out.text, " từ 25/12 năm Bính Ngọ đến 23/1 năm Đinh Mùi\n"));
	strbuf_clear(&out);
	month_format(1900, 1, NULL, 0, &out);
	assert_int_equal(strncmp(out.text, "Tháng 1 năm 1900\n", strlen("Tháng 1 năm 1900\n")), 0);
	assert_non_null(strstr(out.text, "\n 1          2          3"));
}

/* Days are those of the process's zone; an occurrence is one entry, whatever its outputs. */
static void test_month_of_plan(void **state)
{
	_cleanup_(planned_done) struct planned planned = { 0 };
	size_t count = 0;

	(void)state;
	add(&planned, "a", "m", "2026-10-31T16:59:00Z", "play", "");
	add(&planned, "a", "m", "2026-10-31T17:00:00Z", "play", ",\"output\":\"1\"");
	add(&planned, "a", "m", "2026-10-31T17:00:00Z", "hold", ",\"output\":\"2\"");
	add(&planned, "a", "m", "2026-11-30T16:59:00Z", "play", "");
	add(&planned, "a", "m", "2026-11-30T17:00:00Z", "play", "");
	planned_sort(&planned);
	_cleanup_(freep) struct month_entry *entries = planned_month(&planned, 2026, 11, &count);
	assert_int_equal(count, 2);
	assert_int_equal(entries[0].day, 1);
	assert_int_equal(entries[0].minute, 0);
	assert_int_equal(entries[0].would, PLAN_HOLD);
	assert_int_equal(entries[1].day, 30);
	assert_int_equal(entries[1].minute, 23 * 60 + 59);
}

/* --- From when ------------------------------------------------------------------------------- */

static void test_from(void **state)
{
	static const struct {
		const char *text, *expected; /* NULL: refused */
	} rows[] = {
		{ "2026-12-01", "2026-12-01T00:00:00+07:00" },
		{ "2026-11-20T05:30:00+07:00", "2026-11-20T05:30:00+07:00" },
		{ "hôm nay", "2026-11-30T00:00:00+07:00" },
		{ "hom nay", "2026-11-30T00:00:00+07:00" },
		{ "ngày mai", "2026-12-01T00:00:00+07:00" },
		{ "ngay mai", "2026-12-01T00:00:00+07:00" },
		{ "hôm qua", NULL },
		{ "6h", NULL },
		{ "2026-02-29", NULL },
		{ "", NULL },
	};
	int64_t now_us = instant("2026-11-30T01:30:00+07:00");

	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		struct error error = { 0 };
		int64_t us = 0;
		int result = when_parse_from(rows[i].text, now_us, &us, &error);
		if (!rows[i].expected && (result == 0 || !strstr(error.text, rows[i].text)))
			fail_msg("“%s” is taken, or not named: %s", rows[i].text, error.text);
		if (rows[i].expected && (result < 0 || us != instant(rows[i].expected)))
			fail_msg("“%s”: %s", rows[i].text, error.text);
	}
}

static void test_spans(void **state)
{
	int year = 0, month = 0;

	(void)state;
	assert_int_equal(when_parse_month("2026-12", &year, &month, NULL), 0);
	assert_int_equal(year, 2026);
	assert_int_equal(month, 12);
	assert_true(when_parse_month("2026-13", &year, &month, NULL) < 0);
	assert_true(when_parse_month("2026-12-01", &year, &month, NULL) < 0);
	assert_true(when_parse_month("12", &year, &month, NULL) < 0);
	assert_int_equal(when_midnight_us(2026, 13, 1), instant("2027-01-01T00:00:00+07:00"));
	assert_int_equal(when_days_later_us(instant("2026-11-30T01:30:00.5+07:00"), 1),
		instant("2026-12-01T01:30:00.5+07:00"));
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	assert_int_equal(when_days_later_us(instant("2026-10-24T12:00:00+02:00"), 1),
		instant("2026-10-25T12:00:00+01:00"));
	setenv("TZ", "Asia/Ho_Chi_Minh", 1);
	tzset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_month),
		cmocka_unit_test(test_months),
		cmocka_unit_test(test_month_of_plan),
		cmocka_unit_test(test_from),
		cmocka_unit_test(test_spans),
	};
	setenv("TZ", "Asia/Ho_Chi_Minh", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
