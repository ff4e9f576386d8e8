/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rules of a queue: when may an entry begin, what holds it until then, what goes before what.
 * Functions of an entry and of the circumstances; nothing is decided here. Of scheduler/queue only.
 */
#pragma once

#include "scheduler/queue_entry.h"

struct queue_circumstances {
	const struct queue_now *now;
	const struct queue_config *config;
	const struct usage *usage;
	int64_t foreground_free_us, background_free_us; /* TIME_UNSET: since ever */
	const struct queue_elsewhere *elsewhere;        /* of both lanes: [background] */
	bool muted;
};

/* What is left alone here, because others are saying it: until then nothing that would wait for it. */
struct queue_elsewhere {
	enum priority priority;
	int64_t since_us, until_us; /* the gap included; 0: nothing */
	/* A prediction is right to some 7 %: what has a start of its own behind this goes by that. */
	int64_t sure_us;
};

struct queue_verdict {
	enum queue_wait wait; /* what holds it; QUEUE_WAIT_NONE: it is ripe */
	int64_t begin_us;     /* the earliest instant at which it may begin */
	int64_t change_us;    /* when time alone may make it another verdict; TIME_NEVER */
	bool never;           /* it can never begin: drop it, for … */
	enum reason reason;
	bool media_missing; /* ripe, without its recording */
	bool joins;         /* if it begins, in step with the others, who are at `run` */
	struct queue_run run;
	bool missed;     /* the others have said it: what is under way now goes before it */
	bool left_alone; /* never, since the others are saying it, */
	int64_t ends_us; /* until then, */
	int64_t sure_us; /* and at least until then */
};

/* Notes of an occurrence that has not begun whether somebody was there at its start; to be called before
 * it is judged. True: that has just become so. *wake_us becomes earlier: its start must not be missed. */
bool queue_rules_note_in_time(
	const struct queue_now *now, struct queue_entry *entry, int64_t *wake_us);

/* Of what waits: everything but the limits of the day, */
struct queue_verdict queue_rules_judge(
	const struct queue_circumstances *circumstances, struct queue_entry *entry);
/* which are asked only of what is ripe otherwise, and changes its verdict. */
void queue_rules_apply_limits(const struct queue_circumstances *circumstances,
	struct queue_entry *entry, struct queue_verdict *verdict);

/* Until when others are saying what is left alone here and `entry` would wait for. */
int64_t queue_rules_elsewhere_us(
	const struct queue_circumstances *circumstances, const struct queue_entry *entry);

/* Why what is being prepared or on air may not go on, or QUEUE_CAUSE_NONE. *change_us becomes
 * earlier where time alone will change that. */
enum queue_cause queue_rules_ends(const struct queue_circumstances *circumstances,
	const struct queue_entry *entry, int64_t *change_us);

/* It would sound at `real_us` where only emergencies may: in quiet hours, or above a limit. */
bool queue_rules_quiet(const struct queue_config *config, int64_t real_us);
bool queue_rules_above_limit(const struct queue_config *config, const struct usage *usage,
	const struct queue_entry *entry, int64_t real_us);

/* While `active` is here, `entry` is not prepared, */
bool queue_rules_blocks(const struct queue_entry *active, const struct queue_entry *entry);
/* or it is, and `active` gives way to it. */
bool queue_rules_yields(const struct queue_entry *active, const struct queue_entry *entry);
