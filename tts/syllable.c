/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/syllable.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "tts/letter.h"

#include <stdint.h>
#include <string.h>

#define LETTERS_MAX 7 /* nghiêng */

/* The classes of onsets that a rhyme comes after. */
enum {
	AFTER_NOTHING = 1 << 0,
	AFTER_HARD = 1 << 1,  /* c g ng: before a ă â o ô ơ u ư */
	AFTER_SOFT = 1 << 2,  /* k gh ngh: before e ê i y */
	AFTER_LIP = 1 << 3,   /* b m p ph v gi: no glide follows */
	AFTER_PLAIN = 1 << 4, /* the others */
	AFTER_QU = 1 << 5,
	AFTER_G = 1 << 6,  /* also g, where gi and the rhyme's i are one letter: gì, giếng */
	AFTER_NG = 1 << 7, /* also ng: ngoài, ngoẹo, nguyên */
};

#define BACK  (AFTER_NOTHING | AFTER_HARD | AFTER_LIP | AFTER_PLAIN)
#define FRONT (AFTER_NOTHING | AFTER_SOFT | AFTER_LIP | AFTER_PLAIN)
#define GLIDE (AFTER_NOTHING | AFTER_PLAIN | AFTER_NG)

/* Of those with one first letter the longer before the shorter: the first that fits is mostly right. */
static const struct onset {
	const char *letters;
	uint8_t bytes, count; /* of them */
	unsigned class;
} onsets[] = {
	{ "", 0, 0, AFTER_NOTHING },
	{ "b", 1, 1, AFTER_LIP },
	{ "ch", 2, 2, AFTER_PLAIN },
	{ "c", 1, 1, AFTER_HARD },
	{ "d", 1, 1, AFTER_PLAIN },
	{ "gh", 2, 2, AFTER_SOFT },
	{ "gi", 2, 2, AFTER_LIP },
	{ "g", 1, 1, AFTER_HARD | AFTER_G },
	{ "h", 1, 1, AFTER_PLAIN },
	{ "kh", 2, 2, AFTER_PLAIN },
	{ "k", 1, 1, AFTER_SOFT },
	{ "l", 1, 1, AFTER_PLAIN },
	{ "m", 1, 1, AFTER_LIP },
	{ "ngh", 3, 3, AFTER_SOFT },
	{ "ng", 2, 2, AFTER_HARD | AFTER_NG },
	{ "nh", 2, 2, AFTER_PLAIN },
	{ "n", 1, 1, AFTER_PLAIN },
	{ "ph", 2, 2, AFTER_LIP },
	{ "p", 1, 1, AFTER_LIP },
	{ "qu", 2, 2, AFTER_QU },
	{ "r", 1, 1, AFTER_PLAIN },
	{ "s", 1, 1, AFTER_PLAIN },
	{ "th", 2, 2, AFTER_PLAIN },
	{ "tr", 2, 2, AFTER_PLAIN },
	{ "t", 1, 1, AFTER_PLAIN },
	{ "v", 1, 1, AFTER_LIP },
	{ "x", 1, 1, AFTER_PLAIN },
	{ "đ", 2, 1, AFTER_PLAIN },
};

/* The rhymes without a tone, in order of their bytes. `place`: the letter that bears the tone;
 * EITHER: that one or the one after it. */
