/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/replies.h"

#include "base/clock.h"
#include "cli/event.h"
#include "cli/gather.h"
#include "cli/table.h"
#include <math.h>
#include <string.h>

#define UNKNOWN_TIMEOUT_US (3 * US_PER_SEC) /* for an answer when no node is known */

int replies_listen(struct replies *replies, struct broker *broker, struct error *error)
{
	_cleanup_(freep) char *status = topic_of(replies->session, "node/+/status");
	_cleanup_(freep) char *receipt = topic_of(replies->session, "node/+/receipt");
	int result = broker_subscribe(broker, status, 0, error);

	return result < 0 ? result : broker_subscribe(broker, receipt, 1, error);
}

/* --- What comes in -------------------------------------------------------------------------- */

static void on_receipt(
	struct replies *replies, const char *node, const struct broker_message *message)
{
	struct error ignored;
	_cleanup_(json_freep) struct json *receipt = json_parse(
		message->payload, message->length, &ignored);

	if (!receipt || !tally_add_receipt(replies->tally, node, receipt))
		return;
	if (replies->session->global.json) {
		_cleanup_(freep) char *line = json_text(receipt);
		puts(line);
		fflush(stdout);
	}
}

static void on_status(
	struct replies *replies, const char *node, const struct broker_message *message)
{
	struct error ignored;
	_cleanup_(json_freep) struct json *status = json_parse(
		message->payload, message->length, &ignored);

	if (status)
		tally_add_status(replies->tally, node, status, !replies->published);
}

/* loalang/<site>/node/<node>/status or …/receipt */
void replies_on_message(const struct broker_message *message, void *context)
{
	struct replies *replies = context;
	_cleanup_(freep) char *node = topic_level(message->topic, 3);
	_cleanup_(freep) char *what = topic_level(message->topic, 4);

	if (strcmp(what, "status") == 0)
		on_status(replies, node, message);
	else if (!message->retained)
		on_receipt(replies, node, message);
}

/* --- Waiting -------------------------------------------------------------------------------- */

static bool is_done(void *context)
{
	return tally_done(context);
}

static bool is_known(void *context)
{
	return tally_known(context);
}

static int await(const struct replies *replies, struct broker *broker, int64_t timeout_us,
	struct error *error)
{
	int64_t now_us = clock_mono_us();
	int64_t until_us = now_us + timeout_us;
	int64_t unknown_us = now_us + UNKNOWN_TIMEOUT_US;

	int result = broker_wait(broker, unknown_us < until_us ? unknown_us : until_us, is_known,
		replies->tally, error);
	if (result <= 0)
		return result;
	return broker_wait(broker, until_us, is_done, replies->tally, error);
}

/* --- What is shown -------------------------------------------------------------------------- */

static void print_row(struct table *table, const struct tally_row *row)
{
	char seconds[32] = "", time[16] = "";

	if (row->heard && !isnan(row->seconds_played))
		snprintf(seconds, sizeof(seconds), "%.1f", row->seconds_played);
	/* 2026-11-21T16:40:00…: the hour is what is looked for */
	if (row->at && strlen(row->at) > 19)
		snprintf(time, sizeof(time), "%.8s", row->at + 11);
	table_add(table, row->node);
	table_add(table, row->output ? row->output : "–");
	if (row->heard)
		table_add(table, event_word(row->event));
	else
		table_add(table, row->absent ? "mất kết nối" : "không trả lời");
	table_add(table, time);
	table_add(table, seconds);
	table_add(table, row->detail ? row->detail : row->reason);
}

static void print_rows(const struct replies *replies)
{
	static const char *const titles[] = { "MÁY", "LOA", "KẾT QUẢ", "LÚC", "GIÂY", "GHI CHÚ" };
	struct table table;

	table_init(&table, countof(titles), titles);
	for (size_t i = 0; tally_row(replies->tally, i); i++) {
		if (!tally_row(replies->tally, i)->unclear)
			print_row(&table, tally_row(replies->tally, i));
	}
	puts(replies->title);
	table_print(&table, stdout);
	table_done(&table);
}

/* "ubnd/loa1, ubnd/loa2"; NULL: none. The caller frees. */
static char *names_of(const struct tally *tally, bool (*is_meant)(const struct tally_row *row))
{
	struct strbuf names = { 0 };

	for (size_t i = 0; tally_row(tally, i); i++) {
		const struct tally_row *row = tally_row(tally, i);
		if (is_meant(row))
			strbuf_printf(&names, names.length ? ", %s%s%s" : "%s%s%s", row->node,
				row->output ? "/" : "", row->output ? row->output : "");
	}
	return names.length ? strbuf_take(&names) : NULL;
}

static bool is_silent(const struct tally_row *row)
{
	return row->state == TALLY_WAITING && !row->unclear;
}

static bool is_unclear(const struct tally_row *row)
{
	return row->unclear;
}

static void name_silent(const struct replies *replies)
{
	_cleanup_(freep) char *silent = names_of(replies->tally, is_silent);
	_cleanup_(freep) char *unclear = names_of(replies->tally, is_unclear);

	if (silent)
		complain(replies->session, "đã gửi, nhưng chưa có trả lời %s từ: %s",
			tally_wait_names[replies->wait], silent);
	/* A node that is off does not say which zones its outputs are in. */
	if (unclear)
		complain(replies->session,
			"máy đang tắt, không rõ có loa ở khu vực này không (nếu có thì sẽ nhận "
			"khi trở lại): %s",
			unclear);
}

static enum cli_status conclude(const struct replies *replies)
{
	struct tally_counts counts = tally_counts(replies->tally);

	if (!replies->session->global.json)
		print_rows(replies);
	name_silent(replies);
	if (counts.failed > 0)
		return CLI_REFUSED;
	if (counts.waiting > 0)
		return CLI_UNANSWERED;
	if (counts.reached > 0)
		return CLI_DONE;
	complain(replies->session,
		"%s: đã gửi, broker giữ lại cho máy nào tới sau, nhưng không máy nào nhận khu "
		"vực này",
		replies->title);
	return CLI_UNANSWERED;
}

enum cli_status replies_await(struct replies *replies, struct broker *broker, int64_t timeout_us)
{
	struct error error;
	int result = await(replies, broker, timeout_us, &error);
	enum cli_status status = conclude(replies);

	if (result >= 0)
		return status;
	complain(replies->session, "%s", error.text);
	return CLI_NO_BROKER;
}
