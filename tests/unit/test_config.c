/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/strbuf.h"
#include "conf/config.h"
#include "conf/schema.h"
#include "conf/source.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
/* after the above, as it asks */
#include <cmocka.h>

#define GOOD    "site = \"a\"; node = \"b\"; outputs = ( { name = \"x\"; device = \"d\"; } );"
#define EXAMPLE SOURCE_DIR "/conf/loalang.conf.example"

static struct config *parse(
	const char *text, size_t length, bool need_outputs, struct config_problems *problems)
{
	*problems = (struct config_problems){ 0 };
	return config_parse("f", text, length, need_outputs, problems);
}

/* One cell of the table → the bytes of a file. */
static void unescape(const char *cell, struct strbuf *out)
{
	while (*cell) {
		if (*cell == '@' &&
			(out->length == 0 || out->text[out->length - 1] == '\n' ||
				(unsigned char)out->text[out->length - 1] == 0xbf) &&
			strncmp(cell, "@include", 8) != 0) {
			strbuf_puts(out, GOOD);
			cell++;
		} else if (strncmp(cell, "\\n", 2) == 0 || strncmp(cell, "\\r", 2) == 0) {
			strbuf_putc(out, cell[1] == 'n' ? '\n' : '\r');
			cell += 2;
		} else if (strncmp(cell, "\\\\", 2) == 0) {
			strbuf_putc(out, '\\');
			cell += 2;
		} else if (strncmp(cell, "\\x", 2) == 0) {
			char hex[3] = { cell[2], cell[3], '\0' };
			strbuf_putc(out, (char)strtol(hex, NULL, 16));
			cell += 4;
		} else {
			strbuf_putc(out, *cell++);
		}
	}
}

/* `expected` is LINE KEY "part". */
static void check_problem(const char *actual, const char *expected, int row)
{
	char key[200] = "", part[300] = "", start[300];
	int line = 0, used = 0;

	assert_int_equal(sscanf(expected, "%d %199[^\" ]%n", &line, key, &used) >= 1, 1);
	const char *quote = strchr(expected, '"');
	assert_non_null(quote);
	snprintf(part, sizeof(part), "%s", quote + 1);
	*strrchr(part, '"') = '\0';
	if (*key)
		snprintf(start, sizeof(start), "f:%d: %s: ", line, key);
	else
		snprintf(start, sizeof(start), "f:%d: ", line);
	if (strncmp(actual, start, strlen(start)) != 0 || !strstr(actual, part))
		fail_msg("row %d: “%s” is not “%s…%s”", row, actual, start, part);
}

static void check_row(char *line, int row)
{
	_cleanup_(strbuf_done) struct strbuf file = { 0 };
	struct config_problems problems;
	char *expected = strchr(line, '\t');

	assert_non_null(expected);
	*expected++ = '\0';
	unescape(line, &file);
	_cleanup_(config_freep) struct config *config = parse(
		file.text ? file.text : "", file.length, true, &problems);
	size_t count = 0;
	for (char *one = expected; *one;) {
		char *end = strstr(one, " | ");
		char *next = end ? end + 3 : one + strlen(one);
		if (end)
			*end = '\0';
		if (count >= problems.count)
			fail_msg("row %d: missing: %s", row, one);
		check_problem(problems.list[count++].text, one, row);
		one = next;
	}
	if (problems.count > count)
		fail_msg("row %d: too many: %s", row, problems.list[count].text);
	assert_true((config != NULL) == (count == 0));
	config_problems_done(&problems);
}

static void test_problems(void **state)
{
	(void)state;
	_cleanup_(fclosep) FILE *table = fopen(TEST_DATA_DIR "/config_problems.tsv", "re");
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	int row = 0;

	assert_non_null(table);
	for (ssize_t length; (length = getline(&line, &size, table)) > 0;) {
		row++;
		line[length - 1] = '\0';
		if (row > 3)
			check_row(line, row);
	}
	assert_true(row > 60);
}

