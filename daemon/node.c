/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/node.h"
#include "base/log.h"
#include "base/name.h"
#include "base/strbuf.h"
#include "daemon/broadcast.h"
#include "daemon/command.h"
#include "daemon/health.h"
#include "daemon/output.h"
#include "daemon/report.h"
#include "daemon/request.h"
#include "scheduler/trust.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/timerfd.h>
#include <systemd/sd-daemon.h>

#define EVENTS_MAX      8192 /* that may wait in an inbox of main's */
#define FORGET_AHEAD_US (INT64_C(86400) * US_PER_SEC)
#define READ_US         (20 * US_PER_MS) /* so long messages are handled before others have a turn */
#define AGAIN_ROWS      10000 /* finals of the ledger that are put into a store that begins anew */
#define AGAIN_FLUSH     1000
#define CLOCK_WATCH_S   INT64_C(7000000000) /* an instant that does not come: the year 2191 */
#define SILENCE_US      (700 * US_PER_MS)   /* how long a stop waits for the fade-outs */

/* --- Time ------------------------------------------------------------------------------------ */

int64_t node_real_of_mono(int64_t mono_us)
{
	return mono_us + clock_real_ahead_us();
}

int64_t node_mono_of_real(struct node *node, int64_t real_us)
{
	if (real_us == TIME_UNSET)
		return TIME_UNSET;
	if (node->last_start.real_us != real_us) {
		node->last_start.real_us = real_us;
		node->last_start.mono_us = real_us - clock_real_ahead_us();
	}
	return node->last_start.mono_us;
}

void node_judge_clock(struct node *node)
{
	struct trust_facts facts = { .real_us = clock_real_us(),
		.last_seen_us = node->last_seen_us,
		.kernel_synchronised = clock_synchronised(),
		.need_synchronised = node->config->clock_synchronised,
		.set_by_hand = node->clock_was_set };
	const char *doubt = trust_doubt(&facts);

	node->trusted = !doubt;
	if (doubt)
		node_set_fault(node, "clock", "", doubt);
	else
		node_clear_fault(node, "clock", "");
}

int64_t node_forget_before_us(const struct node *node)
{
	int64_t now_us = clock_real_us();
	int64_t lived_us = clock_mono_us() - node->loaded_at.mono_us;

	if (clock_synchronised() || node->loaded_at.seen_us == TIME_UNSET)
		return now_us;
	int64_t most_us = node->loaded_at.seen_us + lived_us + FORGET_AHEAD_US;
	return now_us < most_us ? now_us : most_us;
}

void node_keep_time(struct node *node)
{
	char text[32];

	if (!node->trusted)
		return;
	node->last_seen_us = clock_real_us();
	snprintf(text, sizeof text, "%" PRId64, node->last_seen_us);
	(void)store_put_setting(node->store, "last-seen", text);
	schedules_keep_mark(node);
}

/* --- Faults, receipts, memory ----------------------------------------------------------------- */

void node_set_fault(struct node *node, const char *what, const char *subject, const char *detail)
{
	if (!faults_set(&node->faults, what, subject, clock_real_us(), detail))
		return;
	log_warning("fault %s%s%s: %s", what, subject[0] ? " of " : "", subject, detail);
	node->changed = true;
}

void node_clear_fault(struct node *node, const char *what, const char *subject)
{
	if (!faults_clear(&node->faults, what, subject))
		return;
	log_notice("fault %s%s%s is over", what, subject[0] ? " of " : "", subject);
	node->changed = true;
}

void node_receipt(struct node *node, const struct receipt *receipt)
{
	bool bad = receipt->event == RECEIPT_REJECTED || receipt->event == RECEIPT_FAILED;
	const char *reason = reason_name(receipt->reason);

	outbox_add(&node->outbox, receipt);
	log_about(bad ? LOG_WARNING : LOG_INFO, receipt->id, receipt->output, "%s%s%s%s%s",
		receipt_event_name(receipt->event), reason ? ", " : "", reason ? reason : "",
		receipt->detail ? ": " : "", receipt->detail ? receipt->detail : "");
}

void node_reject(
	struct node *node, const char *id, int64_t revision, enum reason reason, const char *detail)
{
	struct receipt receipt = {
		.event = RECEIPT_REJECTED,
		.id = id,
		.revision = revision,
		.node = node->config->node,
		.at_us = clock_real_us(),
		.seconds_asked = NAN,
		.seconds_played = NAN,
		.reason = reason,
		.detail = detail,
	};

