/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/output.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "daemon/broadcast.h"
#include "daemon/fetch.h"
#include "daemon/report.h"
#include "scheduler/schedule.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TICK_US       (1 * US_PER_SEC) /* how often it is looked how far a broadcast has come */
#define PLACE_STEP_US (5 * US_PER_SEC) /* a place within a recording is kept this often */
#define DUCK_RAMP_MS  150
#define DUCK_LEAD_US  (300 * US_PER_MS) /* the ramp, and what the device holds */
#define GAIN_RAMP_MS  20

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

size_t output_slot(const struct output *output, size_t place)
{
	return output->slot + place;
}

static const char *name_of(const struct output *output)
{
	return output->config->sound.name;
}

static void mark_changed(struct output *output, bool new_state)
{
	output->changed = true;
	output->urgent |= new_state;
	if (new_state)
		output->since_us = clock_real_us();
}

const struct broadcast *output_on_air(const struct output *output)
{
	const struct broadcast *found = NULL;

	for (size_t i = 0; i < OUTPUT_PLACES; i++) {
		const struct broadcast *broadcast = output->broadcasts[i];
		if (!broadcast || !broadcast->on_air || broadcast->device_done)
			continue;
		if (!found || broadcast->announcement->priority > found->announcement->priority)
			found = broadcast;
	}
	return found;
}

/* --- Memory ---------------------------------------------------------------------------------- */

static int64_t forget_time(const struct announcement *announcement)
{
	int64_t now_us = clock_real_us();
	int64_t base_us = announcement->expires_us > now_us ? announcement->expires_us : now_us;

	return base_us + NODE_REMEMBER_US;
}

/* Unless a newer revision has taken its place already. `at` NULL: nowhere. */
static void remember(struct output *output, const struct announcement *announcement,
	enum play_state state, const struct queue_position *at, uint32_t tries)
{
	const struct ledger_row *known = ledger_find(
		output->node->ledger, announcement->id, output->index);
	struct store_play play = {
		.id = (char *)announcement->id,
		.output = output->config->sound.name,
		.revision = announcement->revision,
		.state = state,
		.forget_us = forget_time(announcement),
		.item = at ? at->item : 0,
		.offset_us = at ? at->offset_us : 0,
		.played_us = at ? at->played_us : 0,
		.tries = tries,
	};
	if (!known || known->revision <= announcement->revision)
		node_remember(output->node, output, &play);
}

static void keep_setting(struct output *output, const char *what, const char *value)
{
	_cleanup_(freep) char *key = xasprintf("%s:%s", what, name_of(output));

	(void)store_put_setting(output->node->store, key, value);
}

static void keep_usage(struct output *output)
{
	char text[USAGE_TEXT_SIZE];

	usage_format(queue_usage(output->queue), text);
	keep_setting(output, "usage", text);
}

/* --- Receipts -------------------------------------------------------------------------------- */

/* What is said of each cause: of what ends with it, and of what goes on later. */
static const struct {
	const char *ends, *goes_on;
} details[QUEUE_CAUSES_COUNT] = {
	[QUEUE_FAILED] = { "không máy đọc nào đọc được", NULL },
	[QUEUE_WITHDRAWN] = { "đã được rút lại", NULL },
	[QUEUE_STOPPED] = { "người vận hành đã bấm dừng", NULL },
	[QUEUE_SKIPPED] = { "người vận hành đã bỏ qua", NULL },
	[QUEUE_SUPERSEDED] = { "đã có bản mới hơn", NULL },
	[QUEUE_EVICTED] = { "hàng đợi của loa đã đầy: nhường chỗ cho bản tin đến sau", NULL },
	[QUEUE_POISON] = { "trạm đã nhiều lần dừng đột ngột khi phát bản tin này", NULL },
	[QUEUE_PREEMPTED] = { "bị bản tin ưu tiên hơn cắt ngang, không đọc lại",
		"nhường cho bản tin ưu tiên hơn, sẽ đọc tiếp" },
	[QUEUE_MUTED] = { "loa bị tắt tiếng, không đọc lại",
		"loa bị tắt tiếng, sẽ đọc tiếp khi mở" },
	[QUEUE_QUIET] = { "đến giờ yên lặng, không đọc lại",
		"đến giờ yên lặng, sẽ đọc tiếp sau đó" },
	[QUEUE_LOST] = { "loa mất kết nối, không đọc lại", "loa mất kết nối, sẽ đọc tiếp" },
	[QUEUE_SHUTDOWN] = { "trạm dừng, không đọc lại", "trạm đang dừng, sẽ đọc tiếp" },
	[QUEUE_CRASHED] = { "trạm dừng đột ngột giữa chừng, không đọc lại", NULL },
};

