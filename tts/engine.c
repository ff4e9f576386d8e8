/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/engine.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "tts/connection.h"
#include "tts/wyoming.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define GRACE_MS     100  /* a child that is let go has this long to leave by itself */
#define READ_BYTES   8192 /* small: the first chunk is passed on before the next is read */
#define BLOCK_FRAMES 1024 /* given to `sound` at once at most */
#define RATE_MIN     8000
#define RATE_MAX     96000

struct engine {
	const struct engine_config *config;
	const char *const *helper_dirs;
	struct connection connection;
	struct wyoming_decoder *decoder;
};

/* One sentence on its way, or a connection being made. */
struct speaking {
	struct engine *engine;
	const struct engine_wait *wait; /* NULL: nobody wants to be called */
	struct error *error;
	engine_sound sound;
	void *sound_context;

	int64_t begin_us;    /* monotonic */
	int64_t in_sound_us; /* time that was the listener's, not the engine's */
	int64_t first_us;    /* budgets */
	int64_t total_us;
	int64_t call_at_us; /* when `waiting` wants to be called; TIME_NEVER */

	unsigned rate_hz, channels; /* 0: the engine has not said */
	size_t frames, flood_frames;
	const char *text;
	bool stopped; /* audio-stop came */
	int given_up; /* what `sound` returned */
};

int engine_budget_first_ms(size_t text_bytes)
{
	return 3000 + 20 * (int)(text_bytes < 100000 ? text_bytes : 100000);
}

int engine_budget_total_ms(size_t text_bytes)
{
	return 8000 + 60 * (int)(text_bytes < 100000 ? text_bytes : 100000);
}

/* The slowest rate is two syllables a second. A syllable has at least two bytes with its blank; a
 * digit of a long number ("mười bốn triệu") may be two words by itself. */
size_t engine_flood_frames(const char *text, size_t length, unsigned rate_hz)
{
	size_t digits = 0;

	for (size_t i = 0; i < length; i++)
		digits += text[i] >= '0' && text[i] <= '9';
	return (3 + length / 4 + digits) * rate_hz;
}

struct engine *engine_new(const struct engine_config *config, const char *const *helper_dirs)
{
	struct engine *engine = xcalloc(1, sizeof *engine);

	*engine = (struct engine){
		.config = config,
		.helper_dirs = helper_dirs,
		.connection = CONNECTION_CLOSED,
		.decoder = wyoming_decoder_new(),
	};
	return engine;
}

struct engine *engine_free(struct engine *engine)
{
	if (!engine)
		return NULL;
	connection_close(&engine->connection, GRACE_MS);
	wyoming_decoder_free(engine->decoder);
	free(engine);
	return NULL;
}

const struct engine_config *engine_config_of(const struct engine *engine)
{
	return engine->config;
}

int engine_pid(const struct engine *engine)
{
	return engine->connection.pid;
}

/* --- Waiting
 * ---------------------------------------------------------------------------------------- */

/* The engine's time so far: a flood that never lets us wait is on the clock as well. */
static int64_t spent_us(const struct speaking *speaking)
{
	return clock_mono_us() - speaking->begin_us - speaking->in_sound_us;
}

static int64_t budget_us(const struct speaking *speaking)
{
	return speaking->frames == 0 ? speaking->first_us : speaking->total_us;
}

static int too_late(const struct speaking *speaking)
{
	return error_set(speaking->error, -ETIME, "không trả lời trong %.1f giây",
		(double)budget_us(speaking) / (double)US_PER_SEC);
}

static int call_waiting(struct speaking *speaking)
{
	if (!speaking->wait)
		return 0;
	int next_ms = speaking->wait->waiting(speaking->wait->context);

	if (next_ms == -ECANCELED)
		return error_set(speaking->error, -ECANCELED, "đã hủy");
	speaking->call_at_us = next_ms < 0 ? TIME_NEVER
					   : clock_mono_us() + (int64_t)next_ms * US_PER_MS;
	return 0;
}

