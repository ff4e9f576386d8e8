/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store_salvage.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "scheduler/receipt.h"
#include "scheduler/store_pages.h"
#include "scheduler/store_database.h"
#include "scheduler/store_schedule.h"
#include "scheduler/store_schema.h"

#include <errno.h>
#include <string.h>

#define PAGES_RUN     1024 /* 4 MiB */
#define HISTORY_GROUP 1000 /* receipts of one transaction: what a full disk costs at most */

/* What is being carried over, in this order. */
enum stage { STAGE_STATE, STAGE_UNTAKEN, STAGE_HISTORY, STAGES_COUNT };

struct salvage {
	struct store_pages *pages;
	struct store_file *file;
	int64_t until_mono_us;
	enum stage stage;
	uint8_t *has_receipts; /* by page: 1 when it is worth reading again */
	uint32_t page;         /* that is being read */
	uint64_t taken;        /* the broker has the receipts up to this one */
	size_t group;          /* changes of the open transaction */
	int result;            /* of the new file */
	struct error *error;
	struct store_salvaged found;
};

/* --- Columns -------------------------------------------------------------------------------- */

/* A copy, or NULL if it is no text that the store would load. */
static char *copy_text(const struct store_value *value, size_t most_bytes)
{
	if (value->length > most_bytes || memchr(value->text, '\0', value->length) ||
		utf8_valid_prefix(value->text, value->length) != value->length)
		return NULL;
	return xstrndup(value->text, value->length);
}

static bool within(const struct store_value *value, int64_t minimum, int64_t maximum)
{
	return value->integer >= minimum && value->integer <= maximum;
}

/* --- Rows: 0 and a change, or -EINVAL ------------------------------------------------------- */

static int salvage_announcement(const struct store_record *record, struct store_change *change)
{
	const struct store_value *columns = record->columns;
	_cleanup_(freep) char *stored = copy_text(&columns[3], SHA256_TEXT_SIZE);
	char sum[SHA256_TEXT_SIZE];

	change->kind = STORE_PUT_ANNOUNCEMENT;
	change->id = copy_text(&columns[0], ID_MAX_BYTES);
	change->text = copy_text(&columns[2], STORE_ROW_TEXT_BYTES);
	if (!change->id || !change->text || !stored ||
		!within(&columns[1], 1, ANNOUNCEMENT_REVISION_MAX) ||
		!within(&columns[4], 0, ANNOUNCEMENT_TIME_MAX_US) ||
		!within(&columns[5], 1, STORE_SEQUENCE_MAX))
		return -EINVAL;
	sha256_text(change->text, strlen(change->text), sum);
	if (strcmp(sum, stored) != 0 || !announcement_id_valid(change->id, strlen(change->id)))
		return -EINVAL;
	_cleanup_(announcement_unrefp) struct announcement *announcement = announcement_load(
		change->text, strlen(change->text), change->id, NULL);
	if (!announcement)
		return -EINVAL;
	change->revision = columns[1].integer;
	change->time_us = columns[4].integer;
	change->sequence = (uint64_t)columns[5].integer;
	return 0;
}

static int salvage_play(const struct store_record *record, struct store_change *change)
{
	const struct store_value *columns = record->columns;
	_cleanup_(freep) char *state = copy_text(&columns[3], NAME_MAX_BYTES);

	change->kind = STORE_PUT_PLAY;
	change->id = copy_text(&columns[0], ID_MAX_BYTES);
	change->output = copy_text(&columns[1], NAME_MAX_BYTES);
	if (!change->id || !announcement_id_valid(change->id, strlen(change->id)) ||
		!change->output || !state || play_state_parse(state, &change->state) < 0 ||
		!within(&columns[2], 1, ANNOUNCEMENT_REVISION_MAX) ||
		!within(&columns[4], 0, INT64_MAX))
		return -EINVAL;
	change->revision = columns[2].integer;
	change->time_us = columns[4].integer;
	if (record->count == 5) /* version 1 */
		return 0;
	if (!within(&columns[5], 0, UINT32_MAX) || !within(&columns[6], 0, INT64_MAX) ||
		!within(&columns[7], 0, INT64_MAX) || !within(&columns[8], 0, UINT32_MAX))
		return -EINVAL;
	change->progress.item = (uint32_t)columns[5].integer;
	change->progress.offset_us = columns[6].integer;
	change->progress.played_us = columns[7].integer;
	change->progress.tries = (uint32_t)columns[8].integer;
	return 0;
}