/* Why it has expired, in words. */
static const char *expiry_detail(
	const struct output *output, const struct queue_entry *entry, enum reason reason)
{
	const struct usage_limits *limits = &output->config->limits;

	switch (reason) {
	case REASON_QUIET_HOURS:
		return "giờ yên lặng kéo dài đến khi bản tin hết hạn";
	case REASON_LIMIT:
		return limits->item_minutes > 0 && entry->seconds > 60.0 * limits->item_minutes
			       ? "bản tin dài hơn mức cho phép của loa (item_minutes)"
			       : "loa đã phát đủ số phút hoặc số phiên cho phép trong ngày";
	case REASON_LATE:
		return entry->left_alone ? "các loa khác đang phát dở khi loa này trở lại; chờ bản "
					   "tin sau (join)"
					 : OUTPUT_LATE_DETAIL;
	case REASON_MUTED:
		return "loa bị tắt tiếng đến khi bản tin hết hạn";
	case REASON_OUTPUT_LOST:
		return "loa mất kết nối đến khi bản tin hết hạn";
	case REASON_MEDIA_MISSING:
		return "bản ghi âm không đến trước khi bản tin hết hạn";
	default:
		return "đã hết hạn trước khi đến lượt";
	}
}

/* An emergency that was heard where others are not says so. */
static void note_passed(const struct queue_entry *entry, struct receipt *receipt)
{
	if (receipt->reason != REASON_NONE ||
		(receipt->event != RECEIPT_STARTED && receipt->event != RECEIPT_RESUMED &&
			receipt->event != RECEIPT_FINISHED))
		return;
	if (entry->passes_quiet) {
		receipt->reason = REASON_QUIET_HOURS;
		receipt->detail = "khẩn cấp: phát cả trong giờ yên lặng";
	} else if (entry->passes_limit) {
		receipt->reason = REASON_LIMIT;
		receipt->detail = "khẩn cấp: phát cả khi đã hết mức cho phép trong ngày";
	}
}

static void send_receipt(
	struct output *output, const struct queue_entry *entry, struct receipt *receipt)
{
	receipt->id = entry->announcement->id;
	receipt->revision = entry->announcement->revision;
	receipt->node = output->node->config->node;
	receipt->output = name_of(output);
	note_passed(entry, receipt);
	node_receipt(output->node, receipt);
}

/* Of what is not being played. */
static void receipt_of_waiting(struct output *output, const struct queue_entry *entry,
	enum receipt_event event, enum reason reason, const char *detail)
{
	struct receipt receipt = {
		.event = event,
		.at_us = clock_real_us(),
		.seconds_asked = entry->seconds > 0 ? entry->seconds : NAN,
		.seconds_played = (double)entry->from.played_us / US_PER_SEC,
		.reason = reason,
		.detail = detail,
	};
	send_receipt(output, entry, &receipt);
}

static void receipt_of_broadcast(const struct broadcast *broadcast, enum receipt_event event,
	enum reason reason, int64_t at_us, const char *detail)
{
	struct receipt receipt = {
		.event = event,
		.at_us = at_us,
		.seconds_asked = broadcast_seconds_asked(broadcast),
		.seconds_played = event == RECEIPT_STARTED || event == RECEIPT_RESUMED
					  ? broadcast->seconds_before
					  : broadcast_seconds_played(broadcast),
		.reason = reason,
		.detail = detail,
		.spoken_sha256 = broadcast->spoken_sha256[0] ? broadcast->spoken_sha256 : NULL,
	};
	if (broadcast->joins && reason == REASON_NONE &&
		(event == RECEIPT_STARTED || event == RECEIPT_RESUMED)) {
		receipt.reason = REASON_LATE;
		receipt.detail = "vào giữa chừng, cùng nhịp với các loa khác";
	}
	if (event == RECEIPT_FINISHED && reason == REASON_NONE && broadcast->media_missing) {
		receipt.reason = REASON_MEDIA_MISSING;
		receipt.detail =
			announcement_is_plain(broadcast->announcement)
				? "không có bản ghi âm (hoặc nó hỏng), chỉ đọc phần chữ"
				: "thiếu bản ghi âm (hoặc nó hỏng), chỉ phát các phần còn lại";
	}
	send_receipt(broadcast->output, broadcast->entry, &receipt);
}

/* --- Coming in ------------------------------------------------------------------------------- */

