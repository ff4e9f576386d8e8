/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking into announcements. */
#pragma once

#include "scheduler/announcement.h"

/* NULL: none. */
static inline const char *first_text(const struct announcement *announcement)
{
	return announcement_next_text(announcement, &(size_t){ 0 });
}

static inline const char *first_media(const struct announcement *announcement)
{
	return announcement_next_media(announcement, &(size_t){ 0 });
}
