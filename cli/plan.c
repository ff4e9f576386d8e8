/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loalang plan: what the schedules will make sound, and what would hold or veto it. Of files: planned
 * here, without a broker. Else every node that is known is asked (docs/PROTOCOL.md, "Requests").
 */
#include "base/clock.h"
#include "cli/agenda.h"
#include "cli/gather.h"
#include "cli/inquiry.h"
#include "cli/outlook.h"
#include "cli/schedule_file.h"
#include "cli/when.h"
#include <errno.h>
#include <string.h>
#include <time.h>

#define DAYS_DEFAULT 7
#define DAY_US       (INT64_C(86400) * US_PER_SEC)

struct plan_options {
	struct option_texts files;
	struct option_names zones;
	const char *from, *output, *month;
	int days;
	int64_t timeout_us;
	bool ics;
};

#define PLAN(member) offsetof(struct plan_options, member)
static const struct option_spec options_of_plan[] = {
	{ "from", '\0', OPTION_TEXT, PLAN(from), .value = "LÚC",
		.help = "từ lúc nào: 2026-12-01, RFC 3339, “hôm nay”, “ngày mai” (mặc định: bây "
			"giờ)" },
	{ "days", '\0', OPTION_INTEGER, PLAN(days), 1, PLAN_DAYS_MAX, .value = "SỐ",
		.help = "bao nhiêu ngày (mặc định: 7)" },
	{ "month", '\0', OPTION_MAYBE, PLAN(month), .value = "[THÁNG]",
		.help = "cả một tháng, như tờ lịch: 2026-12 (mặc định: tháng này)" },
	{ "schedule", '\0', OPTION_TEXTS, PLAN(files), .value = "TỆP",
		.help = "chỉ xét lịch trong tệp này, không cần broker; ghi được nhiều lần" },
	{ "zone", 'z', OPTION_NAMES, PLAN(zones), .value = "KHU-VỰC",
		.help = "chỉ các loa của khu vực; ghi được nhiều lần (mặc định: mọi loa)" },
	{ "output", '\0', OPTION_NAME, PLAN(output), .value = "LOA", .help = "chỉ loa này" },
	{ "ics", '\0', OPTION_FLAG, PLAN(ics),
		.help = "in iCalendar (RFC 5545) thay cho bảng: cho điện thoại, máy tính" },
	{ "timeout", '\0', OPTION_DURATION, PLAN(timeout_us), .value = "KHOẢNG",
		.help = "chờ mỗi máy trả lời mỗi trang lâu nhất chừng ấy (mặc định: 5s)" },
	{ 0 },
};

struct plan_command {
	struct session *session;
	struct plan_options options;
	int year, month; /* 0: not a month's view */
	int64_t from_us, until_us;
	struct planned planned;
	struct agenda agenda;
	struct inquiries inquiries; /* the cursor: an instant up to which rows have come */
};

static void plan_command_done(struct plan_command *plan)
{
	planned_done(&plan->planned);
	agenda_done(&plan->agenda);
	inquiries_done(&plan->inquiries);
}

/* --- Which days ------------------------------------------------------------------------------ */

/* `text` "": the current one. */
static bool choose_month(struct plan_command *plan, const char *text)
{
	time_t now = (time_t)(clock_real_us() / US_PER_SEC);
	struct error error;
	struct tm local;

	localtime_r(&now, &local);
	plan->year = local.tm_year + 1900;
	plan->month = local.tm_mon + 1;
	if (*text && when_parse_month(text, &plan->year, &plan->month, &error) < 0) {
		complain(plan->session, "--month: %s", error.text);
		return false;
	}
	plan->from_us = when_midnight_us(plan->year, plan->month, 1);
	plan->until_us = when_midnight_us(plan->year, plan->month + 1, 1);
	return true;
}

static bool choose_days(struct plan_command *plan)
{
	const struct plan_options *options = &plan->options;
	struct error error;

	plan->from_us = clock_real_us();
	if (options->from &&
		when_parse_from(options->from, clock_real_us(), &plan->from_us, &error) < 0) {
		complain(plan->session, "--from: %s", error.text);
		return false;
	}
	plan->until_us = when_days_later_us(
		plan->from_us, options->days ? options->days : DAYS_DEFAULT);
	return true;
}

static bool check_options(struct plan_command *plan)
{
	const struct plan_options *options = &plan->options;
	const struct session *session = plan->session;

	if (options->ics && session->global.json) {
		complain(session, "--ics và --json không đi cùng nhau");
		return false;
	}
	if (options->month && (options->from || options->days)) {
		complain(session, "--month không đi cùng --from hay --days");
		return false;
	}
	/* "--month 2026-12": the month is an argument of its own. */
	if (session->count > 0 && !(options->month && *options->month == '\0')) {
		complain(session, "thừa “%.80s” (tháng thì viết sau --month)",
			session->arguments[0]);
		return false;
	}
	if (!options->month)
		return choose_days(plan);
	return choose_month(plan, session->count > 0 ? session->arguments[0] : options->month);
}

