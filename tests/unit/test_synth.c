/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loalang-synth as a process: requests in, sound out. FAULTS A5 at the last door: markup, phonemes
 * and commands are words to it. And the trimming of silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "tts/wyoming.h"
#include "tts_sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

#define PROGRAM         BIN_DIR "/loalang-synth"
#define RESIDENT_MAX_KB (SANITIZED ? 1024 * 1024 : 9 * 1024)

struct synth {
	pid_t pid;
	int input_fd, output_fd;
	struct wyoming_decoder *decoder;
	char bytes[4096];
	size_t from, to;
};

static struct synth *synth_new(char *option, char *value)
{
	struct synth *synth = xcalloc(1, sizeof *synth);
	int input[2], output[2];
	char program[] = PROGRAM;
	char *argv[] = { program, option, value, NULL };
	posix_spawn_file_actions_t actions;

	assert_int_equal(pipe2(input, O_CLOEXEC) | pipe2(output, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
	assert_int_equal(posix_spawn(&synth->pid, PROGRAM, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(input[0]);
	close(output[1]);
	synth->input_fd = input[1];
	synth->output_fd = output[0];
	synth->decoder = wyoming_decoder_new();
	return synth;
}

static int synth_end(struct synth *synth)
{
	int status;

	close(synth->input_fd);
	assert_int_equal(waitpid(synth->pid, &status, 0), synth->pid);
	close(synth->output_fd);
	wyoming_decoder_free(synth->decoder);
	free(synth);
	return status;
}

static void send_bytes(struct synth *synth, const char *bytes, size_t length)
{
	assert_int_equal(write(synth->input_fd, bytes, length), length);
}

/* False at the end of the output. */
static bool next_event(struct synth *synth, struct wyoming_event *event)
{
	for (;;) {
		size_t used;
		int result = wyoming_decode(synth->decoder, synth->bytes + synth->from,
			synth->to - synth->from, &used, event, NULL);
		assert_true(result >= 0);
		synth->from += used;
		if (result > 0)
			return true;
		ssize_t length = read(synth->output_fd, synth->bytes, sizeof synth->bytes);
		if (length <= 0)
			return false;
		synth->from = 0;
		synth->to = (size_t)length;
	}
}

/* The sound of a request, or NULL with the text of the error event. */
static char *ask(struct synth *synth, const char *text, const char *voice, size_t *ret_length)
{
	struct strbuf data = { 0 }, request = { 0 }, sound = { 0 };
	struct wyoming_event event;

	json_write_begin_object(&data, NULL);
	json_write_string(&data, "text", text);
	json_write_raw(&data, "voice", voice ? voice : "{\"rate\":130,\"pitch\":45}");
	json_write_end_object(&data);
	wyoming_encode(&request, "synthesize", data.text, NULL, 0);
	send_bytes(synth, request.text, request.length);
	strbuf_done(&request);
	strbuf_done(&data);
	for (;;) {
		assert_true(next_event(synth, &event));
		strbuf_add(&sound, event.payload, event.payload_length);
		if (strcmp(event.type, "audio-stop") == 0)
			break;
		if (strcmp(event.type, "error") == 0) {
			strbuf_done(&sound);
			return NULL;
		}
		assert_int_equal(json_as_integer(wyoming_get(&event, "rate"), 0), 22050);
		assert_int_equal(json_as_integer(wyoming_get(&event, "width"), 0), 2);
		assert_int_equal(json_as_integer(wyoming_get(&event, "channels"), 0), 1);
	}
	*ret_length = sound.length;
	return strbuf_take(&sound);
}

static double seconds_of(struct synth *synth, const char *text, const char *voice)
{
	size_t length = 0;
	_cleanup_(freep) char *sound = ask(synth, text, voice, &length);

	assert_non_null(sound);
	return (double)length / 2 / 22050;
}

/* Other voices, or other bytes for the same words, may differ by a few samples. */
static bool near(double a, double b)
{
	return a > b - 0.02 && a < b + 0.02;
}

/* Whatever was said before, by this worker or by another: the same bytes. Nodes that begin together
 * stay together by it. */
static void test_the_same_words_are_the_same_sound(void **state)
{
	(void)state;
	const char *text = "Đề nghị bà con chủ động công việc và thông cảm.";
	const char *others[] = { "Một.", "Kính thưa bà con, ngày mai cắt điện.", text };
	struct synth *synth = synth_new(NULL, NULL);
	size_t length = 0;
	_cleanup_(freep) char *first = ask(synth, text, NULL, &length);

	assert_non_null(first);
	for (size_t i = 0; i < countof(others); i++) {
		size_t ignored = 0, again_length = 0;
		for (int times = 0; times < 3; times++)
			free(ask(synth, others[i], NULL, &ignored));
		_cleanup_(freep) char *again = ask(synth, text, NULL, &again_length);
		assert_int_equal(again_length, length);
		assert_memory_equal(again, first, length);
	}
	assert_int_equal(synth_end(synth), 0);
}

static void test_speaks_and_ends(void **state)
{
	(void)state;
	struct synth *synth = synth_new(NULL, NULL);
	double seconds = seconds_of(synth, "Kính thưa bà con.", NULL);

	assert_true(seconds > 1.0 && seconds < 1.6);
	assert_true(seconds_of(synth, "Kính thưa bà con.", "{\"rate\":80}") > 1.3 * seconds);
	assert_true(seconds_of(synth, "Kính thưa bà con.", "{\"rate\":300}") < 0.6 * seconds);
	/* Out of range is the nearest; a wrong type is the default. */
	assert_true(seconds_of(synth, "Kính thưa bà con.", "{\"rate\":9999}") < 0.6 * seconds);
	assert_true(near(seconds_of(synth, "Kính thưa bà con.", "{\"rate\":\"x\"}"), seconds));
	assert_true(seconds_of(synth, "Kính thưa bà con.", "{\"name\":\"vi+f2\"}") > 0.5);
	assert_true(near(seconds_of(synth, "Kính thưa bà con.", "{\"name\":\"vi\"}"), seconds));
	assert_int_equal(synth_end(synth), 0);
}

/* Leading and trailing silence is ours to decide (10 and 20 ms). */
static void test_silence_is_trimmed(void **state)
{
	(void)state;
	struct synth *synth = synth_new(NULL, NULL);
	static const char *const texts[] = { "Kính thưa bà con.", "Được không?", "Chú ý!", "mai" };

	for (size_t i = 0; i < countof(texts); i++) {
		size_t length = 0;
		_cleanup_(freep) char *bytes = ask(synth, texts[i], NULL, &length);
		int16_t *samples = (int16_t *)bytes;
		size_t count = length / 2, first = 0, last = count;
		while (first < count && samples[first] > -32 && samples[first] < 32)
			first++;
		while (last > 0 && samples[last - 1] > -32 && samples[last - 1] < 32)
			last--;
		assert_in_range(first, 0, 220);
		assert_in_range(count - last, 0, 440);
	}
	assert_int_equal(synth_end(synth), 0);
}

/* Were they obeyed, each would be as long as what is left without them. */
static void test_A5_only_words(void **state)
{
	(void)state;
	struct synth *synth = synth_new(NULL, NULL);
	static const struct {
		const char *text, *obeyed;
	} cases[] = {
		{ "xin [[həˈləʊ]] chào", "xin chào" },
		{ "xin <audio src=\"/etc/passwd\"/> chào", "xin chào" },
		{ "xin <break time=\"5s\"/> chào", "xin <break time= chào" },
		{ "-f/etc/passwd", "mai" },
	};

	for (size_t i = 0; i < countof(cases); i++)
		assert_true(seconds_of(synth, cases[i].text, NULL) >
			    seconds_of(synth, cases[i].obeyed, NULL) + 0.2);
	/* 0x01 begins a command to the library: rate 300. */
	double plain = seconds_of(synth, "xin chào bà con", NULL);
	assert_true(seconds_of(synth,
			    "\x01"
			    "300S xin chào bà con",
			    NULL) > plain);
	assert_true(near(seconds_of(synth, "xin chào bà con", NULL), plain));
	assert_int_equal(synth_end(synth), 0);
}

static void test_bad_requests(void **state)
{
	(void)state;
	struct synth *synth = synth_new(NULL, NULL);
	static const char *const voices[] = { "{\"name\":\"../../etc/passwd\"}",
		"{\"name\":\"vi+../x\"}", "{\"name\":\"no-such\"}", "{\"name\":\"\"}" };
	size_t length;
	struct wyoming_event event;

	for (size_t i = 0; i < countof(voices); i++)
		assert_null(ask(synth, "mai", voices[i], &length));
	static const char no_text[] = "{\"type\":\"synthesize\",\"data\":{}}\n";
	send_bytes(synth, no_text, strlen(no_text));
	assert_true(next_event(synth, &event));
	assert_string_equal(event.type, "error");
	/* Nothing of that harms the next one. */
	assert_true(seconds_of(synth, "mai", NULL) > 0.2);
	send_bytes(synth, "no JSON\n", 8);
	assert_true(next_event(synth, &event));
	assert_string_equal(event.type, "error");
	assert_false(next_event(synth, &event));
	assert_true(WEXITSTATUS(synth_end(synth)) == 1);
}

static void test_nothing_to_say(void **state)
{
	(void)state;
	struct synth *synth = synth_new(NULL, NULL);

	assert_true(seconds_of(synth, "", NULL) == 0.0);
	assert_true(seconds_of(synth, "...", NULL) < 0.1);
	assert_int_equal(synth_end(synth), 0);
}

static void test_describe(void **state)
{
	(void)state;
	struct synth *synth = synth_new(NULL, NULL);
	struct wyoming_event event;
	static const char request[] = "{\"type\":\"ping\"}\n{\"type\":\"describe\"}\n";

	send_bytes(synth, request, strlen(request));
	assert_true(next_event(synth, &event));
	assert_string_equal(event.type, "info");
	const struct json *tts = json_at(wyoming_get(&event, "tts"), 0);
	const struct json *voice = json_at(json_get(tts, "voices"), 0);
	assert_string_equal(json_as_string(json_get(voice, "name"), ""), "vi");
	assert_int_equal(synth_end(synth), 0);
}

static void test_A7_no_voice_data(void **state)
{
	(void)state;
	char option[] = "--voice-path", path[] = "/nonexistent";
	struct synth *synth = synth_new(option, path);

	assert_int_equal(WEXITSTATUS(synth_end(synth)), 1);
}

static void test_small_and_steady(void **state)
{
	(void)state;
	struct synth *synth = synth_new(NULL, NULL);
	char path[40], line[128];
	long resident_kb = 0;

	for (int i = 0; i < 200; i++)
		(void)seconds_of(synth, "Kính thưa bà con, mời bà con đến họp lúc bảy giờ.", NULL);
	snprintf(path, sizeof path, "/proc/%d/status", synth->pid);
	FILE *file = fopen(path, "re");
	while (fgets(line, sizeof line, file))
		if (strncmp(line, "VmRSS:", 6) == 0)
			resident_kb = strtol(line + 6, NULL, 10);
	fclose(file);
	assert_int_equal(synth_end(synth), 0);
	assert_in_range(resident_kb, 1, RESIDENT_MAX_KB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_words_are_the_same_sound),
		cmocka_unit_test(test_speaks_and_ends),
		cmocka_unit_test(test_silence_is_trimmed),
		cmocka_unit_test(test_A5_only_words),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_nothing_to_say),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_A7_no_voice_data),
		cmocka_unit_test(test_small_and_steady),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
