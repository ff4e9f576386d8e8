/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "audio/levels.h"
#include "base/strbuf.h"

#include <pthread.h>
#include <string.h>

struct level {
	char *key; /* NULL: none */
	double gain_db;
};

struct levels {
	pthread_mutex_t lock; /* guards all below */
	struct level list[LEVELS_MAX];
	size_t next; /* to be replaced */
};

struct levels *levels_new(void)
{
	struct levels *levels = xcalloc(1, sizeof *levels);

	pthread_mutex_init(&levels->lock, NULL);
	return levels;
}

struct levels *levels_free(struct levels *levels)
{
	if (!levels)
		return NULL;
	for (size_t i = 0; i < LEVELS_MAX; i++)
		free(levels->list[i].key);
	pthread_mutex_destroy(&levels->lock);
	free(levels);
	return NULL;
}

static struct level *find(struct levels *levels, const char *key)
{
	for (size_t i = 0; i < LEVELS_MAX && levels->list[i].key; i++)
		if (strcmp(levels->list[i].key, key) == 0)
			return &levels->list[i];
	return NULL;
}

bool levels_find(struct levels *levels, const char *key, double *ret_gain_db)
{
	pthread_mutex_lock(&levels->lock);
	const struct level *level = find(levels, key);
	if (level)
		*ret_gain_db = level->gain_db;
	pthread_mutex_unlock(&levels->lock);
	return level != NULL;
}

void levels_note(struct levels *levels, const char *key, double gain_db)
{
	pthread_mutex_lock(&levels->lock);
	struct level *level = find(levels, key);
	if (!level) {
		level = &levels->list[levels->next];
		levels->next = (levels->next + 1) % LEVELS_MAX;
		free(level->key);
		level->key = xstrdup(key);
	}
	level->gain_db = gain_db;
	pthread_mutex_unlock(&levels->lock);
}
