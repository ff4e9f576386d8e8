/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/voice.h"
#include "base/clock.h"

#include <string.h>

static int64_t frames_of_us(const struct voice *voice, int64_t us)
{
	return us * (int64_t)voice->rate_hz / US_PER_SEC;
}

static int64_t us_of_frames(const struct voice *voice, int64_t frames)
{
	return frames * US_PER_SEC / (int64_t)voice->rate_hz;
}

void voice_init(struct voice *voice, size_t output, const struct device_output_config *config)
{
	*voice = (struct voice){
		.output = output,
		.channel_mask = config->channel_mask,
		.preroll_us = config->preroll_us,
		.delay_us = config->delay_us,
		.warm_until_us = INT64_MIN,
	};
}

void voice_take(
	struct voice *voice, struct programme *programme, struct voice_gain gain, int64_t now_us)
{
	int64_t start_us = programme_start_mono_us(programme);

	voice->state = VOICE_WAITING;
	voice->programme = programme;
	voice->rate_hz = programme_rate_hz(programme);
	voice->start_us = start_us == TIME_UNSET ? TIME_UNSET : start_us + voice->delay_us;
	voice->first_at = 0;
	voice->sound_to = 0;
	voice->pulled = 0;
	voice->corrected = false;
	voice->taken_us = now_us;
	voice->hold_us = INT64_MIN;
	voice->led_us = TIME_UNSET;
	voice->aborted = false;
	voice->started = false;
	voice->starving = false;
	mix_ramp_set(&voice->gain, gain.linear * programme_gain(programme));
	mix_ramp_set(&voice->fade, 1.0F);
}

int64_t voice_begin_us(const struct voice *voice)
{
	if (voice->start_us == TIME_UNSET)
		return INT64_MIN;
	int64_t lead_us = voice->preroll_us > VOICE_LEAD_MIN_US ? voice->preroll_us
								: VOICE_LEAD_MIN_US;
	return voice->start_us - lead_us;
}

bool voice_warms(const struct voice *voice, int64_t now_us)
{
	switch (voice->state) {
	case VOICE_PLAYING:
	case VOICE_FADING:
		return true;
	case VOICE_DRAINING:
		return voice->pulled > 0 || now_us < voice->warm_until_us;
	default:
		return now_us < voice->warm_until_us;
	}
}

void voice_cool(struct voice *voice)
{
	voice->warm_until_us = INT64_MIN;
}

void voice_place(struct voice *voice, uint64_t mixed, int64_t due_us, bool awake)
{
	if (voice->led_us == TIME_UNSET)
		voice->led_us = due_us;
	int64_t preroll_us = awake ? 0 : voice->led_us + voice->preroll_us - due_us;
	int64_t preroll = preroll_us > 0 ? frames_of_us(voice, preroll_us) : 0;
	int64_t lead = voice->start_us == TIME_UNSET
			       ? 0
			       : frames_of_us(voice, voice->start_us - due_us);
	/* A start that is late, or too near for the preroll, is not corrected: it would be cut. */
	voice->corrected = lead <= preroll;
	if (lead < preroll)
		lead = preroll;
	voice->first_at = mixed + (uint64_t)lead;
	voice->sound_to = voice->first_at;
	voice->state = VOICE_LEADING;
}

void voice_displace(struct voice *voice)
{
	if (voice->state != VOICE_LEADING || voice->start_us == TIME_UNSET)
		return;
	voice->state = VOICE_WAITING;
}

/* Where on the tape the correction is made: as late as possible, but with room to go earlier. */
static uint64_t correction_at(const struct voice *voice)
{
	uint64_t before = (uint64_t)frames_of_us(voice, VOICE_CORRECTION_US);

	return voice->first_at > before ? voice->first_at - before : 0;
}

bool voice_wants_correction(const struct voice *voice, uint64_t mixed)
{
	return voice->state == VOICE_LEADING && !voice->corrected && mixed >= correction_at(voice);
}

int64_t voice_correction(const struct voice *voice, uint64_t mixed, int64_t due_us)
{
	int64_t lead = (int64_t)(voice->first_at - mixed);
	int64_t wanted = frames_of_us(voice, voice->start_us - due_us);
	int64_t limit = frames_of_us(voice, VOICE_CORRECTION_US);
	int64_t shift = wanted - lead;

	if (shift > limit)
		shift = limit;
	return shift < -lead ? -lead : shift;
}

void voice_shift(struct voice *voice, int64_t frames, uint64_t mixed)
{
	uint64_t moved = (uint64_t)((int64_t)voice->first_at + frames);

	voice->first_at = moved > mixed ? moved : mixed;
	voice->sound_to = voice->first_at;
	voice->corrected = true;
}

void voice_hold(struct voice *voice, int64_t due_us, int64_t now_us)
{
	if (voice->start_us != TIME_UNSET && !voice->aborted &&
		voice->start_us - due_us > VOICE_CORRECTION_US) {
		voice->hold_us = voice->start_us;
		voice->taken_us = voice->start_us;
	} else if (due_us <= now_us && due_us > voice->taken_us) {
		voice->taken_us = due_us;
	}
}

/* No longer than there are frames to fade: what ends sooner would end in a step. */
static size_t fade_frames(const struct voice *voice)
{
	size_t fade = (size_t)voice->rate_hz * PROGRAMME_FADE_MS / 1000;
	size_t lead = programme_lead_frames(voice->programme);

	return lead > 0 && lead < fade ? lead : fade;
}

