/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sound card that misbehaves on request: an alsa-lib external PCM ("type loatest"). The program
 * under test opens it by name, through the real alsa-lib; nothing in the program knows of it.
 *
 * It is built as <build>/tests/alsa/libasound_module_pcm_loatest.so. An ALSA configuration, given
 * by the environment variable ALSA_CONFIG_PATH, makes it known and gives it parameters:
 *
 *     pcm_type.loatest { lib "/…/libasound_module_pcm_loatest.so" }
 *     pcm.loa { type loatest  file "/tmp/x/loa.raw"  control "/tmp/x/loa.ctl"  format "S16" }
 *
 * What has been *heard* is appended to `file`, raw interleaved frames as they are played: frames
 * that were written but dropped, or lost by a fault, are not in it. `file`.log gets a line for
 * each event, "<CLOCK_MONOTONIC µs> <frames heard since the file began> <event>", the events being
 * open, busy, absent, prepare, start, stop, xrun, suspend, resume, gone, wedge, hang, close; and
 * unasked, before an xrun_at that came when nobody had asked for a while how far the sound was.
 *
 * Strings:   file (required), control, format ("S16" default, "S32", "FLOAT").
 * Numbers, in the configuration and, as lines "name=number", in the file `control`, which is read
 * again whenever the device is used and wins:
 *   channels       2       the only number of channels
 *   rate           48000   the only rate
 *   period_frames  960     the only period
 *   buffer_frames  3840    the only buffer (a huge one: 480000)
 *   ppm            0       its clock is so many millionths too fast (not to be changed while it runs)
 *   coarse         0       1: it tells how far it is in whole periods only, as some drivers do
 *   unpaced        0       1: everything is heard at once, like the `file` plugin over `null`
 *   absent         0       1: open says ENODEV; when it is open already, it is unplugged
 *   busy           0       the first so many opens say EBUSY
 *   xrun_at        0       once, after so many frames: the stream stops with EPIPE while frames are
 *                          still waiting (as when a USB host gives up); they are lost
 *   suspend_at     0       once, after so many frames: suspended
 *   resume_eagain  0       so many resumes fail (alsa-lib hides the EAGAIN of an external PCM from
 *                          its user: resume says 0, and it is still suspended)
 *   resume_fails   0       1: every resume fails, only a prepare helps
 *   gone_at        0       once, after so many frames: unplugged, and opens say ENODEV…
 *   back           0       …until this is 1
 *   short_writes   0       n: a write takes 1…n frames only
 *   wedge_at       0       after so many frames: sound stands still, without an error
 *   slow_delay_us  0       who asks for the delay is kept waiting so long with the answer
 *   hang_at        0       once, after so many frames: the driver does not return any more
 * Frames are counted since the device was opened. "Once" is once in the life of `file`, kept by
 * the files `file`.xrun, `file`.suspend, `file`.gone, `file`.hang, `file`.opens beside it. The
 * hardware of a paced device runs by CLOCK_MONOTONIC, from the instant of the line "start" (or
 * "resume") on; a real underrun is an EPIPE, too.
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES   512
#define POLL_TICK_NS 5000000
#define UNASKED_US   40000 /* two periods, half a buffer as the product fills it */

enum number {
	CHANNELS,
	RATE,
	PERIOD_FRAMES,
	BUFFER_FRAMES,
	PPM,
	COARSE,
	UNPACED,
	ABSENT,
	BUSY,
	XRUN_AT,
	SUSPEND_AT,
	RESUME_EAGAIN,
	RESUME_FAILS,
	GONE_AT,
	BACK,
	SHORT_WRITES,
	WEDGE_AT,
	HANG_AT,
	SLOW_DELAY_US,
	NUMBERS,
};

static const struct {
	const char *name;
	long initial;
} numbers[NUMBERS] = {
	[CHANNELS] = { "channels", 2 },
	[RATE] = { "rate", 48000 },
	[PERIOD_FRAMES] = { "period_frames", 960 },
	[BUFFER_FRAMES] = { "buffer_frames", 3840 },
	[PPM] = { "ppm", 0 },
	[COARSE] = { "coarse", 0 },
	[UNPACED] = { "unpaced", 0 },
	[ABSENT] = { "absent", 0 },
	[BUSY] = { "busy", 0 },
	[XRUN_AT] = { "xrun_at", 0 },
	[SUSPEND_AT] = { "suspend_at", 0 },
	[RESUME_EAGAIN] = { "resume_eagain", 0 },
	[RESUME_FAILS] = { "resume_fails", 0 },
	[GONE_AT] = { "gone_at", 0 },
	[BACK] = { "back", 0 },
	[SHORT_WRITES] = { "short_writes", 0 },
	[WEDGE_AT] = { "wedge_at", 0 },
	[HANG_AT] = { "hang_at", 0 },
	[SLOW_DELAY_US] = { "slow_delay_us", 0 },
};

