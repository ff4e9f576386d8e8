/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The series behind ephemeris.h; ephemeris_terms.c says where they are from. */
#pragma once

#include <stddef.h>

#define EPHEMERIS_EARTH_POWERS 3 /* t⁰…t² */
#define EPHEMERIS_MOON_POWERS  2

/* amplitude · cos (or sin) (phase + rate · t + acceleration · t²) */
struct ephemeris_term {
	double amplitude;
	double phase;
	double rate;
	double acceleration;
};

struct ephemeris_series {
	const struct ephemeris_term *terms;
	size_t count;
};

extern const struct ephemeris_series ephemeris_earth[EPHEMERIS_EARTH_POWERS];
extern const struct ephemeris_series ephemeris_moon[EPHEMERIS_MOON_POWERS];
