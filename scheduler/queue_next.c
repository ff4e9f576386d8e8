/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/queue_join.h"
#include "scheduler/queue_state.h"

static struct queue_decision decide_fade(struct queue_entry *entry, enum queue_cause cause)
{
	queue_entry_end(entry, cause);
	entry->phase = QUEUE_ENDING;
	return (struct queue_decision){ .what = QUEUE_DO_FADE, .entry = entry };
}

static struct queue_decision decide_drop(struct queue_entry *entry)
{
	const struct queue_cause_rule *rule = queue_cause_rule(entry->cause);

	return (struct queue_decision){
		.what = QUEUE_DO_DROP,
		.entry = entry,
		.event = rule->final ? rule->event : RECEIPT_CANCELLED,
		.reason = entry->drop_reason,
	};
}

static struct queue_decision decide_nothing(int64_t wake_us)
{
	return (struct queue_decision){ .what = QUEUE_DO_NOTHING, .wake_us = wake_us };
}

/* Whether what is on air must make way now, for something that is ready to be heard. *wake_us
 * becomes earlier if that will be so by time alone. */
static bool is_preempted(const struct queue *queue, const struct queue_entry *entry,
	int64_t real_us, int64_t *wake_us)
{
	for (size_t i = 0; i < queue->active_count; i++) {
		const struct queue_entry *other = queue->active[i];
		if (other->phase == QUEUE_ENDING || !queue_rules_yields(entry, other))
			continue;
		if (other->phase == QUEUE_PREPARING && !other->primed)
			continue;
		if (other->phase == QUEUE_ON_AIR || other->start_us == TIME_UNSET ||
			other->start_us - QUEUE_FADE_US <= real_us)
			return true;
		if (other->start_us - QUEUE_FADE_US < *wake_us)
			*wake_us = other->start_us - QUEUE_FADE_US;
	}
	return false;
}

/* Something active that must end: for what was done to it, by the rules, or for another. */
static struct queue_decision look_at_active(
	struct queue *queue, const struct queue_circumstances *circumstances, int64_t *wake_us)
{
	for (size_t i = 0; i < queue->active_count; i++) {
		struct queue_entry *entry = queue->active[i];
		if (entry->phase == QUEUE_ENDING)
			continue;
		if (entry->phase == QUEUE_PREPARING)
			queue->noted |= queue_rules_note_in_time(
				circumstances->now, entry, wake_us);
		enum queue_cause cause = entry->cause;
		if (cause == QUEUE_CAUSE_NONE)
			cause = queue_rules_ends(circumstances, entry, wake_us);
		if (cause != QUEUE_CAUSE_NONE)
			return decide_fade(entry, cause);
	}
	for (size_t i = 0; i < queue->active_count; i++) {
		struct queue_entry *entry = queue->active[i];
		if (entry->phase == QUEUE_ON_AIR &&
			is_preempted(queue, entry, circumstances->now->real_us, wake_us))
			return decide_fade(entry, QUEUE_PREEMPTED);
	}
	return decide_nothing(*wake_us);
}

/* The first of what waits that can be prepared now. */
struct candidate {
	struct queue_entry *entry; /* NULL: none */
	size_t place;
	struct queue_verdict verdict;
};

/* It begins before the other, though it comes behind it: that one was missed, and this is being said
 * by the others now. */
static bool joins_before(const struct candidate *found, const struct queue_verdict *verdict,
	const struct queue_entry *entry)
{
	return found->entry && found->verdict.missed && verdict->joins &&
	       found->entry->announcement->priority == entry->announcement->priority;
}

/* The others are saying it: what follows there follows here. */
static void leave_alone(struct queue *queue, const struct queue_verdict *verdict,
	struct queue_entry *entry, int64_t real_us)
{
	struct queue_elsewhere *elsewhere = &queue->elsewhere[queue_entry_is_background(entry)];

	entry->left_alone = true;
	if (verdict->ends_us > elsewhere->until_us || real_us < elsewhere->since_us)
		*elsewhere = (struct queue_elsewhere){
			.priority = entry->announcement->priority,
			.since_us = real_us,
			.until_us = verdict->ends_us,
			.sure_us = verdict->sure_us,
		};
}