	node_receipt(node, &receipt);
}

void node_remember(struct node *node, const struct output *output, const struct store_play *play)
{
	ledger_put(node->ledger, play->id, output->index, play->revision, play->state,
		play->forget_us);
	(void)store_put_play(node->store, play);
}

/* --- From the store ----------------------------------------------------------------------------
 */

static void load_plays(struct node *node, const struct store_event *event)
{
	for (size_t i = 0; i < event->plays_count; i++) {
		const struct store_play *play = &event->plays[i];
		const struct output *output = output_find(node, play->output);
		/* Not one that was taken out of the configuration. What goes on is known when its
		 * announcement is. */
		if (output && play_state_final(play->state))
			ledger_put(node->ledger, play->id, output->index, play->revision,
				play->state, play->forget_us);
	}
}

static int by_id(const void *a, const void *b)
{
	return strcmp((*(const struct store_play *const *)a)->id,
		(*(const struct store_play *const *)b)->id);
}

/* The plays that go on, ordered by id; the caller frees. */
static const struct store_play **live_plays(const struct store_event *event, size_t *ret_count)
{
	const struct store_play **plays = xcalloc(
		event->plays_count + 1, sizeof(struct store_play *));
	size_t count = 0;

	for (size_t i = 0; i < event->plays_count; i++)
		if (!play_state_final(event->plays[i].state))
			plays[count++] = &event->plays[i];
	qsort(plays, count, sizeof(struct store_play *), by_id);
	*ret_count = count;
	return plays;
}

/* Its length. A text that has made a process fall while it was read is not read once more at each
 * start: when its turn comes it is, with what holds it counted. */
static double read_again(struct node *node, const struct announcement *announcement)
{
	if (inhand_died_with(node->inhand, announcement->id, "") > 0)
		return 0;
	inhand_take(node->inhand, 0, announcement->id, "");
	double seconds = broadcast_seconds_of(node, announcement);
	inhand_put_down(node->inhand, 0);
	return seconds;
}

/* Queues an announcement again on the outputs of its live plays: plays[0…count) from `first` on. */
static void load_announcement(struct node *node, const struct store_announcement *stored,
	const struct store_play *const *plays, size_t count)
{
	struct output_offer offer = {
		.announcement = stored->announcement,
		.arrival_us = stored->arrival_us,
		.sequence = stored->sequence,
		.seconds = read_again(node, stored->announcement),
	};

	for (size_t i = 0; i < count && strcmp(plays[i]->id, stored->announcement->id) == 0; i++) {
		struct output *output = output_find(node, plays[i]->output);
		if (!output || plays[i]->revision != stored->announcement->revision)
			continue;
		ledger_put(node->ledger, plays[i]->id, output->index, plays[i]->revision,
			plays[i]->state, plays[i]->forget_us);
		ledger_set_content(node->ledger, stored->announcement->id, output->index,
			ledger_content(stored->announcement));
		output_restore(output, &offer, plays[i]);
	}
}

static void find_orphans(struct node *node, const struct store_play *const *plays, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct output *output = output_find(node, plays[i]->output);
		if (!output || ledger_find(node->ledger, plays[i]->id, output->index))
			continue;
		log_about(LOG_WARNING, plays[i]->id, plays[i]->output,
			"its text is lost, hoping for a copy of the broker's");
		orphans_add(&node->orphans, plays[i], output->index);
	}
}

static void load_announcements(struct node *node, const struct store_event *event)
{
	size_t count = 0;
	_cleanup_(freep) const struct store_play **plays = live_plays(event, &count);

	for (size_t i = 0; i < event->announcements_count; i++) {
		const char *id = event->announcements[i].announcement->id;
		size_t low = 0, high = count;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			if (strcmp(plays[middle]->id, id) < 0)
				low = middle + 1;
			else
				high = middle;
		}
		load_announcement(node, &event->announcements[i], plays + low, count - low);
	}
	find_orphans(node, plays, count);
}

static void load_gain(struct output *output, const char *value)
{
	if (value[0])
		output_set_gain(output, strtod(value, NULL));
}

static void load_mute(struct output *output, const char *value)
{
	queue_mute(output->queue, value[0] != '\0');
}

