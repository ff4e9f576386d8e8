/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/broadcast.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "daemon/output.h"
#include "tts/reading.h"

#include <errno.h>
#include <string.h>

#define JOIN_MS 50 /* the renderer's last event is its last act */

/* --- Making ---------------------------------------------------------------------------------- */

/* The chime that was wished for, or that by priority; NULL: none. One that should be there and is
 * not is a fault, and the announcement is said without it (FAULTS B6). */
static const struct chime *find_chime(
	struct broadcast *broadcast, const char *wish, const char *by_priority)
{
	struct node *node = broadcast->output->node;
	const char *name = wish[0] ? wish : by_priority;

	if (strcmp(name, "none") == 0 || name[0] == '\0')
		return NULL;
	const struct chime *chime = chimes_find(&node->chimes, name);
	if (chime)
		return chime;
	const char *dir = node->config->chimes.dir;
	_cleanup_(freep) char *detail = xasprintf(
		"không có tiếng hiệu \"%s\" trong %s", name, dir ? dir : "(chưa cài đặt)");
	broadcast->chime_failed = true;
	node_set_fault(node, "chime", "", detail);
	return NULL;
}

static const char *path_of(const struct chime *chime)
{
	return chime ? chime->path : NULL;
}

static double seconds_of(const struct chime *chime)
{
	return chime ? chime->seconds : 0;
}

/* What is to be played, in order. NULL with *error. */
static struct rundown *make_rundown(struct broadcast *broadcast, struct error *error)
{
	const struct config *config = broadcast->output->node->config;
	const struct announcement *announcement = broadcast->announcement;
	const struct config_chimes_of *chimes = &config->chimes.by_priority[announcement->priority];
	struct reading_config how = config_reading(config, announcement->voice_engine,
		announcement->voice_name, announcement->voice_rate);
	_cleanup_(reading_freep) struct reading *reading = NULL;
	enum reading_refusal refusal;

	if (reading_new(announcement->text, strlen(announcement->text), &how, &reading, &refusal,
		    error) < 0)
		return NULL;
	sha256_text(reading->spoken, strlen(reading->spoken), broadcast->spoken_sha256);
	const struct chime *open = find_chime(broadcast, announcement->chime_open, chimes->open);
	const struct chime *close = find_chime(broadcast, announcement->chime_close, chimes->close);
	const struct chime *bed = find_chime(broadcast, announcement->bed, chimes->bed);
	struct rundown_config what = {
		.open_path = path_of(open),
		.close_path = path_of(close),
		.bed_path = path_of(bed),
		.repeat_times = (unsigned)announcement->repeat_times,
		.repeat_gap_us = announcement->repeat_gap_us,
	};
	broadcast->seconds_expected = reading->seconds * announcement->repeat_times +
				      (double)announcement->repeat_gap_us / US_PER_SEC *
					      (announcement->repeat_times - 1) +
				      seconds_of(open) + seconds_of(close);
	return rundown_new(reading, &what);
}

static int prepare(struct broadcast *broadcast, struct error *error)
{
	struct output *output = broadcast->output;
	struct node *node = output->node;
	const struct announcement *announcement = broadcast->announcement;

	broadcast->rundown = make_rundown(broadcast, error);
	if (!broadcast->rundown)
		return -EINVAL;
	const struct rundown *rundown = broadcast->rundown;
	if (broadcast->first_item >= rundown->count)
		broadcast->first_item = 0; /* the text reads differently now: from the beginning */
	broadcast->programme = programme_new(device_rate_hz(output->device->device), rundown->count,
		node_mono_of_real(node, broadcast->start_us));
	if (!broadcast->programme)
		return error_set(
			error, -errno, "không chuẩn bị được chương trình: %s", strerror(errno));
	programme_set_gain_db(broadcast->programme, announcement->gain_db);
	struct engine_voice voice = {
		.name = announcement->voice_name,
		.rate = announcement->voice_rate >= 0 ? announcement->voice_rate
						      : node->config->speech.rate,
		.pitch = announcement->voice_pitch >= 0 ? announcement->voice_pitch
							: node->config->speech.pitch,
	};
	broadcast->renderer = renderer_start(&node->renderer, rundown,
		(struct rundown_position){ .item = broadcast->first_item }, broadcast->programme,
		announcement->voice_engine[0] ? announcement->voice_engine : NULL, &voice,
		node->warm, node->renderer_events);
	if (!broadcast->renderer)
		return error_set(
			error, -errno, "không chạy được luồng dựng tiếng: %s", strerror(errno));
	node->warm = NULL;
	return 0;
}

/* The end of a broadcast that never got a renderer: told from the loop, like every other end. */
static int on_stillborn(sd_event_source *source, void *context)
{
	struct broadcast *broadcast = context;

	(void)source;
	output_on_broadcast_over(broadcast->output, broadcast);
	return 0;
}

struct broadcast *broadcast_start(
	struct output *output, const struct queue_entry *entry, int64_t start_us)
{
	struct broadcast *broadcast = xcalloc(1, sizeof *broadcast);

