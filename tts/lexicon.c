/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tts/lexicon.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "tts/syllable.h"
#include "tts/unicode.h"

#include <errno.h>
#include <string.h>

struct lexicon {
	struct lexicon_entry *entries;
	size_t count, capacity;
	char *text; /* the file, cut into the entries' strings */
};

struct lexicon *lexicon_free(struct lexicon *lexicon)
{
	if (!lexicon)
		return NULL;
	free(lexicon->entries);
	free(lexicon->text);
	free(lexicon);
	return NULL;
}

size_t lexicon_count(const struct lexicon *lexicon)
{
	return lexicon->count;
}

const struct lexicon_entry *lexicon_entries(const struct lexicon *lexicon)
{
	return lexicon->entries;
}

/* --- One line ----------------------------------------------------------------------------------- */

struct place { /* for the errors */
	const char *file;
	unsigned line;
	struct error *error;
};

static int complain(const struct place *place, const char *what, const char *about)
{
	return error_set(place->error, -EINVAL, "%s, dòng %u: %s%s%s%s", place->file, place->line,
		what, about ? " “" : "", about ? about : "", about ? "”" : "");
}

static char *trim(char *field)
{
	field += strspn(field, " ");
	size_t length = strlen(field);
	while (length > 0 && field[length - 1] == ' ')
		field[--length] = '\0';
	return field;
}

/* The next field of *rest, without blanks around it; NULL if there is none or it is empty. */
static char *next_field(char **rest, const char *separators)
{
	char *field = strsep(rest, separators);

	if (!field)
		return NULL;
	field = trim(field);
	return *field ? field : NULL;
}

static int check_spoken(const struct place *place, const char *spoken)
{
	if (strlen(spoken) > LEXICON_SPOKEN_MAX)
		return complain(place, "cách đọc dài quá", NULL);
	for (size_t length; *spoken; spoken += length + (spoken[length] == ' ')) {
		length = strcspn(spoken, " ");
		if (length == 0 || (length == 1 && *spoken == ',') ||
			syllable_valid(spoken, length))
			continue;
		char word[SYLLABLE_BYTES_MAX * 2 + 1] = "";
		memcpy(word, spoken, utf8_cut(spoken, length, sizeof word - 1));
		return complain(place, "cách đọc có chỗ không phải âm tiết tiếng Việt:", word);
	}
	return 0;
}

static int parse_line(struct lexicon *lexicon, char *line, const struct place *place)
{
	line[strcspn(line, "\r")] = '\0';
	if (line[0] == '\0' || strncmp(line, "# ", 2) == 0 || strcmp(line, "#") == 0)
		return 0;
	char *rest = line;
	struct lexicon_entry entry = { .written = next_field(&rest, "\t"),
		.spoken = next_field(&rest, "\t") };
	entry.left = next_field(&rest, "\t|");
	entry.right = next_field(&rest, "\t|");
	if (!entry.written || !entry.spoken)
		return complain(place, "thiếu cột: cần CHỮ VIẾT, dấu tab, cách đọc", NULL);
	if (rest && *trim(rest))
		return complain(place, "thừa cột", NULL);
	if (strlen(entry.written) > LEXICON_WRITTEN_MAX)
		return complain(place, "chữ viết dài quá", NULL);
	int result = check_spoken(place, entry.spoken);
	if (result < 0)
		return result;
	if (lexicon->count == lexicon->capacity) {
		lexicon->capacity = lexicon->capacity ? lexicon->capacity * 2 : 64;
		lexicon->entries = xreallocarray(
			lexicon->entries, lexicon->capacity, sizeof *lexicon->entries);
	}
	lexicon->entries[lexicon->count++] = entry;
	return 0;
}

/* --- The file ----------------------------------------------------------------------------------- */

static int compare_field(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_entries(const void *one, const void *other)
{
	const struct lexicon_entry *a = one, *b = other;
	int order = strcmp(a->written, b->written);

	if (order == 0)
		order = compare_field(a->left, b->left);
	return order != 0 ? order : compare_field(a->right, b->right);
}

static int sort_entries(struct lexicon *lexicon, const char *file, struct error *error)
{
	if (lexicon->count > 0)
		qsort(lexicon->entries, lexicon->count, sizeof *lexicon->entries, compare_entries);
	for (size_t i = 1; i < lexicon->count; i++)
		if (compare_entries(&lexicon->entries[i - 1], &lexicon->entries[i]) == 0)
			return error_set(error, -EINVAL,
				"%s: “%s” có hai lần với cùng từ đứng cạnh", file,
				lexicon->entries[i].written);
	return 0;
}

int lexicon_parse(const char *text, size_t length, const char *file, struct lexicon **ret_lexicon,
	struct error *error)
{
	struct place place = { .file = file, .error = error };

	if (length > LEXICON_BYTES_MAX)
		return error_set(error, -EINVAL, "%s: dài hơn %d byte", file, LEXICON_BYTES_MAX);
	size_t bad = utf8_valid_prefix(text, length);
	if (bad < length || memchr(text, '\0', length))
		return error_set(error, -EINVAL, "%s: không phải văn bản UTF-8 (byte thứ %zu)",
			file, bad + 1);
	_cleanup_(lexicon_freep) struct lexicon *lexicon = xcalloc(1, sizeof *lexicon);
	struct strbuf composed = { 0 };
	unicode_compose(text, length, &composed);
	lexicon->text = strbuf_take(&composed);
	char *rest = lexicon->text;
	if (strncmp(rest, "\xef\xbb\xbf", 3) == 0)
		rest += 3;
	for (char *line; (line = strsep(&rest, "\n"));) {
		place.line++;
		int result = parse_line(lexicon, line, &place);
		if (result < 0)
			return result;
	}
	int result = sort_entries(lexicon, file, error);
	if (result < 0)
		return result;
	*ret_lexicon = hand_over(lexicon);
	return 0;
}

int lexicon_load(const char *path, struct lexicon **ret_lexicon, struct error *error)
{
	_cleanup_(fclosep) FILE *file = fopen(path, "re");

	if (!file)
		return error_set(error, -errno, "không mở được từ điển đọc %s: %m", path);
	_cleanup_(freep) char *text = xcalloc(1, LEXICON_BYTES_MAX + 1);
	size_t length = fread(text, 1, LEXICON_BYTES_MAX + 1, file);
	if (ferror(file))
		return error_set(error, -EIO, "không đọc được từ điển đọc %s", path);
	return lexicon_parse(text, length, path, ret_lexicon, error);
}
