/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Goes through a configuration file by the bytes, in the terms of libconfig's own scanner: what is a
 * string, what is a comment, what is a word, how deep the brackets are. Internal to conf/. Pure.
 */
#pragma once

#include "base/error.h"
#include <stdbool.h>

#define SCAN_DEPTH_MAX 16 /* our own keys are four deep */

enum scan_place { SCAN_FILE, SCAN_STRING, SCAN_LINE_COMMENT, SCAN_BLOCK_COMMENT };

struct scan {
	enum scan_place place; /* after the step */
	int line;              /* counts from 1; of the byte after the step */
	int depth;
	size_t used; /* bytes of the step */
	bool word;   /* the step was a word: a name, true or false (not a number) */
};

void scan_init(struct scan *scan);
/* One step at `at`, which has a NUL somewhere after it; not at the NUL. -EINVAL with *error for
 * what we do not let through: @include, numbers too long, brackets too deep. */
int scan_step(struct scan *scan, const char *at, struct error *error) _must_check_;
