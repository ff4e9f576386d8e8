/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store_database.h"
#include "base/strbuf.h"

#include <errno.h>
#include <sqlite3.h>

#define BUSY_TIMEOUT_MS 1000
#define LOG_PAGES_MAX   128 /* then the log is moved into the file */

struct store_database {
	sqlite3 *sqlite;
	char *path; /* for messages */
	bool foreign;
	int log_pages; /* that the last commit left in the log */
};

struct store_statement {
	struct store_database *database; /* borrowed */
	sqlite3_stmt *sqlite;
};

/* Exclusive: no second daemon on the same folder, and no shared-memory file beside it, whose
 * mapping a full disk could turn into SIGBUS. Small caches: the node's board is small. */
static const char settings_sql[] = "PRAGMA locking_mode = EXCLUSIVE;"
				   "PRAGMA journal_mode = WAL;"
				   "PRAGMA synchronous = FULL;"
				   "PRAGMA cache_size = -256;"
				   "PRAGMA mmap_size = 0;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA secure_delete = FAST;" /* no writing to forget */
				   "PRAGMA journal_size_limit = 524288;"
				   "PRAGMA trusted_schema = OFF;";

static const struct cause {
	int code, result;
	const char *text;
} causes[] = {
	{ SQLITE_FULL, -ENOSPC, "hết chỗ trên đĩa" },
	{ SQLITE_READONLY, -EROFS, "đĩa hoặc tệp chỉ cho đọc" },
	{ SQLITE_BUSY, -EBUSY, "chương trình khác đang giữ tệp" },
	{ SQLITE_LOCKED, -EBUSY, "chương trình khác đang giữ tệp" },
	{ SQLITE_CORRUPT, -EBADMSG, "tệp hỏng" },
	{ SQLITE_NOTADB, -EBADMSG, "tệp hỏng" },
	{ SQLITE_CANTOPEN, -EACCES, "không mở được tệp" },
	{ SQLITE_PERM, -EACCES, "không có quyền mở tệp" },
	{ SQLITE_AUTH, -EACCES, "không có quyền mở tệp" },
	{ SQLITE_NOMEM, -ENOMEM, "hết bộ nhớ" },
	{ SQLITE_IOERR, -EIO, "lỗi đọc ghi đĩa" },
};

/* -errno for SQLite's last result, with `doing` and the cause in *error. */
static int failed(struct store_database *database, const char *doing, struct error *error)
{
	int code = sqlite3_extended_errcode(database->sqlite);

	database->foreign = (code & 0xff) == SQLITE_ERROR; /* "no such table" */
	/* These are kinds of SQLITE_IOERR, but say that the file is not what was written. */
	if (code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_CORRUPTFS)
		code = SQLITE_CORRUPT;
	const char *message = sqlite3_errmsg(database->sqlite);
	for (size_t i = 0; i < countof(causes); i++)
		if ((code & 0xff) == causes[i].code) {
			(void)error_set(error, 0, "%s: %s: %s (%s, mã %d)", database->path, doing,
				causes[i].text, message, code);
			return causes[i].result;
		}
	(void)error_set(error, 0, "%s: %s: lỗi cơ sở dữ liệu (%s, mã %d)", database->path, doing,
		message, code);
	return -EIO;
}

/* --- The database --------------------------------------------------------------------------- */

static int note_log(void *context, sqlite3 *sqlite, const char *name, int pages)
{
	struct store_database *database = context;

	(void)sqlite;
	(void)name;
	database->log_pages = pages;
	return SQLITE_OK;
}