static void load_usage(struct output *output, const char *value)
{
	struct usage usage;

	if (usage_parse(value, &usage) == 0)
		queue_set_usage(output->queue, &usage);
}

/* "last-seen", and "<what>:<output>". */
static void load_settings(struct node *node, const struct store_event *event)
{
	static const struct {
		const char *prefix;
		void (*load)(struct output *output, const char *value);
	} kinds[] = { { "gain:", load_gain }, { "mute:", load_mute }, { "usage:", load_usage },
		{ "run:", output_load_run } };

	for (size_t i = 0; i < event->settings_count; i++) {
		const struct store_setting *setting = &event->settings[i];
		if (strcmp(setting->key, "last-seen") == 0)
			node->last_seen_us = strtoll(setting->value, NULL, 10);
		for (size_t k = 0; k < countof(kinds); k++) {
			size_t length = strlen(kinds[k].prefix);
			if (strncmp(setting->key, kinds[k].prefix, length) != 0)
				continue;
			struct output *output = output_find(node, setting->key + length);
			if (output)
				kinds[k].load(output, setting->value);
		}
	}
}

static char *client_id_of(const struct config *config)
{
	return config->mqtt.client_id[0] ? xstrdup(config->mqtt.client_id)
					 : xasprintf("loalang-%s", config->node);
}

/* The broker is met only when it is known what was said already. */
static void connect_broker(struct node *node)
{
	const struct config *config = node->config;
	_cleanup_(freep) char *client_id = client_id_of(config);
	_cleanup_(freep) char *client_topic = name_valid(client_id, strlen(client_id))
						      ? xasprintf("loalang/%s/client/%s",
								config->site, client_id)
						      : NULL;
	_cleanup_(freep) char *topic = report_topic(node, "status");
	_cleanup_(freep) char *offline = report_offline(node);
	char **filters = command_filters(node), **standing = command_standing_filters(node);
	struct mqtt_config mqtt = {
		.broker = &config->mqtt,
		.client_id = client_id,
		.will_topic = topic,
		.will_payload = offline,
		.subscriptions = (const char *const *)filters,
		.standing = (const char *const *)standing,
		.client_topic = client_topic,
	};
	node->mqtt = mqtt_start(&mqtt, node->mqtt_events);
	command_filters_free(filters);
	command_filters_free(standing);
	if (!node->mqtt) {
		log_error("cannot start the broker thread (%s), ending", strerror(errno));
		node->exit_status = 1;
		(void)sd_event_exit(node->loop, 0);
	}
}

static void on_loaded(struct node *node, const struct store_event *event)
{
	_cleanup_(freep) char *topic = report_topic(node, "receipt");

	outbox_init(&node->outbox, node->store, topic, event->next_receipt_sequence,
		event->taken_receipt_sequence);
	node->next_sequence = event->next_sequence;
	load_settings(node, event);
	load_plays(node, event);
	node->loaded_at.seen_us = node->last_seen_us;
	node->loaded_at.mono_us = clock_mono_us();
	node->inhand = inhand_open(node->config->state_dir);
	if (!node->inhand)
		log_warning("cannot keep what is in hand (%s), going on without", strerror(errno));
	node_judge_clock(node); /* first: what is queued again is judged by it */
	load_announcements(node, event);
	schedules_on_loaded(node, event);
	node->loaded = true;
	if (event->error.text[0])
		node_set_fault(node, "store", "", event->error.text);
	connect_broker(node);
	if (node->mqtt && health_start(node) < 0)
		log_error("cannot start the health tick, going on without a watchdog");
	(void)sd_notify(0, "READY=1");
	log_notice("node %s of site %s is ready: %zu outputs, %zu announcements known",
		node->config->node, node->config->site, node->outputs_count,
		ledger_length(node->ledger));
	schedules_pump(node);
	output_pump_all(node);
	store_flush(node->store);
}

static void on_durable(struct node *node, uint64_t ticket)
{
	size_t done = 0;

	for (; done < node->pending_count && node->pending[done].ticket <= ticket; done++)
		for (size_t o = 0; o < node->outputs_count; o++) {
			struct output *output = &node->outputs[o];
			queue_set_durable(output->queue, node->pending[done].id);
			output->changed |= queue_find(output->queue, node->pending[done].id) !=
					   NULL;
		}
	if (done > 0)
		memmove(node->pending, node->pending + done,
			(node->pending_count - done) * sizeof *node->pending);
	node->pending_count -= done;
	outbox_on_durable(&node->outbox, ticket);
	if (done > 0)
		output_pump_all(node);
}

