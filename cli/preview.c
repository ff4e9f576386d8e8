/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/preview.h"

#include "base/clock.h"
#include "cli/inquiry.h"
#include "cli/outlook.h"
#include "scheduler/plan_format.h"
#include <string.h>

#define MINUTE_US (60 * US_PER_SEC)
#define DAY_US    (INT64_C(86400) * US_PER_SEC)
#define NAMES_MAX 4 /* outputs that are named one by one */

void preview_done(struct preview *preview)
{
	planned_done(&preview->planned);
}

/* --- How far to look ------------------------------------------------------------------------- */

static void find_starts(struct preview *preview)
{
	int64_t at_us = preview->now_us;

	preview->until_us = preview->now_us + PREVIEW_AHEAD_US;
	while (preview->count < PREVIEW_COUNT) {
		at_us = schedule_next(preview->schedule, at_us, NULL);
		if (at_us == TIME_NEVER)
			return;
		preview->starts_us[preview->count++] = at_us;
		if (at_us + MINUTE_US > preview->until_us)
			preview->until_us = at_us + MINUTE_US;
	}
}

static bool is_meant(const struct preview *preview)
{
	for (size_t i = 0; i < preview->planned.count; i++) {
		if (planned_meant(&preview->planned.list[i]))
			return true;
	}
	return false;
}

/* What is to be looked at next when all before `cursor_us` is known: until the last one that is shown;
 * then, as long as none would be heard, all the rest. What lies between rare occurrences is passed
 * over, but for the day before, which may fill the limits. False: it is enough. */
static bool next_span(
	const struct preview *preview, int64_t cursor_us, int64_t *ret_from_us, int *ret_days)
{
	int64_t next_us = schedule_next(preview->schedule, cursor_us - 1, NULL);

	if (preview->count == 0 || next_us >= preview->until_us)
		return false;
	int64_t shown_us = preview->starts_us[preview->count - 1] + MINUTE_US;
	if (cursor_us >= shown_us && is_meant(preview))
		return false;
	int64_t from_us = next_us - DAY_US > cursor_us ? next_us - DAY_US : cursor_us;
	int64_t to_us = cursor_us < shown_us ? shown_us : preview->until_us;
	int64_t days = (to_us - from_us + DAY_US - 1) / DAY_US;
	*ret_from_us = from_us;
	*ret_days = days < PLAN_DAYS_MAX ? (int)days : PLAN_DAYS_MAX;
	return true;
}

/* --- By the nodes ---------------------------------------------------------------------------- */

static char *format_question(const struct inquiry *inquiry, void *context)
{
	const struct preview *preview = context;
	int64_t from_us = inquiry->cursor;
	struct strbuf out = { 0 };
	int days = 1;

	(void)next_span(preview, inquiry->cursor, &from_us, &days);
	json_write_begin_object(&out, NULL);
	json_write_time(&out, "from", from_us);
	json_write_integer(&out, "days", days);
	json_write_begin_array(&out, "schedules");
	for (size_t i = 0; i < preview->zones->count; i++) {
		json_write_begin_object(&out, NULL);
		json_write_string(&out, "zone", preview->zones->list[i]);
		json_write_raw(&out, "schedule", preview->schedule->json);
		json_write_end_object(&out);
	}
	json_write_end_array(&out);
	json_write_end_object(&out);
	return strbuf_take(&out);
}

static int64_t take_answer(
	const struct inquiry *inquiry, const struct json *answer, bool *ret_more, void *context)
{
	struct preview *preview = context;
	const struct json *rows = json_get(answer, "rows");
	int64_t until_us = 0, from_us = 0;
	int days = 0;

	if (time_parse(json_as_string(json_get(answer, "until"), ""), &until_us, NULL) < 0)
		return -1;
	for (size_t i = 0; i < json_array_length(rows); i++) {
		const struct json *row = json_at(rows, i);
		const char *id = json_as_string(json_get(row, "schedule"), "");
		/* All that a node has is planned; exceptions are no occurrences. */
		if (strcmp(id, preview->schedule->id) == 0 &&
			strcmp(json_as_string(json_get(row, "would"), ""), "skip") != 0 &&
			!planned_add(&preview->planned, inquiry->node, row))
			return -1;
	}
	*ret_more = next_span(preview, until_us, &from_us, &days);
	return until_us;
}

/* How many nodes have answered. -errno with *error. */
static int ask_nodes(struct preview *preview, struct broker *broker, struct gathered *gathered,
	struct error *error)
{
	_cleanup_(inquiries_done) struct inquiries inquiries = { .session = preview->session,
		.what = "plan",
		.timeout_us = INQUIRY_TIMEOUT_US,
		.question = format_question,
		.take = take_answer,
		.context = preview };
	int answered = 0;

	for (size_t i = 0; i < gathered->count; i++) {
		const struct gathered_message *message = &gathered->list[i];
		_cleanup_(freep) char *what = topic_level(message->topic, 0);
		_cleanup_(freep) char *node = topic_level(message->topic, 1);
		_cleanup_(json_freep) struct json *status = json_parse(
			message->payload, message->length, NULL);
		if (strcmp(what, "node") == 0 && status)
			(void)inquiries_add(
				&inquiries, hand_over(node), hand_over(status), preview->now_us);
	}
	gathered->on_live = inquiries_on_message;
	gathered->context = &inquiries;
	int result = inquiries_ask(&inquiries, broker, error);
	gathered->on_live = NULL;
	gathered->context = NULL;
	for (size_t i = 0; i < inquiries.count; i++)
		answered += inquiries.list[i].page > 0;
	return result < 0 ? result : answered;
}

