/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One output's life: its queue, the broadcasts it has made of entries, its gain, what is remembered
 * and reported of it. The queue decides (scheduler/queue, pure); this carries out. Main's.
 */
#pragma once

#include "daemon/node.h"

/* Of an occurrence that was missed; in its receipt. */
#define OUTPUT_LATE_DETAIL "trạm tắt, ngủ hoặc sai giờ vào lúc phải phát; đã quá trễ"

int output_init(struct output *output); /* once the configuration and the device are set */
void output_done(struct output *output);

/* Whether the output listens to `zone` (`all`: every one does). */
bool output_listens(const struct output *output, const char *zone);
struct output *output_find(struct node *node, const char *name);
/* The device's slot of the broadcast in `place`. */
size_t output_slot(const struct output *output, size_t place);
struct queue_now output_now(const struct output *output);
/* What is heard most: the highest that sounds, also while it fades; NULL. */
const struct broadcast *output_on_air(const struct output *output);

struct output_offer {
	struct announcement *announcement;
	int64_t arrival_us;
	uint64_t sequence;
	double seconds; /* predicted */
	bool came_late; /* to all nodes: no neighbour has begun it in time */
};
/* Queues the announcement unless the ledger knows this revision or a newer one. True if it is news
 * here: it waits now, or had expired on the way (then that is remembered and reported). An older
 * revision ends as superseded. *ret_error: -ENOSPC (full), -EEXIST (another content has this id and
 * revision). */
bool output_offer(struct output *output, const struct output_offer *offer, int *ret_error);
/* It was accepted for other outputs, but this one's queue has no room: that is told, and remembered. */
void output_refuse(struct output *output, const struct output_offer *offer);
/* Queues again what the store had (after a restart). */
void output_restore(
	struct output *output, const struct output_offer *offer, const struct store_play *play);
/* What of the foreground was on air last, and since when, as the store had it; before output_restore(). */
void output_load_run(struct output *output, const char *value);
/* Cancels `id` if its revision is at most `revision`; remembers the withdrawal. */
void output_withdraw(struct output *output, const char *id, int64_t revision, bool lasting);
struct output_occurrence {
	int64_t start_us;
	bool begun; /* it is or was on air */
};
/* That schedule's occurrences which wait or play here; the caller frees. NULL: none. */
struct output_occurrence *output_list_occurrences(
	const struct output *output, const char *schedule, size_t *ret_count) _must_check_;
/* Silences, and clears all but what is scheduled for later. */
void output_stop(struct output *output);
void output_skip(struct output *output);
/* Lasts, on disk. */
void output_mute(struct output *output, bool muted);
void output_set_gain(struct output *output, double gain_db);
/* The gain in force: as set, at this hour. */
double output_gain_db(const struct output *output);

/* A recording is here: what waits for it is as long as that makes it. */
void output_on_media(struct output *output, const char *sha256);

/* Lets the queue decide, and does it; sets the timer for the next decision. To be called after
 * anything has changed. */
void output_pump(struct output *output);
void output_pump_all(struct node *node);
/* Puts into the store how far everything has come: a stop may not wait for the devices' word. */
void output_keep_positions(struct output *output);
/* Puts into the store again what is held in memory: its file was begun anew. */
void output_store_again(struct output *output);

void output_on_primed(struct output *output, struct broadcast *broadcast);
void output_on_lent(struct output *output); /* a programme is the device's now */
void output_on_started(struct output *output, struct broadcast *broadcast);
void output_on_over(struct output *output, struct broadcast *broadcast);
void output_on_device(struct output *output, const struct device_event *event);
