/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/report.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/broadcast.h"
#include "daemon/output.h"
#include "daemon/version.h"

#include <stdarg.h>
#include <sys/timex.h>

char *report_topic(const struct node *node, const char *format, ...)
{
	char *rest = NULL;
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&rest, format, arguments) < 0)
		abort();
	va_end(arguments);
	char *topic = xasprintf(
		"loalang/%s/node/%s/%s", node->config->site, node->config->node, rest);
	free(rest);
	return topic;
}

/* --- Status ---------------------------------------------------------------------------------- */

/* Something is ripe, but may not be heard now. */
static bool is_held(const struct output *output)
{
	const struct queue_entry *entry;
	enum queue_wait wait;
	struct queue_now now = output_now(output);

	if (queue_list(output->queue, &now, &entry, &wait, 1) == 0)
		return false;
	return wait == QUEUE_WAIT_CLOCK || wait == QUEUE_WAIT_QUIET || wait == QUEUE_WAIT_LIMIT ||
	       wait == QUEUE_WAIT_MEDIA;
}

static const char *output_state_name(const struct output *output)
{
	if (output->lost)
		return "lost";
	if (queue_muted(output->queue))
		return "muted";
	if (output_on_air(output))
		return "playing";
	return is_held(output) ? "held" : "idle";
}

static void write_outputs(struct strbuf *json, const struct node *node)
{
	json_write_begin_array(json, "outputs");
	for (size_t i = 0; i < node->outputs_count; i++) {
		const struct output *output = &node->outputs[i];
		struct device_stats stats;
		device_get_stats(output->device->device, &stats);
		json_write_begin_object(json, NULL);
		json_write_string(json, "name", output->config->sound.name);
		json_write_begin_array(json, "zones");
		for (size_t z = 0; z < output->config->zones_count; z++)
			json_write_string(json, NULL, output->config->zones[z]);
		json_write_end_array(json);
		json_write_string(json, "state", output_state_name(output));
		json_write_string(json, "device", output->device->name);
		json_write_integer(json, "rate_hz", device_rate_hz(output->device->device));
		json_write_bool(json, "realtime", stats.realtime);
		json_write_integer(json, "xruns", (int64_t)stats.xruns);
		json_write_integer(json, "suspends", (int64_t)stats.suspends);
		json_write_integer(json, "starvations", (int64_t)stats.starvations);
		json_write_integer(json, "reopens", (int64_t)stats.reopens);
		json_write_real(json, "gain_db", output_gain_db(output), 2);
		json_write_end_object(json);
	}
	json_write_end_array(json);
}

static void write_faults(struct strbuf *json, const struct faults *faults)
{
	json_write_begin_array(json, "faults");
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->list[i];
		_cleanup_(freep) char *detail = fault->subject[0]
							? xasprintf("%s: %s", fault->subject,
								  fault->detail.text)
							: xstrdup(fault->detail.text);
		json_write_begin_object(json, NULL);
		json_write_string(json, "what", fault->what);
		json_write_time(json, "since", fault->since_us);
		json_write_string(json, "detail", detail);
		json_write_end_object(json);
	}
	json_write_end_array(json);
}

/* The kernel's estimate of how far its clock is off (adjtimex(2)), null when nobody disciplines
 * it. */
static void write_clock(struct strbuf *json, const struct node *node)
{
	struct timex kernel = { .modes = 0 };
	int state = adjtimex(&kernel);
	double unit_ms = kernel.status & STA_NANO ? 1e-6 : 1e-3;

	json_write_begin_object(json, "clock");
	json_write_bool(json, "trusted", node->trusted);
	if (state < 0 || state == TIME_ERROR || (kernel.status & STA_UNSYNC))
		json_write_null(json, "offset_ms");
	else
		json_write_real(json, "offset_ms", (double)kernel.offset * unit_ms, 3);
	json_write_end_object(json);
}

char *report_status(const struct node *node)
{
	_cleanup_(strbuf_done) struct strbuf json = { 0 };
	const char *state = node->stopping       ? "stopping"
			    : node->faults.count ? "degraded"
						 : "online";

	json_write_begin_object(&json, NULL);
	json_write_string(&json, "node", node->config->node);
	json_write_string(&json, "state", state);
	json_write_string(&json, "version", LOALANG_VERSION);
	json_write_integer(&json, "uptime", (clock_mono_us() - node->started_mono_us) / US_PER_SEC);
	write_outputs(&json, node);
	write_faults(&json, &node->faults);
	write_clock(&json, node);
	json_write_end_object(&json);
	return strbuf_take(&json);
}

char *report_offline(const struct node *node)
{
	_cleanup_(strbuf_done) struct strbuf json = { 0 };

	json_write_begin_object(&json, NULL);
	json_write_string(&json, "node", node->config->node);
	json_write_string(&json, "state", "offline");
	json_write_end_object(&json);
	return strbuf_take(&json);
}

/* --- Outputs --------------------------------------------------------------------------------- */

static void write_broadcast(struct strbuf *json, const struct broadcast *broadcast)
{
	const struct announcement *announcement = broadcast->announcement;

	json_write_string(json, "id", announcement->id);
	json_write_integer(json, "revision", announcement->revision);
	json_write_string(json, "title", announcement->title);
	json_write_string(json, "priority", priority_name(announcement->priority));
	json_write_real(json, "seconds_played", broadcast_seconds_played(broadcast), 1);
	json_write_real(json, "seconds_total", broadcast_seconds_asked(broadcast), 1);
}

