/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/clean.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "tts/unicode.h"

#include <errno.h>
#include <string.h>

/* The signs among the pictures (So) that are part of written language: © ® ° ¦, ℃, № and the
 * like. From the arrows on they are pictures. */
#define PICTURES_FROM 0x2190

enum action {
	ACTION_KEEP,
	ACTION_BLANK,
	ACTION_LINE,
	ACTION_LINES, /* a paragraph's end */
	ACTION_HIDE,  /* drop: nobody sees it */
	ACTION_DROP,  /* drop, and say so */
	ACTION_REFUSE,
};

struct cleaning {
	struct clean *clean;
	struct strbuf text;
	size_t source_capacity;
	size_t dropped_capacity;

	struct strbuf segment; /* characters that may yet compose with the next */
	struct strbuf composed;
	struct clean_span segment_source;
	bool segment_composed; /* it is one character that composition leaves as it is */
	unsigned marks;        /* in the segment, since its last other character */
	bool after_picture;    /* nothing but blanks since one was dropped */
};

/* Full-width forms of ASCII mean the same and would be a way around the disarming below. The
 * Icelandic and the African letter look like Đ, and old keyboards type them for it. */
static uint32_t fold(uint32_t c)
{
	if (c == 0xd0 || c == 0x189)
		return 0x110;
	if (c == 0xf0)
		return 0x111;
	if (c >= 0xff01 && c <= 0xff5e)
		return c - 0xff01 + '!';
	return c == 0x2011 ? '-' : c; /* non-breaking hyphen */
}

/* "< 1 tuổi", "≥" typed as ">= 38": a sign with a number after it. Markup has a name there. */
static bool compares(const char *text, size_t length, size_t after)
{
	while (after < length && (text[after] == ' ' || text[after] == '='))
		after++;
	return after < length && text[after] >= '0' && text[after] <= '9';
}

static bool is_hidden_mark(uint32_t c)
{
	return c == 0x34f || (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0100 && c <= 0xe01ef) ||
	       (c >= 0x20dd && c <= 0x20e4); /* joiner, variation selectors, enclosing (keycap) */
}

static enum action action_of(uint32_t c)
{
	switch (unicode_kind(c)) {
	case UNICODE_CONTROL:
		if (c == '\n' || c == '\r' || c == 0x85)
			return ACTION_LINE;
		return c == '\t' ? ACTION_BLANK : ACTION_REFUSE;
	case UNICODE_BLANK:
		return ACTION_BLANK;
	case UNICODE_LINE:
		return c == 0x2029 ? ACTION_LINES : ACTION_LINE;
	case UNICODE_FORMAT:
		return ACTION_HIDE;
	case UNICODE_MARK:
		return is_hidden_mark(c) ? ACTION_HIDE : ACTION_KEEP;
	case UNICODE_PICTURE:
		return c >= PICTURES_FROM ? ACTION_DROP : ACTION_KEEP;
	case UNICODE_SYMBOL:
		return c >= 0x1f000 ? ACTION_DROP : ACTION_KEEP; /* colours of emoji */
	case UNICODE_NOTHING:
		return ACTION_DROP;
	case UNICODE_LETTER:
	case UNICODE_NUMBER:
	case UNICODE_PUNCTUATION:
		break;
	}
	return ACTION_KEEP;
}

static char disarmed(char c)
{
	switch (c) {
	case '[':
	case '{':
		return '(';
	case ']':
	case '}':
		return ')';
	case '\\':
		return ' ';
	default:
		return c;
	}
}

static void put_byte(struct cleaning *cleaning, char c, struct clean_span source)
{
	struct clean *clean = cleaning->clean;
	size_t length = cleaning->text.length;

	if (c == ' ' && length > 0 && cleaning->text.text[length - 1] == ' ') {
		clean->source[length - 1].to = source.to;
		return;
	}
	if (length == cleaning->source_capacity) {
		cleaning->source_capacity = length ? length * 2 : 256;
		clean->source = xreallocarray(
			clean->source, cleaning->source_capacity, sizeof *clean->source);
	}
	clean->source[length] = source;
	strbuf_putc(&cleaning->text, c);
}

static void put(
	struct cleaning *cleaning, const char *bytes, size_t count, struct clean_span source)
{
	for (size_t i = 0; i < count; i++) {
		char c = disarmed(bytes[i]);
		size_t length = cleaning->text.length;
		/* An entity needs its name right after the &. */
		if (length > 0 && cleaning->text.text[length - 1] == '&' && c != ' ' && c != '\n')
			put_byte(cleaning, ' ', (struct clean_span){ source.from, source.from });
		put_byte(cleaning, c, source);
	}
}

static void flush_segment(struct cleaning *cleaning)
{
	struct strbuf *segment = &cleaning->segment;

	if (segment->length == 0)
		return;
	if (cleaning->segment_composed) {
		put(cleaning, segment->text, segment->length, cleaning->segment_source);
	} else {
		strbuf_clear(&cleaning->composed);
		unicode_compose(segment->text, segment->length, &cleaning->composed);
		put(cleaning, cleaning->composed.text, cleaning->composed.length,
			cleaning->segment_source);
	}
	strbuf_clear(segment);
	cleaning->marks = 0;
}

