/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang say: publishes an announcement and waits until the outputs have answered. */
#include "cli/broker.h"
#include "cli/command.h"
#include "cli/gather.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/replies.h"
#include "cli/warnings.h"
#include "tts/reading.h"
#include <errno.h>
#include <string.h>

#define PLAYED_MARGIN_US (60 * US_PER_SEC)

struct say_options {
	struct option_names zones;
	int priority;
	int64_t start_us, expires_us, timeout_us;
	int repeat, revision;
	const char *chime, *id;
	int wait;
	bool yes;
};

#define SAY(member) offsetof(struct say_options, member)
static const struct option_spec options_of_say[] = {
	{ "zone", 'z', OPTION_NAMES, SAY(zones), .value = "KHU-VỰC",
		.help = "khu vực nhận; ghi được nhiều lần (mặc định: all, mọi loa)" },
	{ "priority", 'p', OPTION_CHOICE, SAY(priority), .choices = priority_names, .value = "MỨC",
		.help = "background, normal (mặc định), priority hoặc emergency" },
	{ "start", '\0', OPTION_TIME, SAY(start_us), .value = "LÚC",
		.help = "phát lúc nào, ví dụ 2026-11-21T17:00:00+07:00 (mặc định: ngay)" },
	{ "expires", '\0', OPTION_DURATION, SAY(expires_us), .value = "KHOẢNG",
		.help = "sau chừng ấy mà chưa phát thì thôi, ví dụ 30m (mặc định: 1h)" },
	{ "repeat", '\0', OPTION_INTEGER, SAY(repeat), 1, ANNOUNCEMENT_REPEAT_MAX, .value = "LẦN",
		.help = "đọc mấy lần (mặc định: 1; khẩn cấp: 3)" },
	{ "chime", '\0', OPTION_NAME, SAY(chime), .value = "NHẠC",
		.help = "nhạc hiệu mở đầu; none: không có nhạc hiệu nào" },
	{ "id", '\0', OPTION_ID, SAY(id), .value = "MÃ", .help = "mã bản tin (mặc định: tự đặt)" },
	{ "revision", '\0', OPTION_INTEGER, SAY(revision), 1, 1000000, .value = "SỐ",
		.help = "lần sửa: số lớn hơn thay bản tin cùng mã (mặc định: 1)" },
	{ "wait", '\0', OPTION_CHOICE, SAY(wait), .choices = tally_wait_names, .value = "MỐC",
		.help = "chờ tới accepted (mặc định), started hoặc finished" },
	{ "timeout", '\0', OPTION_DURATION, SAY(timeout_us), .value = "KHOẢNG",
		.help = "chờ trả lời lâu nhất chừng ấy" },
	{ "yes", 'y', OPTION_FLAG, SAY(yes),
		.help = "phát cả khi nội dung còn chỗ đáng ngờ (xem: loalang read)" },
	{ 0 },
};

struct say {
	struct session *session;
	struct say_options options;
	struct message message;
	char id[MESSAGE_ID_SIZE];
	double seconds; /* predicted, of all repeats */
};

/* --- What is said --------------------------------------------------------------------------- */

/* The announcement's length: an emergency is said three times unless told otherwise. */
static void predict(struct say *say, const struct reading *reading)
{
	int times = say->options.repeat;

	if (times == 0)
		times = say->message.priority == PRIORITY_EMERGENCY ? ANNOUNCEMENT_EMERGENCY_TIMES
								    : 1;
	say->seconds = reading->seconds * times;
}

/* What is doubtful is said, and stops the announcement unless that was foreseen: nobody should hear
 * over the loudspeakers what nobody has looked at. */
static bool check_warnings(const struct say *say, const struct reading *reading)
{
	warnings_print(say->session, reading, 0);
	if (reading->warnings_count == 0 || say->options.yes)
		return true;
	complain(say->session,
		"chưa phát: nội dung còn %zu chỗ đáng ngờ; sửa lại, hoặc thêm --yes để vẫn phát",
		reading->warnings_count);
	return false;
}

/* Reads the text as the nodes will; says why they would refuse it. */
static bool check_text(struct say *say, const char *text, size_t length)
{
	struct session *session = say->session;
	const struct reading_config config = config_reading(session->config, NULL, NULL, -1);
	_cleanup_(reading_freep) struct reading *reading = NULL;
	enum reading_refusal refusal = READING_FINE;
	struct error error;

	if (reading_new(text, length, &config, &reading, &refusal, &error) < 0) {
		complain(session, "%s", error.text);
		return false;
	}
	if (!check_warnings(say, reading))
		return false;
	predict(say, reading);
	return true;
}

