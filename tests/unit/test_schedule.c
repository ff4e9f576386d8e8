/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/schedule.h"
#include "base/strbuf.h"
#include "scheduler/date.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define LATE_US (120 * US_PER_SEC)
#define RULE    "\"cron\":\"30 5 * * *\""
#define SAYS    "\"announcement\":{\"text\":\"a\"}"

static struct zones *zones;

static int make_zones(void **state)
{
	(void)state;
	setenv("TZ", "Asia/Ho_Chi_Minh", 1);
	tzset();
	zones = zones_new();
	return 0;
}

static int free_zones(void **state)
{
	(void)state;
	zones_free(zones);
	return 0;
}

struct outcome {
	struct schedule *schedule;
	char id[ID_MAX_BYTES + 1];
	enum reason reason;
	struct error error;
};

static void outcome_done(struct outcome *outcome)
{
	schedule_unref(outcome->schedule);
}
#define _outcome_ _cleanup_(outcome_done) struct outcome

static struct outcome parse(const char *payload, const char *topic_id)
{
	const struct schedule_defaults defaults = {
		.zones = zones, .timezone = "Asia/Ho_Chi_Minh", .late_us = LATE_US
	};
	struct outcome outcome = { 0 };

	outcome.schedule = schedule_parse(payload, strlen(payload), topic_id, &defaults, outcome.id,
		&outcome.reason, &outcome.error);
	return outcome;
}

static int64_t at(const char *text)
{
	int64_t real_us = 0;

	assert_int_equal(time_parse(text, &real_us, NULL), 0);
	return real_us;
}

static void the_example_of_the_protocol_is_read(void **state)
{
	_outcome_ outcome = parse(
		"\xef\xbb\xbf{\"id\": \"ban-tin-sang\", \"revision\": 3, \"cron\": \"30 5 * * "
		"1-6\","
		"\"calendar\": \"solar\", \"timezone\": \"Asia/Ho_Chi_Minh\","
		"\"from\": \"2026-11-01\", \"until\": \"2027-06-30\","
		"\"except\": [\"2027-02-05/2027-02-10\", \"2027-04-30\"], \"late\": \"90s\","
		"\"announcement\": {\"title\": \"Bản tin\", \"text\": \"Kính thưa bà con!\","
		" \"priority\": \"priority\", \"expires_after\": \"30m\"}, \"x-ai\": 1}",
		"ban-tin-sang");
	const struct schedule *s = outcome.schedule;

	(void)state;
	assert_non_null(s);
	assert_string_equal(s->id, "ban-tin-sang");
	assert_int_equal(s->revision, 3);
	assert_false(s->withdrawal);
	assert_string_equal(s->cron, "30 5 * * 1-6");
	assert_int_equal(s->calendar.kind, CALENDAR_SOLAR);
	assert_int_equal(s->from, date_number((struct date){ 2026, 11, 1 }));
	assert_int_equal(s->until, date_number((struct date){ 2027, 6, 30 }));
	assert_int_equal(s->excepts_count, 2);
	assert_int_equal(s->excepts[0].last - s->excepts[0].first, 5);
	assert_int_equal(s->late_us, 90 * US_PER_SEC);
	assert_int_equal(s->expires_after_us, 1800 * US_PER_SEC);
	assert_int_equal(s->announcement->priority, PRIORITY_PRIORITY);
	assert_memory_equal(s->json, "{\"id\"", 5); /* without the mark */
}

static void defaults_are_filled_in(void **state)
{
	_outcome_ outcome = parse("{" RULE "," SAYS "}", "sang");
	const struct schedule *s = outcome.schedule;

	(void)state;
	assert_non_null(s);
	assert_string_equal(s->id, "sang");
	assert_int_equal(s->revision, 1);
	assert_int_equal(s->late_us, LATE_US);
	assert_int_equal(s->expires_after_us, 3600 * US_PER_SEC);
	assert_int_equal(s->calendar.kind, CALENDAR_SOLAR);
}

static void a_withdrawal_is_read(void **state)
{
	_outcome_ outcome = parse("{\"withdrawn\": true, \"revision\": 9}", "sang");

	(void)state;
	assert_non_null(outcome.schedule);
	assert_true(outcome.schedule->withdrawal);
	assert_int_equal(outcome.schedule->revision, 9);
	assert_false(schedule_occurs(outcome.schedule, at("2026-11-22T05:30:00+07:00")));
}

