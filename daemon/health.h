/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The health tick: with the broker link's keepalive, all that wakes an idle node. It kicks every thread, and pets the
 * watchdog only if each has moved since the last tick (a thread that hangs in a driver must bring
 * the process down, so that systemd starts it anew). It also keeps the time in the store. Main's.
 */
#pragma once

#include "daemon/node.h"

#define HEALTH_TICK_US (10 * US_PER_SEC) /* less if the watchdog asks for it */
#define HEALTH_KEEP_TIME_US \
	(15 * 60 * US_PER_SEC) /* how often the time is written: spares SD cards */
#define HEALTH_CONNECT_MAX_US (240 * US_PER_SEC) /* a connect may hang in the system so long */

int health_start(struct node *node) _must_check_;
