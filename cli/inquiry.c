/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/inquiry.h"

#include "base/clock.h"
#include "cli/gather.h"
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#define PAGES_MAX 10000 /* of a node: one that answers in circles is not followed */

void inquiries_done(struct inquiries *inquiries)
{
	for (size_t i = 0; i < inquiries->count; i++) {
		free(inquiries->list[i].node);
		json_free(inquiries->list[i].status);
	}
	free(inquiries->list);
	free(inquiries->reply_topic);
}

struct inquiry *inquiries_add(
	struct inquiries *inquiries, char *node, struct json *status, int64_t cursor)
{
	inquiries->list = xreallocarray(
		inquiries->list, inquiries->count + 1, sizeof(inquiries->list[0]));
	struct inquiry *inquiry = &inquiries->list[inquiries->count++];
	*inquiry = (struct inquiry){ .node = node, .status = status, .cursor = cursor };
	if (strcmp(json_as_string(json_get(status, "state"), ""), "offline") == 0)
		inquiry->state = INQUIRY_SILENT;
	return inquiry;
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

bool inquiry_serves(
	const struct inquiry *inquiry, const char *output, const struct option_names *zones)
{
	const struct json *outputs = json_get(inquiry->status, "outputs");

	for (size_t i = 0; i < json_array_length(outputs); i++) {
		const struct json *one = json_at(outputs, i);
		if ((!output || strcmp(output, json_as_string(json_get(one, "name"), "")) == 0) &&
			in_zones(zones, json_get(one, "zones")))
			return true;
	}
	return false;
}

/* --- What comes in --------------------------------------------------------------------------- */

static void take_answer(
	const struct inquiries *inquiries, struct inquiry *inquiry, const struct json *answer)
{
	const struct json *failure = json_get(answer, "error");
	bool more = false;
	int64_t cursor = failure ? -1 : inquiries->take(inquiry, answer, &more, inquiries->context);

	if (cursor < 0) {
		complain(inquiries->session, "máy %s không trả lời được: %s", inquiry->node,
			failure ? json_as_string(json_get(failure, "detail"), "")
				: "câu trả lời không hiểu được");
		inquiry->state = INQUIRY_FAILED;
		return;
	}
	if (more && (cursor <= inquiry->cursor || inquiry->page == PAGES_MAX)) {
		complain(inquiries->session, "máy %s trả lời vòng quanh", inquiry->node);
		inquiry->state = INQUIRY_FAILED;
		return;
	}
	inquiry->cursor = cursor;
	inquiry->page++;
	inquiry->state = more ? INQUIRY_TO_ASK : INQUIRY_DONE;
}

/* "ubnd/3": the node and the page. A late answer to what was asked before is not taken twice. */
static char *correlation_of(const struct inquiry *inquiry)
{
	return xasprintf("%s/%u", inquiry->node, inquiry->page);
}

void inquiries_on_message(const struct broker_message *message, void *context)
{
	struct inquiries *inquiries = context;

	if (!message->correlation || !inquiries->reply_topic ||
		strcmp(message->topic, inquiries->reply_topic) != 0)
		return;
	for (size_t i = 0; i < inquiries->count; i++) {
		struct inquiry *inquiry = &inquiries->list[i];
		_cleanup_(freep) char *correlation = correlation_of(inquiry);
		if (inquiry->state != INQUIRY_ASKED ||
			strcmp(correlation, message->correlation) != 0)
			continue;
		_cleanup_(json_freep) struct json *answer = json_parse(
			message->payload, message->length, NULL);
		take_answer(inquiries, inquiry, answer);
	}
}

/* --- Asking ---------------------------------------------------------------------------------- */

static int ask(const struct inquiries *inquiries, struct broker *broker, struct inquiry *inquiry,
	struct error *error)
{
	_cleanup_(freep) char *topic = topic_of(
		inquiries->session, "node/%s/request/%s", inquiry->node, inquiries->what);
	_cleanup_(freep) char *payload = inquiries->question(inquiry, inquiries->context);
	_cleanup_(freep) char *correlation = correlation_of(inquiry);
	const struct broker_publication publication = { .topic = topic,
		.payload = payload,
		.response_topic = inquiries->reply_topic,
		.correlation = correlation };

	/* Before it is sent: the answer may come while we wait for the broker's. */
	inquiry->state = INQUIRY_ASKED;
	inquiry->until_mono_us = clock_mono_us() + inquiries->timeout_us;
	return broker_publish(broker, &publication, error);
}

/* The instant at which the next node has been silent for too long; 0: nobody is waited for. */
static int64_t next_timeout(const struct inquiries *inquiries)
{
	int64_t until_mono_us = 0;

	for (size_t i = 0; i < inquiries->count; i++) {
		const struct inquiry *inquiry = &inquiries->list[i];
		if (inquiry->state == INQUIRY_ASKED &&
			(until_mono_us == 0 || inquiry->until_mono_us < until_mono_us))
			until_mono_us = inquiry->until_mono_us;
	}
	return until_mono_us;
}

/* A node wants to be asked, or none is waited for. */
static bool is_due(void *context)
{
	const struct inquiries *inquiries = context;

	for (size_t i = 0; i < inquiries->count; i++) {
		if (inquiries->list[i].state == INQUIRY_TO_ASK)
			return true;
	}
	return next_timeout(inquiries) == 0;
}

/* A topic that nobody else listens to. */
static char *make_reply_topic(const struct session *session)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint64_t)clock_real_us() ^ (uint64_t)getpid() << 48;
	return topic_of(session, "reply/lenh-%016" PRIx64, number);
}

int inquiries_ask(struct inquiries *inquiries, struct broker *broker, struct error *error)
{
	inquiries->reply_topic = make_reply_topic(inquiries->session);
	int result = broker_subscribe(broker, inquiries->reply_topic, 1, error);

	while (result >= 0) {
		for (size_t i = 0; i < inquiries->count && result >= 0; i++) {
			struct inquiry *inquiry = &inquiries->list[i];
			if (inquiry->state == INQUIRY_TO_ASK)
				result = ask(inquiries, broker, inquiry, error);
			else if (inquiry->state == INQUIRY_ASKED &&
				 inquiry->until_mono_us <= clock_mono_us())
				inquiry->state = INQUIRY_SILENT;
		}
		int64_t until_mono_us = next_timeout(inquiries);
		if (result >= 0 && until_mono_us == 0 && is_due(inquiries))
			break;
		if (result >= 0)
			result = broker_wait(broker, until_mono_us, is_due, inquiries, error);
	}
	return result < 0 ? result : 0;
}

/* --- What has become of it ------------------------------------------------------------------- */

enum cli_status inquiries_conclude(const struct inquiries *inquiries)
{
	_cleanup_(strbuf_done) struct strbuf silent = { 0 };
	bool failed = false;

	for (size_t i = 0; i < inquiries->count; i++) {
		const struct inquiry *inquiry = &inquiries->list[i];
		failed |= inquiry->state == INQUIRY_FAILED;
		if (inquiry->state == INQUIRY_SILENT)
			strbuf_printf(&silent, silent.length ? ", %s" : "%s", inquiry->node);
	}
	if (inquiries->count == 0)
		complain(inquiries->session, "xã “%s” chưa có máy nào",
			inquiries->session->config->site);
	if (silent.length > 0)
		complain(inquiries->session, "thiếu phần của máy đang tắt hay không trả lời: %s",
			silent.text);
	return failed ? CLI_REFUSED : silent.length > 0 ? CLI_UNANSWERED : CLI_DONE;
}
