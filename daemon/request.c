/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/request.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/log.h"
#include "base/name.h"
#include "daemon/node.h"
#include "daemon/output.h"
#include "daemon/planning.h"
#include "daemon/report.h"
#include "scheduler/plan.h"
#include "tts/reading_format.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* Readings take main's time, some 15 to 45 ms for the longest text. What an answer took is paid for
 * with a pause of WORK_PAUSE times as long before the account is even again; some credits may be
 * owed. So a person's questions are answered at once, and a flood of them gets a fifth of main's
 * time. Bytes, which wait in memory for a link that may be slow, have an account of the same kind. */
#define WORK_PAUSE       4
#define WORK_CREDIT_US   (400 * US_PER_MS)
#define ANSWER_CREDIT_US (500 * US_PER_MS)
#define ANSWER_OVERHEAD  256 /* bytes that a message takes besides its own */

struct request {
	struct node *node;
	const struct mqtt_event *event;
	const struct json *root; /* NULL: an empty payload */
};

/* --- Accounts -------------------------------------------------------------------------------- */

bool requests_afford(
	const struct requests *requests, int64_t now_mono_us, enum request_credit credits)
{
	return requests->busy_until_mono_us <= now_mono_us + (int)credits * WORK_CREDIT_US &&
	       requests->answer_until_mono_us <= now_mono_us + (int)credits * ANSWER_CREDIT_US;
}

static void bill(int64_t *until_mono_us, int64_t now_mono_us, int64_t price_us)
{
	*until_mono_us = (*until_mono_us > now_mono_us ? *until_mono_us : now_mono_us) + price_us;
}

void requests_bill_work(struct requests *requests, int64_t now_mono_us, int64_t worked_us)
{
	bill(&requests->busy_until_mono_us, now_mono_us, worked_us * WORK_PAUSE);
}

void requests_bill_answer(struct requests *requests, int64_t now_mono_us, size_t bytes)
{
	bill(&requests->answer_until_mono_us, now_mono_us,
		(int64_t)(bytes + ANSWER_OVERHEAD) * US_PER_SEC / REQUEST_ANSWERS_MAX);
}

/* --- Answers --------------------------------------------------------------------------------- */

static void reply(struct node *node, const char *topic, const char *correlation, size_t length,
	const char *json)
{
	if (mqtt_reply(node->mqtt, topic, json, correlation, length) < 0)
		log_warning("too much waits for the broker, an answer to %s is left out", topic);
}

static void answer(const struct request *request, const char *json)
{
	const struct mqtt_event *event = request->event;

	requests_bill_answer(&request->node->requests, clock_mono_us(),
		strlen(json) + strlen(event->response_topic) + event->correlation_length);
	reply(request->node, event->response_topic, event->correlation, event->correlation_length,
		json);
}

static char *format_refusal(enum reason reason, const char *detail)
{
	struct strbuf out = { 0 };

	json_write_begin_object(&out, NULL);
	json_write_begin_object(&out, "error");
	json_write_string(&out, "reason", reason_name(reason));
	json_write_string(&out, "detail", detail);
	json_write_end_object(&out);
	json_write_end_object(&out);
	return strbuf_take(&out);
}

/* In a flood the refusals too are left out in the end. */
static void refuse(const struct request *request, enum reason reason, const char *detail)
{
	_cleanup_(freep) char *json = format_refusal(reason, detail);

	if (requests_afford(&request->node->requests, clock_mono_us(), REQUEST_REFUSAL))
		answer(request, json);
	log_info("refused a request on %s, %s: %s", request->event->topic, reason_name(reason),
		detail);
}

/* The question's keys into `target`. False after a refusal. */
static bool decode(const struct request *request, const struct json_field *fields, void *target)
{
	static const enum reason reasons[] = {
		[JSON_REASON_NONE] = REASON_BAD_VALUE,
		[JSON_REASON_UNKNOWN_KEY] = REASON_UNKNOWN_KEY,
		[JSON_REASON_BAD_VALUE] = REASON_BAD_VALUE,
		[JSON_REASON_TOO_LONG] = REASON_TOO_LONG,
	};
	enum json_reason why = JSON_REASON_NONE;
	struct error error = { 0 };

	if (!request->root || json_decode(request->root, fields, target, &error, &why) == 0)
		return true;
	refuse(request, reasons[why], error.text);
	return false;
}

