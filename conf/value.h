/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One value of the file, read into its member as the schema says. Knows no libconfig.
 * Internal to conf/. Pure, but for SCHEMA_TIMEZONE, which looks into the tz database.
 */
#pragma once

#include "base/error.h"
#include "conf/schema.h"
#include <stdbool.h>
#include <stdint.h>

enum value_kind {
	VALUE_NONE,
	VALUE_BOOL,
	VALUE_INTEGER,
	VALUE_REAL,
	VALUE_STRING,
	VALUE_LIST,
	VALUE_GROUP,
};
const char *value_kind_name(enum value_kind kind); /* Vietnamese */

struct value {
	enum value_kind kind;
	int64_t integer;
	double real;        /* of an integer too */
	const char *string; /* borrowed */
};

/* Reads a scalar into `member`: 0, or -EINVAL with *error, without the key. What a string member
 * held before is not freed. For the list types `value` is one element, and the member is that of
 * the element: a char *, a struct hours or, for SCHEMA_CHANNELS, the mask to which it is added. */
int value_decode(const struct schema_key *key, const struct value *value, void *member,
	struct error *error) _must_check_;