/* «A» and «C» in a row of the table. */
static char *expand(const char *payload)
{
	struct strbuf out = { 0 };

	for (const char *c = payload; *c;) {
		if (strncmp(c, "«A»", strlen("«A»")) == 0)
			strbuf_puts(&out, SAYS), c += strlen("«A»");
		else if (strncmp(c, "«C»", strlen("«C»")) == 0)
			strbuf_puts(&out, RULE), c += strlen("«C»");
		else
			strbuf_putc(&out, *c++);
	}
	return strbuf_take(&out);
}

static void refused(char *line)
{
	const char *topic = strsep(&line, "\t");
	_cleanup_(freep) char *payload = expand(strsep(&line, "\t"));
	const char *reason = strsep(&line, "\t"), *detail = line;
	_outcome_ outcome = parse(payload, strcmp(topic, "-") == 0 ? NULL : topic);

	if (outcome.schedule)
		fail_msg("taken: %s", payload);
	assert_string_equal(reason_name(outcome.reason), reason);
	if (!strstr(outcome.error.text, detail))
		fail_msg("%s: \"%s\" does not say \"%s\"", payload, outcome.error.text, detail);
}

static void everything_else_is_refused(void **state)
{
	_cleanup_(fclosep) FILE *table = fopen(TEST_DATA_DIR "/schedule_refused.tsv", "r");
	char line[4096];
	size_t rows = 0;

	(void)state;
	assert_non_null(table);
	for (; fgets(line, sizeof line, table); rows += line[0] != '#') {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '#')
			refused(line);
	}
	assert_true(rows > 30);
}

static void sizes_are_bounded(void **state)
{
	_cleanup_(strbuf_done) struct strbuf many = { 0 }, large = { 0 };

	(void)state;
	strbuf_puts(&many, "{" RULE "," SAYS ",\"except\":[\"2027-01-01\"");
	for (int i = 0; i < SCHEDULE_EXCEPT_MAX; i++)
		strbuf_puts(&many, ",\"2027-01-01\"");
	strbuf_puts(&many, "]}");
	_outcome_ too_many = parse(many.text, "sang");
	assert_null(too_many.schedule);
	assert_int_equal(too_many.reason, REASON_TOO_LONG);

	strbuf_puts(&large, "{\"x-");
	while (large.length <= SCHEDULE_PAYLOAD_MAX)
		strbuf_puts(&large, "dài dài dài dài ");
	strbuf_puts(&large, "\":1," RULE "," SAYS "}");
	_outcome_ too_large = parse(large.text, "sang");
	assert_null(too_large.schedule);
	assert_int_equal(too_large.reason, REASON_TOO_LARGE);
	assert_string_equal(too_large.id, "sang");
}

static void assert_starts(
	const struct schedule *schedule, const char *after, const char *const expected[])
{
	int64_t real_us = at(after);

	for (size_t i = 0; expected[i]; i++) {
		real_us = schedule_next(schedule, real_us, NULL);
		assert_int_equal(real_us, at(expected[i]));
		assert_true(schedule_occurs(schedule, real_us));
	}
	assert_int_equal(schedule_next(schedule, real_us, NULL), TIME_NEVER);
}

static void occurrences_keep_to_from_until_and_except(void **state)
{
	_outcome_ outcome = parse(
		"{" RULE "," SAYS ",\"from\":\"2027-02-03\",\"until\":\"2027-02-13\","
		"\"except\":[\"2027-02-05/2027-02-10\",\"2027-02-09/2027-02-11\"]}",
		"sang");
	static const char *const expected[] = { "2027-02-03T05:30:00+07:00",
		"2027-02-04T05:30:00+07:00", "2027-02-12T05:30:00+07:00",
		"2027-02-13T05:30:00+07:00", NULL };
	bool excepted = false;

	(void)state;
	assert_non_null(outcome.schedule);
	assert_starts(outcome.schedule, "2020-01-01T00:00:00+07:00", expected);
	assert_false(schedule_occurs(outcome.schedule, at("2027-02-05T05:30:00+07:00")));
	assert_int_equal(
		schedule_next(outcome.schedule, at("2027-02-04T05:30:00+07:00"), &excepted),
		at("2027-02-05T05:30:00+07:00"));
	assert_true(excepted);
}

/* The days of a schedule are those of its own zone. */
/* One of 1970-01-01 could not be read back from the store. (It was UTC+8 then.) */
static void starts_are_those_of_announcements(void **state)
{
	_outcome_ outcome = parse(
		"{\"cron\":\"0 4 * * *\",\"announcement\":{\"text\":\"a\"}}", "sang");

	(void)state;
	assert_non_null(outcome.schedule);
	assert_int_equal(schedule_next(outcome.schedule, 0, NULL), at("1970-01-02T20:00:00Z"));
	assert_int_equal(
		schedule_next(outcome.schedule, TIME_UNSET, NULL), at("1970-01-02T20:00:00Z"));
}

