/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long a sentence will take to say, before it is said. Pure; any thread. */
#pragma once

#include <stddef.h>

/* Seconds of speech for one sentence of plain words (as tts/sentences.h writes it), without the pause
 * after it, by loalang-synth at `rate` (80…300). */
double length_of_sentence(const char *text, size_t length, int rate);
