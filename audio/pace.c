/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/pace.h"
#include "base/clock.h"

#include <math.h>

#define SETTLING_US       (50 * US_PER_MS)  /* what is said right after a start is not believed */
#define FIRST_WINDOW_US   (250 * US_PER_MS) /* in which the earliest counts at once */
#define WINDOW_US         (1 * US_PER_SEC)
#define WINDOW_LEAST      8        /* answers that a window needs */
#define JUMP_US           10000.0  /* no clock does that: the card lost time without saying so */
#define UNPACED_US        200000.0 /* the tape runs away from time by so much */
#define LEARNED_BEFORE    8        /* "no error" counts as so many seconds of experience */
#define LEARNED_ENOUGH    24       /* from then on the memory fades instead of growing */
#define OFFSET_GAIN_LEAST 0.15
#define RATE_GAIN_LEAST   (OFFSET_GAIN_LEAST * OFFSET_GAIN_LEAST / 4) /* critically damped */

void pace_init(struct pace *pace, unsigned rate_hz)
{
	*pace = (struct pace){ .rate_hz = rate_hz, .settled_us = TIME_UNSET };
}

void pace_restart(struct pace *pace)
{
	*pace = (struct pace){
		.rate_hz = pace->rate_hz,
		.card_ppm = pace->card_ppm,
		.learned = pace->learned,
		.settled_us = TIME_UNSET,
	};
}

static double clamp(double value, double most)
{
	return value > most ? most : value < -most ? -most : value;
}

static void begin_window(struct pace *pace, int64_t now_us)
{
	pace->window_us = now_us;
	pace->least_us = INFINITY;
	pace->differences = 0;
}

static void begin(struct pace *pace, uint64_t at, int64_t due_us, int64_t now_us)
{
	pace->knows = true;
	pace->base_at = at;
	pace->base_us = (double)due_us;
	pace->windows = 0;
	begin_window(pace, now_us);
}

/* The gains of a line through k points, each as good as the other, for the k-th. */
static double offset_gain(const struct pace *pace)
{
	double k = pace->learned < LEARNED_ENOUGH ? LEARNED_BEFORE + pace->learned
						  : 2 * (1 + pace->windows);
	double gain = 2 * (2 * k - 1) / (k * (k + 1));

	return gain > OFFSET_GAIN_LEAST ? gain : OFFSET_GAIN_LEAST;
}

static double rate_gain(const struct pace *pace)
{
	double k = LEARNED_BEFORE + pace->learned;
	double gain = 6 / (k * (k + 1));

	return gain > RATE_GAIN_LEAST ? gain : RATE_GAIN_LEAST;
}

/* What the window has taught. */
static void end_window(struct pace *pace, uint64_t at, int64_t now_us)
{
	double off_us = pace->least_us;
	double seconds = (double)(now_us - pace->window_us) / US_PER_SEC;
	bool jumped = fabs(off_us) > JUMP_US;
	double gain = jumped ? 1 : offset_gain(pace);

	pace->base_us = pace_due_us(pace, at) + gain * off_us;
	pace->base_at = at;
	if (pace->windows > 0 && !jumped) {
		pace->card_ppm = clamp(
			pace->card_ppm - rate_gain(pace) * off_us / seconds, PACE_CARD_MAX_PPM);
		pace->learned++;
	}
	pace->windows = jumped ? 1 : pace->windows + 1;
	begin_window(pace, now_us);
}

void pace_observe(struct pace *pace, uint64_t at, int64_t due_us, int64_t now_us)
{
	if (pace->settled_us == TIME_UNSET)
		pace->settled_us = now_us + SETTLING_US;
	if (pace->unpaced || now_us < pace->settled_us)
		return;
	if (!pace->knows) {
		begin(pace, at, due_us, now_us);
		return;
	}
	double off_us = (double)due_us - pace_due_us(pace, at);
	if (off_us < -UNPACED_US) {
		pace->unpaced = true;
		pace->knows = false;
		return;
	}
	if (pace->windows == 0 && off_us < 0) {
		pace->base_us += off_us;
		off_us = 0;
	}
	if (off_us < pace->least_us)
		pace->least_us = off_us;
	pace->differences++;
	int64_t length_us = pace->windows == 0 ? FIRST_WINDOW_US : WINDOW_US;
	if (now_us - pace->window_us < length_us || pace->differences < WINDOW_LEAST)
		return;
	if (pace->windows == 0)
		pace->least_us = 0;
	end_window(pace, at, now_us);
}

bool pace_knows(const struct pace *pace)
{
	return pace->knows;
}

double pace_due_us(const struct pace *pace, uint64_t at)
{
	double frames = (double)((int64_t)(at - pace->base_at));

	return pace->base_us +
	       frames * (double)US_PER_SEC / pace->rate_hz * (1 - pace->card_ppm * 1e-6);
}

double pace_step(const struct pace *pace, double late_us)
{
	if (!pace->knows)
		return 1;
	double catch_up_ppm = fabs(late_us) < PACE_LOST_US ? late_us / PACE_WORK_OFF_S : 0;

	return 1 + 1e-6 * clamp(catch_up_ppm - pace->card_ppm, PACE_STEP_MAX_PPM);
}

int64_t pace_pause_frames(const struct pace *pace, double late_us)
{
	if (!pace->knows || fabs(late_us) < PACE_PAUSE_US || fabs(late_us) >= PACE_LOST_US)
		return 0;
	return (int64_t)(late_us * pace->rate_hz / (double)US_PER_SEC);
}
