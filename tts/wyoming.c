/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/wyoming.h"

#include <errno.h>
#include <string.h>

/* Data longer than this goes after the line, where the limit is wider. */
#define INLINE_DATA_MAX 4096

enum part { PART_HEADER, PART_DATA, PART_PAYLOAD, PART_BROKEN };

struct wyoming_decoder {
	enum part part;
	bool delivered;      /* the event was given out: the next byte begins a new one */
	struct strbuf bytes; /* of the part that is being read */
	struct json *header, *data;
	size_t data_length, payload_length;
};

struct wyoming_decoder *wyoming_decoder_new(void)
{
	return xcalloc(1, sizeof(struct wyoming_decoder));
}

struct wyoming_decoder *wyoming_decoder_free(struct wyoming_decoder *decoder)
{
	if (!decoder)
		return NULL;
	wyoming_decoder_reset(decoder);
	strbuf_done(&decoder->bytes);
	free(decoder);
	return NULL;
}

static void begin_event(struct wyoming_decoder *decoder)
{
	decoder->part = PART_HEADER;
	decoder->delivered = false;
	strbuf_clear(&decoder->bytes);
	decoder->header = json_free(decoder->header);
	decoder->data = json_free(decoder->data);
}

void wyoming_decoder_reset(struct wyoming_decoder *decoder)
{
	begin_event(decoder);
}

bool wyoming_decoder_idle(const struct wyoming_decoder *decoder)
{
	return decoder->delivered || (decoder->part == PART_HEADER && decoder->bytes.length == 0);
}

static int read_length(const struct json *header, const char *key, size_t limit, size_t *ret_length,
	struct error *error)
{
	const struct json *value = json_get(header, key);

	*ret_length = 0;
	if (!value || json_kind(value) == JSON_KIND_NULL)
		return 0;
	int64_t length = json_kind(value) == JSON_KIND_INTEGER ? json_as_integer(value, -1) : -1;
	if (length < 0)
		return error_set(error, -EPROTO, "%s không phải số nguyên không âm", key);
	if ((uint64_t)length > limit)
		return error_set(error, -EMSGSIZE, "%s là %lld, tối đa là %zu", key,
			(long long)length, limit);
	*ret_length = (size_t)length;
	return 0;
}

static int end_header(struct wyoming_decoder *decoder, struct error *error)
{
	decoder->header = json_parse(decoder->bytes.text, decoder->bytes.length, error);
	if (!decoder->header) {
		error_prefix(error, "dòng đầu của sự kiện");
		return -EPROTO;
	}
	if (!json_as_string(json_get(decoder->header, "type"), NULL))
		return error_set(error, -EPROTO, "sự kiện không có \"type\"");
	const struct json *data = json_get(decoder->header, "data");
	if (data && json_kind(data) != JSON_KIND_OBJECT && json_kind(data) != JSON_KIND_NULL)
		return error_set(error, -EPROTO, "\"data\" không phải một đối tượng");
	int result = read_length(
		decoder->header, "data_length", WYOMING_DATA_MAX, &decoder->data_length, error);
	if (result < 0)
		return result;
	return read_length(decoder->header, "payload_length", WYOMING_PAYLOAD_MAX,
		&decoder->payload_length, error);
}

static int end_data(struct wyoming_decoder *decoder, struct error *error)
{
	if (decoder->data_length == 0)
		return 0;
	decoder->data = json_parse(decoder->bytes.text, decoder->bytes.length, error);
	if (!decoder->data) {
		error_prefix(error, "phần \"data\" của sự kiện");
		return -EPROTO;
	}
	if (json_kind(decoder->data) != JSON_KIND_OBJECT)
		return error_set(error, -EPROTO, "phần \"data\" không phải một đối tượng");
	return 0;
}

/* Takes header bytes up to the newline; true when it was there. */
static int take_line(struct wyoming_decoder *decoder, const char *bytes, size_t length,
	size_t *ret_used, struct error *error)
{
	const char *newline = length ? memchr(bytes, '\n', length) : NULL;
	size_t count = newline ? (size_t)(newline - bytes) : length;

	*ret_used = 0;
	if (decoder->bytes.length + count > WYOMING_HEADER_MAX)
		return error_set(error, -EMSGSIZE, "dòng đầu của sự kiện dài hơn %d byte",
			WYOMING_HEADER_MAX);
	strbuf_add(&decoder->bytes, bytes, count);
	*ret_used = count + (newline != NULL);
	return newline != NULL;
}

