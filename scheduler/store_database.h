/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What store_file.c and store_load.c share. */
#pragma once

#include "scheduler/store_file.h"
#include <sqlite3.h>

struct store_file {
	sqlite3 *database;
	char *path; /* for messages */
	sqlite3_stmt *statements[STORE_CHANGE_KINDS_COUNT];
	struct error notice; /* what opening had to set aside */
};

/* -errno for SQLite's last result, with `doing` and the cause in *error. */
int store_database_failed(
	const struct store_file *file, const char *doing, struct error *error) _must_check_;
int store_database_exec(struct store_file *file, const char *sql, const char *doing,
	struct error *error) _must_check_;
int store_database_prepare(struct store_file *file, const char *sql, sqlite3_stmt **ret_statement,
	struct error *error) _must_check_;
/* Ends a transaction that failed, if SQLite has not done so by itself. */
void store_database_roll_back(struct store_file *file);

static inline void sqlite3_finalizep(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}
