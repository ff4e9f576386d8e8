/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the store's file share: a file in a folder, rows in it, its bytes. */
#pragma once

#include "scheduler/store_database.h"
#include "scheduler/store_file.h"
#include "store_helpers.h"

#include <dirent.h>

/* A change owns its texts; the changes here are never freed. */
#define OWN(text) ((char *)(text))

static inline struct store_file *open_in(const char *folder)
{
	struct store_file *file = NULL;
	struct error error = { "" };

	if (store_file_open(folder, &file, &error) < 0)
		fail_msg("%s", error.text);
	return file;
}
#define _file_ _cleanup_(store_file_closep) struct store_file *

static inline struct store_event *load(struct store_file *file)
{
	struct store_event *event = xcalloc(1, sizeof *event);
	struct error error = { "" };

	if (store_file_load(file, event, &error) < 0)
		fail_msg("%s", error.text);
	return event;
}

static inline void event_done(struct store_event **event)
{
	store_event_free((struct inbox_link *)*event);
}
#define _event_ _cleanup_(event_done) struct store_event *

/* Writes one change in a transaction of its own. */
static inline void write_one(struct store_file *file, struct store_change change)
{
	struct error error = { "" };

	if (store_file_begin(file, &error) < 0 || store_file_change(file, &change, &error) < 0 ||
		store_file_commit(file, &error) < 0)
		fail_msg("%s", error.text);
}

static inline void put_announcement(
	struct store_file *file, const char *id, const char *text, int number)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = sample(id, text);
	_cleanup_(freep) char *json = announcement_format(announcement);

	write_one(file, (struct store_change){
				.kind = STORE_PUT_ANNOUNCEMENT,
				.id = announcement->id,
				.text = json,
				.revision = announcement->revision,
				.time_us = NOW_US + number,
				.sequence = (uint64_t)number,
			});
}

static inline void put_play(struct store_file *file, const char *id, const char *output,
	enum play_state state, int64_t forget_us)
{
	write_one(file, (struct store_change){
				.kind = STORE_PUT_PLAY,
				.id = OWN(id),
				.output = OWN(output),
				.revision = 1,
				.state = state,
				.time_us = forget_us,
			});
}

static inline void put_receipt_at(
	struct store_file *file, uint64_t sequence, int64_t at_us, const char *json)
{
	write_one(file, (struct store_change){ .kind = STORE_PUT_RECEIPT,
				.sequence = sequence,
				.time_us = at_us,
				.text = OWN(json) });
}

static inline void put_receipt(struct store_file *file, uint64_t sequence, const char *json)
{
	put_receipt_at(file, sequence, NOW_US, json);
}

static inline void take_receipts(struct store_file *file, uint64_t up_to)
{
	write_one(file, (struct store_change){ .kind = STORE_RECEIPTS_TAKEN, .sequence = up_to });
}

static inline void put_setting(struct store_file *file, const char *key, const char *value)
{
	write_one(file, (struct store_change){
				.kind = STORE_PUT_SETTING, .id = OWN(key), .text = OWN(value) });
}

/* `json` NULL: withdrawn. */
static inline void put_schedule(struct store_file *file, const char *zone, const char *id,
	int64_t revision, const char *json)
{
	write_one(file, (struct store_change){ .kind = STORE_PUT_SCHEDULE,
				.zone = OWN(zone),
				.id = OWN(id),
				.revision = revision,
				.text = OWN(json),
				.since_us = NOW_US + revision,
				.time_us = json ? TIME_NEVER : NOW_US });
}

static inline void expect_schedule(const struct store_schedule *schedule, const char *zone,
	const char *id, int64_t revision, const char *json)
{
	assert_string_equal(schedule->zone, zone);
	assert_string_equal(schedule->id, id);
	assert_int_equal(schedule->revision, revision);
	assert_int_equal(schedule->json != NULL, json != NULL);
	if (json)
		assert_string_equal(schedule->json, json);
	assert_int_equal(schedule->since_us, NOW_US + revision);
	assert_int_equal(schedule->forget_us, json ? TIME_NEVER : NOW_US);
}

static inline void make_by_sql(const char *folder, const char *sql)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", folder, STORE_FILE_NAME);
	_cleanup_(store_database_closep) struct store_database *database = NULL;

	assert_int_equal(store_database_open(path, &database, NULL), 0);
	assert_int_equal(store_database_exec(database, sql, "", NULL), 0);
	store_database_trust(database);
}

struct bytes {
	char *data;
	size_t length;
};

static inline void bytes_done(struct bytes *bytes)
{
	free(bytes->data);
}

static inline char *file_path(const char *folder)
{
	return xasprintf("%s/%s", folder, STORE_FILE_NAME);
}

static inline struct bytes read_file(const char *folder)
{
	_cleanup_(freep) char *path = file_path(folder);
	_cleanup_(fclosep) FILE *stream = fopen(path, "rb");
	struct bytes bytes = { .data = xcalloc(1, 2 * 1024 * 1024) };

	assert_non_null(stream);
	bytes.length = fread(bytes.data, 1, 1024 * 1024, stream);
	return bytes;
}

static inline void write_file(const char *folder, const char *data, size_t length)
{
	_cleanup_(freep) char *path = file_path(folder);
	_cleanup_(fclosep) FILE *stream = fopen(path, "wb");

	assert_non_null(stream);
	assert_int_equal(fwrite(data, 1, length, stream), length);
}

static inline void clear_folder(const char *folder)
{
	DIR *entries = opendir(folder);

	assert_non_null(entries);
	for (struct dirent *entry; (entry = readdir(entries));) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			assert_int_equal(unlink(path), 0);
	}
	closedir(entries);
}
