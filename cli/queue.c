/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang queue: what plays and what waits, on each output, and why it waits. */
#include "base/json.h"
#include "cli/gather.h"
#include "cli/table.h"
#include <string.h>

static const char *text_of(const struct json *object, const char *key)
{
	return json_as_string(json_get(object, key), "");
}

/* "2026-11-21T16:40:00.000+07:00" → "2026-11-21 16:40:00" */
static void add_time(struct table *table, const char *time)
{
	char text[20] = "";

	if (strlen(time) >= 19) {
		memcpy(text, time, 19);
		text[10] = ' ';
	}
	table_add(table, text);
}

static void add_row(struct table *table, const char *node, const char *output,
	const struct json *item, const char *time, const char *why)
{
	table_add(table, node);
	table_add(table, output);
	table_add(table, text_of(item, "id"));
	table_add(table, text_of(item, "title"));
	table_add(table, text_of(item, "priority"));
	add_time(table, time);
	table_add(table, why);
}

struct member { /* for json_each() */
	struct strbuf *out;
};

static void copy_member(const char *key, const struct json *value, void *context)
{
	struct member *member = context;
	_cleanup_(freep) char *text = json_text(value);

	if (strcmp(key, "node") != 0 && strcmp(key, "output") != 0)
		json_write_raw(member->out, key, text);
}

/* One waiting announcement as an object that also says where it waits. */
static void print_item(const char *node, const char *output, const struct json *item)
{
	_cleanup_(strbuf_done) struct strbuf line = { 0 };
	struct member member = { .out = &line };

	json_write_begin_object(&line, NULL);
	json_write_string(&line, "node", node);
	json_write_string(&line, "output", output);
	json_each(item, copy_member, &member);
	json_write_end_object(&line);
	puts(line.text);
}

static void show_queue(struct session *session, struct table *table, const char *node,
	const char *output, const struct json *queue)
{
	const struct json *items = json_get(queue, "items");
	size_t count = json_array_length(items);

	for (size_t i = 0; i < count; i++) {
		const struct json *item = json_at(items, i);
		const char *detail = text_of(item, "detail");
		const char *why = *detail ? detail : text_of(item, "waits");
		if (session->global.json)
			print_item(node, output, item);
		else
			add_row(table, node, output, item, text_of(item, "start"), why);
	}
	int64_t length = json_as_integer(json_get(queue, "length"), 0);
	if (length > (int64_t)count)
		complain(session, "%s/%s: còn %lld bản tin nữa chưa kể ở đây", node, output,
			(long long)length - (long long)count);
}

static void show_playing(
	struct table *table, const char *node, const char *output, const struct json *state)
{
	if (strcmp(text_of(state, "state"), "playing") == 0)
		add_row(table, node, output, state, text_of(state, "since"), "đang phát");
}

/* node/<node>/output/<output>/queue, and …/state, which comes after it in the order of topics: the
 * one that plays is shown first, so states are shown in a first pass. */
static void show(struct session *session, struct table *table, const struct gathered *gathered,
	const char *wanted)
{
	for (size_t i = 0; i < gathered->count; i++) {
		const struct gathered_message *message = &gathered->list[i];
		struct error ignored;
		_cleanup_(freep) char *node = topic_level(message->topic, 1);
		_cleanup_(freep) char *output = topic_level(message->topic, 3);
		_cleanup_(freep) char *what = topic_level(message->topic, 4);
		_cleanup_(json_freep) struct json *json = json_parse(
			message->payload, message->length, &ignored);
		if (!json || strcmp(what, wanted) != 0)
			continue;
		if (strcmp(what, "state") == 0)
			show_playing(table, node, output, json);
		else
			show_queue(session, table, node, output, json);
	}
}

static enum cli_status run_queue(struct session *session, int argc, char **argv)
{
	static const char *const topics[] = { "node/+/output/+/queue", "node/+/output/+/state" };
	static const char *const titles[] = { "MÁY", "LOA", "MÃ", "TIÊU ĐỀ", "MỨC", "LÚC",
		"VÌ SAO CHỜ" };
	_cleanup_(gathered_done) struct gathered gathered = { 0 };
	_cleanup_(broker_disconnectp) struct broker *broker = NULL;
	enum cli_status status;
	struct table table;

	if (!session_open(session, argc, argv, NULL, &status))
		return status;
	if (!gather(session, topics, countof(topics), &gathered, &broker, &status))
		return status;
	table_init(&table, countof(titles), titles);
	if (!session->global.json)
		show(session, &table, &gathered, "state");
	show(session, &table, &gathered, "queue");
	if (!session->global.json && table.count == table.columns)
		puts("Không có bản tin nào đang chờ");
	table_print(&table, stdout);
	table_done(&table);
	return CLI_DONE;
}

const struct command command_queue = {
	.name = "queue",
	.arguments = "",
	.summary = "Bản tin đang phát và đang chờ, và vì sao chờ",
	.run = run_queue,
};