/* --- Here ------------------------------------------------------------------------------------ */

static void plan_here(struct preview *preview)
{
	struct schedule *schedules[] = { preview->schedule };
	const struct outlook outlook = { .session = preview->session,
		.schedules = schedules,
		.count = 1,
		.zones = preview->zones };
	int64_t cursor_us = preview->now_us, from_us = 0;
	int days = 0;

	preview->local = true;
	if (!outlook_possible(&outlook))
		return;
	while (next_span(preview, cursor_us, &from_us, &days))
		cursor_us = outlook_plan(
			&outlook, from_us, from_us + days * DAY_US, &preview->planned);
}

int preview_make(struct preview *preview, struct broker *broker, struct gathered *gathered,
	struct error *error)
{
	int answered = 0;

	preview->now_us = clock_real_us();
	find_starts(preview);
	if (preview->count > 0)
		answered = ask_nodes(preview, broker, gathered, error);
	if (answered < 0)
		return answered;
	if (answered == 0)
		plan_here(preview);
	planned_sort(&preview->planned);
	return 0;
}

/* --- What is to be thought of it ------------------------------------------------------------- */

enum preview_verdict preview_verdict(const struct preview *preview)
{
	if (preview->count == 0)
		return PREVIEW_NEVER;
	if (is_meant(preview))
		return PREVIEW_FINE;
	return preview->planned.count > 0 ? PREVIEW_SILENT : PREVIEW_UNKNOWN;
}

static bool says_the_same(const struct planned_row *one, const struct planned_row *other)
{
	char words[2][PLANNED_WOULD_SIZE];

	planned_would(one, words[0]);
	planned_would(other, words[1]);
	return strcmp(words[0], words[1]) == 0 &&
	       strcmp(one->reason ? one->reason : "", other->reason ? other->reason : "") == 0;
}

/* The outputs of the occurrence that meet what `row` meets, and whether `row` is the first of them. */
static char *outputs_like(
	const struct planned_occurrence *occurrence, const struct planned_row *row, bool *ret_first)
{
	struct strbuf names = { 0 };
	size_t count = 0;

	*ret_first = true;
	for (size_t i = 0; i < occurrence->count; i++) {
		const struct planned_row *one = &occurrence->rows[i];
		if (!one->output || !says_the_same(one, row))
			continue;
		if (one < row)
			*ret_first = false;
		if (count++ < NAMES_MAX)
			strbuf_printf(&names, "%s%s%s%s", count > 1 ? ", " : "",
				one->node ? one->node : "", one->node ? "/" : "", one->output);
	}
	if (count > NAMES_MAX)
		strbuf_printf(&names, " và %zu loa nữa", count - NAMES_MAX);
	return strbuf_take(&names);
}

static void add_lines(struct table *table, const struct planned_occurrence *occurrence)
{
	char when[PLANNED_WHEN_SIZE], lunar[PLANNED_LUNAR_SIZE], would[PLANNED_WOULD_SIZE];

	for (size_t i = 0; i < occurrence->count; i++) {
		const struct planned_row *row = &occurrence->rows[i];
		bool first = true;
		_cleanup_(freep) char *names = outputs_like(occurrence, row, &first);
		if (!first)
			continue;
		planned_when(row, when);
		planned_lunar(row, lunar);
		planned_would(row, would);
		table_add(table, when);
		table_add(table, lunar);
		table_add(table, would);
		table_add(table, names);
		table_add(table, row->detail ? row->detail : row->reason);
	}
}

/* An occurrence of which nothing more is known than its start. */
static void add_bare_line(struct table *table, const struct preview *preview, int64_t start_us)
{
	const struct zone *zone = preview->schedule->zone;
	char start[TIME_TEXT_SIZE], lunar[PLAN_LUNAR_SIZE] = "", text[PLANNED_LUNAR_SIZE];
	char when[PLANNED_WHEN_SIZE];

	plan_format_time(zone, start_us, start);
	bool has_lunar = plan_format_lunar(zone, start_us, lunar);
	const struct planned_row row = {
		.start = start, .lunar = has_lunar ? lunar : NULL, .start_us = start_us
	};
	planned_when(&row, when);
	planned_lunar(&row, text);
	table_add(table, when);
	table_add(table, text);
	table_add(table, "chưa rõ");
	table_add(table, "");
	table_add(table, "");
}

static void add_start(struct table *table, const struct preview *preview, int64_t start_us)
{
	struct planned_occurrence occurrence;

	for (size_t next = 0; next < preview->planned.count;) {
		next = planned_occurrence(&preview->planned, next, &occurrence);
		if (occurrence.rows[0].start_us == start_us) {
			add_lines(table, &occurrence);
			return;
		}
	}
	add_bare_line(table, preview, start_us);
}

void preview_print(const struct preview *preview)
{
	static const char *const titles[] = { "LÚC", "ÂM LỊCH", "SẼ", "LOA", "VÌ SAO" };
	struct table table;

	if (preview->count == 0)
		return;
	printf("Những lần tới của %s%s:\n", preview->schedule->id,
		preview->local ? " (theo cấu hình ở đây: không máy nào trả lời)" : "");
	table_init(&table, countof(titles), titles);
	for (size_t i = 0; i < preview->count; i++)
		add_start(&table, preview, preview->starts_us[i]);
	table_print(&table, stdout);
	table_done(&table);
	putchar('\n');
}
