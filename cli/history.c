/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loalang history: what every loudspeaker has played, and why not. Each node that is known is asked
 * (docs/PROTOCOL.md, "Requests"), all at the same time, page after page.
 */
#include "base/clock.h"
#include "base/json.h"
#include "cli/gather.h"
#include "cli/inquiry.h"
#include "cli/records.h"
#include "cli/when.h"
#include <errno.h>
#include <string.h>

#define SINCE_DEFAULT "24h"

struct history_options {
	const char *since, *until, *output, *id;
	struct option_names zones;
	int64_t timeout_us;
	bool csv, all;
};

#define HISTORY(member) offsetof(struct history_options, member)
static const struct option_spec options_of_history[] = {
	{ "since", '\0', OPTION_TEXT, HISTORY(since), .value = "LÚC",
		.help = "từ lúc nào: RFC 3339, hoặc 6h, 2d trở lại, “hôm nay” (mặc định: 24h)" },
	{ "until", '\0', OPTION_TEXT, HISTORY(until), .value = "LÚC",
		.help = "tới trước lúc nào, cũng viết như thế (mặc định: bây giờ)" },
	{ "zone", 'z', OPTION_NAMES, HISTORY(zones), .value = "KHU-VỰC",
		.help = "chỉ các loa của khu vực; ghi được nhiều lần" },
	{ "output", '\0', OPTION_NAME, HISTORY(output), .value = "LOA", .help = "chỉ loa này" },
	{ "id", '\0', OPTION_ID, HISTORY(id), .value = "MÃ", .help = "chỉ bản tin này" },
	{ "all", 'a', OPTION_FLAG, HISTORY(all),
		.help = "mọi biên nhận, cả đã nhận, bắt đầu, phát tiếp (--json: luôn như thế)" },
	{ "csv", '\0', OPTION_FLAG, HISTORY(csv), .help = "in CSV (RFC 4180) thay cho bảng" },
	{ "timeout", '\0', OPTION_DURATION, HISTORY(timeout_us), .value = "KHOẢNG",
		.help = "chờ mỗi trang trả lời lâu nhất chừng ấy (mặc định: 5s)" },
	{ 0 },
};

struct history {
	struct session *session;
	struct history_options options;
	int64_t since_us, until_us; /* TIME_UNSET: none */
	struct inquiries inquiries; /* the cursor: the sequence of the last receipt that has come */
	struct records records;
};

static void history_done(struct history *history)
{
	inquiries_done(&history->inquiries);
	records_done(&history->records);
}

/* --- Which outputs --------------------------------------------------------------------------- */

static const char *text_of(const struct json *object, const char *key)
{
	return json_as_string(json_get(object, key), "");
}

static bool is_restricted(const struct history *history)
{
	return history->options.output || history->options.zones.count > 0;
}

/* Whether the output of this name (NULL: any output) of the node is asked for. */
static bool is_wanted(
	const struct history *history, const struct inquiry *inquiry, const char *name)
{
	const struct history_options *options = &history->options;

	if (name && options->output && strcmp(name, options->output) != 0)
		return false;
	return inquiry_serves(inquiry, name ? name : options->output, &options->zones);
}

/* --- What comes in --------------------------------------------------------------------------- */

static void add_receipts(
	struct history *history, const struct inquiry *inquiry, const struct json *receipts)
{
	bool all = history->options.all || history->session->global.json;

	for (size_t i = 0; i < json_array_length(receipts); i++) {
		const struct json *receipt = json_at(receipts, i);
		const char *output = json_as_string(json_get(receipt, "output"), NULL);
		/* What a node says as a whole is of no zone. */
		if (is_restricted(history) && (!output || !is_wanted(history, inquiry, output)))
			continue;
		(void)records_add(&history->records, receipt, all);
	}
}

static int64_t take_answer(
	const struct inquiry *inquiry, const struct json *answer, bool *ret_more, void *context)
{
	struct history *history = context;
	int64_t after = json_as_integer(json_get(answer, "after"), -1);

	*ret_more = json_as_bool(json_get(answer, "more"), false);
	if (after >= 0)
		add_receipts(history, inquiry, json_get(answer, "receipts"));
	return after;
}

/* --- Asking ---------------------------------------------------------------------------------- */

static char *format_question(const struct inquiry *inquiry, void *context)
{
	const struct history *history = context;
	struct strbuf out = { 0 };

	json_write_begin_object(&out, NULL);
	json_write_time(&out, "since", history->since_us);
	if (history->until_us != TIME_UNSET)
		json_write_time(&out, "until", history->until_us);
	if (history->options.output)
		json_write_string(&out, "output", history->options.output);
	if (history->options.id)
		json_write_string(&out, "id", history->options.id);
	json_write_integer(&out, "after", inquiry->cursor);
	json_write_end_object(&out);
	return strbuf_take(&out);
}

