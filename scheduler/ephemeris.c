/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/ephemeris.h"
#include "scheduler/ephemeris_terms.h"

#include <math.h>

/* "Meeus" is Jean Meeus, Astronomical Algorithms, 2nd edition (1998). */

#define J2000          2451545.0
#define CENTURY_DAYS   36525.0
#define RADIANS        (M_PI / 180)
#define ARCSEC_DEGREES (1 / 3600.0)
#define ARCSEC_RADIANS (RADIANS / 3600)

#define NEW_MOON_0                 2451550.09766 /* of lunation 0, the mean one */
#define SYNODIC_MONTH              29.530588861  /* days */
#define ELONGATION_DEGREES_PER_DAY 12.190749     /* mean */

static double sin_degrees(double degrees)
{
	return sin(degrees * RADIANS);
}

static double polynomial(double x, const double *coefficients, int count)
{
	double sum = 0;

	while (count-- > 0)
		sum = sum * x + coefficients[count];
	return sum;
}

/*
 * Until 2050 the polynomials of Espenak & Meeus, Five Millennium Canon of Solar Eclipses (2006), which
 * follow what was observed until 2005 and are 6 s above it in 2026. Beyond, where nobody can know, the
 * parabola of Morrison & Stephenson (1982) as Meeus gives it (ch. 10): it is 80 s (2050) to 35 s (2150)
 * above Espenak & Meeus, and with it the published Vietnamese tables are met in every year
 * (docs/decisions/lunar-calendar.md).
 */
double ephemeris_delta_t_s(double year)
{
	static const struct {
		double until, epoch;
		double coefficients[6];
	} pieces[] = {
		{ 1920, 1900, { -2.79, 1.494119, -0.0598939, 0.0061966, -0.000197 } },
		{ 1941, 1920, { 21.20, 0.84493, -0.076100, 0.0020936 } },
		{ 1961, 1950, { 29.07, 0.407, -1 / 233.0, 1 / 2547.0 } },
		{ 1986, 1975, { 45.45, 1.067, -1 / 260.0, -1 / 718.0 } },
		{ 2005, 2000, { 63.86, 0.3345, -0.060374, 0.0017275, 0.000651814, 0.00002373599 } },
		{ 2050, 2000, { 62.92, 0.32217, 0.005589 } },
		{ INFINITY, 1810, { -15, 0, 0.00325 } },
	};
	int piece = 0;

	while (year >= pieces[piece].until)
		piece++;
	return polynomial(year - pieces[piece].epoch, pieces[piece].coefficients, 6);
}

static double in_circle(double degrees)
{
	degrees = fmod(degrees, 360);
	return degrees < 0 ? degrees + 360 : degrees;
}

/* Meeus ch. 25, "low accuracy": Kepler's ellipse, the mean aberration, nutation's largest term. */
double ephemeris_sun_about(double jde)
{
	double t = (jde - J2000) / CENTURY_DAYS;
	double mean = 280.46646 + (36000.76983 + 0.0003032 * t) * t;
	double anomaly = 357.52911 + (35999.05029 - 0.0001537 * t) * t;
	double centre = (1.914602 - (0.004817 + 0.000014 * t) * t) * sin_degrees(anomaly) +
			(0.019993 - 0.000101 * t) * sin_degrees(2 * anomaly) +
			0.000289 * sin_degrees(3 * anomaly);

	return in_circle(mean + centre - 0.00569 - 0.00478 * sin_degrees(125.04 - 1934.136 * t));
}

/* The largest terms of the IAU 1980 nutation in longitude, degrees (Meeus ch. 22, table 22.A). */
static double nutation(double t)
{
	static const struct {
		double arcsec;
		int elongation, sun, moon, latitude, node; /* multiples of D, M, M', F, Ω */
	} terms[] = {
		{ -17.1996, 0, 0, 0, 0, 1 },
		{ -1.3187, -2, 0, 0, 2, 2 },
		{ -0.2274, 0, 0, 0, 2, 2 },
		{ 0.2062, 0, 0, 0, 0, 2 },
		{ 0.1426, 0, 1, 0, 0, 0 },
		{ 0.0712, 0, 0, 1, 0, 0 },
		{ -0.0517, -2, 1, 0, 2, 2 },
		{ -0.0386, 0, 0, 0, 2, 1 },
		{ -0.0301, 0, 0, 1, 2, 2 },
		{ 0.0217, -2, -1, 0, 2, 2 },
		{ -0.0158, -2, 0, 1, 0, 0 },
		{ 0.0129, -2, 0, 0, 2, 1 },
		{ 0.0123, 0, 0, -1, 2, 2 },
	};
	double d = 297.85036 + (445267.111480 - 0.0019142 * t) * t;
	double m = 357.52772 + (35999.050340 - 0.0001603 * t) * t;
	double moon = 134.96298 + (477198.867398 + 0.0086972 * t) * t;
	double f = 93.27191 + (483202.017538 - 0.0036825 * t) * t;
	double node = 125.04452 + (-1934.136261 + 0.0020708 * t) * t;
	double arcsec = 0;

	for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++)
		arcsec += terms[i].arcsec *
			  sin_degrees(terms[i].elongation * d + terms[i].sun * m +
				      terms[i].moon * moon + terms[i].latitude * f +
				      terms[i].node * node);
	return (arcsec - 0.01742 * t * sin_degrees(node)) * ARCSEC_DEGREES;
}

