/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang schedule put: a schedule onto the broker, after a look at what will become of it. */
#include "base/json.h"
#include "base/strbuf.h"
#include "cli/preview.h"
#include "cli/replies.h"
#include "cli/schedule.h"
#include "cli/schedule_file.h"
#include <errno.h>
#include <string.h>

struct put {
	struct session *session;
	const struct schedule_options *options;
	struct option_names targets; /* zones */
	struct zones *zones;
	struct schedule *schedule; /* as it is published */
	struct json *json;         /* as it was written */
	struct gathered gathered;
};

static void put_done(struct put *put)
{
	gathered_done(&put->gathered);
	json_free(put->json);
	schedule_unref(put->schedule);
	zones_free(put->zones);
}

/* --- The revision ---------------------------------------------------------------------------- */

static void copy_member(const char *key, const struct json *value, void *context)
{
	_cleanup_(freep) char *text = json_text(value);

	if (strcmp(key, "revision") != 0)
		json_write_raw(context, key, text);
}

/* The schedule with that revision; the caller frees. */
static char *with_revision(const struct json *schedule, int64_t revision)
{
	struct strbuf out = { 0 };

	json_write_begin_object(&out, NULL);
	json_write_integer(&out, "revision", revision);
	json_each(schedule, copy_member, &out);
	json_write_end_object(&out);
	return strbuf_take(&out);
}

static bool is_schedule(const struct gathered_message *message)
{
	return strncmp(message->topic, "zone/", 5) == 0;
}

static bool is_target(const struct put *put, const char *zone)
{
	for (size_t i = 0; i < put->targets.count; i++) {
		if (strcmp(put->targets.list[i], zone) == 0)
			return true;
	}
	return false;
}

static bool says_the_same(const struct put *put, const struct gathered_message *message)
{
	_cleanup_(json_freep) struct json *there = json_parse(
		message->payload, message->length, NULL);
	_cleanup_(freep) char *one = with_revision(put->json, 1);
	_cleanup_(freep) char *other = with_revision(there, 1);

	return strcmp(one, other) == 0;
}

/* Whether each zone it is meant for has it already, just as it is. */
static bool is_there(const struct put *put)
{
	size_t same = 0;

	for (size_t i = 0; i < put->gathered.count; i++) {
		const struct gathered_message *message = &put->gathered.list[i];
		_cleanup_(freep) char *zone = topic_level(message->topic, 1);
		if (is_schedule(message) && is_target(put, zone) && says_the_same(put, message))
			same++;
	}
	return same == put->targets.count;
}

static void name_other_zones(const struct put *put)
{
	for (size_t i = 0; i < put->gathered.count; i++) {
		const struct gathered_message *message = &put->gathered.list[i];
		_cleanup_(freep) char *zone = topic_level(message->topic, 1);
		struct schedule_standing one = { 0 };
		if (!is_schedule(message) || is_target(put, zone))
			continue;
		schedule_standing_add(&one, message);
		if (one.live > 0)
			complain(put->session,
				"chú ý: lịch này còn bản %lld ở khu vực %s, không thay đổi",
				(long long)one.revision, zone);
	}
}

/* Takes the schedule as it will be published. */
static bool set_revision(struct put *put, int64_t revision)
{
	const struct schedule_defaults defaults = schedule_file_defaults(put->session, put->zones);
	_cleanup_(freep) char *text = with_revision(put->json, revision);
	char id[ID_MAX_BYTES + 1];
	enum reason reason;
	struct error error;

	struct schedule *schedule = schedule_parse(
		text, strlen(text), put->schedule->id, &defaults, id, &reason, &error);
	if (!schedule) {
		complain(put->session, "%s", error.text);
		return false;
	}
	schedule_unref(put->schedule);
	put->schedule = schedule;
	return true;
}

/* False with *ret_status: it is there already, or is older than what is there. */
static bool choose_revision(struct put *put, enum cli_status *ret_status)
{
	const struct session *session = put->session;
	bool given = json_get(put->json, "revision");
	const char *id = put->schedule->id;
	struct schedule_standing standing = { 0 };

	for (size_t i = 0; i < put->gathered.count; i++) {
		if (is_schedule(&put->gathered.list[i]))
			schedule_standing_add(&standing, &put->gathered.list[i]);
	}
	long long highest = standing.revision;
	*ret_status = CLI_REFUSED;
	if (given && put->schedule->revision <= highest) {
		complain(session, "%s: bản %lld trong tệp không mới hơn bản %lld trên broker", id,
			(long long)put->schedule->revision, highest);
		return false;
	}
	if (!given && is_there(put)) {
		*ret_status = CLI_DONE;
		if (session->global.json)
			printf("{\"id\":\"%s\",\"revision\":%lld,\"unchanged\":true}\n", id,
				highest);
		else
			printf("Lịch %s đã có sẵn trên broker, đúng như vậy (bản %lld)\n", id,
				highest);
		return false;
	}
	return set_revision(put, given ? put->schedule->revision : standing.revision + 1);
}

/* --- Before it is sent ----------------------------------------------------------------------- */

