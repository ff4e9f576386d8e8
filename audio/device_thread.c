/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The device thread: a loop of turns. A turn takes new programmes, mixes and writes what the
 * device has room for, finds out what has been heard, and sleeps until something is due. It never
 * waits for another thread: what it cannot have now it looks for in the next turn.
 */
#include "audio/device_private.h"
#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#define BACKOFF_MIN_US     (500 * US_PER_MS)
#define BACKOFF_MAX_US     (30 * US_PER_SEC)
#define STABLE_US          (10 * US_PER_SEC) /* open for so long: back-off begins anew */
#define WEDGED_US          (2 * US_PER_SEC)  /* no progress for so long: the device is gone */
#define WEDGED_STOPPING_US (500 * US_PER_MS) /* the whole process must stop within 2 s */
#define RECOVER_WAIT_US    (10 * US_PER_MS)
#define STALL_WAIT_US      (100 * US_PER_MS)
#define CHUNKS_PER_TURN    16 /* an endlessly hungry device must not keep us from looking around */
#define PADDING_PERIODS    2
/* How often the thread looks in a thousand periods. A device that tells only once in a period how far it
 * is must not be asked equally late after that each time: so the sleep is shorter than a period by 1 in
 * 8 + the golden section, and few looks fall evenly into all parts of it. */
#define LOOKS_PER_1000 1131

static void post(struct device *device, const struct device_event *event)
{
	device_ring_post(&device->events, event);
}

static bool ring_has_room(const struct device *device)
{
	return device_ring_room(&device->events) >= DEVICE_RING_RESERVE;
}

static int64_t us_of_frames(const struct device *device, uint64_t frames)
{
	return (int64_t)frames * US_PER_SEC / device->format.rate_hz;
}

/* --- coming and going of the device -------------------------------------------------------------
 */

static void back_off(struct device *device, int64_t now_us)
{
	device->retry_us = now_us + device->backoff_us;
	device->backoff_us *= 2;
	if (device->backoff_us > BACKOFF_MAX_US)
		device->backoff_us = BACKOFF_MAX_US;
}

static void report_closed(struct device *device, int64_t now_us, int error)
{
	if (device->closed_reported)
		return;
	device->closed_reported = true;
	post(device,
		&(struct device_event){ .what = DEVICE_CLOSED, .mono_us = now_us, .error = error });
}

static void try_open(struct device *device, int64_t now_us)
{
	if (now_us < device->retry_us || atomic_load(&device->stopping) || !ring_has_room(device))
		return;
	device->sink = device->driver->open(device->name, device->channels, &device->format);
	if (!device->sink) {
		report_closed(device, now_us, errno);
		back_off(device, clock_mono_us());
		return;
	}
	tape_init(&device->tape, device->format.channels, device->format.buffer_frames,
		DEVICE_CHUNK_FRAMES);
	pace_init(&device->pace, device->format.rate_hz);
	device->heard = 0;
	device->stop_at = 0;
	device->running = false;
	device->blocked = false;
	device->recovering = 0;
	device->polls_sink = true;
	device->opened_us = clock_mono_us();
	device->closed_reported = false;
	if (device->was_open)
		atomic_fetch_add(&device->reopens, 1);
	device->was_open = true;
	atomic_store(&device->rate_hz, device->format.rate_hz);
	post(device, &(struct device_event){ .what = DEVICE_OPENED,
			     .mono_us = device->opened_us,
			     .rate_hz = device->format.rate_hz });
}

static void close_sink(struct device *device)
{
	device->driver->close(device->sink);
	device->sink = NULL;
	tape_done(&device->tape);
}

/* The device is gone: everything goes back to main, which decides what is said again. */
static void lose(struct device *device, int error, int64_t now_us)
{
	struct device_event event;

	atomic_store(&device->rate_hz, 0);
	report_closed(device, now_us, error);
	for (size_t i = 0; i < device->outputs_count; i++) {
		struct voice *voice = &device->voices[i];
		if (voice_lose(voice, device->heard, now_us, error, &event))
			post(device, &event);
		/* Who knows how long the amplifiers will have been without a signal. */
		voice_cool(voice);
	}
	if (now_us - device->opened_us >= STABLE_US)
		device->backoff_us = BACKOFF_MIN_US;
	/* Last, as closing may take as long as the driver takes. */
	close_sink(device);
	back_off(device, clock_mono_us());
}

