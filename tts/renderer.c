/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/renderer.h"
#include "audio/clip.h"
#include "audio/recording.h"
#include "audio/resample.h"
#include "audio/strip.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "base/thread.h"
#include "tts/mixdown.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define BLOCK_FRAMES   512     /* mixed and pushed at once */
#define PRIMED_MS      80      /* of sound in the ring: the device may begin */
#define UNHEARD_MS     1500    /* of sound, and no more, before the device begins */
#define LEAD_MIN_MS    150     /* with less in the ring, a late engine is covered up */
#define FILL_MS        20      /* at a time */
#define RETRY_PAUSE_MS 300     /* between a broken-off sentence and its second try */
#define TAIL_BELOW_DB  (-20.0) /* a chime has decayed enough to speak over it */
#define UNDUCK_MS      1000    /* in a shorter pause the bed stays down: it would only pump */
#define EVENT_RETRY_MS 10
/* Of a source that is not known, so much is looked at for its level before it is heard: some
 * sentences of a voice; of a recording enough to know a soft beginning from a soft recording. */
#define VOICE_AHEAD_MS     2000
#define RECORDING_AHEAD_MS 8000
/* What was pushed because an engine was late is taken out of the pauses that follow, down to this. */
#define PAUSE_MIN_MS 200

/* An engine that failed this often is passed over while another is left: a crash may lie in the
 * sentence, but silence costs seconds each time. */
#define STRIKES_OUT     4
#define STRIKES_CRASH   1
#define STRIKES_SILENCE 2

struct renderer {
	/* Set before the thread starts, const after. */
	struct renderer_config config;
	const struct rundown *rundown;
	struct rundown_position from;
	struct programme *programme;
	struct inbox *events;
	struct engine_voice voice;
	char *voice_name;
	unsigned rate_hz;
	size_t *order; /* indices of config.engines, in the order to try */
	struct thread thread;

	/* The thread's; main's again after the join. */
	struct engine **engines; /* by index of config.engines; NULL: not made */
	unsigned *strikes;
	struct strip *voice_strip, *sound_strip; /* engines; chimes, bed, recordings */
	struct strip *strip;                     /* of the two, what is converted now goes there */
	struct mixdown mixdown;
	struct chain *chain;
	struct resampler *resampler;
	unsigned resampler_from_hz;
	size_t item;
	uint64_t mixed_frames; /* and sent into the chain, which holds some back */
	uint64_t pushed_frames;
	uint64_t skipped_frames; /* thrown away before them */
	bool skipping;           /* still */
	uint64_t behind_frames;  /* pushed beyond what the rundown has: to be caught up with */
	bool primed;
	bool fallback_played;

	/* While an engine is waited for. */
	int64_t wait_since_mono_us; /* TIME_UNSET: not yet */
	uint64_t filled_frames;
};

/* --- Events -------------------------------------------------------------------------------------
 */

/* A full inbox is main being busy; news of a fault can be lost then, the end cannot. */
static void post(
	struct renderer *renderer, enum renderer_event_what what, const struct error *error)
{
	struct renderer_event *event = xcalloc(1, sizeof *event);
	bool last = what == RENDERER_DONE || what == RENDERER_FAILED || what == RENDERER_CANCELLED;
	bool must = last || what == RENDERER_PRIMED;

	event->renderer = renderer;
	event->what = what;
	event->item = renderer->item;
	event->skipped_frames = renderer->skipped_frames;
	event->fallback_played = what == RENDERER_FAILED && renderer->fallback_played;
	if (error)
		event->error = *error;
	while (inbox_push(renderer->events, &event->link) < 0) {
		if (!must || (!last && programme_aborted(renderer->programme))) {
			free(event);
			return;
		}
		(void)poll(NULL, 0, EVENT_RETRY_MS);
	}
}

static void prime(struct renderer *renderer)
{
	if (!renderer->primed)
		post(renderer, RENDERER_PRIMED, NULL);
	renderer->primed = true;
}

/* --- Into the ring
 * -------------------------------------------------------------------------------- */

