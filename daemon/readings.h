/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The readings of an announcement: one for each of its parts that is a text. Pure; main's.
 */
#pragma once

#include "conf/config.h"
#include "scheduler/announcement.h"
#include "tts/reading.h"

struct readings {
	struct reading **of_part; /* by part; NULL: it is no text */
	size_t count;             /* of parts */
};

/* 0, or -EINVAL: *ret_refusal and *error (Vietnamese, with the key) say which text cannot be read,
 * and why; *ret_readings is empty then. */
int readings_init(struct readings *ret_readings, const struct config *config,
	const struct announcement *announcement, enum reading_refusal *ret_refusal,
	struct error *error) _must_check_;
void readings_done(struct readings *readings);

/* The words of all texts, joined by newlines; the caller frees. NULL: there is no text. */
char *readings_spoken(const struct readings *readings) _must_check_;
