/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/voice.h"
#include "base/clock.h"

#include <math.h>
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
	voice->stepping = start_us != TIME_UNSET;
	voice->flowing = false;
	voice->step = 1;
	voice->pause_shift = 0;
	mix_ramp_set(&voice->gain, gain.linear * programme_gain(programme));
	mix_ramp_set(&voice->fade, 1.0F);
}

int64_t voice_begin_us(const struct voice *voice)
{
	if (voice->start_us == TIME_UNSET)
		return INT64_MIN;
	/* A stream that starts a little late must not cost the preroll, nor be late for it. */
	int64_t preroll_us = voice->preroll_us + VOICE_WAKE_UP_US;

	return voice->start_us - (preroll_us > VOICE_LEAD_MIN_US ? preroll_us : VOICE_LEAD_MIN_US);
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
		voice->stepping = false; /* there is no clock to keep step with */
	} else if (due_us <= now_us && due_us > voice->taken_us) {
		voice->taken_us = due_us;
	}
}

/* Frames of the programme by which the voice can move on; all is there: with silence behind the
 * last. */
static size_t frames_to_come(const struct voice *voice)
{
	bool complete = false;
	uint64_t pushed = programme_frames_pushed(voice->programme, &complete);
	size_t lead = programme_lead_frames(voice->programme);

	if (complete || voice->aborted)
		return (size_t)(pushed - voice->pulled);
	if (voice->flowing)
		return lead;
	return lead > STRETCH_AHEAD ? lead - STRETCH_AHEAD : 0;
}

/* No longer than there are frames to fade: what ends sooner would end in a step. */
static size_t fade_frames(const struct voice *voice)
{
	size_t fade = (size_t)voice->rate_hz * PROGRAMME_FADE_MS / 1000;
	size_t lead = voice->stepping ? frames_to_come(voice)
				      : programme_lead_frames(voice->programme);

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

/* --- in step ------------------------------------------------------------------------------------
 */

void voice_keep_step(struct voice *voice, const struct pace *pace, uint64_t mixed)
{
	voice->pause_shift = 0;
	if (!voice->stepping || voice->state != VOICE_PLAYING || !pace_knows(pace)) {
		voice->step = 1;
		return;
	}
	double place = (double)voice->pulled + (voice->flowing ? voice->stretch.fraction : 0);
	double should_us = (double)voice->start_us + place * US_PER_SEC / voice->rate_hz;
	double late_us = pace_due_us(pace, mixed) - should_us;

	voice->step = pace_step(pace, late_us);
	voice->pause_shift = pace_pause_frames(pace, late_us);
}

static size_t can_make(const struct voice *voice)
{
	size_t to_come = frames_to_come(voice);
	double fraction = voice->flowing ? voice->stretch.fraction : 0;

	if (to_come == 0)
		return 0;
	size_t count = stretch_gives(
		&(struct stretch){ .fraction = fraction }, to_come, voice->step);
	/* A last part of a frame is made with what is there; others wait for the next frame. */
	bool complete = false;
	(void)programme_frames_pushed(voice->programme, &complete);
	return count > 0 || !(complete || voice->aborted) ? count : 1;
}

static bool is_silent(const float *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!(fabsf(frames[i]) < VOICE_PAUSE_LEVEL))
			return false;
	}
	return true;
}

/* In a pause: gives `count` frames, but moves on by more or fewer; one end goes over into the other.
 * Returns by how many more; 0: there is no pause, and nothing was done. */
static int64_t play_pause(
	struct voice *voice, struct voice_workshop *workshop, float *frames, size_t count)
{
	int64_t most = (int64_t)count;
	int64_t shift = voice->pause_shift;
	float *ahead = workshop->ahead;

	if (shift > most)
		shift = most;
	if (shift < -most / 2)
		shift = -most / 2;
	size_t needed = count + (size_t)(shift > 0 ? shift : 0);
	if (shift == 0 || programme_peek(voice->programme, 0, ahead, needed) < needed ||
		!is_silent(ahead, needed))
		return 0;
	for (int64_t i = 0; i < most; i++) {
		float share = (float)(i + 1) / (float)most;
		float there = i + shift >= 0 ? ahead[i + shift] : ahead[0];
		frames[i] = ahead[i] + share * (there - ahead[i]);
	}
	programme_skip(voice->programme, (size_t)(most + shift));
	return shift;
}

/* What the interpolator needs before its first frame. */
static void begin_to_flow(struct voice *voice)
{
	float first[STRETCH_AHEAD] = { 0 };

	(void)programme_pull(voice->programme, first, STRETCH_AHEAD);
	stretch_init(&voice->stretch, first);
	voice->flowing = true;
}

/* As programme_pull(), in step. */
static size_t pull_in_step(
	struct voice *voice, struct voice_workshop *workshop, float *mono, size_t count)
{
	float *added = workshop->frames + STRETCH_TAPS;
	size_t possible = can_make(voice);

	if (count > possible)
		count = possible;
	if (count == 0)
		return 0;
	if (!voice->flowing)
		begin_to_flow(voice);
	size_t needs = stretch_needs(&voice->stretch, count, voice->step);
	int64_t shift = play_pause(voice, workshop, added, needs);
	if (shift == 0) {
		size_t got = programme_pull(voice->programme, added, needs);
		memset(added + got, 0, (needs - got) * sizeof *added);
	}
	stretch_run(&voice->stretch, &workshop->table, workshop->frames, count, voice->step, mono);
	voice->pulled += (uint64_t)((int64_t)needs + shift);
	return count;
}

static size_t pull(struct voice *voice, struct voice_workshop *workshop, float *mono, size_t count)
{
	if (voice->stepping) {
		size_t made = pull_in_step(voice, workshop, mono, count);
		uint64_t all = programme_frames_pushed(voice->programme, NULL);
		if (voice->pulled > all) /* beyond the last frame */
			voice->pulled = all;
		return made;
	}
	size_t got = programme_pull(voice->programme, mono, count);
	voice->pulled += got;
	return got;
}

static size_t ready_now(const struct voice *voice)
{
	return voice->stepping ? can_make(voice) : programme_lead_frames(voice->programme);
}

/* Frames of the programme that are there; 0 moves on to DRAINING or says that it starves. */
static size_t ready_of_programme(struct voice *voice)
{
	size_t ready = ready_now(voice);

	if (ready == 0 && programme_want_frames(voice->programme))
		ready = ready_now(voice);
	voice->starving = ready == 0;
	if (ready > 0)
		return ready;
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

bool voice_mix(struct voice *voice, struct voice_workshop *workshop, float *mono, size_t count,
	uint64_t mixed, struct voice_gain gain)
{
	if (voice->state != VOICE_PLAYING && voice->state != VOICE_FADING)
		return false;
	size_t got = pull(voice, workshop, mono, count);
	memset(mono + got, 0, (count - got) * sizeof *mono);
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
