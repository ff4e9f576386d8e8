/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/announcement_keys.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define ISSUED_BY_MAX  200 /* characters */
#define VOICE_NAME_MAX 100 /* characters */
#define RATE_MIN       80  /* words a minute, as espeak-ng counts them */
#define RATE_MAX       300
#define PITCH_MAX      99
#define GAIN_MIN_DB    (-40)
#define GAIN_MAX_DB    12

/* --- Text ----------------------------------------------------------------------------------- */

static bool is_control(uint32_t codepoint)
{
	if (codepoint == '\t' || codepoint == '\n' || codepoint == '\r')
		return false;
	return codepoint < 0x20 || (codepoint >= 0x7f && codepoint < 0xa0);
}

int announcement_keys_check_text(const char *text, size_t length, struct error *error)
{
	size_t character = 1;

	for (size_t at = 0; at < length; character++) {
		uint32_t codepoint;
		size_t bytes = utf8_decode(text + at, length - at, &codepoint);
		if (bytes == 0)
			return error_set(
				error, -EINVAL, "không phải UTF-8 từ byte thứ %zu", at + 1);
		if (is_control(codepoint))
			return error_set(error, -EINVAL, "ký tự điều khiển U+%04X ở ký tự thứ %zu",
				(unsigned)codepoint, character);
		at += bytes;
	}
	return 0;
}

/* --- Decoders of single keys ---------------------------------------------------------------- */

/* target: char *; the empty string is as good as none. */
static int decode_plain(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	char **text = target;
	int result = json_decode_string(field, value, text, error);

	if (result < 0)
		return result;
	if (**text)
		return announcement_keys_check_text(*text, strlen(*text), error);
	free(*text);
	*text = NULL;
	return 0;
}

/* target: char[ID_MAX_BYTES + 1] */
static int decode_id(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	const char *text = json_as_string(value, NULL);

	if (!text || !strchr(text, '@'))
		return json_decode_name(field, value, target, error);
	if (!announcement_id_valid(text, strlen(text)))
		return error_set(error, -EINVAL,
			"\"%.100s\" không phải là mã hợp lệ; sau \"@\" phải là giờ UTC dạng "
			"20261121T1000Z",
			text);
	memcpy(target, text, strlen(text) + 1);
	return 0;
}

/* target: char[SHA256_TEXT_SIZE] */
static int decode_media(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	const char *text = json_as_string(value, NULL);

	(void)field;
	if (!text || strspn(text, "0123456789abcdef") != SHA256_TEXT_SIZE - 1 ||
		text[SHA256_TEXT_SIZE - 1] != '\0')
		return error_set(error, -EINVAL,
			"phải là mã SHA-256 của bản thu âm: 64 chữ số thập lục phân viết thường");
	memcpy(target, text, SHA256_TEXT_SIZE);
	return 0;
}

/* target: int */
static int decode_int(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	int64_t number;
	int result = json_decode_int64(field, value, &number, error);

	if (result == 0)
		*(int *)target = (int)number;
	return result;
}

int64_t announcement_keys_whole_ms(int64_t us)
{
	return us - us % US_PER_MS;
}

/* target: int64_t; below `maximum`, which is in seconds */
static int decode_instant(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	int64_t real_us;
	int result = json_decode_time(field, value, &real_us, error);

	if (result < 0)
		return result;
	if (real_us < ANNOUNCEMENT_TIME_MIN_US || real_us >= (int64_t)field->maximum * US_PER_SEC)
		return error_set(error, -EINVAL, "thời điểm phải từ 1970-01-02 đến năm 2198");
	*(int64_t *)target = announcement_keys_whole_ms(real_us);
	return 0;
}

static int decode_gap(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	int result = json_decode_duration(field, value, target, error);

	if (result == 0)
		*(int64_t *)target = announcement_keys_whole_ms(*(int64_t *)target);
	return result;
}

static int decode_gain(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	double gain_db;
	int result = json_decode_double(field, value, &gain_db, error);

	if (result == 0)
		*(double *)target = round(gain_db * 100) / 100;
	return result;
}

