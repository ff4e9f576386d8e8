/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A compressor for mono frames: what is loud becomes less loud, so that all of it can be louder.
 * Feed-forward, in the log domain, with a soft knee and a "smooth decoupled" peak detector behind
 * the gain computer, after D. Giannoulis, M. Massberg, J. D. Reiss, "Digital Dynamic Range
 * Compressor Design: A Tutorial and Analysis", J. Audio Eng. Soc. 60 (6), 2012: equations 4 (the
 * curve), 7 (time constants) and 17 (the detector), figure 7c (the order).
 *
 * A value, embedded by its user; any thread, one at a time; no allocation. What is not finite
 * counts as 0. The result does not depend on how the frames are cut into blocks.
 */
#pragma once

#include <stddef.h>

struct compressor_config {
	double threshold_db; /* dBFS, of peaks; the knee is around it */
	double ratio;        /* decibels in for one decibel out, above; ≥ 1, 1 does nothing */
	double knee_db;      /* width; ≥ 0, 0 is a corner */
	double attack_ms;    /* until 1 − 1/e of a sudden change is there; > 0 */
	double release_ms;   /* the same, of its end */
	double makeup_db;    /* gain behind it */
};

struct compressor {
	struct compressor_config config;
	float knee_from;             /* linear: below it nothing happens */
	float slope;                 /* 1 − 1/ratio */
	float attack, release;       /* one-pole coefficients per frame */
	float makeup;                /* linear */
	float held_db, reduction_db; /* the detector's two states, ≥ 0 */
};

void compressor_init(
	struct compressor *compressor, double rate_hz, const struct compressor_config *config);
/* In place. */
void compressor_run(struct compressor *compressor, float *frames, size_t count);
/* Silence came before. */
void compressor_reset(struct compressor *compressor);

/* The curve: level out, without the make-up gain, of a steady level in; both dBFS. */
double compressor_curve_db(const struct compressor_config *config, double level_db);
