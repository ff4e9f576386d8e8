/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "announcement_helpers.h"
#include "base/strbuf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define NOW_US (INT64_C(1795255200) * US_PER_SEC) /* 2026-11-21T17:00:00+07:00 */
#define MINUTE (60 * US_PER_SEC)

static const struct announcement_defaults defaults = {
	.now_us = NOW_US,
	.sync_lead_us = 1500 * US_PER_MS,
};

struct outcome {
	struct announcement *announcement;
	char id[ID_MAX_BYTES + 1];
	enum reason reason;
	struct error error;
};

static void outcome_done(struct outcome *outcome)
{
	announcement_unref(outcome->announcement);
}
#define _outcome_ _cleanup_(outcome_done) struct outcome

static struct outcome parse_bytes(const char *bytes, size_t length, const char *topic_id)
{
	struct outcome outcome = { 0 };

	outcome.announcement = announcement_parse(bytes, length, topic_id, "tu-dat", &defaults,
		outcome.id, &outcome.reason, &outcome.error);
	return outcome;
}

static struct outcome parse(const char *payload, const char *topic_id)
{
	return parse_bytes(payload, strlen(payload), topic_id);
}

static void the_example_of_the_protocol_is_read(void **state)
{
	_outcome_ outcome = parse(
		"\xef\xbb\xbf \r\n{\"id\": \"cat-dien-2026-11-22\", \"revision\": 7,"
		"\"title\": \"Lịch cắt điện\", \"text\": \"Kính thưa bà con!\\nCắt điện.\","
		"\"priority\": \"priority\", \"start\": \"2026-11-21T17:10:00+07:00\","
		"\"expires\": \"2026-11-21T18:00:00+07:00\","
		"\"repeat\": {\"times\": 2, \"gap\": \"3s\"},"
		"\"chime\": {\"open\": \"thong-bao\", \"close\": \"none\"}, \"bed\": \"nhac\","
		"\"voice\": {\"engine\": \"espeak-ng\", \"name\": \"vi\", \"rate\": 130,"
		" \"pitch\": 45}, \"gain_db\": -2.504, \"interrupted\": \"restart\","
		"\"issued_by\": \"Ban Văn hóa – Xã hội\","
		"\"issued_at\": \"2026-11-21T16:40:00+07:00\", \"x-so\": {\"bat-ky\": [1]}}",
		"cat-dien-2026-11-22");
	const struct announcement *a = outcome.announcement;

	(void)state;
	assert_non_null(a);
	assert_string_equal(a->id, "cat-dien-2026-11-22");
	assert_string_equal(outcome.id, "cat-dien-2026-11-22");
	assert_int_equal(a->revision, 7);
	assert_false(a->withdrawal);
	assert_string_equal(a->title, "Lịch cắt điện");
	assert_string_equal(first_text(a), "Kính thưa bà con!\nCắt điện.");
	assert_int_equal(a->priority, PRIORITY_PRIORITY);
	assert_int_equal(a->start_us, NOW_US + 10 * MINUTE);
	assert_int_equal(a->expires_us, NOW_US + 60 * MINUTE);
	assert_int_equal(a->repeat_times, 2);
	assert_int_equal(a->repeat_gap_us, 3 * US_PER_SEC);
	assert_string_equal(a->chime_open, "thong-bao");
	assert_string_equal(a->chime_close, "none");
	assert_string_equal(a->bed, "nhac");
	assert_string_equal(a->voice_engine, "espeak-ng");
	assert_string_equal(a->voice_name, "vi");
	assert_int_equal(a->voice_rate, 130);
	assert_int_equal(a->voice_pitch, 45);
	assert_true(a->gain_db == -2.5);
	assert_int_equal(a->interrupted, INTERRUPTED_RESTART);
	assert_string_equal(a->issued_by, "Ban Văn hóa – Xã hội");
	assert_int_equal(a->issued_at_us, NOW_US - 20 * MINUTE);
}

