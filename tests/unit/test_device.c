/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Devices, through the real alsa-lib: against the sound card that misbehaves on request
 * (tests/alsa/pcm_loatest.c), and against the `file` plugin over `null`. What was heard is
 * compared frame by frame. Tests named b<n> are rows of docs/FAULTS.md.
 *
 * A machine that has other things to do may leave any thread alone for a while: a card that runs dry
 * meanwhile is no error. When something was heard is asked of the card, which has its own clock.
 */
#include "audio/device.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "base/thread.h"

#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RATE_HZ    48000
#define CHANNELS   2
#define WAIT_MS    10000
#define EVENTS_MAX 64
#define STEPS      60000
/* Sound between an abort and silence. */
#define ABORT_FRAMES (RATE_HZ * 150 / 1000)
/* By the card's clock, as far as the card had begun by then. */
#define PUNCTUAL_US 20000
#define ATTEMPTS    20
#define LEVEL       0.5F
/* The steepest change of a plateau that fades out. */
/* The curve of a mix_ramp, where it is steepest. */
#define FADE_STEP (LEVEL * 1.51F * 1000.0F / (RATE_HZ * PROGRAMME_FADE_MS))

struct rig {
	char folder[64];
	char config_path[128];
	struct strbuf config;
	struct device *device;
	struct device_event events[EVENTS_MAX]; /* seen and not asked for yet */
	size_t count;
};

/* --- the rig ------------------------------------------------------------------------------------ */

static void declare(struct rig *rig, const char *text)
{
	strbuf_puts(&rig->config, text);
	FILE *file = fopen(rig->config_path, "we");
	assert_non_null(file);
	fputs(rig->config.text, file);
	fclose(file);
}

/* A card named `name`: heard frames in <folder>/<name>, parameters in <folder>/<name>.ctl. */
static void declare_card(struct rig *rig, const char *name, const char *parameters)
{
	_cleanup_(freep) char *text = xasprintf("pcm.%s { type loatest file \"%s/%s\" control "
						"\"%s/%s.ctl\" format \"FLOAT\" %s }\n",
		name, rig->folder, name, rig->folder, name, parameters);

	declare(rig, text);
}

static void control(const struct rig *rig, const char *name, const char *text)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s.ctl", rig->folder, name);
	_cleanup_(freep) char *fresh = xasprintf("%s.new", path);
	FILE *file = fopen(fresh, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(rename(fresh, path), 0);
}

static int set_up(void **state)
{
	struct rig *rig = xcalloc(1, sizeof *rig);

	snprintf(rig->folder, sizeof rig->folder, "/tmp/loa-device-XXXXXX");
	if (!mkdtemp(rig->folder))
		return -1;
	snprintf(rig->config_path, sizeof rig->config_path, "%s/asound.conf", rig->folder);
	declare(rig, "pcm_type.loatest { lib \"" LOATEST_LIB "\" }\n");
	*state = rig;
	return setenv("ALSA_CONFIG_PATH", rig->config_path, 1);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	if (rig->device && device_stop(rig->device, WAIT_MS) < 0)
		return -1;
	strbuf_done(&rig->config);
	nftw(rig->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(rig);
	return 0;
}

static const struct device_output_config left_and_right[CHANNELS] = {
	{ .channel_mask = 1U << 0 },
	{ .channel_mask = 1U << 1 },
};

static void start_slots(
	struct rig *rig, const char *name, const struct device_output_config *outputs, size_t count)
{
	const struct device_config config = {
		.name = name,
		.outputs = outputs,
		.outputs_count = count,
	};

	rig->device = device_start(&config);
	assert_non_null(rig->device);
}

static void start(struct rig *rig, const char *name, const struct device_output_config *outputs)
{
	start_slots(rig, name, outputs, CHANNELS);
}

static bool take_seen(struct rig *rig, enum device_event_what what, struct device_event *ret_event)
{
	for (size_t i = 0; i < rig->count; i++) {
		if (rig->events[i].what != what)
			continue;
		*ret_event = rig->events[i];
		rig->count--;
		memmove(rig->events + i, rig->events + i + 1,
			(rig->count - i) * sizeof *rig->events);
		return true;
	}
	return false;
}

/* The next event of this kind; others wait for whom asks for them. */
static bool event_within(struct rig *rig, enum device_event_what what, int timeout_ms,
	struct device_event *ret_event)
{
	int64_t deadline_us = clock_mono_us() + timeout_ms * US_PER_MS;

	for (;;) {
		while (rig->count < EVENTS_MAX &&
			device_next_event(rig->device, &rig->events[rig->count]))
			rig->count++;
		if (take_seen(rig, what, ret_event))
			return true;
		int64_t left_ms = (deadline_us - clock_mono_us()) / US_PER_MS;
		if (left_ms <= 0)
			return false;
		struct pollfd fd = { .fd = device_event_fd(rig->device), .events = POLLIN };
		poll(&fd, 1, (int)left_ms);
	}
}

static struct device_event expect(struct rig *rig, enum device_event_what what)
{
	struct device_event event = { 0 };

	if (!event_within(rig, what, WAIT_MS, &event))
		fail_msg("event %d did not come", (int)what);
	return event;
}

static struct device_event expect_end(
	struct rig *rig, const struct programme *programme, enum device_outcome outcome)
{
	struct device_event event = expect(rig, DEVICE_ENDED);

	assert_ptr_equal(event.programme, programme);
	assert_int_equal(event.outcome, outcome);
	return event;
}

/* --- sounds ------------------------------------------------------------------------------------- */

/* Never 0, and no two neighbours alike: a frame lost, repeated or out of place is noticed. */
static float value_at(uint64_t frame)
{
	return (float)(1 + frame % STEPS) / 65536.0F;
}

static void push(struct programme *programme, uint64_t from, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		float value = value_at(from + i);
		assert_int_equal(programme_push(programme, &value, 1), 1);
	}
}

/* Does not end before programme_complete(). */
static struct programme *open_stairs(size_t count, int64_t start_mono_us)
{
	struct programme *programme = programme_new(RATE_HZ, 0, start_mono_us);

	assert_non_null(programme);
	push(programme, 0, count);
	return programme;
}

static struct programme *stairs(size_t count, int64_t start_mono_us)
{
	struct programme *programme = open_stairs(count, start_mono_us);

	programme_complete(programme);
	return programme;
}

/* One level all the time: any change of gain shows. */
static struct programme *plateau(size_t count)
{
	struct programme *programme = programme_new(RATE_HZ, 0, TIME_UNSET);
	const float value = LEVEL;

	assert_non_null(programme);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(programme_push(programme, &value, 1), 1);
	programme_complete(programme);
	return programme;
}

struct sound {
	float *frames; /* of one channel */
	size_t count;
	size_t first; /* the first that is not silent; count if none */
	size_t end;   /* after the last that is not silent */
};

static void sound_done(struct sound *sound)
{
	free(sound->frames);
}

