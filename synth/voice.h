/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The voice: libespeak-ng, of which synth/voice.c is the only user. The library is one set of
 * static variables, so there is one voice in a process and it belongs to the main thread. Text is
 * plain UTF-8: no markup, no phonemes, no commands.
 */
#pragma once

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

#define VOICE_DEFAULT  "vi"
#define VOICE_NAME_MAX 40 /* bytes */

struct voice;

/* `data_path`: the folder that holds espeak-ng-data, NULL: the library's own. The default voice
 * is loaded, so that the first sentence does not wait for it. 0 or -ENOENT with *error. */
int voice_new(const char *data_path, struct voice **ret_voice, struct error *error) _must_check_;
struct voice *voice_free(struct voice *voice);
DEFINE_CLEANUP(struct voice *, voice_free)
unsigned voice_rate_hz(const struct voice *voice);
const char *voice_version(void); /* of the library */

struct voice_request {
	const char *text;
	const char *name; /* NULL: VOICE_DEFAULT */
	int rate, pitch;
};
/* Gets sound as it is made, mono; non-zero stops. */
typedef int (*voice_sound)(const int16_t *samples, size_t count, void *context);

/* 0, what `sound` returned, or -EINVAL (no such voice) with *error. */
int voice_speak(struct voice *voice, const struct voice_request *request, voice_sound sound,
	void *context, struct error *error) _must_check_;
