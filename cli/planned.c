/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/planned.h"

#include "base/clock.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

static void row_done(struct planned_row *row)
{
	free(row->node);
	free(row->output);
	free(row->schedule);
	free(row->id);
	free(row->start);
	free(row->lunar);
	free(row->title);
	free(row->reason);
	free(row->detail);
	free(row->json);
}

void planned_done(struct planned *planned)
{
	for (size_t i = 0; i < planned->count; i++)
		row_done(&planned->list[i]);
	free(planned->list);
	*planned = (struct planned){ 0 };
}

/* --- Adding ---------------------------------------------------------------------------------- */

static void copy_member(const char *key, const struct json *value, void *context)
{
	_cleanup_(freep) char *text = json_text(value);

	if (strcmp(key, "node") != 0)
		json_write_raw(context, key, text);
}

/* The row as it came; of a node's, the node before it. */
static char *line_of(const char *node, const struct json *row)
{
	struct strbuf line = { 0 };

	json_write_begin_object(&line, NULL);
	if (node)
		json_write_string(&line, "node", node);
	json_each(row, copy_member, &line);
	json_write_end_object(&line);
	return strbuf_take(&line);
}

static char *copy(const struct json *row, const char *key)
{
	const char *text = json_as_string(json_get(row, key), NULL);

	return text ? xstrdup(text) : NULL;
}

static bool parse_would(const struct json *row, enum plan_would *ret_would)
{
	const char *text = json_as_string(json_get(row, "would"), "");

	for (int would = PLAN_PLAY; would <= PLAN_SKIP; would++) {
		if (strcmp(plan_would_name((enum plan_would)would), text) == 0) {
			*ret_would = (enum plan_would)would;
			return true;
		}
	}
	return false;
}

bool planned_add(struct planned *planned, const char *node, const struct json *row)
{
	const char *start = json_as_string(json_get(row, "start"), "");
	const char *begins = json_as_string(json_get(row, "begins"), NULL);
	struct planned_row new = { .begins_us = TIME_UNSET };

	if (!json_as_string(json_get(row, "schedule"), NULL) ||
		!json_as_string(json_get(row, "id"), NULL) || !parse_would(row, &new.would) ||
		time_parse(start, &new.start_us, NULL) < 0 ||
		(begins && time_parse(begins, &new.begins_us, NULL) < 0))
		return false;
	if (planned->count == PLANNED_MAX) {
		planned->left_out++;
		return true;
	}
	new.node = node ? xstrdup(node) : NULL;
	new.output = copy(row, "output");
	new.schedule = copy(row, "schedule");
	new.id = copy(row, "id");
	new.start = xstrdup(start);
	new.lunar = copy(row, "lunar");
	new.title = copy(row, "title");
	new.reason = copy(row, "reason");
	new.detail = copy(row, "detail");
	new.seconds = json_as_real(json_get(row, "seconds"), 0);
	new.json = line_of(node, row);
	/* Doubling, not one by one: there may be many. */
	if ((planned->count & (planned->count - 1)) == 0)
		planned->list = xreallocarray(planned->list,
			planned->count ? planned->count * 2 : 1, sizeof(planned->list[0]));
	planned->list[planned->count++] = new;
	return true;
}

static int compare_texts(const char *one, const char *other)
{
	return strcmp(one ? one : "", other ? other : "");
}

static int by_start(const void *a, const void *b)
{
	const struct planned_row *one = a, *other = b;

	if (one->start_us != other->start_us)
		return one->start_us < other->start_us ? -1 : 1;
	int order = strcmp(one->schedule, other->schedule);
	if (order == 0)
		order = compare_texts(one->node, other->node);
	return order != 0 ? order : compare_texts(one->output, other->output);
}

void planned_sort(struct planned *planned)
{
	if (planned->count > 0)
		qsort(planned->list, planned->count, sizeof(planned->list[0]), by_start);
}

/* --- Occurrences ----------------------------------------------------------------------------- */

bool planned_meant(const struct planned_row *row)
{
	return row->would == PLAN_PLAY ||
	       (row->would == PLAN_HOLD && compare_texts(row->reason, "quiet-hours") != 0);
}

static void add_to_occurrence(struct planned_occurrence *occurrence, const struct planned_row *row)
{
	int64_t ends_us = row->begins_us + (int64_t)(row->seconds * US_PER_SEC);

	if (row->would > occurrence->would)
		occurrence->would = row->would;
	if (row->begins_us == TIME_UNSET)
		return;
	if (!occurrence->heard || row->begins_us < occurrence->begins_us)
		occurrence->begins_us = row->begins_us;
	if (!occurrence->heard || ends_us > occurrence->ends_us)
		occurrence->ends_us = ends_us;
	occurrence->heard = true;
}

size_t planned_occurrence(
	const struct planned *planned, size_t first, struct planned_occurrence *ret_occurrence)
{
	const struct planned_row *rows = &planned->list[first];
	size_t next = first;

	*ret_occurrence = (struct planned_occurrence){ .rows = rows, .would = rows->would };
	while (next < planned->count && planned->list[next].start_us == rows->start_us &&
		strcmp(planned->list[next].schedule, rows->schedule) == 0)
		add_to_occurrence(ret_occurrence, &planned->list[next++]);
	ret_occurrence->count = next - first;
	return next;
}

