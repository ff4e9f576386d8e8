/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/resample.h"
#include "audio/polyphase.h"
#include "base/strbuf.h"

#include <errno.h>
#include <samplerate.h>
#include <string.h>

#define RATE_MIN_HZ 4000
#define RATE_MAX_HZ 192000

/* With neither of the two the rates are equal, and frames are copied. */
struct resampler {
	double ratio;
	struct polyphase *polyphase;
	SRC_STATE *state; /* for a ratio that it does not take */
};

static int use_library(struct resampler *resampler)
{
	int error = 0;

	resampler->state = src_new(SRC_SINC_FASTEST, 1, &error);
	return resampler->state ? 0 : -ENOMEM; /* the only way it can fail with a known converter */
}

struct resampler *resampler_new(unsigned from_hz, unsigned to_hz)
{
	if (from_hz < RATE_MIN_HZ || from_hz > RATE_MAX_HZ || to_hz < RATE_MIN_HZ ||
		to_hz > RATE_MAX_HZ) {
		errno = EINVAL;
		return NULL;
	}
	_cleanup_(resampler_freep) struct resampler *resampler = xcalloc(1, sizeof *resampler);
	resampler->ratio = (double)to_hz / from_hz;
	if (from_hz != to_hz)
		resampler->polyphase = polyphase_new(from_hz, to_hz);
	if (from_hz != to_hz && !resampler->polyphase && use_library(resampler) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	return hand_over(resampler);
}

struct resampler *resampler_free(struct resampler *resampler)
{
	if (resampler) {
		polyphase_free(resampler->polyphase);
		if (resampler->state)
			src_delete(resampler->state);
	}
	free(resampler);
	return NULL;
}

long resampler_run(struct resampler *resampler, const float *frames, size_t count, bool last,
	size_t *ret_used, float *ret_frames, size_t space)
{
	if (resampler->polyphase)
		return (long)polyphase_run(
			resampler->polyphase, frames, count, last, ret_used, ret_frames, space);
	if (!resampler->state) {
		size_t copied = count < space ? count : space;
		if (copied > 0)
			memcpy(ret_frames, frames, copied * sizeof *frames);
		*ret_used = copied;
		return (long)copied;
	}
	/* The library refuses, even for no frames, a NULL input, and takes an input that ends where
	 * the output begins for an overlap. */
	static const float nothing;
	SRC_DATA data = {
		.data_in = count > 0 ? frames : &nothing,
		.input_frames = (long)count,
		.data_out = ret_frames,
		.output_frames = (long)space,
		.src_ratio = resampler->ratio,
		.end_of_input = last,
	};
	if (src_process(resampler->state, &data) != 0)
		return -EINVAL;
	*ret_used = (size_t)data.input_frames_used;
	return data.output_frames_gen;
}

void resampler_reset(struct resampler *resampler)
{
	if (resampler->polyphase)
		polyphase_reset(resampler->polyphase);
	if (resampler->state)
		src_reset(resampler->state);
}
