/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/input.h"

#include "base/strbuf.h"
#include <errno.h>
#include <string.h>

char *input_text(const char *argument, size_t limit, size_t *ret_length, struct error *error)
{
	if (argument && strcmp(argument, "-") != 0) {
		*ret_length = strlen(argument);
		return xstrdup(argument);
	}
	_cleanup_(freep) char *text = xcalloc(limit + 2, 1);
	size_t length = fread(text, 1, limit + 1, stdin);
	if (ferror(stdin)) {
		error_set(error, -EIO, "không đọc được đầu vào: %s", strerror(errno));
		return NULL;
	}
	if (length > limit) {
		error_set(error, -EFBIG, "đầu vào dài hơn %zu KiB", limit / 1024);
		return NULL;
	}
	text[length] = '\0';
	*ret_length = length;
	return hand_over(text);
}
