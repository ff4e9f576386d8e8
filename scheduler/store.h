/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store: what must survive a power cut, in one SQLite file (WAL, synchronous=FULL), with a
 * thread of its own that is SQLite's only user. Main posts changes; the thread takes all that
 * wait, writes them in one transaction, and posts "durable up to N". It decides nothing.
 *
 * Kept:  announcement  id → revision, the announcement as JSON, arrival, sequence
 *        play          (id, output) → revision, state, how far it came: what this output knows of
 *                      that id, kept until `forget_us`, so that redelivery, retained replay and
 *                      restart never speak twice
 *        schedule      (zone, id) → revision, the schedule as JSON (none of one that was
 *                      withdrawn), since when it holds, how long it is to be known
 *        receipt       sequence → time, JSON: sent to the broker, then kept as the history
 *        setting       key → value (gains, the last time seen)
 *
 * Announcements, plays, schedules and settings are read once, at the start (STORE_LOADED); receipts
 * in small batches, when they are asked for.
 *
 * When the disk fails (full, read-only, damaged, I/O errors) what was posted waits in memory and is
 * tried again, after 1 s and then ever longer, up to 30 s: one STORE_FAULT, and one
 * STORE_RECOVERED when a write went through. At most STORE_WAITING_MAX changes or
 * STORE_WAITING_BYTES_MAX wait so; then the oldest groups are given up (event->dropped_up_to).
 * If the file cannot be opened for writing at the start, STORE_LOADED comes with what a copy of it
 * holds (store_copy.h), or empty if it cannot be read either; its error says why. Then STORE_FAULT,
 * and the node works from memory; the file is written as soon as it can be. What one that could not
 * be read held is loaded at the next start. A damaged file is kept aside and a new one begun, with
 * all that can still be read of the old one (store_file.h); when that happens while running,
 * STORE_RECOVERED says so (begun_anew): main should put again what it holds.
 *
 * store_file.h is the part without the thread.
 */
#pragma once

#include "base/inbox.h"
#include "base/error.h"
#include "scheduler/announcement.h"
#include "scheduler/receipt.h"

#define STORE_WAITING_MAX       20000 /* changes */
#define STORE_WAITING_BYTES_MAX (32 * 1024 * 1024)
#define STORE_HISTORY_MAX       200000 /* receipts that are kept, some 80 MB */
#define STORE_PRUNE_MAX         5000   /* receipts that one store_prune_history() drops */
#define STORE_ANSWER_MAX        5000   /* receipts of one STORE_HISTORY, whatever is asked for */
#define STORE_SCHEDULES_MAX     20000  /* that are loaded; more stay in the file */
#define STORE_SCHEDULE_BYTES    (128 * 1024) /* of the JSON of one */

enum play_state {
	PLAY_QUEUED,  /* accepted, waits (or waits again after a restart) */
	PLAY_PLAYING, /* has begun */
	PLAY_FINISHED,
	PLAY_CANCELLED,
	PLAY_EXPIRED,
	PLAY_FAILED,
	PLAY_SUPERSEDED,
};
const char *play_state_name(enum play_state state);
bool play_state_final(enum play_state state);
/* In which state what has got that receipt is. */
enum play_state play_state_after(enum receipt_event event);
int play_state_parse(const char *text, enum play_state *ret_state) _must_check_; /* -EINVAL */

struct store_play {
	char *id;
	char *output;
	int64_t revision;
	enum play_state state;
	int64_t forget_us;
	uint32_t item;     /* PLAY_PLAYING: how far it came: the item of the rundown, */
	int64_t offset_us; /* the place in it (recordings), */
	int64_t played_us; /* and what was heard before that */
	uint32_t tries;    /* how often the process died with it in hand (FAULTS C2) */
};

/* What is out of these bounds is set aside when it is loaded. */
struct store_schedule {
	char *zone, *id;   /* base/name.h */
	int64_t revision;  /* 1…ANNOUNCEMENT_REVISION_MAX */
	char *json;        /* at most STORE_SCHEDULE_BYTES, not looked into; NULL: withdrawn */
	int64_t since_us;  /* real, 0…ANNOUNCEMENT_TIME_MAX_US */
	int64_t forget_us; /* real, from 0; TIME_NEVER. Main drops it then, the store does not */
};

struct store_announcement {
	struct announcement *announcement;
	int64_t arrival_us;
	uint64_t sequence;
};

struct store_setting {
	char *key, *value;
};

struct store_receipt {
	uint64_t sequence;
	char *json;
	bool waiting; /* for a failing disk: a power cut would lose it */
};

