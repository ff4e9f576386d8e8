/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "scheduler/announcement.h"

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

/* Refuses control characters and bytes that are not UTF-8, naming the place. */
static int check_plain(const char *text, size_t length, struct error *error)
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

/* Blanks of Unicode, and what has no width: nothing to say. */
static bool is_blank(uint32_t codepoint)
{
	static const struct {
		uint32_t first, last;
	} blanks[] = { { 0x09, 0x0d }, { 0x20, 0x20 }, { 0xa0, 0xa0 }, { 0x1680, 0x1680 },
		{ 0x2000, 0x200f }, { 0x2028, 0x202f }, { 0x205f, 0x2064 }, { 0x3000, 0x3000 },
		{ 0xfeff, 0xfeff } };

	for (size_t i = 0; i < countof(blanks); i++)
		if (codepoint >= blanks[i].first && codepoint <= blanks[i].last)
			return true;
	return false;
}

static bool text_blank(const char *text)
{
	size_t length = strlen(text);
	uint32_t codepoint;

	for (size_t at = 0, bytes; at < length; at += bytes) {
		bytes = utf8_decode(text + at, length - at, &codepoint);
		if (bytes == 0 || !is_blank(codepoint))
			return false;
	}
	return true;
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
		return check_plain(*text, strlen(*text), error);
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

/* Whole milliseconds: what time_format() and duration_format() can write. */
static int64_t whole_ms(int64_t us)
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
	*(int64_t *)target = whole_ms(real_us);
	return 0;
}

