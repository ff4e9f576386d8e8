/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * JSON, strictly. Reading is by jansson (this is its only user): no duplicate keys, no bad UTF-8,
 * no NUL, nothing after the value, at most JSON_DEPTH_MAX deep. A struct is read by a table of
 * fields: an unknown key, a wrong type or a value out of range is an error that names the key's
 * path ("voice.rate") in Vietnamese. Writing is a handful of functions over a strbuf.
 * Pure; any thread, on its own objects. (Some names differ from the obvious ones because jansson
 * exports those: json_string, json_dump, JSON_OBJECT.)
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 32

struct json; /* a value; borrowed from its root, except the root itself */

enum json_kind {
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_INTEGER,
	JSON_KIND_REAL,
	JSON_KIND_STRING,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT,
};

/* Parses bytes[0..length) (no BOM). NULL with *error (position included) on bad input. */
struct json *json_parse(const char *bytes, size_t length, struct error *error) _must_check_;
struct json *json_free(struct json *root);
DEFINE_CLEANUP(struct json *, json_free)

enum json_kind json_kind(const struct json *value);
/* NULL if absent or not an object. */
const struct json *json_get(const struct json *object, const char *key);
/* Typed looks; the fallback when absent (NULL) or of another kind. Integers also satisfy real. */
const char *json_as_string(const struct json *value, const char *fallback);
int64_t json_as_integer(const struct json *value, int64_t fallback);
double json_as_real(const struct json *value, double fallback);
bool json_as_bool(const struct json *value, bool fallback);
/* Arrays; 0 / NULL for other kinds. */
size_t json_array_length(const struct json *array);
const struct json *json_at(const struct json *array, size_t index);
/* Calls `each(key, value, context)` for every member, in order of appearance. */
void json_each(const struct json *object,
	void (*each)(const char *key, const struct json *value, void *context), void *context);
/* The value as compact JSON text; the caller frees. */
char *json_text(const struct json *value) _must_check_;

/* --- Reading a struct by a table ------------------------------------------------------------ */

enum json_reason { /* why a table refused, as the receipts name it */
	JSON_REASON_NONE,
	JSON_REASON_UNKNOWN_KEY,
	JSON_REASON_BAD_VALUE,
	JSON_REASON_TOO_LONG,
};

/* One key of an object. `decode` reads `value` into the member at `target`; it returns 0, or sets
 * *error (without the path, which json_decode() adds; a text that begins with "." or "[" goes on with
 * the path) and returns -EINVAL, or -E2BIG for
 * JSON_REASON_TOO_LONG. The ready-made decoders below interpret `minimum`/`maximum`. */
struct json_field {
	const char *key;
	size_t offset; /* of the member in the struct */
	int (*decode)(const struct json_field *field, const struct json *value, void *target,
		struct error *error);
	double minimum, maximum;
	const void *more; /* for the decoder: a nested table, a list of names */
};

/* Ready-made decoders. */
int json_decode_string(const struct json_field *, const struct json *, void *, struct error *);
/* target: char * (allocated; the old one freed); minimum…maximum characters */
int json_decode_name(const struct json_field *, const struct json *, void *, struct error *);
/* target: char[NAME_MAX_BYTES + 1]; base/name.h */
int json_decode_int64(const struct json_field *, const struct json *, void *, struct error *);
int json_decode_double(const struct json_field *, const struct json *, void *, struct error *);
int json_decode_bool(const struct json_field *, const struct json *, void *, struct error *);
int json_decode_time(const struct json_field *, const struct json *, void *, struct error *);
/* target: int64_t, real µs, from RFC 3339 */
int json_decode_duration(const struct json_field *, const struct json *, void *, struct error *);
/* target: int64_t, µs; minimum…maximum in seconds */
int json_decode_choice(const struct json_field *, const struct json *, void *, struct error *);
/* target: int; `more`: NULL-terminated const char *const[]; the index is stored */
int json_decode_object(const struct json_field *, const struct json *, void *, struct error *);
/* target: an embedded struct; `more`: its NULL-keyed table */

/* Reads `object` into `target` by `fields` (ended by a NULL key). Keys that begin with "x-" are
 * passed over. Absent keys leave their members as they are. 0, or -EINVAL with *error and
 * *ret_reason; `target` may then be partly filled and is released as usual. */
int json_decode(const struct json *object, const struct json_field *fields, void *target,
	struct error *error, enum json_reason *ret_reason) _must_check_;

/* --- Writing -------------------------------------------------------------------------------- */

/* Each writes a separating comma if one is due, then the key (unless NULL: in an array) and the
 * value. Strings must be valid UTF-8; NULL strings become null. Reals have up to `decimals`
 * digits, without trailing zeros; not-a-number becomes null. */
void json_write_begin_object(struct strbuf *buffer, const char *key);
void json_write_end_object(struct strbuf *buffer);
void json_write_begin_array(struct strbuf *buffer, const char *key);
void json_write_end_array(struct strbuf *buffer);
void json_write_string(struct strbuf *buffer, const char *key, const char *text);
void json_write_integer(struct strbuf *buffer, const char *key, int64_t value);
void json_write_real(struct strbuf *buffer, const char *key, double value, int decimals);
void json_write_bool(struct strbuf *buffer, const char *key, bool value);
void json_write_null(struct strbuf *buffer, const char *key);
void json_write_time(
	struct strbuf *buffer, const char *key, int64_t real_us); /* TIME_UNSET: null */
/* Text that is JSON already. */
void json_write_raw(struct strbuf *buffer, const char *key, const char *json);
