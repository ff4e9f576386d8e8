/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/value.h"

#include "base/duration.h"
#include "base/name.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "base/zoneinfo.h"
#include "conf/config.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

static const char *const kind_names[] = {
	[VALUE_NONE] = "không có gì",
	[VALUE_BOOL] = "true/false",
	[VALUE_INTEGER] = "số nguyên",
	[VALUE_REAL] = "số thập phân",
	[VALUE_STRING] = "chuỗi",
	[VALUE_LIST] = "danh sách",
	[VALUE_GROUP] = "nhóm",
};

const char *value_kind_name(enum value_kind kind)
{
	return kind_names[kind];
}

static int expect(enum value_kind wanted, const struct value *value, struct error *error)
{
	if (value->kind == wanted)
		return 0;
	return error_set(error, -EINVAL, "phải là %s, không phải %s", kind_names[wanted],
		kind_names[value->kind]);
}

static int expect_range(const struct schema_key *key, double number, struct error *error)
{
	if (number >= key->minimum && number <= key->maximum)
		return 0;
	return error_set(error, -EINVAL, "phải từ %g đến %g, không phải %.15g", key->minimum,
		key->maximum, number);
}

/* Escapes (\x01, \xff) can put into a string what the file itself may not hold. */
static int check_text(const char *text, struct error *error)
{
	size_t length = strlen(text);

	if (utf8_valid_prefix(text, length) < length)
		return error_set(error, -EINVAL, "không phải UTF-8");
	for (const char *at = text; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return error_set(
				error, -EINVAL, "có ký tự điều khiển (byte 0x%02x)", (unsigned)*at);
	}
	return 0;
}

/* The checks of the kinds of string. Each returns 0, or -EINVAL with *error. */

static int check_length(const struct schema_key *key, const char *text, struct error *error)
{
	size_t length = strlen(text);

	if ((double)length < key->minimum)
		return error_set(error, -EINVAL, "không được để trống");
	if ((double)length > key->maximum)
		return error_set(
			error, -EINVAL, "dài %zu byte, nhiều nhất là %g", length, key->maximum);
	return 0;
}

static int check_name(const struct schema_key *key, const char *text, struct error *error)
{
	(void)key;
	if (!name_valid(text, strlen(text)))
		return error_set(error, -EINVAL,
			"“%.80s” không phải là tên hợp lệ (chỉ gồm A–Z a–z 0–9 . _ -, không quá %d "
			"ký tự, không bắt đầu bằng dấu chấm)",
			text, NAME_MAX_BYTES);
	return 0;
}

static int check_own_name(const struct schema_key *key, const char *text, struct error *error)
{
	if (strcmp(text, "all") == 0)
		return error_set(
			error, -EINVAL, "“all” là tên dành riêng (mọi loa), không đặt được");
	return check_name(key, text, error);
}

static int check_choice(const struct schema_key *key, const char *text, struct error *error)
{
	size_t count = 0;

	for (; key->choices[count]; count++) {
		if (strcmp(key->choices[count], text) == 0)
			return 0;
	}
	const char *near = nearest(text, key->choices, count);
	if (near)
		return error_set(error, -EINVAL, "không biết “%.80s” (có phải “%s”?)", text, near);
	return error_set(error, -EINVAL, "không biết “%.80s”", text);
}

static int check_timezone(const struct schema_key *key, const char *text, struct error *error)
{
	int result = check_length(key, text, error);

	if (result < 0 || zoneinfo_has(text))
		return result;
	return error_set(
		error, -EINVAL, "không có múi giờ “%.80s” (ví dụ đúng: “Asia/Ho_Chi_Minh”)", text);
}

/* tcp://host:port, where an IPv6 host stands in brackets. */
static int check_address(const struct schema_key *key, const char *text, struct error *error)
{
	static const char scheme[] = "tcp://";
	char *end = NULL;
	int result = check_length(key, text, error);

	if (result < 0)
		return result;
	const char *host = text + strlen(scheme);
	const char *colon = strrchr(text, ':');
	bool fine = strncmp(text, scheme, strlen(scheme)) == 0 && colon > host;
	if (fine && host[0] == '[')
		fine = colon[-1] == ']' && colon - host > 2;
	else if (fine)
		fine = memchr(host, ':', (size_t)(colon - host)) == NULL;
	if (fine && !strpbrk(host, "/ @") && colon[1] >= '1' && colon[1] <= '9') {
		long port = strtol(colon + 1, &end, 10);
		if (*end == '\0' && port <= 65535)
			return 0;
	}
	return error_set(error, -EINVAL, "“%.80s” phải có dạng “tcp://máy:cổng”", text);
}

static int check_chime(const struct schema_key *key, const char *text, struct error *error)
{
	/* The file's ending is looked for, not written (config_chime_path). */
	return check_name(key, text, error);
}

