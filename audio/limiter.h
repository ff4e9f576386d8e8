/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A look-ahead limiter of true peaks for mono frames: whatever comes in, what goes out stays below
 * the ceiling, between the frames as well as at them, and what was below it passes untouched, bit
 * by bit.
 *
 * The true peak is estimated as ITU-R BS.1770-4 annex 2 does, by interpolating to the fourfold
 * rate, with the annex's own filter (and the frames themselves, which are not among its points).
 * The gain that this asks for is held over the look-ahead and the filter's length (a sliding
 * minimum), let go exponentially, and smoothed by two moving averages, so that it goes down
 * monotonously, without a corner, and is there when the peak is. The averages are of integers: they
 * do not drift. It aims LIMITER_MARGIN_DB below the ceiling, for the filters of other meters:
 * libebur128 reads up to half a decibel more in white noise that jumps by 40 dB, nothing to speak of
 * in what a resampler has left.
 *
 * One object per stream; its owner's thread only; memory is taken at its creation only. What is
 * not finite counts as 0. The result does not depend on how the frames are cut into blocks.
 */
#pragma once

#include "base/cleanup.h"
#include <stddef.h>

#define LIMITER_CEILING_DBTP (-1.0)
#define LIMITER_MARGIN_DB    0.4

struct limiter;

/* 4000…192000 Hz; the ceiling in dBTP, −20…0. NULL with errno. */
struct limiter *limiter_new(unsigned rate_hz, double ceiling_dbtp) _must_check_;
struct limiter *limiter_free(struct limiter *limiter);
DEFINE_CLEANUP(struct limiter *, limiter_free)

/* How many frames it holds back: about 4 ms. */
size_t limiter_delay_frames(const struct limiter *limiter);

/* Takes `count` frames and gives `count`, in place if wished, less those that it begins by holding
 * back: the first that comes out is the first that went in. Returns their number. */
size_t limiter_run(struct limiter *limiter, const float *frames, size_t count, float *ret_frames);
/* Gives the frames held back, at most limiter_delay_frames(), and is as new. */
size_t limiter_flush(struct limiter *limiter, float *ret_frames);
/* Forgets them. */
void limiter_reset(struct limiter *limiter);
