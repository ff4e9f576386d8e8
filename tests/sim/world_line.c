/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Outputs, as daemon/output.c and daemon/broadcast.c. */
#include "tests/sim/world_state.h"

#include <errno.h>

#define REMEMBER_US   (INT64_C(400) * 86400 * US_PER_SEC)
#define RENDER_US     (800 * US_PER_MS)
#define LEND_US       (5 * US_PER_MS)
#define FADE_US       (60 * US_PER_MS)
#define TICK_US       (1 * US_PER_SEC)
#define GAP_US        (2 * US_PER_SEC)
#define DECISIONS_MAX 10000 /* more in a row, and it will never end */
#define LISTED_MAX    (QUEUE_ENTRIES_MAX + QUEUE_EMERGENCIES_MAX)

void line_init(struct world *world, struct line *line)
{
	unsigned index = (unsigned)(line - world->lines);
	const struct village_output *config = &world->village->outputs[index];

	*line = (struct line){ .index = index, .config = config, .wake_us = TIME_NEVER };
	line->queue_config = (struct queue_config){
		.gap_us = GAP_US, .quiet = &config->quiet, .limits = &config->limits
	};
	line->queue = queue_new(&line->queue_config);
}

static void release(struct sound *sound)
{
	announcement_unref(sound->announcement);
	*sound = (struct sound){ 0 };
}

void line_done(struct line *line)
{
	for (size_t i = 0; i < LINE_PLACES; i++)
		release(&line->sounds[i]);
	line->queue = queue_free(line->queue);
}

/* --- Memory ----------------------------------------------------------------------------------- */

static void remember(struct world *world, struct line *line,
	const struct announcement *announcement, enum play_state state,
	const struct queue_position *at, uint32_t tries)
{
	const struct ledger_row *known = ledger_find(world->ledger, announcement->id, line->index);
	int64_t real_us = world_real_us(world);
	int64_t base_us = announcement->expires_us > real_us ? announcement->expires_us : real_us;

	if (known && known->revision > announcement->revision)
		return;
	ledger_put(world->ledger, announcement->id, line->index, announcement->revision, state,
		base_us + REMEMBER_US);
	struct disk_row *row = disk_row(&world->disk, announcement->id);
	struct disk_change *change = disk_post(&world->disk, DISK_PLAY);
	change->row = row;
	change->output = line->index;
	change->play = (struct disk_play){ true, announcement->revision, state,
		base_us + REMEMBER_US, at ? *at : (struct queue_position){ 0 }, tries };
}

static void keep_usage(struct world *world, struct line *line)
{
	struct disk_change *change = disk_post(&world->disk, DISK_USAGE);

	change->output = line->index;
	usage_format(queue_usage(line->queue), change->usage);
}

static void tell(struct world *world, struct line *line, const struct announcement *announcement,
	enum receipt_event event, enum reason reason)
{
	world_receipt(
		world, announcement->id, line->index, announcement->revision, event, reason, false);
}

/* --- Coming in -------------------------------------------------------------------------------- */

bool line_offer(
	struct world *world, struct line *line, const struct line_offer *offer, int *ret_error)
{
	struct announcement *announcement = offer->announcement;
	const struct ledger_row *known = ledger_find(world->ledger, announcement->id, line->index);

	if (known && announcement->late_us >= 0 && known->state != PLAY_QUEUED)
		return false;
	if (known && known->revision >= announcement->revision)
		return false;
	if (world->trusted && announcement->expires_us <= offer->arrival_us) {
		(void)queue_withdraw(line->queue, announcement->id, announcement->revision);
		tell(world, line, announcement, RECEIPT_EXPIRED, REASON_EXPIRED);
		remember(world, line, announcement, PLAY_EXPIRED, NULL, 0);
		return false;
	}
	bool replaces = queue_find(line->queue, announcement->id) != NULL;
	struct queue_offer entry = { announcement, offer->arrival_us, offer->sequence,
		offer->seconds, false, false };
	int result = queue_add(line->queue, &entry, NULL);
	if (result < 0) {
		*ret_error = result;
		return false;
	}
	for (size_t i = world->orphans_count; i-- > 0;)
		if (world->orphans[i].output == line->index &&
			strcmp(world->orphans[i].row->id, announcement->id) == 0)
			world->orphans[i] = world->orphans[--world->orphans_count];
	judge_on_made(world->judge, announcement, line->index, world->now_us, world_real_us(world));
	remember(world, line, announcement, PLAY_QUEUED, NULL, 0);
	if (replaces)
		line_pump(world, line);
	return true;
}