static int check_element(const struct schema_key *key, const char *text, struct error *error)
{
	(void)key;
	if (*text == '\0')
		return error_set(error, -EINVAL, "không được để trống");
	return 0;
}

typedef int (*string_check)(const struct schema_key *, const char *, struct error *);

static const string_check string_checks[] = {
	[SCHEMA_STRING] = check_length,
	[SCHEMA_NAME] = check_own_name,
	[SCHEMA_CHIME] = check_chime,
	[SCHEMA_TIMEZONE] = check_timezone,
	[SCHEMA_CHOICE] = check_choice,
	[SCHEMA_ADDRESS] = check_address,
	[SCHEMA_STRINGS] = check_element,
	[SCHEMA_NAMES] = check_own_name,
};

static int decode_string(
	const struct schema_key *key, const struct value *value, char **member, struct error *error)
{
	int result = expect(VALUE_STRING, value, error);

	if (result == 0)
		result = check_text(value->string, error);
	if (result == 0)
		result = string_checks[key->type](key, value->string, error);
	if (result == 0)
		*member = xstrdup(value->string);
	return result;
}

static int decode_number(
	const struct schema_key *key, const struct value *value, struct error *error)
{
	/* A real key takes 0 for 0.0; the other way round would cut something off. */
	if (key->type != SCHEMA_REAL || value->kind != VALUE_INTEGER) {
		int result = expect(
			key->type == SCHEMA_REAL ? VALUE_REAL : VALUE_INTEGER, value, error);
		if (result < 0)
			return result;
	}
	return expect_range(key, value->real, error);
}

static int decode_duration(const struct schema_key *key, const struct value *value, int64_t *member,
	struct error *error)
{
	char from[DURATION_TEXT_SIZE], to[DURATION_TEXT_SIZE];
	int64_t us = 0;

	if (value->kind == VALUE_INTEGER || value->kind == VALUE_REAL)
		return error_set(error, -EINVAL,
			"thiếu đơn vị: viết trong dấu ngoặc kép, ví dụ \"300ms\", \"2s\", \"15m\"");
	int result = expect(VALUE_STRING, value, error);
	if (result == 0)
		result = duration_parse(value->string, &us, error);
	if (result < 0)
		return result;
	duration_format((int64_t)(key->minimum * 1e6), from);
	duration_format((int64_t)(key->maximum * 1e6), to);
	if ((double)us < key->minimum * 1e6 || (double)us > key->maximum * 1e6)
		return error_set(error, -EINVAL, "phải từ \"%s\" đến \"%s\", không phải \"%.40s\"",
			from, to, value->string);
	*member = us;
	return 0;
}

static int decode_hours(const struct value *value, struct hours *member, struct error *error)
{
	int result = expect(VALUE_STRING, value, error);

	if (result == 0)
		result = check_text(value->string, error);
	return result < 0 ? result : hours_parse(value->string, member, error);
}

static int decode_either(
	const struct schema_key *key, const struct value *value, bool *member, struct error *error)
{
	int result = expect(VALUE_STRING, value, error);

	if (result == 0)
		result = check_choice(key, value->string, error);
	if (result == 0)
		*member = strcmp(value->string, key->choices[1]) == 0;
	return result;
}

static int add_channel(const struct value *value, uint32_t *mask, struct error *error)
{
	uint32_t bit = UINT32_C(1) << value->integer;

	if (*mask & bit)
		return error_set(error, -EINVAL, "kênh %d ghi hai lần", (int)value->integer);
	*mask |= bit;
	return 0;
}

int value_decode(
	const struct schema_key *key, const struct value *value, void *member, struct error *error)
{
	int result = 0;

	switch (key->type) {
	case SCHEMA_INTEGER:
		result = decode_number(key, value, error);
		if (result == 0)
			*(int *)member = (int)value->integer;
		return result;
	case SCHEMA_REAL:
		result = decode_number(key, value, error);
		if (result == 0)
			*(double *)member = value->real;
		return result;
	case SCHEMA_MS:
		result = decode_number(key, value, error);
		if (result == 0)
			*(int64_t *)member = value->integer * 1000;
		return result;
	case SCHEMA_CHANNELS:
		result = decode_number(key, value, error);
		return result < 0 ? result : add_channel(value, member, error);
	case SCHEMA_DURATION:
		return decode_duration(key, value, member, error);
	case SCHEMA_HOURS:
	case SCHEMA_DAY:
		return decode_hours(value, member, error);
	case SCHEMA_EITHER:
		return decode_either(key, value, member, error);
	case SCHEMA_GROUP:
	case SCHEMA_GROUPS:
	case SCHEMA_ARRAY:
		return error_set(error, -EINVAL, "không phải một giá trị đơn");
	default:
		return decode_string(key, value, member, error);
	}
}
