/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sound-chain PRESET RATE_HZ [KEY=VALUE…] <FRAMES >FRAMES
 *
 * One whole piece (mono, float, native byte order) through the leveller and the chain of an
 * output, for bench/intelligibility and bench/sound; a value of the preset may be replaced. Says on
 * standard error what it measured, and the processor time it took, as KEY=VALUE.
 */
#include "audio/chain.h"
#include "audio/leveller.h"
#include "audio/loudness.h"
#include "base/cleanup.h"
#include "base/strbuf.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define BLOCK_FRAMES 1024

static double cpu_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool replace(struct chain_config *config, const char *assignment)
{
	const struct {
		const char *key;
		double *value;
	} keys[] = {
		{ "high_pass_hz", &config->high_pass_hz },
		{ "presence_hz", &config->presence_hz },
		{ "presence_q", &config->presence_q },
		{ "presence_db", &config->presence_db },
		{ "threshold_db", &config->compressor.threshold_db },
		{ "ratio", &config->compressor.ratio },
		{ "knee_db", &config->compressor.knee_db },
		{ "attack_ms", &config->compressor.attack_ms },
		{ "release_ms", &config->compressor.release_ms },
		{ "makeup_db", &config->compressor.makeup_db },
		{ "target_lufs", &config->target_lufs },
	};
	const char *equals = strchr(assignment, '=');

	for (size_t i = 0; equals && i < countof(keys); i++) {
		size_t length = strlen(keys[i].key);
		if (length != (size_t)(equals - assignment) ||
			memcmp(keys[i].key, assignment, length) != 0)
			continue;
		*keys[i].value = strtod(equals + 1, NULL);
		return true;
	}
	return false;
}

static bool configure(int argc, char **argv, struct chain_config *ret_config)
{
	const struct chain_config *preset = NULL;

	if (argc < 3)
		return false;
	for (unsigned i = 0; i < CHAIN_PRESETS; i++)
		if (strcmp(argv[1], chain_preset_name(i)) == 0)
			preset = chain_preset_config(i);
	if (!preset)
		return false;
	*ret_config = *preset;
	for (int i = 3; i < argc; i++)
		if (!replace(ret_config, argv[i]))
			return false;
	return true;
}

/* All of standard input. */
static float *read_frames(size_t *ret_count)
{
	size_t space = 1 << 20, count = 0;
	float *frames = xcalloc(space, sizeof *frames);

	for (size_t got; (got = fread(frames + count, sizeof *frames, space - count, stdin)) > 0;) {
		count += got;
		if (count < space)
			continue;
		space *= 2;
		float *more = realloc(frames, space * sizeof *frames);
		if (!more)
			abort();
		frames = more;
	}
	*ret_count = count;
	return frames;
}

static void report(const float *frames, size_t count, unsigned rate_hz)
{
	_cleanup_(loudness_freep) struct loudness *loudness = loudness_new(rate_hz, true);
	double power = 0.0, peak = 0.0;

	if (!loudness)
		return;
	loudness_add(loudness, frames, count);
	for (size_t i = 0; i < count; i++) {
		power += frames[i] * frames[i];
		peak = fmax(peak, fabsf(frames[i]));
	}
	fprintf(stderr, "lufs=%.2f\ndbtp=%.2f\ncrest_db=%.2f\n", loudness_integrated(loudness),
		loudness_true_peak(loudness),
		20.0 * log10(peak) - 10.0 * log10(power / (double)count));
}

int main(int argc, char **argv)
{
	struct chain_config config;
	size_t count = 0;

	if (!configure(argc, argv, &config)) {
		fputs("sound-chain PRESET RATE_HZ [KEY=VALUE…] <FRAMES >FRAMES\n", stderr);
		return 2;
	}
	unsigned rate_hz = (unsigned)strtoul(argv[2], NULL, 10);
	_cleanup_(freep) float *frames = read_frames(&count);
	_cleanup_(chain_freep) struct chain *chain = chain_new(rate_hz, &config);
	_cleanup_(leveller_freep) struct leveller *leveller = leveller_new(rate_hz, &config);
	if (!chain || !leveller || count == 0)
		return 1;

	double began = cpu_seconds();
	if (leveller_begin(leveller, frames, count, true) != 0)
		return 1;
	double levelled = cpu_seconds();
	size_t given = 0;
	for (size_t done = 0; done < count; done += BLOCK_FRAMES) {
		size_t size = count - done < BLOCK_FRAMES ? count - done : BLOCK_FRAMES;
		leveller_run(leveller, frames + done, size);
		given += chain_run(chain, frames + done, size, frames + given);
	}
	given += chain_flush(chain, frames + given);
	double ended = cpu_seconds();
	fprintf(stderr, "gain_db=%.2f\nlevel_s=%.4f\nchain_s=%.4f\n", leveller_gain_db(leveller),
		levelled - began, ended - levelled);
	report(frames, given, rate_hz);
	return fwrite(frames, sizeof *frames, given, stdout) == given ? 0 : 1;
}
