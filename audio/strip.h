/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A channel strip (the mixing desk's word): what one source goes through on its way to the mix.
 * Each piece (a sentence, a recording, a chime) gets the level at which it comes out of the
 * output's chain as loud as everything else (audio/leveller.h), and soft edges, so that what
 * begins or ends in the middle of a wave is no click.
 *
 *  - A source whose level is not known yet is held back until `ahead_ms` of it are there, or all of
 *    it; of those the level is found. Then, and where the level was known (audio/levels.h, or from
 *    the piece before), it goes through at once, and the gain rides slowly.
 *  - The last STRIP_EDGE_MS of what came are always held back: they may be the last.
 *
 * What is given comes out whole and in order; nothing is put in or left out. Its owner's thread
 * only. What strip_…() returns in *ret_frames is the strip's own, until its next call.
 */
#pragma once

#include "audio/leveller.h"
#include "audio/levels.h"

#define STRIP_AHEAD_MS_MAX 20000
#define STRIP_EDGE_MS      5
#define STRIP_TAKE_MAX     4096 /* frames in one call */

struct strip;

/* For pieces that go through chains of `config` (copied) at `rate_hz`; `ahead_ms` up to
 * STRIP_AHEAD_MS_MAX; `levels` is borrowed. NULL with errno. */
struct strip *strip_new(unsigned rate_hz, const struct chain_config *config, unsigned ahead_ms,
	struct levels *levels) _must_check_;
struct strip *strip_free(struct strip *strip);
DEFINE_CLEANUP(struct strip *, strip_free)

/* A piece begins, of the source `key` (copied): the level of one is that of the next. NULL: a
 * source of its own, measured again each time. What is still held of the piece before is
 * forgotten. */
void strip_begin(struct strip *strip, const char *key);
/* Takes up to STRIP_TAKE_MAX frames. Gives the number of those that may go to the mix now. */
size_t strip_run(struct strip *strip, const float *frames, size_t count, const float **ret_frames);
/* The source is late: what is held back of what has begun to sound comes out, softly ended; what
 * follows begins softly. */
size_t strip_pause(struct strip *strip, const float **ret_frames);
/* The piece has ended: the rest of it. */
size_t strip_end(struct strip *strip, const float **ret_frames);

/* A piece that is known whole, in place. */
void strip_whole(struct strip *strip, const char *key, float *frames, size_t count);