struct again { /* for ledger_each() */
	struct node *node;
	size_t rows;
};

static void remember_row(const struct ledger_row *row, void *context)
{
	struct again *again = context;
	struct store_play play = {
		.id = row->id,
		.output = again->node->config->outputs[row->output].sound.name,
		.revision = row->revision,
		.state = row->state,
		.forget_us = row->forget_us,
	};

	if (!play_state_final(row->state) || again->rows >= AGAIN_ROWS)
		return; /* what goes on is put by its output, with how far it came */
	(void)store_put_play(again->node->store, &play);
	if (++again->rows % AGAIN_FLUSH == 0)
		store_flush(again->node->store);
}

/* What was lost meanwhile (a new file was begun, or too much had waited) is put again from memory:
 * what waits and what is on air, and the ids that are known, as many as the store takes at once. (Of a
 * damaged file the store itself has kept what could be read.) */
static void on_store_recovered(struct node *node, const struct store_event *event)
{
	struct again again = { .node = node };
	bool dropped = event->dropped_up_to > node->dropped_up_to;

	node->dropped_up_to = event->dropped_up_to;
	node_clear_fault(node, "store", "");
	if (!event->begun_anew && !dropped)
		return;
	log_notice("the store is written again from memory");
	for (size_t i = 0; i < node->outputs_count; i++) {
		output_store_again(&node->outputs[i]);
		store_flush(node->store);
	}
	ledger_each(node->ledger, remember_row, &again);
	schedules_store_again(node);
}

static void on_store_event(struct node *node, const struct store_event *event)
{
	switch (event->what) {
	case STORE_LOADED:
		on_loaded(node, event);
		break;
	case STORE_DURABLE:
		on_durable(node, event->ticket);
		break;
	case STORE_RECEIPTS:
		outbox_on_receipts(&node->outbox, event->receipts, event->receipts_count);
		break;
	case STORE_HISTORY:
		request_on_history(node, event);
		break;
	case STORE_FAULT:
		node_set_fault(node, "store", "", event->error.text);
		break;
	case STORE_RECOVERED:
		on_store_recovered(node, event);
		break;
	}
}

/* --- From the broker ---------------------------------------------------------------------------
 */

/* Cleared by the health tick, when the link has held (mqtt_steady()). */
static void on_namesake(struct node *node)
{
	_cleanup_(freep) char *client_id = client_id_of(node->config);
	_cleanup_(freep) char *detail = xasprintf(
		"một máy khác cũng nối vào máy chủ MQTT %s:%d với client_id \"%s\", hai máy đẩy "
		"nhau ra: mỗi trạm phải có tên (node) hoặc client_id riêng",
		node->config->mqtt.host, node->config->mqtt.port, client_id);

	node_set_fault(node, "client-id", "", detail);
}

static void on_disconnected(struct node *node, const char *cause, bool taken_over)
{
	_cleanup_(freep) char *detail = xasprintf("%s, retrying", cause);

	if (taken_over)
		on_namesake(node);
	node->connected = false;
	outbox_on_disconnected(&node->outbox);
	node_set_fault(node, "broker", "", detail);
}

/* A message that has killed the process twice is left alone, or a retained one would kill it at
 * every connect (FAULTS C2). */
static void on_message(struct node *node, const struct mqtt_event *event)
{
	if (!inhand_take_message(node->inhand, event->topic, event->payload,
		    event->oversize ? 0 : event->length)) {
		log_error("a message on %s has ended this node twice, leaving it alone",
			event->topic);
		node_set_fault(node, "message", event->topic,
			"tin nhắn này đã làm trạm dừng đột ngột hai lần, không xử lý nữa");
		return;
	}
	command_on_message(node, event);
	inhand_put_down_message(node->inhand);
}

