/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole way from a written text to what will be spoken; FAULTS A5, A6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "tts/engine.h"
#include "tts/reading.h"
#include "tts/syllable.h"
#include "tts_table.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

static const struct reading_config config = { .rate = 130, .sentence_pause_us = 450 * US_PER_MS };

static struct reading *read_text(const char *text)
{
	struct reading *reading = NULL;
	enum reading_refusal refusal;
	struct error error = { "" };

	if (reading_new(text, strlen(text), &config, &reading, &refusal, &error) < 0)
		fail_msg("%s: %s", text, error.text);
	return reading;
}

static void refused(const char *text, size_t length, const char *reason, const char *detail)
{
	struct reading *reading = NULL;
	enum reading_refusal refusal = READING_FINE;
	struct error error = { "" };

	assert_int_equal(reading_new(text, length, &config, &reading, &refusal, &error), -EINVAL);
	assert_null(reading);
	assert_string_equal(reading_refusal_name(refusal), reason);
	if (!strstr(error.text, detail))
		fail_msg("“%s” does not say “%s”", error.text, detail);
}

static void test_A6_refusals(void **state)
{
	(void)state;
	static char large[READING_TEXT_BYTES_MAX + 1];

	refused("", 0, "empty", "không có chữ");
	refused(" \n\t", 3, "empty", "không có chữ");
	refused("...?! -- 😀", strlen("...?! -- 😀"), "empty", "không có chữ");
	refused("a\0b", 3, "bad-value", "byte thứ 2");
	memset(large, 'a', sizeof large);
	refused(large, sizeof large, "too-long", "byte");
	refused(large, READING_TEXT_CHARACTERS_MAX + 1, "too-long", "20001 ký tự");
	for (size_t i = 1; i < READING_TEXT_CHARACTERS_MAX; i += 2)
		large[i] = ' ';
	_cleanup_(reading_freep) struct reading *reading = NULL;
	enum reading_refusal refusal;
	assert_int_equal(
		reading_new(large, READING_TEXT_CHARACTERS_MAX, &config, &reading, &refusal, NULL),
		0);
	assert_int_equal(refusal, READING_FINE);
}

static void test_words_and_sentences(void **state)
{
	(void)state;
	static const char text[] = "Chào 😀 bà con!\n\n“Xe 5km” đi, 50% về.";
	_cleanup_(reading_freep) struct reading *reading = read_text(text);
	static const struct {
		const char *word, *written;
	} words[] = { { "Chào", "Chào" }, { "bà", "bà" }, { "con", "con" }, { "Xe", "Xe" },
		{ "năm", "5km" }, { "ki", "5km" }, { "lô", "5km" }, { "mét", "5km" },
		{ "đi", "đi" }, { "năm", "50%" }, { "mươi", "50%" }, { "phần", "50%" },
		{ "trăm", "50%" }, { "về", "về" } };

	assert_string_equal(
		reading->spoken, "Chào bà con! Xe năm ki lô mét đi, năm mươi phần trăm về.");
	assert_int_equal(reading->sentences_count, 2);
	assert_int_equal(reading->sentences[0].from, 0);
	assert_int_equal(reading->sentences[0].pause_us, 1125 * US_PER_MS);
	assert_int_equal(reading->sentences[1].pause_us, 450 * US_PER_MS);
	assert_int_equal(reading->words_count, countof(words));
	for (size_t i = 0; i < countof(words); i++) {
		const struct reading_word *word = &reading->words[i];
		assert_string_equal(word->text, words[i].word);
		assert_int_equal(word->to - word->from, strlen(words[i].written));
		assert_memory_equal(text + word->from, words[i].written, word->to - word->from);
	}
	assert_int_equal(reading->warnings_count, 1);
	assert_string_equal(warning_kind_name(reading->warnings[0].kind), "dropped");
	assert_non_null(strstr(reading->warnings[0].detail, "😀"));
	assert_string_equal(reading->warnings[0].text, "😀");
}

