/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/leveller.h"
#include "audio/loudness.h"
#include "audio/mix.h"
#include "base/strbuf.h"

#include <errno.h>
#include <math.h>

#define STEPS_PER_SECOND 10
#define BLOCK_STEPS      (LOUDNESS_BLOCK_MS * STEPS_PER_SECOND / 1000)
#define SEEK_STEPS       (3 * STEPS_PER_SECOND)  /* of sound: then something is known */
#define SEEK_MEMORY      STEPS_PER_SECOND        /* until then */
#define MEMORY_STEPS     (20 * STEPS_PER_SECOND) /* of sound */
#define GATE_LU          10.0
/* A passage that stays below the gate is no pause: the gate comes down to it. */
#define GATE_FALLS_LU_S 1.0
/* Behind the chain; less, with no gain, is noise that nobody should hear louder. */
#define SILENCE_LUFS (-50.0)

/* What an infinite ratio takes away from speech that is as loud as it should be. */
#define COMPRESSION_GUESS_DB 18.0

#define TRIES_MAX 8
#define NEAR_LU   0.25 /* of a first piece; the next are mostly near enough at the first try */
#define SLOPE_MIN 0.1  /* of loudness over gain: less, and more gain is only limited away */

#define PIECE_FRAMES 512

struct leveller {
	unsigned rate_hz;
	double target_lufs;
	struct chain *chain; /* to try in */
	struct loudness *loudness;
	float *tail; /* what it holds back */

	double gain_db;
	double step_db; /* per frame, until the step ends */
	bool riding;
	size_t step_frames, left; /* of the step */
	unsigned steps;           /* of the piece, up to BLOCK_STEPS: then a block is full */
	double alike_lufs; /* loudness before the chain, with its gain, of the last known piece */
	double slope;      /* of loudness behind the chain over gain, where the last piece was */
	/* What the source would be behind the chain with no gain: mean power of its blocks. */
	double mean_power;
	double gate_lu; /* below the mean; GATE_LU or, in a long soft passage, more */
	unsigned heard; /* blocks in the mean, up to MEMORY_STEPS */
};

struct leveller *leveller_new(unsigned rate_hz, const struct chain_config *config)
{
	_cleanup_(leveller_freep) struct leveller *leveller = xcalloc(1, sizeof *leveller);
	leveller->rate_hz = rate_hz;
	leveller->target_lufs = config->target_lufs;
	double compression = 1.0 - 1.0 / config->compressor.ratio;
	leveller->alike_lufs = config->target_lufs - config->compressor.makeup_db +
			       COMPRESSION_GUESS_DB * compression;
	leveller->slope = 1.0 - compression / 2.0;
	leveller->step_frames = leveller->left = rate_hz / STEPS_PER_SECOND;
	leveller->gate_lu = GATE_LU;
	leveller->chain = chain_new(rate_hz, config);
	if (!leveller->chain)
		return NULL;
	leveller->tail = xcalloc(chain_delay_frames(leveller->chain), sizeof *leveller->tail);
	leveller->loudness = loudness_new(rate_hz, false);
	if (!leveller->loudness)
		return NULL;
	return hand_over(leveller);
}

struct leveller *leveller_free(struct leveller *leveller)
{
	if (leveller) {
		chain_free(leveller->chain);
		loudness_free(leveller->loudness);
		free(leveller->tail);
	}
	free(leveller);
	return NULL;
}

/* Behind the chain. */
static void measure(struct leveller *leveller, const float *frames, size_t count, float gain)
{
	float piece[PIECE_FRAMES];

	for (size_t done = 0; done < count;) {
		size_t size = count - done < PIECE_FRAMES ? count - done : PIECE_FRAMES;
		for (size_t i = 0; i < size; i++)
			piece[i] = mix_finite(frames[done + i]) * gain;
		done += size;
		size = chain_run(leveller->chain, piece, size, piece);
		loudness_add(leveller->loudness, piece, size);
	}
}

