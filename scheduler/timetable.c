/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/timetable.h"
#include "base/strbuf.h"

#include <errno.h>
#include <string.h>

#define STEP_BACK_US US_PER_SEC /* less is the kernel's fine adjustment */

struct timetable {
	struct timetable_row **rows; /* by id, then zone */
	struct timetable_row **heap; /* by next_us, then id, then zone */
	size_t count, capacity;
	struct timetable_mark mark;
	int64_t latest_since_us; /* no row has a later one */
};

/* --- Order ----------------------------------------------------------------------------------- */

/* As the ids of their occurrences, in which an "@" follows, are ordered. */
static int compare_ids(const char *a, const char *b)
{
	size_t same = 0;

	while (a[same] && a[same] == b[same])
		same++;
	if (a[same] == b[same])
		return 0;
	return (unsigned char)(a[same] ? a[same] : '@') - (unsigned char)(b[same] ? b[same] : '@');
}

static int compare_names(const char *id_a, const char *zone_a, const char *id_b, const char *zone_b)
{
	int order = compare_ids(id_a, id_b);

	return order ? order : strcmp(zone_a, zone_b);
}

static int by_name(const struct timetable_row *row, const char *id, const char *zone)
{
	return compare_names(row->schedule->id, row->zone, id, zone);
}

static bool earlier(const struct timetable_row *a, const struct timetable_row *b)
{
	if (a->next_us != b->next_us)
		return a->next_us < b->next_us;
	return by_name(a, b->schedule->id, b->zone) < 0;
}

/* --- The heap -------------------------------------------------------------------------------- */

static void set_place(struct timetable *timetable, size_t place, struct timetable_row *row)
{
	timetable->heap[place] = row;
	row->place = place;
}

static void swap(struct timetable *timetable, size_t a, size_t b)
{
	struct timetable_row *row = timetable->heap[a];

	set_place(timetable, a, timetable->heap[b]);
	set_place(timetable, b, row);
}

static void sift_up(struct timetable *timetable, size_t place)
{
	struct timetable_row **heap = timetable->heap;

	for (; place > 0 && earlier(heap[place], heap[(place - 1) / 2]); place = (place - 1) / 2)
		swap(timetable, place, (place - 1) / 2);
}

static void sift_down(struct timetable *timetable, size_t place)
{
	struct timetable_row **heap = timetable->heap;

	for (size_t least = place;; place = least) {
		for (size_t child = 2 * place + 1; child <= 2 * place + 2; child++)
			if (child < timetable->count && earlier(heap[child], heap[least]))
				least = child;
		if (least == place)
			return;
		swap(timetable, place, least);
	}
}

/* Brings the row at `place` to where it belongs; all others are where they belong. */
static void sift(struct timetable *timetable, size_t place)
{
	struct timetable_row *row = timetable->heap[place];

	sift_up(timetable, place);
	sift_down(timetable, row->place);
}

static int64_t next_of(const struct timetable_row *row, int64_t after_us)
{
	return row->schedule->withdrawal || after_us >= ANNOUNCEMENT_TIME_MAX_US
		       ? TIME_NEVER
		       : schedule_next(row->schedule, after_us, NULL);
}

static void set_next(struct timetable *timetable, struct timetable_row *row, int64_t after_us)
{
	row->next_us = next_of(row, after_us);
	sift(timetable, row->place);
}

/* --- Rows ------------------------------------------------------------------------------------ */

struct timetable *timetable_new(void)
{
	struct timetable *timetable = xcalloc(1, sizeof *timetable);

	timetable->mark.us = TIME_UNSET;
	timetable->latest_since_us = TIME_UNSET;
	return timetable;
}

static void row_free(struct timetable_row *row)
{
	schedule_unref(row->schedule);
	free(row);
}

struct timetable *timetable_free(struct timetable *timetable)
{
	if (!timetable)
		return NULL;
	for (size_t i = 0; i < timetable->count; i++)
		row_free(timetable->rows[i]);
	free(timetable->rows);
	free(timetable->heap);
	free(timetable);
	return NULL;
}

