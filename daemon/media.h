/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recordings that announcements name by their SHA-256: fetched from `media/<sha256>`, checked, and
 * kept as files in `state_dir`/media, up to MEDIA_TOTAL_BYTES_MAX; what was least recently used goes
 * first. A thread does all that touches the disk; main holds the list of what is there, and decides
 * what has to go.
 *
 *   main ── media_keep() (inbox) ──▶ thread: hash, decode the header, write, fsync, rename
 *   main ◀── struct media_event (inbox) ── thread
 *
 * What lies in the folder at the start is read through and hashed again, since disks rot, before it
 * counts as here: one that is held at once, the others as there is time. One that is bad is removed,
 * and is unknown: to be fetched again.
 *
 * Main's. Which topics to subscribe to is main's business too: see media_state().
 */
#pragma once

#include "audio/recording.h"
#include "base/error.h"
#include "base/inbox.h"
#include "base/sha256.h"
#include <stdbool.h>
#include <stdint.h>

#define MEDIA_BYTES_MAX       RECORDING_BYTES_MAX          /* of one file */
#define MEDIA_TOTAL_BYTES_MAX (INT64_C(512) * 1024 * 1024) /* of the folder */
#define MEDIA_FILES_MAX       1000

enum media_state {
	MEDIA_UNKNOWN,  /* not here (or the folder has not been read yet) */
	MEDIA_CHECKING, /* it came, or lay in the folder, and is being checked: an event follows */
	MEDIA_HERE,
	MEDIA_BAD, /* what came under its name is not it, is no sound, or could not be kept;
		    * forgotten with the last media_release() */
};

struct media_file; /* daemon/media_folder.h */

struct media_event {
	struct inbox_link link;
	enum media_event_what {
		MEDIA_LISTED, /* once, first: the folder was read; with an error: it could not be */
		MEDIA_KEPT,   /* `sha256` can be played */
		MEDIA_REFUSED, /* `sha256`: error says why (Vietnamese) */
		MEDIA_EVICTED, /* `sha256` had to go; with an error: it had gone bad on the disk */
	} what;
	char sha256[SHA256_TEXT_SIZE];
	double seconds;
	int64_t bytes; /* MEDIA_KEPT: of the file */
	struct error error;
	struct media_file *files; /* MEDIA_LISTED */
	size_t files_count;
};
void media_event_free(struct inbox_link *event);

struct media;

/* Starts the thread, which creates the folder if it is missing. NULL with errno. */
struct media *media_start(const char *state_dir, struct inbox *events) _must_check_;
/* 0 and freed; or -ETIMEDOUT: the disk hangs, the process must _exit. */
int media_stop(struct media *media, int timeout_ms) _must_check_;

/* Takes `bytes` (malloc'ed); MEDIA_KEPT or MEDIA_REFUSED follows, but for one that is here already.
 * On failure they stay the caller's. -ENOBUFS: too much waits (more than MEDIA_BYTES_MAX × 2);
 * -EINVAL: `sha256` is none. */
int media_keep(struct media *media, const char *sha256, char *bytes, size_t length) _must_check_;
/* To be called with each event before anything else is done with it: keeps main's list. */
void media_on_event(struct media *media, const struct media_event *event);

enum media_state media_state(const struct media *media, const char *sha256);
/* Length in seconds; 0 when it is not here. */
double media_seconds(const struct media *media, const char *sha256);
/* Its file; the caller frees. NULL: not here. Counts as a use (the thread touches the file). */
char *media_path(struct media *media, const char *sha256) _must_check_;
/* While an announcement that waits names it, it is not evicted. Counted. */
void media_hold(struct media *media, const char *sha256);
void media_release(struct media *media, const char *sha256);

void media_kick(struct media *media); /* health */
uint64_t media_turns(const struct media *media);