struct loatest {
	snd_pcm_ioplug_t io;
	char file[PATH_BYTES];
	char control[PATH_BYTES];
	const char *format;
	long configured[NUMBERS];
	long now[NUMBERS]; /* as configured, or as the control file says */
	int raw_fd, log_fd;

	/* the "hardware" */
	unsigned char *ring; /* buffer_size frames */
	size_t frame_bytes;
	uint64_t received;   /* frames since prepare */
	uint64_t heard;      /* of these, played */
	uint64_t heard_open; /* played since the device was opened */
	int64_t since_us;    /* when `heard` was 0 */
	uint64_t heard_then; /* frames heard when the clock was started */
	int64_t asked_us;    /* when it was asked last what it has played */
	bool running, wedged;
	bool dry; /* underrun: like real plugins, it does not tell its position any more */
	long resumes;
	unsigned writes;
};

static int64_t mono_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void note_at(const struct loatest *card, int64_t at_us, const char *event)
{
	struct stat status = { 0 };

	fstat(card->raw_fd, &status);
	dprintf(card->log_fd, "%lld %lld %s\n", (long long)at_us,
		(long long)(card->frame_bytes ? status.st_size / (off_t)card->frame_bytes : 0),
		event);
}

static void note(const struct loatest *card, const char *event)
{
	note_at(card, mono_us(), event);
}

/* --- parameters ---------------------------------------------------------------------------------
 */

static void set_number(long values[NUMBERS], const char *name, long value)
{
	for (int i = 0; i < NUMBERS; i++) {
		if (strcmp(numbers[i].name, name) == 0)
			values[i] = value;
	}
}

static void read_control(struct loatest *card)
{
	char line[128];

	memcpy(card->now, card->configured, sizeof card->now);
	FILE *file = card->control[0] ? fopen(card->control, "re") : NULL;
	while (file && fgets(line, sizeof line, file)) {
		char *equals = strchr(line, '=');
		if (!equals)
			continue;
		*equals = '\0';
		set_number(card->now, line, strtol(equals + 1, NULL, 10));
	}
	if (file)
		fclose(file);
}

/* The file that remembers that a fault has happened. */
static int mark_path(const struct loatest *card, const char *fault, char path[PATH_BYTES + 16])
{
	return snprintf(path, PATH_BYTES + 16, "%s.%s", card->file, fault);
}

static bool has_happened(const struct loatest *card, const char *fault)
{
	char path[PATH_BYTES + 16];

	mark_path(card, fault, path);
	return access(path, F_OK) == 0;
}

/* Remembers a fault once more, returns how often it has happened. */
static long happen(const struct loatest *card, const char *fault)
{
	char path[PATH_BYTES + 16];
	struct stat status = { 0 };

	mark_path(card, fault, path);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return 0;
	(void)!write(fd, ".", 1);
	fstat(fd, &status);
	close(fd);
	return (long)status.st_size;
}

/* Whether the fault `at` is due now, for the first time. */
static bool is_due(const struct loatest *card, enum number at, const char *fault)
{
	return card->now[at] > 0 && card->heard_open >= (uint64_t)card->now[at] &&
	       !has_happened(card, fault);
}

/* --- the hardware -------------------------------------------------------------------------------
 */

static size_t ring_frames(const struct loatest *card)
{
	return card->io.buffer_size;
}

/* Plays `count` frames of the ring: they are heard. */
static void play(struct loatest *card, uint64_t count)
{
	while (count > 0) {
		size_t at = (size_t)(card->heard % ring_frames(card));
		size_t run = ring_frames(card) - at;
		run = run < count ? run : (size_t)count;
		(void)!write(
			card->raw_fd, card->ring + at * card->frame_bytes, run * card->frame_bytes);
		card->heard += run;
		card->heard_open += run;
		count -= run;
	}
}

/* How many frames may be played before the next fault that is asked for. */
static uint64_t until_fault(const struct loatest *card)
{
	static const struct {
		enum number at;
		const char *fault;
	} faults[] = { { XRUN_AT, "xrun" }, { SUSPEND_AT, "suspend" }, { GONE_AT, "gone" },
		{ WEDGE_AT, "wedge" }, { HANG_AT, "hang" } };
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		uint64_t at = (uint64_t)card->now[faults[i].at];
		if (at == 0 || at < card->heard_open || has_happened(card, faults[i].fault))
			continue;
		if (at - card->heard_open < least)
			least = at - card->heard_open;
	}
	return least;
}