static void fill_message(struct say *say, const char *text)
{
	int64_t now_us = clock_real_us();

	message_id(now_us, say->id);
	say->message = (struct message){
		.id = say->options.id ? say->options.id : say->id,
		.revision = say->options.revision,
		.text = text,
		.priority = (enum priority)say->options.priority,
		.start_us = say->options.start_us,
		.expires_us = say->options.expires_us,
		.repeat = say->options.repeat,
		.chime = say->options.chime,
		.issued_at_us = now_us,
	};
}

/* "user@host" */
static char *issuer(void)
{
	char host[65] = "";
	const char *user = getenv("USER");

	if (gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '\0';
	return xasprintf("%.64s@%s", user && *user ? user : "loalang", host);
}

static int publish(struct say *say, struct broker *broker, const char *json, struct error *error)
{
	for (size_t i = 0; i < say->options.zones.count; i++) {
		_cleanup_(freep) char *topic = topic_of(say->session, "zone/%s/announce/%s",
			say->options.zones.list[i], say->message.id);
		int64_t left_us = message_expires_us(&say->message) - clock_real_us();
		const struct broker_publication publication = { .topic = topic,
			.payload = json,
			.retain = true,
			.expiry_us = left_us > US_PER_SEC ? left_us : US_PER_SEC };
		int result = broker_publish(broker, &publication, error);
		if (result < 0)
			return result;
	}
	return 0;
}

static int64_t timeout_us(const struct say *say)
{
	if (say->options.timeout_us > 0)
		return say->options.timeout_us;
	if (say->options.wait == TALLY_ACCEPTED)
		return REPLIES_ACCEPTED_US;
	int64_t until_start_us = 0;
	if (say->message.start_us != TIME_UNSET &&
		say->message.start_us > say->message.issued_at_us)
		until_start_us = say->message.start_us - say->message.issued_at_us;
	return until_start_us + (int64_t)(say->seconds * 1.5 * 1e6) + PLAYED_MARGIN_US;
}

/* --- The command ---------------------------------------------------------------------------- */

static enum cli_status send_and_wait(struct say *say, struct replies *replies, const char *json)
{
	struct error error;
	_cleanup_(broker_disconnectp) struct broker *broker = broker_connect(
		&say->session->config->mqtt, replies_on_message, replies, &error);

	if (!broker || replies_listen(replies, broker, &error) < 0 ||
		broker_settle(broker, &error) < 0) {
		complain(say->session, "%s", error.text);
		return CLI_NO_BROKER;
	}
	replies->published = true;
	int result = publish(say, broker, json, &error);
	if (result < 0) {
		complain(say->session, "%s", error.text);
		return result == -EACCES ? CLI_REFUSED : CLI_NO_BROKER;
	}
	return replies_await(replies, broker, timeout_us(say));
}

static enum cli_status say_text(struct say *say, const char *text, size_t length)
{
	struct session *session = say->session;
	struct error error;

	fill_message(say, text);
	if (!check_text(say, text, length))
		return CLI_REFUSED;
	_cleanup_(freep) char *issued_by = issuer();
	say->message.issued_by = issued_by;
	_cleanup_(freep) char *json = message_format(&say->message);
	_cleanup_(announcement_unrefp) struct announcement *announcement = message_check(
		json, &say->message, session->config->sync_lead_us, &error);
	if (!announcement) {
		complain(session, "%s", error.text);
		return CLI_REFUSED;
	}
	const struct tally_config config = { .id = say->message.id,
		.revision = say->message.revision,
		.zones = say->options.zones.list,
		.zones_count = say->options.zones.count,
		.wait = (enum tally_wait)say->options.wait };
	_cleanup_(freep) char *title = xasprintf("Bản tin %s", say->message.id);
	_cleanup_(tally_freep) struct tally *tally = tally_new(&config);
	struct replies replies = {
		.session = session, .tally = tally, .wait = config.wait, .title = title
	};
	return send_and_wait(say, &replies, json);
}

static enum cli_status run_say(struct session *session, int argc, char **argv)
{
	struct say say = { .session = session,
		.options = { .priority = PRIORITY_NORMAL,
			.start_us = TIME_UNSET,
			.revision = 1,
			.wait = TALLY_ACCEPTED } };
	enum cli_status status;
	struct error error;
	size_t length = 0;

	if (!session_open(session, argc, argv, &say.options, &status))
		return status;
	if (say.options.zones.count == 0)
		say.options.zones.list[say.options.zones.count++] = "all";
	_cleanup_(freep) char *text = input_text(
		session->arguments[0], ANNOUNCEMENT_PAYLOAD_MAX, &length, &error);
	if (!text) {
		complain(session, "%s", error.text);
		return CLI_REFUSED;
	}
	return say_text(&say, text, length);
}

const struct command command_say = {
	.name = "say",
	.arguments = "NỘI-DUNG|-",
	.summary = "Phát một bản tin, chờ các loa trả lời",
	.options = options_of_say,
	.minimum = 1,
	.maximum = 1,
	.run = run_say,
};
