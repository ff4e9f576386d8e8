/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading what the store's file holds. A row is judged like input from outside: disks rot. */
#include "base/json.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "scheduler/store_database.h"
#include "scheduler/store_file.h"
#include "scheduler/store_schedule.h"
#include "scheduler/store_schema.h"

#include <errno.h>
#include <string.h>

#define BAD_ROWS_MAX 1000 /* of one table, in one loading */

#define TEXT_OF_THIS(number) #number
#define TEXT_OF(number)      TEXT_OF_THIS(number)

void *store_array_grow(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array; /* capacities are powers of two; not yet full */
	return xreallocarray(array, count ? 2 * count : 1, size);
}

/* --- Columns -------------------------------------------------------------------------------- */

static int take_text(struct store_statement *row, int column, size_t most_bytes,
	const char **ret_text, struct error *why)
{
	const char *name = store_statement_column(row, column);
	const char *text;
	size_t length;

	if (!store_statement_text(row, column, &text, &length))
		return error_set(why, -EINVAL, "cột %s không phải là chữ", name);
	if (length > most_bytes || strlen(text) != length ||
		utf8_valid_prefix(text, length) != length)
		return error_set(why, -EINVAL, "cột %s không đọc được", name);
	*ret_text = text;
	return 0;
}

static int take_integer(struct store_statement *row, int column, int64_t minimum, int64_t maximum,
	int64_t *ret_number, struct error *why)
{
	int64_t number;

	if (!store_statement_integer(row, column, &number) || number < minimum || number > maximum)
		return error_set(why, -EINVAL, "cột %s không phải là số hợp lệ",
			store_statement_column(row, column));
	*ret_number = number;
	return 0;
}

static int take_id(struct store_statement *row, int column, const char **ret_id, struct error *why)
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

static int load_announcement(
	struct store_statement *row, struct store_event *event, struct error *why)
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

/* How far it came. */
static int take_progress(struct store_statement *row, struct store_play *play, struct error *why)
{
	int64_t item = 0, tries = 0;
	int result = take_integer(row, 6, 0, UINT32_MAX, &item, why);

	if (result == 0)
		result = take_integer(row, 7, 0, INT64_MAX, &play->offset_us, why);
	if (result == 0)
		result = take_integer(row, 8, 0, INT64_MAX, &play->played_us, why);
	if (result == 0)
		result = take_integer(row, 9, 0, UINT32_MAX, &tries, why);
	play->item = (uint32_t)item;
	play->tries = (uint32_t)tries;
	return result;
}

static int load_play(struct store_statement *row, struct store_event *event, struct error *why)
{
	const char *id = "", *output = "", *state_name = "";
	struct store_play play = { 0 };
	int result = take_id(row, 1, &id, why);

	if (result == 0)
		result = take_text(row, 2, NAME_MAX_BYTES, &output, why);
	if (result == 0)
		result = take_integer(row, 3, 1, ANNOUNCEMENT_REVISION_MAX, &play.revision, why);
	if (result == 0)
		result = take_text(row, 4, NAME_MAX_BYTES, &state_name, why);
	if (result == 0)
		result = take_integer(row, 5, 0, INT64_MAX, &play.forget_us, why);
	if (result == 0)
		result = take_progress(row, &play, why);
	if (result < 0)
		return result;
	if (play_state_parse(state_name, &play.state) < 0)
		return error_set(why, -EINVAL, "trạng thái lạ \"%s\"", state_name);
	play.id = xstrdup(id);
	play.output = xstrdup(output);
	event->plays = store_array_grow(event->plays, event->plays_count, sizeof *event->plays);
	event->plays[event->plays_count++] = play;
	return 0;
}

/* Bounds of numbers are judged with the rest. */
static int take_schedule(struct store_statement *row, struct store_schedule *ret_schedule,
	const char **ret_sum, struct error *why)
{
	const char *zone = "", *id = "", *json = NULL;
	int result = take_text(row, 1, NAME_MAX_BYTES, &zone, why);

	if (result == 0)
		result = take_text(row, 2, NAME_MAX_BYTES, &id, why);
	if (result == 0)
		result = take_integer(row, 3, INT64_MIN, INT64_MAX, &ret_schedule->revision, why);
	if (result == 0 && !store_statement_null(row, 4))
		result = take_text(row, 4, STORE_SCHEDULE_BYTES, &json, why);
	if (result == 0)
		result = take_text(row, 5, SHA256_TEXT_SIZE, ret_sum, why);
	if (result == 0)
		result = take_integer(row, 6, INT64_MIN, INT64_MAX, &ret_schedule->since_us, why);
	if (result == 0)
		result = take_integer(row, 7, INT64_MIN, INT64_MAX, &ret_schedule->forget_us, why);
	ret_schedule->zone = (char *)zone;
	ret_schedule->id = (char *)id;
	ret_schedule->json = (char *)json;
	return result;
}

