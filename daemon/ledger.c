/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/ledger.h"
#include "base/strbuf.h"

#include <stdio.h>
#include <string.h>

struct ledger {
	struct ledger_row *rows; /* open addressing, linear probing; id NULL: free */
	size_t capacity;         /* a power of two */
	size_t count;
};

#define CAPACITY_MIN 64

/* FNV-1a, 64 bit (Fowler, Noll, Vo). Ids and texts come from the commune's own operators. */
static uint64_t hash_of(const char *text, uint64_t salt)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ salt;

	for (const char *c = text; *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

static size_t slot_of(const struct ledger *ledger, const char *id, unsigned output)
{
	return (size_t)hash_of(id, output) & (ledger->capacity - 1);
}

uint64_t ledger_content(const struct announcement *announcement)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < announcement->parts_count; i++) {
		const struct announcement_part *part = &announcement->parts[i];
		char pause[24];
		snprintf(pause, sizeof pause, "%lld", (long long)part->pause_us);
		hash = hash_of(part->what == ANNOUNCEMENT_TEXT    ? part->text
			       : part->what == ANNOUNCEMENT_MEDIA ? part->media
								  : pause,
			hash ^ part->what);
	}
	return hash ? hash : 1;
}

static struct ledger_row *probe(const struct ledger *ledger, const char *id, unsigned output)
{
	size_t at = slot_of(ledger, id, output);

	while (ledger->rows[at].id &&
		(ledger->rows[at].output != output || strcmp(ledger->rows[at].id, id) != 0))
		at = (at + 1) & (ledger->capacity - 1);
	return &ledger->rows[at];
}

/* Moves the rows that `keep` wants into a table of `capacity`; frees the others. */
static void rebuild(struct ledger *ledger, size_t capacity,
	bool (*keep)(const struct ledger_row *row, int64_t limit_us), int64_t limit_us)
{
	struct ledger before = *ledger;

	ledger->rows = xcalloc(capacity, sizeof *ledger->rows);
	ledger->capacity = capacity;
	ledger->count = 0;
	for (size_t i = 0; i < before.capacity; i++) {
		struct ledger_row *row = &before.rows[i];
		if (!row->id)
			continue;
		if (keep && !keep(row, limit_us)) {
			free(row->id);
			continue;
		}
		*probe(ledger, row->id, row->output) = *row;
		ledger->count++;
	}
	free(before.rows);
}

struct ledger *ledger_new(void)
{
	struct ledger *ledger = xcalloc(1, sizeof *ledger);

	ledger->capacity = CAPACITY_MIN;
	ledger->rows = xcalloc(ledger->capacity, sizeof *ledger->rows);
	return ledger;
}

struct ledger *ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return NULL;
	for (size_t i = 0; i < ledger->capacity; i++)
		free(ledger->rows[i].id);
	free(ledger->rows);
	free(ledger);
	return NULL;
}

const struct ledger_row *ledger_find(const struct ledger *ledger, const char *id, unsigned output)
{
	const struct ledger_row *row = probe(ledger, id, output);

	return row->id ? row : NULL;
}

void ledger_put(struct ledger *ledger, const char *id, unsigned output, int64_t revision,
	enum play_state state, int64_t forget_us)
{
	if (2 * (ledger->count + 1) > ledger->capacity)
		rebuild(ledger, 2 * ledger->capacity, NULL, 0);
	struct ledger_row *row = probe(ledger, id, output);
	if (!row->id) {
		row->id = xstrdup(id);
		row->output = output;
		ledger->count++;
	}
	if (row->revision != revision)
		row->content = 0;
	row->revision = revision;
	row->state = state;
	row->forget_us = forget_us;
}

void ledger_set_content(struct ledger *ledger, const char *id, unsigned output, uint64_t content)
{
	struct ledger_row *row = probe(ledger, id, output);

	if (row->id)
		row->content = content;
}

static bool still_needed(const struct ledger_row *row, int64_t limit_us)
{
	return !play_state_final(row->state) || row->forget_us > limit_us;
}

static int by_time(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

/* The time before which final rows must go so that at most LEDGER_ROWS_MAX stay. */
static int64_t limit_for_size(const struct ledger *ledger)
{
	if (ledger->count <= LEDGER_ROWS_MAX)
		return INT64_MIN;
	_cleanup_(freep) int64_t *times = xcalloc(ledger->count, sizeof *times);
	size_t finals = 0;
	for (size_t i = 0; i < ledger->capacity; i++)
		if (ledger->rows[i].id && play_state_final(ledger->rows[i].state))
			times[finals++] = ledger->rows[i].forget_us;
	if (finals == 0)
		return INT64_MIN;
	qsort(times, finals, sizeof *times, by_time);
	size_t surplus = ledger->count - LEDGER_ROWS_MAX;
	return times[(surplus < finals ? surplus : finals) - 1];
}

size_t ledger_forget(struct ledger *ledger, int64_t now_us)
{
	int64_t limit_us = limit_for_size(ledger);
	size_t before = ledger->count;

	if (limit_us < now_us)
		limit_us = now_us;
	rebuild(ledger, ledger->capacity, still_needed, limit_us);
	return before - ledger->count;
}

void ledger_each(const struct ledger *ledger,
	void (*each)(const struct ledger_row *row, void *context), void *context)
{
	for (size_t i = 0; i < ledger->capacity; i++)
		if (ledger->rows[i].id)
			each(&ledger->rows[i], context);
}

size_t ledger_length(const struct ledger *ledger)
{
	return ledger->count;
}
