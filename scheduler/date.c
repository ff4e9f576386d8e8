/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/date.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_SECONDS 86400

int32_t date_number(struct date date)
{
	struct tm day = {
		.tm_year = date.year - 1900, .tm_mon = date.month - 1, .tm_mday = date.day
	};
	time_t seconds = timegm(&day);

	return (int32_t)(seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0));
}

struct date date_of_number(int32_t number)
{
	time_t seconds = (time_t)number * DAY_SECONDS;
	struct tm day;

	gmtime_r(&seconds, &day);
	return (struct date){ day.tm_year + 1900, day.tm_mon + 1, day.tm_mday };
}

int date_month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

int date_weekday(int32_t number)
{
	int weekday = (number + 4) % 7; /* 1970-01-01 was a Thursday */

	return weekday < 0 ? weekday + 7 : weekday;
}

/* "2026-11-22" and nothing else. */
static bool has_form(const char *text)
{
	static const char form[] = "0000-00-00";

	for (size_t i = 0; i < sizeof form; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

int date_parse(const char *text, int32_t *ret_number, struct error *error)
{
	struct date date;

	if (!has_form(text) || sscanf(text, "%4d-%2d-%2d", &date.year, &date.month, &date.day) != 3)
		return error_set(error, -EINVAL,
			"\"%.40s\" không phải là ngày dạng năm-tháng-ngày, ví dụ 2026-11-22", text);
	if (date.year < DATE_YEAR_MIN || date.year > DATE_YEAR_MAX)
		return error_set(error, -EINVAL, "\"%s\": năm phải từ %d đến %d", text,
			DATE_YEAR_MIN, DATE_YEAR_MAX);
	if (date.month < 1 || date.month > 12 || date.day < 1 ||
		date.day > date_month_days(date.year, date.month))
		return error_set(error, -EINVAL, "\"%s\": không có ngày này", text);
	*ret_number = date_number(date);
	return 0;
}

void date_format(int32_t number, char ret_text[DATE_TEXT_SIZE])
{
	struct date date = date_of_number(number);

	snprintf(ret_text, DATE_TEXT_SIZE, "%04d-%02d-%02d", date.year, date.month, date.day);
}
