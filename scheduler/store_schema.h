/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of the store's file: made in a new one, brought up to date in an old one, and judged
 * when one is opened. */
#pragma once

#include "scheduler/store_database.h"

#define STORE_KEY_TAKEN "receipts-taken" /* the setting that is the store's own: see store_load.c */

/* -EBADMSG: the file is damaged, of a newer version, or not ours. */
int store_schema_settle(
	struct store_database *database, const char *path, struct error *error) _must_check_;
