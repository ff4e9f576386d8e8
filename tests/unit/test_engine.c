/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FAULTS A1, A2, A3, through a child's socketpair and through TCP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "tts_engines.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>

static const struct engine_voice plain = { .rate = 130, .pitch = 45 };

struct heard {
	size_t frames;
	unsigned rate_hz;
	float peak;
};

static int on_sound(const float *frames, size_t count, unsigned rate_hz, void *context)
{
	struct heard *heard = context;

	for (size_t i = 0; i < count; i++)
		if (frames[i] > heard->peak)
			heard->peak = frames[i];
	heard->frames += count;
	heard->rate_hz = rate_hz;
	return 0;
}

static int speak(struct engine *engine, const char *text, struct heard *heard, struct error *error)
{
	*heard = (struct heard){ 0 };
	*error = (struct error){ "" };
	return engine_speak(engine, text, &plain, on_sound, heard, NULL, error);
}

/* --- A2, A3: the table -------------------------------------------------------------------------- */

static const struct {
	const char *mode;
	int result;
	const char *says;
} cases[] = {
	{ "good", 0, "" },
	{ "separate", 0, "" },
	{ "error", -EPROTO, "hết bộ nhớ" },
	{ "die", -EPROTO, "ngắt giữa câu" },
	{ "die-midway", -EPROTO, "ngắt giữa câu" },
	{ "half-header", -EPROTO, "ngắt giữa câu" },
	{ "half-payload", -EPROTO, "ngắt giữa câu" },
	{ "endless-header", -EMSGSIZE, "8192" },
	{ "endless-audio", -EFBIG, "không dứt" },
	{ "endless-events", -ETIME, "không trả lời" },
	{ "endless-empty", -ETIME, "không trả lời" },
	{ "huge-payload", -EMSGSIZE, "payload_length" },
	{ "negative-payload", -EPROTO, "payload_length" },
	{ "huge-data", -EMSGSIZE, "data_length" },
	{ "not-json", -EPROTO, "JSON" },
	{ "other-rate", -EPROTO, "đổi dạng âm thanh" },
	{ "bad-rate", -EPROTO, "7 Hz" },
	{ "bad-width", -EPROTO, "4 byte" },
	{ "bad-channels", -EPROTO, "9 kênh" },
	{ "no-format", -EPROTO, "0 Hz" },
	{ "odd", -EPROTO, "3 byte" },
	{ "zero", -EPROTO, "không gửi âm thanh" },
	{ "hang", -ETIME, "không trả lời" },
};

#define ATTEMPTS 5

/* False: it did not even begin in time, though it is none that hangs; the machine had none for it. */
static bool try_case(size_t index, struct test_engine *test)
{
	struct engine *engine = engine_new(&test->config, NULL);
	struct heard heard;
	struct error error;
	int64_t begin_us = clock_mono_us();

	int result = speak(engine, "a.", &heard, &error);
	int64_t took_ms = (clock_mono_us() - begin_us) / US_PER_MS;
	bool in_time = result != -ETIME || cases[index].result == -ETIME;
	if (in_time && (result != cases[index].result || !strstr(error.text, cases[index].says)))
		fail_msg("%s: %d “%s”", cases[index].mode, result, error.text);
	if (result == 0) {
		assert_int_equal(heard.frames, heard.rate_hz / 5);
		assert_true(heard.peak > 0.4F && heard.peak < 0.5F);
	} else {
		assert_non_null(strstr(error.text, cases[index].mode)); /* which engine */
		assert_int_equal(engine_pid(engine), 0);
	}
	assert_true(took_ms < engine_budget_first_ms(2) + 3000);
	engine_free(engine);
	return in_time;
}

static void check_case(size_t index, struct test_engine *test)
{
	int i = 0;

	while (!try_case(index, test))
		assert_true(++i < ATTEMPTS);
}

static void test_A2_A3_child(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct test_engine test;
		test_engine_child(&test, cases[i].mode, NULL);
		check_case(i, &test);
		test_engine_done(&test);
		assert_false(test_has_children());
	}
}

static void test_A2_A3_tcp(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct test_engine test;
		assert_true(test_engine_server(&test, cases[i].mode));
		check_case(i, &test);
		test_engine_done(&test);
	}
}

/* It begins well, then says nothing more. */
static void test_A2_stalls(void **state)
{
	(void)state;
	struct test_engine test;
	struct heard heard;
	struct error error;

	test_engine_child(&test, "stall", NULL);
	struct engine *engine = engine_new(&test.config, NULL);
	int64_t begin_us = clock_mono_us();
	assert_int_equal(speak(engine, "a.", &heard, &error), -ETIME);
	int64_t took_ms = (clock_mono_us() - begin_us) / US_PER_MS;
	assert_int_equal(heard.frames, 2205);
	assert_in_range(took_ms, engine_budget_total_ms(2) - 500, engine_budget_total_ms(2) + 3000);
	engine_free(engine);
	assert_false(test_has_children());
	test_engine_done(&test);
}

