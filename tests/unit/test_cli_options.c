/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"
#include "cli/options.h"
#include <stdbool.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* after the above, as it asks */
#include <cmocka.h>

struct globals {
	bool json;
	const char *site;
};

struct own {
	struct option_names zones;
	struct option_texts texts;
	const char *text, *id, *maybe;
	int choice, number;
	int64_t duration_us, time_us;
};

static const char *const choices[] = { "mot", "hai", NULL };

static const struct option_spec global_specs[] = {
	{ "json", '\0', OPTION_FLAG, offsetof(struct globals, json), .help = "JSON" },
	{ "site", 's', OPTION_NAME, offsetof(struct globals, site), .value = "XÃ", .help = "xã" },
	{ 0 },
};
static const struct option_spec own_specs[] = {
	{ "zone", 'z', OPTION_NAMES, offsetof(struct own, zones), .value = "Z", .help = "khu vực" },
	{ "text", '\0', OPTION_TEXT, offsetof(struct own, text), .value = "T", .help = "chữ" },
	{ "file", '\0', OPTION_TEXTS, offsetof(struct own, texts), .value = "T", .help = "nhiều" },
	{ "maybe", 'm', OPTION_MAYBE, offsetof(struct own, maybe), .value = "[T]",
		.help = "có thể" },
	{ "id", '\0', OPTION_ID, offsetof(struct own, id), .value = "MÃ", .help = "mã" },
	{ "choice", '\0', OPTION_CHOICE, offsetof(struct own, choice), .choices = choices,
		.value = "C", .help = "chọn" },
	{ "number", 'n', OPTION_INTEGER, offsetof(struct own, number), 1, 10, .value = "N",
		.help = "số" },
	{ "expires", '\0', OPTION_DURATION, offsetof(struct own, duration_us), .value = "D",
		.help = "khoảng" },
	{ "start", '\0', OPTION_TIME, offsetof(struct own, time_us), .value = "T", .help = "lúc" },
	{ 0 },
};

/* Splits a line at blanks: the arguments after "loalang". */
struct line {
	char text[200];
	char *argv[32];
	int argc;
};

