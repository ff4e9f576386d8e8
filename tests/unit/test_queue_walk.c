/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queue in a small world that behaves as it pleases: announcements, operators, devices that
 * vanish, a clock that is set, a daemon that dies. After each step it is asked whether what the
 * header promises holds, by rules that are written here anew.
 */
#include "queue_rig.h"

#include <errno.h>
#include <inttypes.h>

#define STEPS         10000 /* of each of so many … */
#define WALKS         20
#define IDS           60               /* are in play at a time */
#define ITEM_US       (2 * US_PER_SEC) /* a sentence */
#define FADE_TAKES_US (50 * US_PER_MS)
#define EVENTS_MAX    200 /* of the world, at one instant */

struct sound { /* a broadcast, as the world sees it */
	struct queue_entry *entry;
	bool primed, started, fading;
	int64_t due_us; /* of what comes next: primed, started, its end, or the end of its fade */
	int64_t begin_us;
	int64_t length_us;
	struct queue_position from;
	bool fails;
};

struct item { /* what was offered under a number, in its newest revision */
	int64_t revision;
	unsigned open; /* revisions that have not ended yet */
	int64_t expires_us;
};

struct walk {
	struct rig rig;
	uint64_t random;
	struct sound sounds[QUEUE_BROADCASTS_MAX];
	struct item items[IDS];
	size_t open;      /* that were offered and have not ended */
	int64_t free_us;  /* the foreground's gap ends */
	bool clock_moved; /* since it was last told: quiet hours may have come without a warning */
	/* How often, so that nothing is tested that never happens: */
	unsigned prepared, heard, finals[10], preempted, passed_quiet, held_by_limit;
	unsigned joined, left_alone;
};

static uint64_t random_below(struct walk *walk, uint64_t below)
{
	/* xorshift64: the same sequence on every machine */
	walk->random ^= walk->random << 13;
	walk->random ^= walk->random >> 7;
	walk->random ^= walk->random << 17;
	return walk->random % below;
}

static bool now_and_then(struct walk *walk)
{
	return random_below(walk, 5) == 0;
}

static int64_t random_us(struct walk *walk, double max_s)
{
	return (int64_t)random_below(walk, (uint64_t)(max_s * US_PER_SEC) + 1);
}

static int64_t now_of(const struct walk *walk)
{
	return walk->rig.now.real_us;
}

static bool is_emergency(const struct queue_entry *entry)
{
	return entry->announcement->priority == PRIORITY_EMERGENCY;
}

static bool is_background(const struct queue_entry *entry)
{
	return entry->announcement->priority == PRIORITY_BACKGROUND;
}

static struct item *item_of(struct walk *walk, const struct queue_entry *entry)
{
	return &walk->items[strtol(entry->announcement->id + 1, NULL, 10)];
}

static void on_final(struct walk *walk, const struct queue_entry *entry, enum receipt_event event)
{
	struct item *item = item_of(walk, entry);

	assert_true(receipt_event_final(event));
	assert_true(item->open > 0);
	item->open--;
	walk->open--;
	walk->finals[event]++;
}

/* --- The rules, again ---------------------------------------------------------------------------
 */

static bool quiet_at(const struct walk *walk, int64_t real_us)
{
	return walk->rig.quiet.count > 0 && hours_contain(&walk->rig.quiet, real_us);
}

static int64_t rest_us(const struct queue_entry *entry)
{
	double rest_s = entry->seconds -
			(double)(entry->from.played_us + entry->missed_us) / US_PER_SEC;

	return rest_s > 0 ? (int64_t)(rest_s * US_PER_SEC) : 0;
}

/* Nothing of it lies in quiet hours, nor the time that a fade would take before them. */
static bool fits_at(const struct walk *walk, const struct queue_entry *entry, int64_t begin_us)
{
	return !quiet_at(walk, begin_us) &&
	       (walk->rig.quiet.count == 0 ||
		       hours_begin_us(&walk->rig.quiet, begin_us) >
			       begin_us + rest_us(entry) + QUEUE_QUIET_LEAD_US);
}

