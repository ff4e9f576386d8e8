/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/trust.h"

#include <stddef.h>

static bool went_back(const struct trust_facts *facts)
{
	/* Compared on this side: last_seen_us − slack could leave the range of the type. (TIME_UNSET
	 * is before everything.) */
	return facts->real_us + TRUST_SLACK_US < facts->last_seen_us;
}

const char *trust_doubt(const struct trust_facts *facts)
{
	if (facts->real_us < TRUST_FLOOR_US)
		return "đồng hồ chỉ trước năm 2026, chờ chỉnh giờ";
	if (facts->need_synchronised && !facts->kernel_synchronised)
		return "đồng hồ chưa được đồng bộ qua mạng (NTP), còn chờ "
		       "(clock_trust = \"synchronised\")";
	if (went_back(facts) && !facts->kernel_synchronised && !facts->set_by_hand)
		return "đồng hồ chậm hơn lần chạy trước, chờ chỉnh giờ";
	return NULL;
}

bool trust_clock(const struct trust_facts *facts)
{
	return !trust_doubt(facts);
}
