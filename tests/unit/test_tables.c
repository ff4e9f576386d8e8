/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must be true of the tables of tts/tables, whoever edits them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "tts/letter.h"
#include "tts/syllable.h"
#include "tts/tables.h"
#include "tts/unicode.h"

#include <string.h>

static const struct named_table {
	const char *name;
	const struct table *table;
} tables[] = {
	{ "abbreviations", &table_abbreviations },
	{ "foreign", &table_foreign },
	{ "units", &table_units },
	{ "domains", &table_domains },
	{ "documents", &table_documents },
	{ "holidays", &table_holidays },
	{ "respell", &table_respell },
};

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static int order_of(const struct lexicon_entry *a, const struct lexicon_entry *b)
{
	int order = strcmp(a->written, b->written);

	if (order == 0)
		order = strcmp(or_empty(a->left), or_empty(b->left));
	return order != 0 ? order : strcmp(or_empty(a->right), or_empty(b->right));
}

static void test_ordered_and_nothing_twice(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(tables); i++) {
		const struct table *table = tables[i].table;
		assert_true(table->count > 5);
		for (size_t k = 1; k < table->count; k++) {
			const struct lexicon_entry *last = &table->entries[k - 1];
			if (strcmp(last->written, table->entries[k].written) > 0)
				fail_msg("%s: %s is out of order", tables[i].name, last->written);
			for (size_t m = k; m < table->count &&
					   strcmp(last->written, table->entries[m].written) == 0;
				m++)
				if (order_of(last, &table->entries[m]) == 0)
					fail_msg("%s: %s stands twice", tables[i].name,
						last->written);
		}
	}
}

/* A few syllables have a rhyme that no word of ours has; the table of foreign words names them. */
static bool is_known_syllable(const char *word, size_t length)
{
	if (syllable_valid(word, length))
		return true;
	for (size_t i = 0; i < table_foreign.count; i++) {
		const struct lexicon_entry *entry = &table_foreign.entries[i];
		if (strcmp(entry->written, entry->spoken) == 0 &&
			strlen(entry->written) == length &&
			memcmp(entry->written, word, length) == 0)
			return true;
	}
	return false;
}

static void check_spoken(const char *name, const struct lexicon_entry *entry)
{
	const char *spoken = entry->spoken;

	for (size_t length; *spoken; spoken += length + (spoken[length] == ' ')) {
		length = strcspn(spoken, " ");
		if (length == 1 && strchr(",:.", *spoken))
			continue;
		if (!is_known_syllable(spoken, length))
			fail_msg("%s: %s: “%.*s” is no syllable", name, entry->written, (int)length,
				spoken);
	}
}

static void test_syllables_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(tables); i++)
		for (size_t k = 0; k < tables[i].table->count; k++) {
			const struct lexicon_entry *entry = &tables[i].table->entries[k];
			check_spoken(tables[i].name, entry);
			assert_true(strlen(entry->written) <= LEXICON_WRITTEN_MAX);
			assert_true(strlen(entry->spoken) <= LEXICON_SPOKEN_MAX);
		}
}

static bool is_composed_lower(const char *text)
{
	uint32_t c;

	for (size_t at = 0, length = strlen(text); at < length;) {
		at += utf8_decode(text + at, length - at, &c);
		if (letter_lower(c) != c || unicode_kind(c) == UNICODE_MARK)
			return false;
	}
	return true;
}

static void test_found_in_lower_case(void **state)
{
	(void)state;
	static const struct table *const lower[] = { &table_foreign, &table_domains,
		&table_respell };

	for (size_t i = 0; i < countof(lower); i++)
		for (size_t k = 0; k < lower[i]->count; k++)
			if (!is_composed_lower(lower[i]->entries[k].written))
				fail_msg("%s", lower[i]->entries[k].written);
	for (size_t i = 0; i < table_cues_count; i++)
		if (!is_composed_lower(table_cues[i].phrase))
			fail_msg("%s", table_cues[i].phrase);
}

static const char *const flags_of_units[] = { "tight", "alone", "per", "ampere", "weight" };
static const char *const flags_of_documents[] = { "type", "issuer" };

static void check_flags(const struct table *table, const char *const flags[], size_t count)
{
	assert_true(table->flagged);
	for (size_t i = 0; i < table->count; i++) {
		const struct lexicon_entry *entry = &table->entries[i];
		bool known = !entry->left && table == &table_units;
		for (size_t k = 0; k < count && entry->left; k++)
			known |= strcmp(entry->left, flags[k]) == 0;
		if (!known || entry->right)
			fail_msg("%s: flag “%s”", entry->written, or_empty(entry->left));
	}
}

static void test_flags(void **state)
{
	(void)state;
	check_flags(&table_units, flags_of_units, countof(flags_of_units));
	check_flags(&table_documents, flags_of_documents, countof(flags_of_documents));
}

/* The tone on the first vowel, as the words of a text are compared: hóa, not hoá. */
static void test_cues_are_found(void **state)
{
	(void)state;
	static const char *const other[] = { "oà", "oá", "oả", "oã", "oạ", "oè", "oé", "oẻ", "oẽ",
		"oẹ", "uỳ", "uý", "uỷ", "uỹ", "uỵ" };

	for (size_t i = 0; i < table_cues_count; i++) {
		const char *phrase = table_cues[i].phrase;
		assert_true(table_cues[i].cues != 0);
		assert_true(i == 0 || strcmp(table_cues[i - 1].phrase, phrase) < 0);
		for (size_t k = 0; k < countof(other); k++) {
			const char *found = strstr(phrase, other[k]);
			const char *end = found ? found + strlen(other[k]) : NULL;
			if (found && (*end == ' ' || *end == '\0') &&
				!(found > phrase && found[-1] == 'q'))
				fail_msg("%s", phrase);
		}
	}
}

/* What is Vietnamese already is not changed by a table, unless a word beside it says so. */
static void test_no_entry_is_a_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < table_foreign.count; i++) {
		const struct lexicon_entry *entry = &table_foreign.entries[i];
		if (entry->left || entry->right || strchr(entry->written, ' '))
			continue;
		if (syllable_valid(entry->written, strlen(entry->written)))
			fail_msg("%s", entry->written);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordered_and_nothing_twice),
		cmocka_unit_test(test_syllables_only),
		cmocka_unit_test(test_found_in_lower_case),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_cues_are_found),
		cmocka_unit_test(test_no_entry_is_a_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
