/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/announcement.h"

static const char *const names[] = {
	[REASON_NONE] = NULL,
	[REASON_BAD_JSON] = "bad-json",
	[REASON_UNKNOWN_KEY] = "unknown-key",
	[REASON_BAD_VALUE] = "bad-value",
	[REASON_TOO_LONG] = "too-long",
	[REASON_TOO_LARGE] = "too-large",
	[REASON_EMPTY] = "empty",
	[REASON_DUPLICATE] = "duplicate",
	[REASON_EXPIRED] = "expired",
	[REASON_LATE] = "late",
	[REASON_QUIET_HOURS] = "quiet-hours",
	[REASON_LIMIT] = "limit",
	[REASON_MUTED] = "muted",
	[REASON_QUEUE_FULL] = "queue-full",
	[REASON_CLOCK] = "clock",
	[REASON_ENGINE] = "engine",
	[REASON_OUTPUT_LOST] = "output-lost",
	[REASON_MEDIA_MISSING] = "media-missing",
	[REASON_WITHDRAWN] = "withdrawn",
	[REASON_STOPPED] = "stopped",
	[REASON_RETAINED_CONTROL] = "retained-control",
};

const char *reason_name(enum reason reason)
{
	return names[reason];
}