/* Goes through what waits, in order, and drops what can never begin. */
static struct candidate look_at_waiting(
	struct queue *queue, const struct queue_circumstances *circumstances, int64_t *wake_us)
{
	struct queue_order *waiting = &queue->waiting;
	struct candidate found = { 0 };

	for (size_t place = 0; place < waiting->count;) {
		struct queue_entry *entry = waiting->places[place].entry;
		queue->noted |= queue_rules_note_in_time(circumstances->now, entry, wake_us);
		bool others = found.entry != NULL && !found.verdict.missed;
		struct queue_verdict verdict = queue_state_judge(
			queue, circumstances, entry, others);
		bool ripe = !verdict.never && verdict.wait == QUEUE_WAIT_NONE;
		if (verdict.left_alone)
			leave_alone(queue, &verdict, entry, circumstances->now->real_us);
		if (verdict.never || (ripe && entry->tries >= QUEUE_TRIES_MAX)) {
			queue_state_drop(queue, queue_order_take(waiting, place),
				verdict.never ? QUEUE_EXPIRED : QUEUE_POISON, verdict.reason);
			continue;
		}
		if (verdict.change_us < *wake_us)
			*wake_us = verdict.change_us;
		if (ripe && found.entry && !joins_before(&found, &verdict, entry)) {
			verdict.wait = QUEUE_WAIT_BEHIND;
			ripe = false;
		}
		queue_join_note(circumstances, entry, &verdict, wake_us);
		if (ripe)
			found = (struct candidate){ entry, place, verdict };
		place++;
	}
	return found;
}

static struct queue_decision prepare(
	struct queue *queue, const struct candidate *candidate, int64_t real_us)
{
	struct queue_entry *entry = queue_order_take(&queue->waiting, candidate->place);
	int64_t begin_us = candidate->verdict.begin_us;

	entry->phase = QUEUE_PREPARING;
	entry->cause = QUEUE_CAUSE_NONE;
	entry->primed = false;
	entry->media_missing = candidate->verdict.media_missing;
	entry->start_us = begin_us > real_us ? begin_us : TIME_UNSET;
	entry->started_us = TIME_UNSET;
	queue_join_prepare(entry, &candidate->verdict);
	queue->active[queue->active_count++] = entry;
	return (struct queue_decision){ .what = QUEUE_DO_PREPARE, .entry = entry };
}

/* What is being prepared and has to give way to `entry`, or NULL. */
static struct queue_entry *to_recall(const struct queue *queue, const struct queue_entry *entry)
{
	for (size_t i = 0; i < queue->active_count; i++)
		if (queue->active[i]->phase == QUEUE_PREPARING &&
			queue_rules_yields(queue->active[i], entry))
			return queue->active[i];
	return NULL;
}

static struct queue_decision look_at_candidate(
	struct queue *queue, const struct candidate *candidate, int64_t real_us, int64_t wake_us)
{
	struct queue_entry *recalled = to_recall(queue, candidate->entry);

	if (recalled)
		return decide_fade(recalled, QUEUE_RECALLED);
	if (queue->active_count == QUEUE_BROADCASTS_MAX)
		return decide_nothing(wake_us);
	return prepare(queue, candidate, real_us);
}

struct queue_decision queue_next(struct queue *queue, const struct queue_now *now)
{
	const struct queue_circumstances circumstances = queue_state_circumstances(queue, now);
	struct candidate candidate = { 0 };
	int64_t wake_us = TIME_NEVER;

	queue->trusted = now->trusted;
	struct queue_decision decision = look_at_active(queue, &circumstances, &wake_us);
	if (decision.what != QUEUE_DO_NOTHING)
		return decision;
	if (!queue->stopping)
		candidate = look_at_waiting(queue, &circumstances, &wake_us);
	struct queue_entry *dropped = queue_state_take_dropped(queue);
	if (dropped)
		return decide_drop(dropped);
	if (candidate.entry)
		return look_at_candidate(queue, &candidate, now->real_us, wake_us);
	return decide_nothing(queue->stopping ? TIME_NEVER : wake_us);
}
