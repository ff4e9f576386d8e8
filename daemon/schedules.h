/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The node's schedules: retained state of the broker, kept in the store and obeyed without the broker.
 * Which occurrence is due the timetable says (scheduler/timetable, pure); this carries out: what is
 * due becomes an announcement like every other (daemon/intake), what was missed a receipt `expired`,
 * `late`. Main's; a part of the node's state.
 *
 * In one group of the store: what was made of an occurrence, and the mark up to which all have been
 * judged. So a power cut neither loses one nor judges it twice.
 */
#pragma once

#include "daemon/mqtt.h"
#include "scheduler/store.h"
#include "scheduler/timetable.h"

#include <systemd/sd-event.h>

#define SCHEDULES_WITHDRAWAL_US (INT64_C(400) * 86400 * US_PER_SEC) /* how long one is kept */

struct node;

struct schedules {
	struct zones *zones;
	struct timetable *timetable;
	sd_event_source *timer;
	int64_t wake_us; /* when it rings; real */
	struct timetable_mark kept_mark;
	char late_id[ID_MAX_BYTES + 1]; /* the occurrence that was told as late last, */
	uint64_t late_outputs;          /* and on which outputs: several zones may have it */
};

void schedules_init(struct schedules *schedules);
void schedules_done(struct schedules *schedules);

/* As schedule_parse(), with this node's defaults. */
struct schedule *schedules_parse(const struct node *node, const char *payload, size_t length,
	const char *topic_id, char *ret_id, enum reason *ret_reason,
	struct error *error) _must_check_;

/* What the store has had. A row that cannot be read is a fault, and stays where it is. */
void schedules_on_loaded(struct node *node, const struct store_event *event);
/* A message on zone/<zone>/schedule/<id>. */
void schedules_on_message(
	struct node *node, const char *zone, const char *id, const struct mqtt_event *event);

/* Judges what is due and sets the timer for what comes next; to be called after anything that may
 * matter (the clock, trust in it). Within its time: the rest soon after. The caller pumps the outputs
 * and flushes the store. */
void schedules_pump(struct node *node);
/* Puts into the store how far all has been judged; the caller flushes. */
void schedules_keep_mark(struct node *node);
/* Puts everything into the store again: its file was begun anew. */
void schedules_store_again(struct node *node);
/* Forgets withdrawals whose time has come. */
void schedules_forget(struct node *node, int64_t now_us);
