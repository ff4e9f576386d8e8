/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node's life and its clock, as daemon/node.c and daemon/health.c. */
#include "scheduler/trust.h"
#include "tests/sim/world_state.h"

#include <errno.h>

#define TICK_US          (10 * US_PER_SEC)
#define KEEP_TIME_US     (INT64_C(900) * US_PER_SEC)
#define FORGET_US        (INT64_C(7) * 86400 * US_PER_SEC) /* less often than the real one: it costs */
#define FORGET_AHEAD_US  (INT64_C(86400) * US_PER_SEC)
#define ORPHANS_US       (5 * US_PER_SEC)
#define NEVER_CONNECTED  TIME_NEVER
#define TURNS_AT_ONE_MAX 100000 /* more in one instant, and it will never end */

struct world *world_new(
	const struct village *village, struct judge *judge, int64_t now_us, uint64_t seed)
{
	struct world *world = xcalloc(1, sizeof *world);

	world->village = village;
	world->judge = judge;
	world->now_us = now_us;
	world->synchronised = true;
	disk_init(&world->disk, seed);
	world->zones = zones_new();
	return world;
}

static void end_node(struct world *world)
{
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++)
		line_done(&world->lines[i]);
	world->ledger = ledger_free(world->ledger);
	world->timetable = timetable_free(world->timetable);
	world->orphans_count = 0;
	world->up = false;
}

struct world *world_free(struct world *world)
{
	if (!world)
		return NULL;
	if (world->up)
		end_node(world);
	disk_done(&world->disk);
	for (size_t i = 0; i < world->broker_count; i++)
		free(world->broker[i].json);
	free(world->broker);
	free(world->orphans);
	zones_free(world->zones);
	free(world);
	return NULL;
}

int64_t world_now_us(const struct world *world)
{
	return world->now_us;
}

int64_t world_offset_us(const struct world *world)
{
	return world->offset_us;
}

bool world_is_up(const struct world *world)
{
	return world->up;
}

size_t world_heard(const struct world *world)
{
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++)
		for (size_t place = 0; place < LINE_PLACES; place++)
			if (world->lines[i].sounds[place].entry)
				return village_schedule_of(
					world->lines[i].sounds[place].announcement->id);
	return SIZE_MAX;
}

size_t world_turns(const struct world *world)
{
	return world->turns;
}

/* --- The disk --------------------------------------------------------------------------------- */

void world_flush(struct world *world)
{
	disk_flush(&world->disk, world->now_us);
}

void world_receipt(struct world *world, const char *id, unsigned output, int64_t revision,
	enum receipt_event event, enum reason reason, bool by_timetable)
{
	struct disk_row *row = disk_row(&world->disk, id);

	disk_post(&world->disk, DISK_RECEIPT)->receipt = (struct disk_receipt){ row, output,
		revision, event, reason, by_timetable, world_real_us(world), world->now_us };
}

/* What became durable is told: to the queues if there is a node, and to the world. */
static void commit(struct world *world)
{
	const struct disk_change *change;
	bool any = false;

	while (disk_commit(&world->disk, world->now_us, &change)) {
		if (change->what == DISK_RECEIPT)
			judge_on_receipt(world->judge, &change->receipt);
		if (change->what != DISK_ANNOUNCEMENT || !world->up)
			continue;
		any = true;
		for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++)
			queue_set_durable(world->lines[i].queue, change->row->id);
	}
	for (unsigned i = 0; any && i < VILLAGE_OUTPUTS; i++)
		line_pump(world, &world->lines[i]);
	world_flush(world);
}

/* --- The clock -------------------------------------------------------------------------------- */

void world_judge_clock(struct world *world)
{
	struct trust_facts facts = { .real_us = world_real_us(world),
		.last_seen_us = world->last_seen_us,
		.kernel_synchronised = world->synchronised,
		.set_by_hand = world->clock_was_set };

	world->trusted = trust_clock(&facts);
	if (world->trusted)
		judge_wakes(world->judge, world_real_us(world));
	else
		judge_sleeps(world->judge, world_real_us(world));
}

void world_keep_time(struct world *world)
{
	if (!world->trusted)
		return;
	world->last_seen_us = world_real_us(world);
	disk_post(&world->disk, DISK_LAST_SEEN)->value_us = world->last_seen_us;
	world_keep_mark(world);
}

