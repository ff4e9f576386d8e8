/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/transcribe.h"
#include "base/utf8.h"
#include "tts/letter.h"
#include "tts/syllable.h"

#include <string.h>

/* --- The word as letters ------------------------------------------------------------------------ */

struct letters { /* without tones; the tone that stood on each */
	uint32_t list[TRANSCRIBE_LETTERS_MAX];
	enum tone tones[TRANSCRIBE_LETTERS_MAX];
	size_t count;
};

/* Letters of other languages, by what is nearest; 0: no Latin letter. */
static uint32_t nearest(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} folds[] = { { 0xe4, 'a' }, { 0xe5, 0xf4 }, { 0xe6, 'e' }, { 0xe7, 'x' }, { 0xeb, 'e' },
		{ 0xee, 'i' }, { 0xef, 'i' }, { 0xf1, 'n' }, { 0xf6, 0x1a1 }, { 0xf8, 0x1a1 },
		{ 0xfb, 'u' }, { 0xfc, 'u' }, { 0xff, 'y' }, { 0xdf, 'x' }, { 0x101, 'a' },
		{ 0x10d, 'c' }, { 0x115, 'e' }, { 0x12d, 'i' }, { 0x14f, 'o' }, { 0x161, 's' },
		{ 0x16d, 'u' }, { 0x17e, 'z' } };

	if ((c >= 'a' && c <= 'z') || c == 0x103 || c == 0xe2 || c == 0x111 || c == 0xea ||
		c == 0xf4 || c == 0x1a1 || c == 0x1b0)
		return c;
	for (size_t i = 0; i < countof(folds); i++)
		if (folds[i].from == c)
			return folds[i].to;
	return 0;
}

static bool take_letters(const char *word, size_t length, struct letters *letters)
{
	uint32_t c;

	letters->count = 0;
	for (size_t at = 0, bytes; at < length; at += bytes) {
		bytes = utf8_decode(word + at, length - at, &c);
		if (bytes == 0 || letters->count == TRANSCRIBE_LETTERS_MAX)
			return false;
		c = nearest(letter_without_tone(c, &letters->tones[letters->count]));
		if (c == 0)
			return false;
		letters->list[letters->count++] = c;
	}
	return true;
}

/* --- Sounds ------------------------------------------------------------------------------------- */

struct sound {
	const char *written, *spoken;
};

/* Longest first. */
static const struct sound onsets[] = { { "sch", "s" }, { "sh", "s" }, { "ch", "ch" },
	{ "th", "th" }, { "ph", "ph" }, { "kh", "kh" }, { "gh", "g" }, { "ng", "ng" },
	{ "nh", "nh" }, { "tr", "tr" }, { "qu", "qu" }, { "ck", "c" }, { "gi", "gi" }, { "b", "b" },
	{ "c", "c" }, { "d", "đ" }, { "đ", "đ" }, { "f", "ph" }, { "g", "g" }, { "h", "h" },
	{ "j", "gi" }, { "k", "c" }, { "l", "l" }, { "m", "m" }, { "n", "n" }, { "p", "p" },
	{ "q", "c" }, { "r", "r" }, { "s", "x" }, { "t", "t" }, { "v", "v" }, { "w", "v" },
	{ "x", "x" }, { "z", "d" } };

static const struct sound nuclei[] = { { "oo", "u" }, { "ee", "i" }, { "ea", "i" }, { "ou", "u" },
	{ "ai", "ai" }, { "ay", "ây" }, { "ey", "ây" }, { "ei", "ây" }, { "ow", "ao" },
	{ "au", "au" }, { "uâ", "uâ" }, { "uô", "uô" }, { "ươ", "ươ" }, { "iê", "iê" },
	{ "yê", "yê" }, { "oă", "oă" }, { "uê", "uê" }, { "ưa", "ưa" }, { "ưu", "ưu" },
	{ "êu", "êu" }, { "âu", "âu" }, { "ây", "ây" }, { "ôi", "ôi" }, { "ơi", "ơi" },
	{ "ưi", "ưi" }, { "oi", "oi" }, { "oy", "oi" }, { "a", "a" }, { "ă", "ă" }, { "â", "â" },
	{ "e", "e" }, { "ê", "ê" }, { "i", "i" }, { "o", "o" }, { "ô", "ô" }, { "ơ", "ơ" },
	{ "u", "u" }, { "ư", "ư" }, { "y", "i" } };

