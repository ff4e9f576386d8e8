/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is known of how loud sources are: the gain that each needed the last time (audio/strip.h).
 * So a chime is measured once, and a voice that has spoken before begins at its level without being
 * waited for. Only a memory: one that is lost is found again by measuring.
 *
 * Owned by main (or a command), shared by the renderers: every function is for any thread, and
 * holds a lock for some hundred nanoseconds (never the data thread's business). LEVELS_MAX are
 * kept; then the one that was noted first goes.
 */
#pragma once

#include "base/cleanup.h"
#include <stdbool.h>

#define LEVELS_MAX 128

struct levels;

struct levels *levels_new(void) _must_check_;
struct levels *levels_free(struct levels *levels);
DEFINE_CLEANUP(struct levels *, levels_free)

/* Whether the source `key` is known; then *ret_gain_db. */
bool levels_find(struct levels *levels, const char *key, double *ret_gain_db);
void levels_note(struct levels *levels, const char *key, double gain_db);
