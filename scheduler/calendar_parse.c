/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utf8.h"
#include "scheduler/calendar.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum part { MINUTE, HOUR, MONTH_DAY, MONTH, WEEK_DAY, PARTS };

#define NAMES_MAX   12
#define BLANKS      " \t"
#define NUMBER_MAX  9999 /* greater ones are refused like this one, whatever the field */
#define QUOTE_BYTES 40

static const char *const month_names[NAMES_MAX] = { "jan", "feb", "mar", "apr", "may", "jun", "jul",
	"aug", "sep", "oct", "nov", "dec" };
static const char *const week_day_names[NAMES_MAX] = { "sun", "mon", "tue", "wed", "thu", "fri",
	"sat" };

struct field {
	enum part part;
	enum calendar_kind kind;
	const char *called;
	int low, high;
	const char *const *names; /* of low, low + 1, … */
	const char *named;
};

#define FIELDS(kind, day_called, day_high, month_called, month_names, months_named)               \
	{                                                                                         \
		{ MINUTE, kind, "phút (minute)", 0, 59, NULL, NULL },                             \
			{ HOUR, kind, "giờ (hour)", 0, 23, NULL, NULL },                          \
			{ MONTH_DAY, kind, day_called, 1, day_high, NULL, NULL },                 \
			{ MONTH, kind, month_called, 1, 12, month_names, months_named },          \
			{ WEEK_DAY, kind, "thứ (day of week)", 0, 7, week_day_names, "sun…sat" }, \
	}

static const struct field fields[][PARTS] = {
	[CALENDAR_SOLAR] = FIELDS(CALENDAR_SOLAR, "ngày trong tháng (day of month)", 31,
		"tháng (month)", month_names, "jan…dec"),
	[CALENDAR_LUNAR] = FIELDS(CALENDAR_LUNAR, "ngày âm lịch (lunar day of month)", 30,
		"tháng âm lịch (lunar month)", NULL, NULL),
};

static const struct {
	const char *name, *rule;
} macros[] = {
	{ "@hourly", "0 * * * *" },
	{ "@daily", "0 0 * * *" },
	{ "@midnight", "0 0 * * *" },
	{ "@weekly", "0 0 * * 0" },
	{ "@monthly", "0 0 1 * *" },
	{ "@yearly", "0 0 1 1 *" },
	{ "@annually", "0 0 1 1 *" },
};

struct quote {
	char text[QUOTE_BYTES + sizeof "…"];
};

/* A piece of the rule as it can be shown to a person, whatever it is. */
static struct quote quote(const char *text)
{
	struct quote quoted;
	size_t length = strlen(text);
	size_t shown = utf8_cut(text, length, QUOTE_BYTES);
	bool readable = utf8_valid_prefix(text, shown) == shown;

	for (size_t i = 0; i < shown; i++) {
		unsigned char byte = (unsigned char)text[i];
		bool fine = byte >= ' ' && byte != 0x7f && (byte < 0x80 || readable);
		quoted.text[i] = fine ? text[i] : '?';
	}
	snprintf(quoted.text + shown, sizeof quoted.text - shown, "%s", shown < length ? "…" : "");
	return quoted;
}

/* 1…NAMES_MAX; 0: it is none of them. */
static int find_name(const char *const names[NAMES_MAX], const char *word)
{
	for (int i = 0; i < NAMES_MAX && names[i]; i++)
		if (strcasecmp(names[i], word) == 0)
			return i + 1;
	return 0;
}

static int refuse_word(const struct field *field, const char *word, struct error *error)
{
	struct quote shown = quote(word);

	if (*word == '\0')
		return error_set(error, -EINVAL, "thiếu một số (a number is missing)");
	if (field->part == MONTH_DAY && strcasecmp(word, "L") == 0)
		return error_set(error, -EINVAL,
			field->kind == CALENDAR_LUNAR
				? "\"L\" chỉ đứng một mình hoặc trong danh sách, viết hoa (L "
				  "stands alone "
				  "or in a list, as a capital)"
				: "\"L\" chỉ có ở âm lịch (L is of the lunar calendar only)");
	if (field->part == MONTH && find_name(month_names, word))
		return error_set(error, -EINVAL,
			"\"%s\" là tháng dương lịch, tháng âm lịch viết bằng số 1–12 (name of a "
			"solar "
			"month, write 1–12)",
			shown.text);
	if (field->names)
		return error_set(error, -EINVAL,
			"\"%s\" không phải là số hoặc tên %s (neither a number nor a name)",
			shown.text, field->named);
	return error_set(error, -EINVAL, "\"%s\" không phải là số (not a number)", shown.text);
}

