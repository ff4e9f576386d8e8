/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages of operators (docs/PROTOCOL.md): which topic means what, strict decoding, and what is
 * refused with which receipt. Main's.
 */
#pragma once

#include "daemon/node.h"

/* A MQTT_MESSAGE. */
void command_on_message(struct node *node, const struct mqtt_event *event);

/* The topic filters of this node, NULL-terminated; the caller frees with command_filters_free(). */
char **command_filters(const struct node *node) _must_check_;
/* And those of what stands: it matters whether it was there before us. */
char **command_standing_filters(const struct node *node) _must_check_;
void command_filters_free(char **filters);
