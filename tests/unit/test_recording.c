/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/recording.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "tts_sanitized.h"

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

#define SECOND_HZ \
	200.0 /* in its n-th second a file sounds at 200·(n+1) Hz: where it is, is heard */

struct folder {
	char path[64];
	char file[128]; /* the one that the test makes */
};

static int set_up(void **state)
{
	struct folder *folder = xcalloc(1, sizeof *folder);

	snprintf(folder->path, sizeof folder->path, "/tmp/loa-recording-XXXXXX");
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

/* Half scale on the first channel, none on the others. */
static void make_sound(const char *path, int format, int rate_hz, int channels, int seconds)
{
	SF_INFO info = { .samplerate = rate_hz, .channels = channels, .format = format };
	SNDFILE *file = sf_open(path, SFM_WRITE, &info);
	float *frames = xcalloc((size_t)rate_hz * (size_t)channels, sizeof *frames);

	if (!file)
		fail_msg("%s", sf_strerror(NULL));
	for (int second = 0; second < seconds; second++) {
		double step = 2 * M_PI * SECOND_HZ * (second + 1) / rate_hz;
		for (int i = 0; i < rate_hz; i++)
			frames[(ptrdiff_t)i * channels] = 0.5F * (float)sin(step * i);
		assert_int_equal(sf_writef_float(file, frames, rate_hz), rate_hz);
	}
	sf_close(file);
	free(frames);
}

static struct recording *open_it(const char *path)
{
	struct recording *recording = NULL;
	struct error error;

	if (recording_open(path, &recording_limits, &recording, &error) < 0)
		fail_msg("%s", error.text);
	return recording;
}
#define _recording_ _cleanup_(recording_freep) struct recording *

/* All that is left of it; the result of the last read. */
static long read_all(struct recording *recording, float *frames, size_t space, size_t *ret_count,
	struct error *error)
{
	size_t count = 0;
	long got;

	while ((got = recording_read(recording, frames + count, space - count, error)) > 0) {
		count += (size_t)got;
		assert_true(count < space);
	}
	*ret_count = count;
	return got;
}

/* Amplitude of `hz` in `count` frames. */
static double amplitude(const float *frames, size_t count, double hz, unsigned rate_hz)
{
	double in = 0, quadrature = 0;

	for (size_t i = 0; i < count; i++) {
		in += (double)frames[i] * cos(2 * M_PI * hz * (double)i / rate_hz);
		quadrature += (double)frames[i] * sin(2 * M_PI * hz * (double)i / rate_hz);
	}
	return 2 * hypot(in, quadrature) / (double)count;
}

/* That the 0.5 s at `frames` lie in the file's second `second`, at `level`. (The first frames of an
 * mp3 after a seek lack what came before them.) */
static void assert_second(
	const float *frames, int second, unsigned rate_hz, double level, const char *what)
{
	double heard = amplitude(frames, rate_hz / 2, SECOND_HZ * (second + 1), rate_hz);

	if (fabs(heard - level) > 0.1)
		fail_msg("%s: level %.3f in second %d, expected %.3f", what, heard, second, level);
}

static const struct kind {
	const char *name;
	int format, rate_hz, channels;
} kinds[] = {
	{ "wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 1 },
	{ "stereo wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 22050, 2 },
	{ "telephone", SF_FORMAT_WAV | SF_FORMAT_ULAW, 4000, 1 },
	{ "flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 48000, 2 },
	{ "vorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100, 1 },
	{ "opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 1 },
	{ "mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 1 },
	{ "aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 48000, 1 },
};

static void test_every_format_is_read_to_its_end(void **state)
{
	const struct folder *folder = *state;

	for (const struct kind *kind = kinds; kind < kinds + countof(kinds); kind++) {
		size_t rate = (size_t)kind->rate_hz, space = 5 * rate, count;
		_cleanup_(freep) float *frames = xcalloc(space, sizeof *frames);
		struct error error = { "" };

		make_sound(folder->file, kind->format, kind->rate_hz, kind->channels, 4);
		_recording_ recording = open_it(folder->file);
		assert_int_equal(recording_rate_hz(recording), kind->rate_hz);
		assert_true(fabs(recording_seconds(recording) - 4) < 0.1);
		if (read_all(recording, frames, space, &count, &error) != 0)
			fail_msg("%s: %s", kind->name, error.text);
		if (fabs((double)count / kind->rate_hz - 4) > 0.1)
			fail_msg("%s: %zu frames", kind->name, count);
		for (int second = 0; second < 4; second++)
			assert_second(frames + (size_t)second * rate + rate / 4, second,
				(unsigned)rate, 0.5 / kind->channels, kind->name);
		assert_int_equal(recording_read(recording, frames, space, &error), 0);
	}
}

static void test_seeks_in_every_format(void **state)
{
	const struct folder *folder = *state;
	static float frames[48000];

	for (const struct kind *kind = kinds; kind < kinds + countof(kinds); kind++) {
		struct error error = { "" };
		size_t wanted = (size_t)kind->rate_hz / 2;

		make_sound(folder->file, kind->format, kind->rate_hz, kind->channels, 4);
		_recording_ recording = open_it(folder->file);
		static const int64_t offsets_us[] = { 2250000, 250000, 3250000 };
		for (size_t i = 0; i < countof(offsets_us); i++) {
			if (recording_seek(recording, offsets_us[i], &error) < 0)
				fail_msg("%s: %s", kind->name, error.text);
			for (size_t count = 0; count < wanted;) {
				long got = recording_read(
					recording, frames + count, wanted - count, &error);
				assert_true(got > 0);
				count += (size_t)got;
			}
			assert_second(frames, (int)(offsets_us[i] / US_PER_SEC),
				(unsigned)kind->rate_hz, 0.5 / kind->channels, kind->name);
		}
		assert_int_equal(recording_seek(recording, 4 * US_PER_SEC + 200000, &error), 0);
		assert_int_equal(recording_read(recording, frames, wanted, &error), 0);
		assert_int_equal(recording_seek(recording, INT64_MAX, &error), 0);
		assert_int_equal(recording_read(recording, frames, wanted, &error), 0);
		assert_int_equal(recording_seek(recording, -1, &error), 0);
		assert_true(recording_read(recording, frames, wanted, &error) > 0);
	}
}

static void assert_refused(const char *path, int wanted)
{
	struct recording *recording = (void *)path; /* anything that is not NULL */
	struct error error = { "" };
	int result = recording_open(path, &recording_limits, &recording, &error);

	if (result != wanted)
		fail_msg("%d, expected %d: %s", result, wanted, error.text);
	assert_ptr_equal(recording, path);
	assert_non_null(strstr(error.text, path));
}

static void write_file(const char *path, const void *bytes, size_t count)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	fclose(file);
}

static void test_b6_what_is_no_recording_is_refused(void **state)
{
	const struct folder *folder = *state;
	char garbage[5000];

	assert_refused(folder->file, -ENOENT);
	assert_refused(folder->path, -EINVAL);
	write_file(folder->file, "", 0);
	assert_refused(folder->file, -EINVAL);
	for (size_t i = 0; i < sizeof garbage; i++)
		garbage[i] = (char)(i * 2654435761U >> 13);
	write_file(folder->file, garbage, sizeof garbage);
	assert_refused(folder->file, -EINVAL);
	unlink(folder->file);
	assert_int_equal(mkfifo(folder->file, 0600), 0);
	assert_refused(folder->file, -EINVAL);
}

static void test_b6_limits(void **state)
{
	const struct folder *folder = *state;
	const int pcm = SF_FORMAT_WAV | SF_FORMAT_PCM_U8;

	make_sound(folder->file, pcm, 2000, 1, 1);
	assert_refused(folder->file, -EINVAL);
	make_sound(folder->file, pcm, 200000, 1, 1);
	assert_refused(folder->file, -EINVAL);
	make_sound(folder->file, pcm, 8000, 9, 1);
	assert_refused(folder->file, -EINVAL);
	make_sound(folder->file, SF_FORMAT_AU | SF_FORMAT_PCM_16, 8000, 1, 1);
	assert_refused(folder->file, -EINVAL);
	make_sound(folder->file, pcm, 8000, 1, 1);
	assert_int_equal(truncate(folder->file, RECORDING_BYTES_MAX + 1), 0);
	assert_refused(folder->file, -EFBIG);
	/* Two hours and a second in less than the bytes allowed. */
	make_sound(folder->file, SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, 4000, 1,
		RECORDING_SECONDS_MAX + 1);
	assert_refused(folder->file, -EFBIG);
	/* And two hours are allowed. */
	make_sound(folder->file, SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, 4000, 1,
		RECORDING_SECONDS_MAX - 1);
	_recording_ recording = open_it(folder->file);
	assert_true(recording_seconds(recording) > 7000);
}

static void overwrite(const char *path, off_t at, size_t count)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	char noise[4096];

	assert_true(count <= sizeof noise);
	for (size_t i = 0; i < count; i++)
		noise[i] = (char)(i * 40503U >> 7 ^ 0x55);
	assert_int_equal(pwrite(fd, noise, count, at), count);
	close(fd);
}

/* What comes before the damage is given; then the error, which names the place, and it stays. */
static void expect_damage(const char *path, double from_s, double to_s)
{
	_recording_ recording = open_it(path);
	size_t space = 12 * (size_t)recording_rate_hz(recording), count;
	_cleanup_(freep) float *frames = xcalloc(space, sizeof *frames);
	struct error error = { "" };

	assert_int_equal(read_all(recording, frames, space, &count, &error), -EBADMSG);
	double seconds = (double)count / recording_rate_hz(recording);
	if (seconds < from_s || seconds > to_s)
		fail_msg("%.2f s were read, expected %.2f to %.2f", seconds, from_s, to_s);
	assert_second(frames + recording_rate_hz(recording) / 4, 0, recording_rate_hz(recording),
		0.5, "what came before");
	assert_non_null(strstr(error.text, path));
	assert_non_null(strstr(error.text, "giây"));
	assert_int_equal(recording_read(recording, frames, space, &error), -EBADMSG);
	assert_int_equal(recording_seek(recording, 0, &error), -EBADMSG);
}

/* FLAC and mp3 say where they are damaged; of Vorbis only too little comes. */
static void test_b6_damaged_in_the_middle(void **state)
{
	const struct folder *folder = *state;
	static const int formats[] = { SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
		SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, SF_FORMAT_OGG | SF_FORMAT_VORBIS };
	struct stat status;

	for (size_t i = 0; i < countof(formats); i++) {
		make_sound(folder->file, formats[i], 44100, 1, 10);
		assert_int_equal(stat(folder->file, &status), 0);
		overwrite(folder->file, status.st_size / 2, 4096);
		expect_damage(folder->file, 3, 9.9);
	}
}

static void test_b6_cut_off(void **state)
{
	const struct folder *folder = *state;
	struct stat status;

	make_sound(folder->file, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44100, 1, 10);
	assert_int_equal(stat(folder->file, &status), 0);
	assert_int_equal(truncate(folder->file, status.st_size / 2), 0);
	expect_damage(folder->file, 3, 7);
	make_sound(folder->file, SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100, 1, 10);
	assert_int_equal(stat(folder->file, &status), 0);
	assert_int_equal(truncate(folder->file, status.st_size / 2), 0);
	assert_refused(folder->file, -EINVAL);
}

/* What we ship to be heard when no engine can speak is speech, as loud as speech. */
static void test_A7_the_shipped_recording(void **state)
{
	static float frames[10 * 48000];
	struct error error = { "" };
	double energy = 0, peak = 0;
	size_t count = 0;

	(void)state;
	_recording_ recording = open_it(SOURCE_DIR "/conf/chimes/system/khong-doc-duoc.flac");
	assert_true(recording_seconds(recording) > 3 && recording_seconds(recording) < 8);
	assert_int_equal(read_all(recording, frames, countof(frames), &count, &error), 0);
	for (size_t i = 0; i < count; i++) {
		energy += (double)frames[i] * frames[i];
		peak = fmax(peak, fabs((double)frames[i]));
	}
	assert_true(peak > 0.5);
	assert_true(sqrt(energy / (double)count) > 0.08);
}

static long resident_kb(void)
{
	_cleanup_(fclosep) FILE *file = fopen("/proc/self/statm", "re");
	long size, resident = 0;

	if (fscanf(file, "%ld %ld", &size, &resident) != 2)
		return 0;
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void test_memory_is_flat(void **state)
{
	const struct folder *folder = *state;
	static float frames[4096];
	struct error error;
	long before = 0, most = 0;

	make_sound(folder->file, SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, 8000, 1, 1800);
	_recording_ recording = open_it(folder->file);
	for (long got; (got = recording_read(recording, frames, countof(frames), &error)) > 0;) {
		long now = resident_kb();
		before = before ? before : now;
		most = now > most ? now : most;
	}
	if (!SANITIZED && most - before > 512)
		fail_msg("%ld KiB, then %ld KiB", before, most);
}

int main(void)
{
#define RECORDING_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		RECORDING_TEST(test_memory_is_flat),
		RECORDING_TEST(test_every_format_is_read_to_its_end),
		RECORDING_TEST(test_seeks_in_every_format),
		RECORDING_TEST(test_b6_what_is_no_recording_is_refused),
		RECORDING_TEST(test_b6_limits),
		RECORDING_TEST(test_b6_damaged_in_the_middle),
		RECORDING_TEST(test_b6_cut_off),
		RECORDING_TEST(test_A7_the_shipped_recording),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
