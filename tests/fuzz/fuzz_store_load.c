/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever lies where the store's file and its log should be: it opens, or is set aside and what can
 * be read of it is kept; it loads, takes a change, and all that was loaded is still there
 * afterwards. The input is the file, and from the first page on that begins like a log, the log.
 * SQLite and ours take of a log only what has the right sums; where the input's length is odd, they
 * are made right first. */
#include "base/name.h"
#include "base/strbuf.h"
#include "scheduler/store_file.h"
#include "scheduler/store_history.h"

#include <dirent.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_BYTES_MAX (192 * 1024)
#define PAGE_BYTES      4096
#define LOG_HEADER      32
#define FRAME_HEADER    24

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* --- The input ------------------------------------------------------------------------------ */

static uint32_t get_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put_u32(uint8_t *at, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(number >> (24 - 8 * i));
}

static size_t log_begins(const uint8_t *data, size_t size)
{
	for (size_t at = 0; at + LOG_HEADER <= size; at += PAGE_BYTES)
		if ((get_u32(data + at) & ~1U) == 0x377f0682)
			return at;
	return size;
}

static void add_up(uint32_t sums[2], const uint8_t *bytes, size_t length, bool big_endian)
{
	for (size_t i = 0; i + 8 <= length; i += 8) {
		uint32_t a = get_u32(bytes + i), b = get_u32(bytes + i + 4);
		sums[0] += (big_endian ? a : __builtin_bswap32(a)) + sums[1];
		sums[1] += (big_endian ? b : __builtin_bswap32(b)) + sums[0];
	}
}

/* Salts and sums, as SQLite would have written them. */
static void mend_log(uint8_t *log, size_t size)
{
	bool big_endian = log[3] & 1;
	uint32_t sums[2] = { 0, 0 };

	add_up(sums, log, 24, big_endian);
	put_u32(log + 24, sums[0]);
	put_u32(log + 28, sums[1]);
	for (size_t at = LOG_HEADER; at + FRAME_HEADER + PAGE_BYTES <= size;
		at += FRAME_HEADER + PAGE_BYTES) {
		memcpy(log + at + 8, log + 16, 8);
		add_up(sums, log + at, 8, big_endian);
		add_up(sums, log + at + FRAME_HEADER, PAGE_BYTES, big_endian);
		put_u32(log + at + 16, sums[0]);
		put_u32(log + at + 20, sums[1]);
	}
}

/* --- The folder ----------------------------------------------------------------------------- */

/* In memory, unless TMPDIR says otherwise: a run has a handful of fsyncs. */
static char *make_folder(void)
{
	const char *parent = getenv("TMPDIR");

	if (!parent)
		parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char *folder = xasprintf("%s/loalang-fuzz-XXXXXX", parent);
	check(mkdtemp(folder));
	return folder;
}

static void write_file(const char *folder, const char *suffix, const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s%s", folder, STORE_FILE_NAME, suffix);
	_cleanup_(fclosep) FILE *stream = fopen(path, "wb");

	check(stream && fwrite(data, 1, size, stream) == size);
}

static void write_input(const char *folder, const uint8_t *data, size_t size)
{
	size_t begins = log_begins(data, size);

	write_file(folder, "", data, begins);
	if (begins == size)
		return;
	_cleanup_(freep) uint8_t *log = xcalloc(1, size - begins);
	memcpy(log, data + begins, size - begins);
	if (size % 2)
		mend_log(log, size - begins);
	write_file(folder, "-wal", log, size - begins);
}

/* Nothing but the file, its log, and what was set aside. */
static void remove_folder(const char *folder)
{
	DIR *entries = opendir(folder);

	check(entries);
	for (struct dirent *entry; (entry = readdir(entries));) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.')
			continue;
		check(!strstr(path, ".new") && !strstr(path, ".ready"));
		check(unlink(path) == 0);
	}
	closedir(entries);
	check(rmdir(folder) == 0);
}

/* --- The store ------------------------------------------------------------------------------ */

static struct store_file *open_store(const char *folder)
{
	struct store_file *file = NULL;
	struct error error = { "" };

	check(store_file_open(folder, &file, &error) == 0);
	return file;
}

/* Whatever the file has, these can be used: names that are names, in order. */
static void check_schedules(const struct store_event *event)
{
	for (size_t i = 0; i < event->schedules_count; i++) {
		const struct store_schedule *schedule = &event->schedules[i];
		const struct store_schedule *last = &event->schedules[i ? i - 1 : 0];
		check(name_valid(schedule->zone, strlen(schedule->zone)));
		check(name_valid(schedule->id, strlen(schedule->id)));
		check(schedule->revision >= 1);
		check(schedule->since_us >= 0 && schedule->forget_us >= 0);
		check(!schedule->json || strlen(schedule->json) <= STORE_SCHEDULE_BYTES);
		int zones = strcmp(last->zone, schedule->zone);
		check(zones < 0 || (zones == 0 && strcmp(last->id, schedule->id) <= 0));
	}
}

/* Loading may find damage that opening did not see, but then says so. NULL then. */
static struct store_event *load(struct store_file *file)
{
	struct store_event *event = xcalloc(1, sizeof *event);
	struct error error = { "" };

	if (store_file_load(file, event, &error) == 0) {
		check(event->next_sequence >= 1);
		check(event->next_receipt_sequence > event->taken_receipt_sequence);
		check_schedules(event);
		return event;
	}
	check(*error.text);
	store_event_free(&event->link);
	return NULL;
}

/* A setting and a schedule. */
static bool write_changes(struct store_file *file)
{
	char key[] = "fuzz", value[] = "1";
	const struct store_change setting = { .kind = STORE_PUT_SETTING, .id = key, .text = value };
	const struct store_change schedule = {
		.kind = STORE_PUT_SCHEDULE, .zone = key, .id = key, .revision = 1, .text = value
	};
	struct error error = { "" };

	if (store_file_begin(file, &error) == 0 && store_file_change(file, &setting, &error) == 0 &&
		store_file_change(file, &schedule, &error) == 0 &&
		store_file_commit(file, &error) == 0)
		return true;
	check(*error.text);
	return false;
}

static void read_history(struct store_file *file)
{
	const struct store_history_query query = {
		.since_us = INT64_MIN, .until_us = INT64_MAX, .output = "san", .limit = 100
	};
	_cleanup_(store_search_freep) struct store_search *search = store_search_new(&query);
	struct error error = { "" };
	int result;

	while ((result = store_search_go_on(search, file, &error)) > 0)
		continue;
	check(result == 0 || *error.text);
}

/* What was loaded and not given up is loaded again, beside the change. */
static void expect_again(const char *folder, const struct store_event *before)
{
	struct store_file *file = open_store(folder);
	struct store_event *event = load(file);

	if (event && !*store_file_notice(file)) {
		check(event->announcements_count == before->announcements_count);
		check(event->plays_count == before->plays_count);
		check(event->settings_count >= before->settings_count);
		check(event->settings_count > 0);
		check(event->schedules_count >= before->schedules_count);
		check(event->schedules_count > 0);
	}
	if (event)
		store_event_free(&event->link);
	store_file_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > INPUT_BYTES_MAX)
		return -1;
	_cleanup_(freep) char *folder = make_folder();

	write_input(folder, data, size);
	struct store_file *file = open_store(folder);
	struct store_event *event = load(file);
	bool written = event && write_changes(file);
	read_history(file);
	file = store_file_close(file);
	if (written)
		expect_again(folder, event);
	if (event)
		store_event_free(&event->link);
	remove_folder(folder);
	return 0;
}
