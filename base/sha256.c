/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/sha256.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

void sha256_text(const void *bytes, size_t length, char ret_hex[SHA256_TEXT_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_length = 0;

	/* Fails only when the library cannot provide SHA-256 at all or memory is out. */
	if (EVP_Digest(bytes, length, digest, &digest_length, EVP_sha256(), NULL) != 1 ||
		digest_length != 32)
		abort();
	for (size_t i = 0; i < digest_length; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
}