/* The state is set here: alsa-lib makes an xrun of any error that the pointer callback returns. */
static void halt(struct loatest *card, snd_pcm_state_t state, const char *event)
{
	card->running = false;
	note(card, event);
	snd_pcm_ioplug_set_state(&card->io, state);
}

/* Faults that have become due. */
static void misbehave(struct loatest *card)
{
	if (card->io.state == SND_PCM_STATE_DISCONNECTED)
		return;
	if (card->now[ABSENT]) {
		halt(card, SND_PCM_STATE_DISCONNECTED, "gone");
	} else if (is_due(card, GONE_AT, "gone")) {
		happen(card, "gone");
		halt(card, SND_PCM_STATE_DISCONNECTED, "gone");
	} else if (is_due(card, XRUN_AT, "xrun")) {
		happen(card, "xrun");
		if (mono_us() - card->asked_us > UNASKED_US)
			note(card, "unasked");
		halt(card, SND_PCM_STATE_XRUN, "xrun");
	} else if (is_due(card, SUSPEND_AT, "suspend")) {
		happen(card, "suspend");
		card->resumes = 0;
		halt(card, SND_PCM_STATE_SUSPENDED, "suspend");
	} else if (is_due(card, WEDGE_AT, "wedge")) {
		happen(card, "wedge");
		card->wedged = true;
		note(card, "wedge");
	} else if (is_due(card, HANG_AT, "hang")) {
		happen(card, "hang");
		note(card, "hang");
		for (;;)
			pause();
	}
}

/* Frames that the running hardware has played by then, if there were enough. */
static uint64_t played_by(const struct loatest *card, int64_t now_us)
{
	int64_t own_us = (now_us - card->since_us) * (1000000 + card->now[PPM]) / 1000000;

	return card->heard_then + (uint64_t)(own_us * (int64_t)card->io.rate / 1000000);
}

/* Lets the hardware play what time has come for. 0, or -errno for the pointer callback. */
static int advance(struct loatest *card)
{
	read_control(card);
	if (card->running && !card->wedged) {
		uint64_t waiting = card->received - card->heard;
		uint64_t due = waiting;
		if (!card->now[UNPACED])
			due = played_by(card, mono_us()) - card->heard;
		uint64_t fault = until_fault(card);
		bool ran_dry = !card->now[UNPACED] && due > waiting && fault > waiting;
		if (due > waiting)
			due = waiting;
		play(card, due < fault ? due : fault);
		if (ran_dry) {
			card->running = false;
			card->dry = true;
			note(card, "xrun");
		}
	}
	if (card->dry)
		return -EPIPE;
	misbehave(card);
	card->asked_us = mono_us();
	return 0;
}

/* --- callbacks ----------------------------------------------------------------------------------
 */

static void run(struct loatest *card, const char *event)
{
	card->running = true;
	card->since_us = mono_us();
	card->heard_then = card->heard;
	note_at(card, card->since_us, event);
}

static int on_start(snd_pcm_ioplug_t *io)
{
	struct loatest *card = io->private_data;

	run(card, "start");
	return 0;
}

static int on_stop(snd_pcm_ioplug_t *io)
{
	struct loatest *card = io->private_data;

	if (card->running)
		(void)advance(card);
	card->running = false;
	note(card, "stop");
	return 0;
}

/* Of the frames heard, those that it tells of. */
static uint64_t told(const struct loatest *card)
{
	uint64_t period = (uint64_t)card->now[PERIOD_FRAMES];
	bool all = !card->now[COARSE] || card->heard == card->received;

	return all ? card->heard : card->heard - card->heard % period;
}

static snd_pcm_sframes_t on_pointer(snd_pcm_ioplug_t *io)
{
	struct loatest *card = io->private_data;
	int r = advance(card);

	return r < 0 ? r : (snd_pcm_sframes_t)(told(card) % io->buffer_size);
}

static snd_pcm_sframes_t on_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
	snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	struct loatest *card = io->private_data;
	const unsigned char *from = (const unsigned char *)areas->addr + areas->first / 8 +
				    (size_t)areas->step / 8 * offset;

	if (card->now[SHORT_WRITES] > 0) {
		/* Every second call refuses, or alsa-lib would come back for the rest at once. */
		if (card->writes++ % 2)
			return -EAGAIN;
		snd_pcm_uframes_t most = 1 + card->writes * 7919 %
						     (unsigned long)card->now[SHORT_WRITES];
		size = size < most ? size : most;
	}
	for (snd_pcm_uframes_t i = 0; i < size; i++, card->received++) {
		size_t at = (size_t)(card->received % ring_frames(card));
		memcpy(card->ring + at * card->frame_bytes, from + i * card->frame_bytes,
			card->frame_bytes);
	}
	return (snd_pcm_sframes_t)size;
}