/* `json` is null or text. */
static int salvage_schedule(const struct store_record *record, struct store_change *change)
{
	const struct store_value *columns = record->columns;
	_cleanup_(freep) char *sum = copy_text(&columns[4], SHA256_TEXT_SIZE);
	bool withdrawn = columns[3].kind == STORE_VALUE_NULL;

	change->kind = STORE_PUT_SCHEDULE;
	change->zone = copy_text(&columns[0], NAME_MAX_BYTES);
	change->id = copy_text(&columns[1], NAME_MAX_BYTES);
	change->text = withdrawn ? NULL : copy_text(&columns[3], STORE_SCHEDULE_BYTES);
	if (!change->zone || !change->id || !sum || (!change->text && !withdrawn))
		return -EINVAL;
	change->revision = columns[2].integer;
	change->since_us = columns[5].integer;
	change->time_us = columns[6].integer;
	const struct store_schedule schedule = {
		.zone = change->zone,
		.id = change->id,
		.revision = change->revision,
		.json = change->text,
		.since_us = change->since_us,
		.forget_us = change->time_us,
	};
	return store_schedule_judge(&schedule, sum, NULL);
}

static int salvage_setting(const struct store_record *record, struct store_change *change)
{
	change->kind = STORE_PUT_SETTING;
	change->id = copy_text(&record->columns[0], STORE_SETTING_BYTES);
	change->text = copy_text(&record->columns[1], STORE_SETTING_BYTES);
	if (!change->id || !change->text)
		return -EINVAL;
	if (strcmp(change->id, STORE_KEY_TAKEN) != 0)
		return 0;
	change->kind = STORE_RECEIPTS_TAKEN;
	return store_sequence_parse(change->text, &change->sequence);
}

static int salvage_receipt(const struct store_record *record, struct store_change *change)
{
	const struct store_value *columns = record->columns;

	change->kind = STORE_PUT_RECEIPT;
	change->text = copy_text(&columns[1], STORE_ROW_TEXT_BYTES);
	if (!change->text || record->rowid < 1 || record->rowid > STORE_SEQUENCE_MAX)
		return -EINVAL;
	change->sequence = (uint64_t)record->rowid;
	if (record->count == 3)
		change->time_us = columns[2].integer;
	else if (receipt_parse_at(change->text, strlen(change->text), &change->time_us) < 0)
		change->time_us = 0; /* as in the upgrade */
	return 0;
}

/* --- Tables --------------------------------------------------------------------------------- */

/* The tables differ in the kinds of their columns, so a leaf tells by itself whose it is. */
static const struct shape {
	const char *columns; /* T: text, I: integer, N: null (a key that is the row's number) */
	int (*salvage)(const struct store_record *record, struct store_change *change);
	bool receipts;
} shapes[] = {
	{ "TITTII", salvage_announcement, false },
	{ "TTITIIIII", salvage_play, false },
	{ "TTITI", salvage_play, false }, /* version 1 */
	{ "TTITTII", salvage_schedule, false },
	{ "TTINTII", salvage_schedule, false }, /* withdrawn */
	{ "TT", salvage_setting, false },
	{ "NTI", salvage_receipt, true },
	{ "NT", salvage_receipt, true }, /* version 1 */
	/* What is not carried over: rows set aside before, SQLite's own. */
	{ "NITTT", NULL, false },
	{ "NITNT", NULL, false },
	{ "TI", NULL, false },
	{ "TTTIT", NULL, false },
};

static const struct shape *find_shape(const struct store_record *record)
{
	static const char letters[] = { [STORE_VALUE_NULL] = 'N',
		[STORE_VALUE_INTEGER] = 'I',
		[STORE_VALUE_TEXT] = 'T',
		[STORE_VALUE_OTHER] = '?' };
	char columns[STORE_COLUMNS_MAX + 1] = "";

	for (size_t i = 0; i < record->count; i++)
		columns[i] = letters[record->columns[i].kind];
	for (size_t i = 0; i < countof(shapes); i++)
		if (strcmp(columns, shapes[i].columns) == 0)
			return &shapes[i];
	return NULL;
}

/* --- Carrying over -------------------------------------------------------------------------- */

static bool in_stage(const struct salvage *salvage, const struct shape *shape, int64_t rowid)
{
	if (salvage->stage == STAGE_STATE || !shape->receipts)
		return salvage->stage == STAGE_STATE && !shape->receipts;
	bool untaken = rowid > 0 && (uint64_t)rowid > salvage->taken;
	return untaken == (salvage->stage == STAGE_UNTAKEN);
}

static void write_change(struct salvage *salvage, const struct store_change *change)
{
	if (salvage->group++ == 0)
		salvage->result = store_file_begin(salvage->file, salvage->error);
	if (salvage->result == 0)
		salvage->result = store_file_change(salvage->file, change, salvage->error);
	if (change->kind == STORE_RECEIPTS_TAKEN && change->sequence > salvage->taken)
		salvage->taken = change->sequence;
}

/* The history is judged when it is read: it may be long. */
static bool is_json(const char *text)
{
	_cleanup_(json_freep) struct json *root = json_parse(text, strlen(text), NULL);

	return root;
}

