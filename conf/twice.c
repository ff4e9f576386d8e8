/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/twice.h"

#include "base/strbuf.h"
#include "conf/scan.h"
#include <string.h>

struct key {
	const char *name;
	size_t length;
	int line;
	int group; /* in which it is written: the number of its opening bracket */
	size_t order;
};

struct keys {
	struct key *list;
	size_t count, room;
	struct key word; /* read last; a key when "=" or ":" follows. length 0: none */
	int groups;      /* brackets opened so far */
	int open[SCAN_DEPTH_MAX + 1];
	int depth;
};

static void add_key(struct keys *keys)
{
	if (keys->count == keys->room) {
		keys->room = keys->room * 2 + 64;
		keys->list = xreallocarray(keys->list, keys->room, sizeof(*keys->list));
	}
	keys->word.group = keys->open[keys->depth];
	keys->word.order = keys->count;
	keys->list[keys->count++] = keys->word;
}

/* One byte between words, strings and comments. */
static void take_byte(struct keys *keys, char byte)
{
	if (strchr(" \t\r\n\f\v#/", byte))
		return; /* a comment may stand between a key and its "=" */
	if (strchr("=:", byte) && keys->word.length > 0)
		add_key(keys);
	keys->word.length = 0;
	if (strchr("{[(", byte) && keys->depth < SCAN_DEPTH_MAX)
		keys->open[++keys->depth] = ++keys->groups;
	else if (strchr("}])", byte) && keys->depth > 0)
		keys->depth--;
}

static void collect(struct keys *keys, const char *text, size_t length)
{
	struct scan scan;

	scan_init(&scan);
	for (size_t i = 0; i < length; i += scan.used) {
		bool between = scan.place == SCAN_FILE;
		int line = scan.line;
		if (scan_step(&scan, text + i, NULL) < 0)
			return;
		if (scan.word)
			keys->word = (struct key){ text + i, scan.used, line, 0, 0 };
		else if (between)
			take_byte(keys, text[i]);
	}
}

/* The same key of the same group: 0. */
static int compare(const struct key *one, const struct key *other)
{
	if (one->group != other->group)
		return one->group < other->group ? -1 : 1;
	if (one->length != other->length)
		return one->length < other->length ? -1 : 1;
	return memcmp(one->name, other->name, one->length);
}

static int by_name_and_order(const void *a, const void *b)
{
	const struct key *one = a, *other = b;
	int result = compare(one, other);

	return result != 0 ? result : one->order < other->order ? -1 : 1;
}

size_t twice_find(const char *text, size_t length, struct twice **ret_list)
{
	struct keys keys = { 0 };
	size_t count = 0, first = 0;

	collect(&keys, text, length);
	_cleanup_(freep) struct key *list = keys.list;
	struct twice *found = NULL;
	if (keys.count > 0) {
		qsort(list, keys.count, sizeof(*list), by_name_and_order);
		found = xcalloc(keys.count, sizeof(*found));
	}
	for (size_t i = 1; i < keys.count; i++) {
		if (compare(&list[first], &list[i]) != 0)
			first = i;
		else
			found[count++] = (struct twice){ list[i].name, list[i].length, list[i].line,
				list[first].line };
	}
	*ret_list = found;
	return count;
}
