/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/health.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "daemon/output.h"
#include "daemon/report.h"

#include <string.h>
#include <systemd/sd-daemon.h>

struct health {
	struct node *node;
	int64_t tick_us;
	sd_event_source *timer;
	bool first; /* nothing was kicked before */
	int64_t connecting_since_mono_us;
	int64_t kept_mono_us;
};

/* Whether a counter moved since the last tick; remembers it. */
static bool moved(uint64_t now, uint64_t *last)
{
	bool result = now != *last;

	*last = now;
	return result;
}

static bool devices_alive(struct node *node)
{
	bool alive = true;

	for (size_t i = 0; i < node->devices_count; i++) {
		struct node_device *device = &node->devices[i];
		if (moved(device_turns(device->device), &device->turns))
			continue;
		alive = false;
		log_error("the thread of %s hangs, not petting the watchdog", device->name);
	}
	return alive;
}

/* A connect is the system's to bound; one that takes longer than that is a hang. */
static bool mqtt_alive(struct health *health)
{
	struct node *node = health->node;
	int64_t now_us = clock_mono_us();

	if (moved(mqtt_turns(node->mqtt), &node->mqtt_turns) || !mqtt_connecting(node->mqtt)) {
		health->connecting_since_mono_us = now_us;
		return true;
	}
	if (now_us - health->connecting_since_mono_us < HEALTH_CONNECT_MAX_US)
		return true;
	log_error("the broker thread hangs, not petting the watchdog");
	return false;
}

static bool store_alive(struct node *node)
{
	/* A disk that takes long is reported as a fault by the store; one that never answers hangs
	 * the thread, and a new process is no better off: restarting would only cost the sound. */
	if (!moved(store_turns(node->store), &node->store_turns))
		node_set_fault(node, "store-slow", "", "ổ đĩa chưa trả lời");
	else
		node_clear_fault(node, "store-slow", "");
	return true;
}

/* Counters of a device go out with the status when they have moved. */
static void notice_stats(struct node *node)
{
	for (size_t i = 0; i < node->devices_count; i++) {
		struct node_device *device = &node->devices[i];
		struct device_stats stats;
		device_get_stats(device->device, &stats);
		uint64_t troubles = stats.xruns + stats.suspends + stats.starvations +
				    stats.reopens;
		node->changed |= troubles != device->troubles;
		device->troubles = troubles;
	}
}

static void kick_all(struct node *node)
{
	store_kick(node->store);
	mqtt_kick(node->mqtt);
	media_kick(node->media);
	for (size_t i = 0; i < node->devices_count; i++)
		device_kick(node->devices[i].device);
}

/* Writes the time now and then, so that a clock that wakes in the past is noticed (FAULTS D1). */
static void keep_time(struct health *health)
{
	struct node *node = health->node;

	if (clock_mono_us() - health->kept_mono_us < HEALTH_KEEP_TIME_US || !node->trusted)
		return;
	health->kept_mono_us = clock_mono_us();
	node_keep_time(node);
	int64_t before_us = node_forget_before_us(node);
	(void)store_forget(node->store, before_us);
	(void)ledger_forget(node->ledger, before_us);
	schedules_forget(node, before_us);
	(void)store_prune_history(node->store, before_us - node->config->history_us);
	store_flush(node->store);
}

/* Without a step nobody tells that the kernel has begun to trust its clock. */
static void judge_clock(struct node *node)
{
	bool trusted = node->trusted;

	if (trusted && !node->config->clock_synchronised)
		return;
	node_judge_clock(node);
	if (node->trusted != trusted) {
		schedules_pump(node);
		output_pump_all(node);
	}
	store_flush(node->store);
}

static int on_tick(sd_event_source *source, uint64_t at_us, void *context)
{
	struct health *health = context;
	struct node *node = health->node;

	bool devices = devices_alive(node), mqtt = mqtt_alive(health), store = store_alive(node);
	if (health->first || (devices && mqtt && store))
		(void)sd_notify(0, "WATCHDOG=1");
	health->first = false;
	kick_all(node);
	keep_time(health);
	notice_stats(node);
	judge_clock(node);
	orphans_tick(node);
	if (mqtt_steady(node->mqtt))
		node_clear_fault(node, "client-id", "");
	report_publish(node);
	(void)sd_event_source_set_time(source, at_us + (uint64_t)health->tick_us);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ON);
	return 0;
}

static int on_exit_free(sd_event_source *source, void *context)
{
	(void)source;
	free(context);
	return 0;
}

/* Often enough for systemd's watchdog, if it asks for more than the usual. */
static int64_t tick_us(void)
{
	uint64_t watchdog_us = 0;

	if (sd_watchdog_enabled(0, &watchdog_us) > 0 && watchdog_us / 3 < (uint64_t)HEALTH_TICK_US)
		return (int64_t)(watchdog_us / 3);
	return HEALTH_TICK_US;
}

int health_start(struct node *node)
{
	struct health *health = xcalloc(1, sizeof *health);

	*health = (struct health){ .node = node,
		.tick_us = tick_us(),
		.first = true,
		.connecting_since_mono_us = clock_mono_us(),
		.kept_mono_us = -HEALTH_KEEP_TIME_US };
	int result = sd_event_add_exit(node->loop, NULL, on_exit_free, health);
	if (result < 0) {
		free(health);
		return result;
	}
	kick_all(node);
	return sd_event_add_time_relative(node->loop, NULL, CLOCK_MONOTONIC,
		(uint64_t)health->tick_us, 100 * US_PER_MS, on_tick, health);
}
