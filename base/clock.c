/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#define YEAR_MIN 1970
#define YEAR_MAX 2199

#define AHEAD_READINGS 10
#define AHEAD_GOOD_US  20

static int64_t clock_us(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return now.tv_sec * US_PER_SEC + now.tv_nsec / 1000;
}

int64_t clock_real_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t clock_real_ahead_us(void)
{
	int64_t ahead_us = 0;
	int64_t least_us = INT64_MAX;

	for (int i = 0; i < AHEAD_READINGS && least_us > AHEAD_GOOD_US; i++) {
		int64_t before_us = clock_mono_us();
		int64_t real_us = clock_real_us();
		int64_t took_us = clock_mono_us() - before_us;
		if (took_us >= least_us)
			continue;
		least_us = took_us;
		ahead_us = real_us - before_us - took_us / 2;
	}
	return ahead_us;
}

bool clock_synchronised(void)
{
	struct timex kernel = { .modes = 0 };
	int state = adjtimex(&kernel);

	return state >= 0 && state != TIME_ERROR && !(kernel.status & STA_UNSYNC);
}

void time_format(int64_t real_us, char ret_text[TIME_TEXT_SIZE])
{
	int64_t milliseconds = real_us / US_PER_MS;
	time_t seconds = (time_t)(milliseconds / 1000);
	int rest_ms = (int)(milliseconds % 1000);
	struct tm local;

	if (rest_ms < 0) {
		rest_ms += 1000;
		seconds--;
	}
	if (!localtime_r(&seconds, &local)) {
		ret_text[0] = '\0';
		return;
	}
	bool west = local.tm_gmtoff < 0;
	unsigned offset_minutes = (unsigned)(west ? -local.tm_gmtoff : local.tm_gmtoff) / 60;
	char date[24];
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &local);
	snprintf(ret_text, TIME_TEXT_SIZE, "%s.%03u%c%02u:%02u", date, (unsigned)rest_ms % 1000,
		west ? '-' : '+', offset_minutes / 60 % 100, offset_minutes % 60);
}

/* Reads exactly `digits` digits at *cursor and steps over them. */
static bool read_digits(const char **cursor, int digits, int *ret_value)
{
	int value = 0;

	for (int i = 0; i < digits; i++) {
		char c = (*cursor)[i];
		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*cursor += digits;
	*ret_value = value;
	return true;
}

static bool read_char(const char **cursor, const char *accepted)
{
	if (**cursor == '\0' || !strchr(accepted, **cursor))
		return false;
	(*cursor)++;
	return true;
}

/* The optional fraction of a second, any number of digits; below a microsecond it is cut. */
static bool read_fraction(const char **cursor, int64_t *ret_us)
{
	int64_t us = 0, unit = 100000;

	*ret_us = 0;
	if (!read_char(cursor, "."))
		return true;
	if (**cursor < '0' || **cursor > '9')
		return false;
	for (; **cursor >= '0' && **cursor <= '9'; (*cursor)++, unit /= 10)
		us += (**cursor - '0') * unit;
	*ret_us = us;
	return true;
}

static bool read_offset(const char **cursor, int *ret_seconds)
{
	int hours, minutes;

	*ret_seconds = 0;
	if (read_char(cursor, "Zz"))
		return true;
	bool west = **cursor == '-';
	if (!read_char(cursor, "+-") || !read_digits(cursor, 2, &hours) ||
		!read_char(cursor, ":") || !read_digits(cursor, 2, &minutes) || hours > 23 ||
		minutes > 59)
		return false;
	*ret_seconds = (hours * 60 + minutes) * (west ? -60 : 60);
	return true;
}

static bool day_exists(int year, int month, int day)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month >= 1 && month <= 12 && day >= 1 &&
	       day <= days[month - 1] + (month == 2 && leap);
}

int time_parse(const char *text, int64_t *ret_real_us, struct error *error)
{
	struct tm utc = { 0 };
	int64_t fraction_us;
	int offset, year, month;
	const char *cursor = text;

	if (!read_digits(&cursor, 4, &year) || !read_char(&cursor, "-") ||
		!read_digits(&cursor, 2, &month) || !read_char(&cursor, "-") ||
		!read_digits(&cursor, 2, &utc.tm_mday) || !read_char(&cursor, "Tt ") ||
		!read_digits(&cursor, 2, &utc.tm_hour) || !read_char(&cursor, ":") ||
		!read_digits(&cursor, 2, &utc.tm_min) || !read_char(&cursor, ":") ||
		!read_digits(&cursor, 2, &utc.tm_sec) || !read_fraction(&cursor, &fraction_us) ||
		!read_offset(&cursor, &offset) || *cursor != '\0')
		return error_set(error, -EINVAL,
			"thời điểm \"%.60s\" không đúng dạng; ví dụ đúng: "
			"2026-11-21T17:00:00+07:00",
			text);
	if (year < YEAR_MIN || year > YEAR_MAX || !day_exists(year, month, utc.tm_mday) ||
		utc.tm_hour > 23 || utc.tm_min > 59 || utc.tm_sec > 60)
		return error_set(error, -EINVAL, "không có thời điểm \"%.60s\" (năm %d đến %d)",
			text, YEAR_MIN, YEAR_MAX);
	utc.tm_year = year - 1900;
	utc.tm_mon = month - 1;
	*ret_real_us = (timegm(&utc) - (int64_t)offset) * US_PER_SEC + fraction_us;
	return 0;
}
