/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/tape.h"
#include "base/strbuf.h"

#include <string.h>

void tape_init(struct tape *tape, unsigned channels, size_t keep, size_t chunk)
{
	*tape = (struct tape){
		.capacity = keep + 2 * chunk,
		.channels = channels,
	};
	tape->frames = xcalloc(tape->capacity * channels, sizeof *tape->frames);
}

void tape_done(struct tape *tape)
{
	free(tape->frames);
	*tape = (struct tape){ 0 };
}

/* Frames from `position` to the end of the ring, at most `wanted`. */
static size_t in_one_piece(const struct tape *tape, uint64_t position, uint64_t wanted)
{
	uint64_t room = tape->capacity - position % tape->capacity;

	return (size_t)(wanted < room ? wanted : room);
}

static float *at(const struct tape *tape, uint64_t position)
{
	return tape->frames + (position % tape->capacity) * tape->channels;
}

float *tape_room(struct tape *tape, size_t wanted, size_t *ret_frames)
{
	size_t frames = in_one_piece(tape, tape->mixed, wanted);
	float *room = at(tape, tape->mixed);

	memset(room, 0, frames * tape->channels * sizeof *room);
	*ret_frames = frames;
	return room;
}

void tape_mixed(struct tape *tape, size_t frames)
{
	tape->mixed += frames;
}

const float *tape_pending(const struct tape *tape, size_t *ret_frames)
{
	*ret_frames = in_one_piece(tape, tape->written, tape->mixed - tape->written);
	return at(tape, tape->written);
}

void tape_wrote(struct tape *tape, size_t frames)
{
	tape->written += frames;
}

void tape_rewind(struct tape *tape, size_t unheard)
{
	uint64_t pending = tape->mixed - tape->written;
	uint64_t kept = tape->capacity - pending;

	if (kept > tape->written)
		kept = tape->written;
	tape->written -= unheard < kept ? unheard : kept;
}

void tape_skip_pending(struct tape *tape)
{
	tape->written = tape->mixed;
}