/* What was heard on one channel of a card. The device is stopped or idle. */
static struct sound heard(const struct rig *rig, const char *name, unsigned channel)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", rig->folder, name);
	_cleanup_(fclosep) FILE *file = fopen(path, "re");
	struct sound sound = { 0 };
	float frame[CHANNELS];

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	long bytes = ftell(file);
	rewind(file);
	size_t frames = (size_t)bytes / sizeof frame;
	sound.frames = xcalloc(frames + 1, sizeof *sound.frames);
	while (sound.count < frames && fread(frame, sizeof frame, 1, file) == 1)
		sound.frames[sound.count++] = frame[channel];
	sound.first = sound.count;
	for (size_t i = 0; i < sound.count; i++) {
		if (sound.frames[i] == 0.0F)
			continue;
		sound.end = i + 1;
		if (sound.first == sound.count)
			sound.first = i;
	}
	return sound;
}

/* The sound from `at` on is exactly the stairs [0, count). */
static void assert_stairs_at(const struct sound *sound, size_t at, size_t count)
{
	assert_true(at + count <= sound->count);
	for (size_t i = 0; i < count; i++) {
		if (sound->frames[at + i] != value_at(i))
			fail_msg("frame %zu of %zu: %.6f instead of %.6f", i, count,
				(double)sound->frames[at + i], (double)value_at(i));
	}
}

/* As assert_stairs_at(), of a programme with a start, which is kept in step: by the card's clock it
 * may have come to lie between two frames, but no frame is lost or repeated. */
static void assert_stairs_in_step(const struct sound *sound, size_t at, size_t count)
{
	for (size_t i = 0; i < count - 32; i++) { /* an interpolator rings where they break off */
		if (fabsf(sound->frames[at + i] - value_at(i)) > value_at(0))
			fail_msg("frame %zu of %zu: %.6f instead of %.6f", i, count,
				(double)sound->frames[at + i], (double)value_at(i));
	}
}

/* Nothing but the stairs was heard, with silence before and after. */
static void assert_only_stairs(
	const struct rig *rig, const char *name, unsigned channel, size_t count)
{
	_cleanup_(sound_done) struct sound sound = heard(rig, name, channel);

	assert_int_equal(sound.end - sound.first, count);
	assert_stairs_at(&sound, sound.first, count);
}

/* Silence in between (gaps of a stall) is passed over. */
static void assert_stairs_with_gaps(const struct rig *rig, const char *name, size_t count)
{
	_cleanup_(sound_done) struct sound sound = heard(rig, name, 0);
	size_t next = 0;

	for (size_t i = 0; i < sound.count; i++) {
		if (sound.frames[i] == 0.0F)
			continue;
		if (sound.frames[i] != value_at(next))
			fail_msg("frame %zu is lost or repeated", next);
		next++;
	}
	assert_int_equal(next, count);
}

static void stop_device(struct rig *rig)
{
	assert_int_equal(device_stop(rig->device, WAIT_MS), 0);
	rig->device = NULL;
}

/* Plays the stairs on the left and sees them finished; the device is stopped after. */
static void play_stairs(struct rig *rig, size_t count)
{
	_cleanup_(programme_freep) struct programme *programme = stairs(count, TIME_UNSET);

	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, programme), 0);
	struct device_event event = expect_end(rig, programme, DEVICE_FINISHED);
	assert_int_equal(event.frames, count);
}

static struct device_stats stats_of(const struct rig *rig)
{
	struct device_stats stats;

	device_get_stats(rig->device, &stats);
	return stats;
}

/* The instant of this event in the card's log, after `skip` others of its kind; −1: none. */
static int64_t logged_after(const struct rig *rig, const char *name, const char *event, int skip)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s.log", rig->folder, name);
	_cleanup_(fclosep) FILE *file = fopen(path, "re");
	long long us, frame;
	char what[16];

	assert_non_null(file);
	while (fscanf(file, "%lld %lld %15s", &us, &frame, what) == 3) {
		if (strcmp(what, event) == 0 && skip-- == 0)
			return us;
	}
	return -1;
}

static int64_t logged(const struct rig *rig, const char *name, const char *event)
{
	return logged_after(rig, name, event, 0);
}

/* When the card was started for the last time before it played this frame, and at which. */
static int64_t ran_us(const struct rig *rig, const char *name, size_t before, size_t *ret_frame)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s.log", rig->folder, name);
	_cleanup_(fclosep) FILE *file = fopen(path, "re");
	long long us, frame;
	int64_t last_us = -1;
	char what[16];

	assert_non_null(file);
	while (fscanf(file, "%lld %lld %15s", &us, &frame, what) == 3) {
		if (strcmp(what, "start") != 0 || (size_t)frame > before)
			continue;
		last_us = us;
		*ret_frame = (size_t)frame;
	}
	assert_true(last_us >= 0);
	return last_us;
}

/* When this frame of what was heard left the card, by the card's clock. */
static int64_t heard_us(const struct rig *rig, const char *name, size_t frame)
{
	size_t first;
	int64_t began_us = ran_us(rig, name, frame, &first);

	return began_us + (int64_t)(frame - first) * US_PER_SEC / RATE_HZ;
}

/* The frame was heard at `wanted_us`; or, if the card was (again) started too late for that, at once
 * behind a preroll. Returns when it was. */
static int64_t assert_punctual(const struct rig *rig, const char *name, size_t frame,
	int64_t wanted_us, int64_t preroll_us)
{
	size_t first;
	int64_t at_once_us = ran_us(rig, name, frame, &first) + preroll_us;
	int64_t at_us = heard_us(rig, name, frame);

	assert_in_range(at_us, wanted_us - PUNCTUAL_US,
		(wanted_us > at_once_us ? wanted_us : at_once_us) + PUNCTUAL_US);
	return at_us;
}

/* What was told of a frame is what the card knows; later if the card ran dry before it was asked. */
static void assert_told(const struct rig *rig, const char *name, int64_t told_us, size_t frame)
{
	int64_t at_us = heard_us(rig, name, frame);

	assert_true(told_us >= at_us - PUNCTUAL_US);
	if (logged(rig, name, "xrun") < 0)
		assert_true(told_us <= at_us + PUNCTUAL_US);
}

static long marks(const struct rig *rig, const char *name, const char *fault)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s.%s", rig->folder, name, fault);
	struct stat status;

	return stat(path, &status) < 0 ? 0 : (long)status.st_size;
}

/* --- the ordinary case -------------------------------------------------------------------------- */

static void test_frames_arrive_as_they_are(void **state)
{
	struct rig *rig = *state;

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	play_stairs(rig, 24000);
	struct device_event started = expect(rig, DEVICE_STARTED);
	assert_int_equal(started.output, 0);
	stop_device(rig);
	assert_only_stairs(rig, "loa", 0, 24000);
	_cleanup_(sound_done) struct sound right = heard(rig, "loa", 1);
	assert_int_equal(right.first, right.count);
	_cleanup_(sound_done) struct sound left = heard(rig, "loa", 0);
	assert_int_equal(left.first, 0);
	assert_told(rig, "loa", started.mono_us, 0);
}

