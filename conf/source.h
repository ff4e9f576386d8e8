/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of a configuration file, made safe for the parser: read whole, within a limit, without
 * the byte-order mark that Notepad puts first, valid UTF-8, no NUL, no `@include`, and not nested
 * deeper than the parser's recursion (it frees what it read recursively) can bear.
 * Internal to conf/. source_check() is pure.
 */
#pragma once

#include "base/error.h"
#include <stddef.h>

#define SOURCE_BYTES_MAX (256 * 1024)

/* The text (NUL-terminated, the caller frees) and its length. NULL with *error; *ret_errno says
 * why (ENOENT, EACCES, EISDIR, EFBIG, …). */
char *source_read(
	const char *path, size_t *ret_length, int *ret_errno, struct error *error) _must_check_;

/* 0; or -EINVAL with *error and the line it is about. */
int source_check(const char *text, size_t length, int *ret_line, struct error *error) _must_check_;

/* `text` after its byte-order mark. */
const char *source_skip_bom(const char *text, size_t length);