static void pump_all(struct world *world)
{
	world_pump_schedules(world);
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++)
		line_pump(world, &world->lines[i]);
	world_flush(world);
}

static void on_clock_set(struct world *world)
{
	world->clock_was_set = true;
	world_judge_clock(world);
	world_keep_time(world);
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++)
		queue_on_clock_set(world->lines[i].queue);
	pump_all(world);
}

void world_set_clock(struct world *world, int64_t offset_us, bool synchronised)
{
	if (world->up)
		judge_sleeps(world->judge, world_real_us(world));
	world->offset_us = offset_us;
	world->synchronised = synchronised;
	if (!world->up)
		return;
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++)
		line_shift(&world->lines[i], 0);
	on_clock_set(world);
}

void world_suspend(struct world *world, int64_t for_us)
{
	if (!world->up)
		return;
	judge_sleeps(world->judge, world_real_us(world));
	world->now_us += for_us;
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++)
		line_shift(&world->lines[i], for_us);
	world->tick_at_us += for_us;
	if (!world->connected)
		world->connects_at_us += for_us;
	on_clock_set(world); /* the kernel tells a wake-up so */
}

/* --- Life ------------------------------------------------------------------------------------- */

static void restore(struct world *world, struct disk_row *row)
{
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++) {
		const struct disk_play *play = &row->plays[i];
		if (!play->known)
			continue;
		bool orphan = !row->announcement || row->announcement->revision != play->revision;
		if (play_state_final(play->state) || !orphan)
			ledger_put(world->ledger, row->id, i, play->revision, play->state,
				play->forget_us);
		if (play_state_final(play->state))
			continue;
		if (!orphan) {
			line_restore(world, &world->lines[i], row);
			continue;
		}
		world->orphans = xreallocarray(
			world->orphans, world->orphans_count + 1, sizeof *world->orphans);
		world->orphans[world->orphans_count++] = (struct orphan){ row, i, play->revision };
	}
}

void world_boot(struct world *world, int64_t connect_after_us)
{
	world->up = true;
	world->connected = world->clock_was_set = false;
	world->connects_at_us = world->now_us + connect_after_us;
	world->tick_at_us = world->now_us + TICK_US;
	world->kept_time_us = world->forgot_us = world->booted_us = world->now_us;
	world->last_seen_us = world->seen_at_boot_us = world->disk.last_seen_us;
	world->next_sequence = world->disk.next_sequence;
	world->ledger = ledger_new();
	world->timetable = timetable_new();
	world->wake_us = TIME_NEVER;
	world->late_id[0] = '\0';
	world_judge_clock(world);
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++) {
		struct usage usage;
		line_init(world, &world->lines[i]);
		if (usage_parse(world->disk.usage[i], &usage) == 0)
			queue_set_usage(world->lines[i].queue, &usage);
	}
	for (size_t i = 0; i < world->disk.rows.capacity; i++)
		if (world->disk.rows.slots[i])
			restore(world, (struct disk_row *)world->disk.rows.slots[i]);
	world_load_schedules(world);
	pump_all(world);
}

static void tell_lost(const struct disk_schedule *schedule, void *context)
{
	struct world *world = context;

	judge_on_rule_lost(world->judge, schedule->zone, schedule->id);
}

void world_cut_power(struct world *world)
{
	if (!world->up)
		return;
	judge_sleeps(world->judge, world_real_us(world));
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++)
		line_cut(world, &world->lines[i]);
	disk_each_unsaved(&world->disk, tell_lost, world);
	disk_crash(&world->disk);
	end_node(world);
}

void world_stop(struct world *world)
{
	if (!world->up)
		return;
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++) {
		line_keep_positions(world, &world->lines[i]);
		queue_shutdown(world->lines[i].queue);
		line_pump(world, &world->lines[i]);
	}
	world_keep_time(world);
	judge_sleeps(world->judge, world_real_us(world));
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++)
		line_cut(world, &world->lines[i]);
	disk_write_all(&world->disk, world->now_us);
	world->up = false; /* the queues have been told already */
	commit(world);
	end_node(world);
}

/* --- The broker ------------------------------------------------------------------------------- */

