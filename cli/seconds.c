/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/seconds.h"

#include "audio/recording.h"
#include <string.h>

static double seconds_of_chime(
	const struct config *config, const char *wish, const char *by_priority)
{
	_cleanup_(freep) char *path = config_chime_path(config, *wish ? wish : by_priority);
	_cleanup_(recording_freep) struct recording *recording = NULL;

	if (!path || recording_open(path, &recording_limits, &recording, NULL) < 0)
		return 0;
	return recording_seconds(recording);
}

/* What cannot be read takes no time. */
static double seconds_of_text(const struct reading_config *how, const char *text)
{
	_cleanup_(reading_freep) struct reading *reading = NULL;
	enum reading_refusal refusal;

	if (!text || reading_new(text, strlen(text), how, &reading, &refusal, NULL) < 0)
		return 0;
	return reading->seconds;
}

double seconds_of(const struct config *config, const struct announcement *announcement)
{
	const struct config_chimes_of *chimes = &config->chimes.by_priority[announcement->priority];
	const struct reading_config how = config_reading(config, announcement->voice_engine,
		announcement->voice_name, announcement->voice_rate);
	double once = 0;

	for (size_t i = 0; i < announcement->parts_count; i++) {
		const struct announcement_part *part = &announcement->parts[i];
		once += seconds_of_text(&how, part->text);
		if (part->what == ANNOUNCEMENT_PAUSE)
			once += (double)part->pause_us / 1e6;
	}
	return once * announcement->repeat_times +
	       (double)announcement->repeat_gap_us / 1e6 * (announcement->repeat_times - 1) +
	       seconds_of_chime(config, announcement->chime_open, chimes->open) +
	       seconds_of_chime(config, announcement->chime_close, chimes->close);
}