/* --- A1 ------------------------------------------------------------------------------------------ */

static void test_A1_only_the_worker_dies(void **state)
{
	(void)state;
	struct test_engine test;
	struct heard heard;
	struct error error;
	_cleanup_(freep) char *text = test_text_that_aborts();

	test_engine_synth(&test);
	struct engine *engine = engine_new(&test.config, test_helper_dirs);
	assert_int_equal(speak(engine, "Một.", &heard, &error), 0);
	int pid = engine_pid(engine);
	assert_true(pid > 0);
	assert_int_equal(speak(engine, text, &heard, &error), -EPROTO);
	assert_int_equal(engine_pid(engine), 0);
	assert_int_equal(speak(engine, "Hai.", &heard, &error), 0);
	assert_true(heard.frames > heard.rate_hz / 10);
	assert_true(engine_pid(engine) > 0 && engine_pid(engine) != pid);
	engine_free(engine);
	assert_false(test_has_children());
	test_engine_done(&test);
}

/* --- The connection -------------------------------------------------------------------------------- */

static void wait_until_gone(int pid)
{
	siginfo_t info;

	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void test_idle_death_is_no_failure(void **state)
{
	(void)state;
	struct test_engine test;
	struct heard heard;
	struct error error;

	test_engine_child(&test, "die-later", NULL);
	struct engine *engine = engine_new(&test.config, NULL);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(speak(engine, "a.", &heard, &error), 0);
		wait_until_gone(engine_pid(engine));
	}
	engine_free(engine);
	assert_false(test_has_children());
	test_engine_done(&test);
}

/* Until the kernel knows that the other side of a connection to `port` has closed (CLOSE_WAIT). */
static void wait_until_hung_up(unsigned port)
{
	for (bool closed = false; !closed;) {
		_cleanup_(fclosep) FILE *file = fopen("/proc/self/net/tcp", "re");
		char line[256];
		unsigned remote, state;
		assert_non_null(file);
		while (file && !closed && fgets(line, sizeof line, file))
			closed = sscanf(line, "%*d: %*x:%*x %*x:%x %x", &remote, &state) == 2 &&
				 remote == port && state == 8;
		sched_yield();
	}
}

static void test_a_server_that_hangs_up_is_dialled_again(void **state)
{
	(void)state;
	struct test_engine test;
	struct heard heard;
	struct error error;

	assert_true(test_engine_server(&test, "hang-up"));
	struct engine *engine = engine_new(&test.config, NULL);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(speak(engine, "a.", &heard, &error), 0);
		wait_until_hung_up(test.port);
	}
	engine_free(engine);
	test_engine_done(&test);
}

static void test_A3_sound_after_the_end_is_not_heard(void **state)
{
	(void)state;
	struct test_engine test;
	struct heard heard;
	struct error error;

	test_engine_child(&test, "after-stop", NULL);
	struct engine *engine = engine_new(&test.config, NULL);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(speak(engine, "a.", &heard, &error), 0);
		assert_int_equal(heard.frames, 22050 / 5);
	}
	engine_free(engine);
	test_engine_done(&test);
}

static void test_a_worker_stays(void **state)
{
	(void)state;
	struct test_engine test;
	struct heard heard;
	struct error error;

	test_engine_synth(&test);
	struct engine *engine = engine_new(&test.config, test_helper_dirs);
	assert_int_equal(engine_warm(engine, &error), 0);
	int pid = engine_pid(engine);
	unsigned fds = test_open_fds();
	for (int i = 0; i < 50; i++) {
		assert_int_equal(speak(engine, "Xin chào.", &heard, &error), 0);
		assert_int_equal(engine_pid(engine), pid);
	}
	assert_int_equal(test_open_fds(), fds);
	engine_free(engine);
	test_engine_done(&test);
}

static void test_signals_are_the_childs_own(void **state)
{
	(void)state;
	struct test_engine test;
	struct heard heard;
	struct error error;
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	void (*old)(int) = signal(SIGUSR1, SIG_IGN);
	test_engine_child(&test, "signals", NULL);
	struct engine *engine = engine_new(&test.config, NULL);
	assert_int_equal(speak(engine, "a.", &heard, &error), -EPROTO);
	signal(SIGUSR1, old);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_non_null(strstr(error.text, "blocked=0 handled=0"));
	engine_free(engine);
	test_engine_done(&test);
}

static void test_nobody_there(void **state)
{
	(void)state;
	char name[] = "ai", missing[] = "no-such-engine", *command[] = { missing, NULL };
	struct heard heard;
	struct error error;
	static const struct {
		char address[40];
		int result;
	} dead[] = {
		{ "tcp://127.0.0.1:1", -ECONNREFUSED },
		{ "127.0.0.1:1", -EINVAL },
		{ "tcp://127.0.0.1", -EINVAL },
		{ "tcp://[::1:1", -EHOSTUNREACH },
	};

	for (size_t i = 0; i < countof(dead); i++) {
		char address[40];
		memcpy(address, dead[i].address, sizeof address);
		struct engine_config config = { .name = name, .address = address };
		struct engine *engine = engine_new(&config, NULL);
		assert_int_equal(speak(engine, "a.", &heard, &error), dead[i].result);
		assert_non_null(strstr(error.text, "“ai”"));
		engine_free(engine);
	}
	struct engine_config config = { .name = name, .command = command };
	struct engine *engine = engine_new(&config, NULL);
	assert_int_equal(speak(engine, "a.", &heard, &error), -ENOENT);
	assert_non_null(strstr(error.text, missing));
	engine_free(engine);
}

