/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store_schema.h"
#include "base/strbuf.h"
#include "scheduler/receipt.h"

#include <errno.h>
#include <string.h>

#define SCHEMA_VERSION 3

/* `json` is null of a schedule that was withdrawn. */
#define SCHEDULE_SQL                                                                              \
	"CREATE TABLE schedule (zone TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL," \
	" json TEXT, sha256 TEXT NOT NULL, since_us INTEGER NOT NULL,"                            \
	" forget_us INTEGER NOT NULL, PRIMARY KEY (zone, id));"

/* Columns of a later version stand last, where ALTER TABLE puts them. */
static const char schema_sql[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE announcement (id TEXT PRIMARY KEY, revision INTEGER NOT NULL,"
	" json TEXT NOT NULL, sha256 TEXT NOT NULL, arrival_us INTEGER NOT NULL,"
	" sequence INTEGER NOT NULL);"
	"CREATE TABLE play (id TEXT NOT NULL, output TEXT NOT NULL, revision INTEGER NOT NULL,"
	" state TEXT NOT NULL, forget_us INTEGER NOT NULL,"
	" item INTEGER NOT NULL DEFAULT 0, offset_us INTEGER NOT NULL DEFAULT 0,"
	" played_us INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (id, output));"
	"CREATE TABLE receipt (sequence INTEGER PRIMARY KEY, json TEXT NOT NULL,"
	" at_us INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX receipt_at ON receipt (at_us);"
	"CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
	"CREATE TABLE set_aside (number INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL,"
	" source TEXT NOT NULL, content TEXT, why TEXT NOT NULL);" SCHEDULE_SQL
	"PRAGMA user_version = 3;"
	"COMMIT;";

static const char upgrade_to_3_sql[] = SCHEDULE_SQL "PRAGMA user_version = 3";

static const char columns_of_2_sql[] =
	"ALTER TABLE play ADD COLUMN item INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE play ADD COLUMN offset_us INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE play ADD COLUMN played_us INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE play ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE receipt ADD COLUMN at_us INTEGER NOT NULL DEFAULT 0;";

/* --- From version 1 ------------------------------------------------------------------------- */

static bool read_receipt_time(
	struct store_statement *row, int64_t *ret_sequence, int64_t *ret_at_us)
{
	const char *json;
	size_t length;

	return store_statement_integer(row, 0, ret_sequence) &&
	       store_statement_text(row, 1, &json, &length) &&
	       receipt_parse_at(json, length, ret_at_us) == 0;
}

/* Receipts of version 1 tell their time in their text only. One that cannot be read keeps 0, and is
 * judged when it is loaded. */
static int date_receipts(struct store_database *database, struct error *error)
{
	_cleanup_(store_statement_freep) struct store_statement *rows = NULL;
	_cleanup_(store_statement_freep) struct store_statement *update = NULL;
	int result = store_statement_new(
		database, "SELECT sequence, json FROM receipt", &rows, error);

	if (result == 0)
		result = store_statement_new(database,
			"UPDATE receipt SET at_us = ? WHERE sequence = ?", &update, error);
	if (result < 0)
		return result;
	while ((result = store_statement_step(rows, "nâng cấp", error)) > 0) {
		int64_t sequence, at_us;
		if (!read_receipt_time(rows, &sequence, &at_us))
			continue;
		store_statement_bind_integer(update, 1, at_us);
		store_statement_bind_integer(update, 2, sequence);
		result = store_statement_run(update, "nâng cấp", error);
		if (result < 0)
			return result;
	}
	return result;
}

static int upgrade_to_2(struct store_database *database, struct error *error)
{
	int result = store_database_exec(database, columns_of_2_sql, "nâng cấp", error);

	if (result == 0)
		result = date_receipts(database, error);
	return result == 0
		       ? store_database_exec(database, "CREATE INDEX receipt_at ON receipt (at_us)",
				 "nâng cấp", error)
		       : result;
}

/* --- From any version ----------------------------------------------------------------------- */

static int upgrade_in_transaction(
	struct store_database *database, int64_t version, struct error *error)
{
	int result = version < 2 ? upgrade_to_2(database, error) : 0;

	return result == 0 ? store_database_exec(database, upgrade_to_3_sql, "nâng cấp", error)
			   : result;
}

/* All of it or nothing: a power cut in the middle leaves the version that was. */
static int upgrade(struct store_database *database, int64_t version, struct error *error)
{
	int result = store_database_exec(database, "BEGIN IMMEDIATE", "nâng cấp", error);

	if (result == 0)
		result = upgrade_in_transaction(database, version, error);
	if (result == 0)
		result = store_database_exec(database, "COMMIT", "nâng cấp", error);
	if (result < 0)
		store_database_roll_back(database);
	return result;
}

/* --- Judging -------------------------------------------------------------------------------- */

static int query(struct store_database *database, const char *sql, struct store_statement **ret_row,
	struct error *error)
{
	_cleanup_(store_statement_freep) struct store_statement *row = NULL;
	int result = store_statement_new(database, sql, &row, error);

	if (result == 0)
		result = store_statement_step(row, "kiểm tra", error);
	if (result < 0)
		return result;
	*ret_row = hand_over(row);
	return 0;
}

static int query_number(
	struct store_database *database, const char *sql, int64_t *ret_number, struct error *error)
{
	_cleanup_(store_statement_freep) struct store_statement *row = NULL;
	int result = query(database, sql, &row, error);

	if (result == 0 && !store_statement_integer(row, 0, ret_number))
		*ret_number = -1;
	return result;
}

static int check_integrity(struct store_database *database, const char *path, struct error *error)
{
	_cleanup_(store_statement_freep) struct store_statement *row = NULL;
	int result = query(database, "PRAGMA quick_check(1)", &row, error);
	const char *verdict = "?";
	size_t length;

	if (result < 0)
		return result;
	if (store_statement_text(row, 0, &verdict, &length) && strcmp(verdict, "ok") == 0)
		return 0;
	if (*verdict == '*' && strchr(verdict, '\n')) /* "*** in database main ***" */
		verdict = strchr(verdict, '\n') + 1;
	return error_set(error, -EBADMSG, "%s: tệp hỏng (%.80s)", path, verdict);
}

int store_schema_settle(struct store_database *database, const char *path, struct error *error)
{
	int64_t version = 0, objects = 0, strangers = 0;
	int result = check_integrity(database, path, error);

	if (result == 0)
		result = query_number(database, "PRAGMA user_version", &version, error);
	if (result == 0)
		result = query_number(
			database, "SELECT count(*) FROM sqlite_schema", &objects, error);
	if (result == 0)
		result = query_number(database,
			"SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index')",
			&strangers, error);
	if (result < 0)
		return result;
	if (version == 0 && objects == 0)
		return store_database_exec(database, schema_sql, "tạo bảng", error);
	if (version < 1 || version > SCHEMA_VERSION)
		return error_set(error, -EBADMSG,
			"%s: kiểu tệp %d, phần mềm này chỉ đọc đến kiểu %d", path, (int)version,
			SCHEMA_VERSION);
	if (strangers != 0) /* triggers and views would run with our statements */
		return error_set(error, -EBADMSG, "%s: có đối tượng lạ trong tệp", path);
	return version < SCHEMA_VERSION ? upgrade(database, version, error) : 0;
}
