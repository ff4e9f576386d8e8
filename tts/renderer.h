/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The renderer: a thread that performs one rundown into one programme. It asks the engine for one
 * sentence at a time, converts to the device's rate, brings each source to its level (audio/strip.h),
 * mixes (chime tail under the first words, bed ducked under both), sends the mix through the
 * output's chain (audio/chain.h) and pushes it into the programme's ring, waiting when it is full.
 * It runs ahead of the sound by the ring's length. When the engine is late and the ring runs low,
 * what else there is (tail, bed, silence) goes on in its place, so the device never starves; the
 * pauses that follow are shortened by as much, so that nodes with the same rundown stay in step.
 * Recordings are decoded as they are played.
 *
 * Failure of a sentence: once more on the same engine (fresh connection), then on each next engine
 * of the list, then RENDERER_FAILED. A sentence that broke off is said again from its beginning
 * (what was pushed of it cannot be taken back: a pause of 300 ms separates). If the rundown has a
 * fallback, a recorded "the system cannot read this announcement", it is heard in the place of all
 * that was left to say, and then the closing chime, before RENDERER_FAILED (FAULTS A7).
 *
 * Created, owned and freed by main (or a command). It touches no state but what it was given.
 */
#pragma once

#include "audio/chain.h"
#include "audio/levels.h"
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
		/* A recording could not be read, or not to its end: what there was of it is played,
		 * then the next item. */
		RENDERER_RECORDING_FAILED,
		/* Exactly one of these is the last event, and the thread's last act: the whole
		 * programme is in the ring; no engine could say a sentence (the programme is
		 * complete as far as it came); the programme was aborted. */
		RENDERER_DONE,
		RENDERER_FAILED,
		RENDERER_CANCELLED,
	} what;
	size_t item;             /* the item of the rundown it is about */
	uint64_t skipped_frames; /* PRIMED: thrown away before the first that was pushed. DONE with
				  * nothing pushed: all of it would have been heard already */
	bool fallback_played;    /* RENDERER_FAILED: let the programme play on, it ends by itself */
	struct error error;      /* for the failures */
};

/* Others began to play this at `begun_mono_us`. The first frame that is pushed is the one which is to be
 * heard `lead_us` after it was ready: so long until it can be. */
struct renderer_join {
	int64_t begun_mono_us, lead_us;
};

struct renderer_config {                     /* what it points to must outlive the renderer */
	const struct engine_config *engines; /* in the order to try */
	size_t engines_count;
	const char *const *helper_dirs;
	bool patient;             /* nobody hears it yet (a file): a late engine is waited for */
	double duck_db;           /* how far the bed goes down under speech, e.g. −15 */
	enum chain_preset preset; /* the output's */
	struct levels *levels;    /* shared by all renderers of a process */
	const struct renderer_join *join; /* NULL: all of it is to be heard */
};

struct renderer;

/* Takes `warm` (an engine handed over, or NULL). Borrows `rundown` and `programme` until it has been
 * joined, and `events` (to which struct renderer_event are pushed). `engine_name` NULL or the
 * announcement's wish, tried first. What lies before `from` is left out (rundown_resume(); the
 * first frame of the programme is then from.offset_us within that item). Marks are of frames since then,
 * those that were thrown away included. NULL with errno; then
 * nothing was taken. */
struct renderer *renderer_start(const struct renderer_config *config, const struct rundown *rundown,
	struct rundown_position from, struct programme *programme, const char *engine_name,
	const struct engine_voice *voice, struct engine *warm, struct inbox *events) _must_check_;

/* To be called after the last event, or at shutdown after programme_abort(): joins within
 * `timeout_ms`, frees, and hands back an engine that is still good (NULL if none). The caller then
 * frees rundown and programme. -ETIMEDOUT: it hangs and may still look at them: nothing is freed,
 * and neither may they be. */
int renderer_join(struct renderer *renderer, int timeout_ms, struct engine **ret_warm) _must_check_;
