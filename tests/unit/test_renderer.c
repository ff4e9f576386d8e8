/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Programmes rendered by real threads and real engines, and listened to by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audio/clip.h"
#include "base/clock.h"
#include "tts/mixdown.h"
#include "tts/renderer.h"
#include "tts_engines.h"
#include "tts_sanitized.h"

#include <math.h>
#include <sndfile.h>
#include <sys/stat.h>

#define RATE    48000
#define TONE_HZ 440 /* what engine.py says */

/* Whatever amplitude a source has, behind the flat chain (−16 LUFS) a sine that goes on has at
 * least this: the weighting of BS.1770 adds some decibels to the higher ones. */
#define LOUD      0.2
#define LOUD_2000 0.14

static const struct engine_voice plain = { .rate = 130, .pitch = 45 };

/* --- A listener ------------------------------------------------------------------------------------- */

struct stage {
	struct test_engine engines[2];
	struct engine_config configs[2];
	struct renderer_config config;
	struct levels *levels;
	struct rundown *rundown;
	struct programme *programme;
	struct inbox *inbox;
	struct renderer *renderer;
	bool paced; /* pull at the pace of real time, as a device does */

	float *frames;
	size_t count, capacity;
	size_t starved; /* frames that were not there in time */
	unsigned primed, engine_failed, chime_failed, recording_failed, done, failed, cancelled;
	bool fallback_played; /* as the last event said */
	uint64_t skipped_frames;
	size_t last_item;
	struct error last;
};

static void stage_init(struct stage *stage, size_t engines)
{
	for (size_t i = 0; i < engines; i++)
		stage->configs[i] = stage->engines[i].config;
	stage->levels = levels_new();
	stage->config = (struct renderer_config){
		.engines = stage->configs,
		.engines_count = engines,
		.helper_dirs = test_helper_dirs,
		.duck_db = -15.0,
		.preset = CHAIN_FLAT,
		.levels = stage->levels,
	};
	stage->inbox = inbox_new(64);
}

static void stage_done(struct stage *stage)
{
	for (size_t i = 0; i < stage->config.engines_count; i++)
		test_engine_done(&stage->engines[i]);
	inbox_free(stage->inbox, NULL);
	programme_free(stage->programme);
	rundown_free(stage->rundown);
	levels_free(stage->levels);
	free(stage->frames);
	assert_false(test_has_children());
}

/* Takes the rundown. */
static void stage_begin(struct stage *stage, struct rundown *rundown, struct rundown_position from,
	const char *engine_name, struct engine *warm)
{
	programme_free(stage->programme);
	rundown_free(stage->rundown);
	stage->rundown = rundown;
	stage->programme = programme_new(RATE, rundown->count, TIME_UNSET);
	stage->count = stage->starved = 0;
	stage->primed = stage->engine_failed = stage->chime_failed = stage->recording_failed =
		stage->done = stage->failed = stage->cancelled = 0;
	stage->renderer = renderer_start(&stage->config, rundown, from, stage->programme,
		engine_name, &plain, warm, stage->inbox);
	assert_non_null(stage->renderer);
}

static void take_events(struct stage *stage)
{
	struct inbox_link *next;

	for (struct inbox_link *link = inbox_take(stage->inbox); link; link = next) {
		struct renderer_event *event = (struct renderer_event *)link;
		next = link->next;
		unsigned *const counters[] = {
			[RENDERER_PRIMED] = &stage->primed,
			[RENDERER_ENGINE_FAILED] = &stage->engine_failed,
			[RENDERER_CHIME_FAILED] = &stage->chime_failed,
			[RENDERER_RECORDING_FAILED] = &stage->recording_failed,
			[RENDERER_DONE] = &stage->done,
			[RENDERER_FAILED] = &stage->failed,
			[RENDERER_CANCELLED] = &stage->cancelled,
		};
		assert_ptr_equal(event->renderer, stage->renderer);
		++*counters[event->what];
		stage->fallback_played = event->fallback_played;
		stage->skipped_frames = event->skipped_frames;
		stage->last_item = event->item;
		if (event->error.text[0])
			stage->last = event->error;
		free(event);
	}
}

static size_t pull(struct stage *stage, size_t count)
{
	if (stage->count + count > stage->capacity) {
		stage->capacity = 2 * (stage->count + count);
		stage->frames = xreallocarray(stage->frames, stage->capacity, sizeof(float));
	}
	if (count == 0)
		return 0;
	size_t got = programme_pull(stage->programme, stage->frames + stage->count, count);
	stage->count += got;
	return got;
}

/* As a command that writes a file: only what is well behind the producer. */
static void pull_behind(struct stage *stage)
{
	bool complete;

	(void)programme_frames_pushed(stage->programme, &complete);
	size_t lead = programme_lead_frames(stage->programme);
	if (complete || lead > RATE)
		pull(stage, complete ? lead : lead - RATE);
}

static void pull_due(struct stage *stage, int64_t *begin_us)
{
	if (stage->primed && *begin_us == TIME_UNSET)
		*begin_us = clock_mono_us();
	if (*begin_us == TIME_UNSET)
		return;
	int64_t due = (clock_mono_us() - *begin_us) * RATE / US_PER_SEC;
	int64_t missing = due - (int64_t)(stage->count + stage->starved);
	if (missing <= 0)
		return;
	size_t got = pull(stage, (size_t)missing);
	bool complete;
	(void)programme_frames_pushed(stage->programme, &complete);
	if (!complete)
		stage->starved += (size_t)missing - got;
}

static struct engine *stage_listen(struct stage *stage)
{
	struct engine *warm = NULL;
	int64_t begin_us = TIME_UNSET;