	*broadcast = (struct broadcast){
		.output = output,
		.announcement = announcement_ref(entry->announcement),
		.arrival_us = entry->arrival_us,
		.sequence = entry->sequence,
		.start_us = start_us,
		.ended_us = TIME_UNSET,
	};
	if (strcmp(output->resume.id, entry->announcement->id) == 0) {
		broadcast->resumed = true;
		broadcast->first_item = output->resume.item;
		broadcast->seconds_before = output->resume.seconds;
		output->resume.id[0] = '\0';
	}
	broadcast->next_item = broadcast->first_item;
	if (prepare(broadcast, &broadcast->detail) < 0) {
		broadcast->end = BROADCAST_FAILED;
		broadcast->reason = REASON_ENGINE;
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
	programme_free(broadcast->programme);
	rundown_free(broadcast->rundown);
	announcement_unref(broadcast->announcement);
	free(broadcast);
	return NULL;
}

void broadcast_end(struct broadcast *broadcast, enum broadcast_end end, enum reason reason)
{
	if (broadcast->end == BROADCAST_GOES_ON) {
		broadcast->end = end;
		broadcast->reason = reason;
	}
	if (broadcast->programme)
		programme_abort(broadcast->programme);
}

/* Only when both have reported is it known how it ended: a device may have played all there was
 * before the renderer's word arrives that more should have come. */
static void tell_if_over(struct broadcast *broadcast)
{
	if (!broadcast_over(broadcast))
		return;
	if (broadcast->end == BROADCAST_GOES_ON)
		broadcast->end = BROADCAST_FINISHED;
	output_on_broadcast_over(broadcast->output, broadcast);
}

double broadcast_seconds_asked(const struct broadcast *broadcast)
{
	bool complete = false;
	uint64_t frames = broadcast->programme
				  ? programme_frames_pushed(broadcast->programme, &complete)
				  : 0;

	if (complete && broadcast->end != BROADCAST_CANCELLED &&
		broadcast->end != BROADCAST_SUPERSEDED && broadcast->end != BROADCAST_FAILED)
		return broadcast->seconds_before +
		       (double)frames / programme_rate_hz(broadcast->programme);
	double played = broadcast->seconds_before + broadcast->seconds_played;
	return broadcast->seconds_expected > played ? broadcast->seconds_expected : played;
}

/* --- Events ---------------------------------------------------------------------------------- */

/* Lends the programme to the device, once the ring holds the first sound. */
static void lend_to_device(struct broadcast *broadcast)
{
	struct output *output = broadcast->output;

	if (broadcast->end != BROADCAST_GOES_ON || broadcast->with_device)
		return;
	int result = device_play(output->device->device, output->slot, broadcast->programme);
	if (result == 0)
		broadcast->with_device = true;
	else /* gone in the meantime; it goes on when it is back */
		broadcast_end(broadcast, BROADCAST_LOST, REASON_OUTPUT_LOST);
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
		broadcast->programme = NULL; /* it may still look at them: leaked on purpose */
		broadcast->rundown = NULL;
	}
	broadcast->renderer = NULL;
	broadcast->renderer_done = true;
	if (node->warm)
		engine_free(warm);
	else
		node->warm = warm;
}

static void on_renderer_failed(struct broadcast *broadcast, const struct renderer_event *event)
{
	broadcast->detail = event->error;
	if (broadcast->end == BROADCAST_GOES_ON) {
		broadcast->end = BROADCAST_FAILED;
		broadcast->reason = REASON_ENGINE;
	}
	/* What was said already is heard to its end; a chime alone would only puzzle people. */
	if (!broadcast->on_air)
		programme_abort(broadcast->programme);
}

void broadcast_on_renderer(struct broadcast *broadcast, const struct renderer_event *event)
{
	struct node *node = broadcast->output->node;

	switch (event->what) {
	case RENDERER_PRIMED:
		lend_to_device(broadcast);
		return;
	case RENDERER_ENGINE_FAILED:
		broadcast->engine_failed = true;
		node_set_fault(node, "engine", "", event->error.text);
		return;
	case RENDERER_CHIME_FAILED:
	case RENDERER_RECORDING_FAILED:
		broadcast->chime_failed = true;
		node_set_fault(node, "chime", "", event->error.text);
		return;
	case RENDERER_FAILED:
		on_renderer_failed(broadcast, event);
		break;
	case RENDERER_DONE:
		if (broadcast->end == BROADCAST_GOES_ON) {
			bool complete;
			broadcast->seconds_expected =
				broadcast->seconds_before +
				(double)programme_frames_pushed(broadcast->programme, &complete) /
					programme_rate_hz(broadcast->programme);
		}
		break;
	case RENDERER_CANCELLED:
		break;
	}
	join_renderer(broadcast);
	tell_if_over(broadcast);
}

void broadcast_on_device(struct broadcast *broadcast, const struct device_event *event)
{
	if (event->what == DEVICE_STARTED) {
		broadcast->on_air = true;
		broadcast->start_us = node_real_of_mono(event->mono_us);
		output_on_broadcast_started(broadcast->output, broadcast);
		return;
	}
	broadcast->device_done = true;
	broadcast->seconds_played = (double)event->frames / programme_rate_hz(broadcast->programme);
	if (event->frames > 0)
		broadcast->ended_us = node_real_of_mono(event->mono_us);
	broadcast->next_item = programme_item_at(broadcast->programme, event->frames);
	if (event->outcome == DEVICE_LOST)
		broadcast_end(broadcast, BROADCAST_LOST, REASON_OUTPUT_LOST);
	else if (event->outcome == DEVICE_ABORTED)
		broadcast_end(
			broadcast, BROADCAST_STOPPING, REASON_NONE); /* unless there was a reason */
	tell_if_over(broadcast);
}
