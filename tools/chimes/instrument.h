/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instruments as sums of damped partials. Nothing sounds above PARTIAL_MAX_HZ: a horn does not
 * reproduce it. Pure arithmetic, in double precision.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define RATE_HZ        48000
#define PARTIAL_MAX_HZ 4000.0

/* Mono; what is added to a loop beyond its end sounds at its beginning. */
struct sound {
	double *frames;
	size_t count;
	bool loop;
};

struct partial {
	double ratio; /* of its frequency to the note's */
	double level;
	double decay_s; /* to 1/e */
};

struct instrument {
	double attack_s;
	unsigned partials;
	/* Partial number 1…partials of a note of that frequency. */
	struct partial (*partial)(double hz, unsigned number);
};

extern const struct instrument bell;
/* The đàn tranh: steel strings, plucked near the bridge; and the same played softly, far from it. */
extern const struct instrument zither, soft_zither;

struct tone {
	double at_s;
	double hz;
	double level;
	/* Nhấn: the string is pressed, so that the tone begins that far from its pitch and slides there. */
	double bend_cents;
	/* Rung: vibrato, which sets in after the pluck. */
	double vibrato_cents;
};

void instrument_play(
	const struct instrument *instrument, const struct tone *tone, struct sound *sound);
