/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/compressor.h"
#include "audio/mix.h"

#include <math.h>

#define DB_PER_OCTAVE 6.02059991F /* 20 log10 2, of a factor 2 of amplitude */
#define TINY_DB       1e-9F       /* less reduction is none */

static float coefficient(double rate_hz, double ms)
{
	return (float)exp(-1000.0 / (rate_hz * ms));
}

void compressor_init(
	struct compressor *compressor, double rate_hz, const struct compressor_config *config)
{
	*compressor = (struct compressor){
		.config = *config,
		.knee_from = mix_gain_of_db(config->threshold_db - config->knee_db / 2.0),
		.slope = (float)(1.0 - 1.0 / config->ratio),
		.attack = coefficient(rate_hz, config->attack_ms),
		.release = coefficient(rate_hz, config->release_ms),
		.makeup = mix_gain_of_db(config->makeup_db),
	};
}

/* How much less comes out of `over_db` above the threshold (below: negative). */
static float curve_reduction_db(float over_db, float knee_db, float slope)
{
	float into_knee_db = over_db + knee_db / 2.0F;

	if (into_knee_db <= 0.0F)
		return 0.0F;
	if (into_knee_db < knee_db)
		return slope * into_knee_db * into_knee_db / (2.0F * knee_db);
	return slope * over_db;
}

void compressor_run(struct compressor *compressor, float *frames, size_t count)
{
	struct compressor c = *compressor; /* in registers */
	float threshold_db = (float)c.config.threshold_db, knee_db = (float)c.config.knee_db;

	for (size_t i = 0; i < count; i++) {
		float in = mix_finite(frames[i]), wanted_db = 0.0F;
		float size = fabsf(in);
		if (size > c.knee_from)
			wanted_db = curve_reduction_db(
				DB_PER_OCTAVE * log2f(size) - threshold_db, knee_db, c.slope);
		c.held_db = c.release * c.held_db + (1.0F - c.release) * wanted_db;
		if (c.held_db < wanted_db)
			c.held_db = wanted_db;
		c.reduction_db = c.attack * c.reduction_db + (1.0F - c.attack) * c.held_db;
		if (c.reduction_db < TINY_DB)
			c.reduction_db = 0.0F;
		if (c.held_db < TINY_DB)
			c.held_db = 0.0F;
		frames[i] = in * c.makeup * exp2f(c.reduction_db * (-1.0F / DB_PER_OCTAVE));
	}
	*compressor = c;
}

void compressor_reset(struct compressor *compressor)
{
	compressor->held_db = compressor->reduction_db = 0.0F;
}

double compressor_curve_db(const struct compressor_config *config, double level_db)
{
	return level_db - curve_reduction_db((float)(level_db - config->threshold_db),
				  (float)config->knee_db, (float)(1.0 - 1.0 / config->ratio));
}