/* Another content under an id and a revision that are taken: its sender believes that it will be
 * said. It is told once, not at every reconnect. */
static bool contradicts(struct output *output, const struct ledger_row *known,
	const struct announcement *announcement)
{
	uint64_t content = ledger_content(announcement);

	if (known->revision != announcement->revision || known->content == 0 ||
		known->content == content)
		return false;
	ledger_set_content(output->node->ledger, announcement->id, output->index, content);
	return true;
}

/* It had expired before it came: nobody will hear it, and the office learns why. */
static void expire_on_arrival(struct output *output, const struct output_offer *offer)
{
	struct queue_entry entry = { .announcement = offer->announcement };

	receipt_of_waiting(
		output, &entry, RECEIPT_EXPIRED, REASON_EXPIRED, "đã hết hạn trước khi đến trạm");
	remember(output, offer->announcement, PLAY_EXPIRED, NULL, 0);
}

static struct queue_offer queue_offer_of(const struct output_offer *offer, bool durable)
{
	return (struct queue_offer){
		.announcement = offer->announcement,
		.arrival_us = offer->arrival_us,
		.sequence = offer->sequence,
		.seconds = offer->seconds,
		.durable = durable,
		.waited = offer->came_late,
	};
}

bool output_offer(struct output *output, const struct output_offer *offer, int *ret_error)
{
	struct node *node = output->node;
	const struct announcement *announcement = offer->announcement;
	const struct ledger_row *known = ledger_find(node->ledger, announcement->id, output->index);
	struct queue_offer entry = queue_offer_of(offer, false);

	/* An occurrence that has begun, or ended, is not said again because its schedule was revised. */
	if (known && announcement->late_us >= 0 && known->state != PLAY_QUEUED)
		return false;
	if (known && known->revision >= announcement->revision) {
		if (contradicts(output, known, announcement))
			*ret_error = -EEXIST;
		return false;
	}
	if (node->trusted && announcement->expires_us <= offer->arrival_us) {
		(void)queue_withdraw(output->queue, announcement->id, announcement->revision);
		expire_on_arrival(output, offer);
		return false;
	}
	bool replaces = queue_find(output->queue, announcement->id) != NULL;
	int result = queue_add(output->queue, &entry, NULL);
	if (result < 0) {
		*ret_error = result;
		return false;
	}
	orphans_claim(&node->orphans, announcement->id, output->index);
	remember(output, announcement, PLAY_QUEUED, NULL, 0);
	ledger_set_content(
		node->ledger, announcement->id, output->index, ledger_content(announcement));
	fetch_want(node, announcement);
	mark_changed(output, false);
	if (replaces) /* the end of the old one is written with the beginning of the new */
		output_pump(output);
	return true;
}

void output_refuse(struct output *output, const struct output_offer *offer)
{
	struct queue_entry entry = { .announcement = offer->announcement };

	receipt_of_waiting(
		output, &entry, RECEIPT_EXPIRED, REASON_QUEUE_FULL, "hàng đợi của loa đã đầy");
	remember(output, offer->announcement, PLAY_EXPIRED, NULL, 0);
}

/* All of it had been said, but the closing chime, when the node went down. */
static void finish_restored(
	struct output *output, const struct output_offer *offer, const struct store_play *play)
{
	struct queue_entry entry = { .announcement = offer->announcement,
		.seconds = offer->seconds,
		.from = { .played_us = play->played_us } };

	receipt_of_waiting(output, &entry, RECEIPT_FINISHED, REASON_NONE, NULL);
	remember(output, offer->announcement, PLAY_FINISHED, NULL, 0);
}

/* "BEGUN ITEM OFFSET PLAYED REVISION ID", or nothing. */
static void keep_run(struct output *output, const struct queue_entry *entry)
{
	const struct queue_run *run = &entry->run;

	if (queue_join_parse(output->config->join) == QUEUE_JOIN_WHOLE ||
		entry->announcement->priority == PRIORITY_BACKGROUND)
		return;
	_cleanup_(freep) char *value = xasprintf("%" PRId64 " %" PRIu32 " %" PRId64 " %" PRId64
						 " %" PRId64 " %s",
		run->begun_us, run->from.item, run->from.offset_us, run->from.played_us,
		entry->announcement->revision, entry->announcement->id);
	keep_setting(output, "run", run->begun_us == TIME_UNSET ? "" : value);
}

