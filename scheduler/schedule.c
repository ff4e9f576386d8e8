/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/schedule.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "scheduler/date.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_US       (INT64_C(86400) * US_PER_SEC)
#define STAMP_FORMAT "%Y%m%dT%H%MZ"

/* --- Decoding -------------------------------------------------------------------------------- */

struct decoding { /* what the table below fills */
	char id[NAME_MAX_BYTES + 1];
	int64_t revision;
	bool withdrawn;
	char *cron;
	int kind;
	char *timezone;
	int32_t from, until;
	struct schedule_span excepts[SCHEDULE_EXCEPT_MAX];
	size_t excepts_count;
	int64_t late_us;
	struct template
	{
		struct announcement *announcement;
		int64_t expires_after_us;
		enum reason reason; /* why it was refused */
	}
	template;
};

static void decoding_done(struct decoding *decoding)
{
	free(decoding->cron);
	free(decoding->timezone);
	announcement_unref(decoding->template.announcement);
}

/* target: int32_t */
static int decode_date(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	const char *text = json_as_string(value, NULL);

	(void)field;
	if (!text)
		return error_set(error, -EINVAL, "phải là một ngày dạng \"2026-11-22\"");
	return date_parse(text, target, error);
}

/* "2027-04-30", or "2027-02-05/2027-02-10". */
static int parse_span(const char *text, struct schedule_span *ret_span, struct error *error)
{
	const char *slash = strchr(text, '/');
	struct schedule_span span;

	if (!slash) {
		int result = date_parse(text, &span.first, error);
		span.last = span.first;
		if (result == 0)
			*ret_span = span;
		return result;
	}
	_cleanup_(freep) char *first = xstrndup(text, (size_t)(slash - text));
	int result = date_parse(first, &span.first, error);
	if (result == 0)
		result = date_parse(slash + 1, &span.last, error);
	if (result == 0 && span.last < span.first)
		return error_set(error, -EINVAL, "\"%.40s\": ngày cuối trước ngày đầu", text);
	if (result == 0)
		*ret_span = span;
	return result;
}

static int decode_excepts(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	struct decoding *decoding = target;
	size_t count = json_array_length(value);

	(void)field;
	if (json_kind(value) != JSON_KIND_ARRAY)
		return error_set(error, -EINVAL,
			"phải là danh sách các ngày, ví dụ [\"2027-02-05/2027-02-10\"]");
	if (count > SCHEDULE_EXCEPT_MAX)
		return error_set(error, -E2BIG, "nhiều nhất là %d mục", SCHEDULE_EXCEPT_MAX);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_as_string(json_at(value, i), NULL);
		if (!text)
			return error_set(error, -EINVAL, "[%zu]: phải là một chuỗi", i);
		int result = parse_span(text, &decoding->excepts[i], error);
		if (result < 0) {
			error_prefix(error, "[%zu]", i);
			return result;
		}
	}
	decoding->excepts_count = count;
	return 0;
}

/* target: struct template */
static int decode_template(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	struct template *template = target;

	(void)field;
	template->announcement = announcement_parse_template(
		value, &template->expires_after_us, &template->reason, error);
	return template->announcement ? 0 : -EINVAL;
}

static int decode_withdrawn(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	int result = json_decode_bool(field, value, target, error);

	if (result == 0 && !*(bool *)target)
		return error_set(error, -EINVAL, "chỉ nhận true; muốn dùng lại thì gửi bản mới");
	return result;
}

#define AT(member)  .offset = offsetof(struct decoding, member)
#define SECONDS(us) ((double)(us) / US_PER_SEC)

static const struct json_field schedule_fields[] = {
	{ "id", AT(id), json_decode_name },
	{ "revision", AT(revision), json_decode_int64, 1, ANNOUNCEMENT_REVISION_MAX },
	{ "cron", AT(cron), json_decode_string, 1, CALENDAR_TEXT_MAX },
	{ "calendar", AT(kind), json_decode_choice, .more = calendar_kind_names },
	{ "timezone", AT(timezone), json_decode_string, 1, ZONE_NAME_MAX },
	{ "from", AT(from), decode_date },
	{ "until", AT(until), decode_date },
	{ "except", .decode = decode_excepts },
	{ "late", AT(late_us), json_decode_duration, 0, SECONDS(SCHEDULE_LATE_MAX_US) },
	{ "announcement", AT(template), decode_template },
	{ .key = NULL },
};

