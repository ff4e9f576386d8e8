/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys of the configuration file, as tables: type, range, default, one line of description.
 * The loader (conf/config.c), the checks and docs/CONFIGURATION.md all come from them, so a key
 * is added by adding a line here (and, if two keys have to agree, a rule in conf/check.c).
 * Internal to conf/ and its tests. Pure.
 */
#pragma once

#include "base/strbuf.h"
#include <stdbool.h>
#include <stddef.h>

enum schema_type {
	SCHEMA_STRING,   /* char *; minimum…maximum bytes */
	SCHEMA_NAME,     /* char *; base/name.h, and not the reserved `all` */
	SCHEMA_CHIME,    /* char *; a name, or "none" */
	SCHEMA_TIMEZONE, /* char *; a zone of the tz database */
	SCHEMA_CHOICE,   /* char *; one of `choices` */
	SCHEMA_EITHER,   /* bool; choices[0] is false, choices[1] true */
	SCHEMA_HOURS,    /* struct hours; "HH:MM-HH:MM" */
	SCHEMA_ADDRESS,  /* char *; "tcp://host:port" */
	SCHEMA_INTEGER,  /* int; minimum…maximum */
	SCHEMA_REAL,     /* double; minimum…maximum */
	SCHEMA_DURATION, /* int64_t, µs; written "300ms"; minimum…maximum in seconds */
	SCHEMA_MS,       /* int64_t, µs; written as a number of milliseconds, minimum…maximum */
	SCHEMA_STRINGS,  /* char **, NULL-terminated; minimum…maximum of them, none empty */
	SCHEMA_NAMES,    /* the same, each a SCHEMA_NAME, none twice */
	SCHEMA_DAY,      /* struct hours_list; a list of SCHEMA_HOURS, minimum…maximum of them */
	SCHEMA_CHANNELS, /* uint32_t bit mask; a list of numbers minimum…maximum, none twice */
	SCHEMA_GROUP,    /* an embedded struct, described by `keys` */
	SCHEMA_GROUPS,   /* a pointer to structs, described by `keys`; minimum…maximum of them */
	SCHEMA_ARRAY,    /* the same, but an array of `maximum` structs within the struct */
};

struct schema_key {
	const char *key; /* NULL ends a table */
	enum schema_type type;
	size_t offset;       /* of the member in the struct */
	size_t count_offset; /* of a size_t with the number of elements; 0: none is kept */
	size_t element_size; /* SCHEMA_GROUPS, SCHEMA_ARRAY: bytes of one struct */
	double minimum, maximum;
	/* As it would be written in a file; it is read and checked as if it were. NULL: absent
	 * means NULL or zero, unless `required`. */
	const char *fallback;
	bool required;
	const char *const *choices; /* NULL-terminated */
	const struct schema_key *keys;
	const char *description; /* Vietnamese, without a full stop */
};

/* The keys of the file, into struct config (conf/config.h). */
extern const struct schema_key schema_root[];

size_t schema_count(const struct schema_key *keys);
/* The entry of `key`, or NULL. */
const struct schema_key *schema_find(const struct schema_key *keys, const char *key);
/* The key of the table nearest to a misspelt one, or NULL. */
const char *schema_nearest(const struct schema_key *keys, const char *key);

/* Frees what the members of `target` own. */
void schema_release(const struct schema_key *keys, void *target);

/* The reference of all keys, in Markdown: the generated part of docs/CONFIGURATION.md. */
void schema_document(struct strbuf *out);
/* The same as scdoc(5): of docs/man/loalang.conf.5.scd. */
void schema_document_man(struct strbuf *out);
