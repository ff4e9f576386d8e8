/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/plan_format.h"

#include "base/json.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MINUTE_US (60 * US_PER_SEC)
#define DAY_US    (INT64_C(86400) * US_PER_SEC)

static int64_t floor_to(int64_t value, int64_t unit)
{
	int64_t rest = value % unit;

	return value - (rest < 0 ? rest + unit : rest);
}

void plan_format_time(const struct zone *zone, int64_t real_us, char ret_text[TIME_TEXT_SIZE])
{
	/* RFC 3339 has no seconds in its offset; then the wall's time goes with them. */
	int64_t offset_us = floor_to(zone_local_us(zone, real_us) - real_us, MINUTE_US);
	int64_t local_us = real_us + offset_us;
	unsigned rest_ms = (unsigned)((local_us - floor_to(local_us, US_PER_SEC)) / US_PER_MS);
	unsigned minutes = (unsigned)((offset_us < 0 ? -offset_us : offset_us) / MINUTE_US);
	time_t seconds = (time_t)(floor_to(local_us, US_PER_SEC) / US_PER_SEC);
	char date[24], fraction[8] = "";
	struct tm wall;

	gmtime_r(&seconds, &wall);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &wall);
	if (rest_ms > 0)
		snprintf(fraction, sizeof(fraction), ".%03u", rest_ms % 1000);
	snprintf(ret_text, TIME_TEXT_SIZE, "%s%s%c%02u:%02u", date, fraction,
		offset_us < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
}

bool plan_format_lunar(const struct zone *zone, int64_t real_us, char ret_text[PLAN_LUNAR_SIZE])
{
	int64_t day = floor_to(zone_local_us(zone, real_us), DAY_US) / DAY_US;
	char text[LUNAR_TEXT_SIZE];
	struct lunar_date date;

	if (lunar_of_day((int32_t)day, &date) < 0)
		return false;
	lunar_format(date, text);
	snprintf(ret_text, PLAN_LUNAR_SIZE, "%s/%d", text, date.year);
	return true;
}

const char *plan_reason_detail(const char *reason)
{
	static const struct {
		const char *reason, *detail;
	} details[] = {
		{ "quiet-hours", "giờ yên lặng" },
		{ "limit", "quá mức phát của loa" },
		{ "muted", "loa đang tắt tiếng" },
		{ "overlap", "loa bận phát bản tin khác" },
		{ "expired", "chờ tới hết hạn" },
		{ "queue-full", "quá nhiều bản tin chờ" },
		{ "superseded", "đã có lịch cùng mã ở khu vực khác" },
		{ "except", "ngày trừ trong lịch" },
	};

	for (size_t i = 0; i < countof(details); i++) {
		if (strcmp(details[i].reason, reason) == 0)
			return details[i].detail;
	}
	return reason;
}

static void write_time(
	struct strbuf *out, const char *key, const struct zone *zone, int64_t real_us)
{
	char text[TIME_TEXT_SIZE];

	if (real_us == TIME_UNSET) {
		json_write_null(out, key);
		return;
	}
	plan_format_time(zone, real_us, text);
	json_write_string(out, key, text);
}

/* Also of one that plays at its time, but not in one piece. */
static void write_detail(struct strbuf *out, const struct plan_row *row)
{
	_cleanup_(strbuf_done) struct strbuf detail = { 0 };

	if (row->reason)
		strbuf_puts(&detail, plan_reason_detail(row->reason));
	if (row->interrupted)
		strbuf_printf(&detail, "%sbị cắt ngang", row->reason ? "; " : "");
	json_write_string(out, "detail", detail.text);
}

void plan_format(
	struct strbuf *out, const char *key, const struct plan_row *row, const char *output)
{
	const struct schedule *schedule = row->schedule;
	const struct announcement *announcement = schedule->announcement;
	char id[ID_MAX_BYTES + 1], lunar[PLAN_LUNAR_SIZE];

	schedule_occurrence_id(schedule, row->start_us, id);
	bool has_lunar = plan_format_lunar(schedule->zone, row->start_us, lunar);
	json_write_begin_object(out, key);
	json_write_string(out, "schedule", schedule->id);
	json_write_string(out, "id", id);
	write_time(out, "start", schedule->zone, row->start_us);
	json_write_string(out, "lunar", has_lunar ? lunar : NULL);
	json_write_string(out, "output", output);
	json_write_real(out, "seconds", row->seconds, 3);
	json_write_string(out, "would", plan_would_name(row->would));
	json_write_string(out, "reason", row->reason);
	json_write_string(out, "title", announcement->title);
	json_write_string(out, "priority", priority_name(announcement->priority));
	write_time(out, "begins", schedule->zone, row->begins_us);
	write_detail(out, row);
	json_write_end_object(out);
}