/* The first row that is not before that name; timetable->count: none. */
static size_t lower_bound(const struct timetable *timetable, const char *zone, const char *id)
{
	size_t low = 0, high = timetable->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (by_name(timetable->rows[middle], id, zone) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct timetable_row *find(
	const struct timetable *timetable, const char *zone, const char *id)
{
	size_t at = lower_bound(timetable, zone, id);

	return at < timetable->count && by_name(timetable->rows[at], id, zone) == 0
		       ? timetable->rows[at]
		       : NULL;
}

const struct timetable_row *timetable_find(
	const struct timetable *timetable, const char *zone, const char *id)
{
	return find(timetable, zone, id);
}

static struct timetable_row *insert(
	struct timetable *timetable, const char *zone, struct schedule *schedule)
{
	size_t at = lower_bound(timetable, zone, schedule->id);
	struct timetable_row *row = xcalloc(1, sizeof *row);

	if (timetable->count == timetable->capacity) {
		timetable->capacity = timetable->capacity ? 2 * timetable->capacity : 16;
		timetable->rows = xreallocarray(
			timetable->rows, timetable->capacity, sizeof(struct timetable_row *));
		timetable->heap = xreallocarray(
			timetable->heap, timetable->capacity, sizeof(struct timetable_row *));
	}
	memmove(timetable->rows + at + 1, timetable->rows + at,
		(timetable->count - at) * sizeof(struct timetable_row *));
	timetable->rows[at] = row;
	row->schedule = schedule_ref(schedule);
	row->next_us = TIME_NEVER;
	snprintf(row->zone, sizeof row->zone, "%s", zone);
	set_place(timetable, timetable->count, row);
	sift(timetable, timetable->count++);
	return row;
}

int timetable_put(struct timetable *timetable, const char *zone, struct schedule *schedule,
	int64_t since_us, int64_t forget_us)
{
	struct timetable_row *row = find(timetable, zone, schedule->id);

	if (row && row->schedule->revision >= schedule->revision)
		return -EEXIST;
	if (!row && timetable->count == TIMETABLE_SCHEDULES_MAX)
		return -ENOSPC;
	if (row) { /* the id stays: so does its place among the rows */
		struct schedule *old = row->schedule;
		row->schedule = schedule_ref(schedule);
		schedule_unref(old);
	} else {
		row = insert(timetable, zone, schedule);
	}
	row->since_us = since_us;
	row->forget_us = forget_us;
	row->seconds = 0;
	if (since_us > timetable->latest_since_us)
		timetable->latest_since_us = since_us;
	set_next(timetable, row, since_us);
	return 0;
}

static void drop(struct timetable *timetable, size_t at)
{
	struct timetable_row *row = timetable->rows[at];
	size_t place = row->place, last = timetable->count - 1;

	memmove(timetable->rows + at, timetable->rows + at + 1,
		(last - at) * sizeof(struct timetable_row *));
	set_place(timetable, place, timetable->heap[last]);
	timetable->count--;
	if (place < timetable->count)
		sift(timetable, place);
	row_free(row);
}

void timetable_remove(struct timetable *timetable, const char *zone, const char *id)
{
	if (find(timetable, zone, id))
		drop(timetable, lower_bound(timetable, zone, id));
}

void timetable_set_seconds(
	struct timetable *timetable, const char *zone, const char *id, double seconds)
{
	struct timetable_row *row = find(timetable, zone, id);

	if (row)
		row->seconds = seconds;
}

void timetable_forget(struct timetable *timetable, int64_t now_us,
	void (*each)(const struct timetable_row *row, void *context), void *context)
{
	for (size_t i = timetable->count; i-- > 0;) {
		if (timetable->rows[i]->forget_us > now_us)
			continue;
		if (each)
			each(timetable->rows[i], context);
		drop(timetable, i);
	}
}

size_t timetable_length(const struct timetable *timetable)
{
	return timetable->count;
}

void timetable_each(const struct timetable *timetable,
	void (*each)(const struct timetable_row *row, void *context), void *context)
{
	for (size_t i = 0; i < timetable->count; i++)
		each(timetable->rows[i], context);
}

/* --- What is due ------------------------------------------------------------------------------ */

static void heapify(struct timetable *timetable)
{
	for (size_t place = timetable->count / 2; place-- > 0;)
		sift_down(timetable, place);
}

bool timetable_follow_clock(struct timetable *timetable, int64_t now_us)
{
	int64_t most_us = now_us + TIMETABLE_LEAD_US + STEP_BACK_US;
	bool all = timetable->mark.us > most_us, any = timetable->latest_since_us > most_us;

	if (!all && !any)
		return false;
	for (size_t i = 0; i < timetable->count; i++) {
		struct timetable_row *row = timetable->rows[i];
		bool ahead = row->since_us > most_us;
		if (ahead)
			row->since_us = now_us;
		if (ahead || all)
			row->next_us = next_of(row, now_us);
	}
	heapify(timetable);
	if (all)
		timetable->mark = (struct timetable_mark){ .us = now_us };
	timetable->latest_since_us = now_us;
	return any;
}

const struct timetable_mark *timetable_mark(const struct timetable *timetable)
{
	return &timetable->mark;
}

int64_t timetable_since_us(const struct timetable_mark *mark, const char *zone, const char *id)
{
	if (mark->us == TIME_UNSET || !mark->id[0])
		return mark->us;
	return compare_names(id, zone, mark->id, mark->zone) > 0 ? mark->us - 1 : mark->us;
}

static int64_t top_us(const struct timetable *timetable)
{
	return timetable->count > 0 ? timetable->heap[0]->next_us : TIME_NEVER;
}

/* Passes over what nobody needs to be told any more of that row. False: there was nothing to pass over. */
static bool skip(struct timetable *timetable, struct timetable_row *row, int64_t now_us)
{
	int64_t late_before_us = now_us - row->schedule->late_us;

	if (row->next_us < now_us - TIMETABLE_BACK_US)
		set_next(timetable, row, now_us - TIMETABLE_BACK_US - 1);
	else if (row->late >= TIMETABLE_LATE_MAX && row->next_us < late_before_us)
		set_next(timetable, row, late_before_us - 1);
	else
		return false;
	return true;
}

static void take(struct timetable *timetable, struct timetable_row *row, int64_t now_us,
	struct timetable_due *ret_due)
{
	*ret_due = (struct timetable_due){
		.row = row,
		.start_us = row->next_us,
		.late = now_us - row->next_us > row->schedule->late_us,
	};
	row->late = ret_due->late ? row->late + 1 : 0;
	set_next(timetable, row, row->next_us);
}

bool timetable_take(struct timetable *timetable, int64_t now_us, struct timetable_due *ret_due)
{
	int64_t until_us = now_us + TIMETABLE_LEAD_US;

	while (timetable->count > 0 && skip(timetable, timetable->heap[0], now_us))
		continue;
	if (top_us(timetable) > until_us) {
		timetable->mark = (struct timetable_mark){ .us = until_us };
		return false;
	}
	struct timetable_row *row = timetable->heap[0];
	timetable->mark.us = row->next_us;
	memcpy(timetable->mark.id, row->schedule->id, sizeof timetable->mark.id);
	memcpy(timetable->mark.zone, row->zone, sizeof timetable->mark.zone);
	take(timetable, row, now_us, ret_due);
	return true;
}

bool timetable_take_of(
	struct timetable *timetable, const char *id, int64_t now_us, struct timetable_due *ret_due)
{
	struct timetable_row *first = NULL;

	for (size_t i = lower_bound(timetable, "", id); i < timetable->count; i++) {
		struct timetable_row *row = timetable->rows[i];
		if (strcmp(row->schedule->id, id) != 0)
			break;
		while (skip(timetable, row, now_us))
			continue;
		if (!first || earlier(row, first))
			first = row;
	}
	if (!first || first->next_us > now_us + TIMETABLE_LEAD_US)
		return false;
	take(timetable, first, now_us, ret_due);
	return true;
}

int64_t timetable_wake_us(const struct timetable *timetable)
{
	int64_t next_us = top_us(timetable);

	return next_us == TIME_NEVER ? TIME_NEVER : next_us - TIMETABLE_LEAD_US;
}