/* An output that is named must be one of this node's. False after a refusal. */
static bool output_known(const struct request *request, const char *name)
{
	if (!*name || output_find(request->node, name))
		return true;
	_cleanup_(freep) char *detail = xasprintf("output: máy này không có loa “%s”", name);
	refuse(request, REASON_BAD_VALUE, detail);
	return false;
}

/* --- read ------------------------------------------------------------------------------------ */

struct read_request {
	char *text;
	char engine[NAME_MAX_BYTES + 1];
	char *voice;
	int64_t rate, pitch; /* -1: as configured; the pitch changes no word */
};

/* As in an announcement. The text's own limits are the reading's. */
#define READ(member) .offset = offsetof(struct read_request, member)
static const struct json_field voice_fields[] = {
	{ "engine", READ(engine), json_decode_name },
	{ "name", READ(voice), json_decode_string, .maximum = 100 },
	{ "rate", READ(rate), json_decode_int64, .minimum = 80, .maximum = 300 },
	{ "pitch", READ(pitch), json_decode_int64, .maximum = 99 },
	{ .key = NULL },
};
static const struct json_field read_fields[] = {
	{ "text", READ(text), json_decode_string, .maximum = REQUEST_PAYLOAD_MAX },
	{ "voice", .decode = json_decode_object, .more = voice_fields },
	{ .key = NULL },
};

static void read_request_done(struct read_request *read)
{
	free(read->text);
	free(read->voice);
}

static char *format_reading(const struct node *node, const struct read_request *read)
{
	const struct reading_config config = config_reading(
		node->config, read->engine, read->voice, (int)read->rate);
	_cleanup_(reading_freep) struct reading *reading = NULL;
	enum reading_refusal refusal = READING_FINE;
	struct strbuf out = { 0 };
	struct error error = { 0 };

	if (reading_new(read->text, strlen(read->text), &config, &reading, &refusal, &error) < 0)
		reading_format_refusal(&out, refusal, error.text);
	else
		reading_format(&out, reading);
	return strbuf_take(&out);
}

static void on_read(const struct request *request)
{
	_cleanup_(read_request_done) struct read_request read = { .rate = -1, .pitch = -1 };

	if (!decode(request, read_fields, &read))
		return;
	if (!read.text) {
		refuse(request, REASON_BAD_VALUE, "thiếu khóa \"text\"");
		return;
	}
	_cleanup_(freep) char *json = format_reading(request->node, &read);
	answer(request, json);
}

/* --- queue ----------------------------------------------------------------------------------- */

struct queue_request {
	char output[NAME_MAX_BYTES + 1];
};

static const struct json_field queue_fields[] = {
	{ "output", .offset = offsetof(struct queue_request, output), json_decode_name },
	{ .key = NULL },
};

static void on_queue(const struct request *request)
{
	struct node *node = request->node;
	_cleanup_(strbuf_done) struct strbuf out = { 0 };
	struct queue_request queue = { 0 };

	if (!decode(request, queue_fields, &queue) || !output_known(request, queue.output))
		return;
	json_write_begin_object(&out, NULL);
	json_write_string(&out, "node", node->config->node);
	json_write_begin_array(&out, "outputs");
	for (size_t i = 0; i < node->outputs_count; i++) {
		const struct output *output = &node->outputs[i];
		if (queue.output[0] && strcmp(queue.output, output->config->sound.name) != 0)
			continue;
		_cleanup_(freep) char *json = report_output_queue(output);
		json_write_raw(&out, NULL, json);
	}
	json_write_end_array(&out);
	json_write_end_object(&out);
	answer(request, out.text);
}

/* --- history --------------------------------------------------------------------------------- */

struct history_request {
	int64_t since_us, until_us; /* real; TIME_UNSET: not given */
	char output[NAME_MAX_BYTES + 1];
	char *id;
	int64_t limit, after;
};

#define HISTORY(member) .offset = offsetof(struct history_request, member)
static const struct json_field history_fields[] = {
	{ "since", HISTORY(since_us), json_decode_time },
	{ "until", HISTORY(until_us), json_decode_time },
	{ "output", HISTORY(output), json_decode_name },
	{ "id", HISTORY(id), json_decode_string, .minimum = 1, .maximum = ID_MAX_BYTES },
	{ "limit", HISTORY(limit), json_decode_int64, .minimum = 1,
		.maximum = REQUEST_RECEIPTS_MAX },
	{ "after", HISTORY(after), json_decode_int64, .minimum = 0, .maximum = 9e15 },
	{ .key = NULL },
};

