/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows by the ids of announcements: made when they are asked for first, kept to the end. */
#pragma once

#include "scheduler/announcement.h"
#include "base/strbuf.h"

#include <string.h>

struct ids {
	char **slots; /* of rows, which begin with their id; NULL: free */
	size_t capacity, count, row_bytes;
};

static inline char **ids_slot(const struct ids *ids, const char *id)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (const char *c = id; *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	size_t at = (size_t)(hash ^ hash >> 32) & (ids->capacity - 1);
	while (ids->slots[at] && strcmp(ids->slots[at], id) != 0)
		at = (at + 1) & (ids->capacity - 1);
	return &ids->slots[at];
}

static inline void *ids_find(const struct ids *ids, const char *id)
{
	return ids->count > 0 ? *ids_slot(ids, id) : NULL;
}

/* The row of that id; a new one is zeroed. */
static inline void *ids_get(struct ids *ids, const char *id)
{
	char *known = ids_find(ids, id);

	if (known)
		return known;
	if (2 * (ids->count + 1) > ids->capacity) {
		struct ids before = *ids;
		ids->capacity = before.capacity ? 2 * before.capacity : 1024;
		ids->slots = xcalloc(ids->capacity, sizeof(char *));
		for (size_t i = 0; i < before.capacity; i++)
			if (before.slots[i])
				*ids_slot(ids, before.slots[i]) = before.slots[i];
		free(before.slots);
	}
	char **slot = ids_slot(ids, id);
	*slot = xcalloc(1, ids->row_bytes);
	snprintf(*slot, ID_MAX_BYTES + 1, "%s", id);
	ids->count++;
	return *slot;
}

static inline void ids_done(struct ids *ids)
{
	for (size_t i = 0; i < ids->capacity; i++)
		free(ids->slots[i]);
	free(ids->slots);
}
