/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256 (FIPS 180-4) by libcrypto, as lower-case hexadecimal. */
#pragma once

#include "base/cleanup.h"
#include <stdbool.h>
#include <stddef.h>

#define SHA256_TEXT_SIZE 65

void sha256_text(const void *bytes, size_t length, char ret_hex[SHA256_TEXT_SIZE]);

/* Piece by piece. */
struct sha256;
struct sha256 *sha256_new(void) _must_check_;
struct sha256 *sha256_free(struct sha256 *sum);
DEFINE_CLEANUP(struct sha256 *, sha256_free)
void sha256_add(struct sha256 *sum, const void *bytes, size_t length);
/* Of all that was added; nothing can be added after. */
void sha256_finish(struct sha256 *sum, char ret_hex[SHA256_TEXT_SIZE]);

/* Whether it is one: 64 lower-case hexadecimal digits. */
bool sha256_valid(const char *text);
