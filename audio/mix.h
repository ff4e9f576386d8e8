/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arithmetic on float frames, full scale ±1.0: gain, ramps, sums, channels, clipping. Pure, any
 * thread, no allocation.
 */
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* What enters filters, where one bad sample would stay for ever: what is not finite becomes 0,
 * what is beyond ±MIX_SAMPLE_MAX (+60 dB) is held there, what is denormal becomes 0. */
#define MIX_SAMPLE_MAX 1000.0F
#define MIX_SAMPLE_MIN 1e-30F
static inline float mix_finite(float sample)
{
	float size = fabsf(sample);

	if (size >= MIX_SAMPLE_MIN && size <= MIX_SAMPLE_MAX)
		return sample;
	return size < MIX_SAMPLE_MIN || !isfinite(sample) ? 0.0F
							  : copysignf(MIX_SAMPLE_MAX, sample);
}

/* Linear gain of decibels; −120 dB and below are silence. */
float mix_gain_of_db(double gain_db);

/* A gain that moves, so that a change is not a click: along g(t) = a + (b − a)·(3t² − 2t³), level at
 * both ends. (A straight line has corners: above 8 kHz, those of 20 ms leave 8 dB less than a gain that
 * jumps by 1 dB; of this, nothing can be measured.) A value. */
struct mix_ramp {
	float gain;   /* of the next frame */
	float target; /* where it is going */
	float from;   /* where it came from */
	size_t total; /* frames from there to the target */
	size_t left;  /* frames until it is there */
};

/* Stands at `gain`. */
void mix_ramp_set(struct mix_ramp *ramp, float gain);
/* Goes from where it is to `target` within `frames`. Not smooth if it was on its way elsewhere: wait
 * until `left` is 0, or multiply by a second one. */
void mix_ramp_to(struct mix_ramp *ramp, float target, size_t frames);
/* Multiplies `count` mono frames and moves the ramp on. */
void mix_ramp_apply(struct mix_ramp *ramp, float *frames, size_t count);

/* into[i] += from[i] × gain. */
void mix_add(float *into, const float *from, size_t count, float gain);
/* Adds mono frames to every channel of the interleaved ones whose bit is in `channel_mask`. */
void mix_add_channels(float *interleaved, unsigned channels, uint32_t channel_mask,
	const float *mono, size_t count);
/* Saturates to ±1.0; what is not a number becomes 0. */
void mix_clip(float *samples, size_t count);

/* Raised-cosine fades over the first, or last, `fade` of `count` frames. */
void mix_fade_in(float *frames, size_t count, size_t fade);
void mix_fade_out(float *frames, size_t count, size_t fade);