/* What the chain makes of the piece. One shorter than a block is repeated until it is two. */
static int try_gain(struct leveller *leveller, const float *frames, size_t count, double gain_db,
	double *ret_lufs)
{
	size_t block = leveller->step_frames * BLOCK_STEPS;
	size_t times = count < block ? 2 * block / count + 1 : 1;
	int result = loudness_reset(leveller->loudness);

	if (result != 0)
		return result;
	chain_reset(leveller->chain);
	for (size_t i = 0; i < times; i++)
		measure(leveller, frames, count, mix_gain_of_db(gain_db));
	size_t held = chain_flush(leveller->chain, leveller->tail);
	loudness_add(leveller->loudness, leveller->tail, held);
	*ret_lufs = loudness_integrated(leveller->loudness);
	return 0;
}

static double within_limits(double gain_db)
{
	return fmax(-LEVELLER_GAIN_MAX_DB, fmin(LEVELLER_GAIN_MAX_DB, gain_db));
}

/* Secant steps, kept between what was too soft and what was too loud: loudness rises with gain, at
 * most one for one, and less the more there is. */
static int find_gain(struct leveller *leveller, const float *frames, size_t count, double from_db,
	double *ret_gain_db)
{
	double soft_db = -LEVELLER_GAIN_MAX_DB, loud_db = LEVELLER_GAIN_MAX_DB;
	double gain_db = from_db, slope = leveller->slope, lufs = 0.0, last_gain_db = 0.0;
	bool known = leveller->heard > 0;

	for (int try = 0; try < TRIES_MAX; try++) {
		double last_lufs = lufs;
		int result = try_gain(leveller, frames, count, gain_db, &lufs);
		if (result != 0)
			return result;
		if (try > 0 && fabs(gain_db - last_gain_db) > 0.1)
			slope = (lufs - last_lufs) / (gain_db - last_gain_db);
		double missing_lu = leveller->target_lufs - lufs;
		double near_lu = try == 0 && known ? CHAIN_TOLERANCE_LU : NEAR_LU;
		if (fabs(missing_lu) < near_lu || (slope < SLOPE_MIN && missing_lu > 0.0))
			break;
		*(missing_lu > 0.0 ? &soft_db : &loud_db) = gain_db;
		slope = fmax(SLOPE_MIN, fmin(1.0, slope));
		last_gain_db = gain_db;
		gain_db += missing_lu / slope;
		if (gain_db <= soft_db || gain_db >= loud_db)
			gain_db = (soft_db + loud_db) / 2.0;
	}
	leveller->slope = fmax(SLOPE_MIN, fmin(1.0, slope));
	*ret_gain_db = gain_db;
	return 0;
}

static void set_gain(struct leveller *leveller, double gain_db)
{
	leveller->gain_db = within_limits(gain_db);
	leveller->mean_power = pow(
		10.0, (leveller->target_lufs - leveller->slope * leveller->gain_db) / 10.0);
	leveller->step_db = 0.0;
	leveller->gate_lu = GATE_LU;
}

/* Sets the gain for what is known, unless that is silence. */
static int learn(struct leveller *leveller, const float *frames, size_t count)
{
	size_t most = (size_t)LEVELLER_KNOWN_SECONDS * leveller->rate_hz;

	if (count > most)
		count = most;
	double raw_lufs = loudness_of(frames, count, leveller->rate_hz);
	if (raw_lufs < SILENCE_LUFS)
		return 0;
	/* As the piece before, if that is known: what is alike needs the same level. */
	double gain_db = within_limits(leveller->alike_lufs - raw_lufs);
	int result = find_gain(leveller, frames, count, gain_db, &gain_db);
	if (result != 0)
		return result;
	leveller->alike_lufs = raw_lufs + gain_db;
	set_gain(leveller, gain_db);
	size_t heard = count / leveller->step_frames + 1;
	if (heard > leveller->heard)
		leveller->heard = heard < MEMORY_STEPS ? (unsigned)heard : MEMORY_STEPS;
	return 0;
}