static void only_text_is_required(void **state)
{
	_outcome_ outcome = parse("{\"text\":\"Xin chào\"}", NULL);
	const struct announcement *a = outcome.announcement;

	(void)state;
	assert_non_null(a);
	assert_string_equal(a->id, "tu-dat");
	assert_string_equal(outcome.id, "tu-dat");
	assert_int_equal(a->revision, 1);
	assert_null(a->title);
	assert_int_equal(a->priority, PRIORITY_NORMAL);
	assert_true(a->start_us == TIME_UNSET);
	assert_int_equal(a->expires_us, NOW_US + 60 * MINUTE);
	assert_int_equal(a->repeat_times, 1);
	assert_int_equal(a->repeat_gap_us, 2 * US_PER_SEC);
	assert_string_equal(a->chime_open, "");
	assert_string_equal(a->bed, "");
	assert_string_equal(a->voice_engine, "");
	assert_null(a->voice_name);
	assert_int_equal(a->voice_rate, -1);
	assert_int_equal(a->voice_pitch, -1);
	assert_true(a->gain_db == 0);
	assert_int_equal(a->interrupted, INTERRUPTED_RESUME);
	assert_true(a->issued_at_us == TIME_UNSET);
}

#define SUM_A "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
#define SUM_B "1f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"

static void a_recording_may_stand_in_place_of_the_text(void **state)
{
	static const struct {
		const char *payload;
		const char *text; /* NULL: none */
	} table[] = {
		{ "{\"media\":\"" SUM_A "\"}", NULL },
		{ "{\"text\":\"Xin chào\",\"media\":\"" SUM_A "\"}", "Xin chào" },
		{ "{\"media\":\"" SUM_A "\",\"text\":\"Xin chào\"}", "Xin chào" },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		_outcome_ outcome = parse(table[i].payload, NULL);
		assert_non_null(outcome.announcement);
		const struct announcement *a = outcome.announcement;
		assert_int_equal(a->parts_count, table[i].text ? 2 : 1);
		assert_int_equal(a->parts[a->parts_count - 1].what, ANNOUNCEMENT_MEDIA);
		assert_string_equal(a->parts[a->parts_count - 1].media, SUM_A);
		if (table[i].text)
			assert_string_equal(a->parts[0].text, table[i].text);
		assert_true(announcement_is_plain(a));
	}
	_outcome_ without = parse("{\"text\":\"Xin chào\"}", NULL);
	assert_false(announcement_has_media(without.announcement));
}

static void an_emergency_is_said_three_times_unless_told_otherwise(void **state)
{
	static const struct {
		const char *repeat;
		int times;
		int64_t gap_us;
	} table[] = {
		{ "", 3, 2 * US_PER_SEC },
		{ ",\"repeat\":{}", 3, 2 * US_PER_SEC },
		{ ",\"repeat\":{\"times\":1}", 1, 2 * US_PER_SEC },
		{ ",\"repeat\":{\"gap\":\"500ms\"}", 3, 500 * US_PER_MS },
		{ ",\"repeat\":{\"times\":10,\"gap\":\"0s\"}", 10, 0 },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		_cleanup_(freep) char *payload = xasprintf(
			"{\"text\":\"Lũ về\",\"priority\":\"emergency\"%s}", table[i].repeat);
		_outcome_ outcome = parse(payload, NULL);
		assert_non_null(outcome.announcement);
		assert_int_equal(outcome.announcement->repeat_times, table[i].times);
		assert_int_equal(outcome.announcement->repeat_gap_us, table[i].gap_us);
	}
}

static void start_and_expiry_follow_from_the_issue(void **state)
{
	_outcome_ outcome = parse(
		"{\"text\":\"a\",\"issued_at\":\"2026-11-21T16:00:00.0259+07:00\"}", "ban-tin");
	int64_t start_us = NOW_US - 60 * MINUTE + 1525 * US_PER_MS; /* cut to milliseconds */

	(void)state;
	assert_non_null(outcome.announcement);
	assert_int_equal(outcome.announcement->start_us, start_us);
	assert_int_equal(outcome.announcement->expires_us, start_us + 60 * MINUTE);
	_outcome_ later = parse("{\"text\":\"a\",\"start\":\"2026-11-22T05:00:00+07:00\","
				"\"issued_at\":\"2026-11-21T16:00:00+07:00\"}",
		NULL);
	assert_non_null(later.announcement);
	assert_int_equal(later.announcement->start_us, NOW_US + 12 * 60 * MINUTE);
	assert_int_equal(later.announcement->expires_us, NOW_US + 13 * 60 * MINUTE);
}

static void what_has_expired_is_left_to_the_queue(void **state)
{
	_outcome_ outcome = parse(
		"{\"text\":\"a\",\"expires\":\"2026-11-20T05:00:00+07:00\"}", NULL);

	(void)state;
	assert_non_null(outcome.announcement);
	assert_true(outcome.announcement->expires_us < NOW_US);
}

