/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/outbox.h"
#include "base/strbuf.h"

void outbox_init(
	struct outbox *outbox, struct store *store, const char *topic, uint64_t next_sequence)
{
	*outbox = (struct outbox){
		.store = store,
		.topic = xstrdup(topic),
		.next_sequence = next_sequence,
		.durable_sequence = next_sequence - 1,
		.newest_sequence = next_sequence - 1,
	};
}

void outbox_done(struct outbox *outbox)
{
	free(outbox->topic);
	*outbox = (struct outbox){ 0 };
}

/* Asks for the next few, if there are any and there is room for them. */
static void outbox_pump(struct outbox *outbox)
{
	uint64_t under_way = outbox->sent_sequence - outbox->taken_sequence;

	if (!outbox->connected || outbox->reading ||
		outbox->sent_sequence >= outbox->durable_sequence || under_way > 0)
		return;
	outbox->reading = true;
	store_read_receipts(outbox->store, outbox->sent_sequence, OUTBOX_UNDER_WAY_MAX);
}

void outbox_add(struct outbox *outbox, const struct receipt *receipt)
{
	_cleanup_(freep) char *json = receipt_format(receipt);

	outbox->newest_sequence = outbox->next_sequence++;
	outbox->newest_ticket = store_put_receipt(outbox->store, outbox->newest_sequence, json);
}

void outbox_on_connected(struct outbox *outbox, struct mqtt *mqtt)
{
	outbox->mqtt = mqtt;
	outbox->connected = true;
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
	/* Tickets and sequences rise together; between commits only the newest pair is known, and
	 * that suffices: reading stops at what the store has. */
	if (ticket >= outbox->newest_ticket)
		outbox->durable_sequence = outbox->newest_sequence;
	outbox_pump(outbox);
}

void outbox_on_receipts(struct outbox *outbox, const struct store_receipt *receipts, size_t count)
{
	outbox->reading = false;
	if (count == 0)
		outbox->sent_sequence = outbox->taken_sequence = outbox->durable_sequence;
	for (size_t i = 0; outbox->connected && i < count; i++) {
		if (receipts[i].sequence <= outbox->sent_sequence)
			continue; /* read before a reconnect */
		if (mqtt_publish(outbox->mqtt, outbox->topic, receipts[i].json, false,
			    receipts[i].sequence) < 0)
			break; /* sent again after the reconnect that such a jam ends in */
		outbox->sent_sequence = receipts[i].sequence;
	}
	outbox_pump(outbox);
}

void outbox_on_published(struct outbox *outbox, uint64_t token)
{
	if (token <= outbox->taken_sequence)
		return;
	outbox->taken_sequence = token;
	if (token < outbox->sent_sequence)
		return;
	(void)store_drop_receipts(outbox->store, token);
	store_flush(outbox->store);
	outbox_pump(outbox);
}