int leveller_begin(struct leveller *leveller, const float *known, size_t count, bool whole)
{
	int result = count > 0 ? learn(leveller, known, count) : 0;

	if (result == 0)
		result = loudness_reset(leveller->loudness);
	if (result != 0)
		return result;
	chain_reset(leveller->chain);
	leveller->riding = !whole;
	leveller->steps = 0;
	leveller->step_db = 0.0;
	leveller->left = leveller->step_frames;
	return 0;
}

void leveller_forget(struct leveller *leveller)
{
	leveller->heard = 0;
}

bool leveller_knows(const struct leveller *leveller)
{
	return leveller->heard > 0;
}

double leveller_gain_db(const struct leveller *leveller)
{
	return leveller->gain_db;
}

void leveller_set_gain_db(struct leveller *leveller, double gain_db)
{
	set_gain(leveller, gain_db);
	leveller->heard = MEMORY_STEPS; /* nothing is sought any more */
}

/* Takes a block into the mean unless it is a pause; true if it did. */
static bool hear(struct leveller *leveller, double lufs)
{
	double mean_lufs = 10.0 * log10(leveller->mean_power);

	if (leveller->heard > 0 && lufs < mean_lufs - leveller->gate_lu) {
		leveller->gate_lu += GATE_FALLS_LU_S / STEPS_PER_SECOND;
		return false;
	}
	leveller->gate_lu = fmax(GATE_LU, leveller->gate_lu - GATE_FALLS_LU_S / STEPS_PER_SECOND);
	if (leveller->heard < MEMORY_STEPS)
		leveller->heard++;
	unsigned memory = leveller->heard;
	if (memory < SEEK_STEPS && memory > SEEK_MEMORY)
		memory = SEEK_MEMORY;
	leveller->mean_power += (pow(10.0, lufs / 10.0) - leveller->mean_power) / memory;
	return true;
}

/* A tenth of a second has gone by. */
static void on_step(struct leveller *leveller)
{
	leveller->left = leveller->step_frames;
	leveller->step_db = 0.0;
	if (leveller->steps < BLOCK_STEPS && ++leveller->steps < BLOCK_STEPS)
		return;
	double lufs = loudness_momentary(leveller->loudness);
	if (lufs < SILENCE_LUFS || lufs - leveller->gain_db < SILENCE_LUFS)
		return;
	if (!hear(leveller, lufs - leveller->slope * leveller->gain_db))
		return;
	double mean_lufs = 10.0 * log10(leveller->mean_power);
	double wanted_db = within_limits((leveller->target_lufs - mean_lufs) / leveller->slope);
	double way_db = wanted_db - leveller->gain_db;
	bool hurry = leveller->heard < SEEK_STEPS;
	double most_db = (hurry ? LEVELLER_SEEK_DB_S : LEVELLER_RIDE_DB_S) / STEPS_PER_SECOND;
	leveller->step_db = fmax(-most_db, fmin(most_db, way_db)) / (double)leveller->step_frames;
}

/* As far as the step goes. */
static void ride(struct leveller *leveller, float *frames, size_t count)
{
	float gain = mix_gain_of_db(leveller->gain_db);

	for (size_t i = 0; i < count; i++) {
		if (leveller->step_db != 0.0) {
			leveller->gain_db += leveller->step_db;
			gain = mix_gain_of_db(leveller->gain_db);
		}
		frames[i] = mix_finite(frames[i]) * gain;
	}
	measure(leveller, frames, count, 1.0F);
	leveller->left -= count;
	if (leveller->left == 0)
		on_step(leveller);
}

void leveller_run(struct leveller *leveller, float *frames, size_t count)
{
	if (!leveller->riding) {
		float gain = mix_gain_of_db(leveller->gain_db);
		for (size_t i = 0; i < count; i++)
			frames[i] = mix_finite(frames[i]) * gain;
		return;
	}
	for (size_t done = 0; done < count;) {
		size_t size = count - done < leveller->left ? count - done : leveller->left;
		ride(leveller, frames + done, size);
		done += size;
	}
}
