/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One output's playing state: which programme it has and how far that has come. A voice knows
 * nothing of devices: positions are frame numbers on the device's tape (audio/tape.h), and time
 * comes in as an argument. Device thread only; embedded in struct device.
 *
 *   IDLE → WAITING → LEADING → PLAYING → DRAINING → IDLE
 *             │         │         └─▶ FADING ─▲
 *             └─────────┴───── abort ─────────┘
 */
#pragma once

#include "audio/device.h"
#include "audio/mix.h"
#include "audio/pace.h"
#include "audio/stretch.h"

/* Channels that sounded less than this ago need no preroll: their amplifier is awake. */
#define VOICE_WARM_US INT64_C(5000000)
/* The stream runs at least this long before a timed first frame, so that the device's real delay
 * is known before it matters. */
#define VOICE_LEAD_MIN_US INT64_C(500000)
/* A thread may be woken, and a device may start, so late. */
#define VOICE_WAKE_UP_US INT64_C(100000)
/* This long before a timed first frame (on the tape) its place is corrected, once, by at most
 * as much. */
#define VOICE_CORRECTION_US INT64_C(20000)

#define VOICE_CHUNK_FRAMES 1024 /* mixed in one go, at most */
/* What is below −60 dBFS is a pause, which may become shorter or longer. */
#define VOICE_PAUSE_LEVEL 0.001F

#define VOICE_NOT_ASKING SIZE_MAX

enum voice_state {
	VOICE_IDLE,
	VOICE_WAITING,  /* has a programme; its time is far, or it has no place on the tape yet */
	VOICE_LEADING,  /* silence until first_at */
	VOICE_PLAYING,  /* frames of the programme go onto the tape */
	VOICE_FADING,   /* aborted: the gain goes to nothing */
	VOICE_DRAINING, /* all is on the tape; waiting until the last frame has left the device */
};

/* An output's gain, and how long the way to it takes. */
struct voice_gain {
	float linear;
	uint32_t ramp_ms;
};

/* What a voice needs while it mixes, and the voices of a device share. */
struct voice_workshop {
	struct stretch_table table;
	float frames[STRETCH_TAPS + VOICE_CHUNK_FRAMES + 2];
	float ahead[2 * (VOICE_CHUNK_FRAMES + 2)];
};

struct voice {
	/* as configured */
	size_t output;
	uint32_t channel_mask;
	int64_t preroll_us;
	int64_t delay_us;

	enum voice_state state;
	struct programme *programme; /* borrowed; NULL while idle */
	unsigned rate_hz;
	int64_t start_us; /* CLOCK_MONOTONIC, delay_us included; or TIME_UNSET */
	int64_t warm_until_us;
	uint64_t first_at; /* tape position of the first frame */
	uint64_t sound_to; /* tape position after the last frame so far */
	uint64_t pulled;   /* frames of the programme on the tape, or left out in a pause */
	bool corrected;    /* first_at is final */
	int64_t taken_us;  /* nothing of it was heard before this */
	int64_t hold_us;   /* LEADING: no frame before this; INT64_MIN: goes on */
	int64_t led_us;    /* since when there has been silence before it; TIME_UNSET: not yet */
	bool aborted;
	bool started; /* DEVICE_STARTED was posted */
	bool starving;
	struct mix_ramp gain;
	struct mix_ramp fade; /* FADING */

	/* a programme with a start: kept in step */
	bool stepping;
	bool flowing;        /* stretch has its first frames */
	double step;         /* frames of the programme for each on the tape */
	int64_t pause_shift; /* frames to leave out or put in, if there is a pause now */
	struct stretch stretch;
};

void voice_init(struct voice *voice, size_t output, const struct device_output_config *config);

/* IDLE → WAITING. `gain` is the output's. */
void voice_take(
	struct voice *voice, struct programme *programme, struct voice_gain gain, int64_t now_us);
/* When a waiting voice must get its place: an instant, or INT64_MIN for at once. */
int64_t voice_begin_us(const struct voice *voice);
/* WAITING → LEADING. `mixed` is the tape's end, which will leave the device at `due_us`; `awake`:
 * its amplifier needs no preroll. */
void voice_place(struct voice *voice, uint64_t mixed, int64_t due_us, bool awake);
/* Whether the voice sounds, or has sounded lately: amplifiers on its channels are awake. */
bool voice_warms(const struct voice *voice, int64_t now_us);
/* Its amplifiers may have fallen asleep. */
void voice_cool(struct voice *voice);
/* The device lost time: a timed voice that is LEADING must find its place again (the preroll that
 * it has had still counts). */
void voice_displace(struct voice *voice);
/* Whether first_at is due for its correction (the tape ends at `mixed`). */
bool voice_wants_correction(const struct voice *voice, uint64_t mixed);
/* By how many frames first_at must move, when the tape's end will leave the device at `due_us`. */
int64_t voice_correction(const struct voice *voice, uint64_t mixed, int64_t due_us);
void voice_shift(struct voice *voice, int64_t frames, uint64_t mixed);

/* PLAYING → FADING; anything before → DRAINING with nothing heard. */
void voice_abort(struct voice *voice, uint64_t mixed);

/* Right before the first frame. A device that takes frames faster than time goes (a file, not a
 * card) has swallowed the lead: the frame waits for its instant. Where nothing is left in the device
 * (`due_us`, as for voice_place(), is not after `now_us`), nothing is said to be heard before now. */
void voice_hold(struct voice *voice, int64_t due_us, int64_t now_us);

/* A voice that plays a programme with a start: how late what it gives next will be heard, as `pace`
 * knows the device, decides how fast it goes on and whether a pause must become shorter. Voices of
 * one device that began together are told alike, and stay alike to the sample. */
void voice_keep_step(struct voice *voice, const struct pace *pace, uint64_t mixed);

/* Frames that the voice can give now, in one go: 0 when its programme is short of frames
 * (`starving` is set), VOICE_NOT_ASKING when it does not need the stream to run. */
size_t voice_ready(struct voice *voice, uint64_t mixed, int64_t now_us);
/* Sets mono[0..count) to what the voice plays at the tape's end and returns true, or returns
 * false when it is silent. Only after voice_ready(), at most VOICE_CHUNK_FRAMES; `gain` is the
 * output's. */
bool voice_mix(struct voice *voice, struct voice_workshop *workshop, float *mono, size_t count,
	uint64_t mixed, struct voice_gain gain);

/* What became of it, now that the tape has been heard up to `heard`, at `now_us`: true with an
 * event to post; to be called until it returns false. */
bool voice_heard(
	struct voice *voice, uint64_t heard, int64_t now_us, struct device_event *ret_event);
/* Gives the programme back as DEVICE_LOST; false when idle. */
bool voice_lose(struct voice *voice, uint64_t heard, int64_t now_us, int error,
	struct device_event *ret_event);
