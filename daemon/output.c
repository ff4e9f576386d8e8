/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/output.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "daemon/broadcast.h"
#include "daemon/report.h"

#include <errno.h>
#include <math.h>
#include <string.h>

bool output_listens(const struct output *output, const char *zone)
{
	if (strcmp(zone, "all") == 0)
		return true;
	for (size_t i = 0; i < output->config->zones_count; i++)
		if (strcmp(output->config->zones[i], zone) == 0)
			return true;
	return false;
}

struct output *output_find(struct node *node, const char *name)
{
	for (size_t i = 0; i < node->outputs_count; i++)
		if (strcmp(node->outputs[i].config->sound.name, name) == 0)
			return &node->outputs[i];
	return NULL;
}

static void mark_changed(struct output *output, bool new_state)
{
	output->changed = true;
	if (new_state)
		output->since_us = clock_real_us();
}

/* --- Receipts and memory ---------------------------------------------------------------------- */

static int64_t forget_time(const struct announcement *announcement)
{
	int64_t now_us = clock_real_us();
	int64_t base_us = announcement->expires_us > now_us ? announcement->expires_us : now_us;

	return base_us + NODE_REMEMBER_US;
}

static void remember(
	struct output *output, const struct announcement *announcement, enum play_state state)
{
	node_remember(output->node, announcement->id, output, announcement->revision, state,
		forget_time(announcement));
}

/* A receipt about an announcement that is not on air. */
static void receipt_of_waiting(struct output *output, const struct announcement *announcement,
	enum receipt_event event, enum reason reason, const char *detail)
{
	bool cut_off = strcmp(output->resume.id, announcement->id) == 0;
	struct receipt receipt = {
		.event = event,
		.id = announcement->id,
		.revision = announcement->revision,
		.node = output->node->config->node,
		.output = output->config->sound.name,
		.at_us = clock_real_us(),
		.seconds_asked = NAN,
		.seconds_played = cut_off ? output->resume.seconds : 0,
		.reason = reason,
		.detail = detail,
	};
	if (cut_off)
		output->resume.id[0] = '\0';
	node_receipt(output->node, &receipt);
}

static void receipt_of_broadcast(const struct broadcast *broadcast, enum receipt_event event,
	int64_t at_us, double seconds_played, const char *detail)
{
	const struct output *output = broadcast->output;
	struct receipt receipt = {
		.event = event,
		.id = broadcast->announcement->id,
		.revision = broadcast->announcement->revision,
		.node = output->node->config->node,
		.output = output->config->sound.name,
		.at_us = at_us,
		.seconds_asked = broadcast_seconds_asked(broadcast),
		.seconds_played = seconds_played,
		.reason = broadcast->reason,
		.detail = detail,
		.spoken_sha256 = broadcast->spoken_sha256[0] ? broadcast->spoken_sha256 : NULL,
	};
	node_receipt(output->node, &receipt);
}

/* --- Coming in ------------------------------------------------------------------------------- */

/* Takes an entry out of the queue and says what became of it. */
static void drop_waiting(struct output *output, const char *id, enum receipt_event event,
	enum play_state state, enum reason reason, const char *detail)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = queue_remove(
		output->queue, id);

	if (!announcement)
		return;
	receipt_of_waiting(output, announcement, event, reason, detail);
	remember(output, announcement, state);
	mark_changed(output, false);
}

static bool is_on_air(const struct output *output, const char *id)
{
	return output->broadcast && strcmp(output->broadcast->announcement->id, id) == 0;
}

/* An older revision gives way: the waiting one at once, the one on air by fading out. */
static void supersede(struct output *output, const char *id)
{
	drop_waiting(
		output, id, RECEIPT_SUPERSEDED, PLAY_SUPERSEDED, REASON_NONE, "đã có bản mới hơn");
	if (is_on_air(output, id))
		broadcast_end(output->broadcast, BROADCAST_SUPERSEDED, REASON_NONE);
}

/* Another text under an id and a revision that are taken: its sender believes that it will be said.
 * It is told once, not at every reconnect. */
