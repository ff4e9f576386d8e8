/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of `loalang schedule` share. */
#pragma once

#include "cli/gather.h"

struct schedule_options {
	struct option_names zones;
	int64_t timeout_us;
	bool yes;
};

struct schedule_standing { /* of one id: what the broker has of it, over all zones */
	int64_t revision;  /* the highest; 0: none */
	size_t live;       /* zones in which it is not withdrawn */
};

/* A message of zone/<zone>/schedule/<id>. What does not parse has the first revision, and is live. */
void schedule_standing_add(
	struct schedule_standing *standing, const struct gathered_message *message);

enum cli_status schedule_put(
	struct session *session, const struct schedule_options *options, const char *path);
