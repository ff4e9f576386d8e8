/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an output's sound goes through on its way to the loudspeaker, so that speech carries:
 *
 *   high-pass → presence → compressor → make-up gain → true-peak limiter
 *
 * A horn is limited by its peak, is hurt by bass, and is heard through wind and motorbikes. So what
 * it cannot radiate is taken away first (it would only use up the peak), then the range of the
 * consonants comes forward, and what is loud comes closer to what is soft. How loud the whole
 * becomes is decided before: audio/leveller.h brings each piece (sentence, chime, recording) to the
 * level at which the chain makes the target of it; pieces are mixed, then go through the chain.
 *
 * One object per stream; its owner's thread only (the renderer's; never the data thread's); memory
 * is taken at its creation only. What is not finite counts as 0. The result does not depend on how
 * the frames are cut into blocks.
 */
#pragma once

#include "audio/compressor.h"
#include "base/cleanup.h"
#include <stddef.h>

#define CHAIN_RATE_MIN_HZ 8000
#define CHAIN_RATE_MAX_HZ 192000
/* A target is meant within this: what is measured afterwards is this near to it. */
#define CHAIN_TOLERANCE_LU 0.5

enum chain_preset {
	CHAIN_HORN,   /* the default: a horn on a pole */
	CHAIN_COLUMN, /* a column or box in a hall or a yard */
	CHAIN_FLAT,   /* whatever comes behind does its own: loudness and peak only */
	CHAIN_PRESETS,
};

struct chain_config {
	double high_pass_hz; /* 24 dB/octave; 0: none */
	double presence_hz;  /* a bell */
	double presence_q;
	double presence_db; /* 0: none */
	struct compressor_config compressor;
	double ceiling_dbtp;
	double target_lufs; /* for audio/leveller.h */
};

/* As they are written in the configuration, by enum chain_preset, then NULL. */
extern const char *const chain_preset_names[CHAIN_PRESETS + 1];
/* NULL for what is none. */
const char *chain_preset_name(enum chain_preset preset);
/* CHAIN_PRESETS if there is none of that name. */
enum chain_preset chain_preset_parse(const char *name);
const struct chain_config *chain_preset_config(enum chain_preset preset);

struct chain;

/* CHAIN_RATE_MIN_HZ…CHAIN_RATE_MAX_HZ; the configuration is copied. NULL with errno. */
struct chain *chain_new(unsigned rate_hz, const struct chain_config *config) _must_check_;
struct chain *chain_free(struct chain *chain);
DEFINE_CLEANUP(struct chain *, chain_free)

/* How many frames it holds back: the limiter's look-ahead. */
size_t chain_delay_frames(const struct chain *chain);

/* Takes `count` frames and gives `count`, less those that it begins by holding back: the first
 * that comes out is the first that went in. `ret_frames` may be `frames`. Returns their number. */
size_t chain_run(struct chain *chain, const float *frames, size_t count, float *ret_frames);
/* So many frames of silence behind the last sound, and the filters have rung out: what is cut off
 * before is a click. */
size_t chain_ring_frames(const struct chain *chain);
/* Gives the frames held back, at most chain_delay_frames(), and is as new. */
size_t chain_flush(struct chain *chain, float *ret_frames);
/* Forgets them. */
void chain_reset(struct chain *chain);
