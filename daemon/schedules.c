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
#define SETTING_MARK "schedules-mark"

void schedules_init(struct schedules *schedules)
{
	*schedules = (struct schedules){
		.zones = zones_new(),
		.timetable = timetable_new(),
		.wake_us = TIME_NEVER,
		.kept_mark_us = TIME_UNSET,
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

static void keep_mark(struct node *node)
{
	int64_t mark_us = timetable_mark(node->schedules.timetable);
	char text[32];

	if (mark_us == node->schedules.kept_mark_us || mark_us == TIME_UNSET)
		return;
	node->schedules.kept_mark_us = mark_us;
	snprintf(text, sizeof text, "%" PRId64, mark_us);
	(void)store_put_setting(node->store, SETTING_MARK, text);
}

/* A withdrawal has no text in the store. */
static char *text_of(const struct store_schedule *stored)
{
	return stored->json ? xstrdup(stored->json)
			    : xasprintf("{\"withdrawn\":true,\"revision\":%" PRId64 "}",
				      stored->revision);
}

static void load(struct node *node, const struct store_schedule *stored, int64_t mark_us)
{
	_cleanup_(freep) char *json = text_of(stored);
	char id[ID_MAX_BYTES + 1];
	enum reason reason;
	struct error error = { 0 };
	_cleanup_(schedule_unrefp) struct schedule *schedule = schedules_parse(
		node, json, strlen(json), stored->id, id, &reason, &error);
	int64_t since_us = stored->since_us > mark_us ? stored->since_us : mark_us;

	if (schedule && timetable_put(node->schedules.timetable, stored->zone, schedule, since_us,
				stored->forget_us) == 0)
		return;
	_cleanup_(freep) char *subject = xasprintf("%s/%s", stored->zone, stored->id);
	node_set_fault(node, "schedule", subject,
		error.text[0] ? error.text : "không dùng được bản lưu của lịch này");
}

/* TIME_UNSET: nothing was judged yet. */
static int64_t loaded_mark(const struct store_event *event)
{
	for (size_t i = 0; i < event->settings_count; i++)
		if (strcmp(event->settings[i].key, SETTING_MARK) == 0)
			return strtoll(event->settings[i].value, NULL, 10);
	return TIME_UNSET;
}

void schedules_on_loaded(struct node *node, const struct store_event *event)
{
	int64_t mark_us = loaded_mark(event);

	for (size_t i = 0; i < event->schedules_count; i++)
		load(node, &event->schedules[i], mark_us);
	if (event->schedules_count > 0)
		log_notice("%zu schedules known", timetable_length(node->schedules.timetable));
}

static void put_again(const struct timetable_row *row, void *context)
{
	keep(context, row);
}

void schedules_store_again(struct node *node)
{
	timetable_each(node->schedules.timetable, put_again, node);
	node->schedules.kept_mark_us = TIME_UNSET;
	keep_mark(node);
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
			.detail = "trạm tắt, ngủ hoặc sai giờ vào lúc phải phát; đã quá trễ",
		};
		node_receipt(node, &receipt);
	}
}

