/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The only user of libconfig: its tree of settings is walked along the tables of conf/schema.c. */
#include "conf/config.h"

#include "base/strbuf.h"
#include "conf/check.h"
#include "conf/findings.h"
#include "conf/schema.h"
#include "conf/source.h"
#include "conf/twice.h"
#include "conf/value.h"
#include <errno.h>
#include <libconfig.h>
#include <string.h>

struct loader {
	config_t *file;
	struct findings findings;
	struct strbuf path; /* of the key that is being read: "outputs[1].zones" */
	bool need_outputs;
};

static struct value value_of(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64: {
		int64_t integer = config_setting_get_int64(setting);
		return (struct value){
			.kind = VALUE_INTEGER, .integer = integer, .real = (double)integer
		};
	}
	case CONFIG_TYPE_FLOAT:
		return (struct value){ .kind = VALUE_REAL,
			.real = config_setting_get_float(setting) };
	case CONFIG_TYPE_BOOL:
		return (struct value){ .kind = VALUE_BOOL };
	case CONFIG_TYPE_STRING: {
		const char *string = config_setting_get_string(setting);
		return (struct value){ .kind = VALUE_STRING, .string = string ? string : "" };
	}
	case CONFIG_TYPE_ARRAY:
	case CONFIG_TYPE_LIST:
		return (struct value){ .kind = VALUE_LIST };
	case CONFIG_TYPE_GROUP:
		return (struct value){ .kind = VALUE_GROUP };
	default:
		return (struct value){ .kind = VALUE_NONE };
	}
}

/* The line of a setting; of the file's first for what is not in it. */
static int setting_line(const config_setting_t *setting)
{
	int line = setting ? (int)config_setting_source_line(setting) : 0;

	return line > 0 ? line : 1;
}

static void refuse(struct loader *loader, const config_setting_t *setting, const char *text)
{
	findings_add_at(&loader->findings, setting_line(setting), loader->path.text, text);
}

/* Appends to the path; returns the length to which it is cut again. */
static size_t enter_key(struct loader *loader, const char *key)
{
	size_t before = loader->path.length;

	strbuf_printf(&loader->path, before > 0 ? ".%s" : "%s", key);
	return before;
}

static size_t enter_index(struct loader *loader, int index)
{
	size_t before = loader->path.length;

	strbuf_printf(&loader->path, "[%d]", index);
	return before;
}

static bool expect_list(
	struct loader *loader, const struct schema_key *key, const config_setting_t *setting)
{
	char text[ERROR_TEXT_MAX];
	struct value value = value_of(setting);

	if (value.kind != VALUE_LIST) {
		snprintf(text, sizeof(text), "phải là danh sách, không phải %s",
			value_kind_name(value.kind));
		refuse(loader, setting, text);
		return false;
	}
	/* Channels count from minimum to maximum; at least one is needed. */
	int count = config_setting_length(setting);
	double minimum = key->type == SCHEMA_CHANNELS ? 1 : key->minimum;
	double maximum = key->type == SCHEMA_CHANNELS ? key->maximum + 1 : key->maximum;
	if (count >= minimum && count <= maximum)
		return true;
	snprintf(text, sizeof(text), "phải có từ %g đến %g phần tử, không phải %d", minimum,
		maximum, count);
	refuse(loader, setting, text);
	return false;
}

static bool contains(char *const *strings, size_t count, const char *wanted)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(strings[i], wanted) == 0)
			return true;
	}
	return false;
}

static void read_strings(struct loader *loader, const struct schema_key *key,
	const config_setting_t *setting, char *target)
{
	struct error error;
	int length = config_setting_length(setting);
	char **strings = xcalloc((size_t)length + 1, sizeof(*strings));
	size_t count = 0;

	for (int i = 0; i < length; i++) {
		const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
		struct value value = value_of(element);
		size_t before = enter_index(loader, i);
		if (value_decode(key, &value, &strings[count], &error) < 0)
			refuse(loader, element, error.text);
		else if (key->type == SCHEMA_NAMES && contains(strings, count, strings[count]))
			refuse(loader, element, "ghi hai lần");
		/* One that is written twice is kept, so that release finds it. */
		count += strings[count] != NULL;
		strbuf_truncate(&loader->path, before);
	}
	*(char ***)(target + key->offset) = strings;
	if (key->count_offset > 0)
		*(size_t *)(target + key->count_offset) = count;
}

