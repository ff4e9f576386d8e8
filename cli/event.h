/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The events of receipts, from the protocol's words and into an operator's. Pure. */
#pragma once

#include "scheduler/receipt.h"

/* False: no such event. */
bool event_parse(const char *name, enum receipt_event *ret_event) _must_check_;
const char *event_word(enum receipt_event event); /* Vietnamese */
/* Whether it is for the record: what became of an announcement, and what broke into it. */
bool event_matters(enum receipt_event event);
