/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256 (FIPS 180-4) by libcrypto, as lower-case hexadecimal. */
#pragma once

#include <stddef.h>

#define SHA256_TEXT_SIZE 65

void sha256_text(const void *bytes, size_t length, char ret_hex[SHA256_TEXT_SIZE]);
