/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A broadcast: one announcement being played on one output. It owns what the playing needs
 * (rundown → renderer → programme) and lends it to two threads; it is over when both have given
 * back what they borrowed.
 *
 *   start ─▶ preparing ──(RENDERER_PRIMED)──▶ lent to the device ──(DEVICE_STARTED)──▶ on air
 *     │            │                                │                                   │
 *     └────────────┴──── broadcast_end(), failure ──┴─▶ ending ──▶ over ◀─(DEVICE_ENDED)┘
 *
 * Main's. The output that started it hears of its end by output_on_broadcast_over().
 */
#pragma once

#include "daemon/node.h"

enum broadcast_end {
	BROADCAST_GOES_ON,
	BROADCAST_FINISHED,   /* heard to the end */
	BROADCAST_CANCELLED,  /* withdrawn or stopped: `reason` */
	BROADCAST_SUPERSEDED, /* a newer revision has come */
	BROADCAST_FAILED,     /* no engine could say it */
	BROADCAST_LOST,       /* the device went away: goes on when it is back */
	BROADCAST_STOPPING,   /* the node stops: goes on after its return */
};

struct broadcast {
	struct output *output;
	struct announcement *announcement;
	int64_t arrival_us; /* as in the queue, for going back there */
	uint64_t sequence;
	struct renderer *renderer;
	struct rundown *rundown; /* lent to the renderer */
	struct programme *programme;
	size_t first_item;
	size_t next_item; /* where to go on if it was cut off */
	bool resumed;     /* it was on air before */
	bool with_device, device_done, renderer_done, on_air;
	bool engine_failed, chime_failed; /* something went wrong on the way */
	enum broadcast_end end;           /* how it ends, once that is known */
	enum reason reason;
	struct error detail;
	int64_t start_us;        /* real; wanted, or when it became audible */
	int64_t ended_us;        /* real; when it fell silent; TIME_UNSET: never heard */
	double seconds_before;   /* heard before it was cut off */
	double seconds_played;   /* of this part */
	double seconds_expected; /* the whole, predicted until rendered */
	char spoken_sha256[65];
};

/* Begins to prepare the entry (which the caller then takes out of the queue). `start_us` real,
 * TIME_UNSET: at once. Never fails: what goes wrong ends the broadcast in the ordinary way, from
 * the event loop. */
struct broadcast *broadcast_start(
	struct output *output, const struct queue_entry *entry, int64_t start_us) _must_check_;
/* Fades out and ends; the first end that is given stays. */
void broadcast_end(struct broadcast *broadcast, enum broadcast_end end, enum reason reason);

void broadcast_on_renderer(struct broadcast *broadcast, const struct renderer_event *event);
void broadcast_on_device(struct broadcast *broadcast, const struct device_event *event);
/* True when both threads have given back what they borrowed: may be freed. */
bool broadcast_over(const struct broadcast *broadcast);
struct broadcast *broadcast_free(struct broadcast *broadcast);

/* Seconds asked: of the whole announcement, rendered or predicted. */
double broadcast_seconds_asked(const struct broadcast *broadcast);