static int on_delay(snd_pcm_ioplug_t *io, snd_pcm_sframes_t *ret_delay)
{
	struct loatest *card = io->private_data;
	int r = advance(card);

	if (r == -EPIPE)
		snd_pcm_ioplug_set_state(io, SND_PCM_STATE_XRUN);
	if (io->state == SND_PCM_STATE_DISCONNECTED)
		r = -ENODEV;
	if (r < 0)
		return r;
	*ret_delay = (snd_pcm_sframes_t)(card->received - told(card));
	if (card->now[SLOW_DELAY_US] > 0)
		usleep((useconds_t)card->now[SLOW_DELAY_US]);
	return 0;
}

static int on_hw_params(snd_pcm_ioplug_t *io, snd_pcm_hw_params_t *params)
{
	struct loatest *card = io->private_data;

	(void)params;
	card->frame_bytes = (size_t)snd_pcm_format_physical_width(io->format) / 8 * io->channels;
	free(card->ring);
	card->ring = calloc((size_t)card->now[BUFFER_FRAMES], card->frame_bytes);
	return card->ring ? 0 : -ENOMEM;
}

static int on_prepare(snd_pcm_ioplug_t *io)
{
	struct loatest *card = io->private_data;

	if (io->state == SND_PCM_STATE_DISCONNECTED)
		return -ENODEV;
	note(card, "prepare");
	card->received = 0;
	card->heard = 0;
	card->running = false;
	card->dry = false;
	return 0;
}

static int on_resume(snd_pcm_ioplug_t *io)
{
	struct loatest *card = io->private_data;

	read_control(card);
	if (card->now[RESUME_FAILS])
		return -ENOSYS;
	if (card->resumes++ < card->now[RESUME_EAGAIN])
		return -EAGAIN;
	run(card, "resume");
	snd_pcm_ioplug_set_state(io, SND_PCM_STATE_RUNNING);
	return 0;
}

static int on_poll_revents(
	snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned count, unsigned short *ret_revents)
{
	uint64_t ticks;

	(void)io;
	(void)!read(fds[0].fd, &ticks, sizeof ticks);
	*ret_revents = count > 0 && fds[0].revents & POLLIN ? POLLOUT : 0;
	return 0;
}

static void card_free(struct loatest *card)
{
	if (card->io.poll_fd >= 0)
		close(card->io.poll_fd);
	if (card->raw_fd >= 0)
		close(card->raw_fd);
	if (card->log_fd >= 0)
		close(card->log_fd);
	free(card->ring);
	free(card);
}

static int on_close(snd_pcm_ioplug_t *io)
{
	struct loatest *card = io->private_data;

	note(card, "close");
	card_free(card);
	return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
	.start = on_start,
	.stop = on_stop,
	.pointer = on_pointer,
	.transfer = on_transfer,
	.close = on_close,
	.hw_params = on_hw_params,
	.prepare = on_prepare,
	.resume = on_resume,
	.poll_revents = on_poll_revents,
	.delay = on_delay,
};

/* --- opening ------------------------------------------------------------------------------------
 */

static int take_string(const snd_config_t *node, char out[PATH_BYTES])
{
	const char *text;

	int r = snd_config_get_string(node, &text);
	if (r < 0)
		return r;
	snprintf(out, PATH_BYTES, "%s", text);
	return 0;
}

static int take_parameter(struct loatest *card, const char *name, const snd_config_t *node)
{
	char text[PATH_BYTES] = "";
	long value;

	if (strcmp(name, "type") == 0 || strcmp(name, "comment") == 0 || strcmp(name, "hint") == 0)
		return 0;
	if (strcmp(name, "file") == 0)
		return take_string(node, card->file);
	if (strcmp(name, "control") == 0)
		return take_string(node, card->control);
	if (strcmp(name, "format") == 0) {
		int r = take_string(node, text);
		card->format = strcmp(text, "FLOAT") == 0 ? "FLOAT"
			       : strcmp(text, "S32") == 0 ? "S32"
							  : "S16";
		return r;
	}
	int r = snd_config_get_integer(node, &value);
	if (r == 0)
		set_number(card->configured, name, value);
	return r;
}