static bool within_limits(const struct walk *walk, const struct queue_entry *entry, int64_t at_us)
{
	return usage_allows_us(queue_usage(walk->rig.queue), &walk->rig.limits, at_us,
		       (double)rest_us(entry) / US_PER_SEC) == at_us;
}

/* Whether nothing but others keeps it from being prepared now. */
static bool is_ripe(const struct walk *walk, const struct queue_entry *entry)
{
	const struct announcement *announcement = entry->announcement;
	const struct rig *rig = &walk->rig;
	int64_t begin_us = now_of(walk);

	if (queue_muted(rig->queue) || !rig->now.output_ready)
		return false;
	if (rig->media_coming && announcement_has_media(announcement))
		return false; /* perhaps it is; others must not be kept waiting by that */
	if (rig->now.trusted && announcement->start_us > begin_us)
		begin_us = announcement->start_us;
	if (is_emergency(entry))
		return begin_us - QUEUE_PREPARE_US <= now_of(walk);
	if (!entry->durable)
		return false;
	if (!rig->now.trusted && (announcement->start_us != TIME_UNSET || rig->quiet.count > 0))
		return false;
	if (is_background(entry))
		return false; /* it has a gap of its own, and waits for everything else */
	if (walk->free_us > begin_us)
		begin_us = walk->free_us;
	if (begin_us - QUEUE_PREPARE_US > now_of(walk))
		return false;
	return !rig->now.trusted ||
	       (fits_at(walk, entry, begin_us) && within_limits(walk, entry, begin_us));
}

/* What may keep a ripe one waiting. */
static bool waits_rightly(const struct walk *walk, const struct queue_entry *entry)
{
	unsigned places = 0;

	for (size_t i = 0; i < countof(walk->sounds); i++) {
		const struct queue_entry *other = walk->sounds[i].entry;
		if (!other)
			continue;
		places++;
		if (is_background(other) || (walk->sounds[i].fading && is_emergency(entry)))
			continue;
		if (other->announcement->priority >= entry->announcement->priority)
			return true;
	}
	return places == countof(walk->sounds);
}

/* What is begun is allowed to begin. */
static void check_prepared(const struct walk *walk, const struct queue_entry *entry)
{
	const struct announcement *announcement = entry->announcement;
	const struct rig *rig = &walk->rig;
	int64_t now_us = now_of(walk);
	int64_t begin_us = entry->start_us == TIME_UNSET ? now_us : entry->start_us;

	assert_true(begin_us >= now_us && begin_us <= now_us + QUEUE_PREPARE_US);
	assert_false(queue_muted(rig->queue));
	assert_true(rig->now.output_ready);
	assert_true(entry->tries < QUEUE_TRIES_MAX);
	if (rig->now.trusted) {
		assert_true(begin_us < announcement->expires_us);
		assert_true(
			announcement->start_us == TIME_UNSET || begin_us >= announcement->start_us);
	}
	if (is_emergency(entry))
		return;
	assert_true(entry->durable);
	assert_true(rest_us(entry) <= rig->limits.item_minutes * 60 * US_PER_SEC);
	assert_true(is_background(entry) || entry->joins || begin_us >= walk->free_us);
	if (!rig->now.trusted) {
		assert_true(announcement->start_us == TIME_UNSET && rig->quiet.count == 0);
		return;
	}
	assert_true(fits_at(walk, entry, begin_us));
	assert_true(within_limits(walk, entry, begin_us));
}

/* Nothing sounds, or will, that must not. */
static void check_sounds(const struct walk *walk)
{
	unsigned on_air = 0, prepared = 0, background = 0;

	for (size_t i = 0; i < countof(walk->sounds); i++) {
		const struct sound *sound = &walk->sounds[i];
		if (!sound->entry || sound->fading)
			continue;
		assert_false(queue_muted(walk->rig.queue));
		if (is_background(sound->entry))
			background++;
		else if (sound->started)
			on_air++;
		else
			prepared++;
		if (sound->started && !is_emergency(sound->entry) && walk->rig.now.trusted)
			assert_false(quiet_at(walk, now_of(walk)));
	}
	assert_true(on_air <= 1 && prepared <= 1 && background <= 1);
}