static void anything_else_is_the_text_itself(void **state)
{
	static const struct {
		const char *payload, *text;
	} table[] = {
		{ "Xin chào bà con.\r\n\tMời họp.\n", "Xin chào bà con.\r\n\tMời họp.\n" },
		{ "\xef\xbb\xbf"
		  "Xin chào",
			"Xin chào" },
		{ "[\"text\"]", "[\"text\"]" },
		{ "\"{\"", "\"{\"" },
		{ "-f/etc/passwd", "-f/etc/passwd" },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		_outcome_ outcome = parse(table[i].payload, "ban-tin");
		assert_non_null(outcome.announcement);
		assert_string_equal(first_text(outcome.announcement), table[i].text);
		assert_string_equal(outcome.announcement->id, "ban-tin");
		assert_int_equal(outcome.announcement->repeat_times, 1);
		assert_int_equal(outcome.announcement->expires_us, NOW_US + 60 * MINUTE);
	}
}

static void a_withdrawal_is_read_and_written(void **state)
{
	_outcome_ outcome = parse(
		"{\"withdrawn\": true, \"revision\": 3, \"x-ly-do\": 1}", "ban-tin");

	(void)state;
	assert_non_null(outcome.announcement);
	assert_true(outcome.announcement->withdrawal);
	assert_int_equal(outcome.announcement->revision, 3);
	assert_string_equal(outcome.announcement->id, "ban-tin");
	_cleanup_(freep) char *json = announcement_format(outcome.announcement);
	assert_string_equal(json, "{\"withdrawn\":true,\"revision\":3}");
	_cleanup_(announcement_unrefp) struct announcement *again = announcement_load(
		json, strlen(json), "ban-tin", NULL);
	assert_non_null(again);
	assert_true(announcement_same(outcome.announcement, again));
}

/* Undoes \t \n \\ and \xNN in place; returns the length. */
static size_t unescape(char *text)
{
	size_t length = 0;

	for (const char *c = text; *c; c++) {
		char byte = *c;
		if (byte == '\\') {
			c++;
			char digits[3] = { 0 };
			if (*c == 'x')
				memcpy(digits, c + 1, 2);
			byte = *c == 'x'   ? (char)strtol(digits, NULL, 16)
			       : *c == 't' ? '\t'
			       : *c == 'n' ? '\n'
					   : *c;
			c += *c == 'x' ? 2 : 0;
		}
		text[length++] = byte;
	}
	return length;
}

static void expect_refusal(char *line)
{
	char *topic_id = strsep(&line, "\t");
	char *payload = strsep(&line, "\t");
	const char *reason = strsep(&line, "\t");
	const char *detail = strsep(&line, "\t\n");

	assert_non_null(detail);
	size_t length = unescape(payload);
	if (strcmp(topic_id, "-") == 0)
		topic_id = NULL;
	_outcome_ outcome = parse_bytes(payload, length, topic_id);
	if (outcome.announcement || strcmp(reason_name(outcome.reason), reason) != 0 ||
		!strstr(outcome.error.text, detail))
		fail_msg("%s: expected %s (%s), found %s (%s)", payload, reason, detail,
			outcome.announcement ? "no refusal" : reason_name(outcome.reason),
			outcome.error.text);
	assert_null(strchr(outcome.error.text, '\n'));
	if (topic_id)
		assert_string_equal(outcome.id, topic_id);
}

static void the_table_of_refusals(void **state)
{
	_cleanup_(fclosep) FILE *table = fopen(TEST_DATA_DIR "/announcement_refused.tsv", "r");
	_cleanup_(freep) char *line = NULL;
	size_t capacity = 0, count = 0;

	(void)state;
	assert_non_null(table);
	while (getline(&line, &capacity, table) > 0)
		if (line[0] != '#' && line[0] != '\n') {
			expect_refusal(line);
			count++;
		}
	assert_true(count > 60);
}

