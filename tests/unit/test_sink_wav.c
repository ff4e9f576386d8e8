/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/sink.h"
#include "base/clock.h"
#include "base/strbuf.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define RATE_HZ      48000
#define HEADER_BYTES 44
#define PERIOD       960
#define BUFFER       (4 * PERIOD)

struct file {
	char path[64];
	char name[80]; /* "wav:…" */
};

static int set_up(void **state)
{
	struct file *file = xcalloc(1, sizeof *file);

	snprintf(file->path, sizeof file->path, "/tmp/loa-wav-XXXXXX");
	int fd = mkstemp(file->path);
	if (fd < 0)
		return -1;
	close(fd);
	snprintf(file->name, sizeof file->name, "wav:%s", file->path);
	*state = file;
	return 0;
}

static int tear_down(void **state)
{
	struct file *file = *state;

	unlink(file->path);
	free(file);
	return 0;
}

struct wav {
	unsigned char *bytes;
	size_t count;
};

static void wav_done(struct wav *wav)
{
	free(wav->bytes);
}

static struct wav read_wav(const char *path)
{
	struct stat status;
	_cleanup_(fclosep) FILE *file = fopen(path, "re");

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	struct wav wav = { .count = (size_t)status.st_size };
	wav.bytes = xcalloc(wav.count + 1, 1);
	assert_int_equal(fread(wav.bytes, 1, wav.count, file), wav.count);
	return wav;
}

static uint32_t le(const unsigned char *bytes, size_t count)
{
	uint32_t value = 0;

	while (count-- > 0)
		value = value << 8 | bytes[count];
	return value;
}

static int16_t sample_at(const struct wav *wav, size_t sample)
{
	return (int16_t)le(wav->bytes + HEADER_BYTES + 2 * sample, 2);
}

/* The header says what the file is; returns the frames of sound it says there are. */
static size_t check_header(const struct wav *wav, unsigned channels)
{
	assert_true(wav->count >= HEADER_BYTES);
	assert_memory_equal(wav->bytes, "RIFF", 4);
	assert_memory_equal(wav->bytes + 8, "WAVEfmt ", 8);
	assert_int_equal(le(wav->bytes + 20, 2), 1);
	assert_int_equal(le(wav->bytes + 22, 2), channels);
	assert_int_equal(le(wav->bytes + 24, 4), RATE_HZ);
	assert_int_equal(le(wav->bytes + 28, 4), RATE_HZ * channels * 2);
	assert_int_equal(le(wav->bytes + 34, 2), 16);
	assert_memory_equal(wav->bytes + 36, "data", 4);
	uint32_t data = le(wav->bytes + 40, 4);
	assert_int_equal(le(wav->bytes + 4, 4), data + 36);
	return data / (2 * channels);
}

static struct sink *open_wav(const struct file *file, unsigned channels)
{
	struct sink_format format = { 0 };
	struct sink *sink = sink_wav.open(file->name, channels, &format);

	assert_non_null(sink);
	assert_int_equal(format.rate_hz, RATE_HZ);
	assert_int_equal(format.channels, channels);
	assert_int_equal(format.buffer_frames, BUFFER);
	assert_int_equal(format.period_frames, PERIOD);
	return sink;
}

/* Writes `count` mono frames of this level, waiting for room as time passes; then until heard. */
static void write_all(struct sink *sink, float level, size_t count)
{
	float frames[PERIOD];

	for (size_t i = 0; i < countof(frames); i++)
		frames[i] = level;
	while (count > 0) {
		size_t piece = count < countof(frames) ? count : countof(frames);
		long written = sink_wav.write(sink, frames, piece);
		size_t unheard;
		if (written == -EPIPE) /* this test was not given the processor for 80 ms */
			assert_int_equal(sink_wav.recover(sink, -EPIPE, &unheard), 0);
		assert_true(written >= 0 || written == -EPIPE);
		count -= written > 0 ? (size_t)written : 0;
		if (written == 0)
			poll(NULL, 0, 5);
	}
	while (sink_wav.delay(sink) > 0)
		poll(NULL, 0, 5);
}

