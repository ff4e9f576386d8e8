/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A mono stream played a little faster or slower, so that a loudspeaker keeps step although its
 * card's clock does not: between the frames there are, those in between are computed, by a windowed
 * sinc in many phases. The step may change with every call; the stream goes on without a jump. At a
 * step of exactly 1 from the beginning the frames come out as they went in, bit by bit.
 *
 * For steps near 1 only: frequencies near half of the rate are not kept from aliasing beyond what
 * (step − 1) moves them. Flat to 0.75 of half of the rate. Values; no allocation; any thread.
 */
#pragma once

#include <stddef.h>

#define STRETCH_TAPS   32
#define STRETCH_PHASES 128
/* A frame is computed from as many behind it and (with its own) this many at and ahead of it. */
#define STRETCH_AHEAD (STRETCH_TAPS / 2 + 1)

/* The sinc, sampled. Shared by all streams; constant after stretch_table_init(). */
struct stretch_table {
	float taps[STRETCH_PHASES + 1][STRETCH_TAPS];
};

struct stretch {
	float window[STRETCH_TAPS]; /* the frames around the next one to be made */
	double fraction; /* how far it is behind the frame at the window's middle; 0…1 */
};

void stretch_table_init(struct stretch_table *table);

/* The stream begins with these; silence was before. The next frame made is first[0]. */
void stretch_init(struct stretch *stretch, const float first[STRETCH_AHEAD]);

/* How many frames must be added for `count` to be made; so many does the stream move on. */
size_t stretch_needs(const struct stretch *stretch, size_t count, double step);
/* The most frames that can be made when `added` can be added. */
size_t stretch_gives(const struct stretch *stretch, size_t added, double step);

/* Makes `count` frames, one at every `step`. `frames` begins with room for STRETCH_TAPS, then come
 * the stretch_needs() frames that are added. */
void stretch_run(struct stretch *stretch, const struct stretch_table *table, float *frames,
	size_t count, double step, float *ret_frames);
