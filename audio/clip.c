/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/clip.h"
#include "audio/resample.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <string.h>
#include <sys/stat.h>

#define CLIP_CHANNELS_MAX 8
#define CLIP_RATE_MIN_HZ  8000
#define CLIP_RATE_MAX_HZ  192000
#define CLIP_BLOCK_FRAMES 4096
#define CLIP_SILENCE_PEAK 1e-4F /* −80 dBFS: nobody hears it from a horn */
#define CLIP_SAMPLE_MAX   8.0F  /* float files may exceed full scale; beyond this they are broken */
#define TAIL_WINDOW_HZ    50    /* windows of 20 ms */

static void sndfile_closep(SNDFILE **file)
{
	if (*file)
		sf_close(*file);
}

/* What people have recordings in. Others are refused: their decoders are the ones with the bugs. */
static bool container_allowed(int format)
{
	static const int allowed[] = { SF_FORMAT_WAV, SF_FORMAT_WAVEX, SF_FORMAT_FLAC,
		SF_FORMAT_OGG, SF_FORMAT_MPEG, SF_FORMAT_AIFF };

	for (size_t i = 0; i < countof(allowed); i++) {
		if ((format & SF_FORMAT_TYPEMASK) == allowed[i])
			return true;
	}
	return false;
}

static int check_info(const SF_INFO *info, const char *path, struct error *error)
{
	if (!container_allowed(info->format))
		return error_set(error, -EINVAL,
			"%s: chỉ nhận tệp âm thanh wav, flac, ogg, opus, mp3 hoặc aiff", path);
	if (info->channels < 1 || info->channels > CLIP_CHANNELS_MAX)
		return error_set(error, -EINVAL, "%s: có %d kênh, chỉ nhận từ 1 đến %d", path,
			info->channels, CLIP_CHANNELS_MAX);
	if (info->samplerate < CLIP_RATE_MIN_HZ || info->samplerate > CLIP_RATE_MAX_HZ)
		return error_set(error, -EINVAL,
			"%s: tần số lấy mẫu %d Hz, chỉ nhận từ %d đến %d Hz", path,
			info->samplerate, CLIP_RATE_MIN_HZ, CLIP_RATE_MAX_HZ);
	if (info->frames < 1)
		return error_set(error, -EINVAL, "%s: tệp âm thanh rỗng", path);
	if (info->frames > (sf_count_t)CLIP_SECONDS_MAX * info->samplerate)
		return error_set(error, -EFBIG, "%s: dài quá %d giây", path, CLIP_SECONDS_MAX);
	return 0;
}

/* O_NONBLOCK: a FIFO put in the chime's place must not hold the caller. */
static int open_regular(const char *path, int *ret_fd, struct error *error)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(error, -errno, "%s: không mở được tệp: %s", path, strerror(errno));
	struct stat status;
	if (fstat(fd, &status) < 0)
		return error_set(
			error, -errno, "%s: không đọc được tệp: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error_set(error, -EINVAL, "%s: không phải là tệp thường", path);
	if (status.st_size > CLIP_FILE_BYTES_MAX)
		return error_set(error, -EFBIG, "%s: lớn quá %d MiB", path,
			CLIP_FILE_BYTES_MAX / (1024 * 1024));
	*ret_fd = hand_over_fd(&fd);
	return 0;
}

/* The file takes the descriptor. */
static int open_sound(const char *path, SNDFILE **ret_file, SF_INFO *ret_info, struct error *error)
{
	int fd = -1;
	int r = open_regular(path, &fd, error);
	if (r < 0)
		return r;
	*ret_info = (SF_INFO){ 0 };
	/* On failure, too, the library closes the descriptor. */
	_cleanup_(sndfile_closep) SNDFILE *file = sf_open_fd(fd, SFM_READ, ret_info, SF_TRUE);
	if (!file)
		return error_set(error, -EINVAL, "%s: không phải là tệp âm thanh đọc được: %s",
			path, sf_strerror(NULL));
	r = check_info(ret_info, path, error);
	if (r < 0)
		return r;
	*ret_file = hand_over(file);
	return 0;
}

int clip_check(const char *path, double *ret_seconds, struct error *error)
{
	_cleanup_(sndfile_closep) SNDFILE *file = NULL;
	SF_INFO info;
	int r = open_sound(path, &file, &info, error);
	if (r < 0)
		return r;
	if (ret_seconds)
		*ret_seconds = (double)info.frames / info.samplerate;
	return 0;
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

/* The mean of the channels, in place. Broken floats become silence. */
static void to_mono(float *samples, size_t frames, int channels)
{
	for (size_t i = 0; i < frames; i++) {
		float sum = 0.0F;
		for (int c = 0; c < channels; c++) {
			float sample = samples[i * (size_t)channels + (size_t)c];
			if (fabsf(sample) <= CLIP_SAMPLE_MAX) /* false for NaN */
				sum += sample;
		}
		samples[i] = sum / (float)channels;
	}
}

/* Reads what is there, not what the header promises. */
static int decode(
	SNDFILE *file, const SF_INFO *info, struct resampler *resampler, struct decoding *decoding)
{
	float block[CLIP_BLOCK_FRAMES];
	sf_count_t block_frames = CLIP_BLOCK_FRAMES / info->channels;

	for (;;) {
		sf_count_t got = sf_readf_float(file, block, block_frames);
		bool last = got <= 0;
		if (!last)
			to_mono(block, (size_t)got, info->channels);
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
	_cleanup_(sndfile_closep) SNDFILE *file = NULL;
	SF_INFO info;
	int r = open_sound(path, &file, &info, error);
	if (r < 0)
		return r;
	_cleanup_(resampler_freep) struct resampler *resampler = resampler_new(
		(unsigned)info.samplerate, rate_hz);
	if (!resampler)
		return error_set(error, -errno, "%s: không đổi được sang %u Hz", path, rate_hz);
	_cleanup_(decoding_done) struct decoding decoding = {
		.clip.rate_hz = rate_hz,
		/* A second more: the converter may give a little more than its share. */
		.limit = (size_t)(CLIP_SECONDS_MAX + 1) * rate_hz,
	};
	r = decode(file, &info, resampler, &decoding);
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
