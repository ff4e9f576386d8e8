/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/broadcast.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "daemon/output.h"
#include "daemon/report.h"

#include <errno.h>
#include <string.h>

#define IN_STEP_LATE_US (1 * US_PER_SEC)
#define JOIN_MS         50 /* the renderer's last event is its last act */
/* So long before it is to be heard, what comes in late is ready: until the device has taken it, behind
 * what it holds already. */
#define JOIN_LEAD_US (500 * US_PER_MS)

/* --- Length ---------------------------------------------------------------------------------- */

/* The name of the chime that was wished for, or that by priority. */
static const char *chime_name(const char *wish, const char *by_priority)
{
	return wish[0] ? wish : by_priority;
}

static double chime_seconds(const struct node *node, const char *wish, const char *by_priority)
{
	const struct chime *chime = chimes_find(&node->chimes, chime_name(wish, by_priority));

	return chime ? chime->seconds : 0;
}

/* A text that could not be read takes no time. */
static double part_seconds(const struct node *node, const struct announcement *announcement,
	const struct readings *readings, size_t part)
{
	switch (announcement->parts[part].what) {
	case ANNOUNCEMENT_TEXT:
		return part < readings->count && readings->of_part[part]
			       ? readings->of_part[part]->seconds
			       : 0;
	case ANNOUNCEMENT_MEDIA:
		return media_seconds(node->media, announcement->parts[part].media);
	case ANNOUNCEMENT_PAUSE:
		return (double)announcement->parts[part].pause_us / US_PER_SEC;
	}
	return 0;
}

double broadcast_predict_seconds(const struct node *node, const struct announcement *announcement,
	const struct readings *readings)
{
	const struct config_chimes_of *chimes =
		&node->config->chimes.by_priority[announcement->priority];
	double once = 0;

	for (size_t i = 0; i < announcement->parts_count; i++)
		once += part_seconds(node, announcement, readings, i);
	return once * announcement->repeat_times +
	       (double)announcement->repeat_gap_us / US_PER_SEC * (announcement->repeat_times - 1) +
	       chime_seconds(node, announcement->chime_open, chimes->open) +
	       chime_seconds(node, announcement->chime_close, chimes->close);
}

double broadcast_seconds_of(const struct node *node, const struct announcement *announcement)
{
	_cleanup_(readings_done) struct readings readings = { 0 };
	enum reading_refusal refusal;
	struct error ignored = { 0 };

	(void)!readings_init(&readings, node->config, announcement, &refusal, &ignored);
	return broadcast_predict_seconds(node, announcement, &readings);
}

/* --- Making ---------------------------------------------------------------------------------- */

/* The file of a chime; NULL: none. One that should be there and is not is a fault, and the
 * announcement is said without it (FAULTS B6). */
static const char *chime_path(
	struct broadcast *broadcast, const char *wish, const char *by_priority)
{
	struct node *node = broadcast->output->node;
	const char *name = chime_name(wish, by_priority);

	if (strcmp(name, "none") == 0 || name[0] == '\0')
		return NULL;
	const struct chime *chime = chimes_find(&node->chimes, name);
	if (chime)
		return chime->path;
	const char *dir = node->config->chimes.dir;
	_cleanup_(freep) char *detail = xasprintf(
		"không có tiếng hiệu \"%s\" trong %s", name, dir ? dir : "(chưa cài đặt)");
	broadcast->chime_failed = true;
	node_set_fault(node, "chime", "", detail);
	return NULL;
}

