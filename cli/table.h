/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of text in aligned columns, for a terminal. Widths count characters, not bytes; combining
 * marks are not treated (our texts are composed). */
#pragma once

#include "base/strbuf.h"
#include <stdio.h>

struct table {
	size_t columns;
	char **cells; /* row by row */
	size_t count; /* of cells */
};

/* `titles` has `columns` names: the first row. */
void table_init(struct table *table, size_t columns, const char *const titles[]);
void table_done(struct table *table);
/* The next cell; NULL: "". Control characters in it are shown as blanks. */
void table_add(struct table *table, const char *text);
/* All rows (without blanks at their ends); nothing when there is no row but the titles. */
void table_format(const struct table *table, struct strbuf *out);
void table_print(const struct table *table, FILE *file);