static void test_driver_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(sink_driver_for("wav:x"), &sink_wav);
	assert_ptr_equal(sink_driver_for("hw:CARD=wav"), &sink_alsa);
}

static void test_sound_and_header(void **state)
{
	const struct file *file = *state;
	struct sink *sink = open_wav(file, 1);

	write_all(sink, 0.5F, 5000);
	assert_int_equal(sink_wav.stop(sink), 0);
	_cleanup_(wav_done) struct wav wav = read_wav(file->path);
	assert_int_equal(check_header(&wav, 1), 5000);
	assert_int_equal(sample_at(&wav, 0), 16384);
	assert_int_equal(sample_at(&wav, 4999), 16384);
	sink_wav.close(sink);
}

static void test_full_scale_does_not_wrap(void **state)
{
	const struct file *file = *state;
	struct sink *sink = open_wav(file, 2);
	const float frame[2] = { 1.0F, -1.0F };

	assert_int_equal(sink_wav.write(sink, frame, 1), 1);
	while (sink_wav.delay(sink) > 0)
		poll(NULL, 0, 1);
	sink_wav.stop(sink);
	_cleanup_(wav_done) struct wav wav = read_wav(file->path);
	assert_int_equal(check_header(&wav, 2), 1);
	assert_int_equal(sample_at(&wav, 0), 32767);
	assert_int_equal(sample_at(&wav, 1), -32767);
	sink_wav.close(sink);
}

static void test_pace_is_real_time(void **state)
{
	const struct file *file = *state;
	struct sink *sink = open_wav(file, 1);
	float frames[2 * BUFFER] = { 0 };

	int64_t began_us = clock_mono_us();
	assert_int_equal(sink_wav.space(sink), BUFFER);
	assert_int_equal(sink_wav.write(sink, frames, countof(frames)), BUFFER);
	long delay = sink_wav.delay(sink);
	assert_true(delay <= BUFFER);
	size_t unheard;
	if (delay < 0)
		assert_int_equal(sink_wav.recover(sink, -EPIPE, &unheard), 0);
	write_all(sink, 0.1F, RATE_HZ / 2);
	assert_true(clock_mono_us() - began_us >= 500 * US_PER_MS);
	sink_wav.close(sink);
}

static void test_running_dry_is_an_xrun_that_loses_nothing(void **state)
{
	const struct file *file = *state;
	struct sink *sink = open_wav(file, 1);
	float frames[100] = { 0.25F };
	size_t unheard = 77;

	assert_int_equal(sink_wav.write(sink, frames, 100), 100);
	while (sink_wav.space(sink) != -EPIPE)
		poll(NULL, 0, 1);
	assert_int_equal(sink_wav.delay(sink), -EPIPE);
	assert_int_equal(sink_wav.write(sink, frames, 100), -EPIPE);
	assert_int_equal(sink_wav.recover(sink, -EPIPE, &unheard), 0);
	assert_int_equal(unheard, 0);
	assert_int_equal(sink_wav.write(sink, frames, 100), 100);
	sink_wav.close(sink);
	_cleanup_(wav_done) struct wav wav = read_wav(file->path);
	assert_int_equal(check_header(&wav, 1), 200);
}

static void test_header_is_right_while_sound_runs(void **state)
{
	const struct file *file = *state;
	struct sink *sink = open_wav(file, 1);

	write_all(sink, 0.5F, RATE_HZ * 5 / 4);
	_cleanup_(wav_done) struct wav wav = read_wav(file->path);
	assert_true(check_header(&wav, 1) >= RATE_HZ / 4);
	sink_wav.close(sink);
}