static const struct json_field withdrawal_fields[] = {
	{ "withdrawn", AT(withdrawn), decode_withdrawn },
	{ "revision", AT(revision), json_decode_int64, 1, ANNOUNCEMENT_REVISION_MAX },
	{ .key = NULL },
};

/* What travels through the steps below. */
struct parsing {
	const struct schedule_defaults *defaults;
	const char *topic_id;
	struct decoding decoding;
	enum reason reason;
	struct error *error;
};

/* Refuses: notes the reason and returns -EINVAL. */
#define REFUSE(parsing, why, ...) \
	((parsing)->reason = (why), error_set((parsing)->error, -EINVAL, __VA_ARGS__))

static int decode(struct parsing *parsing, const struct json *root)
{
	static const enum reason reasons[] = {
		[JSON_REASON_NONE] = REASON_BAD_VALUE,
		[JSON_REASON_UNKNOWN_KEY] = REASON_UNKNOWN_KEY,
		[JSON_REASON_BAD_VALUE] = REASON_BAD_VALUE,
		[JSON_REASON_TOO_LONG] = REASON_TOO_LONG,
	};
	bool withdrawal = json_get(root, "withdrawn");
	enum json_reason why = JSON_REASON_NONE;
	int result = json_decode(root, withdrawal ? withdrawal_fields : schedule_fields,
		&parsing->decoding, parsing->error, &why);

	if (result == 0)
		return 0;
	parsing->reason = parsing->decoding.template.reason != REASON_NONE
				  ? parsing->decoding.template.reason
				  : reasons[why];
	return result;
}

/* Checks across keys. */
static int settle(struct parsing *parsing)
{
	struct decoding *decoding = &parsing->decoding;
	const char *id = parsing->topic_id;

	if (id && decoding->id[0] && strcmp(id, decoding->id) != 0)
		return REFUSE(parsing, REASON_BAD_VALUE,
			"id: \"%s\" khác với \"%.100s\" trong topic", decoding->id, id);
	if (!decoding->id[0] && !id)
		return REFUSE(parsing, REASON_BAD_VALUE, "id: thiếu mã của lịch");
	if (!decoding->id[0] && !name_valid(id, strlen(id)))
		return REFUSE(
			parsing, REASON_BAD_VALUE, "id: \"%.100s\" không phải là mã hợp lệ", id);
	if (!decoding->id[0])
		snprintf(decoding->id, sizeof decoding->id, "%s", id);
	if (strcmp(decoding->id, "all") == 0)
		return REFUSE(parsing, REASON_BAD_VALUE, "id: \"all\" là tên dành riêng");
	if (decoding->withdrawn)
		return decoding->revision > 0
			       ? 0
			       : REFUSE(parsing, REASON_BAD_VALUE,
					 "revision: thiếu; lệnh bỏ lịch phải ghi số của bản, lớn "
					 "hơn bản đang có");
	if (!decoding->cron)
		return REFUSE(parsing, REASON_BAD_VALUE, "cron: thiếu quy tắc thời gian");
	if (!decoding->template.announcement)
		return REFUSE(parsing, REASON_BAD_VALUE, "announcement: thiếu nội dung sẽ phát");
	if (decoding->until < decoding->from)
		return REFUSE(parsing, REASON_BAD_VALUE, "until: phải từ ngày \"from\" trở đi");
	return 0;
}