void world_publish(struct world *world, const char *zone, size_t schedule, char *json)
{
	struct retained *message = NULL;

	for (size_t i = 0; i < world->broker_count && !message; i++)
		if (world->broker[i].schedule == schedule &&
			strcmp(world->broker[i].zone, zone) == 0)
			message = &world->broker[i];
	if (!message) {
		world->broker = xreallocarray(
			world->broker, world->broker_count + 1, sizeof *world->broker);
		message = &world->broker[world->broker_count++];
		*message = (struct retained){ zone, schedule, NULL };
	}
	free(message->json);
	message->json = json;
	if (!world->up || !world->connected)
		return;
	world_take_schedule(world, message, false);
	pump_all(world);
}

static void connect_broker(struct world *world)
{
	world->connected = true;
	world->connects_at_us = NEVER_CONNECTED;
	for (size_t i = 0; i < world->broker_count; i++)
		if (world->broker[i].json)
			world_take_schedule(world, &world->broker[i], true);
	pump_all(world);
}

/* --- Time goes on ----------------------------------------------------------------------------- */

static int64_t forget_before_us(const struct world *world)
{
	int64_t real_us = world_real_us(world);
	int64_t most_us = world->seen_at_boot_us + (world->now_us - world->booted_us) +
			  FORGET_AHEAD_US;

	if (world->synchronised || world->seen_at_boot_us == TIME_UNSET)
		return real_us;
	return real_us < most_us ? real_us : most_us;
}

static void end_orphans(struct world *world)
{
	if (!world->connected || world->now_us - world->booted_us < ORPHANS_US)
		return;
	while (world->orphans_count > 0) {
		const struct orphan *orphan = &world->orphans[--world->orphans_count];
		world_receipt(world, orphan->row->id, orphan->output, orphan->revision,
			RECEIPT_FAILED, REASON_NONE, false);
		struct disk_change *change = disk_post(&world->disk, DISK_PLAY);
		change->row = orphan->row;
		change->output = orphan->output;
		change->play = (struct disk_play){ .known = true,
			.revision = orphan->revision,
			.state = PLAY_FAILED,
			.forget_us = TIME_NEVER };
	}
}

static void tick(struct world *world)
{
	bool trusted = world->trusted;

	if (world->trusted && world->now_us - world->kept_time_us >= KEEP_TIME_US) {
		world->kept_time_us = world->now_us;
		world_keep_time(world);
	}
	if (world->trusted && world->now_us - world->forgot_us >= FORGET_US) {
		world->forgot_us = world->now_us;
		(void)ledger_forget(world->ledger, forget_before_us(world));
		world_forget_schedules(world, forget_before_us(world));
	}
	if (!world->trusted) {
		world_judge_clock(world);
		if (world->trusted != trusted)
			pump_all(world);
	}
	end_orphans(world);
	/* The real one ticks all the time, with nothing to do. */
	bool waits = !world->trusted || world->orphans_count > 0;
	world->tick_at_us = world->now_us + (waits ? TICK_US : KEEP_TIME_US);
	world_flush(world);
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
	return a_us < b_us ? a_us : b_us;
}

static int64_t next_us(const struct world *world)
{
	int64_t at_us = disk_next_us(&world->disk);

	if (!world->up)
		return at_us;
	at_us = earlier(at_us, earlier(world->connects_at_us, world->tick_at_us));
	at_us = earlier(at_us, world_time_of(world, world->wake_us));
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++)
		at_us = earlier(at_us, line_next_us(world, &world->lines[i]));
	return at_us;
}

static void turn(struct world *world)
{
	if (disk_next_us(&world->disk) <= world->now_us)
		commit(world);
	if (!world->up)
		return;
	for (unsigned i = 0; i < VILLAGE_OUTPUTS; i++)
		if (line_next_us(world, &world->lines[i]) <= world->now_us)
			line_turn(world, &world->lines[i]);
	if (world->connects_at_us <= world->now_us)
		connect_broker(world);
	if (world_time_of(world, world->wake_us) <= world->now_us)
		pump_all(world);
	if (world->tick_at_us <= world->now_us)
		tick(world);
}

void world_run(struct world *world, int64_t until_us)
{
	size_t at_one = 0;

	for (;;) {
		int64_t at_us = next_us(world);
		if (at_us > until_us)
			break;
		at_one = at_us > world->now_us ? 0 : at_one + 1;
		if (at_one > TURNS_AT_ONE_MAX) {
			printf("it does not come to rest\n");
			abort();
		}
		if (at_us > world->now_us)
			world->now_us = at_us;
		world->turns++;
		turn(world);
	}
	if (until_us > world->now_us)
		world->now_us = until_us;
}
