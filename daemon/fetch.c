/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/fetch.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "daemon/node.h"
#include "daemon/output.h"
#include "daemon/report.h"

#include <errno.h>
#include <string.h>

void fetch_init(struct fetch *fetch)
{
	int64_t now_us = clock_mono_us();

	*fetch = (struct fetch){ .patient_until_mono_us = now_us + FETCH_PATIENCE_US,
		.until_mono_us = now_us + FETCH_LOOK_US };
}

void fetch_done(struct fetch *fetch)
{
	free(fetch->list);
	*fetch = (struct fetch){ 0 };
}

static struct fetch_wanted *find(const struct fetch *fetch, const char *sha256)
{
	for (size_t i = 0; i < fetch->count; i++)
		if (strcmp(fetch->list[i].sha256, sha256) == 0)
			return &fetch->list[i];
	return NULL;
}

static char *topic_of(const struct node *node, const char *sha256)
{
	return xasprintf("loalang/%s/media/%s", node->config->site, sha256);
}

/* --- Asking the broker ----------------------------------------------------------------------- */

static void stop_asking(struct node *node, struct fetch_wanted *wanted)
{
	_cleanup_(freep) char *topic = topic_of(node, wanted->sha256);

	if (wanted->asked && node->connected)
		(void)!mqtt_unsubscribe(node->mqtt, topic);
	wanted->asked = false;
}

static bool is_missing(const struct node *node, const struct fetch_wanted *wanted)
{
	enum media_state state = media_state(node->media, wanted->sha256);

	return state == MEDIA_UNKNOWN || state == MEDIA_BAD;
}

/* The missing one that was not asked for longest; NULL: all others are being asked for. */
static struct fetch_wanted *next_to_ask(struct node *node)
{
	struct fetch_wanted *next = NULL;

	for (size_t i = 0; i < node->fetch.count; i++) {
		struct fetch_wanted *wanted = &node->fetch.list[i];
		if (wanted->asked || wanted->refused || !is_missing(node, wanted))
			continue;
		if (!next || wanted->turn_mono_us < next->turn_mono_us)
			next = wanted;
	}
	return next;
}

/* A recording that does not come must not keep the others from being asked for. Returns how many
 * are still being asked for. */
static size_t end_turns(struct node *node, int64_t now_us)
{
	bool others = next_to_ask(node) != NULL;
	size_t asked = 0;

	for (size_t i = 0; i < node->fetch.count; i++) {
		struct fetch_wanted *wanted = &node->fetch.list[i];
		bool over = others && now_us - wanted->asked_mono_us >= FETCH_TURN_US;
		if (wanted->asked && (over || wanted->refused || !is_missing(node, wanted)))
			stop_asking(node, wanted);
		asked += wanted->asked;
	}
	return asked;
}

static int on_turn(sd_event_source *source, uint64_t at_us, void *context)
{
	struct node *node = context;

	(void)source;
	(void)at_us;
	fetch_pump(node);
	output_pump_all(node); /* for what patience has ended */
	store_flush(node->store);
	report_publish(node);
	return 0;
}

/* While something is being asked for, its turn, and patience, end by time. */
static void set_timer(struct node *node, bool needed)
{
	if (!needed) {
		node->fetch_timer = sd_event_source_disable_unref(node->fetch_timer);
		return;
	}
	if (!node->fetch_timer) {
		(void)sd_event_add_time_relative(node->loop, &node->fetch_timer, CLOCK_MONOTONIC,
			(uint64_t)FETCH_TURN_US, 100 * US_PER_MS, on_turn, node);
		return;
	}
	(void)sd_event_source_set_time_relative(node->fetch_timer, (uint64_t)FETCH_TURN_US);
	(void)sd_event_source_set_enabled(node->fetch_timer, SD_EVENT_ONESHOT);
}

void fetch_pump(struct node *node)
{
	int64_t now_us = clock_mono_us();
	struct fetch_wanted *wanted;

	bool patient = node->fetch.count > 0 &&
		       (now_us < node->fetch.patient_until_mono_us || !node->fetch.listed);

	if (!node->connected) {
		set_timer(node, patient);
		return;
	}
	size_t asked = end_turns(node, now_us);
	while (asked < FETCH_ASKED_MAX && (wanted = next_to_ask(node))) {
		_cleanup_(freep) char *topic = topic_of(node, wanted->sha256);
		if (mqtt_subscribe(node->mqtt, topic) < 0)
			break; /* too much waits for the broker; again at the next tick */
		wanted->asked = true;
		wanted->asked_mono_us = wanted->turn_mono_us = now_us;
		asked++;
	}
	set_timer(node, patient || (asked > 0 && next_to_ask(node)));
}

void fetch_on_connected(struct node *node)
{
	node->fetch.patient_until_mono_us = clock_mono_us() + FETCH_PATIENCE_US;
	node->fetch.until_mono_us = clock_mono_us() + FETCH_LOOK_US;
	for (size_t i = 0; i < node->fetch.count; i++)
		node->fetch.list[i].asked = node->fetch.list[i].refused = false;
	for (size_t i = 0; i < node->fetch.count; i++)
		node->fetch.list[i].turn_mono_us = 0;
	fetch_pump(node);
}