static bool check_text(const struct put *put, const char *path)
{
	struct error error;
	size_t doubtful = 0;

	if (schedule_file_check(put->session, put->schedule, &doubtful, &error) < 0) {
		complain(put->session, "%s: %s", path, error.text);
		return false;
	}
	if (doubtful == 0 || put->options->yes)
		return true;
	complain(put->session,
		"chưa gửi: nội dung còn %zu chỗ đáng ngờ; sửa lại, hoặc thêm --yes để vẫn gửi",
		doubtful);
	return false;
}

static bool is_worth_it(const struct put *put, const struct preview *preview)
{
	static const char *const whys[] = {
		[PREVIEW_FINE] = NULL,
		[PREVIEW_UNKNOWN] = NULL,
		[PREVIEW_NEVER] = "lịch này không còn lần nào để phát",
		[PREVIEW_SILENT] =
			"mọi lần sắp tới đều không phát được, hay phải chờ hết giờ yên lặng",
	};
	enum preview_verdict verdict = preview_verdict(preview);

	if (!put->session->global.json)
		preview_print(preview);
	if (verdict == PREVIEW_UNKNOWN)
		complain(put->session, "chú ý: chưa biết loa nào ở khu vực này");
	if (!whys[verdict])
		return true;
	complain(put->session, put->options->yes ? "chú ý: %s" : "chưa gửi: %s (--yes: vẫn gửi)",
		whys[verdict]);
	return put->options->yes;
}

/* --- Sending --------------------------------------------------------------------------------- */

static int publish(const struct put *put, struct broker *broker, struct error *error)
{
	for (size_t i = 0; i < put->targets.count; i++) {
		_cleanup_(freep) char *topic = topic_of(put->session, "zone/%s/schedule/%s",
			put->targets.list[i], put->schedule->id);
		const struct broker_publication publication = {
			.topic = topic, .payload = put->schedule->json, .retain = true
		};
		int result = broker_publish(broker, &publication, error);
		if (result < 0)
			return result;
	}
	return 0;
}

/* Who is known from what was gathered. */
static void count_nodes(const struct put *put, struct tally *tally)
{
	for (size_t i = 0; i < put->gathered.count; i++) {
		const struct gathered_message *message = &put->gathered.list[i];
		_cleanup_(freep) char *node = topic_level(message->topic, 1);
		_cleanup_(json_freep) struct json *status = json_parse(
			message->payload, message->length, NULL);
		if (!is_schedule(message) && status)
			tally_add_status(tally, node, status, true);
	}
}

static enum cli_status send_and_wait(
	const struct put *put, struct replies *replies, struct broker *broker)
{
	struct error error;
	int result = replies_listen(replies, broker, &error);

	if (result == 0)
		result = publish(put, broker, &error);
	if (result == 0)
		return replies_await(replies, broker, put->options->timeout_us);
	complain(put->session, "%s", error.text);
	return result == -EACCES || result == -EMSGSIZE ? CLI_REFUSED : CLI_NO_BROKER;
}

static enum cli_status send_it(struct put *put, struct broker *broker)
{
	const struct tally_config config = { .id = put->schedule->id,
		.revision = put->schedule->revision,
		.zones = put->targets.list,
		.zones_count = put->targets.count,
		.wait = TALLY_ACCEPTED };
	_cleanup_(tally_freep) struct tally *tally = tally_new(&config);
	_cleanup_(freep) char *title = xasprintf(
		"Lịch %s, bản %lld", put->schedule->id, (long long)put->schedule->revision);
	struct replies replies = { .session = put->session,
		.tally = tally,
		.wait = TALLY_ACCEPTED,
		.title = title,
		.published = true };

	count_nodes(put, tally);
	put->gathered.on_live = replies_on_message;
	put->gathered.context = &replies;
	enum cli_status status = send_and_wait(put, &replies, broker);
	put->gathered.on_live = NULL;
	put->gathered.context = NULL;
	return status;
}

static enum cli_status put_it(struct put *put)
{
	_cleanup_(freep) char *topic = xasprintf("zone/+/schedule/%s", put->schedule->id);
	const char *const topics[] = { topic, "node/+/status" };
	_cleanup_(broker_disconnectp) struct broker *broker = NULL;
	enum cli_status status;
	struct error error;

	if (!gather(put->session, topics, countof(topics), &put->gathered, &broker, &status))
		return status;
	if (!choose_revision(put, &status))
		return status;
	name_other_zones(put);
	_cleanup_(preview_done) struct preview preview = {
		.session = put->session, .schedule = put->schedule, .zones = &put->targets
	};
	if (preview_make(&preview, broker, &put->gathered, &error) < 0) {
		complain(put->session, "%s", error.text);
		return CLI_NO_BROKER;
	}
	if (!is_worth_it(put, &preview))
		return CLI_REFUSED;
	return send_it(put, broker);
}

enum cli_status schedule_put(
	struct session *session, const struct schedule_options *options, const char *path)
{
	_cleanup_(put_done) struct put put = { .session = session,
		.options = options,
		.targets = options->zones,
		.zones = zones_new() };
	struct error error;

	if (put.targets.count == 0)
		put.targets.list[put.targets.count++] = "all";
	put.schedule = schedule_file_read(session, put.zones, path, &error);
	if (!put.schedule) {
		complain(session, "%s", error.text);
		return CLI_REFUSED;
	}
	put.json = json_parse(put.schedule->json, strlen(put.schedule->json), NULL);
	if (!check_text(&put, path))
		return CLI_REFUSED;
	return put_it(&put);
}