static size_t frames_of_us(const struct renderer *renderer, int64_t us)
{
	return (size_t)(us * renderer->rate_hz / US_PER_SEC);
}

static size_t frames_of_ms(const struct renderer *renderer, unsigned ms)
{
	return frames_of_us(renderer, ms * US_PER_MS);
}

/* Nothing has been pulled yet: it is before the start. */
static bool is_unheard(const struct renderer *renderer)
{
	return programme_lead_frames(renderer->programme) == renderer->pushed_frames;
}

/* Many outputs with one start are prepared in the same moment: the rest of the ring can wait until
 * all have begun. */
static void wait_to_be_heard(const struct renderer *renderer)
{
	while (renderer->primed && is_unheard(renderer) &&
		renderer->pushed_frames >= frames_of_ms(renderer, UNHEARD_MS) &&
		!programme_aborted(renderer->programme))
		(void)poll(NULL, 0, FILL_MS);
}

/* How many of the next `count` frames are too late to be heard. */
static size_t too_late(struct renderer *renderer, size_t count)
{
	const struct renderer_join *join = renderer->config.join;

	if (!renderer->skipping)
		return 0;
	int64_t since_us = clock_mono_us() + join->lead_us - join->begun_mono_us;
	uint64_t due = since_us > 0 ? frames_of_us(renderer, since_us) : 0;
	uint64_t late = due > renderer->skipped_frames ? due - renderer->skipped_frames : 0;

	renderer->skipping = late >= count;
	if (late > count)
		late = count;
	renderer->skipped_frames += late;
	return (size_t)late;
}

/* What has come out of the chain, heard or not. */
static uint64_t made_frames(const struct renderer *renderer)
{
	return renderer->skipped_frames + renderer->pushed_frames;
}

/* Pushes, waiting for space: 0, or -ECANCELED when the programme was aborted. */
static int push_mixed(struct renderer *renderer, const float *frames, size_t count)
{
	struct programme *programme = renderer->programme;
	size_t late = too_late(renderer, count);

	frames += late;
	count -= late;
	if (programme_aborted(programme))
		return -ECANCELED;
	wait_to_be_heard(renderer);
	while (count > 0) {
		if (programme_aborted(programme))
			return -ECANCELED;
		size_t pushed = programme_push(programme, frames, count);
		frames += pushed;
		count -= pushed;
		renderer->pushed_frames += pushed;
		if (count == 0)
			break;
		prime(renderer);
		programme_want_space(programme);
		if (programme_space_frames(programme) == 0 && !programme_aborted(programme)) {
			struct pollfd fd = { .fd = programme_space_fd(programme),
				.events = POLLIN };
			(void)poll(&fd, 1, -1);
		}
	}
	if (renderer->pushed_frames >= frames_of_ms(renderer, PRIMED_MS))
		prime(renderer);
	return 0;
}

/* Mixes `voice` (NULL: nothing) with tail and bed, sends it through the chain, and pushes. */
static int push(struct renderer *renderer, const float *voice, size_t count)
{
	float mixed[BLOCK_FRAMES];

	while (count > 0) {
		size_t now = count < BLOCK_FRAMES ? count : BLOCK_FRAMES;
		mixdown_run(&renderer->mixdown, voice, now, mixed);
		renderer->mixed_frames += now;
		size_t given = chain_run(renderer->chain, mixed, now, mixed);
		int result = push_mixed(renderer, mixed, given);
		if (result < 0)
			return result;
		voice = voice ? voice + now : NULL;
		count -= now;
	}
	return 0;
}

/* --- Chimes and silence
 * ---------------------------------------------------------------------------- */

/* What the level of a source is remembered by. To be freed. */
static char *level_key(const struct renderer *renderer, const char *kind, const char *name)
{
	return xasprintf("%s %u %s %s", chain_preset_name(renderer->config.preset),
		renderer->rate_hz, kind, name);
}

/* Loads `path` and brings it to its level; a bad one is reported and left out. */
static bool load(struct renderer *renderer, const char *path, struct clip *ret_clip)
{
	struct error error;

	if (clip_load(path, renderer->rate_hz, ret_clip, &error) < 0) {
		post(renderer, RENDERER_CHIME_FAILED, &error);
		return false;
	}
	_cleanup_(freep) char *key = level_key(renderer, "clip", path);
	strip_whole(renderer->sound_strip, key, ret_clip->frames, ret_clip->count);
	return true;
}

