/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A PCM of alsa-lib. Opened non-blocking; interleaved writes; never snd_pcm_drain (it blocks) and
 * never more than SINK_BUFFER_MS in the device, however large its buffer is.
 */
#include "audio/sink.h"
#include "base/clock.h"
#include "base/strbuf.h"

#include <alsa/asoundlib.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#define WANTED_RATE_HZ   48000
#define WANTED_PERIODS   4
#define RESUME_US        (1 * US_PER_SEC) /* so long a driver may say EAGAIN to a resume */
#define SAMPLE_BYTES_MAX 4

struct sink_sample {
	snd_pcm_format_t format;
	size_t bytes;
	void (*put)(unsigned char *out, const float *samples, size_t count);
};

struct sink {
	snd_pcm_t *pcm;
	const struct sink_sample *sample;
	unsigned channels;
	unsigned rate_hz;
	size_t buffer_frames; /* of the device */
	size_t limit_frames;  /* what we put into it at most */
	unsigned char *bytes; /* limit_frames converted */
	long last_delay;      /* as delay() said at… */
	int64_t last_delay_us;
	int64_t suspended_us; /* since when resume has been tried; 0: not */
};

/* --- sample formats -----------------------------------------------------------------------------
 */

static void put_float(unsigned char *out, const float *samples, size_t count)
{
	memcpy(out, samples, count * sizeof *samples);
}

static void put_s32(unsigned char *out, const float *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* The largest float below 2^31, or +1.0 would wrap to the most negative. */
		float scaled = fminf(samples[i] * 2147483648.0F, 2147483520.0F);
		int32_t value = (int32_t)scaled;
		memcpy(out + i * sizeof value, &value, sizeof value);
	}
}

static void put_s24_3le(unsigned char *out, const float *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t value = (uint32_t)lrintf(samples[i] * 8388607.0F);
		out[3 * i] = (unsigned char)value;
		out[3 * i + 1] = (unsigned char)(value >> 8);
		out[3 * i + 2] = (unsigned char)(value >> 16);
	}
}

static void put_s16(unsigned char *out, const float *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int16_t value = (int16_t)lrintf(samples[i] * 32767.0F);
		memcpy(out + i * sizeof value, &value, sizeof value);
	}
}

/* In the order of preference. A hw: PCM offers what the hardware has, others convert. */
static const struct sink_sample samples[] = {
	{ SND_PCM_FORMAT_FLOAT, 4, put_float },
	{ SND_PCM_FORMAT_S32, 4, put_s32 },
	{ SND_PCM_FORMAT_S24_3LE, 3, put_s24_3le },
	{ SND_PCM_FORMAT_S16, 2, put_s16 },
};

/* --- opening ------------------------------------------------------------------------------------
 */

/* The library writes to standard error; causes travel in events instead. */
static void say_nothing(
	const char *file, int line, const char *function, int error, const char *format, ...)
{
	(void)file;
	(void)line;
	(void)function;
	(void)error;
	(void)format;
}

static int set_sample(struct sink *sink, snd_pcm_hw_params_t *params)
{
	for (size_t i = 0; i < countof(samples); i++) {
		if (snd_pcm_hw_params_set_format(sink->pcm, params, samples[i].format) == 0) {
			sink->sample = &samples[i];
			return 0;
		}
	}
	return -EOPNOTSUPP;
}

/* As few as the outputs need. (A sound server or converting PCM may spread one channel over all
 * its loudspeakers: who minds names two outputs, or the hardware itself.) */
static int set_channels(struct sink *sink, snd_pcm_hw_params_t *params, unsigned needed)
{
	unsigned least = needed;
	int r = snd_pcm_hw_params_set_channels_min(sink->pcm, params, &least);
	if (r < 0)
		return r;
	sink->channels = needed;
	return snd_pcm_hw_params_set_channels_near(sink->pcm, params, &sink->channels);
}

static int set_hw_params(struct sink *sink, unsigned channels, snd_pcm_uframes_t *ret_period)
{
	snd_pcm_hw_params_t *params;
	snd_pcm_hw_params_alloca(&params);
	unsigned period_us = SINK_BUFFER_MS * 1000 / WANTED_PERIODS;
	unsigned buffer_us = SINK_BUFFER_MS * 1000;
	snd_pcm_uframes_t buffer;

	sink->rate_hz = WANTED_RATE_HZ;
	int r = snd_pcm_hw_params_any(sink->pcm, params);
	if (r >= 0)
		r = snd_pcm_hw_params_set_access(sink->pcm, params, SND_PCM_ACCESS_RW_INTERLEAVED);
	if (r >= 0)
		r = set_sample(sink, params);
	if (r >= 0)
		r = set_channels(sink, params, channels);
	if (r >= 0)
		r = snd_pcm_hw_params_set_rate_near(sink->pcm, params, &sink->rate_hz, NULL);
	/* A device that cannot have these sizes takes its own. */
	if (r >= 0)
		(void)snd_pcm_hw_params_set_period_time_near(sink->pcm, params, &period_us, NULL);
	if (r >= 0)
		(void)snd_pcm_hw_params_set_buffer_time_near(sink->pcm, params, &buffer_us, NULL);
	if (r >= 0)
		r = snd_pcm_hw_params(sink->pcm, params);
	if (r >= 0)
		r = snd_pcm_hw_params_get_period_size(params, ret_period, NULL);
	if (r >= 0)
		r = snd_pcm_hw_params_get_buffer_size(params, &buffer);
	if (r >= 0)
		sink->buffer_frames = buffer;
	return r;
}

