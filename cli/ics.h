/* SPDX-License-Identifier: GPL-3.0-or-later */
/* iCalendar (RFC 5545), as far as a list of broadcasts needs it. Pure. */
#pragma once

#include "base/strbuf.h"
#include <stdint.h>

struct ics_event { /* borrowed; texts are valid UTF-8 */
	const char *uid;
	const char *summary;
	const char *description;  /* of several lines, separated by \n */
	int64_t start_us, end_us; /* real; one that ends too early is given a minute */
};

/* A calendar is begun, gets its events, and is ended. */
void ics_begin(struct strbuf *out);
/* `stamp_us`: when it was made. */
void ics_add(struct strbuf *out, const struct ics_event *event, int64_t stamp_us);
void ics_end(struct strbuf *out);
