/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang stop: silence, at once. */
#include "cli/gather.h"

struct stop_options {
	struct option_names zones;
};

static const struct option_spec options_of_stop[] = {
	{ "zone", 'z', OPTION_NAMES, offsetof(struct stop_options, zones), .value = "KHU-VỰC",
		.help = "khu vực phải ngừng; ghi được nhiều lần (mặc định: all, mọi loa)" },
	{ 0 },
};

static void on_message(const struct broker_message *message, void *context)
{
	(void)message;
	(void)context;
}

/* Not retained: a node that comes later must not fall silent by it. */
static int publish(
	struct session *session, struct broker *broker, const char *zone, struct error *error)
{
	_cleanup_(freep) char *topic = topic_of(session, "zone/%s/control", zone);
	const struct broker_publication publication = { .topic = topic,
		.payload = "{\"action\":\"stop\"}" };

	return broker_publish(broker, &publication, error);
}

static enum cli_status run_stop(struct session *session, int argc, char **argv)
{
	struct stop_options options = { 0 };
	enum cli_status status;
	struct error error;

	if (!session_open(session, argc, argv, &options, &status))
		return status;
	if (options.zones.count == 0)
		options.zones.list[options.zones.count++] = "all";
	_cleanup_(broker_disconnectp) struct broker *broker = broker_connect(
		&session->config->mqtt, on_message, NULL, &error);
	if (!broker) {
		complain(session, "%s", error.text);
		return CLI_NO_BROKER;
	}
	for (size_t i = 0; i < options.zones.count; i++) {
		const char *zone = options.zones.list[i];
		if (publish(session, broker, zone, &error) < 0) {
			complain(session, "%s", error.text);
			return CLI_NO_BROKER;
		}
		if (session->global.json)
			printf("{\"zone\":\"%s\",\"action\":\"stop\"}\n", zone);
		else
			printf("Đã lệnh ngừng ở khu vực %s\n", zone);
	}
	return CLI_DONE;
}

const struct command command_stop = {
	.name = "stop",
	.arguments = "",
	.summary = "Ngừng phát ngay, bỏ mọi bản tin đang chờ (trừ bản tin hẹn giờ sau)",
	.options = options_of_stop,
	.run = run_stop,
};
