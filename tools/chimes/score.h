/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is played: one line for each chime, with its notes. */
#pragma once

#include "tools/chimes/instrument.h"

struct score {
	const char *name; /* of the file */
	double seconds;
	bool loop;
	double room; /* its level */
	/* Into silence, `seconds` long. */
	void (*perform)(struct sound *sound);
};

extern const struct score scores[];
extern const size_t scores_count;
