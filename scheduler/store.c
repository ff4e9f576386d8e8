/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "base/thread.h"
#include "scheduler/store_change.h"
#include "scheduler/store_copy.h"
#include "scheduler/store_file.h"
#include "scheduler/store_history.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#define RETRY_FIRST_US (1 * US_PER_SEC)
#define RETRY_MOST_US  (30 * US_PER_SEC)
#define UNSENT_POLL_MS 100 /* main is not taking its events: try again this soon */

/* From main to the thread: a group of changes, a request for receipts (limit > 0), or a search of
 * the history. */
struct message {
	struct inbox_link link; /* first */
	struct store_change *first, **end;
	size_t count, bytes;
	uint64_t ticket; /* of the last change */
	uint64_t after_sequence;
	size_t limit;
	struct store_search *search; /* NULL: none */
};

/* Messages in order. */
struct line {
	struct message *first, *last;
};

struct store {
	/* Set before the thread starts. */
	char *state_dir;
	struct inbox *events;
	struct inbox *inbox;
	struct thread thread;

	/* Main's. */
	struct message *group; /* being made; NULL: nothing posted since the last flush */
	uint64_t ticket;

	/* Both. */
	atomic_bool stop;
	atomic_ullong turns;
	atomic_size_t waiting_count, waiting_bytes; /* changes that are posted and not written */
	atomic_ullong dropped_up_to;                /* ticket; 0: nothing was given up */

	/* The thread's. */
	struct store_file *file; /* NULL: not open */
	struct line changes;     /* waiting to be written */
	struct line requests;    /* waiting to be answered */
	struct line searches;    /* the first is under way */
	bool faulty;
	struct error damage;   /* the file's, found while it was used: begin anew; "": none */
	bool dropped_told;     /* in this fault */
	uint64_t dropped_seen; /* what events have told of dropped_up_to */
	int64_t retry_mono_us, retry_after_us;
	struct inbox_link *unsent; /* events that main's inbox had no room for, oldest first */
};

/* --- Messages ------------------------------------------------------------------------------- */

static struct message *message_new(void)
{
	struct message *message = xcalloc(1, sizeof *message);

	message->end = &message->first;
	return message;
}

static struct message *message_free(struct message *message)
{
	if (!message)
		return NULL;
	store_change_free_all(message->first);
	store_search_free(message->search);
	free(message);
	return NULL;
}

static void release_message(struct inbox_link *link)
{
	message_free((struct message *)link);
}

static void line_add(struct line *line, struct message *message)
{
	message->link.next = NULL;
	if (line->last)
		line->last->link.next = &message->link;
	else
		line->first = message;
	line->last = message;
}

static struct message *line_take(struct line *line)
{
	struct message *message = line->first;

	if (!message)
		return NULL;
	line->first = (struct message *)message->link.next;
	if (!line->first)
		line->last = NULL;
	message->link.next = NULL;
	return message;
}

static void line_clear(struct line *line)
{
	for (struct message *message; (message = line_take(line));)
		message_free(message);
}

/* --- Events (the thread) -------------------------------------------------------------------- */

static struct store_event *event_new(enum store_event_what what)
{
	struct store_event *event = xcalloc(1, sizeof *event);

	event->what = what;
	return event;
}

static void send_unsent(struct store *store)
{
	while (store->unsent) {
		struct inbox_link *next = store->unsent->next;
		if (inbox_push(store->events, store->unsent) < 0) {
			store->unsent->next = next; /* a refused push has cut the list */
			return;
		}
		store->unsent = next;
	}
}

/* Takes the event. Order is kept, also when main does not take any for a while. */
static void send_event(struct store *store, struct store_event *event)
{
	struct inbox_link **end = &store->unsent;

	while (*end)
		end = &(*end)->next;
	event->link.next = NULL;
	*end = &event->link;
	send_unsent(store);
}

static void send_fault(struct store *store, const struct error *error)
{
	struct store_event *event = event_new(STORE_FAULT);

	event->error = *error;
	event->dropped_up_to = atomic_load(&store->dropped_up_to);
	store->dropped_seen = event->dropped_up_to;
	store->faulty = true;
	send_event(store, event);
}

