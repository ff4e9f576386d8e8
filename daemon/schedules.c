/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/schedules.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "daemon/intake.h"
#include "daemon/node.h"
#include "daemon/output.h"
#include "daemon/report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define JUDGE_US     (20 * US_PER_MS) /* so long what is due is judged before others have a turn */
#define TAKE_UP_US   (1 * US_PER_MS)  /* and then goes on */
#define AGAIN_FLUSH  100
#define SETTING_MARK "schedules-mark"

void schedules_init(struct schedules *schedules)
{
	*schedules = (struct schedules){
		.zones = zones_new(),
		.timetable = timetable_new(),
		.wake_us = TIME_NEVER,
		.kept_mark = { .us = TIME_UNSET },
	};
}

void schedules_done(struct schedules *schedules)
{
	schedules->timer = sd_event_source_disable_unref(schedules->timer);
	timetable_free(schedules->timetable);
	zones_free(schedules->zones);
	*schedules = (struct schedules){ 0 };
}

struct schedule *schedules_parse(const struct node *node, const char *payload, size_t length,
	const char *topic_id, char *ret_id, enum reason *ret_reason, struct error *error)
{
	const struct schedule_defaults defaults = { .zones = node->schedules.zones,
		.timezone = node->config->timezone,
		.late_us = node->config->late_us };

	return schedule_parse(payload, length, topic_id, &defaults, ret_id, ret_reason, error);
}

/* --- The store -------------------------------------------------------------------------------- */

static void keep(struct node *node, const struct timetable_row *row)
{
	const struct store_schedule stored = {
		.zone = (char *)row->zone,
		.id = row->schedule->id,
		.revision = row->schedule->revision,
		.json = row->schedule->withdrawal ? NULL : row->schedule->json,
		.since_us = row->since_us,
		.forget_us = row->forget_us,
	};

	(void)store_put_schedule(node->store, &stored);
}

/* It moves within an instant, too. */
static bool is_same_mark(const struct timetable_mark *a, const struct timetable_mark *b)
{
	return a->us == b->us && strcmp(a->id, b->id) == 0 && strcmp(a->zone, b->zone) == 0;
}

void schedules_keep_mark(struct node *node)
{
	const struct timetable_mark *mark = timetable_mark(node->schedules.timetable);
	_cleanup_(freep) char *text = NULL;

	if (mark->us == TIME_UNSET || is_same_mark(mark, &node->schedules.kept_mark))
		return;
	node->schedules.kept_mark = *mark;
	text = mark->id[0] ? xasprintf("%" PRId64 " %s %s", mark->us, mark->id, mark->zone)
			   : xasprintf("%" PRId64, mark->us);
	(void)store_put_setting(node->store, SETTING_MARK, text);
}

/* A withdrawal has no text in the store. */
static char *text_of(const struct store_schedule *stored)
{
	return stored->json ? xstrdup(stored->json)
			    : xasprintf("{\"withdrawn\":true,\"revision\":%" PRId64 "}",
				      stored->revision);
}

/* What has made this version of the program fall twice is left alone (FAULTS C2). False: it has. */
static bool take_in_hand(struct node *node, const char *zone, const char *id, const char *json)
{
	_cleanup_(freep) char *subject = xasprintf("%s/%s", zone, id);
	_cleanup_(freep) char *topic = xasprintf("schedule/%s", subject);

	if (inhand_take_message(node->inhand, topic, json, strlen(json)))
		return true;
	node_set_fault(node, "schedule", subject,
		"lịch này đã làm trạm dừng đột ngột hai lần, không dùng nữa");
	return false;
}

static void load(
	struct node *node, const struct store_schedule *stored, const struct timetable_mark *mark)
{
	_cleanup_(freep) char *json = text_of(stored);
	char id[ID_MAX_BYTES + 1];
	enum reason reason;
	struct error error = { 0 };

	if (!take_in_hand(node, stored->zone, stored->id, json))
		return;
	_cleanup_(schedule_unrefp) struct schedule *schedule = schedules_parse(
		node, json, strlen(json), stored->id, id, &reason, &error);
	int64_t marked_us = timetable_since_us(mark, stored->zone, stored->id);
	int64_t since_us = stored->since_us > marked_us ? stored->since_us : marked_us;
	bool put = schedule && timetable_put(node->schedules.timetable, stored->zone, schedule,
				       since_us, stored->forget_us) == 0;
	inhand_put_down_message(node->inhand);
	if (put)
		return;
	_cleanup_(freep) char *subject = xasprintf("%s/%s", stored->zone, stored->id);
	node_set_fault(node, "schedule", subject,
		error.text[0] ? error.text : "không dùng được bản lưu của lịch này");
}