static int load_schedule(struct store_statement *row, struct store_event *event, struct error *why)
{
	struct store_schedule schedule = { 0 }; /* its texts are the row's */
	const char *sum = "";
	int result = take_schedule(row, &schedule, &sum, why);

	if (result == 0)
		result = store_schedule_judge(&schedule, sum, why);
	if (result < 0)
		return result;
	schedule.zone = xstrdup(schedule.zone);
	schedule.id = xstrdup(schedule.id);
	schedule.json = schedule.json ? xstrdup(schedule.json) : NULL;
	event->schedules = store_array_grow(
		event->schedules, event->schedules_count, sizeof *event->schedules);
	event->schedules[event->schedules_count++] = schedule;
	return 0;
}

/* Decimal digits only. */
int store_sequence_parse(const char *text, uint64_t *ret_sequence)
{
	uint64_t sequence = 0;

	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9' || sequence > STORE_SEQUENCE_MAX / 10)
			return -EINVAL;
		sequence = 10 * sequence + (uint64_t)(*c - '0');
	}
	if (!*text || sequence > STORE_SEQUENCE_MAX)
		return -EINVAL;
	*ret_sequence = sequence;
	return 0;
}

/* The one setting that is the store's own. */
static int load_taken(const char *value, struct store_event *event, struct error *why)
{
	if (store_sequence_parse(value, &event->taken_receipt_sequence) < 0)
		return error_set(why, -EINVAL, "số biên nhận \"%.40s\" không hợp lệ", value);
	return 0;
}

static int load_setting(struct store_statement *row, struct store_event *event, struct error *why)
{
	const char *key = "", *value = "";
	int result = take_text(row, 1, STORE_SETTING_BYTES, &key, why);

	if (result == 0)
		result = take_text(row, 2, STORE_SETTING_BYTES, &value, why);
	if (result < 0)
		return result;
	if (strcmp(key, STORE_KEY_TAKEN) == 0)
		return load_taken(value, event, why);
	event->settings = store_array_grow(
		event->settings, event->settings_count, sizeof *event->settings);
	event->settings[event->settings_count++] = (struct store_setting){
		.key = xstrdup(key),
		.value = xstrdup(value),
	};
	return 0;
}

/* Receipts are only judged here, those that the broker is still to have; they are read in batches
 * later. The history is judged when it is read: it may be long. */
static int load_receipt(struct store_statement *row, struct store_event *event, struct error *why)
{
	(void)event;
	const char *json = "";
	int64_t sequence = 0;
	int result = take_integer(row, 1, 1, STORE_SEQUENCE_MAX, &sequence, why);

	if (result == 0)
		result = take_text(row, 2, STORE_ROW_TEXT_BYTES, &json, why);
	if (result < 0)
		return result;
	_cleanup_(json_freep) struct json *root = json_parse(json, strlen(json), why);
	return root ? 0 : -EINVAL;
}

/* --- Tables --------------------------------------------------------------------------------- */

static const struct table {
	const char *name;
	const char *columns;
	const char *which;   /* and in which order; ?1: the last receipt that the broker has */
	const char *content; /* of a row that is set aside, as SQL literals */
	int (*load)(struct store_statement *row, struct store_event *event, struct error *why);
} tables[] = {
	/* first: it tells which receipts to look at */
	{ "setting", "key, value", "ORDER BY rowid", "quote(key) || ',' || quote(value)",
		load_setting },
	{ "announcement", "id, revision, json, sha256, arrival_us, sequence", "ORDER BY sequence",
		"quote(id) || ',' || quote(revision) || ',' || quote(json) || ',' || quote(sha256)"
		" || ',' || quote(arrival_us) || ',' || quote(sequence)",
		load_announcement },
	{ "play", "id, output, revision, state, forget_us, item, offset_us, played_us, tries",
		"ORDER BY rowid",
		"quote(id) || ',' || quote(output) || ',' || quote(revision) || ',' || quote(state)"
		" || ',' || quote(forget_us) || ',' || quote(item) || ',' || quote(offset_us)"
		" || ',' || quote(played_us) || ',' || quote(tries)",
		load_play },
	/* not by the index, which may be damaged and lead past some: sorted when all are there */
	{ "schedule", "zone, id, revision, json, sha256, since_us, forget_us",
		"ORDER BY rowid LIMIT " TEXT_OF(STORE_SCHEDULES_MAX),
		"quote(zone) || ',' || quote(id) || ',' || quote(revision) || ',' || quote(json)"
		" || ',' || quote(sha256) || ',' || quote(since_us) || ',' || quote(forget_us)",
		load_schedule },
	{ "receipt", "sequence, json", "WHERE sequence > ?1 ORDER BY sequence",
		"quote(sequence) || ',' || quote(json) || ',' || quote(at_us)", load_receipt },
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
	_cleanup_(store_statement_freep) struct store_statement *rows = NULL;
	_cleanup_(freep) char *sql = xasprintf(
		"SELECT rowid, %s FROM %s %s", table->columns, table->name, table->which);
	int result = store_statement_new(store_file_database(file), sql, &rows, error);

	if (result < 0)
		return result;
	store_statement_bind_integer(rows, 1, (int64_t)event->taken_receipt_sequence);
	while ((result = store_statement_step(rows, "đọc", error)) > 0) {
		struct error why = { "" };
		int64_t rowid = 0;
		if (table->load(rows, event, &why) < 0 && store_statement_integer(rows, 0, &rowid))
			bad_rows_add(bad, rowid, &why);
	}
	return result;
}

