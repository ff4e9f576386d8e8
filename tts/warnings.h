/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an operator should look at before a text goes on air: what could not be read, and what the
 * text says that cannot be so. Nothing is corrected here; a guess would be said as if it were
 * written. Pure; any thread; time linear but for the sorting.
 */
#pragma once

#include "tts/normalise.h"

enum warning_kind {
	WARNING_UNKNOWN_WORD,         /* no Vietnamese syllable and in no table */
	WARNING_UNKNOWN_ABBREVIATION, /* spelled letter by letter */
	WARNING_DOUBLED_WORD,         /* "đã đã" */
	WARNING_AMOUNT_MISMATCH,      /* 1.500.000 đồng (một triệu đồng) */
	WARNING_NO_SUCH_DATE,         /* 31/4 */
	WARNING_WRONG_WEEKDAY,        /* thứ Sáu ngày 21/11/2026, a Saturday */
	WARNING_DROPPED,              /* a sign that is not spoken: tts/clean.h */
};
const char *warning_kind_name(enum warning_kind kind);

struct warning {
	enum warning_kind kind;
	size_t from, to; /* bytes of the clean text */
	char *detail;    /* Vietnamese, without a full stop */
};

struct warnings {
	struct warning *list;
	size_t count, capacity;
};

/* Adds what is to be warned of in a clean text and its words; in order of place. */
void warnings_find(
	struct warnings *warnings, const char *clean, const struct normalised *normalised);
/* Takes `detail`. */
void warnings_add(
	struct warnings *warnings, enum warning_kind kind, size_t from, size_t to, char *detail);
void warnings_done(struct warnings *warnings);

/* The parts of warnings_find(). */
void warnings_find_dates(struct warnings *warnings, const struct normalised *normalised);
void warnings_find_doubled(
	struct warnings *warnings, const char *clean, const struct normalised *normalised);