/* Digits only; a great number is NUMBER_MAX. -1: it is none. */
static int number_of(const char *word)
{
	int number = 0;

	if (*word == '\0' || word[strspn(word, "0123456789")] != '\0')
		return -1;
	for (; *word; word++)
		if ((number = number * 10 + (*word - '0')) > NUMBER_MAX)
			return NUMBER_MAX;
	return number;
}

static int parse_value(
	const struct field *field, const char *word, int *ret_value, struct error *error)
{
	int value = number_of(word);
	int name = value < 0 && field->names ? find_name(field->names, word) : 0;

	if (name)
		value = field->low + name - 1;
	if (value < 0)
		return refuse_word(field, word, error);
	if (value > field->high)
		return error_set(error, -EINVAL, "\"%s\" lớn hơn %d (greater than %d)",
			quote(word).text, field->high, field->high);
	if (value < field->low)
		return error_set(error, -EINVAL, "\"%s\" nhỏ hơn %d (less than %d)",
			quote(word).text, field->low, field->low);
	*ret_value = value;
	return 0;
}

static int parse_step(const char *word, int *ret_step, struct error *error)
{
	int step = number_of(word);

	if (step < 0)
		return error_set(error, -EINVAL,
			"sau dấu \"/\" phải là một số, không phải \"%s\" (the step is not a "
			"number)",
			quote(word).text);
	if (step == 0)
		return error_set(
			error, -EINVAL, "bước \"/0\" phải từ 1 (the step must be at least 1)");
	*ret_step = step;
	return 0;
}

/* `a` or `a-b`, from which it cuts its parts. */
static int parse_range(const struct field *field, char *text, bool stepped, int *ret_first,
	int *ret_last, struct error *error)
{
	const char *first_word = strsep(&text, "-");
	int first = 0, last, result = parse_value(field, first_word, &first, error);

	if (result < 0)
		return result;
	if (!text && stepped)
		return error_set(error, -EINVAL,
			"bước \"/\" chỉ đứng sau * hoặc sau một khoảng như %d-%d, không đứng sau "
			"số "
			"\"%s\" (a step needs * or a range before it)",
			field->low, field->high, quote(first_word).text);
	last = first;
	if (text)
		result = parse_value(field, text, &last, error);
	if (result < 0)
		return result;
	if (last < first)
		return error_set(error, -EINVAL,
			"khoảng \"%s-%s\" đi ngược, %d lớn hơn %d (the range runs backwards)",
			quote(first_word).text, quote(text).text, first, last);
	*ret_first = first;
	*ret_last = last;
	return 0;
}

/* One part of a list; adds its values to *bits. */
static int parse_element(const struct field *field, char *text, uint64_t *bits, struct error *error)
{
	char *step_word = strchr(text, '/');
	int step = 1, first = field->low, last = field->high, result = 0;

	if (step_word)
		*step_word++ = '\0';
	if (strcmp(text, "*") != 0)
		result = parse_range(field, text, step_word, &first, &last, error);
	if (result == 0 && step_word)
		result = parse_step(step_word, &step, error);
	for (int value = first; result == 0 && value <= last; value += step)
		*bits |= UINT64_C(1) << value;
	return result;
}

/* What the text of a field says. */
struct said {
	uint64_t bits;
	bool starred;  /* contains a `*` */
	bool all;      /* has a `*` without a step */
	bool last_day; /* has an `L` */
};

static int parse_field(
	const struct field *field, const char *text, struct said *ret_said, struct error *error)
{
	struct said said = { .starred = strchr(text, '*') };
	char copy[CALENDAR_TEXT_MAX + 1], *rest = copy, *element;
	bool may_be_last = field->part == MONTH_DAY && field->kind == CALENDAR_LUNAR;

	snprintf(copy, sizeof copy, "%s", text);
	while ((element = strsep(&rest, ","))) {
		if (may_be_last && strcmp(element, "L") == 0) {
			said.last_day = true;
			continue;
		}
		said.all = said.all || strcmp(element, "*") == 0;
		int result = parse_element(field, element, &said.bits, error);
		if (result < 0) {
			error_prefix(error, "%s", field->called);
			return result;
		}
	}
	*ret_said = said;
	return 0;
}

static struct calendar build(enum calendar_kind kind, const struct said said[PARTS])
{
	uint64_t week_days = said[WEEK_DAY].bits;

