/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes of each cause (enum queue_cause). Of scheduler/queue only.
 */
#pragma once

#include "scheduler/queue.h"

struct queue_cause_rule {
	const char *name;
	bool final;               /* ends it for good, whatever the policy */
	enum receipt_event event; /* final: its end; else what is told if it goes on */
	enum reason reason;       /* of either, and of `cancelled` where the policy is drop.
				   * FAILED and EXPIRED bring a reason of their own. */
};
const struct queue_cause_rule *queue_cause_rule(enum queue_cause cause);
