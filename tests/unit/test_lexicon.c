/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tts/lexicon.h"
#include "tts/normalise.h"

#include <errno.h>
#include <string.h>

static struct lexicon *parse(const char *text)
{
	struct lexicon *lexicon = NULL;
	struct error error = { "" };

	if (lexicon_parse(text, strlen(text), "từ điển", &lexicon, &error) < 0)
		fail_msg("%s", error.text);
	return lexicon;
}

static void expect_spoken(const struct lexicon *lexicon, const char *written, const char *expected)
{
	const struct normalise_config config = { WORDING_NORTH, lexicon };
	_cleanup_(normalised_freep) struct normalised *normalised = normalise_new(
		written, strlen(written), &config);
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	normalised_write(normalised, 0, normalised->words_count, &out);
	assert_string_equal(out.text, expected);
}

static void test_overrides_the_tables(void **state)
{
	(void)state;
	_cleanup_(lexicon_freep) struct lexicon *lexicon = parse(
		"# của xã ta\nUBND\tủy ban\nHTX Đông\thợp tác xã thôn Đông\nHTX\thát tê ích\n");

	assert_int_equal(lexicon_count(lexicon), 3);
	expect_spoken(lexicon, "Mời lên UBND.", "Mời lên ủy ban.");
	expect_spoken(lexicon, "Mời ubnd họp", "Mời ủy ban nhân dân họp");
	expect_spoken(NULL, "Mời lên UBND.", "Mời lên ủy ban nhân dân.");
}

static void test_longest_and_whole_words(void **state)
{
	(void)state;
	_cleanup_(lexicon_freep) struct lexicon *lexicon = parse(
		"Q\tquang\nQ B\tquang bình\nĐC\tđèo cả\n");

	expect_spoken(lexicon, "anh Q B và Q", "Anh quang bình và quang");
	expect_spoken(lexicon, "anh Q  nhà", "Anh quang nhà");
	expect_spoken(lexicon, "hầm ĐC", "Hầm đèo cả");
	expect_spoken(lexicon, "mã ĐCX", "Mã đê xê ích");
}

static void test_cues(void **state)
{
	(void)state;
	_cleanup_(lexicon_freep) struct lexicon *lexicon = parse("ST\tsông trà\tcầu, bến|\n"
								 "ST\tsóc trăng\t|*\n"
								 "ST\tsố thứ tự\t|#\n"
								 "ST\tsân thượng\n");

	expect_spoken(lexicon, "qua cầu ST", "Qua cầu sông trà");
	expect_spoken(lexicon, "tỉnh ST Mới", "Tỉnh sóc trăng Mới");
	expect_spoken(lexicon, "lấy ST 5", "Lấy số thứ tự năm");
	expect_spoken(lexicon, "lên ST chơi", "Lên sân thượng chơi");
}

static void test_marks_and_blanks(void **state)
{
	(void)state;
	_cleanup_(lexicon_freep) struct lexicon *lexicon = parse("\xef\xbb\xbf"
								 "  X1 \t ích một , tuyến mới \r\n"
								 "\r\n"
								 "#\r\n"
								 "tie\xcc\x82n\ttiền lệ\n");

	assert_int_equal(lexicon_count(lexicon), 2);
	expect_spoken(lexicon, "xe X1 đi", "Xe ích một, tuyến mới đi");
	expect_spoken(lexicon, "tiên", "Tiền lệ");
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *where;
	} wrong[] = {
		{ "UBND\n", "dòng 1" },
		{ "# x\nUBND\t\n", "dòng 2" },
		{ "\tủy ban\n", "dòng 1" },
		{ "A1\tjazz\n", "“jazz”" },
		{ "A1\ta 1\n", "“1”" },
		{ "A1\ta\tx|y|z\n", "thừa cột" },
		{ "A1\ta\nA1\tbê\n", "hai lần" },
		{ "A1\ta\xff\n", "UTF-8" },
	};

	for (size_t i = 0; i < countof(wrong); i++) {
		struct lexicon *lexicon = NULL;
		struct error error = { "" };
		assert_int_equal(lexicon_parse(wrong[i].text, strlen(wrong[i].text), "tệp.tsv",
					 &lexicon, &error),
			-EINVAL);
		assert_null(lexicon);
		assert_non_null(strstr(error.text, "tệp.tsv"));
		if (!strstr(error.text, wrong[i].where))
			fail_msg("%s", error.text);
	}
}

static void test_too_long(void **state)
{
	(void)state;
	_cleanup_(freep) char *text = xcalloc(1, LEXICON_BYTES_MAX + 2);
	struct lexicon *lexicon = NULL;
	struct error error;

	memset(text, '\n', LEXICON_BYTES_MAX + 1);
	assert_int_equal(
		lexicon_parse(text, LEXICON_BYTES_MAX + 1, "x", &lexicon, &error), -EINVAL);
	assert_int_equal(lexicon_parse(text, LEXICON_BYTES_MAX, "x", &lexicon, &error), 0);
	assert_int_equal(lexicon_count(lexicon), 0);
	expect_spoken(lexicon, "xã", "Xã");
	lexicon_free(lexicon);
	memset(text, 'A', LEXICON_WRITTEN_MAX + 1);
	text[LEXICON_WRITTEN_MAX + 1] = '\t';
	text[LEXICON_WRITTEN_MAX + 2] = 'a';
	assert_int_equal(
		lexicon_parse(text, LEXICON_WRITTEN_MAX + 4, "x", &lexicon, &error), -EINVAL);
}

static void test_no_such_file(void **state)
{
	(void)state;
	struct lexicon *lexicon = NULL;
	struct error error;

	assert_int_equal(lexicon_load("/nonexistent/x.tsv", &lexicon, &error), -ENOENT);
	assert_non_null(strstr(error.text, "/nonexistent/x.tsv"));
	assert_null(lexicon_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overrides_the_tables),
		cmocka_unit_test(test_longest_and_whole_words),
		cmocka_unit_test(test_cues),
		cmocka_unit_test(test_marks_and_blanks),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_no_such_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
