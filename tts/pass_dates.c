/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Dates: D/M/Y, M/Y, D/M where it is no fraction, and their ranges D-D/M. What N/M is, is told by
 * the words beside it (tables/cues.tsv); if they say nothing, a possible date is one.
 */
#include "tts/pass.h"

#include <string.h>

struct date {
	long day, month, year; /* 0: not written */
};

/* --- Saying ------------------------------------------------------------------------------------- */

static void remember(struct pass *pass, const struct date *date, size_t at, size_t count)
{
	struct passage *passage = pass->passage;
	struct normalised *result = passage->result;

	if (result->dates_count == passage->dates_capacity) {
		passage->dates_capacity = passage->dates_capacity ? passage->dates_capacity * 2 : 8;
		result->dates = xreallocarray(
			result->dates, passage->dates_capacity, sizeof *result->dates);
	}
	result->dates[result->dates_count++] = (struct written_date){
		.day = (unsigned)date->day,
		.month = (unsigned)date->month,
		.year = (unsigned)date->year,
		.from = pass->in[at].from,
		.to = pass->in[at + count - 1].to,
	};
}

/* "các ngày 5, 6 và 7/6": the day is one of a list, and "ngày" was said before it. */
static bool is_listed(const struct pass *pass, size_t at)
{
	return (pass_is_sign(pass, at - 1, ',') || pass_is_word(pass, at - 1, "và") ||
		       pass_is_sign(pass, at - 1, '-')) &&
	       pass_at(pass, at - 2)->kind == TOKEN_NUMBER && !pass_is_sign(pass, at - 3, '/');
}

static void say_month_number(struct pass *pass, long month)
{
	if (month == 4)
		pass_say(pass, "tư");
	else
		pass_say_value(pass, month);
}

static void say_month(struct pass *pass, long month)
{
	pass_say(pass, "tháng");
	say_month_number(pass, month);
}

static void say_year(struct pass *pass, long year)
{
	if (year == 0)
		return;
	pass_say(pass, "năm");
	pass_say_value(pass, year);
}

static void say_day_word(struct pass *pass, size_t at)
{
	if (!pass_cue_left(pass, at, CUE_BARE_DAY) && !pass_cue_left(pass, at, CUE_NAMED) &&
		!is_listed(pass, at))
		pass_say(pass, "ngày");
}

static size_t said_date(struct pass *pass, size_t at, size_t count, const struct date *date)
{
	say_day_word(pass, at);
	pass_say_value(pass, date->day);
	say_month(pass, date->month);
	say_year(pass, date->year);
	remember(pass, date, at, count);
	return pass_said(pass, at, count, SAID_DATE);
}

/* --- With a year -------------------------------------------------------------------------------- */

/* Four digits, or two that stand for one of 1951…2050. */
static long year_at(const struct pass *pass, size_t at)
{
	long year = pass_value(pass, at, 2999);
	size_t digits = pass_digits(pass, at);

	if (digits == 4 && year >= 1000)
		return year;
	return digits == 2 && year >= 0 ? year + (year > 50 ? 1900 : 2000) : 0;
}

static bool is_day(const struct pass *pass, size_t at)
{
	return pass_value(pass, at, 31) > 0 && pass_digits(pass, at) <= 2;
}

static bool is_month(const struct pass *pass, size_t at)
{
	return pass_value(pass, at, 12) > 0 && pass_digits(pass, at) <= 2;
}

/* What follows would make it another thing: 1/2/3/4, 12.5.2021.3 */
static bool goes_on(const struct pass *pass, size_t at, uint32_t sign)
{
	const struct token *next = pass_at(pass, at + 1);

	return pass_is_tight(pass, at, sign) && next->kind == TOKEN_NUMBER;
}

static size_t full(struct pass *pass, size_t at, size_t count)
{
	uint32_t sign = pass->in[at + 1].sign;
	struct date date = { pass_value(pass, at, 31), pass_value(pass, at + 2, 12),
		year_at(pass, at + 4) };

	if (!is_day(pass, at) || !is_month(pass, at + 2) || date.year == 0 ||
		goes_on(pass, at + count, sign))
		return 0;
	/* 1.2.21 and 16-16-08 are dates only beside a word that says so */
	if (pass_digits(pass, at + 4) == 2 && sign != '/' && !pass_cue_near(pass, at, CUE_DAY, 2))
		return 0;
	return said_date(pass, at, count, &date);
}

