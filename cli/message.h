/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An announcement as the commands write it: from options to JSON. Pure, but for message_id(). */
#pragma once

#include "cli/options.h"
#include "scheduler/announcement.h"

struct message {
	const char *id; /* NULL: none is written */
	int revision;   /* 0: none is written */
	const char *text;
	enum priority priority;
	int64_t start_us;      /* real; TIME_UNSET: at once */
	int64_t expires_us;    /* how long after the start (or `issued_at_us`); 0: an hour */
	int repeat;            /* 0: by priority */
	const char *chime;     /* the opening one, or "none": neither; NULL: by priority */
	const char *issued_by; /* NULL: none is written */
	int64_t issued_at_us;  /* real: now */
};

#define MESSAGE_ID_SIZE 40

/* "noi-20261121T094000-1f3a": UTC and a random number. */
void message_id(int64_t now_us, char ret_id[MESSAGE_ID_SIZE]);

/* When it expires; real. */
int64_t message_expires_us(const struct message *message);

/* JSON; the caller frees. */
char *message_format(const struct message *message) _must_check_;

/* The announcement that nodes will make of `json`. NULL with *error if they would refuse it. */
struct announcement *message_check(const char *json, const struct message *message,
	int64_t sync_lead_us, struct error *error) _must_check_;