	while (!programme_drained(stage->programme)) {
		struct pollfd fd = { .fd = inbox_fd(stage->inbox), .events = POLLIN };
		poll(&fd, 1, 5);
		take_events(stage);
		if (stage->paced)
			pull_due(stage, &begin_us);
		else
			pull_behind(stage);
	}
	while (stage->done + stage->failed == 0) {
		struct pollfd fd = { .fd = inbox_fd(stage->inbox), .events = POLLIN };
		poll(&fd, 1, -1);
		take_events(stage);
	}
	assert_int_equal(renderer_join(stage->renderer, 2000, &warm), 0);
	assert_int_equal(stage->primed, stage->count > 0);
	assert_int_equal(stage->done + stage->failed, 1);
	return warm;
}

static const struct rundown_position beginning;

static void stage_play(struct stage *stage, struct rundown *rundown)
{
	stage_begin(stage, rundown, beginning, NULL, NULL);
	engine_free(stage_listen(stage));
}

/* --- Rundowns and levels -------------------------------------------------------------------------------- */

/* Items: "~path" a chime, "@path" a recording, "=ms" a silence, else a sentence. */
static struct rundown *rundown_of(const char *bed, ...)
{
	struct rundown *rundown = xcalloc(1, sizeof *rundown);
	va_list items;

	rundown->items = xcalloc(64, sizeof *rundown->items);
	rundown->bed = bed ? xstrdup(bed) : NULL;
	va_start(items, bed);
	for (const char *text; (text = va_arg(items, const char *));) {
		struct rundown_item *item = &rundown->items[rundown->count++];
		if (*text == '=')
			*item = (struct rundown_item){ RUNDOWN_SILENCE, NULL,
				atoi(text + 1) * US_PER_MS, 0 };
		else if (*text == '~')
			*item = (struct rundown_item){ RUNDOWN_CHIME, xstrdup(text + 1), 0, 0 };
		else if (*text == '@')
			*item = (struct rundown_item){ RUNDOWN_RECORDING, xstrdup(text + 1), 0, 0 };
		else
			*item = (struct rundown_item){ RUNDOWN_SENTENCE, xstrdup(text), 0, 0 };
	}
	va_end(items);
	return rundown;
}

/* Amplitude of the sine of `hz` between two instants, by Goertzel's algorithm. */
static double amplitude(const struct stage *stage, double hz, double from_s, double to_s)
{
	size_t from = (size_t)(from_s * RATE), to = (size_t)(to_s * RATE);
	double k = 2 * cos(2 * M_PI * hz / RATE), s1 = 0, s2 = 0;

	assert_true(to <= stage->count);
	for (size_t i = from; i < to; i++) {
		double s = stage->frames[i] + k * s1 - s2;
		s2 = s1;
		s1 = s;
	}
	return 2 * sqrt(fmax(0, s1 * s1 + s2 * s2 - k * s1 * s2)) / (double)(to - from);
}

static double peak(const struct stage *stage, double from_s, double to_s)
{
	double highest = 0;

	for (size_t i = (size_t)(from_s * RATE); i < (size_t)(to_s * RATE) && i < stage->count; i++)
		highest = fmax(highest, fabs((double)stage->frames[i]));
	return highest;
}

static void assert_seconds(const struct stage *stage, double expected)
{
	double seconds = (double)stage->count / RATE;

	if (fabs(seconds - expected) > 0.01)
		fail_msg("%.3f s, expected %.3f s", seconds, expected);
}

/* Where item `item` begins. */
static double mark_seconds(const struct stage *stage, size_t item)
{
	size_t at = 0;

	while (at < stage->count && programme_item_at(stage->programme, at) < item)
		at += RATE / 1000;
	return (double)at / RATE;
}

static void put_le(FILE *file, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		fputc((int)(value >> 8 * i & 0xff), file);
}

/* A wav file of a sine: loud for `loud_s`, then quiet. */
static void write_sine(const char *path, double hz, double level, double loud_s, double quiet_level,
	double quiet_s)
{
	FILE *file = fopen(path, "we");
	uint32_t frames = (uint32_t)((loud_s + quiet_s) * RATE);

	fputs("RIFF", file);
	put_le(file, 36 + 2 * frames, 4);
	fputs("WAVEfmt ", file);
	put_le(file, 16, 4);
	put_le(file, 1, 2);
	put_le(file, 1, 2);
	put_le(file, RATE, 4);
	put_le(file, 2 * RATE, 4);
	put_le(file, 2, 2);
	put_le(file, 16, 2);
	fputs("data", file);
	put_le(file, 2 * frames, 4);
	for (uint32_t i = 0; i < frames; i++) {
		double now = i < loud_s * RATE ? level : quiet_level;
		put_le(file, (uint32_t)(int)lrint(32767 * now * sin(2 * M_PI * hz * i / RATE)), 2);
	}
	fclose(file);
}

#define RECORDING_HZ 22050

static void write_recording(const char *path)
{
	SF_INFO info = { .samplerate = RECORDING_HZ,
		.channels = 1,
		.format = SF_FORMAT_FLAC | SF_FORMAT_PCM_16 };
	SNDFILE *file = sf_open(path, SFM_WRITE, &info);

	for (int i = 0; i < 2 * RECORDING_HZ; i++) {
		double hz = i < RECORDING_HZ ? 600 : 900;
		float frame = 0.5F * (float)sin(2 * M_PI * hz * i / RECORDING_HZ);
		assert_int_equal(sf_writef_float(file, &frame, 1), 1);
	}
	sf_close(file);
}

static void cut_off(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(truncate(path, status.st_size * 2 / 3), 0);
}

struct folder {
	char path[40];
	char chime[60], bed[60], marker[60];
	char recording[60]; /* 1 s of 600 Hz, 1 s of 900 Hz, at 22050 Hz */
	char damaged[60];   /* the same, its last part lost */
};

