/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * "wav:PATH": a file written at the pace of real time, for a machine without a sound card. It
 * behaves like a device with a buffer of SINK_BUFFER_MS whose hardware is CLOCK_MONOTONIC: what
 * is in the file ahead of the clock is "in the device". The header is right at every stop and at
 * least once a second, so the file can be listened to at any time. Writing to a file may take as
 * long as the disk takes; that is this back end's limit.
 */
#include "audio/sink.h"
#include "base/clock.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#define WAV_PREFIX_LENGTH 4 /* "wav:" */
#define WAV_RATE_HZ       48000
#define WAV_SAMPLE_BYTES  2
#define WAV_HEADER_BYTES  44
#define WAV_FILE_BYTES    (INT64_C(1) << 30) /* then it begins anew */
#define WAV_PERIODS       4
#define WAV_HEADER_US     (1 * US_PER_SEC)
#define WAV_BUFFER_FRAMES ((size_t)WAV_RATE_HZ * SINK_BUFFER_MS / 1000)

struct sink {
	int fd;
	unsigned channels;
	int64_t data_bytes; /* sound in the file */
	int64_t header_us;  /* when the header was written last */
	int64_t since_us;   /* when the sound began to run; 0: idle */
	uint64_t written;   /* frames since then */
	unsigned char *bytes;
};

static size_t frame_bytes(const struct sink *sink)
{
	return (size_t)sink->channels * WAV_SAMPLE_BYTES;
}

/* --- the file -----------------------------------------------------------------------------------
 */

static void put_le(unsigned char *out, uint32_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (unsigned char)(value >> 8 * i);
}

/* The canonical header: RIFF, one fmt chunk (PCM), one data chunk. */
static void make_header(const struct sink *sink, unsigned char header[WAV_HEADER_BYTES])
{
	static const unsigned char riff[16] = { 'R', 'I', 'F', 'F', 0, 0, 0, 0, /* its length */
		'W', 'A', 'V', 'E', 'f', 'm', 't', ' ' };
	static const unsigned char data_id[4] = { 'd', 'a', 't', 'a' };
	uint32_t frame = (uint32_t)frame_bytes(sink);
	uint32_t data = (uint32_t)sink->data_bytes;

	memcpy(header, riff, sizeof riff);
	put_le(header + 4, data + WAV_HEADER_BYTES - 8, 4);
	put_le(header + 16, 16, 4); /* bytes of the fmt chunk */
	put_le(header + 20, 1, 2);  /* PCM */
	put_le(header + 22, sink->channels, 2);
	put_le(header + 24, WAV_RATE_HZ, 4);
	put_le(header + 28, WAV_RATE_HZ * frame, 4);
	put_le(header + 32, frame, 2);
	put_le(header + 34, 8 * WAV_SAMPLE_BYTES, 2);
	memcpy(header + 36, data_id, sizeof data_id);
	put_le(header + 40, data, 4);
}

static int write_at(int fd, const unsigned char *bytes, size_t count, int64_t offset)
{
	while (count > 0) {
		ssize_t written = pwrite(fd, bytes, count, offset);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -ENOSPC;
		bytes += written;
		count -= (size_t)written;
		offset += written;
	}
	return 0;
}

static int write_header(struct sink *sink)
{
	unsigned char header[WAV_HEADER_BYTES];

	make_header(sink, header);
	sink->header_us = clock_mono_us();
	return write_at(sink->fd, header, sizeof header, 0);
}

/* Whether the file is one of ours; then its sound ends where the file does (the header may be a
 * second old if the machine lost power). */
static bool is_ours(struct sink *sink)
{
	unsigned char header[WAV_HEADER_BYTES];
	unsigned char wanted[WAV_HEADER_BYTES];
	struct stat status;

	if (fstat(sink->fd, &status) < 0 || !S_ISREG(status.st_mode) ||
		pread(sink->fd, header, sizeof header, 0) != (ssize_t)sizeof header)
		return false;
	make_header(sink, wanted);
	memcpy(wanted + 4, header + 4, 4); /* the two lengths do not matter */
	memcpy(wanted + 40, header + 40, 4);
	if (memcmp(header, wanted, sizeof header) != 0)
		return false;
	int64_t bytes = status.st_size - WAV_HEADER_BYTES;
	sink->data_bytes = bytes - bytes % (int64_t)frame_bytes(sink);
	return sink->data_bytes < WAV_FILE_BYTES;
}

