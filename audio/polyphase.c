/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/polyphase.h"
#include "base/strbuf.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define LANES        4
#define UNROLL       (4 * LANES)
#define TAPS         64
#define CUTOFF       0.88 /* of half the lower rate: −6 dB, in the middle of the slope */
#define INPUT_FRAMES 512  /* taken at once */

/* Anywhere in memory. */
typedef float lanes
	__attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));

struct polyphase {
	unsigned up, down; /* the ratio; `up` phases */
	size_t taps;       /* of a phase; a multiple of UNROLL */
	float *table;      /* phase by phase */

	float *input; /* `room` frames, `filled` of them known */
	size_t room, filled;
	size_t at;      /* the next frame's window begins there; it may be beyond what is known */
	unsigned phase; /* of the next frame */
	size_t ahead;   /* frames of silence behind the last that are still to be made up */
};

static unsigned common_divisor(unsigned a, unsigned b)
{
	while (b > 0) {
		unsigned rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* Blackman and Harris's window of four terms (Harris, Proc. IEEE 66, 1978) at −1…1. */
static double window(double x)
{
	double c = cos(M_PI * x);

	return 0.35875 + 0.48829 * c + 0.14128 * (2.0 * c * c - 1.0) +
	       0.01168 * (4.0 * c * c * c - 3.0 * c);
}

/* At `t` frames of the source from the middle; `cutoff` is of its rate. */
static double impulse(double t, double cutoff, double half_length)
{
	double x = 2.0 * M_PI * cutoff * t;

	if (fabs(t) >= half_length)
		return 0.0;
	return (fabs(x) < 1e-9 ? 1.0 : sin(x) / x) * window(t / half_length);
}

static void compute_phase(struct polyphase *polyphase, unsigned phase, double cutoff)
{
	float *row = polyphase->table + phase * polyphase->taps;
	double half_length = (double)polyphase->taps / 2.0;
	double first = 1.0 - half_length - (double)phase / polyphase->up;

	for (size_t i = 0; i < polyphase->taps; i++)
		row[i] = (float)(2.0 * cutoff * impulse(first + (double)i, cutoff, half_length));
}

struct polyphase *polyphase_new(unsigned from_hz, unsigned to_hz)
{
	if (from_hz == 0 || to_hz == 0) {
		errno = EDOM;
		return NULL;
	}
	unsigned divisor = common_divisor(from_hz, to_hz);
	double narrower = to_hz < from_hz ? (double)to_hz / from_hz : 1.0;
	size_t taps = ((size_t)ceil(TAPS / narrower) + UNROLL - 1) / UNROLL * UNROLL;

	if (to_hz / divisor * taps > POLYPHASE_TABLE_MAX) {
		errno = EDOM;
		return NULL;
	}
	struct polyphase *polyphase = xcalloc(1, sizeof *polyphase);
	*polyphase = (struct polyphase){
		.up = to_hz / divisor,
		.down = from_hz / divisor,
		.taps = taps,
		.table = xcalloc(to_hz / divisor * taps, sizeof(float)),
		.room = taps + INPUT_FRAMES,
		.input = xcalloc(taps + INPUT_FRAMES, sizeof(float)),
	};
	for (unsigned phase = 0; phase < polyphase->up; phase++)
		compute_phase(polyphase, phase, 0.5 * narrower * CUTOFF);
	polyphase_reset(polyphase);
	return polyphase;
}

struct polyphase *polyphase_free(struct polyphase *polyphase)
{
	if (polyphase) {
		free(polyphase->table);
		free(polyphase->input);
	}
	free(polyphase);
	return NULL;
}

void polyphase_reset(struct polyphase *polyphase)
{
	polyphase->filled = polyphase->taps / 2 - 1;
	polyphase->ahead = polyphase->taps / 2;
	polyphase->at = polyphase->phase = 0;
	memset(polyphase->input, 0, polyphase->filled * sizeof *polyphase->input);
}

static float sum_of_products(const float *row, const float *frames, size_t count)
{
	lanes sum[UNROLL / LANES] = { 0 };

	for (size_t i = 0; i < count; i += UNROLL)
		for (size_t k = 0; k < UNROLL / LANES; k++)
			sum[k] += *(const lanes *)(row + i + LANES * k) *
				  *(const lanes *)(frames + i + LANES * k);
	lanes total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
	return (total[0] + total[1]) + (total[2] + total[3]);
}

static size_t give(struct polyphase *polyphase, float *ret_frames, size_t space)
{
	size_t whole = polyphase->down / polyphase->up, given = 0;
	unsigned rest = polyphase->down % polyphase->up;

	while (given < space && polyphase->at + polyphase->taps <= polyphase->filled) {
		ret_frames[given++] = sum_of_products(
			polyphase->table + polyphase->phase * polyphase->taps,
			polyphase->input + polyphase->at, polyphase->taps);
		polyphase->at += whole;
		polyphase->phase += rest;
		if (polyphase->phase >= polyphase->up) {
			polyphase->phase -= polyphase->up;
			polyphase->at++;
		}
	}
	return given;
}

/* What no window needs any more makes room. */
static void forget(struct polyphase *polyphase)
{
	size_t old = polyphase->at < polyphase->filled ? polyphase->at : polyphase->filled;

	polyphase->filled -= old;
	polyphase->at -= old;
	memmove(polyphase->input, polyphase->input + old,
		polyphase->filled * sizeof *polyphase->input);
}

/* `frames` NULL: silence. Returns how many were taken. */
static size_t take(struct polyphase *polyphase, const float *frames, size_t count)
{
	forget(polyphase);
	if (count > polyphase->room - polyphase->filled)
		count = polyphase->room - polyphase->filled;
	float *into = polyphase->input + polyphase->filled;
	if (frames)
		memcpy(into, frames, count * sizeof *into);
	else
		memset(into, 0, count * sizeof *into);
	polyphase->filled += count;
	return count;
}

size_t polyphase_run(struct polyphase *polyphase, const float *frames, size_t count, bool last,
	size_t *ret_used, float *ret_frames, size_t space)
{
	size_t used = 0, given = 0;

	for (;;) {
		given += give(polyphase, ret_frames + given, space - given);
		if (given == space)
			break;
		if (used < count)
			used += take(polyphase, frames + used, count - used);
		else if (last && polyphase->ahead > 0)
			polyphase->ahead -= take(polyphase, NULL, polyphase->ahead);
		else
			break;
	}
	if (last && given == 0 && space > 0)
		polyphase_reset(polyphase);
	*ret_used = used;
	return given;
}
