/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A month's view of a plan, for a terminal: Monday to Sunday, each day with its lunar one and the
 * broadcasts of that day. Pure.
 */
#pragma once

#include "base/strbuf.h"
#include "scheduler/plan.h"
#include <stddef.h>

struct month_entry {
	int day;    /* 1…31 */
	int minute; /* of that day, 0…1439 */
	enum plan_would would;
};

/* `entries` in order of time. */
void month_format(
	int year, int month, const struct month_entry *entries, size_t count, struct strbuf *out);