/* `us` TIME_UNSET: nothing was judged yet. */
static struct timetable_mark loaded_mark(const struct store_event *event)
{
	struct timetable_mark mark = { .us = TIME_UNSET };

	for (size_t i = 0; i < event->settings_count; i++)
		if (strcmp(event->settings[i].key, SETTING_MARK) == 0)
			(void)sscanf(event->settings[i].value, "%" SCNd64 " %64s %64s", &mark.us,
				mark.id, mark.zone);
	return mark;
}

void schedules_on_loaded(struct node *node, const struct store_event *event)
{
	struct timetable_mark mark = loaded_mark(event);

	node->schedules.kept_mark = mark; /* one that lies ahead is to be written over */
	for (size_t i = 0; i < event->schedules_count; i++)
		load(node, &event->schedules[i], &mark);
	if (event->schedules_count > 0)
		log_notice("%zu schedules known", timetable_length(node->schedules.timetable));
}

struct again {
	struct node *node;
	size_t rows;
};

/* In groups: one of all of them could be more than the store takes at once. */
static void put_again(const struct timetable_row *row, void *context)
{
	struct again *again = context;

	keep(again->node, row);
	if (++again->rows % AGAIN_FLUSH == 0)
		store_flush(again->node->store);
}

void schedules_store_again(struct node *node)
{
	struct again again = { .node = node };

	timetable_each(node->schedules.timetable, put_again, &again);
	node->schedules.kept_mark.us = TIME_UNSET;
	schedules_keep_mark(node);
}

static void drop_row(const struct timetable_row *row, void *context)
{
	const struct node *node = context;

	(void)store_drop_schedule(node->store, row->zone, row->schedule->id);
}

void schedules_forget(struct node *node, int64_t now_us)
{
	timetable_forget(node->schedules.timetable, now_us, drop_row, node);
}

/* --- What is due ------------------------------------------------------------------------------ */

static void tell_late(struct node *node, const struct timetable_due *due, const char *id)
{
	struct schedules *schedules = &node->schedules;

	if (strcmp(schedules->late_id, id) != 0)
		schedules->late_outputs = 0;
	snprintf(schedules->late_id, sizeof schedules->late_id, "%s", id);
	for (size_t i = 0; i < node->outputs_count; i++) {
		const struct output *output = &node->outputs[i];
		uint64_t bit = UINT64_C(1) << i;
		if (!output_listens(output, due->row->zone) || (schedules->late_outputs & bit) ||
			ledger_find(node->ledger, id, output->index))
			continue;
		schedules->late_outputs |= bit;
		struct receipt receipt = {
			.event = RECEIPT_EXPIRED,
			.id = id,
			.revision = due->row->schedule->revision,
			.node = node->config->node,
			.output = output->config->sound.name,
			.at_us = clock_real_us(),
			.seconds_asked = due->row->seconds > 0 ? due->row->seconds : NAN,
			.seconds_played = 0,
			.reason = REASON_LATE,
			.detail = OUTPUT_LATE_DETAIL,
		};
		node_receipt(node, &receipt);
	}
}

/* What it says, and how long that takes: known from the last time, unless recordings have a part in it. */
static bool judge_occurrence(struct node *node, const struct timetable_row *row,
	const struct announcement *announcement, double *ret_seconds)
{
	enum reason reason = REASON_BAD_VALUE;
	struct error error = { 0 };

	*ret_seconds = row->seconds;
	if (row->seconds > 0 && !announcement_has_media(announcement))
		return true;
	if (!take_in_hand(node, row->zone, row->schedule->id, row->schedule->json))
		return false;
	int result = intake_judge(node, row->zone, announcement, ret_seconds, &reason, &error);
	inhand_put_down_message(node->inhand);
	if (result < 0)
		node_reject(node, announcement->id, announcement->revision, reason, error.text);
	else
		timetable_set_seconds(
			node->schedules.timetable, row->zone, row->schedule->id, *ret_seconds);
	return result == 0;
}

/* An older revision of it sounds on some output: that goes on. (The store has one text of an id: with a
 * newer one the older could not be taken up again after a power cut.) */
