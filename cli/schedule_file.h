/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A schedule that an operator has written into a file, taken as strictly as a node would. */
#pragma once

#include "cli/command.h"
#include "scheduler/schedule.h"

/* What a schedule that says nothing of it has, as on a node with this configuration. */
struct schedule_defaults schedule_file_defaults(const struct session *session, struct zones *zones);

/* `path` "-": standard input. NULL with *error, which names the file, the key and the reason. */
struct schedule *schedule_file_read(const struct session *session, struct zones *zones,
	const char *path, struct error *error) _must_check_;

/* Reads its texts as the nodes will. 0, or -EINVAL with *error: a text cannot be read. What is doubtful
 * is printed when `ret_doubtful` is not NULL, and counted there. */
int schedule_file_check(const struct session *session, const struct schedule *schedule,
	size_t *ret_doubtful, struct error *error) _must_check_;
