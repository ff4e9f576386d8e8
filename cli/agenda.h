/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plan as a calendar for other programs (cli/ics.h): one event for each occurrence that would be heard,
 * whatever the number of its outputs. A value; pure. */
#pragma once

#include "base/json.h"
#include "cli/planned.h"

struct agenda { /* what schedules say, as far as it is known */
	struct agenda_text {
		char *id, *text;
	} *texts;
	size_t count;
};
void agenda_done(struct agenda *agenda);

/* The beginning of the text of a schedule, as its JSON has it. */
void agenda_add(struct agenda *agenda, const char *id, const struct json *schedule);
/* `now_us`: when it is made. `planned` is sorted. */
void agenda_format(
	struct agenda *agenda, const struct planned *planned, int64_t now_us, struct strbuf *out);
