/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/reading_format.h"

#include "base/json.h"

static void write_sentences(struct strbuf *out, const struct reading *reading)
{
	json_write_begin_array(out, "sentences");
	for (size_t i = 0; i < reading->sentences_count; i++)
		json_write_string(out, NULL, reading->sentences[i].text);
	json_write_end_array(out);
}

static void write_words(struct strbuf *out, const struct reading *reading)
{
	json_write_begin_array(out, "words");
	for (size_t i = 0; i < reading->words_count; i++) {
		json_write_begin_object(out, NULL);
		json_write_string(out, "text", reading->words[i].text);
		json_write_integer(out, "from", (int64_t)reading->words[i].from);
		json_write_integer(out, "to", (int64_t)reading->words[i].to);
		json_write_end_object(out);
	}
	json_write_end_array(out);
}

static void write_warnings(struct strbuf *out, const struct reading *reading)
{
	json_write_begin_array(out, "warnings");
	for (size_t i = 0; i < reading->warnings_count; i++) {
		const struct reading_warning *warning = &reading->warnings[i];
		json_write_begin_object(out, NULL);
		json_write_string(out, "kind", warning_kind_name(warning->kind));
		json_write_integer(out, "from", (int64_t)warning->from);
		json_write_integer(out, "to", (int64_t)warning->to);
		json_write_string(out, "text", warning->text);
		json_write_string(out, "detail", warning->detail);
		json_write_end_object(out);
	}
	json_write_end_array(out);
}

void reading_format(struct strbuf *out, const struct reading *reading)
{
	json_write_begin_object(out, NULL);
	json_write_string(out, "spoken", reading->spoken);
	json_write_real(out, "seconds", reading->seconds, 1);
	write_sentences(out, reading);
	write_words(out, reading);
	write_warnings(out, reading);
	json_write_end_object(out);
}

void reading_format_refusal(struct strbuf *out, enum reading_refusal refusal, const char *detail)
{
	json_write_begin_object(out, NULL);
	json_write_begin_object(out, "error");
	json_write_string(out, "reason", reading_refusal_name(refusal));
	json_write_string(out, "detail", detail);
	json_write_end_object(out);
	json_write_end_object(out);
}