static void test_defaults(void **state)
{
	(void)state;
	struct config_problems problems;
	_cleanup_(config_freep) struct config *config = parse(GOOD, strlen(GOOD), true, &problems);

	assert_non_null(config);
	assert_string_equal(config->timezone, "Asia/Ho_Chi_Minh");
	assert_string_equal(config->mqtt.host, "127.0.0.1");
	assert_int_equal(config->mqtt.port, 1883);
	assert_true(config->mqtt.keepalive_us == INT64_C(30000000));
	assert_int_equal(config->outputs_count, 1);
	assert_int_equal(config->outputs[0].sound.channel_mask, 1);
	assert_true(config->outputs[0].sound.preroll_us == 300000);
	assert_int_equal(config->outputs[0].zones_count, 0);
	assert_non_null(config->outputs[0].zones);
	assert_null(config->outputs[0].zones[0]);
	assert_int_equal(config->outputs[0].quiet.count, 0);
	assert_int_equal(config->outputs[0].gains.count, 0);
	assert_int_equal(config->outputs[0].limits.item_minutes, 45);
	assert_int_equal(config->outputs[0].limits.day_minutes, 0);
	assert_int_equal(config->outputs[0].limits.sessions_per_day, 0);
	assert_false(config->clock_synchronised);
	assert_true(config->history_us == INT64_C(400) * 86400 * 1000000);
	assert_int_equal(config->speech.engines_count, 1);
	assert_string_equal(config->speech.engines[0].command[0], "loalang-synth");
	assert_null(config->speech.engines[0].command[1]);
	assert_null(config->speech.engines[0].address);
	assert_string_equal(config->speech.engines[0].voice, "vi");
	assert_string_equal(config->chimes.by_priority[0].open, "none");
	assert_string_equal(config->chimes.by_priority[1].open, "thong-bao");
	assert_string_equal(config->chimes.by_priority[2].close, "het");
	assert_string_equal(config->chimes.by_priority[3].open, "khan-cap");
	assert_string_equal(config->chimes.by_priority[3].close, "none");
	assert_true(config->sync_lead_us == 1500000);
	assert_true(config->gap_us == 2000000);
	assert_true(config->late_us == 120000000);
	assert_string_equal(config->log_level, "info");
}

static void test_values(void **state)
{
	(void)state;
	static const char text[] =
		"site = \"a\"; node = \"b\";"
		"outputs = ( { name = \"x\"; device = \"d\"; channels = [0, 31]; delay_ms = 1000;"
		" gain_db = -6; zones = [\"m\", \"n\"]; } );"
		"speech = { engines = ( { name = \"ai\"; address = \"tcp://[::1]:10200\"; } ); };"
		"chimes = { dir = \"/c\"; normal = { bed = \"nen\"; }; };";
	struct config_problems problems;
	_cleanup_(config_freep) struct config *config = parse(text, strlen(text), true, &problems);

	assert_non_null(config);
	assert_true(config->outputs[0].sound.channel_mask == (UINT32_C(1) | UINT32_C(1) << 31));
	assert_true(config->outputs[0].sound.delay_us == 1000000);
	assert_true(config->outputs[0].sound.gain_db == -6.0);
	assert_int_equal(config->outputs[0].zones_count, 2);
	assert_string_equal(config->outputs[0].zones[1], "n");
	assert_string_equal(config->speech.engines[0].address, "tcp://[::1]:10200");
	assert_null(config->speech.engines[0].command);
	assert_string_equal(config->chimes.dir, "/c");
	assert_string_equal(config->chimes.by_priority[1].bed, "nen");
	assert_string_equal(config->chimes.by_priority[1].open, "thong-bao");
}

static void test_hours(void **state)
{
	(void)state;
	static const char text[] =
		"site = \"a\"; node = \"b\"; clock_trust = \"synchronised\"; history = \"31d\";"
		"outputs = ( { name = \"x\"; device = \"d\"; }, { name = \"y\"; device = \"e\";"
		" quiet_hours = [\"21:00-05:00\", \"11:30-13:30\"];"
		" gain_by_hour = ( { hours = \"05:00-06:30\"; gain_db = -9; },"
		" { gain_db = -2.5; hours = \"18:00-24:00\"; } );"
		" limits = { item_minutes = 600; day_minutes = 180; sessions_per_day = 6; }; } );";
	struct config_problems problems;
	_cleanup_(config_freep) struct config *config = parse(text, strlen(text), true, &problems);

	assert_non_null(config);
	assert_true(config->clock_synchronised);
	assert_true(config->history_us == INT64_C(31) * 86400 * 1000000);
	assert_int_equal(config->outputs[0].quiet.count, 0);
	const struct config_output *output = &config->outputs[1];
	assert_int_equal(output->quiet.count, 2);
	assert_int_equal(output->quiet.list[0].from_minute, 1260);
	assert_int_equal(output->quiet.list[0].to_minute, 300);
	assert_int_equal(output->quiet.list[1].from_minute, 690);
	assert_int_equal(output->gains.count, 2);
	assert_int_equal(output->gains.list[0].hours.to_minute, 390);
	assert_true(output->gains.list[0].gain_db == -9.0);
	assert_int_equal(output->gains.list[1].hours.to_minute, 1440);
	assert_true(output->gains.list[1].gain_db == -2.5);
	assert_int_equal(output->limits.item_minutes, 600);
	assert_int_equal(output->limits.day_minutes, 180);
	assert_int_equal(output->limits.sessions_per_day, 6);
}