/* What ends a syllable; `spoken` "": nothing is heard of it. */
static const struct sound codas[] = { { "ng", "ng" }, { "nh", "nh" }, { "ck", "c" }, { "ch", "ch" },
	{ "th", "t" }, { "sh", "t" }, { "ss", "t" }, { "ll", "n" }, { "m", "m" }, { "n", "n" },
	{ "p", "p" }, { "t", "t" }, { "c", "c" }, { "k", "c" }, { "g", "c" }, { "b", "p" },
	{ "d", "t" }, { "f", "p" }, { "v", "p" }, { "l", "n" }, { "r", "" }, { "h", "" },
	{ "x", "c" }, { "s", "t" }, { "z", "t" } };

/* The sound of the table that begins at letter `at`; *ret_count: its letters. */
static const char *sound_at(const struct letters *letters, size_t at, const struct sound *sounds,
	size_t sounds_count, size_t *ret_count)
{
	for (size_t i = 0; i < sounds_count; i++) {
		const char *written = sounds[i].written;
		size_t length = strlen(written), used = 0, count = 0;
		uint32_t c;
		while (used < length && at + count < letters->count) {
			size_t bytes = utf8_decode(written + used, length - used, &c);
			if (letters->list[at + count] != c)
				break;
			used += bytes;
			count++;
		}
		if (used == length) {
			*ret_count = count;
			return sounds[i].spoken;
		}
	}
	return NULL;
}

static bool is_vowel(const struct letters *letters, size_t at)
{
	size_t count;

	return at < letters->count &&
	       sound_at(letters, at, nuclei, countof(nuclei), &count) != NULL;
}

/* --- Syllables ---------------------------------------------------------------------------------- */

struct syllable {
	const char *onset, *nucleus, *coda;
	enum tone tone;
};

/* c, g and ng are k, gh and ngh before e ê i. */
static const char *spell_onset(const char *onset, const char *nucleus)
{
	bool front = *nucleus == 'e' || *nucleus == 'i' || strncmp(nucleus, "ê", strlen("ê")) == 0;

	if (!front)
		return onset;
	if (strcmp(onset, "c") == 0)
		return "k";
	if (strcmp(onset, "g") == 0)
		return "gh";
	return strcmp(onset, "ng") == 0                      ? "ngh"
	       : strcmp(onset, "gi") == 0 && *nucleus == 'i' ? "d"
							     : onset;
}

/* Its letters, with the tone on the first vowel, or on the second if that is ê ô ơ â ă or a consonant
 * follows. */
static void spell(const struct syllable *syllable, struct strbuf *out)
{
	const char *nucleus = syllable->nucleus;
	size_t used;
	uint32_t c = 0, next = 0;
	char bytes[4];

	strbuf_puts(out, spell_onset(syllable->onset, nucleus));
	used = utf8_decode(nucleus, strlen(nucleus), &c);
	utf8_decode(nucleus + used, strlen(nucleus + used), &next);
	if (next && (*syllable->coda || next > 0x7f)) {
		strbuf_add(out, nucleus, used);
		nucleus += used;
		used = utf8_decode(nucleus, strlen(nucleus), &c);
	}
	strbuf_add(out, bytes, utf8_encode(letter_with_tone(c, syllable->tone), bytes));
	strbuf_puts(out, nucleus + used);
	strbuf_puts(out, syllable->coda);
}

static bool is_stopped(const char *coda)
{
	return strcmp(coda, "p") == 0 || strcmp(coda, "t") == 0 || strcmp(coda, "c") == 0 ||
	       strcmp(coda, "ch") == 0;
}

static void put(const char *text, struct strbuf *out)
{
	if (out->length > 0)
		strbuf_putc(out, ' ');
	strbuf_puts(out, text);
}

static bool put_if_valid(const struct syllable *syllable, struct strbuf *out)
{
	size_t before = out->length, start;

	if (before > 0)
		strbuf_putc(out, ' ');
	start = out->length;
	spell(syllable, out);
	if (syllable_valid(out->text + start, out->length - start))
		return true;
	strbuf_truncate(out, before);
	return false;
}

/* A consonant by itself: bờ, xờ. */
static void put_consonant(const char *onset, struct strbuf *out)
{
	struct syllable syllable = { onset, "ơ", "", TONE_GRAVE };

	if (!put_if_valid(&syllable, out))
		put("xờ", out);
}

