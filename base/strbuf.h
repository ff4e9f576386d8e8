/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A string that grows. `text` is always NUL-terminated once something was added; NULL before.
 * Out of memory ends the process (abort): a daemon of this size cannot do anything sensible
 * then, and every size from outside is limited before it gets here.
 */
#pragma once

#include "base/cleanup.h"
#include <stddef.h>

struct strbuf {
	char *text;
	size_t length;   /* bytes, without the NUL */
	size_t capacity; /* bytes allocated */
};

void strbuf_done(struct strbuf *buffer);
void strbuf_clear(struct strbuf *buffer); /* keeps the memory */
void strbuf_add(struct strbuf *buffer, const char *text, size_t length);
void strbuf_puts(struct strbuf *buffer, const char *text);
void strbuf_putc(struct strbuf *buffer, char c);
void strbuf_printf(struct strbuf *buffer, const char *format, ...) _printf_(2, 3);
/* Drops all after the first `length` bytes. */
void strbuf_truncate(struct strbuf *buffer, size_t length);
/* The string, never NULL; the caller owns it, the buffer is empty after. */
char *strbuf_take(struct strbuf *buffer) _must_check_;

/* malloc and friends that abort instead of returning NULL; for the same reason as above. */
void *xcalloc(size_t count, size_t size) _must_check_;
void *xreallocarray(void *pointer, size_t count, size_t size) _must_check_;
char *xstrdup(const char *text) _must_check_;
char *xstrndup(const char *text, size_t length) _must_check_;
char *xasprintf(const char *format, ...) _must_check_ _printf_(1, 2);
