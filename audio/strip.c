/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/strip.h"
#include "audio/mix.h"
#include "base/strbuf.h"

#include <errno.h>
#include <string.h>

struct strip {
	struct leveller *leveller;
	struct levels *levels;
	size_t ahead_frames, edge_frames;

	char *key;      /* of the source; NULL: not to be remembered */
	bool measured;  /* its level is known */
	bool measuring; /* until it is, all of the piece is held */
	bool soft;      /* what is given next begins softly */
	float *held;    /* room for ahead_frames + 2 edge_frames + STRIP_TAKE_MAX */
	size_t count;   /* of the frames held */
	size_t given;   /* of these, by the last call: they go at the next */
};

struct strip *strip_new(unsigned rate_hz, const struct chain_config *config, unsigned ahead_ms,
	struct levels *levels)
{
	_cleanup_(strip_freep) struct strip *strip = xcalloc(1, sizeof *strip);

	strip->levels = levels;
	strip->ahead_frames = (size_t)rate_hz * ahead_ms / 1000;
	strip->edge_frames = (size_t)rate_hz * STRIP_EDGE_MS / 1000;
	strip->leveller = leveller_new(rate_hz, config);
	if (!strip->leveller)
		return NULL;
	strip->held = xcalloc(
		strip->ahead_frames + 2 * strip->edge_frames + STRIP_TAKE_MAX, sizeof *strip->held);
	return hand_over(strip);
}

struct strip *strip_free(struct strip *strip)
{
	if (strip) {
		leveller_free(strip->leveller);
		free(strip->key);
		free(strip->held);
	}
	free(strip);
	return NULL;
}

/* The next piece of that source begins where this one has ended. */
static void keep_level(struct strip *strip)
{
	if (strip->key && strip->measured)
		levels_note(strip->levels, strip->key, leveller_gain_db(strip->leveller));
}

static void begin(struct strip *strip, const char *key)
{
	bool same = key && strip->key && strcmp(strip->key, key) == 0;
	double gain_db;

	if (!same) {
		free(strip->key);
		strip->key = key ? xstrdup(key) : NULL;
		strip->measured = key && levels_find(strip->levels, key, &gain_db);
		if (strip->measured)
			leveller_set_gain_db(strip->leveller, gain_db);
		else
			leveller_forget(strip->leveller);
	}
	strip->measuring = !strip->measured;
	strip->count = strip->given = 0;
	strip->soft = true;
}

void strip_begin(struct strip *strip, const char *key)
{
	begin(strip, key);
	if (strip->measured)
		(void)!leveller_begin(strip->leveller, NULL, 0, false); /* as it was, at worst */
}

/* The level of the `count` frames that are known; `whole`: they are the piece. */
static void measure(struct strip *strip, const float *frames, size_t count, bool whole)
{
	/* Without memory the gain stays as it was: better at a wrong level than not at all. */
	(void)!leveller_begin(strip->leveller, frames, count, whole);
	strip->measuring = false;
	strip->measured = leveller_knows(strip->leveller); /* silence teaches nothing */
}

/* What was given by the call before goes. */
static void forget_given(struct strip *strip)
{
	strip->count -= strip->given;
	memmove(strip->held, strip->held + strip->given, strip->count * sizeof *strip->held);
	strip->given = 0;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The first that is given of a piece has its soft beginning in it: an edge is always held back. */
static size_t give(struct strip *strip, size_t count, const float **ret_frames)
{
	if (count > 0 && strip->soft) {
		mix_fade_in(
			strip->held, strip->count, smaller(strip->edge_frames, strip->count / 2));
		strip->soft = false;
	}
	*ret_frames = strip->held;
	strip->given = count;
	return count;
}

static size_t give_to_the_end(struct strip *strip, const float **ret_frames)
{
	size_t count = give(strip, strip->count, ret_frames);

	mix_fade_out(strip->held, count, smaller(strip->edge_frames, (count + 1) / 2));
	strip->soft = true;
	return count;
}

size_t strip_run(struct strip *strip, const float *frames, size_t count, const float **ret_frames)
{
	forget_given(strip);
	float *new = strip->held + strip->count;
	memcpy(new, frames, count * sizeof *frames);
	strip->count += count;
	if (!strip->measuring) {
		leveller_run(strip->leveller, new, count);
	} else if (strip->count >= strip->ahead_frames) {
		measure(strip, strip->held, strip->count, false);
		leveller_run(strip->leveller, strip->held, strip->count);
	}
	if (strip->measuring || strip->count <= 2 * strip->edge_frames)
		return give(strip, 0, ret_frames);
	return give(strip, strip->count - strip->edge_frames, ret_frames);
}

size_t strip_pause(struct strip *strip, const float **ret_frames)
{
	forget_given(strip);
	return strip->measuring ? give(strip, 0, ret_frames) : give_to_the_end(strip, ret_frames);
}

size_t strip_end(struct strip *strip, const float **ret_frames)
{
	forget_given(strip);
	if (strip->measuring && strip->count > 0) {
		measure(strip, strip->held, strip->count, true);
		leveller_run(strip->leveller, strip->held, strip->count);
	}
	keep_level(strip);
	return give_to_the_end(strip, ret_frames);
}

void strip_whole(struct strip *strip, const char *key, float *frames, size_t count)
{
	size_t fade = smaller(strip->edge_frames, count / 2);

	begin(strip, key);
	if (strip->measuring)
		measure(strip, frames, count, true);
	else
		(void)!leveller_begin(strip->leveller, NULL, 0, true);
	leveller_run(strip->leveller, frames, count);
	mix_fade_in(frames, count, fade);
	mix_fade_out(frames, count, fade);
	keep_level(strip);
}
