/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The letters of Vietnamese: case, and vowels under the six tones. Pure; any thread. */
#pragma once

#include <stdint.h>

enum tone { TONE_LEVEL, TONE_GRAVE, TONE_HOOK, TONE_TILDE, TONE_ACUTE, TONE_DOT };
#define TONES 6

/* Of a Vietnamese letter or another of Latin-1; any other character comes back as it is. */
uint32_t letter_lower(uint32_t letter);
uint32_t letter_upper(uint32_t letter);

/* The letter without its tone (ấ → â, b → b), of either case. */
uint32_t letter_without_tone(uint32_t letter, enum tone *ret_tone);
/* A vowel without a tone (a ă â e ê i o ô ơ u ư y, in lower case) under one; other letters come
 * back as they are. */
uint32_t letter_with_tone(uint32_t vowel, enum tone tone);
