/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/plan.h"
#include "base/strbuf.h"
#include "scheduler/timetable.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Offered so long before its start, as by a node. */
#define LEAD_US TIMETABLE_LEAD_US
/* What is longer is as good as for ever, and in µs still far from what an instant can hold. */
#define SECONDS_MAX 1e7
#define LISTED_MAX  (QUEUE_ENTRIES_MAX + QUEUE_EMERGENCIES_MAX + QUEUE_BROADCASTS_MAX)

enum hold { HOLD_OVERLAP, HOLD_QUIET, HOLD_LIMIT, HOLD_MUTED, HOLDS_COUNT };

struct held { /* for how long, by what, since it was offered */
	uint32_t ms[HOLDS_COUNT];
};

struct source { /* a schedule, and its next occurrence */
	struct schedule *schedule;
	double seconds;
	uint64_t outputs;
	size_t given; /* its place in the list that was given */
	int64_t next_us;
	bool excepted;
};

struct sound { /* what would be heard of an entry */
	struct queue_entry *entry;
	int64_t begin_us, end_us;
};

struct player { /* an output, in simulation */
	struct hours_list quiet;
	struct usage_limits limits;
	struct queue *queue;
	struct queue_now now;
	struct sound sounds[QUEUE_BROADCASTS_MAX];
	size_t sounds_count;
	int64_t next_us; /* when something happens next; TIME_NEVER */
};

struct plan {
	struct source *sources; /* by id */
	size_t sources_count;
	size_t looked_up;     /* of so many the first occurrence is known */
	struct source **heap; /* by next_us, then id */
	struct player *players;
	size_t players_count;
	struct plan_row *rows; /* an entry's `sequence` is its row's place */
	struct held *held;     /* of each row */
	size_t rows_count, rows_capacity;
	int64_t from_us, until_us, cut_us;
	const struct queue_entry *listed[LISTED_MAX]; /* for queue_list() */
	enum queue_wait waits[LISTED_MAX];
};

static const char *const would_names[] = {
	[PLAN_PLAY] = "play",
	[PLAN_HOLD] = "hold",
	[PLAN_VETO] = "veto",
	[PLAN_SKIP] = "skip",
};

const char *plan_would_name(enum plan_would would)
{
	return would_names[would];
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
	return a_us < b_us ? a_us : b_us;
}

static int64_t later(int64_t a_us, int64_t b_us)
{
	return a_us > b_us ? a_us : b_us;
}

/* --- Rows ------------------------------------------------------------------------------------ */

static struct plan_row *add_row(
	struct plan *plan, const struct source *source, size_t output, enum plan_would would)
{
	size_t place = plan->rows_count++;

	if (place == plan->rows_capacity) {
		plan->rows_capacity = plan->rows_capacity ? plan->rows_capacity * 2 : 64;
		plan->rows = xreallocarray(plan->rows, plan->rows_capacity, sizeof *plan->rows);
		plan->held = xreallocarray(plan->held, plan->rows_capacity, sizeof *plan->held);
	}
	plan->held[place] = (struct held){ 0 };
	plan->rows[place] = (struct plan_row){
		.schedule = source->schedule,
		.output = output,
		.start_us = source->next_us,
		.begins_us = TIME_UNSET,
		.seconds = source->seconds,
		.would = would,
	};
	return &plan->rows[place];
}

/* NULL: it was left out where the plan is cut, but it still plays its part. */
static struct plan_row *row_of(struct plan *plan, const struct queue_entry *entry)
{
	return entry->sequence < plan->rows_count ? &plan->rows[entry->sequence] : NULL;
}

static const char *longest_hold(const struct held *held)
{
	static const char *const reasons[HOLDS_COUNT] = {
		[HOLD_OVERLAP] = "overlap",
		[HOLD_QUIET] = "quiet-hours",
		[HOLD_LIMIT] = "limit",
		[HOLD_MUTED] = "muted",
	};
	size_t longest = 0;

	for (size_t i = 1; i < HOLDS_COUNT; i++)
		if (held->ms[i] > held->ms[longest])
			longest = i;
	return reasons[longest];
}

static void note_begin(struct plan *plan, const struct queue_entry *entry, int64_t begin_us)
{
	struct plan_row *row = row_of(plan, entry);

	if (!row || row->begins_us != TIME_UNSET)
		return; /* it goes on */
	row->begins_us = begin_us;
	if (begin_us - row->start_us <= PLAN_PROMPT_US)
		return;
	row->would = PLAN_HOLD;
	row->reason = longest_hold(&plan->held[entry->sequence]);
}

