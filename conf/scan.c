/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/scan.h"

#include <errno.h>
#include <string.h>

#define DIGITS           "0123456789"
#define LETTERS          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define NUMBER_BYTES_MAX 9

void scan_init(struct scan *scan)
{
	*scan = (struct scan){ .place = SCAN_FILE, .line = 1 };
}

/* libconfig cuts an integer to 32 bits and says nothing: 4294968179 would become port 883. No key
 * of ours needs ten digits. (Digits after a point are passed over with the point.) */
static int scan_word(struct scan *scan, const char *at, struct error *error)
{
	if (at[0] == '.') {
		scan->used = 1 + strspn(at + 1, DIGITS);
	} else if (!strchr(DIGITS, at[0])) {
		scan->used = strspn(at, LETTERS DIGITS "-_*");
		scan->word = true;
	} else {
		scan->used = strspn(at, LETTERS DIGITS);
		if (scan->used > NUMBER_BYTES_MAX)
			return error_set(error, -EINVAL, "số dài quá %d chữ số", NUMBER_BYTES_MAX);
	}
	return 0;
}

static int scan_file(struct scan *scan, const char *at, struct error *error)
{
	if (strchr(LETTERS DIGITS ".*", at[0]))
		return scan_word(scan, at, error);
	if (at[0] == '#' || (at[0] == '/' && at[1] == '/')) {
		scan->place = SCAN_LINE_COMMENT;
	} else if (at[0] == '/' && at[1] == '*') {
		scan->place = SCAN_BLOCK_COMMENT;
		scan->used = 2;
	} else if (at[0] == '"') {
		scan->place = SCAN_STRING;
	} else if (strchr("{[(", at[0])) {
		if (++scan->depth > SCAN_DEPTH_MAX)
			return error_set(
				error, -EINVAL, "ngoặc lồng nhau quá %d lớp", SCAN_DEPTH_MAX);
	} else if (strchr("}])", at[0])) {
		scan->depth--;
	} else if (at[0] == '@') {
		return error_set(error, -EINVAL,
			"không dùng được `@include`: mọi cấu hình nằm trong một tệp");
	}
	return 0;
}

static int scan_place(struct scan *scan, const char *at, struct error *error)
{
	switch (scan->place) {
	case SCAN_FILE:
		return scan_file(scan, at, error);
	case SCAN_STRING:
		if (at[0] == '\\' && at[1] && at[1] != '\n')
			scan->used = 2;
		else if (at[0] == '"')
			scan->place = SCAN_FILE;
		return 0;
	case SCAN_LINE_COMMENT:
		if (at[0] == '\n')
			scan->place = SCAN_FILE;
		return 0;
	case SCAN_BLOCK_COMMENT:
		if (at[0] == '*' && at[1] == '/') {
			scan->place = SCAN_FILE;
			scan->used = 2;
		}
		return 0;
	}
	return 0;
}

int scan_step(struct scan *scan, const char *at, struct error *error)
{
	scan->used = 1;
	scan->word = false;
	int result = scan_place(scan, at, error);
	/* Only a step of one byte can be a new line. */
	if (result == 0)
		scan->line += at[0] == '\n';
	return result;
}