static bool contradicts(struct output *output, const struct ledger_row *known,
	const struct announcement *announcement)
{
	uint64_t content = ledger_content(announcement->text);

	if (known->revision != announcement->revision || known->content == 0 ||
		known->content == content)
		return false;
	ledger_set_content(output->node->ledger, announcement->id, output->index, content);
	return true;
}

bool output_offer(struct output *output, struct announcement *announcement, int64_t arrival_us,
	uint64_t sequence, int *ret_error)
{
	struct ledger *ledger = output->node->ledger;
	const struct ledger_row *known = ledger_find(ledger, announcement->id, output->index);

	if (known && known->revision >= announcement->revision) {
		if (contradicts(output, known, announcement))
			*ret_error = -EEXIST;
		return false;
	}
	supersede(output, announcement->id);
	if (output->node->trusted && announcement->expires_us <= arrival_us) {
		receipt_of_waiting(output, announcement, RECEIPT_EXPIRED, REASON_EXPIRED,
			"đã hết hạn trước khi đến trạm");
		remember(output, announcement, PLAY_EXPIRED);
		return false;
	}
	int result = queue_add(output->queue, announcement, arrival_us, sequence, false);
	if (result < 0) {
		*ret_error = result;
		return false;
	}
	remember(output, announcement, PLAY_QUEUED);
	ledger_set_content(
		ledger, announcement->id, output->index, ledger_content(announcement->text));
	mark_changed(output, false);
	return true;
}

void output_restore(struct output *output, struct announcement *announcement, int64_t arrival_us,
	uint64_t sequence, bool playing)
{
	if (queue_add(output->queue, announcement, arrival_us, sequence, true) < 0)
		return; /* there were never more than fit */
	if (!playing)
		return;
	snprintf(output->resume.id, sizeof output->resume.id, "%s", announcement->id);
	output->resume.item = 0; /* from the beginning: how far it came is not kept */
	output->resume.seconds = 0;
}

void output_withdraw(struct output *output, const char *id, int64_t revision, bool lasting)
{
	const struct ledger_row *known = ledger_find(output->node->ledger, id, output->index);

	if (known && known->revision > revision)
		return;
	drop_waiting(
		output, id, RECEIPT_CANCELLED, PLAY_CANCELLED, REASON_WITHDRAWN, "đã được rút lại");
	if (is_on_air(output, id))
		broadcast_end(output->broadcast, BROADCAST_CANCELLED, REASON_WITHDRAWN);
	if (lasting) /* learnt for later: a copy of the announcement may still come by another zone
		      */
		node_remember(output->node, id, output, revision,
			known && known->state == PLAY_FINISHED ? PLAY_FINISHED : PLAY_CANCELLED,
			clock_real_us() + NODE_REMEMBER_US);
}

/* Copies of the ids that a stop clears: all but what is scheduled for later. */
static size_t ids_to_stop(struct output *output, char (*ids)[ID_MAX_BYTES + 1], size_t max)
{
	_cleanup_(freep)
		const struct queue_entry **entries = xcalloc(max, sizeof(struct queue_entry *));
	_cleanup_(freep) enum queue_wait *waits = xcalloc(max, sizeof(*waits));
	struct queue_now now = node_now(output->node);
	size_t count = queue_list(output->queue, &now, entries, waits, max);
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		const struct announcement *announcement = entries[i]->announcement;
		if (announcement->start_us == TIME_UNSET || announcement->start_us <= now.real_us)
			snprintf(ids[found++], sizeof ids[0], "%s", announcement->id);
	}
	return found;
}

void output_stop(struct output *output)
{
	size_t max = QUEUE_ENTRIES_MAX + QUEUE_EMERGENCIES_MAX;
	_cleanup_(freep) char(*ids)[ID_MAX_BYTES + 1] = xcalloc(max, sizeof *ids);

	if (output->broadcast)
		broadcast_end(output->broadcast, BROADCAST_CANCELLED, REASON_STOPPED);
	size_t count = ids_to_stop(output, ids, max);
	for (size_t i = 0; i < count; i++)
		drop_waiting(output, ids[i], RECEIPT_CANCELLED, PLAY_CANCELLED, REASON_STOPPED,
			"người vận hành đã bấm dừng");
}