static void test_b5_preroll_before_and_nothing_cut_behind(void **state)
{
	struct rig *rig = *state;
	const struct device_output_config outputs[CHANNELS] = {
		{ .channel_mask = 1U << 0, .preroll_us = 300 * US_PER_MS },
		{ .channel_mask = 1U << 1 },
	};

	declare_card(rig, "loa", "");
	start(rig, "loa", outputs);
	play_stairs(rig, 5001);
	_cleanup_(programme_freep) struct programme *again = stairs(5001, TIME_UNSET);
	assert_int_equal(device_play(rig->device, 0, again), 0);
	struct device_event event = expect_end(rig, again, DEVICE_FINISHED);
	assert_true(event.mono_us <= clock_mono_us());
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_int_equal(sound.first, 14400);
	assert_stairs_at(&sound, sound.first, 5001);
	/* A period of silence at least behind the last syllable, for hardware that plays whole
	 * periods. */
	assert_true(sound.count >= sound.end + 960);
	/* The amplifier is awake: the second one has no preroll, and is whole, too. */
	assert_stairs_at(&sound, sound.end - 5001, 5001);
	assert_true(sound.end - 5001 - (14400 + 5001) < 14400);
}

static void test_one_after_the_other(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *first = open_stairs(9600, TIME_UNSET);
	_cleanup_(programme_freep) struct programme *second = stairs(4800, TIME_UNSET);
	_cleanup_(programme_freep) struct programme *third = stairs(100, TIME_UNSET);

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, first), 0);
	expect(rig, DEVICE_STARTED);
	assert_int_equal(device_play(rig->device, 0, second), 0);
	assert_int_equal(device_play(rig->device, 0, third), -EBUSY);
	assert_int_equal(device_play(rig->device, 2, third), -EINVAL);
	programme_complete(first);
	expect_end(rig, first, DEVICE_FINISHED);
	expect_end(rig, second, DEVICE_FINISHED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_stairs_at(&sound, sound.first, 9600);
	assert_stairs_at(&sound, sound.end - 4800, 4800);
}

static void test_waiting_programme_is_aborted_in_its_slot(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *first = open_stairs(14400, TIME_UNSET);
	_cleanup_(programme_freep) struct programme *second = stairs(4800, TIME_UNSET);

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, first), 0);
	expect(rig, DEVICE_STARTED);
	assert_int_equal(device_play(rig->device, 0, second), 0);
	programme_abort(second);
	struct device_event event = expect_end(rig, second, DEVICE_ABORTED);
	assert_int_equal(event.frames, 0);
	assert_int_equal(event.rate_hz, RATE_HZ); /* lengths are reckoned by it */
	programme_complete(first);
	expect_end(rig, first, DEVICE_FINISHED);
	stop_device(rig);
	assert_only_stairs(rig, "loa", 0, 14400);
}

static void test_empty_programme_ends(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *empty = stairs(0, TIME_UNSET);

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, empty), 0);
	expect_end(rig, empty, DEVICE_FINISHED);
	struct device_event event;
	assert_false(event_within(rig, DEVICE_STARTED, 0, &event));
}

static void test_programme_of_another_rate_comes_back(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *other = programme_new(44100, 0, TIME_UNSET);

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, other), 0);
	expect_end(rig, other, DEVICE_LOST);
}

static void test_idle_device_does_not_wake_up(void **state)
{
	struct rig *rig = *state;
	struct device_event event;

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	play_stairs(rig, 4800);
	uint64_t turns = 0;
	for (int i = 0; i < ATTEMPTS && device_turns(rig->device) != turns; i++) {
		turns = device_turns(rig->device); /* the last ones of the stop pass by */
		assert_false(event_within(rig, DEVICE_CLOSED, 300, &event));
	}
	assert_int_equal(device_turns(rig->device), turns);
	assert_true(logged(rig, "loa", "stop") > 0);
	device_kick(rig->device);
	for (int i = 0; i < 1000 && device_turns(rig->device) == turns; i++)
		(void)event_within(rig, DEVICE_CLOSED, 5, &event);
	assert_true(device_turns(rig->device) > turns);
}

/* --- gain and fading ---------------------------------------------------------------------------- */

static void assert_no_step_above(const struct sound *sound, size_t from, size_t to, float most)
{
	for (size_t i = from + 1; i < to; i++) {
		float step = fabsf(sound->frames[i] - sound->frames[i - 1]);
		if (step > most)
			fail_msg("a step of %.5f at frame %zu", (double)step, i);
	}
}

static void test_gain_moves_without_a_step(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *programme = plateau(48000);

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	programme_set_gain_db(programme, -6.0);
	assert_int_equal(device_play(rig->device, 0, programme), 0);
	expect(rig, DEVICE_STARTED);
	device_set_gain_db(rig->device, 0, -14.0);
	expect_end(rig, programme, DEVICE_FINISHED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_int_equal(sound.end - sound.first, 48000);
	assert_true(fabsf(sound.frames[sound.first] - LEVEL * 0.5012F) < 1e-4F);
	assert_true(fabsf(sound.frames[sound.end - 1] - LEVEL * 0.1F) < 1e-4F);
	assert_no_step_above(&sound, sound.first, sound.end, LEVEL * 0.41F * 1.51F / 960.0F);
}

/* B8: what one announcement was given does not stay for the next. */
static void test_b8_gain_belongs_to_the_programme(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *quiet = plateau(2400);
	_cleanup_(programme_freep) struct programme *next = plateau(2400);

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	programme_set_gain_db(quiet, -20.0);
	assert_int_equal(device_play(rig->device, 0, quiet), 0);
	expect_end(rig, quiet, DEVICE_FINISHED);
	assert_int_equal(device_play(rig->device, 0, next), 0);
	expect_end(rig, next, DEVICE_FINISHED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_true(fabsf(sound.frames[sound.first] - LEVEL * 0.1F) < 1e-5F);
	assert_true(sound.frames[sound.end - 2400] == LEVEL);
}

static size_t recorded_frames(const struct rig *rig, const char *name)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", rig->folder, name);
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return (size_t)status.st_size / (CHANNELS * sizeof(float));
}

/* Aborts in the middle; returns how much was heard after that. */
static size_t abort_it(struct rig *rig, const char *parameters)
{
	_cleanup_(programme_freep) struct programme *programme = plateau(96000);

	declare_card(rig, "loa", parameters);
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, programme), 0);
	expect(rig, DEVICE_STARTED);
	programme_abort(programme);
	size_t asked_at = recorded_frames(rig, "loa");
	struct device_event event = expect_end(rig, programme, DEVICE_ABORTED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_told(rig, "loa", event.mono_us, sound.end);
	assert_in_range(event.frames, sound.end - sound.first, sound.end - sound.first + 2);
	assert_no_step_above(&sound, sound.first, sound.count, FADE_STEP);
	return sound.end > asked_at ? sound.end - asked_at : 0;
}