/* A part as the rundown has it; *ret_path is the file of a recording that is here, to be freed. */
static struct rundown_part part_of(struct node *node, const struct announcement_part *part,
	const struct reading *reading, char **ret_path)
{
	switch (part->what) {
	case ANNOUNCEMENT_MEDIA:
		*ret_path = media_path(node->media, part->media);
		return (struct rundown_part){ .what = RUNDOWN_PART_RECORDING,
			.recording_path = *ret_path,
			.recording_seconds = *ret_path ? media_seconds(node->media, part->media)
						       : 0 };
	case ANNOUNCEMENT_PAUSE:
		return (struct rundown_part){ .what = RUNDOWN_PART_PAUSE,
			.pause_us = part->pause_us };
	case ANNOUNCEMENT_TEXT:
		break;
	}
	return (struct rundown_part){ .what = RUNDOWN_PART_READING, .reading = reading };
}

static struct rundown *lay_out(struct broadcast *broadcast, const struct rundown_part *parts)
{
	struct node *node = broadcast->output->node;
	const struct announcement *announcement = broadcast->announcement;
	const struct config_chimes_of *chimes =
		&node->config->chimes.by_priority[announcement->priority];
	struct rundown_config what = {
		.open_path = chime_path(broadcast, announcement->chime_open, chimes->open),
		.close_path = chime_path(broadcast, announcement->chime_close, chimes->close),
		.bed_path = chime_path(broadcast, announcement->bed, chimes->bed),
		.fallback_path = announcement->priority >= PRIORITY_PRIORITY ? node->fallback_path
									     : NULL,
		.repeat_times = (unsigned)announcement->repeat_times,
		.repeat_gap_us = announcement->repeat_gap_us,
	};

	return rundown_new(parts, announcement->parts_count, &what);
}

/* The rundown of what is here. NULL with *error and broadcast->reason when that is nothing. */
static struct rundown *gather(
	struct broadcast *broadcast, const struct readings *readings, struct error *error)
{
	const struct announcement *announcement = broadcast->announcement;
	size_t count = announcement->parts_count;
	_cleanup_(freep) struct rundown_part *parts = xcalloc(count, sizeof *parts);
	_cleanup_(freep) char **paths = xcalloc(count, sizeof *paths);
	struct rundown *rundown = NULL;
	const char *missing = NULL;
	bool anything = false;

	for (size_t i = 0; i < count; i++) {
		const struct announcement_part *part = &announcement->parts[i];
		parts[i] = part_of(broadcast->output->node, part, readings->of_part[i], &paths[i]);
		anything |= readings->of_part[i] || paths[i];
		if (part->what == ANNOUNCEMENT_MEDIA && !paths[i] && !missing)
			missing = part->media;
	}
	broadcast->media_missing = missing;
	if (anything) {
		rundown = lay_out(broadcast, parts);
	} else {
		broadcast->reason = REASON_MEDIA_MISSING;
		(void)error_set(error, 0, "bản ghi âm %s không có ở trạm", missing ? missing : "");
	}
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	return rundown;
}

/* What is to be played, in order. NULL with *error and broadcast->reason. */
static struct rundown *make_rundown(struct broadcast *broadcast, struct error *error)
{
	const struct node *node = broadcast->output->node;
	_cleanup_(readings_done) struct readings readings = { 0 };
	enum reading_refusal refusal;

	if (readings_init(&readings, node->config, broadcast->announcement, &refusal, error) < 0) {
		broadcast->reason = REASON_ENGINE;
		return NULL;
	}
	struct rundown *rundown = gather(broadcast, &readings, error);
	if (!rundown)
		return NULL;
	_cleanup_(freep) char *spoken = readings_spoken(&readings);
	if (spoken)
		sha256_text(spoken, strlen(spoken), broadcast->spoken_sha256);
	broadcast->bad = xcalloc(rundown->count, sizeof *broadcast->bad);
	broadcast->seconds_expected = broadcast_predict_seconds(
		node, broadcast->announcement, &readings);
	return rundown;
}