void output_load_run(struct output *output, const char *value)
{
	struct queue_run run = { 0 };
	int64_t revision;
	int id_at = 0;

	if (sscanf(value, "%" SCNd64 " %" SCNu32 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %n",
		    &run.begun_us, &run.from.item, &run.from.offset_us, &run.from.played_us,
		    &revision, &id_at) < 5 ||
		strlen(value + id_at) > ID_MAX_BYTES)
		return;
	output->restored.run = run;
	output->restored.revision = revision;
	snprintf(output->restored.id, sizeof output->restored.id, "%s", value + id_at);
}

/* Its neighbours may still be saying it. */
static void restore_run(const struct output *output, struct queue_entry *entry)
{
	if (entry->was_on_air && entry->announcement->revision == output->restored.revision &&
		strcmp(entry->announcement->id, output->restored.id) == 0)
		entry->run = output->restored.run;
}

void output_restore(
	struct output *output, const struct output_offer *offer, const struct store_play *play)
{
	if (play->state == PLAY_PLAYING && play->item == UINT32_MAX) {
		finish_restored(output, offer, play);
		return;
	}

	struct queue_offer entry = queue_offer_of(offer, true);
	struct queue_position from = { play->item, play->offset_us, play->played_us };
	uint32_t died = inhand_died_with(output->node->inhand, play->id, play->output);
	uint32_t tries = died > play->tries ? died : play->tries;

	struct queue_entry *restored = queue_restore(
		output->queue, &entry, play->state == PLAY_PLAYING, &from, tries);
	if (!restored)
		return;
	/* The node was there at its start, so it waited for something already. */
	restored->in_time = output->node->loaded_at.seen_us >= offer->announcement->start_us;
	restored->waited = play->state != PLAY_PLAYING &&
			   output->node->loaded_at.seen_us >=
				   offer->announcement->start_us + QUEUE_LATE_SLACK_US;
	restore_run(output, restored);
	if (tries != play->tries)
		remember(output, offer->announcement, play->state, &from, tries);
	fetch_want(output->node, offer->announcement);
}

/* Learnt for later too: a copy of the announcement may still come by another zone, or again. What
 * has ended already keeps its end. */
static void remember_withdrawal(struct output *output, const char *id, int64_t revision)
{
	const struct ledger_row *known = ledger_find(output->node->ledger, id, output->index);
	struct store_play play = {
		.id = (char *)id,
		.output = output->config->sound.name,
		.revision = revision,
		.state = known && play_state_final(known->state) ? known->state : PLAY_CANCELLED,
		.forget_us = clock_real_us() + NODE_REMEMBER_US,
	};
	node_remember(output->node, output, &play);
}

void output_withdraw(struct output *output, const char *id, int64_t revision, bool lasting)
{
	const struct ledger_row *known = ledger_find(output->node->ledger, id, output->index);

	if (known && known->revision > revision)
		return;
	if (queue_withdraw(output->queue, id, revision) > 0)
		output_pump(output);
	if (lasting)
		remember_withdrawal(output, id, revision);
}

/* What waits or is being prepared, in a list with room for OUTPUT_PLACES more; the caller frees. */
static const struct queue_entry **list_waiting(const struct output *output, size_t *ret_count)
{
	size_t max = QUEUE_ENTRIES_MAX + QUEUE_EMERGENCIES_MAX + OUTPUT_PLACES;
	const struct queue_entry **entries = xcalloc(
		max + OUTPUT_PLACES, sizeof(struct queue_entry *));
	_cleanup_(freep) enum queue_wait *waits = xcalloc(max, sizeof(*waits));
	struct queue_now now = output_now(output);

	*ret_count = queue_list(output->queue, &now, entries, waits, max);
	return entries;
}

/* Calls `each` with what waits here or plays. */
static void each_entry(const struct output *output,
	void (*each)(const struct queue_entry *entry, void *context), void *context)
{
	size_t count = 0;
	_cleanup_(freep) const struct queue_entry **entries = list_waiting(output, &count);

	for (size_t i = 0; i < count; i++)
		each(entries[i], context);
	for (size_t i = 0; i < OUTPUT_PLACES; i++)
		if (output->broadcasts[i] && output->broadcasts[i]->entry->phase != QUEUE_PREPARING)
			each(output->broadcasts[i]->entry, context);
}

struct listing { /* of one schedule's occurrences */
	const char *schedule;
	struct output_occurrence *list;
	size_t count, capacity;
};

