/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The chimes that are there: names, files and lengths, looked up once at the start, so that main
 * neither touches the disk nor guesses lengths when an announcement is to be played. A chime that is
 * added to the folder is known after a reload. Main's.
 */
#pragma once

#include "base/cleanup.h"
#include <stddef.h>

#define CHIMES_MAX 256 /* files of the folder that are looked at */

struct chime {
	char *name; /* of the file, without ending */
	char *path;
	double seconds;
};

struct chimes {
	struct chime *list;
	size_t count;
};

/* Reads the folder `dir` (NULL: none). A file that is not sound, is too long or too large is left
 * out: whoever names it gets a fault, not a crash (FAULTS B6). */
void chimes_load(struct chimes *chimes, const char *dir);
void chimes_done(struct chimes *chimes);

/* NULL: no such chime. */
const struct chime *chimes_find(const struct chimes *chimes, const char *name);
