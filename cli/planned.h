/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plan of a village: rows of all its nodes (or of a plan made here) in one order, and shown as a
 * table, a month or a calendar. A value; pure, but for the process's time zone.
 */
#pragma once

#include "base/json.h"
#include "cli/month.h"
#include "cli/table.h"
#include "scheduler/plan.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLANNED_MAX 1000000 /* nodes are not trusted with our memory */

struct planned_row {
	char *node;                    /* NULL: planned here */
	char *output;                  /* NULL: none is known */
	char *schedule, *id;           /* of the occurrence */
	char *start, *lunar;           /* as told; lunar: NULL: none */
	char *title, *reason, *detail; /* NULL: none */
	int64_t start_us;              /* real */
	int64_t begins_us;             /* real; TIME_UNSET: it would not be heard */
	double seconds;                /* 0: not known */
	enum plan_would would;
	char *json; /* the row as it came, and its node */
};

struct planned {
	struct planned_row *list;
	size_t count;
	size_t left_out; /* above PLANNED_MAX */
};
void planned_done(struct planned *planned);

/* Adds a row (scheduler/plan_format.h) of `node` (NULL: planned here). False: it is none. */
bool planned_add(struct planned *planned, const char *node, const struct json *row);
/* To be called when all were added: by start, schedule, node and output. */
void planned_sort(struct planned *planned);

/* Whether it would be heard, and not only because it waits for the end of quiet hours. */
bool planned_meant(const struct planned_row *row);

struct planned_occurrence { /* the rows of one occurrence: of all its outputs */
	const struct planned_row *rows;
	size_t count;
	enum plan_would would; /* the worst of them */
	bool heard;            /* on one output at least it would be */
	bool meant; /* and at one of these not because it waits for the end of quiet hours */
	int64_t begins_us, ends_us; /* if it would: the first sound and the last */
};

/* The occurrence that begins with row `first`, and the index behind it. Sort first. */
size_t planned_occurrence(
	const struct planned *planned, size_t first, struct planned_occurrence *ret_occurrence);

/* "T3 24/11/2026 05:30", with the offset if it is not that of the process's zone at that instant. */
#define PLANNED_WHEN_SIZE 48
void planned_when(const struct planned_row *row, char ret_text[PLANNED_WHEN_SIZE]);
/* The lunar date without its year: "15/10", "15/6 nhuận"; "": none. */
#define PLANNED_LUNAR_SIZE 48
void planned_lunar(const struct planned_row *row, char ret_text[PLANNED_LUNAR_SIZE]);
/* "phát", "phát lúc 05:00", "không phát", … */
#define PLANNED_WOULD_SIZE 48
void planned_would(const struct planned_row *row, char ret_text[PLANNED_WOULD_SIZE]);

#define PLANNED_COLUMNS 9
/* A table with its titles; the caller prints it and calls table_done(). Sort first. */
void planned_fill(const struct planned *planned, struct table *ret_table);
/* The occurrences of a month of the process's zone, for month_format(); the caller frees. Sort first. */
struct month_entry *planned_month(
	const struct planned *planned, int year, int month, size_t *ret_count) _must_check_;