static int begin_anew(struct sink *sink)
{
	sink->data_bytes = 0;
	if (ftruncate(sink->fd, 0) < 0)
		return -errno;
	return write_header(sink);
}

static void wav_close(struct sink *sink)
{
	if (sink->fd >= 0) {
		(void)!write_header(sink);
		close(sink->fd);
	}
	free(sink->bytes);
	free(sink);
}

static struct sink *wav_open(const char *name, unsigned channels, struct sink_format *ret_format)
{
	struct sink *sink = xcalloc(1, sizeof *sink);

	sink->channels = channels;
	sink->bytes = xcalloc(WAV_BUFFER_FRAMES, frame_bytes(sink));
	sink->fd = open(name + WAV_PREFIX_LENGTH, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
	int r = sink->fd < 0 ? -errno : 0;
	if (r == 0 && !is_ours(sink))
		r = begin_anew(sink);
	if (r < 0) {
		if (sink->fd >= 0)
			close(sink->fd);
		sink->fd = -1;
		wav_close(sink);
		errno = -r;
		return NULL;
	}
	*ret_format = (struct sink_format){
		.rate_hz = WAV_RATE_HZ,
		.channels = channels,
		.buffer_frames = WAV_BUFFER_FRAMES,
		.period_frames = WAV_BUFFER_FRAMES / WAV_PERIODS,
	};
	return sink;
}

/* --- the clock ----------------------------------------------------------------------------------
 */

/* Frames that are not due yet; −EPIPE when the clock has overtaken us. */
static long wav_delay(struct sink *sink)
{
	if (sink->since_us == 0)
		return 0;
	uint64_t due = (uint64_t)((clock_mono_us() - sink->since_us) * WAV_RATE_HZ / US_PER_SEC);
	return due > sink->written ? -EPIPE : (long)(sink->written - due);
}

static long wav_space(struct sink *sink)
{
	long delay = wav_delay(sink);
	if (delay < 0)
		return delay;
	return (size_t)delay < WAV_BUFFER_FRAMES ? (long)WAV_BUFFER_FRAMES - delay : 0;
}

static long wav_write(struct sink *sink, const float *interleaved, size_t frames)
{
	long space = wav_space(sink);
	if (space < 0)
		return space;
	if (frames > (size_t)space)
		frames = (size_t)space;
	for (size_t i = 0; i < frames * sink->channels; i++) {
		long sample = lrintf(interleaved[i] * 32767.0F);
		put_le(sink->bytes + i * WAV_SAMPLE_BYTES, (uint32_t)sample, WAV_SAMPLE_BYTES);
	}
	int64_t count = (int64_t)(frames * frame_bytes(sink));
	int r = sink->data_bytes + count > WAV_FILE_BYTES ? begin_anew(sink) : 0;
	if (r == 0)
		r = write_at(
			sink->fd, sink->bytes, (size_t)count, WAV_HEADER_BYTES + sink->data_bytes);
	if (r < 0)
		return r;
	sink->data_bytes += count;
	if (sink->since_us == 0) {
		sink->since_us = clock_mono_us();
		sink->written = 0;
	}
	sink->written += frames;
	if (clock_mono_us() - sink->header_us >= WAV_HEADER_US)
		r = write_header(sink);
	return r < 0 ? r : (long)frames;
}

/* The file has all that was written; only the clock starts anew. */
static int wav_recover(struct sink *sink, int error, size_t *ret_unheard)
{
	(void)error;
	sink->since_us = 0;
	*ret_unheard = 0;
	return write_header(sink);
}

static int wav_stop(struct sink *sink)
{
	long delay = wav_delay(sink);
	if (delay > 0)
		sink->data_bytes -= delay * (long)frame_bytes(sink);
	if (sink->data_bytes < 0)
		sink->data_bytes = 0;
	sink->since_us = 0;
	if (ftruncate(sink->fd, WAV_HEADER_BYTES + sink->data_bytes) < 0)
		return -errno;
	return write_header(sink);
}

static int wav_poll(struct sink *sink, struct pollfd *fds)
{
	(void)sink;
	(void)fds;
	return 0;
}

static int wav_revents(struct sink *sink, struct pollfd *fds, int count)
{
	(void)sink;
	(void)fds;
	(void)count;
	return 0;
}

const struct sink_driver sink_wav = {
	.open = wav_open,
	.close = wav_close,
	.space = wav_space,
	.write = wav_write,
	.delay = wav_delay,
	.recover = wav_recover,
	.stop = wav_stop,
	.poll = wav_poll,
	.revents = wav_revents,
};