static void reject(
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

/* An occurrence comes in like every other announcement. */
static void offer(struct node *node, const struct timetable_row *row, int64_t start_us)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = schedule_occurrence(
		row->schedule, start_us);
	enum reason reason = REASON_BAD_VALUE;
	struct error error = { 0 };
	double seconds;

	if (intake_judge(node, row->zone, announcement, &seconds, &reason, &error) < 0) {
		reject(node, announcement->id, announcement->revision, reason, error.text);
		return;
	}
	timetable_set_seconds(node->schedules.timetable, row->zone, row->schedule->id, seconds);
	if (intake_offer(node, row->zone, announcement, seconds) == -ENOSPC)
		reject(node, announcement->id, announcement->revision, REASON_QUEUE_FULL,
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
		timetable_each(schedules->timetable, put_again, node);
	while (!more && timetable_take(schedules->timetable, clock_real_us(), &due)) {
		carry_out(node, &due);
		any = true;
		more = clock_mono_us() >= until_mono_us;
	}
	/* Without anything due the mark may grow old: there is nothing between it and now. */
	if (any || timetable_mark(schedules->timetable) < schedules->kept_mark_us)
		keep_mark(node);
	set_timer(node,
		more ? clock_real_us() + TAKE_UP_US : timetable_wake_us(schedules->timetable));
}

/* --- What comes ------------------------------------------------------------------------------ */

/* What was made of it already and has not begun is said as it is now, or not at all. */
static void revise_waiting(struct node *node, const struct timetable_row *row)
{
	struct schedule *schedule = row->schedule;
	int64_t starts_us[OUTPUT_OCCURRENCES_MAX];

	for (size_t i = 0; i < node->outputs_count; i++) {
		struct output *output = &node->outputs[i];
		if (!output_listens(output, row->zone))
			continue;
		size_t count = output_list_occurrences(output, schedule->id, starts_us);
		for (size_t o = 0; o < count; o++) {
			char id[ID_MAX_BYTES + 1];
			schedule_occurrence_id(schedule, starts_us[o], id);
			if (schedule_occurs(schedule, starts_us[o]))
				offer(node, row, starts_us[o]);
			else
				output_withdraw(output, id, schedule->revision, false);
		}
	}
}

/* Of a schedule that is no more nothing is heard, not even to its end. */
static void withdraw_occurrences(struct node *node, const char *zone, const char *id)
{
	for (size_t i = 0; i < node->outputs_count; i++)
		if (output_listens(&node->outputs[i], zone))
			output_withdraw_schedule(&node->outputs[i], id);
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

/* Since when its occurrences are ours. What comes live was not there before; what was retained may have
 * been there while we were not, so that one missed a moment ago is still said. While nobody knows the
 * time: from when it is known. */
static int64_t since_us(const struct node *node, const struct schedule *schedule, bool retained)
{
	int64_t now_us = clock_real_us();

	if (!node->trusted)
		return ANNOUNCEMENT_TIME_MAX_US;
	return retained && !schedule->withdrawal ? now_us - schedule->late_us - 1 : now_us;
}

static void put(struct node *node, const char *zone, struct schedule *schedule, bool retained)
{
	struct timetable *timetable = node->schedules.timetable;
	const struct timetable_row *known = timetable_find(timetable, zone, schedule->id);
	int64_t forget_us = schedule->withdrawal ? clock_real_us() + SCHEDULES_WITHDRAWAL_US
						 : TIME_NEVER;
	_cleanup_(freep) char *subject = xasprintf("%s/%s", zone, schedule->id);

	if (known && known->schedule->revision == schedule->revision &&
		!known->schedule->withdrawal && !schedule->withdrawal &&
		strcmp(known->schedule->json, schedule->json) != 0) {
		reject(node, schedule->id, schedule->revision, REASON_DUPLICATE,
			"lịch này đã có bản mang số (revision) ấy với nội dung khác; hãy tăng "
			"revision");
		return;
	}
	int result = timetable_put(
		timetable, zone, schedule, since_us(node, schedule, retained), forget_us);
	if (result == -ENOSPC)
		reject(node, schedule->id, schedule->revision, REASON_QUEUE_FULL,
			"trạm đã có quá nhiều lịch");
	if (result < 0)
		return;
	const struct timetable_row *row = timetable_find(timetable, zone, schedule->id);
	node_clear_fault(node, "schedule", subject);
	keep(node, row);
	if (schedule->withdrawal)
		withdraw_occurrences(node, zone, schedule->id);
	else
		revise_waiting(node, row);
	if (!schedule->withdrawal)
		tell_accepted(node, schedule);
	log_notice("schedule %s of zone %s: revision %" PRId64 " %s", schedule->id, zone,
		schedule->revision, schedule->withdrawal ? "withdrawn" : "taken over");
	schedules_pump(node);
	keep_mark(node);
}

/* An empty retained message: for those that are connected now. */
static void forget_now(struct node *node, const char *zone, const char *id)
{
	const struct timetable_row *row = timetable_find(node->schedules.timetable, zone, id);

	if (!row || row->schedule->withdrawal)
		return;
	log_notice("schedule %s of zone %s was removed from the broker", id, zone);
	withdraw_occurrences(node, zone, id);
	(void)store_drop_schedule(node->store, zone, id);
	timetable_remove(node->schedules.timetable, zone, id);
	schedules_pump(node);
}

/* What it would say must be sayable. */
static bool judge(struct node *node, const char *zone, const struct schedule *schedule)
{
	enum reason reason = REASON_BAD_VALUE;
	struct error error = { 0 };
	double seconds;

	if (schedule->withdrawal ||
		intake_judge(node, zone, schedule->announcement, &seconds, &reason, &error) == 0)
		return true;
	error_prefix(&error, "announcement");
	reject(node, schedule->id, schedule->revision, reason, error.text);
	return false;
}

void schedules_on_message(
	struct node *node, const char *zone, const char *topic_id, const struct mqtt_event *event)
{
	char id[ID_MAX_BYTES + 1];
	enum reason reason = REASON_NONE;
	struct error error = { 0 };

	if (event->length == 0) {
		forget_now(node, zone, topic_id);
		return;
	}
	if (event->oversize || event->length > SCHEDULE_PAYLOAD_MAX) {
		(void)error_set(&error, 0, "dài %zu byte, nhiều nhất là %d", event->length,
			SCHEDULE_PAYLOAD_MAX);
		reject(node, topic_id, 0, REASON_TOO_LARGE, error.text);
		return;
	}
	_cleanup_(schedule_unrefp) struct schedule *schedule = schedules_parse(
		node, event->payload, event->length, topic_id, id, &reason, &error);
	if (!schedule)
		reject(node, id[0] ? id : topic_id, 0, reason, error.text);
	else if (judge(node, zone, schedule))
		put(node, zone, schedule, event->retained);
}