static void a_refusal_knows_the_id_as_far_as_it_can(void **state)
{
	(void)state;
	_outcome_ by_json = parse("{\"txt\":1,\"id\":\"ban-tin\"}", NULL);
	assert_string_equal(by_json.id, "ban-tin");
	_outcome_ by_topic = parse("{", "ban-tin");
	assert_string_equal(by_topic.id, "ban-tin");
	_outcome_ mismatch = parse("{\"text\":\"a\",\"id\":\"khac\"}", "ban-tin");
	assert_string_equal(mismatch.id, "ban-tin");
	_outcome_ unknown = parse("{\"txt\":1}", NULL);
	assert_string_equal(unknown.id, "");
	_outcome_ nonsense = parse("{\"text\":\"a\",\"id\":\"a b\"}", NULL);
	assert_string_equal(nonsense.id, "");
}

/* `count` times `unit`, between `before` and `after`. */
static char *repeated(const char *before, const char *unit, size_t count, const char *after)
{
	struct strbuf text = { 0 };

	strbuf_puts(&text, before);
	for (size_t i = 0; i < count; i++)
		strbuf_puts(&text, unit);
	strbuf_puts(&text, after);
	return strbuf_take(&text);
}

static void limits_count_characters_and_bytes(void **state)
{
	static const struct {
		const char *before, *unit;
		size_t count;
		const char *after;
		enum reason reason; /* REASON_NONE: accepted */
	} table[] = {
		{ "", "ế", ANNOUNCEMENT_TEXT_MAX, "", REASON_NONE },
		{ "", "ế", ANNOUNCEMENT_TEXT_MAX + 1, "", REASON_TOO_LONG },
		{ "{\"text\":\"", "ế", ANNOUNCEMENT_TEXT_MAX, "\"}", REASON_NONE },
		{ "{\"text\":\"", "ế", ANNOUNCEMENT_TEXT_MAX + 1, "\"}", REASON_TOO_LONG },
		{ "", "a ế", ANNOUNCEMENT_PAYLOAD_MAX, "", REASON_TOO_LARGE },
		{ "{\"text\":\"a\"", " ", ANNOUNCEMENT_PAYLOAD_MAX, "}", REASON_TOO_LARGE },
		{ "{\"text\":\"a\",\"title\":\"", "đ", ANNOUNCEMENT_TITLE_MAX, "\"}", REASON_NONE },
		{ "{\"text\":\"a\",\"title\":\"", "đ", ANNOUNCEMENT_TITLE_MAX + 1, "\"}",
			REASON_TOO_LONG },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		_cleanup_(freep) char *payload = repeated(
			table[i].before, table[i].unit, table[i].count, table[i].after);
		_outcome_ outcome = parse(payload, "dai");
		assert_int_equal(!outcome.announcement, table[i].reason != REASON_NONE);
		assert_int_equal(outcome.reason, table[i].reason);
		assert_string_equal(outcome.id, "dai");
	}
}

static void what_was_written_is_read_back_the_same(void **state)
{
	static const char *const payloads[] = {
		"{\"text\":\"a\"}",
		"{\"text\":\"dòng\\nhai \\\"\\\\\\t\",\"title\":\"\",\"issued_by\":\"UBND\"}",
		"{\"text\":\"a\",\"priority\":\"emergency\",\"gain_db\":-0.105}",
		"{\"text\":\"a\",\"gain_db\":11.999,\"interrupted\":\"drop\",\"bed\":\"none\"}",
		"{\"text\":\"a\",\"voice\":{\"pitch\":0},\"chime\":{\"close\":\"het\"}}",
		"{\"text\":\"a\",\"repeat\":{\"times\":4,\"gap\":\"1500ms\"}}",
		"{\"text\":\"a\",\"issued_at\":\"2198-12-29T23:59:59.9Z\"}",
		"{\"text\":\"a\",\"start\":\"1970-01-02T00:00:00.1Z\",\"id\":\"s@20261121T1000Z\"}",
		"{\"text\":\"a\",\"start\":\"2026-11-21T17:00:00.1239Z\"}",
		"{\"text\":\"a\",\"expires\":\"2026-11-21T17:00:00.1239Z\"}",
		("{\"media\":\"" SUM_A "\"}"),
		("{\"text\":\"a\",\"media\":\"" SUM_A "\"}"),
		"Chữ thường",
	};
	static const char *const zones[] = { "UTC", "ICT-7", "XXX+12" };

	(void)state;
	for (size_t i = 0; i < countof(payloads) * countof(zones); i++) {
		setenv("TZ", zones[i % countof(zones)], 1);
		tzset();
		_outcome_ outcome = parse(payloads[i / countof(zones)], NULL);
		assert_non_null(outcome.announcement);
		_cleanup_(freep) char *json = announcement_format(outcome.announcement);
		struct error error = { "" };
		_cleanup_(announcement_unrefp) struct announcement *again = announcement_load(
			json, strlen(json), outcome.announcement->id, &error);
		assert_string_equal(error.text, "");
		assert_true(announcement_same(outcome.announcement, again));
		assert_int_equal(outcome.announcement->expires_us, again->expires_us);
	}
}