static void note_end(struct plan *plan, const struct queue_entry *entry, enum receipt_event event,
	enum reason reason)
{
	struct plan_row *row = row_of(plan, entry);

	if (!row || row->begins_us != TIME_UNSET)
		return;
	row->would = PLAN_VETO;
	row->reason = reason != REASON_NONE ? reason_name(reason) : receipt_event_name(event);
}

/* --- An output ------------------------------------------------------------------------------- */

static void player_init(
	struct player *player, const struct plan_output *output, int64_t gap_us, int64_t begin_us)
{
	struct queue_config config = { .gap_us = gap_us };

	if (output->name && output->quiet) {
		player->quiet = *output->quiet;
		config.quiet = &player->quiet;
	}
	if (output->name && output->limits) {
		player->limits = *output->limits;
		config.limits = &player->limits;
	}
	player->queue = queue_new(&config);
	if (output->usage)
		queue_set_usage(player->queue, output->usage);
	queue_mute(player->queue, output->name && output->muted);
	player->now = (struct queue_now){
		.real_us = begin_us,
		.trusted = true,
		.last_seen_us = begin_us,
		.output_ready = true,
	};
	player->next_us = TIME_NEVER;
}

/* Up to `to_us` nothing happens; what waits has been waiting for what it waits for now. */
static void pass_time(struct plan *plan, struct player *player, int64_t to_us)
{
	static const enum hold holds[] = {
		/* all else: others that go before it */
		[QUEUE_WAIT_QUIET] = HOLD_QUIET,
		[QUEUE_WAIT_LIMIT] = HOLD_LIMIT,
		[QUEUE_WAIT_MUTED] = HOLD_MUTED,
	};

	if (to_us <= player->now.real_us)
		return;
	uint32_t passed_ms = (uint32_t)((to_us - player->now.real_us) / US_PER_MS);
	size_t count = queue_list(
		player->queue, &player->now, plan->listed, plan->waits, LISTED_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct queue_entry *entry = plan->listed[i];
		if (!row_of(plan, entry) || entry->phase != QUEUE_WAITING)
			continue;
		plan->held[entry->sequence].ms[holds[plan->waits[i]]] += passed_ms;
	}
	player->now.real_us = to_us;
}

static bool is_heard(const struct sound *sound)
{
	return sound->entry->started_us != TIME_UNSET;
}

static int64_t due_us(const struct sound *sound)
{
	return is_heard(sound) ? sound->end_us : sound->begin_us;
}

static void prepare(struct player *player, struct queue_entry *entry)
{
	double rest_s = entry->seconds - (double)entry->from.played_us / US_PER_SEC;
	int64_t begin_us = later(player->now.real_us, entry->start_us);

	assert(player->sounds_count < QUEUE_BROADCASTS_MAX);
	queue_on_primed(player->queue, entry);
	player->sounds[player->sounds_count++] = (struct sound){
		.entry = entry,
		.begin_us = begin_us,
		.end_us = begin_us + (rest_s > 0 ? (int64_t)(rest_s * US_PER_SEC) : 0),
	};
}

static void end(struct plan *plan, struct player *player, size_t place, enum queue_cause cause)
{
	struct sound sound = player->sounds[place];
	struct queue_entry *entry = sound.entry;
	bool heard = is_heard(&sound);
	int64_t ended_us = earlier(player->now.real_us, sound.end_us);
	int64_t heard_us = heard ? ended_us - sound.begin_us : 0;
	struct queue_over over = {
		.cause = cause,
		.position = { .item = cause == QUEUE_FINISHED ? UINT32_MAX : 0,
			.offset_us = entry->from.offset_us + heard_us,
			.played_us = entry->from.played_us + heard_us },
		.ended_us = heard ? ended_us : TIME_UNSET,
	};
	struct plan_row *row = row_of(plan, entry);

	if (row && heard && cause != QUEUE_FINISHED)
		row->interrupted = true;
	player->sounds[place] = player->sounds[--player->sounds_count];
	struct queue_outcome outcome = queue_on_over(player->queue, entry, &over);
	if (outcome.gone)
		note_end(plan, entry, outcome.event, outcome.reason);
	queue_entry_free(outcome.gone);
}

