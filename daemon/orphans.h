/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Orphans: what an output should still say, by its store, but of which the text is lost (a damaged
 * record; or another revision has taken its row). The broker may have a copy: then that is accepted
 * and said. If none has come ORPHANS_PATIENCE_US after the first connect, it ends as `failed`, so
 * that nothing accepted ends without a word. Main's; a part of the node's state.
 */
#pragma once

#include "scheduler/store.h"
#include <stddef.h>

#define ORPHANS_PATIENCE_US INT64_C(5000000)
#define ORPHANS_MAX         5000

struct node;

struct orphan {
	char *id;
	int64_t revision;
	unsigned output;
};

struct orphans {
	struct orphan *list;
	size_t count;
	int64_t since_mono_us; /* of the first connect; 0: not yet */
};

void orphans_done(struct orphans *orphans);
void orphans_add(struct orphans *orphans, const struct store_play *play, unsigned output);
/* Something with that id has come for that output. */
void orphans_claim(struct orphans *orphans, const char *id, unsigned output);
/* Ends those that nobody has claimed in time; from the health tick. */
void orphans_tick(struct node *node);
