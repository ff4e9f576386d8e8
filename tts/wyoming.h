/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Wyoming protocol's framing, both ways (docs/PROTOCOL.md, "Speech engines"). An event is one
 * line of JSON, then `data_length` bytes of more JSON, then `payload_length` bytes of anything:
 *
 *   {"type": "audio-chunk", "data": {"rate": 22050}, "data_length": 25, "payload_length": 882}\n
 *   {"width": 2, "channels": 1}…PCM…
 *
 * A key of the second JSON hides the same key of the first. Pure: no descriptor is touched here.
 * The decoder is fed bytes as they come and never holds more than the limits below; whatever
 * breaks the framing ends the stream, since nothing after it can be trusted.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/strbuf.h"
#include <stddef.h>

#define WYOMING_HEADER_MAX  (8 * 1024) /* bytes, each of the three parts */
#define WYOMING_DATA_MAX    (64 * 1024)
#define WYOMING_PAYLOAD_MAX (256 * 1024)

struct wyoming_event { /* borrowed from the decoder, until it is fed again */
	const char *type;
	const char *payload;
	size_t payload_length;
	const struct json *inline_data, *extra_data; /* objects or NULL; see wyoming_get() */
};

/* A member of the event's data, or NULL. */
const struct json *wyoming_get(const struct wyoming_event *event, const char *key);

struct wyoming_decoder;

struct wyoming_decoder *wyoming_decoder_new(void) _must_check_;
struct wyoming_decoder *wyoming_decoder_free(struct wyoming_decoder *decoder);
DEFINE_CLEANUP(struct wyoming_decoder *, wyoming_decoder_free)
/* Forgets what it holds, for a new connection. */
void wyoming_decoder_reset(struct wyoming_decoder *decoder);

/* Takes bytes[0..length) up to the end of the first event; *ret_used says how many. 1: *ret_event
 * is that event; 0: all bytes were taken and more are needed; -EPROTO or -EMSGSIZE (above a
 * limit) with *error: the stream is broken, and every later call says so again. */
int wyoming_decode(struct wyoming_decoder *decoder, const char *bytes, size_t length,
	size_t *ret_used, struct wyoming_event *ret_event, struct error *error) _must_check_;
/* Whether the stream stands between two events. */
bool wyoming_decoder_idle(const struct wyoming_decoder *decoder);

/* Adds an event to `out`. `data` is the text of a JSON object, or NULL; within the limits above. */
void wyoming_encode(struct strbuf *out, const char *type, const char *data, const void *payload,
	size_t payload_length);
