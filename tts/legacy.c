/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/legacy.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "tts/letter.h"
#include "tts/syllable.h"
#include "tts/unicode.h"

#include <string.h>

#define WORD_LETTERS_MAX 16 /* of a word that can be a syllable in any of the encodings */
/* How much of what is not plain ASCII must become syllables, and how much better that must be than
 * leaving it; in per cent. */
#define SHARE_MIN    60
#define SHARE_BETTER 20

/* TCVN 5712 VN3, 0xa1…0xfe: the letter and its tone. Capitals with a tone do not exist: they are the
 * small ones in a font of capitals. */
#define TCVN3_FIRST 0xa1
#define TCVN3_LAST  0xfe
/* clang-format off */
static const char tcvn3_letters[][4] = {
	/* a1 */ "Ă", "Â", "Ê", "Ô", "Ơ", "Ư", "Đ", "ă", "â", "ê", "ô", "ơ", "ư", "đ", "",
	/* b0 */ "", "", "", "", "", "à", "ả", "ã", "á", "ạ", "", "ằ", "ẳ", "ẵ", "ắ", "",
	/* c0 */ "", "", "", "", "", "", "ặ", "ầ", "ẩ", "ẫ", "ấ", "ậ", "è", "", "ẻ", "ẽ",
	/* d0 */ "é", "ẹ", "ề", "ể", "ễ", "ế", "ệ", "ì", "ỉ", "", "", "", "ĩ", "í", "ị", "ò",
	/* e0 */ "", "ỏ", "õ", "ó", "ọ", "ồ", "ổ", "ỗ", "ố", "ộ", "ờ", "ở", "ỡ", "ớ", "ợ", "ù",
	/* f0 */ "", "ủ", "ũ", "ú", "ụ", "ừ", "ử", "ữ", "ứ", "ự", "ỳ", "ỷ", "ỹ", "ý", "ỵ",
};
/* clang-format on */

/* VNI: letters that are one character, … */
static const struct {
	uint8_t code;
	uint16_t letter;
} vni_letters[] = {
	{ 0xf1, 0x111 },  /* đ */
	{ 0xf4, 0x1a1 },  /* ơ */
	{ 0xf6, 0x1b0 },  /* ư */
	{ 0xec, 0xec },   /* ì */
	{ 0xed, 0xed },   /* í */
	{ 0xe6, 0x1ec9 }, /* ỉ */
	{ 0xf3, 0x129 },  /* ĩ */
	{ 0xf2, 0x1ecb }, /* ị */
	{ 0xee, 0x1ef5 }, /* ỵ */
};
/* … and marks that follow their letter: what the letter becomes (0: itself), and the tone. */
static const struct vni_mark {
	uint8_t code;
	char kind; /* ' ': only a tone; '^': also â ê ô; 'u': also ă */
	enum tone tone;
} vni_marks[] = {
	{ 0xf8, ' ', TONE_GRAVE },
	{ 0xfb, ' ', TONE_HOOK },
	{ 0xf5, ' ', TONE_TILDE },
	{ 0xf9, ' ', TONE_ACUTE },
	{ 0xef, ' ', TONE_DOT },
	{ 0xe2, '^', TONE_LEVEL },
	{ 0xe0, '^', TONE_GRAVE },
	{ 0xe5, '^', TONE_HOOK },
	{ 0xe3, '^', TONE_TILDE },
	{ 0xe1, '^', TONE_ACUTE },
	{ 0xe4, '^', TONE_DOT },
	{ 0xea, 'u', TONE_LEVEL },
	{ 0xe8, 'u', TONE_GRAVE },
	{ 0xfa, 'u', TONE_HOOK },
	{ 0xfc, 'u', TONE_TILDE },
	{ 0xe9, 'u', TONE_ACUTE },
	{ 0xeb, 'u', TONE_DOT },
};

/* What the bytes 0x80…0x9f are in Windows' Latin: only the signs that people type. */
static const struct {
	uint8_t code;
	uint16_t sign;
} windows_signs[] = { { 0x85, 0x2026 }, { 0x91, 0x2018 }, { 0x92, 0x2019 }, { 0x93, 0x201c },
	{ 0x94, 0x201d }, { 0x95, 0x2022 }, { 0x96, 0x2013 }, { 0x97, 0x2014 } };