/* The filled-in defaults make the stored form longer than the payload was. */
static void a_payload_of_the_greatest_size_can_be_stored(void **state)
{
	_cleanup_(freep) char *payload = repeated("", "😀", ANNOUNCEMENT_PAYLOAD_MAX / 4, "");
	_outcome_ outcome = parse(payload, NULL);

	(void)state;
	assert_non_null(outcome.announcement);
	_cleanup_(freep) char *json = announcement_format(outcome.announcement);
	assert_true(strlen(json) > ANNOUNCEMENT_PAYLOAD_MAX);
	_cleanup_(announcement_unrefp) struct announcement *again = announcement_load(
		json, strlen(json), "tu-dat", NULL);
	assert_non_null(again);
}

static void sameness_looks_at_every_member(void **state)
{
	static const char base[] = "{\"text\":\"a\"}";
	static const char *const others[] = {
		"{\"text\":\"b\"}",
		"{\"text\":\"a\",\"id\":\"khac\"}",
		"{\"text\":\"a\",\"revision\":2}",
		"{\"text\":\"a\",\"title\":\"t\"}",
		"{\"text\":\"a\",\"priority\":\"background\"}",
		"{\"text\":\"a\",\"start\":\"2026-11-21T18:00:00Z\"}",
		"{\"text\":\"a\",\"repeat\":{\"times\":2}}",
		"{\"text\":\"a\",\"repeat\":{\"gap\":\"1s\"}}",
		"{\"text\":\"a\",\"chime\":{\"open\":\"x\"}}",
		"{\"text\":\"a\",\"chime\":{\"close\":\"x\"}}",
		"{\"text\":\"a\",\"bed\":\"x\"}",
		"{\"text\":\"a\",\"voice\":{\"engine\":\"x\"}}",
		"{\"text\":\"a\",\"voice\":{\"name\":\"x\"}}",
		"{\"text\":\"a\",\"voice\":{\"rate\":100}}",
		"{\"text\":\"a\",\"voice\":{\"pitch\":1}}",
		"{\"text\":\"a\",\"gain_db\":1}",
		"{\"text\":\"a\",\"interrupted\":\"drop\"}",
		"{\"text\":\"a\",\"issued_by\":\"x\"}",
		"{\"text\":\"a\",\"issued_at\":\"2026-11-21T18:00:00Z\"}",
		("{\"text\":\"a\",\"media\":\"" SUM_A "\"}"),
	};
	_outcome_ first = parse(base, NULL);

	(void)state;
	for (size_t i = 0; i < countof(others); i++) {
		_outcome_ other = parse(others[i], NULL);
		assert_non_null(other.announcement);
		assert_false(announcement_same(first.announcement, other.announcement));
	}
	const struct announcement_defaults later = { .now_us = NOW_US + MINUTE };
	struct outcome again = { 0 };
	again.announcement = announcement_parse(base, sizeof base - 1, NULL, "tu-dat", &later,
		again.id, &again.reason, &again.error);
	assert_true(announcement_same(first.announcement, again.announcement));
	outcome_done(&again);
}

static void another_recording_is_not_the_same(void **state)
{
	_outcome_ one = parse("{\"media\":\"" SUM_A "\"}", NULL);
	_outcome_ again = parse("{\"media\":\"" SUM_A "\"}", NULL);
	_outcome_ other = parse("{\"media\":\"" SUM_B "\"}", NULL);
	_outcome_ spoken = parse("{\"text\":\"a\",\"media\":\"" SUM_A "\"}", NULL);

	(void)state;
	assert_true(announcement_same(one.announcement, again.announcement));
	assert_false(announcement_same(one.announcement, other.announcement));
	assert_false(announcement_same(one.announcement, spoken.announcement));
}