static int make_folder(void **state)
{
	struct folder *folder = xcalloc(1, sizeof *folder);

	strcpy(folder->path, "/tmp/loalang-renderer-XXXXXX");
	if (!mkdtemp(folder->path))
		return -1;
	snprintf(folder->chime, sizeof folder->chime, "%s/chime.wav", folder->path);
	snprintf(folder->bed, sizeof folder->bed, "%s/bed.wav", folder->path);
	snprintf(folder->marker, sizeof folder->marker, "%s/marker", folder->path);
	snprintf(folder->recording, sizeof folder->recording, "%s/recording.flac", folder->path);
	snprintf(folder->damaged, sizeof folder->damaged, "%s/damaged.flac", folder->path);
	write_recording(folder->recording);
	write_recording(folder->damaged);
	cut_off(folder->damaged);
	write_sine(folder->chime, 2000, 0.5, 0.5, 0.02, 0.15);
	write_sine(folder->bed, 1000, 0.25, 0.7, 0, 0);
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *folder = *state;

	unlink(folder->chime);
	unlink(folder->bed);
	unlink(folder->marker);
	unlink(folder->recording);
	unlink(folder->damaged);
	rmdir(folder->path);
	free(folder);
	return 0;
}

/* --- What is heard ------------------------------------------------------------------------------------- */

static int add_seconds(const float *frames, size_t count, unsigned rate_hz, void *context)
{
	(void)frames;
	*(double *)context += (double)count / rate_hz;
	return 0;
}

static void test_speech(void **state)
{
	(void)state;
	struct stage stage = { 0 };
	double seconds = 0;
	struct error error;

	test_engine_synth(&stage.engines[0]);
	stage_init(&stage, 1);
	struct engine *engine = engine_new(&stage.configs[0], test_helper_dirs);
	assert_int_equal(engine_speak(engine, "Kính thưa bà con.", &plain, add_seconds, &seconds,
				 NULL, &error),
		0);
	int pid = engine_pid(engine);
	/* A warm engine is used and comes back. */
	stage_begin(&stage,
		rundown_of(NULL, "Kính thưa bà con.", "=450", "Kính thưa bà con.", NULL), beginning,
		NULL, engine);
	engine = stage_listen(&stage);
	assert_int_equal(engine_pid(engine), pid);
	engine_free(engine);
	assert_int_equal(stage.done, 1);
	assert_seconds(&stage, 2 * seconds + 0.45);
	assert_true(peak(&stage, 0, 0.05) > 0.01); /* at once */
	assert_true(peak(&stage, seconds + 0.01, seconds + 0.44) < 0.003);
	assert_true(peak(&stage, seconds + 0.45, 2 * seconds) > 0.1);
	assert_int_equal(programme_item_at(stage.programme, 0), 0);
	assert_int_equal(programme_item_at(stage.programme, (uint64_t)((seconds + 0.2) * RATE)), 1);
	assert_int_equal(programme_item_at(stage.programme, (uint64_t)((seconds + 0.5) * RATE)), 2);
	stage_done(&stage);
}

static void test_resumes_at_an_item(void **state)
{
	(void)state;
	struct stage stage = { 0 };

	test_engine_child(&stage.engines[0], "good", NULL);
	stage_init(&stage, 1);
	stage_begin(&stage, rundown_of(NULL, "Một.", "=500", "Hai.", "=100", "Ba.", NULL),
		(struct rundown_position){ 2, 300000 }, NULL, NULL);
	engine_free(stage_listen(&stage));
	assert_seconds(&stage, 0.2 + 0.1 + 0.2);
	assert_int_equal(programme_item_at(stage.programme, 0), 2);
	stage_done(&stage);
}

static struct rundown *bulletin(const struct folder *folder)
{
	_cleanup_(freep) char *chime = xasprintf("~%s", folder->chime);
	_cleanup_(freep) char *recording = xasprintf("@%s", folder->recording);

	return rundown_of(folder->bed, chime, "Kính thưa bà con, ngày mai cắt điện.", "=450",
		"Mời bà con đi họp.", "=450", recording, "=450", "Xin cảm ơn.", "=300", chime,
		NULL);
}

/* Comes in where those who began `elapsed_us` ago will be when it can be heard. */
static void stage_join(struct stage *stage, struct rundown *rundown, int64_t elapsed_us)
{
	struct renderer_join join = { clock_mono_us() - elapsed_us, 100 * US_PER_MS };

	stage->config.join = &join;
	stage_play(stage, rundown);
	stage->config.join = NULL;
}

/* How far the sound is from `whole`, of its own strength. */
static double distance(const struct stage *stage, const float *whole, size_t count)
{
	double apart = 0, all = 0;

	for (size_t i = 0; i < stage->count && i < count; i++) {
		double difference = (double)(stage->frames[i] - whole[i]);
		apart += difference * difference;
		all += (double)whole[i] * (double)whole[i];
	}
	return sqrt(apart / all);
}

/* To the frame. The levels differ a little from one time to the next: in what blocks an engine's sound
 * comes decides on how much of it is measured. */
static void assert_same_from(
	const struct stage *stage, const float *whole, size_t count, int64_t elapsed_us)
{
	size_t skipped = (size_t)stage->skipped_frames;

	assert_true(skipped >= (size_t)((elapsed_us + 100 * US_PER_MS) * RATE / US_PER_SEC));
	assert_true(skipped < count);
	assert_int_equal(stage->count, count - skipped);
	double there = distance(stage, whole + skipped, count - skipped);
	double before = distance(stage, whole + skipped - 1, count - skipped);
	double behind = distance(stage, whole + skipped + 1, count - skipped - 1);
	if (there > 0.03 || there > before / 2 || there > behind / 2)
		fail_msg("joined at %zu: %.4f off, a frame to each side %.4f and %.4f", skipped,
			there, before, behind);
}