/* --- programmes coming in, and going back -------------------------------------------------------
 */

/* Gives a programme back that has not been taken. */
static void return_waiting(struct device *device, size_t output, struct programme *programme,
	enum device_outcome outcome, int64_t now_us)
{
	atomic_store(&device->slots[output].waiting, NULL);
	post(device, &(struct device_event){ .what = DEVICE_ENDED,
			     .outcome = outcome,
			     .output = output,
			     .programme = programme,
			     .rate_hz = programme_rate_hz(programme),
			     .mono_us = now_us,
			     .error = outcome == DEVICE_LOST ? ENODEV : 0 });
}

static void look_into_slot(struct device *device, size_t output, int64_t now_us)
{
	struct device_slot *slot = &device->slots[output];
	struct voice *voice = &device->voices[output];
	struct programme *programme = atomic_load(&slot->waiting);

	if (!programme || !ring_has_room(device))
		return;
	if (programme_aborted(programme) || atomic_load(&device->stopping)) {
		return_waiting(device, output, programme, DEVICE_ABORTED, now_us);
	} else if (!device->sink || programme_rate_hz(programme) != device->format.rate_hz) {
		/* Another rate: made for the device as it was before it was lost. */
		return_waiting(device, output, programme, DEVICE_LOST, now_us);
	} else if (voice->state == VOICE_IDLE) {
		voice_take(voice, programme, atomic_load(&slot->gain), now_us);
		atomic_store(&slot->waiting, NULL);
	}
}

static void look_into_slots(struct device *device, int64_t now_us)
{
	for (size_t i = 0; i < device->outputs_count; i++)
		look_into_slot(device, i, now_us);
}

static void abort_voices(struct device *device)
{
	bool stopping = atomic_load(&device->stopping);

	for (size_t i = 0; i < device->outputs_count; i++) {
		struct voice *voice = &device->voices[i];
		if (voice->programme && (stopping || programme_aborted(voice->programme)))
			voice_abort(voice, device->tape.mixed);
	}
}

/* --- when the first frame leaves ----------------------------------------------------------------
 */

/* When the frame that is mixed next will leave the device. An error of delay() is left to the
 * calls that follow. */
static int64_t due_us(const struct device *device)
{
	long delay = device->running ? device->driver->delay(device->sink) : 0;
	uint64_t pending = device->tape.mixed - device->tape.written;

	return clock_mono_us() + us_of_frames(device, (delay > 0 ? (uint64_t)delay : 0) + pending);
}

static void keep_step(struct device *device)
{
	for (size_t i = 0; i < device->outputs_count; i++)
		voice_keep_step(&device->voices[i], &device->pace, device->tape.mixed);
}

static bool start_together(const struct voice *a, const struct voice *b)
{
	return a != b && b->state == VOICE_LEADING && a->start_us != TIME_UNSET &&
	       a->start_us == b->start_us;
}

/* Whether the voice's amplifier is awake, by whatever programme. */
static bool is_awake(const struct device *device, const struct voice *voice, int64_t now_us)
{
	for (size_t i = 0; i < device->outputs_count; i++) {
		const struct voice *other = &device->voices[i];
		if ((other->channel_mask & voice->channel_mask) && voice_warms(other, now_us))
			return true;
	}
	return false;
}

/* Where on the tape all that fades out on the voice's channels is silent. */
static uint64_t faded_at(const struct device *device, const struct voice *voice)
{
	size_t left = 0;

	for (size_t i = 0; i < device->outputs_count; i++) {
		const struct voice *other = &device->voices[i];
		if ((other->channel_mask & voice->channel_mask) && other->state == VOICE_FADING &&
			other->fade.left > left)
			left = other->fade.left;
	}
	return device->tape.mixed + left;
}

/* Finds the voice's place on the tape. Voices with the same start get the same frame, the later
 * one, so that two horns of one device are never heard as an echo. */
