/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is wrong with a file, as it is found; sorted by line at the end. Internal to conf/.
 */
#pragma once

#include "base/error.h"
#include "conf/config.h"

#define FINDINGS_MAX 100 /* enough to repair a file by; the rest is counted */

struct finding {
	int line; /* 0: the file as a whole */
	size_t order;
	struct error error;
};

struct findings {
	const char *path; /* of the file; borrowed */
	struct finding *list;
	size_t count;
	size_t beyond; /* found after FINDINGS_MAX */
	/* The line on which a key stands ("outputs[1].channels"), or its nearest parent's. */
	int (*line_of)(void *context, const char *key);
	/* Whether the file has the key, rightly written or not. */
	bool (*present)(void *context, const char *key);
	void *context;
};

void findings_done(struct findings *findings);

/* `text` about `key` (NULL: about the line itself). */
void findings_add_at(struct findings *findings, int line, const char *key, const char *text);
/* The same, on the line of `key`. */
void findings_add(struct findings *findings, const char *key, const char *format, ...)
	_printf_(3, 4);

/* The problems in the order of the file, each with "FILE:LINE: " before it. */
void findings_take(struct findings *findings, struct config_problems *ret_problems);
