/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A real folder, a real thread, and the test in main's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "daemon/chimes.h"
#include "daemon/media.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define PATIENCE_MS 60000 /* how long an event may take before the test gives up */
#define WAV_HEADER  44
#define RATE_HZ     8000

/* --- Recordings ------------------------------------------------------------------------------- */

/* A wav file of `seconds` (8 bits, mono) that differs from the others by `number`. */
struct sample {
	char *bytes;
	size_t length;
	char sha256[SHA256_TEXT_SIZE];
};

static void put_le(char *at, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (char)(value >> 8 * i & 0xff);
}

static void put_text(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
}

static void write_header(char *wav, uint32_t frames)
{
	put_text(wav, "RIFF....WAVEfmt ");
	put_le(wav + 4, WAV_HEADER - 8 + frames, 4);
	put_le(wav + 16, 16, 4);
	put_le(wav + 20, 1, 2);
	put_le(wav + 22, 1, 2);
	put_le(wav + 24, RATE_HZ, 4);
	put_le(wav + 28, RATE_HZ, 4);
	put_le(wav + 32, 1, 2);
	put_le(wav + 34, 8, 2);
	put_text(wav + 36, "data");
	put_le(wav + 40, frames, 4);
}

static struct sample sample_of(uint32_t number, uint32_t frames)
{
	struct sample sample = { .length = WAV_HEADER + frames };

	sample.bytes = xcalloc(sample.length, 1);
	write_header(sample.bytes, frames);
	put_le(sample.bytes + WAV_HEADER, number, 4);
	sha256_text(sample.bytes, sample.length, sample.sha256);
	return sample;
}

static void sample_done(struct sample *sample)
{
	free(sample->bytes);
}
#define _sample_ _cleanup_(sample_done) struct sample

static char *copy_of(const char *bytes, size_t length)
{
	char *copy = xcalloc(length ? length : 1, 1);

	memcpy(copy, bytes, length);
	return copy;
}

/* --- The rig ---------------------------------------------------------------------------------- */

struct rig {
	char state_dir[40];
	struct inbox *events;
	struct media *media;
	struct inbox_link *taken; /* events taken and not yet looked at */
};

static char *path_in(const struct rig *rig, const char *name)
{
	return xasprintf("%s/media/%s", rig->state_dir, name);
}

static struct media_event *next_event(struct rig *rig)
{
	while (!rig->taken) {
		struct pollfd ready = { .fd = inbox_fd(rig->events), .events = POLLIN };
		if (poll(&ready, 1, PATIENCE_MS) == 0)
			fail_msg("no event");
		rig->taken = inbox_take(rig->events);
	}
	struct media_event *event = (struct media_event *)rig->taken;
	rig->taken = event->link.next;
	media_on_event(rig->media, event);
	return event;
}

static void event_done(struct media_event **event)
{
	media_event_free((struct inbox_link *)*event);
}
#define _event_ _cleanup_(event_done) struct media_event *

/* The next event is that, about that recording. */
static struct media_event *expect(struct rig *rig, enum media_event_what what, const char *sha256)
{
	struct media_event *event = next_event(rig);

	if (event->what != what || strcmp(event->sha256, sha256) != 0)
		fail_msg("event %d of %.8s (%s) instead of %d of %.8s", event->what, event->sha256,
			event->error.text, what, sha256);
	return event;
}

static void pass(struct rig *rig, enum media_event_what what, const char *sha256)
{
	media_event_free(&expect(rig, what, sha256)->link);
}

/* With its first event taken. */
static void start(struct rig *rig)
{
	rig->events = inbox_new(4096);
	rig->media = media_start(rig->state_dir, rig->events);
	assert_non_null(rig->media);
	_event_ event = expect(rig, MEDIA_LISTED, "");
	assert_string_equal(event->error.text, "");
}

static void stop(struct rig *rig)
{
	assert_int_equal(media_stop(rig->media, PATIENCE_MS), 0);
	for (struct inbox_link *next, *link = rig->taken; link; link = next) {
		next = link->next;
		media_event_free(link);
	}
	rig->taken = NULL;
	inbox_free(rig->events, media_event_free);
}

