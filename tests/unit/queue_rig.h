/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A queue with a small world around it, for its tests: what is offered is described in one line,
 * what it decides is one line of text.
 */
#pragma once

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "scheduler/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* 2026-11-22 08:00:00 in Vietnam. */
#define T             (INT64_C(1795309200) * US_PER_SEC)
#define S(n)          (T + (int64_t)((n) * (double)US_PER_SEC)) /* n seconds after T */
#define HOURS(n)      ((n)*3600.0)                              /* S(HOURS(14)) is 22:00 */
#define GAP_US        (2 * US_PER_SEC)
#define DECISIONS_MAX 5000 /* more in a row, and it will never end */

struct rig {
	struct hours_list quiet;
	struct usage_limits limits;
	struct queue_config config;
	struct queue *queue;
	int64_t in_step_us; /* of what is over next */
	struct queue_now now;
	struct queue_entry *active[QUEUE_BROADCASTS_MAX];
	uint64_t sequence;
	enum queue_media media_coming; /* true: QUEUE_MEDIA_COMING */
	int64_t wake_us;
	struct strbuf text;
};

static inline int rig_set_zone(void **state)
{
	(void)state;
	setenv("TZ", "Asia/Ho_Chi_Minh", 1);
	tzset();
	return 0;
}

static inline enum queue_media rig_media_coming(
	const struct announcement *announcement, void *context)
{
	const struct rig *rig = context;

	assert_true(announcement_has_media(announcement)); /* it is not asked of others */
	return rig->media_coming;
}

static inline void rig_init(struct rig *rig)
{
	*rig = (struct rig){
		.config = { .gap_us = GAP_US },
		.now = { .real_us = T,
			.trusted = true,
			.last_seen_us = TIME_UNSET,
			.output_ready = true,
			.media = rig_media_coming },
	};
	rig->config.quiet = &rig->quiet;
	rig->config.limits = &rig->limits;
	rig->now.context = rig;
	rig->queue = queue_new(&rig->config);
}

static inline void rig_done(struct rig *rig)
{
	queue_free(rig->queue);
	strbuf_done(&rig->text);
}

static inline void rig_quiet(struct rig *rig, const char *window)
{
	assert_int_equal(hours_parse(window, &rig->quiet.list[rig->quiet.count++], NULL), 0);
}

/* --- Offering -------------------------------------------------------------------------------- */

struct spec {
	const char *id;
	enum priority priority;
	int64_t start_us;   /* 0: at once */
	int64_t planned_us; /* it was issued so long before */
	int64_t expires_us; /* 0: in an hour */
	int64_t revision;   /* 0: 1 */
	int64_t late_us;    /* 0: it is no occurrence; 1: late is 0 */
	int64_t arrival_us; /* 0: now */
	uint64_t sequence;  /* 0: the next */
	enum interrupted interrupted;
	double seconds;
	bool media;
	bool not_durable;
	bool waited;
};

static inline struct announcement *spec_announcement(const struct rig *rig, const struct spec *spec)
{
	struct announcement *announcement = xcalloc(1, sizeof *announcement);

	announcement->references = 1;
	snprintf(announcement->id, sizeof announcement->id, "%s", spec->id);
	announcement->revision = spec->revision ? spec->revision : 1;
	announcement_add_part(announcement, ANNOUNCEMENT_TEXT)->text = xstrdup("a");
	announcement->priority = spec->priority;
	announcement->start_us = spec->start_us ? spec->start_us : TIME_UNSET;
	announcement->issued_at_us = announcement->start_us - spec->planned_us;
	announcement->expires_us = spec->expires_us ? spec->expires_us
						    : rig->now.real_us + 3600 * US_PER_SEC;
	announcement->late_us = spec->late_us - 1;
	announcement->interrupted = spec->interrupted;
	if (spec->media)
		memset(announcement_add_part(announcement, ANNOUNCEMENT_MEDIA)->media, 'a',
			SHA256_TEXT_SIZE - 1);
	return announcement;
}

static inline struct queue_offer spec_offer(
	struct rig *rig, const struct spec *spec, struct announcement *announcement)
{
	return (struct queue_offer){
		.announcement = announcement,
		.arrival_us = spec->arrival_us ? spec->arrival_us : rig->now.real_us,
		.sequence = spec->sequence ? spec->sequence : ++rig->sequence,
		.seconds = spec->seconds,
		.durable = !spec->not_durable,
		.waited = spec->waited,
	};
}

static inline int rig_try(struct rig *rig, struct spec spec)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = spec_announcement(
		rig, &spec);
	struct queue_offer offer = spec_offer(rig, &spec, announcement);

	return queue_add(rig->queue, &offer, NULL);
}

static inline void rig_add(struct rig *rig, struct spec spec)
{
	assert_int_equal(rig_try(rig, spec), 0);
}

static inline struct queue_entry *rig_restore(struct rig *rig, struct spec spec, bool was_on_air,
	struct queue_position from, uint32_t tries)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = spec_announcement(
		rig, &spec);
	struct queue_offer offer = spec_offer(rig, &spec, announcement);

	return queue_restore(rig->queue, &offer, was_on_air, &from, tries);
}

/* --- What it decides ---------------------------------------------------------------------------
 */

