/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading what the store's file holds. A row is judged like input from outside: disks rot. */
#include "base/json.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "scheduler/store_database.h"
#include "scheduler/store_file.h"

#include <errno.h>
#include <string.h>

#define SETTING_MAX_BYTES 4096
#define BAD_ROWS_MAX      1000 /* of one table, in one loading */

void *store_array_grow(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array; /* capacities are powers of two; not yet full */
	return xreallocarray(array, count ? 2 * count : 1, size);
}

/* --- Columns -------------------------------------------------------------------------------- */

static int take_text(
	sqlite3_stmt *row, int column, size_t most_bytes, const char **ret_text, struct error *why)
{
	const char *name = sqlite3_column_name(row, column);

	if (sqlite3_column_type(row, column) != SQLITE_TEXT)
		return error_set(why, -EINVAL, "cột %s không phải là chữ", name);
	const char *text = (const char *)sqlite3_column_text(row, column);
	size_t length = (size_t)sqlite3_column_bytes(row, column);
	if (!text || length > most_bytes || strlen(text) != length ||
		utf8_valid_prefix(text, length) != length)
		return error_set(why, -EINVAL, "cột %s không đọc được", name);
	*ret_text = text;
	return 0;
}

static int take_integer(sqlite3_stmt *row, int column, int64_t minimum, int64_t maximum,
	int64_t *ret_number, struct error *why)
{
	const char *name = sqlite3_column_name(row, column);
	int64_t number = sqlite3_column_int64(row, column);

	if (sqlite3_column_type(row, column) != SQLITE_INTEGER || number < minimum ||
		number > maximum)
		return error_set(why, -EINVAL, "cột %s không phải là số hợp lệ", name);
	*ret_number = number;
	return 0;
}

static int take_id(sqlite3_stmt *row, int column, const char **ret_id, struct error *why)
{
	int result = take_text(row, column, ID_MAX_BYTES, ret_id, why);

	if (result == 0 && !announcement_id_valid(*ret_id, strlen(*ret_id)))
		return error_set(why, -EINVAL, "mã \"%s\" không hợp lệ", *ret_id);
	return result;
}

/* --- Rows ----------------------------------------------------------------------------------- */

/* SQLite does not notice a flipped bit inside a text, but nobody must hear one. */
static int check_sum(const char *json, const char *sum, struct error *why)
{
	char found[SHA256_TEXT_SIZE];

	sha256_text(json, strlen(json), found);
	return strcmp(found, sum) == 0
		       ? 0
		       : error_set(why, -EINVAL, "nội dung đã bị thay đổi (sai mã kiểm tra)");
}

static int load_announcement(sqlite3_stmt *row, struct store_event *event, struct error *why)
{
	const char *id = "", *json = "", *sum = "";
	int64_t revision = 0, arrival_us = 0, sequence = 0;
	int result = take_id(row, 1, &id, why);

	if (result == 0)
		result = take_integer(row, 2, 1, ANNOUNCEMENT_REVISION_MAX, &revision, why);
	if (result == 0)
		result = take_text(row, 3, STORE_ROW_TEXT_BYTES, &json, why);
	if (result == 0)
		result = take_text(row, 4, SHA256_TEXT_SIZE, &sum, why);
	if (result == 0)
		result = take_integer(row, 5, 0, ANNOUNCEMENT_TIME_MAX_US, &arrival_us, why);
	if (result == 0)
		result = take_integer(row, 6, 1, STORE_SEQUENCE_MAX, &sequence, why);
	if (result == 0)
		result = check_sum(json, sum, why);
	if (result < 0)
		return result;
	struct announcement *announcement = announcement_load(json, strlen(json), id, why);
	if (!announcement)
		return -EINVAL;
	event->announcements = store_array_grow(
		event->announcements, event->announcements_count, sizeof *event->announcements);
	event->announcements[event->announcements_count++] = (struct store_announcement){
		.announcement = announcement,
		.arrival_us = arrival_us,
		.sequence = (uint64_t)sequence,
	};
	if (event->next_sequence <= (uint64_t)sequence)
		event->next_sequence = (uint64_t)sequence + 1;
	return 0;
}