void output_set_gain(struct output *output, double gain_db)
{
	output->gain_db = gain_db;
	device_set_gain_db(output->device->device, output->slot, gain_db);
	mark_changed(output, false);
}

/* --- Deciding -------------------------------------------------------------------------------- */

static int on_timer(sd_event_source *source, uint64_t at_us, void *context)
{
	struct output *output = context;

	(void)source;
	(void)at_us;
	output_pump(output);
	store_flush(output->node->store);
	report_publish(output->node);
	return 0;
}

static void set_timer(struct output *output, int64_t wake_us)
{
	output->timer = sd_event_source_disable_unref(output->timer);
	if (wake_us == TIME_NEVER)
		return;
	if (wake_us < 0)
		wake_us = 0;
	int result = sd_event_add_time(output->node->loop, &output->timer, CLOCK_REALTIME,
		(uint64_t)wake_us, US_PER_MS, on_timer, output);
	if (result < 0)
		log_about(LOG_ERR, NULL, output->config->sound.name,
			"cannot set a timer (%s), waiting for the next event instead",
			strerror(-result));
}

static void expire(struct output *output, const struct queue_decision *decision)
{
	char id[ID_MAX_BYTES + 1];
	bool lost = decision->reason == REASON_OUTPUT_LOST;

	snprintf(id, sizeof id, "%s", decision->entry->announcement->id);
	drop_waiting(output, id, RECEIPT_EXPIRED, PLAY_EXPIRED, decision->reason,
		lost ? "loa mất kết nối đến khi hết hạn" : "đã hết hạn trước khi đến lượt");
}

static void play(struct output *output, const struct queue_decision *decision)
{
	output->broadcast = broadcast_start(output, decision->entry, decision->start_us);
	announcement_unref(queue_remove(output->queue, output->broadcast->announcement->id));
	mark_changed(output, false);
}

static struct queue_now output_now(const struct output *output)
{
	struct queue_now now = node_now(output->node);

	now.output_ready = device_rate_hz(output->device->device) != 0;
	now.busy = output->broadcast != NULL;
	now.free_us = output->free_us;
	return now;
}

void output_pump(struct output *output)
{
	if (!output->node->loaded || output->node->stopping)
		return;
	for (;;) {
		struct queue_now now = output_now(output);
		struct queue_decision decision = queue_decide(output->queue, &now);
		switch (decision.what) {
		case QUEUE_DO_NOTHING:
			set_timer(output, decision.wake_us);
			return;
		case QUEUE_DO_EXPIRE:
			expire(output, &decision);
			break;
		case QUEUE_DO_PLAY:
			play(output, &decision);
			break;
		}
	}
}

void output_pump_all(struct node *node)
{
	for (size_t i = 0; i < node->outputs_count; i++)
		output_pump(&node->outputs[i]);
}

/* --- What the broadcast tells -------------------------------------------------------------------
 */

void output_on_broadcast_started(struct output *output, struct broadcast *broadcast)
{
	receipt_of_broadcast(broadcast, broadcast->resumed ? RECEIPT_RESUMED : RECEIPT_STARTED,
		broadcast->start_us, broadcast->seconds_before, NULL);
	remember(output, broadcast->announcement, PLAY_PLAYING);
	mark_changed(output, true);
}