/* The written text as characters: UTF-8, or one byte each where it is not valid UTF-8. */
struct written {
	const char *text;
	size_t length;
	bool bytes;
};

static uint32_t next_character(const struct written *written, size_t at, size_t *ret_next)
{
	uint32_t c = (unsigned char)written->text[at];

	*ret_next = at + 1;
	if (!written->bytes) {
		*ret_next = at + utf8_decode(written->text + at, written->length - at, &c);
		return c;
	}
	for (size_t i = 0; i < countof(windows_signs); i++)
		if (windows_signs[i].code == c)
			return windows_signs[i].sign;
	return c;
}

/* --- Letters -------------------------------------------------------------------------------- */

/* 0: none of the encoding's letters. */
static uint32_t tcvn3_letter(uint32_t code)
{
	uint32_t letter = 0;

	if (code >= TCVN3_FIRST && code <= TCVN3_LAST)
		(void)utf8_decode(tcvn3_letters[code - TCVN3_FIRST], 4, &letter);
	return letter;
}

static uint32_t vni_letter(uint32_t code)
{
	uint32_t lower = letter_lower(code);

	for (size_t i = 0; i < countof(vni_letters); i++)
		if (vni_letters[i].code == lower)
			return lower == code ? vni_letters[i].letter
					     : letter_upper(vni_letters[i].letter);
	return 0;
}

static uint32_t under_mark(uint32_t vowel, char kind)
{
	if (kind == ' ')
		return strchr("aeouy", (int)vowel) || vowel == 0x1a1 || vowel == 0x1b0 ? vowel : 0;
	if (kind == 'u')
		return vowel == 'a' ? 0x103 : 0;
	return vowel == 'a' ? 0xe2 : vowel == 'e' ? 0xea : vowel == 'o' ? 0xf4 : 0;
}

/* The letter that `base` becomes under the mark `code`; 0: it is no mark of this letter. */
static uint32_t vni_marked(uint32_t base, uint32_t code)
{
	uint32_t lower = letter_lower(base);

	if (lower >= 0x80 && lower != 0x1a1 && lower != 0x1b0)
		return 0;
	code = letter_lower(code);
	for (size_t i = 0; i < countof(vni_marks); i++) {
		uint32_t vowel;
		if (vni_marks[i].code != code ||
			(vowel = under_mark(lower, vni_marks[i].kind)) == 0)
			continue;
		uint32_t letter = letter_with_tone(vowel, vni_marks[i].tone);
		return lower == base ? letter : letter_upper(letter);
	}
	return 0;
}

/* The character at `at` as `encoding` means it, and what stands after it. */
static uint32_t decode_letter(const struct written *written, size_t at, size_t end,
	enum legacy_encoding encoding, size_t *ret_next)
{
	uint32_t c = next_character(written, at, ret_next), letter = 0;
	size_t after;

	if (encoding == LEGACY_TCVN3)
		letter = tcvn3_letter(c);
	if (encoding == LEGACY_VNI)
		letter = vni_letter(c);
	if (letter == 0)
		letter = c;
	if (encoding == LEGACY_VNI && *ret_next < end) {
		uint32_t marked = vni_marked(letter, next_character(written, *ret_next, &after));
		if (marked != 0) {
			*ret_next = after;
			return marked;
		}
	}
	return letter;
}

/* --- Which encoding it is ------------------------------------------------------------------- */

struct tally { /* of words that are not plain ASCII */
	unsigned words;
	unsigned syllables[LEGACY_VNI + 1]; /* by encoding */
};

