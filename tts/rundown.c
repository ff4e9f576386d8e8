/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/rundown.h"
#include "base/clock.h"
#include "base/strbuf.h"

static void add(
	struct rundown *rundown, enum rundown_item_what what, const char *text, int64_t duration_us)
{
	rundown->items[rundown->count++] = (struct rundown_item){
		.what = what,
		.text = text ? xstrdup(text) : NULL,
		.duration_us = duration_us,
	};
}

/* What is silent for no time is no item. */
static void add_silence(struct rundown *rundown, int64_t duration_us)
{
	if (duration_us > 0)
		add(rundown, RUNDOWN_SILENCE, NULL, duration_us);
}

/* The sentences once; the pause after the last one is the caller's business. */
static void add_reading(struct rundown *rundown, const struct reading *reading)
{
	for (size_t i = 0; i < reading->sentences_count; i++) {
		const struct reading_sentence *sentence = &reading->sentences[i];
		add(rundown, RUNDOWN_SENTENCE, sentence->text, 0);
		rundown->items[rundown->count - 1].rate = sentence->rate;
		if (i + 1 < reading->sentences_count)
			add_silence(rundown, sentence->pause_us);
	}
}

/* Laying the parts one after the other. */
struct laying {
	struct rundown *rundown;
	int64_t pause_us; /* what belongs behind the last that is heard; */
	bool due;         /* it has not been laid yet, nor something in its place */
	bool follows;     /* there was a part before that is heard, or would be if it were here */
};

/* The pause that is due. It has its place also when there is nothing to part: see struct
 * rundown_part. */
static void lay_pause(struct laying *laying, bool heard)
{
	if (laying->follows)
		add(laying->rundown, RUNDOWN_SILENCE, NULL,
			heard && laying->due ? laying->pause_us : 0);
	laying->due = laying->due && !heard;
	laying->follows = true;
}

static void lay_reading(struct laying *laying, const struct reading *reading)
{
	if (reading->sentences_count == 0)
		return;
	lay_pause(laying, true);
	add_reading(laying->rundown, reading);
	laying->pause_us = reading->sentences[reading->sentences_count - 1].pause_us;
	laying->due = true;
}

static void lay_recording(struct laying *laying, const struct rundown_part *part)
{
	lay_pause(laying, part->recording_path);
	if (part->recording_path) {
		add(laying->rundown, RUNDOWN_RECORDING, part->recording_path,
			(int64_t)(part->recording_seconds * (double)US_PER_SEC));
		laying->due = true;
	} else {
		add(laying->rundown, RUNDOWN_SILENCE, NULL, 0);
	}
}

/* Everything that is said, once. Returns the pause that is due behind it. */
static int64_t lay_parts(struct rundown *rundown, const struct rundown_part *parts, size_t count)
{
	struct laying laying = { .rundown = rundown, .pause_us = RUNDOWN_RECORDING_PAUSE_US };

	for (size_t i = 0; i < count; i++) {
		switch (parts[i].what) {
		case RUNDOWN_PART_READING:
			lay_reading(&laying, parts[i].reading);
			break;
		case RUNDOWN_PART_RECORDING:
			lay_recording(&laying, &parts[i]);
			break;
		case RUNDOWN_PART_PAUSE:
			add_silence(rundown, parts[i].pause_us);
			laying.due = laying.follows = false;
			break;
		}
	}
	return laying.due ? laying.pause_us : 0;
}

static size_t items_max(const struct rundown_part *parts, size_t count)
{
	size_t items = 0;

	for (size_t i = 0; i < count; i++)
		items += parts[i].what == RUNDOWN_PART_READING
				 ? 2 * parts[i].reading->sentences_count + 1
				 : 2;
	return items;
}

struct rundown *rundown_new(
	const struct rundown_part *parts, size_t count, const struct rundown_config *config)
{
	struct rundown *rundown = xcalloc(1, sizeof *rundown);
	size_t capacity = (items_max(parts, count) + 1) * config->repeat_times + 3;
	int64_t last_pause_us = 0;

	rundown->items = xcalloc(capacity, sizeof *rundown->items);
	rundown->bed = config->bed_path ? xstrdup(config->bed_path) : NULL;
	rundown->fallback = config->fallback_path ? xstrdup(config->fallback_path) : NULL;
	if (config->open_path)
		add(rundown, RUNDOWN_CHIME, config->open_path, 0);
	for (unsigned i = 0; i < config->repeat_times; i++) {
		last_pause_us = lay_parts(rundown, parts, count);
		if (i + 1 < config->repeat_times)
			add_silence(rundown, config->repeat_gap_us);
	}
	if (config->close_path) {
		add_silence(rundown, last_pause_us);
		add(rundown, RUNDOWN_CHIME, config->close_path, 0);
	}
	return rundown;
}

struct rundown *rundown_free(struct rundown *rundown)
{
	if (!rundown)
		return NULL;
	for (size_t i = 0; i < rundown->count; i++)
		free(rundown->items[i].text);
	free(rundown->items);
	free(rundown->bed);
	free(rundown->fallback);
	free(rundown);
	return NULL;
}

static int64_t rewound_us(const struct rundown_item *item, int64_t offset_us)
{
	bool is_short = item->duration_us > 0 && item->duration_us <= RUNDOWN_SHORT_US;

	if (item->duration_us > 0 && offset_us > item->duration_us)
		offset_us = item->duration_us;
	return is_short || offset_us < RUNDOWN_REWIND_US ? 0 : offset_us - RUNDOWN_REWIND_US;
}

static bool speaks(const struct rundown_item *item)
{
	return item->what == RUNDOWN_SENTENCE || item->what == RUNDOWN_RECORDING;
}

struct rundown_position rundown_resume(
	const struct rundown *rundown, size_t item, int64_t offset_us)
{
	struct rundown_position position = { .item = item };
	size_t spoken = item;

	while (spoken < rundown->count && !speaks(&rundown->items[spoken]))
		spoken++;
	if (spoken >= rundown->count)
		return (struct rundown_position){ .item = RUNDOWN_END };
	if (rundown->items[item].what == RUNDOWN_SILENCE)
		position.item++;
	if (rundown->items[item].what == RUNDOWN_RECORDING)
		position.offset_us = rewound_us(&rundown->items[item], offset_us);
	return position;
}
