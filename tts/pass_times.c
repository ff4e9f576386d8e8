/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Times of the day and lengths of time: 7h30, 14:05, 7g30, 15', 45p, 2h15'30". Minutes of 00 are
 * not said. "g" is an hour only with minutes or beside a word that says so; else it is a gram.
 */
#include "tts/pass.h"

#include <string.h>

static bool is_hour(const struct pass *pass, size_t at)
{
	return pass_digits(pass, at) <= 2 && pass_value(pass, at, 24) >= 0;
}

static bool is_sixty(const struct pass *pass, size_t at)
{
	return pass_digits(pass, at) <= 2 && pass_value(pass, at, 59) >= 0;
}

/* 05: không năm; 00: nothing. */
static bool say_minutes(struct pass *pass, size_t at)
{
	const char *digits = pass->in[at].key;
	long minutes = pass_value(pass, at, 59);

	if (minutes == 0)
		return false;
	if (digits[0] == '0')
		pass_say(pass, "không");
	pass_say_value(pass, minutes);
	pass_say(pass, "phút");
	return true;
}

/* What belongs to the minutes and is said with them: ' p ph phút, am pm. */
static size_t tail(const struct pass *pass, size_t at)
{
	size_t count = 0;

	if (pass_is_sign(pass, at, '\'') && !pass_at(pass, at)->blank)
		return 1;
	if (pass_is_word(pass, at, "p") || pass_is_word(pass, at, "ph") ||
		pass_is_word(pass, at, "phút"))
		count = 1;
	return count;
}

/* "8:30 AM": of the day. */
static size_t say_half(struct pass *pass, size_t at, long hour)
{
	bool before_noon = pass_is_word(pass, at, "am");

	if ((!before_noon && !pass_is_word(pass, at, "pm")) || !pass_at(pass, at)->caps)
		return 0;
	pass_say(pass, before_noon ? "sáng" : hour >= 6 && hour != 12 ? "tối" : "chiều");
	return 1;
}

static size_t said_time(
	struct pass *pass, size_t at, size_t count, size_t hour_at, size_t minute_at)
{
	pass_say_value(pass, pass_value(pass, hour_at, 99));
	pass_say(pass, "giờ");
	say_minutes(pass, minute_at);
	count += tail(pass, at + count);
	count += say_half(pass, at + count, pass_value(pass, hour_at, 99));
	return pass_said(pass, at, count, SAID_TIME);
}

/* 7h30, 7h 30, 7g30, 7:30 */
static size_t hour_minute(struct pass *pass, size_t at, size_t count)
{
	if (!is_hour(pass, at) || !is_sixty(pass, at + 2))
		return 0;
	return said_time(pass, at, count, at, at + 2);
}

/* What may follow minutes that were written apart: "7h 30 sáng", but not "7h 30 người". */
static bool is_after_time(const struct pass *pass, size_t at)
{
	const struct token *token = pass_at(pass, at);

	return token->kind != TOKEN_WORD || pass_cue_right(pass, at, CUE_CLOCK_AFTER) ||
	       tail(pass, at) > 0;
}

/* "7h 30" */
static size_t hour_apart_minute(struct pass *pass, size_t at, size_t count)
{
	if (pass_digits(pass, at + 2) != 2 || !is_after_time(pass, at + count))
		return 0;
	return hour_minute(pass, at, count);
}

/* "7:30"; not "tỷ lệ 1:10", "tỷ số 3:1". */
static size_t hour_colon_minute(struct pass *pass, size_t at, size_t count)
{
	if (pass_digits(pass, at + 2) != 2 || pass_cue_near(pass, at, CUE_RATIO, 3) ||
		pass_cue_near(pass, at, CUE_SCORE, 3))
		return 0;
	return hour_minute(pass, at, count);
}

/* "lúc 8.30 sáng" */
static size_t hour_dot_minute(struct pass *pass, size_t at, size_t count)
{
	static const char *const halves[] = { "sáng", "trưa", "chiều", "tối", "đêm" };
	bool clock = pass_is_word(pass, at - 1, "lúc");

	for (size_t i = 0; i < countof(halves) && !clock; i++)
		clock = pass_is_word(pass, at + count, halves[i]);
	if (!clock || pass_digits(pass, at + 2) != 2 || pass_is_tight(pass, at - 1, '.') ||
		pass_is_tight(pass, at + count, '.'))
		return 0;
	return hour_minute(pass, at, count);
}

/* "8h.30" */
static size_t hour_stop_minute(struct pass *pass, size_t at, size_t count)
{
	if (!is_hour(pass, at) || pass_digits(pass, at + 3) != 2 || !is_sixty(pass, at + 3))
		return 0;
	return said_time(pass, at, count, at, at + 3);
}

/* 6AM, 7 PM */
static size_t hour_half(struct pass *pass, size_t at, size_t count)
{
	long hour = pass_value(pass, at, 12);

	if (hour <= 0 || pass_digits(pass, at) > 2 || !pass->in[at + 1].caps ||
		!(pass_is_word(pass, at + 1, "am") || pass_is_word(pass, at + 1, "pm")))
		return 0;
	pass_say_value(pass, hour);
	pass_say(pass, "giờ");
	say_half(pass, at + 1, hour);
	return pass_said(pass, at, count, SAID_TIME);
}