/* Up to where it has decayed; the rest is mixed over what follows. */
static int play_chime(struct renderer *renderer, const struct rundown_item *item)
{
	struct clip clip;

	if (!load(renderer, item->text, &clip))
		return 0;
	size_t tail = clip_tail_frame(&clip, TAIL_BELOW_DB);
	mixdown_duck(&renderer->mixdown, true); /* two tunes at once are none */
	/* A tail that is still sounding (two chimes in a row) ends before this one. */
	int result = push(renderer, NULL, mixdown_rest_frames(&renderer->mixdown));
	if (result == 0)
		result = push(renderer, clip.frames, tail);
	mixdown_set_tail(&renderer->mixdown, &clip, tail);
	return result;
}

static int play_silence(struct renderer *renderer, const struct rundown_item *item)
{
	size_t count = frames_of_us(renderer, item->duration_us);
	size_t least = frames_of_ms(renderer, PAUSE_MIN_MS);
	uint64_t caught_up = count > least ? count - least : 0;

	if (item->duration_us >= UNDUCK_MS * US_PER_MS)
		mixdown_duck(&renderer->mixdown, false);
	if (caught_up > renderer->behind_frames)
		caught_up = renderer->behind_frames;
	renderer->behind_frames -= caught_up;
	return push(renderer, NULL, count - (size_t)caught_up);
}

/* --- At another rate
 * -------------------------------------------------------------------------------- */

/* Begins a stream of that rate, or goes on with it. */
static int use_resampler(struct renderer *renderer, unsigned from_hz)
{
	if (renderer->resampler && renderer->resampler_from_hz == from_hz)
		return 0;
	renderer->resampler = resampler_free(renderer->resampler);
	renderer->resampler = resampler_new(from_hz, renderer->rate_hz);
	if (!renderer->resampler)
		return errno > 0 ? -errno : -EINVAL;
	renderer->resampler_from_hz = from_hz;
	return 0;
}

/* Through the strip, and pushes. */
static int push_levelled(struct renderer *renderer, const float *frames, size_t count)
{
	const float *levelled;
	size_t given = strip_run(renderer->strip, frames, count, &levelled);

	return push(renderer, levelled, given);
}

/* Converts and pushes; with `last` what the filter still holds, too. */
static int push_converted(struct renderer *renderer, const float *frames, size_t count, bool last)
{
	float converted[BLOCK_FRAMES];

	for (;;) {
		size_t used = 0;
		long given = resampler_run(
			renderer->resampler, frames, count, last, &used, converted, BLOCK_FRAMES);
		if (given < 0)
			return (int)given;
		int result = push_levelled(renderer, converted, (size_t)given);
		if (result < 0)
			return result;
		frames += used;
		count -= used;
		if (given == 0 && (used == 0 || count == 0))
			return 0;
	}
}

static void begin_piece(struct renderer *renderer, struct strip *strip, const char *key)
{
	renderer->strip = strip;
	strip_begin(strip, key);
	if (renderer->resampler)
		resampler_reset(renderer->resampler);
}

/* What filter and strip still hold of the piece. */
static int end_piece(struct renderer *renderer)
{
	const float *rest;
	int result = renderer->resampler ? push_converted(renderer, NULL, 0, true) : 0;

	if (result < 0)
		return result;
	size_t given = strip_end(renderer->strip, &rest);
	return push(renderer, rest, given);
}

/* --- Recordings
 * ------------------------------------------------------------------------------------- */

static int push_recording(
	struct renderer *renderer, struct recording *recording, struct error *error)
{
	float frames[BLOCK_FRAMES];
	long got;

	while ((got = recording_read(recording, frames, BLOCK_FRAMES, error)) > 0) {
		int result = push_converted(renderer, frames, (size_t)got, false);
		if (result < 0)
			return result;
	}
	int result = end_piece(renderer);
	return result < 0 ? result : (int)got;
}

