/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang schedule: recurring broadcasts: put one onto the broker, list them, take one away. */
#include "cli/schedule_file.h"
#include "cli/schedule.h"

#include "base/clock.h"
#include "base/json.h"
#include "cli/planned.h"
#include "cli/replies.h"
#include "cli/table.h"
#include "scheduler/plan_format.h"
#include <errno.h>
#include <string.h>

/* As long as nodes keep one: for those that come back from repair with the schedule on their disk. */
#define WITHDRAWAL_KEPT_US (INT64_C(400) * 86400 * US_PER_SEC)

#define SCHEDULE(member) offsetof(struct schedule_options, member)
static const struct option_spec options_of_schedule[] = {
	{ "zone", 'z', OPTION_NAMES, SCHEDULE(zones), .value = "KHU-VỰC",
		.help = "put: khu vực nhận; list: chỉ khu vực này; delete: khi broker không còn "
			"lịch ấy; ghi được nhiều lần" },
	{ "yes", 'y', OPTION_FLAG, SCHEDULE(yes),
		.help = "put: gửi cả khi nội dung còn chỗ đáng ngờ, hay sẽ không lần nào được "
			"phát" },
	{ "timeout", '\0', OPTION_DURATION, SCHEDULE(timeout_us), .value = "KHOẢNG",
		.help = "put: chờ các máy trả lời lâu nhất chừng ấy (mặc định: 10s)" },
	{ 0 },
};

void schedule_standing_add(
	struct schedule_standing *standing, const struct gathered_message *message)
{
	_cleanup_(json_freep) struct json *json = json_parse(
		message->payload, message->length, NULL);
	int64_t revision = json_as_integer(json_get(json, "revision"), 1);

	standing->live += !json_as_bool(json_get(json, "withdrawn"), false);
	if (revision > standing->revision)
		standing->revision = revision;
}

/* --- list ------------------------------------------------------------------------------------ */

struct listing {
	struct session *session;
	const struct schedule_options *options;
	struct zones *zones;
	int64_t now_us;
	struct table table;
};

static void listing_done(struct listing *listing)
{
	table_done(&listing->table);
	zones_free(listing->zones);
}

static void list_as_json(
	const char *zone, const struct schedule *schedule, const char *next, const char *lunar)
{
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	json_write_begin_object(&out, NULL);
	json_write_string(&out, "id", schedule->id);
	json_write_string(&out, "zone", zone);
	json_write_integer(&out, "revision", schedule->revision);
	json_write_string(&out, "cron", schedule->cron);
	json_write_string(&out, "calendar", calendar_kind_names[schedule->calendar.kind]);
	json_write_string(&out, "next", next);
	json_write_string(&out, "lunar", lunar);
	json_write_string(&out, "title", schedule->announcement->title);
	json_write_end_object(&out);
	puts(out.text);
}

static void list_as_row(struct table *table, const char *zone, const struct schedule *schedule,
	const struct planned_row *next)
{
	char when[PLANNED_WHEN_SIZE] = "hết", lunar[PLANNED_LUNAR_SIZE] = "", revision[24];

	if (next->start) {
		planned_when(next, when);
		planned_lunar(next, lunar);
	}
	snprintf(revision, sizeof(revision), "%lld", (long long)schedule->revision);
	table_add(table, schedule->id);
	table_add(table, zone);
	table_add(table, revision);
	table_add(table, schedule->cron);
	table_add(table, schedule->calendar.kind == CALENDAR_LUNAR ? "âm lịch" : "dương lịch");
	table_add(table, when);
	table_add(table, lunar);
	table_add(table, schedule->announcement->title);
}

static void list_schedule(
	struct listing *listing, const char *zone, const struct schedule *schedule)
{
	char start[TIME_TEXT_SIZE], lunar[PLAN_LUNAR_SIZE];
	int64_t next_us = schedule_next(schedule, listing->now_us, NULL);
	struct planned_row next = { .start_us = next_us };

	if (next_us != TIME_NEVER) {
		plan_format_time(schedule->zone, next_us, start);
		next.start = start;
		if (plan_format_lunar(schedule->zone, next_us, lunar))
			next.lunar = lunar;
	}
	if (listing->session->global.json)
		list_as_json(zone, schedule, next.start, next.lunar);
	else
		list_as_row(&listing->table, zone, schedule, &next);
}

