/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/biquad.h"
#include "audio/mix.h"

#include <complex.h>
#include <math.h>
#include <string.h>

#define TINY 1e-30 /* −600 dB: far above what is denormal, even as float */
/* How often that is looked for. In between nothing decays from there to what is denormal but in a
 * filter that hardly decays at all. */
#define FLUSH_FRAMES 64

struct prototype {
	double cos_w, alpha;
};

static struct prototype prototype_of(double rate_hz, double hz, double q)
{
	double w = 2.0 * M_PI * fmin(hz / rate_hz, BIQUAD_HZ_MAX);

	return (struct prototype){ .cos_w = cos(w), .alpha = sin(w) / (2.0 * q) };
}

/* Numerator and denominator as the cookbook has them, not yet divided by a0. */
static void set(struct biquad *biquad, const double b[3], const double a[3])
{
	*biquad = (struct biquad){
		.b0 = b[0] / a[0],
		.b1 = b[1] / a[0],
		.b2 = b[2] / a[0],
		.a1 = a[1] / a[0],
		.a2 = a[2] / a[0],
	};
}

void biquad_high_pass(struct biquad *biquad, double rate_hz, double hz, double q)
{
	struct prototype p = prototype_of(rate_hz, hz, q);
	double b = 1.0 + p.cos_w;

	set(biquad, (double[]){ b / 2.0, -b, b / 2.0 },
		(double[]){ 1.0 + p.alpha, -2.0 * p.cos_w, 1.0 - p.alpha });
}

void biquad_peaking(struct biquad *biquad, double rate_hz, double hz, double q, double gain_db)
{
	struct prototype p = prototype_of(rate_hz, hz, q);
	double amplitude = pow(10.0, gain_db / 40.0);

	set(biquad,
		(double[]){ 1.0 + p.alpha * amplitude, -2.0 * p.cos_w, 1.0 - p.alpha * amplitude },
		(double[]){ 1.0 + p.alpha / amplitude, -2.0 * p.cos_w, 1.0 - p.alpha / amplitude });
}

/* The two shelves are mirror images: `side` 1 is low, −1 is high. */
static void shelf(struct biquad *biquad, double rate_hz, double hz, double gain_db, double side)
{
	struct prototype p = prototype_of(rate_hz, hz, M_SQRT1_2);
	double amplitude = pow(10.0, gain_db / 40.0);
	double above = amplitude + 1.0, below = amplitude - 1.0, cos_w = side * p.cos_w;
	double turn = 2.0 * sqrt(amplitude) * p.alpha;

	set(biquad,
		(double[]){
			amplitude * (above - below * cos_w + turn),
			side * 2.0 * amplitude * (below - above * cos_w),
			amplitude * (above - below * cos_w - turn),
		},
		(double[]){
			above + below * cos_w + turn,
			side * -2.0 * (below + above * cos_w),
			above + below * cos_w - turn,
		});
}

void biquad_low_shelf(struct biquad *biquad, double rate_hz, double hz, double gain_db)
{
	shelf(biquad, rate_hz, hz, gain_db, 1.0);
}

void biquad_high_shelf(struct biquad *biquad, double rate_hz, double hz, double gain_db)
{
	shelf(biquad, rate_hz, hz, gain_db, -1.0);
}

void biquad_butterworth_high_pass(
	struct biquad sections[BIQUAD_BUTTERWORTH_4], double rate_hz, double hz)
{
	for (int i = 0; i < BIQUAD_BUTTERWORTH_4; i++) {
		double angle = M_PI * (2 * i + 1) / 8.0;
		biquad_high_pass(&sections[i], rate_hz, hz, 1.0 / (2.0 * cos(angle)));
	}
}

static double flushed(double state)
{
	return fabs(state) < TINY ? 0.0 : state;
}

/* `sections` is a constant at each call, so that all of them stay in registers and the next frame's
 * first section need not wait for this frame's last. */
static inline __attribute__((always_inline)) void run(
	struct biquad *f, size_t sections, float *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		double x = mix_finite(frames[i]);
		for (size_t k = 0; k < sections; k++) {
			double out = f[k].b0 * x + f[k].z1;
			f[k].z1 = f[k].b1 * x + f[k].z2 - f[k].a1 * out;
			f[k].z2 = f[k].b2 * x - f[k].a2 * out;
			x = out;
		}
		frames[i] = (float)x;
	}
}

static inline __attribute__((always_inline)) void run_flushing(
	struct biquad *biquads, size_t sections, float *frames, size_t count)
{
	struct biquad f[BIQUAD_SECTIONS_MAX]; /* in registers */

	memcpy(f, biquads, sections * sizeof *f);
	for (size_t done = 0; done < count;) {
		size_t size = FLUSH_FRAMES - f[0].flushed;
		if (size > count - done)
			size = count - done;
		run(f, sections, frames + done, size);
		done += size;
		f[0].flushed = (f[0].flushed + (unsigned)size) % FLUSH_FRAMES;
		for (size_t k = 0; f[0].flushed == 0 && k < sections; k++) {
			f[k].z1 = flushed(f[k].z1);
			f[k].z2 = flushed(f[k].z2);
		}
	}
	memcpy(biquads, f, sections * sizeof *f);
}

void biquad_run_series(struct biquad *biquads, size_t sections, float *frames, size_t count)
{
	_Static_assert(BIQUAD_SECTIONS_MAX == 3, "a case for each");
	switch (sections) {
	case 1:
		run_flushing(biquads, 1, frames, count);
		break;
	case 2:
		run_flushing(biquads, 2, frames, count);
		break;
	case 3:
		run_flushing(biquads, 3, frames, count);
		break;
	default:
		break;
	}
}

void biquad_run(struct biquad *biquad, float *frames, size_t count)
{
	run_flushing(biquad, 1, frames, count);
}

void biquad_reset(struct biquad *biquad)
{
	biquad->z1 = biquad->z2 = 0.0;
	biquad->flushed = 0;
}

double biquad_response_db(const struct biquad *biquad, double rate_hz, double hz)
{
	double complex z = cexp(-I * 2.0 * M_PI * hz / rate_hz); /* one frame of delay */
	double complex over = biquad->b0 + z * (biquad->b1 + z * biquad->b2);
	double complex under = 1.0 + z * (biquad->a1 + z * biquad->a2);

	return 20.0 * log10(cabs(over / under));
}
