/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What survives a power cut, in simulation: what scheduler/store keeps, as it keeps it. Changes come in
 * groups; a group is on the disk some time after it was flushed, all of it or, if power goes before
 * that, nothing.
 */
#pragma once

#include "scheduler/queue.h"
#include "scheduler/schedule.h"
#include "scheduler/store.h"
#include "scheduler/timetable.h"
#include "tests/sim/ids.h"
#include "tests/sim/random.h"
#include "tests/sim/village.h"

struct disk_play {
	bool known;
	int64_t revision;
	enum play_state state;
	int64_t forget_us;
	struct queue_position at;
	uint32_t tries;
};

struct disk_row { /* by the id of an announcement */
	char id[ID_MAX_BYTES + 1];
	struct announcement *announcement;
	int64_t arrival_us;
	uint64_t sequence;
	struct disk_play plays[VILLAGE_OUTPUTS];
};

struct disk_schedule {
	char zone[NAME_MAX_BYTES + 1], id[NAME_MAX_BYTES + 1];
	int64_t revision;
	char *json; /* NULL: withdrawn */
	int64_t since_us, forget_us;
};

struct disk_receipt { /* that can be sent now */
	struct disk_row *row;
	unsigned output;
	int64_t revision;
	enum receipt_event event;
	enum reason reason;
	bool by_timetable;      /* it was missed before it came to a queue */
	int64_t real_us, at_us; /* when it was written, by the node's clock and in truth */
};

struct disk_change {
	enum disk_what {
		DISK_ANNOUNCEMENT,
		DISK_PLAY,
		DISK_SCHEDULE,
		DISK_DROP_SCHEDULE,
		DISK_MARK,
		DISK_LAST_SEEN,
		DISK_USAGE,
		DISK_RECEIPT,
	} what;
	int64_t durable_us; /* when it is on the disk (the world's time); TIME_NEVER: not flushed */
	struct disk_row *row;
	unsigned output;
	struct announcement *announcement;
	int64_t arrival_us;
	uint64_t sequence;
	struct disk_play play;
	struct disk_schedule schedule;
	int64_t value_us;
	struct timetable_mark mark;
	char usage[USAGE_TEXT_SIZE];
	struct disk_receipt receipt;
};

struct disk {
	struct random random;
	struct ids rows;
	struct disk_schedule *schedules;
	size_t schedules_count, schedules_capacity;
	struct timetable_mark mark;
	int64_t last_seen_us;
	char usage[VILLAGE_OUTPUTS][USAGE_TEXT_SIZE];
	uint64_t next_sequence;

	struct disk_change *changes; /* from `first` on they wait */
	size_t first, count, capacity, flushed;
	int64_t latest_us;
};

void disk_init(struct disk *disk, uint64_t seed);
void disk_done(struct disk *disk);
struct disk_row *disk_row(struct disk *disk, const char *id);

/* Posts a change, to be filled in at once. */
struct disk_change *disk_post(struct disk *disk, enum disk_what what);
/* What was posted since the last call is a group. */
void disk_flush(struct disk *disk, int64_t now_us);
/* When the next change is durable; TIME_NEVER. */
int64_t disk_next_us(const struct disk *disk);
/* Carries out the next change whose time has come, and tells it; false: none. `*ret_change` is
 * borrowed until the next call of anything. */
bool disk_commit(struct disk *disk, int64_t now_us, const struct disk_change **ret_change);
/* Calls `each` with every schedule that would be lost if power went now: another one than is on the disk, or
 * none. */
void disk_each_unsaved(struct disk *disk,
	void (*each)(const struct disk_schedule *schedule, void *context), void *context);
/* Power goes: what is not durable never was. */
void disk_crash(struct disk *disk);
/* An orderly stop: everything is written. The caller asks disk_commit() for it. */
void disk_write_all(struct disk *disk, int64_t now_us);
