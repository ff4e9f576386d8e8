/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/queue_rules.h"
#include "scheduler/queue_join.h"

/* Nothing that is longer than this between two quiet hours fits at all. */
#define FIT_SEARCH_US (INT64_C(2) * 86400 * US_PER_SEC)

static const char *const wait_names[] = {
	[QUEUE_WAIT_NONE] = "next",
	[QUEUE_WAIT_START] = "start",
	[QUEUE_WAIT_BEHIND] = "behind",
	[QUEUE_WAIT_STORE] = "store",
	[QUEUE_WAIT_CLOCK] = "clock",
	[QUEUE_WAIT_OUTPUT] = "output-lost",
	[QUEUE_WAIT_MUTED] = "muted",
	[QUEUE_WAIT_MEDIA] = "media",
	[QUEUE_WAIT_QUIET] = "quiet-hours",
	[QUEUE_WAIT_LIMIT] = "limit",
};

const char *queue_wait_name(enum queue_wait wait)
{
	return wait_names[wait];
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
	return a_us < b_us ? a_us : b_us;
}

static int64_t later(int64_t a_us, int64_t b_us)
{
	return a_us > b_us ? a_us : b_us;
}

static bool has_quiet(const struct queue_config *config)
{
	return config->quiet && config->quiet->count > 0;
}

static bool is_timed(const struct queue_entry *entry)
{
	return entry->announcement->start_us != TIME_UNSET;
}

/* A drill that is announced for next week, not a cry for help. */
static bool is_planned(const struct queue_entry *entry)
{
	const struct announcement *announcement = entry->announcement;

	return is_timed(entry) &&
	       (announcement->issued_at_us == TIME_UNSET ||
		       announcement->start_us - announcement->issued_at_us > QUEUE_PLANNED_US);
}

/* An emergency is not held up by a clock, unless it was planned, or over when the clock was right last.
 * Else: what has a start, and everything where hours are forbidden. */
static bool needs_clock(const struct queue_config *config, const struct queue_now *now,
	const struct queue_entry *entry)
{
	/* Without an instant of the office's the expiry is only that of this clock plus an hour. */
	bool was_over = entry->announcement->issued_at_us != TIME_UNSET &&
			entry->announcement->expires_us <= now->last_seen_us;

	if (queue_entry_is_emergency(entry))
		return is_planned(entry) || was_over;
	return is_timed(entry) || has_quiet(config);
}

/* --- Quiet hours ----------------------------------------------------------------------------- */

static int64_t remaining_us(const struct queue_entry *entry)
{
	double seconds = queue_entry_remaining_s(entry);

	return (int64_t)((seconds < QUEUE_LENGTH_MAX_S ? seconds : QUEUE_LENGTH_MAX_S) *
			 US_PER_SEC);
}

/* Where it fits between quiet hours, from `from_us` on: it ends before the fade would begin. */
static struct queue_fit find_fit(const struct hours_list *quiet, int64_t length_us, int64_t from_us)
{
	struct queue_fit fit = { length_us, from_us, TIME_NEVER, TIME_NEVER };

	for (int64_t at_us = from_us; at_us < from_us + FIT_SEARCH_US;) {
		int64_t free_us = hours_end_us(quiet, at_us);
		if (free_us == TIME_NEVER)
			break;
		at_us = hours_begin_us(quiet, free_us);
		int64_t last_us = at_us == TIME_NEVER ? TIME_NEVER
						      : at_us - QUEUE_QUIET_LEAD_US - length_us - 1;
		if (free_us <= last_us) {
			fit.first_us = free_us;
			fit.last_us = last_us;
			break;
		}
	}
	return fit;
}

/* The first instant at or after `at_us` at which it fits; TIME_NEVER: nowhere. */
static int64_t fit_us(const struct queue_config *config, const struct queue_entry *entry,
	struct queue_fit *fit, int64_t at_us)
{
	int64_t length_us = remaining_us(entry);

	if (fit->remaining_us != length_us || at_us < fit->from_us || at_us > fit->last_us)
		*fit = find_fit(config->quiet, length_us, at_us);
	return later(fit->first_us, at_us);
}

bool queue_rules_quiet(const struct queue_config *config, int64_t real_us)
{
	return has_quiet(config) && hours_contain(config->quiet, real_us);
}

/* --- Limits ---------------------------------------------------------------------------------- */