static int decode_gap(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	int result = json_decode_duration(field, value, target, error);

	if (result == 0)
		*(int64_t *)target = whole_ms(*(int64_t *)target);
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

static const struct json_field announcement_fields[] = {
	{ "id", AT(id), decode_id },
	{ "revision", AT(revision), json_decode_int64, 1, ANNOUNCEMENT_REVISION_MAX },
	{ "title", AT(title), decode_plain, .maximum = ANNOUNCEMENT_TITLE_MAX },
	{ "text", AT(text), decode_plain, .maximum = ANNOUNCEMENT_TEXT_MAX },
	{ "media", AT(media), decode_media },
	{ "priority", AT(priority), json_decode_choice, .more = priority_names },
	{ "start", AT(start_us), decode_instant, .maximum = START_BEFORE },
	{ "expires", AT(expires_us), decode_instant, .maximum = EXPIRES_BEFORE },
	{ "repeat", .decode = json_decode_object, .more = repeat_fields },
	{ "chime", .decode = json_decode_object, .more = chime_fields },
	{ "bed", AT(bed), json_decode_name },
	{ "voice", .decode = json_decode_object, .more = voice_fields },
	{ "gain_db", AT(gain_db), decode_gain, GAIN_MIN_DB, GAIN_MAX_DB },
	{ "interrupted", AT(interrupted), json_decode_choice, .more = interrupted_names },
	{ "issued_by", AT(issued_by), decode_plain, .maximum = ISSUED_BY_MAX },
	{ "issued_at", AT(issued_at_us), decode_instant, .maximum = ISSUED_BEFORE },
	{ .key = NULL },
};

static const struct json_field withdrawal_fields[] = {
	{ "withdrawn", AT(withdrawal), decode_withdrawn },
	{ "revision", AT(revision), json_decode_int64, 1, ANNOUNCEMENT_REVISION_MAX },
	{ .key = NULL },
};

static const enum reason reasons[] = {
	[JSON_REASON_NONE] = REASON_BAD_VALUE,
	[JSON_REASON_UNKNOWN_KEY] = REASON_UNKNOWN_KEY,
	[JSON_REASON_BAD_VALUE] = REASON_BAD_VALUE,
	[JSON_REASON_TOO_LONG] = REASON_TOO_LONG,
};

/* --- From payload to announcement ----------------------------------------------------------- */

/* What travels through the steps below. */
struct parsing {
	const char *topic_id, *make_id;
	const struct announcement_defaults *defaults;
	struct announcement *announcement;
	bool text_given;    /* the payload has the text, be it empty */
	enum reason reason; /* why the last step refused */
	struct error *error;
};

/* Refuses: notes the reason and returns -EINVAL. */
#define REFUSE(parsing, why, ...) \
	((parsing)->reason = (why), error_set((parsing)->error, -EINVAL, __VA_ARGS__))

static struct announcement *announcement_new(void)
{
	struct announcement *announcement = xcalloc(1, sizeof *announcement);

	announcement->references = 1;
	announcement->priority = PRIORITY_NORMAL;
	announcement->start_us = TIME_UNSET;
	announcement->expires_us = TIME_UNSET;
	announcement->late_us = -1;
	announcement->repeat_gap_us = ANNOUNCEMENT_REPEAT_GAP_DEFAULT_US;
	announcement->voice_rate = -1;
	announcement->voice_pitch = -1;
	announcement->issued_at_us = TIME_UNSET;
	return announcement;
}

/* The id that is known before anything else is judged, for the receipt of a refusal. */
static void note_id(const struct json *root, char *ret_id)
{
	const char *id = json_as_string(json_get(root, "id"), "");

	if (!*ret_id && announcement_id_valid(id, strlen(id)))
		memcpy(ret_id, id, strlen(id) + 1);
}

static int settle_id(struct parsing *parsing)
{
	char *id = parsing->announcement->id;
	const char *topic_id = parsing->topic_id;
	const char *given = topic_id ? topic_id : parsing->make_id;

	if (topic_id && *id && strcmp(topic_id, id) != 0)
		return REFUSE(parsing, REASON_BAD_VALUE,
			"id: \"%s\" khác với \"%.100s\" trong topic", id, topic_id);
	if (*id)
		return 0;
	if (!given || !announcement_id_valid(given, strlen(given)))
		return REFUSE(parsing, REASON_BAD_VALUE, "id: \"%.100s\" không phải là mã hợp lệ",
			given ? given : "");
	memcpy(id, given, strlen(given) + 1);
	return 0;
}

/* A recording may stand in place of the text; who gives both means both. */
static int settle_text(struct parsing *parsing)
{
	const struct announcement *announcement = parsing->announcement;

	if (!parsing->text_given && *announcement->media)
		return 0;
	if (!announcement->text || text_blank(announcement->text))
		return REFUSE(parsing, REASON_EMPTY, "text: trống, không có gì để đọc");
	return 0;
}

/* `base` + `step`, where both lie within the instants an announcement may have. */
static int64_t instant_after(int64_t base_us, int64_t step_us)
{
	if (base_us < ANNOUNCEMENT_TIME_MIN_US)
		base_us = ANNOUNCEMENT_TIME_MIN_US; /* the clock was never set */
	if (base_us > ANNOUNCEMENT_TIME_MAX_US - step_us - 1)
		base_us = ANNOUNCEMENT_TIME_MAX_US - step_us - 1;
	return whole_ms(base_us + step_us);
}

static int settle_times(struct parsing *parsing)
{
	struct announcement *announcement = parsing->announcement;
	const struct announcement_defaults *defaults = parsing->defaults;

	if (announcement->start_us == TIME_UNSET && announcement->issued_at_us != TIME_UNSET)
		announcement->start_us = instant_after(
			announcement->issued_at_us, defaults->sync_lead_us);
	bool timed = announcement->start_us != TIME_UNSET;
	if (announcement->expires_us == TIME_UNSET)
		announcement->expires_us = instant_after(
			timed ? announcement->start_us : defaults->now_us,
			ANNOUNCEMENT_EXPIRES_DEFAULT_US);
	if (!timed || announcement->expires_us > announcement->start_us)
		return 0;
	char start[TIME_TEXT_SIZE];
	time_format(announcement->start_us, start);
	return REFUSE(parsing, REASON_BAD_VALUE, "expires: phải sau lúc bắt đầu phát (%s)", start);
}

static void settle_repeat(struct announcement *announcement)
{
	if (announcement->repeat_times > 0)
		return;
	announcement->repeat_times = announcement->priority == PRIORITY_EMERGENCY
					     ? ANNOUNCEMENT_EMERGENCY_TIMES
					     : 1;
}

/* Checks across keys, and every default. */
static int settle(struct parsing *parsing)
{
	struct announcement *announcement = parsing->announcement;
	int result = settle_id(parsing);

	if (result == 0 && !announcement->withdrawal)
		result = settle_text(parsing);
	if (result == 0)
		result = settle_times(parsing);
	if (result == 0)
		settle_repeat(announcement);
	if (announcement->revision == 0)
		announcement->revision = 1;
	return result;
}

static int settle_withdrawal(struct parsing *parsing)
{
	if (!parsing->topic_id)
		return REFUSE(parsing, REASON_BAD_VALUE,
			"withdrawn: chỉ gửi được vào topic …/announce/<mã thông báo>");
	if (parsing->announcement->revision == 0)
		return REFUSE(parsing, REASON_BAD_VALUE,
			"revision: thiếu; lệnh thu hồi phải ghi số của bản, lớn hơn bản đang có");
	return settle(parsing);
}

static int parse_json(struct parsing *parsing, const char *bytes, size_t length, char *ret_id)
{
	_cleanup_(json_freep) struct json *root = json_parse(bytes, length, parsing->error);

	if (!root) {
		parsing->reason = REASON_BAD_JSON;
		return -EINVAL;
	}
	note_id(root, ret_id);
	parsing->text_given = json_get(root, "text");
	bool withdrawal = json_get(root, "withdrawn");
	enum json_reason reason = JSON_REASON_NONE;
	int result = json_decode(root, withdrawal ? withdrawal_fields : announcement_fields,
		parsing->announcement, parsing->error, &reason);
	if (result < 0) {
		parsing->reason = reasons[reason];
		return result;
	}
	return withdrawal ? settle_withdrawal(parsing) : settle(parsing);
}

static int parse_text(struct parsing *parsing, const char *bytes, size_t length)
{
	int result = check_plain(bytes, length, parsing->error);

	if (result < 0) {
		parsing->reason = REASON_BAD_VALUE;
		return result;
	}
	size_t count = utf8_count(bytes, length);
	if (count > ANNOUNCEMENT_TEXT_MAX)
		return REFUSE(parsing, REASON_TOO_LONG, "dài %zu ký tự, nhiều nhất là %d", count,
			ANNOUNCEMENT_TEXT_MAX);
	parsing->text_given = true;
	parsing->announcement->text = xstrndup(bytes, length);
	return settle(parsing);
}

static bool looks_like_json(const char *bytes, size_t length)
{
	size_t at = 0;

	while (at < length && strchr(" \t\r\n", bytes[at]) && bytes[at])
		at++;
	return at < length && bytes[at] == '{';
}

static int parse_payload(struct parsing *parsing, const char *bytes, size_t length, char *ret_id)
{
	static const char bom[] = "\xef\xbb\xbf";

	if (length >= sizeof bom - 1 && memcmp(bytes, bom, sizeof bom - 1) == 0) {
		bytes += sizeof bom - 1;
		length -= sizeof bom - 1;
	}
	return looks_like_json(bytes, length) ? parse_json(parsing, bytes, length, ret_id)
					      : parse_text(parsing, bytes, length);
}

struct announcement *announcement_parse(const char *payload, size_t length, const char *topic_id,
	const char *make_id, const struct announcement_defaults *defaults, char *ret_id,
	enum reason *ret_reason, struct error *error)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = announcement_new();
	struct parsing parsing = {
		.topic_id = topic_id,
		.make_id = make_id,
		.defaults = defaults,
		.announcement = announcement,
		.error = error,
	};

	snprintf(ret_id, ID_MAX_BYTES + 1, "%s", topic_id ? topic_id : "");
	int result = length > ANNOUNCEMENT_PAYLOAD_MAX
			     ? REFUSE(&parsing, REASON_TOO_LARGE, "dài %zu byte, nhiều nhất là %d",
				       length, ANNOUNCEMENT_PAYLOAD_MAX)
			     : parse_payload(&parsing, payload, length, ret_id);
	if (result < 0) {
		*ret_reason = parsing.reason;
		return NULL;
	}
	memcpy(ret_id, announcement->id, strlen(announcement->id) + 1);
	return hand_over(announcement);
}

struct announcement *announcement_load(
	const char *json, size_t length, const char *id, struct error *error)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = announcement_new();
	const struct announcement_defaults defaults = { 0 };
	struct parsing parsing = {
		.topic_id = id,
		.defaults = &defaults,
		.announcement = announcement,
		.error = error,
	};
	char known_id[ID_MAX_BYTES + 1] = "";

	if (parse_json(&parsing, json, length, known_id) < 0)
		return NULL;
	return hand_over(announcement);
}