static void place(struct device *device, struct voice *voice, int64_t now_us)
{
	voice_place(voice, device->tape.mixed, due_us(device), is_awake(device, voice, now_us));
	uint64_t faded = faded_at(device, voice);
	if (voice->corrected && voice->first_at < faded) /* at once, but not into what fades out */
		voice->first_at = voice->sound_to = faded;
	for (size_t i = 0; i < device->outputs_count; i++) {
		struct voice *other = &device->voices[i];
		if (!start_together(voice, other))
			continue;
		struct voice *earlier = other->first_at < voice->first_at ? other : voice;
		const struct voice *later = earlier == voice ? other : voice;
		earlier->first_at = later->first_at;
		earlier->sound_to = later->sound_to;
		earlier->corrected = later->corrected;
	}
}

static void place_voices(struct device *device, int64_t now_us)
{
	for (size_t i = 0; i < device->outputs_count; i++) {
		struct voice *voice = &device->voices[i];
		if (voice->state == VOICE_WAITING && voice_begin_us(voice) <= now_us)
			place(device, voice, now_us);
	}
}

static void correct_voices(struct device *device)
{
	uint64_t mixed = device->tape.mixed;

	for (size_t i = 0; i < device->outputs_count; i++) {
		struct voice *voice = &device->voices[i];
		if (!voice_wants_correction(voice, mixed))
			continue;
		int64_t due = pace_knows(&device->pace) ? (int64_t)pace_due_us(&device->pace, mixed)
							: due_us(device);
		int64_t shift = voice_correction(voice, mixed, due);
		for (size_t j = 0; j < device->outputs_count; j++) {
			if (start_together(voice, &device->voices[j]))
				voice_shift(&device->voices[j], shift, mixed);
		}
		voice_shift(voice, shift, mixed);
	}
}

/* --- mixing and writing -------------------------------------------------------------------------
 */

/* Frames of silence that the device still needs behind the last sound: it plays whole periods. */
static size_t padding_left(struct device *device)
{
	uint64_t period = device->format.period_frames;
	uint64_t end = 0;

	for (size_t i = 0; i < device->outputs_count; i++) {
		const struct voice *voice = &device->voices[i];
		if (voice->state == VOICE_DRAINING && voice->sound_to > end)
			end = voice->sound_to;
	}
	if (end == 0)
		return 0;
	end = (end + period - 1) / period * period;
	if (end + period > device->stop_at)
		device->stop_at = end + period;
	end += PADDING_PERIODS * period;
	return end > device->tape.mixed ? (size_t)(end - device->tape.mixed) : 0;
}

/* Right before the first frame of a timed programme: is it time yet? */
static void hold_voices(struct device *device)
{
	for (size_t i = 0; i < device->outputs_count; i++) {
		struct voice *voice = &device->voices[i];
		if (voice->state == VOICE_LEADING && voice->hold_us == INT64_MIN &&
			device->tape.mixed >= voice->first_at) {
			int64_t due = due_us(device);
			voice_hold(voice, due, clock_mono_us());
		}
	}
}

/* Whether what the device holds lasts for a while. */
static bool can_wait(const struct device *device)
{
	size_t buffer = device->format.buffer_frames;
	long space = device->running ? device->driver->space(device->sink) : (long)buffer;

	/* (Its delay would not do: that may lie behind the buffer.) */
	return space >= 0 && (size_t)space < buffer / 2;
}

/* How many frames to mix now, at most `limit`. 0: nothing to play, or every programme that plays
 * is short of frames. Then the stream waits: silence is never made up for a programme that is
 * late, unless another one must go on. */
static size_t frames_to_mix(struct device *device, size_t limit)
{
	bool supplied = false;
	int64_t now_us = clock_mono_us();

	for (size_t i = 0; i < device->outputs_count; i++) {
		struct voice *voice = &device->voices[i];
		bool starved = voice->starving;
		size_t ready = voice_ready(voice, device->tape.mixed, now_us);
		if (voice->starving && !starved && can_wait(device)) {
			voice->starving = false; /* its frames are not due yet: no hole for it */
			return 0;
		}
		if (voice->starving && !starved)
			atomic_fetch_add(&device->starvations, 1);
		if (ready == 0 || ready == VOICE_NOT_ASKING)
			continue;
		supplied = true;
		if (ready < limit)
			limit = ready;
	}
	if (supplied)
		return limit;
	size_t padding = padding_left(device);
	return padding < limit ? padding : limit;
}