static int load_play(sqlite3_stmt *row, struct store_event *event, struct error *why)
{
	const char *id = "", *output = "", *state_name = "";
	int64_t revision = 0, forget_us = 0;
	enum play_state state = PLAY_QUEUED;
	int result = take_id(row, 1, &id, why);

	if (result == 0)
		result = take_text(row, 2, NAME_MAX_BYTES, &output, why);
	if (result == 0)
		result = take_integer(row, 3, 1, ANNOUNCEMENT_REVISION_MAX, &revision, why);
	if (result == 0)
		result = take_text(row, 4, NAME_MAX_BYTES, &state_name, why);
	if (result == 0)
		result = take_integer(row, 5, 0, INT64_MAX, &forget_us, why);
	if (result < 0)
		return result;
	if (play_state_parse(state_name, &state) < 0)
		return error_set(why, -EINVAL, "trạng thái lạ \"%s\"", state_name);
	event->plays = store_array_grow(event->plays, event->plays_count, sizeof *event->plays);
	event->plays[event->plays_count++] = (struct store_play){
		.id = xstrdup(id),
		.output = xstrdup(output),
		.revision = revision,
		.state = state,
		.forget_us = forget_us,
	};
	return 0;
}

static int load_setting(sqlite3_stmt *row, struct store_event *event, struct error *why)
{
	const char *key = "", *value = "";
	int result = take_text(row, 1, SETTING_MAX_BYTES, &key, why);

	if (result == 0)
		result = take_text(row, 2, SETTING_MAX_BYTES, &value, why);
	if (result < 0)
		return result;
	event->settings = store_array_grow(
		event->settings, event->settings_count, sizeof *event->settings);
	event->settings[event->settings_count++] = (struct store_setting){
		.key = xstrdup(key),
		.value = xstrdup(value),
	};
	return 0;
}

/* Receipts are only judged here; they are read in batches later. */
static int load_receipt(sqlite3_stmt *row, struct store_event *event, struct error *why)
{
	const char *json = "";
	int64_t sequence = 0;
	int result = take_integer(row, 1, 1, STORE_SEQUENCE_MAX, &sequence, why);

	if (result == 0)
		result = take_text(row, 2, STORE_ROW_TEXT_BYTES, &json, why);
	if (result < 0)
		return result;
	_cleanup_(json_freep) struct json *root = json_parse(json, strlen(json), why);
	if (!root)
		return -EINVAL;
	if (event->next_receipt_sequence <= (uint64_t)sequence)
		event->next_receipt_sequence = (uint64_t)sequence + 1;
	return 0;
}

/* --- Tables --------------------------------------------------------------------------------- */

static const struct table {
	const char *name;
	const char *columns;
	const char *order;
	const char *content; /* of a row that is set aside, as SQL literals */
	int (*load)(sqlite3_stmt *row, struct store_event *event, struct error *why);
} tables[] = {
	{ "announcement", "id, revision, json, sha256, arrival_us, sequence", "sequence",
		"quote(id) || ',' || quote(revision) || ',' || quote(json) || ',' || quote(sha256)"
		" || ',' || quote(arrival_us) || ',' || quote(sequence)",
		load_announcement },
	{ "play", "id, output, revision, state, forget_us", "rowid",
		"quote(id) || ',' || quote(output) || ',' || quote(revision) || ',' || quote(state)"
		" || ',' || quote(forget_us)",
		load_play },
	{ "setting", "key, value", "rowid", "quote(key) || ',' || quote(value)", load_setting },
	{ "receipt", "sequence, json", "sequence", "quote(sequence) || ',' || quote(json)",
		load_receipt },
};

struct bad_row {
	int64_t rowid;
	struct error why;
};

struct bad_rows {
	struct bad_row *list;
	size_t count;
};

static void bad_rows_done(struct bad_rows *bad)
{
	free(bad->list);
}

static void bad_rows_add(struct bad_rows *bad, int64_t rowid, const struct error *why)
{
	if (bad->count >= BAD_ROWS_MAX)
		return; /* the rest at the next start */
	bad->list = store_array_grow(bad->list, bad->count, sizeof *bad->list);
	bad->list[bad->count++] = (struct bad_row){ .rowid = rowid, .why = *why };
}

static int load_rows(struct store_file *file, const struct table *table, struct store_event *event,
	struct bad_rows *bad, struct error *error)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *rows = NULL;
	_cleanup_(freep) char *sql = xasprintf(
		"SELECT rowid, %s FROM %s ORDER BY %s", table->columns, table->name, table->order);
	int result = store_database_prepare(file, sql, &rows, error);
	int step = SQLITE_DONE;

	if (result < 0)
		return result;
	while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
		struct error why = { "" };
		if (table->load(rows, event, &why) < 0)
			bad_rows_add(bad, sqlite3_column_int64(rows, 0), &why);
	}
	return step == SQLITE_DONE ? 0 : store_database_failed(file, "đọc", error);
}

