/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/announcement.h"

#include <string.h>

struct announcement *announcement_ref(struct announcement *announcement)
{
	announcement->references++;
	return announcement;
}

struct announcement *announcement_unref(struct announcement *announcement)
{
	if (!announcement || --announcement->references > 0)
		return NULL;
	free(announcement->title);
	free(announcement->text);
	free(announcement->voice_name);
	free(announcement->issued_by);
	free(announcement);
	return NULL;
}

/* Equal, where NULL is a value of its own. */
static bool text_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool voice_same(const struct announcement *a, const struct announcement *b)
{
	return text_same(a->voice_engine, b->voice_engine) &&
	       text_same(a->voice_name, b->voice_name) && a->voice_rate == b->voice_rate &&
	       a->voice_pitch == b->voice_pitch && a->gain_db == b->gain_db;
}

static bool programme_same(const struct announcement *a, const struct announcement *b)
{
	return a->repeat_times == b->repeat_times && a->repeat_gap_us == b->repeat_gap_us &&
	       text_same(a->chime_open, b->chime_open) &&
	       text_same(a->chime_close, b->chime_close) && text_same(a->bed, b->bed);
}

/* Without a start the expiry may come from the arrival, which is not part of what was said. */
static bool times_same(const struct announcement *a, const struct announcement *b)
{
	return a->start_us == b->start_us && a->issued_at_us == b->issued_at_us &&
	       (a->start_us == TIME_UNSET || a->expires_us == b->expires_us);
}

bool announcement_same(const struct announcement *a, const struct announcement *b)
{
	if (a->withdrawal || b->withdrawal)
		return a->withdrawal == b->withdrawal && a->revision == b->revision &&
		       text_same(a->id, b->id);
	return text_same(a->id, b->id) && a->revision == b->revision &&
	       text_same(a->title, b->title) && text_same(a->text, b->text) &&
	       text_same(a->media, b->media) && a->priority == b->priority &&
	       a->interrupted == b->interrupted && text_same(a->issued_by, b->issued_by) &&
	       times_same(a, b) && programme_same(a, b) && voice_same(a, b);
}

/* "@YYYYMMDDTHHMMZ", what a schedule adds to its name for one occurrence. */
static bool occurrence_valid(const char *text, size_t length)
{
	static const char form[] = "@ddddddddTddddZ";

	if (length != sizeof form - 1)
		return false;
	for (size_t i = 0; i < length; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

bool announcement_id_valid(const char *text, size_t length)
{
	const char *at = memchr(text, '@', length);

	if (!at) /* `all` is reserved wherever a name stands */
		return name_valid(text, length) && (length != 3 || memcmp(text, "all", 3) != 0);
	size_t name_bytes = (size_t)(at - text);
	return name_valid(text, name_bytes) && occurrence_valid(at, length - name_bytes);
}