int store_database_open(const char *path, struct store_database **ret_database, struct error *error)
{
	_cleanup_(store_database_closep) struct store_database *database = xcalloc(
		1, sizeof *database);
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			  SQLITE_OPEN_PRIVATECACHE;

	database->path = xstrdup(path);
	if (sqlite3_open_v2(path, &database->sqlite, flags, NULL) != SQLITE_OK)
		return failed(database, "mở", error);
	sqlite3_extended_result_codes(database->sqlite, 1);
	sqlite3_busy_timeout(database->sqlite, BUSY_TIMEOUT_MS);
	sqlite3_db_config(database->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(database->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	int result = store_database_exec(database, settings_sql, "mở", error);
	sqlite3_wal_hook(database->sqlite, note_log, database);
	if (result < 0) /* "unsupported file format": a database, but not ours */
		return store_database_foreign(database) ? -EBADMSG : result;
	*ret_database = hand_over(database);
	return 0;
}

struct store_database *store_database_close(struct store_database *database)
{
	if (!database)
		return NULL;
	sqlite3_close_v2(database->sqlite);
	free(database->path);
	free(database);
	return NULL;
}

void store_database_trust(struct store_database *database)
{
	sqlite3_db_config(database->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
}

int store_database_hurry(struct store_database *database, struct error *error)
{
	return store_database_exec(
		database, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF", "mở", error);
}

void store_database_tidy(struct store_database *database)
{
	if (database->log_pages < LOG_PAGES_MAX)
		return;
	database->log_pages = 0;
	/* What fails now is tried again after the next commit; nothing depends on it. */
	(void)sqlite3_wal_checkpoint_v2(
		database->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

bool store_database_foreign(const struct store_database *database)
{
	return database->foreign;
}

int store_database_exec(
	struct store_database *database, const char *sql, const char *doing, struct error *error)
{
	if (sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
		return failed(database, doing, error);
	return 0;
}

/* SQLite has rolled back by itself after some errors, after others not. */
void store_database_roll_back(struct store_database *database)
{
	if (!sqlite3_get_autocommit(database->sqlite))
		sqlite3_exec(database->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

/* --- Statements ----------------------------------------------------------------------------- */

int store_statement_new(struct store_database *database, const char *sql,
	struct store_statement **ret_statement, struct error *error)
{
	sqlite3_stmt *sqlite = NULL;

	if (sqlite3_prepare_v3(database->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &sqlite,
		    NULL) != SQLITE_OK)
		return failed(database, "chuẩn bị", error);
	struct store_statement *statement = xcalloc(1, sizeof *statement);
	statement->database = database;
	statement->sqlite = sqlite;
	*ret_statement = statement;
	return 0;
}

struct store_statement *store_statement_free(struct store_statement *statement)
{
	if (!statement)
		return NULL;
	sqlite3_finalize(statement->sqlite);
	free(statement);
	return NULL;
}

void store_statement_bind_text(struct store_statement *statement, int index, const char *text)
{
	sqlite3_bind_text(statement->sqlite, index, text, -1, SQLITE_TRANSIENT);
}

void store_statement_bind_integer(struct store_statement *statement, int index, int64_t number)
{
	sqlite3_bind_int64(statement->sqlite, index, number);
}

int store_statement_step(struct store_statement *statement, const char *doing, struct error *error)
{
	switch (sqlite3_step(statement->sqlite)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return failed(statement->database, doing, error);
	}
}

void store_statement_reset(struct store_statement *statement)
{
	sqlite3_reset(statement->sqlite);
	sqlite3_clear_bindings(statement->sqlite);
}

int store_statement_run(struct store_statement *statement, const char *doing, struct error *error)
{
	int result = store_statement_step(statement, doing, error);

	store_statement_reset(statement);
	return result < 0 ? result : 0;
}

bool store_statement_text(
	struct store_statement *row, int column, const char **ret_text, size_t *ret_length)
{
	if (sqlite3_column_type(row->sqlite, column) != SQLITE_TEXT)
		return false;
	const char *text = (const char *)sqlite3_column_text(row->sqlite, column);
	if (!text)
		return false;
	*ret_text = text;
	*ret_length = (size_t)sqlite3_column_bytes(row->sqlite, column);
	return true;
}

bool store_statement_null(struct store_statement *row, int column)
{
	return sqlite3_column_type(row->sqlite, column) == SQLITE_NULL;
}

bool store_statement_integer(struct store_statement *row, int column, int64_t *ret_number)
{
	if (sqlite3_column_type(row->sqlite, column) != SQLITE_INTEGER)
		return false;
	*ret_number = sqlite3_column_int64(row->sqlite, column);
	return true;
}

const char *store_statement_column(struct store_statement *row, int column)
{
	return sqlite3_column_name(row->sqlite, column);
}