static int set_up(void **state)
{
	struct rig *rig = xcalloc(1, sizeof *rig);

	strcpy(rig->state_dir, "/tmp/loalang-media-XXXXXX");
	if (!mkdtemp(rig->state_dir))
		return -1;
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;
	_cleanup_(freep) char *command = xasprintf("rm -rf '%s'", rig->state_dir);

	free(rig);
	return system(command);
}

static int keep_bytes(struct rig *rig, const char *sha256, const char *bytes, size_t length)
{
	char *copy = copy_of(bytes, length);
	int result = media_keep(rig->media, sha256, copy, length);

	if (result < 0)
		free(copy);
	return result;
}

static void keep(struct rig *rig, const struct sample *sample)
{
	assert_int_equal(keep_bytes(rig, sample->sha256, sample->bytes, sample->length), 0);
}

static bool exists(const struct rig *rig, const char *name)
{
	_cleanup_(freep) char *path = path_in(rig, name);

	return access(path, F_OK) == 0;
}

static void put_file(const struct rig *rig, const char *name, const char *bytes, size_t length)
{
	_cleanup_(freep) char *folder = path_in(rig, "");
	_cleanup_(freep) char *path = path_in(rig, name);

	(void)mkdir(folder, 0750);
	_cleanup_(fclosep) FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
}