static void history_request_done(struct history_request *history)
{
	free(history->id);
}

static struct request_question *free_place(struct request_question *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!places[i].topic)
			return &places[i];
	}
	return NULL;
}

static void question_done(struct request_question *question)
{
	planning_free(question->planning);
	free(question->topic);
	free(question->correlation);
	*question = (struct request_question){ 0 };
}

void requests_done(struct requests *requests)
{
	for (size_t i = 0; i < countof(requests->under_way); i++)
		question_done(&requests->under_way[i]);
	for (size_t i = 0; i < countof(requests->plans); i++)
		question_done(&requests->plans[i]);
}

static char *copy_bytes(const char *bytes, size_t length)
{
	char *copy = xcalloc(length + 1, 1);

	memcpy(copy, bytes, length);
	return copy;
}

/* Where the answer goes. */
static void note_sender(const struct request *request, struct request_question *question)
{
	const struct mqtt_event *event = request->event;

	question->topic = xstrdup(event->response_topic);
	question->correlation_length = event->correlation_length;
	if (event->correlation)
		question->correlation = copy_bytes(event->correlation, event->correlation_length);
}

static void ask_store(const struct request *request, const struct history_request *history,
	struct request_question *question)
{
	struct node *node = request->node;
	int64_t back_us = 0;

	if (duration_parse(REQUEST_HISTORY_SINCE, &back_us, NULL) < 0)
		back_us = 0;
	*question = (struct request_question){ .token = ++node->requests.last_token,
		.after = (uint64_t)history->after };
	note_sender(request, question);
	store_read_history(node->store,
		&(struct store_history_query){ .token = question->token,
			.since_us = history->since_us != TIME_UNSET ? history->since_us
								    : clock_real_us() - back_us,
			.until_us = history->until_us != TIME_UNSET ? history->until_us
								    : TIME_NEVER,
			.after_sequence = question->after,
			.output = history->output[0] ? history->output : NULL,
			.id = history->id,
			.limit = (size_t)history->limit });
}

static void on_history(const struct request *request)
{
	_cleanup_(history_request_done) struct history_request history = {
		.since_us = TIME_UNSET, .until_us = TIME_UNSET, .limit = REQUEST_RECEIPTS_MAX
	};
	struct requests *requests = &request->node->requests;
	struct request_question *question = free_place(
		requests->under_way, countof(requests->under_way));

	if (!decode(request, history_fields, &history))
		return;
	if (question)
		ask_store(request, &history, question);
	else
		refuse(request, REASON_QUEUE_FULL, "quá nhiều câu hỏi cùng lúc, hãy hỏi lại sau");
}

static char *format_history(const struct node *node, const struct request_question *question,
	const struct store_event *event)
{
	struct strbuf out = { 0 };
	size_t count = event->receipts_count;

	json_write_begin_object(&out, NULL);
	json_write_string(&out, "node", node->config->node);
	json_write_begin_array(&out, "receipts");
	for (size_t i = 0; i < count; i++)
		json_write_raw(&out, NULL, event->receipts[i].json);
	json_write_end_array(&out);
	json_write_bool(&out, "more", event->more);
	json_write_integer(&out, "after",
		(int64_t)(count ? event->receipts[count - 1].sequence : question->after));
	json_write_end_object(&out);
	return strbuf_take(&out);
}

void request_on_history(struct node *node, const struct store_event *event)
{
	for (size_t i = 0; i < countof(node->requests.under_way); i++) {
		struct request_question *question = &node->requests.under_way[i];
		if (!question->topic || question->token != event->token)
			continue;
		_cleanup_(freep) char *json = format_history(node, question, event);
		reply(node, question->topic, question->correlation, question->correlation_length,
			json);
		question_done(question);
		return;
	}
}

/* --- plan ------------------------------------------------------------------------------------ */

struct plan_request {
	int64_t from_us; /* real; TIME_UNSET: now */
	int64_t days;
	char output[NAME_MAX_BYTES + 1];
	struct planning_candidate candidates[PLANNING_CANDIDATES_MAX];
	size_t candidates_count;
	const struct node *node; /* for its time zone */
};

