/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How each kind of change is written: the SQL, and what goes into its parameters. */
#pragma once

#include "scheduler/store_change.h"
#include "scheduler/store_database.h"

struct store_operation {
	const char *sql;
	void (*bind)(struct store_statement *statement, const struct store_change *change);
	/* Goes on the SQL where a file is being made of a damaged one: which of two rows with one
	 * key stays, however old the page is that it was read from. NULL: nothing. */
	const char *careful;
};
extern const struct store_operation store_operations[STORE_CHANGE_KINDS_COUNT];
