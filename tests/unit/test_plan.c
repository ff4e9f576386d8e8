/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plan of a day: rules in, rows out, each as one line of text. */
#include "base/cleanup.h"
#include "base/strbuf.h"
#include "scheduler/plan.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* 2026-11-22, a Sunday, 00:00:00 in Vietnam. */
#define DAY      (INT64_C(1795280400) * US_PER_SEC)
#define DAYS_US  (INT64_C(86400) * US_PER_SEC)
#define GAP_US   (2 * US_PER_SEC)
#define FOR_EVER SIZE_MAX

struct desk {
	struct zones *zones;
	struct plan_schedule schedules[16];
	size_t count;
	struct hours_list quiet;
	struct usage_limits limits;
	struct usage usage;
	struct plan_output outputs[PLAN_OUTPUTS_MAX];
	size_t outputs_count;
	int64_t from_us, until_us;
	struct strbuf text;
};

struct rule {
	const char *id, *cron;
	double seconds;
	const char *says;   /* keys of its announcement */
	const char *more;   /* keys of its own */
	uint64_t outputs;   /* 0: the first */
	const char *unless; /* instead of all these: its payload */
};

static int set_zone(void **state)
{
	(void)state;
	setenv("TZ", "Asia/Ho_Chi_Minh", 1);
	tzset();
	return 0;
}

static int desk_open(void **state)
{
	struct desk *desk = xcalloc(1, sizeof *desk);

	desk->zones = zones_new();
	desk->outputs_count = 1;
	for (size_t i = 0; i < PLAN_OUTPUTS_MAX; i++)
		desk->outputs[i] = (struct plan_output){
			.name = "loa", .quiet = &desk->quiet, .limits = &desk->limits
		};
	desk->from_us = DAY;
	desk->until_us = DAY + DAYS_US;
	*state = desk;
	return 0;
}

static int desk_close(void **state)
{
	struct desk *desk = *state;

	for (size_t i = 0; i < desk->count; i++)
		schedule_unref(desk->schedules[i].schedule);
	zones_free(desk->zones);
	strbuf_done(&desk->text);
	free(desk);
	return 0;
}

static void add(struct desk *desk, struct rule rule)
{
	struct schedule_defaults defaults = { .zones = desk->zones,
		.timezone = "Asia/Ho_Chi_Minh" };
	_cleanup_(freep) char *made = xasprintf(
		"{\"cron\": \"%s\", \"announcement\": {\"text\": \"a\"%s%s}%s%s}", rule.cron,
		rule.says ? ", " : "", rule.says ? rule.says : "", rule.more ? ", " : "",
		rule.more ? rule.more : "");
	const char *payload = rule.unless ? rule.unless : made;
	char id[ID_MAX_BYTES + 1];
	enum reason reason;
	struct error error = { 0 };
	struct schedule *schedule = schedule_parse(
		payload, strlen(payload), rule.id, &defaults, id, &reason, &error);

	if (!schedule)
		fail_msg("%s: %s", payload, error.text);
	assert_true(desk->count < countof(desk->schedules));
	desk->schedules[desk->count++] = (struct plan_schedule){ schedule, rule.seconds,
		rule.outputs ? rule.outputs : 1 };
}

#define ADD(desk, i, c, s, ...) \
	add(desk, (struct rule){ .id = (i), .cron = (c), .seconds = (s), __VA_ARGS__ })

static void quiet(struct desk *desk, const char *window)
{
	assert_int_equal(hours_parse(window, &desk->quiet.list[desk->quiet.count++], NULL), 0);
}

static struct plan *new_plan(const struct desk *desk)
{
	return plan_new(desk->schedules, desk->count, desk->outputs, desk->outputs_count, GAP_US,
		desk->from_us, desk->until_us);
}

