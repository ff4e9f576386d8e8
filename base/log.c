/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"
#include "base/strbuf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

const char *const log_level_names[5] = { "error", "warning", "notice", "info", "debug" };

/* The one thing of the process that every thread shares by design: set once at the start. */
static atomic_int threshold = LOG_INFO;

int log_set_level(const char *name)
{
	for (size_t i = 0; i < countof(log_level_names); i++) {
		if (strcmp(name, log_level_names[i]) == 0) {
			atomic_store(&threshold, LOG_ERR + (int)i);
			return 0;
		}
	}
	return -EINVAL;
}

/* systemd.exec(5), $JOURNAL_STREAM: "DEVICE:INODE" of the stream that goes to the journal. */
static bool connected_to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

static void to_journal(int priority, const char *announcement, const char *output, const char *text)
{
	char *fields[4];
	struct iovec vector[4];
	int count = 0;

	fields[count++] = xasprintf("PRIORITY=%d", priority);
	fields[count++] = xasprintf("MESSAGE=%s", text);
	if (announcement)
		fields[count++] = xasprintf("ANNOUNCEMENT=%s", announcement);
	if (output)
		fields[count++] = xasprintf("OUTPUT=%s", output);
	for (int i = 0; i < count; i++)
		vector[i] = (struct iovec){ fields[i], strlen(fields[i]) };
	(void)sd_journal_sendv(vector, count);
	for (int i = 0; i < count; i++)
		free(fields[i]);
}

static void to_stderr(int priority, const char *announcement, const char *output, const char *text)
{
	_cleanup_(strbuf_done) struct strbuf line = { 0 };

	strbuf_printf(&line, "%s: ", log_level_names[priority - LOG_ERR]);
	if (output)
		strbuf_printf(&line, "[%s] ", output);
	if (announcement && announcement[0])
		strbuf_printf(&line, "%s: ", announcement);
	strbuf_printf(&line, "%s\n", text);
	/* One write, so that lines of threads do not mix. */
	if (write(STDERR_FILENO, line.text, line.length) < 0)
		return;
}

void log_about(int priority, const char *announcement, const char *output, const char *format, ...)
{
	if (priority > atomic_load(&threshold))
		return;
	if (priority < LOG_ERR)
		priority = LOG_ERR;
	_cleanup_(freep) char *text = NULL;
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (!text)
		return;
	/* A payload may hold line breaks; a log line is one line. */
	for (char *c = text; *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	if (connected_to_journal())
		to_journal(priority, announcement, output, text);
	else
		to_stderr(priority, announcement, output, text);
}