static size_t month_of_year(struct pass *pass, size_t at, size_t count)
{
	struct date date = { 0, pass_value(pass, at, 12), year_at(pass, at + 2) };
	bool named = pass_is_word(pass, at - 1, "tháng");

	if (pass_digits(pass, at + 2) != 4 || date.year < 1000)
		return 0;
	if (pass_cue_left(pass, at, CUE_PERIOD) || pass->in[at].roman) {
		if (pass_value(pass, at, 999) < 0 || pass_cue_left(pass, at, CUE_RATIO))
			return 0;
		pass_say_value(pass, pass_value(pass, at, 999));
		say_year(pass, date.year);
		return pass_said(pass, at, count, SAID_DATE);
	}
	if (!is_month(pass, at) || (date.year < 1800 && !named) ||
		pass_cue_left(pass, at, CUE_RATIO) || goes_on(pass, at + count, '/') ||
		(pass->in[at + 1].sign == '-' && !named))
		return 0;
	if (!named)
		pass_say(pass, "tháng");
	say_month_number(pass, date.month);
	say_year(pass, date.year);
	remember(pass, &date, at, count);
	return pass_said(pass, at, count, SAID_DATE);
}

/* T3/2021, T12/2025 */
static size_t short_month(struct pass *pass, size_t at, size_t count)
{
	struct date date = { 0, pass_value(pass, at + 1, 12), year_at(pass, at + 3) };

	if (!pass->in[at].capital || !is_month(pass, at + 1) || pass_digits(pass, at + 3) != 4 ||
		date.year < 1800)
		return 0;
	say_month(pass, date.month);
	say_year(pass, date.year);
	return pass_said(pass, at, count, SAID_DATE);
}

/* --- Without a year ----------------------------------------------------------------------------- */

static bool is_holiday(long day, long month)
{
	char written[48];
	int length = snprintf(written, sizeof written, "%ld/%ld", day, month);

	return table_find(&table_holidays, written, (size_t)length) != NULL;
}

/* Whether N/M at `at` is a date, `after` the token behind it. The first rule that knows decides. */
static bool is_date(const struct pass *pass, size_t at, size_t after)
{
	long day = pass_value(pass, at, 31), month = pass_value(pass, at + 2, 12);

	if (pass_cue_left(pass, at, CUE_DAY) || pass_cue_left(pass, at, CUE_BARE_DAY) ||
		(pass_cue_left(pass, at, CUE_NAMED) && is_holiday(day, month)))
		return true;
	if (pass_cue_left(pass, at, CUE_PLACE) || pass_cue_near(pass, at, CUE_PRESSURE, 3) ||
		pass_cue_near(pass, at, CUE_RATIO, 3))
		return false;
	if (pass_cue_right(pass, after, CUE_SHARE) || pass_cue_right(pass, after, CUE_COUNT) ||
		pass_is_sign(pass, after, '%'))
		return false;
	if (pass_cue_right(pass, after, CUE_LUNAR))
		return true;
	if (pass_cue_near(pass, at, CUE_DATE, 3) || pass_is_sign(pass, at - 1, '('))
		return true;
	if (is_holiday(day, month))
		return true;
	if (day < month && month <= 10 && pass_cue_near(pass, at, CUE_PART, 2))
		return false;
	return !pass_cue_left(pass, at, CUE_REACHED);
}

static size_t day_of_month(struct pass *pass, size_t at, size_t count)
{
	struct date date = { pass_value(pass, at, 31), pass_value(pass, at + 2, 12), 0 };

	if (!is_day(pass, at) || !is_month(pass, at + 2) || goes_on(pass, at + count, '/') ||
		pass_is_tight(pass, at - 1, '/') || pass->in[at].roman ||
		!is_date(pass, at, at + count))
		return 0;
	const struct token *next = pass_at(pass, at + count);
	if (!next->blank && next->kind == TOKEN_WORD)
		return 0; /* 1/2kg, 3/4m */
	return said_date(pass, at, count, &date);
}

/* "nghỉ lễ 30-4, 1-5"; not "nghỉ 2-9 ngày" */
static bool is_feast(const struct pass *pass, size_t at, size_t after)
{
	return is_holiday(pass_value(pass, at, 31), pass_value(pass, at + 2, 12)) &&
	       pass_cue_near(pass, at, CUE_FEAST, 6) &&
	       !(pass_at(pass, after)->begins & (CUE_BIT(CUE_COUNT) | CUE_BIT(CUE_PER)));
}