static bool is_too_long(const struct queue_config *config, const struct queue_entry *entry)
{
	return config->limits && config->limits->item_minutes > 0 &&
	       queue_entry_remaining_s(entry) > 60.0 * config->limits->item_minutes;
}

bool queue_rules_above_limit(const struct queue_config *config, const struct usage *usage,
	const struct queue_entry *entry, int64_t real_us)
{
	return config->limits &&
	       (is_too_long(config, entry) || usage_allows_us(usage, config->limits, real_us,
						      queue_entry_remaining_s(entry)) != real_us);
}

void queue_rules_apply_limits(const struct queue_circumstances *circumstances,
	struct queue_entry *entry, struct queue_verdict *verdict)
{
	const struct queue_config *config = circumstances->config;

	if (!config->limits || !circumstances->now->trusted || queue_entry_is_emergency(entry))
		return;
	int64_t begin_us = usage_allows_us(circumstances->usage, config->limits, verdict->begin_us,
		queue_entry_remaining_s(entry));
	if (begin_us == verdict->begin_us)
		return;
	if (has_quiet(config) && begin_us != TIME_NEVER)
		begin_us = fit_us(config, entry, &entry->fits[1], begin_us);
	verdict->begin_us = begin_us;
	if (begin_us >= entry->announcement->expires_us) {
		verdict->wait = QUEUE_WAIT_LIMIT;
		verdict->never = true;
		verdict->reason = REASON_LIMIT;
	} else if (begin_us - QUEUE_PREPARE_US > circumstances->now->real_us) {
		verdict->wait = QUEUE_WAIT_LIMIT;
		verdict->change_us = earlier(verdict->change_us, begin_us - QUEUE_PREPARE_US);
	}
}

/* --- When may it begin ----------------------------------------------------------------------- */

static enum queue_media media_of(const struct queue_now *now, const struct queue_entry *entry)
{
	return now->media && announcement_has_media(entry->announcement)
		       ? now->media(entry->announcement, now->context)
		       : QUEUE_MEDIA_SETTLED;
}

/* Also not when the clock has been set back to long before it was due: nobody knows how long it was
 * waited for. */
static bool in_grace(const struct queue_now *now, const struct queue_entry *entry)
{
	int64_t due_us = queue_entry_due_us(entry);

	return now->real_us < due_us + QUEUE_MEDIA_GRACE_US &&
	       now->real_us >= due_us - QUEUE_MEDIA_GRACE_US;
}

/* What of the world holds something that is due; *verdict gets when that may end. */
static void judge_world(const struct queue_circumstances *circumstances,
	const struct queue_entry *entry, struct queue_verdict *verdict)
{
	const struct queue_now *now = circumstances->now;
	enum queue_media media = media_of(now, entry);

	if (circumstances->muted) {
		verdict->wait = QUEUE_WAIT_MUTED;
	} else if (!now->output_ready) {
		verdict->wait = QUEUE_WAIT_OUTPUT;
	} else if (media == QUEUE_MEDIA_NEAR) {
		verdict->wait = QUEUE_WAIT_MEDIA;
	} else if (media == QUEUE_MEDIA_COMING) {
		if (!in_grace(now, entry)) {
			verdict->media_missing = true;
			return;
		}
		verdict->wait = QUEUE_WAIT_MEDIA;
		verdict->change_us = earlier(
			verdict->change_us, queue_entry_due_us(entry) + QUEUE_MEDIA_GRACE_US);
	}
}

int64_t queue_rules_elsewhere_us(
	const struct queue_circumstances *circumstances, const struct queue_entry *entry)
{
	const struct queue_elsewhere *elsewhere =
		&circumstances->elsewhere[queue_entry_is_background(entry)];

	if (entry->announcement->priority > elsewhere->priority ||
		entry->announcement->start_us > elsewhere->sure_us ||
		circumstances->now->real_us < elsewhere->since_us)
		return TIME_UNSET;
	return elsewhere->until_us;
}

/* When its lane is free: behind the gap, and behind what others are saying that is left alone here. */
static int64_t lane_free_us(
	const struct queue_circumstances *circumstances, const struct queue_entry *entry)
{
	return later(queue_rules_elsewhere_us(circumstances, entry),
		queue_entry_is_background(entry) ? circumstances->background_free_us
						 : circumstances->foreground_free_us);
}

