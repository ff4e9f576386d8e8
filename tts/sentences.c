/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/sentences.h"
#include "base/utf8.h"
#include "tts/unicode.h"

#include <string.h>

/* A piece shorter than this is not worth a pause: rather cut at the comma before the limit. */
#define PIECE_CHARACTERS_MIN 40

/* What may stand before a full stop that does not end the sentence, when more follows on the
 * line: places (TP. Hà Nội), titles (TS. Lan), references. The last part of PGS.TS counts. */
static const char *const abbreviations[] = { "TP", "Tp", "tp", "TX", "Tx", "TT", "Tt", "Q", "P",
	"X", "H", "T", "Đ", "GS", "PGS", "TS", "ThS", "Ths", "Th", "CK", "CKI", "CKII", "BS", "Bs",
	"DS", "KS", "LS", "NS", "NSND", "NSƯT", "NGND", "NGƯT", "ĐT", "Đt", "đt", "SĐT", "Tel",
	"tel", "Mr", "Mrs", "Ms", "Dr", "St", "VD", "Vd", "vd", "tr", "Tr", "NXB", "Nxb", "Đ/c",
	"đ/c" };
/* The same, but a capital after it begins a sentence. */
static const char *const listings[] = { "v.v", "vv", "v.v.", "V.v", "V.V" };

struct line {
	const char *text;
	size_t from, to;
	size_t first; /* the first letter or digit */
};

static bool is_one_of(const char *const words[], size_t count, const char *text, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == length && memcmp(words[i], text, length) == 0)
			return true;
	return false;
}

/* The character at `at` (< end) of valid text; *ret_next is the offset after it. */
static uint32_t character(const char *text, size_t at, size_t end, size_t *ret_next)
{
	uint32_t c = ' ';

	*ret_next = at + utf8_decode(text + at, end - at, &c);
	return c;
}

static bool is_speakable(uint32_t c)
{
	enum unicode_kind kind = unicode_kind(c);

	return kind == UNICODE_LETTER || kind == UNICODE_NUMBER;
}

/* The first letter or digit; `to` if there is none. */
static size_t first_speakable(const char *text, size_t from, size_t to)
{
	size_t next;

	while (from < to && !is_speakable(character(text, from, to, &next)))
		from = next;
	return from;
}

static bool is_stop(uint32_t c)
{
	return c == '.' || c == '?' || c == '!' || c == 0x2026 || c == 0x3002 || c == 0x203c ||
	       (c >= 0x2047 && c <= 0x2049);
}

static bool is_closer(uint32_t c)
{
	return c == '"' || c == '\'' || c == ')' || c == 0x2019 || c == 0x201d || c == 0xbb;
}

static bool is_opener(uint32_t c)
{
	return c == '"' || c == '\'' || c == '(' || c == 0x2018 || c == 0x201c || c == 0xab;
}

/* --- Where a sentence ends ------------------------------------------------------------------- */

struct stops { /* a run of stops, the closing quotes and brackets after it, and what follows */
	size_t from, to; /* to: after the closers */
	unsigned count;
	bool only_dots;
	bool closed;
	uint32_t next;      /* the character right after: ' ' at the end of the line */
	uint32_t next_word; /* the first character after blanks and openers: 0 at the end of the
			       line */
};

static struct stops stops_at(const struct line *line, size_t at)
{
	struct stops stops = { .from = at, .only_dots = true, .next = ' ' };
	size_t next;

	while (at < line->to) {
		uint32_t c = character(line->text, at, line->to, &next);
		if (is_stop(c)) {
			stops.count += c == 0x2026 ? 3 : 1;
			stops.only_dots = stops.only_dots && (c == '.' || c == 0x2026);
		} else if (is_closer(c)) {
			stops.closed = true;
		} else {
			stops.next = c;
			break;
		}
		at = next;
	}
	stops.to = at;
	while (at < line->to) {
		uint32_t c = character(line->text, at, line->to, &at);
		if (c != ' ' && !is_opener(c)) {
			stops.next_word = c;
			break;
		}
	}
	return stops;
}

