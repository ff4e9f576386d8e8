/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of sites, zones, nodes, outputs, chimes and ids (docs/PROTOCOL.md): [A-Za-z0-9._-]{1,64},
 * not starting with a dot. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define NAME_MAX_BYTES 64

bool name_valid(const char *text, size_t length);