static void check_waiting(const struct walk *walk)
{
	const struct queue_entry *entries[2 * IDS];
	enum queue_wait waits[2 * IDS];
	size_t count = queue_list(
		walk->rig.queue, &walk->rig.now, entries, waits, countof(entries));
	size_t sounding = 0;

	assert_int_equal(count, queue_length(walk->rig.queue));
	for (size_t i = 0; i < countof(walk->sounds); i++)
		sounding += walk->sounds[i].entry &&
			    (walk->sounds[i].started || walk->sounds[i].fading);
	assert_int_equal(walk->open, count + sounding);
	for (size_t i = 0; i < count; i++) {
		if (entries[i]->phase != QUEUE_WAITING)
			continue;
		if (walk->rig.now.trusted)
			assert_true(entries[i]->announcement->expires_us > now_of(walk));
		/* (Late joiners make others wait for what is not heard here: test_queue_join.) */
		if ((walk->rig.config.join == QUEUE_JOIN_WHOLE || is_emergency(entries[i])) &&
			is_ripe(walk, entries[i]) && !waits_rightly(walk, entries[i]))
			fail_msg("%s waits for nothing (%s)", entries[i]->announcement->id,
				queue_wait_name(waits[i]));
	}
}

/* --- What the queue wants ---------------------------------------------------------------------- */

static struct sound *sound_of(struct walk *walk, const struct queue_entry *entry)
{
	for (size_t i = 0; i < countof(walk->sounds); i++)
		if (walk->sounds[i].entry == entry)
			return &walk->sounds[i];
	return NULL;
}

static void prepare(struct walk *walk, struct queue_entry *entry)
{
	struct sound *sound = sound_of(walk, NULL);
	double whole_s = entry->seconds * (0.8 + 0.1 * (double)random_below(walk, 5));

	assert_non_null(sound);
	check_prepared(walk, entry);
	int64_t length_us = (int64_t)(whole_s * US_PER_SEC) - entry->from.played_us;
	*sound = (struct sound){
		.entry = entry,
		.due_us = now_of(walk) + random_us(walk, 2),
		.length_us = length_us > US_PER_SEC ? length_us : US_PER_SEC,
		.from = entry->from,
		.fails = random_below(walk, 20) == 0,
	};
	walk->prepared++;
	walk->joined += entry->joins;
}

static void fade(struct walk *walk, struct queue_entry *entry)
{
	struct sound *sound = sound_of(walk, entry);

	assert_non_null(sound);
	assert_false(sound->fading);
	sound->fading = true;
	sound->due_us = now_of(walk) + random_us(walk, (double)FADE_TAKES_US / US_PER_SEC);
	walk->preempted += entry->cause == QUEUE_PREEMPTED;
}

/* Does all that is to be done now; in the end nothing may be wrong. */
static void pump(struct walk *walk)
{
	for (int i = 0; i < 4 * IDS; i++) {
		struct queue_decision decision = queue_next(walk->rig.queue, &walk->rig.now);
		switch (decision.what) {
		case QUEUE_DO_PREPARE:
			prepare(walk, decision.entry);
			break;
		case QUEUE_DO_FADE:
			fade(walk, decision.entry);
			break;
		case QUEUE_DO_DROP:
			on_final(walk, decision.entry, decision.event);
			walk->held_by_limit += decision.reason == REASON_LIMIT;
			walk->left_alone += decision.entry->left_alone;
			queue_entry_free(decision.entry);
			break;
		case QUEUE_DO_NOTHING:
			assert_true(decision.wake_us > now_of(walk));
			walk->rig.wake_us = decision.wake_us;
			check_sounds(walk);
			check_waiting(walk);
			return;
		}
	}
	fail_msg("it never ends");
}

/* --- The world goes on ------------------------------------------------------------------------- */

