/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The renderer: a thread that performs one rundown into one programme. It asks the engine for one
 * sentence at a time, converts to the device's rate, mixes (chime tail under the first words, bed
 * ducked under speech) and pushes into the programme's ring, waiting when it is full. It runs
 * ahead of the sound by the ring's length. When the engine is late and the ring runs low, what
 * else there is (tail, bed, silence) goes on in its place, so the device never starves.
 *
 * Failure of a sentence: once more on the same engine (fresh connection), then on each next engine
 * of the list, then RENDERER_FAILED. A sentence that broke off is said again from its beginning
 * (what was pushed of it cannot be taken back: a pause of 300 ms separates).
 *
 * Created, owned and freed by main (or a command). It touches no state but what it was given.
 */
#pragma once

#include "audio/programme.h"
#include "base/inbox.h"
#include "tts/engine.h"
#include "tts/rundown.h"

/* How far the bed goes down under speech; the same on air and in a rendered file. */
#define RENDERER_DUCK_DB (-15.0)

struct renderer_event {
	struct inbox_link link;
	struct renderer *renderer;
	enum renderer_event_what {
		/* The ring holds the first sound, or all of it: may be played. */
		RENDERER_PRIMED,
		/* Faults on the way: an engine failed and was replaced or passed over; a chime or
		 * bed could not be read and was left out. */
		RENDERER_ENGINE_FAILED,
		RENDERER_CHIME_FAILED,
		/* Exactly one of these is the last event, and the thread's last act: the whole
		 * programme is in the ring; no engine could say a sentence (the programme is
		 * complete as far as it came); the programme was aborted. */
		RENDERER_DONE,
		RENDERER_FAILED,
		RENDERER_CANCELLED,
	} what;
	size_t item;        /* the item of the rundown it is about */
	struct error error; /* for the failures */
};

struct renderer_config {                     /* borrowed, must outlive the renderer */
	const struct engine_config *engines; /* in the order to try */
	size_t engines_count;
	const char *const *helper_dirs;
	double duck_db; /* how far the bed goes down under speech, e.g. −15 */
};

struct renderer;

/* Takes `rundown` and `warm` (an engine handed over, or NULL); borrows `programme` and `events`
 * (to which struct renderer_event are pushed). `engine_name` NULL or the announcement's wish,
 * tried first. Items before `first_item` are left out. NULL with errno; then nothing was taken. */
struct renderer *renderer_start(const struct renderer_config *config, struct rundown *rundown,
	size_t first_item, struct programme *programme, const char *engine_name,
	const struct engine_voice *voice, struct engine *warm, struct inbox *events) _must_check_;

/* To be called after the last event, or at shutdown after programme_abort(): joins within
 * `timeout_ms`, frees,
 * and hands back an engine that is still good (NULL if none). -ETIMEDOUT: it hangs; not freed. */
int renderer_join(struct renderer *renderer, int timeout_ms, struct engine **ret_warm) _must_check_;
