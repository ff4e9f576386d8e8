/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/command.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/intake.h"
#include "daemon/output.h"
#include "daemon/request.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#define TOPIC_LEVELS_MAX 8
#define GAIN_DB_MIN      (-60.0)
#define GAIN_DB_MAX      20.0

struct message {
	struct node *node;
	const char *topic;
	const char *zone; /* or the name of an output, what is asked, or a recording's hash */
	const char *id;   /* of the topic; NULL: none */
	const char *payload;
	size_t length;
	bool retained;
	const struct mqtt_event *event; /* all of it */
};

/* --- Refusals -------------------------------------------------------------------------------- */

static void reject(
	const struct message *message, const char *id, enum reason reason, const char *detail)
{
	const char *told = id && id[0] ? id : message->id ? message->id : "";

	node_reject(message->node, told, 0, reason, detail);
	log_info("what was rejected came on %s", message->topic);
}

/* --- Announcements --------------------------------------------------------------------------- */

/* An id for what came without one: the node, the time, the number of the announcement. */
static void make_id(struct node *node, char ret_id[ID_MAX_BYTES + 1])
{
	time_t now = (time_t)(clock_real_us() / US_PER_SEC);
	struct tm utc;
	char stamp[24];

	gmtime_r(&now, &utc);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
	/* The sequence is kept on disk: clocks and restarts cannot make an id twice. */
	snprintf(ret_id, NAME_MAX_BYTES + 1, "%.20s-%s-%" PRIu64, node->config->node, stamp,
		node->next_sequence);
}

static void offer(const struct message *message, struct announcement *announcement)
{
	enum reason reason = REASON_BAD_VALUE;
	struct error error = { 0 };
	double seconds;

	if (intake_judge(message->node, message->zone, announcement, &seconds, &reason, &error) <
		0) {
		reject(message, announcement->id, reason, error.text);
		return;
	}
	int result = intake_offer(message->node, message->zone, announcement, seconds);
	if (result == -EEXIST)
		reject(message, announcement->id, REASON_DUPLICATE,
			"mã và số bản (revision) này đã dùng cho một nội dung khác; hãy tăng "
			"revision hoặc dùng mã khác");
	else if (result < 0)
		reject(message, announcement->id, REASON_QUEUE_FULL,
			"hàng đợi của loa đã đầy, hãy gửi lại sau");
}

static void withdraw(const struct message *message, int64_t revision, bool lasting)
{
	for (size_t i = 0; i < message->node->outputs_count; i++) {
		struct output *output = &message->node->outputs[i];
		if (output_listens(output, message->zone))
			output_withdraw(output, message->id, revision, lasting);
	}
}

static void on_announce(const struct message *message)
{
	struct node *node = message->node;
	char made_id[ID_MAX_BYTES + 1], id[ID_MAX_BYTES + 1];
	struct error error = { 0 };
	enum reason reason;

	if (message->id && message->length == 0) {
		withdraw(message, INT64_MAX, false);
		return;
	}
	if (message->retained && !message->id) {
		if (message->length > 0) /* an empty one removes it: that is welcome */
			reject(message, NULL, REASON_RETAINED_CONTROL,
				"bản tin không có mã thì không được lưu lại trên máy chủ "
				"(retained): "
				"hãy gửi tới announce/<mã>");
		return;
	}
	if (message->event->oversize) {
		(void)error_set(&error, 0, "dài %zu byte, nhiều nhất là %d", message->length,
			ANNOUNCEMENT_PAYLOAD_MAX);
		reject(message, NULL, REASON_TOO_LARGE, error.text);
		return;
	}
	make_id(node, made_id);
	struct announcement_defaults defaults = { .now_us = clock_real_us(),
		.sync_lead_us = node->config->sync_lead_us };
	_cleanup_(announcement_unrefp) struct announcement *announcement = announcement_parse(
		message->payload, message->length, message->id, made_id, &defaults, id, &reason,
		&error);
	if (!announcement)
		reject(message, id, reason, error.text);
	else if (announcement->withdrawal)
		withdraw(message, announcement->revision, true);
	else
		offer(message, announcement);
}

/* --- Control and gain ------------------------------------------------------------------------ */

static void mute(struct output *output)
{
	output_mute(output, true);
}

static void unmute(struct output *output)
{
	output_mute(output, false);
}

static const char *const actions[] = { "stop", "skip", "mute", "unmute", NULL };
static void (*const operations[])(
	struct output *output) = { output_stop, output_skip, mute, unmute };

