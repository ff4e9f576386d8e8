/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the store share: a folder of their own, and values to put in. */
#pragma once

#include "base/strbuf.h"
#include "scheduler/store.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define NOW_US (INT64_C(1795255200) * US_PER_SEC)

static inline char *folder_new(void)
{
	char *path = xstrdup("/tmp/loalang-store-XXXXXX");

	assert_non_null(mkdtemp(path));
	return path;
}

/* In memory where there is such a place: for tests of hundreds of files, each with its fsyncs. */
static inline char *memory_folder_new(void)
{
	char *path = xstrdup("/dev/shm/loalang-store-XXXXXX");

	if (mkdtemp(path))
		return path;
	free(path);
	return folder_new();
}

/* The folder and everything in it. */
static inline void folder_done(char **path)
{
	_cleanup_(freep) char *command = xasprintf("rm -rf '%s'", *path);

	assert_int_equal(system(command), 0);
	free(*path);
}
#define _folder_ _cleanup_(folder_done) char *

static inline struct announcement *sample(const char *id, const char *text)
{
	const struct announcement_defaults defaults = { .now_us = NOW_US };
	char known_id[ID_MAX_BYTES + 1];
	enum reason reason;
	struct announcement *announcement = announcement_parse(
		text, strlen(text), id, NULL, &defaults, known_id, &reason, NULL);

	assert_non_null(announcement);
	return announcement;
}

/* How many entries of `folder` begin with `prefix`. */
static inline int count_files(const char *folder, const char *prefix)
{
	DIR *entries = opendir(folder);
	int count = 0;

	assert_non_null(entries);
	for (struct dirent *entry; (entry = readdir(entries));)
		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(entries);
	return count;
}
