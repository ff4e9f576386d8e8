/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store's file: open it, load it, write groups of changes. Synchronous; one thread at a time;
 * everything may take as long as the disk does. The file's tables are known to store_schema.c (which
 * also brings the file of an older version up to date), store_operation.c (writing), store_load.c
 * and store_history.c (reading), store_salvage.c (both), SQLite to store_database.c.
 *
 * A file that is damaged (SQLite's quick check fails, or it is no database, or its tables are not
 * ours) is renamed to loalang.db.corrupt-<UTC time> and a new one is begun, with all that can still
 * be read of the old one (store_salvage.h). The new one is made under another name and takes the
 * place of the old one when it is whole, so that a power cut in the middle costs nothing. The newest
 * few damaged files are kept. A row that cannot be decoded goes to the table `set_aside`; the others
 * load.
 *
 * Errors: -ENOSPC, -EROFS, -EBUSY (another process holds the file), -EBADMSG (damaged), -EACCES
 * (cannot be opened), -ENOMEM, -EIO; with what and where in *error.
 */
#pragma once

#include "scheduler/store.h"
#include "scheduler/store_change.h"

#define STORE_FILE_NAME      "loalang.db"
#define STORE_SET_ASIDE_MAX  100 /* rows kept in `set_aside`, the newest */
#define STORE_SEQUENCE_MAX   (INT64_C(1) << 62)
#define STORE_ROW_TEXT_BYTES (1024 * 1024) /* a longer text in a row is not ours */
#define STORE_SETTING_BYTES  4096          /* nor a longer key or value of a setting */

struct store_file;
struct store_database;

/* Opens or creates `state_dir`/loalang.db. A damaged file is set aside (store_file_notice()). */
int store_file_open(
	const char *state_dir, struct store_file **ret_file, struct error *error) _must_check_;
/* Sets aside what is there, because of `cause`, and begins anew with what can be read of it: for
 * damage that only showed (-EBADMSG) while the file was used. The file must be closed. */
int store_file_renew(const char *state_dir, const struct error *cause, struct store_file **ret_file,
	struct error *error) _must_check_;
struct store_file *store_file_close(struct store_file *file);
DEFINE_CLEANUP(struct store_file *, store_file_close)

/* What opening had to set aside, how much of it was kept and how much was not readable; "" for
 * nothing. */
const char *store_file_notice(const struct store_file *file);
struct store_database *store_file_database(struct store_file *file); /* borrowed */

/* Fills the parts of a STORE_LOADED event; event->error tells which rows were set aside.
 * On failure the event is partly filled and is freed as usual. */
int store_file_load(
	struct store_file *file, struct store_event *event, struct error *error) _must_check_;

/* A transaction: begin, any number of changes, commit. After a failure of change or commit nothing
 * of it is kept, and the transaction is over. */
int store_file_begin(struct store_file *file, struct error *error) _must_check_;
int store_file_change(struct store_file *file, const struct store_change *change,
	struct error *error) _must_check_;
int store_file_commit(struct store_file *file, struct error *error) _must_check_;
/* After a commit, when those who wait for it have been told: housekeeping that takes its time. */
void store_file_tidy(struct store_file *file);

/* Fills event->receipts with at most `limit` after `after_sequence` that the broker does not have,
 * in order. */
int store_file_read_receipts(struct store_file *file, uint64_t after_sequence, size_t limit,
	struct store_event *event, struct error *error) _must_check_;

int store_sequence_parse(const char *text, uint64_t *ret_sequence) _must_check_; /* -EINVAL */
void store_event_add_receipt(
	struct store_event *event, uint64_t sequence, const char *json, bool waiting);
/* Grows an array that is about to hold one more than `count` items of `size` bytes. */
void *store_array_grow(void *array, size_t count, size_t size) _must_check_;
