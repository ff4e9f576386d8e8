/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store.h"
#include "scheduler/store_file.h"
#include "scheduler/store_history.h"
#include "announcement_helpers.h"
#include "store_helpers.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PATIENCE_MS 60000 /* how long an event may take before the test gives up */

/* A store with its inbox of events, as main has it. */
struct rig {
	struct inbox *events;
	struct store *store;
	struct inbox_link *taken; /* events taken and not yet looked at */
};

static void rig_start(struct rig *rig, const char *folder, size_t events_limit)
{
	*rig = (struct rig){ .events = inbox_new(events_limit) };
	assert_non_null(rig->events);
	rig->store = store_start(folder, rig->events);
	assert_non_null(rig->store);
}

static void rig_stop(struct rig *rig)
{
	assert_int_equal(store_stop(rig->store, PATIENCE_MS), 0);
	for (struct inbox_link *next, *link = rig->taken; link; link = next) {
		next = link->next;
		store_event_free(link);
	}
	inbox_free(rig->events, store_event_free);
}

static void event_done(struct store_event **event)
{
	store_event_free((struct inbox_link *)*event);
}
#define _event_ _cleanup_(event_done) struct store_event *

/* The next event, whatever it is. */
static struct store_event *next_event(struct rig *rig)
{
	while (!rig->taken) {
		struct pollfd ready = { .fd = inbox_fd(rig->events), .events = POLLIN };
		if (poll(&ready, 1, PATIENCE_MS) == 0)
			fail_msg("no event of the store");
		rig->taken = inbox_take(rig->events);
	}
	struct store_event *event = (struct store_event *)rig->taken;
	rig->taken = event->link.next;
	return event;
}

static struct store_event *expect(struct rig *rig, enum store_event_what what)
{
	struct store_event *event = next_event(rig);

	if (event->what != what)
		fail_msg("event %d (%s) instead of %d", event->what, event->error.text, what);
	return event;
}

/* An event of which nothing more is asked. */
static void pass(struct rig *rig, enum store_event_what what)
{
	store_event_free(&expect(rig, what)->link);
}

static void expect_durable(struct rig *rig, uint64_t ticket)
{
	for (uint64_t durable = 0; durable < ticket;) {
		_event_ event = expect(rig, STORE_DURABLE);
		assert_true(event->ticket > durable);
		durable = event->ticket;
	}
}

/* --- Ordinary days -------------------------------------------------------------------------- */

static void what_is_durable_is_there_after_a_restart(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(announcement_unrefp) struct announcement *announcement = sample(
		"tin", "Xin chào");
	struct store_play play = {
		.id = announcement->id,
		.output = announcement->id, /* any name */
		.revision = 1,
		.state = PLAY_PLAYING,
		.forget_us = NOW_US,
		.item = 4,
		.offset_us = 2500,
		.played_us = 17 * US_PER_SEC,
		.tries = 1,
	};
	struct rig rig;

	(void)state;
	rig_start(&rig, folder, 100);
	_event_ empty = expect(&rig, STORE_LOADED);
	assert_string_equal(empty->error.text, "");
	assert_int_equal(empty->announcements_count, 0);
	assert_int_equal(empty->next_sequence, 1);
	assert_int_equal(store_put_announcement(rig.store, announcement, NOW_US, 1), 1);
	store_put_play(rig.store, &play);
	store_put_receipt(rig.store, 1, NOW_US, "{\"id\":\"tin\"}");
	uint64_t ticket = store_put_setting(rig.store, "a", "1");
	assert_int_equal(ticket, 4);
	store_flush(rig.store);
	expect_durable(&rig, ticket);
	rig_stop(&rig);

	rig_start(&rig, folder, 100);
	_event_ loaded = expect(&rig, STORE_LOADED);
	assert_int_equal(loaded->announcements_count, 1);
	assert_true(announcement_same(loaded->announcements[0].announcement, announcement));
	assert_int_equal(loaded->plays_count, 1);
	assert_int_equal(loaded->plays[0].state, PLAY_PLAYING);
	assert_int_equal(loaded->plays[0].item, 4);
	assert_int_equal(loaded->plays[0].offset_us, 2500);
	assert_int_equal(loaded->plays[0].played_us, 17 * US_PER_SEC);
	assert_int_equal(loaded->plays[0].tries, 1);
	assert_int_equal(loaded->settings_count, 1);
	assert_int_equal(loaded->taken_receipt_sequence, 0);
	assert_int_equal(loaded->next_receipt_sequence, 2);
	store_read_receipts(rig.store, 0, 10);
	_event_ receipts = expect(&rig, STORE_RECEIPTS);
	assert_int_equal(receipts->receipts_count, 1);
	assert_string_equal(receipts->receipts[0].json, "{\"id\":\"tin\"}");
	store_receipts_taken(rig.store, 1);
	store_drop_announcement(rig.store, "tin");
	store_forget(rig.store, NOW_US);
	store_read_receipts(rig.store, 0, 10); /* flushes; sees what was posted before */
	pass(&rig, STORE_DURABLE);
	_event_ none = expect(&rig, STORE_RECEIPTS);
	assert_int_equal(none->receipts_count, 0);
	rig_stop(&rig);

	rig_start(&rig, folder, 100);
	_event_ forgotten = expect(&rig, STORE_LOADED);
	assert_int_equal(forgotten->announcements_count, 0);
	assert_int_equal(forgotten->plays_count, 0);
	assert_int_equal(forgotten->settings_count, 1);
	assert_int_equal(forgotten->taken_receipt_sequence, 1);
	assert_int_equal(forgotten->next_receipt_sequence, 2);
	rig_stop(&rig);
}