	return (struct calendar){
		.kind = kind,
		.minutes = said[MINUTE].bits,
		.hours = (uint32_t)said[HOUR].bits,
		.month_days = (uint32_t)said[MONTH_DAY].bits,
		.months = (uint16_t)said[MONTH].bits,
		.week_days = (uint8_t)((week_days & 0x7f) | week_days >> 7), /* 7 is Sunday */
		.last_day = said[MONTH_DAY].last_day,
		.leap_months = kind == CALENDAR_LUNAR && said[MONTH].all,
		.either_day = !said[MONTH_DAY].starred && !said[WEEK_DAY].starred,
		.by_the_wall = said[MINUTE].starred || said[HOUR].starred,
	};
}

/* Every lunar month has 30 days in some year, every day of the solar year falls on each day of the week
 * (29 February within 40 years). So only the 30th and 31st of months that never have them are left. */
static bool can_happen(const struct calendar *calendar)
{
	static const uint8_t longest[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (calendar->kind == CALENDAR_LUNAR || calendar->either_day)
		return true;
	for (size_t i = 0; i < countof(longest); i++) {
		uint64_t days = (UINT64_C(2) << longest[i]) - 1;
		if (calendar->months >> (i + 1) & 1 && calendar->month_days & days)
			return true;
	}
	return false;
}

static int parse_rule(
	char *text, enum calendar_kind kind, struct calendar *ret_calendar, struct error *error)
{
	const char *words[PARTS] = { NULL };
	struct said said[PARTS];
	char *rest = NULL;
	size_t count = 0;

	for (char *word = strtok_r(text, BLANKS, &rest); word; word = strtok_r(NULL, BLANKS, &rest))
		if (count++ < PARTS)
			words[count - 1] = word;
	if (count != PARTS)
		return error_set(error, -EINVAL,
			"phải có năm trường cách nhau bằng dấu cách (phút giờ ngày tháng thứ), "
			"không "
			"phải %zu (five fields are needed: minute, hour, day of month, month, day "
			"of "
			"week)",
			count);
	for (size_t i = 0; i < PARTS; i++) {
		int result = parse_field(&fields[kind][i], words[i], &said[i], error);
		if (result < 0)
			return result;
	}
	struct calendar calendar = build(kind, said);
	if (!can_happen(&calendar))
		return error_set(error, -EINVAL,
			"%s: không bao giờ có ngày \"%s\" trong tháng \"%s\" (can never happen: "
			"there "
			"is no such day in these months)",
			fields[kind][MONTH_DAY].called, quote(words[MONTH_DAY]).text,
			quote(words[MONTH]).text);
	*ret_calendar = calendar;
	return 0;
}

/* The five fields that a macro stands for, or NULL. */
static const char *rule_of_macro(const char *word, struct error *error)
{
	for (size_t i = 0; i < countof(macros); i++)
		if (strcmp(macros[i].name, word) == 0)
			return macros[i].rule;
	if (strcmp(word, "@reboot") == 0)
		error_set(error, -EINVAL,
			"\"@reboot\" không dùng được: lúc máy khởi động không phải là giờ phát "
			"(the "
			"start of the machine is no time to broadcast)");
	else
		error_set(error, -EINVAL,
			"không biết \"%s\", chỉ có @hourly @daily @midnight @weekly @monthly "
			"@yearly "
			"@annually (unknown macro)",
			quote(word).text);
	return NULL;
}

int calendar_parse(const char *text, enum calendar_kind kind, struct calendar *ret_calendar,
	struct error *error)
{
	char copy[CALENDAR_TEXT_MAX + 1];
	size_t length = strlen(text);

	if (length > CALENDAR_TEXT_MAX)
		return error_set(error, -EINVAL,
			"dài %zu byte, nhiều nhất là %d (too long, at most %d bytes)", length,
			CALENDAR_TEXT_MAX, CALENDAR_TEXT_MAX);
	text += strspn(text, BLANKS);
	snprintf(copy, sizeof copy, "%s", text);
	if (*copy == '@') {
		for (size_t end = strlen(copy); end > 0 && strchr(BLANKS, copy[end - 1]); end--)
			copy[end - 1] = '\0';
		const char *rule = rule_of_macro(copy, error);
		if (!rule)
			return -EINVAL;
		snprintf(copy, sizeof copy, "%s", rule);
	}
	return parse_rule(copy, kind, ret_calendar, error);
}
