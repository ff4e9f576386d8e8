/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the chimes that we ship, from arithmetic alone:
 *
 *   thong-bao  before an announcement: four bell notes, rising
 *   het        after it: three, falling
 *   khan-cap   before an emergency, and used for nothing else: two tones in turn
 *
 * Their energy lies between 400 Hz and 4 kHz, which is what a horn can reproduce; they peak at
 * −3 dBFS, and begin and end in silence without a click.
 *
 *   make-chimes FOLDER           writes FOLDER/<name>.flac
 *   make-chimes --check FOLDER   says whether these are what it would write (a sample may differ
 *                                by one step: libm is not the same everywhere)
 */
#include "base/cleanup.h"

#include <math.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define RATE_HZ     48000
#define PEAK        0.7079 /* −3 dBFS */
#define PARTIAL_HZ  4000.0 /* nothing above: a horn does not reproduce it */
#define ATTACK_S    0.004
#define END_FADE_S  0.05
#define SECONDS_MAX 4
#define FRAMES_MAX  (SECONDS_MAX * RATE_HZ)
#define TOLERANCE   1

struct note {
	double at_s;
	double hz;
	double level;
};

struct partial {
	double ratio;
	double level;
	double decay_s; /* to 1/e */
};

/* A struck bell, friendlier than a real one: its partials are near to harmonics. */
static const struct partial bell[] = {
	{ 1.0, 1.0, 0.60 },
	{ 2.0, 0.55, 0.42 },
	{ 3.01, 0.28, 0.28 },
	{ 4.17, 0.16, 0.16 },
	{ 5.43, 0.08, 0.09 },
};

static const struct note thong_bao[] = {
	{ 0.00, 523.25, 0.85 },  /* C5 */
	{ 0.38, 659.26, 0.85 },  /* E5 */
	{ 0.76, 783.99, 0.90 },  /* G5 */
	{ 1.14, 1046.50, 1.00 }, /* C6 */
};

static const struct note het[] = {
	{ 0.00, 783.99, 0.90 }, /* G5 */
	{ 0.30, 659.26, 0.90 }, /* E5 */
	{ 0.60, 523.25, 1.00 }, /* C5 */
};

struct sound {
	double frames[FRAMES_MAX];
	size_t count;
};

static void add_note(struct sound *sound, const struct note *note)
{
	size_t from = (size_t)(note->at_s * RATE_HZ);

	for (size_t p = 0; p < countof(bell); p++) {
		double hz = note->hz * bell[p].ratio;
		if (hz > PARTIAL_HZ)
			continue;
		for (size_t i = from; i < sound->count; i++) {
			double t = (double)(i - from) / RATE_HZ;
			double attack = t < ATTACK_S ? t / ATTACK_S : 1.0;
			sound->frames[i] += note->level * bell[p].level * attack *
					    exp(-t / bell[p].decay_s) * sin(2.0 * M_PI * hz * t);
		}
	}
}

static void strike(struct sound *sound, const struct note *notes, size_t count, double seconds)
{
	sound->count = (size_t)(seconds * RATE_HZ);
	for (size_t i = 0; i < count; i++)
		add_note(sound, &notes[i]);
}

static void make_thong_bao(struct sound *sound)
{
	strike(sound, thong_bao, countof(thong_bao), 2.8);
}

static void make_het(struct sound *sound)
{
	strike(sound, het, countof(het), 1.9);
}

/* Two tones, a fourth apart, a quarter of a second each, for three seconds, reedy (odd and even
 * harmonics) so that it is taken for nothing else. The phase runs on: no click at a change. */
