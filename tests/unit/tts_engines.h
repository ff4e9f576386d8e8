/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Engines for tests: the real loalang-synth, and tests/engines/engine.py in one of its modes, as
 * a child or behind a port. */
#pragma once

#include "base/strbuf.h"
#include "tts/engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

#define ENGINE_PY SOURCE_DIR "/tests/engines/engine.py"

struct test_engine {
	struct engine_config config;
	char *command[8];
	char *address;
	unsigned port;
	pid_t server; /* 0: a child of the product's making */
	int input_fd; /* of the server: it ends when this is closed */
};

static const char *const test_helper_dirs[] = { BIN_DIR, NULL };

static inline void test_engine_synth(struct test_engine *test)
{
	*test = (struct test_engine){ .input_fd = -1 };
	test->command[0] = xstrdup("loalang-synth");
	test->config = (struct engine_config){
		.name = xstrdup("espeak-ng"), .command = test->command, .voice = xstrdup("vi")
	};
}

/* `record` NULL: none. */
static inline void test_engine_child(struct test_engine *test, const char *mode, const char *record)
{
	size_t count = 0;

	*test = (struct test_engine){ .input_fd = -1 };
	test->command[count++] = xstrdup(ENGINE_PY);
	if (record) {
		test->command[count++] = xstrdup("--record");
		test->command[count++] = xstrdup(record);
	}
	test->command[count] = xstrdup(mode);
	test->config = (struct engine_config){
		.name = xstrdup(mode), .command = test->command, .voice = xstrdup("")
	};
}

static inline bool test_engine_server(struct test_engine *test, const char *mode)
{
	int input[2], output[2];
	char port[16] = { 0 };
	char *argv[] = { (char[]){ ENGINE_PY }, (char[]){ "--listen" }, xstrdup(mode), NULL };
	posix_spawn_file_actions_t actions;

	*test = (struct test_engine){ .input_fd = -1 };
	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
	int error = posix_spawn(&test->server, ENGINE_PY, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(input[0]);
	close(output[1]);
	free(argv[2]);
	test->input_fd = input[1];
	bool told = !error && read(output[0], port, sizeof port - 1) > 0;
	close(output[0]);
	test->port = (unsigned)strtoul(port, NULL, 10);
	test->address = xasprintf("tcp://127.0.0.1:%u", test->port);
	test->config = (struct engine_config){
		.name = xstrdup(mode), .address = test->address, .voice = xstrdup("")
	};
	return told;
}

static inline void test_engine_done(struct test_engine *test)
{
	if (test->input_fd >= 0)
		close(test->input_fd);
	if (test->server > 0)
		waitpid(test->server, NULL, 0);
	for (size_t i = 0; i < countof(test->command); i++)
		free(test->command[i]);
	free(test->address);
	free(test->config.name);
	free(test->config.voice);
}

/* s' × n: aborts libespeak-ng 1.51. The caller frees. */
static inline char *test_text_that_aborts(void)
{
	struct strbuf text = { 0 };

	for (int i = 0; i < 220; i++)
		strbuf_puts(&text, "s'");
	return strbuf_take(&text);
}

static inline unsigned test_open_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count;
}

static inline bool test_has_children(void)
{
	return !(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}