#define EITHER 8
static const struct rhyme {
	const char *letters;
	uint8_t place;
	unsigned after;
} rhymes[] = {
	{ "a", 0, BACK | AFTER_QU },
	{ "ac", 0, BACK | AFTER_QU },
	{ "ach", 0, BACK | AFTER_QU },
	{ "ai", 0, BACK | AFTER_QU },
	{ "am", 0, BACK | AFTER_QU },
	{ "an", 0, BACK | AFTER_QU },
	{ "ang", 0, BACK | AFTER_QU },
	{ "anh", 0, BACK | AFTER_QU },
	{ "ao", 0, BACK | AFTER_QU },
	{ "ap", 0, BACK | AFTER_QU },
	{ "at", 0, BACK | AFTER_QU },
	{ "au", 0, BACK | AFTER_QU },
	{ "ay", 0, BACK | AFTER_QU },
	{ "e", 0, FRONT | AFTER_QU },
	{ "ec", 0, FRONT },
	{ "em", 0, FRONT },
	{ "en", 0, FRONT | AFTER_QU },
	{ "eng", 0, FRONT },
	{ "eo", 0, FRONT | AFTER_QU },
	{ "ep", 0, FRONT },
	{ "et", 0, FRONT | AFTER_QU },
	{ "i", 0, FRONT | AFTER_QU | AFTER_G },
	{ "ia", 0, FRONT },
	{ "ich", 0, FRONT | AFTER_QU | AFTER_G },
	{ "im", 0, FRONT | AFTER_G },
	{ "in", 0, FRONT | AFTER_G },
	{ "inh", 0, FRONT | AFTER_QU },
	{ "ip", 0, FRONT | AFTER_QU | AFTER_G },
	{ "it", 0, FRONT | AFTER_QU },
	{ "iu", 0, FRONT | AFTER_QU },
	{ "iêc", 1, FRONT | AFTER_G },
	{ "iêm", 1, FRONT | AFTER_G },
	{ "iên", 1, FRONT | AFTER_G },
	{ "iêng", 1, FRONT | AFTER_G },
	{ "iêp", 1, FRONT },
	{ "iêt", 1, FRONT | AFTER_G },
	{ "iêu", 1, FRONT | AFTER_G },
	{ "o", 0, BACK },
	{ "oa", 0 | EITHER, GLIDE },
	{ "oac", 1, GLIDE },
	{ "oach", 1, GLIDE },
	{ "oai", 1, GLIDE },
	{ "oam", 1, GLIDE },
	{ "oan", 1, GLIDE },
	{ "oang", 1, GLIDE },
	{ "oanh", 1, GLIDE },
	{ "oao", 1, GLIDE },
	{ "oap", 1, GLIDE },
	{ "oat", 1, GLIDE },
	{ "oay", 1, GLIDE },
	{ "oc", 0, BACK },
	{ "oe", 0 | EITHER, GLIDE },
	{ "oen", 1, GLIDE },
	{ "oeo", 1, GLIDE },
	{ "oep", 1, GLIDE },
	{ "oet", 1, GLIDE },
	{ "oi", 0, BACK },
	{ "om", 0, BACK },
	{ "on", 0, BACK },
	{ "ong", 0, BACK },
	{ "ooc", 1, BACK },
	{ "oong", 1, BACK },
	{ "op", 0, BACK },
	{ "ot", 0, BACK },
	{ "oăc", 1, GLIDE },
	{ "oăm", 1, GLIDE },
	{ "oăn", 1, GLIDE },
	{ "oăng", 1, GLIDE },
	{ "oăt", 1, GLIDE },
	{ "u", 0, BACK },
	{ "ua", 0, BACK },
	{ "uc", 0, BACK },
	{ "ui", 0, BACK },
	{ "um", 0, BACK },
	{ "un", 0, BACK },
	{ "ung", 0, BACK },
	{ "up", 0, BACK },
	{ "ut", 0, BACK },
	{ "uy", 0 | EITHER, GLIDE },
	{ "uya", 1, GLIDE },
	{ "uych", 1, GLIDE },
	{ "uyn", 1, GLIDE },
	{ "uynh", 1, GLIDE },
	{ "uyp", 1, GLIDE },
	{ "uyt", 1, GLIDE },
	{ "uyu", 1, GLIDE },
	{ "uyên", 2, GLIDE },
	{ "uyêt", 2, GLIDE },
	{ "uân", 1, GLIDE },
	{ "uâng", 1, GLIDE },
	{ "uât", 1, GLIDE },
	{ "uây", 1, GLIDE },
	{ "uê", 1, GLIDE },
	{ "uêch", 1, GLIDE },
	{ "uênh", 1, GLIDE },
	{ "uêu", 1, GLIDE },
	{ "uôc", 1, BACK },
	{ "uôi", 1, BACK },
	{ "uôm", 1, BACK },
	{ "uôn", 1, BACK },
	{ "uông", 1, BACK },
	{ "uôt", 1, BACK },
	{ "uơ", 1, GLIDE },
	{ "y", 0, AFTER_NOTHING | AFTER_SOFT | AFTER_LIP | AFTER_PLAIN | AFTER_QU },
	{ "ych", 0, AFTER_QU },
	{ "ynh", 0, AFTER_QU },
	{ "yt", 0, AFTER_QU },
	{ "yêm", 1, AFTER_NOTHING },
	{ "yên", 1, AFTER_NOTHING | AFTER_QU },
	{ "yêng", 1, AFTER_NOTHING },
	{ "yêt", 1, AFTER_NOTHING | AFTER_QU },
	{ "yêu", 1, AFTER_NOTHING },
	{ "âc", 0, BACK },
	{ "âm", 0, BACK },
	{ "ân", 0, BACK | AFTER_QU },
	{ "âng", 0, BACK | AFTER_QU },
	{ "âp", 0, BACK },
	{ "ât", 0, BACK | AFTER_QU },
	{ "âu", 0, BACK | AFTER_QU },
	{ "ây", 0, BACK | AFTER_QU },
	{ "ê", 0, FRONT | AFTER_QU },
	{ "êch", 0, FRONT | AFTER_QU },
	{ "êm", 0, FRONT },
	{ "ên", 0, FRONT | AFTER_QU },
	{ "ênh", 0, FRONT | AFTER_QU },
	{ "êp", 0, FRONT },
	{ "êt", 0, FRONT | AFTER_QU },
	{ "êu", 0, FRONT | AFTER_QU },
	{ "ô", 0, BACK },
	{ "ôc", 0, BACK | AFTER_QU },
	{ "ôi", 0, BACK },
	{ "ôm", 0, BACK },
	{ "ôn", 0, BACK },
	{ "ông", 0, BACK },
	{ "ôp", 0, BACK },
	{ "ôt", 0, BACK },
	{ "ăc", 0, BACK | AFTER_QU },
	{ "ăm", 0, BACK | AFTER_QU },
	{ "ăn", 0, BACK | AFTER_QU },
	{ "ăng", 0, BACK | AFTER_QU },
	{ "ăp", 0, BACK | AFTER_QU },
	{ "ăt", 0, BACK | AFTER_QU },
	{ "ơ", 0, BACK | AFTER_QU },
	{ "ơi", 0, BACK },
	{ "ơm", 0, BACK },
	{ "ơn", 0, BACK },
	{ "ơp", 0, BACK },
	{ "ơt", 0, BACK | AFTER_QU },
	{ "ư", 0, BACK },
	{ "ưa", 0, BACK },
	{ "ưc", 0, BACK },
	{ "ưi", 0, BACK },
	{ "ưm", 0, BACK },
	{ "ưn", 0, BACK },
	{ "ưng", 0, BACK },
	{ "ưt", 0, BACK },
	{ "ưu", 0, BACK },
	{ "ươc", 1, BACK },
	{ "ươi", 1, BACK },
	{ "ươm", 1, BACK },
	{ "ươn", 1, BACK },
	{ "ương", 1, BACK },
	{ "ươp", 1, BACK },
	{ "ươt", 1, BACK },
	{ "ươu", 1, BACK },
};

