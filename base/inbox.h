/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A mailbox from any threads to one: messages are values, allocated by the sender, owned by the
 * reader after inbox_take(). A mutex guards the list for the few instructions of a push or a
 * take; an eventfd makes it pollable (level-triggered: readable while messages wait or a kick is
 * pending). Real-time device threads never use it while sound runs; they have rings
 * (audio/programme.h, audio/device.h).
 *
 * A message type embeds `struct inbox_link link` as its FIRST member.
 */
#pragma once

#include "base/cleanup.h"
#include <stddef.h>

struct inbox_link {
	struct inbox_link *next;
};

struct inbox;

/* `limit` is the number of messages that may wait. NULL with errno set (eventfd). */
struct inbox *inbox_new(size_t limit) _must_check_;
/* Messages still inside are given to `release` (free if NULL). */
struct inbox *inbox_free(struct inbox *inbox, void (*release)(struct inbox_link *));

/* Any thread. Takes the message; -ENOBUFS (full): the sender keeps it, with its link cleared. */
int inbox_push(struct inbox *inbox, struct inbox_link *message) _must_check_;
/* Any thread. Wakes the reader without a message (health tick, stop). */
void inbox_kick(struct inbox *inbox);

/* Reader only. All that waits, in order of arrival, as a list; NULL when empty. Clears kicks. */
struct inbox_link *inbox_take(struct inbox *inbox);
/* Reader only. For poll(): readable when inbox_take() has something to do. */
int inbox_fd(const struct inbox *inbox);