static bool mix(struct device *device, size_t limit)
{
	if (limit > DEVICE_CHUNK_FRAMES)
		limit = DEVICE_CHUNK_FRAMES;
	correct_voices(device);
	hold_voices(device);
	keep_step(device);
	size_t count = frames_to_mix(device, limit);
	if (count == 0)
		return false;
	float *room = tape_room(&device->tape, count, &count);
	for (size_t i = 0; i < device->outputs_count; i++) {
		struct voice *voice = &device->voices[i];
		if (voice_mix(voice, &device->workshop, device->mono, count, device->tape.mixed,
			    atomic_load(&device->slots[i].gain)))
			mix_add_channels(room, device->format.channels, voice->channel_mask,
				device->mono, count);
	}
	mix_clip(room, count * device->format.channels);
	tape_mixed(&device->tape, count);
	return true;
}

static int write_pending(struct device *device, const float *frames, size_t count)
{
	long written = device->driver->write(device->sink, frames, count);
	if (written < 0)
		return (int)written;
	if (written > 0 && !device->running) {
		device->running = true;
		device->progress_us = clock_mono_us();
	}
	tape_wrote(&device->tape, (size_t)written);
	device->blocked = (size_t)written < count;
	return 0;
}

/* Writes as much as the device takes. 0 or -errno of the sink. */
static int fill(struct device *device)
{
	/* A little room is left alone, or we would run after the device frame by frame. */
	size_t worthwhile = device->format.period_frames / 2;

	device->blocked = false;
	device->stalled = false;
	for (int i = 0; i < CHUNKS_PER_TURN; i++) {
		size_t pending;
		const float *frames = tape_pending(&device->tape, &pending);
		long space = device->driver->space(device->sink);
		if (space < 0)
			return (int)space;
		if (pending == 0) {
			if ((size_t)space < worthwhile || space == 0)
				return 0;
			device->stalled = !mix(device, (size_t)space);
			if (device->stalled)
				return 0;
			frames = tape_pending(&device->tape, &pending);
		}
		if (pending > (size_t)space)
			pending = (size_t)space;
		device->blocked = pending == 0;
		int r = pending > 0 ? write_pending(device, frames, pending) : 0;
		if (r < 0 || device->blocked)
			return r;
	}
	device->again = true;
	return 0;
}

/* --- what was heard -----------------------------------------------------------------------------
 */

/* -ETIMEDOUT when sound is due but the device has not moved for too long. */
static int check_progress(struct device *device, int64_t now_us)
{
	uint64_t progress = device->heard + device->tape.written;
	int64_t limit_us = atomic_load(&device->stopping) ? WEDGED_STOPPING_US : WEDGED_US;
	bool outstanding = device->blocked || device->heard < device->tape.mixed;

	if (progress != device->progress || !outstanding || !device->running) {
		device->progress = progress;
		device->progress_us = now_us;
	}
	return now_us - device->progress_us > limit_us ? -ETIMEDOUT : 0;
}

/* The ends first: what has made way for another is told of before that one. */
static void post_heard(struct device *device, int64_t now_us)
{
	struct device_event event;

	for (int ends = 1; ends >= 0; ends--)
		for (size_t i = 0; i < device->outputs_count; i++) {
			struct voice *voice = &device->voices[i];
			if (voice->aborted != (ends == 1))
				continue;
			while (voice_heard(voice, device->heard, now_us, &event))
				post(device, &event);
		}
}

/* What the device says of its delay teaches how it keeps time, once for all its voices. (One that holds
 * nothing is dry, or has no clock.) */
static void learn_pace(struct device *device, uint64_t delay)
{
	uint64_t pending = device->tape.mixed - device->tape.written;
	int64_t now_us = clock_mono_us();

	if (delay > 0)
		pace_observe(&device->pace, device->tape.mixed,
			now_us + us_of_frames(device, delay + pending), now_us);
}

static int observe(struct device *device)
{
	if (device->running) {
		long delay = device->driver->delay(device->sink);
		if (delay < 0)
			return (int)delay;
		learn_pace(device, (uint64_t)delay);
		uint64_t written = device->tape.written;
		uint64_t heard = (uint64_t)delay < written ? written - (uint64_t)delay : 0;
		if (heard > device->heard)
			device->heard = heard;
	}
	int64_t now_us = clock_mono_us();
	post_heard(device, now_us);
	return check_progress(device, now_us);
}

