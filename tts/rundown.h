/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A rundown (the broadcasters' word): the ordered items of one programme. Opening chime; the parts:
 * sentences with the pauses after them, recordings, silence; all of them again for each repeat with
 * the gap between; closing chime; and the bed that lies under all of it. A value made by a pure
 * function; any thread.
 */
#pragma once

#include "tts/reading.h"

enum rundown_item_what { RUNDOWN_CHIME, RUNDOWN_SENTENCE, RUNDOWN_SILENCE, RUNDOWN_RECORDING };

struct rundown_item {
	enum rundown_item_what what;
	char *text; /* RUNDOWN_SENTENCE: the words; CHIME, RECORDING: path of the sound file */
	int64_t duration_us; /* RUNDOWN_SILENCE, RUNDOWN_RECORDING (0: not known) */
	int rate;            /* RUNDOWN_SENTENCE: to say it at; 0: the voice's */
};

struct rundown {
	struct rundown_item *items;
	size_t count;
	char *bed;      /* path of the sound file that is looped under the programme, or NULL */
	char *fallback; /* of the one to be heard when no engine can say a sentence, or NULL */
};

struct rundown_config {
	const char *open_path, *close_path, *bed_path; /* NULL: none */
	unsigned repeat_times;                         /* 1…10 */
	int64_t repeat_gap_us;
	const char *fallback_path; /* NULL: none; shipped: chimes/system/khong-doc-duoc.flac */
};

struct rundown_part {
	enum { RUNDOWN_PART_READING, RUNDOWN_PART_RECORDING, RUNDOWN_PART_PAUSE } what;
	const struct reading *reading; /* RUNDOWN_PART_READING */
	/* RUNDOWN_PART_RECORDING. NULL: it is missing, and nothing is heard of it; but it has its place,
	 * so that positions are what they were when it has come in the meantime. */
	const char *recording_path;
	double recording_seconds; /* 0: not known */
	int64_t pause_us;         /* RUNDOWN_PART_PAUSE */
};

/* Behind a recording, where no sentence was before whose pause it could be. */
#define RUNDOWN_RECORDING_PAUSE_US INT64_C(500000)

/* Between two parts that are heard, and before the closing chime, is the pause of the last sentence
 * before; where there is a part that is a pause, that alone. */
struct rundown *rundown_new(const struct rundown_part *parts, size_t count,
	const struct rundown_config *config) _must_check_;
struct rundown *rundown_free(struct rundown *rundown);
DEFINE_CLEANUP(struct rundown *, rundown_free)

/* A place in a rundown. */
struct rundown_position {
	size_t item;
	int64_t offset_us; /* within it; 0 but for a recording */
};

#define RUNDOWN_END SIZE_MAX /* an item that is none: all was said */

/* People find their way into a recording again by hearing a little of it twice; a short one they
 * hear whole. */
#define RUNDOWN_REWIND_US INT64_C(2000000)
#define RUNDOWN_SHORT_US  INT64_C(10000000)

/* Where to go on when the sound was cut off `offset_us` within `item`: a sentence and the opening
 * chime from their beginning; after a silence; a recording RUNDOWN_REWIND_US before, or from its
 * beginning if it is no longer than RUNDOWN_SHORT_US. RUNDOWN_END when no sentence and no recording
 * is left to be heard (the closing chime alone would only puzzle people). */
struct rundown_position rundown_resume(
	const struct rundown *rundown, size_t item, int64_t offset_us);
