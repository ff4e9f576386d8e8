/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A real-time clock that can be set for one process, without touching the machine's: a library for
 * LD_PRELOAD. The program under test knows nothing of it and asks libc, as always.
 *
 * It is built as <build>/tests/clock/libloaclock.so. The environment variable LOACLOCK names a file
 * of 8 bytes: a signed number of nanoseconds, in the machine's byte order, that is added to
 * CLOCK_REALTIME. To set the clock, write it anew in place (one pwrite(2) of 8 bytes, no truncation).
 * Every process that has the library sees it at once. Without the variable, or without the file,
 * the clock is the machine's.
 *
 * What follows the offset: clock_gettime() of CLOCK_REALTIME and its coarse sister, gettimeofday(),
 * time(), timespec_get(); and timers of timerfd_create(CLOCK_REALTIME): absolute ones are armed
 * anew when the clock is set, as the kernel does; those with TFD_TIMER_CANCEL_ON_SET fire (where
 * the kernel lets read() fail with ECANCELED, they report one expiration). Absolute waits in libc
 * (pthread_cond_timedwait() and the like) do not; the daemon has none, for the same reason.
 *
 * All of it is by system call: nothing here waits for a dynamic linker or a sanitizer to be ready.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX     1024 /* timers with a higher descriptor stay with the machine's clock */
#define NS_PER_SEC  INT64_C(1000000000)
#define STACK_BYTES ((size_t)64 * 1024)

struct timer {
	bool ours; /* of CLOCK_REALTIME */
	bool armed;
	int flags;
	struct itimerspec wanted; /* as the program asked for it */
};

/* The state of a library that replaces functions of libc can only be global. */
static const int64_t *offset_ns; /* NULL: the machine's clock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct timer timers[FDS_MAX];
static int changes_fd = -1; /* inotify on the file */

static int64_t offset(void)
{
	return offset_ns ? __atomic_load_n(offset_ns, __ATOMIC_RELAXED) : 0;
}

static struct timespec shifted(struct timespec when, int64_t by_ns)
{
	int64_t ns = when.tv_sec * NS_PER_SEC + when.tv_nsec + by_ns;

	if (ns < 1)
		ns = 1; /* 0 would disarm a timer */
	return (struct timespec){ .tv_sec = ns / NS_PER_SEC, .tv_nsec = ns % NS_PER_SEC };
}

/* --- asking for the time ------------------------------------------------------------------------
 */

int clock_gettime(clockid_t which, struct timespec *ret_now)
{
	long r = syscall(SYS_clock_gettime, which, ret_now);

	if (r == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
		*ret_now = shifted(*ret_now, offset());
	return (int)r;
}

int gettimeofday(struct timeval *restrict ret_now, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*ret_now = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
	return 0;
}

time_t time(time_t *ret_now)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret_now)
		*ret_now = now.tv_sec;
	return now.tv_sec;
}

int timespec_get(struct timespec *ret_now, int base)
{
	if (base != TIME_UTC)
		return 0;
	clock_gettime(CLOCK_REALTIME, ret_now);
	return base;
}

/* --- timers -------------------------------------------------------------------------------------
 */

static struct timer *timer_of(int fd)
{
	return fd >= 0 && fd < FDS_MAX && timers[fd].ours ? &timers[fd] : NULL;
}

static bool is_zero(struct timespec when)
{
	return when.tv_sec == 0 && when.tv_nsec == 0;
}

static long arm(int fd, const struct timer *timer, struct itimerspec *ret_old)
{
	struct itimerspec kernel = timer->wanted;

	if (timer->flags & TFD_TIMER_ABSTIME && !is_zero(kernel.it_value))
		kernel.it_value = shifted(kernel.it_value, -offset());
	return syscall(SYS_timerfd_settime, fd, timer->flags, &kernel, ret_old);
}

int timerfd_create(int which, int flags)
{
	int fd = (int)syscall(SYS_timerfd_create, which, flags);

	pthread_mutex_lock(&lock);
	if (fd >= 0 && fd < FDS_MAX)
		timers[fd] = (struct timer){ .ours = which == CLOCK_REALTIME };
	pthread_mutex_unlock(&lock);
	return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *ret_old)
{
	long r;

	pthread_mutex_lock(&lock);
	struct timer *timer = timer_of(fd);
	if (timer) {
		timer->flags = flags;
		timer->wanted = *wanted;
		timer->armed = !is_zero(wanted->it_value);
		r = arm(fd, timer, ret_old);
	} else {
		r = syscall(SYS_timerfd_settime, fd, flags, wanted, ret_old);
	}
	pthread_mutex_unlock(&lock);
	return (int)r;
}

/* --- when somebody sets the clock ---------------------------------------------------------------
 */

/* A descriptor that was closed, and is something else by now, is no timer any more: settime says
 * EINVAL. (One that is a timer again was created again, and is in the table as such.) */
static void on_set(void)
{
	static const struct itimerspec at_once = { .it_value.tv_nsec = 1 };

	pthread_mutex_lock(&lock);
	for (int fd = 0; fd < FDS_MAX; fd++) {
		struct timer *timer = timer_of(fd);
		if (!timer || !timer->armed || !(timer->flags & TFD_TIMER_ABSTIME))
			continue;
		long r = timer->flags & TFD_TIMER_CANCEL_ON_SET
				 ? syscall(SYS_timerfd_settime, fd, 0, &at_once, NULL)
				 : arm(fd, timer, NULL);
		if (r < 0)
			timer->ours = false;
	}
	pthread_mutex_unlock(&lock);
}

static void *watch(void *context)
{
	char events[sizeof(struct inotify_event) * 16] __attribute__((aligned(8)));

	(void)context;
	for (;;) {
		ssize_t got = read(changes_fd, events, sizeof events);
		if (got < 0 && errno != EINTR)
			return NULL;
		if (got > 0)
			on_set();
	}
}

static int start_watching(const char *path)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;

	changes_fd = inotify_init1(IN_CLOEXEC);
	if (changes_fd < 0 || inotify_add_watch(changes_fd, path, IN_MODIFY) < 0)
		return -errno;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all); /* the program's signals are the program's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = pthread_create(&thread, &attributes, watch, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("LOACLOCK");

	if (!path)
		return;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	void *map = mmap(NULL, sizeof *offset_ns, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return;
	offset_ns = map;
	(void)start_watching(path);
}