/* Milliseconds until the budget is spent or `waiting` is due. */
static int timeout_ms(const struct speaking *speaking, int64_t now_us)
{
	int64_t left_us = budget_us(speaking) - spent_us(speaking);

	if (speaking->call_at_us != TIME_NEVER && speaking->call_at_us - now_us < left_us)
		left_us = speaking->call_at_us - now_us;
	if (left_us <= 0)
		return 0;
	int64_t ms = (left_us + US_PER_MS - 1) / US_PER_MS;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Waits for `events`: 0, -ETIME or -ECANCELED. */
static int wait_for(struct speaking *speaking, int fd, short events)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = events },
		{ .fd = speaking->wait ? speaking->wait->cancel_fd : -1, .events = POLLIN },
	};

	for (;;) {
		int64_t now_us = clock_mono_us();
		if (spent_us(speaking) >= budget_us(speaking))
			return too_late(speaking);
		if (now_us >= speaking->call_at_us || fds[1].revents) {
			int result = call_waiting(speaking);
			if (result < 0)
				return result;
		}
		int ready = poll(fds, countof(fds), timeout_ms(speaking, clock_mono_us()));
		if (ready < 0 && errno != EINTR)
			return error_set(speaking->error, -errno, "poll: %s", strerror(errno));
		if (ready > 0 && fds[0].revents)
			return 0;
	}
}

static int wait_adapter(int fd, short events, void *context)
{
	return wait_for(context, fd, events);
}

/* --- Opening
 * ------------------------------------------------------------------------------------------ */

static int open_connection(struct speaking *speaking)
{
	struct engine *engine = speaking->engine;
	const struct engine_config *config = engine->config;

	wyoming_decoder_reset(engine->decoder);
	if (config->command)
		return connection_spawn(
			config->command, engine->helper_dirs, &engine->connection, speaking->error);
	struct connection_wait wait = { .wait = wait_adapter, .context = speaking };
	return connection_dial(config->address, &wait, &engine->connection, speaking->error);
}

/* Puts the engine's name before what went wrong, and ends the connection. */
static int fail(struct engine *engine, int result, struct error *error)
{
	connection_close(&engine->connection, 0);
	error_prefix(error, "bộ đọc “%s”", engine->config->name);
	return result;
}

/* A connection on which something happened while nobody asked (the child died, the server hung
 * up) is replaced; that is not the fault of the next sentence. */
static int ensure_open(struct speaking *speaking)
{
	struct engine *engine = speaking->engine;

	if (engine->connection.fd >= 0) {
		if (connection_is_quiet(&engine->connection))
			return 0;
		connection_close(&engine->connection, 0);
	}
	speaking->begin_us = clock_mono_us();
	int64_t first_us = speaking->first_us;
	speaking->first_us = ENGINE_CONNECT_MS * US_PER_MS;
	int result = open_connection(speaking);
	speaking->first_us = first_us;
	return result;
}

int engine_warm(struct engine *engine, struct error *error)
{
	struct speaking speaking = { .engine = engine, .error = error, .call_at_us = TIME_NEVER };
	int result = ensure_open(&speaking);

	return result < 0 ? fail(engine, result, error) : 0;
}

/* --- The request
 * --------------------------------------------------------------------------------------- */

static void encode_request(struct strbuf *out, const struct engine_config *config, const char *text,
	const struct engine_voice *voice)
{
	const char *name = voice->name ? voice->name : config->voice;
	struct strbuf data = { 0 };

	json_write_begin_object(&data, NULL);
	json_write_string(&data, "text", text);
	json_write_begin_object(&data, "voice");
	if (name && *name)
		json_write_string(&data, "name", name);
	json_write_integer(&data, "rate", voice->rate);
	json_write_integer(&data, "pitch", voice->pitch);
	json_write_end_object(&data);
	json_write_end_object(&data);
	wyoming_encode(out, "synthesize", data.text, NULL, 0);
	strbuf_done(&data);
}