static int run_for_row(struct store_file *file, const char *sql, const struct bad_row *row,
	const struct error *why, struct error *error)
{
	_cleanup_(store_statement_freep) struct store_statement *statement = NULL;
	int result = store_statement_new(store_file_database(file), sql, &statement, error);

	if (result < 0)
		return result;
	store_statement_bind_integer(statement, 1, row->rowid);
	if (why) {
		store_statement_bind_integer(statement, 2, clock_real_us());
		store_statement_bind_text(statement, 3, why->text);
	}
	return store_statement_run(statement, "để riêng bản ghi hỏng", error);
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
	return result == 0 ? store_database_exec(store_file_database(file), trim,
				     "để riêng bản ghi hỏng", error)
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
	store_database_roll_back(store_file_database(file));
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

/* What a receipt's sequence has been, even if the history has been pruned since. */
static int load_next_receipt(
	struct store_file *file, struct store_event *event, struct error *error)
{
	_cleanup_(store_statement_freep) struct store_statement *row = NULL;
	int64_t newest = 0;
	int result = store_statement_new(store_file_database(file),
		"SELECT max(sequence) FROM receipt WHERE sequence <= ?", &row, error);

	if (result < 0)
		return result;
	store_statement_bind_integer(row, 1, STORE_SEQUENCE_MAX);
	result = store_statement_step(row, "đọc", error);
	if (result < 0)
		return result;
	(void)store_statement_integer(row, 0, &newest); /* null: there is none */
	event->next_receipt_sequence = event->taken_receipt_sequence + 1;
	if (newest >= 0 && event->next_receipt_sequence <= (uint64_t)newest)
		event->next_receipt_sequence = (uint64_t)newest + 1;
	return 0;
}

static int compare_schedules(const void *a, const void *b)
{
	const struct store_schedule *first = a, *second = b;
	int zones = strcmp(first->zone, second->zone);

	return zones ? zones : strcmp(first->id, second->id);
}

/* Puts them in order, and tells if there are more than were loaded. */
static int end_schedules(struct store_file *file, struct store_event *event, struct error *error)
{
	_cleanup_(store_statement_freep) struct store_statement *row = NULL;
	int64_t count = 0;
	int result = store_statement_new(
		store_file_database(file), "SELECT count(*) FROM schedule", &row, error);

	if (result == 0)
		result = store_statement_step(row, "đọc", error);
	if (result < 0)
		return result;
	(void)store_statement_integer(row, 0, &count);
	if (count > STORE_SCHEDULES_MAX) {
		struct error said = event->error;
		(void)error_set(&event->error, 0, "%s%schỉ nạp %zu trong %lld lịch phát", said.text,
			*said.text ? "; " : "", event->schedules_count, (long long)count);
	}
	if (event->schedules_count > 1)
		qsort(event->schedules, event->schedules_count, sizeof *event->schedules,
			compare_schedules);
	return 0;
}

int store_file_load(struct store_file *file, struct store_event *event, struct error *error)
{
	int result = 0;

	(void)error_set(&event->error, 0, "%s", store_file_notice(file));
	event->next_sequence = 1;
	event->taken_receipt_sequence = 0;
	for (size_t i = 0; i < countof(tables) && result == 0; i++)
		result = load_table(file, &tables[i], event, error);
	if (result == 0)
		result = end_schedules(file, event, error);
	return result == 0 ? load_next_receipt(file, event, error) : result;
}

/* --- Receipts ------------------------------------------------------------------------------- */

void store_event_add_receipt(
	struct store_event *event, uint64_t sequence, const char *json, bool waiting)
{
	event->receipts = store_array_grow(
		event->receipts, event->receipts_count, sizeof *event->receipts);
	event->receipts[event->receipts_count++] = (struct store_receipt){
		.sequence = sequence,
		.json = xstrdup(json),
		.waiting = waiting,
	};
}

int store_file_read_receipts(struct store_file *file, uint64_t after_sequence, size_t limit,
	struct store_event *event, struct error *error)
{
	_cleanup_(store_statement_freep) struct store_statement *rows = NULL;
	int result = store_statement_new(store_file_database(file),
		"SELECT sequence, json FROM receipt WHERE sequence > max(?,"
		" coalesce((SELECT CAST(value AS INTEGER) FROM setting"
		" WHERE key = '" STORE_KEY_TAKEN "'), 0)) ORDER BY sequence LIMIT ?",
		&rows, error);

	if (result < 0)
		return result;
	store_statement_bind_integer(rows, 1, (int64_t)after_sequence);
	store_statement_bind_integer(rows, 2, (int64_t)limit);
	while ((result = store_statement_step(rows, "đọc biên nhận", error)) > 0) {
		const char *json = "{}";
		size_t length;
		int64_t sequence = 0;
		(void)store_statement_integer(rows, 0, &sequence);
		(void)store_statement_text(rows, 1, &json, &length);
		store_event_add_receipt(event, (uint64_t)sequence, json, false);
	}
	return result;
}