static bool is_wanted(const struct listing *listing, const char *zone)
{
	const struct option_names *zones = &listing->options->zones;

	for (size_t i = 0; i < zones->count; i++) {
		if (strcmp(zones->list[i], zone) == 0)
			return true;
	}
	return zones->count == 0;
}

static void list_message(struct listing *listing, const struct gathered_message *message)
{
	const struct schedule_defaults defaults = schedule_file_defaults(
		listing->session, listing->zones);
	_cleanup_(freep) char *zone = topic_level(message->topic, 1);
	_cleanup_(freep) char *id = topic_level(message->topic, 3);
	char ignored[ID_MAX_BYTES + 1];
	enum reason reason;
	struct error error;

	if (!is_wanted(listing, zone))
		return;
	_cleanup_(schedule_unrefp) struct schedule *schedule = schedule_parse(
		message->payload, message->length, id, &defaults, ignored, &reason, &error);
	if (!schedule)
		complain(listing->session, "lịch “%s” ở khu vực %s sai: %s", id, zone, error.text);
	else if (!schedule->withdrawal)
		list_schedule(listing, zone, schedule);
}

static enum cli_status list(
	struct session *session, const struct schedule_options *options, const char *argument)
{
	static const char *const topics[] = { "zone/+/schedule/+" };
	static const char *const titles[] = { "MÃ", "KHU VỰC", "BẢN", "QUY TẮC", "THEO", "LẦN TỚI",
		"ÂM LỊCH", "TIÊU ĐỀ" };
	_cleanup_(gathered_done) struct gathered gathered = { 0 };
	_cleanup_(broker_disconnectp) struct broker *broker = NULL;
	enum cli_status status;

	(void)argument;
	if (!gather(session, topics, countof(topics), &gathered, &broker, &status))
		return status;
	_cleanup_(listing_done) struct listing listing = { .session = session,
		.options = options,
		.zones = zones_new(),
		.now_us = clock_real_us() };
	table_init(&listing.table, countof(titles), titles);
	for (size_t i = 0; i < gathered.count; i++)
		list_message(&listing, &gathered.list[i]);
	if (!session->global.json && listing.table.count == listing.table.columns)
		puts("Chưa có lịch nào");
	table_print(&listing.table, stdout);
	if (gathered.count < GATHER_MESSAGES_MAX)
		return CLI_DONE;
	complain(session, "quá nhiều: chỉ xét được %d lịch đầu", GATHER_MESSAGES_MAX);
	return CLI_REFUSED;
}

/* --- delete ---------------------------------------------------------------------------------- */

static int withdraw(struct session *session, struct broker *broker, const char *zone,
	const char *id, int64_t revision, struct error *error)
{
	_cleanup_(freep) char *topic = topic_of(session, "zone/%s/schedule/%s", zone, id);
	_cleanup_(strbuf_done) struct strbuf payload = { 0 };

	json_write_begin_object(&payload, NULL);
	json_write_bool(&payload, "withdrawn", true);
	json_write_integer(&payload, "revision", revision);
	json_write_end_object(&payload);
	const struct broker_publication publication = { .topic = topic,
		.payload = payload.text,
		.retain = true,
		.expiry_us = WITHDRAWAL_KEPT_US };
	return broker_publish(broker, &publication, error);
}

static void print_deleted(
	const struct session *session, const char *zone, const char *id, int64_t revision)
{
	if (session->global.json)
		printf("{\"id\":\"%s\",\"zone\":\"%s\",\"revision\":%lld}\n", id, zone,
			(long long)revision);
	else
		printf("Đã bỏ lịch %s ở khu vực %s\n", id, zone);
}

static enum cli_status delete_in_zones(struct session *session, struct broker *broker,
	const char *id, const struct gathered *gathered)
{
	struct schedule_standing standing = { 0 };
	struct error error;

	for (size_t i = 0; i < gathered->count; i++)
		schedule_standing_add(&standing, &gathered->list[i]);
	if (standing.live == 0 && !session->global.json)
		printf("Lịch %s đã được bỏ từ trước\n", id);
	/* A zone that has the withdrawal already gets the new one too: all stay in step. */
	for (size_t i = 0; standing.live > 0 && i < gathered->count; i++) {
		_cleanup_(freep) char *zone = topic_level(gathered->list[i].topic, 1);
		int result = withdraw(session, broker, zone, id, standing.revision + 1, &error);
		if (result < 0) {
			complain(session, "%s", error.text);
			return result == -EACCES ? CLI_REFUSED : CLI_NO_BROKER;
		}
		print_deleted(session, zone, id, standing.revision + 1);
	}
	return CLI_DONE;
}

