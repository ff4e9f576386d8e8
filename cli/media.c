/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang media put: a recording for announcements to name, onto the broker. */
#include "audio/recording.h"
#include "base/clock.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "cli/gather.h"
#include <errno.h>
#include <string.h>

/* While a large file goes out over a slow line nothing comes in, and the library would take the
 * broker for dead. */
#define PUT_KEEPALIVE_US (INT64_C(3600) * US_PER_SEC)

struct media_file {
	char *bytes;
	size_t length;
	double seconds;
	char sha256[SHA256_TEXT_SIZE];
};

static void media_file_done(struct media_file *file)
{
	free(file->bytes);
}

/* Every frame of it: what is damaged is better heard of in the office than from the loudspeaker. */
static int check_sound(const char *path, double *ret_seconds, struct error *error)
{
	_cleanup_(recording_freep) struct recording *recording = NULL;
	float frames[4096];
	long got = recording_open(path, &recording_limits, &recording, error);

	if (got < 0)
		return (int)got;
	while ((got = recording_read(recording, frames, countof(frames), error)) > 0)
		continue;
	*ret_seconds = recording_seconds(recording);
	return (int)got;
}

static int read_file(const char *path, struct media_file *file, struct error *error)
{
	_cleanup_(fclosep) FILE *stream = fopen(path, "re");

	file->bytes = xcalloc(RECORDING_BYTES_MAX + 1, 1);
	if (stream)
		file->length = fread(file->bytes, 1, RECORDING_BYTES_MAX + 1, stream);
	if (!stream || ferror(stream))
		return error_set(
			error, -errno, "%s: không đọc được tệp: %s", path, strerror(errno));
	if (file->length > RECORDING_BYTES_MAX) /* it has grown since it was checked */
		return error_set(error, -EFBIG, "%s: lớn quá %d MiB", path,
			RECORDING_BYTES_MAX / (1024 * 1024));
	sha256_text(file->bytes, file->length, file->sha256);
	return 0;
}

static void on_message(const struct broker_message *message, void *context)
{
	(void)message;
	(void)context;
}

static int publish(
	const struct session *session, const struct media_file *file, struct error *error)
{
	struct broker_config how = session->config->mqtt;
	_cleanup_(freep) char *topic = topic_of(session, "media/%s", file->sha256);
	const struct broker_publication publication = {
		.topic = topic, .payload = file->bytes, .length = file->length, .retain = true
	};

	how.keepalive_us = PUT_KEEPALIVE_US;
	_cleanup_(broker_disconnectp) struct broker *broker = broker_connect(
		&how, on_message, NULL, error);
	return broker ? broker_publish(broker, &publication, error) : -ENOTCONN;
}

static enum cli_status put(const struct session *session, const char *path)
{
	_cleanup_(media_file_done) struct media_file file = { 0 };
	struct error error;

	if (check_sound(path, &file.seconds, &error) < 0 || read_file(path, &file, &error) < 0) {
		complain(session, "%s", error.text);
		return CLI_REFUSED;
	}
	int result = publish(session, &file, &error);
	if (result < 0) {
		complain(session, "%s", error.text);
		return result == -EACCES || result == -EMSGSIZE ? CLI_REFUSED : CLI_NO_BROKER;
	}
	if (session->global.json)
		printf("{\"sha256\":\"%s\",\"bytes\":%zu,\"seconds\":%.3f}\n", file.sha256,
			file.length, file.seconds);
	else
		printf("%s\n", file.sha256);
	return CLI_DONE;
}

static const struct operation {
	const char *name;
	enum cli_status (*run)(const struct session *session, const char *argument);
} operations[] = {
	{ "put", put },
};

static enum cli_status run_media(struct session *session, int argc, char **argv)
{
	enum cli_status status;

	if (!session_open(session, argc, argv, NULL, &status))
		return status;
	for (size_t i = 0; i < countof(operations); i++)
		if (strcmp(session->arguments[0], operations[i].name) == 0)
			return operations[i].run(session, session->arguments[1]);
	complain(session, "không có việc “%.80s” (chỉ có: put)", session->arguments[0]);
	return CLI_USAGE;
}

const struct command command_media = {
	.name = "media",
	.arguments = "put TỆP",
	.summary = "Gửi một bản ghi âm (wav, flac, ogg, opus, mp3) lên broker, in mã của nó",
	.minimum = 2,
	.maximum = 2,
	.run = run_media,
};
