/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/wire.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LENGTH_BYTES_MAX 4 /* of a packet's length (MQTT 5, 1.5.5) */

/* One byte of a header; true when its length is complete. */
static int header_byte(struct wire_frames *frames, unsigned char byte, bool *ret_complete)
{
	unsigned step = frames->shift++;

	if (step == 0) { /* the packet's type: any */
		frames->length = 0;
		return 0;
	}
	if (step > LENGTH_BYTES_MAX)
		return -EPROTO;
	frames->length |= (uint32_t)(byte & 0x7f) << (7 * (step - 1));
	*ret_complete = !(byte & 0x80);
	return 0;
}

int wire_frames_follow(struct wire_frames *frames, const unsigned char *bytes, size_t count,
	uint32_t packet_max, uint32_t *ret_length)
{
	size_t at = 0;

	while (at < count) {
		if (frames->left > 0) {
			size_t step = count - at < frames->left ? count - at : frames->left;
			frames->left -= (uint32_t)step;
			at += step;
			continue;
		}
		bool complete = false;
		int result = header_byte(frames, bytes[at++], &complete);
		if (result < 0)
			return result;
		if (!complete)
			continue;
		if (frames->length > packet_max) {
			*ret_length = frames->length;
			return -EMSGSIZE;
		}
		frames->left = frames->length;
		frames->shift = 0;
	}
	return 0;
}

void wire_init(struct wire *wire)
{
	wire->outer = wire->inner = -1;
}

void wire_done(struct wire *wire)
{
	closep(&wire->outer);
	closep(&wire->inner);
	wire_init(wire);
}

int wire_insert(struct wire *wire, int fd, bool plain, uint32_t packet_max)
{
	int pair[2];

	_cleanup_(closep) int outer = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (outer < 0 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	_cleanup_(closep) int inner = pair[0];
	_cleanup_(closep) int library = pair[1];
	if (dup3(library, fd, O_CLOEXEC) < 0)
		return -errno;
	wire_done(wire);
	wire->outer = hand_over_fd(&outer);
	wire->inner = hand_over_fd(&inner);
	wire->plain = plain;
	wire->ended = false;
	wire->cause = 0;
	wire->packet_max = packet_max;
	wire->oversize = 0;
	wire->heard_mono_us = clock_mono_us();
	wire->received = 0;
	wire->frames = (struct wire_frames){ 0 };
	wire->in.begin = wire->in.end = wire->out.begin = wire->out.end = 0;
	return 0;
}

static bool buffer_empty(const struct wire_buffer *buffer)
{
	return buffer->begin == buffer->end;
}

/* Into an empty buffer: bytes, 0 at the end of the stream, -errno (-EAGAIN: nothing yet). */
static ssize_t buffer_fill(struct wire_buffer *buffer, int fd)
{
	ssize_t count = recv(fd, buffer->bytes, sizeof buffer->bytes, MSG_DONTWAIT);

	if (count < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	buffer->begin = 0;
	buffer->end = (size_t)count;
	return count;
}

static int buffer_drain(struct wire_buffer *buffer, int fd)
{
	while (!buffer_empty(buffer)) {
		ssize_t count = send(fd, buffer->bytes + buffer->begin, buffer->end - buffer->begin,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (count < 0)
			return errno == EINTR ? -EAGAIN : -errno;
		buffer->begin += (size_t)count;
	}
	return 0;
}

short wire_outer_events(const struct wire *wire, bool paused)
{
	if (wire->outer < 0 || wire->ended)
		return 0;
	bool reads = !paused && buffer_empty(&wire->in);
	return (short)((reads ? POLLIN : 0) | (buffer_empty(&wire->out) ? 0 : POLLOUT));
}

short wire_inner_events(const struct wire *wire)
{
	if (wire->inner < 0)
		return 0;
	bool reads = !wire->ended && buffer_empty(&wire->out);
	return (short)((reads ? POLLIN : 0) | (buffer_empty(&wire->in) ? 0 : POLLOUT));
}

static void end(struct wire *wire, int cause)
{
	wire->ended = true;
	wire->cause = cause;
}

/* The broker sends small packets and waits for our acknowledgement before the next (Nagle); the
 * kernel holds that back for 40 ms unless told, anew after each read: a stop should not wait. */
static void acknowledge_now(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

static int hear(struct wire *wire)
{
	ssize_t count = buffer_fill(&wire->in, wire->outer);

	if (count == -EAGAIN)
		return 0;
	if (count <= 0) {
		end(wire, (int)-count);
		return 0;
	}
	acknowledge_now(wire->outer);
	wire->heard_mono_us = clock_mono_us();
	wire->received += (uint64_t)count;
	if (!wire->plain)
		return 0;
	return wire_frames_follow(
		&wire->frames, wire->in.bytes, wire->in.end, wire->packet_max, &wire->oversize);
}

int wire_carry_in(struct wire *wire)
{
	int result = 0;

	if (wire->outer < 0)
		return 0;
	if (!wire->ended && buffer_empty(&wire->in))
		result = hear(wire);
	if (result < 0)
		return result;
	(void)buffer_drain(&wire->in, wire->inner); /* what does not fit now goes the next time */
	if (wire->ended && buffer_empty(&wire->in))
		(void)shutdown(wire->inner, SHUT_WR);
	return 0;
}

/* True if something was moved. What the socket does not take any more is dropped: what the broker
 * has said before, and why it ended, is still to be read. */
static bool carry_out_once(struct wire *wire)
{
	if (buffer_empty(&wire->out) && buffer_fill(&wire->out, wire->inner) <= 0)
		return false;
	int result = buffer_drain(&wire->out, wire->outer);
	if (result < 0 && result != -EAGAIN)
		wire->out.begin = wire->out.end;
	return result != -EAGAIN;
}

void wire_carry_out(struct wire *wire)
{
	while (wire->outer >= 0 && !wire->ended && carry_out_once(wire))
		;
}

void wire_flush(struct wire *wire, int64_t until_mono_us)
{
	wire_carry_out(wire);
	while (wire->outer >= 0 && !wire->ended && !buffer_empty(&wire->out)) {
		int64_t left_ms = (until_mono_us - clock_mono_us()) / US_PER_MS;
		struct pollfd fd = { .fd = wire->outer, .events = POLLOUT };
		if (left_ms <= 0 || poll(&fd, 1, (int)left_ms) <= 0)
			return;
		wire_carry_out(wire);
	}
}
