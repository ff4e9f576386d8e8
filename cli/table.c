/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/table.h"

#include "base/utf8.h"
#include <string.h>

#define COLUMN_GAP  2
#define COLUMNS_MAX 16

void table_init(struct table *table, size_t columns, const char *const titles[])
{
	*table = (struct table){ .columns = columns };
	for (size_t i = 0; i < columns; i++)
		table_add(table, titles[i]);
}

void table_done(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table){ 0 };
}

void table_add(struct table *table, const char *text)
{
	char *cell = xstrdup(text ? text : "");

	/* What nodes say is shown on a terminal: nothing of it may steer one. */
	for (char *at = cell; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	}
	table->cells = xreallocarray(table->cells, table->count + 1, sizeof(*table->cells));
	table->cells[table->count++] = cell;
}

static size_t width_of(const char *cell)
{
	return utf8_count(cell, strlen(cell));
}

/* No blanks at the end of the line that begins at `line`. */
static void trim(struct strbuf *out, size_t line)
{
	size_t length = out->length;

	while (length > line && out->text[length - 1] == ' ')
		length--;
	strbuf_truncate(out, length);
}

void table_format(const struct table *table, struct strbuf *out)
{
	size_t widths[COLUMNS_MAX] = { 0 };
	size_t line = 0;

	if (table->count <= table->columns)
		return;
	for (size_t i = 0; i < table->count; i++) {
		size_t width = width_of(table->cells[i]);
		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	for (size_t i = 0; i < table->count; i++) {
		const char *cell = table->cells[i];
		size_t column = i % table->columns;
		if (column == 0)
			line = out->length;
		strbuf_puts(out, cell);
		if (column + 1 < table->columns) {
			strbuf_printf(out, "%*s",
				(int)(widths[column] - width_of(cell) + COLUMN_GAP), "");
			continue;
		}
		trim(out, line);
		strbuf_putc(out, '\n');
	}
}

void table_print(const struct table *table, FILE *file)
{
	_cleanup_(strbuf_done) struct strbuf text = { 0 };

	table_format(table, &text);
	if (text.text)
		fputs(text.text, file);
}