static struct renderer *start_renderer(struct broadcast *broadcast)
{
	struct node *node = broadcast->output->node;
	const struct announcement *announcement = broadcast->announcement;
	struct engine_voice voice = {
		.name = announcement->voice_name,
		.rate = announcement->voice_rate >= 0 ? announcement->voice_rate
						      : node->config->speech.rate,
		.pitch = announcement->voice_pitch >= 0 ? announcement->voice_pitch
							: node->config->speech.pitch,
	};
	const char *engine = announcement->voice_engine[0] ? announcement->voice_engine : NULL;
	struct renderer_config how = node->renderer;

	how.join = broadcast->joins ? &broadcast->join : NULL;
	how.preset = chain_preset_parse(broadcast->output->config->sound.preset);
	return renderer_start(&how, broadcast->rundown, broadcast->from, broadcast->programme,
		engine, &voice, node->warm, node->renderer_events);
}

static int prepare(struct broadcast *broadcast, struct error *error)
{
	struct output *output = broadcast->output;
	struct node *node = output->node;

	broadcast->rundown = make_rundown(broadcast, error);
	if (!broadcast->rundown)
		return -EINVAL;
	/* The text reads differently now: nobody is at that place any more. */
	if (broadcast->from.item >= broadcast->rundown->count) {
		broadcast->from = (struct rundown_position){ 0 };
		broadcast->joins = false;
	}
	broadcast->reason = REASON_ENGINE; /* if it fails from here on */
	if (broadcast->joins)
		broadcast->join = (struct renderer_join){
			.begun_mono_us = node_mono_of_real(node, broadcast->entry->run.begun_us),
			.lead_us = JOIN_LEAD_US + output->config->sound.preroll_us,
		};
	unsigned rate_hz = device_rate_hz(output->device->device);
	if (rate_hz == 0) { /* unplugged in this moment: it waits again */
		broadcast->cause = QUEUE_LOST;
		return -ENODEV;
	}
	broadcast->programme = programme_new(
		rate_hz, broadcast->rundown->count, node_mono_of_real(node, broadcast->start_us));
	if (!broadcast->programme)
		return error_set(
			error, -errno, "không chuẩn bị được chương trình: %s", strerror(errno));
	programme_set_gain_db(broadcast->programme, broadcast->announcement->gain_db);
	broadcast->renderer = start_renderer(broadcast);
	if (!broadcast->renderer)
		return error_set(
			error, -errno, "không chạy được luồng dựng tiếng: %s", strerror(errno));
	node->warm = NULL; /* the renderer's now */
	return 0;
}

/* The end of a broadcast that never got a renderer: told from the loop, like every other end. */
static int on_stillborn(sd_event_source *source, void *context)
{
	struct broadcast *broadcast = context;
	struct node *node = broadcast->output->node;

	(void)source;
	output_on_over(broadcast->output, broadcast);
	store_flush(node->store);
	report_publish(node);
	return 0;
}

struct broadcast *broadcast_start(struct output *output, size_t place, struct queue_entry *entry)
{
	struct broadcast *broadcast = xcalloc(1, sizeof *broadcast);
	const struct queue_position *from = entry->joins ? &entry->run.from : &entry->from;

	*broadcast = (struct broadcast){
		.output = output,
		.place = place,
		.entry = entry,
		.announcement = announcement_ref(entry->announcement),
		.from = { from->item, from->offset_us },
		.joins = entry->joins,
		.resumed = entry->was_on_air,
		.start_us = entry->start_us,
		.ended_us = TIME_UNSET,
		.planned_us = entry->start_us,
		.seconds_before = (double)entry->from.played_us / US_PER_SEC,
		.seconds_to_from = (double)from->played_us / US_PER_SEC,
	};
	if (prepare(broadcast, &broadcast->detail) < 0) {
		if (broadcast->cause == QUEUE_CAUSE_NONE)
			broadcast->cause = QUEUE_FAILED;
		broadcast->renderer_done = true;
		(void)sd_event_add_defer(output->node->loop, NULL, on_stillborn, broadcast);
	}
	return broadcast;
}

/* --- Ending ---------------------------------------------------------------------------------- */