static void test_pauses(void **state)
{
	(void)state;
	static const char text[] = "Một. Hai.\n\nXin nhắc lại: hai.";
	_cleanup_(reading_freep) struct reading *reading = NULL;
	enum reading_refusal refusal;
	struct reading_config fast = { .rate = 260, .sentence_pause_us = 450 * US_PER_MS };

	assert_int_equal(reading_new(text, strlen(text), &fast, &reading, &refusal, NULL), 0);
	assert_int_equal(reading->sentences_count, 3);
	assert_int_equal(reading->sentences[0].pause_us, 225 * US_PER_MS);
	assert_int_equal(reading->sentences[1].pause_us, 1000 * US_PER_MS);
	assert_int_equal(reading->sentences[2].pause_us, 225 * US_PER_MS);
}

/* A telephone number is a piece of its own, and slower. */
static void test_slow_numbers(void **state)
{
	(void)state;
	_cleanup_(reading_freep) struct reading *reading = read_text(
		"Xin gọi số 0912 345 678 trước 17h.");

	assert_int_equal(reading->sentences_count, 3);
	assert_int_equal(reading->sentences[0].rate, 130);
	assert_int_equal(reading->sentences[1].rate, 104);
	assert_int_equal(reading->sentences[2].rate, 130);
	assert_string_equal(
		reading->sentences[1].text, "không chín một hai, ba bốn năm, sáu bảy tám,");
}

static void test_wording(void **state)
{
	(void)state;
	static const char text[] = "Có 1.005 hộ.";
	struct reading_config south = config;
	_cleanup_(reading_freep) struct reading *reading = NULL;
	enum reading_refusal refusal;

	south.wording = reading_wording("vi-vn-x-south");
	assert_int_equal(reading_wording("vi"), WORDING_NORTH);
	assert_int_equal(reading_wording(NULL), WORDING_NORTH);
	assert_int_equal(reading_new(text, strlen(text), &south, &reading, &refusal, NULL), 0);
	assert_string_equal(reading->spoken, "Có một ngàn không trăm lẻ năm hộ.");
}

/* The operator's words come before all rules, and their places stay known. */
static void test_lexicon(void **state)
{
	(void)state;
	static const char entries[] = "TDP 9\ttổ chín\nUBND\tủy ban\n";
	static const char text[] = "UBND và TDP 9 họp.";
	_cleanup_(lexicon_freep) struct lexicon *lexicon = NULL;
	_cleanup_(reading_freep) struct reading *reading = NULL;
	struct reading_config with = config;
	enum reading_refusal refusal;

	assert_int_equal(lexicon_parse(entries, strlen(entries), "f", &lexicon, NULL), 0);
	with.lexicon = lexicon;
	assert_int_equal(reading_new(text, strlen(text), &with, &reading, &refusal, NULL), 0);
	assert_string_equal(reading->spoken, "Ủy ban và tổ chín họp.");
	assert_memory_equal(text + reading->words[3].from, "TDP 9", strlen("TDP 9"));
}

/* Text in an old encoding: every place is one in the bytes that were written. */
static void test_legacy_places(void **state)
{
	(void)state;
	static const char text[] = "Th\xabng b\xb8o: \xae\xb7 \xae\xb7 h\xe4p 😀 xong.";
	static const char utf8[] = "Th«ng b¸o: ®· ®· häp xong.";
	_cleanup_(reading_freep) struct reading *bytes = NULL;
	_cleanup_(reading_freep) struct reading *reading = read_text(utf8);
	enum reading_refusal refusal;

	assert_string_equal(reading->spoken, "Thông báo: đã đã họp xong.");
	assert_int_equal(reading->warnings_count, 1);
	assert_string_equal(reading->warnings[0].text, "đã đã");
	assert_memory_equal(utf8 + reading->warnings[0].from, "®· ®·", strlen("®· ®·"));
	if (reading_new(text, strlen("Th.ng b.o: .. .. h.p"), &config, &bytes, &refusal, NULL) < 0)
		fail_msg("bytes of TCVN3 are refused");
	assert_string_equal(bytes->spoken, "Thông báo: đã đã họp.");
	assert_memory_equal(text + bytes->words[4].from, "h\xe4p", 3);
}

