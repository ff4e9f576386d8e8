/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/findings.h"

#include "base/strbuf.h"
#include <stdarg.h>

void findings_done(struct findings *findings)
{
	free(findings->list);
	findings->list = NULL;
	findings->count = 0;
}

void findings_add_at(struct findings *findings, int line, const char *key, const char *text)
{
	if (findings->count == FINDINGS_MAX) {
		findings->beyond++;
		return;
	}
	findings->list = xreallocarray(
		findings->list, findings->count + 1, sizeof(findings->list[0]));
	struct finding *finding = &findings->list[findings->count];
	finding->line = line;
	finding->order = findings->count++;
	if (key)
		error_set(&finding->error, 0, "%s: %s", key, text);
	else
		error_set(&finding->error, 0, "%s", text);
}

void findings_add(struct findings *findings, const char *key, const char *format, ...)
{
	struct error error;
	va_list arguments;

	va_start(arguments, format);
	/* Longer than a message may be is cut by error_set() after it. */
	_cleanup_(freep) char *text = NULL;
	if (vasprintf(&text, format, arguments) < 0)
		abort();
	va_end(arguments);
	error_set(&error, 0, "%s", text);
	findings_add_at(findings, findings->line_of(findings->context, key), key, error.text);
}

static int by_line(const void *a, const void *b)
{
	const struct finding *one = a, *other = b;

	if (one->line != other->line)
		return one->line < other->line ? -1 : 1;
	return one->order < other->order ? -1 : 1;
}

void findings_take(struct findings *findings, struct config_problems *ret_problems)
{
	size_t count = findings->count + (findings->beyond > 0);
	struct error *list = xcalloc(count, sizeof(*list));

	if (findings->count > 0)
		qsort(findings->list, findings->count, sizeof(findings->list[0]), by_line);
	for (size_t i = 0; i < findings->count; i++) {
		list[i] = findings->list[i].error;
		if (findings->list[i].line > 0)
			error_prefix(&list[i], "%s:%d", findings->path, findings->list[i].line);
		else
			error_prefix(&list[i], "%s", findings->path);
	}
	if (findings->beyond > 0)
		error_set(&list[count - 1], 0, "%s: còn %zu lỗi nữa", findings->path,
			findings->beyond);
	ret_problems->list = list;
	ret_problems->count = count;
	findings_done(findings);
}
