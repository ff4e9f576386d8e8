/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/timetable.h"
#include "base/strbuf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define T        (INT64_C(1795305600) * US_PER_SEC) /* 2026-11-22 07:00 in Vietnam */
#define MINUTE   (60 * US_PER_SEC)
#define DAY      (1440 * MINUTE)
#define TAKE_MAX 100000

struct rig {
	struct zones *zones;
	struct timetable *timetable;
	struct strbuf text;
};

static void rig_init(struct rig *rig)
{
	setenv("TZ", "Asia/Ho_Chi_Minh", 1);
	tzset();
	*rig = (struct rig){ .zones = zones_new(), .timetable = timetable_new() };
}

static void rig_done(struct rig *rig)
{
	timetable_free(rig->timetable);
	zones_free(rig->zones);
	strbuf_done(&rig->text);
}
#define _rig_ _cleanup_(rig_done) struct rig

static struct schedule *make(
	struct rig *rig, const char *id, int revision, const char *cron, const char *more)
{
	const struct schedule_defaults defaults = {
		.zones = rig->zones, .timezone = "Asia/Ho_Chi_Minh", .late_us = 120 * US_PER_SEC
	};
	_cleanup_(freep) char *json = xasprintf("{\"id\":\"%s\",\"revision\":%d,\"cron\":\"%s\",%"
						"s\"announcement\":{\"text\":\"a\"}}",
		id, revision, cron, more);
	char ret_id[ID_MAX_BYTES + 1];
	enum reason reason;
	struct error error = { 0 };
	struct schedule *schedule = schedule_parse(
		json, strlen(json), NULL, &defaults, ret_id, &reason, &error);

	if (!schedule)
		fail_msg("%s", error.text);
	return schedule;
}

static int put_in(struct rig *rig, const char *zone, const char *id, int revision, const char *cron,
	int64_t since_us)
{
	_cleanup_(schedule_unrefp) struct schedule *schedule = make(rig, id, revision, cron, "");

	return timetable_put(rig->timetable, zone, schedule, since_us, TIME_NEVER);
}

static int put(struct rig *rig, const char *id, int revision, const char *cron, int64_t since_us)
{
	return put_in(rig, "all", id, revision, cron, since_us);
}

/* What is taken at that time: "+5:sang/all " (minutes after T), "!" before what is late. */
static const char *take(struct rig *rig, int64_t now_us)
{
	struct timetable_due due;
	size_t count = 0;

	strbuf_done(&rig->text);
	rig->text = (struct strbuf){ 0 };
	strbuf_puts(&rig->text, "");
	while (timetable_take(rig->timetable, now_us, &due) && ++count < TAKE_MAX)
		strbuf_printf(&rig->text, "%s%+d:%s/%s ", due.late ? "!" : "",
			(int)((due.start_us - T) / MINUTE), due.row->schedule->id, due.row->zone);
	assert_true(count < TAKE_MAX);
	return rig->text.text;
}

static void nothing_is_due_before_its_lead(void **state)
{
	_rig_ rig;
	(void)state;
	rig_init(&rig);
	assert_int_equal(timetable_wake_us(rig.timetable), TIME_NEVER);
	assert_int_equal(put(&rig, "sang", 1, "5 7 * * *", T), 0);
	int64_t start_us = T + 5 * MINUTE;
	assert_int_equal(timetable_wake_us(rig.timetable), start_us - TIMETABLE_LEAD_US);
	assert_string_equal(take(&rig, start_us - TIMETABLE_LEAD_US - 1), "");
	assert_int_equal(timetable_mark(rig.timetable)->us, start_us - 1);
	assert_string_equal(timetable_mark(rig.timetable)->id, "");
	assert_string_equal(take(&rig, start_us - TIMETABLE_LEAD_US), "+5:sang/all ");
	assert_string_equal(take(&rig, start_us), ""); /* once */
	assert_int_equal(timetable_mark(rig.timetable)->us, start_us + TIMETABLE_LEAD_US);
	assert_int_equal(timetable_wake_us(rig.timetable), start_us + DAY - TIMETABLE_LEAD_US);
}

