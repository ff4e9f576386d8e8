/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A rundown (the broadcasters' word): the ordered items of one programme. Opening chime, the
 * sentences with the pauses after them, again for each repeat with the gap between, closing
 * chime; and the bed that lies under all of it. A value made by a pure function; any thread.
 */
#pragma once

#include "tts/reading.h"

enum rundown_item_what { RUNDOWN_CHIME, RUNDOWN_SENTENCE, RUNDOWN_SILENCE };

struct rundown_item {
	enum rundown_item_what what;
	char *text; /* RUNDOWN_CHIME: path of the sound file; RUNDOWN_SENTENCE: the words */
	int64_t duration_us; /* RUNDOWN_SILENCE */
	int rate;            /* RUNDOWN_SENTENCE: to say it at; 0: the voice's */
};

struct rundown {
	struct rundown_item *items;
	size_t count;
	char *bed; /* path of the sound file that is looped under the programme, or NULL */
};

struct rundown_config {
	const char *open_path, *close_path, *bed_path; /* NULL: none */
	unsigned repeat_times;                         /* 1…10 */
	int64_t repeat_gap_us;
};

struct rundown *rundown_new(
	const struct reading *reading, const struct rundown_config *config) _must_check_;
struct rundown *rundown_free(struct rundown *rundown);
DEFINE_CLEANUP(struct rundown *, rundown_free)

/* The first item to play again when the sound was lost while `item` played: the sentence it was in
 * (a silence: the item after it; a chime: itself). */
size_t rundown_resume_item(const struct rundown *rundown, size_t item);
