/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "synth/service.h"
#include "synth/trim.h"
#include "synth/voice.h"
#include "tts/wyoming.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define TEXT_BYTES_MAX (64 * 1024)
#define RATE_DEFAULT   130
#define RATE_MIN       80
#define RATE_MAX       300
#define PITCH_DEFAULT  45
#define PITCH_MAX      99

/* Of the silence around a sentence this stays: espeak-ng's closures before k, ch, t need some. */
#define LEAD_MS  10
#define TRAIL_MS 20

struct service {
	struct voice *voice;
	int output_fd;
	struct strbuf out;
	char *format; /* JSON of rate, width and channels */
	bool started; /* of the present request: audio-start was sent */
};

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

/* Sends what was encoded. */
static int flush(struct service *service)
{
	int result = write_all(service->output_fd, service->out.text, service->out.length);

	strbuf_clear(&service->out);
	return result;
}

static int send_error(struct service *service, const char *code, const struct error *error)
{
	struct strbuf data = { 0 };

	json_write_begin_object(&data, NULL);
	json_write_string(&data, "text", error->text);
	json_write_string(&data, "code", code);
	json_write_end_object(&data);
	wyoming_encode(&service->out, "error", data.text, NULL, 0);
	strbuf_done(&data);
	return flush(service);
}

static int on_trimmed(const int16_t *samples, size_t count, void *context)
{
	struct service *service = context;

	if (!service->started)
		wyoming_encode(&service->out, "audio-start", service->format, NULL, 0);
	service->started = true;
	/* The protocol's PCM is little-endian; so are the machines we are built for. */
	wyoming_encode(
		&service->out, "audio-chunk", service->format, samples, count * sizeof *samples);
	return flush(service);
}

static int on_voice(const int16_t *samples, size_t count, void *context)
{
	return trim_feed(context, samples, count);
}

static int clamp(int64_t value, int least, int most)
{
	return value < least ? least : value > most ? most : (int)value;
}

static int speak(struct service *service, const struct voice_request *request)
{
	struct error error = { 0 };
	struct trim trim;
	size_t per_ms = voice_rate_hz(service->voice) / 1000;

	trim_init(&trim, &(struct trim_config){ LEAD_MS * per_ms, TRAIL_MS * per_ms }, on_trimmed,
		service);
	service->started = false;
	int result = voice_speak(service->voice, request, on_voice, &trim, &error);
	if (result == 0)
		result = trim_end(&trim);
	trim_done(&trim);
	if (result == -EINVAL)
		return send_error(service, "bad-request", &error);
	if (result < 0)
		return result;
	if (!service->started)
		wyoming_encode(&service->out, "audio-start", service->format, NULL, 0);
	wyoming_encode(&service->out, "audio-stop", NULL, NULL, 0);
	return flush(service);
}