static void since_is_exclusive(void **state)
{
	_rig_ rig;
	(void)state;
	rig_init(&rig);
	assert_int_equal(put(&rig, "sang", 1, "0 7 * * *", T), 0);
	assert_int_equal(put(&rig, "trua", 1, "0 7 * * *", T - 1), 0);
	assert_string_equal(take(&rig, T), "+0:trua/all ");
}

static void in_one_minute_by_id_then_zone(void **state)
{
	_rig_ rig;
	(void)state;
	rig_init(&rig);
	assert_int_equal(put_in(&rig, "b", "mot", 1, "1 7 * * *", T), 0);
	assert_int_equal(put_in(&rig, "a", "mot", 1, "1 7 * * *", T), 0);
	assert_int_equal(put_in(&rig, "z", "ba", 1, "1 7 * * *", T), 0);
	assert_int_equal(put_in(&rig, "a", "hai", 1, "* 7 * * *", T), 0);
	assert_string_equal(
		take(&rig, T + 2 * MINUTE), "+1:ba/z +1:hai/a +1:mot/a +1:mot/b +2:hai/a ");
}

static void missed_by_more_than_late(void **state)
{
	_rig_ rig;
	(void)state;
	rig_init(&rig);
	assert_int_equal(put(&rig, "sang", 1, "1 7 * * *", T), 0);
	assert_int_equal(put(&rig, "nua", 1, "* 7 * * *", T), 0);
	/* At 07:04:01 the one of 07:02 is 121 s old, the one of 07:03 not. */
	assert_string_equal(take(&rig, T + 4 * MINUTE + US_PER_SEC),
		"!+1:nua/all !+1:sang/all !+2:nua/all +3:nua/all +4:nua/all ");
	assert_string_equal(take(&rig, T + 7 * MINUTE), "+5:nua/all +6:nua/all +7:nua/all ");
	_cleanup_(schedule_unrefp) struct schedule *exact = make(
		&rig, "dung", 1, "30 7 * * *", "\"late\":\"0s\",");
	assert_int_equal(timetable_put(rig.timetable, "all", exact, T, TIME_NEVER), 0);
	timetable_remove(rig.timetable, "all", "nua");
	assert_string_equal(take(&rig, T + 30 * MINUTE + 1), "!+30:dung/all ");
}

static void a_newer_revision_replaces(void **state)
{
	_rig_ rig;
	(void)state;
	rig_init(&rig);
	assert_int_equal(put(&rig, "sang", 2, "5 7 * * *", T), 0);
	assert_int_equal(put(&rig, "sang", 2, "6 7 * * *", T), -EEXIST);
	assert_int_equal(put(&rig, "sang", 1, "6 7 * * *", T), -EEXIST);
	assert_int_equal(timetable_find(rig.timetable, "all", "sang")->schedule->revision, 2);
	assert_int_equal(put(&rig, "sang", 3, "7 7 * * *", T + MINUTE), 0);
	assert_int_equal(timetable_length(rig.timetable), 1);
	assert_string_equal(take(&rig, T + 10 * MINUTE - TIMETABLE_LEAD_US), "!+7:sang/all ");
}

static void a_withdrawal_is_kept_for_a_while(void **state)
{
	_rig_ rig;
	(void)state;
	rig_init(&rig);
	const struct schedule_defaults defaults = { .zones = rig.zones, .timezone = "UTC" };
	static const char json[] = "{\"withdrawn\":true,\"revision\":5}";
	char id[ID_MAX_BYTES + 1];
	enum reason reason;
	struct error error;
	_cleanup_(schedule_unrefp) struct schedule *withdrawal = schedule_parse(
		json, strlen(json), "sang", &defaults, id, &reason, &error);

	assert_int_equal(put(&rig, "sang", 2, "5 7 * * *", T), 0);
	assert_int_equal(timetable_put(rig.timetable, "all", withdrawal, T, T + DAY), 0);
	assert_string_equal(take(&rig, T + 6 * MINUTE), "");
	assert_int_equal(put(&rig, "sang", 4, "5 7 * * *", T), -EEXIST);
	timetable_forget(rig.timetable, T + DAY - 1, NULL, NULL);
	assert_int_equal(timetable_length(rig.timetable), 1);
	timetable_forget(rig.timetable, T + DAY, NULL, NULL);
	assert_int_equal(timetable_length(rig.timetable), 0);
	assert_int_equal(put(&rig, "sang", 4, "5 7 * * *", T), 0);
}

