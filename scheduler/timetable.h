/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The timetable: all schedules of a node, and which occurrence is due next. A pure state machine:
 * schedules in, due occurrences out, in order of their starts (of one instant: by the ids of the
 * occurrences, then zone, so that every node has the same order); `now` is an argument; no thread, no clock, no I/O. It
 * costs nothing while nothing is due, whatever the number of schedules: a heap by the next start.
 *
 * Each occurrence is judged once, TIMETABLE_LEAD_US before its start or as soon as somebody asks after
 * that. Up to which instant all occurrences have been judged is the mark, to be kept on disk: what is
 * after it is judged after a restart, however long that took. What is more than its schedule's `late`
 * behind its start when it is judged is late. It is the caller who knows what was said already.
 *
 * Main's.
 */
#pragma once

#include "scheduler/schedule.h"

#define TIMETABLE_SCHEDULES_MAX 20000
#define TIMETABLE_LEAD_US       (INT64_C(15) * US_PER_SEC)
/* After a long time off, occurrences further back than this are passed over in silence. */
#define TIMETABLE_BACK_US (INT64_C(31) * 86400 * US_PER_SEC)
/* So many occurrences of one schedule that were missed in a row are told; the rest of them, up to what
 * is not late, is passed over: they would push what was really said out of the history. */
#define TIMETABLE_LATE_MAX 1000

struct timetable_row {
	char zone[NAME_MAX_BYTES + 1];
	struct schedule *schedule; /* may be a withdrawal */
	int64_t since_us;          /* occurrences at or before this instant are none of ours */
	int64_t forget_us;         /* a withdrawal is kept until then; else TIME_NEVER */
	double seconds;            /* predicted length of an occurrence; 0: not known */
	/* The timetable's own: */
	int64_t next_us; /* the next occurrence to be judged; TIME_NEVER */
	unsigned late;   /* that were taken in a row */
	size_t place;    /* in the heap */
};

struct timetable;

struct timetable *timetable_new(void) _must_check_;
struct timetable *timetable_free(struct timetable *timetable);
DEFINE_CLEANUP(struct timetable *, timetable_free)

/* Adds a schedule (or a withdrawal) for a zone, or replaces an older revision of it there; takes a
 * reference of its own. Its occurrences after `since_us` are judged (of what the store has had, the
 * caller gives the mark if that is later). -EEXIST: that revision or a newer one is there; -ENOSPC. */
int timetable_put(struct timetable *timetable, const char *zone, struct schedule *schedule,
	int64_t since_us, int64_t forget_us) _must_check_;
/* The row, or NULL; borrowed until the next change. */
const struct timetable_row *timetable_find(
	const struct timetable *timetable, const char *zone, const char *id);
/* Forgets it altogether: the same revision would be new again. */
void timetable_remove(struct timetable *timetable, const char *zone, const char *id);
/* What the caller has found out of the length of an occurrence (row->seconds). */
void timetable_set_seconds(
	struct timetable *timetable, const char *zone, const char *id, double seconds);
/* Drops withdrawals whose time has come, telling `each` (may be NULL) before. */
void timetable_forget(struct timetable *timetable, int64_t now_us,
	void (*each)(const struct timetable_row *row, void *context), void *context);
size_t timetable_length(const struct timetable *timetable); /* with withdrawals */
/* For every row, in no order. */
void timetable_each(const struct timetable *timetable,
	void (*each)(const struct timetable_row *row, void *context), void *context);

/* To be called before timetable_take(), once time is trusted: when the clock was put back (or a
 * schedule came while nobody knew the time: since_us ANNOUNCEMENT_TIME_MAX_US), what was judged ahead of `now_us` is
 * judged again, and no row's since_us lies ahead. True: a since_us has changed. */
bool timetable_follow_clock(struct timetable *timetable, int64_t now_us);

/* How far it has been judged: every occurrence before `us`, and of those at `us` all up to that schedule
 * and zone ("": all). To be written with what was taken before. `us` TIME_UNSET before the first
 * timetable_take(). */
struct timetable_mark {
	int64_t us;
	char id[NAME_MAX_BYTES + 1], zone[NAME_MAX_BYTES + 1];
};
const struct timetable_mark *timetable_mark(const struct timetable *timetable);
/* Since when occurrences of that schedule are still to be judged (exclusive), by a mark. */
int64_t timetable_since_us(const struct timetable_mark *mark, const char *zone, const char *id);

struct timetable_due {
	const struct timetable_row *row; /* borrowed until the next change */
	int64_t start_us;
	bool late; /* missed by more than the schedule's `late` */
};

/* The next occurrence with a start of at most now + TIMETABLE_LEAD_US; false: none (then the mark is
 * that instant). To be called while time is trusted, until false or until the caller has had enough. */
bool timetable_take(struct timetable *timetable, int64_t now_us, struct timetable_due *ret_due);
/* As timetable_take(), of that id only, in all zones, and without a new mark: to be asked before a row of it
 * is replaced or removed, or what is due of it is never judged. */
bool timetable_take_of(
	struct timetable *timetable, const char *id, int64_t now_us, struct timetable_due *ret_due);
/* When to ask again (real); TIME_NEVER. */
int64_t timetable_wake_us(const struct timetable *timetable);