/* "08:00:00", "08:00:00.500", of the day after "+1 08:00:00" */
static void say_time(struct strbuf *text, int64_t real_us)
{
	int64_t s = (real_us - DAY) / US_PER_SEC;

	if (s >= 86400)
		strbuf_printf(text, " +%" PRId64, s / 86400);
	s %= 86400;
	strbuf_printf(text, " %02d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
	if (real_us % US_PER_SEC != 0)
		strbuf_printf(text, ".%03d", (int)(real_us % US_PER_SEC / US_PER_MS));
}

/* "a 08:00:00 play\n", "a 08:00:00 hold/overlap 08:01:02\n"; of several outputs "a.0 …" */
static void say_row(struct strbuf *text, const struct plan_row *row, bool outputs)
{
	strbuf_puts(text, row->schedule->id);
	if (outputs)
		strbuf_printf(text, ".%zu", row->output);
	say_time(text, row->start_us);
	strbuf_printf(text, " %s", plan_would_name(row->would));
	if (row->reason)
		strbuf_printf(text, "/%s", row->reason);
	assert_true((row->reason == NULL) == (row->would == PLAN_PLAY));
	bool heard = row->would == PLAN_PLAY || row->would == PLAN_HOLD;
	assert_true((row->begins_us != TIME_UNSET) == heard);
	if (heard && row->begins_us != row->start_us)
		say_time(text, row->begins_us);
	if (row->interrupted)
		strbuf_puts(text, " interrupted");
	strbuf_putc(text, '\n');
}

static const char *say(struct desk *desk, size_t steps)
{
	_cleanup_(plan_freep) struct plan *plan = new_plan(desk);
	size_t count;

	while (!plan_step(plan, steps))
		;
	const struct plan_row *rows = plan_rows(plan, &count);
	strbuf_clear(&desk->text);
	strbuf_puts(&desk->text, "");
	for (size_t i = 0; i < count; i++)
		say_row(&desk->text, &rows[i], desk->outputs_count > 1);
	assert_int_equal(plan_cut_us(plan), TIME_NEVER);
	return desk->text.text;
}

#define EXPECT(desk, expected) assert_string_equal(say(desk, FOR_EVER), expected)

/* --- One after the other ---------------------------------------------------------------------- */

static void it_plays_at_its_start(void **state)
{
	struct desk *desk = *state;

	ADD(desk, "a", "0 8,17 * * *", 60);
	EXPECT(desk, "a 08:00:00 play\n"
		     "a 17:00:00 play\n");
}

static void from_is_in_until_is_not(void **state)
{
	struct desk *desk = *state;

	ADD(desk, "a", "0 0 * * *", 60);
	EXPECT(desk, "a 00:00:00 play\n");
	desk->from_us++;
	desk->until_us++;
	EXPECT(desk, "a +1 00:00:00 play\n");
}

static void the_second_of_a_minute_waits_for_the_first(void **state)
{
	struct desk *desk = *state;

	ADD(desk, "b", "0 8 * * *", 60);
	ADD(desk, "a", "0 8 * * *", 60);
	ADD(desk, "c", "1 8 * * *", 60);
	EXPECT(desk, "a 08:00:00 play\n"
		     "b 08:00:00 hold/overlap 08:01:02\n"
		     "c 08:01:00 hold/overlap 08:02:04\n");
}

static void a_few_seconds_late_is_in_time(void **state)
{
	struct desk *desk = *state;

	ADD(desk, "a", "0 8 * * *", 3);
	ADD(desk, "b", "0 8 * * *", 1);
	EXPECT(desk, "a 08:00:00 play\n"
		     "b 08:00:00 play 08:00:05\n");
	desk->schedules[0].seconds = 3.001;
	EXPECT(desk, "a 08:00:00 play\n"
		     "b 08:00:00 hold/overlap 08:00:05.001\n");
}

static void one_waits_too_long_behind_another(void **state)
{
	struct desk *desk = *state;

	ADD(desk, "a", "0 8 * * *", 7200);
	ADD(desk, "b", "59 8 * * *", 60);
	ADD(desk, "c", "1 9 * * *", 60);
	EXPECT(desk, "a 08:00:00 play\n"
		     "b 08:59:00 veto/expired\n"
		     "c 09:01:00 hold/overlap 10:00:02\n");
	desk->schedules[0].seconds = 1e300;
	EXPECT(desk, "a 08:00:00 play\n"
		     "b 08:59:00 veto/expired\n"
		     "c 09:01:00 veto/expired\n");
}

/* The rest of "n" keeps "c" waiting: what was not heard (it was faded 60 ms before "p"), all of it, or
 * nothing. */
static void check_interruption(
	struct desk *desk, const char *policy, const char *c, const char *n_more)
{
	_cleanup_(freep) char *says = xasprintf("\"interrupted\": \"%s\"", policy);
	_cleanup_(freep) char *expected = xasprintf("n 08:00:00 play%s\n"
						    "p 08:05:00 play\n"
						    "c 08:06:00 %s\n",
		n_more, c);

	ADD(desk, "n", "0 8 * * *", 600, .says = says);
	ADD(desk, "p", "5 8 * * *", 60, .says = "\"priority\": \"priority\"");
	ADD(desk, "c", "6 8 * * *", 60);
	EXPECT(desk, expected);
}

static void a_priority_interrupts_and_the_rest_goes_on(void **state)
{
	check_interruption(*state, "resume", "hold/overlap 08:11:04.060", " interrupted");
}

static void a_priority_interrupts_and_all_is_said_again(void **state)
{
	check_interruption(*state, "restart", "hold/overlap 08:16:04", " interrupted");
}

static void a_priority_interrupts_and_that_is_all(void **state)
{
	check_interruption(*state, "drop", "play 08:06:02", " interrupted");
}

static void the_higher_priority_of_a_minute_goes_first(void **state)
{
	struct desk *desk = *state;

	ADD(desk, "a", "0 8 * * *", 60);
	ADD(desk, "b", "0 8 * * *", 60, .says = "\"priority\": \"priority\"");
	EXPECT(desk, "a 08:00:00 hold/overlap 08:01:02\n"
		     "b 08:00:00 play\n");
}

static void the_background_goes_on_below(void **state)
{
	struct desk *desk = *state;

	ADD(desk, "a", "0 8 * * *", 600, .says = "\"priority\": \"background\"");
	ADD(desk, "b", "1 8 * * *", 60);
	EXPECT(desk, "a 08:00:00 play\n"
		     "b 08:01:00 play\n");
}

static void the_background_does_not_begin_below(void **state)
{
	struct desk *desk = *state;

	ADD(desk, "a", "1 8 * * *", 600, .says = "\"priority\": \"background\"");
	ADD(desk, "b", "0 8 * * *", 120);
	EXPECT(desk, "b 08:00:00 play\n"
		     "a 08:01:00 hold/overlap 08:02:00\n");
}

/* --- What the village forbids ------------------------------------------------------------------ */

static void quiet_hours_hold_or_veto(void **state)
{
	struct desk *desk = *state;

	quiet(desk, "21:00-05:00");
	ADD(desk, "a", "30 21 * * *", 60, .says = "\"expires_after\": \"8h\"");
	ADD(desk, "b", "30 21 * * *", 60, .says = "\"expires_after\": \"7h\"");
	EXPECT(desk, "a 21:30:00 hold/quiet-hours +1 05:00:00\n"
		     "b 21:30:00 veto/quiet-hours\n");
}

static void what_would_run_into_quiet_hours(void **state)
{
	struct desk *desk = *state;

	quiet(desk, "21:00-05:00");
	ADD(desk, "a", "57 20 * * *", 179);
	EXPECT(desk, "a 20:57:00 play\n");
	desk->schedules[0].seconds = 180;
	EXPECT(desk, "a 20:57:00 veto/quiet-hours\n");
	ADD(desk, "b", "58 20 * * *", 180, .says = "\"expires_after\": \"9h\"");
	EXPECT(desk, "a 20:57:00 veto/quiet-hours\n"
		     "b 20:58:00 hold/quiet-hours +1 05:00:00\n");
}

static void what_held_it_longest_is_told(void **state)
{
	struct desk *desk = *state;

	quiet(desk, "21:00-05:00");
	ADD(desk, "a", "50 20 * * *", 540);
	ADD(desk, "b", "55 20 * * *", 120, .says = "\"expires_after\": \"12h\"");
	EXPECT(desk, "a 20:50:00 play\n"
		     "b 20:55:00 hold/quiet-hours +1 05:00:00\n");
	desk->quiet.list[0].to_minute = 21 * 60 + 1;
	EXPECT(desk, "a 20:50:00 play\n"
		     "b 20:55:00 hold/overlap 21:01:00\n");
}

static void an_emergency_passes(void **state)
{
	struct desk *desk = *state;

	quiet(desk, "21:00-05:00");
	desk->limits = (struct usage_limits){ 1, 1, 1 };
	ADD(desk, "a", "0 22,23 * * *", 300, .says = "\"priority\": \"emergency\"");
	EXPECT(desk, "a 22:00:00 play\n"
		     "a 23:00:00 play\n");
}

static void too_long_an_item(void **state)
{
	struct desk *desk = *state;

	desk->limits.item_minutes = 5;
	ADD(desk, "a", "0 8 * * *", 300);
	ADD(desk, "b", "0 9 * * *", 301, .says = "\"expires_after\": \"2d\"");
	EXPECT(desk, "a 08:00:00 play\n"
		     "b 09:00:00 veto/limit\n");
}

static void the_minutes_of_a_day(void **state)
{
	struct desk *desk = *state;

	desk->limits.day_minutes = 3;
	ADD(desk, "a", "0 8 * * *", 120);
	ADD(desk, "b", "0 9 * * *", 61, .says = "\"expires_after\": \"16h\"");
	ADD(desk, "c", "0 10 * * *", 61);
	ADD(desk, "d", "0 11 * * *", 60);
	EXPECT(desk, "a 08:00:00 play\n"
		     "b 09:00:00 hold/limit +1 00:00:00\n"
		     "c 10:00:00 veto/limit\n"
		     "d 11:00:00 play\n");
}

static void what_sounds_now_counts_already(void **state)
{
	struct desk *desk = *state;

	desk->limits.day_minutes = 3;
	ADD(desk, "a", "0 8 * * *", 179, .says = "\"priority\": \"background\"");
	ADD(desk, "b", "2 8 * * *", 64);
	ADD(desk, "c", "2 8 * * *", 60);
	EXPECT(desk, "a 08:00:00 play\n"
		     "b 08:02:00 veto/limit\n"
		     "c 08:02:00 play\n");
}

static void what_has_sounded_today_counts(void **state)
{
	struct desk *desk = *state;

	desk->limits.day_minutes = 3;
	usage_init(&desk->usage);
	usage_add(&desk->usage, DAY, DAY + 120 * US_PER_SEC);
	desk->from_us += 3600 * US_PER_SEC;
	ADD(desk, "a", "0 8 * * *", 120);
	EXPECT(desk, "a 08:00:00 play\n");
	desk->outputs[0].usage = &desk->usage;
	EXPECT(desk, "a 08:00:00 veto/limit\n");
}

static void the_sessions_of_a_day(void **state)
{
	struct desk *desk = *state;

	desk->limits.sessions_per_day = 1;
	ADD(desk, "a", "0,5,15 8 * * *", 60);
	EXPECT(desk, "a 08:00:00 play\n"
		     "a 08:05:00 play\n"
		     "a 08:15:00 veto/limit\n");
}

static void mute_is_absolute(void **state)
{
	struct desk *desk = *state;

	desk->outputs[0].muted = true;
	ADD(desk, "a", "0 8 * * *", 60);
	ADD(desk, "b", "0 9 * * *", 60, .says = "\"priority\": \"emergency\"");
	EXPECT(desk, "a 08:00:00 veto/muted\n"
		     "b 09:00:00 veto/muted\n");
}

static void more_than_a_queue_holds(void **state)
{
	struct desk *desk = *state;

	desk->outputs[0].muted = true;
	desk->until_us = DAY + 1002 * 60 * US_PER_SEC;
	ADD(desk, "a", "* * * * *", 1, .says = "\"expires_after\": \"2d\"");
	ADD(desk, "b", "41 16 * * *", 1, .says = "\"priority\": \"background\"");
	const char *text = say(desk, FOR_EVER);
	/* The oldest makes room, but not for what is less than all others. */
	assert_ptr_equal(strstr(text, "a 00:00:00 veto/queue-full\n"
				      "a 00:01:00 veto/queue-full\n"
				      "a 00:02:00 veto/muted\n"),
		text);
	assert_non_null(strstr(text, "a 16:41:00 veto/muted\n"
				     "b 16:41:00 veto/queue-full\n"));
}

/* --- Who, and whether -------------------------------------------------------------------------- */

static void exceptions_are_skipped(void **state)
{
	struct desk *desk = *state;

	desk->outputs_count = 3;
	desk->until_us += DAYS_US;
	ADD(desk, "a", "0 8 * * *", 60, .more = "\"except\": [\"2026-11-22\"]", .outputs = 5);
	EXPECT(desk, "a.0 08:00:00 skip/except\n"
		     "a.2 08:00:00 skip/except\n"
		     "a.0 +1 08:00:00 play\n"
		     "a.2 +1 08:00:00 play\n");
}

static void rows_have_an_order(void **state)
{
	struct desk *desk = *state;

	desk->outputs_count = 2;
	ADD(desk, "c", "0 8 * * *", 1, .more = "\"except\": [\"2026-11-22\"]", .outputs = 3);
	ADD(desk, "b", "0 7,8 * * *", 10, .outputs = 3);
	ADD(desk, "a", "0 8 * * *", 10, .outputs = 2);
	ADD(desk, "d", "0 8 * * *", 10, .outputs = 1);
	EXPECT(desk, "b.0 07:00:00 play\n"
		     "b.1 07:00:00 play\n"
		     "a.1 08:00:00 play\n"
		     "b.0 08:00:00 play\n"
		     "b.1 08:00:00 hold/overlap 08:00:12\n"
		     "c.0 08:00:00 skip/except\n"
		     "c.1 08:00:00 skip/except\n"
		     "d.0 08:00:00 hold/overlap 08:00:12\n");
}

static void outputs_have_rules_of_their_own(void **state)
{
	struct desk *desk = *state;

	desk->outputs_count = 3;
	desk->outputs[1].quiet = NULL;
	desk->outputs[2].muted = true;
	quiet(desk, "21:00-05:00");
	ADD(desk, "a", "0 19,22 * * *", 60, .outputs = 7);
	EXPECT(desk, "a.0 19:00:00 play\n"
		     "a.1 19:00:00 play\n"
		     "a.2 19:00:00 veto/muted\n"
		     "a.0 22:00:00 veto/quiet-hours\n"
		     "a.1 22:00:00 play\n"
		     "a.2 22:00:00 veto/quiet-hours\n"); /* muted or not */
}

static void no_output_is_known(void **state)
{
	struct desk *desk = *state;

	desk->outputs[0].name = NULL;
	desk->outputs[0].muted = true;
	desk->outputs[0].usage = &desk->usage;
	desk->limits.item_minutes = 1;
	quiet(desk, "21:00-05:00");
	ADD(desk, "a", "0 22 * * *", 120);
	ADD(desk, "b", "1 22 * * *", 120);
	EXPECT(desk, "a 22:00:00 play\n"
		     "b 22:01:00 hold/overlap 22:02:02\n");
}

static void nobody_listens(void **state)
{
	struct desk *desk = *state;

	ADD(desk, "a", "0 8 * * *", 60, .outputs = 2);
	EXPECT(desk, "");
	desk->outputs_count = 0;
	ADD(desk, "b", "0 8 * * *", 60);
	EXPECT(desk, "");
}

static void what_is_withdrawn_has_no_rows(void **state)
{
	struct desk *desk = *state;

	add(desk, (struct rule){ .id = "a", .unless = "{\"withdrawn\": true, \"revision\": 2}" });
	EXPECT(desk, "");
}

static void one_id_in_two_zones_is_said_once(void **state)
{
	struct desk *desk = *state;

	desk->outputs_count = 2;
	ADD(desk, "a", "0 8 * * *", 60, .outputs = 1);
	ADD(desk, "a", "0 8 * * *", 60, .outputs = 3);
	ADD(desk, "b", "0 8 * * *", 60, .outputs = 2);
	EXPECT(desk, "a.0 08:00:00 play\n"
		     "a.1 08:00:00 play\n"
		     "b.1 08:00:00 hold/overlap 08:01:02\n");
	desk->outputs_count = 1;
	ADD(desk, "a", "0 8 * * *", 60, .more = "\"revision\": 2");
	EXPECT(desk, "a 08:00:00 veto/superseded\n"
		     "a 08:00:00 play\n");
}

/* --- Piece by piece ----------------------------------------------------------------------------- */

static void fill(struct desk *desk)
{
	desk->outputs_count = 2;
	desk->until_us = DAY + 2 * DAYS_US;
	desk->limits.day_minutes = 90;
	quiet(desk, "21:00-05:00");
	ADD(desk, "a", "*/20 * * * *", 700, .outputs = 3);
	ADD(desk, "b", "*/30 * * * *", 30, .says = "\"priority\": \"priority\"");
	ADD(desk, "c", "0 */4 * * *", 900, .says = "\"priority\": \"background\"", .outputs = 2);
	ADD(desk, "d", "7 * * * *", 20, .more = "\"except\": [\"2026-11-23\"]", .outputs = 3);
}

static void step_by_step_it_is_the_same(void **state)
{
	struct desk *desk = *state;

	fill(desk);
	_cleanup_(freep) char *whole = xstrdup(say(desk, FOR_EVER));
	assert_non_null(strstr(whole, "overlap"));
	assert_non_null(strstr(whole, "interrupted"));
	assert_non_null(strstr(whole, "limit"));
	assert_string_equal(say(desk, 1), whole);
	assert_string_equal(say(desk, 7), whole);
}

static void a_step_is_small(void **state)
{
	struct desk *desk = *state;
	size_t count, before = 0, steps = 0;

	fill(desk);
	_cleanup_(plan_freep) struct plan *plan = new_plan(desk);
	assert_false(plan_step(plan, 0));
	for (; !plan_step(plan, 1); steps++) {
		plan_rows(plan, &count);
		assert_true(count - before <= 2); /* an occurrence on each output */
		before = count;
	}
	assert_true(steps > 2 * before); /* each is offered, and begins or is dropped */
	assert_true(plan_step(plan, 1));
}

/* Three rows a minute; where there are too many, one of the minute has been offered already. */
static void too_many_rows(void **state)
{
	const size_t minutes = PLAN_ROWS_MAX / 3;
	struct desk *desk = *state;
	size_t count;

	desk->outputs_count = 2;
	desk->until_us = DAY + 300 * DAYS_US;
	ADD(desk, "a", "* * * * *", 1);
	ADD(desk, "b", "* * * * *", 1, .more = "\"except\": [\"2026-01-01/2028-01-01\"]",
		.outputs = 3);
	_cleanup_(plan_freep) struct plan *plan = new_plan(desk);
	assert_true(plan_step(plan, FOR_EVER));
	assert_int_equal(plan_cut_us(plan), DAY + (int64_t)minutes * 60 * US_PER_SEC);
	const struct plan_row *rows = plan_rows(plan, &count);
	assert_int_equal(count, 3 * minutes);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(rows[i].start_us, DAY + (int64_t)(i / 3) * 60 * US_PER_SEC);
		assert_int_equal(rows[i].would, i % 3 == 0 ? PLAN_PLAY : PLAN_SKIP);
		assert_true(i % 3 != 0 || rows[i].begins_us == rows[i].start_us);
	}
}

