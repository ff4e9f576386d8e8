/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way to a speech engine: a child process on a socketpair that is its standard input and
 * output, or a TCP socket. Either ends up as one descriptor for send() and recv(); whoever uses it
 * passes MSG_DONTWAIT. Nothing here knows what is said over it. One thread at a time.
 */
#pragma once

#include "base/error.h"
#include <stdbool.h>
#include <sys/types.h>

struct connection {
	int fd;    /* −1: closed */
	pid_t pid; /* of the child, leader of its own process group; 0: none */
};

#define CONNECTION_CLOSED ((struct connection){ .fd = -1 })

/* Starts argv[0] (without a slash: searched in `helper_dirs`, NULL-terminated or NULL, then in
 * PATH) with default, unblocked signals; standard error is ours. 0 or -errno with *error. */
int connection_spawn(char *const argv[], const char *const *helper_dirs,
	struct connection *ret_connection, struct error *error) _must_check_;

/* Waits until the descriptor has one of `events`, or `cancelled`; 0 or -errno. */
struct connection_wait {
	int (*wait)(int fd, short events, void *context);
	void *context;
};
/* Connects to "tcp://host:port" (or "tcp://[::1]:port"), each of the host's addresses in turn. A
 * name that is not a number asks the resolver, which may take its own time. */
int connection_dial(const char *address, const struct connection_wait *wait,
	struct connection *ret_connection, struct error *error) _must_check_;

/* Whether nothing has happened on an idle connection: no end, no error, no unasked byte. */
bool connection_is_quiet(const struct connection *connection);

/* Ends it: a child sees the end of its input and has `grace_ms` to leave, then it and whatever it
 * started are killed; it is reaped. */
void connection_close(struct connection *connection, int grace_ms);
