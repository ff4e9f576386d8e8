/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store_operation.h"
#include "base/sha256.h"
#include "scheduler/store_schedule.h"
#include "scheduler/store_schema.h"

#include <string.h>

/* ON CONFLICT … DO UPDATE changes a row where it is. REPLACE would delete it and write it elsewhere,
 * with its index entries: twice the pages, on a card that wears out by pages. */

/* --- Announcements -------------------------------------------------------------------------- */

static const char put_announcement_sql[] =
	"INSERT INTO announcement (id, revision, json, sha256, arrival_us, sequence)"
	" VALUES (?, ?, ?, ?, ?, ?)"
	" ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, json = excluded.json,"
	" sha256 = excluded.sha256, arrival_us = excluded.arrival_us,"
	" sequence = excluded.sequence";

static const char forget_announcements_sql[] =
	"DELETE FROM announcement WHERE id NOT IN"
	" (SELECT id FROM play WHERE state IN ('queued', 'playing'))";

static void bind_put_announcement(
	struct store_statement *statement, const struct store_change *change)
{
	char sum[SHA256_TEXT_SIZE];

	sha256_text(change->text, strlen(change->text), sum);
	store_statement_bind_text(statement, 1, change->id);
	store_statement_bind_integer(statement, 2, change->revision);
	store_statement_bind_text(statement, 3, change->text);
	store_statement_bind_text(statement, 4, sum);
	store_statement_bind_integer(statement, 5, change->time_us);
	store_statement_bind_integer(statement, 6, (int64_t)change->sequence);
}

static void bind_id(struct store_statement *statement, const struct store_change *change)
{
	store_statement_bind_text(statement, 1, change->id);
}

static void bind_nothing(struct store_statement *statement, const struct store_change *change)
{
	(void)statement;
	(void)change;
}

/* --- Plays ---------------------------------------------------------------------------------- */

static const char put_play_sql[] =
	"INSERT INTO play (id, output, revision, state, forget_us,"
	" item, offset_us, played_us, tries)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
	" ON CONFLICT (id, output) DO UPDATE SET revision = excluded.revision,"
	" state = excluded.state, forget_us = excluded.forget_us, item = excluded.item,"
	" offset_us = excluded.offset_us, played_us = excluded.played_us, tries = excluded.tries";

/* What has come further: of two truths the one that does not speak twice. */
static const char put_play_careful[] =
	" WHERE excluded.revision > play.revision OR (excluded.revision = play.revision AND"
	" (play.state = 'queued' OR (play.state = 'playing' AND excluded.state <> 'queued')))";

static void bind_put_play(struct store_statement *statement, const struct store_change *change)
{
	store_statement_bind_text(statement, 1, change->id);
	store_statement_bind_text(statement, 2, change->output);
	store_statement_bind_integer(statement, 3, change->revision);
	store_statement_bind_text(statement, 4, play_state_name(change->state));
	store_statement_bind_integer(statement, 5, change->time_us);
	store_statement_bind_integer(statement, 6, change->progress.item);
	store_statement_bind_integer(statement, 7, change->progress.offset_us);
	store_statement_bind_integer(statement, 8, change->progress.played_us);
	store_statement_bind_integer(statement, 9, change->progress.tries);
}

static void bind_time(struct store_statement *statement, const struct store_change *change)
{
	store_statement_bind_integer(statement, 1, change->time_us);
}

/* --- Schedules ------------------------------------------------------------------------------ */

static const char put_schedule_sql[] =
	"INSERT INTO schedule (zone, id, revision, json, sha256, since_us, forget_us)"
	" VALUES (?, ?, ?, ?, ?, ?, ?)"
	" ON CONFLICT (zone, id) DO UPDATE SET revision = excluded.revision,"
	" json = excluded.json, sha256 = excluded.sha256, since_us = excluded.since_us,"
	" forget_us = excluded.forget_us";

/* The newer one; of one revision that which makes less sound. */
static const char put_schedule_careful[] =
	" WHERE (excluded.revision, excluded.json IS NULL, excluded.since_us) >"
	" (schedule.revision, schedule.json IS NULL, schedule.since_us)";

static void bind_put_schedule(struct store_statement *statement, const struct store_change *change)
{
	const struct store_schedule schedule = {
		.zone = change->zone,
		.id = change->id,
		.revision = change->revision,
		.json = change->text,
		.since_us = change->since_us,
		.forget_us = change->time_us,
	};
	char sum[SHA256_TEXT_SIZE];

	store_schedule_sum(&schedule, sum);
	store_statement_bind_text(statement, 1, schedule.zone);
	store_statement_bind_text(statement, 2, schedule.id);
	store_statement_bind_integer(statement, 3, schedule.revision);
	store_statement_bind_text(statement, 4, schedule.json);
	store_statement_bind_text(statement, 5, sum);
	store_statement_bind_integer(statement, 6, schedule.since_us);
	store_statement_bind_integer(statement, 7, schedule.forget_us);
}

