/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/strbuf.h"
#include "base/utf8.h"
#include "scheduler/announcement_keys.h"

#include <errno.h>
#include <string.h>

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
	const struct json_field *keys;
	struct announcement *announcement;
	bool in_parts;      /* the JSON has `parts` */
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

/* Nothing that is to be read is empty, nor is the whole. */
static int settle_parts(struct parsing *parsing)
{
	const struct announcement *announcement = parsing->announcement;
	size_t characters = 0;

	for (size_t i = 0; i < announcement->parts_count; i++) {
		const struct announcement_part *part = &announcement->parts[i];
		if (part->what != ANNOUNCEMENT_TEXT)
			continue;
		if (part->text && !text_blank(part->text)) {
			characters += utf8_count(part->text, strlen(part->text));
			continue;
		}
		if (parsing->in_parts)
			return REFUSE(parsing, REASON_EMPTY,
				"parts[%zu].text: trống, không có gì để đọc", i);
		return REFUSE(parsing, REASON_EMPTY, "text: trống, không có gì để đọc");
	}
	if (characters > ANNOUNCEMENT_TEXT_MAX)
		return REFUSE(parsing, REASON_TOO_LONG,
			"parts: các phần chữ dài tổng cộng %zu ký tự, nhiều nhất là %d", characters,
			ANNOUNCEMENT_TEXT_MAX);
	if (announcement_has_text(announcement) || announcement_has_media(announcement))
		return 0;
	return REFUSE(parsing, REASON_EMPTY, "%s",
		parsing->in_parts ? "parts: không có phần chữ hay bản thu âm nào để phát"
				  : "text: trống, không có gì để đọc");
}

/* `base` + `step`, where both lie within the instants an announcement may have. */
static int64_t instant_after(int64_t base_us, int64_t step_us)
{
	if (base_us < ANNOUNCEMENT_TIME_MIN_US)
		base_us = ANNOUNCEMENT_TIME_MIN_US; /* the clock was never set */
	if (base_us > ANNOUNCEMENT_TIME_MAX_US - step_us - 1)
		base_us = ANNOUNCEMENT_TIME_MAX_US - step_us - 1;
	return announcement_keys_whole_ms(base_us + step_us);
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
		result = settle_parts(parsing);
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

/* Reads the members by the keys. */
static int decode(struct parsing *parsing, const struct json *root, const struct json_field *keys)
{
	enum json_reason reason = JSON_REASON_NONE;

	if (json_decode(root, keys, parsing->announcement, parsing->error, &reason) < 0) {
		parsing->reason = reasons[reason];
		return -EINVAL;
	}
	parsing->in_parts = json_get(root, "parts");
	if (parsing->in_parts && (json_get(root, "text") || json_get(root, "media")))
		return REFUSE(parsing, REASON_BAD_VALUE,
			"parts: đã có parts thì không dùng text và media bên ngoài nữa");
	return 0;
}

static int parse_json(struct parsing *parsing, const char *bytes, size_t length, char *ret_id)
{
	_cleanup_(json_freep) struct json *root = json_parse(bytes, length, parsing->error);

	if (!root) {
		parsing->reason = REASON_BAD_JSON;
		return -EINVAL;
	}
	note_id(root, ret_id);
	bool withdrawal = json_get(root, "withdrawn");
	int result = decode(
		parsing, root, withdrawal ? announcement_keys_withdrawal : parsing->keys);
	if (result < 0)
		return result;
	return withdrawal ? settle_withdrawal(parsing) : settle(parsing);
}

static int parse_text(struct parsing *parsing, const char *bytes, size_t length)
{
	int result = announcement_keys_check_text(bytes, length, parsing->error);

	if (result < 0) {
		parsing->reason = REASON_BAD_VALUE;
		return result;
	}
	size_t count = utf8_count(bytes, length);
	if (count > ANNOUNCEMENT_TEXT_MAX)
		return REFUSE(parsing, REASON_TOO_LONG, "dài %zu ký tự, nhiều nhất là %d", count,
			ANNOUNCEMENT_TEXT_MAX);
	announcement_add_part(parsing->announcement, ANNOUNCEMENT_TEXT)->text = xstrndup(
		bytes, length);
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
		.keys = announcement_keys_payload,
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
		.keys = announcement_keys_stored,
		.announcement = announcement,
		.error = error,
	};
	char known_id[ID_MAX_BYTES + 1] = "";

	if (parse_json(&parsing, json, length, known_id) < 0)
		return NULL;
	return hand_over(announcement);
}

struct announcement *announcement_parse_template(const struct json *object,
	int64_t *ret_expires_after_us, enum reason *ret_reason, struct error *error)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = announcement_new();
	struct parsing parsing = { .announcement = announcement, .error = error };
	int result;

	announcement->expires_us = ANNOUNCEMENT_EXPIRES_DEFAULT_US; /* a duration, while decoding */
	if (json_kind(object) != JSON_KIND_OBJECT)
		result = REFUSE(&parsing, REASON_BAD_VALUE, "phải là một đối tượng {…}");
	else
		result = decode(&parsing, object, announcement_keys_template);
	if (result == 0)
		result = settle_parts(&parsing);
	if (result < 0) {
		*ret_reason = parsing.reason;
		return NULL;
	}
	settle_repeat(announcement);
	*ret_expires_after_us = announcement->expires_us;
	announcement->expires_us = TIME_UNSET;
	return hand_over(announcement);
}
