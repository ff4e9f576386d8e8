/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Schedules and what is made of them, as daemon/schedules.c and daemon/intake.c. */
#include "tests/sim/world_state.h"

#include <errno.h>

#define JUDGE_MAX     3 /* so many that are due are judged before others have a turn */
#define TAKE_UP_US    (20 * US_PER_MS)
#define WITHDRAWAL_US (INT64_C(400) * 86400 * US_PER_SEC)
#define OCCURRENCES   200

struct starts { /* of occurrences, each once */
	int64_t list[OCCURRENCES];
	size_t count;
};

static struct schedule *parse(const struct world *world, const char *json, const char *id)
{
	const struct schedule_defaults defaults = {
		.zones = world->zones, .timezone = VILLAGE_TIMEZONE, .late_us = VILLAGE_LATE_US
	};
	char ret_id[ID_MAX_BYTES + 1];
	enum reason reason;
	struct error error = { 0 };
	struct schedule *schedule = schedule_parse(
		json, strlen(json), id, &defaults, ret_id, &reason, &error);

	if (!schedule) {
		printf("%s: %s\n", json, error.text);
		abort(); /* the village is wrong */
	}
	return schedule;
}

/* --- The disk --------------------------------------------------------------------------------- */

static void keep(const struct timetable_row *row, void *context)
{
	struct world *world = context;
	const struct schedule *schedule = row->schedule;
	struct disk_schedule *stored = &disk_post(&world->disk, DISK_SCHEDULE)->schedule;

	snprintf(stored->zone, sizeof stored->zone, "%s", row->zone);
	snprintf(stored->id, sizeof stored->id, "%s", schedule->id);
	stored->revision = schedule->revision;
	stored->json = schedule->withdrawal ? NULL : xstrdup(schedule->json);
	stored->since_us = row->since_us;
	stored->forget_us = row->forget_us;
}

static void drop_row(const struct timetable_row *row, void *context)
{
	struct world *world = context;
	struct disk_schedule *stored = &disk_post(&world->disk, DISK_DROP_SCHEDULE)->schedule;

	snprintf(stored->zone, sizeof stored->zone, "%s", row->zone);
	snprintf(stored->id, sizeof stored->id, "%s", row->schedule->id);
}

static bool is_same_mark(const struct timetable_mark *a, const struct timetable_mark *b)
{
	return a->us == b->us && strcmp(a->id, b->id) == 0 && strcmp(a->zone, b->zone) == 0;
}

void world_keep_mark(struct world *world)
{
	const struct timetable_mark *mark = timetable_mark(world->timetable);

	if (mark->us == TIME_UNSET || is_same_mark(mark, &world->kept_mark))
		return;
	world->kept_mark = *mark;
	disk_post(&world->disk, DISK_MARK)->mark = *mark;
}

void world_load_schedules(struct world *world)
{
	const struct timetable_mark mark = world->disk.mark;

	world->kept_mark = mark;
	for (size_t i = 0; i < world->disk.schedules_count; i++) {
		const struct disk_schedule *stored = &world->disk.schedules[i];
		_cleanup_(freep) char *json =
			stored->json ? xstrdup(stored->json)
				     : xasprintf("{\"withdrawn\":true,\"revision\":%lld}",
					       (long long)stored->revision);
		_cleanup_(schedule_unrefp) struct schedule *schedule = parse(
			world, json, stored->id);
		int64_t marked_us = timetable_since_us(&mark, stored->zone, stored->id);
		int64_t since_us = stored->since_us > marked_us ? stored->since_us : marked_us;
		if (timetable_put(world->timetable, stored->zone, schedule, since_us,
			    stored->forget_us) < 0)
			abort();
	}
}

void world_forget_schedules(struct world *world, int64_t before_us)
{
	timetable_forget(world->timetable, before_us, drop_row, world);
}

/* --- What is due ------------------------------------------------------------------------------ */

static void tell_late(struct world *world, const struct timetable_due *due, const char *id)
{
	if (strcmp(world->late_id, id) != 0)
		world->late_outputs = 0;
	snprintf(world->late_id, sizeof world->late_id, "%s", id);
	for (unsigned output = 0; output < VILLAGE_OUTPUTS; output++) {
		if (!village_listens(world->village, output, due->row->zone) ||
			world->late_outputs & 1U << output ||
			ledger_find(world->ledger, id, output))
			continue;
		world->late_outputs |= 1U << output;
		world_receipt(world, id, output, due->row->schedule->revision, RECEIPT_EXPIRED,
			REASON_LATE, true);
	}
}