static int constrain(struct loatest *card)
{
	static const unsigned access[] = { SND_PCM_ACCESS_RW_INTERLEAVED };
	const long *now = card->now;
	unsigned format = SND_PCM_FORMAT_S16;

	if (strcmp(card->format, "FLOAT") == 0)
		format = SND_PCM_FORMAT_FLOAT;
	else if (strcmp(card->format, "S32") == 0)
		format = SND_PCM_FORMAT_S32;
	unsigned frame = (unsigned)(snd_pcm_format_physical_width((snd_pcm_format_t)format) / 8 *
				    now[CHANNELS]);
	const unsigned wanted[][2] = {
		{ SND_PCM_IOPLUG_HW_CHANNELS, (unsigned)now[CHANNELS] },
		{ SND_PCM_IOPLUG_HW_RATE, (unsigned)now[RATE] },
		{ SND_PCM_IOPLUG_HW_PERIOD_BYTES, (unsigned)now[PERIOD_FRAMES] * frame },
		{ SND_PCM_IOPLUG_HW_BUFFER_BYTES, (unsigned)now[BUFFER_FRAMES] * frame },
	};
	int r = snd_pcm_ioplug_set_param_list(&card->io, SND_PCM_IOPLUG_HW_ACCESS, 1, access);
	if (r >= 0)
		r = snd_pcm_ioplug_set_param_list(&card->io, SND_PCM_IOPLUG_HW_FORMAT, 1, &format);
	for (size_t i = 0; r >= 0 && i < sizeof wanted / sizeof *wanted; i++)
		r = snd_pcm_ioplug_set_param_minmax(
			&card->io, (int)wanted[i][0], wanted[i][1], wanted[i][1]);
	return r;
}

/* Faults of opening. */
static int refuse(struct loatest *card)
{
	long opens = happen(card, "opens");

	if (card->now[ABSENT] || (has_happened(card, "gone") && !card->now[BACK])) {
		note(card, "absent");
		return -ENODEV;
	}
	if (opens <= card->now[BUSY]) {
		note(card, "busy");
		return -EBUSY;
	}
	return 0;
}

static int open_files(struct loatest *card)
{
	char log[PATH_BYTES + 16];

	mark_path(card, "log", log);
	card->raw_fd = open(card->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	card->log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	card->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (card->raw_fd < 0 || card->log_fd < 0 || card->io.poll_fd < 0)
		return -errno;
	const struct itimerspec tick = {
		.it_interval.tv_nsec = POLL_TICK_NS,
		.it_value.tv_nsec = POLL_TICK_NS,
	};
	return timerfd_settime(card->io.poll_fd, 0, &tick, NULL) < 0 ? -errno : 0;
}

static int card_new(struct loatest **ret_card, const snd_config_t *conf)
{
	struct loatest *card = calloc(1, sizeof *card);
	snd_config_iterator_t i, next;

	if (!card)
		return -ENOMEM;
	card->raw_fd = card->log_fd = card->io.poll_fd = -1;
	card->format = "S16";
	for (int n = 0; n < NUMBERS; n++)
		card->configured[n] = numbers[n].initial;
	int r = 0;
	snd_config_for_each(i, next, conf)
	{
		const snd_config_t *node = snd_config_iterator_entry(i);
		const char *name;
		if (r >= 0 && snd_config_get_id(node, &name) >= 0)
			r = take_parameter(card, name, node);
	}
	if (r >= 0 && !card->file[0])
		r = -EINVAL;
	read_control(card);
	if (r >= 0)
		r = open_files(card);
	if (r >= 0)
		r = refuse(card);
	if (r < 0) {
		card_free(card);
		return r;
	}
	*ret_card = card;
	return 0;
}

int SND_PCM_PLUGIN_ENTRY(loatest)(snd_pcm_t **pcmp, const char *name, snd_config_t *root,
	snd_config_t *conf, snd_pcm_stream_t stream, int mode);

SND_PCM_PLUGIN_DEFINE_FUNC(loatest)
{
	struct loatest *card = NULL;

	(void)root;
	int r = card_new(&card, conf);
	if (r < 0)
		return r;
	card->io.version = SND_PCM_IOPLUG_VERSION;
	card->io.name = "loatest: a sound card that misbehaves on request";
	card->io.poll_events = POLLIN;
	card->io.callback = &callbacks;
	card->io.private_data = card;
	r = snd_pcm_ioplug_create(&card->io, name, stream, mode);
	if (r < 0) {
		card_free(card);
		return r;
	}
	note(card, "open");
	r = constrain(card);
	if (r < 0) {
		snd_pcm_ioplug_delete(&card->io); /* closes: on_close() frees */
		return r;
	}
	*pcmp = card->io.pcm;
	return 0;
}

SND_PCM_PLUGIN_SYMBOL(loatest);