/* Takes bytes until the part has `wanted`; true when it has. */
static int take_bytes(struct wyoming_decoder *decoder, const char *bytes, size_t length,
	size_t wanted, size_t *ret_used)
{
	size_t missing = wanted - decoder->bytes.length;

	*ret_used = length < missing ? length : missing;
	strbuf_add(&decoder->bytes, bytes, *ret_used);
	return decoder->bytes.length == wanted;
}

/* One step: takes bytes for the present part. 1: the part is complete; 0: more are needed. */
static int take(struct wyoming_decoder *decoder, const char *bytes, size_t length, size_t *ret_used,
	struct error *error)
{
	switch (decoder->part) {
	case PART_HEADER:
		return take_line(decoder, bytes, length, ret_used, error);
	case PART_DATA:
		return take_bytes(decoder, bytes, length, decoder->data_length, ret_used);
	case PART_PAYLOAD:
		return take_bytes(decoder, bytes, length, decoder->payload_length, ret_used);
	case PART_BROKEN:
		break;
	}
	*ret_used = 0;
	return error_set(error, -EPROTO, "luồng sự kiện đã hỏng từ trước");
}

/* The present part is complete: the next one begins. */
static int next_part(struct wyoming_decoder *decoder, struct error *error)
{
	int result = decoder->part == PART_HEADER ? end_header(decoder, error)
						  : end_data(decoder, error);

	if (result < 0)
		return result;
	decoder->part++;
	strbuf_clear(&decoder->bytes);
	return 0;
}

static void fill_event(const struct wyoming_decoder *decoder, struct wyoming_event *event)
{
	*event = (struct wyoming_event){
		.type = json_as_string(json_get(decoder->header, "type"), ""),
		.payload = decoder->bytes.text ? decoder->bytes.text : "",
		.payload_length = decoder->payload_length,
		.inline_data = json_get(decoder->header, "data"),
		.extra_data = decoder->data,
	};
}

int wyoming_decode(struct wyoming_decoder *decoder, const char *bytes, size_t length,
	size_t *ret_used, struct wyoming_event *ret_event, struct error *error)
{
	size_t used = 0;
	int result = 0;

	if (decoder->delivered)
		begin_event(decoder);
	for (;;) {
		size_t now = 0;
		result = take(decoder, bytes + used, length - used, &now, error);
		used += now;
		if (result <= 0)
			break;
		if (decoder->part == PART_PAYLOAD) {
			decoder->delivered = true;
			fill_event(decoder, ret_event);
			break;
		}
		result = next_part(decoder, error);
		if (result < 0)
			break;
	}
	*ret_used = used;
	if (result < 0)
		decoder->part = PART_BROKEN;
	return result;
}

const struct json *wyoming_get(const struct wyoming_event *event, const char *key)
{
	const struct json *value = json_get(event->extra_data, key);

	return value ? value : json_get(event->inline_data, key);
}

void wyoming_encode(struct strbuf *out, const char *type, const char *data, const void *payload,
	size_t payload_length)
{
	size_t data_length = data ? strlen(data) : 0;
	bool after = data_length > INLINE_DATA_MAX;

	/* Built apart: the writer looks at what stands before, which is not JSON in `out`. */
	struct strbuf header = { 0 };
	json_write_begin_object(&header, NULL);
	json_write_string(&header, "type", type);
	if (data && !after)
		json_write_raw(&header, "data", data);
	if (after)
		json_write_integer(&header, "data_length", (int64_t)data_length);
	if (payload_length > 0)
		json_write_integer(&header, "payload_length", (int64_t)payload_length);
	json_write_end_object(&header);
	strbuf_putc(&header, '\n');
	strbuf_add(out, header.text, header.length);
	strbuf_done(&header);
	if (after)
		strbuf_add(out, data, data_length);
	strbuf_add(out, payload, payload_length);
}