/* A command that only talks to the broker needs no node and no outputs, but checks what is there.
 */
static void test_without_outputs(void **state)
{
	(void)state;
	struct config_problems problems;
	static const char bare[] = "site = \"a\";", bad[] = "site = \"a\"; outputs = ( { } );";
	_cleanup_(config_freep) struct config *config = parse(bare, strlen(bare), false, &problems);
	assert_non_null(config);
	assert_null(config->node);
	assert_int_equal(config->outputs_count, 0);

	assert_null(parse(bad, strlen(bad), false, &problems));
	assert_int_equal(problems.count, 2);
	config_problems_done(&problems);
	assert_null(parse("", 0, false, &problems));
	assert_int_equal(problems.count, 1);
	config_problems_done(&problems);

	_cleanup_(config_freep) struct config *standard = config_new_default();
	assert_null(standard->site);
	assert_int_equal(standard->speech.rate, 130);
}

static void check_unreadable(const char *path, int expected)
{
	struct config_problems problems = { 0 };

	errno = 0;
	assert_null(config_load(path, true, &problems));
	assert_int_equal(errno, expected);
	assert_int_equal(problems.count, 1);
	assert_non_null(strstr(problems.list[0].text, path));
	config_problems_done(&problems);
}

static void test_unreadable(void **state)
{
	(void)state;
	char path[] = "/tmp/loalang-test-XXXXXX";
	_cleanup_(closep) int fd = mkstemp(path);

	assert_true(fd >= 0);
	check_unreadable("/nonexistent/loalang.conf", ENOENT);
	check_unreadable("/tmp", EISDIR);
	check_unreadable("/dev/zero", EINVAL);
	/* One byte above the limit, all of it a comment. */
	_cleanup_(freep) char *comment = xcalloc(SOURCE_BYTES_MAX + 1, 1);
	memset(comment, '#', SOURCE_BYTES_MAX + 1);
	assert_int_equal(write(fd, comment, SOURCE_BYTES_MAX + 1), SOURCE_BYTES_MAX + 1);
	check_unreadable(path, EFBIG);
	unlink(path);
}

/* A file of nothing but errors costs a bounded report that says how many there are. */
static void test_many_problems(void **state)
{
	(void)state;
	_cleanup_(strbuf_done) struct strbuf text = { 0 };
	struct config_problems problems;

	strbuf_puts(&text, GOOD "\n");
	for (int i = 0; i < 1000; i++)
		strbuf_printf(&text, "x%d = 1;\n", i);
	assert_null(parse(text.text, text.length, true, &problems));
	assert_int_equal(problems.count, 101);
	assert_non_null(strstr(problems.list[0].text, "f:2: x0"));
	assert_non_null(strstr(problems.list[100].text, "còn 900 lỗi nữa"));
	config_problems_done(&problems);
}

static void check_same_strings(const char *path, char *const *a, char *const *b)
{
	size_t i = 0;

	for (; a && b && a[i] && b[i]; i++)
		assert_string_equal(a[i], b[i]);
	if ((a && a[i]) || (b && b[i]))
		fail_msg("%s differs from its default", path);
}

static void check_same(
	const char *path, const struct schema_key *keys, const char *a, const char *b);

