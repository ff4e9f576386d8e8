/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever bytes an engine sends: the decoder keeps its limits, and gives the same events however
 * the bytes are cut into pieces.
 */
#include "tts/wyoming.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct outcome {
	int result;
	unsigned events;
	size_t payload_bytes;
	uint32_t sum;
};

static void take(struct outcome *outcome, const struct wyoming_event *event)
{
	if (event->payload_length > WYOMING_PAYLOAD_MAX || !event->type)
		abort();
	outcome->events++;
	outcome->payload_bytes += event->payload_length;
	for (size_t i = 0; i < event->payload_length; i++)
		outcome->sum = outcome->sum * 31 + (unsigned char)event->payload[i];
	outcome->sum += (uint32_t)json_as_integer(wyoming_get(event, "rate"), 0);
	outcome->sum += (uint32_t)strlen(json_as_string(wyoming_get(event, "text"), ""));
}

static struct outcome decode(const char *bytes, size_t length, size_t step)
{
	_cleanup_(wyoming_decoder_freep) struct wyoming_decoder *decoder = wyoming_decoder_new();
	struct outcome outcome = { 0 };
	struct wyoming_event event;

	for (size_t at = 0; at < length && outcome.result >= 0;) {
		size_t now = length - at < step ? length - at : step, used = 0;
		outcome.result = wyoming_decode(decoder, bytes + at, now, &used, &event, NULL);
		if (used > now || (outcome.result == 0 && used != now))
			abort();
		at += used;
		if (outcome.result > 0)
			take(&outcome, &event);
	}
	outcome.result = outcome.result < 0 ? -1 : 0;
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct outcome whole = decode((const char *)bytes, length, length ? length : 1);
	struct outcome pieces = decode((const char *)bytes, length, 3);

	if (memcmp(&whole, &pieces, sizeof whole) != 0)
		abort();
	return 0;
}
