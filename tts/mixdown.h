/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The mix of one programme: the voice (or nothing), over it the tail of the chime before, under
 * it the bed, looped and ducked. Pure: frames in, frames out, mono at the programme's rate.
 */
#pragma once

#include "audio/clip.h"
#include <stdbool.h>
#include <stddef.h>

#define MIXDOWN_DUCK_MS 150  /* ramp of the bed when speech begins or ends */
#define MIXDOWN_FADE_MS 1000 /* of the bed at the programme's end */

struct mixdown {
	unsigned rate_hz;

	struct clip tail; /* owned; count 0: none */
	size_t tail_at;

	struct clip bed; /* owned; count 0: none */
	size_t bed_at;
	float bed_gain, bed_goal, bed_step; /* linear; the step for one frame */
	float duck_gain;
};

/* Takes `bed` (NULL: none), which begins with the first frame, from silence. */
void mixdown_init(struct mixdown *mixdown, unsigned rate_hz, struct clip *bed, double duck_db);
void mixdown_done(struct mixdown *mixdown);

/* Takes `clip`: its frames from `from` on sound over what comes next. An earlier tail ends. */
void mixdown_set_tail(struct mixdown *mixdown, struct clip *clip, size_t from);
/* The bed goes down under speech, or up again. */
void mixdown_duck(struct mixdown *mixdown, bool under_speech);
/* The bed begins to fade out for good. */
void mixdown_fade(struct mixdown *mixdown);
/* Frames until the tail and a fading bed are silent. */
size_t mixdown_rest_frames(const struct mixdown *mixdown);
/* Whether there is anything to hear but the voice. */
bool mixdown_sounds(const struct mixdown *mixdown);

/* ret_frames[0..count) = voice[0..count) (NULL: silence) + tail + bed; may be beyond ±1,
 * which is for the chain to limit. */
void mixdown_run(struct mixdown *mixdown, const float *voice, size_t count, float *ret_frames);
