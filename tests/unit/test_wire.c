/* SPDX-License-Identifier: GPL-3.0-or-later */
/* daemon/wire: frames in a stream however it is cut, and bytes between two sockets. */
#include "daemon/wire.h"
#include "base/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define PACKET_MAX 1000

struct stream {
	const char *what;
	unsigned char bytes[32];
	size_t count;
	int result;
	uint32_t announced;
};

/* A PINGRESP; a PUBLISH of 3 bytes; a PUBACK; then what is of interest. */
#define BEFORE       0xd0, 0x00, 0x30, 0x03, 0xff, 0xff, 0xff, 0x40, 0x02, 0x00, 0x01
#define BEFORE_COUNT 11

static const struct stream streams[] = {
	{ "nothing", { 0 }, 0, 0, 0 },
	{ "packets", { BEFORE }, BEFORE_COUNT, 0, 0 },
	{ "just not too large", { BEFORE, 0x30, 0xe8, 0x07 }, BEFORE_COUNT + 3, 0, 0 },
	{ "too large by one", { BEFORE, 0x30, 0xe9, 0x07 }, BEFORE_COUNT + 3, -EMSGSIZE, 1001 },
	{ "256 MiB", { BEFORE, 0x30, 0xff, 0xff, 0xff, 0x7f }, BEFORE_COUNT + 5, -EMSGSIZE,
		268435455 },
	{ "a length of five bytes", { BEFORE, 0x30, 0x80, 0x80, 0x80, 0x80, 0x01 },
		BEFORE_COUNT + 6, -EPROTO, 0 },
	{ "a length that is written long", { 0x40, 0x82, 0x00, 0x00, 0x01, 0xd0, 0x00 }, 7, 0, 0 },
};

/* In pieces of every size. */
static void test_e6_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(streams); i++) {
		const struct stream *stream = &streams[i];
		for (size_t piece = 1; piece <= sizeof stream->bytes; piece++) {
			struct wire_frames frames = { 0 };
			uint32_t announced = 0;
			int result = 0;
			for (size_t at = 0; at < stream->count && result == 0; at += piece) {
				size_t left = stream->count - at;
				result = wire_frames_follow(&frames, stream->bytes + at,
					left < piece ? left : piece, PACKET_MAX, &announced);
			}
			if (result != stream->result || announced != stream->announced)
				fail_msg("%s, pieces of %zu: %d, %u", stream->what, piece, result,
					announced);
		}
	}
}

struct ends {
	int broker, library;
	struct wire wire;
};

static int setup(void **state)
{
	struct ends *ends = calloc(1, sizeof *ends);
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ends->broker = pair[0];
	ends->library = pair[1];
	wire_init(&ends->wire);
	assert_int_equal(wire_insert(&ends->wire, ends->library, true, PACKET_MAX), 0);
	*state = ends;
	return 0;
}

static int teardown(void **state)
{
	struct ends *ends = *state;

	wire_done(&ends->wire);
	closep(&ends->broker);
	closep(&ends->library);
	free(ends);
	return 0;
}

static void test_both_ways(void **state)
{
	struct ends *ends = *state;
	char text[16] = "";

	assert_int_equal(send(ends->broker, "\xd0\x00", 2, 0), 2);
	assert_int_equal(wire_carry_in(&ends->wire), 0);
	assert_int_equal(recv(ends->library, text, sizeof text, MSG_DONTWAIT), 2);
	assert_int_equal(ends->wire.received, 2);
	assert_int_equal(send(ends->library, "xin chao", 8, 0), 8);
	wire_carry_out(&ends->wire);
	assert_int_equal(recv(ends->broker, text, sizeof text, MSG_DONTWAIT), 8);
	assert_memory_equal(text, "xin chao", 8);
}

/* What the broker said last (why it leaves) comes before its end, though we were just writing. */
static void test_e4_last_word_before_the_end(void **state)
{
	struct ends *ends = *state;
	char text[16];

	assert_int_equal(send(ends->broker, "\xe0\x02\x8e\x00", 4, 0), 4);
	closep(&ends->broker);
	ends->broker = -1;
	assert_int_equal(send(ends->library, "xin chao", 8, 0), 8);
	wire_carry_out(&ends->wire);
	assert_int_equal(wire_carry_in(&ends->wire), 0);
	assert_int_equal(recv(ends->library, text, sizeof text, MSG_DONTWAIT), 4);
	assert_int_equal(recv(ends->library, text, sizeof text, MSG_DONTWAIT), -1);
	assert_int_equal(wire_carry_in(&ends->wire), 0);
	assert_int_equal(recv(ends->library, text, sizeof text, MSG_DONTWAIT), 0);
	assert_int_equal(wire_outer_events(&ends->wire, false), 0); /* no busy loop on its end */
}

/* Neither side is read without bound while the other does not take it; and nothing is lost. */
static void test_e6_back_pressure(void **state)
{
	enum { TOTAL = 4 << 20 };
	struct ends *ends = *state;
	static unsigned char block[8192];
	size_t sent = 0, got = 0;

	ends->wire.plain = false; /* the blocks are no packets */
	for (int idle = 0; idle < 2;) {
		ssize_t count = send(ends->broker, block, sizeof block, MSG_DONTWAIT);
		assert_int_equal(wire_carry_in(&ends->wire), 0);
		idle = count > 0 ? 0 : idle + 1;
		sent += count > 0 ? (size_t)count : 0;
		assert_true(sent < TOTAL);
	}
	assert_int_equal(wire_outer_events(&ends->wire, false) & POLLIN, 0);
	assert_int_equal(wire_inner_events(&ends->wire) & POLLOUT, POLLOUT);
	for (ssize_t count; got < sent; got += (size_t)count) {
		count = recv(ends->library, block, sizeof block, MSG_DONTWAIT);
		assert_true(count > 0);
		assert_int_equal(wire_carry_in(&ends->wire), 0);
	}
	assert_int_equal(got, sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_e6_frames),
		cmocka_unit_test_setup_teardown(test_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(test_e4_last_word_before_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_e6_back_pressure, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