static void send_recovered(struct store *store)
{
	struct store_event *event = event_new(STORE_RECOVERED);

	event->dropped_up_to = atomic_load(&store->dropped_up_to);
	store->dropped_seen = event->dropped_up_to;
	(void)error_set(&event->error, 0, "%s", store_file_notice(store->file));
	event->begun_anew = *event->error.text;
	store->faulty = false;
	store->dropped_told = false;
	send_event(store, event);
}

static void send_durable(struct store *store, uint64_t ticket)
{
	struct store_event *event = event_new(STORE_DURABLE);

	event->ticket = ticket;
	send_event(store, event);
}

/* --- Writing (the thread) ------------------------------------------------------------------- */

/* After a failure the file is closed: what the kernel forgot to write, a new handle reads anew. */
static void on_failure(struct store *store, int result, const struct error *error)
{
	store->file = store_file_close(store->file);
	if (result == -EBADMSG)
		store->damage = *error;
	store->retry_after_us = store->retry_after_us ? 2 * store->retry_after_us : RETRY_FIRST_US;
	if (store->retry_after_us > RETRY_MOST_US)
		store->retry_after_us = RETRY_MOST_US;
	store->retry_mono_us = clock_mono_us() + store->retry_after_us;
	if (!store->faulty)
		send_fault(store, error);
}

/* Makes store->file open, anew if the last one was found damaged. */
static int open_file(struct store *store, struct error *error)
{
	if (store->file)
		return 0;
	if (mkdir(store->state_dir, 0750) < 0 && errno != EEXIST && errno != EROFS)
		return error_set(error, -errno, "%s: không tạo được thư mục: %s", store->state_dir,
			strerror(errno));
	if (!*store->damage.text)
		return store_file_open(store->state_dir, &store->file, error);
	int result = store_file_renew(store->state_dir, &store->damage, &store->file, error);
	if (result == 0)
		*store->damage.text = '\0';
	return result;
}

/* One transaction for everything that waits: on an SD card a commit costs far more than a row. */
static int write_changes(struct store *store, struct error *error)
{
	int result = store_file_begin(store->file, error);

	for (struct message *group = store->changes.first; group && result == 0;
		group = (struct message *)group->link.next)
		for (struct store_change *change = group->first; change && result == 0;
			change = change->next)
			result = store_file_change(store->file, change, error);
	return result == 0 ? store_file_commit(store->file, error) : result;
}

static void forget_group(struct store *store, struct message *group)
{
	atomic_fetch_sub(&store->waiting_count, group->count);
	atomic_fetch_sub(&store->waiting_bytes, group->bytes);
	message_free(group);
}

static void forget_written(struct store *store)
{
	uint64_t ticket = 0;

	for (struct message *group; (group = line_take(&store->changes));) {
		ticket = group->ticket;
		forget_group(store, group);
	}
	if (ticket > 0)
		send_durable(store, ticket);
}

/* Opens the file if need be and writes what waits. */
static void write_waiting(struct store *store)
{
	struct error error = { "" };
	int result = open_file(store, &error);

	if (result == 0 && store->changes.first)
		result = write_changes(store, &error);
	if (result < 0) {
		on_failure(store, result, &error);
		return;
	}
	store->retry_after_us = 0;
	if (store->faulty)
		send_recovered(store);
	forget_written(store);
	store_file_tidy(store->file);
}

static void note_dropped(struct store *store, uint64_t ticket)
{
	unsigned long long known = atomic_load(&store->dropped_up_to);

	/* Both threads may note one; the greater stays. */
	while (known < ticket &&
		!atomic_compare_exchange_weak(&store->dropped_up_to, &known, ticket))
		continue;
}

static bool too_much_waits(const struct store *store, unsigned times)
{
	return atomic_load(&store->waiting_count) > (size_t)times * STORE_WAITING_MAX ||
	       atomic_load(&store->waiting_bytes) > (size_t)times * STORE_WAITING_BYTES_MAX;
}