static void plan_request_done(struct plan_request *plan)
{
	for (size_t i = 0; i < plan->candidates_count; i++)
		schedule_unref(plan->candidates[i].schedule);
}

/* {"zone": …, "schedule": {…}} */
static int decode_candidate(const struct plan_request *plan, const struct json *value,
	struct planning_candidate *candidate, struct error *error)
{
	const char *zone = json_as_string(json_get(value, "zone"), "");
	const struct json *schedule = json_get(value, "schedule");
	char id[ID_MAX_BYTES + 1];
	enum reason reason;

	if (!name_valid(zone, strlen(zone)))
		return error_set(error, -EINVAL, "zone: thiếu, hoặc không phải là tên hợp lệ");
	if (!schedule)
		return error_set(error, -EINVAL, "schedule: thiếu");
	snprintf(candidate->zone, sizeof candidate->zone, "%s", zone);
	_cleanup_(freep) char *json = json_text(schedule);
	candidate->schedule = schedules_parse(
		plan->node, json, strlen(json), NULL, id, &reason, error);
	return candidate->schedule ? 0 : -EINVAL;
}

static int decode_candidates(
	const struct json_field *field, const struct json *value, void *target, struct error *error)
{
	struct plan_request *plan = target;
	size_t count = json_array_length(value);

	(void)field;
	if (json_kind(value) != JSON_KIND_ARRAY || count > PLANNING_CANDIDATES_MAX)
		return error_set(error, -EINVAL, "phải là danh sách, nhiều nhất là %d lịch",
			PLANNING_CANDIDATES_MAX);
	for (size_t i = 0; i < count; i++) {
		int result = decode_candidate(plan, json_at(value, i), &plan->candidates[i], error);
		if (result < 0) {
			error_prefix(error, "[%zu]", i);
			return result;
		}
		plan->candidates_count++;
	}
	return 0;
}

#define PLAN(member) .offset = offsetof(struct plan_request, member)
static const struct json_field plan_fields[] = {
	{ "from", PLAN(from_us), json_decode_time },
	{ "days", PLAN(days), json_decode_int64, .minimum = 1, .maximum = PLAN_DAYS_MAX },
	{ "output", PLAN(output), json_decode_name },
	{ "schedules", .decode = decode_candidates },
	{ .key = NULL },
};

static void on_planned(struct planning *planning, const char *json, void *context)
{
	struct node *node = context;

	for (size_t i = 0; i < countof(node->requests.plans); i++) {
		struct request_question *question = &node->requests.plans[i];
		if (!question->topic || question->planning != planning)
			continue;
		reply(node, question->topic, question->correlation, question->correlation_length,
			json);
		question_done(question);
		return;
	}
}

static void begin_plan(const struct request *request, const struct plan_request *plan)
{
	struct node *node = request->node;
	struct request_question *question = free_place(
		node->requests.plans, countof(node->requests.plans));
	const struct planning_question what = {
		.from_us = plan->from_us != TIME_UNSET ? plan->from_us : clock_real_us(),
		.days = (int)plan->days,
		.output = plan->output[0] ? plan->output : NULL,
		.candidates = plan->candidates,
		.candidates_count = plan->candidates_count,
	};

	struct planning *planning = question ? planning_new(node, &what, on_planned, node) : NULL;
	if (!planning) {
		refuse(request, REASON_QUEUE_FULL, "quá nhiều câu hỏi cùng lúc, hãy hỏi lại sau");
		return;
	}
	question->planning = planning;
	note_sender(request, question);
}

static void on_plan(const struct request *request)
{
	_cleanup_(plan_request_done) struct plan_request plan = {
		.from_us = TIME_UNSET, .days = PLANNING_DAYS, .node = request->node
	};

	if (decode(request, plan_fields, &plan) && output_known(request, plan.output))
		begin_plan(request, &plan);
}

/* --- What is asked --------------------------------------------------------------------------- */

static const struct kind {
	const char *what;
	void (*handle)(const struct request *request);
	enum request_credit credits; /* 0: bounded otherwise */
} kinds[] = {
	{ "read", on_read, REQUEST_READ },
	{ "queue", on_queue, REQUEST_QUEUE },
	{ "history", on_history, 0 },
	{ "plan", on_plan, REQUEST_QUEUE },
};

