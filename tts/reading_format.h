/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A reading as JSON (docs/PROTOCOL.md, "Requests"): what `loalang read --json` prints and what the
 * request `read` is answered with. Pure.
 */
#pragma once

#include "base/strbuf.h"
#include "tts/reading.h"

/* Adds {"spoken", "seconds", "sentences", "words", "warnings"}. */
void reading_format(struct strbuf *out, const struct reading *reading);

/* Adds {"error": {"reason", "detail"}}, of a text that was refused. */
void reading_format_refusal(struct strbuf *out, enum reading_refusal refusal, const char *detail);
