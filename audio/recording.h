/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sound file decoded as a stream: a recording, of up to two hours, in blocks; memory stays flat
 * however long it is. Mono float at the file's own rate (channels are averaged). By libsndfile;
 * this is its only user (audio/clip.h reads through it). A malformed file ends in an error, never
 * in a crash (FAULTS B6): what could be read of it comes first.
 *
 * An object belongs to one thread at a time. (libsndfile 1.2.0 loses some kilobytes over certain
 * broken ogg files: whoever opens what strangers send should do it once for each file.)
 */
#pragma once

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

#define RECORDING_BYTES_MAX    (16 * 1024 * 1024) /* of a file: what a node takes over the network */
#define RECORDING_SECONDS_MAX  7200
#define RECORDING_CHANNELS_MAX 8
#define RECORDING_RATE_MIN_HZ  4000
#define RECORDING_RATE_MAX_HZ  192000

struct recording;

struct recording_limits {
	int64_t bytes;
	unsigned seconds;
};
/* The two limits above. */
extern const struct recording_limits recording_limits;

/* Opens a regular file and checks its header: wav, flac, ogg, opus, mp3 or aiff, within `limits`
 * and those of channels and rate. -ENOENT and the like, -EINVAL (no sound), -EFBIG (too large or
 * too long), with *error (Vietnamese, names the path). */
int recording_open(const char *path, const struct recording_limits *limits,
	struct recording **ret_recording, struct error *error) _must_check_;
struct recording *recording_free(struct recording *recording);
DEFINE_CLEANUP(struct recording *, recording_free)

unsigned recording_rate_hz(const struct recording *recording);
/* As its header says; of an mp3 without an index it is an estimate. */
double recording_seconds(const struct recording *recording);

/* The next frames, up to `space`: their number, 0 at the end. -EBADMSG with *error: it is damaged
 * here (or ends before its header says), after what could be read has been given; the failure
 * stays. There are never more than recording_seconds() of them. */
long recording_read(struct recording *recording, float *ret_frames, size_t space,
	struct error *error) _must_check_;

/* Goes on at `offset_us` from the beginning; beyond the end: at the end. -EBADMSG with *error. */
int recording_seek(
	struct recording *recording, int64_t offset_us, struct error *error) _must_check_;
