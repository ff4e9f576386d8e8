/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A broadcast: one entry of the queue being played on one output, from where it is to go on. It
 * owns what the playing needs (rundown → renderer → programme) and lends it to two threads; it is
 * over when both have given back what they borrowed. An output has several at a time: what fades
 * out, what comes in its place, and the background under both; each has a slot of the device.
 *
 *   start ─▶ preparing ──(RENDERER_PRIMED)──▶ lent to the device ──(DEVICE_STARTED)──▶ on air
 *     │            │                                │                                   │
 *     └────────────┴──── broadcast_fade(), failure ─┴─▶ over ◀──────────(DEVICE_ENDED)──┘
 *
 * Main's. The output hears of it by output_on_primed(), output_on_started(), output_on_over().
 */
#pragma once

#include "daemon/node.h"
#include "daemon/readings.h"

struct broadcast {
	struct output *output;
	size_t place;                      /* in output->broadcasts; also its slot */
	struct queue_entry *entry;         /* the queue's; valid until it has been told "over" */
	struct announcement *announcement; /* a reference of our own */
	struct rundown *rundown;
	struct renderer *renderer;
	struct programme *programme;
	struct rundown_position from;
	bool resumed;              /* it was on air before */
	bool joins;                /* it comes in late, in step with the others, */
	struct renderer_join join; /* who began then */
	bool passed;               /* and too late: all of it had been said */
	uint64_t skipped_frames;   /* of what they have said, and is not of the programme */
	bool with_device, device_done, renderer_done, on_air;
	bool heard_out;   /* the device has played all it was given */
	bool left_behind; /* its renderer hangs: what it may still look at is never freed */
	bool engine_failed, chime_failed; /* something went wrong on the way */
	bool told;                        /* its end was told when it was decided */
	struct queue_position kept;       /* how far it came, as the store has it */
	bool media_missing;               /* a recording of it was not there, or bad */
	bool *bad;                        /* by item of the rundown: a recording that was bad */
	enum queue_cause cause;           /* of what the world did to it: FAILED, LOST, FINISHED */
	enum reason reason;               /* FAILED: why */
	struct error detail;
	int64_t start_us;        /* real; wanted, or when it became audible */
	int64_t start_mono_us;   /* the latter */
	int64_t ended_us;        /* real; when it fell silent; TIME_UNSET: never heard */
	int64_t planned_us;      /* real; the start that it was given; TIME_UNSET: at once */
	int64_t in_step_us;      /* as in struct queue_over */
	uint64_t frames_played;  /* of the programme */
	double seconds_before;   /* heard before it was cut off */
	double seconds_to_from;  /* of the whole, before `from` */
	double seconds_expected; /* the whole, predicted until rendered */
	char spoken_sha256[SHA256_TEXT_SIZE];
};

/* Begins to prepare what the queue wants prepared. Never fails: what goes wrong ends the broadcast
 * in the ordinary way, from the event loop. */
struct broadcast *broadcast_start(
	struct output *output, size_t place, struct queue_entry *entry) _must_check_;
/* Fades out what sounds, and ends: soon, but not yet. */
void broadcast_fade(struct broadcast *broadcast);

void broadcast_on_renderer(struct broadcast *broadcast, const struct renderer_event *event);
void broadcast_on_device(struct broadcast *broadcast, const struct device_event *event);
/* True when both threads have given back what they borrowed: may be freed. */
bool broadcast_over(const struct broadcast *broadcast);
struct broadcast *broadcast_free(struct broadcast *broadcast);

/* Where it would go on if it were cut off now. */
struct queue_position broadcast_position(const struct broadcast *broadcast);
/* Seconds heard so far, with what was heard before it was cut off. */
double broadcast_seconds_played(const struct broadcast *broadcast);
/* Seconds of the whole announcement, rendered or predicted. */
double broadcast_seconds_asked(const struct broadcast *broadcast);

/* The predicted length of the whole, chimes and repeats included. */
double broadcast_predict_seconds(const struct node *node, const struct announcement *announcement,
	const struct readings *readings);
/* The same for an announcement whose texts have not been read yet. */
double broadcast_seconds_of(const struct node *node, const struct announcement *announcement);
