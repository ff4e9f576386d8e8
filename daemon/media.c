/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/media.h"
#include "base/strbuf.h"
#include "base/thread.h"
#include "daemon/media_folder.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>

#define MESSAGES_MAX      4096 /* that wait for the thread */
#define WAITING_BYTES_MAX ((size_t)2 * MEDIA_BYTES_MAX)
#define EVENT_RETRY_MS    10 /* main is not taking its events: try again this soon */

/* From main to the thread. */
struct message {
	struct inbox_link link; /* first */
	enum what { WRITE, REFUSE, VERIFY, TOUCH, REMOVE } what;
	char sha256[SHA256_TEXT_SIZE];
	char *bytes; /* WRITE */
	size_t length;
	struct error error; /* REFUSE */
};

/* What main knows of one recording. */
struct entry {
	char sha256[SHA256_TEXT_SIZE];
	enum media_state state;
	bool listed; /* CHECKING: it lay in the folder */
	unsigned holds;
	uint64_t used; /* the greater, the later */
	int64_t bytes; /* HERE */
	double seconds;
};

struct media {
	/* Set before the thread starts. */
	char *folder;
	struct inbox *events;
	struct inbox *inbox;
	struct thread thread;

	/* Main's. */
	struct entry *entries;
	size_t count, capacity;
	uint64_t uses;

	/* Both. */
	atomic_bool stop;
	atomic_ullong turns;
	atomic_size_t waiting_bytes; /* of what is posted and not written */

	/* The thread's. */
	struct media_file *unchecked; /* what lay in the folder and was not verified yet */
	size_t unchecked_count;
};

static struct message *message_new(enum what what, const char *sha256)
{
	struct message *message = xcalloc(1, sizeof *message);

	message->what = what;
	memcpy(message->sha256, sha256, SHA256_TEXT_SIZE);
	return message;
}

static void message_free(struct message *message)
{
	free(message->bytes);
	free(message);
}

static void release_message(struct inbox_link *link)
{
	message_free((struct message *)link);
}

/* What is refused does not wait for the disk. */
static size_t bytes_waiting(const struct message *message)
{
	return message->what == WRITE ? message->length : 0;
}

void media_event_free(struct inbox_link *link)
{
	struct media_event *event = (struct media_event *)link;

	if (event)
		free(event->files);
	free(event);
}

/* --- The thread ------------------------------------------------------------------------------ */

/* Waits while main does not take any: nothing here is more urgent than main is. */
static void send_event(struct media *media, const struct media_event *event)
{
	struct media_event *sent = xcalloc(1, sizeof *sent);

	*sent = *event;
	while (inbox_push(media->events, &sent->link) < 0) {
		if (atomic_load(&media->stop)) {
			media_event_free(&sent->link);
			return;
		}
		atomic_fetch_add(&media->turns, 1);
		(void)poll(NULL, 0, EVENT_RETRY_MS);
	}
}

static void send_about(struct media *media, enum media_event_what what, const char *sha256,
	const struct error *error)
{
	struct media_event event = { .what = what };

	memcpy(event.sha256, sha256, SHA256_TEXT_SIZE);
	if (error)
		event.error = *error;
	send_event(media, &event);
}

static void send_kept(struct media *media, const char *sha256, int64_t bytes, double seconds)
{
	struct media_event event = { .what = MEDIA_KEPT, .bytes = bytes, .seconds = seconds };

	memcpy(event.sha256, sha256, SHA256_TEXT_SIZE);
	send_event(media, &event);
}

static void list(struct media *media)
{
	struct media_event event = { .what = MEDIA_LISTED };
	size_t count = 0;

	if (media_folder_list(media->folder, &media->unchecked, &count, &event.error) == 0 &&
		count > 0) {
		event.files = xcalloc(count, sizeof *event.files);
		memcpy(event.files, media->unchecked, count * sizeof *event.files);
		event.files_count = media->unchecked_count = count;
	}
	send_event(media, &event);
}

/* The index of one that was not verified yet; unchecked_count: none. */
static size_t find_unchecked(const struct media *media, const char *sha256)
{
	size_t i = 0;

	while (i < media->unchecked_count && strcmp(media->unchecked[i].sha256, sha256) != 0)
		i++;
	return i;
}