/* 17:00:00 */
static size_t hour_minute_second(struct pass *pass, size_t at, size_t count)
{
	if (!is_hour(pass, at) || pass_digits(pass, at + 2) != 2 || !is_sixty(pass, at + 2) ||
		pass_digits(pass, at + 4) != 2 || !is_sixty(pass, at + 4))
		return 0;
	pass_say_value(pass, pass_value(pass, at, 24));
	pass_say(pass, "giờ");
	if (say_minutes(pass, at + 2) && pass_value(pass, at + 4, 59) > 0) {
		pass_say_value(pass, pass_value(pass, at + 4, 59));
		pass_say(pass, "giây");
	}
	return pass_said(pass, at, count, SAID_TIME);
}

/* 2h15'30" */
static size_t hours_to_seconds(struct pass *pass, size_t at, size_t count)
{
	if (!is_hour(pass, at) || !is_sixty(pass, at + 2) || !is_sixty(pass, at + 4))
		return 0;
	pass_say_value(pass, pass_value(pass, at, 24));
	pass_say(pass, "giờ");
	say_minutes(pass, at + 2);
	pass_say_value(pass, pass_value(pass, at + 4, 59));
	pass_say(pass, "giây");
	if (pass_is_sign(pass, at + count, '"') || pass_is_word(pass, at + count, "s"))
		count++;
	else if (pass_is_sign(pass, at + count, '\'') && pass_is_sign(pass, at + count + 1, '\''))
		count += 2;
	return pass_said(pass, at, count, SAID_TIME);
}

/* 2'30" */
static size_t minutes_seconds(struct pass *pass, size_t at, size_t count)
{
	if (pass_value(pass, at, 999) < 0 || !is_sixty(pass, at + 2))
		return 0;
	pass_say_value(pass, pass_value(pass, at, 999));
	pass_say(pass, "phút");
	pass_say_value(pass, pass_value(pass, at + 2, 59));
	pass_say(pass, "giây");
	return pass_said(pass, at, count, SAID_TIME);
}

/* 7h, 48h, 24 h */
static size_t hours(struct pass *pass, size_t at, size_t count)
{
	if (pass_digits(pass, at) > 3 || pass_is_tight(pass, at - 1, '.') ||
		pass_is_tight(pass, at - 1, ','))
		return 0;
	pass_say_value(pass, pass_value(pass, at, 999));
	pass_say(pass, "giờ");
	return pass_said(pass, at, count, SAID_TIME);
}

/* 7g: after or before a word that says so. */
static size_t hours_or_grams(struct pass *pass, size_t at, size_t count)
{
	bool clock = pass_cue_left(pass, at, CUE_CLOCK) || pass_cue_left(pass, at, CUE_DAY) ||
		     pass_cue_right(pass, at + count, CUE_CLOCK_AFTER);

	/* từ 7g - 9g: the one tells of the other */
	if (!clock && pass_is_sign(pass, at - 1, '-'))
		clock = pass->out->count >= 2 &&
			pass->out->list[pass->out->count - 2].said == SAID_TIME &&
			pass->out->list[pass->out->count - 2].kind == TOKEN_SAID;
	/* "mở cửa 8g - 17g": nothing is weighed */
	if (!clock && pass_shape(pass, at, "Ng - Ng") > 0 && is_hour(pass, at + 3))
		clock = is_after_time(pass, at + 5);
	if (!clock || !is_hour(pass, at))
		return 0;
	return hours(pass, at, count);
}

static size_t minutes(struct pass *pass, size_t at, size_t count)
{
	if (pass_value(pass, at, 999) < 0)
		return 0;
	pass_say_value(pass, pass_value(pass, at, 999));
	pass_say(pass, "phút");
	return pass_said(pass, at, count, SAID_TIME);
}

/* 5-6 giờ is a range; "08 giờ 00 phút" has silent minutes, "8 giờ 05" a nought. */
static size_t hour_word_minutes(struct pass *pass, size_t at, size_t count)
{
	if (!pass_is_word(pass, at + 1, "giờ") || !is_hour(pass, at) ||
		pass_digits(pass, at + 2) != 2 || !is_sixty(pass, at + 2) ||
		pass_is_tight(pass, at + count, '/') || !is_after_time(pass, at + count))
		return 0;
	return said_time(pass, at, count, at, at + 2);
}

/* "từ 7-8h", "7 - 8h30" is left to pass_ranges; here only what comes with h, g, ', :. */
void pass_times(struct pass *pass)
{
	static const struct rule rules[] = {
		{ "NhN'N", hours_to_seconds },
		{ "NhNpN", hours_to_seconds },
		{ "N:N:N", hour_minute_second },
		{ "NhN", hour_minute },
		{ "N hN", hour_minute },
		{ "Nh N", hour_apart_minute },
		{ "N h N", hour_apart_minute },
		{ "Nh.N", hour_stop_minute },
		{ "N.N", hour_dot_minute },
		{ "NgN", hour_minute },
		{ "N:N", hour_colon_minute },
		{ "N W N", hour_word_minutes },
		{ "N W", hour_half },
		{ "Nh", hours },
		{ "N h", hours },
		{ "Ng", hours_or_grams },
		{ "N'N\"", minutes_seconds },
		{ "N'N''", minutes_seconds },
		{ "N'", minutes },
		{ "Np", minutes },
		{ 0 },
	};

	pass_run(pass, rules);
}
