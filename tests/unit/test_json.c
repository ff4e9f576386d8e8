/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/json.h"
#include "base/clock.h"
#include "base/name.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct inner {
	int64_t rate;
};
struct outer {
	char *text;
	char name[NAME_MAX_BYTES + 1];
	int64_t number, start_us, gap_us;
	double gain;
	bool on;
	int choice;
	struct inner inner;
};

static const char *const choices[] = { "thấp", "cao", NULL };
static const struct json_field inner_fields[] = {
	{ "rate", offsetof(struct inner, rate), json_decode_int64, 80, 300, NULL },
	{ 0 },
};
static const struct json_field outer_fields[] = {
	{ "text", offsetof(struct outer, text), json_decode_string, 1, 5, NULL },
	{ "name", offsetof(struct outer, name), json_decode_name, 0, 0, NULL },
	{ "number", offsetof(struct outer, number), json_decode_int64, 1, 10, NULL },
	{ "gain", offsetof(struct outer, gain), json_decode_double, -6, 6, NULL },
	{ "on", offsetof(struct outer, on), json_decode_bool, 0, 0, NULL },
	{ "start", offsetof(struct outer, start_us), json_decode_time, 0, 0, NULL },
	{ "gap", offsetof(struct outer, gap_us), json_decode_duration, 0, 60, NULL },
	{ "choice", offsetof(struct outer, choice), json_decode_choice, 0, 0, choices },
	{ "inner", offsetof(struct outer, inner), json_decode_object, 0, 0, inner_fields },
	{ 0 },
};

static void test_decode(void **state)
{
	const char *text =
		"{\"text\":\"xã ơi\",\"name\":\"a.b\",\"number\":7,\"gain\":-3,\"on\":true,"
		"\"start\":\"1970-01-01T00:00:01Z\",\"gap\":\"2s\",\"choice\":\"cao\","
		"\"x-cua-toi\":[1],\"inner\":{\"rate\":130}}";
	struct outer outer = { 0 };
	enum json_reason reason;

	(void)state;
	_cleanup_(json_freep) struct json *root = json_parse(text, strlen(text), NULL);
	assert_non_null(root);
	assert_int_equal(json_decode(root, outer_fields, &outer, NULL, &reason), 0);
	assert_string_equal(outer.text, "xã ơi");
	assert_string_equal(outer.name, "a.b");
	assert_int_equal(outer.number, 7);
	assert_true(outer.gain == -3.0);
	assert_true(outer.on);
	assert_int_equal(outer.start_us, US_PER_SEC);
	assert_int_equal(outer.gap_us, 2 * US_PER_SEC);
	assert_int_equal(outer.choice, 1);
	assert_int_equal(outer.inner.rate, 130);
	free(outer.text);
}

static void test_decode_refuses(void **state)
{
	static const struct {
		const char *json, *says;
		enum json_reason reason;
	} table[] = {
		{ "{\"txet\":\"a\"}", "khóa lạ \"txet\"; có phải là \"text\"?",
			JSON_REASON_UNKNOWN_KEY },
		{ "{\"inner\":{\"rat\":1}}", "inner: khóa lạ \"rat\"; có phải là \"rate\"?",
			JSON_REASON_UNKNOWN_KEY },
		{ "{\"inner\":{\"rate\":79}}", "inner.rate: 79 nằm ngoài khoảng 80 đến 300",
			JSON_REASON_BAD_VALUE },
		{ "{\"inner\":3}", "inner: phải là đối tượng {…}, không phải số nguyên",
			JSON_REASON_BAD_VALUE },
		{ "{\"text\":\"sáu chữ\"}", "text: dài 7 ký tự, nhiều nhất là 5",
			JSON_REASON_TOO_LONG },
		{ "{\"text\":\"\"}", "text: phải có ít nhất 1 ký tự", JSON_REASON_BAD_VALUE },
		{ "{\"text\":null}", "text: phải là chuỗi, không phải null",
			JSON_REASON_BAD_VALUE },
		{ "{\"name\":\"a b\"}", "name: \"a b\" không phải là tên hợp lệ",
			JSON_REASON_BAD_VALUE },
		{ "{\"number\":1.5}", "number: phải là số nguyên, không phải số",
			JSON_REASON_BAD_VALUE },
		{ "{\"gain\":7}", "gain: 7 nằm ngoài khoảng -6 đến 6", JSON_REASON_BAD_VALUE },
		{ "{\"gap\":\"61s\"}", "gap: 61 nằm ngoài khoảng 0 đến 60", JSON_REASON_BAD_VALUE },
		{ "{\"choice\":\"vừa\"}",
			"choice: \"vừa\" không phải là một trong: \"thấp\", \"cao\"",
			JSON_REASON_BAD_VALUE },
		{ "{\"on\":1}", "on: phải là true/false", JSON_REASON_BAD_VALUE },
	};
	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		struct outer outer = { 0 };
		struct error error = { "" };
		enum json_reason reason = JSON_REASON_NONE;
		_cleanup_(json_freep) struct json *root = json_parse(
			table[i].json, strlen(table[i].json), NULL);
		assert_int_equal(json_decode(root, outer_fields, &outer, &error, &reason), -EINVAL);
		assert_int_equal(reason, table[i].reason);
		assert_memory_equal(error.text, table[i].says, strlen(table[i].says));
		free(outer.text);
	}
}

