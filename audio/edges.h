/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Soft edges for a stream that may begin and break off in the middle of a sound: a recording that was
 * cut, one that goes on where it was interrupted, an engine that dies or is late. It holds the last
 * EDGES_MS back, so that there is something left to fade out when it turns out to have been the last.
 * Pure, one thread at a time, no allocation.
 */
#pragma once

#include "audio/mix.h"

#define EDGES_MS         5
#define EDGES_FRAMES_MAX 960 /* at 192 kHz */

struct edges {
	float held[EDGES_FRAMES_MAX]; /* a ring of `fade` frames */
	size_t fade;
	size_t first, count;
	struct mix_ramp rise;
};

void edges_init(struct edges *edges, unsigned rate_hz);
/* Takes `count` frames and puts those that may go on in their place: returns how many. The first
 * ones after edges_init() and edges_end() rise from nothing. */
size_t edges_run(struct edges *edges, float *frames, size_t count);
/* Nothing comes for now: what was held back, fading to nothing. Returns how many frames. */
size_t edges_end(struct edges *edges, float ret_frames[EDGES_FRAMES_MAX]);