static void list_occurrence(const struct queue_entry *entry, void *context)
{
	struct listing *listing = context;
	struct output_occurrence found = { .begun = entry->was_on_air ||
						    entry->phase == QUEUE_ON_AIR ||
						    entry->phase == QUEUE_ENDING };
	char schedule[NAME_MAX_BYTES + 1];

	if (schedule_of_id(entry->announcement->id, schedule, &found.start_us) < 0 ||
		strcmp(schedule, listing->schedule) != 0)
		return;
	if (listing->count == listing->capacity) {
		listing->capacity = listing->capacity ? 2 * listing->capacity : 16;
		listing->list = xreallocarray(
			listing->list, listing->capacity, sizeof *listing->list);
	}
	listing->list[listing->count++] = found;
}

struct output_occurrence *output_list_occurrences(
	const struct output *output, const char *schedule, size_t *ret_count)
{
	struct listing listing = { .schedule = schedule };

	each_entry(output, list_occurrence, &listing);
	*ret_count = listing.count;
	return listing.list;
}

void output_on_media(struct output *output, const char *sha256)
{
	size_t count = 0;
	_cleanup_(freep) const struct queue_entry **entries = list_waiting(output, &count);

	for (size_t i = 0; i < count; i++) {
		const struct announcement *announcement = entries[i]->announcement;
		struct queue_entry *entry = queue_find(output->queue, announcement->id);
		if (entry && announcement_names_media(announcement, sha256))
			entry->seconds = broadcast_seconds_of(output->node, announcement);
	}
}

void output_stop(struct output *output)
{
	/* What was sent a moment ago begins a moment later, that all may begin together: it was not
	 * scheduled for later. */
	queue_stop(output->queue, clock_real_us() + output->node->config->sync_lead_us);
	output_pump(output);
}

void output_skip(struct output *output)
{
	queue_skip(output->queue);
	output_pump(output);
}

void output_mute(struct output *output, bool muted)
{
	if (queue_muted(output->queue) == muted)
		return;
	queue_mute(output->queue, muted);
	keep_setting(output, "mute", muted ? "1" : "");
	mark_changed(output, true);
	output_pump(output);
}

/* --- Gain ------------------------------------------------------------------------------------ */

/* Hours with a gain of their own keep their distance from the configured gain, also when an
 * operator has replaced that. */
double output_gain_db(const struct output *output)
{
	double configured_db = output->config->sound.gain_db;
	double hour_db = hours_gain_db(&output->config->gains, configured_db, clock_real_us());

	return output->node->trusted ? output->gain_db + hour_db - configured_db : output->gain_db;
}

static bool is_background(const struct broadcast *broadcast)
{
	return broadcast->announcement->priority == PRIORITY_BACKGROUND;
}

/* When the next of the foreground is heard: what lies under it is down by then. TIME_NEVER. */
static int64_t foreground_from_us(const struct output *output)
{
	int64_t from_us = TIME_NEVER;

	for (size_t i = 0; i < OUTPUT_PLACES; i++) {
		const struct broadcast *broadcast = output->broadcasts[i];
		if (broadcast && broadcast->with_device && !broadcast->device_done &&
			!is_background(broadcast) && broadcast->start_us < from_us)
			from_us = broadcast->start_us;
	}
	return from_us;
}

static double gain_of_place_db(const struct output *output, size_t place)
{
	const struct broadcast *broadcast = output->broadcasts[place];
	int64_t from_us = foreground_from_us(output);
	bool ducked = broadcast && is_background(broadcast) && from_us != TIME_NEVER &&
		      from_us <= clock_real_us() + DUCK_LEAD_US;

	return output_gain_db(output) + (ducked ? RENDERER_DUCK_DB : 0);
}

static void apply_gain(struct output *output)
{
	for (size_t place = 0; place < OUTPUT_PLACES; place++) {
		double gain_db = gain_of_place_db(output, place);
		if (output->gain_of_place_db[place] == gain_db)
			continue;
		output->gain_of_place_db[place] = gain_db;
		output->changed = true;
		device_ramp_gain_db(output->device->device, output_slot(output, place), gain_db,
			output->broadcasts[place] ? DUCK_RAMP_MS : GAIN_RAMP_MS);
	}
}

void output_set_gain(struct output *output, double gain_db)
{
	output->gain_db = gain_db;
	apply_gain(output);
	mark_changed(output, false);
}

/* --- Deciding -------------------------------------------------------------------------------- */

static enum queue_media media_of(const struct announcement *announcement, void *context)
{
	const struct output *output = context;

	return fetch_state(output->node, announcement);
}

struct queue_now output_now(const struct output *output)
{
	return (struct queue_now){
		.real_us = clock_real_us(),
		.trusted = output->node->trusted,
		.last_seen_us = output->node->last_seen_us,
		.output_ready = device_rate_hz(output->device->device) != 0,
		.media = media_of,
		.context = (void *)output,
	};
}

