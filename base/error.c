/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/error.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <string.h>

/* Copies `text` into the error, cut where no character is cut. */
static void error_put(struct error *error, const char *text)
{
	size_t length = utf8_cut(text, strlen(text), ERROR_TEXT_MAX);

	memmove(error->text, text, length);
	error->text[length] = '\0';
}

int error_set(struct error *error, int result, const char *format, ...)
{
	if (!error)
		return result;
	char text[2 * ERROR_TEXT_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	error_put(error, text);
	return result;
}

void error_prefix(struct error *error, const char *format, ...)
{
	if (!error)
		return;
	char text[3 * ERROR_TEXT_MAX];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, ERROR_TEXT_MAX, format, arguments);
	va_end(arguments);
	if (length < 0 || length >= ERROR_TEXT_MAX)
		length = (int)strlen(text);
	snprintf(text + length, sizeof text - (size_t)length, ": %s", error->text);
	error_put(error, text);
}