static void over(struct walk *walk, struct sound *sound, enum queue_cause cause)
{
	struct queue_entry *entry = sound->entry;
	int64_t heard_us = sound->started ? now_of(walk) - sound->begin_us : 0;
	struct queue_over over = {
		.cause = cause,
		.reason = REASON_ENGINE,
		.ended_us = TIME_UNSET,
		.passed = !sound->started && entry->joins && random_below(walk, 2),
	};

	if (heard_us < 0 || heard_us > sound->length_us) /* the clock was set */
		heard_us = sound->length_us / 2;
	over.position.played_us = sound->from.played_us + heard_us;
	over.position.item = heard_us >= sound->length_us
				     ? UINT32_MAX
				     : (uint32_t)(over.position.played_us / ITEM_US);
	if (sound->started) {
		over.ended_us = now_of(walk);
		if (!is_background(entry) && walk->free_us < now_of(walk) + GAP_US)
			walk->free_us = now_of(walk) + GAP_US;
	}
	bool was_heard = sound->started;
	sound->entry = NULL;
	struct queue_outcome outcome = queue_on_over(walk->rig.queue, entry, &over);
	assert_int_equal(outcome.tell, was_heard || outcome.gone);
	if (outcome.gone) {
		on_final(walk, entry, outcome.event);
		queue_entry_free(outcome.gone);
	} else if (was_heard && entry->announcement->interrupted == INTERRUPTED_RESUME) {
		assert_int_equal(entry->from.item, over.position.item);
	} else {
		assert_int_equal(entry->from.item, was_heard ? 0 : sound->from.item);
	}
}

static void start(struct walk *walk, struct sound *sound)
{
	struct queue_entry *entry = sound->entry;

	sound->started = true;
	sound->begin_us = now_of(walk);
	sound->due_us = now_of(walk) + sound->length_us;
	queue_on_started(walk->rig.queue, entry, now_of(walk));
	walk->heard++;
	if (walk->rig.now.trusted && quiet_at(walk, now_of(walk))) {
		assert_true(is_emergency(entry) && entry->passes_quiet);
		walk->passed_quiet++;
	}
}

/* What was to happen to a broadcast now. */
static void happen(struct walk *walk, struct sound *sound)
{
	if (sound->fading) {
		over(walk, sound, QUEUE_CAUSE_NONE);
	} else if (!sound->primed && sound->fails) {
		over(walk, sound, QUEUE_FAILED);
	} else if (!sound->primed) {
		sound->primed = true;
		queue_on_primed(walk->rig.queue, sound->entry);
		sound->due_us = sound->entry->start_us > now_of(walk) ? sound->entry->start_us
								      : now_of(walk);
	} else if (!sound->started) {
		start(walk, sound);
	} else {
		over(walk, sound, QUEUE_FINISHED);
	}
}

static struct sound *next_sound(struct walk *walk)
{
	struct sound *next = NULL;

	for (size_t i = 0; i < countof(walk->sounds); i++)
		if (walk->sounds[i].entry && (!next || walk->sounds[i].due_us < next->due_us))
			next = &walk->sounds[i];
	return next;
}

/* Time passes, and all that lies on its way happens at its moment. */
static void pass(struct walk *walk, int64_t until_us)
{
	for (int i = 0; i < EVENTS_MAX; i++) {
		struct sound *sound = next_sound(walk);
		int64_t next_us = walk->rig.wake_us < until_us ? walk->rig.wake_us : until_us;
		if (sound && sound->due_us <= next_us) {
			if (sound->due_us > now_of(walk))
				walk->rig.now.real_us = sound->due_us;
			happen(walk, sound);
		} else {
			walk->rig.now.real_us = next_us;
			if (next_us == until_us)
				break;
		}
		pump(walk);
	}
	pump(walk);
}

/* --- What people and things do ----------------------------------------------------------------- */

