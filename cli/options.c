/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/options.h"

#include "base/clock.h"
#include "base/duration.h"
#include "base/name.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "scheduler/announcement.h"
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>

#define OPTIONS_MAX 32 /* of both tables together */

static int decode_name(const char *text, const char **member, struct error *error)
{
	if (!name_valid(text, strlen(text)))
		return error_set(error, -EINVAL,
			"“%.80s” không phải là tên hợp lệ (chỉ gồm A–Z a–z 0–9 . _ -)", text);
	*member = text;
	return 0;
}

static int decode_names(const char *text, struct option_names *names, struct error *error)
{
	const char *valid = NULL;
	int result = decode_name(text, &valid, error);

	if (result < 0)
		return result;
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->list[i], text) == 0)
			return 0;
	}
	if (names->count == OPTION_NAMES_MAX)
		return error_set(error, -EINVAL, "nhiều nhất là %d", OPTION_NAMES_MAX);
	names->list[names->count++] = text;
	return 0;
}

static int decode_choice(
	const char *text, const char *const *choices, int *member, struct error *error)
{
	_cleanup_(strbuf_done) struct strbuf all = { 0 };

	for (int i = 0; choices[i]; i++) {
		if (strcmp(choices[i], text) == 0) {
			*member = i;
			return 0;
		}
		strbuf_printf(&all, i > 0 ? ", %s" : "%s", choices[i]);
	}
	return error_set(error, -EINVAL, "không biết “%.80s”; chọn một trong: %s", text, all.text);
}

static int decode_integer(
	const struct option_spec *spec, const char *text, int *member, struct error *error)
{
	char *end = NULL;

	errno = 0;
	long number = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || number < spec->minimum ||
		number > spec->maximum)
		return error_set(error, -EINVAL,
			"phải là số nguyên từ %d đến %d, không phải “%.80s”", spec->minimum,
			spec->maximum, text);
	*member = (int)number;
	return 0;
}

static int decode_duration(const char *text, int64_t *member, struct error *error)
{
	int64_t us = 0;
	int result = duration_parse(text, &us, error);

	if (result < 0)
		return result;
	if (us <= 0)
		return error_set(error, -EINVAL, "phải lớn hơn 0");
	*member = us;
	return 0;
}

static int decode_text(const char *text, const char **member, struct error *error)
{
	if (*text == '\0')
		return error_set(error, -EINVAL, "không được để trống");
	*member = text;
	return 0;
}

static int decode_texts(const char *text, struct option_texts *texts, struct error *error)
{
	if (texts->count == OPTION_TEXTS_MAX)
		return error_set(error, -EINVAL, "nhiều nhất là %d", OPTION_TEXTS_MAX);
	int result = decode_text(text, &texts->list[texts->count], error);
	texts->count += result == 0;
	return result;
}

static int decode_id(const char *text, const char **member, struct error *error)
{
	if (!announcement_id_valid(text, strlen(text)))
		return error_set(error, -EINVAL, "“%.100s” không phải là mã bản tin hợp lệ", text);
	*member = text;
	return 0;
}

static int decode(
	const struct option_spec *spec, const char *text, char *target, struct error *error)
{
	void *member = target + spec->offset;

	switch (spec->type) {
	case OPTION_FLAG:
		*(bool *)member = true;
		return 0;
	case OPTION_TEXT:
		return decode_text(text, member, error);
	case OPTION_TEXTS:
		return decode_texts(text, member, error);
	case OPTION_MAYBE:
		*(const char **)member = text ? text : "";
		return 0;
	case OPTION_NAME:
		return decode_name(text, member, error);
	case OPTION_NAMES:
		return decode_names(text, member, error);
	case OPTION_ID:
		return decode_id(text, member, error);
	case OPTION_CHOICE:
		return decode_choice(text, spec->choices, member, error);
	case OPTION_INTEGER:
		return decode_integer(spec, text, member, error);
	case OPTION_DURATION:
		return decode_duration(text, member, error);
	case OPTION_TIME:
		return time_parse(text, member, error);
	}
	return -EINVAL;
}

/* getopt's form of both tables: the long options, whose values are indices into `specs` + 256,
 * and the letters. */
