/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/mix.h"

#include <math.h>

float mix_gain_of_db(double gain_db)
{
	return gain_db <= -120.0 ? 0.0F : (float)pow(10.0, gain_db / 20.0);
}

void mix_ramp_set(struct mix_ramp *ramp, float gain)
{
	*ramp = (struct mix_ramp){ .gain = gain, .target = gain };
}

void mix_ramp_to(struct mix_ramp *ramp, float target, size_t frames)
{
	ramp->target = target;
	ramp->from = ramp->gain;
	ramp->total = frames;
	ramp->left = frames;
	if (frames == 0)
		ramp->gain = target;
}

/* Counted from the end of the way: what is added up frame by frame misses it, and a slow ramp would
 * end in a step. */
static float gain_on_the_way(const struct mix_ramp *ramp)
{
	float left = (float)ramp->left / (float)ramp->total;

	return ramp->target + (ramp->from - ramp->target) * left * left * (3.0F - 2.0F * left);
}

void mix_ramp_apply(struct mix_ramp *ramp, float *frames, size_t count)
{
	size_t i = 0;

	if (ramp->left > 0) {
		for (; i < count && ramp->left > 0; i++, ramp->left--)
			frames[i] *= gain_on_the_way(ramp);
		ramp->gain = gain_on_the_way(ramp);
	}
	if (ramp->gain == 1.0F)
		return;
	for (; i < count; i++)
		frames[i] *= ramp->gain;
}

void mix_add(float *into, const float *from, size_t count, float gain)
{
	for (size_t i = 0; i < count; i++)
		into[i] += from[i] * gain;
}

void mix_add_channels(float *interleaved, unsigned channels, uint32_t channel_mask,
	const float *mono, size_t count)
{
	for (unsigned channel = 0; channel < channels && channel < 32; channel++) {
		if (!(channel_mask & UINT32_C(1) << channel))
			continue;
		float *out = interleaved + channel;
		for (size_t i = 0; i < count; i++, out += channels)
			*out += mono[i];
	}
}

void mix_clip(float *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		float sample = samples[i];
		sample = sample == sample ? sample : 0.0F;
		sample = sample < 1.0F ? sample : 1.0F;
		samples[i] = sample > -1.0F ? sample : -1.0F;
	}
}

static float fade_gain(size_t position, size_t fade)
{
	double phase = ((double)position + 0.5) / (double)fade;

	return (float)(0.5 - 0.5 * cos(M_PI * phase));
}

void mix_fade_in(float *frames, size_t count, size_t fade)
{
	if (fade > count)
		fade = count;
	for (size_t i = 0; i < fade; i++)
		frames[i] *= fade_gain(i, fade);
}

void mix_fade_out(float *frames, size_t count, size_t fade)
{
	if (fade > count)
		fade = count;
	for (size_t i = 0; i < fade; i++)
		frames[count - 1 - i] *= fade_gain(i, fade);
}