bool broadcast_over(const struct broadcast *broadcast)
{
	return broadcast->renderer_done && (!broadcast->with_device || broadcast->device_done);
}

struct broadcast *broadcast_free(struct broadcast *broadcast)
{
	if (!broadcast)
		return NULL;
	if (!broadcast->left_behind) {
		programme_free(broadcast->programme);
		rundown_free(broadcast->rundown);
	}
	announcement_unref(broadcast->announcement);
	free(broadcast->bad);
	free(broadcast);
	return NULL;
}

void broadcast_fade(struct broadcast *broadcast)
{
	if (broadcast->programme)
		programme_abort(broadcast->programme);
}

/* What the world did to it; the first word stays. */
static void set_cause(struct broadcast *broadcast, enum queue_cause cause, enum reason reason)
{
	if (broadcast->cause != QUEUE_CAUSE_NONE)
		return;
	broadcast->cause = cause;
	broadcast->reason = reason;
}

static bool is_bad(const struct broadcast *broadcast, const char *path)
{
	for (size_t i = 0; i < broadcast->rundown->count; i++)
		if (broadcast->bad[i] && strcmp(broadcast->rundown->items[i].text, path) == 0)
			return true;
	return false;
}

/* No text, and no recording that was good: what the announcement was for was not heard. */
static bool nothing_good(const struct broadcast *broadcast)
{
	if (announcement_has_text(broadcast->announcement))
		return false;
	for (size_t i = 0; i < broadcast->rundown->count; i++) {
		const struct rundown_item *item = &broadcast->rundown->items[i];
		if (item->what == RUNDOWN_RECORDING && !is_bad(broadcast, item->text))
			return false;
	}
	return true;
}

/* Only when both have reported is it known how it ended: a device may have played all there was
 * before the renderer's word arrives that more should have come. */
static void tell_if_over(struct broadcast *broadcast)
{
	if (!broadcast_over(broadcast))
		return;
	if (broadcast->heard_out && broadcast->media_missing && nothing_good(broadcast))
		set_cause(broadcast, QUEUE_FAILED, REASON_MEDIA_MISSING);
	if (broadcast->heard_out)
		set_cause(broadcast, QUEUE_FINISHED, REASON_NONE);
	output_on_over(broadcast->output, broadcast);
}

/* --- How far ---------------------------------------------------------------------------------- */

static unsigned rate_hz(const struct broadcast *broadcast)
{
	return programme_rate_hz(broadcast->programme);
}

static uint64_t frames_heard(const struct broadcast *broadcast)
{
	if (broadcast->device_done || !broadcast->on_air)
		return broadcast->frames_played;
	int64_t heard_us = clock_mono_us() - broadcast->start_mono_us;
	uint64_t frames = heard_us > 0 ? (uint64_t)heard_us * rate_hz(broadcast) / US_PER_SEC : 0;
	bool complete;
	uint64_t pushed = programme_frames_pushed(broadcast->programme, &complete);
	return frames < pushed ? frames : pushed;
}

double broadcast_seconds_played(const struct broadcast *broadcast)
{
	if (!broadcast->programme)
		return broadcast->seconds_before;
	return broadcast->seconds_before + (double)frames_heard(broadcast) / rate_hz(broadcast);
}

struct queue_position broadcast_position(const struct broadcast *broadcast)
{
	struct queue_position position = broadcast->entry->from;

	if (!broadcast->programme)
		return position;
	uint64_t frames = frames_heard(broadcast);
	uint64_t at = broadcast->skipped_frames + frames;
	size_t item = programme_item_at(broadcast->programme, at);
	if (item < broadcast->from.item)
		item = broadcast->from.item; /* nothing is marked yet */
	uint64_t within = at - programme_mark_frame(broadcast->programme, item);
	int64_t offset_us = (int64_t)(within * US_PER_SEC / rate_hz(broadcast));
	if (item == broadcast->from.item)
		offset_us += broadcast->from.offset_us;
	struct rundown_position next = rundown_resume(broadcast->rundown, item, offset_us);
	position.item = next.item == RUNDOWN_END ? UINT32_MAX : (uint32_t)next.item;
	position.offset_us = next.offset_us;
	position.played_us += (int64_t)(frames * US_PER_SEC / rate_hz(broadcast));
	return position;
}

