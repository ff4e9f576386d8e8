/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What went wrong, in words, for a person. Functions return 0 or -errno; where a person must
 * learn more than an errno can say (which file, line, key, byte), they also fill a struct error.
 * Texts for operators and technicians are Vietnamese; they name what and where, and never end
 * in a full stop. A function either fills an error or logs, never both (only daemon/ logs).
 */
#pragma once

#include "base/cleanup.h"

#define ERROR_TEXT_MAX 500 /* bytes, cut at a character boundary */

struct error {
	char text[ERROR_TEXT_MAX + 1];
};

/* Sets the text and returns `result` (a -errno), so that `return error_set(e, -EINVAL, …)` reads
 * as one thought. `error` may be NULL. */
int error_set(struct error *error, int result, const char *format, ...) _printf_(3, 4);

/* Puts `format…` and ": " before the text that is there: the caller adds where. */
void error_prefix(struct error *error, const char *format, ...) _printf_(2, 3);
