/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One change of the store, as a value: made by main, written and freed by the store's thread.
 * Doing a change twice is the same as doing it once, so that a group whose commit ended in an
 * unclear way can be written again.
 */
#pragma once

#include "scheduler/store.h"

enum store_change_kind {
	STORE_PUT_ANNOUNCEMENT,     /* id, revision, text (JSON), time_us (arrival), sequence */
	STORE_DROP_ANNOUNCEMENT,    /* id */
	STORE_PUT_PLAY,             /* id, output, revision, state, time_us (forget), progress */
	STORE_PUT_SCHEDULE,         /* zone, id, revision, text (JSON, NULL: withdrawn), since_us,
				     * time_us (forget) */
	STORE_DROP_SCHEDULE,        /* zone, id */
	STORE_PUT_RECEIPT,          /* sequence, time_us (at), text (JSON) */
	STORE_RECEIPTS_TAKEN,       /* sequence: up to it */
	STORE_PRUNE_OLD,            /* time_us: receipts of before */
	STORE_PRUNE_EXCESS,         /* receipts above STORE_HISTORY_MAX */
	STORE_PUT_SETTING,          /* id (key), text (value) */
	STORE_FORGET_PLAYS,         /* time_us: now */
	STORE_FORGET_ANNOUNCEMENTS, /* those without a live play */
	STORE_CHANGE_KINDS_COUNT,
};

struct store_change {
	struct store_change *next;
	enum store_change_kind kind;
	enum play_state state;
	char *id, *output, *zone, *text; /* owned; NULL where the kind has none */
	int64_t revision;
	int64_t time_us;
	int64_t since_us;
	uint64_t sequence;
	struct { /* of a play */
		uint32_t item, tries;
		int64_t offset_us, played_us;
	} progress;
};

struct store_change *store_change_free(struct store_change *change);
/* Frees a whole list. */
void store_change_free_all(struct store_change *first);
/* What it costs to keep it waiting. */
size_t store_change_bytes(const struct store_change *change);
