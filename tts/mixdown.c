/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/mixdown.h"

#include <math.h>
#include <string.h>

/* Changes the bed's gain to `goal` within `ms`. */
static void ramp(struct mixdown *mixdown, float goal, unsigned ms)
{
	float frames = (float)mixdown->rate_hz * (float)ms / 1000.0F;

	mixdown->bed_goal = goal;
	mixdown->bed_step = fabsf(goal - mixdown->bed_gain) / frames;
}

void mixdown_init(struct mixdown *mixdown, unsigned rate_hz, struct clip *bed, double duck_db)
{
	*mixdown = (struct mixdown){
		.rate_hz = rate_hz,
		.duck_gain = (float)pow(10.0, duck_db / 20.0),
	};
	if (bed) {
		mixdown->bed = *bed;
		*bed = (struct clip){ 0 };
	}
	ramp(mixdown, 1.0F, MIXDOWN_DUCK_MS);
}

void mixdown_done(struct mixdown *mixdown)
{
	clip_done(&mixdown->tail);
	clip_done(&mixdown->bed);
}

void mixdown_set_tail(struct mixdown *mixdown, struct clip *clip, size_t from)
{
	clip_done(&mixdown->tail);
	mixdown->tail = *clip;
	mixdown->tail_at = from;
	*clip = (struct clip){ 0 };
}

void mixdown_duck(struct mixdown *mixdown, bool under_speech)
{
	ramp(mixdown, under_speech ? mixdown->duck_gain : 1.0F, MIXDOWN_DUCK_MS);
}

void mixdown_fade(struct mixdown *mixdown)
{
	ramp(mixdown, 0.0F, MIXDOWN_FADE_MS);
}

size_t mixdown_rest_frames(const struct mixdown *mixdown)
{
	size_t tail = mixdown->tail.count - mixdown->tail_at;
	size_t bed = 0;

	if (mixdown->bed.count > 0 && mixdown->bed_goal == 0.0F && mixdown->bed_gain > 0.0F)
		bed = (size_t)ceilf(mixdown->bed_gain / mixdown->bed_step);
	return tail > bed ? tail : bed;
}

bool mixdown_sounds(const struct mixdown *mixdown)
{
	return mixdown->bed.count > 0 || mixdown->tail_at < mixdown->tail.count;
}

static void add_tail(struct mixdown *mixdown, float *frames, size_t count)
{
	size_t left = mixdown->tail.count - mixdown->tail_at;

	if (count > left)
		count = left;
	for (size_t i = 0; i < count; i++)
		frames[i] += mixdown->tail.frames[mixdown->tail_at + i];
	mixdown->tail_at += count;
	if (count == left && mixdown->tail.count > 0) {
		clip_done(&mixdown->tail);
		mixdown->tail = (struct clip){ 0 };
		mixdown->tail_at = 0;
	}
}

static float next_bed_gain(struct mixdown *mixdown)
{
	float step = mixdown->bed_step;

	if (fabsf(mixdown->bed_goal - mixdown->bed_gain) <= step)
		mixdown->bed_gain = mixdown->bed_goal;
	else
		mixdown->bed_gain += mixdown->bed_goal > mixdown->bed_gain ? step : -step;
	return mixdown->bed_gain;
}

static void add_bed(struct mixdown *mixdown, float *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		frames[i] += mixdown->bed.frames[mixdown->bed_at] * next_bed_gain(mixdown);
		if (++mixdown->bed_at == mixdown->bed.count)
			mixdown->bed_at = 0;
	}
}

void mixdown_run(struct mixdown *mixdown, const float *voice, size_t count, float *ret_frames)
{
	if (voice)
		memcpy(ret_frames, voice, count * sizeof *voice);
	else
		memset(ret_frames, 0, count * sizeof *ret_frames);
	add_tail(mixdown, ret_frames, count);
	if (mixdown->bed.count > 0)
		add_bed(mixdown, ret_frames, count);
}