void line_refuse(struct world *world, struct line *line, const struct line_offer *offer)
{
	tell(world, line, offer->announcement, RECEIPT_EXPIRED, REASON_QUEUE_FULL);
	remember(world, line, offer->announcement, PLAY_EXPIRED, NULL, 0);
}

void line_restore(struct world *world, struct line *line, struct disk_row *row)
{
	const struct disk_play *play = &row->plays[line->index];
	_cleanup_(freep) char *json = announcement_format(row->announcement);
	struct error error;
	_cleanup_(announcement_unrefp) struct announcement *announcement = announcement_load(
		json, strlen(json), row->id, &error);

	if (play->state == PLAY_PLAYING && play->at.item == UINT32_MAX) {
		tell(world, line, announcement, RECEIPT_FINISHED, REASON_NONE);
		remember(world, line, announcement, PLAY_FINISHED, NULL, 0);
		return;
	}
	struct queue_offer offer = { announcement, row->arrival_us, row->sequence,
		village_seconds(world->village, village_schedule_of(row->id)), true, false };
	struct queue_entry *restored = queue_restore(
		line->queue, &offer, play->state == PLAY_PLAYING, &play->at, play->tries);
	if (restored)
		restored->in_time = world->seen_at_boot_us >= announcement->start_us;
}

void line_withdraw(struct world *world, struct line *line, const char *id, int64_t revision)
{
	const struct ledger_row *known = ledger_find(world->ledger, id, line->index);

	if (known && known->revision > revision)
		return;
	if (queue_withdraw(line->queue, id, revision) > 0)
		line_pump(world, line);
}

static struct queue_now now_of(const struct world *world)
{
	return (struct queue_now){ .real_us = world_real_us(world),
		.trusted = world->trusted,
		.last_seen_us = world->last_seen_us,
		.output_ready = true };
}

static bool has_begun(const struct queue_entry *entry)
{
	return entry->was_on_air || entry->phase == QUEUE_ON_AIR || entry->phase == QUEUE_ENDING;
}

static bool is_of(const struct queue_entry *entry, const char *schedule)
{
	char name[NAME_MAX_BYTES + 1];
	int64_t start_us;

	return schedule_of_id(entry->announcement->id, name, &start_us) == 0 &&
	       strcmp(name, schedule) == 0;
}

size_t line_occurrences(struct world *world, struct line *line, const char *schedule,
	struct line_occurrence *ret_list, size_t max)
{
	_cleanup_(freep) const struct queue_entry **entries = xcalloc(
		LISTED_MAX + LINE_PLACES, sizeof(struct queue_entry *));
	_cleanup_(freep) enum queue_wait *waits = xcalloc(LISTED_MAX, sizeof *waits);
	struct queue_now now = now_of(world);
	size_t listed = queue_list(line->queue, &now, entries, waits, LISTED_MAX), count = 0;

	for (size_t i = 0; i < LINE_PLACES; i++)
		if (line->sounds[i].entry && line->sounds[i].entry->phase != QUEUE_PREPARING)
			entries[listed++] = line->sounds[i].entry;
	for (size_t i = 0; i < listed && count < max; i++)
		if (is_of(entries[i], schedule))
			ret_list[count++] = (struct line_occurrence){
				entries[i]->announcement->start_us, has_begun(entries[i])
			};
	return count;
}

/* --- Sound ------------------------------------------------------------------------------------ */

static struct sound *sound_of(struct line *line, const struct queue_entry *entry)
{
	for (size_t i = 0; i < LINE_PLACES; i++)
		if (line->sounds[i].entry == entry)
			return &line->sounds[i];
	return NULL;
}

/* How far it has come: to the beginning of a sentence. */
static struct queue_position position_of(const struct sound *sound, int64_t now_us)
{
	int64_t played_us = sound->entry->from.played_us + (now_us - sound->began_us);

	if (!sound->on_air)
		return sound->entry->from;
	if (played_us >= sound->length_us)
		return (struct queue_position){ UINT32_MAX, 0, sound->length_us };
	int64_t item = played_us / JUDGE_SENTENCE_US;
	return (struct queue_position){ (uint32_t)item, 0, item * JUDGE_SENTENCE_US };
}

static struct judge_sound judged(const struct world *world, const struct line *line,
	const struct sound *sound, int64_t real_us)
{
	return (struct judge_sound){ sound->announcement, line->index, real_us, world->trusted,
		sound->resumed };
}