static void test_parse_refuses(void **state)
{
	static const struct {
		const char *json, *says;
	} table[] = {
		{ "", "thiếu phần cuối" },
		{ "{", "thiếu phần cuối" },
		{ "{} {}", "thừa ký tự sau phần JSON" },
		{ "{\"a\":1,\"a\":2}", "khóa bị lặp lại" },
		{ "[1e999]", "số quá lớn" },
		{ "[\"\xff\"]", "không phải UTF-8" },
		{ "{'a':1}", "sai cú pháp JSON" },
		{ "[\"a\nb\"]", "sai cú pháp JSON" },
		{ "[\"\\u0000\"]", "có ký tự NUL" },
	};
	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		struct error error = { "" };
		assert_null(json_parse(table[i].json, strlen(table[i].json), &error));
		assert_memory_equal(error.text, table[i].says, strlen(table[i].says));
	}
	char deep[2 * 100000];
	memset(deep, '[', sizeof deep / 2);
	memset(deep + sizeof deep / 2, ']', sizeof deep / 2);
	assert_null(json_parse(deep, sizeof deep, NULL));
	size_t allowed = JSON_DEPTH_MAX;
	memset(deep, '[', allowed);
	memset(deep + allowed, ']', allowed);
	_cleanup_(json_freep) struct json *root = json_parse(deep, 2 * allowed, NULL);
	assert_non_null(root);
}

static void test_write(void **state)
{
	_cleanup_(strbuf_done) struct strbuf out = { 0 };

	(void)state;
	json_write_begin_object(&out, NULL);
	json_write_string(&out, "chữ", "a\"b\\c\n\x01{");
	json_write_string(&out, "không", NULL);
	json_write_begin_array(&out, "mảng");
	json_write_integer(&out, NULL, -3);
	json_write_real(&out, NULL, 21.4, 3);
	json_write_real(&out, NULL, 2, 3);
	json_write_real(&out, NULL, NAN, 3);
	json_write_bool(&out, NULL, true);
	json_write_end_array(&out);
	json_write_begin_object(&out, "trống");
	json_write_end_object(&out);
	json_write_time(&out, "giờ", TIME_UNSET);
	json_write_end_object(&out);
	assert_string_equal(out.text, "{\"chữ\":\"a\\\"b\\\\c\\n\\u0001{\",\"không\":null,\"mảng\":"
				      "[-3,21.4,2.0,null,true],"
				      "\"trống\":{},\"giờ\":null}");
	_cleanup_(json_freep) struct json *root = json_parse(out.text, out.length, NULL);
	assert_non_null(root);
	assert_string_equal(json_as_string(json_get(root, "chữ"), ""), "a\"b\\c\n\x01{");
	assert_int_equal(json_array_length(json_get(root, "mảng")), 5);
	assert_true(json_as_real(json_at(json_get(root, "mảng"), 0), 0) == -3.0);
	assert_int_equal(json_as_integer(json_at(json_get(root, "mảng"), 1), 42), 42);
}

/* FAULTS A4, E6: a NUL byte is refused wherever it stands, also where the library overlooks it. */
static void test_nul_bytes(void **state)
{
	static const char behind_a_number[] = "{\"a\": 2\0 , \"b\": 1}";
	static const char in_a_string[] = "{\"a\": \"x\0y\"}";
	static const char at_the_end[] = "{\"a\": 2}\0";
	struct error error;

	(void)state;
	assert_null(json_parse(behind_a_number, sizeof behind_a_number - 1, &error));
	assert_non_null(strstr(error.text, "NUL ở byte 8"));
	assert_null(json_parse(in_a_string, sizeof in_a_string - 1, &error));
	assert_null(json_parse(at_the_end, sizeof at_the_end - 1, &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nul_bytes),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_decode_refuses),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
