/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/device_ring.h"

#include <errno.h>
#include <sys/eventfd.h>

int device_ring_init(struct device_ring *ring)
{
	ring->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return ring->fd < 0 ? -errno : 0;
}

void device_ring_done(struct device_ring *ring)
{
	if (ring->fd >= 0)
		close(ring->fd);
	ring->fd = -1;
}

size_t device_ring_room(const struct device_ring *ring)
{
	return DEVICE_RING_EVENTS - (atomic_load(&ring->posted) - atomic_load(&ring->taken));
}

void device_ring_post(struct device_ring *ring, const struct device_event *event)
{
	if (device_ring_room(ring) == 0)
		return; /* cannot be: see DEVICE_RING_RESERVE */
	size_t posted = atomic_load_explicit(&ring->posted, memory_order_relaxed);
	ring->events[posted % DEVICE_RING_EVENTS] = *event;
	atomic_store(&ring->posted, posted + 1);
	(void)!write(ring->fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

bool device_ring_take(struct device_ring *ring, struct device_event *ret_event)
{
	size_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);

	if (atomic_load(&ring->posted) == taken) {
		/* Empty: the descriptor is cleared first and the ring looked at again, so an event
		 * that comes in between is either seen here or leaves the descriptor readable. */
		uint64_t count;
		(void)!read(ring->fd, &count, sizeof count);
		if (atomic_load(&ring->posted) == taken)
			return false;
		(void)!write(ring->fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	}
	*ret_event = ring->events[taken % DEVICE_RING_EVENTS];
	atomic_store(&ring->taken, taken + 1);
	return true;
}
