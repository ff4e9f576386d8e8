/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/receipt.h"
#include "base/json.h"
#include "scheduler/schedule.h"

#include <errno.h>

static const char *const names[] = {
	[RECEIPT_ACCEPTED] = "accepted",
	[RECEIPT_REJECTED] = "rejected",
	[RECEIPT_STARTED] = "started",
	[RECEIPT_INTERRUPTED] = "interrupted",
	[RECEIPT_RESUMED] = "resumed",
	[RECEIPT_FINISHED] = "finished",
	[RECEIPT_CANCELLED] = "cancelled",
	[RECEIPT_EXPIRED] = "expired",
	[RECEIPT_FAILED] = "failed",
	[RECEIPT_SUPERSEDED] = "superseded",
};

static const bool final[] = {
	[RECEIPT_FINISHED] = true,
	[RECEIPT_CANCELLED] = true,
	[RECEIPT_EXPIRED] = true,
	[RECEIPT_FAILED] = true,
	[RECEIPT_SUPERSEDED] = true,
};

const char *receipt_event_name(enum receipt_event event)
{
	return names[event];
}

bool receipt_event_final(enum receipt_event event)
{
	return final[event];
}

/* Whose occurrence it is. */
static void write_schedule(struct strbuf *out, const struct receipt *receipt)
{
	char schedule[NAME_MAX_BYTES + 1];
	int64_t start_us;

	if (receipt->schedule)
		json_write_string(out, "schedule", receipt->schedule);
	else if (receipt->id && schedule_of_id(receipt->id, schedule, &start_us) == 0)
		json_write_string(out, "schedule", schedule);
	else
		json_write_null(out, "schedule");
}

char *receipt_format(const struct receipt *receipt)
{
	struct strbuf out = { 0 };

	json_write_begin_object(&out, NULL);
	json_write_string(&out, "id", receipt->id && receipt->id[0] ? receipt->id : NULL);
	if (receipt->revision > 0)
		json_write_integer(&out, "revision", receipt->revision);
	else
		json_write_null(&out, "revision");
	json_write_string(&out, "node", receipt->node);
	json_write_string(&out, "output", receipt->output);
	json_write_string(&out, "event", receipt_event_name(receipt->event));
	json_write_time(&out, "at", receipt->at_us);
	json_write_real(&out, "seconds_asked", receipt->seconds_asked, 3);
	json_write_real(&out, "seconds_played", receipt->seconds_played, 3);
	json_write_string(&out, "reason", reason_name(receipt->reason));
	write_schedule(&out, receipt);
	json_write_string(&out, "spoken_sha256", receipt->spoken_sha256);
	json_write_string(&out, "detail", receipt->detail);
	json_write_end_object(&out);
	return strbuf_take(&out);
}

int receipt_parse_at(const char *json, size_t length, int64_t *ret_at_us)
{
	_cleanup_(json_freep) struct json *root = json_parse(json, length, NULL);
	const char *at = root ? json_as_string(json_get(root, "at"), NULL) : NULL;

	return at ? time_parse(at, ret_at_us, NULL) : -EINVAL;
}