static int set_sw_params(struct sink *sink)
{
	snd_pcm_sw_params_t *params;
	snd_pcm_sw_params_alloca(&params);

	int r = snd_pcm_sw_params_current(sink->pcm, params);
	/* Sound begins with the first frame written: a programme may be shorter than a period. */
	if (r >= 0)
		r = snd_pcm_sw_params_set_start_threshold(sink->pcm, params, 1);
	if (r >= 0)
		r = snd_pcm_sw_params_set_stop_threshold(sink->pcm, params, sink->buffer_frames);
	return r < 0 ? r : snd_pcm_sw_params(sink->pcm, params);
}

/* What may be in the device: SINK_BUFFER_MS, but two periods at least, or it could not run. */
static void set_limit(struct sink *sink, size_t period)
{
	size_t limit = (size_t)sink->rate_hz * SINK_BUFFER_MS / 1000;

	if (limit < 2 * period)
		limit = 2 * period;
	sink->limit_frames = limit < sink->buffer_frames ? limit : sink->buffer_frames;
}

static void alsa_close(struct sink *sink)
{
	if (sink->pcm)
		snd_pcm_close(sink->pcm);
	free(sink->bytes);
	free(sink);
}

static struct sink *close_and_fail(struct sink *sink, int error)
{
	alsa_close(sink);
	errno = -error;
	return NULL;
}

static struct sink *alsa_open(const char *name, unsigned channels, struct sink_format *ret_format)
{
	struct sink *sink = xcalloc(1, sizeof *sink);
	snd_pcm_uframes_t period = 0;

	(void)snd_lib_error_set_handler(say_nothing);
	int r = snd_pcm_open(&sink->pcm, name, SND_PCM_STREAM_PLAYBACK, SND_PCM_NONBLOCK);
	if (r < 0)
		return close_and_fail(sink, r);
	r = set_hw_params(sink, channels, &period);
	if (r >= 0)
		r = set_sw_params(sink);
	if (r >= 0)
		r = snd_pcm_prepare(sink->pcm);
	if (r >= 0 && (sink->buffer_frames == 0 || period == 0))
		r = -EINVAL;
	if (r < 0)
		return close_and_fail(sink, r);
	set_limit(sink, period);
	sink->bytes = xcalloc(sink->limit_frames * sink->channels, SAMPLE_BYTES_MAX);
	*ret_format = (struct sink_format){
		.rate_hz = sink->rate_hz,
		.channels = sink->channels,
		.buffer_frames = sink->limit_frames,
		.period_frames = period < sink->limit_frames / 2 ? period : sink->limit_frames / 2,
	};
	return sink;
}

/* --- running ------------------------------------------------------------------------------------
 */

/* States of which not every plugin makes an error by itself. */
static int state_error(const struct sink *sink)
{
	switch (snd_pcm_state(sink->pcm)) {
	case SND_PCM_STATE_XRUN:
		return -EPIPE;
	case SND_PCM_STATE_SUSPENDED:
		return -ESTRPIPE;
	case SND_PCM_STATE_DISCONNECTED:
		return -ENODEV;
	default:
		return 0;
	}
}

/* Frames in the device's buffer, from the free ones it reports. */
static size_t filled(const struct sink *sink, snd_pcm_sframes_t avail)
{
	if (avail < 0)
		return 0;
	return (size_t)avail < sink->buffer_frames ? sink->buffer_frames - (size_t)avail : 0;
}

static long alsa_space(struct sink *sink)
{
	snd_pcm_sframes_t avail = snd_pcm_avail(sink->pcm);
	int r = state_error(sink);
	if (r < 0)
		return r;
	if (avail == -EAGAIN)
		return 0;
	if (avail < 0)
		return avail;
	size_t in_device = filled(sink, avail);
	return in_device < sink->limit_frames ? (long)(sink->limit_frames - in_device) : 0;
}

static long alsa_write(struct sink *sink, const float *interleaved, size_t frames)
{
	if (frames > sink->limit_frames)
		frames = sink->limit_frames;
	sink->sample->put(sink->bytes, interleaved, frames * sink->channels);
	snd_pcm_sframes_t written = snd_pcm_writei(sink->pcm, sink->bytes, frames);
	if (written == -EAGAIN)
		return 0;
	if (written > 0) {
		sink->last_delay += written;
		return written;
	}
	int r = state_error(sink);
	return r < 0 ? r : written;
}

