/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract between a device thread and a back end (ALSA PCM, wav file). Every function is
 * called by the device thread only; none may block (open and close may take as long as the
 * driver takes: they are called only while no sound runs on this device).
 *
 * State: closed → (open) → idle → (first write) → running → (stop) → idle → (close) → closed.
 * Interleaved 16- or 32-bit or float frames are the back end's own affair: write() takes float.
 */
#pragma once

#include "base/cleanup.h"
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SINK_POLL_MAX  16
#define SINK_BUFFER_MS 80 /* the most that may wait in the device: a stop must be heard at once */

struct sink_format {
	unsigned rate_hz;
	unsigned channels;
	size_t buffer_frames; /* capacity; write() accepts no more than this ahead of the sound */
	size_t period_frames;
};

struct sink;

struct sink_driver {
	/* Opens device `name` with at least `channels` channels. NULL with errno. */
	struct sink *(*open)(const char *name, unsigned channels, struct sink_format *ret_format);
	void (*close)(struct sink *sink);

	/* Frames that write() would take now; or -errno: -EPIPE (xrun), -ESTRPIPE (suspended): call
	 * recover(); anything else: the device is gone. */
	long (*space)(struct sink *sink);
	/* Writes interleaved float frames; returns how many were taken (fewer is normal), or -errno
	 * as space(). */
	long (*write)(struct sink *sink, const float *interleaved, size_t frames);
	/* Frames written whose sound has not left the device; >= 0, or -errno. */
	long (*delay)(struct sink *sink);
	/* After -EPIPE or -ESTRPIPE: makes the sink writable again. 0 with *ret_unheard, the frames
	 * that were written last but whose sound was lost (to be written again); -EAGAIN (call
	 * again later); or -errno: gone. */
	int (*recover)(struct sink *sink, int error, size_t *ret_unheard);
	/* Discards what is unheard and becomes idle. 0 or -errno. */
	int (*stop)(struct sink *sink);

	/* Fills fds[0..SINK_POLL_MAX) with what tells of errors (events = 0), returns the number.
	 * Pacing is by the clock, not by POLLOUT: the thread looks once in a period. (What POLLOUT
	 * means differs from plugin to plugin, and some raise it for ever.) */
	int (*poll)(struct sink *sink, struct pollfd *fds);
	/* What the descriptors said, or, with count 0, whether the device is still there: 0, or
	 * -errno as space(). */
	int (*revents)(struct sink *sink, struct pollfd *fds, int count);
};

extern const struct sink_driver sink_alsa; /* sink_alsa.c, the only user of alsa-lib */
extern const struct sink_driver sink_wav;  /* sink_wav.c */

/* The driver for a device name ("wav:PATH" → sink_wav, else sink_alsa). */
const struct sink_driver *sink_driver_for(const char *name);