static void bind_zone_id(struct store_statement *statement, const struct store_change *change)
{
	store_statement_bind_text(statement, 1, change->zone);
	store_statement_bind_text(statement, 2, change->id);
}

/* --- Receipts ------------------------------------------------------------------------------- */

static const char put_receipt_sql[] =
	"INSERT INTO receipt (sequence, json, at_us) VALUES (?, ?, ?)"
	" ON CONFLICT (sequence) DO UPDATE SET json = excluded.json, at_us = excluded.at_us";

/* One row that is changed where it is, whatever number of receipts was taken. */
static const char receipts_taken_sql[] =
	"INSERT INTO setting (key, value) VALUES ('" STORE_KEY_TAKEN "', CAST(? AS TEXT))"
	" ON CONFLICT (key) DO UPDATE SET value = excluded.value";

static const char receipts_taken_careful[] =
	" WHERE CAST(excluded.value AS INTEGER) > CAST(setting.value AS INTEGER)";

static const char prune_old_sql[] =
	"DELETE FROM receipt WHERE sequence IN (SELECT sequence FROM receipt WHERE at_us < ?"
	" AND sequence <="
	" (SELECT CAST(value AS INTEGER) FROM setting WHERE key = '" STORE_KEY_TAKEN "')"
	" ORDER BY at_us LIMIT ?)";

/* Sequences may have gaps, so they are counted, in the index of times, which is small. */
static const char prune_excess_sql[] =
	"DELETE FROM receipt WHERE sequence IN (SELECT sequence FROM receipt ORDER BY sequence"
	" LIMIT max(0, min(?1, (SELECT count(*) FROM receipt) - ?2)))";

static void bind_put_receipt(struct store_statement *statement, const struct store_change *change)
{
	store_statement_bind_integer(statement, 1, (int64_t)change->sequence);
	store_statement_bind_text(statement, 2, change->text);
	store_statement_bind_integer(statement, 3, change->time_us);
}

static void bind_sequence(struct store_statement *statement, const struct store_change *change)
{
	store_statement_bind_integer(statement, 1, (int64_t)change->sequence);
}

static void bind_prune_old(struct store_statement *statement, const struct store_change *change)
{
	store_statement_bind_integer(statement, 1, change->time_us);
	store_statement_bind_integer(statement, 2, STORE_PRUNE_MAX);
}

static void bind_prune_excess(struct store_statement *statement, const struct store_change *change)
{
	(void)change;
	store_statement_bind_integer(statement, 1, STORE_PRUNE_MAX);
	store_statement_bind_integer(statement, 2, STORE_HISTORY_MAX);
}

/* --- Settings ------------------------------------------------------------------------------- */

static const char put_setting_sql[] = "INSERT INTO setting (key, value) VALUES (?, ?)"
				      " ON CONFLICT (key) DO UPDATE SET value = excluded.value";

static void bind_put_setting(struct store_statement *statement, const struct store_change *change)
{
	store_statement_bind_text(statement, 1, change->id);
	store_statement_bind_text(statement, 2, change->text);
}

/* -------------------------------------------------------------------------------------------- */

static const char first_stays[] = " WHERE false";

const struct store_operation store_operations[STORE_CHANGE_KINDS_COUNT] = {
	[STORE_PUT_ANNOUNCEMENT] = { put_announcement_sql, bind_put_announcement,
		" WHERE excluded.revision > announcement.revision" },
	[STORE_DROP_ANNOUNCEMENT] = { "DELETE FROM announcement WHERE id = ?", bind_id, NULL },
	[STORE_PUT_PLAY] = { put_play_sql, bind_put_play, put_play_careful },
	[STORE_PUT_SCHEDULE] = { put_schedule_sql, bind_put_schedule, put_schedule_careful },
	[STORE_DROP_SCHEDULE] = { "DELETE FROM schedule WHERE zone = ? AND id = ?", bind_zone_id,
		NULL },
	[STORE_PUT_RECEIPT] = { put_receipt_sql, bind_put_receipt, first_stays },
	[STORE_RECEIPTS_TAKEN] = { receipts_taken_sql, bind_sequence, receipts_taken_careful },
	[STORE_PRUNE_OLD] = { prune_old_sql, bind_prune_old, NULL },
	[STORE_PRUNE_EXCESS] = { prune_excess_sql, bind_prune_excess, NULL },
	[STORE_PUT_SETTING] = { put_setting_sql, bind_put_setting, first_stays },
	[STORE_FORGET_PLAYS] = { "DELETE FROM play WHERE forget_us <= ?", bind_time, NULL },
	[STORE_FORGET_ANNOUNCEMENTS] = { forget_announcements_sql, bind_nothing, NULL },
};
