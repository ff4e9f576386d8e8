/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/tally.h"

#include "base/strbuf.h"
#include "cli/event.h"
#include <math.h>
#include <string.h>

#define TALLY_ROWS_MAX 4096 /* nodes are not trusted with our memory */

const char *const tally_wait_names[] = {
	[TALLY_ACCEPTED] = "accepted",
	[TALLY_STARTED] = "started",
	[TALLY_FINISHED] = "finished",
	NULL,
};

struct tally {
	struct tally_config config;
	struct tally_row *rows; /* ordered by node and output, so that results compare */
	size_t count;
};

struct tally *tally_new(const struct tally_config *config)
{
	struct tally *tally = xcalloc(1, sizeof(*tally));

	tally->config = *config;
	return tally;
}

struct tally *tally_free(struct tally *tally)
{
	for (size_t i = 0; tally && i < tally->count; i++) {
		free(tally->rows[i].node);
		free(tally->rows[i].output);
		free(tally->rows[i].at);
		free(tally->rows[i].reason);
		free(tally->rows[i].detail);
	}
	if (tally)
		free(tally->rows);
	free(tally);
	return NULL;
}

static int compare(const struct tally_row *row, const char *node, const char *output)
{
	int order = strcmp(row->node, node);

	return order != 0 ? order : strcmp(row->output ? row->output : "", output ? output : "");
}

/* The row of the pair, made if there is none; NULL beyond the limit. */
static struct tally_row *find_row(struct tally *tally, const char *node, const char *output)
{
	size_t at = 0;

	while (at < tally->count && compare(&tally->rows[at], node, output) < 0)
		at++;
	if (at < tally->count && compare(&tally->rows[at], node, output) == 0)
		return &tally->rows[at];
	if (tally->count == TALLY_ROWS_MAX)
		return NULL;
	tally->rows = xreallocarray(tally->rows, tally->count + 1, sizeof(tally->rows[0]));
	memmove(&tally->rows[at + 1], &tally->rows[at],
		(tally->count - at) * sizeof(tally->rows[0]));
	tally->count++;
	tally->rows[at] = (struct tally_row){ .node = xstrdup(node),
		.output = output ? xstrdup(output) : NULL,
		.seconds_played = NAN };
	return &tally->rows[at];
}

static bool has_rows(const struct tally *tally, const char *node)
{
	for (size_t i = 0; i < tally->count; i++) {
		if (strcmp(tally->rows[i].node, node) == 0)
			return true;
	}
	return false;
}

/* The row of a node whose outputs were not known gives way to that of an output. */
static void forget_whole(struct tally *tally, const char *node)
{
	for (size_t i = 0; i < tally->count; i++) {
		struct tally_row *row = &tally->rows[i];
		if (row->output || strcmp(row->node, node) != 0)
			continue;
		free(row->node);
		free(row->at);
		free(row->reason);
		free(row->detail);
		memmove(row, row + 1, (tally->count - i - 1) * sizeof(*row));
		tally->count--;
		return;
	}
}

/* --- Status --------------------------------------------------------------------------------- */

static bool wants_zone(const struct tally *tally, const char *zone)
{
	for (size_t i = 0; i < tally->config.zones_count; i++) {
		if (strcmp(tally->config.zones[i], zone) == 0)
			return true;
	}
	return false;
}

static bool serves(const struct tally *tally, const struct json *output)
{
	const struct json *zones = json_get(output, "zones");

	if (wants_zone(tally, "all"))
		return true;
	for (size_t i = 0; i < json_array_length(zones); i++) {
		if (wants_zone(tally, json_as_string(json_at(zones, i), "")))
			return true;
	}
	return false;
}

/* It is back, and says itself which zones it serves. */
static void forget_unclear(struct tally *tally, const char *node)
{
	for (size_t i = 0; i < tally->count; i++) {
		if (tally->rows[i].unclear && strcmp(tally->rows[i].node, node) == 0) {
			forget_whole(tally, node);
			return;
		}
	}
}

void tally_add_status(struct tally *tally, const char *node, const struct json *status, bool before)
{
	const struct json *outputs = json_get(status, "outputs");
	bool offline = strcmp(json_as_string(json_get(status, "state"), ""), "offline") == 0;

	if (offline && !before)
		return;
	/* The last will does not say which outputs the node has; `all` is every output's zone. */
	if (offline && json_array_length(outputs) == 0) {
		struct tally_row *row = find_row(tally, node, NULL);
		if (row)
			row->absent = true;
		if (row)
			row->unclear = !wants_zone(tally, "all");
	} else if (!offline) {
		forget_unclear(tally, node);
	}
	for (size_t i = 0; i < json_array_length(outputs); i++) {
		const struct json *output = json_at(outputs, i);
		const char *name = json_as_string(json_get(output, "name"), NULL);
		if (!name || !serves(tally, output))
			continue;
		struct tally_row *row = find_row(tally, node, name);
		if (row)
			row->absent = offline;
	}
}

