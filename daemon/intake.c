/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/intake.h"
#include "base/log.h"
#include "daemon/broadcast.h"
#include "daemon/output.h"
#include "daemon/readings.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* --- Judging ---------------------------------------------------------------------------------- */

static enum reason reason_of_refusal(enum reading_refusal refusal)
{
	static const enum reason reasons[] = {
		[READING_FINE] = REASON_NONE,
		[READING_EMPTY] = REASON_EMPTY,
		[READING_TOO_LONG] = REASON_TOO_LONG,
		[READING_BAD_VALUE] = REASON_BAD_VALUE,
	};
	return reasons[refusal];
}

/* Whether it is shorter than what some output that is meant allows. (The others say so themselves.) */
static bool fits_somewhere(const struct node *node, const char *zone,
	const struct announcement *announcement, double seconds)
{
	bool anybody = false;

	if (announcement->priority == PRIORITY_EMERGENCY)
		return true;
	for (size_t i = 0; i < node->outputs_count; i++) {
		const struct output *output = &node->outputs[i];
		int item_minutes = output->config->limits.item_minutes;
		if (!output_listens(output, zone))
			continue;
		anybody = true;
		if (item_minutes == 0 || seconds <= 60.0 * item_minutes)
			return true;
	}
	return !anybody;
}

int intake_judge(const struct node *node, const char *zone, const struct announcement *announcement,
	double *ret_seconds, enum reason *ret_reason, struct error *error)
{
	_cleanup_(readings_done) struct readings readings = { 0 };
	enum reading_refusal refusal = READING_FINE;

	if (readings_init(&readings, node->config, announcement, &refusal, error) < 0) {
		*ret_reason = reason_of_refusal(refusal);
		return -EINVAL;
	}
	double seconds = broadcast_predict_seconds(node, announcement, &readings);
	if (!fits_somewhere(node, zone, announcement, seconds)) {
		*ret_reason = REASON_TOO_LONG;
		return error_set(error, -EINVAL,
			"bản tin dài khoảng %.0f phút, quá mức cho phép của loa (item_minutes)",
			ceil(seconds / 60));
	}
	*ret_seconds = seconds;
	return 0;
}

/* --- Offering --------------------------------------------------------------------------------- */

static void remember_pending(struct node *node, uint64_t ticket, const char *id)
{
	if (node->pending_count == node->pending_capacity) {
		node->pending_capacity = node->pending_capacity ? 2 * node->pending_capacity : 16;
		node->pending = xreallocarray(
			node->pending, node->pending_capacity, sizeof *node->pending);
	}
	struct node_pending *pending = &node->pending[node->pending_count++];
	pending->ticket = ticket;
	snprintf(pending->id, sizeof pending->id, "%s", id);
}

static void keep(struct node *node, const struct output_offer *offer)
{
	uint64_t ticket = store_put_announcement(
		node->store, offer->announcement, offer->arrival_us, offer->sequence);

	remember_pending(node, ticket, offer->announcement->id);
}

static void tell_accepted(struct node *node, const struct output_offer *offer)
{
	struct receipt receipt = {
		.event = RECEIPT_ACCEPTED,
		.id = offer->announcement->id,
		.revision = offer->announcement->revision,
		.node = node->config->node,
		.at_us = offer->arrival_us,
		.seconds_asked = NAN,
		.seconds_played = NAN,
	};

	node_receipt(node, &receipt);
}

/* True if some output of this node has that id in just this revision. */
static bool known_elsewhere(const struct node *node, const struct announcement *announcement)
{
	for (size_t i = 0; i < node->outputs_count; i++) {
		const struct ledger_row *row = ledger_find(
			node->ledger, announcement->id, (unsigned)i);
		if (row && row->revision == announcement->revision && row->state != PLAY_CANCELLED)
			return true;
	}
	return false;
}

/* Offers to each output that listens. True: it is news to one. *ret_error: why another refused. */
static bool offer_to_outputs(
	struct node *node, const char *zone, const struct output_offer *what, int *ret_error)
{
	bool news = false;
	uint64_t full = 0; /* outputs without room; a bit for each */

	for (size_t i = 0; i < node->outputs_count; i++) {
		struct output *output = &node->outputs[i];
		int refused = 0;
		if (!output_listens(output, zone))
			continue;
		news |= output_offer(output, what, &refused);
		full |= (uint64_t)(refused == -ENOSPC) << i;
		*ret_error = refused ? refused : *ret_error;
	}
	for (size_t i = 0; news && i < node->outputs_count; i++)
		if (full & UINT64_C(1) << i)
			output_refuse(&node->outputs[i], what);
	return news;
}

/* We were there when it should have begun and it had not come: then nobody has begun it in time (or the
 * sender's clock is behind), and no neighbour is in the middle of it. A schedule's occurrence needs no
 * broker. */
static bool came_late(struct node *node, const struct announcement *announcement)
{
	return announcement->late_us < 0 && announcement->start_us != TIME_UNSET &&
	       node->connected &&
	       node->connected_mono_us <= node_mono_of_real(node, announcement->start_us);
}

int intake_offer(
	struct node *node, const char *zone, struct announcement *announcement, double seconds)
{
	const struct output_offer what = {
		.announcement = announcement,
		.arrival_us = clock_real_us(),
		.sequence = node->next_sequence++,
		.seconds = seconds,
		.came_late = came_late(node, announcement),
	};
	bool accepted_before = known_elsewhere(node, announcement);
	int error = 0;

	if (!offer_to_outputs(node, zone, &what, &error)) {
		if (!error)
			log_about(LOG_DEBUG, announcement->id, NULL,
				"revision %" PRId64 " is known, ignored", announcement->revision);
		return error;
	}
	keep(node, &what);
	if (!accepted_before) /* the same by another zone: more outputs, one acceptance */
		tell_accepted(node, &what);
	return 0;
}