static void prepare(struct world *world, struct line *line, struct queue_entry *entry)
{
	struct sound *sound = sound_of(line, NULL);

	*sound = (struct sound){
		.entry = entry,
		.announcement = announcement_ref(entry->announcement),
		.resumed = entry->was_on_air,
		.steady = true,
		.primed_at_us = world->now_us + RENDER_US,
		.starts_at_us = TIME_NEVER,
		.kept_at_us = TIME_NEVER,
		.over_at_us = TIME_NEVER,
		.target_us = entry->start_us == TIME_UNSET ? world->now_us
							   : world_time_of(world, entry->start_us),
		.length_us = village_length_us(
			world->village, village_schedule_of(entry->announcement->id)),
	};
}

static void fade(struct world *world, struct line *line, struct queue_entry *entry)
{
	static const struct {
		enum receipt_event event;
		enum reason reason;
	} told[QUEUE_CAUSES_COUNT] = {
		[QUEUE_WITHDRAWN] = { RECEIPT_CANCELLED, REASON_WITHDRAWN },
		[QUEUE_STOPPED] = { RECEIPT_CANCELLED, REASON_STOPPED },
		[QUEUE_SKIPPED] = { RECEIPT_CANCELLED, REASON_STOPPED },
		[QUEUE_SUPERSEDED] = { RECEIPT_SUPERSEDED, REASON_NONE },
	};
	struct sound *sound = sound_of(line, entry);
	int64_t over_us = world->now_us + (sound->on_air ? FADE_US : LEND_US);

	sound->fading = true;
	sound->primed_at_us = sound->starts_at_us = sound->kept_at_us = TIME_NEVER;
	if (over_us < sound->over_at_us)
		sound->over_at_us = over_us;
	if (told[entry->cause].event == RECEIPT_ACCEPTED)
		return;
	sound->told = true;
	tell(world, line, entry->announcement, told[entry->cause].event, told[entry->cause].reason);
	remember(world, line, entry->announcement, play_state_after(told[entry->cause].event), NULL,
		0);
}

static void drop(struct world *world, struct line *line, const struct queue_decision *decision)
{
	_cleanup_(queue_entry_freep) struct queue_entry *entry = decision->entry;

	tell(world, line, entry->announcement, decision->event, decision->reason);
	remember(world, line, entry->announcement, play_state_after(decision->event), NULL, 0);
}

void line_pump(struct world *world, struct line *line)
{
	for (int decisions = 0;; decisions++) {
		struct queue_now now = now_of(world);
		if (decisions > DECISIONS_MAX) {
			printf("a queue does not come to rest\n");
			abort();
		}
		struct queue_decision decision = queue_next(line->queue, &now);
		switch (decision.what) {
		case QUEUE_DO_NOTHING:
			if (queue_take_in_time(line->queue))
				world_keep_time(world);
			line->wake_us = decision.wake_us;
			return;
		case QUEUE_DO_PREPARE:
			prepare(world, line, decision.entry);
			break;
		case QUEUE_DO_FADE:
			fade(world, line, decision.entry);
			break;
		case QUEUE_DO_DROP:
			drop(world, line, &decision);
			break;
		}
	}
}

static void put_position(
	struct world *world, struct line *line, struct sound *sound, struct queue_position position)
{
	if (position.item != sound->kept.item)
		sound->entry->tries = 0;
	sound->kept = position;
	queue_on_position(line->queue, sound->entry, &position, world_real_us(world));
	remember(world, line, sound->announcement, PLAY_PLAYING, &position, sound->entry->tries);
	keep_usage(world, line);
}

void line_keep_positions(struct world *world, struct line *line)
{
	for (size_t i = 0; i < LINE_PLACES; i++) {
		struct sound *sound = &line->sounds[i];
		if (sound->entry && sound->on_air && !sound->told)
			put_position(world, line, sound, position_of(sound, world->now_us));
	}
}

static void on_primed(struct world *world, struct line *line, struct sound *sound)
{
	sound->primed_at_us = TIME_NEVER;
	queue_on_primed(line->queue, sound->entry);
	sound->starts_at_us = world->now_us + LEND_US;
	line_pump(world, line);
	if (sound->fading)
		return;
	for (size_t i = 0; i < LINE_PLACES; i++)
		if (line->sounds[i].entry && line->sounds[i].fading)
			sound->starts_at_us = world->now_us + FADE_US;
	if (sound->target_us > sound->starts_at_us)
		sound->starts_at_us = sound->target_us;
	line_pump(world, line);
}