char *report_output_state(const struct output *output)
{
	_cleanup_(strbuf_done) struct strbuf json = { 0 };

	json_write_begin_object(&json, NULL);
	json_write_string(&json, "node", output->node->config->node);
	json_write_string(&json, "output", output->config->sound.name);
	json_write_string(&json, "state", output_state_name(output));
	const struct broadcast *broadcast = output_on_air(output);
	if (broadcast) {
		write_broadcast(&json, broadcast);
	} else {
		static const char *const absent[] = { "id", "revision", "title", "priority",
			"seconds_played", "seconds_total" };
		for (size_t i = 0; i < countof(absent); i++)
			json_write_null(&json, absent[i]);
	}
	json_write_time(&json, "since", output->since_us);
	json_write_real(&json, "gain_db", output_gain_db(output), 2);
	json_write_integer(&json, "queue_length", (int64_t)queue_length(output->queue));
	json_write_end_object(&json);
	return strbuf_take(&json);
}

static const char *wait_detail(enum queue_wait wait)
{
	static const char *const details[] = {
		[QUEUE_WAIT_NONE] = "sắp phát",
		[QUEUE_WAIT_START] = "chờ đến giờ",
		[QUEUE_WAIT_BEHIND] = "chờ bản tin trước",
		[QUEUE_WAIT_STORE] = "đang ghi vào đĩa",
		[QUEUE_WAIT_CLOCK] = "đồng hồ của trạm chưa đúng",
		[QUEUE_WAIT_OUTPUT] = "loa mất kết nối",
		[QUEUE_WAIT_MUTED] = "loa đang tắt tiếng",
		[QUEUE_WAIT_MEDIA] = "chờ tải bản ghi âm",
		[QUEUE_WAIT_QUIET] = "chờ hết giờ yên lặng",
		[QUEUE_WAIT_LIMIT] = "đã hết mức phát trong ngày, chờ ngày mai",
	};
	return details[wait];
}

static void write_entry(
	struct strbuf *json, const struct announcement *announcement, enum queue_wait wait)
{
	json_write_begin_object(json, NULL);
	json_write_string(json, "id", announcement->id);
	json_write_integer(json, "revision", announcement->revision);
	json_write_string(json, "title", announcement->title);
	json_write_string(json, "priority", priority_name(announcement->priority));
	json_write_time(json, "start", announcement->start_us);
	json_write_time(json, "expires", announcement->expires_us);
	json_write_string(json, "waits", queue_wait_name(wait));
	json_write_string(json, "detail", wait_detail(wait));
	json_write_end_object(json);
}

char *report_output_queue(const struct output *output)
{
	_cleanup_(strbuf_done) struct strbuf json = { 0 };
	const struct queue_entry *entries[REPORT_QUEUE_MAX];
	enum queue_wait waits[REPORT_QUEUE_MAX];
	struct queue_now now = output_now(output);
	size_t count = queue_list(output->queue, &now, entries, waits, REPORT_QUEUE_MAX);

	json_write_begin_object(&json, NULL);
	json_write_string(&json, "node", output->node->config->node);
	json_write_string(&json, "output", output->config->sound.name);
	json_write_integer(&json, "length", (int64_t)queue_length(output->queue));
	json_write_begin_array(&json, "items");
	for (size_t i = 0; i < count; i++)
		write_entry(&json, entries[i]->announcement, waits[i]);
	json_write_end_array(&json);
	json_write_end_object(&json);
	return strbuf_take(&json);
}

/* --- Publishing ------------------------------------------------------------------------------ */

/* Takes topic and payload. What does not fit into the link's inbox comes with the next change. */
static bool publish(struct node *node, char *topic, char *payload)
{
	bool sent = mqtt_publish(node->mqtt, topic, payload, true, 0) == 0;

	if (!sent)
		log_warning("too much waits for the broker, a report on %s comes later", topic);
	free(topic);
	free(payload);
	return sent;
}

static void publish_output(struct output *output)
{
	struct node *node = output->node;
	const char *name = output->config->sound.name;

	output->changed = output->urgent = false;
	output->reported_mono_us = clock_mono_us();
	bool sent = publish(
		node, report_topic(node, "output/%s/state", name), report_output_state(output));
	sent &= publish(
		node, report_topic(node, "output/%s/queue", name), report_output_queue(output));
	output->changed = !sent; /* then again, after a pause */
}

static int on_report_timer(sd_event_source *source, uint64_t at_us, void *context)
{
	struct node *node = context;

	(void)source;
	(void)at_us;
	report_publish(node);
	return 0;
}

static void publish_later(struct node *node)
{
	int enabled = SD_EVENT_OFF;

	if (!node->report_timer) {
		(void)sd_event_add_time_relative(node->loop, &node->report_timer, CLOCK_MONOTONIC,
			(uint64_t)REPORT_PAUSE_US, 10 * US_PER_MS, on_report_timer, node);
		return;
	}
	if (sd_event_source_get_enabled(node->report_timer, &enabled) > 0)
		return;
	(void)sd_event_source_set_time_relative(node->report_timer, (uint64_t)REPORT_PAUSE_US);
	(void)sd_event_source_set_enabled(node->report_timer, SD_EVENT_ONESHOT);
}

void report_publish(struct node *node)
{
	int64_t now_us = clock_mono_us();
	bool later = false;

	if (!node->connected)
		return;
	for (size_t i = 0; i < node->outputs_count; i++) {
		struct output *output = &node->outputs[i];
		bool due = output->urgent || now_us - output->reported_mono_us >= REPORT_PAUSE_US;
		if (output->changed && due)
			publish_output(output);
		later |= output->changed;
	}
	if (later)
		publish_later(node);
	if (!node->changed)
		return;
	node->changed = !publish(node, report_topic(node, "status"), report_status(node));
}

void report_all_changed(struct node *node)
{
	node->changed = true;
	for (size_t i = 0; i < node->outputs_count; i++)
		node->outputs[i].changed = node->outputs[i].urgent = true;
}
