/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The codec; FAULTS A3: lies about lengths, half headers, floods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tts/wyoming.h"

#include <errno.h>
#include <string.h>

/* Events as "type(text=…,rate=…)[payload]", one after the other; "!errno" at a break. The bytes
 * are fed `step` at a time. */
static char *decoded(const char *bytes, size_t length, size_t step)
{
	_cleanup_(wyoming_decoder_freep) struct wyoming_decoder *decoder = wyoming_decoder_new();
	struct strbuf out = { 0 };
	struct wyoming_event event;

	strbuf_puts(&out, "");
	for (size_t at = 0; at < length;) {
		size_t now = length - at < step ? length - at : step, used;
		struct error error = { "" };
		int result = wyoming_decode(decoder, bytes + at, now, &used, &event, &error);
		at += used;
		if (result < 0) {
			strbuf_printf(&out, "!%d", -result);
			assert_true(error.text[0]);
			assert_int_equal(
				wyoming_decode(decoder, "{}\n", 3, &used, &event, NULL), -EPROTO);
			break;
		}
		if (result == 0)
			continue;
		assert_true(wyoming_decoder_idle(decoder));
		strbuf_printf(&out, "%s(%s,%d)[%.*s]", event.type,
			json_as_string(wyoming_get(&event, "text"), "-"),
			(int)json_as_integer(wyoming_get(&event, "rate"), -1),
			(int)event.payload_length, event.payload);
	}
	return strbuf_take(&out);
}

static void expect(const char *bytes, const char *expected)
{
	for (size_t step = 1; step < 100; step += 13) {
		_cleanup_(freep) char *text = decoded(bytes, strlen(bytes), step);
		assert_string_equal(text, expected);
	}
}

static void test_both_forms_of_data(void **state)
{
	(void)state;
	expect("{\"type\":\"a\",\"data\":{\"rate\":5}}\n", "a(-,5)[]");
	expect("{\"type\":\"a\",\"version\":\"1.5\",\"data_length\":10,\"payload_length\":3}\n{"
	       "\"rate\":5}xyz"
	       "{\"type\":\"b\",\"payload_length\":null}\n",
		"a(-,5)[xyz]b(-,-1)[]");
	expect("{\"type\":\"a\",\"data\":{\"rate\":5,\"text\":\"có\"},\"data_length\":10}\n{"
	       "\"rate\":6}",
		"a(có,6)[]");
}

static void test_A3_framing(void **state)
{
	(void)state;
	expect("xyz\n", "!71");
	expect("[1]\n", "!71");
	expect("\n", "!71");
	expect("{\"type\":5}\n", "!71");
	expect("{\"type\":\"a\",\"data\":[]}\n", "!71");
	expect("{\"type\":\"a\",\"payload_length\":-1}\n", "!71");
	expect("{\"type\":\"a\",\"payload_length\":1.5}\n", "!71");
	expect("{\"type\":\"a\",\"payload_length\":\"3\"}\nxyz", "!71");
	expect("{\"type\":\"a\",\"payload_length\":262145}\n", "!90");
	expect("{\"type\":\"a\",\"payload_length\":9223372036854775807}\n", "!90");
	expect("{\"type\":\"a\",\"payload_length\":99999999999999999999}\n", "!71");
	expect("{\"type\":\"a\",\"data_length\":65537}\n", "!90");
	expect("{\"type\":\"a\",\"data_length\":3}\n[1]", "!71");
	expect("{\"type\":\"a\",\"data_length\":3}\nxyz", "!71");
	expect("{\"type\":\"audio-st", "");
}

static void test_A3_endless_header(void **state)
{
	(void)state;
	_cleanup_(wyoming_decoder_freep) struct wyoming_decoder *decoder = wyoming_decoder_new();
	char bytes[1000];
	struct wyoming_event event;
	size_t used, fed = 0;
	int result;

	memset(bytes, ' ', sizeof bytes);
	while ((result = wyoming_decode(decoder, bytes, sizeof bytes, &used, &event, NULL)) == 0)
		fed += used;
	assert_int_equal(result, -EMSGSIZE);
	assert_in_range(fed, 1, WYOMING_HEADER_MAX);
}

static void test_round_trip(void **state)
{
	(void)state;
	struct strbuf out = { 0 }, data = { 0 };
	char *text = xcalloc(1, 20001);

	memset(text, 'x', 20000);
	json_write_begin_object(&data, NULL);
	json_write_string(&data, "text", text);
	json_write_integer(&data, "rate", 130);
	json_write_end_object(&data);
	/* A payload that does not end like JSON, then another event in the same buffer. */
	wyoming_encode(
		&out, "audio-chunk", "{\"rate\":22050,\"text\":\"dòng\\nhai\"}", "\n{}\x01", 4);
	wyoming_encode(&out, "synthesize", data.text, NULL, 0);
	wyoming_encode(&out, "describe", NULL, NULL, 0);
	_cleanup_(freep) char *got = decoded(out.text, out.length, 777);
	_cleanup_(freep) char *expected = xasprintf(
		"audio-chunk(dòng\nhai,22050)[\n{}\x01]synthesize(%s,130)[]describe(-,-1)[]", text);
	assert_string_equal(got, expected);
	strbuf_done(&out);
	strbuf_done(&data);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_forms_of_data),
		cmocka_unit_test(test_A3_framing),
		cmocka_unit_test(test_A3_endless_header),
		cmocka_unit_test(test_round_trip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
