/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/queue_cause.h"

static const struct queue_cause_rule rules[QUEUE_CAUSES_COUNT] = {
	[QUEUE_CAUSE_NONE] = { "none", false, RECEIPT_INTERRUPTED, REASON_NONE },
	[QUEUE_FINISHED] = { "finished", true, RECEIPT_FINISHED, REASON_NONE },
	[QUEUE_FAILED] = { "failed", true, RECEIPT_FAILED, REASON_NONE },
	[QUEUE_WITHDRAWN] = { "withdrawn", true, RECEIPT_CANCELLED, REASON_WITHDRAWN },
	[QUEUE_STOPPED] = { "stopped", true, RECEIPT_CANCELLED, REASON_STOPPED },
	[QUEUE_SKIPPED] = { "skipped", true, RECEIPT_CANCELLED, REASON_STOPPED },
	[QUEUE_SUPERSEDED] = { "superseded", true, RECEIPT_SUPERSEDED, REASON_NONE },
	[QUEUE_EXPIRED] = { "expired", true, RECEIPT_EXPIRED, REASON_NONE },
	[QUEUE_EVICTED] = { "evicted", true, RECEIPT_EXPIRED, REASON_QUEUE_FULL },
	[QUEUE_POISON] = { "poison", true, RECEIPT_FAILED, REASON_ENGINE },
	[QUEUE_PREEMPTED] = { "preempted", false, RECEIPT_INTERRUPTED, REASON_NONE },
	[QUEUE_MUTED] = { "muted", false, RECEIPT_INTERRUPTED, REASON_MUTED },
	[QUEUE_QUIET] = { "quiet-hours", false, RECEIPT_INTERRUPTED, REASON_QUIET_HOURS },
	[QUEUE_LOST] = { "output-lost", false, RECEIPT_INTERRUPTED, REASON_OUTPUT_LOST },
	[QUEUE_SHUTDOWN] = { "shutdown", false, RECEIPT_INTERRUPTED, REASON_NONE },
	[QUEUE_CRASHED] = { "crashed", false, RECEIPT_INTERRUPTED, REASON_NONE },
	[QUEUE_RECALLED] = { "recalled", false, RECEIPT_INTERRUPTED, REASON_NONE },
};

const struct queue_cause_rule *queue_cause_rule(enum queue_cause cause)
{
	return &rules[cause];
}

const char *queue_cause_name(enum queue_cause cause)
{
	return rules[cause].name;
}

bool queue_cause_final(enum queue_cause cause)
{
	return rules[cause].final;
}
