/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/limiter.h"
#include "audio/mix.h"
#include "base/strbuf.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define RATE_MIN_HZ 4000
#define RATE_MAX_HZ 192000
#define CEILING_MIN (-20.0)

#define PHASES 4 /* of annex 2's interpolator */
#define HALF   6 /* its taps on either side */
#define TAPS   (2 * HALF)

#define PIECE_FRAMES 256

#define ATTACK_MS  4.0
#define RELEASE_MS 60.0
/* Gains are integers, so that sums of them are exact: this is 1. */
#define UNITY (INT64_C(1) << 30)

typedef float phases __attribute__((vector_size(PHASES * sizeof(float))));

/* BS.1770-4, annex 2. Its points lie 1/8, 3/8, 5/8 and 7/8 of a frame after the sixth of the twelve
 * frames (the first, here, is the oldest). */
static const phases annex2[TAPS] = {
	{ 0.0017089843750F, -0.0291748046875F, -0.0189208984375F, -0.0083007812500F },
	{ 0.0109863281250F, 0.0292968750000F, 0.0330810546875F, 0.0148925781250F },
	{ -0.0196533203125F, -0.0517578125000F, -0.0582275390625F, -0.0266113281250F },
	{ 0.0332031250000F, 0.0891113281250F, 0.1015625000000F, 0.0476074218750F },
	{ -0.0594482421875F, -0.1665039062500F, -0.2003173828125F, -0.1022949218750F },
	{ 0.1373291015625F, 0.4650878906250F, 0.7797851562500F, 0.9721679687500F },
	{ 0.9721679687500F, 0.7797851562500F, 0.4650878906250F, 0.1373291015625F },
	{ -0.1022949218750F, -0.2003173828125F, -0.1665039062500F, -0.0594482421875F },
	{ 0.0476074218750F, 0.1015625000000F, 0.0891113281250F, 0.0332031250000F },
	{ -0.0266113281250F, -0.0582275390625F, -0.0517578125000F, -0.0196533203125F },
	{ 0.0148925781250F, 0.0330810546875F, 0.0292968750000F, 0.0109863281250F },
	{ -0.0083007812500F, -0.0189208984375F, -0.0291748046875F, 0.0017089843750F },
};
/* What the worst frames of 1 become: the second phase's sum of magnitudes. */
#define WORST 2.03F

/* The moving average (its sum, that is) of the last `size` gains. */
struct average {
	int64_t *ring;
	size_t size, at;
	int64_t sum;
};

/* The least of the last `window` gains: a queue of those that may still become it, rising. */
struct minimum {
	struct candidate {
		uint64_t at;
		int32_t gain;
	} *ring; /* of `mask` + 1 */
	size_t mask, first, count;
	uint64_t window, now;
};

struct limiter {
	float ceiling; /* linear, the margin taken off */
	float soft;    /* no peak is above the ceiling if no frame is above this */

	size_t delay;         /* of the frames, until their gain is known */
	float near[TAPS - 1]; /* the last frames */
	unsigned loud; /* frames until the last TAPS are too soft for a peak above the ceiling */
	float *held;   /* ring of `delay` frames */
	size_t held_at;
	struct minimum minimum;
	double let_go; /* per frame, of the way back to the held gain */
	double gain;   /* after the release, of UNITY */
	struct average smooth[2];
	size_t calm; /* frames for which that was 1, up to `calm_from`: nothing else is known */
	size_t calm_from;
	double unity;  /* what the second average gives for a gain of 1 */
	size_t primed; /* frames taken since the beginning, up to `delay` */
};

void limiter_reset(struct limiter *limiter)
{
	memset(limiter->near, 0, sizeof limiter->near);
	memset(limiter->held, 0, limiter->delay * sizeof *limiter->held);
	limiter->held_at = limiter->loud = 0;
	limiter->minimum.first = limiter->minimum.count = 0;
	limiter->minimum.now = 0;
	limiter->primed = limiter->calm = 0;
	limiter->gain = UNITY;
	int64_t value = UNITY;
	for (size_t i = 0; i < countof(limiter->smooth); i++) {
		struct average *average = &limiter->smooth[i];
		for (size_t k = 0; k < average->size; k++)
			average->ring[k] = value;
		average->sum = value *= (int64_t)average->size;
		average->at = 0;
	}
}

