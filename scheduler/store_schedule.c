/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scheduler/store_schedule.h"
#include "base/name.h"
#include "base/strbuf.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* No name has a space in it, so that no two rows are summed as the same text. */
void store_schedule_sum(const struct store_schedule *schedule, char ret_hex[SHA256_TEXT_SIZE])
{
	_cleanup_(freep) char *head = xasprintf("%s %s %" PRId64 " %" PRId64 " %" PRId64 " %s",
		schedule->zone, schedule->id, schedule->revision, schedule->since_us,
		schedule->forget_us, schedule->json ? "= " : "withdrawn");
	_cleanup_(sha256_freep) struct sha256 *sum = sha256_new();

	sha256_add(sum, head, strlen(head));
	if (schedule->json)
		sha256_add(sum, schedule->json, strlen(schedule->json));
	sha256_finish(sum, ret_hex);
}

static int judge_name(const char *what, const char *name, struct error *why)
{
	return name_valid(name, strlen(name))
		       ? 0
		       : error_set(why, -EINVAL, "%s \"%s\" không hợp lệ", what, name);
}

int store_schedule_judge(const struct store_schedule *schedule, const char *sum, struct error *why)
{
	char found[SHA256_TEXT_SIZE];
	int result = judge_name("khu vực", schedule->zone, why);

	if (result == 0)
		result = judge_name("mã lịch", schedule->id, why);
	if (result < 0)
		return result;
	if (schedule->revision < 1 || schedule->revision > ANNOUNCEMENT_REVISION_MAX)
		return error_set(why, -EINVAL, "số bản không hợp lệ");
	if (schedule->since_us < 0 || schedule->since_us > ANNOUNCEMENT_TIME_MAX_US ||
		schedule->forget_us < 0)
		return error_set(why, -EINVAL, "thời điểm không hợp lệ");
	store_schedule_sum(schedule, found);
	return strcmp(found, sum) == 0
		       ? 0
		       : error_set(why, -EINVAL, "nội dung đã bị thay đổi (sai mã kiểm tra)");
}