static void ids_are_names_or_occurrences(void **state)
{
	static const struct {
		const char *id;
		bool valid;
	} table[] = {
		{ "a", true },
		{ "Cat-dien_2026.11", true },
		{ "", false },
		{ ".a", false },
		{ "a b", false },
		{ "sáng", false },
		{ "sang@20261121T1000Z", true },
		{ "sang@20261121T1000", false },
		{ "sang@20261121T1000ZZ", false },
		{ "sang@2026112aT1000Z", false },
		{ "@20261121T1000Z", false },
		{ "a@b@20261121T1000Z", false },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++)
		assert_int_equal(
			announcement_id_valid(table[i].id, strlen(table[i].id)), table[i].valid);
	_cleanup_(freep) char *longest = repeated("", "a", NAME_MAX_BYTES, "@20261121T1000Z");
	assert_true(strlen(longest) <= ID_MAX_BYTES);
	assert_true(announcement_id_valid(longest, strlen(longest)));
}

static void references_are_counted(void **state)
{
	_outcome_ outcome = parse("a", NULL);
	struct announcement *second = announcement_ref(outcome.announcement);

	(void)state;
	assert_int_equal(second->references, 2);
	assert_null(announcement_unref(second));
	assert_string_equal(first_text(outcome.announcement), "a");
	assert_null(announcement_unref(NULL));
}

/* --- Templates ------------------------------------------------------------------------------- */

struct made { /* from a template */
	struct announcement *announcement;
	int64_t expires_after_us;
	enum reason reason;
	struct error error;
};

static void made_done(struct made *made)
{
	announcement_unref(made->announcement);
}
#define _made_ _cleanup_(made_done) struct made

static struct made parse_template(const char *text)
{
	struct made made = { 0 };
	_cleanup_(json_freep) struct json *object = json_parse(text, strlen(text), &made.error);

	if (object)
		made.announcement = announcement_parse_template(
			object, &made.expires_after_us, &made.reason, &made.error);
	else
		made.reason = REASON_BAD_JSON;
	return made;
}

#define BROADCAST                                                                     \
	"{\"title\":\"Sáng\",\"expires_after\":\"90m\",\"bed\":\"nen\",\"parts\":["  \
	"{\"media\":\"" SUM_A                                                         \
	"\"},{\"text\":\"Đây là đài.\"},{\"pause\":\"1500ms\",\"x-ghi-chu\":1}," \
	"{\"text\":\"Tin.\"},{\"media\":\"" SUM_B "\"},{\"media\":\"" SUM_A "\"}]}"

static void a_template_is_a_list_of_parts(void **state)
{
	_made_ made = parse_template(BROADCAST);
	const struct announcement *a = made.announcement;

	(void)state;
	assert_non_null(a);
	assert_int_equal(made.expires_after_us, 90 * MINUTE);
	assert_string_equal(a->id, "");
	assert_true(a->start_us == TIME_UNSET && a->expires_us == TIME_UNSET);
	assert_true(a->issued_at_us == TIME_UNSET);
	assert_string_equal(a->title, "Sáng");
	assert_string_equal(a->bed, "nen");
	assert_int_equal(a->repeat_times, 1);
	assert_int_equal(a->parts_count, 6);
	assert_int_equal(a->parts[2].what, ANNOUNCEMENT_PAUSE);
	assert_int_equal(a->parts[2].pause_us, 1500 * US_PER_MS);
	size_t at = 0;
	assert_string_equal(announcement_next_text(a, &at), "Đây là đài.");
	assert_int_equal(at, 2);
	assert_string_equal(announcement_next_text(a, &at), "Tin.");
	assert_null(announcement_next_text(a, &at));
	at = 1;
	assert_string_equal(announcement_next_media(a, &at), SUM_B);
	assert_string_equal(announcement_next_media(a, &at), SUM_A);
	assert_null(announcement_next_media(a, &at));
	assert_true(announcement_names_media(a, SUM_B));
	assert_false(announcement_names_media(a, ""));
	assert_false(announcement_is_plain(a));
	char key[ANNOUNCEMENT_KEY_SIZE];
	announcement_text_key(a, 3, key);
	assert_string_equal(key, "parts[3].text");
}

static void a_template_has_the_defaults_of_an_announcement(void **state)
{
	_made_ made = parse_template("{\"text\":\"Lũ về\",\"priority\":\"emergency\"}");
	const struct announcement *a = made.announcement;
	char key[ANNOUNCEMENT_KEY_SIZE];

	(void)state;
	assert_non_null(a);
	assert_int_equal(made.expires_after_us, 60 * MINUTE);
	assert_int_equal(a->repeat_times, 3);
	assert_int_equal(a->voice_rate, -1);
	announcement_text_key(a, 0, key);
	assert_string_equal(key, "text");
}