/* Of the whole, now that all of it has been rendered. */
static double rendered_seconds(const struct broadcast *broadcast, uint64_t frames)
{
	double before = broadcast->joins ? broadcast->seconds_to_from : broadcast->seconds_before;

	return before + (double)(broadcast->skipped_frames + frames) / rate_hz(broadcast);
}

double broadcast_seconds_asked(const struct broadcast *broadcast)
{
	bool complete = false;
	uint64_t frames = broadcast->programme
				  ? programme_frames_pushed(broadcast->programme, &complete)
				  : 0;
	double played = broadcast_seconds_played(broadcast);

	if (complete && broadcast->cause != QUEUE_FAILED && broadcast->programme &&
		!programme_aborted(broadcast->programme))
		return rendered_seconds(broadcast, frames);
	return broadcast->seconds_expected > played ? broadcast->seconds_expected : played;
}

/* --- Events ---------------------------------------------------------------------------------- */

/* The first frame is known, and with it the instant at which the others are there. */
static void set_joining(struct broadcast *broadcast, uint64_t skipped_frames)
{
	int64_t skipped_us = (int64_t)(skipped_frames * US_PER_SEC / rate_hz(broadcast));
	int64_t start_mono_us = broadcast->join.begun_mono_us + skipped_us;

	broadcast->skipped_frames = skipped_frames;
	broadcast->start_us = node_real_of_mono(start_mono_us);
	broadcast->planned_us = broadcast->start_us;
	programme_set_start(broadcast->programme, start_mono_us);
}

/* Lends the programme to the device, once the ring holds the first sound. */
static void lend_to_device(struct broadcast *broadcast)
{
	struct output *output = broadcast->output;

	if (broadcast->with_device)
		return;
	output_on_primed(output, broadcast); /* first: what makes way begins to fade */
	if (programme_aborted(broadcast->programme))
		return;
	int result = device_play(output->device->device, output_slot(output, broadcast->place),
		broadcast->programme);
	if (result == 0) {
		broadcast->with_device = true;
		output_on_lent(output);
		return;
	}
	set_cause(broadcast, QUEUE_LOST, REASON_OUTPUT_LOST); /* gone in the meantime */
	broadcast_fade(broadcast);
}

/* Takes the renderer's thread back, and with it the engine, which stays warm for the next one. */
static void join_renderer(struct broadcast *broadcast)
{
	struct node *node = broadcast->output->node;
	struct engine *warm = NULL;

	int result = renderer_join(broadcast->renderer, JOIN_MS, &warm);
	if (result < 0) {
		log_about(LOG_ERR, broadcast->announcement->id,
			broadcast->output->config->sound.name,
			"the renderer did not end (%s), leaving it behind", strerror(-result));
		broadcast->left_behind = true;
	}
	broadcast->renderer = NULL;
	broadcast->renderer_done = true;
	if (node->warm)
		engine_free(warm);
	else
		node->warm = warm;
}

/* Whether there is a sentence or a recording before that item. */
static bool anything_said(const struct broadcast *broadcast, size_t item)
{
	for (size_t i = broadcast->from.item; i < item && i < broadcast->rundown->count; i++)
		if (broadcast->rundown->items[i].what == RUNDOWN_SENTENCE ||
			broadcast->rundown->items[i].what == RUNDOWN_RECORDING)
			return true;
	return false;
}

