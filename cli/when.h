/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Instants as operators write them. Pure, but for the process's time zone. */
#pragma once

#include "base/error.h"
#include <stdint.h>

/* In the past: RFC 3339, how long ago ("2d", "6h"), "hôm nay", "hôm qua". -EINVAL with *error
 * (Vietnamese). */
int when_parse(
	const char *text, int64_t now_us, int64_t *ret_real_us, struct error *error) _must_check_;

/* Where something begins that is still to come: RFC 3339, a day ("2026-12-01", "hôm nay", "ngày mai",
 * each from its midnight on). -EINVAL with *error (Vietnamese). */
int when_parse_from(
	const char *text, int64_t now_us, int64_t *ret_real_us, struct error *error) _must_check_;

/* "2026-12". -EINVAL with *error (Vietnamese). */
int when_parse_month(
	const char *text, int *ret_year, int *ret_month, struct error *error) _must_check_;

/* The midnight at which a day begins; `month` 13 is the next January, and so on. */
int64_t when_midnight_us(int year, int month, int day);
/* The same time of the day, so many days later. */
int64_t when_days_later_us(int64_t real_us, int days);
