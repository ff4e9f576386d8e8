/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/clip.h"
#include "audio/recording.h"
#include "audio/resample.h"
#include "base/strbuf.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define CLIP_BLOCK_FRAMES 4096
#define CLIP_SILENCE_PEAK 1e-4F /* −80 dBFS: nobody hears it from a horn */
#define TAIL_WINDOW_HZ    50    /* windows of 20 ms */

static const struct recording_limits limits = { CLIP_FILE_BYTES_MAX, CLIP_SECONDS_MAX };

int clip_check(const char *path, double *ret_seconds, struct error *error)
{
	_cleanup_(recording_freep) struct recording *recording = NULL;
	int r = recording_open(path, &limits, &recording, error);

	if (r == 0 && ret_seconds)
		*ret_seconds = recording_seconds(recording);
	return r;
}

/* A clip that is being decoded. */
struct decoding {
	struct clip clip;
	size_t capacity; /* frames allocated */
	size_t limit;    /* frames the clip may have */
};

static void decoding_done(struct decoding *decoding)
{
	clip_done(&decoding->clip);
}

static int append(struct decoding *decoding, const float *frames, size_t count)
{
	struct clip *clip = &decoding->clip;

	if (count == 0)
		return 0;
	if (count > decoding->limit - clip->count)
		return -EFBIG;
	if (clip->count + count > decoding->capacity) {
		size_t capacity = decoding->capacity ? 2 * decoding->capacity : clip->rate_hz;
		while (capacity < clip->count + count)
			capacity *= 2;
		if (capacity > decoding->limit)
			capacity = decoding->limit;
		clip->frames = xreallocarray(clip->frames, capacity, sizeof *clip->frames);
		decoding->capacity = capacity;
	}
	memcpy(clip->frames + clip->count, frames, count * sizeof *frames);
	clip->count += count;
	return 0;
}

/* Converts `count` mono frames (with `last`, and the converter's tail) and appends them. */
static int convert(struct decoding *decoding, struct resampler *resampler, const float *mono,
	size_t count, bool last)
{
	for (;;) {
		float converted[CLIP_BLOCK_FRAMES];
		size_t used = 0;
		long given = resampler_run(
			resampler, mono, count, last, &used, converted, countof(converted));
		if (given < 0)
			return (int)given;
		int r = append(decoding, converted, (size_t)given);
		if (r < 0)
			return r;
		mono += used;
		count -= used;
		if (given == 0 && (count == 0 || used == 0))
			return 0;
	}
}

/* Reads what is there, not what the header promises: of a damaged file, what comes before. */
static int decode(
	struct recording *recording, struct resampler *resampler, struct decoding *decoding)
{
	float block[CLIP_BLOCK_FRAMES];

	for (;;) {
		long got = recording_read(recording, block, countof(block), NULL);
		bool last = got <= 0;
		int r = convert(decoding, resampler, block, last ? 0 : (size_t)got, last);
		if (r < 0 || last)
			return r;
	}
}

static bool is_silent(const struct clip *clip)
{
	for (size_t i = 0; i < clip->count; i++) {
		if (fabsf(clip->frames[i]) >= CLIP_SILENCE_PEAK)
			return false;
	}
	return true;
}

int clip_load(const char *path, unsigned rate_hz, struct clip *ret_clip, struct error *error)
{
	_cleanup_(recording_freep) struct recording *recording = NULL;
	int r = recording_open(path, &limits, &recording, error);
	if (r < 0)
		return r;
	_cleanup_(resampler_freep) struct resampler *resampler = resampler_new(
		recording_rate_hz(recording), rate_hz);
	if (!resampler)
		return error_set(error, -errno, "%s: không đổi được sang %u Hz", path, rate_hz);
	_cleanup_(decoding_done) struct decoding decoding = {
		.clip.rate_hz = rate_hz,
		/* A second more: the converter may give a little more than its share. */
		.limit = (size_t)(CLIP_SECONDS_MAX + 1) * rate_hz,
	};
	r = decode(recording, resampler, &decoding);
	if (r == -EFBIG)
		return error_set(error, r, "%s: dài quá %d giây", path, CLIP_SECONDS_MAX);
	if (r < 0)
		return error_set(error, r, "%s: không giải mã được", path);
	if (is_silent(&decoding.clip))
		return error_set(error, -EINVAL, "%s: không có tiếng", path);
	*ret_clip = decoding.clip;
	decoding.clip = (struct clip){ 0 };
	return 0;
}

void clip_done(struct clip *clip)
{
	free(clip->frames);
	*clip = (struct clip){ 0 };
}

static double window_energy(const struct clip *clip, size_t from, size_t length)
{
	double energy = 0.0;

	for (size_t i = from; i < from + length && i < clip->count; i++)
		energy += (double)clip->frames[i] * clip->frames[i];
	return energy;
}

size_t clip_tail_frame(const struct clip *clip, double below_db)
{
	size_t window = clip->rate_hz / TAIL_WINDOW_HZ;
	double loudest = 0.0;
	size_t tail = 0;

	if (window == 0)
		return clip->count;
	for (size_t from = 0; from < clip->count; from += window) {
		double energy = window_energy(clip, from, window);
		if (energy > loudest)
			loudest = energy;
	}
	double threshold = loudest * pow(10.0, below_db / 10.0);
	for (size_t from = 0; from < clip->count; from += window) {
		if (window_energy(clip, from, window) >= threshold)
			tail = from + window;
	}
	return tail < clip->count ? tail : clip->count;
}