static int open_recording(struct renderer *renderer, const struct rundown_item *item,
	struct recording **ret_recording, struct error *error)
{
	_cleanup_(recording_freep) struct recording *recording = NULL;
	int result = recording_open(item->text, &recording_limits, &recording, error);

	if (result == 0 && renderer->item == renderer->from.item && renderer->from.offset_us > 0)
		result = recording_seek(recording, renderer->from.offset_us, error);
	if (result < 0)
		return result;
	result = use_resampler(renderer, recording_rate_hz(recording));
	if (result < 0)
		return error_set(error, result, "%s: không đổi được tần số lấy mẫu %u Hz",
			item->text, recording_rate_hz(recording));
	/* Another recording may be louder; and where this one is entered, too. */
	begin_piece(renderer, renderer->sound_strip, NULL);
	*ret_recording = hand_over(recording);
	return 0;
}

/* A bad one is reported and what there is of it is played: a text may come before it. */
static int play_recording(struct renderer *renderer, const struct rundown_item *item)
{
	_cleanup_(recording_freep) struct recording *recording = NULL;
	struct error error = { "" };
	int result = open_recording(renderer, item, &recording, &error);

	if (result == 0) {
		mixdown_duck(&renderer->mixdown, true);
		result = push_recording(renderer, recording, &error);
	}
	if (result == -ECANCELED)
		return result;
	if (result < 0)
		post(renderer, RENDERER_RECORDING_FAILED, &error);
	return 0;
}

/* --- Speech
 * ------------------------------------------------------------------------------------------ */

/* What sounds of the piece ends softly, for now or for good; what has not begun to sound does not. */
static int fade_out_piece(struct renderer *renderer)
{
	const float *rest;
	size_t given = strip_pause(renderer->strip, &rest);

	return push(renderer, rest, given);
}

/* The engine is late. While the ring holds enough, or nothing has sounded yet, there is only the
 * clock to watch; else what there is besides speech goes on, at the pace of real time: a reader
 * without a pace (a file) is not flooded with silence. Returns the next call in ms. */
static int on_waiting(void *context)
{
	struct renderer *renderer = context;
	struct programme *programme = renderer->programme;
	uint64_t wakeups;

	(void)!read(programme_space_fd(programme), &wakeups, sizeof wakeups);
	if (programme_aborted(programme))
		return -ECANCELED;
	if (renderer->config.patient)
		return FILL_MS;
	size_t lead = programme_lead_frames(programme);
	size_t least = frames_of_ms(renderer, LEAD_MIN_MS);
	if (renderer->skipping ||
		(renderer->pushed_frames == 0 && !mixdown_sounds(&renderer->mixdown)))
		return FILL_MS;
	/* Before its start nothing is short, however long it takes. */
	if (renderer->primed && is_unheard(renderer)) {
		renderer->wait_since_mono_us = TIME_UNSET;
		return FILL_MS;
	}
	if (lead >= least) {
		renderer->wait_since_mono_us = TIME_UNSET;
		return FILL_MS + (int)((lead - least) * 1000 / renderer->rate_hz);
	}
	int64_t now_us = clock_mono_us();
	if (renderer->wait_since_mono_us == TIME_UNSET) {
		renderer->wait_since_mono_us = now_us;
		renderer->filled_frames = 0;
		return FILL_MS;
	}
	uint64_t due = frames_of_us(renderer, now_us - renderer->wait_since_mono_us);
	size_t count = (size_t)(due - renderer->filled_frames);
	if (count > least - lead)
		count = least - lead;
	if (fade_out_piece(renderer) < 0 || push(renderer, NULL, count) < 0)
		return -ECANCELED;
	renderer->filled_frames += count;
	renderer->behind_frames += count;
	return FILL_MS;
}

static int on_sound(const float *frames, size_t count, unsigned rate_hz, void *context)
{
	struct renderer *renderer = context;

	uint64_t before = renderer->pushed_frames;
	int result = use_resampler(renderer, rate_hz);

	if (result == 0)
		result = push_converted(renderer, frames, count, false);
	if (renderer->pushed_frames > before)
		renderer->wait_since_mono_us = TIME_UNSET;
	else if (result == 0 && on_waiting(renderer) < 0) /* held back for its level */
		result = -ECANCELED;
	return result;
}

