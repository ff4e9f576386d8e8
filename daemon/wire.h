/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes between libmosquitto and the broker's socket. The library reads whatever length a
 * packet announces and allocates it first; it counts silence in whole keepalives. So the library is
 * given one end of a socket pair in the place of its socket, and we carry the bytes: we know when
 * the last one came (FAULTS E2), and see the length of a packet before the library does (E6).
 *
 *   broker ── socket ── struct wire ── pair ── libmosquitto
 *
 * Under TLS the bytes cannot be read, only carried; such a broker has shown its certificate.
 * Embedded; one thread's; nothing here waits. Pure apart from the descriptors it owns.
 */
#pragma once

#include "base/cleanup.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_BUFFER_BYTES (16 * 1024)

/* Follows the fixed headers of MQTT packets through a stream (MQTT 5, 2.1): pure. */
struct wire_frames {
	uint32_t left;   /* bytes of this packet that are still to come, without its header */
	uint32_t length; /* of this packet, as far as its length is known */
	unsigned shift;  /* of the next length byte; 0: the packet's first byte comes next */
};

/* Goes over bytes that came. -EMSGSIZE: a packet announces more than `packet_max` bytes, which are
 * in *ret_length; -EPROTO: a length that no MQTT packet can have. */
int wire_frames_follow(struct wire_frames *frames, const unsigned char *bytes, size_t count,
	uint32_t packet_max, uint32_t *ret_length) _must_check_;

struct wire_buffer {
	size_t begin, end; /* what waits is between them */
	unsigned char bytes[WIRE_BUFFER_BYTES];
};

struct wire {
	int outer; /* the broker's socket; -1: there is none */
	int inner; /* our end of the pair */
	bool plain;
	bool ended;            /* nothing more comes from the broker */
	int cause;             /* errno of how it ended; 0: it was closed */
	uint32_t packet_max;   /* bytes */
	uint32_t oversize;     /* what a packet has announced that was refused */
	int64_t heard_mono_us; /* when the last byte came (at first: when it was put in) */
	uint64_t received;     /* bytes */
	struct wire_frames frames;
	struct wire_buffer in, out;
};

void wire_init(struct wire *wire);
void wire_done(struct wire *wire); /* closes; what has not left by then is lost */

/* Puts itself in the place of the connected socket `fd`, which stays the library's to close.
 * `plain`: not TLS. -errno: nothing has changed. */
int wire_insert(struct wire *wire, int fd, bool plain, uint32_t packet_max) _must_check_;

/* What to poll for; 0: leave that descriptor out. `paused`: nothing is to be read. */
short wire_outer_events(const struct wire *wire, bool paused);
short wire_inner_events(const struct wire *wire);

/* Carries what can be carried now towards the library. 0; -EMSGSIZE, -EPROTO: see above. The end
 * of the stream comes to the library after the last byte. */
int wire_carry_in(struct wire *wire) _must_check_;
/* And towards the broker. */
void wire_carry_out(struct wire *wire);
/* The same until all has left that the library has written, or `until_mono_us`. */
void wire_flush(struct wire *wire, int64_t until_mono_us);
