/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/zoneinfo.h"

#include "base/cleanup.h"
#include <string.h>

#define ZONEINFO_DIR "/usr/share/zoneinfo"

/* No dot is accepted, so the path cannot leave the directory. */
static bool has_form(const char *name)
{
	static const char accepted[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
	size_t length = strlen(name);

	return length > 0 && length <= ZONEINFO_NAME_MAX && strspn(name, accepted) == length &&
	       name[0] != '/' && !strstr(name, "//");
}

/* There are other files in that directory, of which libc would make UTC without a word. */
static bool is_zone_file(const char *path)
{
	static const char magic[] = { 'T', 'Z', 'i', 'f' };
	char start[sizeof magic];
	_cleanup_(fclosep) FILE *file = fopen(path, "re");

	return file && fread(start, sizeof start, 1, file) == 1 &&
	       memcmp(start, magic, sizeof magic) == 0;
}

bool zoneinfo_has(const char *name)
{
	static const char leap_seconds[] = "right/";
	char path[sizeof ZONEINFO_DIR + 1 + ZONEINFO_NAME_MAX];

	if (strcmp(name, "UTC") == 0)
		return true;
	if (!has_form(name) || strncmp(name, leap_seconds, strlen(leap_seconds)) == 0)
		return false;
	snprintf(path, sizeof path, ZONEINFO_DIR "/%s", name);
	return is_zone_file(path);
}
