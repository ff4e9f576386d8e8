/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/wav.h"

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#define BYTES_PER_FRAME 2
#define BLOCK_FRAMES    1024

/* The canonical header: RIFF, "fmt " (PCM, mono, 16 bit) and "data". All numbers little-endian. */
struct header {
	char riff[4];
	uint32_t riff_bytes; /* of all that follows */
	char wave[4];
	char fmt[4];
	uint32_t fmt_bytes;
	uint16_t format, channels;
	uint32_t rate_hz, bytes_per_second;
	uint16_t bytes_per_frame, bits;
	char data[4];
	uint32_t data_bytes;
};
_Static_assert(sizeof(struct header) == WAV_HEADER_BYTES, "no padding");

static int fail(const struct wav *wav, struct error *error)
{
	int why = errno ? errno : EIO;

	return error_set(error, -why, "không ghi được %s: %s", wav->path, strerror(why));
}

static int write_header(struct wav *wav, struct error *error)
{
	uint32_t bytes = (uint32_t)(wav->frames * BYTES_PER_FRAME);
	const struct header header = {
		.riff = { 'R', 'I', 'F', 'F' },
		.riff_bytes = htole32(bytes + WAV_HEADER_BYTES - 8),
		.wave = { 'W', 'A', 'V', 'E' },
		.fmt = { 'f', 'm', 't', ' ' },
		.fmt_bytes = htole32(16),
		.format = htole16(1),
		.channels = htole16(1),
		.rate_hz = htole32(wav->rate_hz),
		.bytes_per_second = htole32(wav->rate_hz * BYTES_PER_FRAME),
		.bytes_per_frame = htole16(BYTES_PER_FRAME),
		.bits = htole16(16),
		.data = { 'd', 'a', 't', 'a' },
		.data_bytes = htole32(bytes),
	};

	errno = 0;
	if (fseek(wav->file, 0, SEEK_SET) < 0 || fwrite(&header, sizeof(header), 1, wav->file) != 1)
		return fail(wav, error);
	return 0;
}

int wav_create(struct wav *wav, const char *path, unsigned rate_hz, struct error *error)
{
	*wav = (struct wav){ .file = fopen(path, "we"), .path = path, .rate_hz = rate_hz };
	if (!wav->file)
		return fail(wav, error);
	int result = write_header(wav, error);
	if (result < 0)
		wav_abandon(wav);
	return result;
}

int wav_write(struct wav *wav, const float *frames, size_t count, struct error *error)
{
	int16_t block[BLOCK_FRAMES];

	if ((wav->frames + count) * BYTES_PER_FRAME > UINT32_MAX - WAV_HEADER_BYTES)
		return error_set(error, -EFBIG, "không ghi được %s: quá dài", wav->path);
	for (size_t done = 0; done < count;) {
		size_t some = count - done < BLOCK_FRAMES ? count - done : BLOCK_FRAMES;
		for (size_t i = 0; i < some; i++) {
			float frame = fminf(1.0f, fmaxf(-1.0f, frames[done + i]));
			block[i] = (int16_t)htole16((uint16_t)(int16_t)lrintf(frame * 32767.0f));
		}
		errno = 0;
		if (fwrite(block, BYTES_PER_FRAME, some, wav->file) != some)
			return fail(wav, error);
		done += some;
	}
	wav->frames += count;
	return 0;
}

int wav_finish(struct wav *wav, struct error *error)
{
	int result = write_header(wav, error);

	errno = 0;
	if (result == 0 && fflush(wav->file) != 0)
		result = fail(wav, error);
	if (result < 0)
		return result;
	fclose(wav->file);
	wav->file = NULL;
	return 0;
}

void wav_abandon(struct wav *wav)
{
	if (!wav->file)
		return;
	fclose(wav->file);
	wav->file = NULL;
	unlink(wav->path);
}
