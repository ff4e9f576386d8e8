/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store: what must survive a power cut, in one SQLite file (WAL, synchronous=FULL), with a
 * thread of its own that is SQLite's only user. Main posts changes; the thread takes all that
 * wait, writes them in one transaction, and posts "durable up to N". It decides nothing.
 *
 * Kept:  announcement  id → revision, the announcement as JSON, arrival, sequence
 *        play          (id, output) → revision, state: what this output knows of that id, kept
 *                      until `forget_us`, so that redelivery, retained replay and restart never speak twice
 *        receipt       sequence → JSON, until the broker has taken it
 *        setting       key → value (gains, the last time seen)
 *
 * Reading is done once, at the start (STORE_LOADED), and for receipts in small batches.
 * store_file.h is the part without the thread.
 */
#pragma once

#include "base/inbox.h"
#include "base/error.h"
#include "scheduler/announcement.h"

enum play_state {
	PLAY_QUEUED,    /* accepted, waits (or waits again after a restart) */
	PLAY_PLAYING,   /* has begun */
	PLAY_FINISHED, PLAY_CANCELLED, PLAY_EXPIRED, PLAY_FAILED, PLAY_SUPERSEDED,
};
const char *play_state_name(enum play_state state);
bool play_state_final(enum play_state state);

struct store_play {
	char *id;
	char *output;
	int64_t revision;
	enum play_state state;
	int64_t forget_us;
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
};

/* Events to main; freed with store_event_free(). */
struct store_event {
	struct inbox_link link;
	enum store_event_what {
		STORE_LOADED,   /* once, first: announcements, plays, settings, next_* */
		STORE_DURABLE,  /* everything up to `ticket` is on disk */
		STORE_RECEIPTS, /* answer to store_read_receipts() */
		STORE_FAULT,    /* error: what failed; changes of that batch are kept and tried again */
		STORE_RECOVERED, /* the fault is over */
	} what;
	uint64_t ticket;
	struct store_announcement *announcements; size_t announcements_count;
	struct store_play *plays;                 size_t plays_count;
	struct store_setting *settings;           size_t settings_count;
	struct store_receipt *receipts;           size_t receipts_count;
	uint64_t next_sequence;         /* of announcements */
	uint64_t next_receipt_sequence;
	struct error error;             /* STORE_FAULT; STORE_LOADED: what had to be set aside, or "" */
};
void store_event_free(struct inbox_link *event);

struct store;

/* Starts the thread; it opens (or creates) `state_dir`/loalang.db. `events` is borrowed. NULL with
 * errno. */
struct store *store_start(const char *state_dir, struct inbox *events) _must_check_;
/* Commits what waits and ends the thread: 0 and freed, or -ETIMEDOUT (the disk hangs). */
int store_stop(struct store *store, int timeout_ms) _must_check_;

/* Each posts one change and returns its ticket; all by main, all by value. Changes posted without
 * returning to the event loop in between are committed together or, after a crash, not at all. */
uint64_t store_put_announcement(struct store *store, const struct announcement *announcement,
	int64_t arrival_us, uint64_t sequence);
uint64_t store_drop_announcement(struct store *store, const char *id);
uint64_t store_put_play(struct store *store, const struct store_play *play);
uint64_t store_put_receipt(struct store *store, uint64_t sequence, const char *json);
uint64_t store_drop_receipts(struct store *store, uint64_t up_to_sequence);
uint64_t store_put_setting(struct store *store, const char *key, const char *value);
/* Drops plays whose forget_us has passed, and announcements without a live play. */
uint64_t store_forget(struct store *store, int64_t now_us);
/* Asks for up to `limit` receipts after `after_sequence`: STORE_RECEIPTS. */
void store_read_receipts(struct store *store, uint64_t after_sequence, size_t limit);
/* Ends a group: tells the thread that what was posted may be committed now. */
void store_flush(struct store *store);

void store_kick(struct store *store);        /* health */
uint64_t store_turns(const struct store *store);
