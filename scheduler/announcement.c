/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/announcement.h"

#include <stdio.h>
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
	for (size_t i = 0; i < announcement->parts_count; i++)
		free(announcement->parts[i].text);
	free(announcement->parts);
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

static bool parts_same(const struct announcement *a, const struct announcement *b)
{
	if (a->parts_count != b->parts_count)
		return false;
	for (size_t i = 0; i < a->parts_count; i++) {
		const struct announcement_part *one = &a->parts[i], *other = &b->parts[i];
		if (one->what != other->what || !text_same(one->text, other->text) ||
			!text_same(one->media, other->media) || one->pause_us != other->pause_us)
			return false;
	}
	return true;
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
	       text_same(a->title, b->title) && parts_same(a, b) && a->priority == b->priority &&
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

/* --- Parts ----------------------------------------------------------------------------------- */

struct announcement_part *announcement_add_part(
	struct announcement *announcement, enum announcement_part_what what)
{
	size_t count = announcement->parts_count + 1;

	announcement->parts = xreallocarray(
		announcement->parts, count, sizeof *announcement->parts);
	struct announcement_part *part = &announcement->parts[announcement->parts_count++];
	*part = (struct announcement_part){ .what = what };
	return part;
}

bool announcement_is_plain(const struct announcement *announcement)
{
	const struct announcement_part *parts = announcement->parts;

	if (announcement->parts_count == 1)
		return parts[0].what != ANNOUNCEMENT_PAUSE;
	return announcement->parts_count == 2 && parts[0].what == ANNOUNCEMENT_TEXT &&
	       parts[1].what == ANNOUNCEMENT_MEDIA;
}

/* The first part of that kind at *at or after it. */
static const struct announcement_part *next_part(
	const struct announcement *announcement, enum announcement_part_what what, size_t *at)
{
	while (*at < announcement->parts_count) {
		const struct announcement_part *part = &announcement->parts[(*at)++];
		if (part->what == what)
			return part;
	}
	return NULL;
}

const char *announcement_next_text(const struct announcement *announcement, size_t *at)
{
	const struct announcement_part *part = next_part(announcement, ANNOUNCEMENT_TEXT, at);

	return part ? part->text : NULL;
}

const char *announcement_next_media(const struct announcement *announcement, size_t *at)
{
	const struct announcement_part *part = next_part(announcement, ANNOUNCEMENT_MEDIA, at);

	return part ? part->media : NULL;
}

bool announcement_has_text(const struct announcement *announcement)
{
	return announcement_next_text(announcement, &(size_t){ 0 });
}

bool announcement_has_media(const struct announcement *announcement)
{
	return announcement_next_media(announcement, &(size_t){ 0 });
}

bool announcement_names_media(const struct announcement *announcement, const char *sha256)
{
	const char *media;
	size_t at = 0;

	while ((media = announcement_next_media(announcement, &at)))
		if (strcmp(media, sha256) == 0)
			return true;
	return false;
}

void announcement_text_key(
	const struct announcement *announcement, size_t part, char ret_key[ANNOUNCEMENT_KEY_SIZE])
{
	if (announcement_is_plain(announcement))
		snprintf(ret_key, ANNOUNCEMENT_KEY_SIZE, "text");
	else
		snprintf(ret_key, ANNOUNCEMENT_KEY_SIZE, "parts[%zu].text", part);
}

struct announcement *announcement_occurrence(const struct announcement *template, const char *id,
	int64_t revision, int64_t start_us, int64_t expires_us)
{
	struct announcement *made = xcalloc(1, sizeof *made);

	*made = *template;
	made->references = 1;
	snprintf(made->id, sizeof made->id, "%s", id);
	made->revision = revision;
	made->start_us = start_us;
	made->expires_us = expires_us;
	made->title = template->title ? xstrdup(template->title) : NULL;
	made->voice_name = template->voice_name ? xstrdup(template->voice_name) : NULL;
	made->issued_by = template->issued_by ? xstrdup(template->issued_by) : NULL;
	made->parts = NULL;
	made->parts_count = 0;
	for (size_t i = 0; i < template->parts_count; i++) {
		struct announcement_part *part = announcement_add_part(made, ANNOUNCEMENT_TEXT);
		*part = template->parts[i];
		part->text = part->text ? xstrdup(part->text) : NULL;
	}
	return made;
}
