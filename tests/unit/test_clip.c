/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/clip.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct folder {
	char path[64];
	char file[128]; /* the one that the test makes */
};

static int set_up(void **state)
{
	struct folder *folder = xcalloc(1, sizeof *folder);

	snprintf(folder->path, sizeof folder->path, "/tmp/loa-clip-XXXXXX");
	if (!mkdtemp(folder->path))
		return -1;
	snprintf(folder->file, sizeof folder->file, "%s/sound", folder->path);
	*state = folder;
	return 0;
}

static int tear_down(void **state)
{
	struct folder *folder = *state;

	unlink(folder->file);
	rmdir(folder->path);
	free(folder);
	return 0;
}

/* A 1 kHz tone at half scale on every channel, then silence. */
static void make_sound(
	const char *path, int format, int rate_hz, int channels, double tone_s, double silence_s)
{
	SF_INFO info = { .samplerate = rate_hz, .channels = channels, .format = format };
	SNDFILE *file = sf_open(path, SFM_WRITE, &info);
	assert_non_null(file);
	sf_count_t tone = (sf_count_t)(tone_s * rate_hz);
	sf_count_t all = tone + (sf_count_t)(silence_s * rate_hz);
	float *frames = xcalloc((size_t)(all * channels), sizeof *frames);
	for (sf_count_t i = 0; i < tone; i++) {
		float sample = 0.5F * (float)sin(2.0 * M_PI * 1000.0 * (double)i / rate_hz);
		for (int c = 0; c < channels; c++)
			frames[i * channels + c] = sample;
	}
	assert_int_equal(sf_writef_float(file, frames, all), all);
	sf_close(file);
	free(frames);
}

static double rms(const struct clip *clip)
{
	double sum = 0.0;

	for (size_t i = 0; i < clip->count; i++)
		sum += (double)clip->frames[i] * clip->frames[i];
	return sqrt(sum / (double)clip->count);
}

