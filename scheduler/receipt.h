/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A receipt: what a node reports of an announcement (docs/PROTOCOL.md, "Receipts"). A value and
 * its JSON form. Pure.
 */
#pragma once

#include "scheduler/announcement.h"

enum receipt_event {
	RECEIPT_ACCEPTED,
	RECEIPT_REJECTED,
	RECEIPT_STARTED,
	RECEIPT_INTERRUPTED,
	RECEIPT_RESUMED,
	RECEIPT_FINISHED,
	RECEIPT_CANCELLED,
	RECEIPT_EXPIRED,
	RECEIPT_FAILED,
	RECEIPT_SUPERSEDED,
};
const char *receipt_event_name(enum receipt_event event);
bool receipt_event_final(enum receipt_event event); /* ends an announcement on an output */

struct receipt {
	enum receipt_event event;
	const char *id;       /* NULL or "": of something refused, not known */
	const char *schedule; /* NULL: as the id of an occurrence says, else none */
	int64_t revision;     /* 0: of something refused, not known */
	const char *node;
	const char *output;    /* NULL: the node as a whole */
	int64_t at_us;         /* real */
	double seconds_asked;  /* NAN: not known */
	double seconds_played; /* NAN: not applicable */
	enum reason reason;
	const char *detail;        /* Vietnamese; NULL: none */
	const char *spoken_sha256; /* of the reading's `spoken`; NULL: nothing was read */
};

/* One line of JSON; the caller frees. */
char *receipt_format(const struct receipt *receipt) _must_check_;

/* The instant that a receipt's JSON tells ("at"). -EINVAL: none, or no JSON. */
int receipt_parse_at(const char *json, size_t length, int64_t *ret_at_us) _must_check_;
