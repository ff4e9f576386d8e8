/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store_file.h"
#include "base/strbuf.h"
#include "scheduler/store_database.h"
#include "scheduler/store_operation.h"
#include "scheduler/store_salvage.h"
#include "scheduler/store_schema.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SALVAGE_US      (10 * US_PER_SEC) /* the node stands still meanwhile */
#define ASIDES_MAX      5   /* damaged files that are kept: a card that dies must not fill up */
#define ASIDE_NAMES_MAX 100 /* names tried for a damaged file within one second */

struct store_file {
	struct store_database *database;
	char *path; /* for messages */
	struct store_statement *statements[STORE_CHANGE_KINDS_COUNT];
	struct error notice; /* what opening had to set aside */
};

/* --- Opening -------------------------------------------------------------------------------- */

/* All at once, so that a missing table or column is found when the file is opened. */
static int prepare_statements(struct store_file *file, bool careful, struct error *error);

/* `careful`: for a file that is being made of a damaged one. */
static int open_database(
	const char *path, bool careful, struct store_file **ret_file, struct error *error)
{
	_cleanup_(store_file_closep) struct store_file *file = xcalloc(1, sizeof *file);
	int result = store_database_open(path, &file->database, error);

	if (result < 0)
		return result;
	file->path = xstrdup(path);
	if (careful)
		result = store_database_hurry(file->database, error);
	if (result == 0)
		result = store_schema_settle(file->database, path, error);
	if (result == 0)
		result = prepare_statements(file, careful, error);
	if (result < 0) /* "no such table": a database, but not ours */
		return store_database_foreign(file->database) ? -EBADMSG : result;
	store_database_trust(file->database);
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

/* An empty log, which opening makes, tells nobody anything. */
static void remove_empty_log(const char *path)
{
	_cleanup_(freep) char *log = xasprintf("%s-wal", path);
	struct stat status;

	if (stat(log, &status) == 0 && status.st_size == 0)
		(void)unlink(log);
}

/* Makes a file's content or a folder's names last. */
static int sync_path(const char *path, int flags)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* --- A damaged file ------------------------------------------------------------------------- */

/* A new file is made as PATH.new and is called PATH.ready when it is whole. From then on it is the
 * store's, whatever lies at PATH: a power cut between the renamings changes nothing. */
struct names {
	char *path, *new, *ready;
	const char *folder; /* borrowed */
};

static struct names names_of(const char *state_dir)
{
	return (struct names){
		.path = store_path(state_dir),
		.new = xasprintf("%s/%s.new", state_dir, STORE_FILE_NAME),
		.ready = xasprintf("%s/%s.ready", state_dir, STORE_FILE_NAME),
		.folder = state_dir,
	};
}

static void names_done(struct names *names)
{
	free(names->path);
	free(names->new);
	free(names->ready);
}

/* Puts PATH and its log aside, as `aside`, and PATH.ready in its place. */
static int exchange(const struct names *names, const char *aside, struct error *error)
{
	remove_empty_log(names->path);
	int result = rename_with(names->path, aside, "");
	if (result == 0) /* a new file must never meet the log of the old one */
		result = rename_with(names->path, aside, "-wal");
	if (result == 0)
		result = rename_with(names->ready, names->path, "");
	if (result == 0)
		result = sync_path(names->folder, O_DIRECTORY);
	return result == 0 ? 0
			   : error_set(error, result, "%s: không để riêng được tệp hỏng: %s",
				     names->path, strerror(-result));
}

static int make_new(
	const struct names *names, struct store_salvaged *ret_salvaged, struct error *error)
{
	_cleanup_(store_file_closep) struct store_file *file = NULL;
	int result = open_database(names->new, true, &file, error);

	return result < 0 ? result
			  : store_salvage(names->path, clock_mono_us() + SALVAGE_US, file,
				    ret_salvaged, error);
}

static void remove_new(const struct names *names)
{
	_cleanup_(freep) char *log = xasprintf("%s-wal", names->new);

	(void)unlink(names->new);
	(void)unlink(log);
}

/* Makes PATH.ready of what can be read at PATH. */
static int make_ready(
	const struct names *names, struct store_salvaged *ret_salvaged, struct error *error)
{
	remove_new(names); /* half made, by a process that ended */
	int result = make_new(names, ret_salvaged, error);
	if (result < 0) {
		remove_new(names); /* the room is needed */
		return result;
	}
	result = sync_path(names->new, 0);
	if (result == 0)
		result = rename_with(names->new, names->ready, "");
	if (result == 0)
		result = sync_path(names->folder, O_DIRECTORY);
	return result == 0 ? 0
			   : error_set(error, result, "%s: không ghi được: %s", names->new,
				     strerror(-result));
}

static int is_aside(const struct dirent *entry)
{
	static const char begin[] = STORE_FILE_NAME ".corrupt-";
	size_t length = strlen(entry->d_name);

	return strncmp(entry->d_name, begin, sizeof begin - 1) == 0 &&
	       (length < 4 || strcmp(entry->d_name + length - 4, "-wal") != 0);
}

/* The names have the time in them, so that they sort by it. */
static void remove_old_asides(const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_aside, alphasort);

	for (int i = 0; i < count; i++) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", folder, entries[i]->d_name);
		_cleanup_(freep) char *log = xasprintf("%s-wal", path);
		free(entries[i]);
		if (i >= count - ASIDES_MAX)
			continue;
		(void)unlink(path);
		(void)unlink(log);
	}
	free(entries);
}