static void test_abort_fades_within_150_ms(void **state)
{
	assert_in_range(abort_it(*state, ""), 0, ABORT_FRAMES);
}

static void test_abort_is_as_quick_on_a_huge_buffer(void **state)
{
	assert_in_range(abort_it(*state, "buffer_frames 480000"), 0, ABORT_FRAMES);
}

static void test_stop_in_the_middle_gives_the_programme_back(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *programme = plateau(96000);

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, programme), 0);
	expect(rig, DEVICE_STARTED);
	device_request_stop(rig->device);
	assert_int_equal(device_play(rig->device, 0, programme), -ENODEV);
	expect_end(rig, programme, DEVICE_ABORTED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_no_step_above(&sound, sound.first, sound.count, FADE_STEP);
}

static void test_sum_is_clipped_not_wrapped(void **state)
{
	struct rig *rig = *state;
	const struct device_output_config both_left[CHANNELS] = {
		{ .channel_mask = 1U << 0, .gain_db = 20.0 },
		{ .channel_mask = 1U << 1, .gain_db = -200.0 },
	};
	_cleanup_(programme_freep) struct programme *loud = plateau(2400);

	declare_card(rig, "loa", "");
	start(rig, "loa", both_left);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, loud), 0);
	expect_end(rig, loud, DEVICE_FINISHED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_true(sound.frames[sound.first] == 1.0F);
}

/* The frames of the way from one level of a plateau to the other. */
static size_t way_frames(const struct sound *sound, float from, float to)
{
	size_t begin = sound->first, end;

	while (begin < sound->end && fabsf(sound->frames[begin] - from) < 1e-6F)
		begin++;
	for (end = begin; end < sound->end && fabsf(sound->frames[end] - to) > 1e-6F;)
		end++;
	assert_true(end < sound->end);
	return end - begin;
}

/* Music goes down under speech, and comes back, without a click and without a jolt. */
static void test_gain_ramps_as_slowly_as_asked(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *music = plateau(72000);

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, music), 0);
	expect(rig, DEVICE_STARTED);
	device_ramp_gain_db(rig->device, 0, -20.0, 500);
	expect_end(rig, music, DEVICE_FINISHED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_in_range(way_frames(&sound, LEVEL, LEVEL * 0.1F), 23940, 24000);
	assert_true(fabsf(sound.frames[sound.end - 1] - LEVEL * 0.1F) < 1e-6F);
	/* Nowhere steeper than the curve of a mix_ramp. */
	assert_no_step_above(&sound, sound.first, sound.end, LEVEL * 0.9F * 1.51F / 24000.0F);
}

/* Plays a plateau whose gain is asked to be −20 dB within `ramp_ms`; the length of the way. */
static size_t way_of(struct rig *rig, const char *name, unsigned ramp_ms)
{
	_cleanup_(programme_freep) struct programme *programme = plateau(120000);

	declare_card(rig, name, "");
	start(rig, name, left_and_right);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, programme), 0);
	expect(rig, DEVICE_STARTED);
	device_ramp_gain_db(rig->device, 0, -20.0, ramp_ms);
	expect_end(rig, programme, DEVICE_FINISHED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, name, 0);
	return way_frames(&sound, LEVEL, LEVEL * 0.1F);
}

static void test_ramps_are_neither_steps_nor_for_ever(void **state)
{
	assert_in_range(way_of(*state, "soft", 0), 950, 960);
	assert_in_range(way_of(*state, "slow", 1000000), 95700, 96000);
}

/* --- several slots for one loudspeaker ---------------------------------------------------------- */

#define PREROLL_FRAMES RATE_HZ

/* Three slots on the left, one on the right; a preroll that is longer than what plays. */
static const struct device_output_config slots[] = {
	{ .channel_mask = 1U << 0, .preroll_us = US_PER_SEC },
	{ .channel_mask = 1U << 0, .preroll_us = US_PER_SEC },
	{ .channel_mask = 1U << 0, .preroll_us = US_PER_SEC },
	{ .channel_mask = 1U << 1, .preroll_us = US_PER_SEC },
};

/* From `onset` on the stairs lie over what is left of the plateau, which fades; then alone. */
static void assert_stairs_over_fade(const struct sound *sound, size_t onset, size_t count)
{
	float left = LEVEL;

	assert_true(onset + count <= sound->count);
	for (size_t i = 0; i < count; i++) {
		float now = sound->frames[onset + i] - value_at(i);
		if (now > left + 1e-6F || now < left - FADE_STEP || now < -1e-6F)
			fail_msg("frame %zu of %zu: %.6f of the plateau after %.6f", i, count,
				(double)now, (double)left);
		left = now;
	}
	assert_true(fabsf(left) < 1e-6F);
}

/* An emergency does not wait for the fade-out of what it interrupts, nor for a preroll: the
 * amplifier is awake. */
static void test_a_second_slot_begins_while_the_first_fades(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *first = plateau(40000);
	_cleanup_(programme_freep) struct programme *second = stairs(24000, TIME_UNSET);

	declare_card(rig, "loa", "");
	start_slots(rig, "loa", slots, countof(slots));
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, first), 0);
	assert_int_equal(expect(rig, DEVICE_STARTED).output, 0);
	assert_int_equal(device_play(rig->device, 1, second), 0);
	assert_int_equal(expect(rig, DEVICE_STARTED).output, 1);
	programme_abort(first);
	expect_end(rig, first, DEVICE_ABORTED);
	struct device_event event = expect_end(rig, second, DEVICE_FINISHED);
	assert_int_equal(event.frames, 24000);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_int_equal(sound.first, PREROLL_FRAMES);
	size_t onset = sound.first;
	while (onset < sound.end && sound.frames[onset] == LEVEL)
		onset++;
	assert_stairs_over_fade(&sound, onset, 24000);
	assert_int_equal(sound.end, onset + 24000);
	_cleanup_(sound_done) struct sound right = heard(rig, "loa", 1);
	assert_int_equal(right.first, right.count);
}

/* What makes way has faded, and is told of, before what takes its place begins. */
static void test_what_begins_at_once_begins_behind_what_fades(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *first = plateau(40000);
	_cleanup_(programme_freep) struct programme *second = stairs(4800, TIME_UNSET);
	struct device_event ended = { 0 }, started = { 0 };

	declare_card(rig, "loa", "");
	start_slots(rig, "loa", slots, countof(slots));
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 1, first), 0);
	expect(rig, DEVICE_STARTED);
	programme_abort(first);
	assert_int_equal(device_play(rig->device, 0, second), 0);
	for (int i = 0; !started.programme && i < WAIT_MS; i++) {
		struct device_event event;
		if (!event_within(rig, DEVICE_ENDED, 1, &event) &&
			!event_within(rig, DEVICE_STARTED, 0, &event))
			continue;
		if (event.what == DEVICE_ENDED)
			ended = event;
		else
			started = event;
	}
	assert_ptr_equal(ended.programme, first);
	assert_ptr_equal(started.programme, second);
	assert_true(ended.mono_us <= started.mono_us + 10 * US_PER_MS);
	expect_end(rig, second, DEVICE_FINISHED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_stairs_at(&sound, sound.end - 4800, 4800);
}

