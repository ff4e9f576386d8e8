/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store_history.h"
#include "base/json.h"
#include "scheduler/store_database.h"

#include <string.h>

struct store_search {
	int64_t since_us, until_us;
	char *output, *id; /* NULL: any */
	size_t limit;
	uint64_t after; /* looked at up to here */
	uint64_t last;  /* the last of the file that can be meant */
	bool begun;     /* `after` and `last` are those of the file */
	struct store_event *answer;
};

struct store_search *store_search_new(const struct store_history_query *query)
{
	struct store_search *search = xcalloc(1, sizeof *search);
	size_t limit = query->limit < STORE_ANSWER_MAX ? query->limit : STORE_ANSWER_MAX;
	uint64_t after = query->after_sequence;

	*search = (struct store_search){
		.since_us = query->since_us,
		.until_us = query->until_us,
		.output = query->output ? xstrdup(query->output) : NULL,
		.id = query->id ? xstrdup(query->id) : NULL,
		.limit = limit > 0 ? limit : 1,
		.after = after < STORE_SEQUENCE_MAX ? after : STORE_SEQUENCE_MAX,
		.answer = xcalloc(1, sizeof *search->answer),
	};
	search->answer->what = STORE_HISTORY;
	search->answer->token = query->token;
	return search;
}

struct store_search *store_search_free(struct store_search *search)
{
	if (!search)
		return NULL;
	free(search->output);
	free(search->id);
	store_event_free((struct inbox_link *)search->answer);
	free(search);
	return NULL;
}

struct store_event *store_search_take(struct store_search *search)
{
	return hand_over(search->answer);
}

/* Clocks are set, so sequences do not follow the times strictly; but nearly. The index of times
 * tells the first and the last row that can be meant, without a look at the rows. */
static int begin(struct store_search *search, struct store_file *file, struct error *error)
{
	_cleanup_(store_statement_freep) struct store_statement *row = NULL;
	int64_t first = 0, last = 0;
	int result = store_statement_new(store_file_database(file),
		"SELECT min(sequence), max(sequence) FROM receipt"
		" WHERE at_us >= ? AND at_us < ? AND sequence > ?",
		&row, error);

	if (result < 0)
		return result;
	store_statement_bind_integer(row, 1, search->since_us);
	store_statement_bind_integer(row, 2, search->until_us);
	store_statement_bind_integer(row, 3, (int64_t)search->after);
	result = store_statement_step(row, "đọc lịch sử", error);
	if (result < 0)
		return result;
	if (store_statement_integer(row, 0, &first) && store_statement_integer(row, 1, &last)) {
		search->after = (uint64_t)first - 1;
		search->last = (uint64_t)last;
	}
	search->begun = true;
	return 0;
}

static bool wanted(const char *asked, const struct json *receipt, const char *key)
{
	return !asked || strcmp(json_as_string(json_get(receipt, key), ""), asked) == 0;
}

static bool matches(
	const struct store_search *search, int64_t at_us, const char *json, size_t length)
{
	if (at_us < search->since_us || at_us >= search->until_us)
		return false;
	_cleanup_(json_freep) struct json *receipt = json_parse(json, length, NULL);
	return receipt && wanted(search->output, receipt, "output") &&
	       wanted(search->id, receipt, "id");
}

static void look(struct store_search *search, uint64_t sequence, int64_t at_us, const char *json,
	size_t length, bool waiting)
{
	if (search->answer->more || sequence <= search->after)
		return;
	search->after = sequence;
	if (!matches(search, at_us, json, length))
		return;
	if (search->answer->receipts_count < search->limit)
		store_event_add_receipt(search->answer, sequence, json, waiting);
	else
		search->answer->more = true;
}

void store_search_look(
	struct store_search *search, uint64_t sequence, int64_t at_us, const char *json)
{
	look(search, sequence, at_us, json, strlen(json), true);
}

static void look_at_row(struct store_search *search, struct store_statement *row)
{
	int64_t sequence, at_us;
	const char *json;
	size_t length;

	if (!store_statement_integer(row, 0, &sequence))
		return;
	if (store_statement_integer(row, 1, &at_us) &&
		store_statement_text(row, 2, &json, &length) && length <= STORE_ROW_TEXT_BYTES &&
		strlen(json) == length)
		look(search, (uint64_t)sequence, at_us, json, length, false);
	search->after = (uint64_t)sequence;
}

int store_search_go_on(struct store_search *search, struct store_file *file, struct error *error)
{
	_cleanup_(store_statement_freep) struct store_statement *rows = NULL;
	int result = search->begun ? 0 : begin(search, file, error);

	if (result == 0)
		result = store_statement_new(store_file_database(file),
			"SELECT sequence, at_us, json FROM receipt"
			" WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?",
			&rows, error);
	if (result < 0)
		return result;
	store_statement_bind_integer(rows, 1, (int64_t)search->after);
	store_statement_bind_integer(rows, 2, (int64_t)search->last);
	store_statement_bind_integer(rows, 3, STORE_SEARCH_PIECE);
	while (!search->answer->more &&
		(result = store_statement_step(rows, "đọc lịch sử", error)) > 0)
		look_at_row(search, rows);
	if (result < 0)
		return result;
	return !search->answer->more && search->after < search->last;
}
