/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/gather.h"

#include <stdarg.h>
#include <string.h>

char *topic_of(const struct session *session, const char *format, ...)
{
	va_list arguments;
	char *rest = NULL;

	va_start(arguments, format);
	if (vasprintf(&rest, format, arguments) < 0)
		abort();
	va_end(arguments);
	char *topic = xasprintf("loalang/%s/%s", session->config->site, rest);
	free(rest);
	return topic;
}

char *topic_level(const char *topic, size_t index)
{
	for (; index > 0; index--) {
		const char *slash = strchr(topic, '/');
		topic = slash ? slash + 1 : "";
	}
	return xstrndup(topic, strcspn(topic, "/"));
}

static void on_message(const struct broker_message *message, void *context)
{
	struct gathered *gathered = context;
	size_t prefix = strlen(gathered->prefix);

	if (!message->retained) {
		if (gathered->on_live)
			gathered->on_live(message, gathered->context);
		return;
	}
	if (gathered->count == GATHER_MESSAGES_MAX ||
		strncmp(message->topic, gathered->prefix, prefix) != 0)
		return;
	gathered->list = xreallocarray(
		gathered->list, gathered->count + 1, sizeof(gathered->list[0]));
	gathered->list[gathered->count++] = (struct gathered_message){
		.topic = xstrdup(message->topic + prefix),
		.payload = xstrndup(message->payload, message->length),
		.length = message->length,
	};
}

static int by_topic(const void *a, const void *b)
{
	const struct gathered_message *one = a, *other = b;

	return strcmp(one->topic, other->topic);
}

static int collect(struct session *session, struct broker *broker, const char *const topics[],
	size_t count, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		_cleanup_(freep) char *topic = topic_of(session, "%s", topics[i]);
		/* QoS 0: the broker sends all of it without waiting for us. */
		int result = broker_subscribe(broker, topic, 0, error);
		if (result < 0)
			return result;
	}
	return broker_settle(broker, error);
}

bool gather(struct session *session, const char *const topics[], size_t count,
	struct gathered *ret_gathered, struct broker **ret_broker, enum cli_status *ret_status)
{
	struct error error;

	*ret_gathered = (struct gathered){ .prefix = topic_of(session, "%s", "") };
	_cleanup_(broker_disconnectp) struct broker *broker = broker_connect(
		&session->config->mqtt, on_message, ret_gathered, &error);
	if (!broker || collect(session, broker, topics, count, &error) < 0) {
		complain(session, "%s", error.text);
		*ret_status = CLI_NO_BROKER;
		return false;
	}
	if (ret_gathered->count > 0)
		qsort(ret_gathered->list, ret_gathered->count, sizeof(ret_gathered->list[0]),
			by_topic);
	*ret_broker = hand_over(broker);
	return true;
}

void gathered_done(struct gathered *gathered)
{
	for (size_t i = 0; i < gathered->count; i++) {
		free(gathered->list[i].topic);
		free(gathered->list[i].payload);
	}
	free(gathered->list);
	free(gathered->prefix);
}
