/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/duration.h"
#include "conf/schema.h"
#include <inttypes.h>
#include <string.h>

static const char *const type_names[] = {
	[SCHEMA_STRING] = "chuỗi",
	[SCHEMA_NAME] = "tên",
	[SCHEMA_CHIME] = "tên nhạc hiệu, hoặc `\"none\"`",
	[SCHEMA_TIMEZONE] = "múi giờ IANA",
	[SCHEMA_CHOICE] = "một trong",
	[SCHEMA_EITHER] = "một trong",
	[SCHEMA_HOURS] = "khung giờ `\"HH:MM-HH:MM\"`",
	[SCHEMA_ADDRESS] = "`\"tcp://máy:cổng\"`",
	[SCHEMA_INTEGER] = "số nguyên",
	[SCHEMA_REAL] = "số",
	[SCHEMA_DURATION] = "khoảng thời gian",
	[SCHEMA_MS] = "số mili giây",
	[SCHEMA_STRINGS] = "danh sách chuỗi",
	[SCHEMA_NAMES] = "danh sách tên",
	[SCHEMA_DAY] = "danh sách khung giờ `[\"HH:MM-HH:MM\", …]`",
	[SCHEMA_CHANNELS] = "danh sách số",
	[SCHEMA_GROUP] = "nhóm `{ … }`",
	[SCHEMA_GROUPS] = "danh sách nhóm `( { … }, … )`",
	[SCHEMA_ARRAY] = "danh sách nhóm `( { … }, … )`",
};

static void add_range(struct strbuf *out, const struct schema_key *key)
{
	char from[DURATION_TEXT_SIZE], to[DURATION_TEXT_SIZE];

	switch (key->type) {
	case SCHEMA_INTEGER:
	case SCHEMA_REAL:
	case SCHEMA_MS:
	case SCHEMA_CHANNELS:
		strbuf_printf(out, " %g…%g", key->minimum, key->maximum);
		break;
	case SCHEMA_DURATION:
		duration_format((int64_t)(key->minimum * 1e6), from);
		duration_format((int64_t)(key->maximum * 1e6), to);
		strbuf_printf(out, " `%s`…`%s`", from, to);
		break;
	case SCHEMA_STRINGS:
	case SCHEMA_NAMES:
	case SCHEMA_DAY:
	case SCHEMA_GROUPS:
	case SCHEMA_ARRAY:
		strbuf_printf(out, ", %g…%g phần tử", key->minimum, key->maximum);
		break;
	case SCHEMA_CHOICE:
	case SCHEMA_EITHER:
		for (size_t i = 0; key->choices[i]; i++)
			strbuf_printf(out, " `\"%s\"`", key->choices[i]);
		break;
	default:
		break;
	}
}

static void add_row(struct strbuf *out, const char *prefix, const struct schema_key *key)
{
	strbuf_printf(out, "| `%s%s` | %s", prefix, key->key, type_names[key->type]);
	add_range(out, key);
	if (key->fallback)
		strbuf_printf(out, " | `%s`", key->fallback);
	else
		strbuf_puts(out, key->required ? " | **bắt buộc**" : " |");
	strbuf_printf(out, " | %s |\n", key->description);
}

/* Markdown's backquotes have no counterpart in scdoc, and its underlining begins with "_". */
static void add_plain(struct strbuf *out, const char *markdown)
{
	for (; *markdown; markdown++) {
		if (*markdown == '_' || *markdown == '*')
			strbuf_putc(out, '\\');
		if (*markdown != '`')
			strbuf_putc(out, *markdown);
	}
}

static void add_item(struct strbuf *out, const char *prefix, const struct schema_key *key)
{
	_cleanup_(strbuf_done) struct strbuf text = { 0 };

	strbuf_printf(&text, "%s. %s", key->description, type_names[key->type]);
	add_range(&text, key);
	if (key->fallback)
		strbuf_printf(&text, "; mặc định: %s", key->fallback);
	else if (key->required)
		strbuf_puts(&text, "; bắt buộc");
	strbuf_puts(out, "*");
	add_plain(out, prefix);
	add_plain(out, key->key);
	strbuf_puts(out, "*\n\t");
	add_plain(out, text.text);
	strbuf_puts(out, "\n\n");
}

typedef void (*add_key)(struct strbuf *out, const char *prefix, const struct schema_key *key);

/* Recursion over our own tables, three deep. */
static void add_keys(
	struct strbuf *out, const char *prefix, const struct schema_key *keys, add_key add)
{
	for (; keys->key; keys++) {
		add(out, prefix, keys);
		if (!keys->keys)
			continue;
		bool is_list = keys->type == SCHEMA_GROUPS || keys->type == SCHEMA_ARRAY;
		_cleanup_(freep) char *below = xasprintf(
			"%s%s%s.", prefix, keys->key, is_list ? "[]" : "");
		add_keys(out, below, keys->keys, add);
	}
}

void schema_document(struct strbuf *out)
{
	strbuf_puts(out, "| khóa | kiểu và giới hạn | mặc định | nghĩa |\n|---|---|---|---|\n");
	add_keys(out, "", schema_root, add_row);
}

void schema_document_man(struct strbuf *out)
{
	add_keys(out, "", schema_root, add_item);
}
