/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Threads of ours: named, small-stacked, with every signal blocked, joined with a deadline and
 * never cancelled. How a thread is told to stop is its module's business (a flag and a kick).
 */
#pragma once

#include "base/cleanup.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define THREAD_STACK_BYTES (512 * 1024)

struct thread {
	pthread_t id;
	bool started;
	int done_fd; /* an eventfd: readable when the thread has run to its end */
};

/* Starts `run(context)`. `name` is at most 15 bytes. `realtime_priority` 0 is an ordinary thread;
 * 1…99 asks for SCHED_FIFO and falls back to an ordinary thread where that is not allowed
 * (thread_is_realtime() tells). -errno of pthread_create. */
int thread_start(struct thread *thread, const char *name, int realtime_priority,
	void *(*run)(void *context), void *context) _must_check_;

/* Joins within `timeout_ms`; 0, or -ETIMEDOUT (the thread goes on; the process must _exit). A
 * thread that was not started joins at once. */
int thread_join(struct thread *thread, int timeout_ms) _must_check_;

/* Whether the calling thread runs under SCHED_FIFO. */
bool thread_is_realtime(void);
