/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A speech engine, as a client of the Wyoming protocol (docs/PROTOCOL.md, "Speech engines"): a
 * child process of ours on a socketpair, or a server at a TCP address. One code path for both.
 *
 * A `struct engine` is one connection to one engine: a child process that is running, or a socket.
 * It belongs to one thread at a time and is handed over by value of its pointer: main keeps a
 * warm one between announcements, a renderer borrows it for the length of a programme.
 *
 * Everything that comes from an engine is untrusted (FAULTS A1–A3): every size has a limit, every
 * wait has a budget, and whatever breaks the protocol is a dead engine: killed (SIGKILL) or
 * disconnected, and started anew by the next request.
 */
#pragma once

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine_config {  /* one of speech.engines; borrowed by engines, outlives them */
	char *name;     /* base/name.h */
	char **command; /* argv, NULL-terminated; or NULL */
	char *address;  /* "tcp://host:port"; or NULL. Exactly one of the two is set */
	char *voice;    /* the engine's own name of the voice; "" : its default */
};

struct engine_voice {     /* of one request */
	const char *name; /* NULL: the configured voice */
	int rate;         /* 80…300 */
	int pitch;        /* 0…99 */
};

struct engine;

/* Does not connect yet. `helper_dirs` (NULL-terminated, borrowed) are searched for a command
 * without a slash before PATH: the directory of our own executables. */
struct engine *engine_new(
	const struct engine_config *config, const char *const *helper_dirs) _must_check_;
/* Ends the connection: a child is closed, given 100 ms, killed, and reaped. */
struct engine *engine_free(struct engine *engine);
DEFINE_CLEANUP(struct engine *, engine_free)
const struct engine_config *engine_config_of(const struct engine *engine);

/* Starts the child or connects, if that is not so already; so that the next request is quick.
 * 0 or -errno. Any later failure shows at the request. */
int engine_warm(struct engine *engine, struct error *error) _must_check_;
/* The child's pid, or 0. For tests, health and accounting. */
int engine_pid(const struct engine *engine);

/* Gets sound: `frames[0..count)` at `rate_hz`, mono. Returns 0 to go on, or non-zero to stop the
 * sentence (that value is returned by engine_speak()). May block for back-pressure: the time
 * spent in it does not count against the budget. */
typedef int (*engine_sound)(const float *frames, size_t count, unsigned rate_hz, void *context);

/* Called while waiting for the engine, so that the caller can keep its own stream fed; returns the
 * milliseconds after which it wants to be called again, -1: never, or -ECANCELED to give up. May
 * be NULL. `cancel_fd` is polled too (-1: none): readable means call `waiting` at once. */
struct engine_wait {
	int (*waiting)(void *context);
	int cancel_fd;
	void *context;
};

/* Speaks one sentence. 0: every frame was delivered. -ECANCELED: `waiting` said so. -EPROTO, -EFBIG (a
 * flood),
 * -ETIME, -ECONNREFUSED, …: the engine failed, with *error; the connection is closed. Whether sound
 * was delivered before the failure is known to the caller. A sentence without sound is -EPROTO. */
int engine_speak(struct engine *engine, const char *text, const struct engine_voice *voice,
	engine_sound sound, void *sound_context, const struct engine_wait *wait,
	struct error *error) _must_check_;

/* The budget for a sentence, ms of waiting for the engine: first sound and whole sentence. Pure. */
#define ENGINE_CONNECT_MS 3000
int engine_budget_first_ms(size_t text_bytes);
int engine_budget_total_ms(size_t text_bytes);
/* The most sound that a sentence may give, in frames at rate_hz: more is a flood. Pure. */
size_t engine_flood_frames(const char *text, size_t length, unsigned rate_hz);