static void test_comes_in_at_the_right_place(void **state)
{
	const struct folder *folder = *state;
	struct stage stage = { 0 };

	test_engine_synth(&stage.engines[0]);
	stage_init(&stage, 1);
	for (int known = 0; known < 2; known++) { /* the levels of all sources */
		stage_play(&stage, bulletin(folder));
		assert_int_equal(stage.skipped_frames, 0);
		size_t count = stage.count;
		_cleanup_(freep) float *whole = xcalloc(count, sizeof *whole);
		memcpy(whole, stage.frames, count * sizeof *whole);
		for (int64_t elapsed_us = 0; elapsed_us < 6 * US_PER_SEC; elapsed_us += 700000) {
			if (!known) {
				stage.levels = levels_free(stage.levels);
				stage.config.levels = stage.levels = levels_new();
			}
			stage_join(&stage, bulletin(folder), elapsed_us);
			assert_same_from(&stage, whole, count, elapsed_us);
		}
	}
	stage_done(&stage);
}

static void test_comes_too_late_for_all_of_it(void **state)
{
	const struct folder *folder = *state;
	struct stage stage = { 0 };

	test_engine_synth(&stage.engines[0]);
	stage_init(&stage, 1);
	stage_play(&stage, bulletin(folder));
	size_t count = stage.count;
	stage_join(&stage, bulletin(folder), 60 * US_PER_SEC);
	assert_int_equal(stage.count, 0);
	assert_int_equal(stage.done, 1);
	assert_int_equal(stage.skipped_frames, count);
	stage_done(&stage);
}

static void test_nothing_covers_up_what_is_thrown_away(void **state)
{
	const struct folder *folder = *state;
	struct stage stage = { 0 };

	test_engine_child(&stage.engines[0], "slow", NULL); /* a second for each sentence */
	stage_init(&stage, 1);
	stage_join(&stage, rundown_of(folder->bed, "Một.", "Hai.", NULL), 0);
	stage.count += (size_t)stage.skipped_frames;
	assert_seconds(&stage, 2 * 0.2 + MIXDOWN_FADE_MS / 1000.0);
	stage_done(&stage);
}

static void test_repeats(void **state)
{
	(void)state;
	struct stage stage = { 0 };
	struct reading_sentence sentences[] = { { .text = (char[]){ "Một." } } };
	struct reading reading = { .sentences = sentences, .sentences_count = 1 };
	const struct rundown_part part = { .what = RUNDOWN_PART_READING, .reading = &reading };

	test_engine_child(&stage.engines[0], "good", NULL);
	stage_init(&stage, 1);
	stage_play(&stage,
		rundown_new(&part, 1,
			&(struct rundown_config){ .repeat_times = 3, .repeat_gap_us = 500000 }));
	assert_seconds(&stage, 3 * 0.2 + 2 * 0.5);
	for (int i = 0; i < 3; i++) {
		assert_true(amplitude(&stage, TONE_HZ, 0.7 * i + 0.02, 0.7 * i + 0.18) > LOUD);
		if (i < 2)
			assert_true(peak(&stage, 0.7 * i + 0.22, 0.7 * i + 0.68) < 0.001);
	}
	stage_done(&stage);
}

/* The chime's quiet end lies under the first words; the closing one is heard to its end. */
static void test_chime_tail(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { 0 };
	char chime[64];

	snprintf(chime, sizeof chime, "~%s", folder->chime);
	test_engine_child(&stage.engines[0], "good", NULL);
	stage_init(&stage, 1);
	stage_play(&stage, rundown_of(NULL, chime, "Một.", chime, NULL));
	assert_seconds(&stage, 0.5 + 0.2 + 0.65);
	assert_true(amplitude(&stage, 2000, 0.05, 0.45) > LOUD_2000);
	assert_true(amplitude(&stage, TONE_HZ, 0.52, 0.68) > LOUD);
	assert_true(amplitude(&stage, 2000, 0.51, 0.64) > LOUD_2000 * 0.03);
	assert_true(amplitude(&stage, 2000, 0.66, 0.69) < 0.005);
	assert_true(amplitude(&stage, 2000, 1.21, 1.34) > LOUD_2000 * 0.03);
	stage_done(&stage);
}

static void test_B6_a_bad_chime_never_stops_the_speech(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { 0 };
	char missing[64];

	snprintf(missing, sizeof missing, "~%s", folder->marker);
	test_engine_child(&stage.engines[0], "good", NULL);
	stage_init(&stage, 1);
	stage_play(&stage, rundown_of(folder->marker, missing, "Một.", NULL));
	assert_int_equal(stage.chime_failed, 2);
	assert_non_null(strstr(stage.last.text, folder->marker));
	assert_int_equal(stage.done, 1);
	assert_seconds(&stage, 0.2);
	stage_done(&stage);
}

static double db(double ratio)
{
	return 20 * log10(ratio);
}

static void test_bed_is_ducked(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { 0 };

	test_engine_child(&stage.engines[0], "long", NULL);
	stage_init(&stage, 1);
	stage_play(&stage, rundown_of(folder->bed, "=2000", "Một.", "=2000", NULL));
	assert_seconds(&stage, 2 + 4 + 2 + 1);
	double before = amplitude(&stage, 1000, 0.5, 1.9);
	double under = amplitude(&stage, 1000, 2.5, 5.9);
	double after = amplitude(&stage, 1000, 6.5, 7.9);
	assert_true(before > LOUD);
	assert_true(fabs(db(under / before) + 15) < 0.5);
	assert_true(fabs(db(after / before)) < 0.5);
	assert_true(amplitude(&stage, TONE_HZ, 2.5, 5.9) > LOUD);
	/* 150 ms of ramp each way, and the fade at the end. */
	assert_true(db(amplitude(&stage, 1000, 2.07, 2.08) / before) > -8);
	assert_true(db(amplitude(&stage, 1000, 8.45, 8.55) / before) < -5);
	assert_true(peak(&stage, 8.99, 9.0) < 0.004);
	stage_done(&stage);
}

