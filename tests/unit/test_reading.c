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

#include <errno.h>
#include <math.h>
#include <string.h>

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
	static const char text[] = "Chào 😀 bà con!\n\n“Xe 29A-123.45” đi, 50% về.";
	_cleanup_(reading_freep) struct reading *reading = read_text(text);
	static const char *const words[] = { "Chào", "bà", "con", "Xe", "29A-123.45", "đi", "50%",
		"về" };

	assert_string_equal(reading->spoken, "Chào bà con! “Xe 29A-123.45” đi, 50% về.");
	assert_int_equal(reading->sentences_count, 2);
	assert_int_equal(reading->sentences[0].from, 0);
	assert_memory_equal(text + reading->sentences[0].to, "\n\n", 2);
	assert_int_equal(reading->sentences[0].pause_us, 900 * US_PER_MS);
	assert_int_equal(reading->sentences[1].pause_us, 450 * US_PER_MS);
	assert_int_equal(reading->words_count, countof(words));
	for (size_t i = 0; i < countof(words); i++) {
		const struct reading_word *word = &reading->words[i];
		assert_string_equal(word->text, words[i]);
		assert_int_equal(word->to - word->from, strlen(words[i]));
		assert_memory_equal(text + word->from, words[i], strlen(words[i]));
	}
	assert_int_equal(reading->warnings_count, 1);
	assert_string_equal(reading_warning_kind_name(reading->warnings[0].kind), "dropped");
	assert_non_null(strstr(reading->warnings[0].detail, "😀"));
}

static void test_pauses_follow_the_rate(void **state)
{
	(void)state;
	_cleanup_(reading_freep) struct reading *reading = NULL;
	enum reading_refusal refusal;
	struct reading_config fast = { .rate = 260, .sentence_pause_us = 450 * US_PER_MS };

	assert_int_equal(reading_new("Một. Hai.", 9, &fast, &reading, &refusal, NULL), 0);
	assert_int_equal(reading->sentences[0].pause_us, 225 * US_PER_MS);
}

/* What an engine would see of a text that tries to be more than text. */
static void test_A5_nothing_but_text(void **state)
{
	(void)state;
	static const char *const hostile[] = { "[[h@l'oU]] xong",
		"<audio src=\"/etc/passwd\"/> xong", "-f/etc/passwd", "-5",
		"&lt;break time=\"9s\"&gt;", "{{x}} \\rst\\ a", "< speak > a" };

	for (size_t i = 0; i < countof(hostile); i++) {
		_cleanup_(reading_freep) struct reading *reading = read_text(hostile[i]);
		const char *spoken = reading->spoken;
		assert_null(strpbrk(spoken, "[]<>{}\\\x01"));
		assert_null(strstr(spoken, "&lt"));
		for (size_t k = 0; k < reading->sentences_count; k++)
			assert_true(reading->sentences[k].text[0] != '-');
	}
	_cleanup_(reading_freep) struct reading *reading = read_text("-f/etc/passwd");
	assert_string_equal(reading->spoken, "f/etc/passwd.");
}

/* --- Length --------------------------------------------------------------------------------------- */

static int count_frames(const float *frames, size_t count, unsigned rate_hz, void *context)
{
	(void)frames;
	*(double *)context += (double)count / rate_hz;
	return 0;
}

static double real_seconds(struct engine *engine, const struct reading *reading, int rate)
{
	double seconds = 0;
	struct engine_voice voice = { .rate = rate, .pitch = 45 };
	struct error error = { "" };

	for (size_t i = 0; i < reading->sentences_count; i++) {
		if (i > 0)
			seconds += (double)reading->sentences[i - 1].pause_us / 1e6;
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

static void test_predicted_seconds(void **state)
{
	(void)state;
	char name[] = "loalang-synth", voice[] = "vi", *command[] = { name, NULL };
	struct engine_config engine_config = { .name = name, .command = command, .voice = voice };
	const char *const dirs[] = { BIN_DIR, NULL };
	_cleanup_(engine_freep) struct engine *engine = engine_new(&engine_config, dirs);

	for (size_t i = 0; i < countof(bulletins); i++)
		for (int rate = 80; rate <= 300; rate += 44) {
			struct reading_config paced = { rate, 450 * US_PER_MS };
			_cleanup_(reading_freep) struct reading *reading = NULL;
			enum reading_refusal refusal;
			assert_int_equal(reading_new(bulletins[i], strlen(bulletins[i]), &paced,
						 &reading, &refusal, NULL),
				0);
			double real = real_seconds(engine, reading, rate);
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
		cmocka_unit_test(test_pauses_follow_the_rate),
		cmocka_unit_test(test_A5_nothing_but_text),
		cmocka_unit_test(test_predicted_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
