/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/inbox.h"
#include "base/strbuf.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>

struct inbox {
	int wake_fd;
	size_t limit;
	pthread_mutex_t lock; /* guards all below */
	size_t count;
	struct inbox_link *first;
	struct inbox_link **end;
};

struct inbox *inbox_new(size_t limit)
{
	int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (wake_fd < 0)
		return NULL;
	struct inbox *inbox = xcalloc(1, sizeof *inbox);
	*inbox = (struct inbox){
		.wake_fd = wake_fd, .limit = limit, .lock = PTHREAD_MUTEX_INITIALIZER
	};
	inbox->end = &inbox->first;
	return inbox;
}

struct inbox *inbox_free(struct inbox *inbox, void (*release)(struct inbox_link *))
{
	if (!inbox)
		return NULL;
	for (struct inbox_link *next, *link = inbox->first; link; link = next) {
		next = link->next;
		if (release)
			release(link);
		else
			free(link);
	}
	close(inbox->wake_fd);
	pthread_mutex_destroy(&inbox->lock);
	free(inbox);
	return NULL;
}

void inbox_kick(struct inbox *inbox)
{
	uint64_t one = 1;

	/* Fails only when the counter is full, and then it is readable anyway. */
	if (write(inbox->wake_fd, &one, sizeof one) < 0)
		return;
}

int inbox_push(struct inbox *inbox, struct inbox_link *message)
{
	int result = 0;

	message->next = NULL;
	pthread_mutex_lock(&inbox->lock);
	if (inbox->count >= inbox->limit) {
		result = -ENOBUFS;
	} else {
		*inbox->end = message;
		inbox->end = &message->next;
		inbox->count++;
	}
	pthread_mutex_unlock(&inbox->lock);
	if (result == 0)
		inbox_kick(inbox);
	return result;
}

struct inbox_link *inbox_take(struct inbox *inbox)
{
	uint64_t kicks;

	/* Cleared before the list is taken: a push in between leaves it readable, never unread. */
	if (read(inbox->wake_fd, &kicks, sizeof kicks) < 0)
		kicks = 0;
	pthread_mutex_lock(&inbox->lock);
	struct inbox_link *list = inbox->first;
	inbox->first = NULL;
	inbox->end = &inbox->first;
	inbox->count = 0;
	pthread_mutex_unlock(&inbox->lock);
	return list;
}

int inbox_fd(const struct inbox *inbox)
{
	return inbox->wake_fd;
}
