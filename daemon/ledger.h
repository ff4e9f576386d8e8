/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ledger: what this node knows of each id on each of its outputs. By it redelivery, retained
 * replay, several zones and restarts never speak twice: an announcement is new on an output only
 * if its revision is newer than the ledger's. A hash table; its rows are the store's `play` rows.
 * Pure; main's.
 */
#pragma once

#include "scheduler/store.h"
#include <stdbool.h>

/* Above this the oldest final rows are forgotten first: some 100 announcements a day on eight
 * outputs for two months. */
#define LEDGER_ROWS_MAX 50000

struct ledger_row {
	char *id;
	unsigned output; /* index of the output */
	int64_t revision;
	enum play_state state;
	int64_t forget_us; /* real; not before this */
	uint64_t content;  /* ledger_content() of what was said; 0: not known (after a restart) */
};

struct ledger;

struct ledger *ledger_new(void) _must_check_;
struct ledger *ledger_free(struct ledger *ledger);
DEFINE_CLEANUP(struct ledger *, ledger_free)

/* The row, or NULL; valid until the next ledger_put() or ledger_forget(). */
const struct ledger_row *ledger_find(const struct ledger *ledger, const char *id, unsigned output);
/* Adds or replaces. */
void ledger_put(struct ledger *ledger, const char *id, unsigned output, int64_t revision,
	enum play_state state, int64_t forget_us);
/* A number that tells contents (the parts) apart, never 0; and its place in a row that is
 * there. */
uint64_t ledger_content(const struct announcement *announcement);
void ledger_set_content(struct ledger *ledger, const char *id, unsigned output, uint64_t content);
/* Drops final rows whose time has come, and the oldest final ones above LEDGER_ROWS_MAX. Returns
 * how many. */
size_t ledger_forget(struct ledger *ledger, int64_t now_us);
/* Calls `each` for every row. */
void ledger_each(const struct ledger *ledger,
	void (*each)(const struct ledger_row *row, void *context), void *context);
size_t ledger_length(const struct ledger *ledger);
