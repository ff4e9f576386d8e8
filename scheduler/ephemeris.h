/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the Sun and the Moon are, for a calendar of the years 1899–2201: the Sun's apparent longitude
 * (within 1″), the instants of new moon (within 5 s), and each about, twenty times cheaper. What a
 * calendar asks is on which side of midnight something lies, so the dear ones are needed only for
 * what the cheap ones put close to it.
 *
 * Instants are Julian days of Terrestrial Time (JDE). Pure; any thread.
 */
#pragma once

/* TT − UT in seconds. Observed until 2005, then predicted. */
double ephemeris_delta_t_s(double year);

/* The Sun's apparent longitude in degrees, 0 ≤ longitude < 360. */
#define EPHEMERIS_SUN_ABOUT_DEGREES 0.02 /* no more does the cheap one err */
double ephemeris_sun_about(double jde);
double ephemeris_sun(double jde);

/* The new moon of that lunation; 0 is that of 2000-01-06, then on without gaps in both directions. */
#define EPHEMERIS_NEW_MOON_ABOUT_DAYS 0.004
double ephemeris_new_moon_about(int lunation);
double ephemeris_new_moon(int lunation);

/* The lunation whose mean new moon is the last one up to that instant; the true one is up to 0.6 days
 * from it. */
int ephemeris_lunation(double jde);