static void on_renderer_failed(struct broadcast *broadcast, const struct renderer_event *event)
{
	broadcast->detail = event->error;
	set_cause(broadcast, QUEUE_FAILED, REASON_ENGINE);
	/* What was said already is heard to its end; a chime alone would only puzzle people. */
	if (!event->fallback_played && !anything_said(broadcast, event->item))
		broadcast_fade(broadcast);
}

static void on_renderer_done(struct broadcast *broadcast, const struct renderer_event *event)
{
	bool complete;
	uint64_t frames = programme_frames_pushed(broadcast->programme, &complete);

	if (programme_aborted(broadcast->programme))
		return;
	broadcast->passed = broadcast->joins && frames == 0;
	if (broadcast->passed)
		broadcast->skipped_frames = event->skipped_frames;
	broadcast->seconds_expected = rendered_seconds(broadcast, frames);
}

void broadcast_on_renderer(struct broadcast *broadcast, const struct renderer_event *event)
{
	struct node *node = broadcast->output->node;

	switch (event->what) {
	case RENDERER_PRIMED:
		if (broadcast->joins)
			set_joining(broadcast, event->skipped_frames);
		lend_to_device(broadcast);
		return;
	case RENDERER_ENGINE_FAILED:
		broadcast->engine_failed = true;
		node_set_fault(node, "engine", "", event->error.text);
		return;
	case RENDERER_CHIME_FAILED:
		broadcast->chime_failed = true;
		node_set_fault(node, "chime", "", event->error.text);
		return;
	case RENDERER_RECORDING_FAILED:
		broadcast->media_missing = true;
		broadcast->bad[event->item] = true;
		broadcast->detail = event->error;
		log_about(LOG_WARNING, broadcast->announcement->id,
			broadcast->output->config->sound.name, "its recording is bad: %s",
			event->error.text);
		return;
	case RENDERER_FAILED:
		on_renderer_failed(broadcast, event);
		break;
	case RENDERER_DONE:
		on_renderer_done(broadcast, event);
		break;
	case RENDERER_CANCELLED:
		break;
	}
	join_renderer(broadcast);
	tell_if_over(broadcast);
}

/* Start and length, which are the same on every node. Not of what was cut off; nor where sound was lost
 * for so long that what follows would begin in the middle of it, or somebody has set the clock. */
static int64_t end_in_step(const struct broadcast *broadcast, const struct device_event *event)
{
	if (broadcast->planned_us == TIME_UNSET || event->outcome != DEVICE_FINISHED ||
		broadcast->ended_us == TIME_UNSET)
		return 0;
	int64_t in_step_us = broadcast->planned_us +
			     (int64_t)event->frames * US_PER_SEC / event->rate_hz;
	int64_t late_us = broadcast->ended_us - broadcast->output->config->sound.delay_us -
			  in_step_us;
	return llabs(late_us) > IN_STEP_LATE_US ? 0 : in_step_us;
}

static void on_device_ended(struct broadcast *broadcast, const struct device_event *event)
{
	broadcast->device_done = true;
	broadcast->frames_played = event->frames;
	if (event->frames > 0)
		broadcast->ended_us = node_real_of_mono(event->mono_us);
	broadcast->in_step_us = end_in_step(broadcast, event);
	if (event->outcome == DEVICE_LOST) {
		set_cause(broadcast, QUEUE_LOST, REASON_OUTPUT_LOST);
		broadcast_fade(broadcast); /* for the renderer */
	}
	broadcast->heard_out = event->outcome == DEVICE_FINISHED;
	tell_if_over(broadcast);
}

void broadcast_on_device(struct broadcast *broadcast, const struct device_event *event)
{
	if (event->what == DEVICE_ENDED) {
		on_device_ended(broadcast, event);
		return;
	}
	broadcast->on_air = true;
	broadcast->start_mono_us = event->mono_us;
	broadcast->start_us = node_real_of_mono(event->mono_us);
	output_on_started(broadcast->output, broadcast);
}