static void stopping_writes_what_was_not_flushed(void **state)
{
	_folder_ folder = folder_new();
	struct rig rig;

	(void)state;
	rig_start(&rig, folder, 100);
	store_put_setting(rig.store, "a", "1");
	rig_stop(&rig);
	rig_start(&rig, folder, 100);
	_event_ loaded = expect(&rig, STORE_LOADED);
	assert_int_equal(loaded->settings_count, 1);
	rig_stop(&rig);
	assert_int_equal(store_stop(NULL, 0), 0);
}

/* Returns when the thread has ended a turn that began after this was called. */
static void await_a_turn(const struct rig *rig)
{
	uint64_t before = store_turns(rig->store);

	for (int i = 0; i < PATIENCE_MS && store_turns(rig->store) < before + 2; i++) {
		store_kick(rig->store);
		poll(NULL, 0, 1);
	}
	assert_true(store_turns(rig->store) >= before + 2);
}

/* Main's inbox may be full for a while: no event is lost, and none overtakes another. */
static void events_wait_for_a_full_inbox(void **state)
{
	_folder_ folder = folder_new();
	struct rig rig;

	(void)state;
	rig_start(&rig, folder, 1);
	await_a_turn(&rig); /* STORE_LOADED fills the inbox */
	for (uint64_t ticket = 1; ticket <= 3; ticket++) {
		assert_int_equal(store_put_setting(rig.store, "a", "1"), ticket);
		store_flush(rig.store);
		await_a_turn(&rig);
	}
	store_read_receipts(rig.store, 0, 1);
	await_a_turn(&rig);
	pass(&rig, STORE_LOADED);
	expect_durable(&rig, 3);
	pass(&rig, STORE_RECEIPTS);
	rig_stop(&rig);
}

/* A group is one thing: before its flush the thread knows nothing of it. */
static void a_group_waits_for_its_flush(void **state)
{
	_folder_ folder = folder_new();
	struct rig rig;

	(void)state;
	rig_start(&rig, folder, 100);
	pass(&rig, STORE_LOADED);
	store_put_setting(rig.store, "a", "1");
	await_a_turn(&rig);
	assert_null(inbox_take(rig.events));
	store_flush(rig.store);
	expect_durable(&rig, 1);
	rig_stop(&rig);
}