/* Called for every row of a page. */
static void carry_over(const struct store_record *record, void *context)
{
	struct salvage *salvage = context;
	const struct shape *shape = find_shape(record);
	struct store_change change = { 0 };

	if (salvage->result < 0)
		return;
	if (!shape) {
		salvage->found.lost_rows += salvage->stage == STAGE_STATE;
		return;
	}
	if (shape->receipts)
		salvage->has_receipts[salvage->page] = 1;
	if (!shape->salvage || !in_stage(salvage, shape, record->rowid))
		return;
	if (shape->salvage(record, &change) == 0 &&
		(salvage->stage != STAGE_UNTAKEN || is_json(change.text)))
		write_change(salvage, &change);
	else
		salvage->found.lost_rows++;
	free(change.id);
	free(change.output);
	free(change.zone);
	free(change.text);
}

static void end_group(struct salvage *salvage)
{
	if (salvage->group > 0 && salvage->result == 0)
		salvage->result = store_file_commit(salvage->file, salvage->error);
	salvage->group = 0;
}

/* False: there is no more time, or the new file fails. */
static bool run_page(struct salvage *salvage, uint32_t page)
{
	if (clock_mono_us() >= salvage->until_mono_us)
		salvage->found.cut_short = true;
	if (salvage->found.cut_short || salvage->result < 0)
		return false;
	if (salvage->stage != STAGE_STATE && !salvage->has_receipts[page])
		return true;
	salvage->page = page;
	size_t lost = store_pages_read(salvage->pages, page, carry_over, salvage);
	salvage->found.lost_rows += salvage->stage == STAGE_STATE ? lost : 0;
	if (salvage->stage == STAGE_HISTORY && salvage->group >= HISTORY_GROUP)
		end_group(salvage);
	return true;
}

/* The newest rows stand on the last pages, mostly: they come first, run by run. Within a run rows
 * come in order, as SQLite packs them best. */
static void run_stage(struct salvage *salvage, enum stage stage)
{
	uint32_t count = store_pages_count(salvage->pages);

	salvage->stage = stage;
	for (uint32_t end = count; end > 0;) {
		uint32_t begin = end > PAGES_RUN ? end - PAGES_RUN : 0;
		for (uint32_t page = begin + 1; page <= end; page++)
			if (!run_page(salvage, page))
				return;
		end = begin;
	}
}

/* The history is worth having, but not at the price of all the rest. */
static void run_history(struct salvage *salvage)
{
	run_stage(salvage, STAGE_HISTORY);
	end_group(salvage);
	if (salvage->result == 0)
		return;
	salvage->found.cut_short = true;
	salvage->result = 0;
	if (salvage->error)
		*salvage->error->text = '\0';
}

static int count_rows(
	struct store_file *file, const char *table, size_t *ret_count, struct error *error)
{
	_cleanup_(store_statement_freep) struct store_statement *row = NULL;
	_cleanup_(freep) char *sql = xasprintf("SELECT count(*) FROM %s", table);
	int64_t count = 0;
	int result = store_statement_new(store_file_database(file), sql, &row, error);

	if (result == 0)
		result = store_statement_step(row, "đếm", error);
	if (result < 0)
		return result;
	(void)store_statement_integer(row, 0, &count);
	*ret_count = (size_t)count;
	return 0;
}

static int count_all(struct store_file *file, struct store_salvaged *found, struct error *error)
{
	int result = count_rows(file, "announcement", &found->announcements, error);

	if (result == 0)
		result = count_rows(file, "play", &found->plays, error);
	if (result == 0)
		result = count_rows(file, "schedule", &found->schedules, error);
	if (result == 0)
		result = count_rows(file, "setting", &found->settings, error);
	if (result == 0)
		result = count_rows(file, "receipt", &found->receipts, error);
	return result;
}

int store_salvage(const char *path, int64_t until_mono_us, struct store_file *file,
	struct store_salvaged *ret_salvaged, struct error *error)
{
	_cleanup_(store_pages_closep) struct store_pages *pages = NULL;
	struct salvage salvage = {
		.file = file,
		.until_mono_us = until_mono_us,
		.error = error,
	};

	*ret_salvaged = (struct store_salvaged){ 0 };
	int result = store_pages_open(path, &pages, error);
	if (result < 0)
		return result == -ENOENT ? 0 : result;
	_cleanup_(freep) uint8_t *has_receipts = xcalloc(store_pages_count(pages) + 1, 1);
	salvage.pages = pages;
	salvage.has_receipts = has_receipts;
	run_stage(&salvage, STAGE_STATE);
	run_stage(&salvage, STAGE_UNTAKEN);
	end_group(&salvage);
	if (salvage.result == 0)
		run_history(&salvage);
	if (salvage.result == 0)
		salvage.result = count_all(file, &salvage.found, error);
	salvage.found.lost_pages = store_pages_damaged(pages);
	if (salvage.result == 0)
		*ret_salvaged = salvage.found;
	return salvage.result;
}