static void on_started(struct world *world, struct line *line, struct sound *sound)
{
	struct judge_sound began = judged(world, line, sound, world_real_us(world));
	struct queue_entry *entry = sound->entry;

	sound->starts_at_us = TIME_NEVER;
	sound->on_air = true;
	sound->began_us = world->now_us;
	sound->real_us = began.real_us;
	sound->kept_at_us = world->now_us + JUDGE_SENTENCE_US + TICK_US / 2;
	sound->over_at_us = world->now_us + sound->length_us - entry->from.played_us;
	judge_on_began(world->judge, &began);
	queue_on_started(line->queue, entry, began.real_us);
	sound->kept = entry->from;
	remember(world, line, sound->announcement, PLAY_PLAYING, &entry->from, entry->tries);
	line_pump(world, line);
}

static void tell_heard(struct world *world, struct line *line, const struct sound *sound)
{
	struct judge_sound heard = judged(world, line, sound, world_real_us(world));

	if (sound->on_air)
		judge_on_heard(
			world->judge, &heard, world->now_us - sound->began_us, sound->steady);
}

static void on_over(struct world *world, struct line *line, struct sound *sound)
{
	bool heard = sound->on_air;
	struct queue_over over = {
		.cause = sound->fading ? QUEUE_CAUSE_NONE : QUEUE_FINISHED,
		.position = position_of(sound, world->now_us),
		.ended_us = heard ? world_real_us(world) : TIME_UNSET,
	};

	tell_heard(world, line, sound);
	struct queue_outcome outcome = queue_on_over(line->queue, sound->entry, &over);
	_cleanup_(queue_entry_freep) struct queue_entry *gone = outcome.gone;
	if (outcome.tell && !sound->told) {
		tell(world, line, sound->announcement, outcome.event, outcome.reason);
		remember(world, line, sound->announcement, play_state_after(outcome.event),
			gone ? NULL : &sound->entry->from, gone ? 0 : sound->entry->tries);
	}
	if (heard)
		keep_usage(world, line);
	release(sound);
	line_pump(world, line);
}

/* --- Time ------------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a_us, int64_t b_us)
{
	return a_us < b_us ? a_us : b_us;
}

static int64_t next_of(const struct sound *sound)
{
	return !sound->entry ? TIME_NEVER
			     : earlier(earlier(sound->primed_at_us, sound->starts_at_us),
				       earlier(sound->kept_at_us, sound->over_at_us));
}

int64_t line_next_us(const struct world *world, const struct line *line)
{
	int64_t next_us = world_time_of(world, line->wake_us);

	for (size_t i = 0; i < LINE_PLACES; i++)
		next_us = earlier(next_us, next_of(&line->sounds[i]));
	return next_us;
}

static void turn(struct world *world, struct line *line, struct sound *sound)
{
	if (sound->over_at_us <= world->now_us) {
		on_over(world, line, sound);
	} else if (sound->starts_at_us <= world->now_us) {
		on_started(world, line, sound);
	} else if (sound->primed_at_us <= world->now_us) {
		on_primed(world, line, sound);
	} else {
		sound->kept_at_us += JUDGE_SENTENCE_US;
		if (!sound->told)
			put_position(world, line, sound, position_of(sound, world->now_us));
	}
}

void line_turn(struct world *world, struct line *line)
{
	for (size_t i = 0; i < LINE_PLACES; i++)
		if (next_of(&line->sounds[i]) <= world->now_us)
			turn(world, line, &line->sounds[i]);
	if (world_time_of(world, line->wake_us) <= world->now_us)
		line_pump(world, line);
	world_flush(world);
}

void line_cut(struct world *world, struct line *line)
{
	for (size_t i = 0; i < LINE_PLACES; i++)
		if (line->sounds[i].entry)
			tell_heard(world, line, &line->sounds[i]);
}

void line_shift(struct line *line, int64_t by_us)
{
	for (size_t i = 0; i < LINE_PLACES; i++) {
		struct sound *sound = &line->sounds[i];
		int64_t *instants[] = { &sound->primed_at_us, &sound->starts_at_us,
			&sound->kept_at_us, &sound->over_at_us };
		for (size_t k = 0; k < countof(instants); k++)
			if (*instants[k] != TIME_NEVER)
				*instants[k] += by_us;
		sound->began_us += by_us;
		sound->steady = false;
	}
}