static void split(struct line *line, const char *text)
{
	char *rest = NULL;

	snprintf(line->text, sizeof(line->text), "loalang %s", text);
	line->argc = 0;
	for (char *word = strtok_r(line->text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		line->argv[line->argc++] = word;
	line->argv[line->argc] = NULL;
}

static int parse(struct line *line, const char *text, bool stop_early, struct globals *globals,
	struct own *own, int *ret_rest, struct error *error)
{
	const struct option_set sets[2] = { { global_specs, globals }, { own_specs, own } };

	split(line, text);
	return options_parse(sets, line->argc, line->argv, stop_early, ret_rest, error);
}

static void test_values(void **state)
{
	(void)state;
	struct globals globals = { 0 };
	struct own own = { 0 };
	struct line line;
	struct error error;
	int rest = 0;

	assert_int_equal(
		parse(&line,
			"--zone bac chao --json -z nam --zone=bac -n 3 --choice hai "
			"--expires 15m --start 2026-11-21T17:00:00+07:00 --id tin-1 -sxa --te chu",
			false, &globals, &own, &rest, &error),
		0);
	assert_true(globals.json);
	assert_string_equal(globals.site, "xa");
	assert_int_equal(own.zones.count, 2); /* one that is given twice counts once */
	assert_string_equal(own.zones.list[0], "bac");
	assert_string_equal(own.zones.list[1], "nam");
	assert_int_equal(own.number, 3);
	assert_int_equal(own.choice, 1);
	assert_true(own.duration_us == 900 * US_PER_SEC);
	assert_true(own.time_us == INT64_C(1795255200) * US_PER_SEC);
	assert_string_equal(own.id, "tin-1");
	assert_string_equal(own.text, "chu");
	assert_int_equal(line.argc - rest, 1);
	assert_string_equal(line.argv[rest], "chao");
}

/* After "--" nothing is an option; "-" alone never is. */
static void test_ends(void **state)
{
	(void)state;
	struct globals globals = { 0 };
	struct own own = { 0 };
	struct line line;
	struct error error;
	int rest = 0;

	assert_int_equal(
		parse(&line, "- --json -- --site -5", false, &globals, &own, &rest, &error), 0);
	assert_int_equal(line.argc - rest, 3);
	assert_string_equal(line.argv[rest], "-");
	assert_string_equal(line.argv[rest + 2], "-5");
	assert_true(globals.json);

	globals.json = false;
	assert_int_equal(
		parse(&line, "-s xa say --json x", true, &globals, &own, &rest, &error), 0);
	assert_string_equal(line.argv[rest], "say");
	assert_false(globals.json);
}

/* What may be given again, in its order; and what may stand alone. */
static void test_more_and_less(void **state)
{
	(void)state;
	struct globals globals = { 0 };
	struct own own = { 0 };
	struct line line;
	struct error error;
	int rest = 0;

	assert_int_equal(parse(&line, "--file b --maybe x --file=a --file b", false, &globals, &own,
				 &rest, &error),
		0);
	assert_int_equal(own.texts.count, 3);
	assert_string_equal(own.texts.list[0], "b");
	assert_string_equal(own.texts.list[1], "a");
	assert_string_equal(own.maybe, "");
	assert_int_equal(line.argc - rest, 1);
	assert_string_equal(line.argv[rest], "x");
	assert_int_equal(
		parse(&line, "-m --maybe=2026-12", false, &globals, &own, &rest, &error), 0);
	assert_string_equal(own.maybe, "2026-12");
	assert_int_equal(parse(&line, "-mba", false, &globals, &own, &rest, &error), 0);
	assert_string_equal(own.maybe, "ba");
	assert_int_equal(rest, line.argc);
}

static void check_refused(const char *text, const char *part)
{
	struct globals globals = { 0 };
	struct own own = { 0 };
	struct line line;
	struct error error = { "" };
	int rest = 0;

	assert_true(parse(&line, text, false, &globals, &own, &rest, &error) < 0);
	if (!strstr(error.text, part))
		fail_msg("“%s” is refused with “%s”, not “…%s…”", text, error.text, part);
}

static void test_refused(void **state)
{
	(void)state;
	check_refused("--zon a --zo", "“--zo” cần có giá trị");
	check_refused("--jsn", "“--jsn” (có phải “--json”?)");
	check_refused("x --jsn=3 y", "có phải “--json”?");
	check_refused("--xyzzy", "không có tùy chọn “--xyzzy”");
	check_refused("-5", "“-5” (nội dung bắt đầu bằng dấu -");
	check_refused("--json=3", "“--json” không nhận giá trị");
	check_refused("--site", "“--site” cần có giá trị");
	check_refused("-n", "“-n” cần có giá trị");
	check_refused("--site a/b", "--site: “a/b” không phải là tên");
	check_refused("--zone xã", "--zone: ");
	check_refused("-n 0", "--number: phải là số nguyên từ 1 đến 10");
	check_refused("-n 11", "--number: ");
	check_refused("-n 3x", "--number: ");
	check_refused("-n 99999999999999999999", "--number: ");
	check_refused("--choice ba", "chọn một trong: mot, hai");
	check_refused("--expires 5", "--expires: ");
	check_refused("--expires 0s", "--expires: phải lớn hơn 0");
	check_refused("--start 17:00", "--start: ");
	check_refused("--id a/b", "--id: ");
	check_refused("--file=", "--file: không được để trống");
	check_refused("--text=", "--text: không được để trống");
	check_refused("-z1 -z2 -z3 -z4 -z5 -z6 -z7 -z8 -z9 -z10 -z11 -z12 -z13 -z14 -z15 -z16 -z17",
		"nhiều nhất là 16");
}

static void test_description(void **state)
{
	(void)state;
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	options_describe(global_specs, &out);
	assert_string_equal(out.text, "  --json                  JSON\n"
				      "  -s, --site XÃ           xã\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_more_and_less),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_description),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