static void make_khan_cap(struct sound *sound)
{
	const double tones_hz[2] = { 720.0, 960.0 };
	const double turn_s = 0.25;
	const double harmonics[] = { 1.0, 0.55, 0.40, 0.20 };
	double phase = 0.0;

	sound->count = 3 * (size_t)RATE_HZ;
	for (size_t i = 0; i < sound->count; i++) {
		double t = (double)i / RATE_HZ;
		double in_turn = fmod(t, turn_s);
		double edge = fmin(in_turn, turn_s - in_turn) / 0.008;
		double hz = tones_hz[(size_t)(t / turn_s) % 2];
		phase = fmod(phase + hz / RATE_HZ, 1.0);
		for (size_t h = 0; h < countof(harmonics); h++)
			sound->frames[i] += harmonics[h] * fmin(edge, 1.0) *
					    sin(2.0 * M_PI * phase * (double)(h + 1));
	}
}

static const struct chime {
	const char *name;
	void (*make)(struct sound *sound);
} chimes[] = {
	{ "thong-bao", make_thong_bao },
	{ "het", make_het },
	{ "khan-cap", make_khan_cap },
};

/* The end fades out, the peak is PEAK, 16 bits. */
static void finish(struct sound *sound, int16_t *ret_samples)
{
	size_t fade = (size_t)(END_FADE_S * RATE_HZ);
	double peak = 0.0;

	for (size_t i = 0; i < fade; i++)
		sound->frames[sound->count - 1 - i] *= 0.5 -
						       0.5 * cos(M_PI * (double)i / (double)fade);
	for (size_t i = 0; i < sound->count; i++)
		peak = fmax(peak, fabs(sound->frames[i]));
	for (size_t i = 0; i < sound->count; i++)
		ret_samples[i] = (int16_t)lrint(sound->frames[i] / peak * PEAK * 32767.0);
}

static int write_flac(const char *path, const int16_t *samples, size_t count)
{
	SF_INFO info = {
		.samplerate = RATE_HZ, .channels = 1, .format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16
	};
	SNDFILE *file = sf_open(path, SFM_WRITE, &info);
	if (!file) {
		fprintf(stderr, "%s: %s\n", path, sf_strerror(NULL));
		return -1;
	}
	sf_count_t written = sf_write_short(file, samples, (sf_count_t)count);
	return sf_close(file) == 0 && written == (sf_count_t)count ? 0 : -1;
}

static int check_flac(const char *path, const int16_t *samples, size_t count)
{
	static int16_t found[FRAMES_MAX + 1];
	SF_INFO info = { 0 };
	SNDFILE *file = sf_open(path, SFM_READ, &info);
	if (!file) {
		fprintf(stderr, "%s: %s\n", path, sf_strerror(NULL));
		return -1;
	}
	sf_count_t got = info.channels == 1 && info.samplerate == RATE_HZ
				 ? sf_read_short(file, found, FRAMES_MAX + 1)
				 : 0;
	sf_close(file);
	bool same = got == (sf_count_t)count;
	for (size_t i = 0; same && i < count; i++)
		same = abs(found[i] - samples[i]) <= TOLERANCE;
	if (!same)
		fprintf(stderr, "%s is not what make-chimes makes\n", path);
	return same ? 0 : -1;
}

static int handle(const struct chime *chime, const char *folder, bool check)
{
	static struct sound sound;
	static int16_t samples[FRAMES_MAX];
	char path[4096];

	memset(&sound, 0, sizeof sound);
	snprintf(path, sizeof path, "%s/%s.flac", folder, chime->name);
	chime->make(&sound);
	finish(&sound, samples);
	return check ? check_flac(path, samples, sound.count)
		     : write_flac(path, samples, sound.count);
}

int main(int argc, char *argv[])
{
	bool check = argc == 3 && strcmp(argv[1], "--check") == 0;
	int failed = 0;

	if (argc != 2 && !check) {
		fprintf(stderr, "usage: make-chimes [--check] FOLDER\n");
		return 2;
	}
	for (size_t i = 0; i < countof(chimes); i++)
		failed |= handle(&chimes[i], argv[argc - 1], check);
	return failed ? 1 : 0;
}