static int decode_withdrawn(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	bool withdrawn;
	int result = json_decode_bool(field, value, &withdrawn, error);

	if (result < 0)
		return result;
	if (!withdrawn)
		return error_set(error, -EINVAL,
			"chỉ nhận true; muốn phát lại thì gửi bản mới của thông báo");
	*(bool *)target = true;
	return 0;
}

/* --- Parts ----------------------------------------------------------------------------------- */

/* target: struct announcement; before the recording, whichever comes first */
static int decode_text(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	struct announcement *announcement = target;
	_cleanup_(freep) char *text = NULL;
	int result = decode_plain(field, value, &text, error);

	if (result < 0)
		return result;
	struct announcement_part *part = announcement_add_part(announcement, ANNOUNCEMENT_TEXT);
	part->text = hand_over(text);
	if (announcement->parts_count > 1) {
		struct announcement_part media = announcement->parts[0];
		announcement->parts[0] = *part;
		*part = media;
	}
	return 0;
}

/* target: struct announcement */
static int decode_recording(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	char media[SHA256_TEXT_SIZE];
	int result = decode_media(field, value, media, error);

	if (result < 0)
		return result;
	struct announcement_part *part = announcement_add_part(target, ANNOUNCEMENT_MEDIA);
	memcpy(part->media, media, sizeof part->media);
	return 0;
}

#define PART(member) .offset = offsetof(struct announcement_part, member)

static const struct json_field part_fields[] = {
	/* by enum announcement_part_what */
	{ "text", PART(text), decode_plain, .maximum = ANNOUNCEMENT_TEXT_MAX },
	{ "media", PART(media), decode_media },
	{ "pause", PART(pause_us), decode_gap, (double)ANNOUNCEMENT_PAUSE_MIN_US / US_PER_SEC,
		(double)ANNOUNCEMENT_PAUSE_MAX_US / US_PER_SEC },
	{ .key = NULL },
};

static int decode_part(
	const struct json *value, struct announcement *announcement, struct error *error)
{
	static const struct json_field itself = { .more = part_fields };
	struct announcement_part *part = announcement_add_part(announcement, ANNOUNCEMENT_TEXT);
	int result = json_decode_object(&itself, value, part, error);
	size_t given = 0;

	if (result < 0)
		return result;
	for (size_t i = 0; part_fields[i].key; i++) {
		if (!json_get(value, part_fields[i].key))
			continue;
		part->what = (enum announcement_part_what)i;
		given++;
	}
	if (given == 1)
		return 0;
	return error_set(error, -EINVAL, "mỗi phần có đúng một trong các khóa text, media, pause");
}

/* target: struct announcement */
static int decode_parts(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	size_t count = json_array_length(value);

	(void)field;
	if (json_kind(value) != JSON_KIND_ARRAY)
		return error_set(error, -EINVAL,
			"phải là mảng các phần: [{\"text\": …}, {\"media\": …}, {\"pause\": "
			"\"2s\"}]");
	if (count > ANNOUNCEMENT_PARTS_MAX)
		return error_set(error, -EINVAL, "có %zu phần, nhiều nhất là %d", count,
			ANNOUNCEMENT_PARTS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct error inner = { 0 };
		int result = decode_part(json_at(value, i), target, &inner);
		if (result == 0)
			continue;
		(void)error_set(
			error, 0, "[%zu]%s%s", i, inner.text[0] == '.' ? "" : ": ", inner.text);
		return result;
	}
	return 0;
}

/* --- The tables ----------------------------------------------------------------------------- */

/* The start may follow from the issue, the expiry from the start: each has a day of room. */
#define DAY_SECONDS    86400
#define EXPIRES_BEFORE ((double)ANNOUNCEMENT_TIME_MAX_US / US_PER_SEC)
#define START_BEFORE   (EXPIRES_BEFORE - DAY_SECONDS)
#define ISSUED_BEFORE  (START_BEFORE - DAY_SECONDS)

#define AT(member) .offset = offsetof(struct announcement, member)

