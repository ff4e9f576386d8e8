/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A damaged file of SQLite's, read page by page and row by row without SQLite, which gives up a
 * table at its first bad page. The format is fixed and public: "Database File Format" and "WAL-mode
 * File Format" on sqlite.org. Nothing of the file is trusted: every number is checked before it is
 * used, what cannot be followed is passed over and counted.
 *
 * Pages come from the log (-wal) where its last whole transaction has them, as SQLite would take
 * them. Free pages are passed over: they hold rows that were dropped long ago. Memory: a few bytes
 * for each page.
 */
#pragma once

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_PAGE_BYTES   4096         /* SQLite's default, and so that of all our files */
#define STORE_PAGES_MAX    (256 * 1024) /* 1 GiB: more is not ours */
#define STORE_FRAMES_MAX   (16 * 1024)  /* of the log, 64 MiB */
#define STORE_COLUMNS_MAX  12
#define STORE_RECORD_BYTES (1024 * 1024 + 4096) /* a longer row is not ours */

struct store_value {
	enum store_value_kind {
		STORE_VALUE_NULL,
		STORE_VALUE_INTEGER,
		STORE_VALUE_TEXT,
		STORE_VALUE_OTHER, /* a real number or a blob: nothing of ours */
	} kind;
	int64_t integer;
	const char *text; /* not terminated, not checked; valid during the call */
	size_t length;
};

struct store_record {
	int64_t rowid;
	size_t count; /* of columns */
	struct store_value columns[STORE_COLUMNS_MAX];
};

struct store_pages;

/* Opens the file and its log for reading. -errno: the file cannot be opened. */
int store_pages_open(
	const char *path, struct store_pages **ret_pages, struct error *error) _must_check_;
struct store_pages *store_pages_close(struct store_pages *pages);
DEFINE_CLEANUP(struct store_pages *, store_pages_close)

/* Pages are numbered from 1. */
uint32_t store_pages_count(const struct store_pages *pages);

/* Calls `each` for every row of the page, if it is a leaf of a table that is in use; without any
 * for other pages. Returns how many rows of it could not be followed. */
size_t store_pages_read(struct store_pages *pages, uint32_t number,
	void (*each)(const struct store_record *record, void *context), void *context);

/* How many pages in use are neither part of a tree nor of a row that was read so far: those that
 * were damaged as a whole. */
size_t store_pages_damaged(struct store_pages *pages);
