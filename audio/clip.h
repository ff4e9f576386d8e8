/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sound file decoded whole: a chime or a bed. Mono float at the rate asked for (channels are
 * averaged, libsamplerate converts). Read through audio/recording.h. Pure but for the file.
 * A malformed, enormous or silent file is an error, never a crash, and costs no memory beyond
 * CLIP_SECONDS_MAX (FAULTS B6).
 */
#pragma once

#include "base/error.h"
#include <stddef.h>

#define CLIP_SECONDS_MAX    60
#define CLIP_FILE_BYTES_MAX (32 * 1024 * 1024)

struct clip {
	float *frames;
	size_t count;
	unsigned rate_hz;
};

/* Any thread. -ENOENT, -EINVAL (not sound), -EFBIG (too long), with *error. */
int clip_load(const char *path, unsigned rate_hz, struct clip *ret_clip,
	struct error *error) _must_check_;
void clip_done(struct clip *clip);

/* Reads only the header: exists, is sound, within limits. *ret_seconds may be NULL. */
int clip_check(const char *path, double *ret_seconds, struct error *error) _must_check_;

/* Index of the frame from which the clip has decayed: the level in windows of 20 ms stays below
 * `below_db` relative to the loudest window until the end. Speech may begin there, over the tail.
 */
size_t clip_tail_frame(const struct clip *clip, double below_db);
