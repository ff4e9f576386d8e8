/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/announcement.h"

#include <errno.h>
#include <string.h>

const char *const priority_names[PRIORITIES_COUNT + 1] = {
	[PRIORITY_BACKGROUND] = "background",
	[PRIORITY_NORMAL] = "normal",
	[PRIORITY_PRIORITY] = "priority",
	[PRIORITY_EMERGENCY] = "emergency",
};

const char *priority_name(enum priority priority)
{
	return priority_names[priority];
}

int priority_parse(const char *text, enum priority *ret_priority)
{
	for (unsigned i = 0; i < PRIORITIES_COUNT; i++)
		if (strcmp(text, priority_names[i]) == 0) {
			*ret_priority = i;
			return 0;
		}
	return -EINVAL;
}
