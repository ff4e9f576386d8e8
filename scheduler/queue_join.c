/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/queue_join.h"

#include <string.h>

const char *const queue_join_names[QUEUE_JOINS + 1] = {
	[QUEUE_JOIN_WHOLE] = "whole",
	[QUEUE_JOIN_PLACE] = "place",
	[QUEUE_JOIN_NEXT] = "next",
};

enum queue_join queue_join_parse(const char *name)
{
	for (unsigned i = 0; i < QUEUE_JOINS; i++)
		if (strcmp(queue_join_names[i], name) == 0)
			return i;
	return QUEUE_JOIN_WHOLE;
}

static int64_t us_of_seconds(double seconds)
{
	return (int64_t)((seconds < QUEUE_LENGTH_MAX_S ? seconds : QUEUE_LENGTH_MAX_S) *
			 US_PER_SEC);
}

static bool is_timed(const struct queue_entry *entry)
{
	return entry->announcement->start_us != TIME_UNSET;
}

/* What of it is under way elsewhere if it did not wait here: the whole since its start, or what was on
 * air here, together with the others, until this output (and nothing else) went away. */
static bool find_run(const struct queue_circumstances *circumstances,
	const struct queue_entry *entry, struct queue_run *ret_run)
{
	int64_t elsewhere_us = queue_rules_elsewhere_us(circumstances, entry);

	switch (entry->was_on_air ? entry->cause : QUEUE_LOST) {
	case QUEUE_LOST:
	case QUEUE_MUTED:
	case QUEUE_SHUTDOWN:
	case QUEUE_CRASHED:
		break;
	default:
		return false;
	}
	*ret_run = entry->was_on_air
			   ? entry->run
			   : (struct queue_run){ .begun_us = entry->announcement->start_us,
				     .left_us = us_of_seconds(entry->seconds) };
	if (entry->was_on_air && ret_run->left_us == 0) /* the store does not know */
		ret_run->left_us = us_of_seconds(entry->seconds) - ret_run->from.played_us;
	if (!entry->was_on_air && ret_run->begun_us < elsewhere_us && is_timed(entry))
		ret_run->begun_us = elsewhere_us; /* there, too, it waits for that */
	return ret_run->begun_us != TIME_UNSET;
}

struct queue_under_way queue_join_look(
	const struct queue_circumstances *circumstances, const struct queue_entry *entry)
{
	struct queue_under_way found = { 0 };
	enum queue_join join = circumstances->config->join;
	int64_t now_us = circumstances->now->real_us;

	if (join == QUEUE_JOIN_WHOLE || queue_entry_is_emergency(entry) || entry->waited ||
		!circumstances->now->trusted || !find_run(circumstances, entry, &found.run))
		return found;
	/* What is left alone would be a loss: not for the time that a busy machine takes. */
	if (now_us <= found.run.begun_us + (join == QUEUE_JOIN_NEXT ? QUEUE_LATE_SLACK_US : 0))
		return found;
	found.ends_us = found.run.begun_us + found.run.left_us;
	found.here = now_us < found.ends_us;
	found.missed = !found.here;
	return found;
}

void queue_join_note(const struct queue_circumstances *circumstances, struct queue_entry *entry,
	const struct queue_verdict *verdict, int64_t *wake_us)
{
	int64_t start_us = entry->announcement->start_us;
	int64_t now_us = circumstances->now->real_us;

	if (circumstances->config->join == QUEUE_JOIN_WHOLE || !circumstances->now->trusted)
		return;
	entry->alone |= verdict->missed;
	if (!entry->was_on_air && (!is_timed(entry) || now_us < start_us)) {
		if (is_timed(entry) && start_us < *wake_us)
			*wake_us = start_us;
		return;
	}
	switch (verdict->wait) {
	case QUEUE_WAIT_BEHIND:
	case QUEUE_WAIT_MEDIA:
	case QUEUE_WAIT_QUIET:
	case QUEUE_WAIT_LIMIT:
		entry->waited = true;
		return;
	default:
		return;
	}
}

void queue_join_prepare(struct queue_entry *entry, const struct queue_verdict *verdict)
{
	entry->joins = verdict->joins;
	if (!entry->joins)
		return;
	entry->run = verdict->run;
	entry->missed_us = entry->skipped_us;
}

bool queue_join_started(struct queue_entry *entry, bool in_step)
{
	bool timed = entry->start_us != TIME_UNSET && !entry->alone &&
		     (in_step || entry->start_us == entry->announcement->start_us);

	entry->waited = false;
	if (!entry->joins)
		entry->run = (struct queue_run){
			.begun_us = timed ? entry->start_us : TIME_UNSET,
			.left_us = us_of_seconds(queue_entry_remaining_s(entry)),
			.from = entry->from,
		};
	return entry->run.begun_us != TIME_UNSET;
}