static void read_channels(struct loader *loader, const struct schema_key *key,
	const config_setting_t *setting, char *target)
{
	struct error error;

	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
		struct value value = value_of(element);
		size_t before = enter_index(loader, i);
		if (value_decode(key, &value, target + key->offset, &error) < 0)
			refuse(loader, element, error.text);
		strbuf_truncate(&loader->path, before);
	}
}

static void read_day(struct loader *loader, const struct schema_key *key,
	const config_setting_t *setting, char *target)
{
	struct error error;
	struct hours_list *day = (struct hours_list *)(target + key->offset);

	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
		struct value value = value_of(element);
		size_t before = enter_index(loader, i);
		if (value_decode(key, &value, &day->list[day->count], &error) < 0)
			refuse(loader, element, error.text);
		else
			day->count++;
		strbuf_truncate(&loader->path, before);
	}
}

static void read_group(struct loader *loader, const struct schema_key *keys,
	const config_setting_t *group, char *target);

static bool expect_group(struct loader *loader, const config_setting_t *setting)
{
	if (config_setting_is_group(setting))
		return true;
	refuse(loader, setting, "phải là nhóm, viết trong { … }");
	return false;
}

static void read_groups(struct loader *loader, const struct schema_key *key,
	const config_setting_t *setting, char *target)
{
	int length = config_setting_length(setting);
	char *elements = target + key->offset;

	if (key->type == SCHEMA_GROUPS) {
		elements = xcalloc((size_t)length, key->element_size);
		*(char **)(target + key->offset) = elements;
	}
	*(size_t *)(target + key->count_offset) = (size_t)length;
	for (int i = 0; i < length; i++) {
		const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
		size_t before = enter_index(loader, i);
		if (expect_group(loader, element))
			read_group(loader, key->keys, element,
				elements + (size_t)i * key->element_size);
		strbuf_truncate(&loader->path, before);
	}
}

static void read_setting(struct loader *loader, const struct schema_key *key,
	const config_setting_t *setting, char *target)
{
	struct error error;

	switch (key->type) {
	case SCHEMA_GROUP:
		if (expect_group(loader, setting))
			read_group(loader, key->keys, setting, target);
		return;
	case SCHEMA_GROUPS:
	case SCHEMA_ARRAY:
		if (expect_list(loader, key, setting))
			read_groups(loader, key, setting, target);
		return;
	case SCHEMA_STRINGS:
	case SCHEMA_NAMES:
		if (expect_list(loader, key, setting))
			read_strings(loader, key, setting, target);
		return;
	case SCHEMA_DAY:
		if (expect_list(loader, key, setting))
			read_day(loader, key, setting, target);
		return;
	case SCHEMA_CHANNELS:
		if (expect_list(loader, key, setting))
			read_channels(loader, key, setting, target);
		return;
	default: {
		struct value value = value_of(setting);
		if (value_decode(key, &value, target + key->offset, &error) < 0)
			refuse(loader, setting, error.text);
	}
	}
}

/* The default, written as in a file, is read as if it were in one. */
static void read_fallback(struct loader *loader, const struct schema_key *key, char *target)
{
	config_t file;
	_cleanup_(freep) char *text = xasprintf("%s = %s;", key->key, key->fallback);

	config_init(&file);
	if (config_read_string(&file, text))
		read_setting(loader, key, config_lookup(&file, key->key), target);
	else
		refuse(loader, NULL, config_error_text(&file));
	config_destroy(&file);
}

static bool is_needed(const struct loader *loader, const struct schema_key *key)
{
	bool of_node = schema_find(schema_root, key->key) == key && strcmp(key->key, "site") != 0;

	return key->required && (loader->need_outputs || !of_node);
}

static void read_absent(struct loader *loader, const struct schema_key *key,
	const config_setting_t *group, char *target)
{
	if (key->fallback)
		read_fallback(loader, key, target);
	else if (key->type == SCHEMA_GROUP)
		read_group(loader, key->keys, NULL, target);
	else if (is_needed(loader, key))
		refuse(loader, group, "thiếu khóa bắt buộc này");
}

