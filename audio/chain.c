/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/chain.h"
#include "audio/biquad.h"
#include "audio/limiter.h"
#include "base/strbuf.h"

#include <errno.h>
#include <string.h>

#define PIECE_FRAMES 256
/* Of its corner, in which a Butterworth of fourth order falls by 80 dB (its slower pair of poles
 * decays by 8.7 dB × 0.38 × 2π = 21 dB in each). */
#define RING_PERIODS 4

struct chain {
	struct chain_config config;
	unsigned rate_hz;
	struct biquad filters[BIQUAD_BUTTERWORTH_4 + 1]; /* high-pass and presence, if wanted */
	size_t filters_count;
	struct compressor compressor;
	struct limiter *limiter;
};

const char *const chain_preset_names[CHAIN_PRESETS + 1] = {
	[CHAIN_HORN] = "horn",
	[CHAIN_COLUMN] = "column",
	[CHAIN_FLAT] = "flat",
};

/* Horn and column are tuned by bench/intelligibility; docs/decisions/sound-that-carries.md. */
static const struct chain_config presets[CHAIN_PRESETS] = {
	[CHAIN_HORN] =
		{
			.high_pass_hz = 300.0,
			.presence_hz = 2500.0,
			.presence_q = 0.7,
			.presence_db = 6.0,
			.compressor = { .threshold_db = -24.0,
				.ratio = 3.0,
				.knee_db = 8.0,
				.attack_ms = 2.0,
				.release_ms = 60.0,
				.makeup_db = 18.0 },
			.ceiling_dbtp = LIMITER_CEILING_DBTP,
			.target_lufs = -14.0,
		},
	[CHAIN_COLUMN] =
		{
			.high_pass_hz = 120.0,
			.presence_hz = 2800.0,
			.presence_q = 0.7,
			.presence_db = 3.0,
			.compressor = { .threshold_db = -24.0,
				.ratio = 2.0,
				.knee_db = 8.0,
				.attack_ms = 5.0,
				.release_ms = 120.0,
				.makeup_db = 8.0 },
			.ceiling_dbtp = LIMITER_CEILING_DBTP,
			.target_lufs = -16.0,
		},
	[CHAIN_FLAT] =
		{
			.compressor = { .ratio = 1.0, .attack_ms = 5.0, .release_ms = 120.0 },
			.ceiling_dbtp = LIMITER_CEILING_DBTP,
			.target_lufs = -16.0,
		},
};

const char *chain_preset_name(enum chain_preset preset)
{
	return (unsigned)preset < CHAIN_PRESETS ? chain_preset_names[preset] : NULL;
}

enum chain_preset chain_preset_parse(const char *name)
{
	enum chain_preset preset = 0;

	while (preset < CHAIN_PRESETS && strcmp(chain_preset_names[preset], name) != 0)
		preset++;
	return preset;
}

const struct chain_config *chain_preset_config(enum chain_preset preset)
{
	return (unsigned)preset < CHAIN_PRESETS ? &presets[preset] : NULL;
}

struct chain *chain_new(unsigned rate_hz, const struct chain_config *config)
{
	if (rate_hz < CHAIN_RATE_MIN_HZ || rate_hz > CHAIN_RATE_MAX_HZ) {
		errno = EINVAL;
		return NULL;
	}
	_cleanup_(chain_freep) struct chain *chain = xcalloc(1, sizeof *chain);
	chain->config = *config;
	chain->rate_hz = rate_hz;
	if (config->high_pass_hz > 0.0) {
		biquad_butterworth_high_pass(chain->filters, rate_hz, config->high_pass_hz);
		chain->filters_count = BIQUAD_BUTTERWORTH_4;
	}
	if (config->presence_db != 0.0)
		biquad_peaking(&chain->filters[chain->filters_count++], rate_hz,
			config->presence_hz, config->presence_q, config->presence_db);
	compressor_init(&chain->compressor, rate_hz, &config->compressor);
	chain->limiter = limiter_new(rate_hz, config->ceiling_dbtp);
	if (!chain->limiter)
		return NULL;
	return hand_over(chain);
}

struct chain *chain_free(struct chain *chain)
{
	if (chain)
		limiter_free(chain->limiter);
	free(chain);
	return NULL;
}

size_t chain_delay_frames(const struct chain *chain)
{
	return limiter_delay_frames(chain->limiter);
}

size_t chain_run(struct chain *chain, const float *frames, size_t count, float *ret_frames)
{
	float piece[PIECE_FRAMES];
	size_t given = 0;

	for (size_t done = 0; done < count;) {
		size_t size = count - done < PIECE_FRAMES ? count - done : PIECE_FRAMES;
		memcpy(piece, frames + done, size * sizeof *piece);
		biquad_run_series(chain->filters, chain->filters_count, piece, size);
		if (chain->config.compressor.ratio > 1.0)
			compressor_run(&chain->compressor, piece, size);
		done += size;
		given += limiter_run(chain->limiter, piece, size, ret_frames + given);
	}
	return given;
}

size_t chain_ring_frames(const struct chain *chain)
{
	double corner_hz = chain->config.high_pass_hz;

	return corner_hz > 0.0 ? (size_t)(RING_PERIODS * chain->rate_hz / corner_hz) : 0;
}

static void reset_before_limiter(struct chain *chain)
{
	for (size_t i = 0; i < chain->filters_count; i++)
		biquad_reset(&chain->filters[i]);
	compressor_reset(&chain->compressor);
}

size_t chain_flush(struct chain *chain, float *ret_frames)
{
	reset_before_limiter(chain);
	return limiter_flush(chain->limiter, ret_frames);
}

void chain_reset(struct chain *chain)
{
	reset_before_limiter(chain);
	limiter_reset(chain->limiter);
}
