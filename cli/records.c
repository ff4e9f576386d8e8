/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/records.h"

#include "base/clock.h"
#include "cli/event.h"
#include <math.h>
#include <string.h>

void records_done(struct records *records)
{
	for (size_t i = 0; i < records->count; i++)
		free(records->list[i].json);
	for (size_t i = 0; i < records->titles_count; i++) {
		free(records->titles[i].id);
		free(records->titles[i].title);
	}
	free(records->list);
	free(records->titles);
	*records = (struct records){ 0 };
}

static const char *text_of(const struct json *receipt, const char *key)
{
	return json_as_string(json_get(receipt, key), "");
}

bool records_add(struct records *records, const struct json *receipt, bool all)
{
	enum receipt_event event = RECEIPT_ACCEPTED;
	int64_t at_us = 0;

	if (time_parse(text_of(receipt, "at"), &at_us, NULL) < 0 ||
		!event_parse(text_of(receipt, "event"), &event))
		return false;
	if (!all && !event_matters(event))
		return true;
	if (records->count == RECORDS_MAX) {
		records->left_out++;
		return true;
	}
	if ((records->count & (records->count - 1)) == 0) /* at 0, 1, 2, 4, 8, … */
		records->list = xreallocarray(records->list,
			records->count ? 2 * records->count : 1, sizeof(records->list[0]));
	records->list[records->count] = (struct record){
		.at_us = at_us, .order = records->count, .event = event, .json = json_text(receipt)
	};
	records->count++;
	return true;
}

void records_add_title(struct records *records, const char *id, const char *title)
{
	records->titles = xreallocarray(
		records->titles, records->titles_count + 1, sizeof(records->titles[0]));
	records->titles[records->titles_count++] = (struct record_title){ .id = xstrdup(id),
		.title = xstrdup(title) };
}

static int by_time(const void *a, const void *b)
{
	const struct record *one = a, *other = b;

	if (one->at_us != other->at_us)
		return one->at_us < other->at_us ? -1 : 1;
	return one->order < other->order ? -1 : one->order > other->order;
}

static int by_id(const void *a, const void *b)
{
	const struct record_title *one = a, *other = b;

	return strcmp(one->id, other->id);
}

void records_sort(struct records *records)
{
	if (records->count > 0)
		qsort(records->list, records->count, sizeof(records->list[0]), by_time);
	if (records->titles_count > 0)
		qsort(records->titles, records->titles_count, sizeof(records->titles[0]), by_id);
}

/* "" if it is not known. */
static const char *title_of(const struct records *records, const char *id)
{
	const struct record_title key = { .id = (char *)id };
	const struct record_title *found = records->titles_count > 0
						   ? bsearch(&key, records->titles,
							     records->titles_count,
							     sizeof(records->titles[0]), by_id)
						   : NULL;

	return found ? found->title : "";
}

/* --- As a table ------------------------------------------------------------------------------ */

static void add_seconds(struct table *table, double seconds)
{
	char text[32] = "";

	if (!isnan(seconds))
		snprintf(text, sizeof(text), "%.1f", seconds);
	table_add(table, text);
}

static void add_row(struct table *table, const struct records *records, const struct record *record,
	const struct json *receipt)
{
	char at[TIME_TEXT_SIZE];
	const char *detail = text_of(receipt, "detail");

	/* 2026-11-21T16:40:00.125+07:00 → 2026-11-21 16:40:00 */
	time_format(record->at_us, at);
	at[10] = ' ';
	at[19] = '\0';
	table_add(table, at);
	table_add(table, text_of(receipt, "node"));
	table_add(table, json_as_string(json_get(receipt, "output"), "–"));
	table_add(table, text_of(receipt, "id"));
	table_add(table, title_of(records, text_of(receipt, "id")));
	table_add(table, event_word(record->event));
	add_seconds(table, json_as_real(json_get(receipt, "seconds_played"), NAN));
	table_add(table, *detail ? detail : text_of(receipt, "reason"));
}

void records_fill(const struct records *records, struct table *ret_table)
{
	static const char *const titles[RECORDS_COLUMNS] = { "LÚC", "MÁY", "LOA", "MÃ", "TIÊU ĐỀ",
		"SỰ KIỆN", "GIÂY", "VÌ SAO" };

	table_init(ret_table, RECORDS_COLUMNS, titles);
	for (size_t i = 0; i < records->count; i++) {
		const struct record *record = &records->list[i];
		_cleanup_(json_freep) struct json *receipt = json_parse(
			record->json, strlen(record->json), NULL);
		add_row(ret_table, records, record, receipt);
	}
}

/* --- As CSV ---------------------------------------------------------------------------------- */

static void write_cell(struct strbuf *out, const char *text)
{
	if (out->length > 0 && out->text[out->length - 1] != '\n')
		strbuf_putc(out, ',');
	if (!strpbrk(text, ",\"\r\n")) {
		strbuf_puts(out, text);
		return;
	}
	strbuf_putc(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			strbuf_putc(out, '"');
		strbuf_putc(out, *text);
	}
	strbuf_putc(out, '"');
}

/* What people have written. */
static void write_free_cell(struct strbuf *out, const char *text)
{
	_cleanup_(freep) char *safe = xasprintf(
		"%s%s", strchr("=+-@", *text) && *text ? "'" : "", text);

	write_cell(out, safe);
}

static void write_value(struct strbuf *out, const struct json *value)
{
	_cleanup_(freep) char *text = value ? json_text(value) : NULL;
	const char *string = json_as_string(value, NULL);

	write_cell(out, string ? string : !text || strcmp(text, "null") == 0 ? "" : text);
}

void records_csv(const struct records *records, struct strbuf *out)
{
	static const char *const keys[] = { "at", "node", "output", "id", "revision", "event",
		"seconds_asked", "seconds_played", "reason" };

	strbuf_puts(out, "at,node,output,id,revision,event,seconds_asked,seconds_played,reason,"
			 "title,detail\r\n");
	for (size_t i = 0; i < records->count; i++) {
		const struct record *record = &records->list[i];
		_cleanup_(json_freep) struct json *receipt = json_parse(
			record->json, strlen(record->json), NULL);
		for (size_t key = 0; key < countof(keys); key++)
			write_value(out, json_get(receipt, keys[key]));
		write_free_cell(out, title_of(records, text_of(receipt, "id")));
		write_free_cell(out, text_of(receipt, "detail"));
		strbuf_puts(out, "\r\n");
	}
}
