/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The loudness of mono frames after EBU R 128 and ITU-R BS.1770-4, by libebur128 (its only user).
 * One channel counts once: the same frames on two loudspeakers would be 3 LU more, for every
 * piece alike. Memory stays flat however long it runs.
 *
 * Its owner's thread only. Silence, and what is too short, has the loudness LOUDNESS_NONE.
 */
#pragma once

#include "base/cleanup.h"
#include <stdbool.h>
#include <stddef.h>

#define LOUDNESS_NONE     (-70.0) /* LUFS: BS.1770's absolute gate; nothing is below it */
#define LOUDNESS_BLOCK_MS 400     /* the momentary window; integration needs one at least */

struct loudness;

/* 8000…192000 Hz. With `true_peak` that is measured too, at twice the cost. NULL with errno. */
struct loudness *loudness_new(unsigned rate_hz, bool true_peak) _must_check_;
struct loudness *loudness_free(struct loudness *loudness);
DEFINE_CLEANUP(struct loudness *, loudness_free)

/* What is not finite counts as 0. */
void loudness_add(struct loudness *loudness, const float *frames, size_t count);

/* LUFS, of the last 400 ms, of all with its two gates (to 0.1 LU). */
double loudness_momentary(const struct loudness *loudness);
double loudness_integrated(const struct loudness *loudness);
/* dBTP of all; −HUGE_VAL for silence. Only if asked for at its creation. */
double loudness_true_peak(const struct loudness *loudness);

/* Nothing came before. Allocates; −ENOMEM. */
int loudness_reset(struct loudness *loudness) _must_check_;

/* Integrated loudness of a whole piece. One shorter than LOUDNESS_BLOCK_MS is measured as if it
 * went on and on. LOUDNESS_NONE, too, when there is no memory. */
double loudness_of(const float *frames, size_t count, unsigned rate_hz);