static int make_rule(struct parsing *parsing, struct schedule *schedule)
{
	struct decoding *decoding = &parsing->decoding;
	const char *zone = decoding->timezone ? decoding->timezone : parsing->defaults->timezone;
	int result = calendar_parse(decoding->cron, (enum calendar_kind)decoding->kind,
		&schedule->calendar, parsing->error);

	if (result < 0) {
		error_prefix(parsing->error, "cron");
		return result;
	}
	schedule->zone = zones_get(parsing->defaults->zones, zone, parsing->error);
	if (!schedule->zone) {
		error_prefix(parsing->error, "timezone");
		return -EINVAL;
	}
	schedule->cron = hand_over(decoding->cron);
	schedule->from = decoding->from;
	schedule->until = decoding->until;
	schedule->excepts_count = decoding->excepts_count;
	schedule->excepts = xcalloc(decoding->excepts_count + 1, sizeof *schedule->excepts);
	memcpy(schedule->excepts, decoding->excepts,
		decoding->excepts_count * sizeof *schedule->excepts);
	schedule->late_us = decoding->late_us >= 0 ? decoding->late_us : parsing->defaults->late_us;
	schedule->expires_after_us = decoding->template.expires_after_us;
	schedule->announcement = hand_over(decoding->template.announcement);
	return 0;
}

static struct schedule *make_schedule(struct parsing *parsing, const char *bytes, size_t length)
{
	_cleanup_(schedule_unrefp) struct schedule *schedule = xcalloc(1, sizeof *schedule);

	schedule->references = 1;
	schedule->revision = parsing->decoding.revision > 0 ? parsing->decoding.revision : 1;
	schedule->withdrawal = parsing->decoding.withdrawn;
	schedule->json = xstrndup(bytes, length);
	memcpy(schedule->id, parsing->decoding.id, sizeof schedule->id);
	if (!schedule->withdrawal && make_rule(parsing, schedule) < 0) {
		parsing->reason = REASON_BAD_VALUE;
		return NULL;
	}
	return hand_over(schedule);
}

static struct schedule *parse(
	struct parsing *parsing, const char *bytes, size_t length, char *ret_id)
{
	_cleanup_(json_freep) struct json *root = json_parse(bytes, length, parsing->error);

	if (!root) {
		parsing->reason = REASON_BAD_JSON;
		return NULL;
	}
	const char *id = json_as_string(json_get(root, "id"), "");
	if (!ret_id[0] && name_valid(id, strlen(id)))
		snprintf(ret_id, ID_MAX_BYTES + 1, "%s", id);
	if (json_kind(root) != JSON_KIND_OBJECT) {
		(void)REFUSE(parsing, REASON_BAD_VALUE, "phải là một đối tượng JSON {…}");
		return NULL;
	}
	if (decode(parsing, root) < 0 || settle(parsing) < 0)
		return NULL;
	return make_schedule(parsing, bytes, length);
}

struct schedule *schedule_parse(const char *payload, size_t length, const char *topic_id,
	const struct schedule_defaults *defaults, char *ret_id, enum reason *ret_reason,
	struct error *error)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct parsing parsing = {
		.defaults = defaults,
		.topic_id = topic_id,
		.decoding = { .from = INT32_MIN, .until = INT32_MAX, .late_us = -1 },
		.error = error,
	};
	struct schedule *schedule = NULL;

	ret_id[0] = '\0';
	if (topic_id && name_valid(topic_id, strlen(topic_id)))
		snprintf(ret_id, ID_MAX_BYTES + 1, "%s", topic_id);
	if (length >= sizeof bom - 1 && memcmp(payload, bom, sizeof bom - 1) == 0) {
		payload += sizeof bom - 1;
		length -= sizeof bom - 1;
	}
	if (length > SCHEDULE_PAYLOAD_MAX)
		(void)REFUSE(&parsing, REASON_TOO_LARGE, "dài %zu byte, nhiều nhất là %d", length,
			SCHEDULE_PAYLOAD_MAX);
	else
		schedule = parse(&parsing, payload, length, ret_id);
	decoding_done(&parsing.decoding);
	*ret_reason = parsing.reason;
	return schedule;
}

struct schedule *schedule_ref(struct schedule *schedule)
{
	schedule->references++;
	return schedule;
}