static bool any_active(const struct device *device)
{
	for (size_t i = 0; i < device->outputs_count; i++) {
		enum voice_state state = device->voices[i].state;
		if (state != VOICE_IDLE && state != VOICE_WAITING)
			return true;
	}
	return false;
}

/* Nothing to play: the PCM is stopped, so that an idle device costs nothing. */
static int stop_when_idle(struct device *device)
{
	if (!device->running || any_active(device) ||
		(device->heard < device->stop_at && device->heard < device->tape.mixed))
		return 0;
	int r = device->driver->stop(device->sink);
	tape_skip_pending(&device->tape);
	device->heard = device->tape.written;
	device->running = false;
	pace_restart(&device->pace);
	device->polls_sink = true;
	return r;
}

/* --- recovery -----------------------------------------------------------------------------------
 */

static int recover(struct device *device, int64_t now_us)
{
	size_t unheard = 0;
	int r = device->driver->recover(device->sink, device->recovering, &unheard);
	if (r == -EAGAIN)
		return check_progress(device, now_us);
	device->recovering = 0;
	if (r < 0)
		return r;
	tape_rewind(&device->tape, unheard);
	pace_restart(&device->pace);
	/* All that was written and not lost has been heard; the device is empty. Or it goes on
	 * where it was; then delay() tells. */
	if (device->heard > device->tape.written)
		device->heard = device->tape.written;
	for (size_t i = 0; i < device->outputs_count; i++)
		voice_displace(&device->voices[i]);
	return 0;
}

/* Frames of a programme are still to come, so that a device that ran dry was given too few. */
static bool sound_is_due(const struct device *device)
{
	for (size_t i = 0; i < device->outputs_count; i++) {
		enum voice_state state = device->voices[i].state;
		if (state == VOICE_LEADING || state == VOICE_PLAYING || state == VOICE_FADING)
			return true;
	}
	return false;
}

/* An error of the sink: to be recovered from (0), or the end of it (-errno). */
static int judge(struct device *device, int error)
{
	if (error == -EPIPE)
		atomic_fetch_add(&device->xruns, sound_is_due(device) ? 1 : 0);
	else if (error == -ESTRPIPE)
		atomic_fetch_add(&device->suspends, 1);
	else
		return error;
	device->recovering = error;
	return 0;
}

/* --- turns --------------------------------------------------------------------------------------
 */

static int play(struct device *device, int64_t now_us)
{
	abort_voices(device);
	place_voices(device, now_us);
	int r = any_active(device) || device->running ? fill(device) : 0;
	if (r == 0)
		r = observe(device);
	return r == 0 ? stop_when_idle(device) : r;
}

/* What the poll before this turn has said of the sink; or, when idle, whether it is there. */
static int check_sink(struct device *device, struct pollfd *fds, int count)
{
	bool alarmed = false;

	for (int i = 0; i < count; i++)
		alarmed = alarmed || fds[i].revents != 0;
	if (!alarmed && device->running)
		return 0;
	int r = device->driver->revents(device->sink, fds, alarmed ? count : 0);
	/* An alarm that means nothing would wake us again and again. */
	if (alarmed && r == 0)
		device->polls_sink = false;
	return r;
}

static void sink_turn(struct device *device, struct pollfd *fds, int count)
{
	int64_t now_us = clock_mono_us();
	device->again = false;
	int r = device->recovering ? 0 : check_sink(device, fds, count);

	if (r == 0 && device->recovering)
		r = recover(device, now_us);
	if (r == 0 && !device->recovering)
		r = play(device, now_us);
	/* Cured in the same turn where possible: every millisecond of an xrun is a gap. */
	if (r == -EPIPE || r == -ESTRPIPE) {
		r = judge(device, r);
		device->again = true;
	}
	if (r < 0)
		lose(device, -r, now_us);
}

