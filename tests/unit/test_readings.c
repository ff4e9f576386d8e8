/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "daemon/readings.h"

#include <string.h>

static const struct config config = { .speech = { .rate = 130, .sentence_pause_us = 450000 } };

/* Of texts; NULL stands for a pause. The caller frees. */
static struct announcement *announcement_of(const char *const *texts, size_t count)
{
	struct announcement *announcement = xcalloc(1, sizeof *announcement);

	announcement->references = 1;
	announcement->voice_rate = -1;
	for (size_t i = 0; i < count; i++)
		announcement_add_part(
			announcement, texts[i] ? ANNOUNCEMENT_TEXT : ANNOUNCEMENT_PAUSE)
			->text = texts[i] ? xstrdup(texts[i]) : NULL;
	return announcement;
}

static void test_readings(void **state)
{
	static const struct {
		const char *what;
		const char *texts[3];
		size_t count;
		const char *spoken; /* NULL: nothing */
		const char *detail; /* of a refusal; NULL: none */
	} table[] = {
		{ "one text", { "Xin chào. Mời họp." }, 1, "Xin chào. Mời họp.", NULL },
		{ "two with a pause", { "Xin chào.", NULL, "Mời họp." }, 3, "Xin chào.\nMời họp.",
			NULL },
		{ "no text", { NULL }, 1, NULL, NULL },
		{ "not to be read", { "\x01" }, 1, NULL, "text: " },
		{ "the second one", { "Xin chào.", NULL, "…" }, 3, NULL, "parts[2].text: " },
	};

	(void)state;
	for (size_t i = 0; i < countof(table); i++) {
		_cleanup_(announcement_unrefp) struct announcement *announcement = announcement_of(
			table[i].texts, table[i].count);
		_cleanup_(readings_done) struct readings readings = { 0 };
		enum reading_refusal refusal = READING_FINE;
		struct error error = { "" };
		int result = readings_init(&readings, &config, announcement, &refusal, &error);
		_cleanup_(freep) char *spoken = readings_spoken(&readings);
		if (table[i].detail ? result == 0 || !strstr(error.text, table[i].detail)
				    : result < 0)
			fail_msg("%s: %d, %s", table[i].what, result, error.text);
		assert_int_equal(result < 0, refusal != READING_FINE);
		assert_int_equal(!spoken, !table[i].spoken);
		if (spoken)
			assert_string_equal(spoken, table[i].spoken);
		for (size_t part = 0; result == 0 && part < table[i].count; part++)
			assert_int_equal(!readings.of_part[part], !table[i].texts[part]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