/* The earliest beginning by start, gap and quiet hours, and which of them it waits for. */
static void judge_time(const struct queue_circumstances *circumstances, struct queue_entry *entry,
	struct queue_verdict *verdict)
{
	const struct queue_config *config = circumstances->config;
	const struct queue_now *now = circumstances->now;
	bool emergency = queue_entry_is_emergency(entry);
	int64_t free_us = later(lane_free_us(circumstances, entry), verdict->ends_us);

	verdict->begin_us = now->real_us;
	if (now->trusted && entry->announcement->start_us > verdict->begin_us) {
		verdict->begin_us = entry->announcement->start_us;
		verdict->wait = QUEUE_WAIT_START;
	}
	if (!emergency && !verdict->joins && free_us > verdict->begin_us) {
		verdict->begin_us = free_us;
		verdict->wait = QUEUE_WAIT_BEHIND;
	}
	if (emergency || !now->trusted || !has_quiet(config))
		return;
	int64_t fits_us = fit_us(config, entry, &entry->fits[0], verdict->begin_us);
	if (fits_us > verdict->begin_us) {
		verdict->begin_us = fits_us;
		verdict->wait = QUEUE_WAIT_QUIET;
	}
	if (entry->fits[0].last_us < TIME_NEVER) /* then it fits no more, and may expire */
		verdict->change_us = entry->fits[0].last_us + 1;
}

/* What is to blame if it cannot begin before it expires. */
static enum reason reason_of_expiry(const struct queue_now *now, const struct queue_entry *entry,
	const struct queue_verdict *verdict, enum queue_wait waits_for_time)
{
	static const enum reason reasons[] = {
		[QUEUE_WAIT_MUTED] = REASON_MUTED,
		[QUEUE_WAIT_OUTPUT] = REASON_OUTPUT_LOST,
		[QUEUE_WAIT_MEDIA] = REASON_MEDIA_MISSING,
		[QUEUE_WAIT_QUIET] = REASON_QUIET_HOURS,
		[QUEUE_WAIT_LIMIT] = REASON_LIMIT,
	};
	bool has_expired = now->real_us >= entry->announcement->expires_us;
	enum reason reason = reasons[has_expired ? verdict->wait : waits_for_time];

	return reason == REASON_NONE ? REASON_EXPIRED : reason;
}

/* --- In time ---------------------------------------------------------------------------------- */

static bool is_occurrence(const struct queue_entry *entry)
{
	return entry->announcement->late_us >= 0;
}

static int64_t late_from_us(const struct queue_entry *entry)
{
	return entry->announcement->start_us +
	       later(entry->announcement->late_us, QUEUE_LATE_SLACK_US);
}

bool queue_rules_note_in_time(
	const struct queue_now *now, struct queue_entry *entry, int64_t *wake_us)
{
	int64_t start_us = entry->announcement->start_us;
	bool before = entry->in_time;

	if (!is_occurrence(entry) || !now->trusted)
		return false;
	if (now->real_us < start_us) {
		entry->in_time = false; /* its start lies ahead, perhaps again */
		*wake_us = earlier(*wake_us, start_us);
		return false;
	}
	entry->in_time |= now->real_us <= late_from_us(entry);
	return entry->in_time && !before;
}

static bool is_missed(const struct queue_now *now, const struct queue_entry *entry)
{
	return is_occurrence(entry) && now->trusted && !entry->was_on_air && !entry->in_time &&
	       now->real_us > late_from_us(entry);
}

/* What the others are saying is joined, or left alone, or waited for. */
static void judge_joining(const struct queue_circumstances *circumstances,
	struct queue_entry *entry, struct queue_verdict *verdict)
{
	struct queue_under_way found = queue_join_look(circumstances, entry);
	int64_t left_us = found.ends_us - circumstances->now->real_us;
	bool able = circumstances->now->output_ready && !circumstances->muted;
	bool next = circumstances->config->join == QUEUE_JOIN_NEXT;

	verdict->missed = found.missed;
	if (!found.here)
		return;
	if (!next && left_us >= QUEUE_JOIN_LEAST_US) {
		verdict->joins = true;
		verdict->run = found.run;
		entry->skipped_us = (int64_t)(entry->seconds * US_PER_SEC) - entry->from.played_us -
				    left_us;
	} else if (able) { /* else they may have said it before this output is back */
		verdict->ends_us = found.ends_us + circumstances->config->gap_us;
		verdict->sure_us = found.ends_us - found.run.left_us / 10;
		verdict->never = verdict->left_alone = next;
		verdict->reason = next ? REASON_LATE : REASON_NONE;
	}
}

