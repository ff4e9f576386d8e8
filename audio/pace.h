/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a card keeps time, and what to do about it. A card plays its 48,000 frames in a second of its
 * own, up to some hundred millionths longer or shorter than the node's. From what the card says of
 * its delay, again and again, this learns when which frame will leave it and how fast its clock is;
 * from how late a programme is it says how much faster to play it. Pure: positions are frame numbers
 * on the device's tape, time comes in as an argument. A value; device thread.
 *
 * What a card says of its delay may be old by a whole period, and a thread may be kept from looking
 * at its clock after it has asked: an error is always towards later. So of each second only the
 * earliest answer counts; those go into a second-order loop (an α–β filter that begins with a
 * growing memory and goes on with a fading one).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The most by which a programme is played faster or slower: 1 cent, where a trained ear needs five. */
#define PACE_STEP_MAX_PPM 600.0
/* No card's clock is worse. */
#define PACE_CARD_MAX_PPM 500.0
/* A lateness is worked off within so long (its e-th part is left). */
#define PACE_WORK_OFF_S 5.0
/* Lateness that pauses are shortened or lengthened for. */
#define PACE_PAUSE_US 4000.0
/* Whoever is so late is not in step any more, and goes on as he is. */
#define PACE_LOST_US 2000000.0

struct pace {
	double rate_hz;
	/* of the card */
	double card_ppm;  /* how much faster it is than its rate says */
	unsigned learned; /* seconds that went into it */
	/* since it was started */
	bool knows;
	bool unpaced;         /* it swallows frames faster than time goes */
	int64_t settled_us;   /* what it says counts from then on; TIME_UNSET: nothing said yet */
	int64_t window_us;    /* the present window's begin… */
	uint64_t base_at;     /* this frame… */
	double base_us;       /* …leaves at this instant */
	double least_us;      /* the window's least difference from that… */
	unsigned differences; /* …of so many */
	unsigned windows;
};

/* A card that nothing is known of. */
void pace_init(struct pace *pace, unsigned rate_hz);
/* It was stopped, started again, or lost time: what is known of its clock stays. */
void pace_restart(struct pace *pace);

/* The card says, at `now_us`, that frame `at` will leave it at `due_us`. */
void pace_observe(struct pace *pace, uint64_t at, int64_t due_us, int64_t now_us);

/* Whether enough was said. */
bool pace_knows(const struct pace *pace);
/* When frame `at` leaves the card, µs. Only if pace_knows(). */
double pace_due_us(const struct pace *pace, uint64_t at);

/* Frames of a programme that is so late (negative: early) for each frame of the card. 1 exactly if
 * nothing is known. */
double pace_step(const struct pace *pace, double late_us);
/* Frames to leave out (negative: to put in) where there is silence; 0 when the step will do. */
int64_t pace_pause_frames(const struct pace *pace, double late_us);
