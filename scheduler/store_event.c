/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store.h"

static void free_plays(struct store_play *plays, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(plays[i].id);
		free(plays[i].output);
	}
	free(plays);
}

static void free_schedules(struct store_schedule *schedules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(schedules[i].zone);
		free(schedules[i].id);
		free(schedules[i].json);
	}
	free(schedules);
}

static void free_settings(struct store_setting *settings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(settings[i].key);
		free(settings[i].value);
	}
	free(settings);
}

void store_event_free(struct inbox_link *link)
{
	struct store_event *event = (struct store_event *)link;

	if (!event)
		return;
	for (size_t i = 0; i < event->announcements_count; i++)
		announcement_unref(event->announcements[i].announcement);
	free(event->announcements);
	free_plays(event->plays, event->plays_count);
	free_schedules(event->schedules, event->schedules_count);
	free_settings(event->settings, event->settings_count);
	for (size_t i = 0; i < event->receipts_count; i++)
		free(event->receipts[i].json);
	free(event->receipts);
	free(event);
}
