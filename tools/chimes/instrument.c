/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/chimes/instrument.h"

#include "base/cleanup.h"

#include <math.h>

#define PARTIALS_MAX 8
#define GONE         1e-4 /* −80 dB: the rest of a partial is left out */

#define BEND_S     0.06 /* to 1/e */
#define VIBRATO_HZ 5.5
#define VIBRATO_S  0.25 /* in which it sets in */

/* A struck bell, friendlier than a real one: its partials are near to harmonics. */
static struct partial bell_partial(double hz, unsigned number)
{
	static const struct partial partials[] = {
		{ 1.0, 1.0, 0.50 },
		{ 2.0, 0.55, 0.40 },
		{ 3.01, 0.28, 0.28 },
		{ 4.17, 0.16, 0.16 },
		{ 5.43, 0.08, 0.09 },
	};

	(void)hz;
	return partials[number - 1];
}

/* A string of stiffness B has its partials at n f √(1 + B n²), and plucked at the fraction β of its
 * length it moves the bridge in proportion to sin(nπβ)/n (Fletcher & Rossing, The Physics of Musical
 * Instruments, 2nd ed., §2.8, §2.18). What it loses to the air and within itself grows with the
 * square of the frequency (Chaigne & Askenfelt 1994): 1/τ = b₁ + b₃ f². */
struct string {
	double pluck;       /* β */
	double stiffness;   /* B */
	double decay_per_s; /* b₁ */
	double loss_per_s;  /* b₃, at 1 kHz */
};

static struct partial string_partial(const struct string *string, double hz, unsigned number)
{
	double n = (double)number;
	double ratio = n * sqrt(1.0 + string->stiffness * n * n);
	double khz = hz * ratio / 1000.0;

	return (struct partial){
		.ratio = ratio,
		.level = sin(n * M_PI * string->pluck) / (n * sin(M_PI * string->pluck)),
		.decay_s = 1.0 / (string->decay_per_s + string->loss_per_s * khz * khz),
	};
}

static struct partial zither_partial(double hz, unsigned number)
{
	static const struct string string = { 0.13, 2e-4, 1.3, 0.50 };

	return string_partial(&string, hz, number);
}

static struct partial soft_zither_partial(double hz, unsigned number)
{
	static const struct string string = { 0.38, 2e-4, 0.8, 0.45 };

	return string_partial(&string, hz, number);
}

const struct instrument bell = { 0.004, 5, bell_partial };
const struct instrument zither = { 0.003, 7, zither_partial };
const struct instrument soft_zither = { 0.010, 5, soft_zither_partial };

/* Those that a horn reproduces; returns their number. */
static size_t partials_of(const struct instrument *instrument, double hz, struct partial *ret)
{
	size_t count = 0;

	for (unsigned n = 1; n <= instrument->partials && count < PARTIALS_MAX; n++) {
		struct partial partial = instrument->partial(hz, n);
		if (partial.ratio * hz <= PARTIAL_MAX_HZ)
			ret[count++] = partial;
	}
	return count;
}

static double longest_s(const struct partial *partials, size_t count)
{
	double longest = 0.0;

	for (size_t p = 0; p < count; p++)
		longest = fmax(longest, partials[p].decay_s * -log(GONE));
	return longest;
}

static double ratio_of_cents(double cents)
{
	return pow(2.0, cents / 1200.0);
}

/* How many periods of the note are over at `t`: the integral of its frequency. */
static double periods(const struct tone *tone, double t)
{
	double bend = ratio_of_cents(tone->bend_cents) - 1.0;
	double vibrato = ratio_of_cents(tone->vibrato_cents) - 1.0;
	double swing = 2.0 * M_PI * VIBRATO_HZ;
	double depth = 1.0 - exp(-t / VIBRATO_S);

	return tone->hz * (t + bend * BEND_S * (1.0 - exp(-t / BEND_S)) +
				  vibrato * depth * (1.0 - cos(swing * t)) / swing);
}

static double rise(double t, double attack_s)
{
	return t < attack_s ? 0.5 - 0.5 * cos(M_PI * t / attack_s) : 1.0;
}

void instrument_play(
	const struct instrument *instrument, const struct tone *tone, struct sound *sound)
{
	struct partial partials[PARTIALS_MAX];
	size_t count = partials_of(instrument, tone->hz, partials);
	size_t from = (size_t)lrint(tone->at_s * RATE_HZ);
	size_t length = (size_t)(longest_s(partials, count) * RATE_HZ);

	if (!sound->loop && length > sound->count - from)
		length = sound->count - from;
	for (size_t i = 0; i < length; i++) {
		double t = (double)i / RATE_HZ;
		double phase = 2.0 * M_PI * periods(tone, t);
		double sum = 0.0;
		for (size_t p = 0; p < count; p++)
			sum += partials[p].level * exp(-t / partials[p].decay_s) *
			       sin(partials[p].ratio * phase);
		sound->frames[(from + i) % sound->count] += tone->level * sum *
							    rise(t, instrument->attack_s);
	}
}
