/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang render: the whole programme into a file, as an output would play it. Needs no broker. */
#include "audio/mix.h"
#include "audio/programme.h"
#include "base/clock.h"
#include "base/inbox.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/warnings.h"
#include "cli/wav.h"
#include "tts/renderer.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#define RENDER_RATE_HZ      48000
#define RENDER_BLOCK_FRAMES 4800
#define RENDER_EVENTS_MAX   1024
#define RENDER_JOIN_MS      5000

struct render_options {
	const char *path, *chime, *output;
	int priority;
};

#define RENDER(member) offsetof(struct render_options, member)
static const struct option_spec options_of_render[] = {
	{ "out", 'o', OPTION_TEXT, RENDER(path), .value = "TỆP.wav",
		.help = "ghi vào tệp này (bắt buộc; 48 kHz, 16 bit)" },
	{ "priority", 'p', OPTION_CHOICE, RENDER(priority), .choices = priority_names,
		.value = "MỨC", .help = "background, normal (mặc định), priority hoặc emergency" },
	{ "chime", '\0', OPTION_NAME, RENDER(chime), .value = "NHẠC",
		.help = "nhạc hiệu mở đầu; none: không có nhạc hiệu nào" },
	{ "output", '\0', OPTION_NAME, RENDER(output), .value = "LOA",
		.help = "như loa này phát ra: âm lượng (gain_db) và cách chỉnh tiếng (sound) của "
			"nó "
			"trong cấu hình; không ghi: một loa nén" },
	{ 0 },
};

/* --- What is to be played ------------------------------------------------------------------- */

/* The chime's file; one that was named and is not there is told and left out, as by a node. */
static char *find_chime(const struct session *session, const char *wish, const char *by_priority)
{
	const char *name = *wish ? wish : by_priority;
	char *path = config_chime_path(session->config, name);

	if (!path && strcmp(name, "none") != 0)
		complain(session, "chú ý: không có nhạc hiệu “%s” trong %s", name,
			session->config->chimes.dir ? session->config->chimes.dir
						    : "(chưa cài đặt)");
	return path;
}

static struct rundown *make_rundown(const struct session *session,
	const struct announcement *announcement, const struct reading *reading)
{
	const struct config_chimes_of *chimes =
		&session->config->chimes.by_priority[announcement->priority];
	_cleanup_(freep) char *open = find_chime(session, announcement->chime_open, chimes->open);
	_cleanup_(freep) char *close = find_chime(
		session, announcement->chime_close, chimes->close);
	_cleanup_(freep) char *bed = find_chime(session, announcement->bed, chimes->bed);
	const struct rundown_config config = { .open_path = open,
		.close_path = close,
		.bed_path = bed,
		.repeat_times = (unsigned)announcement->repeat_times,
		.repeat_gap_us = announcement->repeat_gap_us };

	const struct rundown_part text = { .what = RUNDOWN_PART_READING, .reading = reading };

	return rundown_new(&text, 1, &config);
}

/* --- Performing it -------------------------------------------------------------------------- */

struct performance {
	const struct session *session;
	struct programme *programme;
	struct inbox *events;
	int wake_fd;
	float gain; /* linear */
	enum chain_preset preset;
	struct levels *levels;
	struct wav wav;
	bool over; /* the renderer's last event has come */
	bool failed;
};

static void on_event(struct performance *performance, const struct renderer_event *event)
{
	switch (event->what) {
	case RENDERER_ENGINE_FAILED:
	case RENDERER_CHIME_FAILED:
	case RENDERER_RECORDING_FAILED:
		complain(performance->session, "chú ý: %s", event->error.text);
		return;
	case RENDERER_FAILED:
		complain(performance->session, "không bộ đọc nào đọc được%s%s",
			event->error.text[0] ? ": " : "", event->error.text);
		performance->failed = true;
		performance->over = true;
		return;
	case RENDERER_DONE:
	case RENDERER_CANCELLED:
		performance->over = true;
		return;
	case RENDERER_PRIMED:
		return;
	}
}