/* What an engine would see of a text that tries to be more than text. */
static void test_A5_nothing_but_text(void **state)
{
	(void)state;
	static const char *const hostile[] = { "[[h@l'oU]] xong",
		"<audio src=\"/etc/passwd\"/> xong", "-f/etc/passwd", "-5",
		"&lt;break time=\"9s\"&gt;", "{{x}} \\rst\\ a", "< speak > a",
		"s's's's's's's's's's's's's's's's's's's's's's's'" };

	for (size_t i = 0; i < countof(hostile); i++) {
		_cleanup_(reading_freep) struct reading *reading = read_text(hostile[i]);
		for (size_t k = 0; k < reading->sentences_count; k++)
			assert_null(strpbrk(
				reading->sentences[k].text, "[]<>{}\\\x01-'\"/&=0123456789@"));
	}
}

/* --- Plain Vietnamese ------------------------------------------------------------------------ */

/* Said otherwise than written, because espeak-ng says them wrong: tts/tables/respell.tsv. */
static bool is_respelled(const char *word)
{
	static const char *const endings[] = { "ọa", "giếm", "giền", "giễu", "giếc", "giuộc",
		"gi" };
	size_t length = strlen(word);

	for (size_t i = 0; i < countof(endings); i++) {
		size_t ending = strlen(endings[i]);
		if (length >= ending && strcmp(word + length - ending, endings[i]) == 0)
			return true;
	}
	return false;
}

#define SYLLABLES_A_TEXT 40

static void check_plain(
	const struct strbuf *text, char words[][SYLLABLE_BYTES_MAX + 1], size_t count)
{
	_cleanup_(reading_freep) struct reading *reading = read_text(text->text);

	if (reading->words_count != count)
		fail_msg("%s: %zu words", text->text, reading->words_count);
	for (size_t i = 0; i < count; i++)
		/* The first has a capital now. */
		if (i > 0 && strcmp(reading->words[i].text, words[i]) != 0 &&
			!is_respelled(words[i]))
			fail_msg("%s became %s", words[i], reading->words[i].text);
	for (size_t i = 0; i < reading->warnings_count; i++)
		if (reading->warnings[i].kind != WARNING_DOUBLED_WORD)
			fail_msg("%s: %s", reading->warnings[i].text, reading->warnings[i].detail);
}

/* Each syllable there is, in both spellings, passes unchanged. */
static void test_syllables_pass(void **state)
{
	(void)state;
	struct syllable_cursor cursor = { 0 };
	char words[SYLLABLES_A_TEXT][SYLLABLE_BYTES_MAX + 1] = { "bà" };
	bool more = true;

	while (more) {
		_cleanup_(strbuf_done) struct strbuf text = { 0 };
		size_t count = 1;
		strbuf_puts(&text, words[0]);
		while (count < SYLLABLES_A_TEXT && (more = syllable_next(&cursor, words[count])))
			strbuf_printf(&text, " %s", words[count++]);
		check_plain(&text, words, count);
	}
}

/* What was said, written down and read again, is said the same. */
static void check_again(const struct table_row *row)
{
	_cleanup_(reading_freep) struct reading *once = read_text(row->fields[1].text);
	_cleanup_(reading_freep) struct reading *again = read_text(once->spoken);

	if (strcmp(once->spoken, again->spoken) != 0)
		fail_msg("line %u: “%s” became “%s”", row->line, once->spoken, again->spoken);
}

static void test_said_again(void **state)
{
	(void)state;
	assert_int_equal(table_each(TEST_DATA_DIR "/notices.tsv", check_again), 40);
	assert_true(table_each(TEST_DATA_DIR "/readings.tsv", check_again) > 280);
}