static void on_mqtt_event(struct node *node, const struct mqtt_event *event)
{
	const struct broker_config *broker = &node->config->mqtt;

	switch (event->what) {
	case MQTT_CONNECTED:
		log_notice("connected to the broker at %s:%d", broker->host, broker->port);
		node->connected = true;
		node->connected_mono_us = clock_mono_us();
		node_clear_fault(node, "broker", "");
		if (event->taken_over)
			on_namesake(node);
		report_all_changed(node);
		outbox_on_connected(&node->outbox, node->mqtt);
		fetch_on_connected(node);
		break;
	case MQTT_DISCONNECTED:
		on_disconnected(node, event->error.text, event->taken_over);
		break;
	case MQTT_MESSAGE:
		on_message(node, event);
		break;
	case MQTT_PUBLISHED:
		outbox_on_published(&node->outbox, event->token);
		break;
	}
}

/* --- From renderers and devices ------------------------------------------------------------------
 */

static void on_renderer_event(struct node *node, const struct renderer_event *event)
{
	for (size_t i = 0; i < node->outputs_count; i++)
		for (size_t place = 0; place < OUTPUT_PLACES; place++) {
			struct broadcast *broadcast = node->outputs[i].broadcasts[place];
			if (broadcast && broadcast->renderer == event->renderer) {
				broadcast_on_renderer(broadcast, event);
				return;
			}
		}
}

static int on_device_ready(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct node_device *device = context;
	struct node *node = device->node;
	struct device_event event;

	(void)source;
	(void)fd;
	(void)revents;
	while (device_next_event(device->device, &event)) {
		bool about_all = event.what == DEVICE_OPENED || event.what == DEVICE_CLOSED;
		for (size_t i = 0; i < device->outputs_count; i++)
			if (about_all || event.output / OUTPUT_PLACES == i)
				output_on_device(&node->outputs[device->outputs[i]], &event);
	}
	store_flush(node->store);
	report_publish(node);
	return 0;
}

/* --- The inboxes
 * ----------------------------------------------------------------------------------- */

/* Handles all that waits in an inbox, then lets the store commit and the reports go out. */
static void drain(struct node *node, struct inbox *inbox,
	void (*handle)(struct node *node, const struct inbox_link *event),
	void (*release)(struct inbox_link *event))
{
	for (struct inbox_link *next, *link = inbox_take(inbox); link; link = next) {
		next = link->next;
		handle(node, link);
		release(link);
	}
	store_flush(node->store);
	report_publish(node);
}

static void handle_store(struct node *node, const struct inbox_link *link)
{
	on_store_event(node, (const struct store_event *)link);
}

static void handle_mqtt(struct node *node, const struct inbox_link *link)
{
	on_mqtt_event(node, (const struct mqtt_event *)link);
}

static void handle_renderer(struct node *node, const struct inbox_link *link)
{
	on_renderer_event(node, (const struct renderer_event *)link);
}

static void renderer_event_free(struct inbox_link *link)
{
	free(link);
}

static int on_store_ready(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct node *node = context;

	(void)source;
	(void)fd;
	(void)revents;
	drain(node, node->store_events, handle_store, store_event_free);
	return 0;
}

static int on_mqtt_ready(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct node *node = context;

	(void)source;
	(void)fd;
	(void)revents;
	int64_t until_us = clock_mono_us() + READ_US;

	if (!node->unread)
		node->unread = inbox_take(node->mqtt_events);
	while (node->unread && clock_mono_us() < until_us) {
		struct inbox_link *link = node->unread;
		node->unread = link->next;
		handle_mqtt(node, link);
		mqtt_event_free(link);
	}
	if (node->unread)
		inbox_kick(node->mqtt_events); /* sounds, timers and stops come first */
	output_pump_all(node);
	store_flush(node->store);
	report_publish(node);
	return 0;
}

static void handle_media(struct node *node, const struct inbox_link *link)
{
	fetch_on_event(node, (const struct media_event *)link);
}

static int on_media_ready(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct node *node = context;

	(void)source;
	(void)fd;
	(void)revents;
	drain(node, node->media_events, handle_media, media_event_free);
	return 0;
}

static int on_renderer_ready(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct node *node = context;

	(void)source;
	(void)fd;
	(void)revents;
	drain(node, node->renderer_events, handle_renderer, renderer_event_free);
	return 0;
}

/* --- Stop, reload, clock
 * ------------------------------------------------------------------------------ */

bool node_silent(const struct node *node)
{
	for (size_t i = 0; i < node->outputs_count; i++)
		for (size_t place = 0; place < OUTPUT_PLACES; place++)
			if (node->outputs[i].broadcasts[place])
				return false;
	return true;
}

