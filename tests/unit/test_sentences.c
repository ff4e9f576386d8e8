/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tests/data/sentences.tsv. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tts/sentences.h"
#include "tts_table.h"

#define WORDS_MAX 1000

struct line { /* the words of a row */
	struct spoken_word words[WORDS_MAX];
	struct normalised normalised;
};

/* The mark at the end of `word`, which is cut off; what it stands for. */
static enum spoken_pause take_mark(char *word, char *ret_mark)
{
	static const struct {
		const char *sign;
		char mark;
		enum spoken_pause pause;
	} signs[] = {
		{ ",", ',', SPOKEN_PAUSE_COMMA },
		{ ";", ';', SPOKEN_PAUSE_CLAUSE },
		{ ":", ':', SPOKEN_PAUSE_CLAUSE },
		{ ".", '.', SPOKEN_PAUSE_STOP },
		{ "!", '!', SPOKEN_PAUSE_STOP },
		{ "?", '?', SPOKEN_PAUSE_STOP },
		{ "|", '.', SPOKEN_PAUSE_LINE },
		{ "‖", '.', SPOKEN_PAUSE_PARAGRAPH },
	};
	size_t length = strlen(word);

	for (size_t i = 0; i < countof(signs); i++) {
		size_t sign = strlen(signs[i].sign);
		if (length > sign && strcmp(word + length - sign, signs[i].sign) == 0) {
			word[length - sign] = '\0';
			*ret_mark = signs[i].mark;
			/* "cũ,|": the mark that is written at the end of a line */
			if (signs[i].pause > SPOKEN_PAUSE_STOP &&
				strchr(",;", word[length - sign - 1])) {
				*ret_mark = word[length - sign - 1];
				word[length - sign - 1] = '\0';
			}
			return signs[i].pause;
		}
	}
	*ret_mark = '\0';
	return SPOKEN_PAUSE_NONE;
}

/* Words joined by "_" were made from one written thing. */
static void read_line(struct line *line, char *text)
{
	size_t count = 0, at = 0;
	bool joined = false;

	while (text) {
		size_t length = strcspn(text, " _");
		bool joins = text[length] == '_';
		char *word = text, mark;
		text = word[length] ? word + length + 1 : NULL;
		word[length] = '\0';
		assert_true(count < WORDS_MAX);
		bool slow = *word == '~';
		enum spoken_pause pause = take_mark(word, &mark);
		at += joined ? 0 : 2;
		line->words[count++] = (struct spoken_word){ .text = word + slow,
			.slow = slow,
			.pause = pause,
			.mark = mark,
			.from = at,
			.to = at + 1 };
		joined = joins;
	}
	line->normalised = (struct normalised){ .words = line->words, .words_count = count };
}

static void check_row(const struct table_row *row)
{
	static const char ends[] = {
		[SENTENCE_STOP] = 'S',
		[SENTENCE_PARAGRAPH] = 'P',
		[SENTENCE_CLAUSE] = 'L',
		[SENTENCE_COMMA] = 'C',
		[SENTENCE_BLANK] = 'B',
	};
	_cleanup_(sentences_done) struct sentences sentences = { 0 };
	_cleanup_(strbuf_done) struct strbuf texts = { 0 }, kinds = { 0 };
	static struct line line;

	strbuf_puts(&texts, "");
	read_line(&line, row->fields[0].text);
	sentences_cut(&sentences, &line.normalised);
	for (size_t i = 0; i < sentences.count; i++) {
		const struct sentence *sentence = &sentences.list[i];
		if (i > 0)
			strbuf_puts(&texts, " | ");
		sentence_write(&line.normalised, sentence, &texts);
		strbuf_putc(&kinds, ends[sentence->end]);
		if (sentence->slow)
			strbuf_putc(&kinds, '~');
		if (sentence->repeats)
			strbuf_putc(&kinds, 'R');
	}
	if (strcmp(texts.text, row->fields[1].text) != 0)
		fail_msg(
			"line %u: “%s”, expected “%s”", row->line, texts.text, row->fields[1].text);
	if (strcmp(kinds.text, row->fields[2].text) != 0)
		fail_msg("line %u: %s, expected %s", row->line, kinds.text, row->fields[2].text);
}

static void test_table(void **state)
{
	(void)state;
	assert_true(table_each(TEST_DATA_DIR "/sentences.tsv", check_row) > 12);
}

/* However many words there are without a comma, no piece is longer than an engine should get, and
 * none is lost. */
static void test_endless_sentence(void **state)
{
	(void)state;
	_cleanup_(sentences_done) struct sentences sentences = { 0 };
	static struct line line;
	size_t next = 0;

	for (size_t i = 0; i < WORDS_MAX; i++)
		line.words[i] = (struct spoken_word){ .text = "nghiêng" };
	line.normalised = (struct normalised){ .words = line.words, .words_count = WORDS_MAX };
	sentences_cut(&sentences, &line.normalised);
	for (size_t i = 0; i < sentences.count; i++) {
		_cleanup_(strbuf_done) struct strbuf text = { 0 };
		sentence_write(&line.normalised, &sentences.list[i], &text);
		assert_in_range(utf8_count(text.text, text.length), 1, SENTENCE_CHARACTERS_MAX + 1);
		assert_int_equal(sentences.list[i].first, next);
		next = sentences.list[i].to;
	}
	assert_int_equal(next, WORDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_endless_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