/* --- Who is asked ---------------------------------------------------------------------------- */

static void add_node(struct history *history, char *node, struct json *status)
{
	struct inquiry *inquiry = inquiries_add(&history->inquiries, node, status, 0);

	/* The last will does not say which outputs a node has: it may have the one. */
	if (inquiry->state == INQUIRY_TO_ASK && is_restricted(history) &&
		!is_wanted(history, inquiry, NULL))
		inquiry->state = INQUIRY_DONE;
}

/* node/<node>/status and zone/<zone>/announce/<id> */
static void sort_out(struct history *history, const struct gathered *gathered)
{
	for (size_t i = 0; i < gathered->count; i++) {
		const struct gathered_message *message = &gathered->list[i];
		_cleanup_(freep) char *what = topic_level(message->topic, 0);
		_cleanup_(freep) char *node = topic_level(message->topic, 1);
		_cleanup_(freep) char *id = topic_level(message->topic, 3);
		_cleanup_(json_freep) struct json *json = json_parse(
			message->payload, message->length, NULL);
		if (strcmp(what, "node") == 0 && json)
			add_node(history, hand_over(node), hand_over(json));
		else if (*text_of(json, "title"))
			records_add_title(&history->records, id, text_of(json, "title"));
	}
}

/* --- What is shown --------------------------------------------------------------------------- */

static void show(const struct history *history)
{
	const struct records *records = &history->records;
	_cleanup_(strbuf_done) struct strbuf csv = { 0 };
	struct table table;

	if (history->options.csv) {
		records_csv(records, &csv);
		fputs(csv.text, stdout);
	} else if (history->session->global.json) {
		for (size_t i = 0; i < records->count; i++)
			puts(records->list[i].json);
	} else if (records->count == 0) {
		puts("Không có gì được ghi lại trong khoảng này");
	} else {
		records_fill(records, &table);
		table_print(&table, stdout);
		table_done(&table);
	}
	if (records->left_out > 0)
		complain(history->session, "quá nhiều: %zu biên nhận bị bỏ, hãy thu hẹp khoảng",
			records->left_out);
}

/* --- The command ----------------------------------------------------------------------------- */

static int parse_instant(
	const struct history *history, const char *option, const char *text, int64_t *ret_us)
{
	struct error error;
	int result = when_parse(text, clock_real_us(), ret_us, &error);

	if (result < 0)
		complain(history->session, "--%s: %s", option, error.text);
	return result;
}

static bool check_options(struct history *history)
{
	const struct history_options *options = &history->options;

	if (options->csv && history->session->global.json) {
		complain(history->session, "--csv và --json không đi cùng nhau");
		return false;
	}
	return parse_instant(history, "since", options->since, &history->since_us) == 0 &&
	       (!options->until ||
		       parse_instant(history, "until", options->until, &history->until_us) == 0);
}

static enum cli_status run_history(struct session *session, int argc, char **argv)
{
	static const char *const topics[] = { "node/+/status", "zone/+/announce/+" };
	_cleanup_(history_done) struct history history = { .session = session,
		.options = { .since = SINCE_DEFAULT, .timeout_us = INQUIRY_TIMEOUT_US },
		.until_us = TIME_UNSET };
	_cleanup_(gathered_done) struct gathered gathered = { 0 };
	_cleanup_(broker_disconnectp) struct broker *broker = NULL;
	enum cli_status status;
	struct error error;

	if (!session_open(session, argc, argv, &history.options, &status))
		return status;
	if (!check_options(&history))
		return CLI_USAGE;
	if (!gather(session, topics, countof(topics), &gathered, &broker, &status))
		return status;
	history.inquiries = (struct inquiries){ .session = session,
		.what = "history",
		.timeout_us = history.options.timeout_us,
		.question = format_question,
		.take = take_answer,
		.context = &history };
	sort_out(&history, &gathered);
	gathered.on_live = inquiries_on_message;
	gathered.context = &history.inquiries;
	int result = inquiries_ask(&history.inquiries, broker, &error);
	if (result < 0)
		complain(session, "%s", error.text);
	records_sort(&history.records);
	show(&history);
	status = inquiries_conclude(&history.inquiries);
	if (history.records.left_out > 0)
		status = CLI_REFUSED;
	return result < 0 ? (result == -EACCES ? CLI_REFUSED : CLI_NO_BROKER) : status;
}

const struct command command_history = {
	.name = "history",
	.arguments = "",
	.summary = "Các loa đã phát những gì, lúc nào, bao lâu, vì sao không",
	.options = options_of_history,
	.run = run_history,
};
