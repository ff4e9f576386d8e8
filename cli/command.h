/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the sub-commands have in common: their table, the global options, the session that a
 * command opens from them, and the exit statuses.
 */
#pragma once

#include "cli/options.h"
#include "conf/config.h"
#include <stdbool.h>

enum cli_status { /* docs/man/loalang.1 */
	CLI_DONE = 0,
	CLI_REFUSED = 1,    /* refused or failed */
	CLI_USAGE = 2,      /* wrong usage or a wrong configuration: nothing was tried */
	CLI_UNANSWERED = 3, /* sent, but not every known output answered in time */
	CLI_NO_BROKER = 4,
};

struct session;

struct command {
	const char *name;
	const char *arguments; /* for the usage text: "MÃ" */
	const char *summary;   /* Vietnamese, one line */
	const struct option_spec *options;
	bool offline;         /* needs no site and no broker */
	int minimum, maximum; /* arguments besides the options */
	enum cli_status (*run)(struct session *session, int argc, char **argv);
};

extern const struct command command_say, command_withdraw, command_stop, command_skip, command_mute,
	command_unmute, command_status, command_queue, command_history, command_read,
	command_render, command_media, command_plan, command_schedule;

struct session {
	const struct command *command;
	struct { /* the global options */
		const char *config, *site, *host;
		int port;
		bool json, help, version;
	} global;
	struct config *config; /* with the global options put in; never NULL after session_open() */
	int count;             /* arguments besides the options */
	char **arguments;
};

extern const struct option_spec global_options[];

/* Called first by each command: reads its options into `options`, then the configuration. True to
 * go on; false with *ret_status (help was asked for, or something is wrong and has been said). */
bool session_open(struct session *session, int argc, char **argv, void *options,
	enum cli_status *ret_status) _must_check_;

/* Whether it is known which site is meant; complains if not. session_open() has asked this already for
 * commands that are not `offline`. */
bool session_has_site(const struct session *session) _must_check_;

/* "loalang COMMAND: …" to standard error. */
void complain(const struct session *session, const char *format, ...) _printf_(2, 3);
