/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a node says of itself: the retained status, states and queues (docs/PROTOCOL.md). Main's. */
#pragma once

#include "daemon/node.h"

#define REPORT_QUEUE_MAX 50
/* A queue that changes all the time (a flood) is reported this often; a new state at once. */
#define REPORT_PAUSE_US (200 * US_PER_MS)

/* Each gives JSON; the caller frees. */
char *report_status(const struct node *node) _must_check_;
char *report_output_state(const struct output *output) _must_check_;
char *report_output_queue(const struct output *output) _must_check_;
/* The last will. */
char *report_offline(const struct node *node) _must_check_;
/* The topic `loalang/<site>/node/<node>/<rest>`; the caller frees. */
char *report_topic(const struct node *node, const char *format, ...) _must_check_ _printf_(2, 3);

/* Publishes what is due (node->changed, output->changed), if connected. */
void report_publish(struct node *node);
/* Everything is due: after a connect. */
void report_all_changed(struct node *node);
