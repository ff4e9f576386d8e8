/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long an announcement will sound, as a node with this configuration predicts it. */
#pragma once

#include "conf/config.h"
#include "scheduler/announcement.h"

/* Chimes, texts, pauses and repeats. A recording, which only nodes have, counts as nothing. */
double seconds_of(const struct config *config, const struct announcement *announcement);