static void the_table_of_refused_templates(void **state)
{
	_cleanup_(fclosep) FILE *table = fopen(TEST_DATA_DIR "/template_refused.tsv", "r");
	_cleanup_(freep) char *line = NULL;
	size_t capacity = 0, count = 0;

	(void)state;
	assert_non_null(table);
	while (getline(&line, &capacity, table) > 0) {
		char *rest = line;
		if (line[0] == '#' || line[0] == '\n')
			continue;
		const char *text = strsep(&rest, "\t");
		const char *reason = strsep(&rest, "\t");
		const char *detail = strsep(&rest, "\t\n");
		assert_non_null(detail);
		_made_ made = parse_template(text);
		if (made.announcement || strcmp(reason_name(made.reason), reason) != 0 ||
			!strstr(made.error.text, detail))
			fail_msg("%s: expected %s (%s), found %s (%s)", text, reason, detail,
				made.announcement ? "no refusal" : reason_name(made.reason),
				made.error.text);
		count++;
	}
	assert_true(count > 35);
}

static void limits_of_a_template(void **state)
{
	static const struct {
		const char *before, *unit;
		size_t count;
		const char *after;
		enum reason reason; /* REASON_NONE: accepted */
	} table[] = {
		{ "{\"parts\":[", "{\"text\":\"a\"},", ANNOUNCEMENT_PARTS_MAX - 1,
			"{\"text\":\"a\"}]}", REASON_NONE },
		{ "{\"parts\":[", "{\"text\":\"a\"},", ANNOUNCEMENT_PARTS_MAX, "{\"text\":\"a\"}]}",
			REASON_BAD_VALUE },
		{ "{\"parts\":[{\"text\":\"ế\"},{\"text\":\"", "ế", ANNOUNCEMENT_TEXT_MAX - 1,
			"\"}]}", REASON_NONE },
		{ "{\"parts\":[{\"text\":\"ế\"},{\"text\":\"", "ế", ANNOUNCEMENT_TEXT_MAX, "\"}]}",
			REASON_TOO_LONG },
		{ "{\"parts\":[{\"text\":\"", "ế", ANNOUNCEMENT_TEXT_MAX + 1, "\"}]}",
			REASON_TOO_LONG },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		_cleanup_(freep) char *text = repeated(
			table[i].before, table[i].unit, table[i].count, table[i].after);
		_made_ made = parse_template(text);
		assert_int_equal(!made.announcement, table[i].reason != REASON_NONE);
		assert_int_equal(made.reason, table[i].reason);
	}
}

static const char *const templates[] = {
	BROADCAST,
	"{\"text\":\"a\"}",
	"{\"media\":\"" SUM_A "\",\"text\":\"a\",\"expires_after\":\"1s\"}",
	"{\"media\":\"" SUM_A "\",\"expires_after\":\"7d\"}",
	"{\"parts\":[{\"text\":\"a\"}]}",
	"{\"parts\":[{\"media\":\"" SUM_A "\"},{\"text\":\"a\"}]}",
	"{\"parts\":[{\"pause\":\"1s\"},{\"media\":\"" SUM_A "\"}]}",
	"{\"parts\":[{\"media\":\"" SUM_B "\"},{\"media\":\"" SUM_A "\"}]}",
	"{\"parts\":[{\"pause\":\"100ms\"},{\"text\":\"a\"},{\"pause\":\"10m\"}]}",
	"{\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}],\"expires_after\":\"1500ms\","
	"\"priority\":\"emergency\",\"repeat\":{\"times\":2,\"gap\":\"1s\"},\"voice\":{\"name\":"
	"\"vi\",\"rate\":90},\"chime\":{\"open\":\"none\"},\"gain_db\":-3.25,\"interrupted\":"
	"\"drop\",\"issued_by\":\"UBND\"}",
};

