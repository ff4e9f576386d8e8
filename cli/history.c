/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loalang history: what every loudspeaker has played, and why not. Each node that is known is asked
 * (docs/PROTOCOL.md, "Requests"), all at the same time, page after page.
 */
#include "base/clock.h"
#include "base/json.h"
#include "cli/gather.h"
#include "cli/records.h"
#include "cli/when.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#define ANSWER_TIMEOUT_US (5 * US_PER_SEC) /* of one page */
#define SINCE_DEFAULT     "24h"
#define PAGES_MAX         10000 /* of a node: one that answers in circles is not followed */

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

enum inquiry_state {
	INQUIRY_TO_ASK, /* its next page is wanted */
	INQUIRY_ASKED,
	INQUIRY_DONE,
	INQUIRY_SILENT, /* off, or no answer in time */
	INQUIRY_FAILED, /* it has answered with an error */
};

struct inquiry { /* one node */
	char *node;
	struct json *status;
	enum inquiry_state state;
	unsigned page;
	int64_t after; /* the sequence of the last receipt that has come */
	int64_t until_mono_us;
};

struct history {
	struct session *session;
	struct history_options options;
	int64_t since_us, until_us; /* TIME_UNSET: none */
	char *reply_topic;
	struct inquiry *inquiries;
	size_t count;
	struct records records;
};

static void history_done(struct history *history)
{
	for (size_t i = 0; i < history->count; i++) {
		free(history->inquiries[i].node);
		json_free(history->inquiries[i].status);
	}
	free(history->inquiries);
	free(history->reply_topic);
	records_done(&history->records);
}

/* --- Which outputs --------------------------------------------------------------------------- */

static const char *text_of(const struct json *object, const char *key)
{
	return json_as_string(json_get(object, key), "");
}

static bool in_zones(const struct option_names *wanted, const struct json *zones)
{
	for (size_t i = 0; i < wanted->count; i++) {
		if (strcmp(wanted->list[i], "all") == 0)
			return true;
		for (size_t z = 0; z < json_array_length(zones); z++) {
			if (strcmp(wanted->list[i], json_as_string(json_at(zones, z), "")) == 0)
				return true;
		}
	}
	return wanted->count == 0;
}

static bool is_restricted(const struct history *history)
{
	return history->options.output || history->options.zones.count > 0;
}

