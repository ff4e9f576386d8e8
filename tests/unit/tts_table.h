/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables (.tsv) of tests/data: lines of fields; "#" begins a comment line. In a field \n, \t, \\,
 * \xHH (a byte) and \uHHHH, \UHHHHHHHH (a character) stand for what cannot be typed. */
#pragma once

#include "base/strbuf.h"
#include "base/utf8.h"
#include <stdint.h>
#include <string.h>

#define TABLE_FIELDS_MAX 6

struct table_row {
	unsigned line;
	size_t count;
	struct strbuf fields[TABLE_FIELDS_MAX];
};

static inline size_t table_digits(char kind)
{
	return kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
}

static inline void table_unescape(const char *text, struct strbuf *out)
{
	strbuf_puts(out, "");
	for (; *text; text++) {
		if (*text != '\\') {
			strbuf_putc(out, *text);
			continue;
		}
		char kind = *++text;
		size_t digits = table_digits(kind);
		char number[9] = { 0 }, bytes[4];
		memcpy(number, text + 1, digits);
		uint32_t value = (uint32_t)strtoul(number, NULL, 16);
		if (kind == 'x')
			strbuf_putc(out, (char)value);
		else if (digits > 0)
			strbuf_add(out, bytes, utf8_encode(value, bytes));
		else
			strbuf_putc(out, kind == 'n' ? '\n' : kind == 't' ? '\t' : kind);
		text += digits;
	}
}

/* Calls `check` for every row; returns how many there were. */
static inline unsigned table_each(const char *path, void (*check)(const struct table_row *row))
{
	_cleanup_(fclosep) FILE *file = fopen(path, "re");
	_cleanup_(freep) char *line = NULL;
	size_t capacity = 0;
	unsigned rows = 0;

	for (unsigned number = 1; file && getline(&line, &capacity, file) >= 0; number++) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		struct table_row row = { .line = number };
		char *rest = line, *field;
		while ((field = strsep(&rest, "\t")) && row.count < TABLE_FIELDS_MAX)
			table_unescape(field, &row.fields[row.count++]);
		check(&row);
		for (size_t i = 0; i < row.count; i++)
			strbuf_done(&row.fields[i]);
		rows++;
	}
	return rows;
}