/* What is due of what sounds. */
static void follow_sounds(struct plan *plan, struct player *player)
{
	int64_t now_us = player->now.real_us;

	for (size_t i = player->sounds_count; i-- > 0;) {
		struct sound *sound = &player->sounds[i];
		if (!is_heard(sound) && sound->begin_us <= now_us) {
			queue_on_started(player->queue, sound->entry, sound->begin_us);
			note_begin(plan, sound->entry, sound->begin_us);
		}
		if (is_heard(sound) && sound->end_us <= now_us)
			end(plan, player, i, QUEUE_FINISHED);
	}
	for (size_t i = 0; i < player->sounds_count; i++) /* for the minutes of the day */
		if (is_heard(&player->sounds[i]))
			queue_on_position(player->queue, player->sounds[i].entry,
				&player->sounds[i].entry->from, now_us);
}

static void fade(struct plan *plan, struct player *player, const struct queue_entry *entry)
{
	size_t place = 0;

	while (player->sounds[place].entry != entry)
		place++;
	end(plan, player, place, QUEUE_CAUSE_NONE);
}

static void take_turn(struct plan *plan, struct player *player)
{
	pass_time(plan, player, player->next_us);
	follow_sounds(plan, player);
	struct queue_decision decision = queue_next(player->queue, &player->now);
	switch (decision.what) {
	case QUEUE_DO_PREPARE:
		prepare(player, decision.entry);
		break;
	case QUEUE_DO_FADE:
		fade(plan, player, decision.entry);
		break;
	case QUEUE_DO_DROP:
		note_end(plan, decision.entry, decision.event, decision.reason);
		queue_entry_free(decision.entry);
		break;
	case QUEUE_DO_NOTHING:
		player->next_us = decision.wake_us;
		for (size_t i = 0; i < player->sounds_count; i++)
			player->next_us = earlier(player->next_us, due_us(&player->sounds[i]));
		break;
	}
}

/* --- Occurrences ------------------------------------------------------------------------------ */

static bool goes_before(const struct source *a, const struct source *b)
{
	return a->next_us != b->next_us ? a->next_us < b->next_us : a < b;
}

static void sift_down(struct plan *plan, size_t place)
{
	struct source **heap = plan->heap;

	for (size_t least = place;; place = least) {
		for (size_t child = 2 * place + 1; child <= 2 * place + 2; child++)
			if (child < plan->sources_count && goes_before(heap[child], heap[least]))
				least = child;
		if (least == place)
			return;
		struct source *source = heap[place];
		heap[place] = heap[least];
		heap[least] = source;
	}
}

static void look_up(struct source *source, int64_t after_us)
{
	source->excepted = false;
	source->next_us = schedule_next(source->schedule, after_us, &source->excepted);
}

/* Of one more schedule the first occurrence; all known, they are put in order. */
static void look_up_first(struct plan *plan)
{
	look_up(&plan->sources[plan->looked_up++], plan->from_us - 1);
	for (size_t place = plan->sources_count / 2;
		plan->looked_up == plan->sources_count && place-- > 0;)
		sift_down(plan, place);
}

static void offer(struct plan *plan, const struct source *source, size_t output,
	struct announcement *announcement)
{
	struct player *player = &plan->players[output];

	pass_time(plan, player, source->next_us - LEAD_US);
	player->next_us = player->now.real_us;
	struct plan_row *row = add_row(plan, source, output, PLAN_PLAY);
	struct queue_offer offer = {
		.announcement = announcement,
		.arrival_us = player->now.real_us,
		.sequence = plan->rows_count - 1,
		.seconds = source->seconds,
		.durable = true,
	};
	int result = queue_add(player->queue, &offer, NULL);
	if (result == -EEXIST) { /* it was offered for another zone: said once */
		plan->rows_count--;
	} else if (result < 0) {
		row->would = PLAN_VETO;
		row->reason = reason_name(REASON_QUEUE_FULL);
	}
}

static bool listens(const struct source *source, size_t output)
{
	return source->outputs >> output & 1;
}

static void take_occurrence(struct plan *plan, const struct source *source)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = NULL;

	if (!source->excepted)
		announcement = schedule_occurrence(source->schedule, source->next_us);
	for (size_t i = 0; i < plan->players_count; i++) {
		if (!listens(source, i))
			continue;
		if (source->excepted)
			add_row(plan, source, i, PLAN_SKIP)->reason = "except";
		else
			offer(plan, source, i, announcement);
	}
}

/* Leaves out all that begins at `start_us` or later. */
static void cut(struct plan *plan, int64_t start_us)
{
	plan->cut_us = start_us;
	while (plan->rows_count > 0 && plan->rows[plan->rows_count - 1].start_us == start_us)
		plan->rows_count--;
}