/* Any slot of the channel keeps its amplifier awake; one of another channel does not. */
static void test_b5_warmth_belongs_to_the_channel(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *first = stairs(4800, TIME_UNSET);
	_cleanup_(programme_freep) struct programme *same = stairs(4800, TIME_UNSET);
	_cleanup_(programme_freep) struct programme *other = stairs(4800, TIME_UNSET);

	declare_card(rig, "loa", "");
	start_slots(rig, "loa", slots, countof(slots));
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, first), 0);
	expect_end(rig, first, DEVICE_FINISHED);
	assert_int_equal(device_play(rig->device, 2, same), 0);
	expect_end(rig, same, DEVICE_FINISHED);
	assert_int_equal(device_play(rig->device, 3, other), 0);
	expect_end(rig, other, DEVICE_FINISHED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound left = heard(rig, "loa", 0);
	_cleanup_(sound_done) struct sound right = heard(rig, "loa", 1);
	assert_int_equal(left.first, PREROLL_FRAMES);
	assert_stairs_at(&left, left.first, 4800);
	assert_stairs_at(&left, left.end - 4800, 4800);
	assert_true(left.end - left.first < 2 * 4800 + PREROLL_FRAMES / 2);
	assert_true(right.first >= left.end + PREROLL_FRAMES);
	assert_stairs_at(&right, right.first, 4800);
}

/* A device that was gone: who knows whether the amplifier was, too. */
static void test_b5_nothing_is_warm_after_a_loss(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *first = stairs(4800, TIME_UNSET);
	_cleanup_(programme_freep) struct programme *again = stairs(4800, TIME_UNSET);

	declare_card(rig, "loa", "");
	start_slots(rig, "loa", slots, countof(slots));
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, first), 0);
	expect_end(rig, first, DEVICE_FINISHED);
	control(rig, "loa", "absent=1\n");
	device_kick(rig->device);
	expect(rig, DEVICE_CLOSED);
	control(rig, "loa", "");
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 1, again), 0);
	expect_end(rig, again, DEVICE_FINISHED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_stairs_at(&sound, sound.end - 4800, 4800);
	assert_true(sound.end - 4800 >= sound.first + 4800 + PREROLL_FRAMES);
}

static void test_slots_of_one_channel_are_added_and_clipped(void **state)
{
	struct rig *rig = *state;
	int64_t start_us = clock_mono_us() + 1500 * US_PER_MS;
	struct programme *programmes[3];

	declare_card(rig, "loa", "");
	start_slots(rig, "loa", slots, countof(slots));
	expect(rig, DEVICE_OPENED);
	for (size_t i = 0; i < countof(programmes); i++) {
		programmes[i] = plateau(2400 * (i + 1));
		programme_set_start(programmes[i], start_us);
		assert_int_equal(device_play(rig->device, i, programmes[i]), 0);
	}
	for (size_t i = 0; i < countof(programmes); i++)
		expect_end(rig, programmes[i], DEVICE_FINISHED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	/* Kept in step with a clock, it may have moved between two frames: edges ring. */
	assert_in_range(sound.end - sound.first, 7198, 7202);
	for (size_t i = 32; i < 7168; i++) {
		float difference = sound.frames[sound.first + i] - (i < 4800 ? 1.0F : LEVEL);
		if ((i + 32) % 2400 >= 64)
			assert_true(fabsf(difference) < 1e-4F);
		assert_true(sound.frames[sound.first + i] <= 1.0F);
	}
	for (size_t i = 0; i < countof(programmes); i++)
		programme_free(programmes[i]);
}

/* The next event of any kind. */
static struct device_event next_event(struct rig *rig)
{
	struct device_event event = { 0 };

	while (!device_next_event(rig->device, &event)) {
		struct pollfd fd = { .fd = device_event_fd(rig->device), .events = POLLIN };
		if (poll(&fd, 1, WAIT_MS) == 0)
			fail_msg("no event");
	}
	return event;
}

static void test_every_slot_plays(void **state)
{
	struct rig *rig = *state;
	struct device_output_config all[DEVICE_OUTPUTS_MAX + 1] = { 0 };
	struct programme *programmes[DEVICE_OUTPUTS_MAX];
	const float level = 1.0F / 1024;

	for (size_t i = 0; i < countof(all); i++)
		all[i].channel_mask = 1U << i % CHANNELS;
	const struct device_config config = { "loa", all, countof(all) };
	assert_null(device_start(&config));
	assert_int_equal(errno, EINVAL);
	declare_card(rig, "loa", "");
	start_slots(rig, "loa", all, DEVICE_OUTPUTS_MAX);
	expect(rig, DEVICE_OPENED);
	int64_t start_us = clock_mono_us() + US_PER_SEC;
	for (size_t i = 0; i < DEVICE_OUTPUTS_MAX; i++) {
		programmes[i] = programme_new(RATE_HZ, 0, start_us);
		for (int frame = 0; frame < 100; frame++)
			assert_int_equal(programme_push(programmes[i], &level, 1), 1);
		programme_complete(programmes[i]);
		assert_int_equal(device_play(rig->device, i, programmes[i]), 0);
	}
	for (size_t started = 0, ended = 0; ended < DEVICE_OUTPUTS_MAX;) {
		struct device_event event = next_event(rig);
		assert_ptr_equal(event.programme, programmes[event.output]);
		started += event.what == DEVICE_STARTED;
		if (event.what != DEVICE_ENDED)
			continue;
		assert_int_equal(event.frames, 100);
		assert_true(++ended <= started);
		programmes[event.output] = programme_free(programmes[event.output]);
	}
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 1);
	assert_int_equal(sound.end - sound.first, 100);
	for (size_t i = sound.first; i < sound.end; i++)
		assert_true(sound.frames[i] == level * DEVICE_OUTPUTS_MAX / CHANNELS);
}

/* --- starting together -------------------------------------------------------------------------- */