/* Under a chime as under speech: two tunes at once are none. */
static void test_bed_is_ducked_under_a_chime(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { 0 };
	char chime[64];

	snprintf(chime, sizeof chime, "~%s", folder->chime);
	stage_init(&stage, 0);
	stage_play(&stage, rundown_of(folder->bed, "=2000", chime, "=2000", NULL));
	double before = amplitude(&stage, 1000, 0.5, 1.9);
	assert_true(fabs(db(amplitude(&stage, 1000, 2.2, 2.45) / before) + 15) < 0.5);
	assert_true(fabs(db(amplitude(&stage, 1000, 3.0, 4.4) / before)) < 0.5);
	stage_done(&stage);
}

/* --- Recordings ------------------------------------------------------------------------------------------- */

/* At the device's rate, as loud as the sentences, the bed down under it. */
static void test_recording(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { 0 };
	char item[64];

	snprintf(item, sizeof item, "@%s", folder->recording);
	test_engine_child(&stage.engines[0], "good", NULL);
	stage_init(&stage, 1);
	stage_play(&stage, rundown_of(folder->bed, "=1000", item, "Một.", NULL));
	assert_int_equal(stage.done, 1);
	assert_int_equal(stage.recording_failed, 0);
	assert_seconds(&stage, 1 + 2 + 0.2 + 1); /* the bed's end */
	assert_true(amplitude(&stage, 600, 1.1, 1.9) > LOUD);
	assert_true(amplitude(&stage, 900, 1.1, 1.9) < 0.01);
	assert_true(amplitude(&stage, 900, 2.1, 2.9) > LOUD);
	assert_true(amplitude(&stage, TONE_HZ, 3.02, 3.18) > LOUD);
	double before = amplitude(&stage, 1000, 0.5, 0.9),
	       under = amplitude(&stage, 1000, 1.5, 2.9);
	assert_true(fabs(db(under / before) + 15) < 0.5);
	assert_int_equal(programme_mark_frame(stage.programme, 1), RATE);
	assert_in_range(programme_mark_frame(stage.programme, 2), 3 * RATE - 4, 3 * RATE + 4);
	stage_done(&stage);
}

static void test_resumes_within_a_recording(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { 0 };
	char item[64];

	snprintf(item, sizeof item, "@%s", folder->recording);
	stage_init(&stage, 0);
	stage_begin(&stage, rundown_of(NULL, "Một.", item, "=100", item, NULL),
		(struct rundown_position){ 1, 1250000 }, NULL, NULL);
	engine_free(stage_listen(&stage));
	assert_seconds(&stage, 0.75 + 0.1 + 2);
	assert_true(amplitude(&stage, 900, 0.02, 0.73) > LOUD);
	assert_true(amplitude(&stage, 600, 0.87, 1.83) > LOUD); /* the next one is whole */
	stage_done(&stage);
}

/* What there is of it is heard, the text around it too. */
static void test_B6_a_bad_recording_never_stops_the_speech(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { 0 };
	char damaged[64], missing[64];

	snprintf(damaged, sizeof damaged, "@%s", folder->damaged);
	snprintf(missing, sizeof missing, "@%s", folder->marker);
	test_engine_child(&stage.engines[0], "good", NULL);
	stage_init(&stage, 1);
	stage_play(&stage, rundown_of(NULL, "Một.", damaged, "Hai.", NULL));
	assert_int_equal(stage.done, 1);
	assert_int_equal(stage.recording_failed, 1);
	assert_non_null(strstr(stage.last.text, folder->damaged));
	double end = mark_seconds(&stage, 2);
	assert_true(end > 1.0 && end < 2.0);
	assert_true(amplitude(&stage, 600, 0.22, end < 1.2 ? end - 0.1 : 1.1) > LOUD);
	assert_true(amplitude(&stage, TONE_HZ, end + 0.02, end + 0.18) > LOUD);

	unlink(folder->marker);
	stage_play(&stage, rundown_of(NULL, missing, "Hai.", NULL));
	assert_int_equal(stage.done, 1);
	assert_int_equal(stage.recording_failed, 1);
	assert_seconds(&stage, 0.2);
	stage_done(&stage);
}

/* --- A7 ----------------------------------------------------------------------------------------------------- */

/* The recording in the place of what is left to say, then the closing chime; no other item. */
static void test_A7_a_recorded_sentence_when_no_engine_can_say_it(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { 0 };
	char chime[64];

	snprintf(chime, sizeof chime, "~%s", folder->chime);
	stage_init(&stage, 0);
	struct rundown *rundown = rundown_of(
		NULL, chime, "Một.", "=400", "Hai.", "=700", "Ba.", "=900", chime, NULL);
	rundown->fallback = xstrdup(folder->recording);
	stage_play(&stage, rundown);
	assert_int_equal(stage.failed, 1);
	assert_true(stage.fallback_played);
	assert_int_equal(stage.last_item, 1);
	assert_seconds(&stage, 0.5 + 0.3 + 2 + 0.3 + 0.65);
	assert_true(amplitude(&stage, 600, 0.85, 1.75) > LOUD);
	assert_true(amplitude(&stage, 900, 1.85, 2.75) > LOUD);
	assert_true(amplitude(&stage, 2000, 3.15, 3.55) > LOUD_2000);
	assert_int_equal(programme_mark_frame(stage.programme, 7) / (RATE / 10), 31);
	assert_true(programme_mark_frame(stage.programme, 2) == PROGRAMME_NO_FRAME);
	stage_done(&stage);
}