static bool is_begun(const struct node *node, const struct announcement *announcement)
{
	for (size_t i = 0; i < node->outputs_count; i++) {
		const struct ledger_row *row = ledger_find(
			node->ledger, announcement->id, (unsigned)i);
		if (row && row->state == PLAY_PLAYING && row->revision < announcement->revision)
			return true;
	}
	return false;
}

/* An occurrence comes in like every other announcement. */
static void offer(struct node *node, const struct timetable_row *row, int64_t start_us)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = schedule_occurrence(
		row->schedule, start_us);
	double seconds;

	if (is_begun(node, announcement) || !judge_occurrence(node, row, announcement, &seconds))
		return;
	if (intake_offer(node, row->zone, announcement, seconds) == -ENOSPC)
		node_reject(node, announcement->id, announcement->revision, REASON_QUEUE_FULL,
			"hàng đợi của loa đã đầy");
}

static bool anybody_listens(const struct node *node, const char *zone)
{
	for (size_t i = 0; i < node->outputs_count; i++)
		if (output_listens(&node->outputs[i], zone))
			return true;
	return false; /* an output that this node had once */
}

static void carry_out(struct node *node, const struct timetable_due *due)
{
	char id[ID_MAX_BYTES + 1];

	if (!anybody_listens(node, due->row->zone))
		return;
	schedule_occurrence_id(due->row->schedule, due->start_us, id);
	if (due->late)
		tell_late(node, due, id);
	else
		offer(node, due->row, due->start_us);
}

static int on_timer(sd_event_source *source, uint64_t at_us, void *context)
{
	struct node *node = context;

	(void)source;
	(void)at_us;
	node->schedules.timer = sd_event_source_disable_unref(node->schedules.timer);
	schedules_pump(node);
	output_pump_all(node);
	store_flush(node->store);
	report_publish(node);
	return 0;
}

static void set_timer(struct node *node, int64_t wake_us)
{
	struct schedules *schedules = &node->schedules;

	if (wake_us == schedules->wake_us && (schedules->timer || wake_us == TIME_NEVER))
		return;
	schedules->wake_us = wake_us;
	schedules->timer = sd_event_source_disable_unref(schedules->timer);
	if (wake_us == TIME_NEVER)
		return;
	int result = sd_event_add_time(node->loop, &schedules->timer, CLOCK_REALTIME,
		wake_us > 0 ? (uint64_t)wake_us : 0, US_PER_MS, on_timer, node);
	if (result < 0) /* the health tick asks again */
		log_error("cannot set a timer for schedules (%s)", strerror(-result));
}

void schedules_pump(struct node *node)
{
	struct schedules *schedules = &node->schedules;
	int64_t until_mono_us = clock_mono_us() + JUDGE_US;
	bool any = false, more = false;
	struct timetable_due due;

	if (!node->loaded || !node->trusted || node->stopping)
		return;
	if (timetable_follow_clock(schedules->timetable, clock_real_us()))
		schedules_store_again(node);
	while (!more && timetable_take(schedules->timetable, clock_real_us(), &due)) {
		carry_out(node, &due);
		any = true;
		more = clock_mono_us() >= until_mono_us;
	}
	/* Without anything due the mark may grow old: there is nothing between it and now. */
	if (any || schedules->kept_mark.us == TIME_UNSET ||
		timetable_mark(schedules->timetable)->us < schedules->kept_mark.us)
		schedules_keep_mark(node);
	set_timer(node,
		more ? clock_real_us() + TAKE_UP_US : timetable_wake_us(schedules->timetable));
}

/* --- What comes ------------------------------------------------------------------------------ */

/* Whether another zone of that output has a schedule of that id with that occurrence. */
static bool wanted_elsewhere(const struct node *node, const struct output *output, const char *zone,
	const char *id, int64_t start_us)
{
	for (size_t i = 0; i <= output->config->zones_count; i++) {
		const char *other = i < output->config->zones_count ? output->config->zones[i]
								    : "all";
		const struct timetable_row *row = timetable_find(
			node->schedules.timetable, other, id);
		if (strcmp(other, zone) != 0 && row && schedule_occurs(row->schedule, start_us))
			return true;
	}
	return false;
}