/*
 * The interpolator looks at frames n−HALF+1…n+HALF for what is between n and n+1, and the gain of
 * all of them must be down by then. The averages together look at `span` gains. So a frame waits
 * HALF for its own peak to be seen, then span + HALF − 2 for the youngest peak that it has a part
 * in; and a peak's gain is held until the last frame it looked at has gone.
 */
static void init(struct limiter *limiter, unsigned rate_hz)
{
	size_t half_span = (size_t)ceil(ATTACK_MS * 0.0005 * rate_hz) + 1;
	size_t span = 2 * half_span - 1, window = span + 2 * HALF, room = 1;

	while (room < window + 1)
		room *= 2;
	limiter->delay = span + HALF - 2 + HALF;
	limiter->minimum.window = window;
	limiter->minimum.mask = room - 1;
	limiter->minimum.ring = xcalloc(room, sizeof *limiter->minimum.ring);
	limiter->held = xcalloc(limiter->delay, sizeof *limiter->held);
	for (size_t i = 0; i < countof(limiter->smooth); i++) {
		limiter->smooth[i].size = half_span;
		limiter->smooth[i].ring = xcalloc(half_span, sizeof *limiter->smooth[i].ring);
	}
	limiter->calm_from = 2 * half_span;
	limiter->unity = (double)(UNITY * (int64_t)(half_span * half_span));
	limiter->let_go = 1.0 - exp(-1000.0 / (rate_hz * RELEASE_MS));
	limiter_reset(limiter);
}

struct limiter *limiter_new(unsigned rate_hz, double ceiling_dbtp)
{
	if (rate_hz < RATE_MIN_HZ || rate_hz > RATE_MAX_HZ ||
		!(ceiling_dbtp >= CEILING_MIN && ceiling_dbtp <= 0.0)) {
		errno = EINVAL;
		return NULL;
	}
	struct limiter *limiter = xcalloc(1, sizeof *limiter);
	limiter->ceiling = mix_gain_of_db(ceiling_dbtp - LIMITER_MARGIN_DB);
	limiter->soft = limiter->ceiling / WORST;
	init(limiter, rate_hz);
	return limiter;
}

struct limiter *limiter_free(struct limiter *limiter)
{
	if (limiter) {
		free(limiter->held);
		free(limiter->minimum.ring);
		for (size_t i = 0; i < countof(limiter->smooth); i++)
			free(limiter->smooth[i].ring);
	}
	free(limiter);
	return NULL;
}

size_t limiter_delay_frames(const struct limiter *limiter)
{
	return limiter->delay;
}

/* The largest magnitude from the frame HALF before the last of `frames` (TAPS of them, oldest first)
 * to the next one, without that. */
static float peak_of(const float *frames)
{
	phases sum = { 0 };

	for (int i = 0; i < TAPS; i++)
		sum += annex2[i] * frames[i];
	float peak = fabsf(frames[HALF - 1]);
	for (int phase = 0; phase < PHASES; phase++)
		peak = fabsf(sum[phase]) > peak ? fabsf(sum[phase]) : peak;
	return peak;
}

/* What each frame asks for. Where the frames are so soft that no peak can be above the ceiling, which
 * is most of the time, none is looked for. */
static void find_wanted(
	struct limiter *limiter, const float *frames, size_t count, int32_t *ret_wanted)
{
	float near[TAPS - 1 + PIECE_FRAMES];