/* Otherwise it would: it is moved into the file when those who wait have been told. */
static void the_log_does_not_grow_for_ever(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(freep) char *log = xasprintf("%s/%s-wal", folder, STORE_FILE_NAME);
	struct stat status;
	struct rig rig;

	(void)state;
	rig_start(&rig, folder, 100);
	pass(&rig, STORE_LOADED);
	for (uint64_t i = 1; i <= 1000; i++) { /* at least a page each */
		store_put_setting(rig.store, "a", i % 2 ? "1" : "2");
		store_flush(rig.store);
		expect_durable(&rig, i);
	}
	await_a_turn(&rig);
	assert_int_equal(stat(log, &status), 0);
	assert_in_range(status.st_size, 4096, 1024 * 1024);
	rig_stop(&rig);
}

/* --- The history ---------------------------------------------------------------------------- */

static void the_history_is_searched(void **state)
{
	_folder_ folder = folder_new();
	const struct store_history_query query = {
		.token = 77,
		.since_us = NOW_US,
		.until_us = INT64_MAX,
		.output = "san",
		.limit = 10,
	};
	const uint64_t count = 3 * STORE_SEARCH_PIECE; /* more than one piece */
	struct rig rig;

	(void)state;
	rig_start(&rig, folder, 1000);
	pass(&rig, STORE_LOADED);
	for (uint64_t i = 1; i <= count; i++)
		store_put_receipt(rig.store, i, NOW_US + (int64_t)i,
			i % (count / 4) == 0 ? "{\"output\":\"san\"}" : "{\"output\":\"cho\"}");
	store_receipts_taken(rig.store, count);
	store_read_history(rig.store, &query); /* flushes */
	pass(&rig, STORE_DURABLE);
	_event_ answer = expect(&rig, STORE_HISTORY);
	assert_int_equal(answer->token, 77);
	assert_int_equal(answer->receipts_count, 4);
	assert_int_equal(answer->receipts[3].sequence, count);
	assert_false(answer->more);
	store_read_history(rig.store, &query); /* is let go of at the stop */
	rig_stop(&rig);
}

/* What cannot be written is history all the same. */
static void the_history_knows_what_waits_for_the_disk(void **state)
{
	_folder_ parent = folder_new();
	_cleanup_(freep) char *folder = xasprintf("%s/state", parent);
	const struct store_history_query query = {
		.token = 5, .since_us = NOW_US, .until_us = NOW_US + 2, .limit = 10
	};
	struct rig rig;

	(void)state;
	fclose(fopen(folder, "w"));
	rig_start(&rig, folder, 100);
	pass(&rig, STORE_LOADED);
	pass(&rig, STORE_FAULT);
	store_put_receipt(rig.store, 1, NOW_US - 1, "{}");
	store_put_receipt(rig.store, 2, NOW_US + 1, "{}");
	store_put_receipt(rig.store, 3, NOW_US + 2, "{}");
	store_read_history(rig.store, &query);
	_event_ answer = expect(&rig, STORE_HISTORY);
	assert_int_equal(answer->token, 5);
	assert_int_equal(answer->receipts_count, 1);
	assert_int_equal(answer->receipts[0].sequence, 2);
	assert_true(answer->receipts[0].waiting);
	rig_stop(&rig);
}

/* --- C1: kill -9 at any instant ------------------------------------------------------------- */

#define KILLS      30
#define GROUP_SIZE 5

/* Group `number`: one announcement, and the number in several settings. */
static uint64_t post_group(struct store *store, unsigned number)
{
	_cleanup_(freep) char *value = xasprintf("%u", number);
	_cleanup_(freep) char *id = xasprintf("tin-%u", number % 10);
	_cleanup_(announcement_unrefp) struct announcement *announcement = sample(id, value);
	uint64_t ticket = store_put_announcement(store, announcement, NOW_US, number + 1);

	for (int i = 1; i < GROUP_SIZE; i++) {
		_cleanup_(freep) char *key = xasprintf("khoa-%d", i);
		ticket = store_put_setting(store, key, value);
	}
	store_flush(store);
	return ticket;
}