/* The word that ends at `to`: back to the blank or opening bracket before it. (What is longer
 * than WORD_BYTES_MAX is no word of any table here.) */
#define WORD_BYTES_MAX 32
static size_t word_before(const struct line *line, size_t to)
{
	size_t end = to;

	while (to > line->from && end - to < WORD_BYTES_MAX && line->text[to - 1] != ' ' &&
		line->text[to - 1] != '(' && line->text[to - 1] != '"')
		to--;
	while (to < end && ((unsigned char)line->text[to] & 0xc0) == 0x80)
		to++;
	return to;
}

static bool is_abbreviation(const char *word, size_t length)
{
	size_t part = length;

	if (is_one_of(abbreviations, countof(abbreviations), word, length))
		return true;
	while (part > 0 && word[part - 1] != '.')
		part--;
	return is_one_of(abbreviations, countof(abbreviations), word + part, length - part);
}

/* "1." "a." "IV." at the beginning of a line number what follows. */
static bool is_list_number(const struct line *line, size_t from, size_t to)
{
	if (to - from > 4 || from > line->first || to <= line->first)
		return false;
	if (strspn(line->text + from, "0123456789") >= to - from)
		return to - from <= 3;
	if (strspn(line->text + from, "IVX") >= to - from)
		return true;
	return utf8_count(line->text + from, to - from) == 1;
}

/* "kết thúc.Mời": the blank was forgotten. Not "TP.Hà", "gov.vn", "A.B". */
static bool is_forgotten_blank(const struct line *line, const struct stops *stops)
{
	size_t word = word_before(line, stops->from), at = word;
	uint32_t last = 0;

	while (at < stops->from) {
		last = character(line->text, at, stops->from, &at);
		if (last == '.')
			return false;
	}
	if (!unicode_is_lower(last) || utf8_count(line->text + word, stops->from - word) < 2 ||
		is_abbreviation(line->text + word, stops->from - word))
		return false;
	if (!unicode_is_upper(stops->next))
		return false;
	at = stops->to;
	(void)character(line->text, at, line->to, &at);
	return at < line->to && unicode_is_lower(character(line->text, at, line->to, &at));
}

static bool stops_end_sentence(const struct line *line, const struct stops *stops)
{
	if (stops->next_word == 0)
		return true;
	bool next_is_lower = unicode_is_lower(stops->next_word);
	if (!stops->only_dots) { /* "Ai?" ông hỏi */
		if (stops->next == ' ')
			return !(stops->closed && next_is_lower);
		return is_speakable(stops->next);
	}
	if (stops->next != ' ')
		return stops->count == 1 && is_forgotten_blank(line, stops);
	size_t word = word_before(line, stops->from);
	if (is_one_of(listings, countof(listings), line->text + word, stops->from - word) ||
		stops->count > 1)
		return !next_is_lower;
	if (stops->closed)
		return !next_is_lower;
	return !is_abbreviation(line->text + word, stops->from - word) &&
	       !is_list_number(line, word, stops->from);
}

/* --- Pieces of what is too long -----------------------------------------------------------------
 */

static bool is_comma(uint32_t c)
{
	return c == ',' || c == ';' || c == ':' || c == 0x2013 || c == 0x2014;
}

/* Where to cut text[from..to) so that the first piece has at most SENTENCE_CHARACTERS_MAX
 * characters; `to` when it is short enough. */
