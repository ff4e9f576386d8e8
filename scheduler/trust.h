/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether the real-time clock can be believed (docs/PROTOCOL.md, "Time"). A board without a battery
 * wakes in 1970 or at the time of its last shutdown; until its clock is set, nothing timed may play
 * and nothing may expire. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The clock may have been this far ahead when the store saw it last (µs): NTP steps back a little.
 */
#define TRUST_SLACK_US (INT64_C(60) * 1000000)

/* No node runs before this version existed: 2026-01-01T00:00:00Z, real µs. */
#define TRUST_FLOOR_US (INT64_C(1767225600) * 1000000)

/* `last_seen_us`: the latest real time the store has kept; TIME_UNSET when it has none. */
bool trust_clock(int64_t real_us, int64_t last_seen_us);