/* The process that is killed: writes groups for ever, and tells the pipe which are durable. */
static _Noreturn void write_for_ever(const char *folder, unsigned first, int report_fd)
{
	struct rig rig;
	unsigned posted = first;
	uint64_t ticket = 0, durable = 0;

	rig_start(&rig, folder, 1000);
	pass(&rig, STORE_LOADED);
	for (;;) {
		while (ticket - durable < 4 * GROUP_SIZE)
			ticket = post_group(rig.store, posted++);
		_event_ event = expect(&rig, STORE_DURABLE);
		durable = event->ticket;
		unsigned last = first + (unsigned)(durable / GROUP_SIZE) - 1;
		if (write(report_fd, &last, sizeof last) != sizeof last)
			_exit(1);
	}
}

/* Starts the writer, kills it at some instant after `reports` reports; the last group it told. */
static unsigned run_and_kill(const char *folder, unsigned first, int reports, unsigned spin)
{
	int pipe_fds[2];

	assert_int_equal(pipe(pipe_fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		write_for_ever(folder, first, pipe_fds[1]);
	close(pipe_fds[1]);
	unsigned last = 0, told;
	for (int i = 0; i < reports && read(pipe_fds[0], &told, sizeof told) == sizeof told; i++)
		last = told;
	for (volatile unsigned i = 0; i < spin; i++)
		continue; /* anywhere between two reports */
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	while (read(pipe_fds[0], &told, sizeof told) == sizeof told)
		last = told;
	close(pipe_fds[0]);
	return last;
}

/* All of one group is there, it is not older than what was reported; returns its number. */
static unsigned expect_a_whole_group(const char *folder, unsigned reported)
{
	_cleanup_(store_file_closep) struct store_file *file = NULL;
	_event_ event = xcalloc(1, sizeof *event);
	struct error error = { "" };

	if (store_file_open(folder, &file, &error) < 0 || store_file_load(file, event, &error) < 0)
		fail_msg("%s", error.text);
	assert_string_equal(event->error.text, "");
	assert_int_equal(event->settings_count, GROUP_SIZE - 1);
	unsigned found = (unsigned)strtoul(event->settings[0].value, NULL, 10);
	for (size_t i = 0; i < event->settings_count; i++)
		assert_int_equal(strtoul(event->settings[i].value, NULL, 10), found);
	assert_true(found >= reported);
	assert_int_equal(event->next_sequence, found + 2);
	const struct store_announcement *last =
		&event->announcements[event->announcements_count - 1];
	assert_int_equal(strtoul(first_text(last->announcement), NULL, 10), found);
	return found;
}

static void a_kill_at_any_instant_loses_no_group_and_cuts_none(void **state)
{
	_folder_ folder = folder_new();
	unsigned next = 0;

	(void)state;
	for (int i = 0; i < KILLS; i++) {
		unsigned spin = (unsigned)(i * 7919 % KILLS) * 20000;
		unsigned reported = run_and_kill(folder, next, 1 + i % 7, spin);
		next = expect_a_whole_group(folder, reported) + 1;
	}
	assert_true(next > KILLS);
	assert_int_equal(count_files(folder, "loalang.db.corrupt"), 0);
}

/* --- C7: the disk --------------------------------------------------------------------------- */

/* A file stands where the folder should be: nothing can be opened, as root neither. */
static void a_disk_that_is_not_there_is_waited_for(void **state)
{
	_folder_ parent = folder_new();
	_cleanup_(freep) char *folder = xasprintf("%s/state", parent);
	_cleanup_(announcement_unrefp) struct announcement *announcement = sample(
		"tin", "Xin chào");
	struct rig rig;

	(void)state;
	fclose(fopen(folder, "w"));
	rig_start(&rig, folder, 100);
	_event_ loaded = expect(&rig, STORE_LOADED); /* first, whatever happens */
	assert_true(*loaded->error.text);
	assert_true(loaded->next_sequence > NOW_US / 2);
	_event_ fault = expect(&rig, STORE_FAULT);
	assert_non_null(strstr(fault->error.text, "không mở được"));
	assert_non_null(strstr(fault->error.text, folder));
	store_put_announcement(rig.store, announcement, NOW_US, 1);
	store_put_receipt(rig.store, 7, NOW_US, "{\"n\":7}");
	uint64_t ticket = store_put_receipt(rig.store, 8, NOW_US, "{\"n\":8}");
	store_read_receipts(rig.store, 7, 10); /* proof of play does not wait for the disk */
	_event_ receipts = expect(&rig, STORE_RECEIPTS);
	assert_int_equal(receipts->receipts_count, 1);
	assert_int_equal(receipts->receipts[0].sequence, 8);
	assert_true(receipts->receipts[0].waiting);
	assert_int_equal(unlink(folder), 0);
	_event_ recovered = expect(&rig, STORE_RECOVERED); /* it makes the folder itself */
	assert_false(recovered->begun_anew);
	assert_int_equal(recovered->dropped_up_to, 0);
	expect_durable(&rig, ticket);
	rig_stop(&rig);

	rig_start(&rig, folder, 100);
	_event_ again = expect(&rig, STORE_LOADED);
	assert_int_equal(again->announcements_count, 1);
	rig_stop(&rig);
}

/* --- C7: a disk that can be read and not written -------------------------------------------- */

#define NOBODY 65534

/* An announcement, a finished play of it and a receipt in `folder`. */
static void leave_a_store(const char *folder)
{
	_cleanup_(announcement_unrefp) struct announcement *announcement = sample(
		"tin", "Xin chào");
	const struct store_play play = { .id = announcement->id,
		.output = announcement->id,
		.revision = 1,
		.state = PLAY_FINISHED,
		.forget_us = NOW_US };
	struct rig rig;

	rig_start(&rig, folder, 100);
	pass(&rig, STORE_LOADED);
	store_put_announcement(rig.store, announcement, NOW_US, 6);
	store_put_play(rig.store, &play);
	uint64_t ticket = store_put_receipt(rig.store, 40, NOW_US, "{\"n\":40}");
	store_flush(rig.store);
	expect_durable(&rig, ticket);
	rig_stop(&rig);
}

/* And a setting that is only in the log, as after a power cut: closing would move it to the file. */
static void leave_a_store_with_its_log(const char *folder)
{
	_folder_ other = folder_new();
	_cleanup_(freep) char *command = xasprintf("cp '%s'/* '%s'", other, folder);
	struct rig rig;

	leave_a_store(other);
	rig_start(&rig, other, 100);
	pass(&rig, STORE_LOADED);
	store_put_setting(rig.store, "trong-nhat-ky", "1");
	store_flush(rig.store);
	expect_durable(&rig, 1);
	assert_int_equal(system(command), 0);
	assert_int_equal(count_files(folder, STORE_FILE_NAME "-wal"), 1);
	rig_stop(&rig);
}

/* STORE_LOADED and STORE_FAULT of what leave_a_store_with_its_log() left. */
static void expect_all_from_a_copy(struct rig *rig)
{
	_event_ loaded = expect(rig, STORE_LOADED);
	if (loaded->plays_count != 1)
		fail_msg("%zu plays: %s", loaded->plays_count, loaded->error.text);
	assert_int_equal(loaded->plays[0].state, PLAY_FINISHED);
	assert_int_equal(loaded->announcements_count, 1);
	assert_int_equal(loaded->settings_count, 1); /* the log was copied too */
	assert_int_equal(loaded->next_sequence, 7);
	assert_int_equal(loaded->next_receipt_sequence, 41);
	assert_non_null(strstr(loaded->error.text, STORE_FILE_NAME));
	assert_non_null(strstr(loaded->error.text, "chưa ghi lại được"));
	_event_ fault = expect(rig, STORE_FAULT);
	assert_true(*fault->error.text);
}

/* The modes of the files and of their folder, which is open meanwhile. */
static void change_modes(const char *folder, const char *of_folder, const char *of_files)
{
	_cleanup_(freep) char *command = xasprintf(
		"chmod 0700 '%s' && chmod %s '%s'/* && chmod %s '%s'", folder, of_files, folder,
		of_folder, folder);

	assert_int_equal(system(command), 0);
}

/* Modes do not bind root: the test goes on as somebody else. Real and effective, for the shell. */
static void be_an_ordinary_user(const char *folder)
{
	_cleanup_(freep) char *command = xasprintf("chown -R %d '%s'", NOBODY, folder);

	if (geteuid() != 0)
		return;
	assert_int_equal(system(command), 0);
	assert_int_equal(setresuid(NOBODY, NOBODY, 0), 0);
}

static void be_oneself_again(void)
{
	uid_t real, effective, saved;

	assert_int_equal(getresuid(&real, &effective, &saved), 0);
	assert_int_equal(setresuid(saved, saved, saved), 0);
}

static void what_can_only_be_read_is_loaded_from_a_copy(void **state)
{
	_folder_ folder = folder_new();
	_folder_ place = folder_new();
	_cleanup_(freep) char *path = xasprintf("%s/%s", folder, STORE_FILE_NAME);
	struct rig rig;

	(void)state;
	leave_a_store_with_its_log(folder);
	assert_int_equal(chmod(place, 0777), 0);
	assert_int_equal(setenv("TMPDIR", place, 1), 0);
	be_an_ordinary_user(folder);
	change_modes(folder, "0500", "0400");
	assert_int_equal(access(path, W_OK), -1); /* or nothing is tested */
	rig_start(&rig, folder, 100);
	expect_all_from_a_copy(&rig);
	assert_int_equal(count_files(place, "loalang"), 0); /* nothing is left behind */
	uint64_t ticket = store_put_receipt(rig.store, 41, NOW_US, "{\"n\":41}");
	store_flush(rig.store);
	change_modes(folder, "0700", "0600");
	_event_ recovered = expect(&rig, STORE_RECOVERED);
	assert_false(recovered->begun_anew);
	expect_durable(&rig, ticket);
	store_read_receipts(rig.store, 0, 10);
	_event_ receipts = expect(
		&rig, STORE_RECEIPTS); /* in the real one, after those of before */
	assert_int_equal(receipts->receipts_count, 2);
	assert_int_equal(receipts->receipts[1].sequence, 41);
	rig_stop(&rig);
	be_oneself_again();
	assert_int_equal(unsetenv("TMPDIR"), 0);
}

/* Where there is nothing to be copied the store is empty, and not a new one: its sequences. */
static void a_folder_that_can_only_be_read_and_is_empty(void **state)
{
	_folder_ folder = folder_new();
	struct rig rig;

	(void)state;
	be_an_ordinary_user(folder);
	assert_int_equal(chmod(folder, 0500), 0);
	rig_start(&rig, folder, 100);
	_event_ loaded = expect(&rig, STORE_LOADED);
	assert_true(loaded->next_sequence > NOW_US / 2);
	assert_true(*loaded->error.text);
	assert_null(strstr(loaded->error.text, "bản sao"));
	pass(&rig, STORE_FAULT);
	assert_int_equal(chmod(folder, 0700), 0);
	pass(&rig, STORE_RECOVERED);
	rig_stop(&rig);
	be_oneself_again();
}

/* Mounts of this process's own; for ever, which hurts nobody. */
static bool may_mount(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* The kernel's own refusal, which binds root too. */
static void a_file_system_that_became_read_only(void **state)
{
	(void)state;
	if (!may_mount()) {
		print_message("no mount namespaces here\n");
		skip();
	}
	_folder_ folder = folder_new();
	struct rig rig;
	leave_a_store_with_its_log(folder);
	assert_int_equal(mount(folder, folder, NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(NULL, folder, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
	rig_start(&rig, folder, 100);
	expect_all_from_a_copy(&rig);
	assert_int_equal(mount(NULL, folder, NULL, MS_BIND | MS_REMOUNT, NULL), 0);
	pass(&rig, STORE_RECOVERED);
	rig_stop(&rig);
	assert_int_equal(umount(folder), 0);
}

/* --- C7: the disk fails while running ------------------------------------------------------- */

static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_keeps_the_changes_and_one_fault(void **state)
{
	_folder_ folder = folder_new();
	struct rig rig;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	rig_start(&rig, folder, 100);
	pass(&rig, STORE_LOADED);
	store_put_receipt(rig.store, 1, NOW_US, "{\"n\":1}");
	store_flush(rig.store);
	expect_durable(&rig, 1);
	limit_file_size(512);
	store_put_receipt(rig.store, 2, NOW_US, "{\"n\":2}");
	store_flush(rig.store);
	_event_ fault = expect(&rig, STORE_FAULT);
	assert_non_null(strstr(fault->error.text, "loalang.db"));
	/* More while it lasts: no second fault. */
	uint64_t ticket = store_put_receipt(rig.store, 3, NOW_US, "{\"n\":3}");
	store_read_receipts(rig.store, 0, 10);
	_event_ receipts = expect(&rig, STORE_RECEIPTS);
	/* Those that wait are among them, and those on disk, if it could be read, come first. */
	assert_true(receipts->receipts_count >= 2);
	assert_int_equal(receipts->receipts[receipts->receipts_count - 1].sequence, 3);
	limit_file_size(RLIM_INFINITY);
	_event_ recovered = expect(&rig, STORE_RECOVERED);
	assert_false(recovered->begun_anew);
	expect_durable(&rig, ticket);
	store_read_receipts(rig.store, 0, 10);
	_event_ all = expect(&rig, STORE_RECEIPTS);
	assert_int_equal(all->receipts_count, 3);
	assert_false(all->receipts[2].waiting);
	rig_stop(&rig);
}

/* The file is spoilt while the disk is full; when there is room again a new one is begun. */
static void a_file_spoilt_while_running_is_begun_anew(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(freep) char *path = xasprintf("%s/%s", folder, STORE_FILE_NAME);
	_cleanup_(freep) char *log = xasprintf("%s-wal", path);
	struct rig rig;

	(void)state;
	rig_start(&rig, folder, 100);
	pass(&rig, STORE_LOADED);
	store_put_setting(rig.store, "cu", "1");
	store_flush(rig.store);
	expect_durable(&rig, 1);
	limit_file_size(0);
	uint64_t ticket = store_put_setting(rig.store, "moi", "1");
	store_flush(rig.store);
	pass(&rig, STORE_FAULT);
	limit_file_size(RLIM_INFINITY);
	_cleanup_(fclosep) FILE *stream = fopen(path, "r+");
	assert_non_null(stream);
	for (int i = 0; i < 4096; i++)
		fputc('x', stream);
	fflush(stream);
	assert_int_equal(unlink(log), 0); /* it would mend the file */
	_event_ recovered = expect(&rig, STORE_RECOVERED);
	assert_true(recovered->begun_anew);
	assert_non_null(strstr(recovered->error.text, "đã để riêng"));
	expect_durable(&rig, ticket);
	rig_stop(&rig);
	assert_int_equal(count_files(folder, "loalang.db.corrupt"), 1);
	rig_start(&rig, folder, 100);
	_event_ again = expect(&rig, STORE_LOADED);
	assert_int_equal(again->settings_count, 1);
	assert_string_equal(again->settings[0].key, "moi");
	rig_stop(&rig);
}

/* Changes one letter of `id` in its index, which is the third page: quick_check does not compare
 * an index with its table. */
static void spoil_index(const char *folder, const char *id)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", folder, STORE_FILE_NAME);
	_cleanup_(fclosep) FILE *stream = fopen(path, "r+");
	char page[4096];

	assert_non_null(stream);
	assert_int_equal(fseek(stream, 2 * sizeof page, SEEK_SET), 0);
	assert_int_equal(fread(page, 1, sizeof page, stream), sizeof page);
	char *found = memmem(page, sizeof page, id, strlen(id));
	assert_non_null(found);
	*found ^= 1;
	assert_int_equal(fseek(stream, 2 * sizeof page, SEEK_SET), 0);
	assert_int_equal(fwrite(page, 1, sizeof page, stream), sizeof page);
}

static void damage_that_only_a_write_shows_begins_anew(void **state)
{
	_folder_ folder = folder_new();
	_cleanup_(announcement_unrefp) struct announcement *announcement = sample(
		"tin", "Xin chào");
	_cleanup_(announcement_unrefp) struct announcement *other = sample("con", "Xin chào");
	const struct store_play play = {
		.id = other->id, .output = other->id, .revision = 1, .forget_us = NOW_US + 1
	};
	struct rig rig;

	(void)state;
	rig_start(&rig, folder, 100);
	pass(&rig, STORE_LOADED);
	store_put_announcement(rig.store, announcement, NOW_US, 1);
	store_put_announcement(rig.store, other, NOW_US, 2);
	store_put_play(rig.store, &play);
	rig_stop(&rig);
	spoil_index(folder, "tin");

	rig_start(&rig, folder, 100);
	_event_ loaded = expect(&rig, STORE_LOADED);
	assert_int_equal(loaded->announcements_count, 2);
	uint64_t ticket = store_forget(rig.store, NOW_US);
	store_flush(rig.store);
	_event_ fault = expect(&rig, STORE_FAULT);
	assert_non_null(strstr(fault->error.text, "tệp hỏng"));
	_event_ recovered = expect(&rig, STORE_RECOVERED);
	assert_true(recovered->begun_anew);
	assert_non_null(strstr(recovered->error.text, "giữ lại 2 thông báo, 1 lượt phát"));
	expect_durable(&rig, ticket);
	rig_stop(&rig);
	assert_int_equal(count_files(folder, "loalang.db.corrupt"), 1);
	rig_start(&rig, folder, 100);
	_event_ again = expect(&rig, STORE_LOADED);
	assert_int_equal(again->announcements_count, 1);
	assert_string_equal(again->announcements[0].announcement->id, "con");
	rig_stop(&rig);
}

static void what_waits_for_a_dead_disk_is_bounded(void **state)
{
	_folder_ parent = folder_new();
	_cleanup_(freep) char *folder = xasprintf("%s/state", parent);
	struct rig rig;
	uint64_t ticket = 0;

	(void)state;
	fclose(fopen(folder, "w"));
	rig_start(&rig, folder, 100);
	pass(&rig, STORE_LOADED);
	_event_ fault = expect(&rig, STORE_FAULT);
	assert_int_equal(fault->dropped_up_to, 0);
	for (int i = 1; i <= STORE_WAITING_MAX + 10; i++) {
		ticket = store_put_receipt(rig.store, (uint64_t)i, NOW_US, "{}");
		if (i % 10 == 0)
			store_flush(rig.store);
	}
	_event_ dropping = expect(&rig, STORE_FAULT); /* told once */
	assert_true(dropping->dropped_up_to >= 10);
	assert_non_null(strstr(dropping->error.text, "bỏ các thay đổi cũ nhất"));
	assert_int_equal(unlink(folder), 0);
	_event_ recovered = expect(&rig, STORE_RECOVERED);
	assert_int_equal(recovered->dropped_up_to, 10);
	expect_durable(&rig, ticket);
	store_read_receipts(rig.store, 0, 1);
	_event_ receipts = expect(&rig, STORE_RECEIPTS);
	assert_int_equal(receipts->receipts[0].sequence, 11); /* a whole group went */
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* first: it forks, and no thread may run then */
		cmocka_unit_test(a_kill_at_any_instant_loses_no_group_and_cuts_none),
		cmocka_unit_test(what_is_durable_is_there_after_a_restart),
		cmocka_unit_test(stopping_writes_what_was_not_flushed),
		cmocka_unit_test(events_wait_for_a_full_inbox),
		cmocka_unit_test(a_group_waits_for_its_flush),
		cmocka_unit_test(the_log_does_not_grow_for_ever),
		cmocka_unit_test(the_history_is_searched),
		cmocka_unit_test(the_history_knows_what_waits_for_the_disk),
		cmocka_unit_test(a_disk_that_is_not_there_is_waited_for),
		cmocka_unit_test(what_can_only_be_read_is_loaded_from_a_copy),
		cmocka_unit_test(a_folder_that_can_only_be_read_and_is_empty),
		cmocka_unit_test(a_file_system_that_became_read_only),
		cmocka_unit_test(a_full_disk_keeps_the_changes_and_one_fault),
		cmocka_unit_test(a_file_spoilt_while_running_is_begun_anew),
		cmocka_unit_test(damage_that_only_a_write_shows_begins_anew),
		cmocka_unit_test(what_waits_for_a_dead_disk_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