static inline struct queue_entry *rig_entry(const struct rig *rig, const char *id)
{
	for (size_t i = 0; i < countof(rig->active); i++)
		if (rig->active[i] && strcmp(rig->active[i]->announcement->id, id) == 0)
			return rig->active[i];
	fail_msg("%s is not active", id);
	return NULL;
}

static inline void say_event(struct strbuf *text, enum receipt_event event, enum reason reason)
{
	strbuf_puts(text, receipt_event_name(event));
	if (reason != REASON_NONE)
		strbuf_printf(text, "/%s", reason_name(reason));
}

/* "prepare a", "prepare a@2" (seconds after T), "prepare a joins 3@2" (what
 * began at 2 with item 3), "fade a:preempted", "drop a:expired/limit" */
static inline void say_decision(struct rig *rig, const struct queue_decision *decision)
{
	struct strbuf *text = &rig->text;
	struct queue_entry *entry = decision->entry;
	const char *id = entry->announcement->id;

	if (text->length > 0)
		strbuf_puts(text, ", ");
	switch (decision->what) {
	case QUEUE_DO_PREPARE:
		assert_int_equal(entry->phase, QUEUE_PREPARING);
		strbuf_printf(text, "prepare %s", id);
		if (entry->start_us != TIME_UNSET)
			strbuf_printf(text, "@%.9g", (double)(entry->start_us - T) / US_PER_SEC);
		if (entry->joins)
			strbuf_printf(text, " joins %u@%.9g", entry->run.from.item,
				(double)(entry->run.begun_us - T) / US_PER_SEC);
		for (size_t i = 0;; i++) {
			assert_true(i < countof(rig->active));
			if (rig->active[i])
				continue;
			rig->active[i] = entry;
			break;
		}
		break;
	case QUEUE_DO_FADE:
		assert_int_equal(entry->phase, QUEUE_ENDING);
		assert_ptr_equal(rig_entry(rig, id), entry);
		strbuf_printf(text, "fade %s:%s", id, queue_cause_name(entry->cause));
		break;
	case QUEUE_DO_DROP:
		strbuf_printf(text, "drop %s:", id);
		say_event(text, decision->event, decision->reason);
		assert_true(receipt_event_final(decision->event));
		queue_entry_free(entry);
		break;
	case QUEUE_DO_NOTHING:
		break;
	}
}

/* All that is to be done now. */
static inline const char *rig_next(struct rig *rig)
{
	strbuf_clear(&rig->text);
	strbuf_puts(&rig->text, "");
	for (int i = 0; i < DECISIONS_MAX; i++) {
		struct queue_decision decision = queue_next(rig->queue, &rig->now);
		if (decision.what == QUEUE_DO_NOTHING) {
			assert_true(decision.wake_us > rig->now.real_us);
			rig->wake_us = decision.wake_us;
			return rig->text.text;
		}
		say_decision(rig, &decision);
	}
	fail_msg("it never ends: %.200s", rig->text.text);
	return NULL;
}

static inline const char *rig_at(struct rig *rig, int64_t real_us)
{
	rig->now.real_us = real_us;
	return rig_next(rig);
}

/* --- What the world does ----------------------------------------------------------------------- */

static inline void rig_primed(struct rig *rig, const char *id)
{
	queue_on_primed(rig->queue, rig_entry(rig, id));
}

static inline void rig_started(struct rig *rig, const char *id)
{
	queue_on_started(rig->queue, rig_entry(rig, id), rig->now.real_us);
}

/* Offers, and puts on the air, what nothing is in the way of. */
static inline void rig_play(struct rig *rig, struct spec spec)
{
	_cleanup_(freep) char *expected = xasprintf("prepare %s", spec.id);

	rig_add(rig, spec);
	assert_string_equal(rig_next(rig), expected);
	rig_primed(rig, spec.id);
	rig_started(rig, spec.id);
	assert_string_equal(rig_next(rig), "");
}

/* It is over, now; heard for so long this time (0: not at all), and to go on at that item.
 * "finished", "cancelled/stopped"; "interrupted/muted again", or "again" without a word. */
static inline const char *rig_over(
	struct rig *rig, const char *id, enum queue_cause cause, uint32_t item, double heard_s)
{
	struct queue_entry *entry = rig_entry(rig, id);
	struct queue_over over = {
		.cause = cause,
		.reason = cause == QUEUE_FAILED ? REASON_ENGINE : REASON_NONE,
		.position = { item, 0, entry->from.played_us + (int64_t)(heard_s * US_PER_SEC) },
		.ended_us = heard_s > 0 ? rig->now.real_us : TIME_UNSET,
		.in_step_us = rig->in_step_us,
	};

	for (size_t i = 0; i < countof(rig->active); i++)
		if (rig->active[i] == entry)
			rig->active[i] = NULL;
	struct queue_outcome outcome = queue_on_over(rig->queue, entry, &over);
	strbuf_clear(&rig->text);
	if (outcome.tell)
		say_event(&rig->text, outcome.event, outcome.reason);
	if (!outcome.gone)
		strbuf_puts(&rig->text, outcome.tell ? " again" : "again");
	assert_int_equal(entry->cause, outcome.cause);
	assert_true(outcome.gone == NULL || outcome.gone == entry);
	if (outcome.gone)
		assert_true(outcome.tell && receipt_event_final(outcome.event));
	else
		assert_int_equal(entry->phase, QUEUE_WAITING);
	queue_entry_free(outcome.gone);
	return rig->text.text;
}