/* What the classes would leave out: borrowed words and a few native ones. */
static const char *const others[] = { "boa", "buýt", "góa", "goá", "phuy", "voan" };

/* --- Words apart -------------------------------------------------------------------------------- */

struct spelling { /* a word taken apart */
	char letters[LETTERS_MAX * 4 + 1];
	uint8_t starts[LETTERS_MAX + 1]; /* where in `letters` the nth begins */
	unsigned count;
	enum tone tone;
	unsigned place; /* the letter that bears it */
};

/* False for what is no word of at most LETTERS_MAX letters, or bears two tones. */
static bool take_apart(const char *word, size_t length, struct spelling *ret_spelling)
{
	struct spelling spelling = { 0 };
	size_t bytes = 0;

	for (size_t at = 0; at < length;) {
		uint32_t c;
		enum tone tone;
		size_t used = utf8_decode(word + at, length - at, &c);
		if (used == 0 || c == '\0' || spelling.count == LETTERS_MAX)
			return false;
		at += used;
		c = letter_without_tone(letter_lower(c), &tone);
		if (tone != TONE_LEVEL) {
			if (spelling.tone != TONE_LEVEL)
				return false;
			spelling.tone = tone;
			spelling.place = spelling.count;
		}
		spelling.starts[spelling.count++] = (uint8_t)bytes;
		bytes += utf8_encode(c, spelling.letters + bytes);
	}
	spelling.starts[spelling.count] = (uint8_t)bytes;
	*ret_spelling = spelling;
	return true;
}

/* --- Rules ---------------------------------------------------------------------------------- */

