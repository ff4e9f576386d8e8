/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the real-time clock can be believed. A board without a battery wakes in 1970 or at the
 * time of its last shutdown; until its clock is set, nothing timed may play and nothing may expire.
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The clock may have been this far ahead when the store saw it last (µs): NTP steps back a little.
 */
#define TRUST_SLACK_US (INT64_C(60) * 1000000)

/* No node runs before this version existed: 2026-01-01T00:00:00Z, real µs. */
#define TRUST_FLOOR_US (INT64_C(1767225600) * 1000000)

struct trust_facts {
	int64_t real_us;          /* what the clock says */
	int64_t last_seen_us;     /* the latest real time the store has kept; TIME_UNSET: none */
	bool kernel_synchronised; /* clock_synchronised() of base/clock.h */
	bool need_synchronised;   /* clock_trust = "synchronised" */
	/* Somebody has set the clock while we ran: then what was seen before says nothing, it may
	 * be the very mistake that was put right (a year 2038 that was believed for a day). */
	bool set_by_hand;
};

/* Not before the floor; not before what was seen, unless the kernel or a person knows better; and
 * synchronised, where that is asked for. */
bool trust_clock(const struct trust_facts *facts);

/* Why not, for people (Vietnamese); NULL when it is trusted. */
const char *trust_doubt(const struct trust_facts *facts);