struct forms {
	const struct option_spec *specs[OPTIONS_MAX];
	char *targets[OPTIONS_MAX];
	struct option longs[OPTIONS_MAX + 1];
	const char *names[OPTIONS_MAX];    /* for nearest() */
	char letters[3 * OPTIONS_MAX + 3]; /* "+:" (stop early, tell a missing value), then "n:h" */
	size_t letters_count;
	size_t count;
};

#define LONG_OPTION 256

static int has_value(const struct option_spec *spec)
{
	return spec->type == OPTION_FLAG    ? no_argument
	       : spec->type == OPTION_MAYBE ? optional_argument
					    : required_argument;
}

static void add_forms(struct forms *forms, const struct option_set *set)
{
	for (const struct option_spec *spec = set->specs; spec && spec->name; spec++) {
		size_t i = forms->count++;
		int value = has_value(spec);
		forms->specs[i] = spec;
		forms->targets[i] = set->target;
		forms->names[i] = spec->name;
		forms->longs[i] = (struct option){
			.name = spec->name, .has_arg = value, .val = LONG_OPTION + (int)i
		};
		if (spec->letter)
			forms->letters[forms->letters_count++] = spec->letter;
		for (int colon = no_argument; spec->letter && colon < value; colon++)
			forms->letters[forms->letters_count++] = ':';
	}
}

/* What getopt did not like, in our words. `word` is the argument it stood in. */
static int refuse(const struct forms *forms, int code, const char *word, struct error *error)
{
	if (code == ':')
		return error_set(error, -EINVAL, "tùy chọn “%.80s” cần có giá trị", word);
	if (optopt >= LONG_OPTION)
		return error_set(error, -EINVAL, "tùy chọn “--%s” không nhận giá trị",
			forms->specs[optopt - LONG_OPTION]->name);
	if (optopt != 0)
		return error_set(error, -EINVAL,
			"không có tùy chọn “-%c” (nội dung bắt đầu bằng dấu - thì viết sau --)",
			optopt);
	_cleanup_(freep) char *name = xstrndup(word + 2, strcspn(word + 2, "="));
	const char *near = nearest(name, forms->names, forms->count);
	if (near)
		return error_set(
			error, -EINVAL, "không có tùy chọn “%.80s” (có phải “--%s”?)", word, near);
	return error_set(error, -EINVAL, "không có tùy chọn “%.80s”", word);
}

static const struct option_spec *spec_of(const struct forms *forms, int code, char **ret_target)
{
	for (size_t i = 0; i < forms->count; i++) {
		if (code == LONG_OPTION + (int)i || code == forms->specs[i]->letter) {
			*ret_target = forms->targets[i];
			return forms->specs[i];
		}
	}
	return NULL;
}

int options_parse(const struct option_set sets[2], int argc, char **argv, bool stop_early,
	int *ret_rest, struct error *error)
{
	struct forms forms = { .letters_count = 0 };
	char *target = NULL;

	if (stop_early)
		forms.letters[forms.letters_count++] = '+';
	forms.letters[forms.letters_count++] = ':';
	add_forms(&forms, &sets[0]);
	add_forms(&forms, &sets[1]);
	optind = 0; /* GNU: start anew */
	opterr = 0;
	for (;;) {
		int at = optind > 0 ? optind : 1;
		int code = getopt_long(argc, argv, forms.letters, forms.longs, NULL);
		if (code < 0)
			break;
		if (code == '?' || code == ':')
			return refuse(&forms, code, argv[optind > at ? optind - 1 : at], error);
		const struct option_spec *spec = spec_of(&forms, code, &target);
		int result = decode(spec, optarg, target, error);
		if (result < 0) {
			error_prefix(error, "--%s", spec->name);
			return result;
		}
	}
	*ret_rest = optind;
	return 0;
}

void options_describe(const struct option_spec *specs, struct strbuf *out)
{
	for (; specs && specs->name; specs++) {
		_cleanup_(freep) char *left =
			specs->letter
				? xasprintf("-%c, --%s%s%s", specs->letter, specs->name,
					  specs->value ? " " : "", specs->value ? specs->value : "")
				: xasprintf("--%s%s%s", specs->name, specs->value ? " " : "",
					  specs->value ? specs->value : "");
		int width = (int)utf8_count(left, strlen(left));
		strbuf_printf(
			out, "  %s%*s  %s\n", left, width < 22 ? 22 - width : 0, "", specs->help);
	}
}