static const struct rhyme *find_rhyme(const char *letters)
{
	size_t low = 0, high = countof(rhymes);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(letters, rhymes[middle].letters);
		if (order == 0)
			return &rhymes[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool is_stopped(const struct rhyme *rhyme)
{
	char last = rhyme->letters[strlen(rhyme->letters) - 1];

	/* "nh" is the one rhyme's end in h that is not stopped. */
	return last == 'c' || last == 'p' || last == 't' ||
	       (last == 'h' && rhyme->letters[strlen(rhyme->letters) - 2] == 'c');
}

/* `place`: of the tone, counted from the rhyme's first letter. */
static bool fits(
	const struct onset *onset, const struct rhyme *rhyme, enum tone tone, unsigned place)
{
	if (!(onset->class & rhyme->after))
		return false;
	if (is_stopped(rhyme) && tone != TONE_ACUTE && tone != TONE_DOT)
		return false;
	if (tone == TONE_LEVEL)
		return true;
	unsigned proper = rhyme->place & ~EITHER;
	return place == proper || ((rhyme->place & EITHER) && place == proper + 1);
}

static bool is_other(const char *word, size_t length)
{
	char folded[SYLLABLE_BYTES_MAX + 4];
	size_t bytes = 0;

	for (size_t at = 0; at < length && bytes <= SYLLABLE_BYTES_MAX - 4;) {
		uint32_t c;
		at += utf8_decode(word + at, length - at, &c);
		bytes += utf8_encode(letter_lower(c), folded + bytes);
	}
	folded[bytes] = '\0';
	for (size_t i = 0; i < countof(others); i++)
		if (strcmp(folded, others[i]) == 0)
			return true;
	return false;
}

bool syllable_valid(const char *word, size_t length)
{
	struct spelling spelling;

	if (length == 0 || length > SYLLABLE_BYTES_MAX || !take_apart(word, length, &spelling))
		return false;
	for (size_t i = 0; i < countof(onsets); i++) {
		const struct onset *onset = &onsets[i];
		if ((onset->bytes > 0 && onset->letters[0] != spelling.letters[0]) ||
			onset->count >= spelling.count ||
			memcmp(spelling.letters, onset->letters, onset->bytes) != 0)
			continue;
		if (spelling.tone != TONE_LEVEL && spelling.place < onset->count)
			continue;
		const struct rhyme *rhyme = find_rhyme(spelling.letters + onset->bytes);
		if (rhyme && fits(onset, rhyme, spelling.tone, spelling.place - onset->count))
			return true;
	}
	return is_other(word, length);
}

/* --- All of them ---------------------------------------------------------------------------- */

static void put_together(const struct syllable_cursor *at, char ret_word[SYLLABLE_BYTES_MAX + 1])
{
	const struct rhyme *rhyme = &rhymes[at->rhyme];
	size_t length = strlen(rhyme->letters), bytes = onsets[at->onset].bytes;
	unsigned letter = 0;

	memcpy(ret_word, onsets[at->onset].letters, bytes);
	for (size_t i = 0; i < length; letter++) {
		uint32_t c;
		i += utf8_decode(rhyme->letters + i, length - i, &c);
		if (letter == (rhyme->place & ~EITHER) + at->place)
			c = letter_with_tone(c, (enum tone)at->tone);
		bytes += utf8_encode(c, ret_word + bytes);
	}
	ret_word[bytes] = '\0';
}

/* The next combination, sensible or not; false after the last. */
static bool step(struct syllable_cursor *at)
{
	if ((rhymes[at->rhyme].place & EITHER) && at->tone != TONE_LEVEL && at->place == 0) {
		at->place = 1;
		return true;
	}
	at->place = 0;
	if (++at->tone < TONES)
		return true;
	at->tone = 0;
	if (++at->rhyme < countof(rhymes))
		return true;
	at->rhyme = 0;
	return ++at->onset < countof(onsets);
}

bool syllable_next(struct syllable_cursor *cursor, char ret_word[SYLLABLE_BYTES_MAX + 1])
{
	while (cursor->onset < countof(onsets)) {
		const struct rhyme *rhyme = &rhymes[cursor->rhyme];
		bool good = fits(&onsets[cursor->onset], rhyme, (enum tone)cursor->tone,
			(rhyme->place & ~EITHER) + (unsigned)cursor->place);
		if (good)
			put_together(cursor, ret_word);
		(void)step(cursor);
		if (good)
			return true;
	}
	return false;
}