static void test_A7_without_the_recording_as_before(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { 0 };
	char chime[64];

	snprintf(chime, sizeof chime, "~%s", folder->chime);
	stage_init(&stage, 0);
	struct rundown *rundown = rundown_of(NULL, "=100", "Một.", chime, NULL);
	rundown->fallback = xstrdup(folder->marker); /* is not there */
	unlink(folder->marker);
	stage_play(&stage, rundown);
	assert_int_equal(stage.failed, 1);
	assert_false(stage.fallback_played);
	assert_int_equal(stage.chime_failed, 1);
	assert_seconds(&stage, 0.1);
	stage_done(&stage);
}

/* --- A1, A2 ---------------------------------------------------------------------------------------------- */

static void test_A1_sentence_fails_and_the_next_announcement_plays(void **state)
{
	(void)state;
	struct stage stage = { 0 };
	_cleanup_(freep) char *text = test_text_that_aborts();

	test_engine_synth(&stage.engines[0]);
	stage_init(&stage, 1);
	stage_play(&stage, rundown_of(NULL, "Một.", text, "Hai.", NULL));
	assert_int_equal(stage.failed, 1);
	assert_int_equal(stage.engine_failed, 2); /* once, and once more */
	assert_non_null(strstr(stage.last.text, "espeak-ng"));
	assert_true(stage.count > RATE / 5); /* as far as it came */
	stage_play(&stage, rundown_of(NULL, "Hai.", NULL));
	assert_int_equal(stage.done, 1);
	assert_int_equal(stage.engine_failed, 0);
	stage_done(&stage);
}

static void test_A1_the_next_engine_says_it(void **state)
{
	(void)state;
	struct stage stage = { 0 };
	_cleanup_(freep) char *text = test_text_that_aborts();

	test_engine_synth(&stage.engines[0]);
	test_engine_child(&stage.engines[1], "good", NULL);
	stage_init(&stage, 2);
	stage_play(&stage, rundown_of(NULL, text, "=500", "Hai ba bốn năm sáu bảy.", NULL));
	assert_int_equal(stage.done, 1);
	assert_int_equal(stage.engine_failed, 2);
	/* The other engine's tone, and after the pause the first engine's words again. */
	double end = mark_seconds(&stage, 1), said = (double)stage.count / RATE;
	assert_true(amplitude(&stage, TONE_HZ, end - 0.18, end - 0.02) > LOUD);
	assert_true(said - mark_seconds(&stage, 2) > 1.0);
	assert_true(amplitude(&stage, TONE_HZ, said - 1.0, said) < 0.2);
	assert_true(peak(&stage, said - 1.0, said) > 0.1);
	stage_done(&stage);
}

/* What was heard of a broken-off sentence, a pause, and the sentence from its beginning. */
static void test_A1_broken_off_and_said_again(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { 0 };

	unlink(folder->marker);
	setenv("ENGINE_MARKER", folder->marker, 1);
	test_engine_child(&stage.engines[0], "die-once", NULL);
	stage_init(&stage, 1);
	stage_play(&stage, rundown_of(NULL, "Một.", NULL));
	assert_int_equal(stage.done, 1);
	assert_int_equal(stage.engine_failed, 1);
	/* The voice was not known yet, so the beginning was still held back for its level. */
	assert_seconds(&stage, 0.2);

	unlink(folder->marker);
	stage_play(&stage, rundown_of(NULL, "Một.", NULL));
	assert_int_equal(stage.done, 1);
	assert_int_equal(stage.engine_failed, 1);
	assert_true(fabs((double)stage.count / RATE - (0.3 + 0.3 + 0.2)) < 0.02);
	assert_true(amplitude(&stage, TONE_HZ, 0.02, 0.27) > LOUD);
	assert_true(peak(&stage, 0.32, 0.57) < 0.001);
	assert_true(amplitude(&stage, TONE_HZ, 0.63, 0.77) > LOUD);
	stage_done(&stage);
}

/* A paced listener is never left without frames while an engine hangs and is replaced, and what it
 * is given is not more than the time that passes. */
static void test_A2_the_sound_goes_on_while_an_engine_hangs(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { .paced = true };
	char chime[64];

	snprintf(chime, sizeof chime, "~%s", folder->chime);
	test_engine_child(&stage.engines[0], "hang", NULL);
	test_engine_child(&stage.engines[1], "good", NULL);
	stage_init(&stage, 2);
	stage_play(&stage, rundown_of(folder->bed, chime, "Một.", "=100", "Hai.", NULL));
	assert_int_equal(stage.done, 1);
	assert_int_equal(stage.engine_failed, 2); /* and not asked again for the second sentence */
	double seconds = (double)stage.count / RATE, budget = engine_budget_first_ms(5) / 1000.0;
	if (fabs(seconds - (2 * budget + 0.5 + 0.2 + 0.1 + 0.2)) > 1.6)
		fail_msg("%.2f s", seconds);
	assert_true(stage.starved < RATE / 4); /* not the seconds that the engine took */
	assert_true(amplitude(&stage, 1000, 2, 5) > 0.03); /* the bed did not stop */
	stage_done(&stage);
}

/* What was put in while the engine was late is taken out of the next long pause: the programme is as
 * long as on a node whose engine was not. */