/* What is no syllable in one, vowel by vowel: niê → ni ê. */
static void put_apart(const struct syllable *syllable, struct strbuf *out)
{
	const char *onset = syllable->onset, *nucleus = syllable->nucleus;
	uint32_t c;

	for (size_t used; *nucleus; nucleus += used) {
		char vowel[5] = "";
		used = utf8_decode(nucleus, strlen(nucleus), &c);
		memcpy(vowel, nucleus, used);
		struct syllable part = { onset, vowel, "",
			nucleus[used] ? TONE_LEVEL : syllable->tone };
		if (!put_if_valid(&part, out) && *onset) {
			put_consonant(onset, out);
			part.onset = "";
			(void)put_if_valid(&part, out);
		}
		onset = "";
	}
}

/* Open syllables are ê and ô, where closed ones have e and o: Betaco, den-ti. */
static void put_syllable(struct syllable syllable, struct strbuf *out)
{
	static const struct sound opened[] = { { "e", "ê" }, { "o", "ô" }, { "ă", "a" },
		{ "â", "ơ" } };
	const char *coda = syllable.coda;

	if (is_stopped(coda) && syllable.tone != TONE_DOT)
		syllable.tone = TONE_ACUTE;
	if (*coda && put_if_valid(&syllable, out))
		return;
	syllable.coda = "";
	syllable.tone = is_stopped(coda) ? TONE_LEVEL : syllable.tone;
	for (size_t i = 0; i < countof(opened); i++)
		if (strcmp(opened[i].written, syllable.nucleus) == 0)
			syllable.nucleus = opened[i].spoken;
	if (!put_if_valid(&syllable, out))
		put_apart(&syllable, out);
	if (*coda)
		put_consonant(coda, out);
}

/* The coda that belongs to the vowel before `at`: a consonant that no vowel follows. */
static const char *coda_at(const struct letters *letters, size_t at, size_t *ret_count)
{
	size_t count = 0, first;
	const char *coda = sound_at(letters, at, codas, countof(codas), &count);

	*ret_count = 0;
	if (!coda)
		return "";
	if (is_vowel(letters, at + count)) {
		/* "ng" before a vowel is n-g, a double consonant closes and opens */
		if (count < 2)
			return "";
		coda = sound_at(&(struct letters){ .list = { letters->list[at] }, .count = 1 }, 0,
			codas, countof(codas), &first);
		count = 1;
		if (!coda || letters->list[at + 1] == 'h')
			return "";
	}
	*ret_count = count;
	return coda;
}

/* The consonants before a vowel: all but the last by themselves. Returns the onset of the vowel. */
static const char *put_onsets(const struct letters *letters, size_t *at, struct strbuf *out)
{
	const char *onset = "";

	while (*at < letters->count &&
		(!is_vowel(letters, *at) || (letters->list[*at] == 'y' && *onset == '\0' &&
						    is_vowel(letters, *at + 1)))) {
		size_t count = 1;
		if (letters->list[*at] == 'y') { /* Yamaha: i a ma ha */
			put("i", out);
			(*at)++;
			continue;
		}
		const char *next = sound_at(letters, *at, onsets, countof(onsets), &count);
		if (*onset)
			put_consonant(onset, out);
		onset = next ? next : "";
		*at += count;
		/* "qu", "gi" take their vowel only if another follows */
		if ((strcmp(onset, "qu") == 0 || strcmp(onset, "gi") == 0) && count == 2 &&
			!is_vowel(letters, *at)) {
			onset = onset[0] == 'q' ? "c" : "gi";
			(*at)--;
		}
	}
	return onset;
}

bool transcribe(const char *word, size_t length, struct strbuf *out)
{
	struct letters letters;
	size_t count = 0, at = 0, vowels = 0;

	if (!take_letters(word, length, &letters))
		return false;
	for (size_t i = 0; i < letters.count; i++)
		vowels += is_vowel(&letters, i);
	if (vowels == 0)
		return false;
	while (at < letters.count) {
		struct syllable syllable = { .onset = put_onsets(&letters, &at, out) };
		if (at >= letters.count) {
			if (*syllable.onset)
				put_consonant(syllable.onset, out);
			break;
		}
		/* a mute e at the end: Bluezone, Google */
		if (at + 1 == letters.count && letters.list[at] == 'e' && at >= 2 && vowels > 1 &&
			*syllable.onset && letters.tones[at] == TONE_LEVEL) {
			put_consonant(syllable.onset, out);
			break;
		}
		syllable.nucleus = sound_at(&letters, at, nuclei, countof(nuclei), &count);
		for (size_t i = 0; i < count; i++)
			if (letters.tones[at + i] != TONE_LEVEL)
				syllable.tone = letters.tones[at + i];
		at += count;
		syllable.coda = coda_at(&letters, at, &count);
		at += count;
		put_syllable(syllable, out);
	}
	return true;
}