/* FAULTS D1 */
static void d1_a_clock_that_is_put_back(void **state)
{
	_rig_ rig;
	(void)state;
	rig_init(&rig);
	assert_int_equal(put(&rig, "gio", 1, "30 * * * *", T), 0);
	assert_string_equal(take(&rig, T + 31 * MINUTE), "+30:gio/all ");
	/* Three days ahead by mistake: all of them are late, but the last one. */
	(void)take(&rig, T + 3 * DAY + 31 * MINUTE);
	assert_null(strstr(rig.text.text, " +30:"));
	assert_non_null(strstr(rig.text.text, "!+90:"));
	/* Put right: what lies ahead is said at its time, what lay behind is not said again. */
	assert_false(timetable_follow_clock(rig.timetable, T + 35 * MINUTE));
	assert_string_equal(take(&rig, T + 35 * MINUTE), "");
	assert_string_equal(take(&rig, T + 90 * MINUTE), "+90:gio/all ");
	/* The kernel's fine adjustment is no step. */
	assert_string_equal(take(&rig, T + 120 * MINUTE), "");
	int64_t mark_us = timetable_mark(rig.timetable)->us;
	assert_false(timetable_follow_clock(rig.timetable, T + 120 * MINUTE - US_PER_SEC / 2));
	assert_int_equal(timetable_mark(rig.timetable)->us, mark_us);
}

static void d1_a_schedule_that_came_while_nobody_knew_the_time(void **state)
{
	_rig_ rig;
	(void)state;
	rig_init(&rig);
	assert_int_equal(put(&rig, "cu", 1, "30 * * * *", T - 31 * MINUTE), 0);
	assert_int_equal(put(&rig, "moi", 1, "30 * * * *", ANNOUNCEMENT_TIME_MAX_US), 0);
	assert_int_equal(timetable_find(rig.timetable, "all", "moi")->next_us, TIME_NEVER);
	assert_true(timetable_follow_clock(rig.timetable, T));
	assert_int_equal(timetable_find(rig.timetable, "all", "moi")->since_us, T);
	/* What the old one has missed meanwhile is not forgotten. */
	assert_string_equal(take(&rig, T + 30 * MINUTE), "!-30:cu/all +30:cu/all +30:moi/all ");
	assert_false(timetable_follow_clock(rig.timetable, T + 30 * MINUTE));
}

static void what_is_very_old_is_passed_over(void **state)
{
	_rig_ rig;
	(void)state;
	rig_init(&rig);
	assert_int_equal(put(&rig, "ngay", 1, "0 7 * * *", T - 400 * DAY), 0);
	size_t count = 0;
	for (const char *c = take(&rig, T); *c; c++)
		count += *c == '/';
	assert_int_equal(count, TIMETABLE_BACK_US / DAY + 1);
}

/* Killed in the middle of an instant: what was judged is not judged again, what was not, is. */
static void the_mark_divides_an_instant(void **state)
{
	static const char *const ids[] = { "ba", "ba-mot", "hai", "mot" };
	(void)state;

	for (size_t done = 1; done <= countof(ids); done++) {
		_rig_ rig;
		_rig_ after;
		struct timetable_due due;
		rig_init(&rig);
		rig_init(&after);
		for (size_t i = countof(ids); i-- > 0;)
			assert_int_equal(put(&rig, ids[i], 1, "5 7 * * *", T), 0);
		for (size_t i = 0; i < done; i++)
			assert_true(timetable_take(rig.timetable, T + 30 * MINUTE, &due));
		const struct timetable_mark *mark = timetable_mark(rig.timetable);
		for (size_t i = 0; i < countof(ids); i++)
			assert_int_equal(put(&after, ids[i], 1, "5 7 * * *",
						 timetable_since_us(mark, "all", ids[i])),
				0);
		size_t again = 0;
		for (const char *c = take(&after, T + 30 * MINUTE); *c; c++)
			again += *c == '/';
		assert_int_equal(again, countof(ids) - done);
	}
}