/* --- Notices --------------------------------------------------------------------------------- */

#define NOTICES 40
static char *notices[NOTICES]; /* for the rows of the other table: id, text */
static size_t notices_count;

static void keep_notice(const struct table_row *row)
{
	assert_true(notices_count < NOTICES);
	notices[notices_count++] = xasprintf("%s\t%s", row->fields[0].text, row->fields[1].text);
}

static void check_notice(const struct table_row *row)
{
	static size_t next;
	_cleanup_(freep) char *notice = notices[next++];
	char *text = strchr(notice, '\t');
	*text++ = '\0';
	assert_string_equal(notice, row->fields[0].text);
	_cleanup_(reading_freep) struct reading *reading = read_text(text);
	_cleanup_(strbuf_done) struct strbuf found = { 0 };

	if (strcmp(reading->spoken, row->fields[1].text) != 0)
		fail_msg("%s: “%s”, expected “%s”", notice, reading->spoken, row->fields[1].text);
	strbuf_puts(&found, "");
	for (size_t i = 0; i < reading->warnings_count; i++)
		strbuf_printf(&found, "%s%s=%s", i ? " | " : "",
			warning_kind_name(reading->warnings[i].kind), reading->warnings[i].text);
	if (strcmp(found.text, row->fields[2].text) != 0)
		fail_msg("%s: “%s”, expected “%s”", notice, found.text, row->fields[2].text);
	/* Nothing is left that an engine would have to guess at. */
	assert_null(strpbrk(reading->spoken, "0123456789%/()<>@&*+-_\"'"));
	for (size_t i = 0; i < reading->words_count; i++)
		assert_true(syllable_valid(reading->words[i].text, strlen(reading->words[i].text)));
}

static void test_notices(void **state)
{
	(void)state;
	assert_int_equal(table_each(TEST_DATA_DIR "/notices.tsv", keep_notice), NOTICES);
	assert_int_equal(table_each(TEST_DATA_DIR "/notices.expected.tsv", check_notice), NOTICES);
}

/* --- Time ------------------------------------------------------------------------------------ */

/* Of this thread, so that a busy machine does not count. */
static double processor_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_of(const char *unit, size_t length)
{
	_cleanup_(strbuf_done) struct strbuf text = { 0 };
	double best = 1e9;

	while (text.length < length)
		strbuf_puts(&text, unit);
	strbuf_truncate(&text, utf8_cut(text.text, text.length, length));
	for (int i = 0; i < 5; i++) {
		_cleanup_(reading_freep) struct reading *reading = NULL;
		enum reading_refusal refusal;
		double begin = processor_seconds();
		(void)!reading_new(text.text, text.length, &config, &reading, &refusal, NULL);
		double seconds = processor_seconds() - begin;
		best = seconds < best ? seconds : best;
	}
	return best;
}

/* Eight times the text may take three times eight times as long, whatever it repeats. */
static void test_time_is_linear(void **state)
{
	(void)state;
	static const char *const units[] = { "1", "1/2/", "1-", "7h30-", "- ", "((", "a.", "một, ",
		"ABC ", "đã ", "0912.", "1/QĐ-", "x", "xzq ", "5 ", "12:", "I", "I.", "TP.", "@a.",
		"1.000.", "(một) ", "thứ hai 1/1/2026 ", "b¸o ", "1 (một) ", "từ ", "́", "🇻", "\n",
		"A-", "/", "www.", "số 1/", "gọi 113, ", "ngày " };

	for (size_t i = 0; i < countof(units); i++) {
		double shorter = seconds_of(units[i], 2500);
		double longer = seconds_of(units[i], 20000);
		if (longer > 24 * shorter + 0.01)
			fail_msg("“%s”: %.1f ms, then %.1f ms", units[i], shorter * 1e3,
				longer * 1e3);
	}
}

/* --- Length --------------------------------------------------------------------------------------- */

