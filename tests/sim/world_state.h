/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a world is made of. Of tests/sim/world*.c only. */
#pragma once

#include "daemon/ledger.h"
#include "scheduler/timetable.h"
#include "tests/sim/world.h"

#define LINE_PLACES QUEUE_BROADCASTS_MAX

struct sound {                     /* as daemon/broadcast: of one entry */
	struct queue_entry *entry; /* NULL: the place is free */
	struct announcement *announcement;
	bool on_air, fading, told, resumed;
	bool steady; /* neither clock nor sleep has come between */
	int64_t primed_at_us, starts_at_us, kept_at_us, over_at_us; /* the world's; TIME_NEVER */
	int64_t target_us; /* when it is to begin; the world's */
	int64_t began_us;  /* the world's */
	int64_t real_us;   /* the node's */
	int64_t length_us;
	struct queue_position kept;
};

struct line { /* as daemon/output */
	unsigned index;
	const struct village_output *config;
	struct queue_config queue_config;
	struct queue *queue;
	struct sound sounds[LINE_PLACES];
	int64_t wake_us; /* real */
};

struct retained {
	const char *zone;
	size_t schedule;
	char *json;
};

struct pending { /* accepted, not durable yet */
	struct disk_row *row;
	int64_t durable_us;
};

struct world {
	const struct village *village;
	struct judge *judge;
	struct disk disk;
	struct retained *broker;
	size_t broker_count;
	int64_t now_us, offset_us;
	bool synchronised;

	/* The node; gone when power is. */
	bool up, trusted, clock_was_set, connected;
	int64_t connects_at_us, tick_at_us, kept_time_us, forgot_us; /* the world's */
	int64_t booted_us, seen_at_boot_us, last_seen_us;
	struct ledger *ledger;
	struct zones *zones;
	struct timetable *timetable;
	int64_t wake_us; /* of the timetable; real */
	struct timetable_mark kept_mark;
	char late_id[ID_MAX_BYTES + 1];
	unsigned late_outputs;
	uint64_t next_sequence;
	struct line lines[VILLAGE_OUTPUTS];
	struct orphan {
		struct disk_row *row;
		unsigned output;
		int64_t revision;
	} *orphans;
	size_t orphans_count;
	size_t turns;
};

static inline int64_t world_real_us(const struct world *world)
{
	return world->now_us + world->offset_us;
}

static inline int64_t world_time_of(const struct world *world, int64_t real_us)
{
	return real_us == TIME_NEVER ? TIME_NEVER : real_us - world->offset_us;
}

void world_flush(struct world *world);
void world_judge_clock(struct world *world);
void world_receipt(struct world *world, const char *id, unsigned output, int64_t revision,
	enum receipt_event event, enum reason reason, bool by_timetable);

/* As daemon/output. */
struct line_offer {
	struct announcement *announcement;
	int64_t arrival_us;
	uint64_t sequence;
	double seconds;
};
void line_init(struct world *world, struct line *line);
void line_done(struct line *line);
bool line_offer(
	struct world *world, struct line *line, const struct line_offer *offer, int *ret_error);
void line_refuse(struct world *world, struct line *line, const struct line_offer *offer);
void line_restore(struct world *world, struct line *line, struct disk_row *row);
/* Starts of a schedule's occurrences that wait or play here, and which of them have begun. */
struct line_occurrence {
	int64_t start_us;
	bool begun;
};
void line_withdraw(struct world *world, struct line *line, const char *id, int64_t revision);
size_t line_occurrences(struct world *world, struct line *line, const char *schedule,
	struct line_occurrence *ret_list, size_t max);
void line_pump(struct world *world, struct line *line);
void line_keep_positions(struct world *world, struct line *line);
int64_t line_next_us(const struct world *world, const struct line *line);
void line_turn(struct world *world, struct line *line);
/* Power goes: what sounds is cut off. */
void line_cut(struct world *world, struct line *line);
void line_shift(struct line *line, int64_t by_us);

/* As daemon/schedules. */
void world_load_schedules(struct world *world);
void world_keep_mark(struct world *world);
void world_keep_time(struct world *world);
void world_pump_schedules(struct world *world);
void world_take_schedule(struct world *world, const struct retained *message, bool retained);
void world_forget_schedules(struct world *world, int64_t before_us);
