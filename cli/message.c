/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/message.h"

#include "base/json.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void message_id(int64_t now_us, char ret_id[MESSAGE_ID_SIZE])
{
	struct tm utc;
	char when[20] = "";
	uint16_t number = 0;
	time_t now = (time_t)(now_us / US_PER_SEC);

	if (gmtime_r(&now, &utc))
		strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &utc);
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint16_t)now_us;
	snprintf(ret_id, MESSAGE_ID_SIZE, "noi-%s-%04x", when, number);
}

int64_t message_expires_us(const struct message *message)
{
	int64_t from_us = message->start_us == TIME_UNSET ? message->issued_at_us
							  : message->start_us;

	return from_us +
	       (message->expires_us > 0 ? message->expires_us : ANNOUNCEMENT_EXPIRES_DEFAULT_US);
}

static void write_chime(struct strbuf *out, const char *chime)
{
	json_write_begin_object(out, "chime");
	json_write_string(out, "open", chime);
	if (strcmp(chime, "none") == 0)
		json_write_string(out, "close", chime);
	json_write_end_object(out);
}

char *message_format(const struct message *message)
{
	struct strbuf out = { 0 };

	json_write_begin_object(&out, NULL);
	if (message->id)
		json_write_string(&out, "id", message->id);
	if (message->revision > 0)
		json_write_integer(&out, "revision", message->revision);
	json_write_string(&out, "text", message->text);
	json_write_string(&out, "priority", priority_name(message->priority));
	if (message->start_us != TIME_UNSET)
		json_write_time(&out, "start", message->start_us);
	json_write_time(&out, "expires", message_expires_us(message));
	if (message->repeat > 0) {
		json_write_begin_object(&out, "repeat");
		json_write_integer(&out, "times", message->repeat);
		json_write_end_object(&out);
	}
	if (message->chime)
		write_chime(&out, message->chime);
	if (message->issued_by)
		json_write_string(&out, "issued_by", message->issued_by);
	json_write_time(&out, "issued_at", message->issued_at_us);
	json_write_end_object(&out);
	return strbuf_take(&out);
}

struct announcement *message_check(
	const char *json, const struct message *message, int64_t sync_lead_us, struct error *error)
{
	struct announcement_defaults defaults = { .now_us = message->issued_at_us,
		.sync_lead_us = sync_lead_us };
	char id[ID_MAX_BYTES + 1];
	enum reason reason = REASON_NONE;

	if (message_expires_us(message) <= message->issued_at_us) {
		error_set(error, -EINVAL,
			"bản tin đã hết hạn trước khi gửi (xem --start, --expires)");
		return NULL;
	}
	return announcement_parse(
		json, strlen(json), message->id, "noi", &defaults, id, &reason, error);
}