static bool finished(const struct device *device)
{
	if (!atomic_load(&device->stopping))
		return false;
	/* The silence behind the last syllable is let out, too. */
	if (device->sink && device->running)
		return false;
	for (size_t i = 0; i < device->outputs_count; i++) {
		if (device->voices[i].state != VOICE_IDLE || atomic_load(&device->slots[i].waiting))
			return false;
	}
	return true;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When the last frame on the tape of a voice that drains is heard, if that is sooner than a
 * period from now: so that the end is noticed when it comes. */
static int64_t drain_wait_us(const struct device *device)
{
	int64_t wait_us = us_of_frames(device, device->format.period_frames) * 1000 /
			  LOOKS_PER_1000;

	for (size_t i = 0; i < device->outputs_count; i++) {
		const struct voice *voice = &device->voices[i];
		if (voice->state == VOICE_DRAINING && voice->sound_to > device->heard)
			wait_us = earlier(wait_us,
				us_of_frames(device, voice->sound_to - device->heard) + 500);
	}
	return wait_us;
}

/* A programme waits and the one before it has just ended. */
static bool a_slot_can_be_taken(const struct device *device)
{
	for (size_t i = 0; i < device->outputs_count; i++) {
		if (device->voices[i].state == VOICE_IDLE && atomic_load(&device->slots[i].waiting))
			return true;
	}
	return false;
}

/* How long the thread may sleep; TIME_NEVER: until it is woken. */
static int64_t wait_us(const struct device *device, int64_t now_us)
{
	int64_t wait = TIME_NEVER;

	if (!ring_has_room(device))
		wait = STALL_WAIT_US;
	else if (a_slot_can_be_taken(device))
		return 0;
	if (!device->sink)
		return atomic_load(&device->stopping) ? earlier(wait, RECOVER_WAIT_US)
						      : earlier(wait, device->retry_us - now_us);
	if (device->recovering)
		return device->again ? 0 : RECOVER_WAIT_US;
	if (device->again)
		return 0;
	for (size_t i = 0; i < device->outputs_count; i++) {
		const struct voice *voice = &device->voices[i];
		int64_t begin_us = voice_begin_us(voice);
		if (voice->state == VOICE_WAITING)
			wait = earlier(wait, begin_us > now_us ? begin_us - now_us : 0);
		if (voice->state == VOICE_LEADING && voice->hold_us > now_us)
			wait = earlier(wait, voice->hold_us - now_us);
	}
	if (!device->running && !any_active(device))
		return wait;
	/* Everything was heard and programmes are late: their frames will wake us. */
	if (device->stalled && device->heard == device->tape.mixed)
		return earlier(wait, STALL_WAIT_US);
	return earlier(wait, drain_wait_us(device));
}

/* Sleeps; returns how many of fds[1…] belong to the sink. */
static int sleep_until_due(struct device *device, struct pollfd *fds)
{
	int64_t wait = wait_us(device, clock_mono_us());
	int count = 0;

	fds[0] = (struct pollfd){ .fd = device->wake_fd, .events = POLLIN };
	if (device->sink && device->polls_sink)
		count = device->driver->poll(device->sink, fds + 1);
	if (wait < 0)
		wait = 0;
	struct timespec timeout = {
		.tv_sec = wait / US_PER_SEC,
		.tv_nsec = wait % US_PER_SEC * 1000,
	};
	int r = ppoll(fds, 1 + (nfds_t)count, wait == TIME_NEVER ? NULL : &timeout, NULL);
	if (r <= 0)
		return 0;
	uint64_t kicks;
	if (fds[0].revents)
		(void)!read(device->wake_fd, &kicks, sizeof kicks);
	return count;
}

void *device_thread(void *context)
{
	struct device *device = context;
	struct pollfd fds[1 + SINK_POLL_MAX];
	int count = 0;

	atomic_store(&device->realtime, thread_is_realtime());
	device->backoff_us = BACKOFF_MIN_US;
	for (;;) {
		atomic_fetch_add(&device->turns, 1);
		if (!device->sink)
			try_open(device, clock_mono_us());
		look_into_slots(device, clock_mono_us());
		if (device->sink)
			sink_turn(device, fds + 1, count);
		if (!device->sink)
			look_into_slots(device, clock_mono_us());
		if (finished(device))
			break;
		count = sleep_until_due(device, fds);
	}
	atomic_store(&device->rate_hz, 0);
	if (device->sink)
		close_sink(device);
	return NULL;
}
