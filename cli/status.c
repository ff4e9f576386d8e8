/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang status: who is there, and how they are. */
#include "base/json.h"
#include "cli/gather.h"
#include "cli/table.h"
#include <string.h>

struct word {
	const char *english, *vietnamese;
};

static const struct word state_words[] = {
	{ "online", "hoạt động" },
	{ "degraded", "có lỗi" },
	{ "stopping", "đang dừng" },
	{ "offline", "mất kết nối" },
	{ "idle", "rảnh" },
	{ "playing", "đang phát" },
	{ "held", "tạm giữ" },
	{ "muted", "tắt tiếng" },
	{ "lost", "mất thiết bị" },
};

/* The word of the protocol in Vietnamese; one that is not known stays as it is. */
static const char *translate(const char *english)
{
	for (size_t i = 0; i < countof(state_words); i++) {
		if (strcmp(state_words[i].english, english) == 0)
			return state_words[i].vietnamese;
	}
	return english;
}

static const char *text_of(const struct json *object, const char *key)
{
	return json_as_string(json_get(object, key), "");
}

/* "3 ngày", "2 giờ", "5 phút": how long it has been up. */
static void format_uptime(int64_t seconds, char *out, size_t size)
{
	if (seconds >= 2 * 86400)
		snprintf(out, size, "%lld ngày", (long long)(seconds / 86400));
	else if (seconds >= 2 * 3600)
		snprintf(out, size, "%lld giờ", (long long)(seconds / 3600));
	else
		snprintf(out, size, "%lld phút", (long long)(seconds / 60));
}

static char *join_zones(const struct json *zones)
{
	struct strbuf out = { 0 };

	for (size_t i = 0; i < json_array_length(zones); i++)
		strbuf_printf(&out, i > 0 ? ", %s" : "%s", json_as_string(json_at(zones, i), "?"));
	return strbuf_take(&out);
}

static void add_node(struct table *table, const char *node, const struct json *status)
{
	char uptime[32] = "";
	const struct json *seconds = json_get(status, "uptime");
	const struct json *clock = json_get(status, "clock");
	bool trusted = json_as_bool(json_get(clock, "trusted"), false);

	if (seconds)
		format_uptime((int64_t)json_as_real(seconds, 0), uptime, sizeof(uptime));
	table_add(table, node);
	table_add(table, translate(text_of(status, "state")));
	table_add(table, text_of(status, "version"));
	table_add(table, uptime);
	table_add(table, !clock ? "" : trusted ? "đúng" : "chưa tin được");
}

static void add_output(struct table *table, const struct json *output)
{
	_cleanup_(freep) char *zones = join_zones(json_get(output, "zones"));

	table_add(table, text_of(output, "name"));
	table_add(table, translate(text_of(output, "state")));
	table_add(table, zones);
}

static void add_rows(struct table *table, const char *node, const struct json *status)
{
	const struct json *outputs = json_get(status, "outputs");
	size_t count = json_array_length(outputs);

	add_node(table, node, status);
	for (size_t i = 0; i < count; i++) {
		/* The node is named once, its further outputs stand below. */
		for (size_t cell = 0; i > 0 && cell < 5; cell++)
			table_add(table, NULL);
		add_output(table, json_at(outputs, i));
	}
	for (size_t cell = 0; count == 0 && cell < 3; cell++)
		table_add(table, NULL);
}

static void add_faults(struct table *table, const char *node, const struct json *status)
{
	const struct json *faults = json_get(status, "faults");

	for (size_t i = 0; i < json_array_length(faults); i++) {
		const struct json *fault = json_at(faults, i);
		const char *detail = text_of(fault, "detail");
		table_add(table, node);
		table_add(table, text_of(fault, "what"));
		table_add(table, text_of(fault, "since"));
		table_add(table, detail);
	}
}

static void show(const struct gathered *gathered, bool as_json)
{
	static const char *const titles[] = { "MÁY", "TRẠNG THÁI", "PHIÊN BẢN", "ĐÃ CHẠY",
		"ĐỒNG HỒ", "LOA", "TIẾNG", "KHU VỰC" };
	static const char *const fault_titles[] = { "MÁY", "LỖI", "TỪ LÚC", "CHI TIẾT" };
	struct table nodes, faults;

	table_init(&nodes, countof(titles), titles);
	table_init(&faults, countof(fault_titles), fault_titles);
	for (size_t i = 0; i < gathered->count; i++) {
		const struct gathered_message *message = &gathered->list[i];
		struct error ignored;
		_cleanup_(freep) char *node = topic_level(message->topic, 1);
		_cleanup_(json_freep) struct json *status = json_parse(
			message->payload, message->length, &ignored);
		if (!status)
			continue;
		_cleanup_(freep) char *line = json_text(status);
		if (as_json)
			puts(line);
		add_rows(&nodes, node, status);
		add_faults(&faults, node, status);
	}
	if (!as_json) {
		table_print(&nodes, stdout);
		if (faults.count > faults.columns)
			putchar('\n');
		table_print(&faults, stdout);
	}
	table_done(&nodes);
	table_done(&faults);
}

static enum cli_status run_status(struct session *session, int argc, char **argv)
{
	static const char *const topics[] = { "node/+/status" };
	_cleanup_(gathered_done) struct gathered gathered = { 0 };
	_cleanup_(broker_disconnectp) struct broker *broker = NULL;
	enum cli_status status;

	if (!session_open(session, argc, argv, NULL, &status))
		return status;
	if (!gather(session, topics, countof(topics), &gathered, &broker, &status))
		return status;
	if (gathered.count == 0)
		complain(session, "xã “%s” chưa có máy nào", session->config->site);
	show(&gathered, session->global.json);
	return CLI_DONE;
}

const struct command command_status = {
	.name = "status",
	.arguments = "",
	.summary = "Các máy, các loa và lỗi của chúng",
	.run = run_status,
};
