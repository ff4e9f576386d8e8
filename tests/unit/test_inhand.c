/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/inhand.h"
#include "base/strbuf.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/loalang-inhand-XXXXXX";

static char *file_path(void)
{
	return xasprintf("%s/" INHAND_FILE_NAME, folder);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/loalang-inhand-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	_cleanup_(freep) char *path = file_path();

	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

/* A process of its own does something, and dies of a signal. */
static void die_of(int signal, void (*doing)(struct inhand *inhand))
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct sigaction usual = { .sa_handler = SIG_DFL };
		(void)sigaction(SIGSEGV, &usual, NULL); /* it is cmocka's */
		struct inhand *inhand = inhand_open(folder);
		if (!inhand)
			_exit(1);
		doing(inhand);
		raise(signal);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal);
}

static void take_two(struct inhand *inhand)
{
	inhand_take(inhand, 0, "tin-1", "san");
	inhand_on_air(inhand, 0);
	inhand_take(inhand, INHAND_PLACES - 1, "tin-2", "san");
	inhand_take(inhand, 7, "tin-3", "san");
	inhand_put_down(inhand, 7);
	inhand_take(inhand, INHAND_PLACES, "tin-4", "san");
}

static void what_a_fallen_process_held_is_known(void **state)
{
	(void)state;
	die_of(SIGSEGV, take_two);
	struct inhand *inhand = inhand_open(folder);
	assert_non_null(inhand);
	assert_int_equal(inhand_died_with(inhand, "tin-1", "san"), 1);
	assert_int_equal(inhand_died_with(inhand, "tin-2", "san"), 1);
	assert_int_equal(inhand_died_with(inhand, "tin-1", "na"), 0);
	assert_int_equal(inhand_died_with(inhand, "tin-3", "san"), 0);
	assert_int_equal(inhand_died_with(inhand, "tin-4", "san"), 0);
	assert_null(inhand_close(inhand));
	/* and again, until it has got on */
	die_of(SIGSEGV, take_two);
	inhand = inhand_open(folder);
	assert_int_equal(inhand_died_with(inhand, "tin-1", "san"), 2);
	inhand_forgive(inhand, "tin-1", "san");
	assert_int_equal(inhand_died_with(inhand, "tin-1", "san"), 0);
	assert_int_equal(inhand_died_with(inhand, "tin-2", "san"), 2);
	inhand_close(inhand);
	inhand = inhand_open(folder);
	assert_int_equal(inhand_died_with(inhand, "tin-1", "san"), 0);
	inhand_close(inhand);
}

static void of_a_killed_process_only_what_was_on_air_counts(void **state)
{
	(void)state;
	die_of(SIGKILL, take_two);
	struct inhand *inhand = inhand_open(folder);
	assert_int_equal(inhand_died_with(inhand, "tin-1", "san"), 1);
	assert_int_equal(inhand_died_with(inhand, "tin-2", "san"), 0);
	inhand_close(inhand);
}

static void an_orderly_end_leaves_nothing(void **state)
{
	(void)state;
	struct inhand *inhand = inhand_open(folder);
	take_two(inhand);
	inhand_close(inhand);
	inhand = inhand_open(folder);
	assert_int_equal(inhand_died_with(inhand, "tin-1", "san"), 0);
	inhand_close(inhand);
}

static void read_message(struct inhand *inhand)
{
	(void)!inhand_take_message(inhand, "chu-de", "xin chào", 9);
}

static void read_and_survive(struct inhand *inhand)
{
	(void)!inhand_take_message(inhand, "chu-de", "bình thường", 12);
	inhand_put_down_message(inhand);
}

static void a_message_is_not_blamed_for_a_kill(void **state)
{
	(void)state;
	for (int deaths = 0; deaths < 2 * INHAND_DEATHS_MAX; deaths++)
		die_of(SIGKILL, read_message);
	struct inhand *inhand = inhand_open(folder);
	assert_true(inhand_take_message(inhand, "chu-de", "xin chào", 9));
	inhand_close(inhand);
}

static void a_message_that_kills_twice_is_left_alone(void **state)
{
	(void)state;
	for (int deaths = 0; deaths < INHAND_DEATHS_MAX; deaths++) {
		struct inhand *inhand = inhand_open(folder);
		assert_true(inhand_take_message(inhand, "chu-de", "xin chào", 9));
		inhand_close(inhand);
		die_of(SIGABRT, read_message);
	}
	for (int i = 0; i < 3; i++)
		die_of(SIGABRT, read_and_survive);
	struct inhand *inhand = inhand_open(folder);
	assert_false(inhand_take_message(inhand, "chu-de", "xin chào", 9));
	assert_true(inhand_take_message(inhand, "chu-de", "bình thường", 12));
	assert_true(inhand_take_message(inhand, "chu-de-khac", "xin chào", 9));
	inhand_close(inhand);
}

/* Flips every byte of the boot's id: what it holds is then of another boot. */
static void change_boot(void)
{
	_cleanup_(freep) char *path = file_path();
	char byte;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 16), 1);
	byte = byte == '0' ? '1' : '0';
	assert_int_equal(pwrite(fd, &byte, 1, 16), 1);
	close(fd);
}

static void a_power_cut_does_not_count(void **state)
{
	(void)state;
	die_of(SIGABRT, take_two);
	change_boot();
	struct inhand *inhand = inhand_open(folder);
	assert_int_equal(inhand_died_with(inhand, "tin-1", "san"), 0);
	inhand_close(inhand);
}

static void rubbish_in_the_file_is_survived(void **state)
{
	_cleanup_(freep) char *path = file_path();
	char rubbish[70000];

	(void)state;
	memset(rubbish, 0x41, sizeof rubbish);
	memcpy(rubbish, "loalang in-hand", 16);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, rubbish, sizeof rubbish), sizeof rubbish);
	close(fd);
	struct inhand *inhand = inhand_open(folder);
	assert_non_null(inhand);
	assert_int_equal(inhand_died_with(inhand, "AAAA", "AAAA"), 0);
	assert_true(inhand_take_message(inhand, "a", "b", 1));
	inhand_close(inhand);
}

static void without_the_file_all_goes_on(void **state)
{
	(void)state;
	assert_null(inhand_open("/proc/khong-co"));
	inhand_take(NULL, 0, "a", "b");
	inhand_put_down(NULL, 0);
	assert_int_equal(inhand_died_with(NULL, "a", "b"), 0);
	inhand_forgive(NULL, "a", "b");
	assert_true(inhand_take_message(NULL, "a", "b", 1));
	inhand_put_down_message(NULL);
	assert_null(inhand_close(NULL));
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(what_a_fallen_process_held_is_known),
		IN_A_FOLDER(of_a_killed_process_only_what_was_on_air_counts),
		IN_A_FOLDER(a_message_is_not_blamed_for_a_kill),
		IN_A_FOLDER(an_orderly_end_leaves_nothing),
		IN_A_FOLDER(a_message_that_kills_twice_is_left_alone),
		IN_A_FOLDER(a_power_cut_does_not_count),
		IN_A_FOLDER(rubbish_in_the_file_is_survived),
		cmocka_unit_test(without_the_file_all_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
