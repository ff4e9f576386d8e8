/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const struct unit {
	const char *name;
	int64_t us;
} units[] = {
	/* the longest first */
	{ "d", INT64_C(86400000000) },
	{ "h", INT64_C(3600000000) },
	{ "m", INT64_C(60000000) },
	{ "s", INT64_C(1000000) },
	{ "ms", INT64_C(1000) },
};

int duration_parse(const char *text, int64_t *ret_us, struct error *error)
{
	size_t digits = strspn(text, "0123456789");

	for (size_t i = 0; digits >= 1 && digits <= 10 && i < countof(units); i++) {
		if (strcmp(text + digits, units[i].name) != 0)
			continue;
		int64_t number = strtoll(text, NULL, 10);
		if (number > DURATION_MAX_US / units[i].us)
			return error_set(
				error, -EINVAL, "khoảng thời gian \"%.40s\" quá dài", text);
		*ret_us = number * units[i].us;
		return 0;
	}
	return error_set(error, -EINVAL,
		"khoảng thời gian \"%.40s\" không đúng dạng; ví dụ đúng: \"300ms\", \"90s\", "
		"\"15m\", \"2h\", \"1d\"",
		text);
}

void duration_format(int64_t us, char ret_text[DURATION_TEXT_SIZE])
{
	const struct unit *unit = units;

	us -= us % units[countof(units) - 1].us;
	if (us == 0) {
		snprintf(ret_text, DURATION_TEXT_SIZE, "0s");
		return;
	}
	while (us % unit->us != 0)
		unit++;
	snprintf(ret_text, DURATION_TEXT_SIZE, "%" PRId64 "%s", us / unit->us, unit->name);
}
