/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/compressor.h"
#include "audio/mix.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define DB_PER_OCTAVE 6.02059991F /* 20 log10 2, of a factor 2 of amplitude */
/* Is always there, so that nothing decays to denormal numbers; as a gain it is exactly 1. */
#define TINY_DB        1e-9F
#define PIECE_FRAMES   256
#define HALF_ROOT_BITS 0x3f3504f3 /* of √½ as a float */

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

/* How much less comes out of `over_db` above the threshold (below: negative): a parabola through the
 * knee, a line behind it. */
static inline float curve_reduction_db(float over_db, float knee_db, float slope)
{
	float beyond_db = over_db + knee_db / 2.0F;
	float above_db = beyond_db > 0.0F ? beyond_db : 0.0F;
	float bend_db = above_db < knee_db ? above_db : knee_db;
	float bend = knee_db > 0.0F ? 0.5F / knee_db : 0.0F;

	return slope * (bend_db * bend_db * bend + (above_db - bend_db));
}

/* Of a normal number > 0, to 10⁻⁶. With m between √½ and √2: ln m = 2 artanh((m − 1) / (m + 1)),
 * of which three terms are enough. The library's would be called frame by frame. */
static inline float log2_of(float x)
{
	int32_t bits, exponent;
	float m;

	memcpy(&bits, &x, sizeof bits);
	exponent = (bits - HALF_ROOT_BITS) >> 23;
	bits -= exponent * (1 << 23);
	memcpy(&m, &bits, sizeof m);
	float s = (m - 1.0F) / (m + 1.0F), square = s * s;
	return (float)exponent +
	       s * (2.88539008F +
			   square * (0.96179669F + square * (0.57707802F + square * 0.41219858F)));
}

/* Of −100…0, to 10⁻⁷; of 0 exactly 1. The series of e^(f ln 2) for f within ±½. */
static inline float exp2_of(float x)
{
	int32_t whole = (int32_t)(x - 0.5F), bits;
	float f = x - (float)whole, scale;

	bits = (whole + 127) * (1 << 23);
	memcpy(&scale, &bits, sizeof scale);
	return scale *
	       (1.0F + f * (0.69314718F +
				   f * (0.24022651F +
					       f * (0.05550411F +
							   f * (0.00961813F +
								       f * (0.00133336F +
										   f * 0.00015404F))))));
}

/* In three loops, of which only the second needs one frame after the other. */
static void run(struct compressor *compressor, float *frames, size_t count)
{
	struct compressor c = *compressor; /* in registers */
	float threshold_db = (float)c.config.threshold_db, knee_db = (float)c.config.knee_db;
	float db[PIECE_FRAMES];

	for (size_t i = 0; i < count; i++) {
		float size = fabsf(frames[i]);
		size = size > c.knee_from ? size : c.knee_from;
		db[i] = TINY_DB + curve_reduction_db(DB_PER_OCTAVE * log2_of(size) - threshold_db,
					  knee_db, c.slope);
	}
	for (size_t i = 0; i < count; i++) {
		float let_go_db = c.release * c.held_db + (1.0F - c.release) * db[i];
		c.held_db = let_go_db > db[i] ? let_go_db : db[i];
		c.reduction_db = c.attack * c.reduction_db + (1.0F - c.attack) * c.held_db;
		db[i] = c.reduction_db;
	}
	for (size_t i = 0; i < count; i++)
		frames[i] *= c.makeup * exp2_of(db[i] * (-1.0F / DB_PER_OCTAVE));
	*compressor = c;
}

void compressor_run(struct compressor *compressor, float *frames, size_t count)
{
	for (size_t done = 0; done < count;) {
		size_t size = count - done < PIECE_FRAMES ? count - done : PIECE_FRAMES;
		for (size_t i = 0; i < size; i++)
			frames[done + i] = mix_finite(frames[done + i]);
		run(compressor, frames + done, size);
		done += size;
	}
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