static struct engine *engine_at(struct renderer *renderer, size_t index)
{
	if (!renderer->engines[index])
		renderer->engines[index] = engine_new(
			&renderer->config.engines[index], renderer->config.helper_dirs);
	return renderer->engines[index];
}

static char *voice_key(
	const struct renderer *renderer, size_t index, const struct engine_voice *voice)
{
	const struct engine_config *engine = &renderer->config.engines[index];
	const char *name = voice->name ? voice->name : engine->voice;
	_cleanup_(freep) char *both = xasprintf("%s %s", engine->name, name ? name : "");

	return level_key(renderer, "voice", both);
}

/* One try of one sentence. */
static int speak_once(struct renderer *renderer, size_t index, bool as_wished,
	const struct rundown_item *item, struct error *error)
{
	struct engine_voice voice = renderer->voice;
	struct engine_wait wait = {
		.waiting = on_waiting,
		.cancel_fd = programme_space_fd(renderer->programme),
		.context = renderer,
	};

	/* The name of a voice means nothing to another engine than the one it was asked of, and may
	 * be what it stumbled over. */
	voice.name = as_wished ? renderer->voice_name : NULL;
	if (item->rate > 0)
		voice.rate = item->rate;
	renderer->wait_since_mono_us = TIME_UNSET;
	_cleanup_(freep) char *key = voice_key(renderer, index, &voice);
	begin_piece(renderer, renderer->voice_strip, key);
	int result = engine_speak(
		engine_at(renderer, index), item->text, &voice, on_sound, renderer, &wait, error);
	if (result == 0)
		result = end_piece(renderer);
	else if (fade_out_piece(renderer) < 0)
		result = -ECANCELED;
	return programme_aborted(renderer->programme) ? -ECANCELED : result;
}

/* The sentence on one engine: once, and once more on a fresh connection. */
static int speak_on(
	struct renderer *renderer, size_t index, bool first_choice, const struct rundown_item *item)
{
	struct error error = { 0 };
	int result = 0;

	for (int try = 0; try < 2; try++) {
		uint64_t before = made_frames(renderer), behind = renderer->behind_frames;
		result = speak_once(renderer, index, first_choice && try == 0, item, &error);
		if (result == 0 || result == -ECANCELED)
			return result;
		renderer->strikes[index] += result == -EPROTO ? STRIKES_CRASH : STRIKES_SILENCE;
		post(renderer, RENDERER_ENGINE_FAILED, &error);
		if (made_frames(renderer) > before) {
			int pushed = push(renderer, NULL, frames_of_ms(renderer, RETRY_PAUSE_MS));
			if (pushed < 0)
				return pushed;
			renderer->behind_frames = behind + made_frames(renderer) - before;
		}
		if (result == -EFBIG) /* a flood was heard, and would be heard again */
			return result;
	}
	return result;
}

/* On each engine in turn; those that failed too often last. */
static int play_sentence(struct renderer *renderer, const struct rundown_item *item)
{
	size_t count = renderer->config.engines_count;
	uint64_t tried = 0;
	int result = -ENOENT;

	mixdown_duck(&renderer->mixdown, true);
	for (size_t turn = 0; turn < 2 * count; turn++) {
		size_t place = turn % count, index = renderer->order[place];
		bool out = renderer->strikes[index] >= STRIKES_OUT;
		if (tried & UINT64_C(1) << index || (out && turn < count))
			continue;
		tried |= UINT64_C(1) << index;
		result = speak_on(renderer, index, place == 0, item);
		if (result == 0 || result == -ECANCELED)
			break;
	}
	return result;
}

/* --- The thread
 * ------------------------------------------------------------------------------------ */

static int (*const play[])(struct renderer *renderer, const struct rundown_item *item) = {
	[RUNDOWN_CHIME] = play_chime,
	[RUNDOWN_SENTENCE] = play_sentence,
	[RUNDOWN_SILENCE] = play_silence,
	[RUNDOWN_RECORDING] = play_recording,
};