	memcpy(near, limiter->near, sizeof limiter->near);
	memcpy(near + TAPS - 1, frames, count * sizeof *near);
	for (size_t i = 0; i < count; i++) {
		ret_wanted[i] = UNITY;
		if (fabsf(frames[i]) > limiter->soft)
			limiter->loud = TAPS;
		if (limiter->loud == 0)
			continue;
		limiter->loud--;
		float peak = peak_of(near + i);
		if (peak > limiter->ceiling)
			ret_wanted[i] = (int32_t)((double)limiter->ceiling / peak * UNITY);
	}
	memcpy(limiter->near, near + count, sizeof limiter->near);
}

static int32_t minimum_next(struct minimum *minimum, int32_t gain)
{
	while (minimum->count > 0 &&
		minimum->ring[(minimum->first + minimum->count - 1) & minimum->mask].gain >= gain)
		minimum->count--;
	minimum->ring[(minimum->first + minimum->count++) & minimum->mask] =
		(struct candidate){ .at = minimum->now, .gain = gain };
	if (minimum->ring[minimum->first & minimum->mask].at + minimum->window <= minimum->now) {
		minimum->first++;
		minimum->count--;
	}
	minimum->now++;
	return minimum->ring[minimum->first & minimum->mask].gain;
}

static int64_t average_next(struct average *average, int64_t value)
{
	average->sum += value - average->ring[average->at];
	average->ring[average->at] = value;
	average->at = average->at + 1 == average->size ? 0 : average->at + 1;
	return average->sum;
}

/* The gain of each frame that comes out. */
static void find_gains(
	struct limiter *limiter, const int32_t *wanted, size_t count, float *ret_gains)
{
	double gain = limiter->gain, let_go = limiter->let_go, of_unity = 1.0 / limiter->unity;

	for (size_t i = 0; i < count; i++) {
		if (wanted[i] == UNITY && limiter->calm == limiter->calm_from) {
			limiter->minimum.now++;
			ret_gains[i] = 1.0F;
			continue;
		}
		double held = minimum_next(&limiter->minimum, wanted[i]);
		gain += let_go * (held - gain);
		if (gain > held - 1.0)
			gain = held;
		limiter->calm = gain < UNITY ? 0 : limiter->calm + 1;
		int64_t smooth = average_next(
			&limiter->smooth[1], average_next(&limiter->smooth[0], (int64_t)gain));
		ret_gains[i] = (float)((double)smooth * of_unity); /* 1 is 1 */
	}
	limiter->gain = gain;
}

/* At most PIECE_FRAMES. */
static size_t run(struct limiter *limiter, const float *frames, size_t count, float *ret_frames)
{
	int32_t wanted[PIECE_FRAMES];
	float gains[PIECE_FRAMES];
	size_t missing = limiter->delay - limiter->primed, at = limiter->held_at;

	find_wanted(limiter, frames, count, wanted);
	find_gains(limiter, wanted, count, gains);
	if (missing > count)
		missing = count;
	limiter->primed += missing;
	for (size_t i = 0; i < count; i++) {
		if (i >= missing)
			ret_frames[i - missing] = limiter->held[at] * gains[i];
		limiter->held[at] = frames[i];
		at = at + 1 == limiter->delay ? 0 : at + 1;
	}
	limiter->held_at = at;
	return count - missing;
}

size_t limiter_run(struct limiter *limiter, const float *frames, size_t count, float *ret_frames)
{
	float piece[PIECE_FRAMES];
	size_t given = 0;

	for (size_t done = 0; done < count;) {
		size_t size = count - done < PIECE_FRAMES ? count - done : PIECE_FRAMES;
		for (size_t i = 0; i < size; i++)
			piece[i] = mix_finite(frames[done + i]);
		given += run(limiter, piece, size, ret_frames + given);
		done += size;
	}
	return given;
}

/* The silence that follows pushes them out. */
size_t limiter_flush(struct limiter *limiter, float *ret_frames)
{
	static const float silence[PIECE_FRAMES];
	size_t given = 0;

	for (size_t left = limiter->delay; left > 0;) {
		size_t size = left < PIECE_FRAMES ? left : PIECE_FRAMES;
		given += run(limiter, silence, size, ret_frames + given);
		left -= size;
	}
	limiter_reset(limiter);
	return given;
}
