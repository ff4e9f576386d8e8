/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/agenda.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "cli/ics.h"
#include <string.h>

#define TEXT_BYTES_MAX 300 /* that are told of a text */

void agenda_done(struct agenda *agenda)
{
	for (size_t i = 0; i < agenda->count; i++) {
		free(agenda->texts[i].id);
		free(agenda->texts[i].text);
	}
	free(agenda->texts);
	*agenda = (struct agenda){ 0 };
}

/* The text, or the first one of its parts; NULL: it has none. */
static const char *text_of(const struct json *announcement)
{
	const char *text = json_as_string(json_get(announcement, "text"), NULL);
	const struct json *parts = json_get(announcement, "parts");

	for (size_t i = 0; !text && i < json_array_length(parts); i++)
		text = json_as_string(json_get(json_at(parts, i), "text"), NULL);
	return text;
}

void agenda_add(struct agenda *agenda, const char *id, const struct json *schedule)
{
	const char *text = text_of(json_get(schedule, "announcement"));

	if (!text)
		return;
	size_t length = strlen(text), cut = utf8_cut(text, length, TEXT_BYTES_MAX);
	agenda->texts = xreallocarray(agenda->texts, agenda->count + 1, sizeof(agenda->texts[0]));
	agenda->texts[agenda->count++] = (struct agenda_text){ .id = xstrdup(id),
		.text = xasprintf("%.*s%s", (int)cut, text, cut < length ? "…" : "") };
}

static int by_id(const void *a, const void *b)
{
	const struct agenda_text *one = a, *other = b;

	return strcmp(one->id, other->id);
}

static char *describe(const struct agenda *agenda, const struct planned_occurrence *occurrence)
{
	const struct planned_row *row = &occurrence->rows[0];
	const struct agenda_text key = { .id = row->schedule };
	const struct agenda_text *found = agenda->count == 0
						  ? NULL
						  : bsearch(&key, agenda->texts, agenda->count,
							    sizeof(agenda->texts[0]), by_id);
	struct strbuf text = { 0 };

	if (found)
		strbuf_printf(&text, "%s\n", found->text);
	if (row->lunar)
		strbuf_printf(&text, "Âm lịch: %s\n", row->lunar);
	const char *before = "Loa: ";
	for (size_t i = 0; i < occurrence->count; i++) {
		const struct planned_row *one = &occurrence->rows[i];
		if (!one->output || one->begins_us == TIME_UNSET)
			continue;
		strbuf_printf(&text, "%s%s%s%s", before, one->node ? one->node : "",
			one->node ? "/" : "", one->output);
		before = ", ";
	}
	if (text.length > 0 && text.text[text.length - 1] == '\n')
		strbuf_truncate(&text, text.length - 1);
	return strbuf_take(&text);
}

void agenda_format(
	struct agenda *agenda, const struct planned *planned, int64_t now_us, struct strbuf *out)
{
	struct planned_occurrence occurrence;

	if (agenda->count > 0)
		qsort(agenda->texts, agenda->count, sizeof(agenda->texts[0]), by_id);
	ics_begin(out);
	for (size_t next = 0; next < planned->count;) {
		next = planned_occurrence(planned, next, &occurrence);
		const struct planned_row *row = &occurrence.rows[0];
		if (!occurrence.heard)
			continue;
		_cleanup_(freep) char *description = describe(agenda, &occurrence);
		const struct ics_event event = { .uid = row->id,
			.summary = row->title ? row->title : row->schedule,
			.description = description,
			.start_us = occurrence.begins_us,
			.end_us = occurrence.ends_us };
		ics_add(out, &event, now_us);
	}
	ics_end(out);
}