/* A child starts in the background while the chime is decoded and pushed. (A server is not dialled
 * here: that may take seconds.) */
static void warm_up(struct renderer *renderer)
{
	struct error error;

	if (renderer->config.engines_count == 0)
		return;
	struct engine *engine = engine_at(renderer, renderer->order[0]);
	if (engine_config_of(engine)->command)
		(void)!engine_warm(engine, &error); /* shows again at the sentence */
}

static int play_item(struct renderer *renderer, size_t item)
{
	const struct rundown_item *what = &renderer->rundown->items[item];

	renderer->item = item;
	programme_mark(renderer->programme, item, renderer->mixed_frames);
	return play[what->what](renderer, what);
}

/* In the place of all that was left to say (FAULTS A7): better than a chime and then nothing. */
static int play_fallback(struct renderer *renderer)
{
	const struct rundown *rundown = renderer->rundown;
	size_t last = rundown->count - 1;
	struct clip clip;

	if (!rundown->fallback || !load(renderer, rundown->fallback, &clip))
		return 0;
	int result = push(renderer, NULL, frames_of_ms(renderer, RETRY_PAUSE_MS));
	if (result == 0)
		result = push(renderer, clip.frames, clip.count);
	clip_done(&clip);
	if (result < 0)
		return result;
	renderer->fallback_played = true;
	if (last <= renderer->item || rundown->items[last].what != RUNDOWN_CHIME)
		return 0;
	result = push(renderer, NULL, frames_of_ms(renderer, RETRY_PAUSE_MS));
	return result < 0 ? result : play_item(renderer, last);
}

/* 0; -ECANCELED; or what became of the sentence that no engine could say. */
static int play_items(struct renderer *renderer)
{
	int result = 0;

	for (size_t i = renderer->from.item; i < renderer->rundown->count && result == 0; i++)
		result = play_item(renderer, i);
	if (result == 0 || result == -ECANCELED)
		return result;
	size_t failed = renderer->item;
	int fallback = play_fallback(renderer);
	renderer->item = failed; /* that is what RENDERER_FAILED is about */
	return fallback < 0 ? fallback : result;
}

/* What still sounds may end. */
static int play_out(struct renderer *renderer)
{
	_cleanup_(freep) float *held = xcalloc(chain_delay_frames(renderer->chain), sizeof *held);

	mixdown_fade(&renderer->mixdown);
	int result = push(renderer, NULL, mixdown_rest_frames(&renderer->mixdown));
	if (result == 0)
		result = push(renderer, NULL, chain_ring_frames(renderer->chain));
	if (result < 0)
		return result;
	return push_mixed(renderer, held, chain_flush(renderer->chain, held));
}

/* The first choice is the one to be needed next. The others end here, not in main, since a child
 * may take its time. */
static void keep_one_engine(struct renderer *renderer)
{
	bool kept = false;

	for (size_t i = 0; i < renderer->config.engines_count; i++) {
		struct engine **engine = &renderer->engines[renderer->order[i]];
		if (!kept && *engine && renderer->strikes[renderer->order[i]] == 0)
			kept = true;
		else
			*engine = engine_free(*engine);
	}
}

static void *run(void *context)
{
	struct renderer *renderer = context;
	struct clip bed = { 0 };

	warm_up(renderer);
	renderer->item = renderer->from.item; /* the bed belongs to none */
	bool has_bed = renderer->rundown->bed && load(renderer, renderer->rundown->bed, &bed);
	mixdown_init(&renderer->mixdown, renderer->rate_hz, has_bed ? &bed : NULL,
		renderer->config.duck_db);
	int result = play_items(renderer);
	int ended = result == -ECANCELED ? result : play_out(renderer);
	mixdown_done(&renderer->mixdown);
	programme_complete(renderer->programme);
	keep_one_engine(renderer);
	if (result == -ECANCELED || ended == -ECANCELED) {
		post(renderer, RENDERER_CANCELLED, NULL);
		return NULL;
	}
	if ((result == 0 || renderer->fallback_played) && !renderer->skipping)
		prime(renderer);
	post(renderer, result == 0 ? RENDERER_DONE : RENDERER_FAILED, NULL);
	return NULL;
}

