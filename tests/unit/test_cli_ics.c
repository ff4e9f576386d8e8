/* SPDX-License-Identifier: GPL-3.0-or-later */
/* iCalendar: line ends, folding, escaping, times; and what of a plan becomes an event. */
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/agenda.h"
#include "cli/ics.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* after the above, as it asks */
#include <cmocka.h>

#define AT_US (INT64_C(1795280400) * US_PER_SEC) /* 2026-11-21T17:00:00Z */

/* Each line as RFC 5545 wants it; then without the folds and with \n, for comparing. */
static char *unfold(const struct strbuf *out)
{
	struct strbuf lines = { 0 };
	const char *line = out->text;

	for (const char *end; (end = strstr(line, "\r\n")); line = end + 2) {
		size_t length = (size_t)(end - line);
		if (length > 75 || utf8_valid_prefix(line, length) != length)
			fail_msg("%zu bytes, or a cut character: %.*s", length, (int)length, line);
		assert_null(memchr(line, '\n', length));
		bool folded = *line == ' ';
		if (!folded && lines.length > 0)
			strbuf_putc(&lines, '\n');
		strbuf_add(&lines, line + folded, length - folded);
	}
	assert_string_equal(line, "");
	return strbuf_take(&lines);
}

static void test_event(void **state)
{
	_cleanup_(strbuf_done) struct strbuf out = { 0 };
	const struct ics_event event = { .uid = "ram@20261121T1700Z",
		.summary = "Rằm; mùng một, \\hội",
		.description = "Dòng một\nDòng\thai",
		.start_us = AT_US + 900,
		.end_us = AT_US + 12 * US_PER_SEC + 1 };

	(void)state;
	ics_begin(&out);
	ics_add(&out, &event, AT_US - US_PER_SEC);
	ics_end(&out);
	_cleanup_(freep) char *lines = unfold(&out);
	assert_string_equal(lines,
		"BEGIN:VCALENDAR\nVERSION:2.0\n"
		"PRODID:-//Loa Làng//loalang plan//VI\nCALSCALE:GREGORIAN\n"
		"BEGIN:VEVENT\nUID:ram@20261121T1700Z\nDTSTAMP:20261121T165959Z\n"
		"DTSTART:20261121T170000Z\nDTEND:20261121T170013Z\n"
		"SUMMARY:Rằm\\; mùng một\\, \\\\hội\n"
		"DESCRIPTION:Dòng một\\nDòng hai\nEND:VEVENT\nEND:VCALENDAR");
}

/* Whatever the length, and wherever characters of two and three bytes lie. */
static void test_folding(void **state)
{
	(void)state;
	for (size_t ahead = 0; ahead < 80; ahead++) {
		_cleanup_(strbuf_done) struct strbuf out = { 0 }, text = { 0 };
		for (size_t i = 0; i < ahead; i++)
			strbuf_putc(&text, 'a');
		for (size_t i = 0; i < 60; i++)
			strbuf_puts(&text, i % 2 ? "ế" : "đ");
		const struct ics_event event = { .uid = "a",
			.summary = text.text,
			.description = "",
			.start_us = AT_US,
			.end_us = AT_US };
		ics_add(&out, &event, AT_US);
		_cleanup_(freep) char *lines = unfold(&out);
		_cleanup_(freep) char *expected = xasprintf("\nSUMMARY:%s\n", text.text);
		assert_non_null(strstr(lines, expected));
		/* no shorter than it must be */
		const char *first = strstr(out.text, "SUMMARY:");
		assert_true(strcspn(first, "\r") >= 75 - 2);
		/* what takes no time is a minute, to be seen */
		assert_non_null(strstr(lines, "\nDTEND:20261121T170100Z\n"));
	}
}

static void add(struct planned *planned, const char *id, const char *node, const char *output,
	const char *would, const char *begins)
{
	_cleanup_(freep) char *text = xasprintf(
		"{\"schedule\":\"%s\",\"id\":\"%s@20261121T1700Z\",\"start\":\"2026-11-22T00:00:00"
		"+07:00\",\"lunar\":\"14/10/2026\",\"output\":\"%s\",\"seconds\":10,\"would\":"
		"\"%s\",\"reason\":null,\"begins\":%s}",
		id, id, output, would, begins);
	_cleanup_(json_freep) struct json *row = json_parse(text, strlen(text), NULL);

	assert_true(planned_add(planned, node, row));
}

static void add_schedule(struct agenda *agenda, const char *id, const char *text)
{
	_cleanup_(json_freep) struct json *json = json_parse(text, strlen(text), NULL);

	assert_non_null(json);
	agenda_add(agenda, id, json);
}

static void test_agenda(void **state)
{
	_cleanup_(planned_done) struct planned planned = { 0 };
	_cleanup_(agenda_done) struct agenda agenda = { 0 };
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	(void)state;
	add(&planned, "hai", "ubnd", "bac", "hold", "\"2026-11-22T00:00:30+07:00\"");
	add(&planned, "hai", "ubnd", "nam", "play", "\"2026-11-22T00:00:00+07:00\"");
	add(&planned, "hai", "tram", "xa", "veto", "null");
	add(&planned, "mot", "ubnd", "bac", "veto", "null");
	add(&planned, "hai-b", "ubnd", "bac", "play", "\"2026-11-22T00:00:00+07:00\"");
	add_schedule(&agenda, "x", "{\"announcement\":{\"text\":\"Không phải bài này\"}}");
	add_schedule(&agenda, "hai",
		"{\"announcement\":{\"parts\":[{\"media\":\"00\"},{\"text\":\"Kính thưa\"}]}}");
	add_schedule(&agenda, "mot", "{\"withdrawn\":true}");
	planned_sort(&planned);
	agenda_format(&agenda, &planned, AT_US, &out);
	_cleanup_(freep) char *lines = unfold(&out);
	const char *event = strstr(lines, "BEGIN:VEVENT\n");
	assert_non_null(event);
	const char *expected =
		"BEGIN:VEVENT\nUID:hai@20261121T1700Z\nDTSTAMP:20261121T170000Z\n"
		"DTSTART:20261121T170000Z\nDTEND:20261121T170040Z\nSUMMARY:hai\n"
		"DESCRIPTION:Kính thưa\\nÂm lịch: 14/10/2026\\nLoa: ubnd/bac\\, ubnd/nam\n"
		"END:VEVENT\n"
		"BEGIN:VEVENT\nUID:hai-b@20261121T1700Z\nDTSTAMP:20261121T170000Z\n"
		"DTSTART:20261121T170000Z\nDTEND:20261121T170010Z\nSUMMARY:hai-b\n"
		"DESCRIPTION:Âm lịch: 14/10/2026\\nLoa: ubnd/bac\nEND:VEVENT\nEND:VCALENDAR";
	assert_string_equal(event, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_agenda),
	};
	setenv("TZ", "Asia/Ho_Chi_Minh", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
