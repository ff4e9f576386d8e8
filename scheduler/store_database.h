/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SQLite as the store needs it: a database, its statements, and errors that name the file. This is
 * SQLite's only user. Everything may take as long as the disk does; one thread at a time.
 *
 * Errors are those of store_file.h, with what and where in *error.
 */
#pragma once

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_database;
struct store_statement;

/* Opens or creates the file, for this process alone. The log of a file that is judged damaged must
 * stay beside it: it is written back at closing only after store_database_trust(). */
int store_database_open(
	const char *path, struct store_database **ret_database, struct error *error) _must_check_;
struct store_database *store_database_close(struct store_database *database);
DEFINE_CLEANUP(struct store_database *, store_database_close)
void store_database_trust(struct store_database *database);
/* Commits are not waited for, and there is no log. For a file that takes its name only when it is
 * whole; who made it calls fsync() after closing. */
int store_database_hurry(struct store_database *database, struct error *error) _must_check_;

/* Moves the log into the file, if it has grown: several fsyncs, and for the next time, so that no
 * commit has to wait for them. Not needed for safety. */
void store_database_tidy(struct store_database *database);

/* Whether the last failure was that of a database whose tables are not ours. */
bool store_database_foreign(const struct store_database *database);

int store_database_exec(struct store_database *database, const char *sql, const char *doing,
	struct error *error) _must_check_;
/* Ends a transaction that failed, if SQLite has not done so by itself. */
void store_database_roll_back(struct store_database *database);

/* `database` is borrowed. */
int store_statement_new(struct store_database *database, const char *sql,
	struct store_statement **ret_statement, struct error *error) _must_check_;
struct store_statement *store_statement_free(struct store_statement *statement);
DEFINE_CLEANUP(struct store_statement *, store_statement_free)

/* Parameters count from 1. Texts are copied; NULL is SQL's null. */
void store_statement_bind_text(struct store_statement *statement, int index, const char *text);
void store_statement_bind_integer(struct store_statement *statement, int index, int64_t number);
/* 1: there is a row; 0: no more. */
int store_statement_step(
	struct store_statement *statement, const char *doing, struct error *error) _must_check_;
/* Ready to be run again, without parameters. */
void store_statement_reset(struct store_statement *statement);
/* Runs a statement that gives no row, and resets it. */
int store_statement_run(
	struct store_statement *statement, const char *doing, struct error *error) _must_check_;

/* Columns of the row count from 0. A text is valid until the next step. False, and nothing
 * returned, for a column that holds something else. */
bool store_statement_text(
	struct store_statement *row, int column, const char **ret_text, size_t *ret_length);
bool store_statement_null(struct store_statement *row, int column);
bool store_statement_integer(struct store_statement *row, int column, int64_t *ret_number);
const char *store_statement_column(struct store_statement *row, int column); /* its name */