static void test_two_outputs_begin_on_the_same_frame(void **state)
{
	struct rig *rig = *state;
	const struct device_output_config outputs[CHANNELS] = {
		{ .channel_mask = 1U << 0, .preroll_us = 500 * US_PER_MS },
		{ .channel_mask = 1U << 1 },
	};
	int64_t start_us = clock_mono_us() + 800 * US_PER_MS;
	_cleanup_(programme_freep) struct programme *left = stairs(4800, start_us);
	_cleanup_(programme_freep) struct programme *right = stairs(4800, start_us);

	declare_card(rig, "loa", "");
	start(rig, "loa", outputs);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, left), 0);
	assert_int_equal(device_play(rig->device, 1, right), 0);
	struct device_event started[CHANNELS];
	for (int i = 0; i < CHANNELS; i++)
		started[i] = expect(rig, DEVICE_STARTED);
	expect(rig, DEVICE_ENDED);
	expect(rig, DEVICE_ENDED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound on_left = heard(rig, "loa", 0);
	_cleanup_(sound_done) struct sound on_right = heard(rig, "loa", 1);
	assert_int_equal(on_left.first, on_right.first);
	assert_int_equal(on_left.count, on_right.count);
	assert_memory_equal(
		on_left.frames, on_right.frames, on_left.count * sizeof *on_left.frames);
	assert_stairs_in_step(&on_left, on_left.first, 4800);
	assert_punctual(rig, "loa", on_left.first, start_us, outputs[0].preroll_us);
	for (int i = 0; i < CHANNELS; i++)
		assert_told(rig, "loa", started[i].mono_us, on_left.first);
	/* The preroll, or as much of it as there was time for where the card ran dry in it. */
	assert_true(heard_us(rig, "loa", on_left.first) - logged(rig, "loa", "start") >=
		    outputs[0].preroll_us - PUNCTUAL_US);
	if (logged(rig, "loa", "xrun") < 0)
		assert_true(on_left.first >= RATE_HZ / 2);
}

static void test_delay_of_an_output_counts(void **state)
{
	struct rig *rig = *state;
	const struct device_output_config outputs[CHANNELS] = {
		{ .channel_mask = 1U << 0 },
		{ .channel_mask = 1U << 1, .delay_us = 100 * US_PER_MS },
	};
	int64_t start_us = clock_mono_us() + 500 * US_PER_MS;
	_cleanup_(programme_freep) struct programme *left = stairs(9600, start_us);
	_cleanup_(programme_freep) struct programme *right = stairs(9600, start_us);

	declare_card(rig, "loa", "");
	start(rig, "loa", outputs);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, left), 0);
	assert_int_equal(device_play(rig->device, 1, right), 0);
	expect(rig, DEVICE_ENDED);
	expect(rig, DEVICE_ENDED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound on_left = heard(rig, "loa", 0);
	_cleanup_(sound_done) struct sound on_right = heard(rig, "loa", 1);
	int64_t left_us = assert_punctual(rig, "loa", on_left.first, start_us, 0);
	int64_t right_us = assert_punctual(
		rig, "loa", on_right.first, start_us + outputs[1].delay_us, 0);
	/* Both of them in time, and nothing between: exactly so much later. */
	if (left_us <= start_us + PUNCTUAL_US && logged(rig, "loa", "xrun") < 0)
		assert_in_range(right_us - left_us, 97000, 103000);
}

static void test_late_start_is_at_once(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *late = stairs(
		4800, clock_mono_us() - 10 * US_PER_SEC);

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	int64_t handed_us = clock_mono_us();
	assert_int_equal(device_play(rig->device, 0, late), 0);
	struct device_event event = expect(rig, DEVICE_STARTED);
	assert_true(event.mono_us >= handed_us);
	expect_end(rig, late, DEVICE_FINISHED);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_int_equal(sound.first, 0);
	assert_told(rig, "loa", event.mono_us, 0);
}

/* --- faults ------------------------------------------------------------------------------------- */

static void test_b1_absent_at_start_is_retried(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *programme = stairs(100, TIME_UNSET);
	struct device_event event;

	declare_card(rig, "loa", "");
	control(rig, "loa", "absent=1\n");
	start(rig, "loa", left_and_right);
	event = expect(rig, DEVICE_CLOSED);
	assert_int_equal(event.error, ENODEV);
	assert_int_equal(device_rate_hz(rig->device), 0);
	assert_int_equal(device_play(rig->device, 0, programme), -ENODEV);
	/* Said once, tried again and again, but not in a busy loop. */
	while (logged_after(rig, "loa", "absent", 2) < 0)
		assert_false(event_within(rig, DEVICE_CLOSED, 5, &event));
	for (int i = 0; i < 2; i++)
		assert_true(logged_after(rig, "loa", "absent", i + 1) -
				    logged_after(rig, "loa", "absent", i) >=
			    500 * US_PER_MS);
	control(rig, "loa", "");
	play_stairs(rig, 4800);
	assert_int_equal(stats_of(rig).reopens, 0);
	stop_device(rig);
	assert_only_stairs(rig, "loa", 0, 4800);
}

static void test_b1_name_that_nobody_knows(void **state)
{
	struct rig *rig = *state;

	start(rig, "hw:CARD=Khong", left_and_right);
	struct device_event event = expect(rig, DEVICE_CLOSED);
	assert_true(event.error > 0);
}

static void test_b2_unplugged_while_speaking(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *left = stairs(48000, TIME_UNSET);
	_cleanup_(programme_freep) struct programme *right = stairs(48000, TIME_UNSET);
	_cleanup_(programme_freep) struct programme *next = stairs(48000, TIME_UNSET);

	declare_card(rig, "loa", "gone_at 20000");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, left), 0);
	expect(rig, DEVICE_STARTED);
	assert_int_equal(device_play(rig->device, 1, right), 0);
	assert_int_equal(device_play(rig->device, 0, next), 0);
	assert_int_equal(expect(rig, DEVICE_CLOSED).error, ENODEV);
	for (int i = 0; i < 3; i++) {
		struct device_event event = expect(rig, DEVICE_ENDED);
		assert_int_equal(event.outcome, DEVICE_LOST);
		if (event.programme == left)
			assert_in_range(event.frames, 20000 - 4 * 960, 20000); /* a buffer */
	}
	control(rig, "loa", "back=1\n");
	play_stairs(rig, 4800);
	assert_int_equal(stats_of(rig).reopens, 1);
	assert_in_range(marks(rig, "loa", "opens"), 2, 4);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_stairs_at(&sound, sound.first, 20000);
	assert_stairs_at(&sound, sound.end - 4800, 4800);
}

static void test_b2_unplugged_while_idle_is_noticed_at_a_kick(void **state)
{
	struct rig *rig = *state;

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	control(rig, "loa", "absent=1\n");
	device_kick(rig->device);
	assert_int_equal(expect(rig, DEVICE_CLOSED).error, ENODEV);
	control(rig, "loa", "");
	expect(rig, DEVICE_OPENED);
}

static void test_b3_wedged_device_is_given_up(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *programme = stairs(48000, TIME_UNSET);

	declare_card(rig, "loa", "wedge_at 9600");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, programme), 0);
	struct device_event event = expect_end(rig, programme, DEVICE_LOST);
	assert_int_equal(event.error, ETIMEDOUT);
	assert_in_range(event.frames, 9600 - 960, 9600);
	int64_t after_us = event.mono_us - logged(rig, "loa", "wedge");
	assert_in_range(after_us, 1900000, 3000000);
	expect(rig, DEVICE_CLOSED);
	expect(rig, DEVICE_OPENED);
}

static void test_b3_stop_of_a_wedged_device_takes_less_than_a_second(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *programme = stairs(48000, TIME_UNSET);

	declare_card(rig, "loa", "wedge_at 4800");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, programme), 0);
	expect(rig, DEVICE_STARTED);
	while (marks(rig, "loa", "wedge") == 0)
		poll(NULL, 0, 5);
	int64_t asked_us = clock_mono_us();
	device_request_stop(rig->device);
	expect_end(rig, programme, DEVICE_LOST);
	stop_device(rig);
	assert_in_range(clock_mono_us() - asked_us, 0, 1000000);
}

