/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang withdraw: takes an announcement back, in every zone it was sent to. */
#include "base/clock.h"
#include "base/json.h"
#include "cli/gather.h"
#include "scheduler/announcement.h"
#include <string.h>

/* How long the broker keeps a withdrawal: as long as the announcement could still be said, and
 * never less than this, for a node that comes back from repair with it on its disk. */
#define WITHDRAWAL_KEPT_US (INT64_C(31) * 86400 * US_PER_SEC)

struct standing { /* what the broker has under the id, over all zones */
	int64_t revision;
	int64_t expires_us;
	size_t live; /* zones in which it is not withdrawn */
};

/* A plain text, or one that does not parse, has the first revision. */
static void look(const struct gathered_message *message, struct standing *standing, bool *ret_live)
{
	struct error ignored;
	int64_t expires_us = 0;
	_cleanup_(json_freep) struct json *json = json_parse(
		message->payload, message->length, &ignored);
	int64_t revision = json_as_integer(json_get(json, "revision"), 1);
	const char *expires = json_as_string(json_get(json, "expires"), NULL);

	*ret_live = !json_as_bool(json_get(json, "withdrawn"), false);
	standing->live += *ret_live;
	if (revision > standing->revision)
		standing->revision = revision;
	if (expires && time_parse(expires, &expires_us, &ignored) == 0 &&
		expires_us > standing->expires_us)
		standing->expires_us = expires_us;
}

static int publish(struct session *session, struct broker *broker, const char *zone, const char *id,
	const struct standing *standing, struct error *error)
{
	_cleanup_(freep) char *topic = topic_of(session, "zone/%s/announce/%s", zone, id);
	_cleanup_(strbuf_done) struct strbuf payload = { 0 };
	int64_t left_us = standing->expires_us - clock_real_us();

	json_write_begin_object(&payload, NULL);
	json_write_bool(&payload, "withdrawn", true);
	json_write_integer(&payload, "revision", standing->revision + 1);
	json_write_end_object(&payload);
	const struct broker_publication publication = { .topic = topic,
		.payload = payload.text,
		.retain = true,
		.expiry_us = left_us > WITHDRAWAL_KEPT_US ? left_us : WITHDRAWAL_KEPT_US };
	return broker_publish(broker, &publication, error);
}

static enum cli_status withdraw_in_zones(struct session *session, struct broker *broker,
	const char *id, const struct gathered *gathered)
{
	struct standing standing = { 0 };
	struct error error;
	bool live = false;

	for (size_t i = 0; i < gathered->count; i++)
		look(&gathered->list[i], &standing, &live);
	for (size_t i = 0; i < gathered->count; i++) {
		struct standing one = { 0 };
		_cleanup_(freep) char *zone = topic_level(gathered->list[i].topic, 1);
		look(&gathered->list[i], &one, &live);
		/* A zone that has the withdrawal already gets none, but in step with the others. */
		if (!live && standing.live == 0)
			continue;
		int result = publish(session, broker, zone, id, &standing, &error);
		if (result < 0) {
			complain(session, "%s", error.text);
			return CLI_NO_BROKER;
		}
		if (session->global.json)
			printf("{\"id\":\"%s\",\"zone\":\"%s\",\"revision\":%lld}\n", id, zone,
				(long long)standing.revision + 1);
		else
			printf("Đã rút %s ở khu vực %s\n", id, zone);
	}
	if (standing.live == 0 && !session->global.json)
		printf("%s đã được rút từ trước\n", id);
	return CLI_DONE;
}

static enum cli_status run_withdraw(struct session *session, int argc, char **argv)
{
	enum cli_status status;

	if (!session_open(session, argc, argv, NULL, &status))
		return status;
	const char *id = session->arguments[0];
	if (!announcement_id_valid(id, strlen(id))) {
		complain(session, "“%.100s” không phải là mã bản tin hợp lệ", id);
		return CLI_USAGE;
	}
	_cleanup_(freep) char *topic = xasprintf("zone/+/announce/%s", id);
	const char *const topics[] = { topic };
	_cleanup_(gathered_done) struct gathered gathered = { 0 };
	_cleanup_(broker_disconnectp) struct broker *broker = NULL;
	if (!gather(session, topics, 1, &gathered, &broker, &status))
		return status;
	if (gathered.count == 0) {
		complain(
			session, "không có bản tin “%s” trên broker (đã hết hạn, hay sai mã?)", id);
		return CLI_REFUSED;
	}
	return withdraw_in_zones(session, broker, id, &gathered);
}

const struct command command_withdraw = {
	.name = "withdraw",
	.arguments = "MÃ",
	.summary = "Rút một bản tin: đang chờ thì hủy, đang phát thì ngừng",
	.minimum = 1,
	.maximum = 1,
	.run = run_withdraw,
};
