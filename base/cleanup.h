/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scope-bound release. A variable marked _cleanup_(f) is released by f(&variable) at every exit
 * of its scope; hand_over(variable) takes the value out, so that the release finds nothing.
 * This replaces goto ladders: a function acquires, checks, and hands over in its last line.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)         __attribute__((cleanup(f)))
#define _must_check_         __attribute__((warn_unused_result))
#define _printf_(fmt, first) __attribute__((format(printf, fmt, first)))

/* Takes the pointer out of a _cleanup_ variable: the caller of the function owns it now. */
#define hand_over(pointer)                            \
	({                                            \
		__auto_type handed_over_ = (pointer); \
		(pointer) = NULL;                     \
		handed_over_;                         \
	})

/* Takes the descriptor out of a _cleanup_(closep) variable. */
static inline int hand_over_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

/* Defines the cleanup function NAMEp for a destructor `T *NAME(T *)` that accepts NULL. */
#define DEFINE_CLEANUP(type, name)                \
	static inline void name##p(type *pointer) \
	{                                         \
		if (*pointer)                     \
			name(*pointer);           \
	}

static inline void freep(void *pointer)
{
	free(*(void **)pointer);
}

static inline void closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

DEFINE_CLEANUP(FILE *, fclose)

#define countof(array) (sizeof(array) / sizeof((array)[0]))