/* --- main's side
 * -------------------------------------------------------------------------------------- */

/* The wished engine first, then the others as configured. */
static void set_order(struct renderer *renderer, const char *wish)
{
	const struct renderer_config *config = &renderer->config;
	size_t count = 0;

	for (int wished = 1; wished >= 0; wished--)
		for (size_t i = 0; i < config->engines_count; i++) {
			bool is_wished = wish && strcmp(config->engines[i].name, wish) == 0;
			if (is_wished == wished)
				renderer->order[count++] = i;
		}
}

static bool place_warm(struct renderer *renderer, struct engine *warm)
{
	for (size_t i = 0; warm && i < renderer->config.engines_count; i++)
		if (engine_config_of(warm) == &renderer->config.engines[i]) {
			renderer->engines[i] = warm;
			return true;
		}
	return false;
}

static struct renderer *renderer_free(struct renderer *renderer)
{
	for (size_t i = 0; i < renderer->config.engines_count; i++)
		engine_free(renderer->engines[i]);
	resampler_free(renderer->resampler);
	strip_free(renderer->voice_strip);
	strip_free(renderer->sound_strip);
	chain_free(renderer->chain);
	free(renderer->engines);
	free(renderer->strikes);
	free(renderer->order);
	free(renderer->voice_name);
	free(renderer);
	return NULL;
}

/* 0 or -errno. */
static int make_desk(struct renderer *renderer)
{
	const struct renderer_config *config = &renderer->config;
	const struct chain_config *chain = chain_preset_config(config->preset);
	unsigned rate_hz = renderer->rate_hz;

	renderer->chain = chain_new(rate_hz, chain);
	renderer->voice_strip = strip_new(rate_hz, chain, VOICE_AHEAD_MS, config->levels);
	renderer->sound_strip = strip_new(rate_hz, chain, RECORDING_AHEAD_MS, config->levels);
	bool made = renderer->chain && renderer->voice_strip && renderer->sound_strip;
	return made ? 0 : -errno;
}

struct renderer *renderer_start(const struct renderer_config *config, const struct rundown *rundown,
	struct rundown_position from, struct programme *programme, const char *engine_name,
	const struct engine_voice *voice, struct engine *warm, struct inbox *events)
{
	size_t count = config->engines_count;
	struct renderer *renderer = xcalloc(1, sizeof *renderer);

	*renderer = (struct renderer){
		.config = *config,
		.from = from,
		.programme = programme,
		.events = events,
		.voice = *voice,
		.voice_name = voice->name ? xstrdup(voice->name) : NULL,
		.order = xcalloc(count, sizeof *renderer->order),
		.engines = xcalloc(count, sizeof(struct engine *)),
		.strikes = xcalloc(count, sizeof *renderer->strikes),
		.rundown = rundown,
		.rate_hz = programme_rate_hz(programme),
		.skipping = config->join != NULL,
	};
	set_order(renderer, engine_name);
	bool placed = place_warm(renderer, warm);
	int result = make_desk(renderer);
	if (result == 0)
		result = thread_start(&renderer->thread, "renderer", 0, run, renderer);
	if (result == 0) {
		if (!placed)
			engine_free(warm); /* of a configuration that is no more */
		return renderer;
	}
	for (size_t i = 0; i < count; i++)
		if (renderer->engines[i] == warm)
			renderer->engines[i] = NULL; /* the caller's still */
	renderer_free(renderer);
	errno = -result;
	return NULL;
}

int renderer_join(struct renderer *renderer, int timeout_ms, struct engine **ret_warm)
{
	int result = thread_join(&renderer->thread, timeout_ms);

	if (result < 0)
		return result;
	struct engine *warm = NULL;
	for (size_t i = 0; i < renderer->config.engines_count && !warm; i++)
		warm = hand_over(renderer->engines[i]);
	renderer_free(renderer);
	*ret_warm = warm;
	return 0;
}
