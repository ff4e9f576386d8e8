/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/sim/judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <time.h>

#define FAILURES_MAX 20 /* are told */
#define DAY_US       (INT64_C(86400) * US_PER_SEC)
#define VIETNAM_US   (INT64_C(7) * 3600 * US_PER_SEC)
#define HAZE_US      (5 * DAY_US)
/* A node that was restarted may have other limits left on that day, and a backlog. */
#define SETTLED_US (INT64_C(26) * 3600 * US_PER_SEC)

void judge_init(struct judge *judge, const char *name, const struct village *village)
{
	*judge = (struct judge){ .name = name,
		.village = village,
		.rows = { .row_bytes = sizeof(struct judge_row) },
		.awake_us = TIME_UNSET,
		.judged_us = TIME_UNSET };
}

void judge_done(struct judge *judge)
{
	for (size_t i = 0; i < judge->rules_count; i++)
		schedule_unref(judge->rules[i].schedule);
	free(judge->rules);
	free(judge->awake.list);
	free(judge->silent.list);
	ids_done(&judge->rows);
}

static _printf_(2, 3) void failed(struct judge *judge, const char *format, ...)
{
	va_list arguments;

	if (++judge->failures > FAILURES_MAX)
		return;
	printf("%s, seed %" PRIu64 ": ", judge->name, judge->village->seed);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

/* --- Spans of time ---------------------------------------------------------------------------- */

static void add_span(struct judge_spans *spans, int64_t from_us, int64_t to_us)
{
	if (spans->count == spans->capacity) {
		spans->capacity = spans->capacity ? 2 * spans->capacity : 64;
		spans->list = xreallocarray(spans->list, spans->capacity, sizeof *spans->list);
	}
	spans->list[spans->count++] = (struct judge_span){ from_us, to_us };
}

/* Whether some of it lies in [from_us, to_us]. */
static bool touches(const struct judge_spans *spans, int64_t from_us, int64_t to_us)
{
	for (size_t i = spans->count; i-- > 0;)
		if (spans->list[i].from_us <= to_us && spans->list[i].to_us >= from_us)
			return true;
	return false;
}

static bool covers(const struct judge_spans *spans, int64_t from_us, int64_t to_us)
{
	for (size_t i = spans->count; i-- > 0;)
		if (spans->list[i].from_us <= from_us && spans->list[i].to_us >= to_us)
			return true;
	return false;
}

void judge_wakes(struct judge *judge, int64_t real_us)
{
	if (judge->awake_us == TIME_UNSET)
		judge->awake_us = real_us;
}

void judge_sleeps(struct judge *judge, int64_t real_us)
{
	if (judge->awake_us != TIME_UNSET)
		add_span(&judge->awake, judge->awake_us, real_us);
	judge->awake_us = TIME_UNSET;
}

void judge_expects_silence(struct judge *judge, int64_t from_us, int64_t to_us)
{
	add_span(&judge->silent, from_us, to_us);
}

/* --- What is told ----------------------------------------------------------------------------- */

void judge_on_rule(struct judge *judge, const char *zone, const char *id, struct schedule *schedule,
	int64_t at_us, bool hazy)
{
	if (judge->rules_count == judge->rules_capacity) {
		judge->rules_capacity = judge->rules_capacity ? 2 * judge->rules_capacity : 256;
		judge->rules = xreallocarray(
			judge->rules, judge->rules_capacity, sizeof *judge->rules);
	}
	struct judge_rule *rule = &judge->rules[judge->rules_count++];
	*rule = (struct judge_rule){ .at_us = at_us, .hazy = hazy };
	rule->schedule = schedule && !schedule->withdrawal ? schedule_ref(schedule) : NULL;
	snprintf(rule->zone, sizeof rule->zone, "%s", zone);
	snprintf(rule->id, sizeof rule->id, "%s", id);
}

void judge_on_rule_lost(struct judge *judge, const char *zone, const char *id)
{
	for (size_t i = judge->rules_count; i-- > 0;) {
		struct judge_rule *rule = &judge->rules[i];
		if (strcmp(rule->id, id) != 0 || strcmp(rule->zone, zone) != 0)
			continue;
		schedule_unref(rule->schedule);
		memmove(rule, rule + 1, (--judge->rules_count - i) * sizeof *rule);
		return;
	}
}

/* A clock that was put back takes back what was told as late of what lies ahead now. */
void judge_on_look(struct judge *judge, int64_t real_us)
{
	bool back = judge->judged_us != TIME_UNSET && real_us < judge->judged_us - US_PER_SEC;

	judge->judged_us = real_us;
	if (!back)
		return;
	for (size_t i = 0; i < judge->rows.capacity; i++) {
		struct judge_row *row = (struct judge_row *)judge->rows.slots[i];
		if (!row || row->start_us <= real_us)
			continue;
		for (unsigned output = 0; output < VILLAGE_OUTPUTS; output++) {
			row->plays[output].taken_back += row->plays[output].late;
			row->plays[output].late = false;
		}
	}
}

static struct judge_row *row_of(struct judge *judge, const char *id)
{
	struct judge_row *row = ids_get(&judge->rows, id);
	char schedule[NAME_MAX_BYTES + 1];

	if (row->start_us == 0 && schedule_of_id(id, schedule, &row->start_us) < 0)
		failed(judge, "%s is no id of an occurrence", id);
	return row;
}

static bool is_left_out(const struct schedule *schedule, int64_t start_us)
{
	int64_t local_us = zone_local_us(schedule->zone, start_us);
	int32_t day = (int32_t)(local_us / DAY_US);

	if (day < schedule->from || day > schedule->until)
		return true;
	for (size_t i = 0; i < schedule->excepts_count; i++)
		if (day >= schedule->excepts[i].first && day <= schedule->excepts[i].last)
			return true;
	return false;
}

/* Whether the rule of that revision has an occurrence then. */
static bool is_demanded(const struct judge *judge, const struct announcement *announcement)
{
	int64_t start_us = announcement->start_us;

	for (size_t i = judge->rules_count; i-- > 0;) {
		const struct judge_rule *rule = &judge->rules[i];
		size_t length = strlen(rule->id);
		if (!rule->schedule || rule->schedule->revision != announcement->revision ||
			strncmp(announcement->id, rule->id, length) != 0 ||
			announcement->id[length] != '@')
			continue;
		return !is_left_out(rule->schedule, start_us) &&
		       calendar_next(&rule->schedule->calendar, rule->schedule->zone,
			       start_us - 1) == start_us;
	}
	return false;
}

void judge_on_made(struct judge *judge, const struct announcement *announcement, unsigned output,
	int64_t at_us, int64_t real_us)
{
	struct judge_row *row = row_of(judge, announcement->id);
	struct judge_play *play = &row->plays[output];

	play->made++;
	play->made_at_us = at_us;
	if (play->made == 1 || judge->awake_us > play->there_us)
		play->there_us = real_us;
	row->interrupted = announcement->interrupted;
	if (play->made == 1 && !is_demanded(judge, announcement))
		failed(judge, "%s was made, and its schedule has no such occurrence", row->id);
	if (row->start_us != announcement->start_us)
		failed(judge, "%s has another start than its id says", row->id);
}

static void count(struct judge *judge, enum receipt_event event)
{
	judge->finished += event == RECEIPT_FINISHED;
	judge->expired += event == RECEIPT_EXPIRED;
	judge->others += event != RECEIPT_FINISHED && event != RECEIPT_EXPIRED;
}

void judge_on_receipt(struct judge *judge, const struct disk_receipt *receipt)
{
	struct judge_row *row = row_of(judge, receipt->row->id);
	struct judge_play *play = &row->plays[receipt->output];

	if (!receipt_event_final(receipt->event))
		return;
	if (receipt->event == RECEIPT_FAILED || receipt->event == RECEIPT_REJECTED)
		failed(judge, "%s: %s on %s", row->id, receipt_event_name(receipt->event),
			judge->village->outputs[receipt->output].name);
	if (receipt->event == RECEIPT_SUPERSEDED) {
		play->superseded++;
		play->heard_us = 0; /* other words follow */
		play->cuts = 0;
		return;
	}
	count(judge, receipt->event);
	if (play->late && play->late_revision < receipt->revision)
		play->late = false; /* judged anew by its new rule */
	if (receipt->by_timetable) {
		if (play->late || play->ends > 0)
			failed(judge,
				"%s is late on output %u, and has ended before: %s%s, %s; "
				"told %.0f s after its start",
				row->id, receipt->output + 1, play->late ? "late " : "",
				receipt_event_name(play->event), reason_name(play->reason),
				(double)(receipt->at_us - row->start_us) / US_PER_SEC);
		judge->late++;
		play->late = true;
		play->late_revision = receipt->revision;
		return;
	}
	if (play->late || play->ends > 0)
		failed(judge, "%s ends twice on output %u: %s%s, then %s, %s", row->id,
			receipt->output + 1, play->late ? "late " : "",
			receipt_event_name(play->event), receipt_event_name(receipt->event),
			reason_name(receipt->reason));
	if (receipt->reason == REASON_LATE && judge->awake_us != TIME_UNSET &&
		judge->awake_us <= play->there_us && play->there_us <= row->start_us)
		failed(judge, "%s is missed on output %u, but the node was there all the time",
			row->id, receipt->output + 1);
	if (receipt->reason == REASON_LATE && receipt->at_us == play->made_at_us)
		failed(judge, "%s was made on output %u only to be missed", row->id,
			receipt->output + 1);
	play->ends++;
	play->event = receipt->event;
	play->reason = receipt->reason;
	if (receipt->event == RECEIPT_EXPIRED && receipt->reason == REASON_NONE)
		failed(judge, "%s has expired without a reason", row->id);
}

/* --- What is heard ---------------------------------------------------------------------------- */

/* By the clock on a wall in Vietnam, which has had the same offset since long. */
static bool is_quiet(const struct hours_list *quiet, int64_t real_us)
{
	int minute = (int)((real_us + VIETNAM_US) % DAY_US / (60 * US_PER_SEC));

	for (size_t i = 0; i < quiet->count; i++) {
		const struct hours *hours = &quiet->list[i];
		bool wraps = hours->to_minute <= hours->from_minute;
		bool after = minute >= hours->from_minute, before = minute < hours->to_minute;
		if (wraps ? after || before : after && before)
			return true;
	}
	return false;
}

static bool was_there(const struct judge *judge, int64_t from_us, int64_t to_us)
{
	return (judge->awake_us != TIME_UNSET && judge->awake_us <= to_us) ||
	       touches(&judge->awake, from_us, to_us);
}

void judge_on_began(struct judge *judge, const struct judge_sound *sound)
{
	const struct announcement *announcement = sound->announcement;
	struct judge_row *row = row_of(judge, announcement->id);
	struct judge_play *play = &row->plays[sound->output];
	const struct hours_list *quiet = &judge->village->outputs[sound->output].quiet;
	double after_s = (double)(sound->real_us - row->start_us) / US_PER_SEC;

	if (play->begun++ == 0)
		play->began_us = sound->real_us;
	judge->begun++;
	if (play->ends > 0)
		failed(judge, "%s is heard on output %u though it has ended", row->id,
			sound->output + 1);
	if (!sound->trusted)
		failed(judge, "%s begins while nobody knows the time", row->id);
	else if (sound->real_us < row->start_us - 2 * US_PER_MS)
		failed(judge, "%s begins %.1f s before its start", row->id, -after_s);
	if (announcement->priority != PRIORITY_EMERGENCY && is_quiet(quiet, sound->real_us))
		failed(judge, "%s begins in quiet hours on output %u", row->id, sound->output + 1);
	int64_t late_us = announcement->late_us > QUEUE_LATE_SLACK_US ? announcement->late_us
								      : QUEUE_LATE_SLACK_US;
	if (!sound->resumed && sound->real_us - row->start_us > late_us &&
		!was_there(judge, row->start_us, row->start_us + late_us))
		failed(judge, "%s begins %.0f s after its start, and was missed by more than late",
			row->id, after_s);
}

void judge_on_heard(
	struct judge *judge, const struct judge_sound *sound, int64_t heard_us, bool steady)
{
	struct judge_row *row = row_of(judge, sound->announcement->id);
	struct judge_play *play = &row->plays[sound->output];

	play->heard_us += heard_us;
	play->cuts++;
	if (steady && sound->announcement->priority != PRIORITY_EMERGENCY &&
		is_quiet(&judge->village->outputs[sound->output].quiet, sound->real_us - US_PER_MS))
		failed(judge, "%s is still heard in quiet hours on output %u", row->id,
			sound->output + 1);
}

/* --- What has to be --------------------------------------------------------------------------- */

/* One that is dropped when it is cut off, cut off after its schedule was revised, has no more to say. */
static bool has_ended(const struct judge_row *row, const struct judge_play *play)
{
	bool dropped = row->interrupted == INTERRUPTED_DROP && play->begun > 0 &&
		       play->superseded > 0;

	return play->ends > 0 || play->late || dropped;
}

static void demand(struct judge *judge, const struct judge_rule *rule, int64_t start_us)
{
	char id[ID_MAX_BYTES + 1];
	time_t seconds = (time_t)(start_us / US_PER_SEC);
	struct tm utc;
	char stamp[24];

	strftime(stamp, sizeof stamp, "%Y%m%dT%H%MZ", gmtime_r(&seconds, &utc));
	snprintf(id, sizeof id, "%.60s@%s", rule->id, stamp);
	const struct judge_row *row = ids_find(&judge->rows, id);
	for (unsigned output = 0; output < VILLAGE_OUTPUTS; output++) {
		const struct judge_play *play = row ? &row->plays[output] : NULL;
		if (!village_listens(judge->village, output, rule->zone))
			continue;
		judge->demanded++;
		if (!play || !has_ended(row, play))
			failed(judge,
				"%s (%s) has no outcome on output %u: made %d, begun %d, "
				"superseded %d, taken back %d",
				id, rule->zone, output + 1, play ? play->made : 0,
				play ? play->begun : 0, play ? play->superseded : 0,
				play ? play->taken_back : 0);
	}
}

/* All of one rule between two instants. */
static void demand_all(
	struct judge *judge, const struct judge_rule *rule, int64_t from_us, int64_t until_us)
{
	const struct schedule *schedule = rule->schedule;
	int64_t at_us = calendar_next(&schedule->calendar, schedule->zone, from_us);

	for (; at_us <= until_us; at_us = calendar_next(&schedule->calendar, schedule->zone, at_us))
		if (!is_left_out(schedule, at_us) && !touches(&judge->silent, at_us, at_us))
			demand(judge, rule, at_us);
}

/* When the next rule of that schedule took its place. */
static int64_t end_of_rule(const struct judge *judge, size_t place, int64_t until_us)
{
	const struct judge_rule *rule = &judge->rules[place];

	for (size_t i = place + 1; i < judge->rules_count; i++) {
		const struct judge_rule *next = &judge->rules[i];
		if (strcmp(next->id, rule->id) == 0 && strcmp(next->zone, rule->zone) == 0)
			return next->at_us - (next->hazy ? HAZE_US : 0);
	}
	return until_us;
}

static void check_row(struct judge *judge, const struct judge_row *row, int64_t until_us)
{
	size_t schedule = village_schedule_of(row->id);
	int64_t length_us = village_length_us(judge->village, schedule);

	for (unsigned output = 0; output < VILLAGE_OUTPUTS; output++) {
		const struct judge_play *play = &row->plays[output];
		int64_t again_us = (play->cuts - 1) * (JUDGE_SENTENCE_US + 3 * US_PER_SEC / 2);
		if (play->made > 0 && !has_ended(row, play) && row->start_us <= until_us)
			failed(judge, "%s was made on output %u and never ended: begun %d", row->id,
				output + 1, play->begun);
		if (play->cuts > 0 && row->interrupted != INTERRUPTED_RESTART &&
			play->heard_us > length_us + again_us + US_PER_SEC)
			failed(judge,
				"%s was heard for %.1f s on output %u, it has %.1f s; %d times",
				row->id, (double)play->heard_us / US_PER_SEC, output + 1,
				(double)length_us / US_PER_SEC, play->cuts);
	}
}

void judge_finish(struct judge *judge, int64_t until_us)
{
	for (size_t i = 0; i < judge->rules_count; i++) {
		const struct judge_rule *rule = &judge->rules[i];
		int64_t end_us = end_of_rule(judge, i, until_us);
		if (rule->schedule)
			demand_all(judge, rule, rule->at_us + (rule->hazy ? HAZE_US : 0), end_us);
	}
	for (size_t i = 0; i < judge->rows.capacity; i++)
		if (judge->rows.slots[i])
			check_row(judge, (struct judge_row *)judge->rows.slots[i], until_us);
}

size_t judge_compare(struct judge *judge, const struct judge *other)
{
	size_t compared = 0;

	for (size_t i = 0; i < judge->rows.capacity; i++) {
		const struct judge_row *row = (struct judge_row *)judge->rows.slots[i];
		if (!row || !covers(&other->awake, row->start_us - SETTLED_US,
				    row->start_us + SETTLED_US))
			continue;
		const struct judge_row *twin = ids_find(&other->rows, row->id);
		for (unsigned output = 0; output < VILLAGE_OUTPUTS; output++, compared++) {
			const struct judge_play *play = &row->plays[output];
			const struct judge_play *same = twin ? &twin->plays[output] : NULL;
			if (!same && !play->made)
				continue;
			if (!same || !!same->made != !!play->made || same->event != play->event ||
				llabs(same->began_us - play->began_us) > US_PER_SEC)
				failed(judge, "%s: another node did not do the same on output %u",
					row->id, output + 1);
		}
	}
	return compared;
}