static void offer(struct walk *walk)
{
	size_t number = random_below(walk, IDS);
	struct item *item = &walk->items[number];
	char id[16];
	struct spec spec = {
		.id = id,
		.priority = random_below(walk, 8) == 0 ? PRIORITY_EMERGENCY
						       : (enum priority)random_below(walk, 3),
		.revision = item->revision + 1,
		.interrupted = (enum interrupted)random_below(walk, 3),
		.seconds = (double)(1 + random_below(walk, 62)),
		.media = random_below(walk, 8) == 0,
		.not_durable = random_below(walk, 2),
	};

	snprintf(id, sizeof id, "a%zu", number);
	int64_t base_us = now_of(walk);
	if (random_below(walk, 2))
		base_us = spec.start_us = now_of(walk) + random_us(walk, 300) - 10 * US_PER_SEC;
	spec.expires_us = base_us + random_us(walk, random_below(walk, 4) ? 600 : 40000);
	assert_int_equal(rig_try(&walk->rig, spec), 0);
	item->revision++;
	item->open++;
	walk->open++;
	/* The same again changes nothing. */
	if (random_below(walk, 4) == 0)
		assert_int_equal(rig_try(&walk->rig, spec), -EEXIST);
}

static void make_durable(struct walk *walk)
{
	char id[16];

	snprintf(id, sizeof id, "a%" PRIu64, random_below(walk, IDS));
	queue_set_durable(walk->rig.queue, id);
}

static void withdraw(struct walk *walk)
{
	size_t number = random_below(walk, IDS);
	char id[16];

	snprintf(id, sizeof id, "a%zu", number);
	(void)queue_withdraw(walk->rig.queue, id, walk->items[number].revision);
	assert_null(queue_find(walk->rig.queue, id));
}

static void lose_or_return_output(struct walk *walk)
{
	walk->rig.now.output_ready = !now_and_then(walk);
	for (size_t i = 0; i < countof(walk->sounds) && !walk->rig.now.output_ready; i++)
		if (walk->sounds[i].entry && walk->sounds[i].started)
			over(walk, &walk->sounds[i], QUEUE_LOST);
}

static void set_clock(struct walk *walk)
{
	static const double steps_s[] = { -7200, -30, -1, 1, 30, 3600, 30000 };
	int64_t step_us = (int64_t)(steps_s[random_below(walk, countof(steps_s))] * US_PER_SEC);

	walk->rig.now.real_us += step_us;
	for (size_t i = 0; i < countof(walk->sounds); i++) { /* they go by another clock */
		walk->sounds[i].due_us += step_us;
		walk->sounds[i].begin_us += step_us;
	}
	walk->free_us = TIME_UNSET;
	queue_on_clock_set(walk->rig.queue);
}

/* The daemon dies, and comes back with what the store knew. */
static void crash(struct walk *walk)
{
	const struct queue_entry *entries[2 * IDS];
	enum queue_wait waits[2 * IDS];
	struct rig *rig = &walk->rig;
	struct queue *old = rig->queue;
	size_t count = queue_list(old, &rig->now, entries, waits, countof(entries));

	rig->queue = queue_new(&rig->config);
	queue_set_usage(rig->queue, queue_usage(old));
	for (size_t i = 0; i < countof(walk->sounds); i++)
		if (walk->sounds[i].entry && (walk->sounds[i].started || walk->sounds[i].fading))
			entries[count++] = walk->sounds[i].entry;
	for (size_t i = 0; i < count; i++) {
		const struct queue_entry *entry = entries[i];
		struct queue_offer back = {
			.announcement = entry->announcement,
			.arrival_us = entry->arrival_us,
			.sequence = entry->sequence,
			.seconds = entry->seconds,
			.durable = true,
		};
		bool was_active = entry->phase != QUEUE_WAITING;
		if (queue_cause_final(entry->cause) ||
			!queue_restore(rig->queue, &back, entry->was_on_air, &entry->from,
				entry->tries + (was_active && random_below(walk, 8) == 0)))
			on_final(walk, entry, RECEIPT_CANCELLED); /* told before it died */
	}
	memset(walk->sounds, 0, sizeof walk->sounds);
	walk->free_us = TIME_UNSET;
	for (size_t i = 0; i < count; i++) {
		struct queue_entry *back = queue_find(rig->queue, entries[i]->announcement->id);
		if (back && back->was_on_air)
			back->run = entries[i]->run;
	}
	queue_free(old);
}

