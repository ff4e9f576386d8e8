/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/programme.h"
#include "audio/mix.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

struct programme {
	unsigned rate_hz;
	size_t capacity; /* frames */
	float *ring;     /* mmap: goes back to the system when freed, whatever malloc thinks */
	size_t marks_count;
	_Atomic uint64_t *marks; /* producer writes; position of each item, or PROGRAMME_NO_FRAME */
	int space_fd;

	/* main, before the hand-over */
	int64_t start_mono_us;
	float gain;

	_Atomic uint64_t pushed;  /* producer: frames since the beginning */
	_Atomic uint64_t pulled;  /* consumer: likewise */
	_Atomic bool complete;    /* producer */
	_Atomic bool aborted;     /* main */
	_Atomic bool want_space;  /* set by the producer, taken by the consumer */
	_Atomic bool want_frames; /* set by the consumer, taken by the producer */
	_Atomic int wake_fd;      /* ours: a duplicate of the consumer's */
};

struct programme *programme_new(unsigned rate_hz, size_t marks, int64_t start_mono_us)
{
	if (rate_hz < 1000 || rate_hz > 768000) {
		errno = EINVAL;
		return NULL;
	}
	_cleanup_(programme_freep) struct programme *programme = xcalloc(1, sizeof *programme);
	programme->rate_hz = rate_hz;
	programme->capacity = (size_t)rate_hz * PROGRAMME_RING_SECONDS;
	programme->marks_count = marks;
	programme->marks = xcalloc(marks ? marks : 1, sizeof *programme->marks);
	for (size_t i = 0; i < marks; i++)
		atomic_init(&programme->marks[i], PROGRAMME_NO_FRAME);
	programme->start_mono_us = start_mono_us;
	programme->gain = 1.0F;
	atomic_init(&programme->wake_fd, -1);
	programme->space_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (programme->space_fd < 0)
		return NULL;
	void *ring = mmap(NULL, programme->capacity * sizeof *programme->ring,
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ring == MAP_FAILED)
		return NULL;
	programme->ring = ring;
	return hand_over(programme);
}

struct programme *programme_free(struct programme *programme)
{
	if (!programme)
		return NULL;
	if (programme->ring)
		munmap(programme->ring, programme->capacity * sizeof *programme->ring);
	int wake_fd = atomic_load(&programme->wake_fd);
	if (wake_fd >= 0)
		close(wake_fd);
	if (programme->space_fd >= 0)
		close(programme->space_fd);
	free(programme->marks);
	free(programme);
	return NULL;
}

