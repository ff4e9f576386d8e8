/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/chimes/room.h"

#include "base/cleanup.h"
#include "base/strbuf.h"

#include <math.h>

#define DELAY_MAX        4096 /* frames: 85 ms */
#define REVERBERATION_S  0.9  /* to −60 dB */
#define COMBS            4
#define COMB_DAMPING     0.25
#define ALLPASS_FEEDBACK 0.7

struct delay {
	double frames[DELAY_MAX];
	size_t at, length;
	double feedback;
	double damped; /* of a comb: what its low-pass holds */
};

struct room {
	struct delay reflections;
	struct delay combs[COMBS];
	struct delay allpasses[2];
};

static const struct reflection {
	double ms, level;
} reflections[] = { { 11.3, 0.45 }, { 19.7, -0.35 }, { 31.9, 0.28 }, { 47.1, -0.20 } };

/* Schroeder's: without a common divisor. */
static const double comb_ms[COMBS] = { 29.7, 37.1, 41.1, 43.7 };
static const double allpass_ms[] = { 5.0, 1.7 };

static size_t frames_of_ms(double ms)
{
	return (size_t)lrint(ms * RATE_HZ / 1000.0);
}

/* What is fed back loses 60 dB within REVERBERATION_S. */
static double feedback_of(size_t length)
{
	return pow(10.0, -3.0 * (double)length / (REVERBERATION_S * RATE_HZ));
}

static struct room *room_new(void)
{
	struct room *room = xcalloc(1, sizeof *room);

	room->reflections.length = DELAY_MAX;
	for (size_t i = 0; i < countof(comb_ms); i++) {
		room->combs[i].length = frames_of_ms(comb_ms[i]);
		room->combs[i].feedback = feedback_of(room->combs[i].length);
	}
	for (size_t i = 0; i < countof(allpass_ms); i++) {
		room->allpasses[i].length = frames_of_ms(allpass_ms[i]);
		room->allpasses[i].feedback = ALLPASS_FEEDBACK;
	}
	return room;
}

/* The delayed frame goes out, a new one comes in. */
static void put(struct delay *delay, double frame)
{
	delay->frames[delay->at] = frame;
	delay->at = (delay->at + 1) % delay->length;
}

static double early(struct delay *delay, double in)
{
	double out = 0.0;

	for (size_t i = 0; i < countof(reflections); i++) {
		size_t back = frames_of_ms(reflections[i].ms);
		out += reflections[i].level *
		       delay->frames[(delay->at + delay->length - back) % delay->length];
	}
	put(delay, in);
	return out;
}

static double comb(struct delay *delay, double in)
{
	double out = delay->frames[delay->at];

	delay->damped = out + COMB_DAMPING * (delay->damped - out);
	put(delay, in + delay->feedback * delay->damped);
	return out;
}

static double allpass(struct delay *delay, double in)
{
	double held = delay->frames[delay->at];
	double inner = in + delay->feedback * held;

	put(delay, inner);
	return held - delay->feedback * inner;
}

static double room_next(struct room *room, double in)
{
	double first = early(&room->reflections, in);
	double late = 0.0;

	for (size_t i = 0; i < countof(room->combs); i++)
		late += comb(&room->combs[i], in) / COMBS;
	for (size_t i = 0; i < countof(room->allpasses); i++)
		late = allpass(&room->allpasses[i], late);
	return first + late;
}

void room_apply(struct sound *sound, double wet)
{
	_cleanup_(freep) struct room *room = room_new();

	for (size_t i = 0; sound->loop && i < sound->count; i++)
		(void)room_next(room, sound->frames[i]);
	for (size_t i = 0; i < sound->count; i++)
		sound->frames[i] += wet * room_next(room, sound->frames[i]);
}