static int on_timer(sd_event_source *source, uint64_t at_us, void *context)
{
	struct output *output = context;

	(void)source;
	(void)at_us;
	output->timer = sd_event_source_disable_unref(output->timer);
	output_pump(output);
	store_flush(output->node->store);
	report_publish(output->node);
	return 0;
}

static void set_timer(struct output *output, int64_t wake_us)
{
	int64_t gain_us = hours_gain_change_us(&output->config->gains, clock_real_us());
	int64_t duck_us = foreground_from_us(output);

	if (gain_us < wake_us)
		wake_us = gain_us;
	if (duck_us != TIME_NEVER && duck_us != TIME_UNSET &&
		duck_us - DUCK_LEAD_US > clock_real_us() && duck_us - DUCK_LEAD_US < wake_us)
		wake_us = duck_us - DUCK_LEAD_US;
	if (wake_us == output->wake_us && output->timer)
		return;
	output->wake_us = wake_us;
	output->timer = sd_event_source_disable_unref(output->timer);
	if (wake_us == TIME_NEVER)
		return;
	if (wake_us < 0)
		wake_us = 0;
	int result = sd_event_add_time(output->node->loop, &output->timer, CLOCK_REALTIME,
		(uint64_t)wake_us, US_PER_MS, on_timer, output);
	if (result < 0)
		log_about(LOG_ERR, NULL, name_of(output),
			"cannot set a timer (%s), waiting for the next event instead",
			strerror(-result));
}

static void prepare(struct output *output, struct queue_entry *entry)
{
	size_t place = 0;

	while (place < OUTPUT_PLACES && output->broadcasts[place])
		place++;
	assert(place < OUTPUT_PLACES); /* the queue never has more at a time */
	size_t mark = output->index * OUTPUT_PLACES + place;
	inhand_take(output->node->inhand, mark, entry->announcement->id, name_of(output));
	output->broadcasts[place] = broadcast_start(output, place, entry);
	apply_gain(output);
	mark_changed(output, false);
}

static struct broadcast *broadcast_of(struct output *output, const struct queue_entry *entry)
{
	for (size_t i = 0; i < OUTPUT_PLACES; i++)
		if (output->broadcasts[i] && output->broadcasts[i]->entry == entry)
			return output->broadcasts[i];
	return NULL;
}

/* What ends for good is told at once, with what has made it end: if the node dies while it fades,
 * it must not go on afterwards. */
static void fade(struct output *output, struct queue_entry *entry)
{
	struct broadcast *broadcast = broadcast_of(output, entry);
	static const struct {
		enum receipt_event event;
		enum reason reason;
	} told[QUEUE_CAUSES_COUNT] = {
		[QUEUE_WITHDRAWN] = { RECEIPT_CANCELLED, REASON_WITHDRAWN },
		[QUEUE_STOPPED] = { RECEIPT_CANCELLED, REASON_STOPPED },
		[QUEUE_SKIPPED] = { RECEIPT_CANCELLED, REASON_STOPPED },
		[QUEUE_SUPERSEDED] = { RECEIPT_SUPERSEDED, REASON_NONE },
	};

	if (!broadcast)
		return;
	broadcast_fade(broadcast);
	if (told[entry->cause].event != RECEIPT_ACCEPTED) {
		broadcast->told = true;
		receipt_of_broadcast(broadcast, told[entry->cause].event, told[entry->cause].reason,
			clock_real_us(), details[entry->cause].ends);
		remember(output, entry->announcement, play_state_after(told[entry->cause].event),
			NULL, 0);
	}
	mark_changed(output, false);
}

static void drop(struct output *output, const struct queue_decision *decision)
{
	_cleanup_(queue_entry_freep) struct queue_entry *entry = decision->entry;
	enum reason reason = decision->reason;

	if (reason == REASON_OUTPUT_LOST && !output->lost)
		reason = REASON_EXPIRED; /* it was not lost: it has not been opened yet */
	const char *detail = entry->cause == QUEUE_EXPIRED ? expiry_detail(output, entry, reason)
							   : details[entry->cause].ends;
	receipt_of_waiting(output, entry, decision->event, reason, detail);
	remember(output, entry->announcement, play_state_after(decision->event), NULL, 0);
	fetch_unwant(output->node, entry->announcement);
	mark_changed(output, false);
}