/* Calls `each` with what was made of that schedule in that zone and is not at its end. */
static void each_occurrence(struct node *node, const char *zone, const char *id,
	void (*each)(
		struct output *output, const struct output_occurrence *occurrence, void *context),
	void *context)
{
	for (size_t i = 0; i < node->outputs_count; i++) {
		struct output *output = &node->outputs[i];
		size_t count = 0;
		if (!output_listens(output, zone))
			continue;
		_cleanup_(freep) struct output_occurrence *list = output_list_occurrences(
			output, id, &count);
		for (size_t o = 0; o < count; o++)
			if (!wanted_elsewhere(node, output, zone, id, list[o].start_us))
				each(output, &list[o], context);
	}
}

struct revision { /* for each_occurrence() */
	struct schedule *schedule;
	int64_t *starts_us; /* of what waits and occurs still, each once */
	size_t count;
};

static void withdraw_one(struct output *output, const struct schedule *schedule, int64_t start_us)
{
	char id[ID_MAX_BYTES + 1];

	schedule_occurrence_id(schedule, start_us, id);
	output_withdraw(output, id, INT64_MAX, false);
}

static void revise_one(
	struct output *output, const struct output_occurrence *occurrence, void *context)
{
	struct revision *revision = context;
	size_t known = 0;

	if (occurrence->begun)
		return;
	if (!schedule_occurs(revision->schedule, occurrence->start_us)) {
		withdraw_one(output, revision->schedule, occurrence->start_us);
		return;
	}
	while (known < revision->count && revision->starts_us[known] != occurrence->start_us)
		known++;
	if (known < revision->count)
		return;
	revision->starts_us = xreallocarray(
		revision->starts_us, revision->count + 1, sizeof *revision->starts_us);
	revision->starts_us[revision->count++] = occurrence->start_us;
}

/* What was made of it already and has not begun is said as it is now, or not at all. */
static void revise_waiting(struct node *node, const struct timetable_row *row)
{
	struct revision revision = { .schedule = row->schedule };

	each_occurrence(node, row->zone, row->schedule->id, revise_one, &revision);
	for (size_t i = 0; i < revision.count; i++)
		offer(node, row, revision.starts_us[i]);
	free(revision.starts_us);
}

static void withdraw_occurrence(
	struct output *output, const struct output_occurrence *occurrence, void *context)
{
	withdraw_one(output, context, occurrence->start_us);
}

/* Of a schedule that is no more nothing is heard, not even to its end. */
static void withdraw_occurrences(struct node *node, const char *zone, struct schedule *schedule)
{
	each_occurrence(node, zone, schedule->id, withdraw_occurrence, schedule);
}

static void tell_accepted(struct node *node, const struct schedule *schedule)
{
	struct receipt receipt = {
		.event = RECEIPT_ACCEPTED,
		.id = schedule->id,
		.schedule = schedule->id,
		.revision = schedule->revision,
		.node = node->config->node,
		.at_us = clock_real_us(),
		.seconds_asked = NAN,
		.seconds_played = NAN,
	};

	node_receipt(node, &receipt);
}

/* What is due of it, before another one takes its place; in all zones, so that an output that has several
 * of them is told once. After a long time off there may be much that has not had its turn when the
 * broker's messages come. */
static void judge_now(struct node *node, const char *id)
{
	struct timetable_due due;

	while (node->trusted &&
		timetable_take_of(node->schedules.timetable, id, clock_real_us(), &due))
		carry_out(node, &due);
}

/* Since when its occurrences are ours. What comes live was not there before; what was retained may have
 * been there while we were not, so that one missed a moment ago is still said. While nobody knows the
 * time: from when it is known; of an older revision's what was not judged yet is still to be told. */
static int64_t since_us(const struct node *node, const struct timetable_row *known,
	const struct schedule *schedule, bool retained)
{
	const struct timetable_mark *mark = timetable_mark(node->schedules.timetable);
	int64_t now_us = clock_real_us();

	if (node->trusted)
		return retained && !schedule->withdrawal ? now_us - schedule->late_us - 1 : now_us;
	if (!known)
		return ANNOUNCEMENT_TIME_MAX_US;
	return known->since_us > mark->us ? known->since_us : mark->us;
}

/* Counted from the latest time that is known: the clock may be wrong. */
static int64_t forget_us(const struct node *node, const struct schedule *schedule)
{
	int64_t now_us = clock_real_us();

	if (!schedule->withdrawal)
		return TIME_NEVER;
	return (node->last_seen_us > now_us ? node->last_seen_us : now_us) +
	       SCHEDULES_WITHDRAWAL_US;
}

/* It changes nothing. Who sends it now should know; what a broker has kept since long ago comes with
 * every connect. */
