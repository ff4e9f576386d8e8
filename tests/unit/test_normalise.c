/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/data/readings-more.tsv, and what the normaliser keeps besides the words. The lists with
 * every accepted reading: tests/readings/score. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tts/clean.h"
#include "tts/letter.h"
#include "tts/normalise.h"
#include "tts_table.h"

static const struct normalise_config north = { WORDING_NORTH, NULL };
static const struct normalise_config south = { WORDING_SOUTH, NULL };

static struct normalised *normalise(const char *text)
{
	return normalise_new(text, strlen(text), &north);
}

static void expect(const char *written, const char *expected)
{
	_cleanup_(normalised_freep) struct normalised *normalised = normalise(written);
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	strbuf_puts(&out, "");
	normalised_write(normalised, 0, normalised->words_count, &out);
	assert_string_equal(out.text, expected);
}

/* --- The list ----------------------------------------------------------------------------------- */

static void lower(struct strbuf *text)
{
	char bytes[4];
	uint32_t c;

	for (size_t at = 0; at < text->length;) {
		size_t used = utf8_decode(text->text + at, text->length - at, &c);
		if (utf8_encode(letter_lower(c), bytes) == used)
			memcpy(text->text + at, bytes, used);
		at += used;
	}
}

static void check_row(const struct table_row *row)
{
	const struct strbuf *written = &row->fields[1];
	_cleanup_(clean_freep) struct clean *clean = NULL;
	_cleanup_(strbuf_done) struct strbuf out = { 0 };
	struct error error;

	assert_int_equal(clean_new(written->text, written->length, &clean, &error), 0);
	_cleanup_(normalised_freep) struct normalised *normalised = normalise_new(
		clean->text, clean->length, &north);
	normalised_write(normalised, 0, normalised->words_count, &out);
	lower(&out);
	if (strcmp(out.text, row->fields[2].text) != 0)
		fail_msg("line %u: %s: “%s”, expected “%s”", row->line, written->text, out.text,
			row->fields[2].text);
}

static void test_list(void **state)
{
	(void)state;
	assert_true(table_each(TEST_DATA_DIR "/readings-more.tsv", check_row) > 450);
}

/* --- Words, pauses, sources --------------------------------------------------------------------- */

static void test_words_have_their_source(void **state)
{
	(void)state;
	static const char written[] = "Họp 7h30, UBND.";
	_cleanup_(normalised_freep) struct normalised *normalised = normalise(written);
	static const char *const words[] = { "Họp", "bảy", "giờ", "ba", "mươi", "phút", "ủy", "ban",
		"nhân", "dân" };
	static const char *const sources[] = { "Họp", "7h30", "7h30", "7h30", "7h30", "7h30",
		"UBND", "UBND", "UBND", "UBND" };

	assert_int_equal(normalised->words_count, countof(words));
	for (size_t i = 0; i < countof(words); i++) {
		const struct spoken_word *word = &normalised->words[i];
		assert_string_equal(word->text, words[i]);
		assert_int_equal(word->to - word->from, strlen(sources[i]));
		assert_memory_equal(written + word->from, sources[i], strlen(sources[i]));
	}
	assert_int_equal(normalised->words[5].mark, ',');
	assert_int_equal(normalised->words[5].pause, SPOKEN_PAUSE_COMMA);
	assert_int_equal(normalised->words[9].pause, SPOKEN_PAUSE_STOP);
}

static void expect_pause(const char *written, enum spoken_pause pause, char mark)
{
	_cleanup_(normalised_freep) struct normalised *normalised = normalise(written);

	assert_string_equal(normalised->words[0].text, "Một");
	if (normalised->words[0].pause != pause || normalised->words[0].mark != mark)
		fail_msg("%s: %d %c", written, normalised->words[0].pause,
			normalised->words[0].mark);
}

static void test_pauses(void **state)
{
	(void)state;
	expect_pause("một hai", SPOKEN_PAUSE_NONE, '\0');
	expect_pause("một, hai", SPOKEN_PAUSE_COMMA, ',');
	expect_pause("một (hai)", SPOKEN_PAUSE_COMMA, ',');
	expect_pause("một – hai", SPOKEN_PAUSE_COMMA, ',');
	expect_pause("một; hai", SPOKEN_PAUSE_CLAUSE, ';');
	expect_pause("một: hai", SPOKEN_PAUSE_CLAUSE, ':');
	expect_pause("một. Hai", SPOKEN_PAUSE_STOP, '.');
	expect_pause("một! Hai", SPOKEN_PAUSE_STOP, '!');
	expect_pause("một?) Hai", SPOKEN_PAUSE_STOP, '?');
	expect_pause("một?! Hai", SPOKEN_PAUSE_STOP, '?');
	expect_pause("một…", SPOKEN_PAUSE_STOP, '.');
	expect_pause("một\nhai", SPOKEN_PAUSE_LINE, '.');
	expect_pause("một.\nHai", SPOKEN_PAUSE_LINE, '.');
	expect_pause("một,\n\nhai", SPOKEN_PAUSE_PARAGRAPH, '.');
}

static void test_slow_is_what_is_written_down(void **state)
{
	(void)state;
	_cleanup_(normalised_freep) struct normalised *normalised = normalise(
		"gọi 0912 345 678 ngay, xe 29A-123.45, số 15");
	size_t slow = 0;

	for (size_t i = 0; i < normalised->words_count; i++)
		slow += normalised->words[i].slow;
	assert_int_equal(slow, 10 + 9);
	assert_false(normalised->words[0].slow);
	assert_true(normalised->words[1].slow);
	assert_int_equal(normalised->words[4].pause, SPOKEN_PAUSE_COMMA);
}