void node_check_end(struct node *node)
{
	if ((!node->stopping && !node->reload) || !node_silent(node))
		return;
	if (!node->stopping) {
		log_notice("nothing plays: beginning anew with the new configuration");
		node->stopping = true;
		node->exit_status = NODE_RELOAD;
	}
	(void)sd_event_exit(node->loop, 0);
}

static int on_silence_deadline(sd_event_source *source, uint64_t at_us, void *context)
{
	struct node *node = context;

	(void)source;
	(void)at_us;
	log_warning("a device does not fall silent, leaving it");
	return sd_event_exit(node->loop, 0);
}

static int on_stop_signal(
	sd_event_source *source, const struct signalfd_siginfo *signal, void *context)
{
	struct node *node = context;

	(void)source;
	if (node->stopping)
		return 0;
	log_notice("%s: stopping", strsignal((int)signal->ssi_signo));
	(void)sd_notify(0, "STOPPING=1");
	node->stopping = true;
	node->changed = true;
	report_publish(node);
	for (size_t i = 0; i < node->outputs_count; i++) {
		output_keep_positions(&node->outputs[i]);
		queue_shutdown(node->outputs[i].queue);
	}
	store_flush(node->store);
	output_pump_all(node);
	(void)sd_event_add_time_relative(node->loop, NULL, CLOCK_MONOTONIC, (uint64_t)SILENCE_US,
		10 * US_PER_MS, on_silence_deadline, node);
	node_check_end(node);
	return 0;
}

/* All or nothing: a file with an error changes nothing but the status; a good one is taken over by
 * beginning anew, with the same pid, as soon as nothing plays. The queue is on the disk. */
static int on_reload_signal(
	sd_event_source *source, const struct signalfd_siginfo *signal, void *context)
{
	struct node *node = context;
	struct config_problems problems = { 0 };

	(void)source;
	(void)signal;
	_cleanup_(config_freep) struct config *config = config_load(
		node->config_path, true, &problems);
	for (size_t i = 0; i < problems.count; i++)
		log_error("%s", problems.list[i].text);
	if (!config) {
		node_set_fault(node, "configuration", "",
			problems.count ? problems.list[0].text : "không đọc được tệp cấu hình");
	} else {
		log_notice("the new configuration is taken over when nothing plays");
		node_clear_fault(node, "configuration", "");
		node->reload = true;
		node_check_end(node);
	}
	config_problems_done(&problems);
	report_publish(node);
	return 0;
}