void output_pump(struct output *output)
{
	bool leaving = output->node->stopping && output->node->exit_status == NODE_RELOAD;

	if (!output->node->loaded || leaving)
		return;
	for (;;) {
		struct queue_now now = output_now(output);
		struct queue_decision decision = queue_next(output->queue, &now);
		switch (decision.what) {
		case QUEUE_DO_NOTHING:
			if (queue_take_in_time(output->queue))
				node_keep_time(output->node);
			apply_gain(output);
			set_timer(output, decision.wake_us);
			return;
		case QUEUE_DO_PREPARE:
			prepare(output, decision.entry);
			break;
		case QUEUE_DO_FADE:
			fade(output, decision.entry);
			break;
		case QUEUE_DO_DROP:
			drop(output, &decision);
			break;
		}
	}
}

void output_pump_all(struct node *node)
{
	for (size_t i = 0; i < node->outputs_count; i++)
		output_pump(&node->outputs[i]);
}

/* --- How far --------------------------------------------------------------------------------- */

static void put_position(
	struct output *output, struct broadcast *broadcast, struct queue_position position)
{
	struct queue_entry *entry = broadcast->entry;

	if (position.item != broadcast->kept.item ||
		position.offset_us > broadcast->kept.offset_us + RUNDOWN_REWIND_US) {
		entry->tries = 0; /* it has got on */
		inhand_forgive(output->node->inhand, entry->announcement->id, name_of(output));
	}
	broadcast->kept = position;
	queue_on_position(output->queue, entry, &position, clock_real_us());
	remember(output, entry->announcement, PLAY_PLAYING, &position, entry->tries);
	keep_usage(output);
}

/* Keeps how far it came, when it has come to another sentence, or on in a recording. */
static void keep_position(struct output *output, struct broadcast *broadcast)
{
	struct queue_position position = broadcast_position(broadcast);
	int64_t step_us = position.offset_us - broadcast->kept.offset_us;

	if (position.item == broadcast->kept.item && step_us < PLACE_STEP_US)
		return;
	put_position(output, broadcast, position);
}

void output_keep_positions(struct output *output)
{
	for (size_t i = 0; i < OUTPUT_PLACES; i++) {
		struct broadcast *broadcast = output->broadcasts[i];
		if (broadcast && broadcast->on_air && !broadcast->device_done && !broadcast->told)
			put_position(output, broadcast, broadcast_position(broadcast));
	}
}