static void control(const struct message *message, int action)
{
	log_notice("zone %s: %s by an operator", message->zone, actions[action]);
	for (size_t i = 0; i < message->node->outputs_count; i++) {
		struct output *output = &message->node->outputs[i];
		if (output_listens(output, message->zone))
			operations[action](output);
	}
}

/* One JSON object with one key; NULL after a refusal. Of what is oversize only the length is there. */
static struct json *parse_object(const struct message *message, struct error *error)
{
	if (message->length > ANNOUNCEMENT_PAYLOAD_MAX) {
		(void)error_set(error, 0, "dài %zu byte, nhiều nhất là %d", message->length,
			ANNOUNCEMENT_PAYLOAD_MAX);
		reject(message, NULL, REASON_TOO_LARGE, error->text);
		return NULL;
	}
	struct json *root = json_parse(message->payload, message->length, error);

	if (!root) {
		reject(message, NULL, REASON_BAD_JSON, error->text);
		return NULL;
	}
	if (json_kind(root) == JSON_KIND_OBJECT)
		return root;
	reject(message, NULL, REASON_BAD_VALUE, "phải là một đối tượng JSON {…}");
	return json_free(root);
}

static void on_control(const struct message *message)
{
	struct {
		int action;
	} wish = { -1 };
	const struct json_field fields[] = {
		{ "action", 0, json_decode_choice, 0, 0, actions },
		{ 0 },
	};
	struct error error = { 0 };
	enum json_reason why;

	if (message->retained) {
		if (message->length > 0) /* an empty one removes it: that is welcome */
			reject(message, NULL, REASON_RETAINED_CONTROL,
				"lệnh điều khiển không được lưu lại trên máy chủ (retained)");
		return;
	}
	_cleanup_(json_freep) struct json *root = parse_object(message, &error);
	if (!root)
		return;
	if (json_decode(root, fields, &wish, &error, &why) < 0)
		reject(message, NULL,
			why == JSON_REASON_UNKNOWN_KEY ? REASON_UNKNOWN_KEY : REASON_BAD_VALUE,
			error.text);
	else if (wish.action < 0)
		reject(message, NULL, REASON_BAD_VALUE, "thiếu khóa \"action\"");
	else
		control(message, wish.action);
}

/* Kept on disk too: a broker that has lost its data must not make a village loud again. */
static void set_gain(struct output *output, double gain_db, bool lasting)
{
	_cleanup_(freep) char *key = xasprintf("gain:%s", output->config->sound.name);
	_cleanup_(freep) char *value = lasting ? xasprintf("%.2f", gain_db) : xstrdup("");

	output_set_gain(output, gain_db);
	(void)store_put_setting(output->node->store, key, value);
}

static void on_gain(const struct message *message)
{
	struct output *output = output_find(message->node, message->zone);
	struct {
		double gain_db;
	} gain = { NAN };
	const struct json_field fields[] = {
		{ "gain_db", 0, json_decode_double, GAIN_DB_MIN, GAIN_DB_MAX, NULL },
		{ 0 },
	};
	struct error error = { 0 };
	enum json_reason why;

	if (!output)
		return;             /* an output that this node had once */
	if (message->length == 0) { /* the retained gain was removed: as configured again */
		set_gain(output, output->config->sound.gain_db, false);
		return;
	}
	_cleanup_(json_freep) struct json *root = parse_object(message, &error);
	if (!root)
		return;
	if (json_decode(root, fields, &gain, &error, &why) < 0)
		reject(message, NULL,
			why == JSON_REASON_UNKNOWN_KEY ? REASON_UNKNOWN_KEY : REASON_BAD_VALUE,
			error.text);
	else if (isnan(gain.gain_db))
		reject(message, NULL, REASON_BAD_VALUE, "thiếu khóa \"gain_db\"");
	else
		set_gain(output, gain.gain_db, true);
}

/* --- Schedules, recordings and requests ------------------------------------------------------------------- */

static void on_schedule(const struct message *message)
{
	schedules_on_message(message->node, message->zone, message->id, message->event);
}

static void on_media(const struct message *message)
{
	fetch_on_bytes(message->node, message->zone, message->payload, message->length);
}

static void on_request(const struct message *message)
{
	request_on_message(message->node, message->zone, message->event);
}

/* --- Topics ----------------------------------------------------------------------------------- */

