/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The folder of recordings, `state_dir`/media: one file for each, called by its SHA-256 and
 * nothing else. A file under its name is whole: it is written under another name, synchronised,
 * renamed, and the folder synchronised. Whatever else lies there is left alone, but for what a
 * power cut left half-written. The media thread's (daemon/media.c); blocks on the disk.
 */
#pragma once

#include "base/error.h"
#include "base/sha256.h"
#include <stdatomic.h>
#include <stdint.h>

#define MEDIA_FOLDER_FILES_MAX 4000 /* more than we ever leave there: the rest is not looked at */

struct media_file {
	char sha256[SHA256_TEXT_SIZE];
	int64_t bytes;
	int64_t used_us; /* real: when it was used last, by its mtime */
};

/* What lies there, in the order of use, the longest unused first; makes the folder if it is
 * missing. -errno with *error. The caller frees. */
int media_folder_list(const char *folder, struct media_file **ret_files, size_t *ret_count,
	struct error *error) _must_check_;

/* Writes one. 0 with its length in seconds; -EBADMSG: it is not what its name says, or no sound;
 * -errno: could not be written. With *error (Vietnamese); then nothing is left of it. */
int media_folder_write(const char *folder, const char *sha256, const void *bytes, size_t length,
	double *ret_seconds, struct error *error) _must_check_;

/* Whether it is still what it was: disks rot. 0 with its length in seconds; -EBADMSG: it was not,
 * and has been removed; -errno: could not be read; -ECANCELED: `stop` was set. With *error. */
int media_folder_verify(const char *folder, const char *sha256, const atomic_bool *stop,
	double *ret_seconds, struct error *error) _must_check_;

void media_folder_touch(const char *folder, const char *sha256);
void media_folder_remove(const char *folder, const char *sha256);
