/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a rule of crontab(5) means, written down a second time and as plainly as can be: each field as a
 * table of the values that it names, read anew from the text. Knows no dates and refuses nothing.
 */
#pragma once

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
	bool minutes[60], hours[24], month_days[32], months[13], week_days[8];
	bool either, once, last_day, all_months;
};

/* What a clock and two calendars show. */
struct oracle_day {
	int week_day;
	int month, month_day; /* solar */
	int lunar_month, lunar_day;
	bool leap, last; /* of the lunar month */
};

static inline int oracle_value(const char *word, const char *names, int low)
{
	char lower[4] = { 0 };

	if (!isalpha((unsigned char)*word))
		return atoi(word);
	for (int i = 0; i < 3; i++)
		lower[i] = (char)tolower((unsigned char)word[i]);
	return low + (int)(strstr(names, lower) - names) / 3;
}

static inline void oracle_field(
	const char *text, const char *names, int low, int high, bool *values, bool *ret_last)
{
	char copy[256], *rest = copy, *element;

	snprintf(copy, sizeof copy, "%s", text);
	while ((element = strsep(&rest, ","))) {
		const char *slash = strchr(element, '/'), *dash = strchr(element, '-');
		int step = slash ? atoi(slash + 1) : 1;
		int first = *element == '*' ? low : oracle_value(element, names, low);
		int last = *element == '*' ? high
			   : dash          ? oracle_value(dash + 1, names, low)
					   : first;
		if (strcmp(element, "L") == 0) {
			*ret_last = true;
			continue;
		}
		for (int value = low; value <= high; value++)
			if (value >= first && value <= last && (value - first) % step == 0)
				values[value] = true;
	}
}

/* `text`: five words with one blank between. */
static inline struct oracle oracle_read(const char *text, bool lunar)
{
	struct oracle oracle = { 0 };
	char words[5][256];
	bool nothing;

	if (sscanf(text, "%255s %255s %255s %255s %255s", words[0], words[1], words[2], words[3],
		    words[4]) != 5)
		abort();
	oracle_field(words[0], "", 0, 59, oracle.minutes, &nothing);
	oracle_field(words[1], "", 0, 23, oracle.hours, &nothing);
	oracle_field(words[2], "", 1, lunar ? 30 : 31, oracle.month_days, &oracle.last_day);
	oracle_field(
		words[3], "janfebmaraprmayjunjulaugsepoctnovdec", 1, 12, oracle.months, &nothing);
	oracle_field(words[4], "sunmontuewedthufrisat", 0, 7, oracle.week_days, &nothing);
	oracle.week_days[0] = oracle.week_days[7] = oracle.week_days[0] || oracle.week_days[7];
	oracle.either = !strchr(words[2], '*') && !strchr(words[4], '*');
	oracle.once = !strchr(words[0], '*') && !strchr(words[1], '*');
	for (const char *star = words[3]; (star = strchr(star, '*')); star++)
		oracle.all_months = oracle.all_months || star[1] == ',' || star[1] == '\0';
	return oracle;
}

static inline bool oracle_day(const struct oracle *oracle, const struct oracle_day *day, bool lunar)
{
	bool by_week = oracle->week_days[day->week_day];
	bool by_month = oracle->month_days[day->month_day];

	if (lunar)
		by_month = oracle->month_days[day->lunar_day] || (oracle->last_day && day->last);
	if (lunar && day->leap && !oracle->all_months)
		return false;
	if (!oracle->months[lunar ? day->lunar_month : day->month])
		return false;
	return oracle->either ? by_week || by_month : by_week && by_month;
}
