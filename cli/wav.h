/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A mono, 16-bit wav file (RIFF, format 1) that is written as its sound comes. */
#pragma once

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define WAV_HEADER_BYTES 44

struct wav {
	FILE *file;
	const char *path; /* borrowed */
	unsigned rate_hz;
	uint64_t frames;
};

/* -errno with *error. */
int wav_create(
	struct wav *wav, const char *path, unsigned rate_hz, struct error *error) _must_check_;
/* Full scale is ±1.0; what is above is cut. -errno with *error. */
int wav_write(struct wav *wav, const float *frames, size_t count, struct error *error) _must_check_;
/* Writes the lengths and closes. -errno with *error: the file is not whole. */
int wav_finish(struct wav *wav, struct error *error) _must_check_;
/* Closes and removes a file that was not finished; nothing after wav_finish(). */
void wav_abandon(struct wav *wav);