/* "ba-mot@…" goes before "ba@…", as the ids of occurrences do. */
static void names_are_ordered_as_the_ids_of_occurrences(void **state)
{
	_rig_ rig;
	(void)state;
	rig_init(&rig);
	assert_int_equal(put(&rig, "ba", 1, "5 7 * * *", T), 0);
	assert_int_equal(put(&rig, "ba-mot", 1, "5 7 * * *", T), 0);
	assert_int_equal(put(&rig, "baz", 1, "5 7 * * *", T), 0);
	assert_string_equal(take(&rig, T + 5 * MINUTE), "+5:ba-mot/all +5:ba/all +5:baz/all ");
}

static void what_was_missed_is_told_up_to_a_limit(void **state)
{
	_rig_ rig;
	struct timetable_due due;
	size_t late = 0, due_now = 0;
	(void)state;
	rig_init(&rig);
	assert_int_equal(put(&rig, "phut", 1, "* * * * *", T - 20 * DAY), 0);
	assert_int_equal(put(&rig, "gio", 1, "0 * * * *", T - 20 * DAY), 0);
	size_t of_the_hour = 0;
	while (timetable_take(rig.timetable, T, &due)) {
		late += due.late && due.row->schedule->id[0] == 'p';
		of_the_hour += due.late && due.row->schedule->id[0] == 'g';
		due_now += !due.late;
	}
	assert_int_equal(late, TIMETABLE_LATE_MAX);
	assert_int_equal(of_the_hour, 20 * 24 - 1);
	assert_int_equal(due_now, 3 + 1); /* of each minute from two minutes ago */
	assert_true(timetable_take(rig.timetable, T + 10 * MINUTE, &due) && due.late);
}

/* An output that listens to both zones is told of each instant once: they must come one after the other. */
static void of_one_id_in_all_zones_in_order(void **state)
{
	_rig_ rig;
	struct timetable_due due;
	static const char *const expected[] = { "ao", "all", "ao" };

	(void)state;
	rig_init(&rig);
	assert_int_equal(put_in(&rig, "all", "b", 1, "20 7 * * *", T), 0);
	assert_int_equal(put_in(&rig, "ao", "b", 1, "5,20 7 * * *", T), 0);
	assert_int_equal(put_in(&rig, "all", "c", 1, "1 7 * * *", T), 0);
	for (size_t i = 0; i < countof(expected); i++) {
		assert_true(timetable_take_of(rig.timetable, "b", T + 30 * MINUTE, &due));
		assert_string_equal(due.row->zone, expected[i]);
		assert_int_equal(due.start_us, T + (i ? 20 : 5) * MINUTE);
	}
	assert_false(timetable_take_of(rig.timetable, "b", T + 30 * MINUTE, &due));
}

/* Before one is replaced: what is due of it, of nothing else, and the mark stays. */
static void what_is_due_of_one_row(void **state)
{
	_rig_ rig;
	struct timetable_due due;
	(void)state;
	rig_init(&rig);
	assert_int_equal(put(&rig, "mot", 1, "1,2 7 * * *", T), 0);
	assert_int_equal(put(&rig, "hai", 1, "2,9 7 * * *", T), 0);
	assert_true(timetable_take_of(rig.timetable, "hai", T + 5 * MINUTE, &due));
	assert_int_equal(due.start_us, T + 2 * MINUTE);
	assert_true(due.late);
	assert_false(timetable_take_of(rig.timetable, "hai", T + 5 * MINUTE, &due));
	assert_false(timetable_take_of(rig.timetable, "ba", T + 5 * MINUTE, &due));
	assert_int_equal(timetable_mark(rig.timetable)->us, TIME_UNSET);
	assert_string_equal(take(&rig, T + 5 * MINUTE), "!+1:mot/all !+2:mot/all ");
	assert_string_equal(take(&rig, T + 9 * MINUTE), "+9:hai/all ");
}

