/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/rundown.h"
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

struct rundown *rundown_new(const struct reading *reading, const struct rundown_config *config)
{
	struct rundown *rundown = xcalloc(1, sizeof *rundown);
	size_t sentences = reading->sentences_count;
	size_t capacity = 2 * sentences * config->repeat_times + 2;

	rundown->items = xcalloc(capacity, sizeof *rundown->items);
	rundown->bed = config->bed_path ? xstrdup(config->bed_path) : NULL;
	if (config->open_path)
		add(rundown, RUNDOWN_CHIME, config->open_path, 0);
	for (unsigned i = 0; i < config->repeat_times; i++) {
		add_reading(rundown, reading);
		if (i + 1 < config->repeat_times)
			add_silence(rundown, config->repeat_gap_us);
	}
	if (config->close_path) {
		if (sentences > 0)
			add_silence(rundown, reading->sentences[sentences - 1].pause_us);
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
	free(rundown);
	return NULL;
}

size_t rundown_resume_item(const struct rundown *rundown, size_t item)
{
	if (item < rundown->count && rundown->items[item].what == RUNDOWN_SILENCE)
		return item + 1;
	return item;
}
