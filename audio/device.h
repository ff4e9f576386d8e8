/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sound device and its real-time thread: the only owner of the PCM. It mixes the programmes of
 * the outputs that share the device (each on its own channels) and writes them. While sound runs
 * the thread never waits for any other thread: no locks, no allocation, no logging, no opening of
 * files; it pulls frames, writes with non-blocking I/O and reports through a ring.
 *
 *   main ── device_play() (atomic one-slot exchange per output) ──▶ device thread
 *   main ◀─ device_next_event() (single-producer ring + eventfd) ── device thread
 *
 * A device that is absent, busy, unplugged or wedged is retried by name, with back-off, for ever;
 * meanwhile it is "lost": programmes given to it come back at once with DEVICE_LOST.
 *
 * An output of a device is a slot: it plays one programme at a time. A loudspeaker that must begin
 * one programme while another fades out, or speak over music, has several slots with the same
 * channels: what they play is added, and clipped to full scale without a wrap. A slot needs no
 * preroll when any slot that shares a channel with it sounds, or has sounded lately
 * (VOICE_WARM_US): the amplifier is awake. Slots cost next to nothing: a device with all of them
 * has 122 KiB, and a turn looks at an idle one for some nanoseconds.
 *
 * All functions are for the main thread. Nothing here blocks.
 */
#pragma once

#include "audio/programme.h"
#include <stdbool.h>
#include <stdint.h>

#define DEVICE_OUTPUTS_MAX 128 /* slots */
#define DEVICE_RAMP_MIN_MS 20
#define DEVICE_RAMP_MAX_MS 2000

struct device_output_config {
	uint32_t channel_mask;
	double gain_db;
	int64_t preroll_us;
	int64_t delay_us;
};

struct device_config {
	const char *name;                           /* ALSA PCM name or "wav:PATH"; copied */
	const struct device_output_config *outputs; /* copied */
	size_t outputs_count;                       /* 1…DEVICE_OUTPUTS_MAX */
};

enum device_event_what {
	DEVICE_OPENED,  /* rate_hz is set; the device can play */
	DEVICE_CLOSED,  /* lost: error (errno, positive) says why; a retry is under way */
	DEVICE_STARTED, /* the first frame of `programme` has left the device, at mono_us */
	DEVICE_ENDED,   /* `programme` comes back to main, which may free it; see outcome */
};

enum device_outcome {
	DEVICE_FINISHED, /* every frame has left the device; the last one at mono_us */
	DEVICE_ABORTED,  /* programme_abort(): faded out, silent since mono_us */
	DEVICE_LOST,     /* the device went away under it */
};

struct device_event {
	enum device_event_what what;
	enum device_outcome outcome;
	size_t output; /* index into the configuration */
	struct programme *programme;
	uint64_t frames; /* frames of the programme that have left the device */
	int64_t mono_us; /* when it happened, CLOCK_MONOTONIC */
	unsigned rate_hz;
	int error;
};

struct device_stats {         /* totals since the start */
	uint64_t xruns;       /* EPIPE: the device ran dry while sound was due */
	uint64_t suspends;    /* ESTRPIPE */
	uint64_t starvations; /* a programme had no frame when one was due */
	uint64_t reopens;
	bool realtime; /* the thread runs under SCHED_FIFO */
};

struct device;

/* Starts the thread; the device need not be there. NULL with errno. */
struct device *device_start(const struct device_config *config) _must_check_;
/* Fades out what plays, gives every programme back as events, and ends the thread. Returns 0 and
 * frees, or -ETIMEDOUT after `timeout_ms` when the thread hangs in the driver (the process must
 * then _exit). Programmes given back are read with device_next_event() before: call
 * device_request_stop() first, read events until `DEVICE_ENDED` of all, then device_stop(). */
void device_request_stop(struct device *device);
int device_stop(struct device *device, int timeout_ms) _must_check_;

/* Lends `programme` to output `output`. It plays when the one before it has ended. -EBUSY: one is
 * waiting already; -ENODEV: the device is lost now. */
int device_play(struct device *device, size_t output, struct programme *programme) _must_check_;

/* Replaces the output's gain: at once for what is not sounding yet, else within
 * DEVICE_RAMP_MIN_MS, after a change that is under way. */
void device_set_gain_db(struct device *device, size_t output, double gain_db);
/* The same within `ramp_ms` (brought into DEVICE_RAMP_MIN_MS…DEVICE_RAMP_MAX_MS), along the
 * curve of a mix_ramp: to duck music under speech. */
void device_ramp_gain_db(struct device *device, size_t output, double gain_db, unsigned ramp_ms);

/* True with *ret_event when there was one. Poll device_event_fd() (level-triggered) for more. */
bool device_next_event(struct device *device, struct device_event *ret_event);
int device_event_fd(const struct device *device);

/* 0 while lost. */
unsigned device_rate_hz(const struct device *device);
void device_get_stats(const struct device *device, struct device_stats *ret_stats);

/* Health: device_kick() makes an idle thread turn once; device_turns() counts its turns. A
 * thread whose count stands still across two kicks is wedged. */
void device_kick(struct device *device);
uint64_t device_turns(const struct device *device);