static void kick(int fd)
{
	/* A full counter (EAGAIN) is a wake-up, too. */
	if (fd >= 0)
		(void)!write(fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void programme_set_start(struct programme *programme, int64_t start_mono_us)
{
	programme->start_mono_us = start_mono_us;
}

void programme_set_gain_db(struct programme *programme, double gain_db)
{
	programme->gain = mix_gain_of_db(gain_db);
}

void programme_abort(struct programme *programme)
{
	atomic_store(&programme->aborted, true);
	kick(atomic_load(&programme->wake_fd));
	kick(programme->space_fd);
}

unsigned programme_rate_hz(const struct programme *programme)
{
	return programme->rate_hz;
}

uint64_t programme_frames_pushed(const struct programme *programme, bool *ret_complete)
{
	/* In this order: nothing is pushed after completion, so a true one makes the count final.
	 */
	bool complete = atomic_load(&programme->complete);

	if (ret_complete)
		*ret_complete = complete;
	return atomic_load(&programme->pushed);
}

size_t programme_item_at(const struct programme *programme, uint64_t frame)
{
	for (size_t i = programme->marks_count; i-- > 0;) {
		uint64_t mark = atomic_load(&programme->marks[i]);
		if (mark != PROGRAMME_NO_FRAME && mark <= frame)
			return i;
	}
	return 0;
}

uint64_t programme_mark_frame(const struct programme *programme, size_t item)
{
	if (item >= programme->marks_count)
		return PROGRAMME_NO_FRAME;
	return atomic_load(&programme->marks[item]);
}

size_t programme_lead_frames(const struct programme *programme)
{
	/* The other side may move between the two loads; reading the reader first keeps the
	 * difference from becoming negative. */
	uint64_t pulled = atomic_load(&programme->pulled);

	return (size_t)(atomic_load(&programme->pushed) - pulled);
}

size_t programme_space_frames(const struct programme *programme)
{
	return programme->capacity - programme_lead_frames(programme);
}

/* --- producer -----------------------------------------------------------------------------------
 */

static void wake_consumer(struct programme *programme)
{
	if (atomic_exchange(&programme->want_frames, false))
		kick(atomic_load(&programme->wake_fd));
}

size_t programme_push(struct programme *programme, const float *frames, size_t count)
{
	uint64_t position = atomic_load_explicit(&programme->pushed, memory_order_relaxed);
	size_t space = programme_space_frames(programme);
	if (count > space)
		count = space;
	if (count == 0)
		return 0;
	size_t at = (size_t)(position % programme->capacity);
	size_t first = programme->capacity - at;
	if (first > count)
		first = count;
	memcpy(programme->ring + at, frames, first * sizeof *frames);
	memcpy(programme->ring, frames + first, (count - first) * sizeof *frames);
	/* Sequentially consistent, as is the consumer's request: either it sees these frames when
	 * it looks again after asking, or we see that it asked. */
	atomic_store(&programme->pushed, position + count);
	wake_consumer(programme);
	return count;
}

void programme_mark(struct programme *programme, size_t item, uint64_t frame)
{
	if (item < programme->marks_count)
		atomic_store(&programme->marks[item], frame);
}

void programme_complete(struct programme *programme)
{
	atomic_store(&programme->complete, true);
	wake_consumer(programme);
}

static bool half_is_free(const struct programme *programme)
{
	return programme_space_frames(programme) >= programme->capacity / 2;
}

void programme_want_space(struct programme *programme)
{
	uint64_t earlier;

	(void)!read(programme->space_fd, &earlier, sizeof earlier);
	atomic_store(&programme->want_space, true);
	if (half_is_free(programme) || atomic_load(&programme->aborted))
		kick(programme->space_fd);
}

int programme_space_fd(const struct programme *programme)
{
	return programme->space_fd;
}

bool programme_aborted(const struct programme *programme)
{
	return atomic_load(&programme->aborted);
}

/* --- consumer -----------------------------------------------------------------------------------
 */

size_t programme_peek(
	const struct programme *programme, size_t ahead, float *ret_frames, size_t count)
{
	uint64_t position = atomic_load_explicit(&programme->pulled, memory_order_relaxed) + ahead;
	size_t lead = programme_lead_frames(programme);
	lead = lead > ahead ? lead - ahead : 0;
	if (count > lead)
		count = lead;
	size_t at = (size_t)(position % programme->capacity);
	size_t first = programme->capacity - at;
	if (first > count)
		first = count;
	memcpy(ret_frames, programme->ring + at, first * sizeof *ret_frames);
	memcpy(ret_frames + first, programme->ring, (count - first) * sizeof *ret_frames);
	return count;
}

void programme_skip(struct programme *programme, size_t count)
{
	uint64_t position = atomic_load_explicit(&programme->pulled, memory_order_relaxed);
	size_t lead = programme_lead_frames(programme);
	if (count > lead)
		count = lead;
	atomic_store(&programme->pulled, position + count);
	if (count > 0 && atomic_load(&programme->want_space) && half_is_free(programme) &&
		atomic_exchange(&programme->want_space, false))
		kick(programme->space_fd);
}

static size_t pull(struct programme *programme, float *ret_frames, size_t count)
{
	size_t got = programme_peek(programme, 0, ret_frames, count);

	programme_skip(programme, got);
	return got;
}

size_t programme_pull(struct programme *programme, float *ret_frames, size_t count)
{
	size_t got = pull(programme, ret_frames, count);

	/* Asked before looking again, and not taken back: the second look may find too few, too,
	 * and a wake-up too many does no harm. */
	if (got < count) {
		atomic_store(&programme->want_frames, true);
		got += pull(programme, ret_frames + got, count - got);
	}
	return got;
}

bool programme_want_frames(struct programme *programme)
{
	atomic_store(&programme->want_frames, true);
	/* Completion is read first: see programme_frames_pushed(). */
	bool complete = atomic_load(&programme->complete);
	if (programme_lead_frames(programme) == 0 && !complete)
		return false;
	atomic_store(&programme->want_frames, false);
	return true;
}

bool programme_drained(const struct programme *programme)
{
	return atomic_load(&programme->complete) && programme_lead_frames(programme) == 0;
}

int programme_set_wake_fd(struct programme *programme, int wake_fd)
{
	int copy = -1;

	if (wake_fd >= 0) {
		copy = fcntl(wake_fd, F_DUPFD_CLOEXEC, 0);
		if (copy < 0)
			return -errno;
	}
	int earlier = atomic_exchange(&programme->wake_fd, copy);
	if (earlier >= 0)
		close(earlier);
	return 0;
}

int64_t programme_start_mono_us(const struct programme *programme)
{
	return programme->start_mono_us;
}

float programme_gain(const struct programme *programme)
{
	return programme->gain;
}