/* While the disk fails memory must not grow: the oldest groups go, and main is told. */
static void drop_excess(struct store *store)
{
	while (store->changes.first && too_much_waits(store, 1)) {
		struct message *group = line_take(&store->changes);
		note_dropped(store, group->ticket);
		forget_group(store, group);
	}
	if (atomic_load(&store->dropped_up_to) <= store->dropped_seen || store->dropped_told)
		return;
	struct error error;
	(void)error_set(
		&error, 0, "đĩa không ghi được đã lâu: bỏ các thay đổi cũ nhất đang chờ ghi");
	send_fault(store, &error);
	store->dropped_told = true;
}

/* --- Reading receipts (the thread) ---------------------------------------------------------- */

/* Adds the receipts that wait to be written; theirs are the greatest sequences. */
static void add_waiting_receipts(
	const struct store *store, const struct message *request, struct store_event *event)
{
	for (struct message *group = store->changes.first; group;
		group = (struct message *)group->link.next)
		for (struct store_change *change = group->first; change; change = change->next) {
			if (change->kind != STORE_PUT_RECEIPT ||
				change->sequence <= request->after_sequence ||
				event->receipts_count >= request->limit)
				continue;
			store_event_add_receipt(event, change->sequence, change->text, true);
		}
}

/* Reading may go well where writing does not. Where it does not either only memory can answer; that
 * is better than no proof of play at all. */
static void answer_requests(struct store *store)
{
	for (struct message *request; (request = line_take(&store->requests));) {
		struct store_event *event = event_new(STORE_RECEIPTS);
		struct error error = { "" };
		int result = open_file(store, &error);
		if (result == 0)
			result = store_file_read_receipts(store->file, request->after_sequence,
				request->limit, event, &error);
		if (result < 0)
			on_failure(store, result, &error);
		add_waiting_receipts(store, request, event);
		send_event(store, event);
		message_free(request);
	}
}

/* --- The history (the thread) --------------------------------------------------------------- */

static void look_at_waiting(const struct store *store, struct store_search *search)
{
	for (struct message *group = store->changes.first; group;
		group = (struct message *)group->link.next)
		for (struct store_change *change = group->first; change; change = change->next)
			if (change->kind == STORE_PUT_RECEIPT)
				store_search_look(
					search, change->sequence, change->time_us, change->text);
}

/* One piece of the first search; what is to be written goes before the next one. */
static void search_on(struct store *store)
{
	struct message *first = store->searches.first;
	struct error error = { "" };

	if (!first)
		return;
	int result = open_file(store, &error);
	if (result == 0)
		result = store_search_go_on(first->search, store->file, &error);
	if (result > 0)
		return;
	if (result < 0)
		on_failure(store, result, &error);
	look_at_waiting(store, first->search);
	send_event(store, store_search_take(first->search));
	message_free(line_take(&store->searches));
}

/* --- The thread ----------------------------------------------------------------------------- */

/* An event without anything. Its sequences start where no earlier file of this node has come, so
 * that they stay in order with what the file holds if it can be opened later. */
static struct store_event *loaded_nothing(const struct error *error)
{
	struct store_event *event = event_new(STORE_LOADED);

	event->next_sequence = (uint64_t)clock_real_us();
	event->next_receipt_sequence = event->next_sequence;
	event->error = *error;
	return event;
}

static int try_load(struct store *store, struct store_event **ret_event, struct error *error)
{
	struct store_event *event = event_new(STORE_LOADED);
	int result = open_file(store, error);

	if (result == 0)
		result = store_file_load(store->file, event, error);
	if (result < 0) {
		store_event_free(&event->link);
		return result;
	}
	*ret_event = event;
	return 0;
}

/* What a file that cannot be written holds, if it can be read; otherwise nothing. */
static struct store_event *load_unwritable(
	const struct store *store, int result, const struct error *error)
{
	struct store_event *event = event_new(STORE_LOADED);
	struct error why; /* no copy: the first cause is the one to tell */

	if (!store_copy_helps(result) || store_copy_load(store->state_dir, event, &why) < 0) {
		store_event_free(&event->link);
		return loaded_nothing(error);
	}
	(void)error_set(&event->error, 0,
		"%s; đã nạp từ một bản sao, chưa ghi lại được gì cho đến khi đĩa ghi được",
		error->text);
	return event;
}