static struct media_file take_unchecked(struct media *media, size_t index)
{
	struct media_file file = media->unchecked[index];

	media->unchecked[index] = media->unchecked[--media->unchecked_count];
	return file;
}

static void verify(struct media *media, size_t index)
{
	if (index >= media->unchecked_count)
		return;
	struct media_file file = take_unchecked(media, index);
	struct error error = { "" };
	double seconds = 0;

	int result = media_folder_verify(
		media->folder, file.sha256, &media->stop, &seconds, &error);
	if (result == 0)
		send_kept(media, file.sha256, file.bytes, seconds);
	else if (result != -ECANCELED)
		send_about(media, MEDIA_EVICTED, file.sha256, &error);
}

static void on_write(struct media *media, const struct message *message)
{
	struct error error = { "" };
	double seconds = 0;

	int result = media_folder_write(
		media->folder, message->sha256, message->bytes, message->length, &seconds, &error);
	if (result < 0) {
		send_about(media, MEDIA_REFUSED, message->sha256, &error);
		return;
	}
	/* What lay there was replaced. */
	size_t index = find_unchecked(media, message->sha256);
	if (index < media->unchecked_count)
		(void)take_unchecked(media, index);
	send_kept(media, message->sha256, (int64_t)message->length, seconds);
}

static void on_refuse(struct media *media, const struct message *message)
{
	send_about(media, MEDIA_REFUSED, message->sha256, &message->error);
}

static void on_verify(struct media *media, const struct message *message)
{
	verify(media, find_unchecked(media, message->sha256));
}

static void on_touch(struct media *media, const struct message *message)
{
	media_folder_touch(media->folder, message->sha256);
}

static void on_remove(struct media *media, const struct message *message)
{
	media_folder_remove(media->folder, message->sha256);
	send_about(media, MEDIA_EVICTED, message->sha256, NULL);
}

static const struct {
	void (*handle)(struct media *media, const struct message *message);
	bool brief; /* done even when the node stops */
} handlers[] = {
	[WRITE] = { on_write, false },
	[REFUSE] = { on_refuse, false },
	[VERIFY] = { on_verify, false },
	[TOUCH] = { on_touch, true },
	[REMOVE] = { on_remove, true },
};

/* Returns whether there were any. */
static bool take_messages(struct media *media)
{
	struct inbox_link *link = inbox_take(media->inbox);
	bool any = link != NULL;

	while (link) {
		struct message *message = (struct message *)link;
		link = link->next;
		if (handlers[message->what].brief || !atomic_load(&media->stop))
			handlers[message->what].handle(media, message);
		atomic_fetch_sub(&media->waiting_bytes, bytes_waiting(message));
		message_free(message);
		atomic_fetch_add(&media->turns, 1);
	}
	return any;
}

static void *run(void *context)
{
	struct media *media = context;
	bool last = false;

	list(media);
	while (!last) {
		struct pollfd inbox = { .fd = inbox_fd(media->inbox), .events = POLLIN };
		(void)poll(&inbox, 1, media->unchecked_count > 0 ? 0 : -1);
		atomic_fetch_add(&media->turns, 1);
		last = atomic_load(&media->stop); /* read first: what was posted before is seen */
		/* The last used first: it is the likeliest to be used again. */
		if (!take_messages(media) && !last && media->unchecked_count > 0)
			verify(media, media->unchecked_count - 1);
	}
	return NULL;
}

/* --- Main's side: starting and stopping ------------------------------------------------------- */

static struct media *media_free(struct media *media)
{
	if (!media)
		return NULL;
	inbox_free(media->inbox, release_message);
	free(media->unchecked);
	free(media->entries);
	free(media->folder);
	free(media);
	return NULL;
}
DEFINE_CLEANUP(struct media *, media_free)

struct media *media_start(const char *state_dir, struct inbox *events)
{
	_cleanup_(media_freep) struct media *media = xcalloc(1, sizeof *media);

	media->folder = xasprintf("%s/media", state_dir);
	media->events = events;
	media->inbox = inbox_new(MESSAGES_MAX);
	if (!media->inbox)
		return NULL;
	int result = thread_start(&media->thread, "media", 0, run, media);
	if (result < 0) {
		errno = -result;
		return NULL;
	}
	return hand_over(media);
}

