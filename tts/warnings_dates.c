/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dates that do not exist, and dates whose weekday is another. */
#include "base/utf8.h"
#include "tts/letter.h"
#include "tts/numbers.h"
#include "tts/warnings.h"

#include <string.h>

#define DAY_WORDS_MAX    3 /* ba mươi mốt */
#define YEAR_WORDS_MAX   8 /* hai nghìn không trăm hai mươi sáu */
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

	/* 0, which stands for no year, is a leap year: 29 February may be meant. */
	return month == 2 && leap ? 29 : days[month - 1];
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

/* Whether a date begins within a few words from `at` on, in the same sentence. */
static bool date_follows(const struct normalised *normalised, size_t at)
{
	for (size_t i = at;
		i < at + BESIDE_WORDS_MAX + DAY_WORDS_MAX && i < normalised->words_count; i++) {
		if (is_word(normalised, i, "tháng") || is_word(normalised, i, "ngày"))
			return true;
		if (ends_sentence(normalised, i))
			return false;
	}
	return false;
}

/* After it, unless it belongs to the next date: "ngày 20, thứ Bảy ngày 21". */
static struct beside weekday_after(const struct normalised *normalised, size_t last)
{
	static const char *const between[] = { "là", "tức", "nhằm", "vào", "đúng" };

	for (size_t n = 1; n <= 2 && last + n + 1 < normalised->words_count; n++) {
		if (ends_sentence(normalised, last + n - 1))
			break;
		int found = weekday_at(normalised, last + n);
		if (found >= 0 && (ends_sentence(normalised, last + n + 1) ||
					  !date_follows(normalised, last + n + 2)))
			return (struct beside){ found, last + n };
		if (found >= 0 || !is_one_of(normalised, last + n, between, countof(between)))
			break;
	}
	return (struct beside){ -1, 0 };
}

/* --- Dates ----------------------------------------------------------------------------------- */

struct said_date { /* as it is said, however it was written: 5/6, 5 tháng 6, ngày năm tháng sáu */
	unsigned day, month, year; /* year 0: none */
	size_t first, last;        /* its words */
};

/* The number that words[first..to) say without a pause between them. */
static bool number_of(
	const struct normalised *normalised, size_t first, size_t to, uint64_t *ret_value)
{
	_cleanup_(strbuf_done) struct strbuf text = { 0 };

	for (size_t i = first; i < to; i++) {
		if (i + 1 < to && normalised->words[i].pause != SPOKEN_PAUSE_NONE)
			return false;
		numbers_word(normalised->words[i].text, &text);
	}
	/* The first of a sentence has a capital. */
	if (text.length > 0 && text.text[0] >= 'A' && text.text[0] <= 'Z')
		text.text[0] |= 0x20;
	return text.length > 0 && numbers_parse(text.text, text.length, ret_value);
}

/* The longest number of at most `most` words that begins at `first`; *ret_words: how many. */
static bool number_from(const struct normalised *normalised, size_t first, size_t most,
	uint64_t *ret_value, size_t *ret_words)
{
	for (size_t words = most; words > 0; words--)
		if (first + words <= normalised->words_count &&
			number_of(normalised, first, first + words, ret_value)) {
			*ret_words = words;
			return true;
		}
	return false;
}

static bool day_before(const struct normalised *normalised, size_t month, struct said_date *date)
{
	uint64_t value;

	for (size_t words = DAY_WORDS_MAX; words > 0; words--) {
		if (words > month || normalised->words[month - 1].pause != SPOKEN_PAUSE_NONE ||
			!number_of(normalised, month - words, month, &value) || value > 99)
			continue;
		date->day = (unsigned)value;
		date->first = month - words;
		return true;
	}
	return false;
}

/* "tháng năm năm hai nghìn": a month has one word, or two after mười. */
static bool month_at(const struct normalised *normalised, size_t at, struct said_date *date)
{
	uint64_t value;
	size_t words;

	if (normalised->words[at].pause != SPOKEN_PAUSE_NONE || at + 1 >= normalised->words_count)
		return false;
	/* "tháng mười năm hai nghìn" has no fifteenth month. */
	bool two = is_word(normalised, at + 1, "mười") && !is_word(normalised, at + 2, "năm");
	size_t most = two ? 2 : 1;
	if (!number_from(normalised, at + 1, most, &value, &words))
		return false;
	/* "tháng mười ba": there is none, and no other number is said so. */
	date->month = value > 99 ? 99 : (unsigned)value;
	date->last = at + words;
	return true;
}

