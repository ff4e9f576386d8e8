/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A store that can be read and not written (the common end of an SD card: the kernel has made the
 * file system read-only; or the disk is full): SQLite has to write beside a file even to read it,
 * so it is given a copy elsewhere, in a private folder that is removed before this returns. What
 * was said is known again, and not said again; nothing can be kept meanwhile. The real file is only
 * read. The store's thread; takes as long as the disk does.
 */
#pragma once

#include "scheduler/store.h"

#define STORE_COPY_BYTES_MAX (256 * 1024 * 1024) /* the file and its log; the place may be memory */

/* Whether a failure of store_file_open() or store_file_load() is one of writing. */
bool store_copy_helps(int result);
/* Fills `event` as store_file_load() does, from a copy of what lies in `state_dir`, which no handle
 * of this process may hold open. The copy is made in $TMPDIR, /run, /tmp or /dev/shm, the first
 * with room for it. -ENOENT when there is no file, -EFBIG, or why no place took it, or the errors
 * of store_file.h; `event` may be partly filled then. */
int store_copy_load(
	const char *state_dir, struct store_event *event, struct error *error) _must_check_;