static void check_same_key(
	const char *path, const struct schema_key *key, const char *a, const char *b)
{
	const char *one = a + key->offset, *other = b + key->offset;

	switch (key->type) {
	case SCHEMA_INTEGER:
		assert_int_equal(*(const int *)one, *(const int *)other);
		return;
	case SCHEMA_CHANNELS:
		assert_int_equal(*(const uint32_t *)one, *(const uint32_t *)other);
		return;
	case SCHEMA_REAL:
	case SCHEMA_DURATION:
	case SCHEMA_MS:
		if (memcmp(one, other, 8) != 0)
			fail_msg("%s differs from its default", path);
		return;
	case SCHEMA_STRINGS:
	case SCHEMA_NAMES:
		check_same_strings(path, *(char *const *const *)one, *(char *const *const *)other);
		return;
	case SCHEMA_GROUP:
		check_same(path, key->keys, a, b);
		return;
	case SCHEMA_EITHER:
		assert_int_equal(*(const bool *)one, *(const bool *)other);
		return;
	case SCHEMA_HOURS:
		assert_memory_equal(one, other, sizeof(struct hours));
		return;
	case SCHEMA_DAY:
		assert_memory_equal(one, other, sizeof(struct hours_list));
		return;
	case SCHEMA_GROUPS:
	case SCHEMA_ARRAY: {
		bool within = key->type == SCHEMA_ARRAY;
		assert_int_equal(*(const size_t *)(a + key->count_offset),
			*(const size_t *)(b + key->count_offset));
		for (size_t i = 0; i < *(const size_t *)(a + key->count_offset); i++)
			check_same(path, key->keys,
				(within ? one : *(char *const *)one) + i * key->element_size,
				(within ? other : *(char *const *)other) + i * key->element_size);
		return;
	}
	default: {
		const char *text = *(char *const *)one, *standard = *(char *const *)other;
		if ((text == NULL) != (standard == NULL) || (text && strcmp(text, standard) != 0))
			fail_msg("%s is “%s”, its default “%s”", path, text, standard);
	}
	}
}

static void check_same(
	const char *path, const struct schema_key *keys, const char *a, const char *b)
{
	for (; keys->key; keys++) {
		_cleanup_(freep) char *below = xasprintf("%s.%s", path, keys->key);
		check_same_key(below, keys, a, b);
	}
}

/* The example says that what it writes is the default, but for what it names: a default that changes
 * must change there. */
static void test_example(void **state)
{
	(void)state;
	static const char minimal[] =
		"site = \"vi-huong\"; node = \"ubnd\"; outputs = ("
		"{ name = \"san-uy-ban\"; device = \"hw:CARD=Amp,DEV=0\"; zones = [\"trung-tam\"];"
		" quiet_hours = [\"21:00-05:00\"];"
		" gain_by_hour = ( { hours = \"05:00-06:30\"; gain_db = -9; } );"
		" limits = { day_minutes = 180; sessions_per_day = 6; }; },"
		"{ name = \"na-san\"; device = \"hw:CARD=Amp,DEV=0\"; channels = [1];"
		" zones = [\"na-san\", \"phia-bac\"]; quiet_hours = [\"21:00-05:00\"]; } );";
	struct config_problems problems = { 0 };
	_cleanup_(config_freep) struct config *example = config_load(EXAMPLE, true, &problems);
	if (!example) {
		fail_msg("%s", problems.list[0].text);
		return;
	}
	_cleanup_(config_freep) struct config *standard = parse(
		minimal, strlen(minimal), true, &problems);

	assert_non_null(standard);
	if (standard)
		check_same("", schema_root, (char *)example, (char *)standard);
}

static void check_shown(const char *text, const struct schema_key *keys)
{
	for (; keys->key; keys++) {
		_cleanup_(freep) char *written = xasprintf("%s = ", keys->key);
		if (!strstr(text, written))
			fail_msg("the example does not show `%s`", keys->key);
		if (keys->keys)
			check_shown(text, keys->keys);
	}
}

static void test_example_shows_all(void **state)
{
	(void)state;
	struct error error;
	size_t length = 0;
	int why = 0;
	_cleanup_(freep) char *text = source_read(EXAMPLE, &length, &why, &error);

	assert_non_null(text);
	check_shown(text, schema_root);
}

static void touch(const char *dir, const char *name)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", dir, name);
	_cleanup_(closep) int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
}

static void test_chime_path(void **state)
{
	(void)state;
	char dir[] = "/tmp/loalang-test-XXXXXX";
	_cleanup_(config_freep) struct config *config = config_new_default();

	assert_non_null(mkdtemp(dir));
	free(config->chimes.dir);
	config->chimes.dir = xstrdup(dir);
	touch(dir, "het.ogg");
	touch(dir, "mo.flac");
	touch(dir, "mo.mp3");
	_cleanup_(freep) char *het = config_chime_path(config, "het");
	_cleanup_(freep) char *mo = config_chime_path(config, "mo");
	assert_string_equal(strrchr(het, '/'), "/het.ogg");
	assert_string_equal(strrchr(mo, '/'), "/mo.flac");
	assert_null(config_chime_path(config, "none"));
	assert_null(config_chime_path(config, ""));
	assert_null(config_chime_path(config, "khong-co"));
	_cleanup_(freep) char *remove_all = xasprintf("%s/mo.mp3", dir);
	unlink(remove_all);
	unlink(het);
	unlink(mo);
	rmdir(dir);
}

