/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/letter.h"
#include "base/cleanup.h"

static const uint32_t vowels[][TONES] = {
	{ 'a', 0xe0, 0x1ea3, 0xe3, 0xe1, 0x1ea1 },
	{ 0x103, 0x1eb1, 0x1eb3, 0x1eb5, 0x1eaf, 0x1eb7 }, /* ă */
	{ 0xe2, 0x1ea7, 0x1ea9, 0x1eab, 0x1ea5, 0x1ead },  /* â */
	{ 'e', 0xe8, 0x1ebb, 0x1ebd, 0xe9, 0x1eb9 },
	{ 0xea, 0x1ec1, 0x1ec3, 0x1ec5, 0x1ebf, 0x1ec7 }, /* ê */
	{ 'i', 0xec, 0x1ec9, 0x129, 0xed, 0x1ecb },
	{ 'o', 0xf2, 0x1ecf, 0xf5, 0xf3, 0x1ecd },
	{ 0xf4, 0x1ed3, 0x1ed5, 0x1ed7, 0x1ed1, 0x1ed9 },  /* ô */
	{ 0x1a1, 0x1edd, 0x1edf, 0x1ee1, 0x1edb, 0x1ee3 }, /* ơ */
	{ 'u', 0xf9, 0x1ee7, 0x169, 0xfa, 0x1ee5 },
	{ 0x1b0, 0x1eeb, 0x1eed, 0x1eef, 0x1ee9, 0x1ef1 }, /* ư */
	{ 'y', 0x1ef3, 0x1ef7, 0x1ef9, 0xfd, 0x1ef5 },
};

uint32_t letter_lower(uint32_t letter)
{
	if ((letter >= 'A' && letter <= 'Z') ||
		(letter >= 0xc0 && letter <= 0xde && letter != 0xd7))
		return letter + 0x20;
	if (letter == 0x1af)
		return 0x1b0;
	if ((letter >= 0x100 && letter < 0x130) || letter == 0x168 || letter == 0x1a0 ||
		(letter >= 0x1ea0 && letter <= 0x1ef9))
		return letter | 1;
	return letter;
}

uint32_t letter_upper(uint32_t letter)
{
	if ((letter >= 'a' && letter <= 'z') ||
		(letter >= 0xe0 && letter <= 0xfe && letter != 0xf7))
		return letter - 0x20;
	if (letter == 0x1b0)
		return 0x1af;
	if ((letter >= 0x100 && letter < 0x130) || letter == 0x169 || letter == 0x1a1 ||
		(letter >= 0x1ea0 && letter <= 0x1ef9))
		return letter & ~1U;
	return letter;
}

/* The block of Vietnamese letters, capitals and small letters in turn. */
#define BLOCK_FIRST 0x1ea0
#define BLOCK_LAST  0x1ef9
static const struct toned {
	uint32_t vowel;
	enum tone tone;
} block[] = { { 'a', TONE_DOT }, { 'a', TONE_HOOK }, { 0xe2, TONE_ACUTE }, { 0xe2, TONE_GRAVE },
	{ 0xe2, TONE_HOOK }, { 0xe2, TONE_TILDE }, { 0xe2, TONE_DOT }, { 0x103, TONE_ACUTE },
	{ 0x103, TONE_GRAVE }, { 0x103, TONE_HOOK }, { 0x103, TONE_TILDE }, { 0x103, TONE_DOT },
	{ 'e', TONE_DOT }, { 'e', TONE_HOOK }, { 'e', TONE_TILDE }, { 0xea, TONE_ACUTE },
	{ 0xea, TONE_GRAVE }, { 0xea, TONE_HOOK }, { 0xea, TONE_TILDE }, { 0xea, TONE_DOT },
	{ 'i', TONE_HOOK }, { 'i', TONE_DOT }, { 'o', TONE_DOT }, { 'o', TONE_HOOK },
	{ 0xf4, TONE_ACUTE }, { 0xf4, TONE_GRAVE }, { 0xf4, TONE_HOOK }, { 0xf4, TONE_TILDE },
	{ 0xf4, TONE_DOT }, { 0x1a1, TONE_ACUTE }, { 0x1a1, TONE_GRAVE }, { 0x1a1, TONE_HOOK },
	{ 0x1a1, TONE_TILDE }, { 0x1a1, TONE_DOT }, { 'u', TONE_DOT }, { 'u', TONE_HOOK },
	{ 0x1b0, TONE_ACUTE }, { 0x1b0, TONE_GRAVE }, { 0x1b0, TONE_HOOK }, { 0x1b0, TONE_TILDE },
	{ 0x1b0, TONE_DOT }, { 'y', TONE_GRAVE }, { 'y', TONE_DOT }, { 'y', TONE_HOOK },
	{ 'y', TONE_TILDE } };

/* The others under a tone, which other languages have as well. */
static const struct {
	uint32_t letter;
	struct toned toned;
} latin[] = { { 0xe0, { 'a', TONE_GRAVE } }, { 0xe1, { 'a', TONE_ACUTE } },
	{ 0xe3, { 'a', TONE_TILDE } }, { 0xe8, { 'e', TONE_GRAVE } }, { 0xe9, { 'e', TONE_ACUTE } },
	{ 0xec, { 'i', TONE_GRAVE } }, { 0xed, { 'i', TONE_ACUTE } }, { 0xf2, { 'o', TONE_GRAVE } },
	{ 0xf3, { 'o', TONE_ACUTE } }, { 0xf5, { 'o', TONE_TILDE } }, { 0xf9, { 'u', TONE_GRAVE } },
	{ 0xfa, { 'u', TONE_ACUTE } }, { 0xfd, { 'y', TONE_ACUTE } },
	{ 0x129, { 'i', TONE_TILDE } }, { 0x169, { 'u', TONE_TILDE } } };

static const struct toned *find_toned(uint32_t lower)
{
	if (lower >= BLOCK_FIRST && lower <= BLOCK_LAST)
		return &block[(lower - BLOCK_FIRST) / 2];
	for (size_t i = 0; i < countof(latin); i++)
		if (latin[i].letter == lower)
			return &latin[i].toned;
	return NULL;
}

uint32_t letter_without_tone(uint32_t letter, enum tone *ret_tone)
{
	uint32_t lower = letter_lower(letter);
	const struct toned *toned = lower < 0x80 ? NULL : find_toned(lower);

	*ret_tone = toned ? toned->tone : TONE_LEVEL;
	if (!toned)
		return letter;
	return lower == letter ? toned->vowel : letter_upper(toned->vowel);
}

uint32_t letter_with_tone(uint32_t vowel, enum tone tone)
{
	for (size_t i = 0; i < countof(vowels); i++)
		if (vowels[i][0] == vowel)
			return vowels[i][tone];
	return vowel;
}