/* Never less than what the buffer holds: a sound server that has just begun knows of no delay yet,
 * and before the start some answer with an error. */
static long alsa_delay(struct sink *sink)
{
	snd_pcm_sframes_t avail = 0;
	snd_pcm_sframes_t delay = 0;
	int64_t now_us = clock_mono_us(); /* before it is asked: see ran_dry() */
	bool prepared = snd_pcm_state(sink->pcm) == SND_PCM_STATE_PREPARED;
	int r = prepared ? 0 : snd_pcm_avail_delay(sink->pcm, &avail, &delay);
	if (prepared)
		avail = snd_pcm_avail(sink->pcm);
	int state = state_error(sink);
	if (state < 0)
		return state;
	if (r < 0)
		return r;
	size_t in_device = filled(sink, avail);
	sink->last_delay = delay > (long)in_device ? delay : (long)in_device;
	sink->last_delay_us = now_us;
	return sink->last_delay;
}

/* What the device's buffer still held when it stopped. */
static size_t left_in_device(const struct sink *sink)
{
	snd_pcm_status_t *status;
	snd_pcm_status_alloca(&status);

	if (snd_pcm_status(sink->pcm, status) < 0)
		return 0;
	return filled(sink, (snd_pcm_sframes_t)snd_pcm_status_get_avail(status));
}

/* Whether all that was in the device can have been played by now: then it ran dry, and a plugin
 * whose buffer still seems to hold something only shows an old position. If not, something else
 * stopped it (a USB host that gave up), and what it holds was never heard. (The time that a thread
 * was kept waiting while it asked for the delay counts, or what was heard would be repeated.) */
static bool ran_dry(const struct sink *sink)
{
	int64_t elapsed_us = clock_mono_us() - sink->last_delay_us;

	return elapsed_us * sink->rate_hz / US_PER_SEC >= sink->last_delay;
}

static int prepare(struct sink *sink, size_t lost, size_t *ret_unheard)
{
	sink->suspended_us = 0;
	int r = snd_pcm_prepare(sink->pcm);
	if (r < 0)
		return r;
	*ret_unheard = lost;
	sink->last_delay = 0;
	sink->last_delay_us = clock_mono_us();
	return 0;
}

static int alsa_recover(struct sink *sink, int error, size_t *ret_unheard)
{
	if (error == -EPIPE)
		return prepare(sink, ran_dry(sink) ? 0 : left_in_device(sink), ret_unheard);
	int64_t now_us = clock_mono_us();
	if (sink->suspended_us == 0)
		sink->suspended_us = now_us;
	int r = snd_pcm_resume(sink->pcm);
	/* alsa-lib hides the errors of external plugins here; the state does not lie. */
	if (r == 0 && snd_pcm_state(sink->pcm) == SND_PCM_STATE_SUSPENDED)
		r = -EAGAIN;
	if (r == -EAGAIN && now_us - sink->suspended_us < RESUME_US)
		return -EAGAIN;
	if (r == -ENODEV)
		return r;
	if (r < 0) /* ENOSYS: the hardware cannot; the position in the buffer stood still */
		return prepare(sink, left_in_device(sink), ret_unheard);
	sink->suspended_us = 0;
	*ret_unheard = 0;
	return 0;
}

static int alsa_stop(struct sink *sink)
{
	int r = snd_pcm_drop(sink->pcm);
	if (r < 0)
		return r;
	sink->last_delay = 0;
	/* Prepared again at once: in the state after a drop, poll() reports errors for ever. */
	return snd_pcm_prepare(sink->pcm);
}

static int alsa_poll(struct sink *sink, struct pollfd *fds)
{
	int count = snd_pcm_poll_descriptors_count(sink->pcm);
	if (count <= 0 || count > SINK_POLL_MAX)
		return 0;
	count = snd_pcm_poll_descriptors(sink->pcm, fds, (unsigned)count);
	for (int i = 0; i < count; i++)
		fds[i].events = 0;
	return count < 0 ? 0 : count;
}

static int alsa_revents(struct sink *sink, struct pollfd *fds, int count)
{
	unsigned short revents = 0;

	for (int i = 0; i < count; i++) {
		if (fds[i].revents & POLLNVAL)
			return -ENODEV;
	}
	if (count > 0 &&
		snd_pcm_poll_descriptors_revents(sink->pcm, fds, (unsigned)count, &revents) < 0)
		return -ENODEV;
	snd_pcm_sframes_t avail = snd_pcm_avail(sink->pcm);
	int r = state_error(sink);
	if (r < 0)
		return r;
	return avail < 0 && avail != -EAGAIN ? (int)avail : 0;
}

const struct sink_driver sink_alsa = {
	.open = alsa_open,
	.close = alsa_close,
	.space = alsa_space,
	.write = alsa_write,
	.delay = alsa_delay,
	.recover = alsa_recover,
	.stop = alsa_stop,
	.poll = alsa_poll,
	.revents = alsa_revents,
};
