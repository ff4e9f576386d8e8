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

/* Everything that is said, once. */
static void add_contents(struct rundown *rundown, const struct reading *reading,
	const struct rundown_config *config, int64_t last_pause_us)
{
	if (reading)
		add_reading(rundown, reading);
	if (!config->recording_path)
		return;
	if (reading && reading->sentences_count > 0)
		add_silence(rundown, last_pause_us);
	add(rundown, RUNDOWN_RECORDING, config->recording_path,
		(int64_t)(config->recording_seconds * (double)US_PER_SEC));
}

/* What belongs after the last words. */
static int64_t pause_after(const struct reading *reading, const struct rundown_config *config)
{
	if (reading && reading->sentences_count > 0)
		return reading->sentences[reading->sentences_count - 1].pause_us;
	return config->recording_path ? RUNDOWN_RECORDING_PAUSE_US : 0;
}

struct rundown *rundown_new(const struct reading *reading, const struct rundown_config *config)
{
	struct rundown *rundown = xcalloc(1, sizeof *rundown);
	size_t sentences = reading ? reading->sentences_count : 0;
	size_t capacity = 2 * (sentences + 1) * config->repeat_times + 2;
	int64_t last_pause_us = pause_after(reading, config);

	rundown->items = xcalloc(capacity, sizeof *rundown->items);
	rundown->bed = config->bed_path ? xstrdup(config->bed_path) : NULL;
	rundown->fallback = config->fallback_path ? xstrdup(config->fallback_path) : NULL;
	if (config->open_path)
		add(rundown, RUNDOWN_CHIME, config->open_path, 0);
	for (unsigned i = 0; i < config->repeat_times; i++) {
		add_contents(rundown, reading, config, last_pause_us);
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
