/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys that a file writes twice in one group. libconfig stops at the first of them and does not say
 * its name. Internal to conf/. Pure.
 */
#pragma once

#include <stddef.h>

struct twice {
	const char *name; /* in the text; not terminated */
	size_t length;
	int line;
	int first_line; /* where it was written before */
};

/* All of them, in a text that source_check() has let through; how many. The caller frees. */
size_t twice_find(const char *text, size_t length, struct twice **ret_list);
