/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A schedule: a rule that makes announcements (docs/PROTOCOL.md, "A schedule"). Decoded strictly
 * from JSON; complete and immutable after that, counted by reference; any thread may read, only the
 * owner's counts.
 *
 * An occurrence is an instant at which its announcement is to begin. Its id is
 * `<schedule>@<UTC as YYYYMMDDTHHMMZ>`, the same on every node and after every restart; its revision
 * is the schedule's.
 */
#pragma once

#include "scheduler/announcement.h"
#include "scheduler/calendar.h"

#define SCHEDULE_PAYLOAD_MAX    ANNOUNCEMENT_PAYLOAD_MAX
#define SCHEDULE_EXCEPT_MAX     200 /* days or spans of days */
#define SCHEDULE_LATE_MAX_US    (INT64_C(86400) * US_PER_SEC)
#define SCHEDULE_EXPIRES_MAX_US (INT64_C(7) * 86400 * US_PER_SEC)

struct schedule_span { /* of days, both of them included */
	int32_t first, last;
};

struct schedule {
	unsigned references;
	char id[NAME_MAX_BYTES + 1];
	int64_t revision; /* >= 1 */
	bool withdrawal;  /* {"withdrawn": true, "revision": N}: only id and revision are meant */
	char *json;       /* the payload it was decoded from, without a byte-order mark */
	char *cron;       /* as it was written */
	struct calendar calendar;
	const struct zone *zone; /* borrowed from the zones it was decoded with */
	int32_t from, until;     /* days in that zone, both included; INT32_MIN, INT32_MAX: open */
	struct schedule_span *excepts;
	size_t excepts_count;
	int64_t late_us;
	int64_t expires_after_us;          /* after the start of an occurrence */
	struct announcement *announcement; /* what each occurrence says; without id and times */
};

struct schedule_defaults {
	struct zones *zones;  /* must outlive the schedule */
	const char *timezone; /* where the schedule names none */
	int64_t late_us;
};

/* Decodes JSON. `topic_id` is the id in the topic; NULL: the JSON must have one. NULL on refusal, with
 * *ret_reason and *error (Vietnamese, naming key and place). *ret_id (ID_MAX_BYTES + 1 bytes) always
 * receives the id as far as it is known, else "". Only main: see scheduler/zone.h. */
struct schedule *schedule_parse(const char *payload, size_t length, const char *topic_id,
	const struct schedule_defaults *defaults, char *ret_id, enum reason *ret_reason,
	struct error *error) _must_check_;
struct schedule *schedule_ref(struct schedule *schedule);
struct schedule *schedule_unref(struct schedule *schedule); /* NULL; accepts NULL */
DEFINE_CLEANUP(struct schedule *, schedule_unref)

/* The first occurrence after `after_us` (exclusive) between `from` and `until`, and within what
 * an announcement can have as its start; TIME_NEVER. Days of
 * `except` are passed over when `ret_excepted` is NULL, else told. */
int64_t schedule_next(const struct schedule *schedule, int64_t after_us, bool *ret_excepted);
/* Whether there is an occurrence at just that instant. */
bool schedule_occurs(const struct schedule *schedule, int64_t real_us);

void schedule_occurrence_id(
	const struct schedule *schedule, int64_t start_us, char ret_id[ID_MAX_BYTES + 1]);
/* The schedule's id and the instant in an occurrence's id. -EINVAL: it is none. */
int schedule_of_id(
	const char *id, char ret_schedule[NAME_MAX_BYTES + 1], int64_t *ret_start_us) _must_check_;
/* What is to be said at `start_us`: a new announcement with its id, revision, start and expiry. */
struct announcement *schedule_occurrence(
	const struct schedule *schedule, int64_t start_us) _must_check_;