struct queue_verdict queue_rules_judge(
	const struct queue_circumstances *circumstances, struct queue_entry *entry)
{
	const struct queue_now *now = circumstances->now;
	int64_t expires_us = now->trusted ? entry->announcement->expires_us : TIME_NEVER;
	struct queue_verdict verdict = {
		.begin_us = TIME_NEVER,
		.change_us = TIME_NEVER,
		.ends_us = TIME_UNSET,
	};

	entry->skipped_us = entry->missed_us;
	if (!queue_entry_is_emergency(entry) && is_too_long(circumstances->config, entry)) {
		verdict.wait = QUEUE_WAIT_LIMIT;
		verdict.never = true;
		verdict.reason = REASON_LIMIT;
		return verdict;
	}
	if (!now->trusted && needs_clock(circumstances->config, now, entry)) {
		verdict.wait = entry->durable ? QUEUE_WAIT_CLOCK : QUEUE_WAIT_STORE;
		return verdict;
	}
	if (is_missed(now, entry)) {
		verdict.never = true;
		verdict.reason = REASON_LATE;
		return verdict;
	}
	judge_joining(circumstances, entry, &verdict);
	if (verdict.never)
		return verdict;
	judge_time(circumstances, entry, &verdict);
	enum queue_wait waits_for_time = verdict.wait;
	bool due = verdict.begin_us - QUEUE_PREPARE_US <= now->real_us;
	if (due || now->real_us >= expires_us) {
		verdict.wait = QUEUE_WAIT_NONE;
		judge_world(circumstances, entry, &verdict);
	} else {
		verdict.change_us = earlier(verdict.change_us, verdict.begin_us - QUEUE_PREPARE_US);
	}
	if (verdict.begin_us >= expires_us) {
		verdict.never = true;
		verdict.reason = reason_of_expiry(now, entry, &verdict, waits_for_time);
	}
	if (!entry->durable && !queue_entry_is_emergency(entry))
		verdict.wait = QUEUE_WAIT_STORE;
	verdict.change_us = earlier(verdict.change_us, expires_us);
	return verdict;
}

/* --- What has begun -------------------------------------------------------------------------- */

enum queue_cause queue_rules_ends(const struct queue_circumstances *circumstances,
	const struct queue_entry *entry, int64_t *change_us)
{
	const struct queue_config *config = circumstances->config;
	const struct queue_now *now = circumstances->now;

	if (!now->trusted)
		return entry->phase == QUEUE_PREPARING && needs_clock(config, now, entry)
			       ? QUEUE_RECALLED
			       : QUEUE_CAUSE_NONE;
	if (queue_entry_is_emergency(entry) || !has_quiet(config))
		return QUEUE_CAUSE_NONE;
	/* Prepared in quiet hours, for their end: they may begin again only after that. */
	int64_t from_us = entry->phase == QUEUE_PREPARING ? later(now->real_us, entry->start_us)
							  : now->real_us;
	int64_t quiet_us = hours_begin_us(config->quiet, from_us);
	if (quiet_us == TIME_NEVER)
		return QUEUE_CAUSE_NONE;
	if (quiet_us == from_us || quiet_us - QUEUE_QUIET_LEAD_US <= now->real_us)
		return QUEUE_QUIET;
	*change_us = earlier(*change_us, quiet_us - QUEUE_QUIET_LEAD_US);
	return QUEUE_CAUSE_NONE;
}

/* --- Who goes first -------------------------------------------------------------------------- */

bool queue_rules_blocks(const struct queue_entry *active, const struct queue_entry *entry)
{
	if (queue_entry_is_background(entry))
		return true;
	if (active->phase == QUEUE_ENDING && queue_entry_is_emergency(entry))
		return false;
	return active->announcement->priority >= entry->announcement->priority;
}

bool queue_rules_yields(const struct queue_entry *active, const struct queue_entry *entry)
{
	if (queue_entry_is_background(active))
		return queue_entry_is_emergency(entry) ||
		       (active->phase == QUEUE_PREPARING && !queue_entry_is_background(entry));
	return entry->announcement->priority > active->announcement->priority;
}
