/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/when.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/strbuf.h"
#include "scheduler/date.h"
#include <errno.h>
#include <string.h>
#include <time.h>

/* The midnight that began the day `days` ago. mktime() knows the days of 23 and 25 hours. */
static int64_t midnight_us(int64_t now_us, int days)
{
	time_t now = (time_t)(now_us / US_PER_SEC);
	struct tm day;

	localtime_r(&now, &day);
	day.tm_mday -= days;
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_isdst = -1;
	return (int64_t)mktime(&day) * US_PER_SEC;
}

int when_parse(const char *text, int64_t now_us, int64_t *ret_real_us, struct error *error)
{
	static const char *const days[][2] = { { "hôm nay", "hom nay" }, { "hôm qua", "hom qua" } };
	int64_t ago_us = 0;

	for (size_t i = 0; i < countof(days); i++) {
		if (strcmp(text, days[i][0]) != 0 && strcmp(text, days[i][1]) != 0)
			continue;
		*ret_real_us = midnight_us(now_us, (int)i);
		return 0;
	}
	if (duration_parse(text, &ago_us, NULL) == 0) {
		*ret_real_us = now_us - ago_us;
		return 0;
	}
	if (time_parse(text, ret_real_us, NULL) == 0)
		return 0;
	return error_set(error, -EINVAL,
		"không hiểu lúc “%.60s”; ví dụ đúng: 2026-11-21T17:00:00+07:00, 6h, 2d, “hôm nay”",
		text);
}

int64_t when_midnight_us(int year, int month, int day)
{
	struct tm date = {
		.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_isdst = -1
	};

	return (int64_t)mktime(&date) * US_PER_SEC;
}

int64_t when_days_later_us(int64_t real_us, int days)
{
	time_t seconds = (time_t)(real_us / US_PER_SEC);
	struct tm local;

	localtime_r(&seconds, &local);
	local.tm_mday += days;
	local.tm_isdst = -1;
	return (int64_t)mktime(&local) * US_PER_SEC + real_us % US_PER_SEC;
}

int when_parse_from(const char *text, int64_t now_us, int64_t *ret_real_us, struct error *error)
{
	static const struct {
		const char *text;
		int later;
	} days[] = { { "hôm nay", 0 }, { "hom nay", 0 }, { "ngày mai", 1 }, { "ngay mai", 1 } };
	int32_t number = 0;

	for (size_t i = 0; i < countof(days); i++) {
		if (strcmp(text, days[i].text) != 0)
			continue;
		*ret_real_us = midnight_us(now_us, -days[i].later);
		return 0;
	}
	if (date_parse(text, &number, NULL) == 0) {
		struct date date = date_of_number(number);
		*ret_real_us = when_midnight_us(date.year, date.month, date.day);
		return 0;
	}
	if (time_parse(text, ret_real_us, NULL) == 0)
		return 0;
	return error_set(error, -EINVAL,
		"không hiểu lúc “%.60s”; ví dụ đúng: 2026-12-01, 2026-11-21T17:00:00+07:00, "
		"“hôm nay”, “ngày mai”",
		text);
}

int when_parse_month(const char *text, int *ret_year, int *ret_month, struct error *error)
{
	_cleanup_(freep) char *day = xasprintf("%.20s-01", text);
	int32_t number = 0;

	if (date_parse(day, &number, NULL) < 0)
		return error_set(
			error, -EINVAL, "không hiểu tháng “%.60s”; ví dụ đúng: 2026-12", text);
	*ret_year = date_of_number(number).year;
	*ret_month = date_of_number(number).month;
	return 0;
}
