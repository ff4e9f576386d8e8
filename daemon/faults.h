/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is wrong now: a small list that the status shows, so that the office knows before the
 * village does. A fault has a word ("output-lost", "engine", "store", "chime", "clock",
 * "configuration") and a subject (which output, which engine). Pure; main's.
 */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULTS_MAX 64

struct fault {
	char what[32];
	char subject[80];
	int64_t since_us; /* real */
	struct error detail;
};

struct faults {
	struct fault list[FAULTS_MAX];
	size_t count;
};

/* True if that is news (a change of state: log it, publish the status). */
bool faults_set(struct faults *faults, const char *what, const char *subject, int64_t now_us,
	const char *detail);
bool faults_clear(struct faults *faults, const char *what, const char *subject);
