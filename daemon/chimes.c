/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/chimes.h"
#include "audio/clip.h"
#include "base/name.h"
#include "base/strbuf.h"

#include <dirent.h>
#include <string.h>

static void add(struct chimes *chimes, const char *dir, const char *file)
{
	const char *ending = strrchr(file, '.');
	double seconds;

	if (!ending || !name_valid(file, (size_t)(ending - file)))
		return;
	_cleanup_(freep) char *path = xasprintf("%s/%s", dir, file);
	_cleanup_(freep) char *name = xstrndup(file, (size_t)(ending - file));
	if (chimes_find(chimes, name) || clip_check(path, &seconds, NULL) < 0)
		return;
	chimes->list = xreallocarray(chimes->list, chimes->count + 1, sizeof *chimes->list);
	chimes->list[chimes->count++] = (struct chime){
		.name = hand_over(name),
		.path = hand_over(path),
		.seconds = seconds,
	};
}

void chimes_load(struct chimes *chimes, const char *dir)
{
	struct dirent **files = NULL;

	*chimes = (struct chimes){ 0 };
	int count = dir ? scandir(dir, &files, NULL, alphasort) : 0;
	for (int i = 0; i < count; i++) {
		if (i < CHIMES_MAX)
			add(chimes, dir, files[i]->d_name);
		free(files[i]);
	}
	free(files);
}

void chimes_done(struct chimes *chimes)
{
	for (size_t i = 0; i < chimes->count; i++) {
		free(chimes->list[i].name);
		free(chimes->list[i].path);
	}
	free(chimes->list);
	*chimes = (struct chimes){ 0 };
}

const struct chime *chimes_find(const struct chimes *chimes, const char *name)
{
	for (size_t i = 0; i < chimes->count; i++)
		if (strcmp(chimes->list[i].name, name) == 0)
			return &chimes->list[i];
	return NULL;
}