static void refuse_unknown(
	struct loader *loader, const struct schema_key *keys, const config_setting_t *group)
{
	char text[ERROR_TEXT_MAX];

	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const char *name = config_setting_name(setting);
		if (schema_find(keys, name))
			continue;
		const char *near = schema_nearest(keys, name);
		if (near)
			snprintf(text, sizeof(text), "không có khóa này (có phải `%s`?)", near);
		else
			snprintf(text, sizeof(text), "không có khóa này");
		size_t before = enter_key(loader, name);
		refuse(loader, setting, text);
		strbuf_truncate(&loader->path, before);
	}
}

/* Reads what `keys` say from `group` (NULL: everything absent). Recursion is along our own
 * tables, three deep. */
static void read_group(struct loader *loader, const struct schema_key *keys,
	const config_setting_t *group, char *target)
{
	for (const struct schema_key *key = keys; key->key; key++) {
		const config_setting_t *setting = group ? config_setting_get_member(group, key->key)
							: NULL;
		size_t before = enter_key(loader, key->key);
		if (setting)
			read_setting(loader, key, setting, target);
		else
			read_absent(loader, key, group, target);
		strbuf_truncate(&loader->path, before);
	}
	if (group)
		refuse_unknown(loader, keys, group);
}

/* "outputs[1].channels" → the setting, which libconfig calls "outputs.[1].channels". */
static config_setting_t *find_setting(const config_t *file, const char *key, size_t length)
{
	_cleanup_(strbuf_done) struct strbuf path = { 0 };

	for (size_t i = 0; i < length; i++) {
		if (key[i] == '[')
			strbuf_putc(&path, '.');
		strbuf_putc(&path, key[i]);
	}
	return path.text ? config_lookup(file, path.text) : NULL;
}

static int line_of(void *context, const char *key)
{
	const struct loader *loader = context;
	size_t length = strlen(key);

	while (length > 0) {
		config_setting_t *setting = find_setting(loader->file, key, length);
		if (setting)
			return setting_line(setting);
		/* Cut the last part off: its parent. */
		do
			length--;
		while (length > 0 && key[length] != '.' && key[length] != '[');
	}
	return 1;
}

static bool present(void *context, const char *key)
{
	const struct loader *loader = context;

	return find_setting(loader->file, key, strlen(key)) != NULL;
}

static bool is_about_twice(const char *text)
{
	return text && strstr(text, "duplicate");
}

/* libconfig's own words, for those that matter. */
static const char *syntax_error(const char *text)
{
	if (is_about_twice(text))
		return "khóa ghi hai lần";
	if (text && strstr(text, "mismatched"))
		return "các phần tử của danh sách [ … ] phải cùng kiểu";
	return "sai cú pháp (thiếu dấu `;`, dấu ngoặc hoặc dấu `\"` ở đây hay ở dòng trên?)";
}

/* Whether there is a key that the text writes twice, each with its finding. */
static bool refuse_twice(struct loader *loader, const char *text, size_t length)
{
	_cleanup_(freep) struct twice *list = NULL;
	size_t count = twice_find(text, length, &list);

	for (size_t i = 0; i < count; i++) {
		char said[80];
		_cleanup_(freep) char *name = xstrndup(list[i].name, list[i].length);
		snprintf(said, sizeof(said), "khóa ghi hai lần (lần đầu ở dòng %d)",
			list[i].first_line);
		findings_add_at(&loader->findings, list[i].line, name, said);
	}
	return count > 0;
}

/* The part of the text that has been read well; false with a finding. */
static bool parse(struct loader *loader, const char *text, size_t length)
{
	struct error error;
	int line = 1;
	const char *body = source_skip_bom(text, length);

	length -= (size_t)(body - text);
	if (source_check(body, length, &line, &error) < 0) {
		findings_add_at(&loader->findings, line, NULL, error.text);
		return false;
	}
	bool twice = refuse_twice(loader, body, length);
	/* libconfig does not know a comment that the end of the file ends. */
	_cleanup_(freep) char *lines = xasprintf("%s\n", body);
	if (!config_read_string(loader->file, lines)) {
		const char *why = config_error_text(loader->file);
		if (!twice || !is_about_twice(why))
			findings_add_at(&loader->findings, config_error_line(loader->file), NULL,
				syntax_error(why));
		return false;
	}
	return !twice;
}

