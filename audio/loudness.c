/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/loudness.h"
#include "audio/mix.h"
#include "base/strbuf.h"

#include <ebur128.h>
#include <errno.h>

#define RATE_MIN_HZ  8000
#define RATE_MAX_HZ  192000
#define PIECE_FRAMES 480

struct loudness {
	unsigned rate_hz;
	int mode;
	ebur128_state *state;
};

struct loudness *loudness_new(unsigned rate_hz, bool true_peak)
{
	if (rate_hz < RATE_MIN_HZ || rate_hz > RATE_MAX_HZ) {
		errno = EINVAL;
		return NULL;
	}
	_cleanup_(loudness_freep) struct loudness *loudness = xcalloc(1, sizeof *loudness);
	loudness->rate_hz = rate_hz;
	loudness->mode = EBUR128_MODE_I | EBUR128_MODE_HISTOGRAM |
			 (true_peak ? EBUR128_MODE_TRUE_PEAK : 0);
	if (loudness_reset(loudness) != 0) {
		errno = ENOMEM;
		return NULL;
	}
	return hand_over(loudness);
}

struct loudness *loudness_free(struct loudness *loudness)
{
	if (loudness && loudness->state)
		ebur128_destroy(&loudness->state);
	free(loudness);
	return NULL;
}

int loudness_reset(struct loudness *loudness)
{
	ebur128_state *state = ebur128_init(1, loudness->rate_hz, loudness->mode);

	if (!state)
		return -ENOMEM;
	if (loudness->state)
		ebur128_destroy(&loudness->state);
	loudness->state = state;
	return 0;
}

void loudness_add(struct loudness *loudness, const float *frames, size_t count)
{
	float piece[PIECE_FRAMES];

	for (size_t done = 0; done < count;) {
		size_t size = count - done < PIECE_FRAMES ? count - done : PIECE_FRAMES;
		for (size_t i = 0; i < size; i++)
			piece[i] = mix_finite(frames[done + i]);
		/* Its windows are made at its creation: nothing is left that could fail. */
		(void)ebur128_add_frames_float(loudness->state, piece, size);
		done += size;
	}
}

/* A failure leaves −∞ behind, as silence does. */
static double at_least_none(double lufs)
{
	return lufs > LOUDNESS_NONE ? lufs : LOUDNESS_NONE;
}

double loudness_momentary(const struct loudness *loudness)
{
	double lufs = LOUDNESS_NONE;

	(void)ebur128_loudness_momentary(loudness->state, &lufs);
	return at_least_none(lufs);
}

double loudness_integrated(const struct loudness *loudness)
{
	double lufs = LOUDNESS_NONE;

	(void)ebur128_loudness_global(loudness->state, &lufs);
	return at_least_none(lufs);
}

double loudness_true_peak(const struct loudness *loudness)
{
	double peak = 0.0;

	(void)ebur128_true_peak(loudness->state, 0, &peak);
	return 20.0 * log10(peak);
}

double loudness_of(const float *frames, size_t count, unsigned rate_hz)
{
	_cleanup_(loudness_freep) struct loudness *loudness = loudness_new(rate_hz, false);
	size_t least = (size_t)rate_hz * LOUDNESS_BLOCK_MS / 1000, given = 0;

	if (!loudness || count == 0)
		return LOUDNESS_NONE;
	do {
		loudness_add(loudness, frames, count);
		given += count;
	} while (given < 2 * least && count < least);
	return loudness_integrated(loudness);
}
