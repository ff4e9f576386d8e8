/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is doubtful in a text, for a person: to standard error. */
#pragma once

#include "cli/command.h"
#include "tts/reading.h"

/* `line`: the number of the line that was read, or 0. */
void warnings_print(const struct session *session, const struct reading *reading, size_t line);