static void check_load(const char *path, int format, int rate_hz, int channels)
{
	struct clip clip = { 0 };
	struct error error;
	double seconds = 0.0;

	make_sound(path, format, rate_hz, channels, 1.0, 0.0);
	assert_int_equal(clip_check(path, &seconds, &error), 0);
	assert_true(fabs(seconds - 1.0) < 0.01);
	if (clip_load(path, 48000, &clip, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(clip.rate_hz, 48000);
	assert_true(clip.count > 47900 && clip.count < 48100);
	assert_true(fabs(rms(&clip) - 0.5 / sqrt(2.0)) < 0.01);
	clip_done(&clip);
	assert_null(clip.frames);
}

static void test_wav_flac_ogg_at_any_rate(void **state)
{
	const struct folder *folder = *state;

	check_load(folder->file, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 48000, 1);
	check_load(folder->file, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 22050, 2);
	check_load(folder->file, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44100, 2);
	check_load(folder->file, SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100, 1);
}

/* Both functions, as the loading of a configuration and the renderer use them. */
static void assert_refused(const char *path, int wanted, bool check_too)
{
	struct clip clip = { .count = 77 };
	struct error error = { "" };

	assert_int_equal(clip_load(path, 48000, &clip, &error), wanted);
	assert_int_equal(clip.count, 77);
	assert_non_null(strstr(error.text, path));
	if (check_too)
		assert_int_equal(clip_check(path, NULL, &error), wanted);
}

static void write_file(const char *path, const void *bytes, size_t count)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	fclose(file);
}

static int descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_b6_garbage_is_an_error(void **state)
{
	const struct folder *folder = *state;
	char garbage[5000];
	int before = descriptors();

	assert_refused(folder->file, -ENOENT, true);
	write_file(folder->file, "", 0);
	assert_refused(folder->file, -EINVAL, true);
	for (size_t i = 0; i < sizeof garbage; i++)
		garbage[i] = (char)(i * 2654435761U >> 13);
	write_file(folder->file, garbage, sizeof garbage);
	assert_refused(folder->file, -EINVAL, true);
	static const char no_flac[] = "fLaC\0\0\0\42garbage";
	write_file(folder->file, no_flac, sizeof no_flac);
	assert_refused(folder->file, -EINVAL, true);
	assert_refused(folder->path, -EINVAL, true);
	assert_int_equal(descriptors(), before);
}

static void test_b6_fifo_does_not_hold_the_caller(void **state)
{
	const struct folder *folder = *state;

	assert_int_equal(mkfifo(folder->file, 0600), 0);
	assert_refused(folder->file, -EINVAL, true);
}

static void test_b6_silence_is_an_error(void **state)
{
	const struct folder *folder = *state;

	make_sound(folder->file, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 48000, 1, 0.0, 1.0);
	assert_refused(folder->file, -EINVAL, false);
}

static void test_b6_too_long_or_too_large(void **state)
{
	const struct folder *folder = *state;

	make_sound(folder->file, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 61.0, 0.0);
	assert_refused(folder->file, -EFBIG, true);
	make_sound(folder->file, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 1.0, 0.0);
	assert_int_equal(truncate(folder->file, CLIP_FILE_BYTES_MAX + 1), 0);
	assert_refused(folder->file, -EFBIG, true);
}

/* A header that promises an hour (or 2^32 bytes) over one second of sound. */
static void test_b6_huge_header(void **state)
{
	const struct folder *folder = *state;
	static const unsigned char lengths[][4] = {
		{ 0xFF, 0xFF, 0xFF, 0xFF },
		{ 0xFE, 0xFF, 0xFF, 0x7F },
		{ 0x00, 0x00, 0x00, 0x80 },
	};

	for (size_t i = 0; i < countof(lengths); i++) {
		make_sound(folder->file, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 1.0, 0.0);
		int fd = open(folder->file, O_RDWR | O_CLOEXEC);
		assert_int_equal(pwrite(fd, lengths[i], 4, 4), 4);
		assert_int_equal(pwrite(fd, lengths[i], 4, 40), 4);
		close(fd);
		struct clip clip = { 0 };
		int r = clip_load(folder->file, 48000, &clip, NULL);
		assert_true(r < 0 || clip.count < 50000);
		clip_done(&clip);
	}
}

static void test_b6_broken_floats_become_silence(void **state)
{
	const struct folder *folder = *state;
	SF_INFO info = {
		.samplerate = 48000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT
	};
	const float frames[4] = { NAN, 1e30F, 0.5F, -INFINITY };
	struct clip clip = { 0 };

	SNDFILE *file = sf_open(folder->file, SFM_WRITE, &info);
	assert_int_equal(sf_writef_float(file, frames, 4), 4);
	sf_close(file);
	assert_int_equal(clip_load(folder->file, 48000, &clip, NULL), 0);
	assert_int_equal(clip.count, 4);
	assert_true(clip.frames[0] == 0.0F && clip.frames[1] == 0.0F);
	assert_true(clip.frames[2] == 0.5F && clip.frames[3] == 0.0F);
	clip_done(&clip);
}

static void test_tail(void **state)
{
	const struct folder *folder = *state;
	struct clip clip = { 0 };

	make_sound(folder->file, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 48000, 1, 0.5, 0.5);
	assert_int_equal(clip_load(folder->file, 48000, &clip, NULL), 0);
	assert_int_equal(clip_tail_frame(&clip, -20.0), 24000);
	/* Quieter from the middle on, but not by so much. */
	for (size_t i = 24000; i < clip.count; i++)
		clip.frames[i] = 0.2F;
	assert_int_equal(clip_tail_frame(&clip, -20.0), clip.count);
	assert_int_equal(clip_tail_frame(&clip, -3.0), 24000);
	clip_done(&clip);
	assert_int_equal(clip_tail_frame(&clip, -3.0), 0);
}

int main(void)
{
#define CLIP_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CLIP_TEST(test_wav_flac_ogg_at_any_rate),
		CLIP_TEST(test_b6_garbage_is_an_error),
		CLIP_TEST(test_b6_fifo_does_not_hold_the_caller),
		CLIP_TEST(test_b6_silence_is_an_error),
		CLIP_TEST(test_b6_too_long_or_too_large),
		CLIP_TEST(test_b6_huge_header),
		CLIP_TEST(test_b6_broken_floats_become_silence),
		CLIP_TEST(test_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