/* "nghỉ 1/2 ngày": half of it, not the first of February. */
static size_t half(struct pass *pass, size_t at, size_t count)
{
	static const char *const words[] = { "ngày", "tháng", "năm", "buổi" };

	if (pass_value(pass, at, 1) != 1 || pass_value(pass, at + 2, 2) != 2 ||
		pass_cue_left(pass, at, CUE_DAY) || pass_is_word(pass, at - 1, "từ") ||
		pass_at(pass, at + count + 1)->kind == TOKEN_NUMBER)
		return 0;
	for (size_t i = 0; i < countof(words); i++)
		if (pass_is_word(pass, at + count, words[i])) {
			pass_say(pass, "nửa");
			return pass_said(pass, at, count, SAID_WORDS);
		}
	return 0;
}

/* "ngày 28-9", "ngày 14.5": only right after such a word, and not "từ ngày 5-7 tháng 6". */
static size_t day_with_dash(struct pass *pass, size_t at, size_t count)
{
	struct date date = { pass_value(pass, at, 31), pass_value(pass, at + 2, 12), 0 };
	bool dot = pass->in[at + 1].sign == '.';

	if (!is_day(pass, at) || !is_month(pass, at + 2) ||
		goes_on(pass, at + count, pass->in[at + 1].sign) ||
		pass_is_word(pass, at + count, "tháng") || pass_is_sign(pass, at + count, '/'))
		return 0;
	bool named = pass_cue_left(pass, at, CUE_NAMED) && is_holiday(date.day, date.month);
	named = named || is_feast(pass, at, at + count) ||
		(dot && pass_is_word(pass, at - 1, "hạn"));
	if (!named && !pass_is_word(pass, at - 1, "ngày") &&
		(!pass_cue_left(pass, at, CUE_DAY) ||
			(pass_at(pass, at + count)->begins &
				(CUE_BIT(CUE_COUNT) | CUE_BIT(CUE_PER)))))
		return 0;
	if (!dot && (pass_is_word(pass, at - 2, "từ") || pass_is_word(pass, at - 2, "các")) &&
		date.day < date.month)
		return 0;
	return said_date(pass, at, count, &date);
}

/* "10-12/5", "27 – 31/10/2021": the first day goes over as a number, for pass_ranges. */
static size_t days_of_month(struct pass *pass, size_t at, size_t count)
{
	bool year = count > 5 || (count == 5 && pass_is_tight(pass, at + count, '/') &&
					 year_at(pass, at + 6) > 0);
	struct date date = { pass_value(pass, at + 2, 31), pass_value(pass, at + 4, 12), 0 };

	if (!is_day(pass, at) || !is_day(pass, at + 2) || !is_month(pass, at + 4) ||
		pass_value(pass, at, 31) >= date.day || pass_is_tight(pass, at - 1, '/'))
		return 0;
	if (year) {
		date.year = year_at(pass, at + 6);
		count += 2;
	}
	if (!year && goes_on(pass, at + count, '/'))
		return 0;
	if (!year && !is_date(pass, at, at + count))
		return 0;
	say_day_word(pass, at);
	pass_say_value(pass, pass_value(pass, at, 31));
	pass_say(pass, "đến");
	pass_say_value(pass, date.day);
	say_month(pass, date.month);
	say_year(pass, date.year);
	remember(pass, &date, at + 2, count - 2);
	return pass_said(pass, at, count, SAID_DATE);
}

/* "(SN 1954)", "sn 1990"; not "SN 12" (số nhà). */
static size_t born(struct pass *pass, size_t at, size_t count)
{
	long year = pass_value(pass, at + 1, 2100);

	if (!pass_is_word(pass, at, "sn") || pass_digits(pass, at + 1) != 4 || year < 1850)
		return 0;
	pass_say(pass, "sinh năm");
	pass_say_value(pass, year);
	return pass_said(pass, at, count, SAID_DATE);
}

void pass_dates(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "W N", born },
		{ "N / N / N", full },
		{ "N-N-N", full },
		{ "N.N.N", full },
		{ "N - N / N", days_of_month },
		{ "tN/N", short_month },
		{ "N/N", month_of_year },
		{ "N-N", month_of_year },
		{ "N/N", half },
		{ "N/N", day_of_month },
		{ "N.N", day_with_dash },
		{ "N-N", day_with_dash },
		{ 0 },
	};

	pass_run(pass, rules);
}
