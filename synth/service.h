/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The service: Wyoming requests in, events with sound out, one at a time, until the input ends.
 * `synthesize` is answered by audio-start, audio-chunk…, audio-stop (or an `error`); `describe` by
 * `info`; other events are passed over. Each request is spoken in a fork of the process, so that the
 * same words are the same sound, whatever was said before; it dies with the process, and the process as
 * it has died.
 */
#pragma once

#include "base/cleanup.h"

struct voice;

/* Blocking descriptors, borrowed. 0: the input has ended; -errno: it cannot go on (broken
 * framing, about which an `error` was sent, or a broken pipe). */
int service_run(struct voice *voice, int input_fd, int output_fd) _must_check_;