/* --- What is wanted -------------------------------------------------------------------------- */

static void want(struct node *node, const char *sha256)
{
	struct fetch *fetch = &node->fetch;

	media_hold(node->media, sha256);
	struct fetch_wanted *wanted = find(fetch, sha256);
	if (wanted) {
		wanted->count++;
		return;
	}
	if (fetch->count == FETCH_WANTED_MAX)
		return; /* it is played if it is here, and else missing */
	if (fetch->count == fetch->capacity) {
		fetch->capacity = fetch->capacity ? 2 * fetch->capacity : 16;
		fetch->list = xreallocarray(fetch->list, fetch->capacity, sizeof *fetch->list);
	}
	wanted = &fetch->list[fetch->count++];
	*wanted = (struct fetch_wanted){ .count = 1 };
	snprintf(wanted->sha256, sizeof wanted->sha256, "%s", sha256);
	fetch_pump(node);
}

static void unwant(struct node *node, const char *sha256)
{
	struct fetch *fetch = &node->fetch;

	media_release(node->media, sha256);
	struct fetch_wanted *wanted = find(fetch, sha256);
	if (!wanted || --wanted->count > 0)
		return;
	stop_asking(node, wanted);
	*wanted = fetch->list[--fetch->count];
	fetch_pump(node);
}

void fetch_want(struct node *node, const struct announcement *announcement)
{
	const char *media;
	size_t at = 0;

	while ((media = announcement_next_media(announcement, &at)))
		want(node, media);
}

void fetch_unwant(struct node *node, const struct announcement *announcement)
{
	const char *media;
	size_t at = 0;

	while ((media = announcement_next_media(announcement, &at)))
		unwant(node, media);
}

static enum queue_media state_of(const struct node *node, const char *sha256)
{
	static const enum queue_media states[] = {
		[MEDIA_UNKNOWN] = QUEUE_MEDIA_COMING,
		[MEDIA_CHECKING] = QUEUE_MEDIA_NEAR,
		[MEDIA_HERE] = QUEUE_MEDIA_SETTLED,
		[MEDIA_BAD] = QUEUE_MEDIA_SETTLED,
	};

	enum media_state state = media_state(node->media, sha256);
	int64_t now_us = clock_mono_us();
	const struct fetch_wanted *wanted = find(&node->fetch, sha256);
	bool waits_for_turn = node->connected && wanted && wanted->turn_mono_us == 0;
	bool patient = !node->fetch.listed || waits_for_turn ||
		       now_us < node->fetch.patient_until_mono_us;
	if (state == MEDIA_UNKNOWN && patient)
		state = MEDIA_CHECKING;
	/* A disk that hangs must not hold up the text for ever. */
	if (states[state] == QUEUE_MEDIA_NEAR && now_us > node->fetch.until_mono_us)
		return QUEUE_MEDIA_COMING;
	return states[state];
}

enum queue_media fetch_state(const struct node *node, const struct announcement *announcement)
{
	enum queue_media worst = QUEUE_MEDIA_SETTLED;
	const char *media;
	size_t at = 0;

	while ((media = announcement_next_media(announcement, &at))) {
		enum queue_media state = state_of(node, media);
		worst = state > worst ? state : worst; /* they are in order of hope */
	}
	return worst;
}

/* --- What comes ------------------------------------------------------------------------------ */

void fetch_on_bytes(struct node *node, const char *sha256, const char *payload, size_t length)
{
	struct fetch_wanted *wanted = find(&node->fetch, sha256);

	if (!wanted || !is_missing(node, wanted))
		return;
	char *bytes = malloc(length ? length : 1);
	if (!bytes)
		return;
	memcpy(bytes, payload, length);
	int result = media_keep(node->media, sha256, bytes, length);
	if (result < 0) {
		log_warning("recording %s cannot be taken now (%s)", sha256, strerror(-result));
		free(bytes);
		stop_asking(node, wanted); /* it is asked for again */
	}
	fetch_pump(node);
}

void fetch_on_event(struct node *node, const struct media_event *event)
{
	struct fetch_wanted *wanted = find(&node->fetch, event->sha256);

	media_on_event(node->media, event);
	node->fetch.listed = true; /* it is the first thing that is told */
	if (event->what != MEDIA_REFUSED && event->error.text[0])
		log_warning("recordings: %s", event->error.text);
	if (event->what == MEDIA_REFUSED) {
		if (wanted)
			wanted->refused = true;
		log_warning("recording %s: %s", event->sha256, event->error.text);
		node_set_fault(node, "media", event->sha256, event->error.text);
	}
	if (event->what == MEDIA_KEPT) {
		log_info("recording %s is here, %.1f s", event->sha256, event->seconds);
		node_clear_fault(node, "media", event->sha256);
		for (size_t i = 0; i < node->outputs_count; i++)
			output_on_media(&node->outputs[i], event->sha256);
	}
	fetch_pump(node);
	output_pump_all(node);
}