/* --- In words -------------------------------------------------------------------------------- */

static const char *offset_in(const char *time)
{
	size_t length = strlen(time);

	return length > 6 ? time + length - 6 : "";
}

void planned_when(const struct planned_row *row, char ret_text[PLANNED_WHEN_SIZE])
{
	static const char *const week_days[] = { "CN", "T2", "T3", "T4", "T5", "T6", "T7" };
	char here[TIME_TEXT_SIZE];
	struct tm wall = { 0 };

	time_format(row->start_us, here);
	/* The wall's time of the schedule's zone, which the text tells. */
	if (!strptime(row->start, "%Y-%m-%dT%H:%M", &wall)) {
		snprintf(ret_text, PLANNED_WHEN_SIZE, "%.40s", row->start);
		return;
	}
	bool elsewhere = strcmp(offset_in(here), offset_in(row->start)) != 0;
	snprintf(ret_text, PLANNED_WHEN_SIZE, "%s %02d/%02d/%d %02d:%02d%s%.6s",
		week_days[wall.tm_wday % 7], wall.tm_mday, wall.tm_mon + 1, wall.tm_year + 1900,
		wall.tm_hour, wall.tm_min, elsewhere ? " " : "",
		elsewhere ? offset_in(row->start) : "");
}

void planned_lunar(const struct planned_row *row, char ret_text[PLANNED_LUNAR_SIZE])
{
	const char *year = row->lunar ? strrchr(row->lunar, '/') : NULL;

	snprintf(ret_text, PLANNED_LUNAR_SIZE, "%.*s", year ? (int)(year - row->lunar) : 0,
		year ? row->lunar : "");
}

void planned_would(const struct planned_row *row, char ret_text[PLANNED_WOULD_SIZE])
{
	static const char *const words[] = {
		[PLAN_PLAY] = "phát",
		[PLAN_HOLD] = "phát muộn",
		[PLAN_VETO] = "không phát",
		[PLAN_SKIP] = "bỏ qua",
	};
	time_t begins = (time_t)(row->begins_us / US_PER_SEC);
	char when[32];
	struct tm local;

	if (row->would != PLAN_HOLD || row->begins_us == TIME_UNSET) {
		snprintf(ret_text, PLANNED_WOULD_SIZE, "%s", words[row->would]);
		return;
	}
	localtime_r(&begins, &local);
	bool soon = row->begins_us - row->start_us < INT64_C(86400) * US_PER_SEC;
	strftime(when, sizeof(when),
		!soon              ? "%H:%M %d/%m"
		: local.tm_sec > 0 ? "%H:%M:%S"
				   : "%H:%M",
		&local);
	snprintf(ret_text, PLANNED_WOULD_SIZE, "phát lúc %s", when);
}

/* --- As a table ------------------------------------------------------------------------------ */

/* "0:45", "1:02:03"; "": not known */
static void add_length(struct table *table, double seconds)
{
	long whole = (long)(seconds + 0.5);
	char text[32] = "";

	if (whole >= 3600)
		snprintf(text, sizeof(text), "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60,
			whole % 60);
	else if (whole > 0)
		snprintf(text, sizeof(text), "%ld:%02ld", whole / 60, whole % 60);
	table_add(table, text);
}

void planned_fill(const struct planned *planned, struct table *ret_table)
{
	static const char *const titles[PLANNED_COLUMNS] = { "LÚC", "ÂM LỊCH", "LỊCH", "TIÊU ĐỀ",
		"MÁY", "LOA", "DÀI", "SẼ", "VÌ SAO" };

	table_init(ret_table, PLANNED_COLUMNS, titles);
	for (size_t i = 0; i < planned->count; i++) {
		const struct planned_row *row = &planned->list[i];
		char when[PLANNED_WHEN_SIZE], lunar[PLANNED_LUNAR_SIZE], would[PLANNED_WOULD_SIZE];
		planned_when(row, when);
		planned_lunar(row, lunar);
		planned_would(row, would);
		table_add(ret_table, when);
		table_add(ret_table, lunar);
		table_add(ret_table, row->schedule);
		table_add(ret_table, row->title);
		table_add(ret_table, row->node);
		table_add(ret_table, row->output);
		add_length(ret_table, row->seconds);
		table_add(ret_table, would);
		table_add(ret_table, row->detail ? row->detail : row->reason);
	}
}

/* --- As a month ------------------------------------------------------------------------------ */

struct month_entry *planned_month(
	const struct planned *planned, int year, int month, size_t *ret_count)
{
	struct month_entry *entries = xcalloc(planned->count + 1, sizeof(entries[0]));
	struct planned_occurrence occurrence;
	size_t count = 0;

	for (size_t next = 0; next < planned->count;) {
		next = planned_occurrence(planned, next, &occurrence);
		time_t seconds = (time_t)(occurrence.rows[0].start_us / US_PER_SEC);
		struct tm local;
		localtime_r(&seconds, &local);
		if (local.tm_year + 1900 != year || local.tm_mon + 1 != month)
			continue;
		entries[count++] = (struct month_entry){ .day = local.tm_mday,
			.minute = local.tm_hour * 60 + local.tm_min,
			.would = occurrence.would };
	}
	*ret_count = count;
	return entries;
}