static void take_events(struct performance *performance)
{
	for (struct inbox_link *next, *link = inbox_take(performance->events); link; link = next) {
		next = link->next;
		on_event(performance, (const struct renderer_event *)link);
		free(link);
	}
}

/* Writes what is there; the number of frames, or -errno with *error. */
static long write_frames(struct performance *performance, struct error *error)
{
	float frames[RENDER_BLOCK_FRAMES];
	size_t count = programme_pull(performance->programme, frames, RENDER_BLOCK_FRAMES);

	for (size_t i = 0; i < count; i++)
		frames[i] *= performance->gain;
	int result = wav_write(&performance->wav, frames, count, error);
	return result < 0 ? result : (long)count;
}

static void wait_for_more(const struct performance *performance)
{
	struct pollfd fds[2] = { { .fd = performance->wake_fd, .events = POLLIN },
		{ .fd = inbox_fd(performance->events), .events = POLLIN } };
	eventfd_t ignored;

	if (programme_want_frames(performance->programme))
		return;
	if (poll(fds, 2, -1) > 0 && (fds[0].revents & POLLIN))
		(void)!eventfd_read(performance->wake_fd, &ignored);
}

/* Until the whole programme is in the file and the renderer has said its last word. */
static int drain(struct performance *performance, struct error *error)
{
	while (!performance->over || !programme_drained(performance->programme)) {
		take_events(performance);
		long count = write_frames(performance, error);
		if (count < 0)
			return (int)count;
		if (count == 0 && !(performance->over && programme_drained(performance->programme)))
			wait_for_more(performance);
	}
	return 0;
}

static void event_free(struct inbox_link *event)
{
	free(event);
}

static void performance_done(struct performance *performance)
{
	wav_abandon(&performance->wav);
	if (performance->events)
		inbox_free(performance->events, event_free);
	closep(&performance->wake_fd);
	if (performance->programme)
		programme_free(performance->programme);
	levels_free(performance->levels);
}

static int prepare(
	struct performance *performance, size_t items, const char *path, struct error *error)
{
	performance->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	performance->events = inbox_new(RENDER_EVENTS_MAX);
	performance->programme = programme_new(RENDER_RATE_HZ, items, TIME_UNSET);
	if (performance->wake_fd < 0 || !performance->events || !performance->programme ||
		programme_set_wake_fd(performance->programme, performance->wake_fd) < 0)
		return error_set(
			error, -errno, "không chuẩn bị được chương trình: %s", strerror(errno));
	return wav_create(&performance->wav, path, RENDER_RATE_HZ, error);
}

static int perform(struct performance *performance, const struct rundown *rundown, const char *path,
	struct error *error)
{
	const struct config *config = performance->session->config;
	const struct renderer_config how = { .engines = config->speech.engines,
		.engines_count = config->speech.engines_count,
		.helper_dirs = config_helper_dirs(),
		.patient = true,
		.duck_db = RENDERER_DUCK_DB,
		.preset = performance->preset,
		.levels = performance->levels };
	const struct engine_voice voice = { .rate = config->speech.rate,
		.pitch = config->speech.pitch };
	struct engine *warm = NULL;

	int result = prepare(performance, rundown->count, path, error);
	if (result < 0)
		return result;
	struct renderer *renderer = renderer_start(&how, rundown, (struct rundown_position){ 0 },
		performance->programme, NULL, &voice, NULL, performance->events);
	if (!renderer)
		return error_set(
			error, -errno, "không chạy được luồng dựng tiếng: %s", strerror(errno));
	result = drain(performance, error);
	if (result < 0)
		programme_abort(performance->programme);
	/* A renderer that hangs would write into what is freed: then only the process can end it. */
	if (renderer_join(renderer, RENDER_JOIN_MS, &warm) < 0) {
		complain(performance->session, "luồng dựng tiếng không chịu dừng");
		_exit(CLI_REFUSED);
	}
	engine_free(warm);
	if (result == 0 && performance->failed)
		return error_set(error, -EIO, "bỏ %s, không ghi dở", path);
	return result < 0 ? result : wav_finish(&performance->wav, error);
}

