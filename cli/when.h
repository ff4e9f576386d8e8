/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An instant in the past, as operators write it: RFC 3339, how long ago ("2d", "6h"), "hôm nay",
 * "hôm qua". Pure, but for the process's time zone. */
#pragma once

#include "base/error.h"
#include <stdint.h>

/* -EINVAL with *error (Vietnamese). */
int when_parse(
	const char *text, int64_t now_us, int64_t *ret_real_us, struct error *error) _must_check_;