static void arm_clock_watch(struct node *node)
{
	struct itimerspec never = { .it_value.tv_sec = CLOCK_WATCH_S };

	(void)timerfd_settime(
		node->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

/* Somebody has set the clock: everything timed is judged anew. */
static int on_clock_set(sd_event_source *source, int fd, uint32_t revents, void *context)
{
	struct node *node = context;
	uint64_t expirations;

	(void)source;
	(void)revents;
	if (read(fd, &expirations, sizeof expirations) < 0 && errno != ECANCELED)
		return 0;
	arm_clock_watch(node);
	log_notice("the clock was set");
	node->last_start.real_us = TIME_UNSET;
	node->clock_was_set = true;
	node_judge_clock(node);
	node_keep_time(node); /* what was kept may be of a time that is still to come */
	for (size_t i = 0; i < node->outputs_count; i++)
		queue_on_clock_set(node->outputs[i].queue);
	schedules_pump(node);
	output_pump_all(node);
	store_flush(node->store);
	report_publish(node);
	return 0;
}

/* --- Life
 * -----------------------------------------------------------------------------------------------
 */

static int add_sources(struct node *node)
{
	sigset_t signals;
	_cleanup_(sd_event_source_unrefp) sd_event_source *messages = NULL;
	int result;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before the first thread */
	signal(SIGPIPE, SIG_IGN);
	if ((result = sd_event_add_signal(node->loop, NULL, SIGTERM, on_stop_signal, node)) < 0 ||
		(result = sd_event_add_signal(node->loop, NULL, SIGINT, on_stop_signal, node)) <
			0 ||
		(result = sd_event_add_signal(node->loop, NULL, SIGHUP, on_reload_signal, node)) <
			0 ||
		(result = sd_event_add_io(node->loop, NULL, inbox_fd(node->store_events), EPOLLIN,
			 on_store_ready, node)) < 0 ||
		(result = sd_event_add_io(node->loop, &messages, inbox_fd(node->mqtt_events),
			 EPOLLIN, on_mqtt_ready, node)) < 0 ||
		(result = sd_event_source_set_floating(messages, true)) < 0 ||
		(result = sd_event_add_io(node->loop, NULL, inbox_fd(node->renderer_events),
			 EPOLLIN, on_renderer_ready, node)) < 0 ||
		(result = sd_event_add_io(node->loop, NULL, inbox_fd(node->media_events), EPOLLIN,
			 on_media_ready, node)) < 0)
		return result;
	node->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (node->clock_fd < 0)
		return -errno;
	arm_clock_watch(node);
	return sd_event_add_io(node->loop, NULL, node->clock_fd, EPOLLIN, on_clock_set, node);
}

static struct node_device *device_of(struct node *node, const char *name)
{
	for (size_t i = 0; i < node->devices_count; i++)
		if (strcmp(node->devices[i].name, name) == 0)
			return &node->devices[i];
	struct node_device *device = &node->devices[node->devices_count++];
	device->node = node;
	device->name = name;
	return device;
}

/* Outputs in the order of the configuration; those of one device share it. */
static void make_outputs(struct node *node)
{
	node->outputs_count = node->config->outputs_count;
	node->outputs = xcalloc(node->outputs_count, sizeof *node->outputs);
	node->devices = xcalloc(node->outputs_count, sizeof *node->devices);
	for (size_t i = 0; i < node->outputs_count; i++) {
		const struct config_output *config = &node->config->outputs[i];
		struct node_device *device = device_of(node, config->sound.device);
		node->outputs[i] = (struct output){
			.node = node,
			.index = (unsigned)i,
			.config = config,
			.device = device,
			.slot = device->outputs_count * OUTPUT_PLACES,
		};
		output_init(&node->outputs[i]);
		device->outputs[device->outputs_count++] = (unsigned)i;
	}
}

static int start_device(struct node_device *device)
{
	struct device_output_config slots[DEVICE_OUTPUTS_MAX];
	size_t count = device->outputs_count * OUTPUT_PLACES;

	for (size_t slot = 0; slot < count; slot++) {
		const struct output_config *sound =
			&device->node->outputs[device->outputs[slot / OUTPUT_PLACES]].config->sound;
		slots[slot] = (struct device_output_config){ sound->channel_mask, sound->gain_db,
			sound->preroll_us, sound->delay_us };
	}
	struct device_config config = { device->name, slots, count };
	device->device = device_start(&config);
	if (!device->device)
		return -errno;
	return sd_event_add_io(device->node->loop, &device->source, device_event_fd(device->device),
		EPOLLIN, on_device_ready, device);
}

static int start(struct node *node)
{
	const struct config *config = node->config;
	int result = sd_event_default(&node->loop);

	if (result < 0)
		return result;
	node->store_events = inbox_new(EVENTS_MAX);
	node->mqtt_events = inbox_new(EVENTS_MAX);
	node->renderer_events = inbox_new(EVENTS_MAX);
	node->media_events = inbox_new(EVENTS_MAX);
	if (!node->store_events || !node->mqtt_events || !node->renderer_events ||
		!node->media_events)
		return -errno;
	result = add_sources(node);
	if (result < 0)
		return result;
	node->ledger = ledger_new();
	schedules_init(&node->schedules);
	node->levels = levels_new();
	node->renderer = (struct renderer_config){ .engines = config->speech.engines,
		.engines_count = config->speech.engines_count,
		.helper_dirs = config_helper_dirs(),
		.duck_db = RENDERER_DUCK_DB,
		.levels = node->levels };
	chimes_load(&node->chimes, config->chimes.dir);
	node->fallback_path = config_shipped_path("chimes/system/khong-doc-duoc.flac");
	make_outputs(node);
	for (size_t i = 0; i < node->devices_count; i++) {
		result = start_device(&node->devices[i]);
		if (result < 0)
			return result;
	}
	if (config->speech.engines[0]
			.command) { /* a child is quick to start; a server is met when needed */
		struct error error = { 0 };
		node->warm = engine_new(&config->speech.engines[0], node->renderer.helper_dirs);
		if (engine_warm(node->warm, &error) < 0)
			node_set_fault(node, "engine", "", error.text);
	}
	fetch_init(&node->fetch);
	node->media = media_start(config->state_dir, node->media_events);
	if (!node->media)
		return -errno;
	node->store = store_start(config->state_dir, node->store_events);
	return node->store ? 0 : -errno;
}

/* Waits until what was lent is back, with what is left of the time. */
static bool stop_devices(struct node *node, int64_t deadline_mono_us)
{
	bool stopped = true;

	for (size_t i = 0; i < node->devices_count; i++)
		if (node->devices[i].device)
			device_request_stop(node->devices[i].device);
	for (size_t i = 0; i < node->devices_count; i++) {
		struct node_device *device = &node->devices[i];
		int64_t left_ms = (deadline_mono_us - clock_mono_us()) / US_PER_MS;
		device->source = sd_event_source_disable_unref(device->source);
		if (device->device &&
			device_stop(device->device, left_ms > 0 ? (int)left_ms : 0) < 0)
			stopped = false;
	}
	return stopped;
}

static void free_outputs(struct node *node)
{
	for (size_t i = 0; i < node->outputs_count; i++)
		output_done(&node->outputs[i]);
	free(node->outputs);
	free(node->devices);
}

/* The last word, since a proper goodbye keeps the broker from publishing the will. */
static void publish_offline(struct node *node)
{
	_cleanup_(freep) char *topic = report_topic(node, "status");
	_cleanup_(freep) char *offline = report_offline(node);

	if (mqtt_publish(node->mqtt, topic, offline, true, 0) < 0)
		log_warning("too much waits for the broker, leaving without a word");
}

/* The mirror of start(). What hangs is left behind: then the process must end without waiting for
 * it, which is why the last thing here may be _exit(). */
static void stop(struct node *node)
{
	int64_t deadline_us = clock_mono_us() + (NODE_STOP_US - SILENCE_US);
	bool silent = node_silent(node), clean = true;

	if (node->store) {
		if (node->loaded)
			node_keep_time(node);
		store_flush(node->store);
		clean &= store_stop(node->store, 600) == 0;
	}
	if (node->mqtt && node->exit_status != NODE_RELOAD)
		publish_offline(node);
	clean &= mqtt_stop(node->mqtt, 500) == 0;
	clean &= media_stop(node->media, 100) == 0;
	node->inhand = inhand_close(node->inhand);
	clean &= stop_devices(node, deadline_us);
	if (!clean || !silent) {
		log_warning("something hangs, ending without it");
		if (node->exit_status != NODE_RELOAD)
			_exit(node->exit_status);
		return; /* the new image of the process replaces what hangs */
	}
	engine_free(node->warm);
	levels_free(node->levels);
	free_outputs(node);
	chimes_done(&node->chimes);
	ledger_free(node->ledger);
	schedules_done(&node->schedules);
	outbox_done(&node->outbox);
	requests_done(&node->requests);
	orphans_done(&node->orphans);
	sd_event_source_disable_unref(node->fetch_timer);
	sd_event_source_disable_unref(node->report_timer);
	fetch_done(&node->fetch);
	free(node->fallback_path);
	free(node->pending);
	inbox_free(node->store_events, store_event_free);
	for (struct inbox_link *next, *link = node->unread; link; link = next) {
		next = link->next;
		mqtt_event_free(link);
	}
	inbox_free(node->mqtt_events, mqtt_event_free);
	inbox_free(node->renderer_events, renderer_event_free);
	inbox_free(node->media_events, media_event_free);
	if (node->clock_fd >= 0)
		close(node->clock_fd);
	sd_event_unref(node->loop);
	config_free(node->config);
}

int node_run(struct config *config, const char *config_path)
{
	struct node node = {
		.config = config,
		.config_path = config_path,
		.last_seen_us = TIME_UNSET,
		.started_mono_us = clock_mono_us(),
		.clock_fd = -1,
	};
	int result = start(&node);

	if (result == 0) {
		result = sd_event_loop(node.loop);
		if (result < 0) {
			log_error("the event loop has failed (%s), ending", strerror(-result));
			node.exit_status = 1;
		}
	} else {
		log_error("cannot start: %s", strerror(-result));
		node.exit_status = 1;
	}
	stop(&node);
	return node.exit_status;
}
