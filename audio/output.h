/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sound side of one output (one loudspeaker line), as configured. A value. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define OUTPUT_CHANNELS_MAX 32 /* channels of one device that we address */

struct output_config {
	char *name;            /* base/name.h */
	char *device;          /* an ALSA PCM name, or "wav:PATH" */
	uint32_t channel_mask; /* bit n: channel n of the device drives this amplifier; not 0 */
	double gain_db;        /* −60…+20 */
	int64_t delay_us;      /* later than the others, for the distance between poles; 0…10 s */
	char *preset;          /* how its sound is made: audio/chain.h, chain_preset_parse() */
	int64_t preroll_us; /* silence that wakes a sleeping amplifier before the first frame; 0…10
			       s */
};
