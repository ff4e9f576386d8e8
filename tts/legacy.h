/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text that was typed for the fonts of the nineties: TCVN3 (.VnTime: "Th«ng b¸o") and VNI ("Thoâng
 * baùo"), pasted as the Latin letters it looks like, or as its bytes. It comes before tts/clean.h,
 * which would take a soft hyphen (ư in TCVN3) out.
 *
 * No mark says which encoding a text is in; the syllables do. Each line is read as it is, as TCVN3
 * and as VNI, and only where one of these makes words of most of what is none otherwise is it
 * taken. Pure; any thread; time linear.
 */
#pragma once

#include "base/cleanup.h"
#include "tts/clean.h"

enum legacy_encoding { LEGACY_NONE, LEGACY_TCVN3, LEGACY_VNI };

struct legacy {
	char *text; /* NUL-terminated UTF-8 */
	size_t length;
	struct clean_span *source; /* one for each byte of `text`: the bytes it was written as */
};

/* The text decoded; NULL: nothing in it needs to be. */
struct legacy *legacy_new(const char *text, size_t length) _must_check_;
struct legacy *legacy_free(struct legacy *legacy);
DEFINE_CLEANUP(struct legacy *, legacy_free)

/* Where text[from..to) was written; an empty span leads to an empty one. */
struct clean_span legacy_source(const struct legacy *legacy, struct clean_span span);
