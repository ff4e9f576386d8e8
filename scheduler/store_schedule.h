/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row of the table of schedules: its sum, and whether it may be believed. Pure. */
#pragma once

#include "base/sha256.h"
#include "scheduler/store.h"

/* Of all that the row says, so that a flipped bit anywhere in it is noticed. */
void store_schedule_sum(const struct store_schedule *schedule, char ret_hex[SHA256_TEXT_SIZE]);
/* Whether its names and numbers are within the bounds of struct store_schedule, and `sum` is its
 * sum. -EINVAL with the reason (Vietnamese) in *why, which may be NULL. */
int store_schedule_judge(
	const struct store_schedule *schedule, const char *sum, struct error *why) _must_check_;
