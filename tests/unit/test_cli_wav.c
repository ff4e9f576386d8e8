/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/cleanup.h"
#include "cli/wav.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as it asks */
#include <cmocka.h>

static void make_path(char path[64])
{
	snprintf(path, 64, "/tmp/loalang-test-XXXXXX");
	_cleanup_(closep) int fd = mkstemp(path);
	assert_true(fd >= 0);
}

static void test_bytes(void **state)
{
	(void)state;
	static const float frames[] = { 0.0f, 1.0f, -1.0f, 2.0f, -3.0f, 0.5f };
	static const unsigned char expected[] = { 'R', 'I', 'F', 'F', 48, 0, 0, 0, 'W', 'A', 'V',
		'E', 'f', 'm', 't', ' ', 16, 0, 0, 0, 1, 0, 1, 0, 0x80, 0xbb, 0, 0, 0, 0x77, 1, 0,
		2, 0, 16, 0, 'd', 'a', 't', 'a', 12, 0, 0, 0, 0, 0, 0xff, 0x7f, 0x01, 0x80, 0xff,
		0x7f, 0x01, 0x80, 0x00, 0x40 };
	unsigned char bytes[sizeof(expected) + 1];
	char path[64];
	struct wav wav;
	struct error error;

	make_path(path);
	assert_int_equal(wav_create(&wav, path, 48000, &error), 0);
	assert_int_equal(wav_write(&wav, frames, 2, &error), 0);
	assert_int_equal(wav_write(&wav, frames + 2, 4, &error), 0);
	assert_int_equal(wav_finish(&wav, &error), 0);
	wav_abandon(&wav); /* nothing any more */
	_cleanup_(fclosep) FILE *file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fread(bytes, 1, sizeof(bytes), file), sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
	unlink(path);
}

/* What is not whole is not left behind. */
static void test_abandon(void **state)
{
	(void)state;
	char path[64];
	struct wav wav;
	struct error error = { "" };

	make_path(path);
	assert_int_equal(wav_create(&wav, path, 48000, &error), 0);
	wav_abandon(&wav);
	assert_int_equal(access(path, F_OK), -1);

	assert_true(wav_create(&wav, "/nonexistent/a.wav", 48000, &error) < 0);
	assert_non_null(strstr(error.text, "/nonexistent/a.wav"));
}

/* A full disk is told, at the latest at the end. */
static void test_full(void **state)
{
	(void)state;
	static const float frames[100000];
	struct wav wav;
	struct error error = { "" };

	int result = wav_create(&wav, "/dev/full", 48000, &error);
	if (result == 0)
		result = wav_write(&wav, frames, 100000, &error);
	if (result == 0)
		result = wav_finish(&wav, &error);
	assert_true(result < 0);
	if (wav.file)
		fclose(wav.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_abandon),
		cmocka_unit_test(test_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
