/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What schedules would do here: planned without a broker, by the outputs of the configuration. */
#pragma once

#include "cli/command.h"
#include "cli/planned.h"
#include "scheduler/schedule.h"

struct outlook {
	const struct session *session;
	struct schedule *const *schedules; /* borrowed, as all of it */
	size_t count;
	const struct option_names *zones; /* of all of them */
	const char *output;               /* only this one; NULL: all that listen */
};

/* Whether the configuration has an output that is meant, or none at all: then there is one row for each
 * occurrence, of no output. */
bool outlook_possible(const struct outlook *outlook);
/* Adds the rows of [from_us, until_us). The instant up to which they are whole: until_us, unless there
 * are too many. */
int64_t outlook_plan(
	const struct outlook *outlook, int64_t from_us, int64_t until_us, struct planned *planned);
