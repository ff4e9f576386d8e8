/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the coming occurrences of a schedule would meet, before it is published: asked of the nodes that
 * are there (request/plan, with the schedule as a candidate), or planned by the configuration here.
 */
#pragma once

#include "cli/gather.h"
#include "cli/planned.h"
#include "scheduler/schedule.h"

#define PREVIEW_COUNT    5                                         /* occurrences that are shown */
#define PREVIEW_AHEAD_US (INT64_C(400) * 86400 * INT64_C(1000000)) /* that is looked at least */

enum preview_verdict {
	PREVIEW_FINE,    /* something will be heard when it is meant to */
	PREVIEW_UNKNOWN, /* no output is known that would say it */
	PREVIEW_NEVER,   /* it has no occurrence any more */
	PREVIEW_SILENT,  /* all that was looked at is vetoed, or waits for the end of quiet hours */
};

struct preview {
	const struct session *session; /* the first three are the caller's, as is what they name */
	struct schedule *schedule;
	const struct option_names *zones;
	int64_t now_us, until_us;
	int64_t starts_us[PREVIEW_COUNT]; /* the next occurrences */
	size_t count;
	struct planned planned; /* of the schedule alone */
	bool local;             /* no node has answered */
};
void preview_done(struct preview *preview);

/* Looks at it. `gathered` has the nodes' status, and its live messages come to us while we ask.
 * -errno with *error: the broker is lost. */
int preview_make(struct preview *preview, struct broker *broker, struct gathered *gathered,
	struct error *error) _must_check_;
enum preview_verdict preview_verdict(const struct preview *preview);
void preview_print(const struct preview *preview);
