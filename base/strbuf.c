/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/strbuf.h"

#include <stdarg.h>
#include <string.h>

static void *or_abort(void *pointer)
{
	if (!pointer)
		abort();
	return pointer;
}

void *xcalloc(size_t count, size_t size)
{
	return or_abort(calloc(count ? count : 1, size ? size : 1));
}

void *xreallocarray(void *pointer, size_t count, size_t size)
{
	return or_abort(reallocarray(pointer, count ? count : 1, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return or_abort(strdup(text));
}

char *xstrndup(const char *text, size_t length)
{
	return or_abort(strndup(text, length));
}

char *xasprintf(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return or_abort(text);
}

/* Makes room for `more` bytes and the NUL. */
static void strbuf_reserve(struct strbuf *buffer, size_t more)
{
	size_t needed = buffer->length + more + 1;

	if (needed <= buffer->capacity)
		return;
	size_t capacity = buffer->capacity ? buffer->capacity * 2 : 64;
	if (capacity < needed)
		capacity = needed;
	buffer->text = xreallocarray(buffer->text, capacity, 1);
	buffer->capacity = capacity;
}

void strbuf_done(struct strbuf *buffer)
{
	free(buffer->text);
	*buffer = (struct strbuf){ 0 };
}

void strbuf_clear(struct strbuf *buffer)
{
	strbuf_truncate(buffer, 0);
}

void strbuf_truncate(struct strbuf *buffer, size_t length)
{
	if (length > buffer->length)
		return;
	buffer->length = length;
	if (buffer->text)
		buffer->text[length] = '\0';
}

void strbuf_add(struct strbuf *buffer, const char *text, size_t length)
{
	strbuf_reserve(buffer, length);
	if (length)
		memcpy(buffer->text + buffer->length, text, length);
	buffer->length += length;
	buffer->text[buffer->length] = '\0';
}

void strbuf_puts(struct strbuf *buffer, const char *text)
{
	strbuf_add(buffer, text, strlen(text));
}

void strbuf_putc(struct strbuf *buffer, char c)
{
	strbuf_add(buffer, &c, 1);
}

void strbuf_printf(struct strbuf *buffer, const char *format, ...)
{
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length > 0) {
		strbuf_reserve(buffer, (size_t)length);
		vsnprintf(buffer->text + buffer->length, (size_t)length + 1, format, again);
		buffer->length += (size_t)length;
	}
	va_end(again);
}

char *strbuf_take(struct strbuf *buffer)
{
	char *text = buffer->text ? hand_over(buffer->text) : xstrdup("");

	*buffer = (struct strbuf){ 0 };
	return text;
}