static void offer_to_lines(struct world *world, const char *zone, const struct line_offer *what)
{
	bool news = false;
	unsigned full = 0;

	for (unsigned output = 0; output < VILLAGE_OUTPUTS; output++) {
		int refused = 0;
		if (!village_listens(world->village, output, zone))
			continue;
		news |= line_offer(world, &world->lines[output], what, &refused);
		full |= (unsigned)(refused == -ENOSPC) << output;
	}
	if (!news)
		return;
	for (unsigned output = 0; output < VILLAGE_OUTPUTS; output++)
		if (full & 1U << output)
			line_refuse(world, &world->lines[output], what);
	struct disk_row *row = disk_row(&world->disk, what->announcement->id);
	struct disk_change *change = disk_post(&world->disk, DISK_ANNOUNCEMENT);
	change->row = row;
	change->announcement = announcement_ref(what->announcement);
	change->arrival_us = what->arrival_us;
	change->sequence = what->sequence;
}

/* An older revision of it sounds on some output: that goes on. */
static bool is_begun(const struct world *world, const struct announcement *announcement)
{
	for (unsigned output = 0; output < VILLAGE_OUTPUTS; output++) {
		const struct ledger_row *row = ledger_find(world->ledger, announcement->id, output);
		if (row && row->state == PLAY_PLAYING && row->revision < announcement->revision)
			return true;
	}
	return false;
}

static void offer(struct world *world, const struct timetable_row *row, int64_t start_us)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = schedule_occurrence(
		row->schedule, start_us);
	const struct line_offer what = {
		.announcement = announcement,
		.arrival_us = world_real_us(world),
		.sequence = world->next_sequence++,
		.seconds = village_seconds(world->village, village_schedule_of(announcement->id)),
	};

	if (is_begun(world, announcement))
		return;
	timetable_set_seconds(world->timetable, row->zone, row->schedule->id, what.seconds);
	offer_to_lines(world, row->zone, &what);
}

static void carry_out(struct world *world, const struct timetable_due *due)
{
	char id[ID_MAX_BYTES + 1];

	schedule_occurrence_id(due->row->schedule, due->start_us, id);
	if (due->late)
		tell_late(world, due, id);
	else
		offer(world, due->row, due->start_us);
}

void world_pump_schedules(struct world *world)
{
	bool any = false, more = false;
	int judged = 0;
	struct timetable_due due;
	int64_t real_us = world_real_us(world);

	if (!world->trusted)
		return;
	judge_on_look(world->judge, real_us);
	if (timetable_follow_clock(world->timetable, real_us)) {
		timetable_each(world->timetable, keep, world);
		world->kept_mark.us = TIME_UNSET;
		world_keep_mark(world);
	}
	while (!more && timetable_take(world->timetable, real_us, &due)) {
		carry_out(world, &due);
		any = true;
		more = ++judged >= JUDGE_MAX;
	}
	if (any || world->kept_mark.us == TIME_UNSET ||
		timetable_mark(world->timetable)->us < world->kept_mark.us)
		world_keep_mark(world);
	world->wake_us = more ? real_us + TAKE_UP_US : timetable_wake_us(world->timetable);
}

/* --- What comes ------------------------------------------------------------------------------- */

/* Whether another zone of that output has a schedule of that id with that occurrence. */
static bool wanted_elsewhere(const struct world *world, const struct line *line, const char *zone,
	const char *id, int64_t start_us)
{
	static const char *const zones[] = { "all", "khu-a", "khu-b" };

	for (size_t i = 0; i < countof(zones) + 1; i++) {
		const char *other = i < countof(zones) ? zones[i] : line->config->zones[0];
		const struct timetable_row *row = timetable_find(world->timetable, other, id);
		if (village_listens(world->village, line->index, other) &&
			strcmp(other, zone) != 0 && row && schedule_occurs(row->schedule, start_us))
			return true;
	}
	return false;
}

static void withdraw_one(
	struct world *world, struct line *line, const struct schedule *schedule, int64_t start_us)
{
	char id[ID_MAX_BYTES + 1];

	schedule_occurrence_id(schedule, start_us, id);
	line_withdraw(world, line, id, INT64_MAX);
}

/* Calls `each` with what was made of that schedule in that zone and is not at its end. */
static void each_occurrence(struct world *world, const char *zone, struct schedule *schedule,
	void (*each)(struct world *world, struct line *line, struct schedule *schedule,
		const struct line_occurrence *occurrence, struct starts *starts),
	struct starts *starts)
{
	struct line_occurrence list[OCCURRENCES];