static int count_frames(const float *frames, size_t count, unsigned rate_hz, void *context)
{
	(void)frames;
	*(double *)context += (double)count / rate_hz;
	return 0;
}

static double real_seconds(struct engine *engine, const struct reading *reading)
{
	double seconds = 0;
	struct engine_voice voice = { .pitch = 45 };
	struct error error = { "" };

	for (size_t i = 0; i < reading->sentences_count; i++) {
		if (i > 0)
			seconds += (double)reading->sentences[i - 1].pause_us / 1e6;
		voice.rate = reading->sentences[i].rate;
		if (engine_speak(engine, reading->sentences[i].text, &voice, count_frames, &seconds,
			    NULL, &error) < 0)
			fail_msg("%s", error.text);
	}
	return seconds;
}

static const char *const bulletins[] = {
	"Kính thưa bà con! Ủy ban nhân dân xã thông báo lịch cắt điện. Từ bảy giờ ba mươi đến mười "
	"một "
	"giờ ba mươi, ngày hai mươi hai tháng mười một, cắt điện toàn thôn Na San, Phia Bắc và "
	"Trung "
	"Tâm. Đề nghị bà con chủ động sắp xếp sản xuất và sinh hoạt. Xin trân trọng cảm ơn!",
	"Theo TB số 308/TB-ĐLHTr ngày 22/11/2026, cắt điện từ 7h30 đến 11h30. Mọi thắc mắc xin gọi "
	"0912 345 678.",
	"Trời mưa to.",
	"Bão số 5 cách bờ 120 km, sức gió cấp 12. Bà con không ra khơi, neo đậu tàu thuyền, chằng "
	"chống "
	"nhà cửa, gia cố lồng bè; di dời người già và trẻ em đến nơi an toàn trước 18 giờ hôm nay.",
};

static struct engine *synth; /* for the rows of the table */

/* Real announcements come within a tenth. */
static void check_seconds(const struct table_row *row)
{
	_cleanup_(reading_freep) struct reading *reading = read_text(row->fields[1].text);
	double real = real_seconds(synth, reading);

	if (fabs(reading->seconds / real - 1) > 0.10)
		fail_msg("line %u: %.2f s predicted, %.2f s real", row->line, reading->seconds,
			real);
}

static void test_predicted_seconds(void **state)
{
	(void)state;
	char name[] = "loalang-synth", voice[] = "vi", *command[] = { name, NULL };
	struct engine_config engine_config = { .name = name, .command = command, .voice = voice };
	const char *const dirs[] = { BIN_DIR, NULL };
	_cleanup_(engine_freep) struct engine *engine = engine_new(&engine_config, dirs);

	synth = engine;
	assert_int_equal(table_each(TEST_DATA_DIR "/notices.tsv", check_seconds), 40);
	for (size_t i = 0; i < countof(bulletins); i++)
		for (int rate = 80; rate <= 300; rate += 44) {
			struct reading_config paced = { .rate = rate,
				.sentence_pause_us = 450 * US_PER_MS };
			_cleanup_(reading_freep) struct reading *reading = NULL;
			enum reading_refusal refusal;
			assert_int_equal(reading_new(bulletins[i], strlen(bulletins[i]), &paced,
						 &reading, &refusal, NULL),
				0);
			double real = real_seconds(engine, reading);
			if (fabs(reading->seconds / real - 1) > 0.15)
				fail_msg("text %zu at %d: %.2f s predicted, %.2f s real", i, rate,
					reading->seconds, real);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_A6_refusals),
		cmocka_unit_test(test_words_and_sentences),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_slow_numbers),
		cmocka_unit_test(test_wording),
		cmocka_unit_test(test_lexicon),
		cmocka_unit_test(test_legacy_places),
		cmocka_unit_test(test_A5_nothing_but_text),
		cmocka_unit_test(test_syllables_pass),
		cmocka_unit_test(test_said_again),
		cmocka_unit_test(test_notices),
		cmocka_unit_test(test_time_is_linear),
		cmocka_unit_test(test_predicted_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
