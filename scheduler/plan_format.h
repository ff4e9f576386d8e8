/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A row of a plan as JSON, as `loalang plan` prints it and a node answers it (docs/PROTOCOL.md,
 * "Requests"). Pure; any thread.
 */
#pragma once

#include "base/clock.h"
#include "base/strbuf.h"
#include "scheduler/lunar.h"
#include "scheduler/plan.h"
#include "scheduler/zone.h"

/* {"schedule","id","start","lunar","output","seconds","would","reason","title","priority","begins",
 * "detail"}; `detail` is in Vietnamese, null when there is nothing to say. `key`: NULL in an array, or
 * alone. `output`: the row's, NULL: not known. Instants are told as the clocks of the schedule's own
 * time zone show them. */
void plan_format(
	struct strbuf *out, const char *key, const struct plan_row *row, const char *output);

/* RFC 3339 with the offset of the zone: "2026-11-24T05:30:00+07:00", with milliseconds when there are
 * some. */
void plan_format_time(const struct zone *zone, int64_t real_us, char ret_text[TIME_TEXT_SIZE]);

/* Day, month and year of âm lịch on the day which that instant has in the zone: "15/10/2026", in a
 * leap month "15/6 nhuận/2025". False: that day has no lunar date here. */
#define PLAN_LUNAR_SIZE (LUNAR_TEXT_SIZE + 12)
bool plan_format_lunar(const struct zone *zone, int64_t real_us, char ret_text[PLAN_LUNAR_SIZE]);

/* The word of a reason (struct plan_row) in Vietnamese; one that is not known is given back. */
const char *plan_reason_detail(const char *reason);