static void take_next(struct plan *plan)
{
	struct source *source = plan->heap[0];

	if (plan->rows_count + (size_t)__builtin_popcountll(source->outputs) > PLAN_ROWS_MAX) {
		cut(plan, source->next_us);
		return;
	}
	take_occurrence(plan, source);
	look_up(source, source->next_us);
	sift_down(plan, 0);
}

/* --- The whole ------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	const struct source *one = a, *other = b;
	int order = strcmp(one->schedule->id, other->schedule->id);

	return order ? order : one->given < other->given ? -1 : 1;
}

struct plan *plan_new(const struct plan_schedule *schedules, size_t schedules_count,
	const struct plan_output *outputs, size_t outputs_count, int64_t gap_us, int64_t from_us,
	int64_t until_us)
{
	struct plan *plan = xcalloc(1, sizeof *plan);
	uint64_t known = outputs_count < 64 ? (UINT64_C(1) << outputs_count) - 1 : UINT64_MAX;

	assert(outputs_count <= PLAN_OUTPUTS_MAX);
	plan->from_us = from_us;
	plan->until_us = until_us;
	plan->cut_us = TIME_NEVER;
	plan->players = xcalloc(outputs_count + 1, sizeof *plan->players);
	plan->players_count = outputs_count;
	for (size_t i = 0; i < outputs_count; i++)
		player_init(&plan->players[i], &outputs[i], gap_us, from_us - LEAD_US);
	plan->sources = xcalloc(schedules_count + 1, sizeof *plan->sources);
	for (size_t i = 0; i < schedules_count; i++) {
		const struct plan_schedule *given = &schedules[i];
		if (given->schedule->withdrawal || !(given->outputs & known))
			continue;
		plan->sources[plan->sources_count++] = (struct source){
			.schedule = schedule_ref(given->schedule),
			.seconds = given->seconds < SECONDS_MAX ? given->seconds : SECONDS_MAX,
			.outputs = given->outputs & known,
			.given = i,
		};
	}
	qsort(plan->sources, plan->sources_count, sizeof *plan->sources, by_id);
	plan->heap = xcalloc(plan->sources_count + 1, sizeof(struct source *));
	for (size_t i = 0; i < plan->sources_count; i++)
		plan->heap[i] = &plan->sources[i];
	return plan;
}

struct plan *plan_free(struct plan *plan)
{
	if (!plan)
		return NULL;
	for (size_t i = 0; i < plan->players_count; i++)
		queue_free(plan->players[i].queue);
	for (size_t i = 0; i < plan->sources_count; i++)
		schedule_unref(plan->sources[i].schedule);
	free(plan->players);
	free(plan->sources);
	free(plan->heap);
	free(plan->rows);
	free(plan->held);
	free(plan);
	return NULL;
}

/* The start of the next occurrence; TIME_NEVER: there is none in this plan. */
static int64_t next_start_us(const struct plan *plan)
{
	if (plan->sources_count == 0 || plan->cut_us != TIME_NEVER ||
		plan->heap[0]->next_us >= plan->until_us)
		return TIME_NEVER;
	return plan->heap[0]->next_us;
}

static struct player *next_player(const struct plan *plan)
{
	struct player *next = &plan->players[0];

	for (size_t i = 1; i < plan->players_count; i++)
		if (plan->players[i].next_us < next->next_us)
			next = &plan->players[i];
	return next;
}

/* The next event, in order of time: what is offered at an instant, before anything is decided there.
 * False: there is none. */
static bool take_step(struct plan *plan)
{
	if (plan->looked_up < plan->sources_count) {
		look_up_first(plan);
		return true;
	}
	if (plan->players_count == 0)
		return false;
	int64_t start_us = next_start_us(plan);
	struct player *player = next_player(plan);
	if (start_us != TIME_NEVER && start_us - LEAD_US <= player->next_us)
		take_next(plan);
	else if (player->next_us != TIME_NEVER)
		take_turn(plan, player);
	else
		return false;
	return true;
}

bool plan_step(struct plan *plan, size_t steps)
{
	while (steps-- > 0)
		if (!take_step(plan))
			return true;
	return false;
}

const struct plan_row *plan_rows(const struct plan *plan, size_t *ret_count)
{
	*ret_count = plan->rows_count;
	return plan->rows;
}

int64_t plan_cut_us(const struct plan *plan)
{
	return plan->cut_us;
}