static size_t piece_end(const char *text, size_t from, size_t to, enum sentence_end *end)
{
	size_t comma = 0, blank = 0, at = from;
	unsigned count = 0;
	bool after_comma = false;

	while (at < to && count < SENTENCE_CHARACTERS_MAX) {
		size_t here = at;
		uint32_t c = character(text, at, to, &at);
		count++;
		if (c == ' ') {
			blank = here;
			if (after_comma && count >= PIECE_CHARACTERS_MIN)
				comma = here;
		}
		after_comma = is_comma(c);
	}
	if (at == to)
		return to;
	*end = comma ? SENTENCE_COMMA : SENTENCE_BLANK;
	if (comma)
		return comma;
	if (blank > from)
		return blank;
	/* A word without end: never between a letter and its mark, unless marks are all there is.
	 */
	size_t cut = at, next;
	while (cut > from && unicode_kind(character(text, cut, to, &next)) == UNICODE_MARK)
		do
			cut--;
		while (cut > from && ((unsigned char)text[cut] & 0xc0) == 0x80);
	return cut > from ? cut : at;
}

/* --- The text of a sentence ---------------------------------------------------------------------
 */

/* At the front only what is spoken, or opens: no bullets, no dashes (an option to nobody). */
static size_t skip_front(const char *text, size_t from, size_t to)
{
	size_t next;

	for (; from < to; from = next) {
		uint32_t c = character(text, from, to, &next);
		enum unicode_kind kind = unicode_kind(c);
		if (is_speakable(c) || is_opener(c) || (kind == UNICODE_SYMBOL && c > 0x7f) ||
			c == '$' || kind == UNICODE_PICTURE)
			break;
		if (c == '+' && next < to && text[next] >= '0' && text[next] <= '9')
			break;
	}
	return from;
}

static void add(struct sentences *sentences, const char *text, size_t from, size_t to,
	enum sentence_end end)
{
	from = skip_front(text, from, to);
	while (to > from && text[to - 1] == ' ')
		to--;
	if (first_speakable(text, from, to) == to)
		return;
	if (sentences->count == sentences->capacity) {
		sentences->capacity = sentences->count ? sentences->count * 2 : 16;
		sentences->list = xreallocarray(
			sentences->list, sentences->capacity, sizeof *sentences->list);
	}
	sentences->list[sentences->count++] = (struct sentence){ from, to, end };
}

static void add_pieces(struct sentences *sentences, const char *text, size_t from, size_t to)
{
	while (from < to) {
		enum sentence_end end = SENTENCE_STOP;
		size_t cut = piece_end(text, from, to, &end);
		add(sentences, text, from, cut, end);
		from = cut;
	}
}

static void split_line(struct sentences *sentences, const struct line *line)
{
	size_t begin = line->from, at = line->from, next;

	while (at < line->to) {
		if (!is_stop(character(line->text, at, line->to, &next))) {
			at = next;
			continue;
		}
		struct stops stops = stops_at(line, at);
		if (stops_end_sentence(line, &stops)) {
			add_pieces(sentences, line->text, begin, stops.to);
			begin = stops.to;
		}
		at = stops.to;
	}
	add_pieces(sentences, line->text, begin, line->to);
}

void sentences_split(struct sentences *sentences, const char *text, size_t length)
{
	size_t at = 0;

	while (at < length) {
		const char *newline = memchr(text + at, '\n', length - at);
		size_t to = newline ? (size_t)(newline - text) : length;
		size_t first = first_speakable(text, at, to);
		if (first < to)
			split_line(sentences, &(struct line){ text, at, to, first });
		else if (sentences->count > 0)
			sentences->list[sentences->count - 1].end = SENTENCE_PARAGRAPH;
		at = to + 1;
	}
}

void sentences_done(struct sentences *sentences)
{
	free(sentences->list);
	*sentences = (struct sentences){ 0 };
}

void sentence_write(const char *text, const struct sentence *sentence, struct strbuf *out)
{
	bool cut = sentence->end == SENTENCE_COMMA || sentence->end == SENTENCE_BLANK;
	bool stopped = false;
	size_t at = sentence->from;

	while (at < sentence->to) {
		uint32_t c = character(text, at, sentence->to, &at);
		if (!is_closer(c))
			stopped = is_stop(c) || is_comma(c);
	}
	strbuf_add(out, text + sentence->from, sentence->to - sentence->from);
	if (!stopped)
		strbuf_putc(out, cut ? ',' : '.');
}
