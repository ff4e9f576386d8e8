/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys of an announcement: how each is decoded into its member, for base/json.h. The scheduler's
 * own; used by announcement_parse.c. Pure; any thread.
 */
#pragma once

#include "base/json.h"
#include "scheduler/announcement.h"

/* Target: struct announcement. `text` and `media` become parts, the text first; that texts are not
 * empty nor too long together, and that there is something to be said, is for the caller to see. */
extern const struct json_field announcement_keys_payload[]; /* what an operator sends */
extern const struct json_field announcement_keys_stored[];  /* and `parts` */
extern const struct json_field
	announcement_keys_template[]; /* of a schedule; `expires_after` becomes
							       * expires_us, a duration here */
extern const struct json_field announcement_keys_withdrawal[];

/* Refuses control characters and bytes that are not UTF-8, naming the place. */
int announcement_keys_check_text(const char *text, size_t length, struct error *error) _must_check_;
/* Cut to whole milliseconds: what time_format() and duration_format() can write. */
int64_t announcement_keys_whole_ms(int64_t us);