static int send_all(struct speaking *speaking, const char *bytes, size_t length)
{
	int fd = speaking->engine->connection.fd;

	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN) {
			int result = wait_for(speaking, fd, POLLOUT);
			if (result < 0)
				return result;
			continue;
		}
		if (sent < 0)
			return error_set(
				speaking->error, -errno, "không nhận yêu cầu: %s", strerror(errno));
		bytes += sent;
		length -= (size_t)sent;
	}
	return 0;
}

/* Between the look at the idle connection and the request the other side may go: then the request
 * never reached it, and a new connection gets it. */
static int send_request(
	struct speaking *speaking, const char *text, const struct engine_voice *voice)
{
	struct strbuf request = { 0 };
	bool fresh = speaking->engine->connection.fd < 0;

	encode_request(&request, speaking->engine->config, text, voice);
	int result = ensure_open(speaking);
	if (result == 0)
		result = send_all(speaking, request.text, request.length);
	if ((result == -EPIPE || result == -ECONNRESET) && !fresh) {
		connection_close(&speaking->engine->connection, 0);
		result = ensure_open(speaking);
		if (result == 0)
			result = send_all(speaking, request.text, request.length);
	}
	strbuf_done(&request);
	return result;
}

/* --- The answer
 * ------------------------------------------------------------------------------------------ */

/* Takes the format of audio-start or audio-chunk; it may not change in a sentence. */
static int take_format(struct speaking *speaking, const struct wyoming_event *event)
{
	int64_t rate_hz = json_as_integer(wyoming_get(event, "rate"), 0);
	int64_t width = json_as_integer(wyoming_get(event, "width"), 0);
	int64_t channels = json_as_integer(wyoming_get(event, "channels"), 0);

	if (rate_hz < RATE_MIN || rate_hz > RATE_MAX || width != 2 || channels < 1 || channels > 2)
		return error_set(speaking->error, -EPROTO,
			"gửi âm thanh không đọc được (%lld Hz, %lld byte, %lld kênh)",
			(long long)rate_hz, (long long)width, (long long)channels);
	if (speaking->rate_hz == 0) {
		speaking->rate_hz = (unsigned)rate_hz;
		speaking->channels = (unsigned)channels;
		speaking->flood_frames = engine_flood_frames(
			speaking->text, strlen(speaking->text), speaking->rate_hz);
	}
	if (speaking->rate_hz != rate_hz || speaking->channels != channels)
		return error_set(speaking->error, -EPROTO, "đổi dạng âm thanh giữa câu");
	return 0;
}

static int give(struct speaking *speaking, const float *frames, size_t count)
{
	int64_t before_us = clock_mono_us();
	int result = speaking->sound(frames, count, speaking->rate_hz, speaking->sound_context);

	speaking->in_sound_us += clock_mono_us() - before_us;
	speaking->frames += count;
	if (result != 0)
		speaking->given_up = result;
	return result;
}

/* 16-bit little-endian PCM → float, two channels averaged. */
static float frame_at(const unsigned char *pcm, unsigned channels)
{
	int sum = 0;

	for (unsigned i = 0; i < channels; i++)
		sum += (int16_t)(uint16_t)(pcm[2 * i] | pcm[2 * i + 1] << 8);
	return (float)sum / (32768.0f * (float)channels);
}

static int on_audio_start(struct speaking *speaking, const struct wyoming_event *event)
{
	return take_format(speaking, event);
}

