/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/sha256.h"
#include "base/strbuf.h"

#include <openssl/evp.h>
#include <string.h>

#define DIGEST_BYTES 32

static void write_hex(const unsigned char digest[DIGEST_BYTES], char ret_hex[SHA256_TEXT_SIZE])
{
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
}

/* The library fails only when it cannot provide SHA-256 at all or memory is out. */
static void must(int result)
{
	if (result != 1)
		abort();
}

void sha256_text(const void *bytes, size_t length, char ret_hex[SHA256_TEXT_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	must(EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL));
	write_hex(digest, ret_hex);
}

struct sha256 {
	EVP_MD_CTX *context;
};

struct sha256 *sha256_new(void)
{
	struct sha256 *sum = xcalloc(1, sizeof *sum);

	sum->context = EVP_MD_CTX_new();
	must(sum->context && EVP_DigestInit_ex(sum->context, EVP_sha256(), NULL));
	return sum;
}

struct sha256 *sha256_free(struct sha256 *sum)
{
	if (sum)
		EVP_MD_CTX_free(sum->context);
	free(sum);
	return NULL;
}

void sha256_add(struct sha256 *sum, const void *bytes, size_t length)
{
	must(EVP_DigestUpdate(sum->context, bytes, length));
}

void sha256_finish(struct sha256 *sum, char ret_hex[SHA256_TEXT_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	must(EVP_DigestFinal_ex(sum->context, digest, NULL));
	write_hex(digest, ret_hex);
}

bool sha256_valid(const char *text)
{
	size_t digits = strspn(text, "0123456789abcdef");

	return digits == SHA256_TEXT_SIZE - 1 && text[digits] == '\0';
}
