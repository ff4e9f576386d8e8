/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any payload is an announcement or a refusal that says why; what was read can be written and read
 * back the same. */
#include "scheduler/announcement.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_refusal(const char *id, enum reason reason, const struct error *error)
{
	check(reason != REASON_NONE && *error->text);
	check(!*id || announcement_id_valid(id, strlen(id)));
}

static void check_round_trip(const struct announcement *announcement)
{
	struct error error = { "" };
	_cleanup_(freep) char *json = announcement_format(announcement);
	_cleanup_(announcement_unrefp) struct announcement *again = announcement_load(
		json, strlen(json), announcement->id, &error);

	check(again && announcement_same(announcement, again));
	check(announcement->withdrawal || announcement->expires_us == again->expires_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct announcement_defaults defaults = {
		.now_us = INT64_C(1795255200) * US_PER_SEC,
		.sync_lead_us = 1500 * US_PER_MS,
	};
	char id[ID_MAX_BYTES + 1];
	enum reason reason = REASON_NONE;
	struct error error = { "" };
	/* A withdrawal needs an id in the topic; a payload with an id of its own needs none. */
	const char *topic_id = size % 2 ? "ban-tin" : NULL;
	_cleanup_(announcement_unrefp) struct announcement *announcement = announcement_parse(
		(const char *)data, size, topic_id, "tu-dat", &defaults, id, &reason, &error);

	if (announcement)
		check_round_trip(announcement);
	else
		check_refusal(id, reason, &error);
	return 0;
}
