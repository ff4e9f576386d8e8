/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A search of the history (store_read_history()), made in pieces, so that what is to be written
 * need not wait for it. The rows are judged like input from outside: one that is no receipt is
 * passed over.
 */
#pragma once

#include "scheduler/store_file.h"

#define STORE_SEARCH_PIECE 2000 /* rows that are looked at between two looks at the inbox */

struct store_search;

/* Copies the query. */
struct store_search *store_search_new(const struct store_history_query *query) _must_check_;
struct store_search *store_search_free(struct store_search *search);
DEFINE_CLEANUP(struct store_search *, store_search_free)

/* Looks at the next piece: 1: there is more to look at; 0: the search is over. */
int store_search_go_on(
	struct store_search *search, struct store_file *file, struct error *error) _must_check_;
/* Looks at one receipt that is not in the file yet; in order, after the file's. */
void store_search_look(
	struct store_search *search, uint64_t sequence, int64_t at_us, const char *json);
/* The answer, STORE_HISTORY, once. */
struct store_event *store_search_take(struct store_search *search) _must_check_;
