/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/name.h"
#include "base/nearest.h"
#include "base/utf8.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#define KEYS_MAX 64 /* of one table */

/* `struct json` is never defined: a pointer to it is jansson's own value. */
static const json_t *in(const struct json *value)
{
	return (const json_t *)value;
}

static struct json *out(json_t *value)
{
	return (struct json *)value;
}

/* jansson's parser recurses; strings aside, the depth is the balance of brackets. */
static bool too_deep(const char *bytes, size_t length)
{
	int depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];
		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']'))
			depth--;
		if (depth > JSON_DEPTH_MAX)
			return true;
	}
	return false;
}

/* What jansson found, in Vietnamese, by its error code. */
static const char *parse_cause(enum json_error_code code)
{
	switch (code) {
	case json_error_premature_end_of_input:
		return "thiếu phần cuối";
	case json_error_end_of_input_expected:
		return "thừa ký tự sau phần JSON";
	case json_error_invalid_utf8:
		return "không phải UTF-8";
	case json_error_duplicate_key:
		return "khóa bị lặp lại";
	case json_error_numeric_overflow:
		return "số quá lớn";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "có ký tự NUL";
	default:
		return "sai cú pháp JSON";
	}
}

struct json *json_parse(const char *bytes, size_t length, struct error *error)
{
	json_error_t cause;
	const char *nul = memchr(bytes, '\0', length);

	if (nul) { /* behind a number jansson takes one for a blank */
		(void)error_set(
			error, -EINVAL, "có ký tự NUL ở byte %zu", (size_t)(nul - bytes) + 1);
		return NULL;
	}
	if (too_deep(bytes, length)) {
		(void)error_set(error, -EINVAL, "JSON lồng nhau quá %d tầng", JSON_DEPTH_MAX);
		return NULL;
	}
	json_t *root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &cause);
	if (!root) {
		(void)error_set(error, -EINVAL, "%s ở dòng %d, cột %d (byte %d)",
			parse_cause(json_error_code(&cause)), cause.line, cause.column,
			cause.position);
		return NULL;
	}
	return out(root);
}

struct json *json_free(struct json *root)
{
	json_decref((json_t *)root);
	return NULL;
}

enum json_kind json_kind(const struct json *value)
{
	static const enum json_kind kinds[] = {
		[JSON_OBJECT] = JSON_KIND_OBJECT,
		[JSON_ARRAY] = JSON_KIND_ARRAY,
		[JSON_STRING] = JSON_KIND_STRING,
		[JSON_INTEGER] = JSON_KIND_INTEGER,
		[JSON_REAL] = JSON_KIND_REAL,
		[JSON_TRUE] = JSON_KIND_BOOL,
		[JSON_FALSE] = JSON_KIND_BOOL,
		[JSON_NULL] = JSON_KIND_NULL,
	};
	return kinds[json_typeof(in(value))];
}

const struct json *json_get(const struct json *object, const char *key)
{
	return out(json_object_get(in(object), key));
}

const char *json_as_string(const struct json *value, const char *fallback)
{
	const char *text = json_string_value(in(value));

	return text ? text : fallback;
}

int64_t json_as_integer(const struct json *value, int64_t fallback)
{
	return json_is_integer(in(value)) ? json_integer_value(in(value)) : fallback;
}

double json_as_real(const struct json *value, double fallback)
{
	return json_is_number(in(value)) ? json_number_value(in(value)) : fallback;
}

bool json_as_bool(const struct json *value, bool fallback)
{
	return json_is_boolean(in(value)) ? json_is_true(in(value)) : fallback;
}

size_t json_array_length(const struct json *array)
{
	return json_array_size(in(array));
}

const struct json *json_at(const struct json *array, size_t index)
{
	return out(json_array_get(in(array), index));
}

void json_each(const struct json *object,
	void (*each)(const char *key, const struct json *value, void *context), void *context)
{
	json_t *members = (json_t *)object;
	const char *key;
	json_t *value;

	json_object_foreach(members, key, value) each(key, out(value), context);
}

