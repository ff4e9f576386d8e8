/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a device was given, lately: the mixed frames, numbered from the opening of the device, in
 * a ring. Frames that the device would not take yet wait here; frames that it took but lost (a
 * suspend, an xrun) are written again from here, so that no word is lost or repeated (FAULTS B4).
 * Device thread only; a value embedded in struct device.
 *
 *      … written and heard …|… written, in the device …|… mixed, not yet written …|
 *                           ^ heard (device thread)     ^ written                  ^ mixed
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct tape {
	float *frames;   /* interleaved */
	size_t capacity; /* frames */
	unsigned channels;
	uint64_t mixed;
	uint64_t written;
};

/* Remembers `keep` written frames, besides one chunk of `chunk` that is not written yet. */
void tape_init(struct tape *tape, unsigned channels, size_t keep, size_t chunk);
void tape_done(struct tape *tape);

/* Where the next frames go: zeroed room for up to `wanted` of them in one piece. tape_mixed()
 * says that they are there. Only while nothing is pending. */
float *tape_room(struct tape *tape, size_t wanted, size_t *ret_frames);
void tape_mixed(struct tape *tape, size_t frames);

/* What is to be written next, in one piece; *ret_frames 0: nothing. */
const float *tape_pending(const struct tape *tape, size_t *ret_frames);
void tape_wrote(struct tape *tape, size_t frames);

/* The last `unheard` frames written must be written again. */
void tape_rewind(struct tape *tape, size_t unheard);
/* Nothing is pending any more: the silence at the end is not needed. */
void tape_skip_pending(struct tape *tape);