static bool is_ascii_letter(uint32_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Whatever one of the encodings could mean as a letter. */
static bool is_word_character(uint32_t c)
{
	if (c < 0x100)
		return is_ascii_letter(c) || c > 0xa0;
	return unicode_kind(c) == UNICODE_LETTER || unicode_kind(c) == UNICODE_MARK;
}

static bool is_letter(uint32_t c)
{
	return unicode_kind(c) == UNICODE_LETTER || unicode_kind(c) == UNICODE_MARK;
}

/* Whether written[from..to), read in `encoding`, is a syllable. What is no letter around a word as
 * it is («mới») does not count. */
static bool makes_syllable(
	const struct written *written, size_t from, size_t to, enum legacy_encoding encoding)
{
	char word[WORD_LETTERS_MAX * 4];
	size_t bytes = 0, end = 0;
	bool marks = false;

	for (size_t at = from; at < to;) {
		uint32_t c = decode_letter(written, at, to, encoding, &at);
		if (c == 0xd0 || c == 0xf0) /* eth for đ */
			c = c == 0xd0 ? 0x110 : 0x111;
		if (encoding == LEGACY_NONE && !is_letter(c) && bytes == 0)
			continue;
		if (bytes + 4 > sizeof word)
			return false;
		marks = marks || unicode_kind(c) == UNICODE_MARK;
		bytes += utf8_encode(c, word + bytes);
		if (encoding != LEGACY_NONE || is_letter(c))
			end = bytes;
	}
	if (!marks)
		return syllable_valid(word, end);
	_cleanup_(strbuf_done) struct strbuf composed = { 0 };
	unicode_compose(word, end, &composed);
	return syllable_valid(composed.text, composed.length);
}

/* Whether a word says anything about the encoding: plain ASCII is the same in all. */
static bool is_evidence(const struct written *written, size_t from, size_t to)
{
	bool ascii = true, letters = false;

	while (from < to) {
		uint32_t c = next_character(written, from, &from);
		ascii = ascii && c < 0x80;
		letters = letters || is_letter(c);
	}
	return !ascii && letters;
}

static void judge_word(struct tally *tally, const struct written *written, size_t from, size_t to,
	enum legacy_encoding last)
{
	if (!is_evidence(written, from, to))
		return;
	tally->words++;
	for (enum legacy_encoding i = LEGACY_NONE; i <= last; i++)
		tally->syllables[i] += makes_syllable(written, from, to, i);
}

/* In the encodings up to `last`. */
static struct tally judge(
	const struct written *written, size_t from, size_t to, enum legacy_encoding last)
{
	struct tally tally = { 0 };
	size_t word = from, next;

	for (size_t at = from; at < to; at = next) {
		if (is_word_character(next_character(written, at, &next)))
			continue;
		if (word < at)
			judge_word(&tally, written, word, at, last);
		word = next;
	}
	if (word < to)
		judge_word(&tally, written, word, to, last);
	return tally;
}

static enum legacy_encoding verdict(const struct tally *tally)
{
	enum legacy_encoding best = tally->syllables[LEGACY_VNI] > tally->syllables[LEGACY_TCVN3]
					    ? LEGACY_VNI
					    : LEGACY_TCVN3;
	unsigned share = tally->syllables[best] * 100;

	if (tally->words == 0 || share < tally->words * SHARE_MIN ||
		share < tally->syllables[LEGACY_NONE] * 100 + tally->words * SHARE_BETTER)
		return LEGACY_NONE;
	return best;
}

/* --- The decoded text ----------------------------------------------------------------------- */

struct decoding {
	struct written written;
	struct strbuf text;
	struct clean_span *source;
	size_t capacity;
};

static void put(struct decoding *decoding, uint32_t c, size_t from, size_t to)
{
	char bytes[4];
	size_t count = utf8_encode(c, bytes);

	if (decoding->text.length + count > decoding->capacity) {
		decoding->capacity = decoding->capacity ? decoding->capacity * 2 : 256;
		decoding->source = xreallocarray(
			decoding->source, decoding->capacity, sizeof *decoding->source);
	}
	for (size_t i = 0; i < count; i++)
		decoding->source[decoding->text.length + i] = (struct clean_span){ from, to };
	strbuf_add(&decoding->text, bytes, count);
}

/* A font of capitals: two capitals without marks and no small letter say so, of a word or of the
 * whole line. */
static bool is_capital(const struct written *written, size_t from, size_t to)
{
	unsigned capitals = 0;

	while (from < to) {
		uint32_t c = next_character(written, from, &from);
		if (c >= 'a' && c <= 'z')
			return false;
		capitals += c >= 'A' && c <= 'Z';
	}
	return capitals >= 2;
}

static size_t word_end(const struct written *written, size_t from, size_t to)
{
	size_t next;

	for (size_t at = from; at < to; at = next)
		if (!is_word_character(next_character(written, at, &next)))
			return at;
	return to;
}

static void decode_line(
	struct decoding *decoding, size_t from, size_t to, enum legacy_encoding encoding)
{
	const struct written *written = &decoding->written;
	bool capital_line = encoding == LEGACY_TCVN3 && is_capital(written, from, to);
	size_t next;

	while (from < to) {
		size_t end = word_end(written, from, to);
		bool capital = capital_line ||
			       (encoding == LEGACY_TCVN3 && is_capital(written, from, end));
		if (end == from)
			(void)next_character(written, from, &end);
		for (; from < end; from = next) {
			uint32_t c = decode_letter(written, from, end, encoding, &next);
			put(decoding, capital ? letter_upper(c) : c, from, next);
		}
	}
}

static size_t line_end(const struct written *written, size_t from)
{
	const char *newline = memchr(written->text + from, '\n', written->length - from);

	return newline ? (size_t)(newline - written->text) + 1 : written->length;
}

/* Each line by its own evidence; by the whole text's where a line says little. True if anything
 * was decoded. */
static bool decode(struct decoding *decoding, enum legacy_encoding whole)
{
	const struct written *written = &decoding->written;
	bool decoded = false;

	for (size_t from = 0, to; from < written->length; from = to) {
		to = line_end(written, from);
		struct tally tally = judge(written, from, to, LEGACY_VNI);
		enum legacy_encoding encoding = verdict(&tally);
		if (whole != LEGACY_NONE && encoding == LEGACY_NONE &&
			(written->bytes || tally.syllables[whole] > tally.syllables[LEGACY_NONE]))
			encoding = whole;
		decode_line(decoding, from, to, encoding);
		decoded = decoded || encoding != LEGACY_NONE;
	}
	return decoded;
}

/* Whether no line can be anything but what it is: nothing is SHARE_BETTER than nearly all. Most texts
 * end here. */
static bool is_unicode(const struct written *written)
{
	for (size_t from = 0, to; from < written->length; from = to) {
		to = line_end(written, from);
		struct tally tally = judge(written, from, to, LEGACY_NONE);
		if (tally.syllables[LEGACY_NONE] * 100 <= tally.words * (100 - SHARE_BETTER) &&
			tally.words > 0)
			return false;
	}
	return true;
}

struct legacy *legacy_new(const char *text, size_t length)
{
	struct decoding decoding = { .written = { text, length,
					     utf8_valid_prefix(text, length) < length } };
	const struct written *written = &decoding.written;

	if (!written->bytes && is_unicode(written))
		return NULL;
	struct tally tally = judge(written, 0, length, LEGACY_VNI);
	enum legacy_encoding whole = verdict(&tally);
	/* Bytes that are no UTF-8 and no Vietnamese either are refused by tts/clean.h. */
	bool decoded = !(written->bytes && whole == LEGACY_NONE) && decode(&decoding, whole);
	struct legacy *legacy = NULL;
	if (decoded) {
		legacy = xcalloc(1, sizeof *legacy);
		legacy->source = hand_over(decoding.source);
		legacy->length = decoding.text.length;
		legacy->text = strbuf_take(&decoding.text);
	}
	free(decoding.source);
	strbuf_done(&decoding.text);
	return legacy;
}

struct legacy *legacy_free(struct legacy *legacy)
{
	if (!legacy)
		return NULL;
	free(legacy->text);
	free(legacy->source);
	free(legacy);
	return NULL;
}

struct clean_span legacy_source(const struct legacy *legacy, struct clean_span span)
{
	if (span.from < span.to)
		return (struct clean_span){ legacy->source[span.from].from,
			legacy->source[span.to - 1].to };
	size_t at = span.from < legacy->length ? legacy->source[span.from].from
		    : legacy->length > 0       ? legacy->source[legacy->length - 1].to
					       : 0;
	return (struct clean_span){ at, at };
}