static void test_A2_what_was_put_in_is_caught_up_with(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { .paced = true };
	char chime[64];

	snprintf(chime, sizeof chime, "~%s", folder->chime);
	test_engine_child(&stage.engines[0], "slow", NULL);
	stage_init(&stage, 1);
	stage_play(&stage, rundown_of(NULL, chime, "Một.", "=1800", NULL));
	assert_int_equal(stage.done, 1);
	assert_seconds(&stage, 0.5 + 0.2 + 1.8);
	assert_true(mark_seconds(&stage, 2) > 0.5 + 0.2 + 0.3); /* there was something */
	stage_done(&stage);
}

/* While the level of a voice is being found, its sound is held back; the ring must not run dry for it. */
static void test_A2_the_sound_goes_on_while_a_level_is_found(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { .paced = true };
	char chime[64];

	snprintf(chime, sizeof chime, "~%s", folder->chime);
	test_engine_child(&stage.engines[0], "streams", NULL);
	stage_init(&stage, 1);
	stage_play(&stage, rundown_of(NULL, chime, "Kính thưa bà con, mời bà con đến họp.", NULL));
	assert_string_equal(stage.last.text, "");
	assert_int_equal(stage.done, 1);
	if (stage.starved > RATE / 4)
		fail_msg("%zu frames were not there", stage.starved);
	stage_done(&stage);
}

/* A listener without a pace (a file) gets no more silence than time passes. */
static void test_A2_a_file_is_not_flooded(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { 0 };
	struct engine *warm = NULL;
	char chime[64];

	snprintf(chime, sizeof chime, "~%s", folder->chime);
	test_engine_child(&stage.engines[0], "slow", NULL);
	stage_init(&stage, 1);
	int64_t begin_us = clock_mono_us();
	stage_begin(&stage, rundown_of(NULL, chime, "Một.", NULL), beginning, NULL, NULL);
	while (!programme_drained(stage.programme)) {
		while (pull(&stage, RATE) > 0)
			;
		(void)poll(NULL, 0, 1);
	}
	double elapsed = (double)(clock_mono_us() - begin_us) / 1e6;
	double seconds = (double)stage.count / RATE;
	assert_true(seconds < 0.65 + elapsed + 0.2);
	assert_true(seconds > 1.2); /* the second that the engine took was covered */
	assert_int_equal(renderer_join(stage.renderer, 2000, &warm), 0);
	engine_free(warm);
	stage_done(&stage);
}

/* Into a file nothing is put in at all, however late the engine is and however hungry the reader. */
static void test_A2_a_file_has_no_cover(void **state)
{
	struct folder *folder = *state;
	struct stage stage = { 0 };
	struct engine *warm = NULL;
	char chime[64];

	snprintf(chime, sizeof chime, "~%s", folder->chime);
	test_engine_child(&stage.engines[0], "slow", NULL);
	stage_init(&stage, 1);
	stage.config.patient = true;
	stage_begin(&stage, rundown_of(NULL, chime, "Một.", NULL), beginning, NULL, NULL);
	while (!programme_drained(stage.programme)) {
		while (pull(&stage, RATE) > 0)
			;
		(void)poll(NULL, 0, 1);
	}
	assert_seconds(&stage, 0.5 + 0.2);
	assert_int_equal(renderer_join(stage.renderer, 2000, &warm), 0);
	engine_free(warm);
	take_events(&stage);
	stage_done(&stage);
}

/* Milliseconds from the abort of a programme whose engine hangs to the end of its thread. */
static int cancel_once(void)
{
	struct stage stage = { 0 };
	struct engine *warm = NULL;
	char record[] = "/tmp/loalang-asked-XXXXXX";

	int fd = mkostemp(record, O_CLOEXEC);
	test_engine_child(&stage.engines[0], "hang", record);
	stage_init(&stage, 1);
	stage_begin(&stage, rundown_of(NULL, "Một.", NULL), beginning, NULL, NULL);
	for (char byte; read(fd, &byte, 1) == 0;) /* until the engine was asked */
		(void)poll(NULL, 0, 1);
	int64_t begin_us = clock_mono_us();
	programme_abort(stage.programme);
	assert_int_equal(renderer_join(stage.renderer, 2000, &warm), 0);
	int took_ms = (int)((clock_mono_us() - begin_us) / US_PER_MS);
	engine_free(warm);
	take_events(&stage);
	assert_int_equal(stage.cancelled, 1);
	close(fd);
	unlink(record);
	stage_done(&stage);
	return took_ms;
}

/* The best of some tries: the machine may be busy with something else. */
static void test_A2_cancel(void **state)
{
	(void)state;
	int best_ms = cancel_once();

	for (int i = 0; i < 4 && best_ms > 100; i++) {
		int took_ms = cancel_once();
		best_ms = took_ms < best_ms ? took_ms : best_ms;
	}
	assert_in_range(best_ms, 0, 100);
}

/* Cancelled while it waits for room in the ring. */
/* Before it is heard only its beginning is made, until it is cancelled. */
static void test_cancel_before_it_is_heard(void **state)
{
	(void)state;
	struct stage stage = { 0 };
	struct engine *warm = NULL;

	test_engine_child(&stage.engines[0], "long", NULL);
	stage_init(&stage, 1);
	stage_begin(&stage, rundown_of(NULL, "=60000", "Một.", NULL), beginning, NULL, NULL);
	while (programme_lead_frames(stage.programme) < RATE * 3 / 2)
		(void)poll(NULL, 0, 1);
	(void)poll(NULL, 0, 50); /* time enough for much more */
	assert_true(programme_lead_frames(stage.programme) < RATE * 8 / 5);
	programme_abort(stage.programme);
	assert_int_equal(renderer_join(stage.renderer, 2000, &warm), 0);
	engine_free(warm);
	take_events(&stage);
	assert_int_equal(stage.cancelled, 1);
	stage_done(&stage);
}