/* --- Receipts ------------------------------------------------------------------------------- */

static enum tally_state state_after(enum tally_wait wait, enum receipt_event event)
{
	if (event == RECEIPT_REJECTED)
		return TALLY_FAILED;
	if (event == RECEIPT_FINISHED)
		return TALLY_REACHED;
	if (receipt_event_final(event))
		return TALLY_FAILED;
	if (event == RECEIPT_ACCEPTED)
		return wait == TALLY_ACCEPTED ? TALLY_REACHED : TALLY_WAITING;
	/* started, interrupted, resumed: it has been heard */
	return wait == TALLY_FINISHED ? TALLY_WAITING : TALLY_REACHED;
}

static char *copy(const struct json *receipt, const char *key)
{
	const char *text = json_as_string(json_get(receipt, key), NULL);

	return text ? xstrdup(text) : NULL;
}

static void update_row(const struct tally *tally, struct tally_row *row, enum receipt_event event,
	const struct json *receipt)
{
	free(row->at);
	free(row->reason);
	free(row->detail);
	row->heard = true;
	row->unclear = false;
	row->event = event;
	row->at = copy(receipt, "at");
	row->reason = copy(receipt, "reason");
	row->detail = copy(receipt, "detail");
	row->seconds_played = json_as_real(json_get(receipt, "seconds_played"), NAN);
	/* What was reached stays so, whatever becomes of it later. */
	if (row->state == TALLY_WAITING)
		row->state = state_after(tally->config.wait, event);
}

static void update_node(
	struct tally *tally, const char *node, enum receipt_event event, const struct json *receipt)
{
	if (!has_rows(tally, node))
		(void)find_row(tally, node, NULL);
	for (size_t i = 0; i < tally->count; i++) {
		if (strcmp(tally->rows[i].node, node) == 0)
			update_row(tally, &tally->rows[i], event, receipt);
	}
}

/* Whether the receipt is about our announcement. One of another revision is about what was said
 * under that id before; a refusal may not have come as far as the revision. */
static bool is_ours(const struct tally *tally, const struct json *receipt)
{
	int64_t revision = json_as_integer(json_get(receipt, "revision"), 0);

	return strcmp(json_as_string(json_get(receipt, "id"), ""), tally->config.id) == 0 &&
	       (revision == 0 || revision == tally->config.revision);
}

bool tally_add_receipt(struct tally *tally, const char *node, const struct json *receipt)
{
	const char *output = json_as_string(json_get(receipt, "output"), NULL);
	const char *reason = json_as_string(json_get(receipt, "reason"), "");
	enum receipt_event event = RECEIPT_ACCEPTED;

	if (!is_ours(tally, receipt) ||
		!event_parse(json_as_string(json_get(receipt, "event"), ""), &event))
		return false;
	/* Sent to several zones it reaches a node several times: the others are duplicates of it. */
	if (event == RECEIPT_REJECTED && tally->config.zones_count > 1 &&
		strcmp(reason, "duplicate") == 0)
		return true;
	if (!output) {
		update_node(tally, node, event, receipt);
		return true;
	}
	forget_whole(tally, node);
	struct tally_row *row = find_row(tally, node, output);
	if (row)
		update_row(tally, row, event, receipt);
	return true;
}

/* --- Results -------------------------------------------------------------------------------- */

bool tally_known(const struct tally *tally)
{
	for (size_t i = 0; i < tally->count; i++) {
		if (!tally->rows[i].absent || tally->rows[i].heard)
			return true;
	}
	return false;
}

bool tally_done(const struct tally *tally)
{
	for (size_t i = 0; i < tally->count; i++) {
		const struct tally_row *row = &tally->rows[i];
		if (row->state == TALLY_WAITING && (!row->absent || row->heard))
			return false;
	}
	return tally_known(tally);
}

struct tally_counts tally_counts(const struct tally *tally)
{
	struct tally_counts counts = { 0 };

	for (size_t i = 0; i < tally->count; i++) {
		const struct tally_row *row = &tally->rows[i];
		counts.reached += row->state == TALLY_REACHED;
		counts.failed += row->state == TALLY_FAILED;
		counts.waiting += row->state == TALLY_WAITING && !row->unclear;
	}
	return counts;
}

const struct tally_row *tally_row(const struct tally *tally, size_t index)
{
	return index < tally->count ? &tally->rows[index] : NULL;
}
