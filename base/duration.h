/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Durations as INTERFACE writes them: a number and a unit, "90s", "15m", "2h", "1d", "300ms".
 * Pure. No sign, no blanks, no combination ("1h30m" is refused); fractions are ("1.5s" → "1500ms").
 */
#pragma once

#include "base/error.h"
#include <stdint.h>

#define DURATION_MAX_US    (INT64_C(4000) * 86400 * 1000000) /* some eleven years */
#define DURATION_TEXT_SIZE 32

/* -EINVAL with a Vietnamese explanation in *error. */
int duration_parse(const char *text, int64_t *ret_us, struct error *error) _must_check_;

/* The shortest exact form: 90000000 → "90s", 120000000 → "2m"; below a ms it is cut to ms. */
void duration_format(int64_t us, char ret_text[DURATION_TEXT_SIZE]);