/* A topic under loalang/<site>/: "*" is any level, "#" an optional id at the end. */
static const struct route {
	const char *levels[6];
	void (*handle)(const struct message *message);
	int subject; /* the level that is the zone or the output */
	size_t id;   /* the level that is the id, where it is there; 0: none */
} routes[] = {
	{ { "zone", "*", "announce", "#" }, on_announce, 1, 3 },
	{ { "zone", "*", "schedule", "*" }, on_schedule, 1, 3 },
	{ { "zone", "*", "control" }, on_control, 1, 0 },
	{ { "node", "*", "output", "*", "gain" }, on_gain, 3, 0 },
	{ { "node", "*", "request", "*" }, on_request, 3, 0 },
	{ { "media", "*" }, on_media, 1, 0 },
};

static bool route_matches(const struct route *route, char *const levels[], size_t count)
{
	size_t i;

	for (i = 0; i < countof(route->levels) && route->levels[i]; i++) {
		if (strcmp(route->levels[i], "#") == 0)
			return count == i || count == i + 1;
		if (i >= count || (strcmp(route->levels[i], "*") != 0 &&
					  strcmp(route->levels[i], levels[i]) != 0))
			return false;
	}
	return count == i;
}

void command_on_message(struct node *node, const struct mqtt_event *event)
{
	const char *topic = event->topic;
	_cleanup_(freep) char *prefix = xasprintf("loalang/%s/", node->config->site);
	if (strncmp(topic, prefix, strlen(prefix)) != 0)
		return;
	_cleanup_(freep) char *rest = xstrdup(topic + strlen(prefix));
	char *levels[TOPIC_LEVELS_MAX];
	size_t count = 0;
	char *cursor = rest, *level;

	while (count < TOPIC_LEVELS_MAX && (level = strsep(&cursor, "/")))
		levels[count++] = level;
	for (size_t i = 0; i < countof(routes); i++) {
		if (cursor || !route_matches(&routes[i], levels, count))
			continue;
		struct message message = {
			.node = node,
			.topic = topic,
			.zone = levels[routes[i].subject],
			.id = routes[i].id && routes[i].id < count ? levels[routes[i].id] : NULL,
			.payload = event->payload,
			.length = event->length,
			.retained = event->retained,
			.event = event,
		};
		routes[i].handle(&message);
		return;
	}
	log_debug("nothing to do with a message on %s", topic);
}

/* --- Subscriptions ------------------------------------------------------------------------------
 */

struct filters {
	char **list;
	size_t count;
};

static void filters_add(struct filters *filters, char *filter)
{
	for (size_t i = 0; i < filters->count; i++) {
		if (strcmp(filters->list[i], filter) == 0) {
			free(filter);
			return;
		}
	}
	filters->list = xreallocarray(filters->list, filters->count + 2, sizeof *filters->list);
	filters->list[filters->count++] = filter;
	filters->list[filters->count] = NULL;
}

static void filters_add_zone(struct filters *filters, const char *site, const char *zone)
{
	filters_add(filters, xasprintf("loalang/%s/zone/%s/announce", site, zone));
	filters_add(filters, xasprintf("loalang/%s/zone/%s/announce/+", site, zone));
	filters_add(filters, xasprintf("loalang/%s/zone/%s/control", site, zone));
}

char **command_filters(const struct node *node)
{
	const struct config *config = node->config;
	struct filters filters = { 0 };

	filters_add_zone(&filters, config->site, "all");
	for (size_t i = 0; i < config->outputs_count; i++)
		for (size_t z = 0; z < config->outputs[i].zones_count; z++)
			filters_add_zone(&filters, config->site, config->outputs[i].zones[z]);
	filters_add(&filters,
		xasprintf("loalang/%s/node/%s/output/+/gain", config->site, config->node));
	filters_add(
		&filters, xasprintf("loalang/%s/node/%s/request/+", config->site, config->node));
	return filters.list;
}

char **command_standing_filters(const struct node *node)
{
	const struct config *config = node->config;
	struct filters filters = { 0 };

	filters_add(&filters, xasprintf("loalang/%s/zone/all/schedule/+", config->site));
	for (size_t i = 0; i < config->outputs_count; i++)
		for (size_t z = 0; z < config->outputs[i].zones_count; z++)
			filters_add(&filters, xasprintf("loalang/%s/zone/%s/schedule/+",
						      config->site, config->outputs[i].zones[z]));
	return filters.list;
}

void command_filters_free(char **filters)
{
	for (char **filter = filters; filter && *filter; filter++)
		free(*filter);
	free(filters);
}