int media_stop(struct media *media, int timeout_ms)
{
	if (!media)
		return 0;
	atomic_store(&media->stop, true);
	inbox_kick(media->inbox);
	int result = thread_join(&media->thread, timeout_ms);
	if (result == 0)
		media_free(media);
	return result;
}

void media_kick(struct media *media)
{
	inbox_kick(media->inbox);
}

uint64_t media_turns(const struct media *media)
{
	return atomic_load(&media->turns);
}

/* --- Main's side: the list -------------------------------------------------------------------- */

static struct entry *find(const struct media *media, const char *sha256)
{
	for (size_t i = 0; i < media->count; i++)
		if (strcmp(media->entries[i].sha256, sha256) == 0)
			return &media->entries[i];
	return NULL;
}

static struct entry *find_or_add(struct media *media, const char *sha256)
{
	struct entry *entry = find(media, sha256);

	if (entry)
		return entry;
	if (media->count == media->capacity) {
		media->capacity = media->capacity ? 2 * media->capacity : 16;
		media->entries = xreallocarray(
			media->entries, media->capacity, sizeof *media->entries);
	}
	entry = &media->entries[media->count++];
	*entry = (struct entry){ .state = MEDIA_UNKNOWN };
	memcpy(entry->sha256, sha256, SHA256_TEXT_SIZE);
	return entry;
}

/* An entry that says nothing any more goes. */
static void tidy(struct media *media, struct entry *entry)
{
	bool says_nothing = entry->state == MEDIA_UNKNOWN || entry->state == MEDIA_BAD;

	if (entry->holds == 0 && says_nothing)
		*entry = media->entries[--media->count];
}

static int post(struct media *media, enum what what, const char *sha256)
{
	struct message *message = message_new(what, sha256);
	int result = inbox_push(media->inbox, &message->link);
	if (result < 0)
		message_free(message);
	return result;
}

/* What is here, or only what is held of it. */
static int64_t sum_bytes(const struct media *media, bool held_only, size_t *ret_count)
{
	int64_t bytes = 0;

	*ret_count = 0;
	for (size_t i = 0; i < media->count; i++) {
		const struct entry *entry = &media->entries[i];
		if (entry->state != MEDIA_HERE || (held_only && entry->holds == 0))
			continue;
		bytes += entry->bytes;
		++*ret_count;
	}
	return bytes;
}

static struct entry *least_recently_used(const struct media *media)
{
	struct entry *least = NULL;

	for (size_t i = 0; i < media->count; i++) {
		struct entry *entry = &media->entries[i];
		if (entry->state == MEDIA_HERE && entry->holds == 0 &&
			(!least || entry->used < least->used))
			least = entry;
	}
	return least;
}

/* Main decides, and the thread removes: so nothing goes that main has just begun to need. */
static void evict(struct media *media)
{
	size_t count;

	while (sum_bytes(media, false, &count) > MEDIA_TOTAL_BYTES_MAX || count > MEDIA_FILES_MAX) {
		struct entry *entry = least_recently_used(media);
		if (!entry || post(media, REMOVE, entry->sha256) < 0)
			return; /* again when the next one has come */
		entry->state = MEDIA_UNKNOWN;
		tidy(media, entry);
	}
}

enum media_state media_state(const struct media *media, const char *sha256)
{
	const struct entry *entry = find(media, sha256);

	return entry ? entry->state : MEDIA_UNKNOWN;
}

static struct entry *find_here(const struct media *media, const char *sha256)
{
	struct entry *entry = find(media, sha256);

	return entry && entry->state == MEDIA_HERE ? entry : NULL;
}

double media_seconds(const struct media *media, const char *sha256)
{
	const struct entry *entry = find_here(media, sha256);

	return entry ? entry->seconds : 0;
}

char *media_path(struct media *media, const char *sha256)
{
	struct entry *entry = find_here(media, sha256);

	if (!entry)
		return NULL;
	entry->used = ++media->uses;
	(void)!post(media, TOUCH, sha256); /* if it is lost, only the order of use suffers */
	return xasprintf("%s/%s", media->folder, sha256);
}

