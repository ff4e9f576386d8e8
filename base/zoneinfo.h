/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of time zones, as in the system's database ("Asia/Ho_Chi_Minh"). Reads files, keeps nothing;
 * any thread.
 */
#pragma once

#include <stdbool.h>

#define ZONEINFO_NAME_MAX 64 /* bytes */

/* Whether libc, told this name, would find a zone under it: parts of [A-Za-z0-9_+-] between slashes, a
 * file of the database; or "UTC", which libc knows without. Not one of "right/", whose clocks count
 * leap seconds: the seconds of this program do not. */
bool zoneinfo_has(const char *name);