static void step(struct walk *walk)
{
	struct rig *rig = &walk->rig;
	uint64_t what = random_below(walk, 1000);

	if (what < 250)
		offer(walk);
	else if (what < 500)
		make_durable(walk);
	else if (what < 540)
		withdraw(walk);
	else if (what < 545)
		queue_stop(rig->queue, now_of(walk));
	else if (what < 560)
		queue_skip(rig->queue);
	else if (what < 580)
		queue_mute(rig->queue, now_and_then(walk));
	else if (what < 600)
		lose_or_return_output(walk);
	else if (what < 610)
		rig->now.trusted = !now_and_then(walk);
	else if (what < 620)
		rig->media_coming = now_and_then(walk) ? QUEUE_MEDIA_COMING : QUEUE_MEDIA_SETTLED;
	else if (what < 630)
		set_clock(walk);
	else if (what < 635)
		crash(walk);
	else if (what < 637)
		pass(walk, now_of(walk) + random_us(walk, 40000));
	else
		pass(walk, now_of(walk) + random_us(walk, 30));
	pump(walk);
}

/* In the end everything is allowed, and after some days nothing is left. */
static void come_to_an_end(struct walk *walk)
{
	walk->rig.now.trusted = walk->rig.now.output_ready = true;
	walk->rig.media_coming = QUEUE_MEDIA_SETTLED;
	queue_mute(walk->rig.queue, false);
	pump(walk);
	for (int hour = 0; hour < 72; hour++)
		pass(walk, now_of(walk) + 3600 * US_PER_SEC);
	assert_int_equal(walk->open, 0);
	assert_int_equal(queue_length(walk->rig.queue), 0);
	assert_true(queue_idle(walk->rig.queue));
	assert_true(walk->rig.wake_us == TIME_NEVER);
}

static void check_that_it_happened(const struct walk *walk)
{
	static const enum receipt_event finals[] = { RECEIPT_FINISHED, RECEIPT_CANCELLED,
		RECEIPT_EXPIRED, RECEIPT_FAILED, RECEIPT_SUPERSEDED };

	for (size_t i = 0; i < countof(finals); i++)
		if (walk->finals[finals[i]] < 10)
			fail_msg("only %u %s", walk->finals[finals[i]],
				receipt_event_name(finals[i]));
	assert_true(walk->heard > 300 && walk->heard < walk->prepared && walk->preempted > 10);
	enum queue_join join = walk->rig.config.join;
	if ((walk->joined > 0) != (join == QUEUE_JOIN_PLACE) ||
		(walk->left_alone > 0) != (join == QUEUE_JOIN_NEXT))
		fail_msg("%d: %u joined, %u left alone", join, walk->joined, walk->left_alone);
	assert_true(walk->rig.quiet.count == 0 || walk->passed_quiet > 0);
	assert_true(walk->rig.limits.day_minutes == 0 || walk->held_by_limit > 0);
}

static void many_thousand_steps(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= WALKS; seed++) {
		struct walk walk = { .random = seed * 7919, .free_us = TIME_UNSET };
		rig_init(&walk.rig);
		walk.rig.config.join = (enum queue_join)(seed % 5 % 3);
		queue_free(walk.rig.queue);
		walk.rig.queue = queue_new(&walk.rig.config);
		walk.rig.limits.item_minutes = 1;
		if (seed % 2 == 0) {
			rig_quiet(&walk.rig, "21:00-05:00");
			rig_quiet(&walk.rig, "11:30-13:30");
			rig_quiet(&walk.rig, "08:10-08:20");
		}
		if (seed % 3 == 0)
			walk.rig.limits = (struct usage_limits){ 1, 25, 5 };
		pump(&walk);
		for (int i = 0; i < STEPS; i++)
			step(&walk);
		come_to_an_end(&walk);
		check_that_it_happened(&walk);
		rig_done(&walk.rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(many_thousand_steps) };

	return cmocka_run_group_tests(tests, rig_set_zone, NULL);
}
