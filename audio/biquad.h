/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Second-order filter sections for mono frames: high-pass, peaking, shelves. Coefficients after
 * Robert Bristow-Johnson, "Audio EQ Cookbook" (W3C Note, 2021): the analogue prototype, mapped
 * by the bilinear transform with its frequency warped to fit at `hz`. Run in transposed direct
 * form II, in double precision: a corner of 100 Hz at 192 kHz leaves float no digits.
 *
 * A value, embedded by its user; any thread, one at a time; no allocation. What is not finite
 * counts as 0, and a decay ends in exact zeros, never in denormal numbers. The result does not
 * depend on how the frames are cut into blocks.
 */
#pragma once

#include <stddef.h>

struct biquad {
	double b0, b1, b2, a1, a2; /* of the transfer function, a0 = 1 */
	double z1, z2;             /* state */
	unsigned flushed;          /* frames since it was looked at for what has decayed */
};

/* All take the sample rate, and a frequency that is brought to at most BIQUAD_HZ_MAX of the rate
 * (near half of it the shape is lost); the state becomes silence. */
#define BIQUAD_HZ_MAX 0.45

/* Passes what is above `hz` (there: q as a gain; √½ is Butterworth's, −3 dB), 12 dB/octave. */
void biquad_high_pass(struct biquad *biquad, double rate_hz, double hz, double q);
/* `gain_db` at `hz`, nothing far from it; `q` = hz / bandwidth between half-gain points. */
void biquad_peaking(struct biquad *biquad, double rate_hz, double hz, double q, double gain_db);
/* `gain_db` below (above) `hz`, half of it there; slope 1, the steepest without a hump. */
void biquad_low_shelf(struct biquad *biquad, double rate_hz, double hz, double gain_db);
void biquad_high_shelf(struct biquad *biquad, double rate_hz, double hz, double gain_db);

/* Butterworth's high-pass of fourth order as two sections: 24 dB/octave, −3 dB at `hz`. The q of
 * each is 1 / (2 cos θ), θ = π/8 and 3π/8 the angles of its poles. */
#define BIQUAD_BUTTERWORTH_4 2
void biquad_butterworth_high_pass(
	struct biquad sections[BIQUAD_BUTTERWORTH_4], double rate_hz, double hz);

/* In place. */
void biquad_run(struct biquad *biquad, float *frames, size_t count);
/* Several, one behind the other: the same as one after the other (but for the rounding to float in
 * between) in half the time. At most BIQUAD_SECTIONS_MAX; all of them have always run together. */
#define BIQUAD_SECTIONS_MAX 3
void biquad_run_series(struct biquad *biquads, size_t sections, float *frames, size_t count);
/* Silence came before. */
void biquad_reset(struct biquad *biquad);

/* What it does to a steady sine, from its coefficients: |H(e^jω)| in decibels. */
double biquad_response_db(const struct biquad *biquad, double rate_hz, double hz);
