/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The judge of a simulation: is told what a node was given, what it wrote of it and what was heard, and
 * says what was wrong. It knows the calendar (scheduler/calendar) and nothing else of what it judges:
 * which occurrences there have to be it finds by walking through the year, minute by matching minute.
 */
#pragma once

#include "tests/sim/disk.h"
#include "tests/sim/ids.h"
#include "tests/sim/village.h"

#include <stddef.h>

#define JUDGE_SENTENCE_US (5 * US_PER_SEC) /* what a node says again of what was cut off */

struct judge_play {
	int64_t began_us; /* real, the first time */
	int64_t heard_us;
	int64_t made_at_us; /* the world's time */
	int64_t there_us;   /* real; when it was made first, by a node that never slept since */
	uint16_t made, begun, ends, superseded;
	uint16_t cuts, taken_back;
	bool late; /* told by the timetable, and not taken back */
	int64_t late_revision;
	enum receipt_event event;
	enum reason reason;
};

struct judge_row {
	char id[ID_MAX_BYTES + 1];
	int64_t start_us;
	enum interrupted interrupted;
	struct judge_play plays[VILLAGE_OUTPUTS];
};

struct judge_span {
	int64_t from_us, to_us;
};

struct judge_spans {
	struct judge_span *list;
	size_t count, capacity;
};

struct judge_rule { /* what a node knew of a schedule, since when */
	char zone[NAME_MAX_BYTES + 1];
	char id[NAME_MAX_BYTES + 1];
	struct schedule *schedule; /* NULL: nothing any more */
	int64_t at_us;             /* the world's time */
	bool hazy;                 /* the node's was another one */
};

struct judge {
	const char *name;
	const struct village *village;
	uint64_t seed;
	struct ids rows;
	struct judge_rule *rules;
	size_t rules_count, rules_capacity;
	struct judge_spans awake;  /* real; with a clock that it trusts */
	struct judge_spans silent; /* the world's time: nothing is demanded of what begins there */
	int64_t awake_us;          /* real; since when it is; TIME_UNSET: it is not */
	int64_t judged_us;         /* real; when it looked at its timetable last */
	size_t failures, demanded, begun, finished, late, expired, others;
};

void judge_init(struct judge *judge, const char *name, const struct village *village);
void judge_done(struct judge *judge);

/* What is true for a while. */
void judge_wakes(struct judge *judge, int64_t real_us);
void judge_sleeps(struct judge *judge, int64_t real_us);
void judge_expects_silence(struct judge *judge, int64_t from_us, int64_t to_us);
/* The node knows that schedule from now on (NULL: not any more). */
void judge_on_rule(struct judge *judge, const char *zone, const char *id, struct schedule *schedule,
	int64_t at_us, bool hazy);

/* Power has failed before that was on the disk: it knows what it knew before. */
void judge_on_rule_lost(struct judge *judge, const char *zone, const char *id);

/* It has looked at its timetable, by a clock that it trusts. */
void judge_on_look(struct judge *judge, int64_t real_us);
void judge_on_made(struct judge *judge, const struct announcement *announcement, unsigned output,
	int64_t at_us, int64_t real_us);
/* A receipt that can be sent. */
void judge_on_receipt(struct judge *judge, const struct disk_receipt *receipt);

struct judge_sound {
	const struct announcement *announcement;
	unsigned output;
	int64_t real_us;
	bool trusted, resumed;
};
void judge_on_began(struct judge *judge, const struct judge_sound *sound);
/* It was heard for so long. `steady`: from beginning to end by one clock, without a pause. */
void judge_on_heard(
	struct judge *judge, const struct judge_sound *sound, int64_t heard_us, bool steady);

/* Every occurrence up to `until_us` has had its time. */
void judge_finish(struct judge *judge, int64_t until_us);
/* Whether two nodes of one village did the same where both could; how many were compared. */
size_t judge_compare(struct judge *judge, const struct judge *other);