static void days_are_those_of_its_zone(void **state)
{
	_outcome_ outcome = parse("{\"cron\":\"30 23 * * *\",\"timezone\":\"Europe/Berlin\"," SAYS
				  ",\"from\":\"2027-01-10\",\"until\":\"2027-01-11\"}",
		"dem");
	static const char *const expected[] = { "2027-01-11T05:30:00+07:00",
		"2027-01-12T05:30:00+07:00", NULL };

	(void)state;
	assert_non_null(outcome.schedule);
	assert_starts(outcome.schedule, "2020-01-01T00:00:00+07:00", expected);
}

static void lunar_days(void **state)
{
	_outcome_ outcome = parse("{\"cron\":\"30 5 1,15 * *\",\"calendar\":\"lunar\"," SAYS
				  ",\"from\":\"2027-02-01\",\"until\":\"2027-03-10\"}",
		"ram");
	static const char *const expected[] = { "2027-02-06T05:30:00+07:00", /* Tết Đinh Mùi */
		"2027-02-20T05:30:00+07:00", "2027-03-08T05:30:00+07:00", NULL };

	(void)state;
	assert_non_null(outcome.schedule);
	assert_starts(outcome.schedule, "2026-01-01T00:00:00+07:00", expected);
}

static void ids_are_made_and_taken_apart(void **state)
{
	_outcome_ outcome = parse("{\"revision\":4," RULE "," SAYS "}", "ban-tin.sang_1");
	char id[ID_MAX_BYTES + 1], schedule[NAME_MAX_BYTES + 1];
	int64_t start_us = at("2026-11-22T05:30:00+07:00"), back_us = 0;

	(void)state;
	schedule_occurrence_id(outcome.schedule, start_us, id);
	assert_string_equal(id, "ban-tin.sang_1@20261121T2230Z");
	assert_int_equal(schedule_of_id(id, schedule, &back_us), 0);
	assert_string_equal(schedule, "ban-tin.sang_1");
	assert_int_equal(back_us, start_us);
	assert_int_equal(schedule_of_id("ban-tin.sang_1", schedule, &back_us), -EINVAL);
	assert_int_equal(schedule_of_id("x@20261321T2230Z", schedule, &back_us), -EINVAL);
	assert_int_equal(schedule_of_id("x@20261121T2530Z", schedule, &back_us), -EINVAL);
}

static void an_occurrence_is_an_announcement(void **state)
{
	_outcome_ outcome = parse("{\"revision\":4," RULE ",\"late\":\"5m\",\"announcement\":{"
				  "\"title\":\"t\",\"text\":\"a\",\"expires_after\":\"10m\"}}",
		"sang");
	int64_t start_us = at("2026-11-22T05:30:00+07:00");
	_cleanup_(announcement_unrefp) struct announcement *announcement = schedule_occurrence(
		outcome.schedule, start_us);

	(void)state;
	assert_string_equal(announcement->id, "sang@20261121T2230Z");
	assert_int_equal(announcement->revision, 4);
	assert_int_equal(announcement->start_us, start_us);
	assert_int_equal(announcement->expires_us, start_us + 600 * US_PER_SEC);
	assert_int_equal(announcement->late_us, 300 * US_PER_SEC);
	assert_string_equal(announcement->title, "t");
	assert_int_equal(announcement->parts_count, 1);

	/* … and so it is after the store has had it. */
	struct error error;
	_cleanup_(freep) char *json = announcement_format(announcement);
	_cleanup_(announcement_unrefp) struct announcement *again = announcement_load(
		json, strlen(json), announcement->id, &error);
	assert_non_null(again);
	assert_true(announcement_same(announcement, again));
	assert_int_equal(again->late_us, announcement->late_us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_protocol_is_read),
		cmocka_unit_test(defaults_are_filled_in),
		cmocka_unit_test(a_withdrawal_is_read),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(occurrences_keep_to_from_until_and_except),
		cmocka_unit_test(starts_are_those_of_announcements),
		cmocka_unit_test(days_are_those_of_its_zone),
		cmocka_unit_test(lunar_days),
		cmocka_unit_test(ids_are_made_and_taken_apart),
		cmocka_unit_test(an_occurrence_is_an_announcement),
	};
	return cmocka_run_group_tests(tests, make_zones, free_zones);
}