static int on_audio_chunk(struct speaking *speaking, const struct wyoming_event *event)
{
	float block[BLOCK_FRAMES];

	int result = take_format(speaking, event);
	if (result < 0)
		return result;
	size_t frame_bytes = 2 * (size_t)speaking->channels;
	if (event->payload_length % frame_bytes != 0)
		return error_set(speaking->error, -EPROTO, "gửi %zu byte âm thanh, không tròn mẫu",
			event->payload_length);
	size_t count = event->payload_length / frame_bytes;
	if (speaking->frames + count > speaking->flood_frames)
		return error_set(speaking->error, -EFBIG, "gửi âm thanh không dứt (hơn %zu giây)",
			speaking->flood_frames / speaking->rate_hz);
	const unsigned char *pcm = (const unsigned char *)event->payload;
	while (count > 0 && result == 0) {
		size_t now = count < BLOCK_FRAMES ? count : BLOCK_FRAMES;
		for (size_t i = 0; i < now; i++, pcm += frame_bytes)
			block[i] = frame_at(pcm, speaking->channels);
		result = give(speaking, block, now);
		count -= now;
	}
	return result;
}

static int on_audio_stop(struct speaking *speaking, const struct wyoming_event *event)
{
	(void)event;
	if (speaking->frames == 0)
		return error_set(speaking->error, -EPROTO, "không gửi âm thanh nào");
	speaking->stopped = true;
	return 0;
}

static int on_error(struct speaking *speaking, const struct wyoming_event *event)
{
	return error_set(speaking->error, -EPROTO, "báo lỗi: %.200s",
		json_as_string(wyoming_get(event, "text"), "không nói vì sao"));
}

static const struct {
	const char *type;
	int (*take)(struct speaking *speaking, const struct wyoming_event *event);
} events[] = {
	{ "audio-start", on_audio_start },
	{ "audio-chunk", on_audio_chunk },
	{ "audio-stop", on_audio_stop },
	{ "error", on_error },
};

static int take_event(struct speaking *speaking, const struct wyoming_event *event)
{
	for (size_t i = 0; i < countof(events); i++)
		if (strcmp(event->type, events[i].type) == 0)
			return events[i].take(speaking, event);
	return 0; /* a newer server's news */
}

/* Takes the events that bytes[0..length) complete, up to the end of the sentence. */
static int take_bytes(struct speaking *speaking, const char *bytes, size_t length)
{
	struct wyoming_event event;

	while (!speaking->stopped) {
		size_t used;
		int result = wyoming_decode(
			speaking->engine->decoder, bytes, length, &used, &event, speaking->error);
		if (result <= 0)
			return result;
		bytes += used;
		length -= used;
		result = take_event(speaking, &event);
		if (result != 0)
			return result;
	}
	/* What comes after the end belongs to nobody: not a connection to go on with. */
	if (length > 0)
		connection_close(&speaking->engine->connection, 0);
	return 0;
}

static int receive(struct speaking *speaking)
{
	char bytes[READ_BYTES];
	int fd = speaking->engine->connection.fd;

	while (!speaking->stopped) {
		int result = wait_for(speaking, fd, POLLIN);
		if (result < 0)
			return result;
		ssize_t length = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (length <= 0)
			return error_set(speaking->error, -EPROTO, "ngắt giữa câu");
		result = take_bytes(speaking, bytes, (size_t)length);
		if (result != 0)
			return result;
	}
	return 0;
}

int engine_speak(struct engine *engine, const char *text, const struct engine_voice *voice,
	engine_sound sound, void *sound_context, const struct engine_wait *wait,
	struct error *error)
{
	size_t text_bytes = strlen(text);
	struct speaking speaking = {
		.engine = engine,
		.wait = wait && wait->waiting ? wait : NULL,
		.error = error,
		.sound = sound,
		.sound_context = sound_context,
		.begin_us = clock_mono_us(),
		.first_us = engine_budget_first_ms(text_bytes) * US_PER_MS,
		.total_us = engine_budget_total_ms(text_bytes) * US_PER_MS,
		.text = text,
	};
	if (!speaking.wait)
		speaking.call_at_us = TIME_NEVER;
	int result = send_request(&speaking, text, voice);
	if (result == 0)
		result = receive(&speaking);
	if (result == 0)
		return 0;
	if (speaking.given_up) {
		connection_close(&engine->connection, 0);
		return speaking.given_up;
	}
	return fail(engine, result, error);
}
