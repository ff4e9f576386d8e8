/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/trust.h"
#include "base/clock.h"

bool trust_clock(int64_t real_us, int64_t last_seen_us)
{
	if (real_us < TRUST_FLOOR_US)
		return false;
	/* Compared on this side: last_seen_us − slack could leave the range of the type. */
	return last_seen_us == TIME_UNSET || real_us + TRUST_SLACK_US >= last_seen_us;
}
