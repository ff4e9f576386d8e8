/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang stop, skip, mute, unmute: orders to what plays, by zone. */
#include "cli/gather.h"

#include <errno.h>
#include <string.h>

struct control_options {
	struct option_names zones;
};

static const struct option_spec options_of_control[] = {
	{ "zone", 'z', OPTION_NAMES, offsetof(struct control_options, zones), .value = "KHU-VỰC",
		.help = "khu vực; ghi được nhiều lần (mặc định: all, mọi loa)" },
	{ 0 },
};

static const struct order {
	const struct command *command;
	const char *done; /* what is said when the broker has it; before the zone */
} orders[] = {
	{ &command_stop, "Đã lệnh ngừng ở khu vực" },
	{ &command_skip, "Đã lệnh bỏ qua bản tin đang phát ở khu vực" },
	{ &command_mute, "Đã lệnh tắt tiếng ở khu vực" },
	{ &command_unmute, "Đã lệnh mở tiếng lại ở khu vực" },
};

static const char *done_of(const struct command *command)
{
	for (size_t i = 0; i < countof(orders); i++) {
		if (orders[i].command == command)
			return orders[i].done;
	}
	return "";
}

static void on_message(const struct broker_message *message, void *context)
{
	(void)message;
	(void)context;
}

/* Not retained: a node that comes later must not fall silent by it. The name of the command is the
 * action's. */
static int publish(
	struct session *session, struct broker *broker, const char *zone, struct error *error)
{
	_cleanup_(freep) char *topic = topic_of(session, "zone/%s/control", zone);
	_cleanup_(freep) char *payload = xasprintf("{\"action\":\"%s\"}", session->command->name);
	const struct broker_publication publication = { .topic = topic, .payload = payload };

	return broker_publish(broker, &publication, error);
}

static enum cli_status run_control(struct session *session, int argc, char **argv)
{
	struct control_options options = { 0 };
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
		int result = publish(session, broker, zone, &error);
		if (result < 0) {
			complain(session, "%s", error.text);
			return result == -EACCES ? CLI_REFUSED : CLI_NO_BROKER;
		}
		if (session->global.json)
			printf("{\"zone\":\"%s\",\"action\":\"%s\"}\n", zone,
				session->command->name);
		else
			printf("%s %s\n", done_of(session->command), zone);
	}
	return CLI_DONE;
}

#define CONTROL(name_, summary_)                                 \
	const struct command command_##name_ = { .name = #name_, \
		.arguments = "",                                 \
		.summary = (summary_),                           \
		.options = options_of_control,                   \
		.run = run_control }

CONTROL(stop, "Ngừng phát ngay, bỏ mọi bản tin đang chờ (trừ bản tin hẹn giờ sau)");
CONTROL(skip, "Bỏ qua bản tin đang phát, phát bản tin kế tiếp");
CONTROL(mute, "Tắt tiếng cho tới khi có lệnh unmute, kể cả qua khởi động lại");
CONTROL(unmute, "Mở tiếng lại sau lệnh mute");