/* --- Waiting ------------------------------------------------------------------------------------------ */

struct waiter {
	unsigned calls;
	int cancel_fd;
	int64_t cancelled_us;
};

/* After the first call an event on the descriptor is all that can wake it in time. */
static int on_waiting(void *context)
{
	struct waiter *waiter = context;
	uint64_t count;

	waiter->calls++;
	if (read(waiter->cancel_fd, &count, sizeof count) > 0)
		return -ECANCELED;
	if (waiter->calls == 1) {
		waiter->cancelled_us = clock_mono_us();
		assert_int_equal(write(waiter->cancel_fd, &(uint64_t){ 1 }, sizeof(uint64_t)), 8);
	}
	return -1;
}

static void test_A2_cancel_ends_a_hanging_engine(void **state)
{
	(void)state;
	struct test_engine test;
	struct heard heard = { 0 };
	struct error error;
	struct waiter waiter = { .cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	struct engine_wait wait = { on_waiting, waiter.cancel_fd, &waiter };

	test_engine_child(&test, "hang", NULL);
	struct engine *engine = engine_new(&test.config, NULL);
	assert_int_equal(
		engine_speak(engine, "a.", &plain, on_sound, &heard, &wait, &error), -ECANCELED);
	assert_true(clock_mono_us() - waiter.cancelled_us < 500 * US_PER_MS);
	assert_int_equal(waiter.calls, 2);
	engine_free(engine);
	assert_false(test_has_children());
	close(waiter.cancel_fd);
	test_engine_done(&test);
}

static int stop_at_once(const float *frames, size_t count, unsigned rate_hz, void *context)
{
	(void)frames, (void)count, (void)rate_hz, (void)context;
	return 42;
}

static void test_the_listener_may_stop(void **state)
{
	(void)state;
	struct test_engine test;
	struct heard heard;
	struct error error;

	test_engine_child(&test, "good", NULL);
	struct engine *engine = engine_new(&test.config, NULL);
	assert_int_equal(engine_speak(engine, "a.", &plain, stop_at_once, NULL, NULL, &error), 42);
	/* What was left of that answer is not in the next one. */
	assert_int_equal(speak(engine, "a.", &heard, &error), 0);
	assert_int_equal(heard.frames, 22050 / 5);
	engine_free(engine);
	test_engine_done(&test);
}

/* --- A5: what an engine is sent ------------------------------------------------------------------------- */

static void test_A5_request(void **state)
{
	(void)state;
	char record[] = "/tmp/loalang-engine-XXXXXX";
	char line[512] = "";
	struct test_engine test;
	struct heard heard = { 0 };
	struct error error;
	struct engine_voice voice = { .name = "nữ", .rate = 120, .pitch = 60 };

	close(mkostemp(record, O_CLOEXEC));
	test_engine_child(&test, "good", record);
	struct engine *engine = engine_new(&test.config, NULL);
	assert_int_equal(engine_speak(engine, "-f \"x\"\n{\"type\":1}", &voice, on_sound, &heard,
				 NULL, &error),
		0);
	engine_free(engine);
	FILE *file = fopen(record, "re");
	assert_non_null(fgets(line, sizeof line, file));
	fclose(file);
	unlink(record);
	struct json *sent = json_parse(line, strlen(line), &error);
	assert_string_equal(json_as_string(json_get(sent, "text"), ""), "-f \"x\"\n{\"type\":1}");
	const struct json *sent_voice = json_get(sent, "voice");
	assert_string_equal(json_as_string(json_get(sent_voice, "name"), ""), "nữ");
	assert_int_equal(json_as_integer(json_get(sent_voice, "rate"), 0), 120);
	assert_int_equal(json_as_integer(json_get(sent_voice, "pitch"), 0), 60);
	json_free(sent);
	test_engine_done(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_A1_only_the_worker_dies),
		cmocka_unit_test(test_A2_A3_child),
		cmocka_unit_test(test_A2_A3_tcp),
		cmocka_unit_test(test_A2_stalls),
		cmocka_unit_test(test_A2_cancel_ends_a_hanging_engine),
		cmocka_unit_test(test_A3_sound_after_the_end_is_not_heard),
		cmocka_unit_test(test_A5_request),
		cmocka_unit_test(test_idle_death_is_no_failure),
		cmocka_unit_test(test_a_server_that_hangs_up_is_dialled_again),
		cmocka_unit_test(test_a_worker_stays),
		cmocka_unit_test(test_signals_are_the_childs_own),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_the_listener_may_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
