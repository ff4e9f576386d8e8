/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What can still be read of a damaged file of the store's is carried over into a new one: first
 * announcements and schedules (those whose sum is right), plays and settings, then the receipts
 * that the broker is still to have, then the history, as far as time and room go. A row is judged
 * like input from outside; what the store would not load is not carried over. Pure but for the two
 * files.
 */
#pragma once

#include "scheduler/store_file.h"

struct store_salvaged {
	size_t announcements, plays, schedules, settings, receipts;
	size_t lost_rows;  /* seen, and not readable */
	size_t lost_pages; /* with an unknown number of rows */
	bool cut_short;    /* there was not time or room enough for all of it */
};

/* Reads the file `path` (and its log) and writes to `file`, which is new and made for that
 * (store_file_renew()), until `until_mono_us`. Fails if the new file does, or if the old one cannot
 * even be opened; one that is not there has nothing in it. */
int store_salvage(const char *path, int64_t until_mono_us, struct store_file *file,
	struct store_salvaged *ret_salvaged, struct error *error) _must_check_;