/* Without nutation, which the Moon has too: of the mean equinox of the date. Degrees, of any turn. */
static double sun_of_mean_equinox(double jde)
{
	double millennia = (jde - J2000) / (10 * CENTURY_DAYS);
	double anomaly = 357.529 + 359990.503 * millennia;
	double longitude = 0;

	for (int power = EPHEMERIS_EARTH_POWERS - 1; power >= 0; power--) {
		const struct ephemeris_series *series = &ephemeris_earth[power];
		double sum = 0;
		for (size_t i = 0; i < series->count; i++)
			sum += series->terms[i].amplitude *
			       cos(series->terms[i].phase + series->terms[i].rate * millennia);
		longitude = longitude * millennia + sum;
	}
	/* The frame of the FK5 and the aberration of a Sun so far away (Meeus ch. 25). */
	double radius = 1.00014 - 0.016708 * cos(anomaly * RADIANS);
	return longitude / RADIANS + 180 - (0.09033 + 20.4898 / radius) * ARCSEC_DEGREES;
}

double ephemeris_sun(double jde)
{
	return in_circle(sun_of_mean_equinox(jde) + nutation((jde - J2000) / CENTURY_DAYS));
}

/* Of the mean equinox of the date, as it is seen. Degrees, of any turn. */
static double moon_of_mean_equinox(double jde)
{
	static const double mean[] = { 3.8103440908308803, 8399.68473007193, -3.318952042550e-5,
		3.11024944910606e-8, -2.03282376489e-10 };
	static const double precession[] = { 0, 5029.0966 - 0.29965, 1.1120, 0.000077 };
	double t = (jde - J2000) / CENTURY_DAYS;
	double arcsec = 0;

	for (int power = EPHEMERIS_MOON_POWERS - 1; power >= 0; power--) {
		const struct ephemeris_series *series = &ephemeris_moon[power];
		double sum = 0;
		for (size_t i = 0; i < series->count; i++)
			sum += series->terms[i].amplitude *
			       sin(series->terms[i].phase +
				       (series->terms[i].rate + series->terms[i].acceleration * t) *
					       t);
		arcsec = arcsec * t + sum;
	}
	/* The Moon is seen where it was 1.28 s ago. */
	arcsec += polynomial(t, precession, 4) - 0.70;
	return (polynomial(t, mean, 5) + arcsec * ARCSEC_RADIANS) / RADIANS;
}

int ephemeris_lunation(double jde)
{
	return (int)floor((jde - NEW_MOON_0) / SYNODIC_MONTH);
}

/* Meeus ch. 49: the periodic terms from 0.0002 days on. */
double ephemeris_new_moon_about(int lunation)
{
	static const struct {
		double days;
		int sun, moon, latitude; /* multiples of M, M', F */
	} terms[] = {
		{ -0.40720, 0, 1, 0 },
		{ 0.17241, 1, 0, 0 },
		{ 0.01608, 0, 2, 0 },
		{ 0.01039, 0, 0, 2 },
		{ 0.00739, -1, 1, 0 },
		{ -0.00514, 1, 1, 0 },
		{ 0.00208, 2, 0, 0 },
		{ -0.00111, 0, 1, -2 },
		{ -0.00057, 0, 1, 2 },
		{ 0.00056, 1, 2, 0 },
		{ -0.00042, 0, 3, 0 },
		{ 0.00042, 1, 0, 2 },
		{ 0.00038, 1, 0, -2 },
		{ -0.00024, -1, 2, 0 },
	};
	double k = lunation, t = k / 1236.85;
	double eccentricity = 1 - (0.002516 + 0.0000074 * t) * t;
	double sun = 2.5534 + 29.10535670 * k - 0.0000014 * t * t;
	double moon = 201.5643 + 385.81693528 * k + 0.0107582 * t * t;
	double latitude = 160.7108 + 390.67050284 * k - 0.0016118 * t * t;
	double jde = NEW_MOON_0 + SYNODIC_MONTH * k + 0.00015437 * t * t;

	for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++)
		jde += terms[i].days * (terms[i].sun ? eccentricity : 1) *
		       sin_degrees(terms[i].sun * sun + terms[i].moon * moon +
				   terms[i].latitude * latitude);
	return jde;
}

double ephemeris_new_moon(int lunation)
{
	double jde = ephemeris_new_moon_about(lunation);
	double days;

	/* The true speed is within a fifth of the mean one: each turn leaves a fifth of the error. */
	do {
		double elongation = moon_of_mean_equinox(jde) - sun_of_mean_equinox(jde);
		days = remainder(elongation, 360) / ELONGATION_DEGREES_PER_DAY;
		jde -= days;
	} while (fabs(days) > 1e-6);
	return jde;
}