static struct error tell(
	const struct error *cause, const char *aside, const struct store_salvaged *salvaged)
{
	const char *name = strrchr(aside, '/');
	struct error notice;

	(void)error_set(&notice, 0,
		"%s; đã để riêng thành %s và lập tệp mới, giữ lại %zu thông báo, %zu lượt phát, "
		"%zu lịch phát, %zu thiết đặt, %zu biên nhận; không đọc được %zu bản ghi và %zu "
		"trang%s",
		cause->text, name ? name + 1 : aside, salvaged->announcements, salvaged->plays,
		salvaged->schedules, salvaged->settings, salvaged->receipts, salvaged->lost_rows,
		salvaged->lost_pages,
		salvaged->cut_short ? ", phần lịch sử còn lại chưa chép" : "");
	return notice;
}

int store_file_renew(const char *state_dir, const struct error *cause, struct store_file **ret_file,
	struct error *error)
{
	_cleanup_(names_done) struct names names = names_of(state_dir);
	_cleanup_(freep) char *aside = aside_path(names.path);
	struct store_salvaged salvaged;
	int result = make_ready(&names, &salvaged, error);

	if (result == 0)
		result = exchange(&names, aside, error);
	if (result == 0)
		result = open_database(names.path, false, ret_file, error);
	if (result < 0)
		return result;
	(*ret_file)->notice = tell(cause, aside, &salvaged);
	remove_old_asides(state_dir);
	return 0;
}

/* Ends what a power cut has interrupted. */
static int end_exchange(const char *state_dir, struct error *error)
{
	_cleanup_(names_done) struct names names = names_of(state_dir);

	if (access(names.ready, F_OK) < 0)
		return 0;
	_cleanup_(freep) char *aside = aside_path(names.path);
	return exchange(&names, aside, error);
}

int store_file_open(const char *state_dir, struct store_file **ret_file, struct error *error)
{
	_cleanup_(freep) char *path = store_path(state_dir);
	int result = end_exchange(state_dir, error);

	if (result == 0)
		result = open_database(path, false, ret_file, error);
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
		store_statement_free(file->statements[i]);
	store_database_close(file->database);
	free(file->path);
	free(file);
	return NULL;
}

const char *store_file_notice(const struct store_file *file)
{
	return file->notice.text;
}

struct store_database *store_file_database(struct store_file *file)
{
	return file->database;
}

/* --- Writing -------------------------------------------------------------------------------- */

static int prepare_statements(struct store_file *file, bool careful, struct error *error)
{
	int result = 0;

	for (size_t i = 0; i < STORE_CHANGE_KINDS_COUNT && result == 0; i++) {
		const struct store_operation *operation = &store_operations[i];
		_cleanup_(freep) char *sql = xasprintf("%s%s", operation->sql,
			careful && operation->careful ? operation->careful : "");
		result = store_statement_new(file->database, sql, &file->statements[i], error);
	}
	return result;
}

int store_file_begin(struct store_file *file, struct error *error)
{
	return store_database_exec(file->database, "BEGIN IMMEDIATE", "ghi", error);
}

int store_file_change(
	struct store_file *file, const struct store_change *change, struct error *error)
{
	struct store_statement *statement = file->statements[change->kind];

	store_operations[change->kind].bind(statement, change);
	int result = store_statement_run(statement, "ghi", error);
	if (result < 0)
		store_database_roll_back(file->database);
	return result;
}

int store_file_commit(struct store_file *file, struct error *error)
{
	int result = store_database_exec(file->database, "COMMIT", "ghi", error);

	if (result < 0)
		store_database_roll_back(file->database);
	return result;
}

void store_file_tidy(struct store_file *file)
{
	store_database_tidy(file->database);
}
