/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of a command: its argument, or standard input when that is "-" or missing. */
#pragma once

#include "base/error.h"
#include <stddef.h>

/* `argument` NULL or "-": all of standard input, at most `limit` bytes. The text (NUL-terminated;
 * the caller frees) and its length. NULL with *error. */
char *input_text(
	const char *argument, size_t limit, size_t *ret_length, struct error *error) _must_check_;