static void tell_known(struct node *node, const struct timetable_row *known,
	const struct schedule *schedule, bool retained)
{
	bool same = known->schedule->revision == schedule->revision &&
		    strcmp(known->schedule->json, schedule->json) == 0;

	if (same || retained)
		return;
	_cleanup_(freep) char *detail = xasprintf("trạm đã có bản số %" PRId64
						  "%s của lịch này; hãy dùng số lớn hơn",
		known->schedule->revision, known->schedule->withdrawal ? " (đã bỏ)" : "");
	node_reject(node, schedule->id, schedule->revision, REASON_DUPLICATE, detail);
}

/* `seconds`: predicted, of an occurrence. */
static void put(struct node *node, const char *zone, struct schedule *schedule, double seconds,
	bool retained)
{
	struct timetable *timetable = node->schedules.timetable;
	const struct timetable_row *known = timetable_find(timetable, zone, schedule->id);
	_cleanup_(freep) char *subject = xasprintf("%s/%s", zone, schedule->id);

	if (known)
		judge_now(node, schedule->id);
	if (timetable_put(timetable, zone, schedule, since_us(node, known, schedule, retained),
		    forget_us(node, schedule)) < 0) {
		node_reject(node, schedule->id, schedule->revision, REASON_QUEUE_FULL,
			"trạm đã có quá nhiều lịch");
		return;
	}
	const struct timetable_row *row = timetable_find(timetable, zone, schedule->id);
	node_clear_fault(node, "schedule", subject);
	timetable_set_seconds(timetable, zone, schedule->id, seconds);
	keep(node, row);
	if (schedule->withdrawal) {
		withdraw_occurrences(node, zone, schedule);
	} else {
		revise_waiting(node, row);
		tell_accepted(node, schedule);
	}
	log_notice("schedule %s of zone %s: revision %" PRId64 " %s", schedule->id, zone,
		schedule->revision, schedule->withdrawal ? "withdrawn" : "taken over");
	schedules_pump(node);
	schedules_keep_mark(node);
}

/* An empty retained message: for those that are connected now. */
static void forget_now(struct node *node, const char *zone, const char *id)
{
	const struct timetable_row *row = timetable_find(node->schedules.timetable, zone, id);

	if (!row || row->schedule->withdrawal)
		return;
	log_notice("schedule %s of zone %s was removed from the broker", id, zone);
	judge_now(node, id);
	withdraw_occurrences(node, zone, row->schedule);
	(void)store_drop_schedule(node->store, zone, id);
	timetable_remove(node->schedules.timetable, zone, id);
	schedules_pump(node);
}

/* What it would say must be sayable. */
static bool judge(
	struct node *node, const char *zone, const struct schedule *schedule, double *ret_seconds)
{
	enum reason reason = REASON_BAD_VALUE;
	struct error error = { 0 };

	*ret_seconds = 0;
	if (schedule->withdrawal ||
		intake_judge(node, zone, schedule->announcement, ret_seconds, &reason, &error) == 0)
		return true;
	error_prefix(&error, "announcement");
	node_reject(node, schedule->id, schedule->revision, reason, error.text);
	return false;
}

void schedules_on_message(
	struct node *node, const char *zone, const char *topic_id, const struct mqtt_event *event)
{
	char id[ID_MAX_BYTES + 1];
	enum reason reason = REASON_NONE;
	struct error error = { 0 };
	double seconds;

	if (event->length == 0) {
		forget_now(node, zone, topic_id);
		return;
	}
	if (event->oversize || event->length > SCHEDULE_PAYLOAD_MAX) {
		(void)error_set(&error, 0, "dài %zu byte, nhiều nhất là %d", event->length,
			SCHEDULE_PAYLOAD_MAX);
		node_reject(node, topic_id, 0, REASON_TOO_LARGE, error.text);
		return;
	}
	_cleanup_(schedule_unrefp) struct schedule *schedule = schedules_parse(
		node, event->payload, event->length, topic_id, id, &reason, &error);
	const struct timetable_row *known = timetable_find(
		node->schedules.timetable, zone, topic_id);
	if (!schedule)
		node_reject(node, id[0] ? id : topic_id, 0, reason, error.text);
	else if (known && known->schedule->revision >= schedule->revision)
		tell_known(node, known, schedule, event->retained);
	else if (judge(node, zone, schedule, &seconds))
		put(node, zone, schedule, seconds, event->retained);
}