static void just_as_many_rows_as_there_may_be(void **state)
{
	struct desk *desk = *state;
	size_t count;

	desk->outputs_count = 2;
	desk->until_us = DAY + (int64_t)(PLAN_ROWS_MAX / 2) * 60 * US_PER_SEC;
	ADD(desk, "a", "* * * * *", 1, .more = "\"except\": [\"2026-01-01/2028-01-01\"]",
		.outputs = 3);
	_cleanup_(plan_freep) struct plan *plan = new_plan(desk);
	assert_true(plan_step(plan, FOR_EVER));
	assert_int_equal(plan_cut_us(plan), TIME_NEVER);
	plan_rows(plan, &count);
	assert_int_equal(count, PLAN_ROWS_MAX);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, desk_open, desk_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_plays_at_its_start),
		TEST(from_is_in_until_is_not),
		TEST(the_second_of_a_minute_waits_for_the_first),
		TEST(a_few_seconds_late_is_in_time),
		TEST(one_waits_too_long_behind_another),
		TEST(a_priority_interrupts_and_the_rest_goes_on),
		TEST(a_priority_interrupts_and_all_is_said_again),
		TEST(a_priority_interrupts_and_that_is_all),
		TEST(the_higher_priority_of_a_minute_goes_first),
		TEST(the_background_goes_on_below),
		TEST(the_background_does_not_begin_below),
		TEST(quiet_hours_hold_or_veto),
		TEST(what_would_run_into_quiet_hours),
		TEST(what_held_it_longest_is_told),
		TEST(an_emergency_passes),
		TEST(too_long_an_item),
		TEST(the_minutes_of_a_day),
		TEST(what_sounds_now_counts_already),
		TEST(what_has_sounded_today_counts),
		TEST(the_sessions_of_a_day),
		TEST(mute_is_absolute),
		TEST(more_than_a_queue_holds),
		TEST(exceptions_are_skipped),
		TEST(rows_have_an_order),
		TEST(outputs_have_rules_of_their_own),
		TEST(no_output_is_known),
		TEST(nobody_listens),
		TEST(what_is_withdrawn_has_no_rows),
		TEST(one_id_in_two_zones_is_said_once),
		TEST(step_by_step_it_is_the_same),
		TEST(a_step_is_small),
		TEST(too_many_rows),
		TEST(just_as_many_rows_as_there_may_be),
	};
	return cmocka_run_group_tests(tests, set_zone, NULL);
}