static void year_after(const struct normalised *normalised, struct said_date *date)
{
	size_t at = date->last + 1, words;
	uint64_t value;

	date->year = 0;
	if (normalised->words[date->last].pause != SPOKEN_PAUSE_NONE ||
		!is_word(normalised, at, "năm") ||
		!number_from(normalised, at + 1, YEAR_WORDS_MAX, &value, &words) || value < 1000 ||
		value > 9999)
		return;
	date->year = (unsigned)value;
	date->last = at + words;
}

/* The date whose "tháng" is words[at]. More than 31 days are a date only where it says so: "36 tháng
 * 2 ngày" is a time. */
static bool date_at(const struct normalised *normalised, size_t at, struct said_date *ret_date)
{
	struct said_date date;

	if (!is_word(normalised, at, "tháng") || !day_before(normalised, at, &date) ||
		!month_at(normalised, at, &date))
		return false;
	bool named = date.first > 0 && is_word(normalised, date.first - 1, "ngày");
	if (!named && (date.day > 31 || date.day == 0))
		return false;
	year_after(normalised, &date);
	*ret_date = date;
	return true;
}

/* --- Checks ---------------------------------------------------------------------------------- */

/* Lunar months have 29 or 30 days, whatever their number. */
#define LUNAR_DAYS_MAX 30
static bool is_lunar(const struct normalised *normalised, const struct said_date *date)
{
	for (size_t i = date->last + 1; i <= date->last + 2; i++)
		if (is_word(normalised, i, "âm") && is_word(normalised, i + 1, "lịch"))
			return true;
	return false;
}

static bool exists(const struct said_date *date, bool lunar)
{
	if (date->month < 1 || date->month > 12 || date->day < 1)
		return false;
	return date->day <= (lunar ? LUNAR_DAYS_MAX : days_in(date->year, date->month));
}

static void warn_no_date(struct warnings *warnings, const struct normalised *normalised,
	const struct said_date *date)
{
	char *detail;

	if (date->month < 1 || date->month > 12)
		detail = xasprintf("không có tháng %u", date->month);
	else if (date->year > 0)
		detail = xasprintf(
			"không có ngày %u tháng %u năm %u", date->day, date->month, date->year);
	else
		detail = xasprintf("không có ngày %u tháng %u", date->day, date->month);
	warnings_add(warnings, WARNING_NO_SUCH_DATE, normalised->words[date->first].from,
		normalised->words[date->last].to, detail);
}

static void check_weekday(struct warnings *warnings, const struct normalised *normalised,
	const struct said_date *date)
{
	unsigned actual = weekday(date->year, date->month, date->day);
	struct beside beside = weekday_before(normalised, date->first);

	if (beside.weekday < 0)
		beside = weekday_after(normalised, date->last);
	if (beside.weekday < 0 || (unsigned)beside.weekday == actual)
		return;
	size_t first = beside.word < date->first ? beside.word : date->first;
	size_t last = beside.word < date->first ? date->last : beside.word + 1;
	warnings_add(warnings, WARNING_WRONG_WEEKDAY, normalised->words[first].from,
		normalised->words[last].to,
		xasprintf("ngày %u tháng %u năm %u là %s, không phải %s", date->day, date->month,
			date->year, weekday_names[actual], weekday_names[beside.weekday]));
}

void warnings_find_dates(struct warnings *warnings, const struct normalised *normalised)
{
	for (size_t i = 0; i < normalised->words_count; i++) {
		struct said_date date;
		if (!date_at(normalised, i, &date))
			continue;
		bool lunar = is_lunar(normalised, &date);
		if (!exists(&date, lunar))
			warn_no_date(warnings, normalised, &date);
		else if (!lunar && date.year > 0)
			check_weekday(warnings, normalised, &date);
	}
}