static void test_b4_busy_device_is_retried(void **state)
{
	struct rig *rig = *state;

	declare_card(rig, "loa", "busy 2");
	start(rig, "loa", left_and_right);
	assert_int_equal(expect(rig, DEVICE_CLOSED).error, EBUSY);
	play_stairs(rig, 4800);
	assert_int_equal(marks(rig, "loa", "opens"), 3);
	stop_device(rig);
	assert_only_stairs(rig, "loa", 0, 4800);
}

static void test_b4_xrun_loses_nothing(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < ATTEMPTS; i++) {
		_cleanup_(freep) char *name = xasprintf("loa%d", i);
		declare_card(rig, name, "xrun_at 12345");
		start(rig, name, left_and_right);
		play_stairs(rig, 48000);
		assert_int_equal(marks(rig, name, "xrun"), 1);
		assert_true(stats_of(rig).xruns >= 1);
		stop_device(rig);
		if (logged(rig, name, "unasked") >= 0)
			continue; /* all it had may have been heard meanwhile: nobody can know */
		assert_only_stairs(rig, name, 0, 48000);
		return;
	}
	fail_msg("the thread was never there in time");
}

/* The renderer is late: the device runs dry (a true underrun). */
static void late_frames(struct rig *rig, const char *parameters)
{
	_cleanup_(programme_freep) struct programme *programme = programme_new(
		RATE_HZ, 0, TIME_UNSET);

	declare_card(rig, "loa", parameters);
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	push(programme, 0, 7777);
	assert_int_equal(device_play(rig->device, 0, programme), 0);
	while (stats_of(rig).starvations == 0 || stats_of(rig).xruns == 0)
		poll(NULL, 0, 5);
	push(programme, 7777, 9000);
	programme_complete(programme);
	struct device_event event = expect_end(rig, programme, DEVICE_FINISHED);
	assert_int_equal(event.frames, 16777);
	stop_device(rig);
	assert_stairs_with_gaps(rig, "loa", 16777);
}

static void test_b4_late_frames_lose_nothing(void **state)
{
	late_frames(*state, "");
}

/* The thread is kept waiting right where it learns how much is left, as a busy machine may do: that
 * the card ran dry meanwhile is seen even so. */
static void test_b4_late_frames_and_a_late_thread_repeat_nothing(void **state)
{
	late_frames(*state, "slow_delay_us 3000");
}

/* One programme is late, the other must not notice. */
static void test_b4_late_frames_of_one_output_leave_the_other_alone(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *whole = stairs(24000, TIME_UNSET);
	_cleanup_(programme_freep) struct programme *late = programme_new(RATE_HZ, 0, TIME_UNSET);

	declare_card(rig, "loa", "");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	push(late, 0, 2000);
	assert_int_equal(device_play(rig->device, 1, late), 0);
	assert_int_equal(device_play(rig->device, 0, whole), 0);
	expect_end(rig, whole, DEVICE_FINISHED);
	push(late, 2000, 3000);
	programme_complete(late);
	struct device_event event = expect_end(rig, late, DEVICE_FINISHED);
	assert_int_equal(event.frames, 5000);
	stop_device(rig);
	assert_only_stairs(rig, "loa", 0, 24000);
}

static void test_b4_suspend_and_resume_loses_nothing(void **state)
{
	struct rig *rig = *state;

	declare_card(rig, "loa", "suspend_at 15000 resume_eagain 3");
	start(rig, "loa", left_and_right);
	play_stairs(rig, 30000);
	assert_int_equal(stats_of(rig).suspends, 1);
	assert_true(logged(rig, "loa", "resume") > 0);
	stop_device(rig);
	assert_only_stairs(rig, "loa", 0, 30000);
}

static void test_b4_suspend_without_resume_loses_nothing(void **state)
{
	struct rig *rig = *state;

	declare_card(rig, "loa", "suspend_at 15000 resume_fails 1");
	start(rig, "loa", left_and_right);
	play_stairs(rig, 30000);
	assert_int_equal(stats_of(rig).suspends, 1);
	stop_device(rig);
	assert_only_stairs(rig, "loa", 0, 30000);
}

static void test_b4_short_writes_lose_nothing(void **state)
{
	struct rig *rig = *state;

	declare_card(rig, "loa", "unpaced 1 short_writes 300");
	start(rig, "loa", left_and_right);
	play_stairs(rig, 30000);
	stop_device(rig);
	assert_only_stairs(rig, "loa", 0, 30000);
}

static void test_b7_dead_card_does_not_disturb_the_other(void **state)
{
	struct rig *rig = *state;
	struct rig other = *rig;
	_cleanup_(programme_freep) struct programme *doomed = stairs(96000, TIME_UNSET);

	declare_card(rig, "dead", "wedge_at 4800");
	declare_card(rig, "loa", "");
	start(&other, "dead", left_and_right);
	expect(&other, DEVICE_OPENED);
	assert_int_equal(device_play(other.device, 0, doomed), 0);
	expect(&other, DEVICE_STARTED);
	start(rig, "loa", left_and_right);
	play_stairs(rig, 96000);
	expect_end(&other, doomed, DEVICE_LOST);
	stop_device(&other);
	stop_device(rig);
	assert_only_stairs(rig, "loa", 0, 96000);
}

/* --- a device that takes everything at once ----------------------------------------------------- */

/* Pushes slowly, in pieces, as a renderer does that waits for an engine. */
static void *push_slowly(void *context)
{
	for (uint64_t at = 0; at < 24000; at += 1200) {
		push(context, at, 1200);
		poll(NULL, 0, 3);
	}
	programme_complete(context);
	return NULL;
}

static void test_file_over_null_gets_the_frames_and_no_flood(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *programme = programme_new(
		RATE_HZ, 0, TIME_UNSET);
	_cleanup_(freep) char *text = xasprintf(
		"pcm.loa { type file slave.pcm { type null } file \"%s/loa\" "
		"format \"raw\" }\n",
		rig->folder);
	struct thread producer = { 0 };

	declare(rig, text);
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, programme), 0);
	assert_int_equal(thread_start(&producer, "producer", 0, push_slowly, programme), 0);
	struct device_event event = expect_end(rig, programme, DEVICE_FINISHED);
	assert_int_equal(event.frames, 24000);
	assert_int_equal(thread_join(&producer, WAIT_MS), 0);
	stop_device(rig);
	_cleanup_(sound_done) struct sound sound = heard(rig, "loa", 0);
	assert_int_equal(sound.first, 0);
	assert_int_equal(sound.end, 24000);
	assert_stairs_at(&sound, 0, 24000);
	assert_in_range(sound.count, 24000, 24000 + 8 * 960);
}