char *json_text(const struct json *value)
{
	char *text = json_dumps(
		in(value), JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

	if (!text)
		abort(); /* out of memory: what was parsed can be written */
	return text;
}

/* --- Reading a struct by a table ------------------------------------------------------------ */

static const char *kind_name(enum json_kind kind)
{
	static const char *const names[] = {
		[JSON_KIND_NULL] = "null",
		[JSON_KIND_BOOL] = "true/false",
		[JSON_KIND_INTEGER] = "số nguyên",
		[JSON_KIND_REAL] = "số",
		[JSON_KIND_STRING] = "chuỗi",
		[JSON_KIND_ARRAY] = "mảng",
		[JSON_KIND_OBJECT] = "đối tượng {…}",
	};
	return names[kind];
}

static int wrong_kind(const struct json *value, enum json_kind wanted, struct error *error)
{
	return error_set(error, -EINVAL, "phải là %s, không phải %s", kind_name(wanted),
		kind_name(json_kind(value)));
}

int json_decode_string(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	char **string = target;
	const char *text = json_as_string(value, NULL);

	if (!text)
		return wrong_kind(value, JSON_KIND_STRING, error);
	size_t count = utf8_count(text, strlen(text));
	if ((double)count > field->maximum)
		return error_set(
			error, -E2BIG, "dài %zu ký tự, nhiều nhất là %.0f", count, field->maximum);
	if ((double)count < field->minimum)
		return error_set(error, -EINVAL, "phải có ít nhất %.0f ký tự", field->minimum);
	free(*string);
	*string = xstrdup(text);
	return 0;
}

int json_decode_name(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	const char *text = json_as_string(value, NULL);

	(void)field;
	if (!text)
		return wrong_kind(value, JSON_KIND_STRING, error);
	if (!name_valid(text, strlen(text)))
		return error_set(error, -EINVAL,
			"\"%.80s\" không phải là tên hợp lệ (chữ không dấu, số, \".\", \"_\", "
			"\"-\"; "
			"1 đến %d ký tự)",
			text, NAME_MAX_BYTES);
	memcpy(target, text, strlen(text) + 1);
	return 0;
}

static int check_range(const struct json_field *field, double number, struct error *error)
{
	if (number >= field->minimum && number <= field->maximum)
		return 0;
	return error_set(error, -EINVAL, "%.10g nằm ngoài khoảng %.10g đến %.10g", number,
		field->minimum, field->maximum);
}

int json_decode_int64(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	if (json_kind(value) != JSON_KIND_INTEGER)
		return wrong_kind(value, JSON_KIND_INTEGER, error);
	int64_t number = json_as_integer(value, 0);
	int result = check_range(field, (double)number, error);
	if (result == 0)
		*(int64_t *)target = number;
	return result;
}

int json_decode_double(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	if (json_kind(value) != JSON_KIND_INTEGER && json_kind(value) != JSON_KIND_REAL)
		return wrong_kind(value, JSON_KIND_REAL, error);
	double number = json_as_real(value, 0);
	int result = check_range(field, number, error);
	if (result == 0)
		*(double *)target = number;
	return result;
}

int json_decode_bool(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	(void)field;
	if (json_kind(value) != JSON_KIND_BOOL)
		return wrong_kind(value, JSON_KIND_BOOL, error);
	*(bool *)target = json_as_bool(value, false);
	return 0;
}

int json_decode_time(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	const char *text = json_as_string(value, NULL);

	(void)field;
	if (!text)
		return wrong_kind(value, JSON_KIND_STRING, error);
	return time_parse(text, target, error);
}

int json_decode_duration(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	const char *text = json_as_string(value, NULL);
	int64_t duration_us;

	if (!text)
		return wrong_kind(value, JSON_KIND_STRING, error);
	int result = duration_parse(text, &duration_us, error);
	if (result == 0)
		result = check_range(field, (double)duration_us / US_PER_SEC, error);
	if (result == 0)
		*(int64_t *)target = duration_us;
	return result;
}

int json_decode_choice(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	const char *const *names = field->more;
	const char *text = json_as_string(value, NULL);
	_cleanup_(strbuf_done) struct strbuf known = { 0 };

	if (!text)
		return wrong_kind(value, JSON_KIND_STRING, error);
	for (int i = 0; names[i]; i++) {
		if (strcmp(text, names[i]) == 0) {
			*(int *)target = i;
			return 0;
		}
		strbuf_printf(&known, "%s\"%s\"", i ? ", " : "", names[i]);
	}
	return error_set(error, -EINVAL, "\"%.60s\" không phải là một trong: %s", text, known.text);
}

int json_decode_object(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	enum json_reason reason;

	if (json_kind(value) != JSON_KIND_OBJECT)
		return wrong_kind(value, JSON_KIND_OBJECT, error);
	int result = json_decode(value, field->more, target, error, &reason);
	if (result == 0)
		return 0;
	if (reason == JSON_REASON_UNKNOWN_KEY)
		return -ENOKEY; /* names the inner key in its text */
	if (error) {
		struct error said = *error;
		(void)error_set(error, 0, ".%s", said.text);
	}
	return reason == JSON_REASON_TOO_LONG ? -E2BIG : result;
}

static const struct json_field *find_field(const struct json_field *fields, const char *key)
{
	for (const struct json_field *field = fields; field->key; field++)
		if (strcmp(field->key, key) == 0)
			return field;
	return NULL;
}

static int unknown_key(const struct json_field *fields, const char *key, struct error *error)
{
	const char *known[KEYS_MAX];
	size_t count = 0;

	for (const struct json_field *field = fields; field->key && count < KEYS_MAX; field++)
		known[count++] = field->key;
	const char *meant = nearest(key, known, count);
	if (meant)
		return error_set(
			error, -ENOKEY, "khóa lạ \"%.60s\"; có phải là \"%s\"?", key, meant);
	return error_set(error, -ENOKEY, "khóa lạ \"%.60s\"", key);
}

/* Puts the key before what a decoder said: "rate: …"; or "voice" before ".rate: …", "parts" before
 * "[2].pause: …", which is what the decoders of objects and arrays pass up. */
static void name_the_key(struct error *error, const char *key)
{
	if (!error)
		return;
	struct error said = *error;
	(void)error_set(error, 0, "%s%s%s", key,
		said.text[0] == '.' || said.text[0] == '[' ? "" : ": ", said.text);
}

int json_decode(const struct json *object, const struct json_field *fields, void *target,
	struct error *error, enum json_reason *ret_reason)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		if (strncmp(key, "x-", 2) == 0)
			continue;
		const struct json_field *field = find_field(fields, key);
		if (!field) {
			*ret_reason = JSON_REASON_UNKNOWN_KEY;
			(void)unknown_key(fields, key, error);
			return -EINVAL;
		}
		int result = field->decode(
			field, out(value), (char *)target + field->offset, error);
		if (result == 0)
			continue;
		name_the_key(error, key);
		*ret_reason = result == -E2BIG    ? JSON_REASON_TOO_LONG
			      : result == -ENOKEY ? JSON_REASON_UNKNOWN_KEY
						  : JSON_REASON_BAD_VALUE;
		return -EINVAL;
	}
	return 0;
}

