/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The history of a village: receipts of all its nodes, put into one order of time, and shown as a
 * table, as CSV or as they came. A value; pure.
 */
#pragma once

#include "base/json.h"
#include "cli/table.h"
#include "scheduler/receipt.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDS_MAX 1000000 /* nodes are not trusted with our memory */

struct record {
	int64_t at_us; /* real */
	size_t order;  /* in which it came */
	enum receipt_event event;
	char *json; /* the receipt */
};

struct record_title { /* of an announcement */
	char *id, *title;
};

struct records {
	struct record *list;
	size_t count;
	size_t left_out; /* above RECORDS_MAX */
	struct record_title *titles;
	size_t titles_count;
};
void records_done(struct records *records);

/* Adds a receipt; with `all` false only one that matters (cli/event.h). False: that is none. */
bool records_add(struct records *records, const struct json *receipt, bool all);
/* What the announcement `id` is called; copies. */
void records_add_title(struct records *records, const char *id, const char *title);
/* To be called when all was added: by time; what has the same time stays in the order it came. */
void records_sort(struct records *records);

#define RECORDS_COLUMNS 8
/* A table with its titles; the caller prints it and calls table_done(). Sort first. */
void records_fill(const struct records *records, struct table *ret_table);
/* RFC 4180: a line of names, CRLF, quotes where they are needed. A title or a detail that a
 * spreadsheet would take for a formula gets an apostrophe before it. Sort first. */
void records_csv(const struct records *records, struct strbuf *out);
