/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/duration.h"
#include "base/json.h"
#include "scheduler/announcement.h"

const char *const interrupted_names[] = {
	[INTERRUPTED_RESUME] = "resume",
	[INTERRUPTED_RESTART] = "restart",
	[INTERRUPTED_DROP] = "drop",
	NULL,
};

/* Members that say nothing ("", NULL, −1, TIME_UNSET) are left out, so that reading the JSON
 * leaves them as they are. */
static void write_given_string(struct strbuf *out, const char *key, const char *text)
{
	if (text && *text)
		json_write_string(out, key, text);
}

static void write_given_integer(struct strbuf *out, const char *key, int value)
{
	if (value >= 0)
		json_write_integer(out, key, value);
}

static void write_given_time(struct strbuf *out, const char *key, int64_t real_us)
{
	if (real_us != TIME_UNSET)
		json_write_time(out, key, real_us);
}

static void write_repeat(struct strbuf *out, const struct announcement *announcement)
{
	char gap[DURATION_TEXT_SIZE];

	duration_format(announcement->repeat_gap_us, gap);
	json_write_begin_object(out, "repeat");
	json_write_integer(out, "times", announcement->repeat_times);
	json_write_string(out, "gap", gap);
	json_write_end_object(out);
}

static void write_chime(struct strbuf *out, const struct announcement *announcement)
{
	if (!*announcement->chime_open && !*announcement->chime_close)
		return;
	json_write_begin_object(out, "chime");
	write_given_string(out, "open", announcement->chime_open);
	write_given_string(out, "close", announcement->chime_close);
	json_write_end_object(out);
}

static void write_voice(struct strbuf *out, const struct announcement *announcement)
{
	if (!*announcement->voice_engine && !announcement->voice_name &&
		announcement->voice_rate < 0 && announcement->voice_pitch < 0)
		return;
	json_write_begin_object(out, "voice");
	write_given_string(out, "engine", announcement->voice_engine);
	write_given_string(out, "name", announcement->voice_name);
	write_given_integer(out, "rate", announcement->voice_rate);
	write_given_integer(out, "pitch", announcement->voice_pitch);
	json_write_end_object(out);
}

static void write_part(struct strbuf *out, const struct announcement_part *part)
{
	char pause[DURATION_TEXT_SIZE];

	json_write_begin_object(out, NULL);
	write_given_string(out, "text", part->text);
	write_given_string(out, "media", part->media);
	if (part->what == ANNOUNCEMENT_PAUSE) {
		duration_format(part->pause_us, pause);
		json_write_string(out, "pause", pause);
	}
	json_write_end_object(out);
}

static void write_parts(struct strbuf *out, const struct announcement *announcement)
{
	const struct announcement_part *parts = announcement->parts;

	if (announcement_is_plain(announcement)) {
		for (size_t i = 0; i < announcement->parts_count; i++) {
			write_given_string(out, "text", parts[i].text);
			write_given_string(out, "media", parts[i].media);
		}
		return;
	}
	json_write_begin_array(out, "parts");
	for (size_t i = 0; i < announcement->parts_count; i++)
		write_part(out, &parts[i]);
	json_write_end_array(out);
}

/* All but id and revision. */
static void write_said(struct strbuf *out, const struct announcement *announcement)
{
	write_given_string(out, "title", announcement->title);
	write_parts(out, announcement);
	json_write_string(out, "priority", priority_name(announcement->priority));
	write_given_time(out, "start", announcement->start_us);
	write_given_time(out, "expires", announcement->expires_us);
	write_repeat(out, announcement);
	write_chime(out, announcement);
	write_given_string(out, "bed", announcement->bed);
	write_voice(out, announcement);
	json_write_real(out, "gain_db", announcement->gain_db, 2);
	json_write_string(out, "interrupted", interrupted_names[announcement->interrupted]);
	write_given_string(out, "issued_by", announcement->issued_by);
	write_given_time(out, "issued_at", announcement->issued_at_us);
}

char *announcement_format(const struct announcement *announcement)
{
	struct strbuf out = { 0 };

	json_write_begin_object(&out, NULL);
	if (announcement->withdrawal) {
		json_write_bool(&out, "withdrawn", true);
		json_write_integer(&out, "revision", announcement->revision);
	} else {
		json_write_string(&out, "id", announcement->id);
		json_write_integer(&out, "revision", announcement->revision);
		write_said(&out, announcement);
	}
	json_write_end_object(&out);
	return strbuf_take(&out);
}

void announcement_write_template(struct strbuf *out, const char *key,
	const struct announcement *announcement, int64_t expires_after_us)
{
	char expires_after[DURATION_TEXT_SIZE];

	duration_format(expires_after_us, expires_after);
	json_write_begin_object(out, key);
	write_said(out, announcement); /* a template has no instants */
	json_write_string(out, "expires_after", expires_after);
	json_write_end_object(out);
}