struct earliest { /* for timetable_each() */
	const struct timetable_row *row;
};

static void look_for_earlier(const struct timetable_row *row, void *context)
{
	struct earliest *earliest = context;

	if (!earliest->row || row->next_us < earliest->row->next_us ||
		(row->next_us == earliest->row->next_us &&
			strcmp(row->schedule->id, earliest->row->schedule->id) < 0))
		earliest->row = row;
}

/* The heap against a search through all rows, over a thousand changes. */
static void many_rows_come_in_order(void **state)
{
	_rig_ rig;
	(void)state;
	rig_init(&rig);
	uint32_t random = 1;
	int64_t now_us = T;
	size_t taken = 0;

	for (int i = 0; i < 1000; i++) {
		random = random * 1664525 + 1013904223;
		char id[32], cron[32];
		snprintf(id, sizeof id, "s%03u", random >> 20 & 127);
		snprintf(cron, sizeof cron, "%u %u * * *", random >> 8 & 31, random >> 16 & 15);
		const struct timetable_row *known = timetable_find(rig.timetable, "all", id);
		if (i % 7 == 0)
			timetable_remove(rig.timetable, "all", id);
		else
			assert_int_equal(
				put(&rig, id, known ? (int)known->schedule->revision + 1 : 1, cron,
					now_us + TIMETABLE_LEAD_US),
				0);
		now_us += 10 * MINUTE;
		for (;;) {
			struct earliest earliest = { 0 };
			struct timetable_due due;
			timetable_each(rig.timetable, look_for_earlier, &earliest);
			int64_t next_us = earliest.row ? earliest.row->next_us : TIME_NEVER;
			bool any = timetable_take(rig.timetable, now_us, &due);
			assert_int_equal(any, next_us <= now_us + TIMETABLE_LEAD_US);
			if (!any)
				break;
			assert_ptr_equal(due.row, earliest.row);
			assert_int_equal(due.start_us, next_us);
			assert_true(schedule_occurs(due.row->schedule, due.start_us));
			taken++;
		}
	}
	assert_true(taken > 200);
	assert_true(timetable_length(rig.timetable) <= 128);
}

static void its_size_is_bounded(void **state)
{
	_rig_ rig;
	(void)state;
	rig_init(&rig);
	_cleanup_(schedule_unrefp) struct schedule *schedule = make(
		&rig, "sang", 1, "5 7 * * *", "");
	char zone[NAME_MAX_BYTES + 1];

	for (int i = 0; i < TIMETABLE_SCHEDULES_MAX; i++) {
		snprintf(zone, sizeof zone, "z%d", i);
		assert_int_equal(timetable_put(rig.timetable, zone, schedule, T, TIME_NEVER), 0);
	}
	assert_int_equal(timetable_put(rig.timetable, "x", schedule, T, TIME_NEVER), -ENOSPC);
	timetable_set_seconds(rig.timetable, "z7", "sang", 12.5);
	assert_true(timetable_find(rig.timetable, "z7", "sang")->seconds == 12.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_due_before_its_lead),
		cmocka_unit_test(of_one_id_in_all_zones_in_order),
		cmocka_unit_test(since_is_exclusive),
		cmocka_unit_test(in_one_minute_by_id_then_zone),
		cmocka_unit_test(missed_by_more_than_late),
		cmocka_unit_test(a_newer_revision_replaces),
		cmocka_unit_test(a_withdrawal_is_kept_for_a_while),
		cmocka_unit_test(d1_a_clock_that_is_put_back),
		cmocka_unit_test(d1_a_schedule_that_came_while_nobody_knew_the_time),
		cmocka_unit_test(what_is_very_old_is_passed_over),
		cmocka_unit_test(the_mark_divides_an_instant),
		cmocka_unit_test(names_are_ordered_as_the_ids_of_occurrences),
		cmocka_unit_test(what_was_missed_is_told_up_to_a_limit),
		cmocka_unit_test(what_is_due_of_one_row),
		cmocka_unit_test(many_rows_come_in_order),
		cmocka_unit_test(its_size_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
