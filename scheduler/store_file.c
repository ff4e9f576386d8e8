/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store_file.h"
#include "base/strbuf.h"
#include "base/sha256.h"
#include "scheduler/store_database.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define SCHEMA_VERSION  1
#define BUSY_TIMEOUT_MS 1000
#define ASIDE_NAMES_MAX 100 /* names tried for a damaged file within one second */
#define VALUE_SIZE      200 /* bytes of a value that is looked at when opening */

/* Exclusive: no second daemon on the same folder, and no shared-memory file beside it, whose
 * mapping a full disk could turn into SIGBUS. Small caches: the node's board is small. */
static const char settings_sql[] = "PRAGMA locking_mode = EXCLUSIVE;"
				   "PRAGMA journal_mode = WAL;"
				   "PRAGMA synchronous = FULL;"
				   "PRAGMA cache_size = -256;"
				   "PRAGMA mmap_size = 0;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA wal_autocheckpoint = 128;"
				   "PRAGMA journal_size_limit = 524288;"
				   "PRAGMA trusted_schema = OFF;";

static const char schema_sql[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE announcement (id TEXT PRIMARY KEY, revision INTEGER NOT NULL,"
	" json TEXT NOT NULL, sha256 TEXT NOT NULL, arrival_us INTEGER NOT NULL,"
	" sequence INTEGER NOT NULL);"
	"CREATE TABLE play (id TEXT NOT NULL, output TEXT NOT NULL, revision INTEGER NOT NULL,"
	" state TEXT NOT NULL, forget_us INTEGER NOT NULL, PRIMARY KEY (id, output));"
	"CREATE TABLE receipt (sequence INTEGER PRIMARY KEY, json TEXT NOT NULL);"
	"CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
	"CREATE TABLE set_aside (number INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL,"
	" source TEXT NOT NULL, content TEXT, why TEXT NOT NULL);"
	"PRAGMA user_version = 1;"
	"COMMIT;";

/* --- Errors --------------------------------------------------------------------------------- */

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

int store_database_failed(const struct store_file *file, const char *doing, struct error *error)
{
	int code = sqlite3_extended_errcode(file->database);

	/* These are kinds of SQLITE_IOERR, but say that the file is not what was written. */
	if (code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_CORRUPTFS)
		code = SQLITE_CORRUPT;
	const char *message = sqlite3_errmsg(file->database);
	for (size_t i = 0; i < countof(causes); i++)
		if ((code & 0xff) == causes[i].code) {
			(void)error_set(error, 0, "%s: %s: %s (%s, mã %d)", file->path, doing,
				causes[i].text, message, code);
			return causes[i].result;
		}
	(void)error_set(error, 0, "%s: %s: lỗi cơ sở dữ liệu (%s, mã %d)", file->path, doing,
		message, code);
	return -EIO;
}

int store_database_exec(
	struct store_file *file, const char *sql, const char *doing, struct error *error)
{
	if (sqlite3_exec(file->database, sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_database_failed(file, doing, error);
	return 0;
}

int store_database_prepare(
	struct store_file *file, const char *sql, sqlite3_stmt **ret_statement, struct error *error)
{
	if (sqlite3_prepare_v3(file->database, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement,
		    NULL) != SQLITE_OK)
		return store_database_failed(file, "chuẩn bị", error);
	return 0;
}

/* --- Opening -------------------------------------------------------------------------------- */

/* The single value of a query, as text; longer than VALUE_SIZE it is cut. */
static int query_text(
	struct store_file *file, const char *sql, char ret_text[VALUE_SIZE], struct error *error)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *statement = NULL;
	int result = store_database_prepare(file, sql, &statement, error);

	if (result < 0)
		return result;
	if (sqlite3_step(statement) != SQLITE_ROW)
		return store_database_failed(file, "kiểm tra", error);
	const char *text = (const char *)sqlite3_column_text(statement, 0);
	snprintf(ret_text, VALUE_SIZE, "%s", text ? text : "");
	return 0;
}

static int check_integrity(struct store_file *file, struct error *error)
{
	char verdict[VALUE_SIZE] = "";
	int result = query_text(file, "PRAGMA quick_check(1)", verdict, error);

	if (result < 0 || strcmp(verdict, "ok") == 0)
		return result;
	return error_set(error, -EBADMSG, "%s: tệp hỏng (%s)", file->path, verdict);
}

static int check_schema(struct store_file *file, struct error *error)
{
	char version[VALUE_SIZE] = "";
	char tables[VALUE_SIZE] = "";
	char strangers[VALUE_SIZE] = "";
	int result = query_text(file, "PRAGMA user_version", version, error);

	if (result == 0)
		result = query_text(file, "SELECT count(*) FROM sqlite_schema", tables, error);
	if (result == 0)
		result = query_text(file,
			"SELECT count(*) FROM sqlite_schema WHERE type NOT IN ('table', 'index')",
			strangers, error);
	if (result < 0)
		return result;
	if (strcmp(version, "0") == 0 && strcmp(tables, "0") == 0)
		return store_database_exec(file, schema_sql, "tạo bảng", error);
	if (strtol(version, NULL, 10) != SCHEMA_VERSION)
		return error_set(error, -EBADMSG, "%s: kiểu tệp %s, phần mềm này chỉ đọc kiểu %d",
			file->path, version, SCHEMA_VERSION);
	if (strcmp(strangers, "0") != 0) /* triggers and views would run with our statements */
		return error_set(error, -EBADMSG, "%s: có đối tượng lạ trong tệp", file->path);
	return 0;
}

/* All at once, so that a missing table or column is found when the file is opened. */
static int prepare_statements(struct store_file *file, struct error *error);

static int open_database(const char *path, struct store_file **ret_file, struct error *error)
{
	_cleanup_(store_file_closep) struct store_file *file = xcalloc(1, sizeof *file);
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			  SQLITE_OPEN_PRIVATECACHE;

	file->path = xstrdup(path);
	if (sqlite3_open_v2(path, &file->database, flags, NULL) != SQLITE_OK)
		return store_database_failed(file, "mở", error);
	sqlite3_extended_result_codes(file->database, 1);
	sqlite3_busy_timeout(file->database, BUSY_TIMEOUT_MS);
	sqlite3_db_config(file->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	int result = store_database_exec(file, settings_sql, "mở", error);
	if (result == 0)
		result = check_integrity(file, error);
	if (result == 0)
		result = check_schema(file, error);
	if (result == 0)
		result = prepare_statements(file, error);
	/* "No such table", "unsupported file format": a database, but not ours. */
	if (result < 0 && (sqlite3_errcode(file->database) & 0xff) == SQLITE_ERROR)
		return -EBADMSG;
	if (result < 0)
		return result;
	*ret_file = hand_over(file);
	return 0;
}

static char *store_path(const char *state_dir)
{
	return xasprintf("%s/%s", state_dir, STORE_FILE_NAME);
}

/* A name that is free: PATH.corrupt-20261121T101500Z, and with -1, -2 … if there is one already. */
static char *aside_path(const char *path)
{
	time_t now = (time_t)(clock_real_us() / US_PER_SEC);
	struct tm utc = { 0 };
	char stamp[32];

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
	char *aside = xasprintf("%s.corrupt-%s", path, stamp);
	for (int i = 1; i < ASIDE_NAMES_MAX && access(aside, F_OK) == 0; i++) {
		free(aside);
		aside = xasprintf("%s.corrupt-%s-%d", path, stamp, i);
	}
	return aside;
}

/* Renames `path` + `suffix`; a file that is not there is no failure. */
static int rename_with(const char *path, const char *aside, const char *suffix)
{
	_cleanup_(freep) char *from = xasprintf("%s%s", path, suffix);
	_cleanup_(freep) char *to = xasprintf("%s%s", aside, suffix);

	return rename(from, to) < 0 && errno != ENOENT ? -errno : 0;
}

/* Renames a damaged file and its log out of the way. The log goes first: a new file must never
 * meet the log of the old one. *cause becomes the notice of what happened. */
static int set_aside(const char *path, struct error *cause)
{
	_cleanup_(freep) char *aside = aside_path(path);
	int result = rename_with(path, aside, "-wal");

	if (result == 0)
		result = rename_with(path, aside, "");
	if (result < 0) {
		error_prefix(cause, "không để riêng được tệp hỏng (%s)", strerror(-result));
		return result;
	}
	struct error said = *cause;
	return error_set(cause, 0, "%s; đã để riêng thành %s và lập tệp mới", said.text, aside);
}

int store_file_renew(const char *state_dir, const struct error *cause, struct store_file **ret_file,
	struct error *error)
{
	_cleanup_(freep) char *path = store_path(state_dir);
	struct error notice = *cause;
	int result = set_aside(path, &notice);

	if (result < 0) {
		*error = notice;
		return result;
	}
	result = open_database(path, ret_file, error);
	if (result == 0)
		(*ret_file)->notice = notice;
	return result;
}

int store_file_open(const char *state_dir, struct store_file **ret_file, struct error *error)
{
	_cleanup_(freep) char *path = store_path(state_dir);
	int result = open_database(path, ret_file, error);

	if (result != -EBADMSG)
		return result;
	struct error cause = *error;
	return store_file_renew(state_dir, &cause, ret_file, error);
}

struct store_file *store_file_close(struct store_file *file)
{
	if (!file)
		return NULL;
	for (size_t i = 0; i < countof(file->statements); i++)
		sqlite3_finalize(file->statements[i]);
	sqlite3_close_v2(file->database);
	free(file->path);
	free(file);
	return NULL;
}

const char *store_file_notice(const struct store_file *file)
{
	return file->notice.text;
}

/* --- Writing -------------------------------------------------------------------------------- */

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

static void bind_put_announcement(sqlite3_stmt *statement, const struct store_change *change)
{
	char sum[SHA256_TEXT_SIZE];

	sha256_text(change->text, strlen(change->text), sum);
	bind_text(statement, 1, change->id);
	sqlite3_bind_int64(statement, 2, change->revision);
	bind_text(statement, 3, change->text);
	sqlite3_bind_text(statement, 4, sum, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(statement, 5, change->time_us);
	sqlite3_bind_int64(statement, 6, (int64_t)change->sequence);
}

static void bind_id(sqlite3_stmt *statement, const struct store_change *change)
{
	bind_text(statement, 1, change->id);
}

static void bind_put_play(sqlite3_stmt *statement, const struct store_change *change)
{
	bind_text(statement, 1, change->id);
	bind_text(statement, 2, change->output);
	sqlite3_bind_int64(statement, 3, change->revision);
	bind_text(statement, 4, play_state_name(change->state));
	sqlite3_bind_int64(statement, 5, change->time_us);
}

static void bind_put_receipt(sqlite3_stmt *statement, const struct store_change *change)
{
	sqlite3_bind_int64(statement, 1, (int64_t)change->sequence);
	bind_text(statement, 2, change->text);
}

static void bind_sequence(sqlite3_stmt *statement, const struct store_change *change)
{
	sqlite3_bind_int64(statement, 1, (int64_t)change->sequence);
}

static void bind_put_setting(sqlite3_stmt *statement, const struct store_change *change)
{
	bind_text(statement, 1, change->id);
	bind_text(statement, 2, change->text);
}

static void bind_time(sqlite3_stmt *statement, const struct store_change *change)
{
	sqlite3_bind_int64(statement, 1, change->time_us);
}

static void bind_nothing(sqlite3_stmt *statement, const struct store_change *change)
{
	(void)statement;
	(void)change;
}

static const struct operation {
	const char *sql;
	void (*bind)(sqlite3_stmt *statement, const struct store_change *change);
} operations[STORE_CHANGE_KINDS_COUNT] = {
	[STORE_PUT_ANNOUNCEMENT] = { "INSERT OR REPLACE INTO announcement"
				     " (id, revision, json, sha256, arrival_us, sequence)"
				     " VALUES (?, ?, ?, ?, ?, ?)",
		bind_put_announcement },
	[STORE_DROP_ANNOUNCEMENT] = { "DELETE FROM announcement WHERE id = ?", bind_id },
	[STORE_PUT_PLAY] = { "INSERT OR REPLACE INTO play (id, output, revision, state, forget_us)"
			     " VALUES (?, ?, ?, ?, ?)",
		bind_put_play },
	[STORE_PUT_RECEIPT] = { "INSERT OR REPLACE INTO receipt (sequence, json) VALUES (?, ?)",
		bind_put_receipt },
	[STORE_DROP_RECEIPTS] = { "DELETE FROM receipt WHERE sequence <= ?", bind_sequence },
	[STORE_PUT_SETTING] = { "INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)",
		bind_put_setting },
	[STORE_FORGET_PLAYS] = { "DELETE FROM play WHERE forget_us <= ?", bind_time },
	[STORE_FORGET_ANNOUNCEMENTS] = { "DELETE FROM announcement WHERE id NOT IN"
					 " (SELECT id FROM play"
					 " WHERE state IN ('queued', 'playing'))",
		bind_nothing },
};

static int prepare_statements(struct store_file *file, struct error *error)
{
	int result = 0;

	for (size_t i = 0; i < STORE_CHANGE_KINDS_COUNT && result == 0; i++)
		result = store_database_prepare(
			file, operations[i].sql, &file->statements[i], error);
	return result;
}

/* SQLite has rolled back by itself after some errors, after others not. */
void store_database_roll_back(struct store_file *file)
{
	if (!sqlite3_get_autocommit(file->database))
		sqlite3_exec(file->database, "ROLLBACK", NULL, NULL, NULL);
}

int store_file_begin(struct store_file *file, struct error *error)
{
	return store_database_exec(file, "BEGIN IMMEDIATE", "ghi", error);
}

int store_file_change(
	struct store_file *file, const struct store_change *change, struct error *error)
{
	const struct operation *operation = &operations[change->kind];
	sqlite3_stmt *statement = file->statements[change->kind];
	int result = 0;

	operation->bind(statement, change);
	if (sqlite3_step(statement) != SQLITE_DONE)
		result = store_database_failed(file, "ghi", error);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	if (result < 0)
		store_database_roll_back(file);
	return result;
}

int store_file_commit(struct store_file *file, struct error *error)
{
	int result = store_database_exec(file, "COMMIT", "ghi", error);

	if (result < 0)
		store_database_roll_back(file);
	return result;
}
