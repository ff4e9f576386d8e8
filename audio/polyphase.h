/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sample-rate conversion by a ratio of two small whole numbers, as all usual rates are: a windowed
 * sinc, computed once for each of the places that a frame can have between two of the source. A
 * fifth of what an interpolating filter costs (docs/decisions/own-resampling.md). For
 * audio/resample.c only.
 *
 * Below 80 % of half the lower rate everything passes (0.1 dB), above half of it nothing (−100 dB). What
 * comes out begins where what goes in begins. One object per stream; its owner's thread only; memory is
 * taken at its creation only. The result does not depend on how the frames are cut into blocks.
 */
#pragma once

#include "base/cleanup.h"
#include <stdbool.h>
#include <stddef.h>

/* Of float: 22050 → 48000 Hz needs 80 KiB. */
#define POLYPHASE_TABLE_MAX 65536

struct polyphase;

/* NULL with errno: EDOM when the ratio needs a larger table (or a rate is 0). */
struct polyphase *polyphase_new(unsigned from_hz, unsigned to_hz) _must_check_;
struct polyphase *polyphase_free(struct polyphase *polyphase);
DEFINE_CLEANUP(struct polyphase *, polyphase_free)

/* Takes up to `count` frames and gives up to `space`; *ret_used says how many were taken. With
 * `last` what is held back is given, too: call until it returns 0; then it is as new. Returns the
 * frames given. */
size_t polyphase_run(struct polyphase *polyphase, const float *frames, size_t count, bool last,
	size_t *ret_used, float *ret_frames, size_t space);
/* Nothing came before. */
void polyphase_reset(struct polyphase *polyphase);
