/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/faults.h"

#include <string.h>

static struct fault *find(struct faults *faults, const char *what, const char *subject)
{
	for (size_t i = 0; i < faults->count; i++)
		if (strcmp(faults->list[i].what, what) == 0 &&
			strcmp(faults->list[i].subject, subject) == 0)
			return &faults->list[i];
	return NULL;
}

bool faults_set(struct faults *faults, const char *what, const char *subject, int64_t now_us,
	const char *detail)
{
	struct fault *fault = find(faults, what, subject);

	if (fault || faults->count == FAULTS_MAX) {
		if (fault)
			(void)error_set(&fault->detail, 0, "%s", detail);
		return false;
	}
	fault = &faults->list[faults->count++];
	*fault = (struct fault){ .since_us = now_us };
	snprintf(fault->what, sizeof fault->what, "%s", what);
	snprintf(fault->subject, sizeof fault->subject, "%s", subject);
	(void)error_set(&fault->detail, 0, "%s", detail);
	return true;
}

bool faults_clear(struct faults *faults, const char *what, const char *subject)
{
	struct fault *fault = find(faults, what, subject);

	if (!fault)
		return false;
	size_t after = faults->count - (size_t)(fault - faults->list) - 1;
	memmove(fault, fault + 1, after * sizeof *fault);
	faults->count--;
	return true;
}
