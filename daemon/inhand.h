/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is in hand: a small file, mapped into memory, in which main notes what it is about to touch
 * (a message, an announcement that is rendered and played). If the process dies, the next one finds
 * there what it died with; what kills the node twice is not tried a third time (FAULTS C2).
 *
 * Writing is a copy into memory: no system call, no disk to wait for. The page outlives the process,
 * whatever kills it. It need not outlive the machine: a power cut is not the announcement's fault,
 * so what another boot has left does not count. What is read back is judged like input.
 *
 * A death counts against an announcement if it was on air, whatever the signal; and against what was
 * only being prepared or read if the process fell by itself (SIGSEGV, SIGABRT and their like, the
 * watchdog's among them), not if somebody killed it.
 *
 * Main's. Every function accepts NULL: a node that cannot have the file does without.
 */
#pragma once

#include "scheduler/announcement.h"
#include <stdbool.h>
#include <stddef.h>

#define INHAND_FILE_NAME  "in-hand"
#define INHAND_PLACES     256 /* of announcements: one for each broadcast there can be */
#define INHAND_DEATHS     64  /* announcements that were held at a death, the latest */
#define INHAND_MESSAGES   16  /* messages that have killed are remembered, the latest */
#define INHAND_DEATHS_MAX 2

struct inhand;

/* Opens or creates the file in `state_dir`, which must exist; from then on a fall is noted there, for
 * one inhand in a process. NULL with errno. */
struct inhand *inhand_open(const char *state_dir) _must_check_;
/* Nothing is in hand any more. */
struct inhand *inhand_close(struct inhand *inhand);

/* Place `place` (below INHAND_PLACES) holds announcement `id` on output `output`; or nothing. */
void inhand_take(struct inhand *inhand, size_t place, const char *id, const char *output);
/* Its first sound was heard. */
void inhand_on_air(struct inhand *inhand, size_t place);
void inhand_put_down(struct inhand *inhand, size_t place);

/* How often processes of this boot have died with this announcement in hand. The count is in the file
 * before the next one is begun: nothing has to be waited for. */
unsigned inhand_died_with(const struct inhand *inhand, const char *id, const char *output);
/* It has got on, or has ended: what it did before does not count any more. */
void inhand_forgive(struct inhand *inhand, const char *id, const char *output);

/* A message is about to be read: false when it has ended the process INHAND_DEATHS_MAX times in this
 * boot, and must be left alone. */
bool inhand_take_message(
	struct inhand *inhand, const char *topic, const char *payload, size_t length) _must_check_;
void inhand_put_down_message(struct inhand *inhand);