/* --- Of files -------------------------------------------------------------------------------- */

struct files {
	struct zones *zones;
	struct schedule *list[OPTION_TEXTS_MAX];
	size_t count;
};

static void files_done(struct files *files)
{
	for (size_t i = 0; i < files->count; i++)
		schedule_unref(files->list[i]);
	zones_free(files->zones);
}

static bool read_file(struct plan_command *plan, struct files *files, const char *path)
{
	struct session *session = plan->session;
	struct error error;
	struct schedule *schedule = schedule_file_read(session, files->zones, path, &error);

	if (!schedule) {
		complain(session, "%s", error.text);
		return false;
	}
	files->list[files->count++] = schedule;
	if (schedule_file_check(session, schedule, NULL, &error) < 0) {
		complain(session, "%s: %s", path, error.text);
		return false;
	}
	for (size_t i = 0; i + 1 < files->count; i++) {
		if (strcmp(files->list[i]->id, schedule->id) == 0) {
			complain(session, "%s: id: đã có một lịch “%s” trong tệp khác", path,
				schedule->id);
			return false;
		}
	}
	_cleanup_(json_freep) struct json *json = json_parse(
		schedule->json, strlen(schedule->json), NULL);
	agenda_add(&plan->agenda, schedule->id, json);
	return true;
}

static enum cli_status plan_files(struct plan_command *plan)
{
	struct session *session = plan->session;
	_cleanup_(files_done) struct files files = { .zones = zones_new() };
	const struct outlook outlook = { .session = session,
		.schedules = files.list,
		.zones = &plan->options.zones,
		.output = plan->options.output };

	if (!outlook_possible(&outlook)) {
		complain(session, "không loa nào trong cấu hình có tên hay khu vực ấy");
		return CLI_USAGE;
	}
	bool fine = true;
	for (size_t i = 0; i < plan->options.files.count; i++)
		fine &= read_file(plan, &files, plan->options.files.list[i]);
	if (!fine)
		return CLI_REFUSED;
	struct outlook whole = outlook;
	whole.count = files.count;
	if (outlook_plan(&whole, plan->from_us, plan->until_us, &plan->planned) < plan->until_us)
		plan->planned.left_out++;
	return CLI_DONE;
}

/* --- Of nodes -------------------------------------------------------------------------------- */

static char *format_question(const struct inquiry *inquiry, void *context)
{
	const struct plan_command *plan = context;
	int64_t days = (plan->until_us - inquiry->cursor + DAY_US - 1) / DAY_US;
	struct strbuf out = { 0 };

	json_write_begin_object(&out, NULL);
	json_write_time(&out, "from", inquiry->cursor);
	json_write_integer(&out, "days", days < PLAN_DAYS_MAX ? days : PLAN_DAYS_MAX);
	if (plan->options.output)
		json_write_string(&out, "output", plan->options.output);
	json_write_end_object(&out);
	return strbuf_take(&out);
}

static int64_t take_answer(
	const struct inquiry *inquiry, const struct json *answer, bool *ret_more, void *context)
{
	struct plan_command *plan = context;
	const struct json *rows = json_get(answer, "rows");
	int64_t until_us = 0;

	if (time_parse(json_as_string(json_get(answer, "until"), ""), &until_us, NULL) < 0)
		return -1;
	for (size_t i = 0; i < json_array_length(rows); i++) {
		const struct json *row = json_at(rows, i);
		const char *output = json_as_string(json_get(row, "output"), NULL);
		int64_t start_us = 0;
		if (time_parse(json_as_string(json_get(row, "start"), ""), &start_us, NULL) < 0)
			return -1;
		if (start_us < inquiry->cursor || start_us >= plan->until_us ||
			!inquiry_serves(inquiry, output, &plan->options.zones))
			continue;
		if (!planned_add(&plan->planned, inquiry->node, row))
			return -1;
	}
	*ret_more = json_as_bool(json_get(answer, "more"), false) && until_us < plan->until_us;
	return until_us;
}

static void add_node(struct plan_command *plan, char *node, struct json *status)
{
	struct inquiry *inquiry = inquiries_add(&plan->inquiries, node, status, plan->from_us);

	if (inquiry->state == INQUIRY_TO_ASK &&
		!inquiry_serves(inquiry, plan->options.output, &plan->options.zones))
		inquiry->state = INQUIRY_DONE;
}