/* Whether what was dropped just before could be made longer: joined emoji are one picture. */
static bool join_dropped(struct clean *clean, struct clean_span source)
{
	if (clean->dropped_count == 0 || clean->dropped[clean->dropped_count - 1].to != source.from)
		return false;
	clean->dropped[clean->dropped_count - 1].to = source.to;
	return true;
}

static void drop(struct cleaning *cleaning, struct clean_span source)
{
	struct clean *clean = cleaning->clean;

	if (join_dropped(clean, source))
		return;
	if (clean->dropped_count == cleaning->dropped_capacity) {
		cleaning->dropped_capacity = clean->dropped_count ? clean->dropped_count * 2 : 8;
		clean->dropped = xreallocarray(
			clean->dropped, cleaning->dropped_capacity, sizeof *clean->dropped);
	}
	clean->dropped[clean->dropped_count++] = source;
}

/* A picture before a capital is a bullet, or ends a heading: the blank in its place is the end of a
 * line. */
static void end_line_at_picture(struct cleaning *cleaning, uint32_t c)
{
	struct strbuf *text = &cleaning->text;

	if (cleaning->after_picture && unicode_is_upper(c) && text->length > 1 &&
		text->text[text->length - 1] == ' ' && text->text[text->length - 2] != '\n')
		text->text[text->length - 1] = '\n';
	cleaning->after_picture = false;
}

static void keep(struct cleaning *cleaning, uint32_t c, struct clean_span source)
{
	char bytes[4];

	end_line_at_picture(cleaning, c);

	if (unicode_kind(c) != UNICODE_MARK) {
		cleaning->marks = 0;
	} else if (++cleaning->marks > CLEAN_MARKS_MAX) {
		drop(cleaning, source);
		return;
	}
	if (unicode_starts_segment(c))
		flush_segment(cleaning);
	bool first = cleaning->segment.length == 0;
	if (first)
		cleaning->segment_source = source;
	cleaning->segment_source.to = source.to;
	cleaning->segment_composed = first && unicode_is_composed(c);
	strbuf_add(&cleaning->segment, bytes, utf8_encode(c, bytes));
}

static void put_flushed(struct cleaning *cleaning, const char *bytes, struct clean_span source)
{
	flush_segment(cleaning);
	put(cleaning, bytes, strlen(bytes), source);
}

static void apply(
	struct cleaning *cleaning, enum action action, uint32_t c, struct clean_span source)
{
	switch (action) {
	case ACTION_KEEP:
		keep(cleaning, c, source);
		break;
	case ACTION_BLANK:
		put_flushed(cleaning, " ", source);
		break;
	case ACTION_LINE:
		put_flushed(cleaning, "\n", source);
		break;
	case ACTION_LINES:
		put_flushed(cleaning, "\n\n", source);
		break;
	case ACTION_DROP: /* it stood between words as often as not */
		drop(cleaning, source);
		put_flushed(cleaning, " ", source);
		cleaning->after_picture = true;
		break;
	case ACTION_HIDE:
		join_dropped(cleaning->clean, source);
		break;
	case ACTION_REFUSE:
		break;
	}
}

static int run(struct cleaning *cleaning, const char *text, size_t length, struct error *error)
{
	for (size_t at = 0; at < length;) {
		uint32_t c;
		size_t bytes = utf8_decode(text + at, length - at, &c);
		if (bytes == 0)
			return error_set(error, -EINVAL,
				"byte thứ %zu của văn bản (0x%02x) không phải UTF-8 hợp lệ", at + 1,
				(unsigned char)text[at]);
		if (c == '\r' && at + 1 < length && text[at + 1] == '\n')
			bytes = 2;
		c = fold(c);
		if ((c == '<' || c == '>') && !compares(text, length, at + bytes))
			c = c == '<' ? '(' : ')';
		enum action action = action_of(c);
		if (action == ACTION_REFUSE)
			return error_set(error, -EINVAL,
				"byte thứ %zu của văn bản là ký tự điều khiển U+%04X, không đọc "
				"được",
				at + 1, (unsigned)c);
		apply(cleaning, action, c, (struct clean_span){ at, at + bytes });
		at += bytes;
	}
	flush_segment(cleaning);
	return 0;
}

int clean_new(const char *text, size_t length, struct clean **ret_clean, struct error *error)
{
	_cleanup_(clean_freep) struct clean *clean = xcalloc(1, sizeof *clean);
	struct cleaning cleaning = { .clean = clean };

	int result = run(&cleaning, text, length, error);
	clean->length = cleaning.text.length;
	clean->text = strbuf_take(&cleaning.text);
	strbuf_done(&cleaning.segment);
	strbuf_done(&cleaning.composed);
	if (result < 0)
		return result;
	*ret_clean = hand_over(clean);
	return 0;
}

struct clean *clean_free(struct clean *clean)
{
	if (!clean)
		return NULL;
	free(clean->text);
	free(clean->source);
	free(clean->dropped);
	free(clean);
	return NULL;
}

struct clean_span clean_source(const struct clean *clean, size_t from, size_t to)
{
	return (struct clean_span){ clean->source[from].from, clean->source[to - 1].to };
}
