/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gain that makes everything equally loud: each piece of a source (a sentence, a chime, a
 * recording) is brought to the level at which an output's chain makes the target loudness of it.
 * It stands before the mix, one leveller for each source that sounds at the same time, and measures
 * what is meant: the loudness behind the chain (audio/chain.h), of which it has one of its own to
 * try, because how much louder compression makes a piece depends on the piece.
 *
 *  - What is known whole gets one gain, found by trying: as near as CHAIN_TOLERANCE_LU, nothing
 *    moves in it. A piece that peaks alone (a click) is left below the target when more gain would
 *    only be limited away; silence keeps the gain of the piece before.
 *  - Of what comes as a stream, the beginning, if it is known, is treated like that; then the gain
 *    rides slowly: the loudness of blocks of 400 ms, without those in pauses (10 LU below the
 *    mean, as EBU R 128 gates), averaged over about 20 s, at no more than LEVELLER_RIDE_DB_S;
 *    at LEVELLER_SEEK_DB_S in the first three seconds of a source of which nothing was known. A file
 *    can be read ahead: give some ten seconds of it.
 *
 * The gain of a piece is where the next one begins: sentences of one voice need not be known.
 *
 * Its owner's thread only. leveller_run() takes no memory. What is not finite counts as 0. The
 * result does not depend on how the frames are cut into blocks.
 */
#pragma once

#include "audio/chain.h"
#include "base/cleanup.h"
#include <stdbool.h>
#include <stddef.h>

#define LEVELLER_GAIN_MAX_DB   40.0 /* either way */
#define LEVELLER_RIDE_DB_S     0.5
#define LEVELLER_SEEK_DB_S     12.0
#define LEVELLER_KNOWN_SECONDS 60 /* more of what is known is not looked at */

struct leveller;

/* For pieces that go through chains of `config` (copied) at `rate_hz`. NULL with errno. */
struct leveller *leveller_new(unsigned rate_hz, const struct chain_config *config) _must_check_;
struct leveller *leveller_free(struct leveller *leveller);
DEFINE_CLEANUP(struct leveller *, leveller_free)

/* A piece begins, of which `count` frames are known, and no more will come if `whole`. They are
 * only looked at: they go through leveller_run() as well. −ENOMEM: the gain is as it was. */
int leveller_begin(
	struct leveller *leveller, const float *known, size_t count, bool whole) _must_check_;
/* The piece's next frames, in place. */
void leveller_run(struct leveller *leveller, float *frames, size_t count);

/* Another source begins, of which nothing is known; the gain is where it was, until it is found. */
void leveller_forget(struct leveller *leveller);
/* Whether anything but silence has been heard of the source. */
bool leveller_knows(const struct leveller *leveller);

/* Of the next frame. */
double leveller_gain_db(const struct leveller *leveller);
/* Begin there: what a voice is known to need (−LEVELLER_GAIN_MAX_DB…LEVELLER_GAIN_MAX_DB). */
void leveller_set_gain_db(struct leveller *leveller, double gain_db);