void voice_abort(struct voice *voice, uint64_t mixed)
{
	if (voice->aborted || voice->state == VOICE_IDLE)
		return;
	voice->aborted = true;
	switch (voice->state) {
	case VOICE_PLAYING:
		voice->state = VOICE_FADING;
		mix_ramp_to(&voice->fade, 0.0F, fade_frames(voice));
		break;
	case VOICE_WAITING:
	case VOICE_LEADING:
		/* Nothing of it is on the tape: it has ended already. */
		voice->first_at = mixed;
		voice->sound_to = 0;
		voice->state = VOICE_DRAINING;
		break;
	default:
		break;
	}
}

/* Frames of the programme that are there; 0 moves on to DRAINING or says that it starves. */
static size_t ready_of_programme(struct voice *voice)
{
	size_t lead = programme_lead_frames(voice->programme);

	if (lead == 0 && programme_want_frames(voice->programme))
		lead = programme_lead_frames(voice->programme);
	voice->starving = lead == 0;
	if (lead > 0)
		return lead;
	if (!programme_drained(voice->programme))
		return 0;
	voice->starving = false;
	voice->state = VOICE_DRAINING;
	return VOICE_NOT_ASKING;
}

size_t voice_ready(struct voice *voice, uint64_t mixed, int64_t now_us)
{
	switch (voice->state) {
	case VOICE_LEADING:
		if (now_us < voice->hold_us)
			return 0;
		if (voice->hold_us != INT64_MIN && mixed > voice->first_at) {
			voice->first_at = mixed; /* others of the device went on meanwhile */
			voice->sound_to = mixed;
		}
		if (!voice->corrected && mixed < correction_at(voice))
			return (size_t)(correction_at(voice) - mixed);
		if (mixed < voice->first_at)
			return (size_t)(voice->first_at - mixed);
		voice->state = VOICE_PLAYING;
		return ready_of_programme(voice);
	case VOICE_PLAYING:
		return ready_of_programme(voice);
	case VOICE_FADING:
		return voice->fade.left;
	default:
		return VOICE_NOT_ASKING;
	}
}

bool voice_mix(
	struct voice *voice, float *mono, size_t count, uint64_t mixed, struct voice_gain gain)
{
	if (voice->state != VOICE_PLAYING && voice->state != VOICE_FADING)
		return false;
	size_t got = programme_pull(voice->programme, mono, count);
	memset(mono + got, 0, (count - got) * sizeof *mono);
	voice->pulled += got;
	if (got > 0)
		voice->sound_to = mixed + got;
	if (voice->state == VOICE_PLAYING) {
		float target = gain.linear * programme_gain(voice->programme);
		/* One change after the other: turning round on the way would be a corner. */
		if (target != voice->gain.target && voice->gain.left == 0)
			mix_ramp_to(
				&voice->gain, target, (size_t)voice->rate_hz * gain.ramp_ms / 1000);
	}
	mix_ramp_apply(&voice->gain, mono, count);
	mix_ramp_apply(&voice->fade, mono, count);
	if (voice->state == VOICE_FADING && voice->fade.left == 0)
		voice->state = VOICE_DRAINING;
	return true;
}

/* Frames of the programme that have left the device. Silence put in for a starving programme is
 * counted as if it came before them: rather a frame too few than one too many, as the sentence
 * that is cut off is said again. */
static uint64_t frames_heard(const struct voice *voice, uint64_t heard)
{
	uint64_t unheard = voice->sound_to > heard ? voice->sound_to - heard : 0;

	return unheard < voice->pulled ? voice->pulled - unheard : 0;
}

static void to_idle(struct voice *voice, int64_t now_us)
{
	if (voice->started)
		voice->warm_until_us = now_us + VOICE_WARM_US;
	voice->state = VOICE_IDLE;
	voice->programme = NULL;
	voice->starving = false;
}

bool voice_heard(
	struct voice *voice, uint64_t heard, int64_t now_us, struct device_event *ret_event)
{
	struct device_event event = {
		.output = voice->output,
		.programme = voice->programme,
		.rate_hz = voice->rate_hz,
		.frames = frames_heard(voice, heard),
	};

	if (voice->state == VOICE_IDLE)
		return false;
	if (!voice->started && voice->pulled > 0 && heard > voice->first_at) {
		voice->started = true;
		event.what = DEVICE_STARTED;
		event.mono_us = now_us - us_of_frames(voice, (int64_t)(heard - voice->first_at));
		if (event.mono_us < voice->taken_us) /* a device that is ahead of time */
			event.mono_us = voice->taken_us;
		voice->taken_us = event.mono_us;
		*ret_event = event;
		return true;
	}
	if (voice->state != VOICE_DRAINING || heard < voice->sound_to)
		return false;
	event.what = DEVICE_ENDED;
	event.outcome = voice->aborted ? DEVICE_ABORTED : DEVICE_FINISHED;
	event.mono_us = now_us;
	if (voice->pulled > 0)
		event.mono_us -= us_of_frames(voice, (int64_t)(heard - voice->sound_to));
	if (event.mono_us < voice->taken_us)
		event.mono_us = voice->taken_us;
	*ret_event = event;
	to_idle(voice, now_us);
	return true;
}

bool voice_lose(struct voice *voice, uint64_t heard, int64_t now_us, int error,
	struct device_event *ret_event)
{
	if (voice->state == VOICE_IDLE)
		return false;
	*ret_event = (struct device_event){
		.what = DEVICE_ENDED,
		.outcome = DEVICE_LOST,
		.output = voice->output,
		.programme = voice->programme,
		.rate_hz = voice->rate_hz,
		.frames = frames_heard(voice, heard),
		.mono_us = now_us,
		.error = error,
	};
	to_idle(voice, now_us);
	return true;
}