struct config *config_parse(const char *name, const char *text, size_t length, bool need_outputs,
	struct config_problems *ret_problems)
{
	config_t file;
	config_init(&file);
	struct loader loader = { .file = &file, .need_outputs = need_outputs };
	loader.findings = (struct findings){
		.path = name, .line_of = line_of, .present = present, .context = &loader
	};
	_cleanup_(config_freep) struct config *config = xcalloc(1, sizeof(*config));

	if (parse(&loader, text, length)) {
		read_group(&loader, schema_root, config_root_setting(&file), (char *)config);
		check_config(config, &loader.findings);
	}
	if (!config->chimes.dir)
		config->chimes.dir = config_shipped_path("chimes");
	config_destroy(&file);
	strbuf_done(&loader.path);
	if (loader.findings.count == 0)
		return hand_over(config);
	findings_take(&loader.findings, ret_problems);
	return NULL;
}

/* A lexicon that is named must be good; the default one, if it is there. */
static int load_lexicon(struct config *config, struct error *error)
{
	const char *path = config->speech.lexicon_path;

	if (path && *path == '\0')
		return 0;
	int result = lexicon_load(
		path ? path : LEXICON_FILE_DEFAULT, &config->speech.lexicon, error);
	return !path && result == -ENOENT ? 0 : result;
}

static struct config *with_lexicon(
	struct config *config, const char *path, struct config_problems *ret_problems)
{
	struct error error = { "" };

	if (load_lexicon(config, &error) == 0)
		return config;
	error_prefix(&error, "%s: speech.lexicon", path);
	ret_problems->list = xcalloc(1, sizeof(error));
	ret_problems->list[0] = error;
	ret_problems->count = 1;
	return config_free(config);
}

struct config *config_load(
	const char *path, bool need_outputs, struct config_problems *ret_problems)
{
	struct error error;
	size_t length = 0;
	int why = 0;
	_cleanup_(freep) char *text = source_read(path, &length, &why, &error);

	if (text) {
		struct config *config = config_parse(
			path, text, length, need_outputs, ret_problems);
		if (config)
			config = with_lexicon(config, path, ret_problems);
		if (!config)
			errno = 0;
		return config;
	}
	ret_problems->list = xcalloc(1, sizeof(error));
	ret_problems->list[0] = error;
	ret_problems->count = 1;
	errno = why;
	return NULL;
}

struct config *config_new_default(void)
{
	static const char minimal[] = "site = \"loalang\";";
	struct config_problems problems = { 0 };
	struct config *config = config_parse("", minimal, strlen(minimal), false, &problems);

	if (!config) /* a default of ours that is refused (or no tz database) */
		abort();
	free(config->site);
	config->site = NULL;
	return config;
}

struct config *config_free(struct config *config)
{
	if (config) {
		lexicon_free(config->speech.lexicon);
		schema_release(schema_root, config);
	}
	free(config);
	return NULL;
}

static const char *voice_of(const struct config *config, const char *engine)
{
	for (size_t i = 0; engine && *engine && i < config->speech.engines_count; i++)
		if (strcmp(config->speech.engines[i].name, engine) == 0)
			return config->speech.engines[i].voice;
	return config->speech.engines_count > 0 ? config->speech.engines[0].voice : NULL;
}

struct reading_config config_reading(
	const struct config *config, const char *engine, const char *voice, int rate)
{
	return (struct reading_config){
		.rate = rate >= 0 ? rate : config->speech.rate,
		.sentence_pause_us = config->speech.sentence_pause_us,
		.wording = reading_wording(voice && *voice ? voice : voice_of(config, engine)),
		.lexicon = config->speech.lexicon,
	};
}

void config_problems_done(struct config_problems *problems)
{
	free(problems->list);
	problems->list = NULL;
	problems->count = 0;
}