/* Frames leave such a device as fast as they come; the first one waits for its instant even so,
 * and what is reported has happened in the order of time. Whether it was in time. */
static bool keeps_a_start(struct rig *rig, const char *name)
{
	const struct device_output_config outputs[CHANNELS] = {
		{ .channel_mask = 1U << 0, .preroll_us = 300 * US_PER_MS },
		{ .channel_mask = 1U << 1, .preroll_us = 300 * US_PER_MS },
	};
	int64_t start_us = clock_mono_us() + 600 * US_PER_MS;
	_cleanup_(programme_freep) struct programme *left = stairs(4800, start_us);
	_cleanup_(programme_freep) struct programme *right = stairs(4800, start_us);
	bool in_time = true;

	declare_card(rig, name, "unpaced 1");
	start(rig, name, outputs);
	expect(rig, DEVICE_OPENED);
	assert_int_equal(device_play(rig->device, 0, left), 0);
	assert_int_equal(device_play(rig->device, 1, right), 0);
	for (int i = 0; i < 2 * CHANNELS; i++) {
		struct device_event event = expect(
			rig, i < CHANNELS ? DEVICE_STARTED : DEVICE_ENDED);
		assert_true(event.mono_us >= start_us - 20000);
		assert_true(event.mono_us <= clock_mono_us());
		in_time = in_time && event.mono_us <= start_us + 100000;
	}
	stop_device(rig);
	_cleanup_(sound_done) struct sound on_left = heard(rig, name, 0);
	_cleanup_(sound_done) struct sound on_right = heard(rig, name, 1);
	assert_int_equal(on_left.first, on_right.first);
	assert_stairs_at(&on_left, on_left.first, 4800);
	assert_true(on_left.first < RATE_HZ); /* no flood of silence while it waited */
	return in_time;
}

/* Such a device has no clock, and the machine may have let the thread wait: then once more. */
static void test_unpaced_device_keeps_a_start(void **state)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		_cleanup_(freep) char *name = xasprintf("loa%d", i);
		if (keeps_a_start(*state, name))
			return;
	}
	fail_msg("never in time");
}

/* A start is never before the hand-over, an end never before the start. */
static void test_unpaced_device_reports_in_order(void **state)
{
	struct rig *rig = *state;
	const struct device_output_config outputs[CHANNELS] = {
		{ .channel_mask = 1U << 0, .preroll_us = 300 * US_PER_MS },
		{ .channel_mask = 1U << 1 },
	};
	_cleanup_(programme_freep) struct programme *programme = stairs(4800, TIME_UNSET);

	declare_card(rig, "loa", "unpaced 1");
	start(rig, "loa", outputs);
	expect(rig, DEVICE_OPENED);
	int64_t handed_us = clock_mono_us();
	assert_int_equal(device_play(rig->device, 0, programme), 0);
	struct device_event started = expect(rig, DEVICE_STARTED);
	struct device_event ended = expect(rig, DEVICE_ENDED);
	assert_true(started.mono_us >= handed_us);
	assert_true(ended.mono_us >= started.mono_us);
	stop_device(rig);
}

static void test_unpaced_device_is_aborted_at_once(void **state)
{
	struct rig *rig = *state;
	_cleanup_(programme_freep) struct programme *programme = programme_new(
		RATE_HZ, 0, TIME_UNSET);

	declare_card(rig, "loa", "unpaced 1");
	start(rig, "loa", left_and_right);
	expect(rig, DEVICE_OPENED);
	push(programme, 0, 4800);
	assert_int_equal(device_play(rig->device, 0, programme), 0);
	expect(rig, DEVICE_STARTED);
	programme_abort(programme); /* while it stalls */
	expect_end(rig, programme, DEVICE_ABORTED);
	stop_device(rig);
}

int main(void)
{
#define DEVICE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(test_frames_arrive_as_they_are),
		DEVICE_TEST(test_b5_preroll_before_and_nothing_cut_behind),
		DEVICE_TEST(test_one_after_the_other),
		DEVICE_TEST(test_waiting_programme_is_aborted_in_its_slot),
		DEVICE_TEST(test_empty_programme_ends),
		DEVICE_TEST(test_programme_of_another_rate_comes_back),
		DEVICE_TEST(test_idle_device_does_not_wake_up),
		DEVICE_TEST(test_gain_moves_without_a_step),
		DEVICE_TEST(test_b8_gain_belongs_to_the_programme),
		DEVICE_TEST(test_abort_fades_within_150_ms),
		DEVICE_TEST(test_abort_is_as_quick_on_a_huge_buffer),
		DEVICE_TEST(test_stop_in_the_middle_gives_the_programme_back),
		DEVICE_TEST(test_sum_is_clipped_not_wrapped),
		DEVICE_TEST(test_gain_ramps_as_slowly_as_asked),
		DEVICE_TEST(test_ramps_are_neither_steps_nor_for_ever),
		DEVICE_TEST(test_a_second_slot_begins_while_the_first_fades),
		DEVICE_TEST(test_what_begins_at_once_begins_behind_what_fades),
		DEVICE_TEST(test_b5_warmth_belongs_to_the_channel),
		DEVICE_TEST(test_b5_nothing_is_warm_after_a_loss),
		DEVICE_TEST(test_slots_of_one_channel_are_added_and_clipped),
		DEVICE_TEST(test_every_slot_plays),
		DEVICE_TEST(test_two_outputs_begin_on_the_same_frame),
		DEVICE_TEST(test_delay_of_an_output_counts),
		DEVICE_TEST(test_late_start_is_at_once),
		DEVICE_TEST(test_b1_absent_at_start_is_retried),
		DEVICE_TEST(test_b1_name_that_nobody_knows),
		DEVICE_TEST(test_b2_unplugged_while_speaking),
		DEVICE_TEST(test_b2_unplugged_while_idle_is_noticed_at_a_kick),
		DEVICE_TEST(test_b3_wedged_device_is_given_up),
		DEVICE_TEST(test_b3_stop_of_a_wedged_device_takes_less_than_a_second),
		DEVICE_TEST(test_b4_busy_device_is_retried),
		DEVICE_TEST(test_b4_xrun_loses_nothing),
		DEVICE_TEST(test_b4_late_frames_lose_nothing),
		DEVICE_TEST(test_b4_late_frames_and_a_late_thread_repeat_nothing),
		DEVICE_TEST(test_b4_late_frames_of_one_output_leave_the_other_alone),
		DEVICE_TEST(test_b4_suspend_and_resume_loses_nothing),
		DEVICE_TEST(test_b4_suspend_without_resume_loses_nothing),
		DEVICE_TEST(test_b4_short_writes_lose_nothing),
		DEVICE_TEST(test_b7_dead_card_does_not_disturb_the_other),
		DEVICE_TEST(test_file_over_null_gets_the_frames_and_no_flood),
		DEVICE_TEST(test_unpaced_device_keeps_a_start),
		DEVICE_TEST(test_unpaced_device_reports_in_order),
		DEVICE_TEST(test_unpaced_device_is_aborted_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
