/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the chimes that we ship, from arithmetic alone (tools/chimes/score.c has the notes):
 *
 *   thong-bao  before an announcement: a rising call
 *   het        after it: the same call, falling
 *   khan-cap   before an emergency, and used for nothing else
 *   nhac-hieu  the station's signature, before a programme
 *   nhac-nen   a bed for speech, which loops
 *
 * Their energy lies between 400 Hz and 4 kHz, which is what a horn can reproduce; each is as loud as
 * the others (LOUDNESS_LUFS), none peaks above PEAK_MAX_DBTP, and they begin and end in silence.
 *
 *   make-chimes FOLDER           writes FOLDER/<name>.flac
 *   make-chimes --check FOLDER   says whether these are what it would write (a sample may differ
 *                                by one step: libm is not the same everywhere)
 */
#include "audio/loudness.h"
#include "base/strbuf.h"
#include "tools/chimes/room.h"
#include "tools/chimes/score.h"

#include <math.h>
#include <sndfile.h>
#include <stdint.h>
#include <string.h>

#define LOUDNESS_LUFS (-20.0)
#define PEAK_MAX_DBTP (-3.0)
#define END_FADE_S    0.25
#define SEAM_FADE_S   0.04 /* at both ends of a loop: a resampler knows silence before and after it */
#define TOLERANCE     1

/* --- Sound ----------------------------------------------------------------------------------- */

/* To silence, from both ends inwards, with no step in value or slope. */
static void fade(struct sound *sound, double begin_s, double end_s)
{
	size_t begin = (size_t)(begin_s * RATE_HZ), end = (size_t)(end_s * RATE_HZ);

	for (size_t i = 0; i < begin; i++)
		sound->frames[i] *= 0.5 - 0.5 * cos(M_PI * (double)i / (double)begin);
	for (size_t i = 0; i < end; i++)
		sound->frames[sound->count - 1 - i] *= 0.5 -
						       0.5 * cos(M_PI * (double)i / (double)end);
}

static void scale(struct sound *sound, double gain)
{
	for (size_t i = 0; i < sound->count; i++)
		sound->frames[i] *= gain;
}

/* LUFS and dBTP. */
static int measure(const struct sound *sound, double *ret_lufs, double *ret_dbtp)
{
	_cleanup_(loudness_freep) struct loudness *loudness = loudness_new(RATE_HZ, true);
	if (!loudness)
		return -1;
	for (size_t i = 0; i < sound->count; i++) {
		float frame = (float)sound->frames[i];
		loudness_add(loudness, &frame, 1);
	}
	*ret_lufs = loudness_integrated(loudness);
	*ret_dbtp = loudness_true_peak(loudness);
	return 0;
}

/* As loud as all, 16 bits. */
static int finish(const char *name, struct sound *sound, int16_t *ret_samples)
{
	double lufs, dbtp;

	if (measure(sound, &lufs, &dbtp) < 0)
		return -1;
	scale(sound, pow(10.0, (LOUDNESS_LUFS - lufs) / 20.0));
	dbtp += LOUDNESS_LUFS - lufs;
	if (dbtp > PEAK_MAX_DBTP) {
		fprintf(stderr, "%s would peak at %.1f dBTP\n", name, dbtp);
		return -1;
	}
	for (size_t i = 0; i < sound->count; i++)
		ret_samples[i] = (int16_t)lrint(sound->frames[i] * 32767.0);
	return 0;
}

static int make(const struct score *score, struct sound *sound, int16_t *ret_samples)
{
	double edge_s = score->loop ? SEAM_FADE_S : 0.0;

	score->perform(sound);
	room_apply(sound, score->room);
	fade(sound, edge_s, score->loop ? SEAM_FADE_S : END_FADE_S);
	return finish(score->name, sound, ret_samples);
}

/* --- Files ----------------------------------------------------------------------------------- */

static int write_flac(const char *path, const int16_t *samples, size_t count)
{
	SF_INFO info = {
		.samplerate = RATE_HZ, .channels = 1, .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16
	};
	double smallest = 1.0;
	SNDFILE *file = sf_open(path, SFM_WRITE, &info);
	if (!file) {
		fprintf(stderr, "%s: %s\n", path, sf_strerror(NULL));
		return -1;
	}
	sf_command(file, SFC_SET_COMPRESSION_LEVEL, &smallest, sizeof smallest);
	sf_count_t written = sf_write_short(file, samples, (sf_count_t)count);
	return sf_close(file) == 0 && written == (sf_count_t)count ? 0 : -1;
}

/* Up to `count` + 1 samples, of a file as we write it; 0 of another. */
static int read_flac(const char *path, size_t count, int16_t *ret_samples, size_t *ret_got)
{
	SF_INFO info = { 0 };
	SNDFILE *file = sf_open(path, SFM_READ, &info);
	if (!file) {
		fprintf(stderr, "%s: %s\n", path, sf_strerror(NULL));
		return -1;
	}
	bool ours = info.channels == 1 && info.samplerate == RATE_HZ;
	sf_count_t got = ours ? sf_read_short(file, ret_samples, (sf_count_t)count + 1) : 0;
	sf_close(file);
	*ret_got = (size_t)got;
	return 0;
}

static int check_flac(const char *path, const int16_t *samples, size_t count)
{
	_cleanup_(freep) int16_t *found = xcalloc(count + 1, sizeof *found);
	size_t got;

	if (read_flac(path, count, found, &got) < 0)
		return -1;
	bool same = got == count;
	for (size_t i = 0; same && i < count; i++)
		same = abs(found[i] - samples[i]) <= TOLERANCE;
	if (!same)
		fprintf(stderr, "%s is not what make-chimes makes\n", path);
	return same ? 0 : -1;
}

static int handle(const struct score *score, const char *folder, bool check)
{
	size_t count = (size_t)lrint(score->seconds * RATE_HZ);
	_cleanup_(freep) double *frames = xcalloc(count, sizeof *frames);
	_cleanup_(freep) int16_t *samples = xcalloc(count, sizeof *samples);
	struct sound sound = { frames, count, score->loop };
	char path[4096];

	snprintf(path, sizeof path, "%s/%s.flac", folder, score->name);
	if (make(score, &sound, samples) < 0)
		return -1;
	return check ? check_flac(path, samples, count) : write_flac(path, samples, count);
}

int main(int argc, char *argv[])
{
	bool check = argc == 3 && strcmp(argv[1], "--check") == 0;
	int failed = 0;

	if (argc != 2 && !check) {
		fprintf(stderr, "usage: make-chimes [--check] FOLDER\n");
		return 2;
	}
	for (size_t i = 0; i < scores_count; i++)
		failed |= handle(&scores[i], argv[argc - 1], check);
	return failed ? 1 : 0;
}