static void put_file(const char *dir, const char *name, const char *text)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", dir, name);
	_cleanup_(fclosep) FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
}

static struct config *load_with_lexicon(const char *dir, struct config_problems *problems)
{
	_cleanup_(freep) char *path = xasprintf("%s/f.conf", dir);
	_cleanup_(freep) char *text = xasprintf(
		GOOD "\nspeech = { lexicon = \"%s/l.tsv\"; };\n", dir);

	put_file(dir, "f.conf", text);
	*problems = (struct config_problems){ 0 };
	return config_load(path, true, problems);
}

static void refuse_lexicon(const char *dir, const char *part)
{
	struct config_problems problems;

	assert_null(load_with_lexicon(dir, &problems));
	assert_int_equal(problems.count, 1);
	if (!strstr(problems.list[0].text, "speech.lexicon") ||
		!strstr(problems.list[0].text, part))
		fail_msg("“%s” does not say “%s”", problems.list[0].text, part);
	config_problems_done(&problems);
}

/* A lexicon is part of the configuration: a mistake in it refuses the whole. */
static void test_lexicon(void **state)
{
	(void)state;
	char dir[] = "/tmp/loalang-test-XXXXXX";
	struct config_problems problems = { 0 };

	assert_non_null(mkdtemp(dir));
	refuse_lexicon(dir, "l.tsv");
	put_file(dir, "l.tsv", "TDP\ttổ dân phố\nNVH\n");
	refuse_lexicon(dir, "l.tsv, dòng 2");
	put_file(dir, "l.tsv", "# ghi chú\nTDP\ttổ dân phố\n");
	_cleanup_(config_freep) struct config *config = load_with_lexicon(dir, &problems);
	assert_non_null(config);
	assert_int_equal(lexicon_count(config->speech.lexicon), 1);
	assert_ptr_equal(config_reading(config, NULL, NULL, -1).lexicon, config->speech.lexicon);
	_cleanup_(freep) char *conf = xasprintf("%s/f.conf", dir);
	_cleanup_(freep) char *lexicon = xasprintf("%s/l.tsv", dir);
	unlink(conf);
	unlink(lexicon);
	rmdir(dir);
}

static void test_example_lexicon(void **state)
{
	(void)state;
	struct error error = { "" };
	_cleanup_(lexicon_freep) struct lexicon *lexicon = NULL;

	if (lexicon_load(SOURCE_DIR "/conf/lexicon.tsv.example", &lexicon, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(lexicon_count(lexicon), 0);
}

/* The wording goes with the voice that will speak. */
static void test_reading_config(void **state)
{
	(void)state;
	static const char text[] = GOOD "speech = { rate = 120; engines = ("
					"{ name = \"bac\"; command = [\"x\"]; voice = \"vi\"; },"
					"{ name = \"nam\"; command = [\"x\"];"
					" voice = \"vi-vn-x-south\"; } ); };";
	struct config_problems problems;
	_cleanup_(config_freep) struct config *config = parse(text, strlen(text), true, &problems);

	assert_non_null(config);
	assert_int_equal(config_reading(config, NULL, NULL, -1).wording, WORDING_NORTH);
	assert_int_equal(config_reading(config, "nam", NULL, -1).wording, WORDING_SOUTH);
	assert_int_equal(config_reading(config, "nam", "vi", -1).wording, WORDING_NORTH);
	assert_int_equal(config_reading(config, "", "vi-vn-x-south", -1).wording, WORDING_SOUTH);
	assert_int_equal(config_reading(config, NULL, NULL, -1).rate, 120);
	assert_int_equal(config_reading(config, NULL, NULL, 90).rate, 90);
}

/* Executables of the build tree find what is shipped, and each other, without being installed. */
static void test_shipped(void **state)
{
	(void)state;
	_cleanup_(freep) char *example = config_shipped_path("loalang.conf.example");

	assert_string_equal(example, EXAMPLE);
	assert_null(config_shipped_path("khong-co"));
	bool found = false;
	for (const char *const *dir = config_helper_dirs(); *dir; dir++)
		found |= strcmp(*dir, BIN_DIR) == 0;
	assert_true(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_without_outputs),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_many_problems),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_example_shows_all),
		cmocka_unit_test(test_chime_path),
		cmocka_unit_test(test_lexicon),
		cmocka_unit_test(test_example_lexicon),
		cmocka_unit_test(test_reading_config),
		cmocka_unit_test(test_shipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