static void test_cancel_with_a_full_ring(void **state)
{
	(void)state;
	struct stage stage = { 0 };
	struct engine *warm = NULL;

	test_engine_child(&stage.engines[0], "long", NULL);
	stage_init(&stage, 1);
	stage_begin(&stage, rundown_of(NULL, "=60000", "Một.", NULL), beginning, NULL, NULL);
	while (programme_space_frames(stage.programme) > 0) {
		float frame;
		(void)programme_pull(stage.programme, &frame, 1); /* it is heard: all may be made */
		(void)poll(NULL, 0, 1);
	}
	int64_t begin_us = clock_mono_us();
	programme_abort(stage.programme);
	assert_int_equal(renderer_join(stage.renderer, 2000, &warm), 0);
	assert_true(clock_mono_us() - begin_us < US_PER_SEC); /* the sound was for a minute */
	engine_free(warm);
	take_events(&stage);
	assert_int_equal(stage.cancelled, 1);
	stage_done(&stage);
}

/* --- Which engine ------------------------------------------------------------------------------------------ */

static void test_the_wished_engine_comes_first(void **state)
{
	(void)state;
	struct stage stage = { 0 };

	test_engine_child(&stage.engines[0], "die", NULL);
	test_engine_child(&stage.engines[1], "good", NULL);
	stage_init(&stage, 2);
	stage_begin(&stage, rundown_of(NULL, "Một.", NULL), beginning, "good", NULL);
	engine_free(stage_listen(&stage));
	assert_int_equal(stage.done, 1);
	assert_int_equal(stage.engine_failed, 0);
	stage_done(&stage);
}

static void test_no_engine(void **state)
{
	(void)state;
	struct stage stage = { 0 };

	stage_init(&stage, 0);
	stage_play(&stage, rundown_of(NULL, "=100", "Một.", NULL));
	assert_int_equal(stage.failed, 1);
	assert_seconds(&stage, 0.1);
	stage_done(&stage);
}

/* --- Memory --------------------------------------------------------------------------------------------- */

static long resident_kb(void)
{
	_cleanup_(fclosep) FILE *file = fopen("/proc/self/statm", "re");
	long size, resident = 0;

	if (fscanf(file, "%ld %ld", &size, &resident) != 2)
		return 0;
	return resident * 4;
}

static long peak_kb_of(struct stage *stage, unsigned sentences)
{
	struct rundown *rundown = xcalloc(1, sizeof *rundown);
	struct engine *warm = NULL;
	static float sink[RATE];
	long highest = 0;

	rundown->items = xcalloc(sentences, sizeof *rundown->items);
	for (; rundown->count < sentences; rundown->count++)
		rundown->items[rundown->count] = (struct rundown_item){ RUNDOWN_SENTENCE,
			xstrdup("Kính thưa bà con, mời bà con đến họp."), 0, 0 };
	stage_begin(stage, rundown, beginning, NULL, NULL);
	while (!programme_drained(stage->programme)) {
		struct pollfd fd = { .fd = inbox_fd(stage->inbox), .events = POLLIN };
		poll(&fd, 1, 1);
		take_events(stage);
		while (programme_pull(stage->programme, sink, RATE) > 0)
			;
		long now = resident_kb();
		highest = now > highest ? now : highest;
	}
	assert_int_equal(renderer_join(stage->renderer, 2000, &warm), 0);
	take_events(stage);
	engine_free(warm);
	return highest;
}

static void test_memory_is_flat(void **state)
{
	(void)state;
	struct stage stage = { 0 };

	test_engine_synth(&stage.engines[0]);
	stage_init(&stage, 1);
	(void)peak_kb_of(&stage, 20); /* what is taken once */
	long few = peak_kb_of(&stage, 20), many = peak_kb_of(&stage, 200);
	/* 180 sentences more are 90 MiB of sound. */
	if (!SANITIZED && many - few > 2048)
		fail_msg("%ld KiB, then %ld KiB", few, many);
	stage_done(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_flat),
		cmocka_unit_test(test_speech),
		cmocka_unit_test(test_resumes_at_an_item),
		cmocka_unit_test(test_comes_in_at_the_right_place),
		cmocka_unit_test(test_comes_too_late_for_all_of_it),
		cmocka_unit_test(test_nothing_covers_up_what_is_thrown_away),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_chime_tail),
		cmocka_unit_test(test_bed_is_ducked),
		cmocka_unit_test(test_bed_is_ducked_under_a_chime),
		cmocka_unit_test(test_recording),
		cmocka_unit_test(test_resumes_within_a_recording),
		cmocka_unit_test(test_B6_a_bad_recording_never_stops_the_speech),
		cmocka_unit_test(test_A7_a_recorded_sentence_when_no_engine_can_say_it),
		cmocka_unit_test(test_A7_without_the_recording_as_before),
		cmocka_unit_test(test_A1_sentence_fails_and_the_next_announcement_plays),
		cmocka_unit_test(test_A1_the_next_engine_says_it),
		cmocka_unit_test(test_A1_broken_off_and_said_again),
		cmocka_unit_test(test_A2_the_sound_goes_on_while_an_engine_hangs),
		cmocka_unit_test(test_A2_a_file_is_not_flooded),
		cmocka_unit_test(test_A2_a_file_has_no_cover),
		cmocka_unit_test(test_A2_the_sound_goes_on_while_a_level_is_found),
		cmocka_unit_test(test_A2_what_was_put_in_is_caught_up_with),
		cmocka_unit_test(test_A2_cancel),
		cmocka_unit_test(test_B6_a_bad_chime_never_stops_the_speech),
		cmocka_unit_test(test_cancel_before_it_is_heard),
		cmocka_unit_test(test_cancel_with_a_full_ring),
		cmocka_unit_test(test_the_wished_engine_comes_first),
		cmocka_unit_test(test_no_engine),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
