/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sample-rate conversion of a mono stream: 97 dB or better, 80 % bandwidth. Between the usual rates by
 * audio/polyphase.h, else by libsamplerate (its only user; SRC_SINC_FASTEST). One object per
 * stream; its owner's thread only.
 */
#pragma once

#include "base/cleanup.h"
#include <stdbool.h>
#include <stddef.h>

struct resampler;

/* 4000…192000 Hz both. Equal rates copy. NULL with errno. */
struct resampler *resampler_new(unsigned from_hz, unsigned to_hz) _must_check_;
struct resampler *resampler_free(struct resampler *resampler);
DEFINE_CLEANUP(struct resampler *, resampler_free)

/* Takes up to `count` frames and gives up to `space`; *ret_used says how many were taken. With
 * `last` the filter's tail is flushed: call until it returns 0. Returns the frames given, or
 * -errno. */
long resampler_run(struct resampler *resampler, const float *frames, size_t count, bool last,
	size_t *ret_used, float *ret_frames, size_t space) _must_check_;
/* Forgets what came before, for the next sentence. */
void resampler_reset(struct resampler *resampler);