/* --- The command ---------------------------------------------------------------------------- */

/* The output that was named, or NULL for any horn. False if there is none of that name. */
static bool find_output(
	const struct session *session, const char *name, const struct output_config **ret_output)
{
	const struct config *config = session->config;

	*ret_output = NULL;
	if (!name)
		return true;
	for (size_t i = 0; i < config->outputs_count; i++) {
		if (strcmp(config->outputs[i].sound.name, name) != 0)
			continue;
		*ret_output = &config->outputs[i].sound;
		return true;
	}
	complain(session, "không có loa “%s” trong cấu hình", name);
	return false;
}

static struct announcement *make_announcement(const struct session *session,
	const struct render_options *options, const char *text, struct error *error)
{
	const struct message message = { .text = text,
		.priority = (enum priority)options->priority,
		.start_us = TIME_UNSET,
		.chime = options->chime,
		.issued_at_us = clock_real_us() };
	_cleanup_(freep) char *json = message_format(&message);

	return message_check(json, &message, session->config->sync_lead_us, error);
}

static enum cli_status render(const struct session *session, const struct render_options *options,
	const char *text, size_t length, const struct output_config *output)
{
	const struct reading_config config = config_reading(session->config, NULL, NULL, -1);
	_cleanup_(reading_freep) struct reading *reading = NULL;
	_cleanup_(announcement_unrefp) struct announcement *announcement = NULL;
	enum reading_refusal refusal = READING_FINE;
	struct error error;

	if (reading_new(text, length, &config, &reading, &refusal, &error) == 0)
		announcement = make_announcement(session, options, text, &error);
	if (!announcement) {
		complain(session, "%s", error.text);
		return CLI_REFUSED;
	}
	warnings_print(session, reading, 0);
	_cleanup_(performance_done) struct performance performance = {
		.session = session,
		.wake_fd = -1,
		.gain = output ? mix_gain_of_db(output->gain_db) : 1.0F,
		.preset = output ? chain_preset_parse(output->preset) : CHAIN_HORN,
		.levels = levels_new(),
	};
	_cleanup_(rundown_freep) struct rundown *rundown = make_rundown(
		session, announcement, reading);
	if (perform(&performance, rundown, options->path, &error) < 0) {
		complain(session, "%s", error.text);
		return CLI_REFUSED;
	}
	double seconds = (double)performance.wav.frames / RENDER_RATE_HZ;
	if (session->global.json)
		printf("{\"seconds\":%.3f}\n", seconds);
	else
		printf("%s: %.1f giây\n", options->path, seconds);
	return CLI_DONE;
}

static enum cli_status run_render(struct session *session, int argc, char **argv)
{
	struct render_options options = { .priority = PRIORITY_NORMAL };
	enum cli_status status;
	struct error error;
	size_t length = 0;
	const struct output_config *output;

	if (!session_open(session, argc, argv, &options, &status))
		return status;
	if (!options.path) {
		complain(session, "thiếu -o TỆP.wav");
		return CLI_USAGE;
	}
	if (strcmp(options.path, "-") == 0) { /* the lengths at its beginning are known last */
		complain(
			session, "-o -: tệp wav không ghi được ra đầu ra chuẩn (tệp tên “-”: ./-)");
		return CLI_USAGE;
	}
	if (!find_output(session, options.output, &output))
		return CLI_USAGE;
	_cleanup_(freep) char *text = input_text(
		session->arguments[0], ANNOUNCEMENT_PAYLOAD_MAX, &length, &error);
	if (!text) {
		complain(session, "%s", error.text);
		return CLI_REFUSED;
	}
	return render(session, &options, text, length, output);
}

const struct command command_render = {
	.name = "render",
	.arguments = "NỘI-DUNG|-",
	.summary = "Ghi cả bản tin, có nhạc hiệu, ra tệp wav để nghe thử (không cần broker)",
	.options = options_of_render,
	.offline = true,
	.minimum = 1,
	.maximum = 1,
	.run = run_render,
};