struct schedule *schedule_unref(struct schedule *schedule)
{
	if (!schedule || --schedule->references > 0)
		return NULL;
	free(schedule->json);
	free(schedule->cron);
	free(schedule->excepts);
	announcement_unref(schedule->announcement);
	free(schedule);
	return NULL;
}

/* --- Occurrences ------------------------------------------------------------------------------ */

static int32_t day_of(const struct schedule *schedule, int64_t real_us)
{
	int64_t local_us = zone_local_us(schedule->zone, real_us);

	return (int32_t)(local_us / DAY_US - (local_us % DAY_US < 0));
}

/* The last instant before that day begins in the schedule's zone. */
static int64_t before_day(const struct schedule *schedule, int32_t day)
{
	int64_t first_us = 0, second_us = 0;

	(void)zone_instants(schedule->zone, day * DAY_US, &first_us, &second_us);
	return first_us - 1;
}

static const struct schedule_span *exception_of(const struct schedule *schedule, int32_t day)
{
	for (size_t i = 0; i < schedule->excepts_count; i++)
		if (day >= schedule->excepts[i].first && day <= schedule->excepts[i].last)
			return &schedule->excepts[i];
	return NULL;
}

int64_t schedule_next(const struct schedule *schedule, int64_t after_us, bool *ret_excepted)
{
	if (after_us < ANNOUNCEMENT_TIME_MIN_US) /* else it would be no announcement */
		after_us = ANNOUNCEMENT_TIME_MIN_US - 1;
	if (schedule->from != INT32_MIN) {
		int64_t begin_us = before_day(schedule, schedule->from);
		after_us = after_us > begin_us ? after_us : begin_us;
	}
	for (;;) {
		int64_t next_us = calendar_next(&schedule->calendar, schedule->zone, after_us);
		if (next_us == TIME_NEVER || next_us >= ANNOUNCEMENT_TIME_MAX_US - DAY_US)
			return TIME_NEVER;
		int32_t day = day_of(schedule, next_us);
		if (day > schedule->until)
			return TIME_NEVER;
		const struct schedule_span *exception = exception_of(schedule, day);
		if (ret_excepted)
			*ret_excepted = exception != NULL;
		if (!exception || ret_excepted)
			return next_us;
		after_us = before_day(schedule, exception->last + 1);
	}
}

bool schedule_occurs(const struct schedule *schedule, int64_t real_us)
{
	return !schedule->withdrawal && schedule_next(schedule, real_us - 1, NULL) == real_us;
}

void schedule_occurrence_id(
	const struct schedule *schedule, int64_t start_us, char ret_id[ID_MAX_BYTES + 1])
{
	time_t seconds = (time_t)(start_us / US_PER_SEC);
	struct tm utc;
	char stamp[24];

	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof stamp, STAMP_FORMAT, &utc);
	snprintf(ret_id, ID_MAX_BYTES + 1, "%s@%s", schedule->id, stamp);
}

int schedule_of_id(const char *id, char ret_schedule[NAME_MAX_BYTES + 1], int64_t *ret_start_us)
{
	const char *at = strchr(id, '@');
	struct tm utc = { 0 };

	if (!at || !announcement_id_valid(id, strlen(id)))
		return -EINVAL;
	const char *end = strptime(at + 1, STAMP_FORMAT, &utc);
	if (!end || *end)
		return -EINVAL;
	snprintf(ret_schedule, NAME_MAX_BYTES + 1, "%.*s", (int)(at - id), id);
	*ret_start_us = (int64_t)timegm(&utc) * US_PER_SEC;
	return 0;
}

struct announcement *schedule_occurrence(const struct schedule *schedule, int64_t start_us)
{
	char id[ID_MAX_BYTES + 1];

	schedule_occurrence_id(schedule, start_us, id);
	struct announcement *announcement = announcement_occurrence(schedule->announcement, id,
		schedule->revision, start_us, start_us + schedule->expires_after_us);
	announcement->late_us = schedule->late_us;
	return announcement;
}
