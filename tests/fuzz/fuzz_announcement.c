/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any payload is an announcement or a refusal that says why; what was read can be written and read
 * back the same. So can any JSON as a template, and what is made of it. */
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

static void check_template(const struct announcement *template)
{
	_cleanup_(announcement_unrefp) struct announcement *occurrence = announcement_occurrence(
		template, "sang@20261121T1000Z", 1, INT64_C(1795255200) * US_PER_SEC,
		INT64_C(1795258800) * US_PER_SEC);
	check_round_trip(occurrence);
}

static void try_template(const char *bytes, size_t size)
{
	struct error error = { "" };
	enum reason reason = REASON_NONE;
	int64_t expires_after_us;
	_cleanup_(json_freep) struct json *object = json_parse(bytes, size, &error);

	if (!object)
		return;
	_cleanup_(announcement_unrefp) struct announcement *template = announcement_parse_template(
		object, &expires_after_us, &reason, &error);
	if (template)
		check_template(template);
	else
		check_refusal("", reason, &error);
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
	try_template((const char *)data, size);
	return 0;
}
