/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cleaning (FAULTS A4, A5): any bytes → text that is safe to read aloud, or a refusal that names
 * the byte. Pure; any thread. The result
 *   - is valid UTF-8 in NFC, of letters, marks, numbers, punctuation, symbols, ' ' and '\n';
 *     never two blanks in a row;
 *   - has no invisible characters, no pictures (emoji, boxes; named in `dropped`), no control;
 *     where a picture stood before a capital a line ends;
 *   - cannot begin a markup, an entity or a phoneme escape: [ { and ] } are round brackets (a
 *     pause), as are < and > unless a number follows; a backslash is a blank, and & is followed by
 *     a blank.
 * The wording is left alone. A map leads each byte back to the bytes it was written as.
 */
#pragma once

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

/* Marks on one letter beyond this are dropped: no script needs them, and engines choke. */
#define CLEAN_MARKS_MAX 8

struct clean_span {
	size_t from, to; /* bytes of the written text */
};

struct clean {
	char *text; /* NUL-terminated */
	size_t length;
	struct clean_span *source; /* one for each byte of `text` */
	struct clean_span *dropped;
	size_t dropped_count;
};

/* 0, or -EINVAL with *error. */
int clean_new(const char *text, size_t length, struct clean **ret_clean,
	struct error *error) _must_check_;
struct clean *clean_free(struct clean *clean);
DEFINE_CLEANUP(struct clean *, clean_free)

/* The written bytes that text[from..to) came from; from < to. */
struct clean_span clean_source(const struct clean *clean, size_t from, size_t to);