static void a_template_is_written_and_read_back_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(templates); i++) {
		_made_ made = parse_template(templates[i]);
		assert_string_equal(made.error.text, "");
		assert_non_null(made.announcement);
		_cleanup_(strbuf_done) struct strbuf out = { 0 };
		announcement_write_template(&out, NULL, made.announcement, made.expires_after_us);
		assert_int_equal(
			!strstr(out.text, "\"parts\""), announcement_is_plain(made.announcement));
		_made_ again = parse_template(out.text);
		assert_string_equal(again.error.text, "");
		assert_true(announcement_same(made.announcement, again.announcement));
		assert_int_equal(made.expires_after_us, again.expires_after_us);
	}
}

/* Also through the store, and after its template is gone. */
static void an_occurrence_is_a_copy_with_its_own_id_and_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(templates); i++) {
		struct made made = parse_template(templates[i]);
		_cleanup_(announcement_unrefp) struct announcement *occurrence =
			announcement_occurrence(made.announcement, "sang@20261121T1000Z", 4, NOW_US,
				NOW_US + MINUTE);
		_cleanup_(strbuf_done) struct strbuf one = { 0 }, other = { 0 };
		announcement_write_template(&one, NULL, made.announcement, MINUTE);
		made_done(&made);
		assert_int_equal(occurrence->references, 1);
		assert_int_equal(occurrence->revision, 4);
		assert_int_equal(occurrence->start_us, NOW_US);
		_cleanup_(freep) char *json = announcement_format(occurrence);
		struct error error = { "" };
		_cleanup_(announcement_unrefp) struct announcement *loaded = announcement_load(
			json, strlen(json), "sang@20261121T1000Z", &error);
		assert_string_equal(error.text, "");
		assert_true(announcement_same(occurrence, loaded));
		assert_int_equal(loaded->expires_us, NOW_US + MINUTE);
		occurrence->start_us = occurrence->expires_us = TIME_UNSET;
		announcement_write_template(&other, NULL, occurrence, MINUTE);
		assert_string_equal(one.text, other.text);
	}
}

static void sameness_looks_at_the_parts(void **state)
{
	static const char *const all[] = {
		"{\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}]}",
		"{\"parts\":[{\"text\":\"a\"},{\"text\":\"c\"}]}",
		"{\"parts\":[{\"text\":\"b\"},{\"text\":\"a\"}]}",
		"{\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"},{\"pause\":\"1s\"}]}",
		"{\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"},{\"pause\":\"2s\"}]}",
		"{\"parts\":[{\"text\":\"a\"},{\"media\":\"" SUM_A "\"},{\"text\":\"b\"}]}",
		"{\"parts\":[{\"text\":\"a\"},{\"media\":\"" SUM_B "\"},{\"text\":\"b\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < countof(all); i++)
		for (size_t j = 0; j < countof(all); j++) {
			_made_ one = parse_template(all[i]);
			_made_ other = parse_template(all[j]);
			assert_int_equal(
				announcement_same(one.announcement, other.announcement), i == j);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_protocol_is_read),
		cmocka_unit_test(only_text_is_required),
		cmocka_unit_test(a_recording_may_stand_in_place_of_the_text),
		cmocka_unit_test(an_emergency_is_said_three_times_unless_told_otherwise),
		cmocka_unit_test(start_and_expiry_follow_from_the_issue),
		cmocka_unit_test(what_has_expired_is_left_to_the_queue),
		cmocka_unit_test(anything_else_is_the_text_itself),
		cmocka_unit_test(a_withdrawal_is_read_and_written),
		cmocka_unit_test(the_table_of_refusals),
		cmocka_unit_test(a_refusal_knows_the_id_as_far_as_it_can),
		cmocka_unit_test(limits_count_characters_and_bytes),
		cmocka_unit_test(what_was_written_is_read_back_the_same),
		cmocka_unit_test(a_payload_of_the_greatest_size_can_be_stored),
		cmocka_unit_test(sameness_looks_at_every_member),
		cmocka_unit_test(another_recording_is_not_the_same),
		cmocka_unit_test(ids_are_names_or_occurrences),
		cmocka_unit_test(references_are_counted),
		cmocka_unit_test(a_template_is_a_list_of_parts),
		cmocka_unit_test(a_template_has_the_defaults_of_an_announcement),
		cmocka_unit_test(the_table_of_refused_templates),
		cmocka_unit_test(limits_of_a_template),
		cmocka_unit_test(a_template_is_written_and_read_back_the_same),
		cmocka_unit_test(an_occurrence_is_a_copy_with_its_own_id_and_times),
		cmocka_unit_test(sameness_looks_at_the_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
