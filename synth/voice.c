/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "synth/voice.h"
#include "base/strbuf.h"

#include <errno.h>
#include <espeak-ng/speak_lib.h>
#include <stdbool.h>
#include <string.h>

#define CHUNK_MS    20     /* the first sound leaves after the first chunk */
#define DO_NOT_EXIT 0x8000 /* espeakINITIALIZE_DONT_EXIT: missing data is our error to report */
#define WORD_GAP    1      /* × 10 ms at normal speed: words stay apart on a horn (+9 % length) */

struct voice {
	unsigned rate_hz;
	char selected[VOICE_NAME_MAX + 1]; /* the loaded voice; "": unknown */
};

/* What one espeak_Synth() call needs in its callback: it travels as user_data of the events. */
struct speaking {
	voice_sound sound;
	void *context;
	int result;
};

static int on_sound(short *samples, int count, espeak_EVENT *events)
{
	struct speaking *speaking = events->user_data;

	if (!samples || count <= 0 || !speaking)
		return 0;
	if (speaking->result == 0)
		speaking->result = speaking->sound(samples, (size_t)count, speaking->context);
	return speaking->result != 0;
}

/* Names reach file names inside the library ("vi+f2"): no dots, no slashes. */
static bool is_voice_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= VOICE_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-") ==
		       length;
}

/* Loading a voice takes milliseconds: not again for the one that is loaded. */
static int select_voice(struct voice *voice, const char *name, struct error *error)
{
	if (!is_voice_name(name))
		return error_set(error, -EINVAL, "tên giọng đọc không hợp lệ");
	if (strcmp(voice->selected, name) == 0)
		return 0;
	voice->selected[0] = '\0';
	if (espeak_SetVoiceByName(name) != EE_OK)
		return error_set(error, -EINVAL, "không có giọng đọc “%s”", name);
	snprintf(voice->selected, sizeof voice->selected, "%s", name);
	return 0;
}

/* The library passes over a folder that is not there and takes its own. */
static bool has_data(const char *path)
{
	_cleanup_(freep) char *data = xasprintf("%s/espeak-ng-data", path);

	return access(data, R_OK | X_OK) == 0;
}

int voice_new(const char *data_path, struct voice **ret_voice, struct error *error)
{
	if (data_path && !has_data(data_path))
		return error_set(error, -ENOENT, "không có %s/espeak-ng-data", data_path);
	int rate_hz = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, CHUNK_MS, data_path, DO_NOT_EXIT);

	if (rate_hz <= 0)
		return error_set(error, -ENOENT, "không tìm thấy dữ liệu của espeak-ng");
	_cleanup_(voice_freep) struct voice *voice = xcalloc(1, sizeof *voice);
	voice->rate_hz = (unsigned)rate_hz;
	espeak_SetSynthCallback(on_sound);
	if (select_voice(voice, VOICE_DEFAULT, error) < 0)
		return -ENOENT;
	*ret_voice = hand_over(voice);
	return 0;
}

struct voice *voice_free(struct voice *voice)
{
	if (voice)
		espeak_Terminate();
	free(voice);
	return NULL;
}

unsigned voice_rate_hz(const struct voice *voice)
{
	return voice->rate_hz;
}

const char *voice_version(void)
{
	return espeak_Info(NULL);
}

/* A control byte is a command to the library (0x01) or nothing: a blank in both cases. */
static char *without_controls(const char *text)
{
	char *plain = xstrdup(text);

	for (char *c = plain; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return plain;
}

int voice_speak(struct voice *voice, const struct voice_request *request, voice_sound sound,
	void *context, struct error *error)
{
	struct speaking speaking = { .sound = sound, .context = context };

	int result = select_voice(voice, request->name ? request->name : VOICE_DEFAULT, error);
	if (result < 0)
		return result;
	_cleanup_(freep) char *text = without_controls(request->text);
	espeak_SetParameter(espeakWORDGAP, WORD_GAP, 0);
	espeak_SetParameter(espeakRATE, request->rate, 0);
	espeak_SetParameter(espeakPITCH, request->pitch, 0);
	if (espeak_Synth(text, strlen(text) + 1, 0, POS_CHARACTER, 0, espeakCHARS_UTF8, NULL,
		    &speaking) != EE_OK)
		return error_set(error, -EINVAL, "espeak-ng không nhận câu này");
	return speaking.result;
}