/* node/<node>/status and zone/<zone>/schedule/<id> */
static void sort_out(struct plan_command *plan, const struct gathered *gathered)
{
	for (size_t i = 0; i < gathered->count; i++) {
		const struct gathered_message *message = &gathered->list[i];
		_cleanup_(freep) char *what = topic_level(message->topic, 0);
		_cleanup_(freep) char *node = topic_level(message->topic, 1);
		_cleanup_(freep) char *id = topic_level(message->topic, 3);
		_cleanup_(json_freep) struct json *json = json_parse(
			message->payload, message->length, NULL);
		if (strcmp(what, "zone") == 0)
			agenda_add(&plan->agenda, id, json);
		else if (json)
			add_node(plan, hand_over(node), hand_over(json));
	}
}

static enum cli_status plan_nodes(struct plan_command *plan)
{
	static const char *const topics[] = { "node/+/status", "zone/+/schedule/+" };
	struct session *session = plan->session;
	_cleanup_(gathered_done) struct gathered gathered = { 0 };
	_cleanup_(broker_disconnectp) struct broker *broker = NULL;
	enum cli_status status;
	struct error error;

	if (!session_has_site(session))
		return CLI_USAGE;
	/* What the schedules say is only told in a calendar. */
	if (!gather(session, topics, plan->options.ics ? 2 : 1, &gathered, &broker, &status))
		return status;
	plan->inquiries = (struct inquiries){ .session = session,
		.what = "plan",
		.timeout_us = plan->options.timeout_us,
		.question = format_question,
		.take = take_answer,
		.context = plan };
	sort_out(plan, &gathered);
	gathered.on_live = inquiries_on_message;
	gathered.context = &plan->inquiries;
	int result = inquiries_ask(&plan->inquiries, broker, &error);
	if (result < 0)
		complain(session, "%s", error.text);
	status = inquiries_conclude(&plan->inquiries);
	return result < 0 ? (result == -EACCES ? CLI_REFUSED : CLI_NO_BROKER) : status;
}

/* --- What is shown --------------------------------------------------------------------------- */

static void show_month(const struct plan_command *plan)
{
	_cleanup_(strbuf_done) struct strbuf out = { 0 };
	size_t count = 0;
	_cleanup_(freep) struct month_entry *entries = planned_month(
		&plan->planned, plan->year, plan->month, &count);

	month_format(plan->year, plan->month, entries, count, &out);
	fputs(out.text, stdout);
}

static void show_table(const struct plan_command *plan)
{
	struct table table;

	if (plan->planned.count == 0) {
		puts("Không có buổi phát nào trong khoảng này");
		return;
	}
	planned_fill(&plan->planned, &table);
	table_print(&table, stdout);
	table_done(&table);
}

static void show(struct plan_command *plan)
{
	_cleanup_(strbuf_done) struct strbuf calendar = { 0 };

	planned_sort(&plan->planned);
	if (plan->options.ics) {
		agenda_format(&plan->agenda, &plan->planned, clock_real_us(), &calendar);
		fputs(calendar.text, stdout);
	} else if (plan->session->global.json) {
		for (size_t i = 0; i < plan->planned.count; i++)
			puts(plan->planned.list[i].json);
	} else if (plan->month) {
		show_month(plan);
	} else {
		show_table(plan);
	}
}

/* --- The command ----------------------------------------------------------------------------- */

static enum cli_status run_plan(struct session *session, int argc, char **argv)
{
	_cleanup_(plan_command_done) struct plan_command plan = { .session = session,
		.options = { .timeout_us = INQUIRY_TIMEOUT_US } };
	bool offline;
	enum cli_status status;

	if (!session_open(session, argc, argv, &plan.options, &status))
		return status;
	if (!check_options(&plan))
		return CLI_USAGE;
	offline = plan.options.files.count > 0;
	if (offline && plan.options.zones.count == 0)
		plan.options.zones.list[plan.options.zones.count++] = "all";
	status = offline ? plan_files(&plan) : plan_nodes(&plan);
	if (offline && status != CLI_DONE)
		return status;
	if (status == CLI_USAGE || (status == CLI_NO_BROKER && plan.planned.count == 0))
		return status;
	show(&plan);
	if (plan.planned.left_out > 0) {
		complain(session, "quá nhiều buổi phát: có phần bị bỏ, hãy thu hẹp khoảng");
		return CLI_REFUSED;
	}
	return status;
}

const struct command command_plan = {
	.name = "plan",
	.arguments = "[THÁNG]",
	.summary = "Sắp tới sẽ phát những gì theo lịch, và điều gì sẽ hoãn hay chặn nó",
	.options = options_of_plan,
	.offline = true,
	.maximum = 1,
	.run = run_plan,
};
