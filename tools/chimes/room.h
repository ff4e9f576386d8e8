/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A little room around a sound: a few early reflections and a reverberator of four combs and two
 * allpasses (M. R. Schroeder, Natural Sounding Artificial Reverberation, JAES 10, 1962), whose combs
 * lose the high tones first (J. A. Moorer, About This Reverberation Business, CMJ 3, 1979).
 */
#pragma once

#include "tools/chimes/instrument.h"

/* In place; `wet` is the room's level. In a loop the room has heard the end when it begins. */
void room_apply(struct sound *sound, double wet);
