/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * "Did you mean …?": the candidate nearest to a misspelt word, by Damerau–Levenshtein distance
 * (optimal string alignment). Pure. For unknown keys in configuration, JSON and commands.
 */
#pragma once

#include <stddef.h>

/* The candidate with the smallest distance, or NULL if none is within a third of the word's
 * length (at least 1, at most 3). Words above 64 bytes have no neighbour. */
const char *nearest(const char *word, const char *const candidates[], size_t count);
