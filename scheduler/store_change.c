/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store_change.h"

#include <errno.h>
#include <string.h>

static const char *const state_names[] = {
	[PLAY_QUEUED] = "queued",
	[PLAY_PLAYING] = "playing",
	[PLAY_FINISHED] = "finished",
	[PLAY_CANCELLED] = "cancelled",
	[PLAY_EXPIRED] = "expired",
	[PLAY_FAILED] = "failed",
	[PLAY_SUPERSEDED] = "superseded",
};

const char *play_state_name(enum play_state state)
{
	return state_names[state];
}

enum play_state play_state_after(enum receipt_event event)
{
	static const enum play_state states[] = {
		[RECEIPT_ACCEPTED] = PLAY_QUEUED,
		[RECEIPT_REJECTED] = PLAY_FAILED,
		[RECEIPT_STARTED] = PLAY_PLAYING,
		[RECEIPT_INTERRUPTED] = PLAY_PLAYING,
		[RECEIPT_RESUMED] = PLAY_PLAYING,
		[RECEIPT_FINISHED] = PLAY_FINISHED,
		[RECEIPT_CANCELLED] = PLAY_CANCELLED,
		[RECEIPT_EXPIRED] = PLAY_EXPIRED,
		[RECEIPT_FAILED] = PLAY_FAILED,
		[RECEIPT_SUPERSEDED] = PLAY_SUPERSEDED,
	};
	return states[event];
}

int play_state_parse(const char *text, enum play_state *ret_state)
{
	for (unsigned i = 0; i < countof(state_names); i++)
		if (strcmp(text, state_names[i]) == 0) {
			*ret_state = i;
			return 0;
		}
	return -EINVAL;
}

bool play_state_final(enum play_state state)
{
	return state != PLAY_QUEUED && state != PLAY_PLAYING;
}

struct store_change *store_change_free(struct store_change *change)
{
	if (!change)
		return NULL;
	free(change->id);
	free(change->output);
	free(change->zone);
	free(change->text);
	free(change);
	return NULL;
}

void store_change_free_all(struct store_change *first)
{
	while (first) {
		struct store_change *next = first->next;
		store_change_free(first);
		first = next;
	}
}

static size_t text_bytes(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

size_t store_change_bytes(const struct store_change *change)
{
	return sizeof *change + text_bytes(change->id) + text_bytes(change->output) +
	       text_bytes(change->zone) + text_bytes(change->text);
}
