/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One output's life: its queue, the broadcast on air, what is remembered and reported of it. The
 * queue decides (scheduler/queue, pure); this carries out. Main's.
 */
#pragma once

#include "daemon/node.h"

/* Whether the output listens to `zone` (`all`: every one does). */
bool output_listens(const struct output *output, const char *zone);
struct output *output_find(struct node *node, const char *name);

/* Queues the announcement unless the ledger knows this revision or a newer one. True if it waits
 * here now; one that has expired on the way is remembered and reported, and does not. An older revision that waits or plays is superseded. *ret_error: -ENOSPC (full), -EEXIST (another text has this id and
 * revision). */
bool output_offer(struct output *output, struct announcement *announcement, int64_t arrival_us,
	uint64_t sequence, int *ret_error);
/* Queues again what the store had (after a restart). `playing`: it was on air. */
void output_restore(struct output *output, struct announcement *announcement, int64_t arrival_us,
	uint64_t sequence, bool playing);
/* Cancels `id` if its revision is at most `revision`; remembers the withdrawal. */
void output_withdraw(struct output *output, const char *id, int64_t revision, bool lasting);
/* Silences, and clears all but what is scheduled for later. */
void output_stop(struct output *output);
void output_set_gain(struct output *output, double gain_db);

/* Lets the queue decide, and does it; sets the timer for the next decision. To be called after
 * anything has changed. */
void output_pump(struct output *output);
void output_pump_all(struct node *node);

void output_on_broadcast_started(struct output *output, struct broadcast *broadcast);
void output_on_broadcast_over(struct output *output, struct broadcast *broadcast);
void output_on_device(struct output *output, const struct device_event *event);
