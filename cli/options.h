/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Options of the command line, as tables: parsing, checks, usage texts and the texts of errors
 * come from them. An option may stand before or after the command's other arguments; "--" ends
 * them (for a text that begins with "-"). Pure, but that getopt_long() is not for threads.
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"
#include <stdbool.h>
#include <stddef.h>

#define OPTION_NAMES_MAX 16
#define OPTION_TEXTS_MAX 256

enum option_type {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* const char *, not empty */
	OPTION_TEXTS,    /* struct option_texts: may be given again */
	OPTION_MAYBE,    /* const char *: "" when it stands alone; a value only behind a "=" */
	OPTION_NAME,     /* const char *; base/name.h */
	OPTION_NAMES,    /* struct option_names: may be given again; `all` is a name, none twice */
	OPTION_ID,       /* const char *; an announcement's id */
	OPTION_CHOICE,   /* int: the index into `choices` */
	OPTION_INTEGER,  /* int; minimum…maximum */
	OPTION_DURATION, /* int64_t, µs; more than 0 */
	OPTION_TIME,     /* int64_t, real µs; RFC 3339 */
};

struct option_names {
	const char *list[OPTION_NAMES_MAX];
	size_t count;
};

struct option_texts {
	const char *list[OPTION_TEXTS_MAX];
	size_t count;
};

struct option_spec {
	const char *name; /* NULL ends a table */
	char letter;      /* short form; '\0': none */
	enum option_type type;
	size_t offset; /* of the member in the struct */
	int minimum, maximum;
	const char *const *choices; /* NULL-terminated */
	const char *value;          /* what usage texts call it: "TỆP"; NULL for flags */
	const char *help;           /* Vietnamese, without a full stop */
};

struct option_set { /* a table and the struct it fills */
	const struct option_spec *specs;
	void *target;
};

/* Reads argv[1…argc) by both sets. With `stop_early` the first argument that is not an option ends
 * the options; else the others are moved to the end. *ret_rest is the index of the first of them.
 * 0, or -EINVAL with *error (Vietnamese). Values are borrowed from argv. */
int options_parse(const struct option_set sets[2], int argc, char **argv, bool stop_early,
	int *ret_rest, struct error *error) _must_check_;

/* One aligned line for each option of the table. */
void options_describe(const struct option_spec *specs, struct strbuf *out);
