/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base/: inbox and thread, with real threads (worth most under TSan). */
#include "base/inbox.h"
#include "base/strbuf.h"
#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define SENDERS 4
#define EACH    5000

struct note {
	struct inbox_link link;
	int sender, number;
};

struct sender {
	struct inbox *inbox;
	int index;
	struct thread thread;
};

static void *send_notes(void *context)
{
	const struct sender *sender = context;

	for (int i = 0; i < EACH; i++) {
		struct note *note = xcalloc(1, sizeof *note);
		note->sender = sender->index;
		note->number = i;
		while (inbox_push(sender->inbox, &note->link) == -ENOBUFS)
			sched_yield();
	}
	return NULL;
}

/* Nothing is lost, nothing doubled, and each sender's order is kept, also when it is full. */
static void test_many_senders(void **state)
{
	struct inbox *inbox = inbox_new(64);
	struct sender senders[SENDERS];
	int next[SENDERS] = { 0 }, got = 0;

	(void)state;
	for (int i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){ .inbox = inbox, .index = i };
		assert_int_equal(
			thread_start(&senders[i].thread, "sender", 0, send_notes, &senders[i]), 0);
	}
	while (got < SENDERS * EACH) {
		struct pollfd fd = { .fd = inbox_fd(inbox), .events = POLLIN };
		assert_int_equal(poll(&fd, 1, 10000), 1);
		for (struct inbox_link *after, *link = inbox_take(inbox); link; link = after) {
			struct note *note = (struct note *)link;
			after = link->next;
			assert_int_equal(note->number, next[note->sender]++);
			free(note);
			got++;
		}
	}
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(thread_join(&senders[i].thread, 5000), 0);
	assert_null(inbox_take(inbox));
	inbox_free(inbox, NULL);
}

static void test_full_and_kick(void **state)
{
	struct inbox *inbox = inbox_new(1);
	struct pollfd fd = { .fd = inbox_fd(inbox), .events = POLLIN };
	struct note *first = xcalloc(1, sizeof *first), second;

	(void)state;
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_int_equal(inbox_push(inbox, &first->link), 0);
	assert_int_equal(inbox_push(inbox, &second.link), -ENOBUFS);
	assert_int_equal(poll(&fd, 1, 0), 1);
	assert_ptr_equal(inbox_take(inbox), first);
	assert_int_equal(poll(&fd, 1, 0), 0);
	inbox_kick(inbox);
	assert_int_equal(poll(&fd, 1, 0), 1);
	assert_null(inbox_take(inbox));
	assert_int_equal(poll(&fd, 1, 0), 0);
	assert_int_equal(
		inbox_push(inbox, &first->link), 0); /* left inside: inbox_free() releases it */
	inbox_free(inbox, NULL);
}

static void *report_mask(void *context)
{
	sigset_t *mask = context;

	pthread_sigmask(SIG_BLOCK, NULL, mask);
	return NULL;
}

static void *wait_for_fd(void *context)
{
	struct pollfd fd = { .fd = *(int *)context, .events = POLLIN };

	(void)poll(&fd, 1, -1);
	return NULL;
}

static void test_thread(void **state)
{
	struct thread thread = { 0 };
	sigset_t mask, before, after;

	(void)state;
	assert_int_equal(thread_join(&thread, 0), 0); /* never started */
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	assert_int_equal(thread_start(&thread, "masked", 0, report_mask, &mask), 0);
	assert_int_equal(thread_join(&thread, 5000), 0);
	assert_true(sigismember(&mask, SIGTERM) && sigismember(&mask, SIGHUP));
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));

	struct inbox *inbox = inbox_new(1);
	int fd = inbox_fd(inbox);
	assert_int_equal(thread_start(&thread, "hanging", 0, wait_for_fd, &fd), 0);
	assert_int_equal(thread_join(&thread, 20), -ETIMEDOUT);
	inbox_kick(inbox);
	assert_int_equal(thread_join(&thread, 5000), 0);
	inbox_free(inbox, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_senders),
		cmocka_unit_test(test_full_and_kick),
		cmocka_unit_test(test_thread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
