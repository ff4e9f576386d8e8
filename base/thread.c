/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/thread.h"
#include "base/strbuf.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

struct start {
	char name[16];
	int realtime_priority;
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
	return start->run(start->context);
}

int thread_start(struct thread *thread, const char *name, int realtime_priority,
	void *(*run)(void *context), void *context)
{
	_cleanup_(freep) struct start *start = xcalloc(1, sizeof *start);
	pthread_attr_t attributes;
	sigset_t all, before;

	*start = (struct start){
		.realtime_priority = realtime_priority, .run = run, .context = context
	};
	snprintf(start->name, sizeof start->name, "%s", name);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);

	/* The new thread inherits the mask: no signal is ever delivered to it. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int result = pthread_create(&thread->id, &attributes, thread_main, start);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (result != 0)
		return -result;
	thread->started = true;
	start = NULL; /* the thread's now */
	return 0;
}

int thread_join(struct thread *thread, int timeout_ms)
{
	struct timespec deadline;

	if (!thread->started)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += timeout_ms / 1000;
	deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000;
	}
	int result = pthread_clockjoin_np(thread->id, NULL, CLOCK_MONOTONIC, &deadline);
	if (result != 0)
		return -result;
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