/* A broker that has lost its data says nothing, and nodes go on: the zones are named then, and the
 * revision is one that no office has come to by counting. */
static enum cli_status delete_unseen(struct session *session, struct broker *broker,
	const struct option_names *zones, const char *id)
{
	int64_t revision = clock_real_us() / US_PER_SEC;
	struct error error;

	for (size_t i = 0; i < zones->count; i++) {
		int result = withdraw(session, broker, zones->list[i], id, revision, &error);
		if (result < 0) {
			complain(session, "%s", error.text);
			return result == -EACCES ? CLI_REFUSED : CLI_NO_BROKER;
		}
		print_deleted(session, zones->list[i], id, revision);
	}
	return CLI_DONE;
}

static enum cli_status delete_schedule(
	struct session *session, const struct schedule_options *options, const char *id)
{
	_cleanup_(gathered_done) struct gathered gathered = { 0 };
	_cleanup_(broker_disconnectp) struct broker *broker = NULL;
	enum cli_status status;

	if (!name_valid(id, strlen(id))) {
		complain(session, "“%.100s” không phải là mã lịch hợp lệ", id);
		return CLI_USAGE;
	}
	_cleanup_(freep) char *topic = xasprintf("zone/+/schedule/%s", id);
	const char *const topics[] = { topic };
	if (!gather(session, topics, countof(topics), &gathered, &broker, &status))
		return status;
	if (gathered.count == 0 && options->zones.count > 0)
		return delete_unseen(session, broker, &options->zones, id);
	if (options->zones.count > 0) {
		complain(session,
			"delete bỏ lịch ở mọi khu vực; --zone chỉ dùng khi broker không còn "
			"lịch ấy mà các máy vẫn phát");
		return CLI_USAGE;
	}
	if (gathered.count == 0) {
		complain(session,
			"không có lịch “%s” trên broker (nếu broker đã mất dữ liệu mà các máy vẫn "
			"phát: thêm --zone KHU-VỰC)",
			id);
		return CLI_REFUSED;
	}
	return delete_in_zones(session, broker, id, &gathered);
}

/* --- The command ----------------------------------------------------------------------------- */

static const struct operation {
	const char *name;
	const char *argument; /* NULL: none */
	enum cli_status (*run)(struct session *session, const struct schedule_options *options,
		const char *argument);
} operations[] = {
	{ "put", "TỆP", schedule_put },
	{ "list", NULL, list },
	{ "delete", "MÃ", delete_schedule },
};

static enum cli_status run_schedule(struct session *session, int argc, char **argv)
{
	struct schedule_options options = { .timeout_us = REPLIES_ACCEPTED_US };
	enum cli_status status;

	if (!session_open(session, argc, argv, &options, &status))
		return status;
	for (size_t i = 0; i < countof(operations); i++) {
		const struct operation *operation = &operations[i];
		int wanted = operation->argument ? 2 : 1;
		if (strcmp(session->arguments[0], operation->name) != 0)
			continue;
		if (session->count == wanted)
			return operation->run(session, &options, session->arguments[wanted - 1]);
		if (session->count < wanted)
			complain(session, "%s: thiếu %s", operation->name, operation->argument);
		else
			complain(session, "thừa “%.80s”", session->arguments[wanted]);
		return CLI_USAGE;
	}
	complain(session, "không có việc “%.80s” (chỉ có: put, list, delete)",
		session->arguments[0]);
	return CLI_USAGE;
}

const struct command command_schedule = {
	.name = "schedule",
	.arguments = "put TỆP | list | delete MÃ",
	.summary = "Lịch phát lặp lại: gửi, kể, bỏ",
	.options = options_of_schedule,
	.minimum = 1,
	.maximum = 2,
	.run = run_schedule,
};
