/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/outbox.h"
#include "base/strbuf.h"

void outbox_init(struct outbox *outbox, struct store *store, const char *topic,
	uint64_t next_sequence, uint64_t taken_sequence)
{
	*outbox = (struct outbox){
		.store = store,
		.topic = xstrdup(topic),
		.more = true,
		.next_sequence = next_sequence,
		.sent_sequence = taken_sequence,
		.taken_sequence = taken_sequence,
	};
}

void outbox_done(struct outbox *outbox)
{
	free(outbox->topic);
	*outbox = (struct outbox){ 0 };
}

static bool under_way(const struct outbox *outbox)
{
	return outbox->sent_sequence > outbox->taken_sequence;
}

/* Asks for the next few, if there may be any and the last have been taken. */
static void outbox_pump(struct outbox *outbox)
{
	if (!outbox->connected || outbox->reading || !outbox->more || under_way(outbox))
		return;
	outbox->reading = true;
	outbox->more = false;
	outbox->asked_ticket = outbox->durable_ticket;
	store_read_receipts(outbox->store, outbox->sent_sequence, OUTBOX_UNDER_WAY_MAX);
}

void outbox_add(struct outbox *outbox, const struct receipt *receipt)
{
	_cleanup_(freep) char *json = receipt_format(receipt);

	outbox->newest_ticket = store_put_receipt(
		outbox->store, outbox->next_sequence++, receipt->at_us, json);
}

void outbox_on_connected(struct outbox *outbox, struct mqtt *mqtt)
{
	outbox->mqtt = mqtt;
	outbox->connected = true;
	outbox->more = true;
	outbox->sent_sequence = outbox->taken_sequence; /* what was under way is sent again */
	outbox_pump(outbox);
}

void outbox_on_disconnected(struct outbox *outbox)
{
	outbox->connected = false;
	outbox->sent_sequence = outbox->taken_sequence;
}

void outbox_on_durable(struct outbox *outbox, uint64_t ticket)
{
	outbox->durable_ticket = ticket;
	outbox->more |= outbox->newest_ticket > outbox->asked_ticket;
	outbox_pump(outbox);
}

void outbox_on_receipts(struct outbox *outbox, const struct store_receipt *receipts, size_t count)
{
	outbox->reading = false;
	outbox->more |= count == OUTBOX_UNDER_WAY_MAX;
	for (size_t i = 0; outbox->connected && i < count; i++) {
		if (receipts[i].waiting) {    /* who reads `accepted` may rely on it */
			outbox->more = false; /* until something is durable */
			break;
		}
		if (receipts[i].sequence <= outbox->sent_sequence)
			continue; /* read before a reconnect */
		if (mqtt_publish(outbox->mqtt, outbox->topic, receipts[i].json, false,
			    receipts[i].sequence) < 0) {
			/* A jam. If nothing is under way it ends in a reconnect. */
			outbox->more = under_way(outbox);
			break;
		}
		outbox->sent_sequence = receipts[i].sequence;
	}
	outbox_pump(outbox);
}

void outbox_on_published(struct outbox *outbox, uint64_t token)
{
	if (token <= outbox->taken_sequence)
		return;
	outbox->taken_sequence = token;
	if (under_way(outbox))
		return;
	(void)store_receipts_taken(outbox->store, token);
	store_flush(outbox->store);
	outbox_pump(outbox);
}