static void test_sentences_begin_with_a_capital(void **state)
{
	(void)state;
	expect("15 hộ. 3 thôn\n2 xã", "Mười lăm hộ. Ba thôn. Hai xã");
	expect("a. thôn", "a. Thôn"); /* a letter alone would be read as a numeral: I */
}

/* --- Wording ------------------------------------------------------------------------------------ */

static void test_southern_words(void **state)
{
	(void)state;
	static const char written[] = "Nộp 1.005.000 đồng, 50k, 1tr2.";
	_cleanup_(normalised_freep) struct normalised *normalised = normalise_new(
		written, strlen(written), &south);
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	normalised_write(normalised, 0, normalised->words_count, &out);
	assert_string_equal(out.text, "Nộp một triệu không trăm lẻ năm ngàn đồng, năm mươi ngàn "
				      "đồng, một triệu hai trăm ngàn đồng.");
}

/* --- Warnings and facts ------------------------------------------------------------------------- */

static void test_warnings(void **state)
{
	(void)state;
	static const char written[] = "Mời BQXZ và Prontex họp với UBND, Zalo.";
	_cleanup_(normalised_freep) struct normalised *normalised = normalise(written);

	assert_int_equal(normalised->warnings_count, 2);
	assert_int_equal(normalised->warnings[0].kind, NORMALISE_UNKNOWN_ABBREVIATION);
	assert_memory_equal(written + normalised->warnings[0].from, "BQXZ", 4);
	assert_int_equal(normalised->warnings[1].kind, NORMALISE_UNKNOWN_WORD);
	assert_memory_equal(written + normalised->warnings[1].from, "Prontex", 7);
}

static void test_dates_are_kept(void **state)
{
	(void)state;
	static const char written[] = "Sáng 3/4, từ 10-12/5/2021, tháng 6/2021, có 3/4 số hộ.";
	_cleanup_(normalised_freep) struct normalised *normalised = normalise(written);

	assert_int_equal(normalised->dates_count, 3);
	assert_int_equal(normalised->dates[0].day, 3);
	assert_int_equal(normalised->dates[0].month, 4);
	assert_int_equal(normalised->dates[0].year, 0);
	assert_memory_equal(written + normalised->dates[0].from, "3/4", 3);
	assert_int_equal(normalised->dates[1].day, 12);
	assert_int_equal(normalised->dates[1].year, 2021);
	assert_int_equal(normalised->dates[2].day, 0);
	assert_int_equal(normalised->dates[2].month, 6);
}

static void test_amounts_are_kept(void **state)
{
	(void)state;
	static const char written[] = "1.500.000 đồng (Một triệu năm trăm ngàn đồng), "
				      "2.000 đồng (ba nghìn đồng), 3 người (ngoài xã)";
	_cleanup_(normalised_freep) struct normalised *normalised = normalise(written);
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	assert_int_equal(normalised->amounts_count, 2);
	assert_true(normalised->amounts[0].same);
	assert_false(normalised->amounts[1].same);
	assert_memory_equal(written + normalised->amounts[1].from, "2.000 đồng", 10);
	assert_memory_equal(written + normalised->amounts[1].words_from, "ba nghìn", 8);
	normalised_write(normalised, 0, normalised->words_count, &out);
	assert_string_equal(out.text,
		"Một triệu năm trăm nghìn đồng, hai nghìn đồng, ba nghìn đồng, ba người, ngoài xã");
}

/* --- Edges -------------------------------------------------------------------------------------- */

static void test_nothing(void **state)
{
	(void)state;
	static const char *const texts[] = { "", " ", "\n\n", "...", "-- / --", "(\")", "中文" };

	for (size_t i = 0; i < countof(texts); i++) {
		_cleanup_(normalised_freep) struct normalised *normalised = normalise(texts[i]);
		if (normalised->words_count > 0)
			fail_msg("%s: %s", texts[i], normalised->words[0].text);
	}
	assert_null(normalised_free(NULL));
}

/* A rule that looks ahead or back must stop at the ends of the text. */
static void test_every_piece_of_a_line(void **state)
{
	(void)state;
	static const char line[] =
		"(+84) 24.3825 từ 7h30-9g15' ngày 1-3/5/2021 (SN 1990) số 12/5/8 "
		"QĐ 3/2020/QĐ-TTg 5,5-7°C 1m6 $5/kg 2tr5 (hai) 29A-123.45 H5N1 "
		"www.x.vn a@b.c thứ 2-6 TP. H'Hen -5 ½ 1/2kg 3x4m XV-XVI "
		"T3/2021 k 50k/h.";

	for (size_t from = 0; from < sizeof line; from++)
		for (size_t to = from; to < sizeof line; to += 3) {
			if (((unsigned char)line[from] & 0xc0) == 0x80 ||
				((unsigned char)line[to] & 0xc0) == 0x80)
				continue;
			_cleanup_(freep) char *piece = xstrndup(line + from, to - from);
			_cleanup_(normalised_freep) struct normalised *normalised = normalise(
				piece);
			for (size_t i = 0; i < normalised->words_count; i++)
				assert_true(normalised->words[i].to <= to - from);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_words_have_their_source),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_slow_is_what_is_written_down),
		cmocka_unit_test(test_sentences_begin_with_a_capital),
		cmocka_unit_test(test_southern_words),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_dates_are_kept),
		cmocka_unit_test(test_amounts_are_kept),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_every_piece_of_a_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
