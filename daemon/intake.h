/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How an announcement comes in, whoever made it (an operator's message, a schedule): it must be
 * readable and not too long; then it is offered to the outputs that listen to its zone, put into the
 * store and accepted. Main's.
 */
#pragma once

#include "daemon/node.h"

/* Whether it can be spoken at all, judged before it is accepted, not when its turn comes; and how long
 * that takes. -EINVAL with *ret_reason and *error, which names the key. */
int intake_judge(const struct node *node, const char *zone, const struct announcement *announcement,
	double *ret_seconds, enum reason *ret_reason, struct error *error) _must_check_;

/* Offers it to the outputs; if it is news to one of them it is kept, and the receipt `accepted` is under
 * way. 0: it was news, or is known; -EEXIST: another content has this id and revision; -ENOSPC: no
 * output has room. The caller pumps the outputs and flushes the store. */
int intake_offer(struct node *node, const char *zone, struct announcement *announcement,
	double seconds) _must_check_;
