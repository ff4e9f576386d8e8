/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/sink.h"

#include <string.h>

#define WAV_PREFIX "wav:"

const struct sink_driver *sink_driver_for(const char *name)
{
	return strncmp(name, WAV_PREFIX, strlen(WAV_PREFIX)) == 0 ? &sink_wav : &sink_alsa;
}
