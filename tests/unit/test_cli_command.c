/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command itself, as far as it needs no broker: exit statuses, what it prints and where. */
#include "base/strbuf.h"
#include <stdio.h>
#include <sys/wait.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as it asks */
#include <cmocka.h>

/* Runs a shell line with $L as the command; the exit status, and both outputs. */
static int run(const char *line, struct strbuf *out)
{
	char buffer[4096];
	_cleanup_(freep) char *command = xasprintf("L=%s/loalang; { %s; } 2>&1", BIN_DIR, line);
	FILE *pipe = popen(command, "re");

	assert_non_null(pipe);
	strbuf_clear(out);
	for (size_t got; (got = fread(buffer, 1, sizeof(buffer), pipe)) > 0;)
		strbuf_add(out, buffer, got);
	int status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void check(const char *line, int status, const char *part)
{
	_cleanup_(strbuf_done) struct strbuf out = { 0 };
	int actual = run(line, &out);
	const char *text = out.text ? out.text : "";

	if (actual != status || !strstr(text, part))
		fail_msg("%s: status %d, not %d, or no “%s” in: %s", line, actual, status, part,
			text);
}

static void check_exactly(const char *line, int status, const char *expected)
{
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	assert_int_equal(run(line, &out), status);
	assert_string_equal(out.text ? out.text : "", expected);
}

static void test_usage(void **state)
{
	(void)state;
	check("$L", 2, "thiếu lệnh");
	check("$L sya x", 2, "có phải “say”?");
	check("$L --help", 0, "withdraw");
	check("$L --version", 0, "loalang ");
	check("$L say --help", 0, "--priority");
	check("$L --site x say", 2, "thiếu NỘI-DUNG");
	check("$L --site x say a b", 2, "thừa “b”");
	check("$L --site x withdraw", 2, "thiếu MÃ");
	check("$L --site x withdraw a/b", 2, "a/b");
	check("$L render x", 2, "-o");
	check("cd /tmp && $L render -o - x", 2, "-o -: ");
	check("$L --site x mute all", 2, "thừa “all”");
	check("$L --site x skip --zone a/b", 2, "--zone: ");
	check("$L plan --month 2026-13", 2, "--month: ");
	check("$L plan 2026-12", 2, "thừa “2026-12”");
	check("$L plan", 2, "tên xã");
	check("$L --site x schedule", 2, "thiếu put TỆP");
	check("$L --site x schedule put", 2, "put: thiếu TỆP");
	check("$L --site x schedule pt a", 2, "put, list, delete");
	check("$L --site x schedule list a", 2, "thừa “a”");
	check("$L read --lnes x", 2, "có phải “--lines”?");
}

static void test_config(void **state)
{
	(void)state;
	check("$L -c /nonexistent/c.conf read a", 2, "/nonexistent/c.conf");
	check("printf 'gap = 2;\\nx = 1;' > $$.conf; $L -c $$.conf read a; s=$?; rm $$.conf; "
	      "exit $s",
		2, ".conf:2: x: không có khóa này");
	check("$L -c " SOURCE_DIR "/conf/loalang.conf.example read 'một hai'", 0, "Một hai.");
}

/* Nothing listens at port 9 (discard) of the loopback. */
static void test_no_broker(void **state)
{
	(void)state;
	check("$L --site x --host 127.0.0.1 --port 9 say 'một hai'", 4, "127.0.0.1:9");
	check("$L --site x --host 127.0.0.1 --port 9 status", 4, "127.0.0.1:9");
	check("$L --site x --host 127.0.0.1 --port 9 withdraw a", 4, "127.0.0.1:9");
	check("$L --site x --host 127.0.0.1 --port 9 stop", 4, "loalang stop: không nối được");
	check("$L --site x --host 127.0.0.1 --port 9 skip", 4, "loalang skip: không nối được");
	check("$L --site x --host 127.0.0.1 --port 9 mute -z a", 4, "127.0.0.1:9");
	check("$L --site x --host 127.0.0.1 --port 9 unmute", 4, "127.0.0.1:9");
	check("$L --site x --host 127.0.0.1 --port 9 plan", 4, "127.0.0.1:9");
	check("$L --site x --host 127.0.0.1 --port 9 schedule list", 4, "127.0.0.1:9");
	check("$L --site x --host 127.0.0.1 --port 9 schedule delete a", 4, "127.0.0.1:9");
	check("$L --site x --host 127.0.0.1 --port 9 schedule put /nonexistent/a", 1,
		"/nonexistent/a");
	check("$L --site x --host khong-co.invalid status", 4, "khong-co.invalid");
	/* what nodes would refuse does not get as far as the broker */
	check("$L --site x --host 127.0.0.1 --port 9 say '!!!'", 1, "");
	check("$L --site x --host 127.0.0.1 --port 9 say --start 2020-01-01T00:00:00Z a", 1,
		"hết hạn");
	check("head -c 70000 /dev/zero | tr '\\0' a | $L --site x --port 9 say -", 1, "64 KiB");
}

static void test_read(void **state)
{
	(void)state;
	check_exactly("$L read 'Kính thưa bà con'", 0, "Kính thưa bà con.\n");
	check_exactly("echo 'Kính thưa bà con' | $L read", 0, "Kính thưa bà con.\n");
	check_exactly("printf 'Một.\\n\\nHai.' | $L read --lines", 0, "Một.\n\nHai.\n");
	check_exactly(
		"printf 'Một.\\n!!!\\nHai.\\n' | $L read --lines 2>/dev/null", 1, "Một.\n\nHai.\n");
	check("printf 'Một.\\n!!!\\nHai.\\n' | $L read --lines 2>&1 >/dev/null", 1, "dòng 2: ");
	check_exactly("printf 'Một.\\n\\n' | $L read --lines --json | tail -1", 0,
		"{\"error\":{\"reason\":\"empty\",\"detail\":\"dòng trống\"}}\n");
	check("printf '!!!\n\\377\n' | $L read --lines --json 2>/dev/null", 1,
		"{\"error\":{\"reason\":\"empty\",\"detail\":\"");
	check("printf '!!!\n\\377\n' | $L read --lines --json 2>/dev/null", 1,
		"\n{\"error\":{\"reason\":\"bad-value\",\"detail\":\"");
	check("$L read '!!!'", 1, "loalang read: ");
	check("$L read --json 'Một hai.'", 0,
		"\"words\":[{\"text\":\"Một\",\"from\":0,\"to\":5},{\"text\":\"hai\",\"from\":6,"
		"\"to\":9}]");
	check("$L read a > /dev/full", 1, "không ghi được");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_no_broker),
		cmocka_unit_test(test_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
