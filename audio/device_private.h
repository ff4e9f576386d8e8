/* SPDX-License-Identifier: GPL-3.0-or-later */
/* struct device, shared by device.c (main's side) and device_thread.c. Fields by owner. */
#pragma once

#include "audio/device.h"
#include "audio/device_ring.h"
#include "audio/sink.h"
#include "audio/tape.h"
#include "audio/voice.h"
#include "base/thread.h"

#define DEVICE_CHUNK_FRAMES VOICE_CHUNK_FRAMES

struct device_slot {
	_Atomic(struct programme *) waiting; /* main puts one in, the thread takes it out */
	_Atomic(struct voice_gain) gain;     /* main sets */
};

struct device {
	/* fixed after device_start() */
	char *name;
	const struct sink_driver *driver;
	unsigned channels; /* that the outputs need */
	size_t outputs_count;
	struct thread thread;
	int wake_fd; /* eventfd: something for the thread to look at */

	/* both, atomic */
	struct device_slot slots[DEVICE_OUTPUTS_MAX];
	struct device_ring events;
	_Atomic bool stopping;
	_Atomic unsigned rate_hz; /* 0: lost */
	_Atomic uint64_t turns, xruns, suspends, starvations, reopens;
	_Atomic bool realtime;

	/* device thread */
	struct voice voices[DEVICE_OUTPUTS_MAX];
	struct sink *sink; /* NULL: lost */
	struct sink_format format;
	struct tape tape;
	uint64_t heard;    /* tape position up to which sound has left the device */
	uint64_t stop_at;  /* tape position that must be heard before the sink may stop */
	bool running;      /* something was written since the sink was idle */
	bool blocked;      /* the sink had no room for what is due */
	bool stalled;      /* the sink had room, but every programme that plays is late */
	bool again;        /* there is more to write at once */
	bool polls_sink;   /* its descriptors are worth watching while idle */
	int recovering;    /* −errno that recover() has still to cure; 0: none */
	uint64_t progress; /* written + heard, when it last changed */
	int64_t progress_us;
	int64_t opened_us;
	int64_t retry_us; /* when to open again */
	int64_t backoff_us;
	bool was_open;
	bool closed_reported;
	struct pace pace; /* how the device keeps time */
	struct voice_workshop workshop;
	float mono[DEVICE_CHUNK_FRAMES];
};

void *device_thread(void *context);