/* --- Writing -------------------------------------------------------------------------------- */

static void write_quoted(struct strbuf *buffer, const char *text)
{
	strbuf_putc(buffer, '"');
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			strbuf_printf(buffer, "\\%c", *c);
		else if (*c == '\n')
			strbuf_puts(buffer, "\\n");
		else if ((unsigned char)*c < 0x20 || *c == 0x7f)
			strbuf_printf(buffer, "\\u%04x", (unsigned char)*c);
		else
			strbuf_putc(buffer, *c);
	}
	strbuf_putc(buffer, '"');
}

/* A comma is due unless this is the first thing of the document, an array or an object. */
static void write_key(struct strbuf *buffer, const char *key)
{
	if (buffer->length > 0 && !strchr("{[:\n", buffer->text[buffer->length - 1]))
		strbuf_putc(buffer, ',');
	if (key) {
		write_quoted(buffer, key);
		strbuf_putc(buffer, ':');
	}
}

void json_write_begin_object(struct strbuf *buffer, const char *key)
{
	write_key(buffer, key);
	strbuf_putc(buffer, '{');
}

void json_write_end_object(struct strbuf *buffer)
{
	strbuf_putc(buffer, '}');
}

void json_write_begin_array(struct strbuf *buffer, const char *key)
{
	write_key(buffer, key);
	strbuf_putc(buffer, '[');
}

void json_write_end_array(struct strbuf *buffer)
{
	strbuf_putc(buffer, ']');
}

void json_write_string(struct strbuf *buffer, const char *key, const char *text)
{
	if (!text) {
		json_write_null(buffer, key);
		return;
	}
	write_key(buffer, key);
	write_quoted(buffer, text);
}

void json_write_integer(struct strbuf *buffer, const char *key, int64_t value)
{
	write_key(buffer, key);
	strbuf_printf(buffer, "%lld", (long long)value);
}

void json_write_real(struct strbuf *buffer, const char *key, double value, int decimals)
{
	if (!isfinite(value)) {
		json_write_null(buffer, key);
		return;
	}
	write_key(buffer, key);
	char digits[400];
	snprintf(digits, sizeof digits, "%.*f", decimals, value);
	if (strchr(digits, '.')) {
		size_t length = strlen(digits);
		while (digits[length - 1] == '0' && digits[length - 2] != '.')
			digits[--length] = '\0';
	}
	strbuf_puts(buffer, digits);
}

void json_write_bool(struct strbuf *buffer, const char *key, bool value)
{
	json_write_raw(buffer, key, value ? "true" : "false");
}

void json_write_null(struct strbuf *buffer, const char *key)
{
	json_write_raw(buffer, key, "null");
}

void json_write_time(struct strbuf *buffer, const char *key, int64_t real_us)
{
	char text[TIME_TEXT_SIZE];

	if (real_us == TIME_UNSET || real_us == TIME_NEVER) {
		json_write_null(buffer, key);
		return;
	}
	time_format(real_us, text);
	json_write_string(buffer, key, text);
}

void json_write_raw(struct strbuf *buffer, const char *key, const char *json)
{
	write_key(buffer, key);
	strbuf_puts(buffer, json);
}