static const struct ending {
	enum receipt_event event;
	enum play_state state;
	const char *detail; /* NULL: the broadcast's own, or none */
} endings[] = {
	[BROADCAST_FINISHED] = { RECEIPT_FINISHED, PLAY_FINISHED, NULL },
	[BROADCAST_CANCELLED] = { RECEIPT_CANCELLED, PLAY_CANCELLED, NULL },
	[BROADCAST_SUPERSEDED] = { RECEIPT_SUPERSEDED, PLAY_SUPERSEDED, "đã có bản mới hơn" },
	[BROADCAST_FAILED] = { RECEIPT_FAILED, PLAY_FAILED, NULL },
	[BROADCAST_LOST] = { RECEIPT_INTERRUPTED, PLAY_PLAYING, "loa mất kết nối, sẽ đọc tiếp" },
	[BROADCAST_STOPPING] = { RECEIPT_INTERRUPTED, PLAY_PLAYING, "trạm đang dừng, sẽ đọc lại" },
};

static const char *ending_detail(const struct broadcast *broadcast)
{
	if (broadcast->end == BROADCAST_CANCELLED)
		return broadcast->reason == REASON_STOPPED ? "người vận hành đã bấm dừng"
							   : "đã được rút lại";
	if (broadcast->end == BROADCAST_FAILED)
		return broadcast->detail.text[0] ? broadcast->detail.text
						 : "không máy đọc nào đọc được";
	return endings[broadcast->end].detail;
}

/* Puts what was cut off back into the queue; what had been heard of it goes on where it was. */
static void keep_for_later(struct output *output, const struct broadcast *broadcast)
{
	if (queue_add(output->queue, broadcast->announcement, broadcast->arrival_us,
		    broadcast->sequence, true) < 0) {
		log_about(LOG_ERR, broadcast->announcement->id, output->config->sound.name,
			"the queue is full, what was cut off cannot go on before a restart");
		return;
	}
	if (!broadcast->on_air && !broadcast->resumed)
		return;
	snprintf(output->resume.id, sizeof output->resume.id, "%s", broadcast->announcement->id);
	output->resume.item = broadcast->next_item;
	output->resume.seconds = broadcast->seconds_before + broadcast->seconds_played;
}

void output_on_broadcast_over(struct output *output, struct broadcast *broadcast)
{
	struct node *node = output->node;
	bool cut_off = broadcast->end == BROADCAST_LOST || broadcast->end == BROADCAST_STOPPING;
	double played = broadcast->seconds_before + broadcast->seconds_played;

	output->broadcast = NULL;
	if (broadcast->end == BROADCAST_FINISHED && !broadcast->engine_failed)
		node_clear_fault(node, "engine", "");
	if (broadcast->end == BROADCAST_FINISHED && !broadcast->chime_failed)
		node_clear_fault(node, "chime", "");
	if (broadcast->ended_us != TIME_UNSET)
		output->free_us = broadcast->ended_us + node->config->gap_us;
	if (!cut_off || broadcast->on_air)
		receipt_of_broadcast(broadcast, endings[broadcast->end].event,
			broadcast->ended_us != TIME_UNSET ? broadcast->ended_us : clock_real_us(),
			played, ending_detail(broadcast));
	if (cut_off)
		keep_for_later(output, broadcast);
	else
		remember(output, broadcast->announcement, endings[broadcast->end].state);
	broadcast_free(broadcast);
	mark_changed(output, true);
	node_check_end(node); /* first: a reload waits for a moment between two broadcasts */
	output_pump(output);
}

void output_on_device(struct output *output, const struct device_event *event)
{
	struct node *node = output->node;
	const char *name = output->config->sound.name;

	switch (event->what) {
	case DEVICE_OPENED:
		log_about(LOG_INFO, NULL, name, "%s is open at %u Hz", output->device->name,
			event->rate_hz);
		output->lost = false;
		node_clear_fault(node, "output-lost", name);
		break;
	case DEVICE_CLOSED: {
		_cleanup_(freep) char *detail = xasprintf("không phát được ra %s: %s, đang thử lại",
			output->device->name, strerror(event->error));
		output->lost = true;
		node_set_fault(node, "output-lost", name, detail);
		break;
	}
	case DEVICE_STARTED:
	case DEVICE_ENDED:
		if (output->broadcast && output->broadcast->programme == event->programme)
			broadcast_on_device(output->broadcast, event);
		return;
	}
	mark_changed(output, true);
	node->changed = true;
	output_pump(output);
}
