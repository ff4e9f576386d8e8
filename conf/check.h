/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of the configuration that are about more than one key. Internal to conf/. Pure. */
#pragma once

#include "conf/config.h"
#include "conf/findings.h"

void check_config(const struct config *config, struct findings *findings);
