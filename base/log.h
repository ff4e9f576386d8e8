/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log: to the journal when standard error is connected to it (JOURNAL_STREAM), else to
 * standard error, one line each. Only daemon/ and the commands' main files log; libraries
 * return causes. A line names what, where, and what happens next ("…, retrying in 5 s").
 * Any thread; never a device thread while sound runs.
 */
#pragma once

#include "base/cleanup.h"
#include <stdbool.h>
#include <syslog.h>

/* Sets the threshold by name: "error", "warning", "notice", "info", "debug"; -EINVAL. */
int log_set_level(const char *name) _must_check_;
extern const char *const log_level_names[5];

/* `announcement` and `output` become the journal fields ANNOUNCEMENT= and OUTPUT=; NULL: none.
 * On standard error they are written before the text. */
void log_about(int priority, const char *announcement, const char *output, const char *format, ...)
	_printf_(4, 5);

#define log_error(...)   log_about(LOG_ERR, NULL, NULL, __VA_ARGS__)
#define log_warning(...) log_about(LOG_WARNING, NULL, NULL, __VA_ARGS__)
#define log_notice(...)  log_about(LOG_NOTICE, NULL, NULL, __VA_ARGS__)
#define log_info(...)    log_about(LOG_INFO, NULL, NULL, __VA_ARGS__)
#define log_debug(...)   log_about(LOG_DEBUG, NULL, NULL, __VA_ARGS__)
