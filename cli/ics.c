/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/ics.h"

#include "base/clock.h"
#include "base/utf8.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINE_BYTES_MAX 75 /* RFC 5545, 3.1: without the CRLF, with the blank that goes on */
#define SHORTEST_US    (60 * US_PER_SEC)

/* One content line, folded where no character is cut. */
static void put_line(struct strbuf *out, const char *line)
{
	size_t left = strlen(line), space = LINE_BYTES_MAX;

	while (left > space) {
		size_t cut = utf8_cut(line, left, space);
		strbuf_add(out, line, cut);
		strbuf_puts(out, "\r\n ");
		line += cut;
		left -= cut;
		space = LINE_BYTES_MAX - 1;
	}
	strbuf_puts(out, line);
	strbuf_puts(out, "\r\n");
}

/* A value of type TEXT (3.3.11): what has a meaning is escaped, control characters are blanks. */
static void put_text(struct strbuf *out, const char *name, const char *text)
{
	_cleanup_(strbuf_done) struct strbuf line = { 0 };

	strbuf_printf(&line, "%s:", name);
	for (; *text; text++) {
		if (*text == '\n')
			strbuf_puts(&line, "\\n");
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			strbuf_putc(&line, ' ');
		else if (strchr("\\;,", *text))
			strbuf_printf(&line, "\\%c", *text);
		else
			strbuf_putc(&line, *text);
	}
	put_line(out, line.text);
}

static void put_time(struct strbuf *out, const char *name, int64_t real_us)
{
	time_t seconds = (time_t)(real_us / US_PER_SEC);
	char line[64], stamp[24];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	snprintf(line, sizeof(line), "%s:%s", name, stamp);
	put_line(out, line);
}

void ics_begin(struct strbuf *out)
{
	put_line(out, "BEGIN:VCALENDAR");
	put_line(out, "VERSION:2.0");
	put_line(out, "PRODID:-//Loa Làng//loalang plan//VI");
	put_line(out, "CALSCALE:GREGORIAN");
}

void ics_add(struct strbuf *out, const struct ics_event *event, int64_t stamp_us)
{
	int64_t start_us = event->start_us / US_PER_SEC * US_PER_SEC;
	int64_t end_us = (event->end_us + US_PER_SEC - 1) / US_PER_SEC * US_PER_SEC;

	put_line(out, "BEGIN:VEVENT");
	put_text(out, "UID", event->uid);
	put_time(out, "DTSTAMP", stamp_us);
	put_time(out, "DTSTART", start_us);
	/* DTEND must be later; what takes no time would not be seen in a calendar either. */
	put_time(out, "DTEND", end_us > start_us ? end_us : start_us + SHORTEST_US);
	put_text(out, "SUMMARY", event->summary);
	put_text(out, "DESCRIPTION", event->description);
	put_line(out, "END:VEVENT");
}

void ics_end(struct strbuf *out)
{
	put_line(out, "END:VCALENDAR");
}
