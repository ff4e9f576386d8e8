/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Main's side of a device: life, requests, events. What the thread does is in device_thread.c. */
#include "audio/device.h"
#include "audio/device_private.h"
#include "base/strbuf.h"

#include <errno.h>
#include <sys/eventfd.h>

#define DEVICE_PRIORITY 50 /* SCHED_FIFO */

static struct device *device_free(struct device *device)
{
	device_ring_done(&device->events);
	if (device->wake_fd >= 0)
		close(device->wake_fd);
	free(device->name);
	free(device);
	return NULL;
}
DEFINE_CLEANUP(struct device *, device_free)

static void wake(const struct device *device)
{
	(void)!write(device->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

/* The highest channel that an output addresses, plus one. */
static unsigned channels_needed(const struct device_config *config)
{
	uint32_t all = 0;

	for (size_t i = 0; i < config->outputs_count; i++)
		all |= config->outputs[i].channel_mask;
	return all ? 32U - (unsigned)__builtin_clz(all) : 1U;
}

static struct voice_gain gain_of(double gain_db, unsigned ramp_ms)
{
	if (ramp_ms < DEVICE_RAMP_MIN_MS)
		ramp_ms = DEVICE_RAMP_MIN_MS;
	else if (ramp_ms > DEVICE_RAMP_MAX_MS)
		ramp_ms = DEVICE_RAMP_MAX_MS;
	return (struct voice_gain){ mix_gain_of_db(gain_db), ramp_ms };
}

struct device *device_start(const struct device_config *config)
{
	if (config->outputs_count < 1 || config->outputs_count > DEVICE_OUTPUTS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	_cleanup_(device_freep) struct device *device = xcalloc(1, sizeof *device);
	device->events.fd = -1;
	device->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (device->wake_fd < 0)
		return NULL;
	device->name = xstrdup(config->name);
	device->driver = sink_driver_for(config->name);
	device->channels = channels_needed(config);
	device->outputs_count = config->outputs_count;
	stretch_table_init(&device->workshop.table);
	for (size_t i = 0; i < config->outputs_count; i++) {
		voice_init(&device->voices[i], i, &config->outputs[i]);
		atomic_init(&device->slots[i].gain, gain_of(config->outputs[i].gain_db, 0));
	}
	int r = device_ring_init(&device->events);
	if (r == 0)
		r = thread_start(
			&device->thread, "loa-device", DEVICE_PRIORITY, device_thread, device);
	if (r < 0) {
		errno = -r;
		return NULL;
	}
	return hand_over(device);
}

void device_request_stop(struct device *device)
{
	atomic_store(&device->stopping, true);
	wake(device);
}

int device_stop(struct device *device, int timeout_ms)
{
	device_request_stop(device);
	int r = thread_join(&device->thread, timeout_ms);
	if (r < 0)
		return r;
	device_free(device);
	return 0;
}

int device_play(struct device *device, size_t output, struct programme *programme)
{
	if (output >= device->outputs_count)
		return -EINVAL;
	if (device_rate_hz(device) == 0 || atomic_load(&device->stopping))
		return -ENODEV;
	if (atomic_load(&device->slots[output].waiting))
		return -EBUSY;
	int r = programme_set_wake_fd(programme, device->wake_fd);
	if (r < 0)
		return r;
	atomic_store(&device->slots[output].waiting, programme);
	wake(device);
	return 0;
}

void device_set_gain_db(struct device *device, size_t output, double gain_db)
{
	device_ramp_gain_db(device, output, gain_db, DEVICE_RAMP_MIN_MS);
}

void device_ramp_gain_db(struct device *device, size_t output, double gain_db, unsigned ramp_ms)
{
	if (output < device->outputs_count)
		atomic_store(&device->slots[output].gain, gain_of(gain_db, ramp_ms));
}

bool device_next_event(struct device *device, struct device_event *ret_event)
{
	return device_ring_take(&device->events, ret_event);
}

int device_event_fd(const struct device *device)
{
	return device->events.fd;
}

unsigned device_rate_hz(const struct device *device)
{
	return atomic_load(&device->rate_hz);
}

void device_get_stats(const struct device *device, struct device_stats *ret_stats)
{
	*ret_stats = (struct device_stats){
		.xruns = atomic_load(&device->xruns),
		.suspends = atomic_load(&device->suspends),
		.starvations = atomic_load(&device->starvations),
		.reopens = atomic_load(&device->reopens),
		.realtime = atomic_load(&device->realtime),
	};
}

void device_kick(struct device *device)
{
	wake(device);
}

uint64_t device_turns(const struct device *device)
{
	return atomic_load(&device->turns);
}
