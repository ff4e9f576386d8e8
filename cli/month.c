/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/month.h"

#include "base/utf8.h"
#include "scheduler/date.h"
#include "scheduler/lunar.h"
#include <stdio.h>
#include <string.h>

#define WEEK_DAYS   7
#define CELL_WIDTH  11 /* characters, with the blank behind it */
#define CELL_LINES  5  /* broadcasts of one day that are told one by one */
#define CELL_BYTES  64
#define CELLS_MAX   (6 * WEEK_DAYS)
#define LINES_COUNT (CELL_LINES + 1)

struct cell { /* a day of the grid; all lines empty: not of this month */
	char lines[LINES_COUNT][CELL_BYTES];
	int lines_count;
};

static const char *const marks[] = {
	[PLAN_PLAY] = "",
	[PLAN_HOLD] = " ~",
	[PLAN_VETO] = " !",
	[PLAN_SKIP] = " -",
};

/* "15", on the first day of a month "1/11", of a leap month "1/6n"; "": none is known. */
static void lunar_text(int32_t day, bool full, char text[LUNAR_TEXT_SIZE])
{
	struct lunar_date date;

	text[0] = '\0';
	if (lunar_of_day(day, &date) < 0)
		return;
	if (full || date.day == 1)
		snprintf(text, LUNAR_TEXT_SIZE, "%d/%d%s", date.day, date.month,
			date.leap ? "n" : "");
	else
		snprintf(text, LUNAR_TEXT_SIZE, "%d", date.day);
}

/* How many of the entries from the first one on say the same. */
static size_t alike(const struct month_entry *entries, size_t count)
{
	size_t same = 1;

	while (same < count && entries[same].day == entries[0].day &&
		entries[same].minute == entries[0].minute &&
		entries[same].would == entries[0].would)
		same++;
	return same;
}

/* "05:30", "05:30 ×2 ~" */
static void put_entry(struct cell *cell, const struct month_entry *entry, size_t same)
{
	char times[24] = "";

	if (same > 1)
		snprintf(times, sizeof(times), " ×%zu", same);
	snprintf(cell->lines[cell->lines_count++], CELL_BYTES, "%02d:%02d%s%s", entry->minute / 60,
		entry->minute % 60, times, marks[entry->would]);
}

/* The broadcasts of one day, all of them given. */
static void fill_day(struct cell *cell, const struct month_entry *entries, size_t count)
{
	size_t lines = 0;

	for (size_t i = 0; i < count; i += alike(entries + i, count - i))
		lines++;
	size_t told = lines <= CELL_LINES ? lines : CELL_LINES - 1, i = 0;
	for (size_t line = 0; line < told; line++) {
		size_t same = alike(entries + i, count - i);
		put_entry(cell, &entries[i], same);
		i += same;
	}
	if (i < count)
		snprintf(cell->lines[cell->lines_count++], CELL_BYTES, "+%zu lượt", count - i);
}

static size_t fill_cells(int32_t first_day, int days, const struct month_entry *entries,
	size_t count, struct cell cells[CELLS_MAX])
{
	/* Weeks begin on Monday. */
	size_t place = (size_t)((date_weekday(first_day) + WEEK_DAYS - 1) % WEEK_DAYS), next = 0;

	for (int day = 1; day <= days; day++, place++) {
		struct cell *cell = &cells[place];
		char lunar[LUNAR_TEXT_SIZE];
		size_t end = next;
		while (end < count && entries[end].day == day)
			end++;
		lunar_text(first_day + day - 1, day == 1, lunar);
		snprintf(cell->lines[cell->lines_count++], CELL_BYTES, "%2d  %s", day, lunar);
		fill_day(cell, entries + next, end - next);
		next = end;
	}
	return (place + WEEK_DAYS - 1) / WEEK_DAYS;
}

static void put_week(struct strbuf *out, const struct cell *week)
{
	int height = 0;

	for (int day = 0; day < WEEK_DAYS; day++)
		height = week[day].lines_count > height ? week[day].lines_count : height;
	for (int line = 0; line < height; line++) {
		size_t begin = out->length;
		for (int day = 0; day < WEEK_DAYS; day++) {
			const char *text = week[day].lines[line];
			int width = (int)utf8_count(text, strlen(text));
			strbuf_printf(out, "%s%*s", text,
				width < CELL_WIDTH ? CELL_WIDTH - width : 1, "");
		}
		while (out->length > begin && out->text[out->length - 1] == ' ')
			strbuf_truncate(out, out->length - 1);
		strbuf_putc(out, '\n');
	}
}

/* "Tháng 11 năm 2026 · âm lịch 23/9–21/10 năm Bính Ngọ" */
static void put_title(struct strbuf *out, int year, int month, int32_t first_day, int days)
{
	char from[LUNAR_TEXT_SIZE], to[LUNAR_TEXT_SIZE], name[LUNAR_NAME_SIZE];
	struct lunar_date first, last;

	strbuf_printf(out, "Tháng %d năm %d", month, year);
	if (lunar_of_day(first_day, &first) == 0 &&
		lunar_of_day(first_day + days - 1, &last) == 0) {
		lunar_format(first, from);
		lunar_format(last, to);
		lunar_year_name(first.year, name);
		strbuf_printf(out, " · âm lịch từ %s", from);
		if (last.year != first.year)
			strbuf_printf(out, " năm %s", name);
		lunar_year_name(last.year, name);
		strbuf_printf(out, " đến %s năm %s", to, name);
	}
	strbuf_puts(out, "\n\n");
}

static void put_legend(struct strbuf *out, const struct month_entry *entries, size_t count)
{
	static const char *const words[] = {
		[PLAN_PLAY] = NULL,
		[PLAN_HOLD] = "~ có loa phát muộn",
		[PLAN_VETO] = "! có loa không phát",
		[PLAN_SKIP] = "- ngày trừ",
	};
	bool seen[countof(words)] = { false }, any = false;

	for (size_t i = 0; i < count; i++)
		seen[entries[i].would] = true;
	for (size_t i = 0; i < countof(words); i++) {
		if (!seen[i] || !words[i])
			continue;
		strbuf_printf(out, any ? "   %s" : "\n%s", words[i]);
		any = true;
	}
	if (any)
		strbuf_putc(out, '\n');
}

void month_format(
	int year, int month, const struct month_entry *entries, size_t count, struct strbuf *out)
{
	static const char *const names[WEEK_DAYS] = { "Thứ 2", "Thứ 3", "Thứ 4", "Thứ 5", "Thứ 6",
		"Thứ 7", "CN" };
	int32_t first_day = date_number((struct date){ year, month, 1 });
	int days = date_month_days(year, month);
	_cleanup_(freep) struct cell *cells = xcalloc(CELLS_MAX + WEEK_DAYS, sizeof(cells[0]));

	put_title(out, year, month, first_day, days);
	struct cell *head = &cells[CELLS_MAX];
	for (int day = 0; day < WEEK_DAYS; day++) {
		snprintf(head[day].lines[0], CELL_BYTES, "%s", names[day]);
		head[day].lines_count = 1;
	}
	put_week(out, head);
	size_t weeks = fill_cells(first_day, days, entries, count, cells);
	for (size_t week = 0; week < weeks; week++) {
		if (week > 0 && count > 0)
			strbuf_putc(out, '\n');
		put_week(out, &cells[week * WEEK_DAYS]);
	}
	put_legend(out, entries, count);
}