void media_hold(struct media *media, const char *sha256)
{
	struct entry *entry = find_or_add(media, sha256);

	entry->holds++;
	if (entry->state == MEDIA_CHECKING && entry->listed)
		(void)!post(media, VERIFY, sha256); /* if it is lost, its turn comes */
}

void media_release(struct media *media, const char *sha256)
{
	struct entry *entry = find(media, sha256);

	if (!entry || entry->holds == 0)
		return;
	entry->holds--;
	tidy(media, entry);
	evict(media);
}

/* --- Main's side: what comes ------------------------------------------------------------------ */

/* Too large, or no room beside what is needed: that, too, is told from the loop, by the thread. */
static bool is_refused(const struct media *media, size_t length, struct error *error)
{
	size_t count;
	int64_t held_bytes = sum_bytes(media, true, &count);

	if (length > MEDIA_BYTES_MAX) {
		(void)error_set(
			error, 0, "bản ghi âm lớn quá %d MiB", MEDIA_BYTES_MAX / (1024 * 1024));
		return true;
	}
	if (held_bytes + (int64_t)length <= MEDIA_TOTAL_BYTES_MAX && count < MEDIA_FILES_MAX)
		return false;
	(void)error_set(error, 0, "hết chỗ: %zu bản ghi âm đang chờ phát đã chiếm %d MiB", count,
		(int)(held_bytes / (1024 * 1024)));
	return true;
}

int media_keep(struct media *media, const char *sha256, char *bytes, size_t length)
{
	if (!sha256_valid(sha256))
		return -EINVAL;
	if (find_here(media, sha256)) {
		free(bytes);
		return 0;
	}
	struct message *message = message_new(WRITE, sha256);
	message->length = length;
	if (is_refused(media, length, &message->error))
		message->what = REFUSE;
	size_t more = bytes_waiting(message);
	bool room = atomic_fetch_add(&media->waiting_bytes, more) + more <= WAITING_BYTES_MAX;
	message->bytes = bytes; /* before the thread has it */
	if (!room || inbox_push(media->inbox, &message->link) < 0) {
		atomic_fetch_sub(&media->waiting_bytes, more);
		message->bytes = NULL; /* the caller's still */
		message_free(message);
		return -ENOBUFS;
	}
	struct entry *entry = find_or_add(media, sha256);
	entry->state = MEDIA_CHECKING;
	entry->listed = false;
	return 0;
}

static void on_listed(struct media *media, const struct media_event *event)
{
	for (size_t i = 0; i < event->files_count; i++) {
		struct entry *entry = find_or_add(media, event->files[i].sha256);
		entry->used = ++media->uses;
		if (entry->state == MEDIA_CHECKING) /* it came in the meantime */
			continue;
		entry->state = MEDIA_CHECKING;
		entry->listed = true;
		if (entry->holds > 0)
			(void)!post(media, VERIFY, entry->sha256);
	}
}

static void on_kept(struct media *media, const struct media_event *event)
{
	struct entry *entry = find_or_add(media, event->sha256);

	if (!entry->listed)
		entry->used = ++media->uses;
	entry->state = MEDIA_HERE;
	entry->listed = false;
	entry->bytes = event->bytes;
	entry->seconds = event->seconds;
	evict(media);
}

/* A file that is here stays here, whatever else came under its name. */
static void on_refused(struct media *media, const struct media_event *event)
{
	struct entry *entry = find(media, event->sha256);

	if (!entry || entry->state == MEDIA_HERE)
		return;
	entry->state = MEDIA_BAD;
	tidy(media, entry);
}

/* One that main sent away may be coming again by now. */
static void on_evicted(struct media *media, const struct media_event *event)
{
	struct entry *entry = find(media, event->sha256);
	bool rotten = event->error.text[0] != '\0';

	if (!entry || (entry->state != MEDIA_HERE && !rotten))
		return;
	entry->state = MEDIA_UNKNOWN;
	tidy(media, entry);
}

void media_on_event(struct media *media, const struct media_event *event)
{
	static void (*const handle[])(struct media *media, const struct media_event *event) = {
		[MEDIA_LISTED] = on_listed,
		[MEDIA_KEPT] = on_kept,
		[MEDIA_REFUSED] = on_refused,
		[MEDIA_EVICTED] = on_evicted,
	};

	handle[event->what](media, event);
}