static int run_for_row(struct store_file *file, const char *sql, const struct bad_row *row,
	const struct error *why, struct error *error)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;
	int result = store_database_prepare(file, sql, &statement, error);

	if (result < 0)
		return result;
	sqlite3_bind_int64(statement, 1, row->rowid);
	if (why) {
		sqlite3_bind_int64(statement, 2, clock_real_us());
		sqlite3_bind_text(statement, 3, why->text, -1, SQLITE_STATIC);
	}
	return sqlite3_step(statement) == SQLITE_DONE
		       ? 0
		       : store_database_failed(file, "để riêng bản ghi hỏng", error);
}

static int move_rows(struct store_file *file, const struct table *table, const struct bad_rows *bad,
	struct error *error)
{
	_cleanup_(freep) char *copy = xasprintf(
		"INSERT INTO set_aside (source, content, at_us, why)"
		" SELECT '%s', %s, ?2, ?3 FROM %s WHERE rowid = ?1",
		table->name, table->content, table->name);
	_cleanup_(freep) char *drop = xasprintf("DELETE FROM %s WHERE rowid = ?1", table->name);
	_cleanup_(freep) char *trim = xasprintf("DELETE FROM set_aside WHERE number <="
						" (SELECT max(number) FROM set_aside) - %d",
		STORE_SET_ASIDE_MAX);
	int result = 0;

	for (size_t i = 0; i < bad->count && result == 0; i++) {
		const struct bad_row *row = &bad->list[i];
		result = run_for_row(file, copy, row, &row->why, error);
		if (result == 0)
			result = run_for_row(file, drop, row, NULL, error);
	}
	return result == 0 ? store_database_exec(file, trim, "để riêng bản ghi hỏng", error)
			   : result;
}

static int set_rows_aside(struct store_file *file, const struct table *table,
	const struct bad_rows *bad, struct error *error)
{
	int result = store_file_begin(file, error);

	if (result == 0)
		result = move_rows(file, table, bad, error);
	if (result == 0)
		return store_file_commit(file, error);
	store_database_roll_back(file);
	return result;
}

/* Adds to what the event tells: how many rows were bad, and why the first was. */
static void report_bad_rows(
	const struct table *table, const struct bad_rows *bad, bool moved, struct error *ret_report)
{
	struct error said = *ret_report;

	(void)error_set(ret_report, 0, "%s%s%zu bản ghi hỏng trong bảng %s%s (%s)", said.text,
		*said.text ? "; " : "", bad->count, table->name,
		moved ? ", đã để riêng" : ", chưa để riêng được", bad->list[0].why.text);
}

/* Bad rows that cannot be moved now (the disk is full) are moved at the next start: that is no
 * reason to do without the good ones. */
static int load_table(struct store_file *file, const struct table *table, struct store_event *event,
	struct error *error)
{
	_cleanup_(bad_rows_done) struct bad_rows bad = { 0 };
	int result = load_rows(file, table, event, &bad, error);

	if (result < 0 || bad.count == 0)
		return result;
	bool moved = set_rows_aside(file, table, &bad, error) == 0;
	report_bad_rows(table, &bad, moved, &event->error);
	return 0;
}

int store_file_load(struct store_file *file, struct store_event *event, struct error *error)
{
	int result = 0;

	event->error = file->notice;
	event->next_sequence = 1;
	event->next_receipt_sequence = 1;
	for (size_t i = 0; i < countof(tables) && result == 0; i++)
		result = load_table(file, &tables[i], event, error);
	return result;
}

int store_file_read_receipts(struct store_file *file, uint64_t after_sequence, size_t limit,
	struct store_event *event, struct error *error)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *rows = NULL;
	int step = SQLITE_DONE;
	int result = store_database_prepare(file,
		"SELECT sequence, json FROM receipt WHERE sequence > ? ORDER BY sequence LIMIT ?",
		&rows, error);

	if (result < 0)
		return result;
	sqlite3_bind_int64(rows, 1, (int64_t)after_sequence);
	sqlite3_bind_int64(rows, 2, (int64_t)limit);
	while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
		const char *json = (const char *)sqlite3_column_text(rows, 1);
		event->receipts = store_array_grow(
			event->receipts, event->receipts_count, sizeof *event->receipts);
		event->receipts[event->receipts_count++] = (struct store_receipt){
			.sequence = (uint64_t)sqlite3_column_int64(rows, 0),
			.json = xstrdup(json ? json : "{}"),
		};
	}
	return step == SQLITE_DONE ? 0 : store_database_failed(file, "đọc biên nhận", error);
}