static int on_tick(sd_event_source *source, uint64_t at_us, void *context)
{
	struct output *output = context;
	bool any = false;

	for (size_t i = 0; i < OUTPUT_PLACES; i++) {
		struct broadcast *broadcast = output->broadcasts[i];
		if (!broadcast || !broadcast->on_air)
			continue;
		any = true;
		if (!broadcast->device_done && !broadcast->told)
			keep_position(output, broadcast);
	}
	if (any) {
		(void)sd_event_source_set_time(source, at_us + (uint64_t)TICK_US);
		(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	}
	store_flush(output->node->store);
	return 0;
}

static void start_tick(struct output *output)
{
	if (!output->tick) {
		(void)sd_event_add_time_relative(output->node->loop, &output->tick, CLOCK_MONOTONIC,
			(uint64_t)TICK_US, 100 * US_PER_MS, on_tick, output);
		return;
	}
	int enabled = SD_EVENT_OFF;
	if (sd_event_source_get_enabled(output->tick, &enabled) > 0)
		return;
	(void)sd_event_source_set_time_relative(output->tick, (uint64_t)TICK_US);
	(void)sd_event_source_set_enabled(output->tick, SD_EVENT_ONESHOT);
}

/* --- What the broadcast tells -------------------------------------------------------------------
 */

void output_on_primed(struct output *output, struct broadcast *broadcast)
{
	queue_on_primed(output->queue, broadcast->entry);
	output_pump(output);
}

void output_on_lent(struct output *output)
{
	output_pump(output); /* what lies under it is ducked in time */
}

void output_on_started(struct output *output, struct broadcast *broadcast)
{
	const struct queue_entry *entry = broadcast->entry;

	queue_on_started(output->queue, broadcast->entry, broadcast->start_us);
	keep_run(output, broadcast->entry);
	inhand_on_air(output->node->inhand, output->index * OUTPUT_PLACES + broadcast->place);
	if (!broadcast->told) {
		broadcast->kept = entry->from;
		receipt_of_broadcast(broadcast,
			broadcast->resumed ? RECEIPT_RESUMED : RECEIPT_STARTED, REASON_NONE,
			broadcast->start_us, NULL);
		remember(output, broadcast->announcement, PLAY_PLAYING, &entry->from, entry->tries);
	}
	start_tick(output);
	mark_changed(output, true);
	output_pump(output);
}

static const char *outcome_detail(
	const struct broadcast *broadcast, const struct queue_outcome *outcome)
{
	if (outcome->cause == QUEUE_FAILED && broadcast->detail.text[0])
		return broadcast->detail.text;
	return outcome->gone ? details[outcome->cause].ends : details[outcome->cause].goes_on;
}

static void clear_faults(struct node *node, const struct broadcast *broadcast)
{
	if (broadcast->cause != QUEUE_FINISHED)
		return;
	if (!broadcast->engine_failed)
		node_clear_fault(node, "engine", "");
	if (!broadcast->chime_failed)
		node_clear_fault(node, "chime", "");
}

void output_on_over(struct output *output, struct broadcast *broadcast)
{
	struct node *node = output->node;
	bool heard = broadcast->ended_us != TIME_UNSET;
	struct queue_over over = {
		.cause = broadcast->cause,
		.reason = broadcast->reason,
		.position = broadcast_position(broadcast),
		.ended_us = broadcast->ended_us,
		.in_step_us = broadcast->in_step_us,
		.passed = broadcast->passed,
	};

	struct queue_outcome outcome = queue_on_over(output->queue, broadcast->entry, &over);
	_cleanup_(queue_entry_freep) struct queue_entry *gone = outcome.gone;
	if (outcome.tell && !broadcast->told) {
		receipt_of_broadcast(broadcast, outcome.event, outcome.reason,
			heard ? broadcast->ended_us : clock_real_us(),
			outcome_detail(broadcast, &outcome));
		remember(output, broadcast->announcement, play_state_after(outcome.event),
			gone ? NULL : &broadcast->entry->from, gone ? 0 : broadcast->entry->tries);
	}
	if (gone) {
		inhand_forgive(node->inhand, gone->announcement->id, name_of(output));
		fetch_unwant(node, gone->announcement);
	}
	if (heard)
		keep_usage(output);
	clear_faults(node, broadcast);
	output->broadcasts[broadcast->place] = NULL;
	inhand_put_down(node->inhand, output->index * OUTPUT_PLACES + broadcast->place);
	broadcast_free(broadcast);
	mark_changed(output, true);
	node_check_end(node); /* first: a reload waits for a moment between two broadcasts */
	output_pump(output);
}

void output_on_device(struct output *output, const struct device_event *event)
{
	struct node *node = output->node;
	const char *name = name_of(output);

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
		for (size_t i = 0; i < OUTPUT_PLACES; i++)
			if (output->broadcasts[i] &&
				output->broadcasts[i]->programme == event->programme) {
				broadcast_on_device(output->broadcasts[i], event);
				return;
			}
		return;
	}
	mark_changed(output, true);
	node->changed = true;
	output_pump(output);
}

/* --- Life ------------------------------------------------------------------------------------- */

int output_init(struct output *output)
{
	struct queue_config config = {
		.gap_us = output->node->config->gap_us,
		.quiet = &output->config->quiet,
		.limits = &output->config->limits,
		.join = queue_join_parse(output->config->join),
	};

	output->gain_db = output->config->sound.gain_db;
	output->since_us = clock_real_us();
	output->wake_us = TIME_NEVER;
	for (size_t i = 0; i < OUTPUT_PLACES; i++)
		output->gain_of_place_db[i] = output->gain_db;
	output->queue = queue_new(&config);
	return 0;
}

void output_done(struct output *output)
{
	output->timer = sd_event_source_disable_unref(output->timer);
	output->tick = sd_event_source_disable_unref(output->tick);
	output->queue = queue_free(output->queue);
}

void output_store_again(struct output *output)
{
	size_t count = 0;
	_cleanup_(freep) const struct queue_entry **entries = list_waiting(output, &count);

	for (size_t i = 0; i < OUTPUT_PLACES; i++) {
		const struct broadcast *broadcast = output->broadcasts[i];
		if (broadcast && broadcast->on_air && !broadcast->told)
			entries[count++] = broadcast->entry;
	}
	for (size_t i = 0; i < count; i++) {
		const struct queue_entry *entry = entries[i];
		(void)store_put_announcement(output->node->store, entry->announcement,
			entry->arrival_us, entry->sequence);
		remember(output, entry->announcement,
			entry->was_on_air || entry->phase == QUEUE_ON_AIR ? PLAY_PLAYING
									  : PLAY_QUEUED,
			&entry->from, entry->tries);
	}
	keep_usage(output);
	if (queue_muted(output->queue))
		keep_setting(output, "mute", "1");
}