static const struct kind *find_kind(const struct request *request, const char *what)
{
	struct error error;

	for (size_t i = 0; i < countof(kinds); i++) {
		if (strcmp(kinds[i].what, what) == 0)
			return &kinds[i];
	}
	error_set(&error, 0, "không có câu hỏi “%s”; có: read, queue, history, plan",
		name_valid(what, strlen(what)) ? what : "?");
	refuse(request, REASON_BAD_VALUE, error.text);
	return NULL;
}

/* Whether `topic` (below a site) is one that nodes obey or report on. */
static bool belongs_to_protocol(const char *topic)
{
	static const char *const tops[] = { "zone", "media" };
	static const char *const of_nodes[] = { "status", "receipt", "output", "request" };
	size_t top = strcspn(topic, "/");

	for (size_t i = 0; i < countof(tops); i++) {
		if (strlen(tops[i]) == top && strncmp(topic, tops[i], top) == 0)
			return true;
	}
	if (strncmp(topic, "node/", 5) != 0)
		return false;
	const char *level = strchr(topic + 5, '/');
	level = level ? level + 1 : "";
	for (size_t i = 0; i < countof(of_nodes); i++) {
		size_t length = strlen(of_nodes[i]);
		if (strncmp(level, of_nodes[i], length) == 0 && strchr("/", level[length]))
			return true;
	}
	return false;
}

bool request_topic_allowed(const char *topic)
{
	size_t length = strlen(topic);

	if (length == 0 || length > REQUEST_TOPIC_MAX || topic[0] == '$' || strpbrk(topic, "+#"))
		return false;
	for (const char *at = topic; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return false;
	}
	if (strncmp(topic, "loalang/", 8) != 0)
		return true;
	const char *below_site = strchr(topic + 8, '/');
	return !below_site || !belongs_to_protocol(below_site + 1);
}

/* What this thread has worked; waiting for a busy machine is not its fault. */
static int64_t worked_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * US_PER_SEC + time.tv_nsec / 1000;
}

static void handle(const struct request *request, const struct kind *kind)
{
	struct requests *requests = &request->node->requests;
	int64_t now_us = clock_mono_us(), began_us = worked_us();

	if (kind->credits && !requests_afford(requests, now_us, kind->credits)) {
		refuse(request, REASON_QUEUE_FULL, "quá nhiều câu hỏi cùng lúc, hãy hỏi lại sau");
		return;
	}
	kind->handle(request);
	if (kind->credits)
		requests_bill_work(requests, now_us, worked_us() - began_us);
}

/* Whether there is somebody to answer; says why not. */
static bool answerable(const struct mqtt_event *event)
{
	const char *topic = event->response_topic;

	if (event->retained) {
		if (event->length > 0 || event->oversize)
			log_info("ignored the retained request on %s", event->topic);
	} else if (!topic) {
		log_info("ignored a request on %s: it has no Response Topic", event->topic);
	} else if (!request_topic_allowed(topic)) {
		log_info("ignored a request on %s: no answer is sent to its Response Topic",
			event->topic);
	} else if (event->correlation_length > REQUEST_CORRELATION_MAX) {
		log_info("ignored a request on %s: %zu bytes of Correlation Data are too many",
			event->topic, event->correlation_length);
	} else {
		return true;
	}
	return false;
}

void request_on_message(struct node *node, const char *what, const struct mqtt_event *event)
{
	struct request request = { .node = node, .event = event };
	_cleanup_(json_freep) struct json *root = NULL;
	struct error error = { 0 };

	if (!answerable(event))
		return;
	const struct kind *kind = find_kind(&request, what);
	if (!kind)
		return;
	if (event->oversize || event->length > REQUEST_PAYLOAD_MAX) {
		refuse(&request, REASON_TOO_LARGE, "câu hỏi dài quá 64 KiB");
		return;
	}
	if (event->length > 0) {
		request.root = root = json_parse(event->payload, event->length, &error);
		if (!root) {
			refuse(&request, REASON_BAD_JSON, error.text);
			return;
		}
	}
	if (root && json_kind(root) != JSON_KIND_OBJECT)
		refuse(&request, REASON_BAD_VALUE, "phải là một đối tượng JSON {…}");
	else
		handle(&request, kind);
}
