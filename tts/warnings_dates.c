/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dates that do not exist, and dates whose weekday is another. */
#include "tts/letter.h"
#include "base/utf8.h"
#include "tts/warnings.h"

#include <string.h>

#define BESIDE_WORDS_MAX 3 /* between a weekday and its date: "thứ Sáu, vào sáng ngày …" */

static const char *const weekday_names[] = { "Chủ nhật", "thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm",
	"thứ Sáu", "thứ Bảy" };

/* Of the proleptic Gregorian calendar; 0: Sunday. Sakamoto's rule: a year begins in March, and the
 * table has the days that the months before shift it. */
static unsigned weekday(unsigned year, unsigned month, unsigned day)
{
	static const unsigned shifts[] = { 0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4 };

	if (month < 3)
		year--;
	return (year + year / 4 - year / 100 + year / 400 + shifts[month - 1] + day) % 7;
}

static unsigned days_in(unsigned year, unsigned month)
{
	static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	/* Without a year, 29 February may be meant. */
	return month == 2 && (year == 0 || leap) ? 29 : days[month - 1];
}

/* --- Words ---------------------------------------------------------------------------------- */

/* Whether words[i] is `text` (lower case), a capital at its beginning or not. */
static bool is_word(const struct normalised *normalised, size_t i, const char *text)
{
	if (i >= normalised->words_count)
		return false;
	const char *word = normalised->words[i].text;
	uint32_t c = 0, expected = 0;
	size_t first = utf8_decode(word, strlen(word), &c);
	size_t length = utf8_decode(text, strlen(text), &expected);

	return first == length && letter_lower(c) == expected &&
	       strcmp(word + first, text + length) == 0;
}

static bool is_one_of(
	const struct normalised *normalised, size_t i, const char *const words[], size_t count)
{
	for (size_t n = 0; n < count; n++)
		if (is_word(normalised, i, words[n]))
			return true;
	return false;
}

/* The weekday that words[i] and words[i + 1] name; −1: none. */
static int weekday_at(const struct normalised *normalised, size_t i)
{
	static const char *const numbers[] = { "hai", "ba", "tư", "năm", "sáu", "bảy" };

	if (is_word(normalised, i, "thứ"))
		for (size_t n = 0; n < countof(numbers); n++)
			if (is_word(normalised, i + 1, numbers[n]))
				return (int)n + 1;
	if ((is_word(normalised, i, "chủ") || is_word(normalised, i, "chúa")) &&
		is_word(normalised, i + 1, "nhật"))
		return 0;
	return -1;
}

static bool ends_sentence(const struct normalised *normalised, size_t i)
{
	return normalised->words[i].pause >= SPOKEN_PAUSE_STOP;
}

struct beside { /* the weekday written beside a date */
	int weekday;
	size_t word; /* its first */
};

/* Before it, with no more than a few small words between. */
static struct beside weekday_before(const struct normalised *normalised, size_t date)
{
	static const char *const between[] = { "ngày", "là", "sáng", "trưa", "chiều", "tối", "đêm",
		"vào", "hôm", "tức", "buổi", "nhằm" };

	for (size_t n = 0; n <= BESIDE_WORDS_MAX && date >= n + 2; n++) {
		size_t word = date - n - 2;
		if (ends_sentence(normalised, word + 1))
			break;
		int found = weekday_at(normalised, word);
		if (found >= 0)
			return (struct beside){ found, word };
		if (!is_one_of(normalised, word + 1, between, countof(between)))
			break;
	}
	return (struct beside){ -1, 0 };
}

/* After it, unless it belongs to the next date: "ngày 20, thứ Bảy ngày 21". */
static struct beside weekday_after(const struct normalised *normalised, size_t last, size_t next)
{
	static const char *const between[] = { "là", "tức", "nhằm", "vào", "đúng" };

	for (size_t n = 1; n <= 2 && last + n < next; n++) {
		if (ends_sentence(normalised, last + n - 1))
			break;
		int found = weekday_at(normalised, last + n);
		bool free = last + n + 2 + BESIDE_WORDS_MAX < next &&
			    !is_word(normalised, last + n + 2, "ngày");
		if (found >= 0)
			return free ? (struct beside){ found, last + n } : (struct beside){ -1, 0 };
		if (!is_one_of(normalised, last + n, between, countof(between)))
			break;
	}
	return (struct beside){ -1, 0 };
}

/* --- Checks --------------------------------------------------------------------------------- */

/* Lunar months have 29 or 30 days, whatever their number. */
#define LUNAR_DAYS_MAX 30
static bool is_lunar(const struct normalised *normalised, size_t last)
{
	for (size_t i = last + 1; i <= last + 2 && i + 1 < normalised->words_count; i++)
		if (is_word(normalised, i, "âm") && is_word(normalised, i + 1, "lịch"))
			return true;
	return false;
}

static bool exists(const struct written_date *date, bool lunar)
{
	if (date->month < 1 || date->month > 12)
		return false;
	if (date->day == 0)
		return true;
	return date->day <= (lunar ? LUNAR_DAYS_MAX : days_in(date->year, date->month));
}

static void warn_no_date(struct warnings *warnings, const struct written_date *date)
{
	char *detail;

	if (date->month < 1 || date->month > 12)
		detail = xasprintf("không có tháng %u", date->month);
	else if (date->year > 0)
		detail = xasprintf(
			"không có ngày %u tháng %u năm %u", date->day, date->month, date->year);
	else
		detail = xasprintf("không có ngày %u tháng %u", date->day, date->month);
	warnings_add(warnings, WARNING_NO_SUCH_DATE, date->from, date->to, detail);
}

static void check_weekday(struct warnings *warnings, const struct normalised *normalised,
	const struct written_date *date, const struct beside *beside)
{
	unsigned actual = weekday(date->year, date->month, date->day);
	const struct spoken_word *name = &normalised->words[beside->word];

	if (beside->weekday < 0 || (unsigned)beside->weekday == actual)
		return;
	size_t from = name->from < date->from ? name->from : date->from;
	size_t name_to = normalised->words[beside->word + 1].to;
	warnings_add(warnings, WARNING_WRONG_WEEKDAY, from, name_to > date->to ? name_to : date->to,
		xasprintf("ngày %u tháng %u năm %u là %s, không phải %s", date->day, date->month,
			date->year, weekday_names[actual], weekday_names[beside->weekday]));
}

/* The first word of what was written at `from`, from word `at` on. */
static size_t word_of(const struct normalised *normalised, size_t at, size_t from)
{
	while (at < normalised->words_count && normalised->words[at].from < from)
		at++;
	return at;
}

void warnings_find_dates(struct warnings *warnings, const struct normalised *normalised)
{
	size_t first = 0;

	for (size_t i = 0; i < normalised->dates_count; i++) {
		const struct written_date *date = &normalised->dates[i];
		first = word_of(normalised, first, date->from);
		size_t end = word_of(normalised, first, date->to);
		size_t next = i + 1 < normalised->dates_count
				      ? word_of(normalised, end, normalised->dates[i + 1].from)
				      : normalised->words_count + BESIDE_WORDS_MAX;
		if (first == end)
			continue;
		bool lunar = is_lunar(normalised, end - 1);
		if (!exists(date, lunar)) {
			warn_no_date(warnings, date);
			continue;
		}
		if (lunar || date->day == 0 || date->year == 0)
			continue;
		struct beside beside = weekday_before(normalised, first);
		if (beside.weekday < 0)
			beside = weekday_after(normalised, end - 1, next);
		check_weekday(warnings, normalised, date, &beside);
	}
}