/* Events to main; freed with store_event_free(). */
struct store_event {
	struct inbox_link link;
	enum store_event_what {
		STORE_LOADED,   /* once, first: announcements, plays, schedules, settings, next_* */
		STORE_DURABLE,  /* everything up to `ticket` is on disk */
		STORE_RECEIPTS, /* answer to store_read_receipts() */
		STORE_HISTORY,  /* answer to store_read_history(): token, receipts, more */
		STORE_FAULT, /* error: what failed; changes of that batch are kept and tried again
			      */
		STORE_RECOVERED, /* the fault is over */
	} what;
	uint64_t ticket;
	struct store_announcement *announcements;
	size_t announcements_count;
	struct store_play *plays;
	size_t plays_count;
	struct store_schedule *schedules; /* in order of zone, then id (bytes) */
	size_t schedules_count;
	struct store_setting *settings;
	size_t settings_count;
	struct store_receipt *receipts;
	size_t receipts_count;
	uint64_t next_sequence; /* of announcements */
	uint64_t next_receipt_sequence;
	uint64_t taken_receipt_sequence; /* STORE_LOADED: the broker has all up to this one */
	uint64_t token;                  /* STORE_HISTORY: of the question */
	bool more;                       /* STORE_HISTORY: there are more than these */
	uint64_t dropped_up_to;          /* STORE_FAULT, STORE_RECOVERED: some changes up to this
				 * ticket were given up, in spite of STORE_DURABLE; 0: none */
	bool begun_anew;    /* STORE_RECOVERED: the old file was set aside, see above */
	struct error error; /* STORE_FAULT: what failed; STORE_LOADED, STORE_RECOVERED:
				 * what had to be set aside, or "" */
};
void store_event_free(struct inbox_link *event);

struct store;

/* Starts the thread; it creates `state_dir` if only that is missing, and opens (or creates)
 * `state_dir`/loalang.db. `events` is borrowed until store_stop(). NULL with errno. */
struct store *store_start(const char *state_dir, struct inbox *events) _must_check_;
/* Flushes, commits what waits (one try) and ends the thread: 0 and freed, or -ETIMEDOUT (the disk
 * hangs; the thread goes on, and the process must _exit). */
int store_stop(struct store *store, int timeout_ms) _must_check_;

/* Each adds one change to the group that is being made and returns its ticket; all by main, all by
 * value. The thread sees the group at store_flush(); after a crash it is there as a whole or not
 * at all. A ticket is at least 1. */
uint64_t store_put_announcement(struct store *store, const struct announcement *announcement,
	int64_t arrival_us, uint64_t sequence);
uint64_t store_drop_announcement(struct store *store, const char *id);
uint64_t store_put_play(struct store *store, const struct store_play *play);
/* In the place of what there was of that zone and id, whatever its revision. */
uint64_t store_put_schedule(struct store *store, const struct store_schedule *schedule);
uint64_t store_drop_schedule(struct store *store, const char *zone, const char *id);
/* `at_us`: real, the instant that the receipt itself tells. */
uint64_t store_put_receipt(struct store *store, uint64_t sequence, int64_t at_us, const char *json);
/* The broker has all receipts up to this one. They stay, as the history. */
uint64_t store_receipts_taken(struct store *store, uint64_t up_to_sequence);
/* Drops receipts of before `before_us` that the broker has, and the oldest of all above
 * STORE_HISTORY_MAX; at most STORE_PRUNE_MAX of each at once. */
uint64_t store_prune_history(struct store *store, int64_t before_us);
uint64_t store_put_setting(struct store *store, const char *key, const char *value);
/* Drops plays whose forget_us has passed, and announcements without a live play. */
uint64_t store_forget(struct store *store, int64_t now_us);
/* Asks for up to `limit` receipts after `after_sequence` that the broker does not have:
 * STORE_RECEIPTS. Receipts that still wait for a failing disk are among them. Flushes. */
void store_read_receipts(struct store *store, uint64_t after_sequence, size_t limit);
/* The history: receipts by time, output and id, in order of their sequences. STORE_HISTORY with
 * `token`; when `more` is set, ask again after the last sequence of the answer. A long search is
 * made piece by piece and does not hold up what is to be written. Flushes. */
struct store_history_query {
	uint64_t token;
	int64_t since_us, until_us; /* real; [since, until) */
	uint64_t after_sequence;    /* 0: from the first */
	const char *output, *id;    /* NULL: any; an output's are those that name it */
	size_t limit;               /* of receipts, up to STORE_ANSWER_MAX */
};
void store_read_history(struct store *store, const struct store_history_query *query);
/* Ends the group: the thread may commit it now. Without a change: nothing. */
void store_flush(struct store *store);

/* Health: a kick makes the thread turn once more, unless the disk holds it. */
void store_kick(struct store *store);
uint64_t store_turns(const struct store *store);