/* Whether the output of this name (NULL: any output) of the node is asked for. */
static bool is_wanted(
	const struct history *history, const struct inquiry *inquiry, const char *name)
{
	const struct json *outputs = json_get(inquiry->status, "outputs");

	for (size_t i = 0; i < json_array_length(outputs); i++) {
		const struct json *output = json_at(outputs, i);
		const char *its_name = text_of(output, "name");
		if ((!name || strcmp(name, its_name) == 0) &&
			(!history->options.output ||
				strcmp(history->options.output, its_name) == 0) &&
			in_zones(&history->options.zones, json_get(output, "zones")))
			return true;
	}
	return false;
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

static void take_answer(struct history *history, struct inquiry *inquiry, const struct json *answer)
{
	const struct json *failure = json_get(answer, "error");
	int64_t after = json_as_integer(json_get(answer, "after"), -1);
	bool more = json_as_bool(json_get(answer, "more"), false);

	if (failure || after < 0) {
		complain(history->session, "máy %s không trả lời được: %s", inquiry->node,
			failure ? text_of(failure, "detail") : "câu trả lời không hiểu được");
		inquiry->state = INQUIRY_FAILED;
		return;
	}
	add_receipts(history, inquiry, json_get(answer, "receipts"));
	if (more && (after <= inquiry->after || inquiry->page == PAGES_MAX)) {
		complain(history->session, "máy %s trả lời vòng quanh", inquiry->node);
		inquiry->state = INQUIRY_FAILED;
		return;
	}
	inquiry->after = after;
	inquiry->page++;
	inquiry->state = more ? INQUIRY_TO_ASK : INQUIRY_DONE;
}

/* "ubnd/3": the node and the page. A late answer to what was asked before is not taken twice. */
static char *correlation_of(const struct inquiry *inquiry)
{
	return xasprintf("%s/%u", inquiry->node, inquiry->page);
}

static void on_answer(const struct broker_message *message, void *context)
{
	struct history *history = context;

	if (!message->correlation || strcmp(message->topic, history->reply_topic) != 0)
		return;
	for (size_t i = 0; i < history->count; i++) {
		struct inquiry *inquiry = &history->inquiries[i];
		_cleanup_(freep) char *correlation = correlation_of(inquiry);
		if (inquiry->state != INQUIRY_ASKED ||
			strcmp(correlation, message->correlation) != 0)
			continue;
		_cleanup_(json_freep) struct json *answer = json_parse(
			message->payload, message->length, NULL);
		take_answer(history, inquiry, answer);
	}
}

/* --- Asking ---------------------------------------------------------------------------------- */

static char *format_question(const struct history *history, const struct inquiry *inquiry)
{
	struct strbuf out = { 0 };

	json_write_begin_object(&out, NULL);
	json_write_time(&out, "since", history->since_us);
	if (history->until_us != TIME_UNSET)
		json_write_time(&out, "until", history->until_us);
	if (history->options.output)
		json_write_string(&out, "output", history->options.output);
	if (history->options.id)
		json_write_string(&out, "id", history->options.id);
	json_write_integer(&out, "after", inquiry->after);
	json_write_end_object(&out);
	return strbuf_take(&out);
}

static int ask(struct history *history, struct broker *broker, struct inquiry *inquiry,
	struct error *error)
{
	_cleanup_(freep) char *topic = topic_of(
		history->session, "node/%s/request/history", inquiry->node);
	_cleanup_(freep) char *payload = format_question(history, inquiry);
	_cleanup_(freep) char *correlation = correlation_of(inquiry);
	const struct broker_publication publication = { .topic = topic,
		.payload = payload,
		.response_topic = history->reply_topic,
		.correlation = correlation };

	/* Before it is sent: the answer may come while we wait for the broker's. */
	inquiry->state = INQUIRY_ASKED;
	inquiry->until_mono_us = clock_mono_us() + history->options.timeout_us;
	return broker_publish(broker, &publication, error);
}

/* The instant at which the next node has been silent for too long; 0: nobody is waited for. */
static int64_t next_timeout(const struct history *history)
{
	int64_t until_mono_us = 0;

	for (size_t i = 0; i < history->count; i++) {
		const struct inquiry *inquiry = &history->inquiries[i];
		if (inquiry->state == INQUIRY_ASKED &&
			(until_mono_us == 0 || inquiry->until_mono_us < until_mono_us))
			until_mono_us = inquiry->until_mono_us;
	}
	return until_mono_us;
}

/* A node wants to be asked, or none is waited for. */
static bool is_due(void *context)
{
	const struct history *history = context;

	for (size_t i = 0; i < history->count; i++) {
		if (history->inquiries[i].state == INQUIRY_TO_ASK)
			return true;
	}
	return next_timeout(history) == 0;
}

static int ask_all(struct history *history, struct broker *broker, struct error *error)
{
	int result = broker_subscribe(broker, history->reply_topic, 1, error);

	while (result >= 0) {
		for (size_t i = 0; i < history->count && result >= 0; i++) {
			struct inquiry *inquiry = &history->inquiries[i];
			if (inquiry->state == INQUIRY_TO_ASK)
				result = ask(history, broker, inquiry, error);
			else if (inquiry->state == INQUIRY_ASKED &&
				 inquiry->until_mono_us <= clock_mono_us())
				inquiry->state = INQUIRY_SILENT;
		}
		int64_t until_mono_us = next_timeout(history);
		if (result >= 0 && until_mono_us == 0 && is_due(history))
			break;
		if (result >= 0)
			result = broker_wait(broker, until_mono_us, is_due, history, error);
	}
	return result < 0 ? result : 0;
}

/* --- Who is asked ---------------------------------------------------------------------------- */

static void add_node(struct history *history, char *node, struct json *status)
{
	struct inquiry *inquiry;

	history->inquiries = xreallocarray(
		history->inquiries, history->count + 1, sizeof(history->inquiries[0]));
	inquiry = &history->inquiries[history->count++];
	*inquiry = (struct inquiry){ .node = node, .status = status };
	/* The last will does not say which outputs a node has: it may have the one. */
	if (strcmp(text_of(status, "state"), "offline") == 0)
		inquiry->state = INQUIRY_SILENT;
	else if (is_restricted(history) && !is_wanted(history, inquiry, NULL))
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

/* A topic that nobody else listens to. */
static char *make_reply_topic(const struct session *session)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint64_t)clock_real_us() ^ (uint64_t)getpid() << 48;
	return topic_of(session, "reply/lenh-%016" PRIx64, number);
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

static enum cli_status conclude(const struct history *history)
{
	_cleanup_(strbuf_done) struct strbuf silent = { 0 };
	bool failed = history->records.left_out > 0;

	for (size_t i = 0; i < history->count; i++) {
		const struct inquiry *inquiry = &history->inquiries[i];
		failed |= inquiry->state == INQUIRY_FAILED;
		if (inquiry->state == INQUIRY_SILENT)
			strbuf_printf(&silent, silent.length ? ", %s" : "%s", inquiry->node);
	}
	if (history->count == 0)
		complain(history->session, "xã “%s” chưa có máy nào",
			history->session->config->site);
	if (silent.length > 0)
		complain(history->session, "thiếu phần của máy đang tắt hay không trả lời: %s",
			silent.text);
	return failed ? CLI_REFUSED : silent.length > 0 ? CLI_UNANSWERED : CLI_DONE;
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
		.options = { .since = SINCE_DEFAULT, .timeout_us = ANSWER_TIMEOUT_US },
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
	sort_out(&history, &gathered);
	history.reply_topic = make_reply_topic(session);
	gathered.on_live = on_answer;
	gathered.context = &history;
	int result = ask_all(&history, broker, &error);
	if (result < 0)
		complain(session, "%s", error.text);
	records_sort(&history.records);
	show(&history);
	status = conclude(&history);
	return result < 0 ? (result == -EACCES ? CLI_REFUSED : CLI_NO_BROKER) : status;
}

const struct command command_history = {
	.name = "history",
	.arguments = "",
	.summary = "Các loa đã phát những gì, lúc nào, bao lâu, vì sao không",
	.options = options_of_history,
	.run = run_history,
};
