/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way back from a device thread to main: a fixed ring of events with an eventfd. One
 * producer (device thread), one consumer (main), no locks, no allocation.
 */
#pragma once

#include "audio/device.h"
#include <stdatomic.h>

/* Every programme makes at most two events. The thread takes a programme only while the ring has
 * room for the events of all, so that none is ever dropped, even when main does not read. */
#define DEVICE_RING_EVENTS  1024
#define DEVICE_RING_RESERVE (2 * (2 * DEVICE_OUTPUTS_MAX) + 4)
_Static_assert(DEVICE_RING_EVENTS >= 2 * DEVICE_RING_RESERVE - 8, "half of the ring is for use");

struct device_ring {
	struct device_event events[DEVICE_RING_EVENTS];
	_Atomic size_t posted; /* device thread */
	_Atomic size_t taken;  /* main */
	int fd;                /* eventfd: readable while events wait */
};

int device_ring_init(struct device_ring *ring) _must_check_;
void device_ring_done(struct device_ring *ring);

/* Device thread. */
size_t device_ring_room(const struct device_ring *ring);
void device_ring_post(struct device_ring *ring, const struct device_event *event);

/* Main. */
bool device_ring_take(struct device_ring *ring, struct device_event *ret_event);