static void test_stop_takes_back_what_was_unheard(void **state)
{
	const struct file *file = *state;
	struct sink *sink = open_wav(file, 1);
	static const float frames[BUFFER];

	assert_int_equal(sink_wav.write(sink, frames, BUFFER), BUFFER);
	assert_int_equal(sink_wav.stop(sink), 0);
	assert_int_equal(sink_wav.delay(sink), 0);
	_cleanup_(wav_done) struct wav wav = read_wav(file->path);
	assert_true(check_header(&wav, 1) < BUFFER);
	assert_int_equal(wav.count, HEADER_BYTES + 2 * check_header(&wav, 1));
	sink_wav.close(sink);
}

static void test_appends_to_its_own_begins_other_files_anew(void **state)
{
	const struct file *file = *state;

	struct sink *sink = open_wav(file, 1);
	write_all(sink, 0.5F, 1000);
	sink_wav.close(sink);
	sink = open_wav(file, 1);
	write_all(sink, -0.5F, 500);
	sink_wav.close(sink);
	_cleanup_(wav_done) struct wav joined = read_wav(file->path);
	assert_int_equal(check_header(&joined, 1), 1500);
	assert_int_equal(sample_at(&joined, 999), 16384);
	assert_int_equal(sample_at(&joined, 1000), -16384);
	sink = open_wav(file, 2);
	sink_wav.close(sink);
	_cleanup_(wav_done) struct wav anew = read_wav(file->path);
	assert_int_equal(check_header(&anew, 2), 0);
}

static void test_header_that_power_loss_left_behind_is_not_believed(void **state)
{
	const struct file *file = *state;

	struct sink *sink = open_wav(file, 1);
	write_all(sink, 0.5F, 1000);
	sink_wav.close(sink);
	FILE *stream = fopen(file->path, "r+e");
	fseek(stream, 40, SEEK_SET);
	fputs("....", stream);
	fclose(stream);
	sink = open_wav(file, 1);
	sink_wav.close(sink);
	_cleanup_(wav_done) struct wav wav = read_wav(file->path);
	assert_int_equal(check_header(&wav, 1), 1000);
}

static void test_a_full_file_begins_anew(void **state)
{
	const struct file *file = *state;
	const float frames[100] = { 0.5F };

	struct sink *sink = open_wav(file, 1);
	sink_wav.close(sink);
	/* Almost 1 GiB of sound (a hole). */
	assert_int_equal(truncate(file->path, HEADER_BYTES + (1L << 30) - 100), 0);
	sink = open_wav(file, 1);
	assert_int_equal(sink_wav.write(sink, frames, 50), 50);
	assert_int_equal(sink_wav.write(sink, frames, 100), 100);
	sink_wav.close(sink);
	_cleanup_(wav_done) struct wav wav = read_wav(file->path);
	assert_int_equal(check_header(&wav, 1), 100);
}

static void test_what_cannot_be_opened(void **state)
{
	struct sink_format format;

	(void)state;
	assert_null(sink_wav.open("wav:/nonexistent/loa.wav", 1, &format));
	assert_int_equal(errno, ENOENT);
	assert_null(sink_wav.open("wav:/tmp", 1, &format));
	assert_int_equal(errno, EISDIR);
	assert_null(sink_wav.open("wav:/dev/full", 1, &format));
}

int main(void)
{
#define WAV_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driver_by_name),
		WAV_TEST(test_sound_and_header),
		WAV_TEST(test_full_scale_does_not_wrap),
		WAV_TEST(test_pace_is_real_time),
		WAV_TEST(test_running_dry_is_an_xrun_that_loses_nothing),
		WAV_TEST(test_header_is_right_while_sound_runs),
		WAV_TEST(test_stop_takes_back_what_was_unheard),
		WAV_TEST(test_appends_to_its_own_begins_other_files_anew),
		WAV_TEST(test_header_that_power_loss_left_behind_is_not_believed),
		WAV_TEST(test_a_full_file_begins_anew),
		cmocka_unit_test(test_what_cannot_be_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