/* The nested objects have no struct of their own: their offsets count from the announcement. */
static const struct json_field repeat_fields[] = {
	{ "times", AT(repeat_times), decode_int, .minimum = 1, .maximum = ANNOUNCEMENT_REPEAT_MAX },
	{ "gap", AT(repeat_gap_us), decode_gap,
		.maximum = (double)ANNOUNCEMENT_REPEAT_GAP_MAX_US / US_PER_SEC },
	{ .key = NULL },
};

static const struct json_field chime_fields[] = {
	{ "open", AT(chime_open), json_decode_name },
	{ "close", AT(chime_close), json_decode_name },
	{ .key = NULL },
};

static const struct json_field voice_fields[] = {
	{ "engine", AT(voice_engine), json_decode_name },
	{ "name", AT(voice_name), decode_plain, .maximum = VOICE_NAME_MAX },
	{ "rate", AT(voice_rate), decode_int, .minimum = RATE_MIN, .maximum = RATE_MAX },
	{ "pitch", AT(voice_pitch), decode_int, .maximum = PITCH_MAX },
	{ .key = NULL },
};

#define TEXT_AND_MEDIA                                                       \
	{ "text", .decode = decode_text, .maximum = ANNOUNCEMENT_TEXT_MAX }, \
	{                                                                    \
		"media", .decode = decode_recording                          \
	}

#define PARTS                                   \
	{                                       \
		"parts", .decode = decode_parts \
	}

/* Which one, and when. */
#define IDENTITY                                                                          \
	{ "id", AT(id), decode_id },                                                      \
	{                                                                                 \
		"revision", AT(revision), json_decode_int64, 1, ANNOUNCEMENT_REVISION_MAX \
	}

#define INSTANTS                                                                          \
	{ "start", AT(start_us), decode_instant, .maximum = START_BEFORE },               \
		{ "expires", AT(expires_us), decode_instant, .maximum = EXPIRES_BEFORE }, \
	{                                                                                 \
		"issued_at", AT(issued_at_us), decode_instant, .maximum = ISSUED_BEFORE   \
	}

/* How it is said. */
#define MANNER                                                                                     \
	{ "title", AT(title), decode_plain, .maximum = ANNOUNCEMENT_TITLE_MAX },                   \
		{ "priority", AT(priority), json_decode_choice, .more = priority_names },          \
		{ "repeat", .decode = json_decode_object, .more = repeat_fields },                 \
		{ "chime", .decode = json_decode_object, .more = chime_fields },                   \
		{ "bed", AT(bed), json_decode_name },                                              \
		{ "voice", .decode = json_decode_object, .more = voice_fields },                   \
		{ "gain_db", AT(gain_db), decode_gain, GAIN_MIN_DB, GAIN_MAX_DB },                 \
		{ "interrupted", AT(interrupted), json_decode_choice, .more = interrupted_names }, \
	{                                                                                          \
		"issued_by", AT(issued_by), decode_plain, .maximum = ISSUED_BY_MAX                 \
	}

const struct json_field announcement_keys_payload[] = {
	IDENTITY,
	TEXT_AND_MEDIA,
	INSTANTS,
	MANNER,
	{ .key = NULL },
};

const struct json_field announcement_keys_stored[] = {
	IDENTITY,
	TEXT_AND_MEDIA,
	PARTS,
	INSTANTS,
	MANNER,
	{ .key = NULL },
};

const struct json_field announcement_keys_template[] = {
	TEXT_AND_MEDIA,
	PARTS,
	{ "expires_after", AT(expires_us), decode_gap,
		(double)ANNOUNCEMENT_EXPIRES_AFTER_MIN_US / US_PER_SEC,
		(double)ANNOUNCEMENT_EXPIRES_AFTER_MAX_US / US_PER_SEC },
	MANNER,
	{ .key = NULL },
};

const struct json_field announcement_keys_withdrawal[] = {
	{ "withdrawn", AT(withdrawal), decode_withdrawn },
	{ "revision", AT(revision), json_decode_int64, 1, ANNOUNCEMENT_REVISION_MAX },
	{ .key = NULL },
};
