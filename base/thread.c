/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/thread.h"
#include "base/strbuf.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>

struct start {
	char name[16];
	int realtime_priority;
	int done_fd;
	void *(*run)(void *context);
	void *context;
};

static void *thread_main(void *argument)
{
	_cleanup_(freep) struct start *start = argument;

	pthread_setname_np(pthread_self(), start->name);
	if (start->realtime_priority > 0) {
		struct sched_param parameters = { .sched_priority = start->realtime_priority };
		/* Refused without the right (RLIMIT_RTPRIO): then an ordinary thread must do. */
		(void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
	}
	start->run(start->context);
	eventfd_write(start->done_fd, 1);
	return NULL;
}

int thread_start(struct thread *thread, const char *name, int realtime_priority,
	void *(*run)(void *context), void *context)
{
	_cleanup_(freep) struct start *start = xcalloc(1, sizeof *start);
	pthread_attr_t attributes;
	sigset_t all, before;

	thread->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (thread->done_fd < 0)
		return -errno;
	*start = (struct start){ .realtime_priority = realtime_priority,
		.done_fd = thread->done_fd,
		.run = run,
		.context = context };
	snprintf(start->name, sizeof start->name, "%s", name);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);

	/* The new thread inherits the mask: no signal is ever delivered to it. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int result = pthread_create(&thread->id, &attributes, thread_main, start);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (result != 0) {
		close(thread->done_fd);
		return -result;
	}
	thread->started = true;
	start = NULL; /* the thread's now */
	return 0;
}

/* poll() and a plain join instead of pthread_clockjoin_np(): ThreadSanitizer of LLVM 16 does not
 * know that one, and pthread_timedjoin_np() follows the real-time clock, which may be set
 * meanwhile. */
int thread_join(struct thread *thread, int timeout_ms)
{
	if (!thread->started)
		return 0;
	struct pollfd done = { .fd = thread->done_fd, .events = POLLIN };
	if (poll(&done, 1, timeout_ms) <= 0)
		return -ETIMEDOUT;
	pthread_join(thread->id, NULL);
	close(thread->done_fd);
	thread->started = false;
	return 0;
}

bool thread_is_realtime(void)
{
	struct sched_param parameters;
	int policy;

	return pthread_getschedparam(pthread_self(), &policy, &parameters) == 0 &&
	       policy == SCHED_FIFO;
}
