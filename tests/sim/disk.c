/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/sim/disk.h"

#define COMMIT_LEAST_US (2 * US_PER_MS)
#define COMMIT_MOST_US  (80 * US_PER_MS)

void disk_init(struct disk *disk, uint64_t seed)
{
	*disk = (struct disk){ .random = { seed },
		.rows = { .row_bytes = sizeof(struct disk_row) },
		.mark = { .us = TIME_UNSET },
		.last_seen_us = TIME_UNSET,
		.next_sequence = 1,
		.latest_us = TIME_UNSET };
}

static void release(struct disk_change *change)
{
	announcement_unref(change->announcement);
	free(change->schedule.json);
}

void disk_done(struct disk *disk)
{
	disk_crash(disk);
	for (size_t i = 0; i < disk->rows.capacity; i++)
		if (disk->rows.slots[i])
			announcement_unref(((struct disk_row *)disk->rows.slots[i])->announcement);
	ids_done(&disk->rows);
	for (size_t i = 0; i < disk->schedules_count; i++)
		free(disk->schedules[i].json);
	free(disk->schedules);
	free(disk->changes);
}

struct disk_row *disk_row(struct disk *disk, const char *id)
{
	return ids_get(&disk->rows, id);
}

struct disk_change *disk_post(struct disk *disk, enum disk_what what)
{
	if (disk->first == disk->count)
		disk->first = disk->count = disk->flushed = 0;
	if (disk->count == disk->capacity) {
		disk->capacity = disk->capacity ? 2 * disk->capacity : 1024;
		disk->changes = xreallocarray(disk->changes, disk->capacity, sizeof *disk->changes);
	}
	struct disk_change *change = &disk->changes[disk->count++];
	*change = (struct disk_change){ .what = what, .durable_us = TIME_NEVER };
	return change;
}

void disk_flush(struct disk *disk, int64_t now_us)
{
	if (disk->flushed == disk->count)
		return;
	int64_t at_us = now_us + random_between(&disk->random, COMMIT_LEAST_US, COMMIT_MOST_US);
	if (at_us <= disk->latest_us)
		at_us = disk->latest_us + 1; /* one after the other */
	disk->latest_us = at_us;
	for (; disk->flushed < disk->count; disk->flushed++)
		disk->changes[disk->flushed].durable_us = at_us;
}

int64_t disk_next_us(const struct disk *disk)
{
	return disk->first < disk->count ? disk->changes[disk->first].durable_us : TIME_NEVER;
}

static struct disk_schedule *find_schedule(struct disk *disk, const struct disk_schedule *schedule)
{
	for (size_t i = 0; i < disk->schedules_count; i++)
		if (strcmp(disk->schedules[i].id, schedule->id) == 0 &&
			strcmp(disk->schedules[i].zone, schedule->zone) == 0)
			return &disk->schedules[i];
	return NULL;
}

static void put_schedule(struct disk *disk, struct disk_schedule *schedule)
{
	struct disk_schedule *known = find_schedule(disk, schedule);

	if (!known && disk->schedules_count == disk->schedules_capacity) {
		disk->schedules_capacity = disk->schedules_capacity ? 2 * disk->schedules_capacity
								    : 256;
		disk->schedules = xreallocarray(
			disk->schedules, disk->schedules_capacity, sizeof *disk->schedules);
	}
	if (!known)
		known = &disk->schedules[disk->schedules_count++];
	else
		free(known->json);
	*known = *schedule;
	schedule->json = NULL;
}

static void drop_schedule(struct disk *disk, const struct disk_schedule *schedule)
{
	struct disk_schedule *known = find_schedule(disk, schedule);

	if (!known)
		return;
	free(known->json);
	*known = disk->schedules[--disk->schedules_count];
}

static void carry_out(struct disk *disk, struct disk_change *change)
{
	switch (change->what) {
	case DISK_ANNOUNCEMENT:
		announcement_unref(change->row->announcement);
		change->row->announcement = announcement_ref(change->announcement);
		change->row->arrival_us = change->arrival_us;
		change->row->sequence = change->sequence;
		disk->next_sequence = change->sequence + 1;
		break;
	case DISK_PLAY:
		change->row->plays[change->output] = change->play;
		break;
	case DISK_SCHEDULE:
		put_schedule(disk, &change->schedule);
		break;
	case DISK_DROP_SCHEDULE:
		drop_schedule(disk, &change->schedule);
		break;
	case DISK_MARK:
		disk->mark = change->mark;
		break;
	case DISK_LAST_SEEN:
		disk->last_seen_us = change->value_us;
		break;
	case DISK_USAGE:
		memcpy(disk->usage[change->output], change->usage, USAGE_TEXT_SIZE);
		break;
	case DISK_RECEIPT:
		break;
	}
	release(change);
}

bool disk_commit(struct disk *disk, int64_t now_us, const struct disk_change **ret_change)
{
	if (disk_next_us(disk) > now_us || disk->first == disk->count)
		return false;
	struct disk_change *change = &disk->changes[disk->first++];
	carry_out(disk, change);
	change->announcement = NULL;
	*ret_change = change;
	return true;
}

void disk_each_unsaved(struct disk *disk,
	void (*each)(const struct disk_schedule *schedule, void *context), void *context)
{
	for (size_t i = disk->first; i < disk->count; i++) {
		const struct disk_change *change = &disk->changes[i];
		const struct disk_schedule *known = change->what == DISK_SCHEDULE ||
								    change->what ==
									    DISK_DROP_SCHEDULE
							    ? find_schedule(disk, &change->schedule)
							    : NULL;
		if (change->what == DISK_DROP_SCHEDULE ||
			(change->what == DISK_SCHEDULE &&
				(!known || known->revision != change->schedule.revision)))
			each(&change->schedule, context);
	}
}

void disk_crash(struct disk *disk)
{
	for (; disk->first < disk->count; disk->first++)
		release(&disk->changes[disk->first]);
	disk->first = disk->count = disk->flushed = 0;
}

void disk_write_all(struct disk *disk, int64_t now_us)
{
	disk_flush(disk, now_us);
	for (size_t i = disk->first; i < disk->count; i++)
		disk->changes[i].durable_us = now_us;
	disk->latest_us = now_us;
}