/* Sends STORE_LOADED, whatever happens. */
static void load(struct store *store)
{
	struct store_event *event = NULL;
	struct error error = { "" };
	int result = try_load(store, &event, &error);

	if (result == -EBADMSG && store->file) { /* damage that only reading the rows showed */
		store->file = store_file_close(store->file);
		store->damage = error;
		result = try_load(store, &event, &error);
	}
	if (result == 0) {
		send_event(store, event);
		return;
	}
	store->file = store_file_close(store->file); /* before another handle: SQLite's locks */
	send_event(store, load_unwritable(store, result, &error));
	on_failure(store, result, &error);
}

static void take_messages(struct store *store)
{
	struct inbox_link *link = inbox_take(store->inbox);

	while (link) {
		struct message *message = (struct message *)link;
		link = link->next;
		line_add(message->search  ? &store->searches
			 : message->limit ? &store->requests
					  : &store->changes,
			message);
	}
}

static bool retry_due(const struct store *store)
{
	return clock_mono_us() >= store->retry_mono_us;
}

static void turn(struct store *store, bool last)
{
	take_messages(store);
	bool work = store->changes.first || !store->file || store->faulty;
	if (work && (last || !store->faulty || retry_due(store)))
		write_waiting(store);
	drop_excess(store);
	answer_requests(store);
	search_on(store);
	send_unsent(store);
}

static int wait_ms(const struct store *store)
{
	if (store->searches.first)
		return 0;
	if (store->unsent)
		return UNSENT_POLL_MS;
	if (!store->faulty)
		return -1;
	int64_t left_ms = (store->retry_mono_us - clock_mono_us()) / US_PER_MS + 1;
	return left_ms > 0 ? (int)left_ms : 0;
}

static void *run(void *context)
{
	struct store *store = context;
	bool last = false;

	load(store);
	while (!last) {
		struct pollfd inbox = { .fd = inbox_fd(store->inbox), .events = POLLIN };
		(void)poll(&inbox, 1, wait_ms(store));
		atomic_fetch_add(&store->turns, 1);
		last = atomic_load(&store->stop); /* read first: what was posted before is seen */
		turn(store, last);
	}
	store->file = store_file_close(store->file);
	return NULL;
}

/* --- Main's side ---------------------------------------------------------------------------- */

static struct store *store_free(struct store *store)
{
	if (!store)
		return NULL;
	line_clear(&store->changes);
	line_clear(&store->requests);
	line_clear(&store->searches);
	for (struct inbox_link *next, *link = store->unsent; link; link = next) {
		next = link->next;
		store_event_free(link);
	}
	message_free(store->group);
	inbox_free(store->inbox, release_message);
	free(store->state_dir);
	free(store);
	return NULL;
}
DEFINE_CLEANUP(struct store *, store_free)

struct store *store_start(const char *state_dir, struct inbox *events)
{
	_cleanup_(store_freep) struct store *store = xcalloc(1, sizeof *store);

	store->state_dir = xstrdup(state_dir);
	store->events = events;
	store->inbox = inbox_new(SIZE_MAX); /* what may wait is counted in changes and bytes */
	if (!store->inbox)
		return NULL;
	int result = thread_start(&store->thread, "store", 0, run, store);
	if (result < 0) {
		errno = -result;
		return NULL;
	}
	return hand_over(store);
}

int store_stop(struct store *store, int timeout_ms)
{
	if (!store)
		return 0;
	store_flush(store);
	atomic_store(&store->stop, true);
	inbox_kick(store->inbox);
	int result = thread_join(&store->thread, timeout_ms);
	if (result == 0)
		store_free(store);
	return result;
}

/* Takes the change. */
static uint64_t post(struct store *store, struct store_change change)
{
	if (!store->group)
		store->group = message_new();
	struct message *group = store->group;
	struct store_change *kept = xcalloc(1, sizeof *kept);
	*kept = change;
	*group->end = kept;
	group->end = &kept->next;
	group->count++;
	group->bytes += store_change_bytes(kept);
	group->ticket = ++store->ticket;
	return group->ticket;
}

uint64_t store_put_announcement(struct store *store, const struct announcement *announcement,
	int64_t arrival_us, uint64_t sequence)
{
	return post(store, (struct store_change){
				   .kind = STORE_PUT_ANNOUNCEMENT,
				   .id = xstrdup(announcement->id),
				   .text = announcement_format(announcement),
				   .revision = announcement->revision,
				   .time_us = arrival_us,
				   .sequence = sequence,
			   });
}

