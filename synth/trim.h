/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cuts the silence that espeak-ng puts before and after a sentence (up to 130 ms before, 80 ms
 * after), so that the pauses of whoever asked are the pauses that are heard, and the first sound
 * comes at once. Works on a stream: quiet samples are kept back until a loud one shows that they
 * are a pause inside the sentence. Pure.
 */
#pragma once

#include "base/cleanup.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRIM_QUIET 32 /* of 32767: below it is silence; −60 dBFS */

struct trim_config {
	size_t lead_samples;  /* of the leading silence this much stays */
	size_t trail_samples; /* of the trailing silence this much stays */
};

/* 0 to go on. */
typedef int (*trim_out)(const int16_t *samples, size_t count, void *context);

struct trim {
	struct trim_config config;
	trim_out out;
	void *context;
	bool begun;    /* a loud sample has been seen */
	int16_t *kept; /* quiet samples that were not given out yet */
	size_t kept_count, kept_capacity;
};

void trim_init(struct trim *trim, const struct trim_config *config, trim_out out, void *context);
void trim_done(struct trim *trim);
/* 0 or what `out` returned. */
int trim_feed(struct trim *trim, const int16_t *samples, size_t count) _must_check_;
/* The sentence is over. Afterwards a new one may begin. */
int trim_end(struct trim *trim) _must_check_;
