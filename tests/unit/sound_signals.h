/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signals to try the sound chain's kernels with, and what is measured of them. */
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static inline float *signal_new(size_t count)
{
	float *frames = calloc(count, sizeof *frames);
	if (!frames)
		abort();
	return frames;
}

static inline void signal_sine(
	float *frames, size_t count, double rate_hz, double hz, double amplitude, double phase)
{
	for (size_t i = 0; i < count; i++)
		frames[i] = (float)(amplitude * sin(phase + 2.0 * M_PI * hz * (double)i / rate_hz));
}

/* −1…1, the same for the same seed (xorshift64*, G. Marsaglia). */
static inline double signal_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (double)((*seed * UINT64_C(2685821657736338717)) >> 11) / 4503599627370496.0 - 1.0;
}

static inline void signal_noise(float *frames, size_t count, double amplitude, uint64_t seed)
{
	for (size_t i = 0; i < count; i++)
		frames[i] = (float)(amplitude * signal_random(&seed));
}

/* Something like speech: a buzz of many harmonics in syllables of different loudness, four a
 * second, with pauses. */
static inline void signal_speech(
	float *frames, size_t count, double rate_hz, double amplitude, uint64_t seed)
{
	double phase = 0.0, level = 0.0, hz = 120.0;
	size_t syllable = (size_t)(rate_hz / 4.0);

	for (size_t i = 0; i < count; i++) {
		if (i % syllable == 0) {
			double chance = signal_random(&seed);
			level = chance < -0.6 ? 0.0 : amplitude * pow(10.0, 0.5 * (chance - 1.0));
			hz = 120.0 + 60.0 * signal_random(&seed);
		}
		double in = (double)(i % syllable) / (double)syllable;
		phase += hz / rate_hz;
		double voice = 0.0;
		for (int k = 1; k <= 20 && k * hz < 0.45 * rate_hz; k++)
			voice += sin(2.0 * M_PI * k * phase) / k;
		double hiss = in < 0.2 ? 0.3 * signal_random(&seed) : 0.0;
		frames[i] = (float)(level * (sin(M_PI * in) * voice / 1.6 + hiss));
	}
}

/* Amplitude of the tone `hz` in the frames. */
static inline double signal_level(const float *frames, size_t count, double rate_hz, double hz)
{
	double re = 0.0, im = 0.0;

	for (size_t i = 0; i < count; i++) {
		double phase = 2.0 * M_PI * hz * (double)i / rate_hz;
		re += frames[i] * cos(phase);
		im += frames[i] * sin(phase);
	}
	return 2.0 * hypot(re, im) / (double)count;
}

static inline double db_of(double amplitude)
{
	return 20.0 * log10(amplitude);
}

/* cmocka's own compares floats. */
#define assert_near(value, wanted, within)                                               \
	do {                                                                             \
		double value_ = (value), wanted_ = (wanted);                             \
		if (!(fabs(value_ - wanted_) <= (within)))                               \
			fail_msg("%s is %.6g instead of %.6g", #value, value_, wanted_); \
	} while (0)
