/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#define JOIN_MS 10000

static int niceness(void)
{
	return getpriority(PRIO_PROCESS, 0);
}

static void *note_niceness(void *context)
{
	*(int *)context = niceness();
	return NULL;
}

static int niceness_of_thread(int priority)
{
	struct thread thread = { 0 };
	int found = 99;

	assert_int_equal(thread_start(&thread, "test", priority, note_niceness, &found), 0);
	assert_int_equal(thread_join(&thread, JOIN_MS), 0);
	return found;
}

static void test_who_computes_is_nicer_alone(void **state)
{
	int before = niceness(), nicest = 19;

	(void)state;
	assert_int_equal(niceness_of_thread(0), before);
	assert_int_equal(niceness_of_thread(THREAD_COMPUTES),
		before - THREAD_COMPUTES < nicest ? before - THREAD_COMPUTES : nicest);
	assert_int_equal(niceness(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_computes_is_nicer_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