uint64_t store_drop_announcement(struct store *store, const char *id)
{
	return post(
		store, (struct store_change){ .kind = STORE_DROP_ANNOUNCEMENT, .id = xstrdup(id) });
}

uint64_t store_put_play(struct store *store, const struct store_play *play)
{
	return post(store, (struct store_change){
				   .kind = STORE_PUT_PLAY,
				   .id = xstrdup(play->id),
				   .output = xstrdup(play->output),
				   .revision = play->revision,
				   .state = play->state,
				   .time_us = play->forget_us,
				   .progress = {
					   .item = play->item,
					   .tries = play->tries,
					   .offset_us = play->offset_us,
					   .played_us = play->played_us,
				   },
			   });
}

uint64_t store_put_schedule(struct store *store, const struct store_schedule *schedule)
{
	return post(store, (struct store_change){
				   .kind = STORE_PUT_SCHEDULE,
				   .zone = xstrdup(schedule->zone),
				   .id = xstrdup(schedule->id),
				   .text = schedule->json ? xstrdup(schedule->json) : NULL,
				   .revision = schedule->revision,
				   .since_us = schedule->since_us,
				   .time_us = schedule->forget_us,
			   });
}

uint64_t store_drop_schedule(struct store *store, const char *zone, const char *id)
{
	return post(store, (struct store_change){
				   .kind = STORE_DROP_SCHEDULE,
				   .zone = xstrdup(zone),
				   .id = xstrdup(id),
			   });
}

uint64_t store_put_receipt(struct store *store, uint64_t sequence, int64_t at_us, const char *json)
{
	return post(store, (struct store_change){
				   .kind = STORE_PUT_RECEIPT,
				   .sequence = sequence,
				   .time_us = at_us,
				   .text = xstrdup(json),
			   });
}

uint64_t store_receipts_taken(struct store *store, uint64_t up_to_sequence)
{
	return post(store,
		(struct store_change){ .kind = STORE_RECEIPTS_TAKEN, .sequence = up_to_sequence });
}

uint64_t store_prune_history(struct store *store, int64_t before_us)
{
	post(store, (struct store_change){ .kind = STORE_PRUNE_OLD, .time_us = before_us });
	return post(store, (struct store_change){ .kind = STORE_PRUNE_EXCESS });
}

uint64_t store_put_setting(struct store *store, const char *key, const char *value)
{
	return post(store,
		(struct store_change){
			.kind = STORE_PUT_SETTING, .id = xstrdup(key), .text = xstrdup(value) });
}

uint64_t store_forget(struct store *store, int64_t now_us)
{
	post(store, (struct store_change){ .kind = STORE_FORGET_PLAYS, .time_us = now_us });
	return post(store, (struct store_change){ .kind = STORE_FORGET_ANNOUNCEMENTS });
}

void store_flush(struct store *store)
{
	struct message *group = hand_over(store->group);

	if (!group)
		return;
	atomic_fetch_add(&store->waiting_count, group->count);
	atomic_fetch_add(&store->waiting_bytes, group->bytes);
	/* The thread drops what is too old; if it hangs in the kernel, this side has to. */
	if (!too_much_waits(store, 2) && inbox_push(store->inbox, &group->link) == 0)
		return;
	note_dropped(store, group->ticket);
	forget_group(store, group);
	inbox_kick(store->inbox);
}

void store_read_receipts(struct store *store, uint64_t after_sequence, size_t limit)
{
	store_flush(store);
	struct message *request = message_new();
	request->after_sequence = after_sequence;
	request->limit = limit ? limit : 1;
	if (inbox_push(store->inbox, &request->link) < 0)
		message_free(request);
}

void store_read_history(struct store *store, const struct store_history_query *query)
{
	store_flush(store);
	struct message *request = message_new();
	request->search = store_search_new(query);
	if (inbox_push(store->inbox, &request->link) < 0)
		message_free(request);
}

void store_kick(struct store *store)
{
	inbox_kick(store->inbox);
}

uint64_t store_turns(const struct store *store)
{
	return atomic_load(&store->turns);
}