	for (unsigned output = 0; output < VILLAGE_OUTPUTS; output++) {
		struct line *line = &world->lines[output];
		if (!village_listens(world->village, output, zone))
			continue;
		size_t count = line_occurrences(world, line, schedule->id, list, OCCURRENCES);
		for (size_t i = 0; i < count; i++)
			if (!wanted_elsewhere(world, line, zone, schedule->id, list[i].start_us))
				each(world, line, schedule, &list[i], starts);
	}
}

static void revise_one(struct world *world, struct line *line, struct schedule *schedule,
	const struct line_occurrence *occurrence, struct starts *starts)
{
	size_t known = 0;

	if (occurrence->begun)
		return;
	if (!schedule_occurs(schedule, occurrence->start_us)) {
		withdraw_one(world, line, schedule, occurrence->start_us);
		return;
	}
	while (known < starts->count && starts->list[known] != occurrence->start_us)
		known++;
	if (known == starts->count && known < OCCURRENCES)
		starts->list[starts->count++] = occurrence->start_us;
}

static void withdraw_listed(struct world *world, struct line *line, struct schedule *schedule,
	const struct line_occurrence *occurrence, struct starts *starts)
{
	(void)starts;
	withdraw_one(world, line, schedule, occurrence->start_us);
}

static void revise_waiting(struct world *world, const struct timetable_row *row)
{
	struct starts starts = { 0 };

	each_occurrence(world, row->zone, row->schedule, revise_one, &starts);
	for (size_t i = 0; i < starts.count; i++)
		offer(world, row, starts.list[i]);
}

static void judge_now(struct world *world, const char *id)
{
	struct timetable_due due;

	while (world->trusted &&
		timetable_take_of(world->timetable, id, world_real_us(world), &due))
		carry_out(world, &due);
}

static int64_t since_us(const struct world *world, const struct timetable_row *known,
	const struct schedule *schedule, bool retained)
{
	const struct timetable_mark *mark = timetable_mark(world->timetable);
	int64_t real_us = world_real_us(world);

	if (world->trusted)
		return retained && !schedule->withdrawal ? real_us - schedule->late_us - 1
							 : real_us;
	if (!known)
		return ANNOUNCEMENT_TIME_MAX_US;
	return known->since_us > mark->us ? known->since_us : mark->us;
}

static int64_t forget_us(const struct world *world, const struct schedule *schedule)
{
	int64_t real_us = world_real_us(world);

	if (!schedule->withdrawal)
		return TIME_NEVER;
	return (world->last_seen_us > real_us ? world->last_seen_us : real_us) + WITHDRAWAL_US;
}

static void tell_judge(
	struct world *world, const char *zone, const char *id, struct schedule *schedule)
{
	judge_on_rule(world->judge, zone, id, schedule, world->now_us,
		!world->trusted || world->offset_us != 0);
}

static void put(struct world *world, const char *zone, struct schedule *schedule, bool retained)
{
	const struct timetable_row *known = timetable_find(world->timetable, zone, schedule->id);

	if (known && known->schedule->revision >= schedule->revision)
		return;
	if (known)
		judge_now(world, schedule->id);
	if (timetable_put(world->timetable, zone, schedule,
		    since_us(world, known, schedule, retained), forget_us(world, schedule)) < 0)
		return;
	tell_judge(world, zone, schedule->id, schedule);
	const struct timetable_row *row = timetable_find(world->timetable, zone, schedule->id);
	keep(row, world);
	if (schedule->withdrawal)
		each_occurrence(world, zone, schedule, withdraw_listed, NULL);
	else
		revise_waiting(world, row);
	world_pump_schedules(world);
	world_keep_mark(world);
}

void world_take_schedule(struct world *world, const struct retained *message, bool retained)
{
	char id[VILLAGE_ID_SIZE];

	village_id(message->schedule, id);
	if (message->json) {
		_cleanup_(schedule_unrefp) struct schedule *schedule = parse(
			world, message->json, id);
		put(world, message->zone, schedule, retained);
		return;
	}
	const struct timetable_row *row = timetable_find(world->timetable, message->zone, id);
	if (!row || row->schedule->withdrawal)
		return;
	judge_now(world, id);
	tell_judge(world, message->zone, id, NULL);
	each_occurrence(world, message->zone, row->schedule, withdraw_listed, NULL);
	drop_row(row, world);
	timetable_remove(world->timetable, message->zone, id);
	world_pump_schedules(world);
}
