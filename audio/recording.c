/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/recording.h"
#include "base/clock.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sndfile.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_SAMPLES 4096
#define SAMPLE_MAX    8.0F /* float files may exceed full scale; beyond this they are broken */

const struct recording_limits recording_limits = { RECORDING_BYTES_MAX, RECORDING_SECONDS_MAX };

struct recording {
	SNDFILE *file;
	SF_INFO info;
	char *path;
	sf_count_t at; /* frames read or passed over */
	bool damaged;  /* found while reading: nothing more is read */
};

struct recording *recording_free(struct recording *recording)
{
	if (!recording)
		return NULL;
	if (recording->file)
		sf_close(recording->file);
	free(recording->path);
	free(recording);
	return NULL;
}

/* --- Opening -------------------------------------------------------------------------------- */

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

static int check_info(const struct recording *recording, const struct recording_limits *limits,
	struct error *error)
{
	const SF_INFO *info = &recording->info;
	const char *path = recording->path;

	if (!container_allowed(info->format))
		return error_set(error, -EINVAL,
			"%s: chỉ nhận tệp âm thanh wav, flac, ogg, opus, mp3 hoặc aiff", path);
	if (info->channels < 1 || info->channels > RECORDING_CHANNELS_MAX)
		return error_set(error, -EINVAL, "%s: có %d kênh, chỉ nhận từ 1 đến %d", path,
			info->channels, RECORDING_CHANNELS_MAX);
	if (info->samplerate < RECORDING_RATE_MIN_HZ || info->samplerate > RECORDING_RATE_MAX_HZ)
		return error_set(error, -EINVAL,
			"%s: tần số lấy mẫu %d Hz, chỉ nhận từ %d đến %d Hz", path,
			info->samplerate, RECORDING_RATE_MIN_HZ, RECORDING_RATE_MAX_HZ);
	if (info->frames < 1)
		return error_set(error, -EINVAL, "%s: tệp âm thanh rỗng", path);
	if (info->frames == SF_COUNT_MAX)
		return error_set(
			error, -EINVAL, "%s: không rõ dài bao nhiêu (tệp bị cắt cụt?)", path);
	if (info->frames > (sf_count_t)limits->seconds * info->samplerate)
		return error_set(error, -EFBIG, "%s: dài quá %u giây", path, limits->seconds);
	return 0;
}

/* O_NONBLOCK: a FIFO put in the file's place must not hold the caller. */
static int open_regular(const char *path, int64_t bytes_max, int *ret_fd, struct error *error)
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
	if (status.st_size > bytes_max)
		return error_set(error, -EFBIG, "%s: lớn quá %d MiB", path,
			(int)(bytes_max / (1024 * 1024)));
	*ret_fd = hand_over_fd(&fd);
	return 0;
}

int recording_open(const char *path, const struct recording_limits *limits,
	struct recording **ret_recording, struct error *error)
{
	int fd = -1;
	int result = open_regular(path, limits->bytes, &fd, error);

	if (result < 0)
		return result;
	_cleanup_(recording_freep) struct recording *recording = xcalloc(1, sizeof *recording);
	recording->path = xstrdup(path);
	/* Takes the descriptor, and closes it when it fails, too. */
	recording->file = sf_open_fd(fd, SFM_READ, &recording->info, SF_TRUE);
	if (!recording->file)
		return error_set(error, -EINVAL, "%s: không phải là tệp âm thanh đọc được: %s",
			path, sf_strerror(NULL));
	result = check_info(recording, limits, error);
	if (result < 0)
		return result;
	*ret_recording = hand_over(recording);
	return 0;
}

unsigned recording_rate_hz(const struct recording *recording)
{
	return (unsigned)recording->info.samplerate;
}

double recording_seconds(const struct recording *recording)
{
	return (double)recording->info.frames / recording->info.samplerate;
}

/* --- Reading -------------------------------------------------------------------------------- */

/* The mean of the channels. Broken floats become silence. */
static void to_mono(const float *samples, size_t frames, int channels, float *ret_frames)
{
	for (size_t i = 0; i < frames; i++) {
		float sum = 0.0F;
		for (int c = 0; c < channels; c++) {
			float sample = samples[i * (size_t)channels + (size_t)c];
			if (fabsf(sample) <= SAMPLE_MAX) /* false for NaN */
				sum += sample;
		}
		ret_frames[i] = sum / (float)channels;
	}
}

/* Less than its header said. (More the library does not give.) The length of an mp3 may be a guess. */
static bool ends_early(const struct recording *recording)
{
	return (recording->info.format & SF_FORMAT_TYPEMASK) != SF_FORMAT_MPEG &&
	       recording->at < recording->info.frames;
}

static int damage(const struct recording *recording, struct error *error)
{
	return error_set(error, -EBADMSG, "%s: tệp âm thanh hỏng ở giây %.1f", recording->path,
		(double)recording->at / recording->info.samplerate);
}

long recording_read(
	struct recording *recording, float *ret_frames, size_t space, struct error *error)
{
	float samples[BLOCK_SAMPLES];
	int channels = recording->info.channels;
	size_t most = BLOCK_SAMPLES / (size_t)channels;

	if (recording->damaged)
		return damage(recording, error);
	sf_count_t got = sf_readf_float(
		recording->file, samples, (sf_count_t)(space < most ? space : most));
	if (got < 0)
		got = 0;
	recording->at += got;
	/* The library forgets this at its next call. */
	recording->damaged = sf_error(recording->file) != SF_ERR_NO_ERROR ||
			     (got == 0 && space > 0 && ends_early(recording));
	to_mono(samples, (size_t)got, channels, ret_frames);
	return got == 0 && recording->damaged ? damage(recording, error) : (long)got;
}

int recording_seek(struct recording *recording, int64_t offset_us, struct error *error)
{
	const SF_INFO *info = &recording->info;
	int64_t seconds = offset_us / US_PER_SEC; /* in two parts: no overflow */
	sf_count_t frame = info->frames;

	if (seconds < RECORDING_SECONDS_MAX)
		frame = (sf_count_t)(seconds * info->samplerate +
				     offset_us % US_PER_SEC * info->samplerate / US_PER_SEC);
	if (recording->damaged)
		return damage(recording, error);
	recording->at = frame < 0 ? 0 : frame < info->frames ? frame : info->frames;
	recording->damaged = sf_seek(recording->file, recording->at, SEEK_SET) != recording->at;
	return recording->damaged ? damage(recording, error) : 0;
}