/* Dies as the child has died: what the daemon sees of a text that aborts the library. */
static int end_as(int status)
{
	if (WIFSIGNALED(status)) {
		(void)signal(WTERMSIG(status), SIG_DFL);
		(void)raise(WTERMSIG(status));
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPIPE;
}

/* In a child. The library's next sentence depends on what it has spoken before (up to 50 ms in
 * length, seen with 1.51): two nodes with different histories would not stay in step. A fork of the
 * process that has never spoken says the same words with the same bytes, always. */
static int speak_afresh(struct service *service, const struct voice_request *request)
{
	pid_t parent = getpid(), child = fork();
	int status;

	if (child < 0)
		return speak(service, request); /* better not in step than not at all */
	if (child == 0) {
		/* Whoever kills the worker means the one that speaks. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		_exit(getppid() != parent || speak(service, request) < 0);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return end_as(status);
}

static int on_synthesize(struct service *service, const struct wyoming_event *event)
{
	struct error error;
	const struct json *voice = wyoming_get(event, "voice");
	const char *text = json_as_string(wyoming_get(event, "text"), NULL);

	if (!text || strlen(text) > TEXT_BYTES_MAX) {
		(void)error_set(&error, -EINVAL, "yêu cầu không có \"text\", hoặc dài quá %d byte",
			TEXT_BYTES_MAX);
		return send_error(service, "bad-request", &error);
	}
	return speak_afresh(service,
		&(struct voice_request){
			.text = text,
			.name = json_as_string(json_get(voice, "name"), NULL),
			.rate = clamp(json_as_integer(json_get(voice, "rate"), RATE_DEFAULT),
				RATE_MIN, RATE_MAX),
			.pitch = clamp(json_as_integer(json_get(voice, "pitch"), PITCH_DEFAULT), 0,
				PITCH_MAX),
		});
}

static void write_attribution(struct strbuf *data)
{
	json_write_begin_object(data, "attribution");
	json_write_string(data, "name", "eSpeak NG");
	json_write_string(data, "url", "https://github.com/espeak-ng/espeak-ng");
	json_write_end_object(data);
	json_write_bool(data, "installed", true);
	json_write_string(data, "version", voice_version());
}

static int on_describe(struct service *service, const struct wyoming_event *event)
{
	struct strbuf data = { 0 };

	(void)event;
	json_write_begin_object(&data, NULL);
	json_write_begin_array(&data, "tts");
	json_write_begin_object(&data, NULL);
	json_write_string(&data, "name", "loalang-synth");
	json_write_string(&data, "description", "eSpeak NG");
	write_attribution(&data);
	json_write_begin_array(&data, "voices");
	json_write_begin_object(&data, NULL);
	json_write_string(&data, "name", VOICE_DEFAULT);
	json_write_string(&data, "description", "Tiếng Việt (miền Bắc)");
	write_attribution(&data);
	json_write_begin_array(&data, "languages");
	json_write_string(&data, NULL, "vi");
	json_write_end_array(&data);
	json_write_end_object(&data);
	json_write_end_array(&data);
	json_write_end_object(&data);
	json_write_end_array(&data);
	json_write_end_object(&data);
	wyoming_encode(&service->out, "info", data.text, NULL, 0);
	strbuf_done(&data);
	return flush(service);
}

static const struct {
	const char *type;
	int (*answer)(struct service *service, const struct wyoming_event *event);
} requests[] = {
	{ "synthesize", on_synthesize },
	{ "describe", on_describe },
};

static int answer(struct service *service, const struct wyoming_event *event)
{
	for (size_t i = 0; i < countof(requests); i++)
		if (strcmp(event->type, requests[i].type) == 0)
			return requests[i].answer(service, event);
	return 0;
}

/* Answers every request that bytes[0..length) completes. */
static int feed(
	struct service *service, struct wyoming_decoder *decoder, const char *bytes, size_t length)
{
	struct wyoming_event event;
	struct error error;

	for (;;) {
		size_t used;
		int result = wyoming_decode(decoder, bytes, length, &used, &event, &error);
		if (result == 0)
			return 0;
		if (result < 0) {
			(void)send_error(service, "bad-stream", &error);
			return result;
		}
		bytes += used;
		length -= used;
		result = answer(service, &event);
		if (result < 0)
			return result;
	}
}

static int serve(struct service *service, struct wyoming_decoder *decoder, int input_fd)
{
	char bytes[4096];

	for (;;) {
		ssize_t length = read(input_fd, bytes, sizeof bytes);
		if (length == 0)
			return wyoming_decoder_idle(decoder) ? 0 : -EPROTO;
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -errno;
		int result = feed(service, decoder, bytes, (size_t)length);
		if (result < 0)
			return result;
	}
}

int service_run(struct voice *voice, int input_fd, int output_fd)
{
	_cleanup_(wyoming_decoder_freep) struct wyoming_decoder *decoder = wyoming_decoder_new();
	_cleanup_(freep) char *format = xasprintf(
		"{\"rate\":%u,\"width\":2,\"channels\":1}", voice_rate_hz(voice));
	struct service service = { .voice = voice, .output_fd = output_fd, .format = format };

	int result = serve(&service, decoder, input_fd);
	strbuf_done(&service.out);
	return result;
}
