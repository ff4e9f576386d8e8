/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/stretch.h"

#include <math.h>
#include <string.h>

/* Kaiser's shape: 90 dB (J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window
 * function", 1974: β = 0.1102 (A − 8.7)). */
#define KAISER_BETA 9.0
#define LANES       8 /* sums that do not wait for each other */

enum { MIDDLE = STRETCH_TAPS / 2 - 1 }; /* of the window: the frame at or before the next one */

/* The modified Bessel function of order 0, by its power series. */
static double bessel_i0(double x)
{
	double sum = 1;
	double term = 1;

	for (int k = 1; term > sum * 1e-17; k++) {
		term *= (x / (2 * k)) * (x / (2 * k));
		sum += term;
	}
	return sum;
}

static double windowed_sinc(double t)
{
	double place = t / (STRETCH_TAPS / 2.0);
	double window = place * place < 1 ? bessel_i0(KAISER_BETA * sqrt(1 - place * place)) /
						    bessel_i0(KAISER_BETA)
					  : 0;

	return t == 0 ? 1 : sin(M_PI * t) / (M_PI * t) * window;
}

void stretch_table_init(struct stretch_table *table)
{
	for (int phase = 0; phase <= STRETCH_PHASES; phase++) {
		double taps[STRETCH_TAPS];
		double sum = 0;
		for (int i = 0; i < STRETCH_TAPS; i++) {
			double t = i - MIDDLE - (double)phase / STRETCH_PHASES;
			/* On a frame there is nothing to compute: exactly this one. */
			taps[i] = t == floor(t) ? t == 0 : windowed_sinc(t);
			sum += taps[i];
		}
		for (int i = 0; i < STRETCH_TAPS; i++)
			table->taps[phase][i] = (float)(taps[i] / sum);
	}
}

void stretch_init(struct stretch *stretch, const float first[STRETCH_AHEAD])
{
	memset(stretch->window, 0, MIDDLE * sizeof *stretch->window);
	memcpy(stretch->window + MIDDLE, first, STRETCH_AHEAD * sizeof *first);
	stretch->fraction = 0;
}

size_t stretch_needs(const struct stretch *stretch, size_t count, double step)
{
	return (size_t)(stretch->fraction + (double)count * step);
}

size_t stretch_gives(const struct stretch *stretch, size_t added, double step)
{
	size_t count = (size_t)(((double)added + 1 - stretch->fraction) / step);

	while (count > 0 && stretch_needs(stretch, count, step) > added)
		count--;
	return count;
}

static float between(const struct stretch_table *table, const float *window, double fraction)
{
	double place = fraction * STRETCH_PHASES;
	size_t phase = (size_t)place;
	const float *a = table->taps[phase];
	const float *b = table->taps[phase + 1];
	float share = (float)(place - (double)phase);
	float sums[LANES] = { 0 };

	for (size_t i = 0; i < STRETCH_TAPS; i += LANES) {
		for (size_t lane = 0; lane < LANES; lane++) {
			float tap = a[i + lane] + share * (b[i + lane] - a[i + lane]);
			sums[lane] += window[i + lane] * tap;
		}
	}
	return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
	       ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

void stretch_run(struct stretch *stretch, const struct stretch_table *table, float *frames,
	size_t count, double step, float *ret_frames)
{
	size_t moved = stretch_needs(stretch, count, step);

	memcpy(frames, stretch->window, sizeof stretch->window);
	for (size_t i = 0; i < count; i++) {
		double place = stretch->fraction + (double)i * step;
		size_t at = (size_t)place;
		ret_frames[i] = between(table, frames + at, place - (double)at);
	}
	memcpy(stretch->window, frames + moved, sizeof stretch->window);
	stretch->fraction += (double)count * step - (double)moved;
}
