/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/strbuf.h"
#include "conf/config.h"
#include <limits.h>
#include <string.h>

/* An executable inside the build tree uses what lies in the source tree, so that it runs without
 * being installed; an installed one never looks there. */
static bool inside_build_tree(const char *executable)
{
	size_t length = strlen(LOALANG_BUILD_DIR);

	return strncmp(executable, LOALANG_BUILD_DIR, length) == 0 && executable[length] == '/';
}

static bool own_executable(char path[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);

	if (length <= 0)
		return false;
	path[length] = '\0';
	return true;
}

char *config_shipped_path(const char *relative)
{
	char executable[PATH_MAX];

	if (own_executable(executable) && inside_build_tree(executable)) {
		_cleanup_(freep) char *path = xasprintf("%s/conf/%s", LOALANG_SOURCE_DIR, relative);
		if (access(path, R_OK) == 0)
			return hand_over(path);
	}
	_cleanup_(freep) char *path = xasprintf("%s/%s", LOALANG_DATA_DIR, relative);
	return access(path, R_OK) == 0 ? hand_over(path) : NULL;
}

const char *const *config_helper_dirs(void)
{
	static char own[PATH_MAX];
	static const char *dirs[3];

	if (dirs[0])
		return dirs;
	size_t count = 0;
	if (own_executable(own)) {
		bool building = inside_build_tree(own);
		*strrchr(own, '/') = '\0';
		dirs[count++] = own;
		if (building)
			dirs[count++] = LOALANG_BUILD_BIN_DIR;
	}
	if (count < 2)
		dirs[count++] = LOALANG_INSTALL_BIN_DIR;
	return dirs;
}

char *config_chime_path(const struct config *config, const char *name)
{
	static const char *const endings[] = { "wav", "flac", "ogg", "opus", "mp3" };

	if (!name || *name == '\0' || strcmp(name, "none") == 0 || !config->chimes.dir)
		return NULL;
	for (size_t i = 0; i < countof(endings); i++) {
		_cleanup_(freep) char *path = xasprintf(
			"%s/%s.%s", config->chimes.dir, name, endings[i]);
		if (access(path, R_OK) == 0)
			return hand_over(path);
	}
	return NULL;
}
