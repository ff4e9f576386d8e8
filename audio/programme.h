/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A programme: the sound of one announcement on one output, as a stream of frames between the
 * renderer that makes it (producer) and the device thread that plays it (consumer). Mono float,
 * full scale ±1.0, at the device's rate. One producer, one consumer, no locks: a ring of a few
 * seconds, so memory stays flat however long the text, with back-pressure both ways:
 *
 *   - full ring:  the producer polls programme_space_fd(); the consumer writes it when half is free
 *   - empty ring: the consumer says it is starving; the next push kicks its wake-up descriptor
 *
 * Ownership: main creates it, lends it to a renderer and a device, and frees it when the renderer
 * has been joined and the device has given it back (DEVICE_ENDED). Functions are marked with the
 * thread that may call them; nothing here blocks or allocates after programme_new().
 *
 * A frame's position is its index since the programme's first frame. The frames of a programme
 * are what the listener is meant to hear (chime, speech, pauses, chime): preroll silence and
 * padding are the device's business and do not count.
 */
#pragma once

#include "base/cleanup.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAMME_RING_SECONDS 4

struct programme;

/* `rate_hz` of the device; `marks` is the number of items the rundown has (positions of their
 * first frames are kept for resuming). `start_mono_us`: when the first frame is to leave the
 * device, or TIME_UNSET for at once; may be changed with programme_set_start() until it is handed
 * to a device. NULL with errno. */
struct programme *programme_new(unsigned rate_hz, size_t marks, int64_t start_mono_us) _must_check_;
struct programme *programme_free(struct programme *programme);
DEFINE_CLEANUP(struct programme *, programme_free)

/* --- main (before hand-over) ---------------------------------------------------------------- */
void programme_set_start(struct programme *programme, int64_t start_mono_us);
/* Gain of this announcement, added to the output's. */
void programme_set_gain_db(struct programme *programme, double gain_db);

/* --- main (any time) ------------------------------------------------------------------------ */
/* Asks the device to fade out (PROGRAMME_FADE_MS) and give the programme back, and the producer
 * to stop. */
#define PROGRAMME_FADE_MS 40
void programme_abort(struct programme *programme);
unsigned programme_rate_hz(const struct programme *programme);
/* Frames pushed so far; with *ret_complete, whether the producer has finished (then this is the
 * programme's length). */
uint64_t programme_frames_pushed(const struct programme *programme, bool *ret_complete);
/* Index of the item that sounds at `frame` (the last mark at or before it); 0 before the first. */
size_t programme_item_at(const struct programme *programme, uint64_t frame);
/* Position of the first frame of `item`; PROGRAMME_NO_FRAME: it has not begun (or was left out). */
#define PROGRAMME_NO_FRAME UINT64_MAX
uint64_t programme_mark_frame(const struct programme *programme, size_t item);

/* --- producer (renderer) -------------------------------------------------------------------- */
/* Frames that can be pushed now. */
size_t programme_space_frames(const struct programme *programme);
/* Frames pushed and not yet pulled: how far the producer is ahead. */
size_t programme_lead_frames(const struct programme *programme);
/* Copies up to `count` frames in, returns how many fitted. */
size_t programme_push(struct programme *programme, const float *frames, size_t count);
/* The item `item` begins with frame `frame`, which has not been pushed yet (and may have others
 * before it that have not). Items are marked in order, once. A producer that throws its first frames
 * away (a late joiner, tts/renderer.h) counts those, too; then who asks for an item must add them. */
void programme_mark(struct programme *programme, size_t item, uint64_t frame);
/* No more frames will come. */
void programme_complete(struct programme *programme);
/* Asks for a wake-up on programme_space_fd() when half of the ring is free (or on abort). To be
 * called before polling; clears an earlier wake-up. */
void programme_want_space(struct programme *programme);
int programme_space_fd(const struct programme *programme);

/* --- both ------------------------------------------------------------------------------------ */
bool programme_aborted(const struct programme *programme);

/* --- consumer (device thread, or a command that writes a file) ---------------------------------
 */
/* Copies up to `count` frames out, returns how many there were. */
size_t programme_pull(struct programme *programme, float *ret_frames, size_t count);
/* Copies up to `count` frames from `ahead` frames after the next one on, and leaves all of them in
 * place; returns how many there were. */
size_t programme_peek(
	const struct programme *programme, size_t ahead, float *ret_frames, size_t count);
/* Leaves out up to `count` frames that programme_peek() has shown. */
void programme_skip(struct programme *programme, size_t count);
/* True when complete and every frame was pulled. */
bool programme_drained(const struct programme *programme);
/* Asks for a wake-up when frames or completion come; returns whether there is something already
 * (then no wake-up follows). A programme_pull() that found too few has asked for it, too. */
bool programme_want_frames(struct programme *programme);
/* An eventfd to be written for such a wake-up and on abort. Set before the hand-over. It is
 * duplicated, so that a producer who is still pushing may outlive the device. 0 or -errno. */
int programme_set_wake_fd(struct programme *programme, int wake_fd);
int64_t programme_start_mono_us(const struct programme *programme);
float programme_gain(const struct programme *programme); /* linear */
