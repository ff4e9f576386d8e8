/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A node in a world of its own, with a clock that runs as fast as it can: the scheduler is the real one
 * (timetable, queues, ledger, trust, usage), the glue does with it what daemon/schedules.c,
 * daemon/intake.c, daemon/output.c, daemon/node.c and daemon/health.c do, in the same order; disk,
 * speech, sound and broker are made of arithmetic.
 *
 * The world's time is the true one; the node's clock shows that and an offset. The caller lets time go
 * on (world_run()), and does harm between.
 */
#pragma once

#include "tests/sim/disk.h"
#include "tests/sim/judge.h"
#include "tests/sim/village.h"

struct world;

/* Power is off. */
struct world *world_new(const struct village *village, struct judge *judge, int64_t now_us,
	uint64_t seed) _must_check_;
struct world *world_free(struct world *world);
DEFINE_CLEANUP(struct world *, world_free)

int64_t world_now_us(const struct world *world);
void world_run(struct world *world, int64_t until_us);
/* A schedule of which something is being heard or prepared; SIZE_MAX: none. */
size_t world_heard(const struct world *world);
size_t world_turns(const struct world *world); /* how often the node has woken */

/* The node starts, and finds its broker after a while. */
void world_boot(struct world *world, int64_t connect_after_us);
bool world_is_up(const struct world *world);
void world_cut_power(struct world *world);
void world_stop(struct world *world); /* in good order */
void world_suspend(struct world *world, int64_t for_us);
/* Also while it is off. */
void world_set_clock(struct world *world, int64_t offset_us, bool synchronised);
int64_t world_offset_us(const struct world *world);

/* A retained message about a schedule, to the broker and, if it is connected, to the node; NULL: an
 * empty one. Takes `json`. */
void world_publish(struct world *world, const char *zone, size_t schedule, char *json);