/* Names in the folder, but for "." and "..". */
static int count_files(const struct rig *rig)
{
	_cleanup_(freep) char *folder = path_in(rig, "");
	DIR *dir = opendir(folder);
	int count = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* --- What comes ------------------------------------------------------------------------------- */

static void test_kept_and_here_again_after_a_restart(void **state)
{
	struct rig *rig = *state;
	_sample_ sample = sample_of(1, 3 * RATE_HZ);
	char stored[SHA256_TEXT_SIZE];

	start(rig);
	assert_int_equal(media_state(rig->media, sample.sha256), MEDIA_UNKNOWN);
	assert_null(media_path(rig->media, sample.sha256));
	keep(rig, &sample);
	assert_int_equal(media_state(rig->media, sample.sha256), MEDIA_CHECKING);
	_event_ kept = expect(rig, MEDIA_KEPT, sample.sha256);
	assert_true(kept->seconds == 3.0);
	for (int twice = 0; twice < 2; twice++) {
		assert_int_equal(media_state(rig->media, sample.sha256), MEDIA_HERE);
		assert_true(media_seconds(rig->media, sample.sha256) == 3.0);
		_cleanup_(freep) char *path = media_path(rig->media, sample.sha256);
		_cleanup_(freep) char *bytes = xcalloc(sample.length + 1, 1);
		_cleanup_(fclosep) FILE *file = fopen(path, "re");
		assert_non_null(file);
		assert_int_equal(fread(bytes, 1, sample.length + 1, file), sample.length);
		sha256_text(bytes, sample.length, stored);
		assert_string_equal(stored, sample.sha256);
		assert_int_equal(count_files(rig), 1);
		stop(rig);
		start(rig);
		pass(rig, MEDIA_KEPT, sample.sha256);
	}
	/* Again: it is here, nothing is written, no event comes but that of the next one. */
	keep(rig, &sample);
	_sample_ other = sample_of(2, RATE_HZ);
	keep(rig, &other);
	pass(rig, MEDIA_KEPT, other.sha256);
	stop(rig);
}

static void expect_refused(
	struct rig *rig, const char *sha256, const char *bytes, size_t length, const char *why)
{
	media_hold(rig->media, sha256);
	assert_int_equal(keep_bytes(rig, sha256, bytes, length), 0);
	_event_ event = expect(rig, MEDIA_REFUSED, sha256);
	if (!strstr(event->error.text, why))
		fail_msg("“%s” does not say “%s”", event->error.text, why);
	assert_int_equal(media_state(rig->media, sha256), MEDIA_BAD);
	assert_true(media_seconds(rig->media, sha256) == 0);
	assert_null(media_path(rig->media, sha256));
	assert_int_equal(count_files(rig), 0);
	media_release(rig->media, sha256);
	assert_int_equal(media_state(rig->media, sha256), MEDIA_UNKNOWN);
}

static void test_what_is_bad_is_refused(void **state)
{
	struct rig *rig = *state;
	_sample_ sample = sample_of(1, RATE_HZ);
	static const char text[] = "Đây không phải là bản ghi âm.";
	char sha256[SHA256_TEXT_SIZE];
	_cleanup_(freep) char *large = xcalloc(MEDIA_BYTES_MAX + 1, 1);

	start(rig);
	expect_refused(rig, sample.sha256, sample.bytes, sample.length - 1, "mã băm");
	expect_refused(rig, sample.sha256, "", 0, "mã băm");
	sha256_text(text, strlen(text), sha256);
	expect_refused(rig, sha256, text, strlen(text), "âm thanh");
	write_header(large, MEDIA_BYTES_MAX + 1 - WAV_HEADER);
	sha256_text(large, MEDIA_BYTES_MAX + 1, sha256);
	expect_refused(rig, sha256, large, MEDIA_BYTES_MAX + 1, "16 MiB");
	/* And then what it should have been. */
	media_hold(rig->media, sample.sha256);
	keep(rig, &sample);
	pass(rig, MEDIA_KEPT, sample.sha256);
	assert_int_equal(media_state(rig->media, sample.sha256), MEDIA_HERE);
	media_release(rig->media, sample.sha256);
	stop(rig);
}

/* What came first was right; that something else comes under its name harms nobody. */
static void test_what_is_here_stays(void **state)
{
	struct rig *rig = *state;
	_sample_ sample = sample_of(1, RATE_HZ);

	start(rig);
	media_hold(rig->media, sample.sha256);
	keep(rig, &sample);
	assert_int_equal(keep_bytes(rig, sample.sha256, "x", 1), 0); /* still being checked */
	pass(rig, MEDIA_KEPT, sample.sha256);
	pass(rig, MEDIA_REFUSED, sample.sha256);
	assert_int_equal(media_state(rig->media, sample.sha256), MEDIA_HERE);
	assert_true(exists(rig, sample.sha256));
	stop(rig);
}

static void test_a_name_is_a_hash(void **state)
{
	struct rig *rig = *state;
	static const char *const names[] = { "", "../../x",
		"ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde/" };
	_sample_ sample = sample_of(1, RATE_HZ);

	start(rig);
	for (size_t i = 0; i < countof(names); i++)
		assert_int_equal(keep_bytes(rig, names[i], sample.bytes, sample.length), -EINVAL);
	stop(rig);
}

/* More than two large ones do not wait in memory, whatever the disk does: nothing is taken while
 * the thread's events are not taken either. */
static void test_too_much_waits(void **state)
{
	struct rig *rig = *state;
	_sample_ sample = sample_of(1, MEDIA_BYTES_MAX - WAV_HEADER - 1);
	char sha256[SHA256_TEXT_SIZE];

	rig->events = inbox_new(
		1); /* full with MEDIA_LISTED: the thread waits before its first turn */
	rig->media = media_start(rig->state_dir, rig->events);
	struct pollfd ready = { .fd = inbox_fd(rig->events), .events = POLLIN };
	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	sha256_text("x", 1, sha256);
	assert_int_equal(keep_bytes(rig, sha256, "x", 1), 0);
	/* Its refusal finds no room; so nothing more is taken. */
	while (media_turns(rig->media) < 4)
		(void)poll(NULL, 0, 1);
	keep(rig, &sample);
	keep(rig, &sample);
	assert_int_equal(keep_bytes(rig, sample.sha256, sample.bytes, sample.length), -ENOBUFS);
	pass(rig, MEDIA_LISTED, "");
	pass(rig, MEDIA_REFUSED, sha256);
	pass(rig, MEDIA_KEPT, sample.sha256);
	pass(rig, MEDIA_KEPT, sample.sha256);
	/* There is room again. */
	_sample_ other = sample_of(2, MEDIA_BYTES_MAX - WAV_HEADER);
	keep(rig, &other);
	pass(rig, MEDIA_KEPT, other.sha256);
	stop(rig);
}

/* A write that fails as on a full disk: refused, nothing is left, and the next one is kept. */
static void test_C7_disk_full(void **state)
{
	struct rig *rig = *state;
	_sample_ sample = sample_of(1, 10 * RATE_HZ);
	struct rlimit before;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	start(rig);
	struct rlimit little = { .rlim_cur = 4096, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	expect_refused(rig, sample.sha256, sample.bytes, sample.length, "không ghi được");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	keep(rig, &sample);
	pass(rig, MEDIA_KEPT, sample.sha256);
	stop(rig);
}

/* --- What lies in the folder ------------------------------------------------------------------- */

static void test_what_is_not_ours_is_left_alone(void **state)
{
	struct rig *rig = *state;
	_sample_ sample = sample_of(1, RATE_HZ);
	_cleanup_(freep) char *half = xasprintf("%s.part", sample.sha256);
	_cleanup_(freep) char *longer = xasprintf("%s.partly", sample.sha256);

	put_file(rig, half, sample.bytes, sample.length / 2);
	put_file(rig, longer, "x", 1);
	put_file(rig, "ghi-chu.txt", "x", 1);
	start(rig);
	assert_false(exists(rig, half));
	assert_true(exists(rig, longer));
	assert_true(exists(rig, "ghi-chu.txt"));
	assert_int_equal(media_state(rig->media, sample.sha256), MEDIA_UNKNOWN);
	stop(rig);
}

/* A bit that has flipped on the disk: removed, unknown, and fetched again. */
static void test_bit_rot(void **state)
{
	struct rig *rig = *state;
	_sample_ sample = sample_of(1, RATE_HZ);
	_sample_ sound = sample_of(2, RATE_HZ);

	put_file(rig, sound.sha256, sound.bytes, sound.length);
	sample.bytes[sample.length / 2] ^= 4;
	put_file(rig, sample.sha256, sample.bytes, sample.length);
	sample.bytes[sample.length / 2] ^= 4;
	start(rig);
	media_hold(rig->media, sample.sha256);
	int kept = 0, evicted = 0;
	while (kept + evicted < 2) {
		_event_ event = next_event(rig);
		kept += event->what == MEDIA_KEPT && strcmp(event->sha256, sound.sha256) == 0;
		if (event->what != MEDIA_EVICTED)
			continue;
		assert_string_equal(event->sha256, sample.sha256);
		assert_non_null(strstr(event->error.text, "hỏng"));
		evicted++;
	}
	assert_int_equal(kept + 2 * evicted, 3);
	assert_int_equal(media_state(rig->media, sample.sha256), MEDIA_UNKNOWN);
	assert_false(exists(rig, sample.sha256));
	keep(rig, &sample);
	pass(rig, MEDIA_KEPT, sample.sha256);
	assert_int_equal(media_state(rig->media, sample.sha256), MEDIA_HERE);
	stop(rig);
}

/* What is needed is verified before all that lies there. */
static void test_what_is_held_is_verified_first(void **state)
{
	struct rig *rig = *state;
	struct timespec times[2] = { 0 };
	char first[SHA256_TEXT_SIZE] = "";

	/* The eldest, so that its turn would come last. */
	for (uint32_t i = 0; i < 20; i++) {
		_sample_ sample = sample_of(i, RATE_HZ);
		_cleanup_(freep) char *path = path_in(rig, sample.sha256);
		put_file(rig, sample.sha256, sample.bytes, sample.length);
		times[0].tv_sec = times[1].tv_sec = 1000 + i;
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
		if (i == 0)
			memcpy(first, sample.sha256, sizeof first);
	}
	rig->events = inbox_new(1); /* so that the thread cannot be far ahead */
	rig->media = media_start(rig->state_dir, rig->events);
	assert_non_null(rig->media);
	pass(rig, MEDIA_LISTED, "");
	media_hold(rig->media, first);
	assert_int_equal(media_state(rig->media, first), MEDIA_CHECKING);
	int before = 0;
	for (bool found = false; !found; before++) {
		_event_ event = next_event(rig);
		assert_int_equal(event->what, MEDIA_KEPT);
		found = strcmp(event->sha256, first) == 0;
	}
	assert_in_range(before, 1, 5);
	media_release(rig->media, first);
	stop(rig);
}

static void test_a_folder_that_cannot_be_made(void **state)
{
	struct rig *rig = *state;
	_sample_ sample = sample_of(1, RATE_HZ);
	_cleanup_(freep) char *path = xasprintf("%s/media", rig->state_dir);

	FILE *file = fopen(path, "we"); /* a file in its place */
	assert_non_null(file);
	fclose(file);
	rig->events = inbox_new(10);
	rig->media = media_start(rig->state_dir, rig->events);
	_event_ listed = expect(rig, MEDIA_LISTED, "");
	assert_non_null(strstr(listed->error.text, path));
	media_hold(rig->media, sample.sha256);
	keep(rig, &sample);
	pass(rig, MEDIA_REFUSED, sample.sha256);
	unlink(path);
	keep(rig, &sample);
	pass(rig, MEDIA_KEPT, sample.sha256);
	stop(rig);
}

/* --- Room -------------------------------------------------------------------------------------- */

#define FULL_FILES ((uint32_t)(MEDIA_TOTAL_BYTES_MAX / MEDIA_BYTES_MAX))

/* Fills the folder to its limit with sparse files, used in the order of their numbers. */
static void fill(struct rig *rig, char sha256[][SHA256_TEXT_SIZE])
{
	_sample_ sample = sample_of(0, MEDIA_BYTES_MAX - WAV_HEADER);
	struct timespec times[2] = { 0 };

	for (uint32_t i = 0; i < FULL_FILES; i++) {
		put_le(sample.bytes + WAV_HEADER, i, 4);
		sha256_text(sample.bytes, sample.length, sha256[i]);
		_cleanup_(freep) char *path = path_in(rig, sha256[i]);
		put_file(rig, sha256[i], sample.bytes, WAV_HEADER + 4);
		assert_int_equal(truncate(path, MEDIA_BYTES_MAX), 0);
		times[0].tv_sec = times[1].tv_sec = 1000 + i;
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	}
	start(rig);
	for (uint32_t i = 0; i < FULL_FILES; i++) {
		_event_ event = next_event(rig);
		assert_int_equal(event->what, MEDIA_KEPT);
	}
}

static void test_the_least_recently_used_goes_first(void **state)
{
	struct rig *rig = *state;
	char sha256[FULL_FILES][SHA256_TEXT_SIZE];
	_sample_ more = sample_of(100, RATE_HZ);
	_sample_ yet_more = sample_of(101, MEDIA_BYTES_MAX - WAV_HEADER);

	fill(rig, sha256);
	media_hold(rig->media, sha256[0]);
	free(media_path(rig->media, sha256[1])); /* used */
	keep(rig, &more);
	pass(rig, MEDIA_KEPT, more.sha256);
	pass(rig, MEDIA_EVICTED, sha256[2]);
	assert_int_equal(media_state(rig->media, sha256[0]), MEDIA_HERE);
	assert_int_equal(media_state(rig->media, sha256[1]), MEDIA_HERE);
	assert_int_equal(media_state(rig->media, sha256[2]), MEDIA_UNKNOWN);
	assert_false(exists(rig, sha256[2]));
	assert_int_equal(count_files(rig), FULL_FILES);
	free(media_path(rig->media, sha256[3]));
	media_release(rig->media, sha256[0]);
	stop(rig);

	/* After a restart the order is still that: 0, which was only held, has become the eldest. */
	start(rig);
	for (uint32_t i = 0; i < FULL_FILES; i++) {
		_event_ event = next_event(rig);
		assert_int_equal(event->what, MEDIA_KEPT);
	}
	keep(rig, &yet_more);
	pass(rig, MEDIA_KEPT, yet_more.sha256);
	pass(rig, MEDIA_EVICTED, sha256[0]);
	assert_int_equal(media_state(rig->media, sha256[4]), MEDIA_HERE);
	stop(rig);
	start(rig);
	for (uint32_t i = 0; i < FULL_FILES; i++) {
		_event_ event = next_event(rig);
		assert_int_equal(event->what, MEDIA_KEPT);
	}
	_sample_ last = sample_of(102, MEDIA_BYTES_MAX - WAV_HEADER);
	keep(rig, &last);
	pass(rig, MEDIA_KEPT, last.sha256);
	pass(rig, MEDIA_EVICTED, sha256[4]);
	stop(rig);
}

static void test_the_number_of_files_is_bounded(void **state)
{
	struct rig *rig = *state;

	for (uint32_t i = 0; i < MEDIA_FILES_MAX; i++) {
		_sample_ sample = sample_of(i, 8);
		put_file(rig, sample.sha256, sample.bytes, sample.length);
	}
	start(rig);
	for (uint32_t i = 0; i < MEDIA_FILES_MAX; i++) {
		_event_ event = next_event(rig);
		assert_int_equal(event->what, MEDIA_KEPT);
	}
	_sample_ more = sample_of(MEDIA_FILES_MAX, 8);
	keep(rig, &more);
	pass(rig, MEDIA_KEPT, more.sha256);
	_event_ gone = next_event(rig);
	assert_int_equal(gone->what, MEDIA_EVICTED);
	assert_int_equal(count_files(rig), MEDIA_FILES_MAX);
	stop(rig);
}

static void test_what_is_held_never_goes(void **state)
{
	struct rig *rig = *state;
	char sha256[FULL_FILES][SHA256_TEXT_SIZE];
	_sample_ more = sample_of(100, RATE_HZ);

	fill(rig, sha256);
	for (uint32_t i = 0; i < FULL_FILES; i++) {
		media_hold(rig->media, sha256[i]);
		media_hold(rig->media, sha256[i]);
		media_release(rig->media, sha256[i]); /* counted */
	}
	media_hold(rig->media, more.sha256);
	keep(rig, &more);
	_event_ refused = expect(rig, MEDIA_REFUSED, more.sha256);
	assert_non_null(strstr(refused->error.text, "hết chỗ"));
	assert_int_equal(media_state(rig->media, more.sha256), MEDIA_BAD);
	assert_int_equal(count_files(rig), FULL_FILES);
	media_release(rig->media, sha256[7]);
	keep(rig, &more);
	pass(rig, MEDIA_KEPT, more.sha256);
	pass(rig, MEDIA_EVICTED, sha256[7]);
	stop(rig);
}

/* The sound that is for the node's own use is in the folder of the chimes, but is none. */
static void test_A7_the_recorded_sentence_is_no_chime(void **state)
{
	struct chimes chimes;

	(void)state;
	chimes_load(&chimes, SOURCE_DIR "/conf/chimes");
	assert_non_null(chimes_find(&chimes, "thong-bao"));
	assert_null(chimes_find(&chimes, "khong-doc-duoc"));
	assert_null(chimes_find(&chimes, "system"));
	chimes_done(&chimes);
}

int main(void)
{
#define MEDIA_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		MEDIA_TEST(test_kept_and_here_again_after_a_restart),
		MEDIA_TEST(test_what_is_bad_is_refused),
		MEDIA_TEST(test_what_is_here_stays),
		MEDIA_TEST(test_a_name_is_a_hash),
		MEDIA_TEST(test_too_much_waits),
		MEDIA_TEST(test_C7_disk_full),
		MEDIA_TEST(test_what_is_not_ours_is_left_alone),
		MEDIA_TEST(test_bit_rot),
		MEDIA_TEST(test_what_is_held_is_verified_first),
		MEDIA_TEST(test_a_folder_that_cannot_be_made),
		MEDIA_TEST(test_the_least_recently_used_goes_first),
		MEDIA_TEST(test_the_number_of_files_is_bounded),
		MEDIA_TEST(test_what_is_held_never_goes),
		cmocka_unit_test(test_A7_the_recorded_sentence_is_no_chime),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
